//! A page of its own: no script, nothing loaded from elsewhere.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};

use super::{Case, Report, escape, side};
use crate::replay::compare::{Difference, Place};
use crate::replay::{Latencies, Summary, answered};

const STYLE: &str = "body{font:14px/1.5 system-ui,sans-serif;margin:2em auto;max-width:72em;padding:0 1em}\
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.2em .6em;border-bottom:1px solid #8884;vertical-align:top}\
code,pre{font:12px/1.4 ui-monospace,monospace;white-space:pre-wrap;overflow-wrap:anywhere;margin:0}\
.ok{color:#2a7}.no{color:#c33}.skip{color:#a80}@media(prefers-color-scheme:dark){body{background:#111;color:#ddd}}";

pub(super) fn write(report: &Report, summary: &Summary, out: &mut impl Write) -> io::Result<()> {
    let title = escape(&report.title);
    writeln!(out, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">")?;
    writeln!(
        out,
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
    )?;
    writeln!(out, "<title>Replay of {title}</title><style>{STYLE}</style></head><body>")?;
    writeln!(
        out,
        "<h1>Replay of {title}</h1>\n<p>to <code>{}</code>, {}, {:.0}</p>",
        escape(&report.targets()),
        escape(&report.how),
        report.at
    )?;
    let ms = |us: u64| format!("{}.{} ms", us / 1000, us % 1000 / 100);
    let times = |took: &Latencies, statuses: &BTreeMap<u16, u64>| {
        let (half, most, nearly, all) = (ms(took.p50_us), ms(took.p90_us), ms(took.p99_us), ms(took.max_us));
        let answered = answered(statuses).map(|answered| format!(", {answered}")).unwrap_or_default();
        format!("{half} (p50), {most} (p90), {nearly} (p99), {all} (longest){answered}")
    };
    let took = match &summary.against {
        None => format!("Answers took {}", times(&summary.took, &summary.statuses)),
        Some(second) => {
            let first = times(&summary.took, &summary.statuses);
            format!("The first target's answers took {first}; the second's {}", times(&second.took, &second.statuses))
        }
    };
    let ended = summary.shortfall().map(|why| format!(", {}", escape(&why))).unwrap_or_default();
    writeln!(out, "<p>{}, {:.1} calls a second{ended}. {took}.</p>", escape(&summary.counts()), summary.rate)?;
    writeln!(out, "<table><tr><th></th><th>Call</th><th>Status</th><th>Took</th><th>Changed</th><th>Found</th></tr>")?;
    for case in &report.cases {
        let (class, word) = match (&case.skipped, case.unmet.is_empty()) {
            (Some(_), _) if case.call.is_some() => ("skip", "not finished"),
            (Some(_), _) => ("skip", "skipped"),
            (None, true) => ("ok", "ok"),
            (None, false) => ("no", "FAIL"),
        };
        let status = |status: Option<u16>| status.map_or_else(|| "none".to_owned(), |status| status.to_string());
        let places = |places: &[Place]| places.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        // Of two targets the first one stands above the other.
        let (mut urls, mut statuses, mut times) = (escape(&case.url), status(case.status), ms(case.took_us));
        let mut changed = escape(&places(&case.changed));
        if let Some(other) = &case.against {
            let _ = write!(urls, "<br>{}", escape(&other.url));
            let _ = write!(statuses, "<br>{}", status(other.status));
            let _ = write!(times, "<br>{}", ms(other.took_us));
            let _ = write!(changed, "<br>{}", escape(&places(&other.changed)));
        }
        if !case.masked.is_empty() {
            let _ = write!(changed, "<br>masked when it was recorded: {}", escape(&places(&case.masked)));
        }
        writeln!(
            out,
            "<tr><td class=\"{class}\">{word}</td><td>{}<br><code>{urls}</code></td><td>{statuses}</td><td>{times}</td>\
             <td><code>{changed}</code></td><td>{}</td></tr>",
            escape(&case.name()),
            found(report, case),
        )?;
    }
    writeln!(out, "</table></body></html>")
}

/// What was expected and did not come, and the differences in a table of their own.
fn found(report: &Report, case: &Case) -> String {
    let mut text = case.skipped.as_deref().map(escape).unwrap_or_default();
    for unmet in &case.unmet {
        let (expected, whose, found) = (escape(&unmet.expected), unmet.whose(), escape(&unmet.found));
        let _ = write!(text, "<p>expected <code>{expected}</code>{whose}: {found}</p>");
    }
    let (recorded, between) = case.differences.split_at(case.to_recorded);
    text += &table(recorded, "Recorded", "Answered");
    text + &table(between, &report.target, report.against.as_deref().unwrap_or("the other target"))
}

/// What differs, under whose it is; nothing where nothing does.
fn table(differences: &[Difference], left: &str, right: &str) -> String {
    if differences.is_empty() {
        return String::new();
    }
    let mut text = format!("<table><tr><th>Where</th><th>{}</th><th>{}</th></tr>", escape(left), escape(right));
    for found in differences {
        let cell = |text: &Option<String>| text.as_deref().map_or_else(|| "nothing".to_owned(), escape);
        let (place, left, right) = (escape(&found.place.to_string()), cell(&found.left), cell(&found.right));
        let whose = side(found.side);
        let _ = write!(
            text,
            "<tr><td>{whose} <code>{place}</code></td><td><pre>{left}</pre></td><td><pre>{right}</pre></td></tr>"
        );
    }
    text + "</table>"
}
