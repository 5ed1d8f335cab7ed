//! `hooktape show FILE [ID]`: list calls, or print one.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use color_eyre::eyre::{self, eyre};
use jiff::Timestamp;
use serde_json::json;

use crate::call::Call;
use crate::cli::context::{Context, find_call};
use crate::cli::damage::Damaged;
use crate::cli::screen::zone;
use crate::cli::waits::{self, Waits, takes_part};
use crate::cli::{Format, Outcome, print};
use crate::config::Config;
use crate::platform::Wait;
use crate::recording::{Entry, Marks, Place, Position, Query, Reader, Reading, Remarks};
use crate::visible;

/// Its arguments.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The recording
    file: PathBuf,
    /// The call to print: its id, or as much of its beginning or end as it takes
    id: Option<String>,
    /// Which calls to list, as in `kind:dialog sig:invalid status:>=500`
    #[arg(long, value_name = "QUERY", allow_hyphen_values = true, conflicts_with = "id")]
    query: Option<String>,
    /// List at most so many, the newest
    #[arg(long, value_name = "N", conflicts_with = "id")]
    limit: Option<usize>,
    /// Lay JSON bodies out; else they are printed as they came
    #[arg(long, requires = "id")]
    pretty: bool,
}

pub(super) fn run(context: &Context, args: &Args) -> eyre::Result<Outcome> {
    let platforms = &context.platforms;
    if let Some(id) = &args.id {
        let call = find_call(&args.file, id)?;
        let reader = Reader::open(&args.file)?;
        let talk = call.conversation.as_deref();
        let related = |entry: &Entry| entry.conversation.as_deref() == talk && takes_part(platforms, entry);
        let entries = reader.entries(Position::default()).flatten();
        let places: Vec<Place> = entries.filter(related).map(|entry| entry.place).collect();
        let waits = Waits::read(context, &reader, [&*places])?;
        let marks = reader.marks();
        print::out(&whole(context, &call, marks.of(call.id), waits.get(call.id), args.pretty))?;
        return Ok(Outcome::Yes);
    }
    let query = parse_query(context, args.query.as_deref())?;
    let reader = Reader::open(&args.file)?;
    let marks = reader.marks();
    let mut places: Vec<(Option<Arc<str>>, Place)> = Vec::new();
    let mut waiting: HashMap<Arc<str>, Vec<Place>> = HashMap::new();
    let mut damaged = Damaged::default();
    let mut entries = reader.entries(Position::default());
    for entry in &mut entries {
        let Some(entry) = damaged.entry(entry) else { continue };
        if let Some(talk) = entry.conversation.as_ref().filter(|_| takes_part(platforms, &entry)) {
            waiting.entry(talk.clone()).or_default().push(entry.place);
        }
        if damaged.passed_over(fits(&query, &entry, &reader, &marks))? == Some(true) {
            places.push((entry.conversation, entry.place));
        }
    }
    print::unfinished(&entries);
    let first = places.len().saturating_sub(args.limit.unwrap_or(usize::MAX));
    let shown = &places[first..];
    // Only what is said of a call that is shown has to be read.
    let talks: HashSet<&str> = shown.iter().filter_map(|(talk, _)| talk.as_deref()).collect();
    let waiting = waiting.iter().filter(|(talk, _)| talks.contains(&***talk));
    let waits = Waits::read(context, &reader, waiting.map(|(_, places)| &**places))?;
    for (_, place) in shown {
        if let Some(call) = damaged.passed_over(reader.call(*place))? {
            print::out(&print::listed(&call, platforms, context.format, waits.get(call.id)))?;
        }
    }
    damaged.end();
    Ok(Outcome::Yes)
}

/// The query, or an error that shows where it is wrong.
pub(super) fn parse_query(context: &Context, text: Option<&str>) -> eyre::Result<Query> {
    let text = text.unwrap_or_default();
    let Config { queries, targets, .. } = &*context.config;
    let by = Reading { now: Timestamp::now(), zone: zone(), saved: queries, targets };
    let query = Query::parse_with(text, &by).map_err(|error| {
        let columns = |part: Option<&str>| visible::width(&visible::line(part.unwrap_or_default()));
        let before = columns(text.get(..error.span.start));
        let marked = columns(text.get(error.span.clone())).max(1);
        eyre!("--query: {error}\n  {}\n  {:before$}{}", visible::line(text), "", "^".repeat(marked))
    })?;
    Ok(query.by(&context.platforms))
}

