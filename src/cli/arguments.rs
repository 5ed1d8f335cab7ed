//! What is typed, read so that none of it is dropped.
//!
//! The parser gives a command only the options that stand behind it. Those of every command are to count wherever they stand;
//! the terminal program's own are refused before a command, which would go on without them.

use std::error::Error as _;
use std::ffi::OsString;

use clap::builder::Resettable;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Args as _, Command, CommandFactory as _, FromArgMatches as _};

use crate::cli::{Cli, Common};

/// # Errors
/// What is wrong with the arguments, or the help that they ask for.
pub(super) fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Cli, clap::Error> {
    let words: Vec<OsString> = words.into_iter().collect();
    let common: Vec<Arg> = Common::augment_args(Command::new("")).get_arguments().map(local).collect();
    let mut command = at_every_level(Cli::command().mut_args(|arg| local(&arg)), &common);
    // What is typed is judged first, and alone: it says which command is called, and so which variables count.
    let mut typed = every_arg(command.clone(), &|arg| arg.env(Resettable::Reset));
    let starts = match typed.try_get_matches_from_mut(&words) {
        // `config` says what a start would do.
        Ok(matches) => matches.subcommand_name().is_none_or(|called| called == "config"),
        Err(error) => return Err(refused(&mut command, typed, error, &words, &common)),
    };
    if !starts {
        command = command.mut_args(|arg| arg.env(Resettable::Reset));
    }
    let matches = command.try_get_matches_from_mut(&words).map_err(|error| of_the_environment(&mut command, error))?;
    let levels = levels(&command, &matches);
    let wrong = misplaced(&levels, &common).or_else(|| repeated(&levels, &common));
    let read = || {
        let mut cli = Cli::from_arg_matches(&matches)?;
        for (_, matches) in levels.iter().skip(1) {
            cli.common.add(Common::from_arg_matches(matches)?, is_given(matches, "format"));
        }
        Ok(cli)
    };
    match wrong {
        Some(wrong) => Err(command.error(ErrorKind::ArgumentConflict, wrong)),
        None => read().map_err(|error: clap::Error| error.format(&mut command)),
    }
}

/// What to say of words that the parser does not take.
fn refused(
    command: &mut Command,
    typed: Command,
    error: clap::Error,
    words: &[OsString],
    common: &[Arg],
) -> clap::Error {
    match error.kind() {
        // What is missing may stand before the command.
        ErrorKind::MissingRequiredArgument => {
            let mut lenient = every_arg(typed, &|arg| arg.required(false));
            let matches = lenient.try_get_matches_from_mut(words).ok();
            let wrong = matches.and_then(|matches| misplaced(&levels(&lenient, &matches), common));
            wrong.map_or(error, |wrong| command.error(ErrorKind::ArgumentConflict, wrong))
        }
        // The help has the variables.
        ErrorKind::DisplayHelp => command.try_get_matches_from_mut(words).err().unwrap_or(error),
        _ => hushed(error),
    }
}

/// Does not repeat what was to be a header, a value or a claim: it may be a secret.
fn hushed(mut error: clap::Error) -> clap::Error {
    const QUIET: [&str; 3] = ["--header ", "--set ", "--claim "];
    let is_quiet = |named: &String| QUIET.iter().any(|option| named.starts_with(option));
    if matches!(error.get(ContextKind::InvalidArg), Some(ContextValue::String(named)) if is_quiet(named)) {
        error.insert(ContextKind::InvalidValue, ContextValue::String("…".to_owned()));
    }
    error
}

/// An error in what nobody has typed: it is a variable's.
fn of_the_environment(command: &mut Command, error: clap::Error) -> clap::Error {
    let Some(ContextValue::String(named)) = error.get(ContextKind::InvalidArg) else { return error };
    let Some(variable) = variable_of(command, named) else { return error };
    let why = error.source().map_or_else(|| "it is empty".to_owned(), ToString::to_string);
    let said = format!("the variable {variable} stands for '{named}': {why}; set it right, or unset it");
    command.error(error.kind(), said)
}

fn variable_of(command: &Command, named: &str) -> Option<String> {
    let own = command.get_arguments().filter(|arg| arg.to_string() == named).find_map(Arg::get_env);
    let own = own.map(|variable| variable.to_string_lossy().into_owned());
    own.or_else(|| command.get_subcommands().find_map(|inner| variable_of(inner, named)))
}

impl Common {
    /// What stands further behind, too; of the form, if it is `said` there.
    fn add(&mut self, Self { config, secret, format }: Self, said: bool) {
        self.config = config.or(self.config.take());
        self.secret.extend(secret);
        self.format = if said { format } else { self.format };
    }
}

/// The parser's own way of handing an option down keeps only those that stand furthest behind.
fn local(arg: &Arg) -> Arg {
    arg.clone().global(false)
}

fn at_every_level(command: Command, common: &[Arg]) -> Command {
    command.mut_subcommands(|inner| at_every_level(inner.args(common), common))
}

/// The same with all its arguments changed so, and those of the commands in it.
fn every_arg(command: Command, change: &impl Fn(Arg) -> Arg) -> Command {
    command.mut_args(change).mut_subcommands(|inner| every_arg(inner, change))
}

/// The program and the commands within one another that are called, with what stands behind each.
fn levels<'a>(command: &'a Command, matches: &'a ArgMatches) -> Vec<(&'a Command, &'a ArgMatches)> {
    let mut levels = vec![(command, matches)];
    while let Some((command, matches)) = levels.last()
        && let Some((name, behind)) = matches.subcommand()
        && let Some(inner) = command.find_subcommand(name)
    {
        levels.push((inner, behind));
    }
    levels
}

