//! Calls in the forms of others: to share one, to report a bug, to open a session elsewhere.
//!
//! ```text
//! Call [--Redaction-->] Report --Exporter--> har | curl | http | json     import reads these again, byte for byte
//!                                            markdown | html              for people
//! ```

pub(crate) mod curl;
mod file;
mod har;
mod html;
mod http;
mod markdown;
mod report;

use std::fmt;
use std::io::{self, Write};
use std::str::FromStr;

use jiff::Timestamp;

pub use self::file::{ExportFile, FileError};
pub(super) use self::http::in_line;
pub use self::report::{Judgement, Report, Reporter};
use super::{Annotation, format};
use crate::call::Call;
use crate::config::instead;

/// A form that calls can be written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// HTTP Archive 1.2, which browsers' tools open.
    Har,
    /// A shell command a call.
    Curl,
    /// Requests and responses as in a `.http` file of editors.
    Http,
    /// JSON Lines: a recording of its own.
    Json,
    /// For a bug report.
    Markdown,
    /// One page about all calls, which needs nothing else.
    Html,
}

impl Format {
    /// Every one.
    pub const ALL: [Self; 6] = [Self::Har, Self::Curl, Self::Http, Self::Json, Self::Markdown, Self::Html];

    /// What `--as` calls it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Har => "har",
            Self::Curl => "curl",
            Self::Http => "http",
            Self::Json => "json",
            Self::Markdown => "markdown",
            Self::Html => "html",
        }
    }

    /// What it is good for, in a few words.
    #[must_use]
    pub fn purpose(self) -> &'static str {
        match self {
            Self::Har => "browsers' tools",
            Self::Curl => "a shell command a call",
            Self::Http => "editors' HTTP clients",
            Self::Json => "a recording of its own",
            Self::Markdown => "for a bug report",
            Self::Html => "one page to read",
        }
    }

    /// How the names of its files end.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Har => "har",
            Self::Curl => "sh",
            Self::Http => "http",
            Self::Json => "jsonl",
            Self::Markdown => "md",
            Self::Html => "html",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|form| form.word() == text).ok_or_else(|| instead(text, &Self::ALL.map(Self::word)))
    }
}

/// Writes calls in one form, one after the other. A page (`html`) is put together at the end.
#[derive(Debug)]
pub struct Exporter<W> {
    out: W,
    format: Format,
    now: Timestamp,
    count: usize,
    page: html::Page,
}

impl<W: Write> Exporter<W> {
    /// Begins. `title`: what a page is called; `now`: when this is.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn new(mut out: W, format: Format, title: &str, now: Timestamp) -> io::Result<Self> {
        match format {
            Format::Har => har::begin(&mut out)?,
            Format::Json => out.write_all(format::header(now).as_bytes())?,
            Format::Curl | Format::Http | Format::Markdown | Format::Html => {}
        }
        Ok(Self { out, format, now, count: 0, page: html::Page::new(title, now) })
    }

    /// Writes the next call.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn write(&mut self, report: &Report) -> io::Result<()> {
        let (first, call) = (self.count == 0, &report.call);
        self.count += 1;
        let out = &mut self.out;
        if !first {
            match self.format {
                Format::Har => out.write_all(b",\n")?,
                Format::Curl | Format::Http => out.write_all(b"\n")?,
                Format::Markdown => out.write_all(b"\n---\n\n")?,
                Format::Json | Format::Html => {}
            }
        }
        match self.format {
            Format::Har => har::write(out, report),
            Format::Curl => out.write_all(curl::command(call).as_bytes()),
            Format::Http => http::write(out, report),
            Format::Json => {
                out.write_all(&format::encode(call))?;
                report.remarks.changes().try_for_each(|change| {
                    let at = report.said_at.of(&change).unwrap_or(self.now);
                    out.write_all(&Annotation { call: call.id, at, change }.encode())
                })
            }
            Format::Markdown => out.write_all(markdown::text(report).as_bytes()),
            Format::Html => self.page.push(report),
        }
    }

    /// Ends.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn finish(mut self) -> io::Result<()> {
        match self.format {
            Format::Har => har::end(&mut self.out)?,
            Format::Html => self.page.finish(&mut self.out)?,
            Format::Curl | Format::Http | Format::Json | Format::Markdown => {}
        }
        self.out.flush()
    }
}

/// The address of a call for others, which a URL can say: a `host` that is missing, or that no URL can have, is `localhost`
/// in it, and the path of a target that is none (`*`) is `/`.
pub(super) fn url(call: &Call) -> String {
    let request = &call.request;
    let host = request.headers.get("host").filter(|host| is_authority(host));
    let is_origin = |origin: &&String| {
        let host = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
        host.is_some_and(is_authority)
    };
    let origin = request.origin.as_ref().or(request.public.as_ref()).filter(is_origin);
    let origin = origin.map_or_else(|| format!("http://{}", host.unwrap_or("localhost")), Clone::clone);
    let target = if request.target.starts_with('/') { &*request.target } else { "/" };
    format!("{origin}{target}")
}

/// Whether it can stand in a URL as host and port.
fn is_authority(text: &str) -> bool {
    !text.contains('@') && text.parse::<::http::uri::Authority>().is_ok_and(|authority| !authority.host().is_empty())
}

/// What is said of a call that is masked.
pub(super) const MASKED: &str = "parts are masked: the signature of this call can no longer be checked";

/// What is to be known of a call that is not as it crossed the wire.
fn caveats(call: &Call) -> impl Iterator<Item = &str> {
    let cut = call.request.cut_words();
    let redacted = call.request.redacted.then_some(MASKED);
    cut.into_iter().chain(redacted)
}

#[cfg(test)]
mod tests;
