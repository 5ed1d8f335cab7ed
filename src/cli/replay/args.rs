//! What `hooktape replay` is told, and the plan that it makes.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::ValueEnum;
use clap::builder::RangedU64ValueParser;
use color_eyre::eyre::{self, WrapErr, eyre};

use crate::cli::RecordArgs;
use crate::cli::context::{Context, data_dir};
use crate::cli::draft::{parse_header, with_values};
use crate::cli::print;
use crate::cli::show::parse_query;
use crate::config::{Target, Tls, check_dropped, parse_duration};
use crate::net::avoid::Avoid;
use crate::net::fault::{Delivery, Fault, SLOW};
use crate::net::outgoing::SignMode;
use crate::net::placeholders;
use crate::net::presence;
use crate::replay::compare::Rules;
use crate::replay::expect::Expectation;
use crate::replay::report::Form;
use crate::replay::template;
use crate::replay::{Change, Pace, Plan, Schedule, Selection};
use crate::visible;

/// Its arguments.
#[derive(clap::Args, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "flags are bools")]
pub struct Args {
    /// The recording
    pub(super) file: PathBuf,
    /// The one call to send: its id, or as much of its beginning or end as it takes
    id: Option<String>,
    /// Where to: a target's name, or a URL
    #[arg(long, value_name = "TARGET|URL")]
    to: String,
    /// Send the same calls here, too, expect the same, compare the answers
    #[arg(long, value_name = "TARGET|URL")]
    against: Option<String>,
    /// Which calls.
    #[command(flatten)]
    which: Which,
    /// Sign anew, with new ids and times as the platform makes them; or send the bytes exactly as recorded
    #[arg(long, value_enum, default_value_t = Sign::Fresh)]
    sign: Sign,
    /// Put a value into each payload, as in /input/text=hello (repeatable)
    #[arg(long, value_name = "/POINTER=VALUE")]
    set: Vec<Change>,
    /// Set a header (repeatable)
    #[arg(long, value_name = "NAME: VALUE", value_parser = parse_header)]
    pub(super) header: Vec<(String, String)>,
    /// The target's terms.
    #[command(flatten)]
    target: TargetArgs,
    /// When.
    #[command(flatten)]
    when: When,
    /// What shall come back: recorded, contract, status<400, took<500ms, /pointer=value, header:NAME=value (repeatable)
    /// [default: status=2xx]
    #[arg(long, value_name = "WHAT")]
    expect: Vec<Expectation>,
    /// What two answers are compared by.
    #[command(flatten)]
    pub(super) rules: RuleArgs,
    /// Write a report, as in junit=report.xml; json and html as well (repeatable)
    #[arg(long = "report", value_name = "FORM=FILE", value_parser = parse_report)]
    pub(super) reports: Vec<(Form, PathBuf)>,
    /// Print only calls that failed
    #[arg(long)]
    pub(super) quiet: bool,
    /// Say what would go where, and send nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Send to a guarded target without asking
    #[arg(long)]
    pub(super) yes: bool,
    /// Send to hooktape's own listener, too
    #[arg(long)]
    to_listener: bool,
    /// Where to record.
    #[command(flatten)]
    pub(super) record: RecordArgs,
    /// What goes wrong; last, for its heading stands over what comes behind it.
    #[command(flatten)]
    faults: Faults,
    #[arg(long, help = Delivery::LATE, help_heading = "Faulty deliveries")]
    out_of_order: bool,
}

/// Which calls.
#[derive(clap::Args, Debug)]
struct Which {
    /// Which calls; without --sent, of those that were received
    #[arg(long, value_name = "QUERY", allow_hyphen_values = true, conflicts_with = "id")]
    query: Option<String>,
    /// Only marked calls
    #[arg(long, conflicts_with = "id")]
    marked: bool,
    /// Calls that were sent from here count as well
    #[arg(long, conflicts_with = "id")]
    sent: bool,
    /// The calls of one conversation: its key, or the beginning of it
    #[arg(long, value_name = "KEY", conflicts_with_all = ["id", "from"])]
    conversation: Option<String>,
    /// Of each conversation the calls from this turn on, counted from 1: what the user said, and what was called for it
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = RangedU64ValueParser::<usize>::new().range(1..), conflicts_with_all = ["id", "from"])]
    turn: usize,
    /// This call and those that came after it in its conversation
    #[arg(long, value_name = "ID", conflicts_with = "id")]
    from: Option<String>,
}

