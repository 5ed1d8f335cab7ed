//! `hooktape replay FILE [ID] --to TARGET|URL`: send recorded calls again.

pub(super) mod args;
mod progress;
pub(super) mod show;

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use color_eyre::eyre::{self, WrapErr, eyre};
use jiff::Timestamp;

pub use self::args::Args;
use self::progress::Progress;
use crate::cli::context::{Context, stop_signal};
use crate::cli::{Format, Outcome, RecordArgs, is_broken_pipe, print};
use crate::config::{Target, without_query};
use crate::net::fault::Delivery;
use crate::recording::export::ExportFile;
use crate::recording::{Reader, Redaction};
use crate::replay::report::{Form, Report};
use crate::replay::{Control, Item, Plan, Refusal, Replay, Skipped, Summary, Told, select};
use crate::sync::lock;
use crate::visible;

pub(super) async fn run(context: &Context, args: &Args) -> eyre::Result<Outcome> {
    let headers = args.header.iter().map(|(name, value)| (&**name, value.as_bytes()));
    let context = &context.masking(args.record.redact).hiding(headers);
    let selection = args.selection(context)?;
    let reader = Reader::open(&args.file)?;
    // That nothing is found is no success: a slip in a query would else pass for a replay that went well.
    let (items, damaged) = select(&reader, &selection, &context.platforms).map_err(|error| eyre!(error))?;
    let told = damaged.first().iter().map(ToString::to_string).chain(damaged.more());
    told.for_each(|damage| print::note(&format!("hooktape: {damage}")));
    // A line that cannot be read may be one of those that were asked for.
    let unread = if args.names_one() { 0 } else { damaged.count() };
    let plan = args.plan(context)?;
    if args.dry_run {
        let outcome = rehearse(context, &reader, &items, &plan).await?;
        return Ok(if unread == 0 { outcome } else { Outcome::No });
    }
    let total = plan.total(items.len());
    if let Some(why) = plan.why_none(&items) {
        return Err(eyre!(why));
    }
    if !args.yes && plan.targets().any(|target| target.guard) {
        let leaving = plan.leaving(&reader, &items, &context.platforms, &context.keyring, None);
        let leaving = leaving.map_err(|why| eyre!(why))?;
        for target in plan.targets() {
            confirm(target, leaving.count, &target.templates(leaving.kinds()), &leaving.others())?;
        }
    }
    // Made before anything is sent: a replay without its report would have to be done again.
    let reports = begin_reports(context, args)?;
    let recorder = context.recorder(&args.record, Box::new(|event| print::trouble(&event)))?;
    let kept_in = recorder.path().to_owned();
    let control = Control::default();
    let replay = Replay {
        plan,
        reader,
        sender: context.sender(),
        recorder: recorder.clone(),
        platforms: context.platforms.clone(),
        keyring: context.keyring.clone(),
        listener: None,
    };
    announce(context, &replay.plan, &items, total);
    let count = items.len();
    let title = args.file.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let redaction = context.redaction()?;
    let place = |target: &Target| redaction.target(&target.url);
    let (first, second) = (place(&replay.plan.target), replay.plan.against.as_ref().map(place));
    let begun = |plan| Report::new(title, first, second, Timestamp::now()).of(plan, Some(&redaction));
    let report = (!reports.is_empty()).then(|| begun(&replay.plan));
    let listing = Listing {
        context: context.clone(),
        quiet: args.quiet,
        report,
        progress: Progress::new(replay.plan.meter(count)),
        broken: None,
    };
    let listing = Arc::new(Mutex::new(listing));
    let (teller, ending) = (listing.clone(), control.clone());
    let masking = redaction.clone();
    let tell = move |told: Told| {
        let mut listing = lock(&teller);
        if let Some(report) = &mut listing.report {
            report.add(&told, Some(&masking));
        }
        if let Err(error) = listing.tell(&told) {
            listing.broken.get_or_insert(error);
            ending.cancel();
        }
    };
    let (stop, ending) = (stop_signal()?, control.clone());
    let waiting = tokio::spawn(async move {
        stop.await;
        ending.cancel();
    });
    let result = replay.run(items, control, tell).await;
    waiting.abort();
    recorder.close().await;
    let mut listing = lock(&listing);
    listing.progress.clear();
    let broken = listing.broken.take();
    let mut summary = result.unwrap_or_else(|error| Summary {
        total,
        failed: total,
        error: Some(none_can_be_sent(&error)),
        ..Summary::default()
    });
    summary.unread = unread;
    if let Some(error) = broken {
        summary.error.get_or_insert_with(|| format!("the results could not be printed: {error}"));
    }
    // Whatever it came to: what has left has left.
    let unwritten =
        listing.report.as_ref().map_or_else(Vec::new, |report| write(reports, report, &summary, &redaction));
    let concluded = conclude(context, &summary);
    if !summary.statuses.is_empty() || summary.unfinished > 0 {
        tell_recording(context, &args.record, &kept_in);
    }
    let failed = summary.shortfall().filter(|_| summary.error.is_some()).map(|shortfall| eyre!(shortfall));
    // That nobody reads a report any more is no reason to call the replay fine.
    let unwritten = unwritten.into_iter().filter(|error| !is_broken_pipe(error));
    let failed = unwritten.chain(failed).reduce(|told, next| {
        print::note(&format!("hooktape: {told:#}"));
        next
    });
    failed.map_or(Ok(()), Err)?;
    concluded?;
    Ok(summary.is_fine().into())
}

