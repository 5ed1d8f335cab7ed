//! A call for a bug report: verdict, findings, request, response. Whatever is in it stays inside its fence.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::{Report, caveats, url};
use crate::call::Headers;
use crate::json::{self, PrintError};
use crate::platform::Finding;
use crate::visible;

pub(super) fn text(report: &Report) -> String {
    let call = &report.call;
    let request = &call.request;
    let status = call.status().map_or_else(|| "no response".to_owned(), |status| format!("status {status}"));
    let kind = call.kind.as_deref().unwrap_or("a call that no platform claims");
    let mut text = format!("## {}: {status}\n\n", plain(kind));
    let _ = writeln!(text, "- call `{}`, {} {}", call.id, call.direction.word(), call.at);
    if let Some(conversation) = &call.conversation {
        let _ = writeln!(text, "- conversation {}", code(conversation));
    }
    if let Some(parent) = call.parent {
        let _ = writeln!(text, "- repeats `{parent}`");
    }
    match (&report.judgement, call.sig) {
        (Some(judgement), _) => {
            let verdict = &judgement.verdict;
            let _ = writeln!(text, "- signature **{}**: {}", verdict.sig.word(), plain(&verdict.reason));
            for sentence in &judgement.why {
                let _ = writeln!(text, "  - {}", plain(sentence));
            }
        }
        (None, Some(sig)) => {
            let _ = writeln!(text, "- signature **{}** when it was recorded", sig.word());
        }
        (None, None) => {}
    }
    if let Some(error) = &call.error {
        let _ = writeln!(text, "- {}", plain(error));
    }
    if let Some(consequence) = &report.consequence {
        let _ = writeln!(text, "- what the platform does: {}", plain(&consequence.to_string()));
    }
    for sentence in report.remarks.sentences() {
        let _ = writeln!(text, "- {}", plain(&sentence));
    }
    for caveat in caveats(call) {
        let _ = writeln!(text, "- {caveat}");
    }
    text.push_str("\n### Request\n\n");
    let line = format!("{} {} HTTP/1.1", visible::line(&request.method), visible::line(&url(call)));
    push_message(&mut text, &line, &request.headers, (&request.body, report.bytes[0], report.masked[0]));
    push_findings(&mut text, &report.request);
    if let Some(response) = &call.response {
        let micros = call.took.as_micros();
        let what = if call.answer().is_none() { "Response that reached nobody, ready" } else { "Response" };
        let _ = write!(text, "\n### {what} after {}.{:03} ms\n\n", micros / 1000, micros % 1000);
        let line = format!("HTTP/1.1 {}", response.status);
        push_message(&mut text, &line, &response.headers, (&response.body, report.bytes[1], report.masked[1]));
        push_findings(&mut text, &report.response);
    }
    text
}

/// `bytes`: how long the body is, of which parts may be `masked` here.
fn push_message(text: &mut String, line: &str, headers: &Headers, (body, bytes, masked): (&[u8], usize, bool)) {
    let fields = headers.iter().map(|(name, value)| format!("\n{}: {}", visible::line(name), visible::bytes(value)));
    push_fenced(text, "http", &fields.fold(line.to_owned(), |head, field| head + &field));
    if body.is_empty() {
        return;
    }
    let (what, language, shown) = match std::str::from_utf8(body).map(|body| (body, json::pretty(body))) {
        Ok((_, Ok(laid_out))) => ("JSON, laid out here", "json", visible::text(&laid_out).into_owned()),
        Ok((body, Err(PrintError::Long))) => {
            ("JSON, nested too deep to be laid out", "json", visible::text(body).into_owned())
        }
        Ok((body, Err(PrintError::Syntax(_)))) => ("text", "text", visible::text(body).into_owned()),
        Err(_) => ("in base64", "text", BASE64.encode(body)),
    };
    let masked = if masked { ", parts masked" } else { "" };
    let _ = write!(text, "\nBody, {bytes} bytes{masked}, {what}:\n\n");
    push_fenced(text, language, &shown);
}

fn push_findings(text: &mut String, findings: &[Finding]) {
    for (index, finding) in findings.iter().enumerate() {
        if index == 0 {
            text.push_str("\nHeld against the contract:\n\n");
        }
        let _ = write!(text, "- **{}** ", finding.severity.word());
        if !finding.pointer.is_empty() {
            let _ = write!(text, "{} ", code(&finding.pointer));
        }
        text.push_str(&plain(&finding.sentence));
        if !finding.source.is_empty() {
            let _ = write!(text, " ({})", plain(&finding.source));
        }
        text.push('\n');
    }
}

/// A block that its content cannot end.
fn push_fenced(text: &mut String, language: &str, content: &str) {
    let fence = "`".repeat((longest_run(content) + 1).max(3));
    let newline = if content.ends_with('\n') { "" } else { "\n" };
    let _ = writeln!(text, "{fence}{language}\n{content}{newline}{fence}");
}

/// A text in the running line, as code.
fn code(text: &str) -> String {
    let text = visible::line(text);
    let fence = "`".repeat(longest_run(&text) + 1);
    let space = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{space}{text}{space}{fence}")
}

/// A text in the running line, none of which is markup.
fn plain(text: &str) -> String {
    let mut out = String::new();
    for char in visible::line(text).chars() {
        if "\\`*_[]<>|~&$#!".contains(char) {
            out.push('\\');
        }
        out.push(char);
    }
    out
}

fn longest_run(text: &str) -> usize {
    text.split(|char| char != '`').map(str::len).max().unwrap_or_default()
}