/// When calls leave.
#[derive(clap::Args, Debug)]
struct When {
    /// When each leaves: asap, original, a factor such as 2x, or a rate such as 5/s
    #[arg(long, default_value = "asap", conflicts_with = "rate")]
    pace: Pace,
    /// So many calls a second, at even distances
    #[arg(long, value_name = "N", value_parser = parse_rate)]
    rate: Option<f64>,
    /// How many calls may be on their way at a time; those of one conversation stay one after the other
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=i64::from(Schedule::MOST_AT_A_TIME)))]
    concurrency: u16,
    /// Do all of it so many times
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    repeat: u32,
    /// End with the first call whose answer is not as expected
    #[arg(long)]
    stop_on_failure: bool,
}

/// What goes wrong on purpose. With several of the last five, each call is sent once with each.
#[derive(clap::Args, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "flags are bools")]
#[command(next_help_heading = "Faulty deliveries")]
pub struct Faults {
    #[arg(long, help = Delivery::AGAIN)]
    pub duplicate: bool,
    #[arg(long, help = Fault::Stale.does())]
    stale: bool,
    #[arg(long, help = Fault::BadSignature.does())]
    bad_signature: bool,
    #[arg(long, help = Fault::Tampered.does())]
    tampered: bool,
    #[arg(long, value_name = "TIME", help = Fault::SlowBody(SLOW).does(), num_args = 0..=1, require_equals = true, default_missing_value = "5s", value_parser = parse_duration)]
    slow_body: Option<Duration>,
    #[arg(long, help = Fault::CutBody.does())]
    cut_body: bool,
}

impl Faults {
    /// Those that a call is sent with, one after the other.
    pub fn chosen(&self) -> Vec<Fault> {
        let chosen = |fault| match fault {
            Fault::Stale => self.stale.then_some(fault),
            Fault::BadSignature => self.bad_signature.then_some(fault),
            Fault::Tampered => self.tampered.then_some(fault),
            Fault::SlowBody(_) => self.slow_body.map(Fault::SlowBody),
            Fault::CutBody => self.cut_body.then_some(fault),
        };
        Fault::ALL.into_iter().filter_map(chosen).collect()
    }
}

/// What two answers are compared by.
#[derive(clap::Args, Debug)]
pub struct RuleArgs {
    /// What is no difference between two answers: a JSON Pointer, * for any index or name, or header:NAME (repeatable)
    #[arg(long, value_name = "PLACE")]
    ignore: Vec<String>,
    /// The order of an array's elements is no difference
    #[arg(long)]
    unordered: bool,
}

impl RuleArgs {
    /// The rules: those of the configuration, and these.
    ///
    /// # Errors
    /// When a place is none.
    pub(in crate::cli) fn rules(&self, context: &Context) -> eyre::Result<Rules> {
        let mut rules = Rules::configured(&context.config.compare);
        rules.unordered |= self.unordered;
        for place in &self.ignore {
            rules.ignore(place).map_err(|why| eyre!("--ignore: {why}"))?;
        }
        Ok(rules)
    }
}

/// Terms that a target gets besides what is configured.
#[derive(clap::Args, Debug)]
pub struct TargetArgs {
    /// Leave a header out (repeatable)
    #[arg(long, value_name = "NAME", value_parser = dropped)]
    drop_header: Vec<String>,
    /// How long an answer may take, as in 5s or 500ms [default: the target's, or 30s]
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    timeout: Option<Duration>,
    /// Take any certificate: self-signed, expired, another host's
    #[arg(long)]
    insecure: bool,
    /// Take certificates of these authorities as well: PEM
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
}

impl TargetArgs {
    /// The target on these terms.
    ///
    /// # Errors
    /// When the file of authorities cannot be read.
    pub fn apply(&self, mut target: Target) -> eyre::Result<Target> {
        target.drop_headers.extend(self.drop_header.iter().cloned());
        target.timeout = self.timeout.unwrap_or(target.timeout);
        target.tls.any_certificate |= self.insecure;
        if let Some(file) = &self.ca {
            let read = std::fs::read(file).wrap_err_with(|| format!("--ca: cannot read {}", file.display()));
            let read = Tls::read_authorities(read?).map_err(|error| eyre!("--ca {}: {error}", file.display()))?;
            target.tls.authorities.extend(read);
        }
        Ok(target)
    }
}

/// How calls are signed.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Sign {
    /// Anew, with the target's secret.
    Fresh,
    /// Header and bytes as they are.
    Exact,
}

impl From<Sign> for SignMode {
    fn from(sign: Sign) -> Self {
        match sign {
            Sign::Fresh => Self::Fresh,
            Sign::Exact => Self::Exact,
        }
    }
}

/// Changes and headers.
type Filled = (Vec<Change>, Vec<(String, String)>);

impl Args {
    /// Whether it names the one call that is sent.
    pub(super) fn names_one(&self) -> bool {
        self.id.is_some()
    }