fn is_given(matches: &ArgMatches, id: &str) -> bool {
    matches.value_source(id) == Some(ValueSource::CommandLine)
}

/// What stands before the command and would be lost there, with the place where it belongs.
fn misplaced(levels: &[(&Command, &ArgMatches)], common: &[Arg]) -> Option<String> {
    let ((called, _), before) = levels.split_last()?;
    let path: Vec<&str> = levels.iter().map(|(command, _)| command.get_name()).collect();
    let path = path.join(" ");
    let is_lost = |arg: &&Arg, matches| {
        !common.iter().any(|one| one.get_id() == arg.get_id()) && is_given(matches, arg.get_id().as_str())
    };
    let lost = before.iter().enumerate().flat_map(|(depth, (command, matches))| {
        command.get_arguments().filter(move |arg| is_lost(arg, matches)).map(move |arg| (depth, *command, arg))
    });
    let said = lost.map(|(depth, command, arg)| {
        let (word, value) =
            (arg.get_long().unwrap_or_default(), if arg.get_action().takes_values() { " ..." } else { "" });
        if !arg.is_positional() && called.get_arguments().any(|own| own.get_long() == arg.get_long()) {
            format!("'{arg}' counts behind the command only: `{path} --{word}{value}`")
        } else if depth == 0 {
            format!("'{arg}' is an option of the terminal program, and `{path}` has none such: leave it out")
        } else {
            format!("'{arg}' is for `{}` alone, and `{path}` has none such: leave it out", command.get_name())
        }
    });
    let said: Vec<String> = said.collect();
    (!said.is_empty()).then(|| said.join("\n       "))
}

/// What counts once, and is said before the command and behind it.
fn repeated(levels: &[(&Command, &ArgMatches)], common: &[Arg]) -> Option<String> {
    let (program, _) = levels.first()?;
    let times = |arg: &Arg| levels.iter().filter(|(_, matches)| is_given(matches, arg.get_id().as_str())).count();
    let once = common.iter().filter(|arg| !matches!(arg.get_action(), ArgAction::Append));
    let twice = once.filter(|arg| times(arg) > 1).map(Arg::get_id).next()?;
    let arg = program.get_arguments().find(|arg| arg.get_id() == twice)?;
    Some(format!("the argument '{arg}' cannot be used multiple times"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli;
    use crate::cli::Format;

    fn read(line: &str) -> Result<Cli, String> {
        parse(line.split(' ').map(OsString::from)).map_err(|error| error.to_string())
    }

    #[test]
    fn what_stands_before_a_command_that_would_go_on_without_it_is_refused() {
        let refused = |line: &str, says: &str| {
            let error = read(line).unwrap_err();
            assert!(error.contains(says), "{line}: {error}");
        };
        refused("hooktape --redact listen", "'--redact' counts behind the command only: `hooktape listen --redact`\n");
        refused(
            "hooktape --record x.jsonl listen --redact",
            "'--record <PATH>' counts behind the command only: `hooktape l",
        );
        refused("hooktape --fsync webview open moveo", "`hooktape webview open --fsync`");
        refused("hooktape --to :1 replay f --to :2", "`hooktape replay --to ...`");
        // Also where nothing else is missing than that.
        refused("hooktape --to local replay f", "'--to <TARGET|URL>' counts behind the command only: `hooktape rep");
        refused("hooktape --to local send moveo/dialog", "only: `hooktape send --to ...`");
        refused("hooktape replay f", "required arguments were not provided:\n  --to <TARGET|URL>");
        refused(
            "hooktape --redact show f",
            "'--redact' is an option of the terminal program, and `hooktape show` has none",
        );
        let both = "'--to <TARGET|URL>' is an option of the terminal program, and `hooktape config check` has none";
        refused("hooktape --tls --to :1 config check", both);
        refused("hooktape --tls --to :1 config check", "'--tls' is an option of");
        refused(
            "hooktape platforms moveo check p",
            "'[NAME]' is for `platforms` alone, and `hooktape platforms check`",
        );
        refused("hooktape platforms --as markdown check p", "'--as <FORM>' is for `platforms` alone, and ");
    }

    #[test]
    fn what_goes_for_every_command_counts_wherever_it_stands() {
        let Common { config, secret, format } =
            read("hooktape --secret a=env:A --format json config --secret b=env:B check --secret c=env:C")
                .unwrap()
                .common;
        assert_eq!(
            (config, secret, format),
            (None, vec!["a=env:A".into(), "b=env:B".into(), "c=env:C".into()], Format::Json)
        );
        for line in ["hooktape --config x show f", "hooktape show f --config x"] {
            assert_eq!(read(line).unwrap().common.config, Some("x".into()));
        }
        for line in ["hooktape --config x show f --config y", "hooktape show f --config x --config y"] {
            let error = read(line).unwrap_err();
            assert!(error.contains("'--config <PATH>' cannot be used multiple times"), "{error}");
        }
        assert_eq!(read("hooktape --format json show f --format json").unwrap_err().lines().count(), 5);
        let check = read("hooktape platforms --format json check p").unwrap();
        assert!(check.common.format == Format::Json && matches!(check.command, Some(cli::Command::Platforms(_))));
    }

    #[test]
    fn the_terminal_program_has_its_own() {
        let cli = read("hooktape --redact --to :1 --secret a=env:A").unwrap();
        assert!(cli.command.is_none() && cli.lane.record.redact && cli.to.as_deref() == Some(":1"));
        let cli = read("hooktape listen --redact").unwrap();
        assert!(
            matches!(cli.command, Some(cli::Command::Listen(lane)) if lane.record.redact) && !cli.lane.record.redact
        );
    }
}