/// The files of reports that were begun, and how each is written.
type Reports = Vec<(Form, ReportOutput)>;

/// Each in a file of its own, which is none of the recordings.
fn begin_reports(context: &Context, args: &Args) -> eyre::Result<Reports> {
    let recorded = context.recorded_to(&args.record)?;
    let mut taken = vec![
        (place_of(&args.file), "is the recording that is replayed"),
        (place_of(&recorded), "is what the replay is recorded to"),
    ];
    let mut reports = Reports::new();
    for (form, path) in &args.reports {
        let (here, cannot) = (place_of(path), || format!("cannot write the report {}", path.display()));
        if let Some((_, what)) = taken.iter().find(|(place, _)| *place == here) {
            return Err(eyre!("{} {what}: name another file", path.display())).wrap_err_with(cannot);
        }
        let output = ReportOutput::begin(path).wrap_err_with(cannot)?;
        if matches!(output, ReportOutput::File(_)) {
            taken.push((here, "has another report already"));
        }
        reports.push((*form, output));
    }
    Ok(reports)
}

/// One and the same for all ways to name a file, be it there or not.
fn place_of(path: &Path) -> PathBuf {
    let beside = || Some(Path::new(".").join(path).parent()?.canonicalize().ok()?.join(path.file_name()?));
    path.canonicalize().ok().or_else(beside).unwrap_or_else(|| path.to_owned())
}

/// Writes them, each whether or not another can be written; why some cannot.
fn write(reports: Reports, report: &Report, summary: &Summary, redaction: &Redaction) -> Vec<eyre::Report> {
    let error = summary.error.as_ref().map(|error| redaction.text(error).into_owned());
    let summary = Summary { error, ..summary.clone() };
    let write = |(form, mut file): (Form, ReportOutput)| match report.write(form, &summary, &mut file) {
        Ok(()) => file.keep().err(),
        Err(error) => Some(file.error(error)),
    };
    reports.into_iter().filter_map(write).map(|error| error.wrap_err("cannot write the report")).collect()
}

/// Where results go while a replay runs.
struct Listing {
    context: Context,
    quiet: bool,
    report: Option<Report>,
    progress: Progress,
    /// Why the results cannot be written.
    broken: Option<std::io::Error>,
}

impl Listing {
    fn tell(&mut self, told: &Told) -> std::io::Result<()> {
        let fine = match told {
            Told::Sent(outcome) => !outcome.is_failure(),
            Told::Skipped(skipped) => !skipped.is_failure(),
        };
        if !self.quiet || !fine {
            self.progress.clear();
            print::result(&show::told(&self.context, told))?;
        }
        self.progress.step(fine, matches!(told, Told::Skipped(_)));
        Ok(())
    }
}

fn none_can_be_sent(first: &str) -> String {
    format!("none of these calls can be sent so: {first}")
}

/// Says what would go where, and sends nothing.
async fn rehearse(context: &Context, reader: &Reader, items: &[Item], plan: &Plan) -> eyre::Result<Outcome> {
    let (sender, repeat) = (context.sender(), plan.schedule.repeat);
    let mut outcome = Outcome::Yes;
    let (mut count, mut refused, mut skips) = (0_u64, None, false);
    for (item, late) in plan.schedule.order(items).map_err(|error| eyre!(error))? {
        let call = match reader.call_of(item.id, item.place) {
            Ok(call) => call,
            Err(damage) => {
                outcome = Outcome::No;
                let skipped = Skipped { original: item.id, kind: None, fault: None, reason: damage.to_string() };
                refused.get_or_insert_with(|| skipped.clone());
                print::result(&show::told(context, &Told::Skipped(skipped)))?;
                continue;
            }
        };
        for fault in plan.deliveries() {
            let now = Timestamp::now();
            let mut planned = plan.outgoing(&call, fault, now, &context.platforms, &context.keyring, None);
            if let Ok((first, second)) = &planned
                && let Some(why) = sender.leads_to_ourselves(first, second.as_ref()).await
            {
                planned = Err(Refusal::Call(why));
            }
            let (first, second) = match planned {
                Ok(planned) => planned,
                Err(refusal) => {
                    let skipped = Skipped::new(&call, fault, refusal);
                    if skipped.is_failure() {
                        outcome = Outcome::No;
                        refused.get_or_insert_with(|| skipped.clone());
                    } else {
                        skips = true;
                    }
                    print::result(&show::told(context, &Told::Skipped(skipped)))?;
                    continue;
                }
            };
            for again in std::iter::once(false).chain(plan.duplicate.then_some(true)) {
                count += 1;
                for outgoing in std::iter::once(&first).chain(&second) {
                    let delivery = Delivery { fault, late, again };
                    let (said, fine) = show::planned(context, &call, outgoing, delivery, &sender);
                    outcome = if fine { outcome } else { Outcome::No };
                    print::result(&said)?;
                }
            }
        }
    }
    show::rehearsed(context, count * u64::from(repeat), repeat, plan, &places(plan, &kinds(items)))?;
    // As it would be when they left.
    match refused.filter(|_| count == 0 && !skips) {
        Some(Skipped { original, reason, .. }) => Err(eyre!("{}", none_can_be_sent(&format!("{original}: {reason}")))),
        None if count == 0 => Ok(Outcome::No),
        None => Ok(outcome),
    }
}