    pub(super) fn selection(&self, context: &Context) -> eyre::Result<Selection> {
        let which = &self.which;
        let text = match (&which.query, which.marked) {
            (Some(query), true) => {
                // Parsed on its own first: an error shall show what was typed.
                parse_query(context, Some(query))?;
                format!("marked ({query})")
            }
            (Some(query), false) => query.clone(),
            (None, true) => "marked".to_owned(),
            (None, false) => String::new(),
        };
        let asked = which.query.as_ref().map(|query| format!("--query {query}"));
        let asked = asked.into_iter().chain(which.marked.then(|| "--marked".to_owned()));
        Ok(Selection {
            query: parse_query(context, Some(&text))?,
            asked: asked.collect::<Vec<_>>().join(" with "),
            sent: which.sent,
            id: self.id.clone(),
            from: which.from.clone(),
            conversation: which.conversation.clone(),
            turn: which.turn,
        })
    }

    /// What is set in payloads and headers, its placeholders filled in once: all calls get the same.
    fn filled(&self, context: &Context) -> eyre::Result<Filled> {
        let (changes, headers) = (&self.set, &self.header);
        let texts = changes.iter().map(|change| &change.value).chain(headers.iter().map(|(_, value)| value));
        for slip in template::slips(texts.map(String::as_str)) {
            print::note(&visible::line(&slip));
        }
        let places = |text: &str| placeholders::are_in(text.as_bytes());
        if !changes.iter().any(|change| places(&change.value)) && !headers.iter().any(|(_, value)| places(value)) {
            return Ok((changes.clone(), headers.clone()));
        }
        with_values(context, |values| {
            let change = |Change { pointer, value }: &Change| {
                Ok(Change { pointer: pointer.clone(), value: template::fill_json(value, values)? })
            };
            let header = |(name, value): &(String, String)| {
                let filled = template::fill_text(value, values)?;
                match http::HeaderValue::from_str(&filled) {
                    Ok(_) => Ok((name.clone(), filled)),
                    // It may hold a secret, and is not repeated.
                    Err(_) => {
                        Err(format!("--header {name}: what its placeholders stand for cannot be sent in a header"))
                    }
                }
            };
            Ok((
                changes.iter().map(change).collect::<Result<_, String>>()?,
                headers.iter().map(header).collect::<Result<_, String>>()?,
            ))
        })
    }

    pub(super) fn plan(&self, context: &Context) -> eyre::Result<Plan> {
        let When { pace, rate, concurrency, repeat, stop_on_failure } = self.when;
        let (changes, headers) = self.filled(context)?;
        let target = |to: &str| -> eyre::Result<Target> {
            let mut target = self.target.apply(context.target(to)?)?;
            target.headers.extend(headers.iter().cloned());
            Ok(target)
        };
        let first = target(&self.to)?;
        let second = self.against.as_deref().map(target).transpose()?;
        Ok(Plan {
            against: second.map(|second| second.told_apart(std::slice::from_ref(&first))),
            target: first,
            mode: self.sign.into(),
            changes,
            headers_set: !headers.is_empty(),
            faults: self.faults.chosen(),
            duplicate: self.faults.duplicate,
            schedule: Schedule {
                pace: rate.map_or(pace, Pace::Rate),
                concurrency: concurrency.into(),
                repeat,
                out_of_order: self.out_of_order,
                stop_on_failure,
            },
            expect: self.expect.clone(),
            rules: self.rules.rules(context)?,
            avoid: (!self.to_listener).then(|| {
                let listeners = data_dir().map(|data| presence::all(&data)).unwrap_or_default();
                let repair = "--to-listener sends there all the same".to_owned();
                Arc::new(Avoid { listeners, repair, others: Vec::new(), spared: None })
            }),
        })
    }
}

fn dropped(name: &str) -> Result<String, String> {
    check_dropped(name).map(|()| name.to_owned())
}

fn parse_rate(text: &str) -> Result<f64, String> {
    Pace::number(text).ok_or_else(|| format!("{text:?} is no rate: so many calls a second, as in 50 or 0.5"))
}

fn parse_report(text: &str) -> Result<(Form, PathBuf), String> {
    let (form, file) = text
        .split_once('=')
        .filter(|(_, file)| !file.is_empty())
        .ok_or_else(|| format!("{text:?} is not of the form FORM=FILE, as in junit=report.xml"))?;
    if file == "-" {
        return Err(format!("standard output has the results: name a file for the report, as in {form}=report.{form}"));
    }
    Ok((form.parse()?, file.into()))
}

/// What [`SLOW`] says is what the flag's default says.
const _: () = assert!(SLOW.as_secs() == 5);
