//! `hooktape diff A B`: how two calls, or two recordings, differ.

use std::path::Path;

use color_eyre::eyre::{self, eyre};
use serde_json::json;

use crate::call::{Call, Id};
use crate::cli::context::{Context, find_call};
use crate::cli::damage::Damaged;
use crate::cli::replay::args::RuleArgs;
use crate::cli::show::{fits, parse_query};
use crate::cli::{Format, Outcome, print};
use crate::recording::{Entry, Position, Reader};
use crate::replay::compare::recordings::align;
use crate::replay::compare::{Difference, ROUGH, Rules, Side, bytes_differ, calls};
use crate::visible;

/// Columns of a value in a line.
const VALUE: usize = 80;

/// Its arguments.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Two recordings, FILE FILE; or two calls, FILE#ID FILE#ID, FILE ID ID or FILE ID FILE ID
    #[arg(value_name = "FILE|ID", num_args = 2..=4, required = true)]
    what: Vec<String>,
    /// Of recordings, only these calls
    #[arg(long, value_name = "QUERY", allow_hyphen_values = true)]
    query: Option<String>,
    /// Compare only the answers
    #[arg(long)]
    answers: bool,
    /// What is no difference.
    #[command(flatten)]
    rules: RuleArgs,
}

/// What is compared.
enum What<'a> {
    Calls([(&'a str, &'a str); 2]),
    Recordings([&'a str; 2]),
}

impl Args {
    fn what(&self) -> eyre::Result<What<'_>> {
        let words: Vec<&str> = self.what.iter().map(String::as_str).collect();
        Ok(match words[..] {
            [left, right] => match (left.rsplit_once('#'), right.rsplit_once('#')) {
                (Some(left), Some(right)) => What::Calls([left, right]),
                (None, None) => What::Recordings([left, right]),
                _ => return Err(eyre!("a call is compared with a call, and a recording with a recording")),
            },
            [file, left, right] => What::Calls([(file, left), (file, right)]),
            [left, left_id, right, right_id] => What::Calls([(left, left_id), (right, right_id)]),
            _ => return Err(eyre!("diff takes two calls or two recordings")),
        })
    }
}

pub(super) fn run(context: &Context, args: &Args) -> eyre::Result<Outcome> {
    let rules = args.rules.rules(context)?;
    match args.what()? {
        What::Calls([left, right]) => {
            let (left, right) = (find_call(Path::new(left.0), left.1)?, find_call(Path::new(right.0), right.1)?);
            of_calls(context, args, &left, &right, &rules)
        }
        What::Recordings([left, right]) => of_recordings(context, args, [left, right], &rules),
    }
}

/// What two calls came to.
struct Compared {
    differences: Vec<Difference>,
    /// The sides without a difference whose bodies are other bytes all the same: a signature is made over bytes.
    bytes: Vec<Side>,
}

impl Compared {
    fn of(context: &Context, args: &Args, left: &Call, right: &Call, rules: &Rules) -> Self {
        let kind = context.platforms.kind(left.kind.as_deref());
        let mut differences = calls(left, right, kind, rules);
        differences.retain(|difference| !args.answers || difference.side == Side::Response);
        let mut bytes = vec![Side::Request, Side::Response];
        bytes.retain(|side| {
            !(args.answers && *side == Side::Request)
                && differences.iter().all(|difference| difference.side != *side)
                && bytes_differ(left, right, *side)
        });
        Self { differences, bytes }
    }

    /// What there is to say of two calls without a difference.
    fn verdict(&self) -> &'static str {
        match self.bytes[..] {
            [] => "no difference",
            [Side::Request] => "requests: the same, but not byte for byte",
            [Side::Response] => "answers: the same, but not byte for byte",
            _ => "requests and answers: the same, but not byte for byte",
        }
    }
}

fn of_calls(context: &Context, args: &Args, left: &Call, right: &Call, rules: &Rules) -> eyre::Result<Outcome> {
    let compared = Compared::of(context, args, left, right, rules);
    let alike = compared.differences.is_empty();
    if context.format == Format::Json {
        print::result(&line(Some(left.id), Some(right.id), left.kind.as_deref(), None, &compared))?;
    } else {
        tell(&compared.differences, "")?;
        if alike || !compared.bytes.is_empty() {
            print::note(compared.verdict());
        }
    }
    Ok(alike.into())
}