/// Says where calls are going to go, and how, before the first leaves.
fn announce(context: &Context, plan: &Plan, items: &[Item], total: u64) {
    if context.format == Format::Text {
        let (calls, places) = (visible::count(total, "call"), places(plan, &kinds(items)));
        let mask = context.mask().ok().flatten();
        let terms = plan.terms(mask.as_deref()).map(|terms| format!("; {terms}")).unwrap_or_default();
        print::note(&format!("{calls} to {places}, {}{terms}", plan.mode()));
    }
}

fn kinds(items: &[Item]) -> impl Iterator<Item = Option<&str>> + Clone {
    items.iter().map(|item| item.kind.as_deref())
}

/// Where calls of these kinds go: the names of targets that have one, and their URLs.
pub(super) fn places<'a>(plan: &Plan, kinds: &(impl Iterator<Item = Option<&'a str>> + Clone)) -> String {
    let place = |target: &Target| {
        let (named, number) = match target.address() {
            Some((_, number)) => (String::new(), number),
            None => (format!("{} at ", target.name), ""),
        };
        let urls = target.templates(kinds.clone());
        let urls: Vec<&str> = urls.into_iter().map(without_query).collect();
        visible::line(&format!("{named}{}{number}", urls.join(" and "))).into_owned()
    };
    plan.targets().map(place).collect::<Vec<_>>().join(" and ")
}

/// Says where what was sent is recorded, if nobody has named a place for it.
pub(super) fn tell_recording(context: &Context, asked: &RecordArgs, path: &Path) {
    if asked.record.is_none() && context.format == Format::Text {
        print::note(&format!("recorded to {}", path.display()));
    }
}

fn conclude(context: &Context, summary: &Summary) -> eyre::Result<()> {
    if context.format == Format::Json {
        print::result(&show::summary_json(summary))?;
        return Ok(());
    }
    for line in show::summary(summary) {
        print::note(&line);
    }
    Ok(())
}

/// Where a report goes: a file that takes its place once it is whole, or something that is read while it is written.
enum ReportOutput {
    File(Box<ExportFile>),
    Stream(File),
}

impl ReportOutput {
    /// # Errors
    /// When nothing can be written there.
    fn begin(path: &Path) -> eyre::Result<Self> {
        Ok(match path.metadata() {
            Ok(there) if !there.is_file() && !there.is_dir() => {
                Self::Stream(OpenOptions::new().write(true).open(path)?)
            }
            _ => Self::File(Box::new(ExportFile::begin_report(path)?)),
        })
    }

    fn keep(self) -> eyre::Result<()> {
        match self {
            Self::File(file) => file.keep().map(drop)?,
            Self::Stream(mut file) => file.flush()?,
        }
        Ok(())
    }

    /// What an error in writing it means.
    fn error(&self, error: io::Error) -> eyre::Report {
        match self {
            Self::File(file) => file.error(error).into(),
            Self::Stream(_) => error.into(),
        }
    }
}

impl Write for ReportOutput {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match self {
            Self::File(file) => file.write(bytes),
            Self::Stream(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        match self {
            Self::File(file) => file.flush(),
            Self::Stream(file) => file.flush(),
        }
    }
}

/// Asks before `count` calls go to a guarded target, at these addresses; `others`: what is to be said of those that do not.
///
/// # Errors
/// When the answer is not yes, or there is nobody to ask.
pub(super) fn confirm(target: &Target, count: u64, at: &[&str], others: &str) -> eyre::Result<()> {
    if !target.guard {
        return Ok(());
    }
    let calls = visible::count(count, "call");
    let at: Vec<&str> = at.iter().map(|url| without_query(url)).collect();
    let question = format!("send {calls} to the guarded target {} at {}{others}?", target.name, at.join(" and "));
    match print::ask(&question)? {
        Some(true) => Ok(()),
        Some(false) => Err(eyre!("not sent")),
        None => Err(eyre!("nobody can be asked: {question} --yes says so beforehand")),
    }
}