/// Whether a call fits, reading it only where its summary does not tell.
///
/// # Errors
/// Those of [`Reader::call`].
pub(super) fn fits(query: &Query, entry: &Entry, reader: &Reader, marks: &Marks) -> io::Result<bool> {
    let view = entry.view().with(marks);
    Ok(match query.matches_view(&view) {
        Some(fits) => fits,
        None => query.matches(&view, &reader.call(entry.place)?),
    })
}

/// Everything about one call.
fn whole(context: &Context, call: &Call, remarks: Option<&Remarks>, wait: Option<&Wait>, pretty: bool) -> String {
    let kind = context.platforms.kind(call.kind.as_deref());
    let verdict = context.judge(call, kind);
    let findings = kind.map(|kind| context.findings(call, kind)).unwrap_or_default();
    let others = kind.map_or_else(Vec::new, |kind| context.platforms.could_be(&call.request, kind));
    let others: Vec<&str> = others.into_iter().map(|kind| kind.name.as_str()).collect();
    if context.format == Format::Json {
        let wait = wait.map(|wait| waits::to_json(wait, call.id));
        let verdict = verdict.map(|(verdict, why)| print::verdict_json(&verdict, &why));
        return print::whole(
            call,
            &json!({
                "verdict": verdict, "findings": findings, "consequence": findings.consequence,
                "could_be": others, "wait": wait, "remarks": remarks,
            }),
        );
    }
    let mut text = String::new();
    let request = &call.request;
    let _ = writeln!(text, "{} {} {}", call.id, call.direction.word(), call.at);
    let _ = writeln!(text, "{}", visible::line(call.kind.as_deref().unwrap_or("no platform claims this call")));
    if !others.is_empty() {
        let _ = writeln!(text, "could also be {}", visible::line(&others.join(" or ")));
    }
    if let Some(parent) = call.parent {
        let _ = writeln!(text, "repeats {parent}");
    }
    for sentence in remarks.into_iter().flat_map(Remarks::sentences) {
        let _ = writeln!(text, "{}", visible::line(&sentence));
    }
    let _ = writeln!(text, "\n{} {}", visible::line(&request.method), visible::line(&request.url()));
    text.push_str(&print::headers(&request.headers));
    print::push_body(&mut text, &request.headers, &request.body, pretty);
    text.push_str(&print::findings(&findings.request));
    if request.redacted {
        let then = call.sig.map_or("not checked", crate::call::Sig::word);
        let _ = writeln!(text, "\nparts of this call are masked; its signature was {then} when it was recorded");
    } else if let Some((verdict, why)) = verdict {
        let _ = write!(text, "\n{}", print::verdict(&verdict, &why));
        if let Some(then) = call.sig.filter(|then| *then != verdict.sig) {
            let _ = writeln!(text, "  it was {} when it was recorded, with the secrets at hand then", then.word());
        }
    }
    if let Some(wait) = wait {
        let _ = write!(text, "\n{}", waits::text(context, wait, call));
    }
    if let Some(error) = &call.error {
        let _ = writeln!(text, "\n{}", visible::line(error));
    }
    if let Some(forwarded) = &call.forwarded {
        let took = |us| visible::took(Duration::from_micros(us));
        // Where no answer began to come nobody knows that anything got there.
        let (what, end) = match (forwarded.first_byte_us, forwarded.cut) {
            (None, _) => ("no answer from", "given up"),
            (Some(_), true) => ("forwarded to", "broken off"),
            (Some(_), false) => ("forwarded to", "whole"),
        };
        let _ = write!(text, "\n{what} {}", visible::line(&forwarded.to));
        for (what, time) in [("connected", forwarded.connect_us), ("first byte", forwarded.first_byte_us)] {
            let _ = time.map(|time| write!(text, ", {what} after {}", took(time)));
        }
        let _ = writeln!(text, ", {end} after {}", took(forwarded.total_us));
    }
    if let Some(response) = &call.response {
        let _ = writeln!(text, "\n{}", print::status_line(call));
        if let Some(redirect) = call.redirect() {
            let _ = writeln!(text, "{}", visible::line(&redirect));
        }
        text.push_str(&print::headers(&response.headers));
        print::push_body(&mut text, &response.headers, &response.body, pretty);
        text.push_str(&print::findings(&findings.response));
    }
    if let Some(consequence) = &findings.consequence {
        let _ = writeln!(text, "\n{}", print::wrapped("what the platform does: ", 2, &consequence.to_string()));
    }
    text.trim_end().to_owned()
}
