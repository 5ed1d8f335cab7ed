//! A page about all calls: what was found, how long they took, the conversations, and each call in full.
//!
//! It needs nothing else and asks for nothing: no script, no picture, and a content security policy that forbids what a
//! body could smuggle in. Everything from the wire is shown as text.

mod plot;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write};
use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use indexmap::IndexMap;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use tempfile::{SpooledTempFile, spooled_tempfile};

use self::plot::Point;
use super::{Report, caveats, url};
use crate::call::{Direction, Headers};
use crate::json::{self, PrintError};
use crate::platform::Finding;
use crate::visible;

const STYLE: &str = include_str!("html/page.css");

/// How much of a body is shown.
const LONGEST: usize = 64 * 1024;

/// How much of each of a page's parts is held in memory, in bytes; what is more is in a file without a name till the end.
const HELD: usize = 4 << 20;

/// The page, as far as it has come.
#[derive(Debug)]
pub(super) struct Page {
    title: String,
    now: Timestamp,
    points: Vec<Point>,
    /// What was found, and how often.
    verdicts: BTreeMap<&'static str, usize>,
    statuses: BTreeMap<String, usize>,
    /// Where the turns of each conversation are among all turns.
    conversations: IndexMap<String, Vec<Range<u64>>>,
    turns: SpooledTempFile,
    timeline: SpooledTempFile,
    calls: SpooledTempFile,
}

impl Page {
    pub(super) fn new(title: &str, now: Timestamp) -> Self {
        Self {
            title: title.to_owned(),
            now,
            points: Vec::new(),
            verdicts: BTreeMap::new(),
            statuses: BTreeMap::new(),
            conversations: IndexMap::new(),
            turns: spooled_tempfile(HELD),
            timeline: spooled_tempfile(HELD),
            calls: spooled_tempfile(HELD),
        }
    }

    /// Adds a call.
    ///
    /// # Errors
    /// When there is no room for it in the temporary directory.
    pub(super) fn push(&mut self, report: &Report) -> io::Result<()> {
        let call = &report.call;
        let sig = sig(report);
        let status = call.status().map_or_else(|| "none".to_owned(), |status| status.to_string());
        *self.verdicts.entry(sig).or_default() += 1;
        *self.statuses.entry(status.clone()).or_default() += 1;
        self.points.push(Point { at: call.at, took: call.took, sig, id: call.id });
        let id = call.id;
        // Of calls that no platform claims, method and path.
        let plain = || format!("{} {}", call.request.method, call.request.path());
        let kind = escape(&call.kind.clone().unwrap_or_else(plain));
        let at = call.at.strftime("%Y-%m-%d %H:%M:%S%.3f");
        let said = report.reading.text.as_ref().map(|text| format!("<q>{}</q>", escape(text)));
        let said = said.or_else(|| report.reading.summary.as_deref().map(escape)).unwrap_or_default();
        let findings = report.request.len() + report.response.len();
        let findings = if findings == 0 { String::new() } else { findings.to_string() };
        writeln!(
            self.timeline,
            "<tr><td><time>{at}</time><td>{}<td><a href=\"#c{id}\">{kind}</a><td>{said}\
             <td class=\"{sig}\">{sig}<td>{findings}<td>{status}<td>{}",
            arrow(call.direction),
            visible::took(call.took),
        )?;
        if let Some(conversation) = &call.conversation {
            let start = self.turns.stream_position()?;
            writeln!(
                self.turns,
                "<li class=\"{}\"><a href=\"#c{id}\"><time>{at}</time> {kind}</a> {said} \
                 <small><span class=\"{sig}\">{sig}</span> {status} in {}</small>",
                call.direction.word(),
                visible::took(call.took),
            )?;
            let turn = start..self.turns.stream_position()?;
            self.conversations.entry(conversation.clone()).or_default().push(turn);
        }
        let mut text = String::new();
        push_call(&mut text, report, &kind);
        self.calls.write_all(text.as_bytes())
    }

    /// Writes the page.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub(super) fn finish(self, out: &mut impl Write) -> io::Result<()> {
        let Self { title, now, mut points, verdicts, statuses, conversations, mut turns, mut timeline, mut calls } =
            self;
        let title = escape(&title);
        let hash = BASE64.encode(Sha256::digest(STYLE));
        let mut page = format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-{hash}'; \
             base-uri 'none'; form-action 'none'\">\n\
             <meta name=\"viewport\" content=\"width=device-width\">\n<meta name=\"color-scheme\" content=\"light dark\">\n\
             <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n"
        );
        let _ =
            writeln!(page, "<p>{} calls. Written by hooktape {}, {now:.0}.", points.len(), env!("CARGO_PKG_VERSION"));
        points.sort_by_key(|point| point.at);
        if let (Some(first), Some(last)) = (points.first(), points.last()) {
            let _ = writeln!(page, "<br>From {:.3} to {:.3}.", first.at, last.at);
        }
        page.push_str("<h2>Found</h2>\n<p>Signatures:");
        for (sig, count) in &verdicts {
            let _ = write!(page, " <b class=\"{sig}\">{count} {sig}</b>");
        }
        page.push_str("\n<br>Statuses:");
        for (status, count) in &statuses {
            let _ = write!(page, " <b>{count} × {status}</b>");
        }
        page.push_str("\n<h2>Latency</h2>\n");
        page.push_str(&plot::svg(&points));
        page.push_str(
            "<h2>Timeline</h2>\n<table>\n<tr><th>time (UTC)<th><th>kind<th>text<th>signature<th>findings<th>status<th>took\n",
        );
        out.write_all(page.as_bytes())?;
        timeline.rewind()?;
        io::copy(&mut timeline, out)?;
        out.write_all(b"</table>\n")?;
        if !conversations.is_empty() {
            out.write_all(b"<h2>Conversations</h2>\n")?;
        }
        for (key, places) in conversations {
            writeln!(out, "<h3>{}</h3>\n<ol class=\"turns\">", escape(&key))?;
            for Range { start, end } in places {
                turns.seek(SeekFrom::Start(start))?;
                io::copy(&mut (&mut turns).take(end - start), out)?;
            }
            out.write_all(b"</ol>\n")?;
        }
        out.write_all(b"<h2>Calls</h2>\n")?;
        calls.rewind()?;
        io::copy(&mut calls, out)?;
        out.write_all(b"</body>\n</html>\n")
    }
}