/// Differences, each with its side.
fn tell(differences: &[Difference], indent: &str) -> std::io::Result<()> {
    for difference in differences {
        let side = match difference.side {
            Side::Request => "request ",
            Side::Response => "response",
        };
        print::result(&format!("{indent}{side} {}", print::difference(difference, VALUE)))?;
    }
    if differences.iter().any(|difference| difference.rough) {
        print::note(&format!("{indent}{ROUGH}"));
    }
    Ok(())
}

fn line(
    left: Option<Id>,
    right: Option<Id>,
    kind: Option<&str>,
    conversation: Option<&str>,
    compared: &Compared,
) -> String {
    json!({
        "schema": 1, "left": left, "right": right, "kind": kind, "conversation": conversation,
        "differences": compared.differences, "bytes_differ": compared.bytes,
    })
    .to_string()
}

fn of_recordings(context: &Context, args: &Args, files: [&str; 2], rules: &Rules) -> eyre::Result<Outcome> {
    let query = parse_query(context, args.query.as_deref())?;
    let mut damaged = Damaged::default();
    let mut read = |file: &str| -> eyre::Result<(Reader, Vec<Entry>)> {
        let reader = Reader::open(Path::new(file))?;
        let marks = reader.marks();
        let mut entries = Vec::new();
        for entry in reader.entries(Position::default()) {
            match entry {
                Ok(entry) if damaged.passed_over(fits(&query, &entry, &reader, &marks))? == Some(true) => {
                    entries.push(entry);
                }
                Ok(_) => {}
                Err(damage) => damaged.tell(&format!("{file}: {damage}")),
            }
        }
        Ok((reader, entries))
    };
    let ((left, left_entries), (right, right_entries)) = (read(files[0])?, read(files[1])?);
    if left_entries.is_empty() && right_entries.is_empty() {
        // Not alike: a slip in a query would else pass for two recordings without a difference.
        return Err(eyre!("no call to compare"));
    }
    let (mut alike, mut in_bytes, mut different, mut only) = (0_u64, 0_u64, 0_u64, [0_u64; 2]);
    for pair in align(&left_entries, &right_entries) {
        let (l, r) = (pair.left.map(|number| &left_entries[number]), pair.right.map(|number| &right_entries[number]));
        let Some(some) = l.or(r) else { continue };
        let both = l.is_some() && r.is_some();
        let read = |reader: &Reader, entry: Option<&Entry>| entry.map(|entry| reader.call(entry.place)).transpose();
        let calls = read(&left, l).and_then(|left| Ok(left.zip(read(&right, r)?)));
        let Some(calls) = damaged.passed_over(calls)? else { continue };
        let found = calls.map(|(left, right)| Compared::of(context, args, &left, &right, rules));
        let found = found.unwrap_or(Compared { differences: Vec::new(), bytes: Vec::new() });
        if both && found.differences.is_empty() {
            alike += 1;
            in_bytes += u64::from(!found.bytes.is_empty());
            continue;
        }
        let side = usize::from(l.is_none());
        if both {
            different += 1;
        } else {
            only[side] += 1;
        }
        let (kind, conversation) = (some.kind.as_deref(), some.conversation.as_deref());
        if context.format == Format::Json {
            print::result(&line(l.map(|l| l.id), r.map(|r| r.id), kind, conversation, &found))?;
            continue;
        }
        let name = visible::line(kind.unwrap_or(&some.path)).into_owned();
        print::result(&match (l, r) {
            (Some(l), Some(r)) => format!("{} {} {name}", print::short(l.id), print::short(r.id)),
            _ => format!("{} {name}: only in {}", print::short(some.id), visible::line(files[side])),
        })?;
        tell(&found.differences, "  ")?;
    }
    let left_out = only.iter().zip(files).filter(|(count, _)| **count > 0);
    let left_out: Vec<String> = left_out.map(|(count, file)| format!(", {count} only in {file}")).collect();
    let in_bytes = if in_bytes > 0 { format!(" ({in_bytes} not byte for byte)") } else { String::new() };
    print::note(&format!("{alike} alike{in_bytes}, {different} different{}", left_out.concat()));
    // A line that cannot be read cannot be vouched for.
    Ok((damaged.end() && different == 0 && only == [0, 0]).into())
}