/// The word for what is known of a call's signature now, else at the time.
fn sig(report: &Report) -> &'static str {
    let now = report.judgement.as_ref().map(|judgement| judgement.verdict.sig);
    now.or(report.call.sig).map_or("unchecked", crate::call::Sig::word)
}

fn push_call(out: &mut String, report: &Report, kind: &str) {
    let call = &report.call;
    let sig = sig(report);
    let _ = writeln!(
        out,
        // Where a link leads into it, a browser opens it.
        "<details><summary>{} {} {kind} <span class=\"{sig}\">{sig}</span></summary>\n<p id=\"c{2}\">{2}",
        call.at.strftime("%Y-%m-%d %H:%M:%S%.3f"),
        arrow(call.direction),
        call.id,
    );
    if let Some(parent) = call.parent {
        let _ = writeln!(out, "<br>repeats <a href=\"#c{parent}\">{parent}</a>");
    }
    if let Some(judgement) = &report.judgement {
        let _ = writeln!(out, "<br>signature <b class=\"{sig}\">{sig}</b>: {}", escape(&judgement.verdict.reason));
        push_list(out, judgement.why.iter().map(|sentence| escape(sentence)));
    }
    let remarks = report.remarks.sentences();
    let others = call.error.as_deref().into_iter().chain(caveats(call)).map(str::to_owned);
    let consequence = report.consequence.iter().map(|consequence| format!("what the platform does: {consequence}"));
    for sentence in remarks.chain(others).chain(consequence) {
        let _ = writeln!(out, "<p>{}", escape(&sentence));
    }
    let line = format!("{} {}", call.request.method, url(call));
    let body = (&*call.request.body, report.bytes[0]);
    push_message(out, &line, &call.request.headers, body, &report.request);
    if let Some(response) = &call.response {
        let fate = if call.answer().is_none() { " was ready" } else { "" };
        let line = format!("{}{fate} after {}", response.status, visible::took(call.took));
        push_message(out, &line, &response.headers, (&response.body, report.bytes[1]), &report.response);
    }
    out.push_str("</details>\n");
}

/// `bytes`: how long the body is, of which parts may be masked.
fn push_message(out: &mut String, line: &str, headers: &Headers, (body, bytes): (&[u8], usize), findings: &[Finding]) {
    let _ = writeln!(out, "<h4>{}</h4>", escape(line));
    push_list(
        out,
        findings.iter().map(|finding| {
            let pointer = escape(&finding.pointer);
            let source = if finding.source.is_empty() { "" } else { "source: " };
            format!(
                "<b class=\"{0}\">{0}</b> <code>{pointer}</code> {1} <small>{source}{2}</small>",
                finding.severity.word(),
                escape(&finding.sentence),
                escape(&finding.source),
            )
        }),
    );
    out.push_str("<pre>");
    for (name, value) in headers.iter() {
        let _ = writeln!(out, "{}: {}", escape(name), visible::markup(&visible::bytes(value)));
    }
    out.push_str("</pre>\n");
    if body.is_empty() {
        return;
    }
    let (shown, too_deep) = match std::str::from_utf8(body).map(|text| (text, json::pretty(text))) {
        Ok((_, Ok(laid_out))) => (visible::text(&laid_out).into_owned(), false),
        Ok((text, Err(error))) => (visible::text(text).into_owned(), error == PrintError::Long),
        Err(_) => (visible::bytes(body).into_owned(), false),
    };
    if too_deep {
        let _ = writeln!(out, "<p>The body is JSON, {}: it is shown as it came.", PrintError::Long);
    }
    let end = shown.floor_char_boundary(LONGEST);
    let _ = writeln!(out, "<pre>{}</pre>", visible::markup(&shown[..end]));
    if end < shown.len() {
        let _ = writeln!(out, "<p>The body has {bytes} bytes: this is its beginning.");
    }
}

fn push_list(out: &mut String, items: impl Iterator<Item = String>) {
    let mut items = items.peekable();
    if items.peek().is_some() {
        out.push_str("<ul>\n");
        for item in items {
            let _ = writeln!(out, "<li>{item}");
        }
        out.push_str("</ul>\n");
    }
}

fn arrow(direction: Direction) -> &'static str {
    match direction {
        Direction::Received => "<span title=\"received\">↓</span>",
        Direction::Sent => "<span title=\"sent\">↑</span>",
    }
}

/// Text from the wire as text of the page, on one line.
fn escape(text: &str) -> String {
    visible::markup(&visible::line(text))
}
