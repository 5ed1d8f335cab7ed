//! Calls, findings and verdicts as text and as JSON lines.

use std::fmt::Write as _;
use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use bytes::Bytes;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::call::{Call, Direction, Headers, Id, Packed, Sig};
use crate::cli::context::Findings;
use crate::cli::{Context, Format, waits};
use crate::json::{self, PrintError};
use crate::platform::{Fate, Finding, Platforms, Wait};
use crate::recording::{self, Entries, Recorded};
use crate::replay::compare::Difference;
use crate::signature::Verdict;
use crate::visible;

/// How often a line that tells how far something is is drawn anew.
const PROGRESS: Duration = Duration::from_millis(100);

/// Columns of the user's text in a line.
const TEXT: usize = 48;

/// Of an error more is shown: its reason stands last.
const ERROR: usize = 160;

/// One line for a call: what a list shows of it, or all of it as JSON.
pub(super) fn call_line(call: &Call, platforms: &Platforms, format: Format) -> String {
    listed(call, platforms, format, None)
}

/// As [`call_line`], with how the wait stands that it takes part in.
pub(super) fn listed(call: &Call, platforms: &Platforms, format: Format, wait: Option<&Wait>) -> String {
    let known = platforms.kind(call.kind.as_deref());
    let reading = known.map(|kind| kind.read(&call.request)).unwrap_or_default();
    if format == Format::Json {
        let mut more = json!({ "event": "call", "text": reading.text, "summary": reading.summary });
        if let Some(wait) = wait {
            more["wait"] = waits::to_json(wait, call.id);
        }
        return whole(call, &more);
    }
    let direction = match call.direction {
        Direction::Received => "↓",
        Direction::Sent => "↑",
    };
    let plain = || format!("{} {}", call.request.method, call.request.target);
    let kind = call.kind.clone().unwrap_or_else(plain);
    // Without an answer and without an error nothing failed: the answer is not known, of an imported request say.
    let none = if call.error.is_some() { "ERR" } else { "-  " };
    let status = call.status().map_or_else(|| none.to_owned(), |status| status.to_string());
    let state = wait.map(|wait| waits::word(wait, call.id).to_owned());
    let line = reading.line();
    let room = if line.is_none() && call.error.is_some() { ERROR } else { TEXT };
    let said = line.or(call.error.clone());
    let said: Vec<String> = state.into_iter().chain(said).collect();
    format!(
        "{} {} {direction} {:23} {:9} {status} {:>9} {}",
        short(call.id),
        call.at.strftime("%H:%M:%SZ"),
        visible::truncate(&visible::line(&kind), 40),
        call.sig.map_or("", Sig::word),
        visible::took(call.took),
        visible::truncate(&visible::line(&said.join(" ")), room),
    )
    .trim_end()
    .to_owned()
}

/// The part of an id that is enough to name a call of one recording: its last, random digits. The first ones are the
/// time, and calls of the same millisecond share them.
pub(super) fn short(id: Id) -> String {
    let id = id.to_string();
    id.get(id.len() - 8..).unwrap_or(&id).to_owned()
}

/// Whether whoever sits at the terminal says yes to `question`; none where nobody can be asked.
///
/// # Errors
/// Those of the terminal.
pub(super) fn ask(question: &str) -> io::Result<Option<bool>> {
    if !io::stdin().is_terminal() {
        return Ok(None);
    }
    write!(io::stderr(), "{} [y/N] ", visible::line(question))?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(Some(matches!(answer.trim(), "y" | "Y" | "yes")))
}

/// A whole call as a JSON object: the members its recording has, bodies as they came, and those of `more`.
pub(super) fn whole(call: &Call, more: &Value) -> String {
    let line = recording::encode(call);
    let line = String::from_utf8_lossy(&line);
    let members = line.trim_end().strip_prefix('{').and_then(|line| line.strip_suffix('}')).unwrap_or_default();
    let more = more.to_string();
    format!("{{\"schema\":1,{members},{}", more.trim_start_matches('{'))
}

/// A body as it came, on lines of its own.
fn body(bytes: &[u8]) -> String {
    let Ok(text) = std::str::from_utf8(bytes) else { return visible::bytes(bytes).into_owned() };
    visible::text(text).trim_end_matches('\n').to_owned()
}

/// A body below an empty line, unpacked where it came compressed; laid out if asked and possible.
pub(super) fn push_body(text: &mut String, headers: &Headers, bytes: &Bytes, pretty: bool) {
    if bytes.is_empty() {
        return;
    }
    let (note, content) = unpacked(headers, bytes);
    if let Some(note) = note {
        let _ = writeln!(text, "\n{note}");
    }
    let laid_out = std::str::from_utf8(&content).ok().filter(|_| pretty).map(json::pretty);
    if let Some(Err(error @ PrintError::Long)) = &laid_out {
        let _ = writeln!(text, "\n{error}, so as it came:");
    }
    let laid_out = laid_out.and_then(Result::ok);
    let _ = writeln!(text, "\n{}", body(laid_out.as_deref().map_or(&content, str::as_bytes)));
}

/// What a body holds, and what is to be said of one that came compressed.
fn unpacked(headers: &Headers, bytes: &Bytes) -> (Option<String>, Bytes) {
    match Packed::of(headers, bytes) {
        None => (None, bytes.clone()),
        Some(Packed { coding, content: Ok(content) }) => {
            let came = visible::count(bytes.len(), "byte");
            (Some(format!("{}: {came}, unpacked:", visible::line(&coding))), content)
        }
        Some(Packed { coding, content: Err(why) }) => {
            (Some(visible::line(&Packed::unread(&coding, &why)).into_owned()), bytes.clone())
        }
    }
}

/// Findings, one a line, with place and source.
pub(super) fn findings(found: &[Finding]) -> String {
    let mut text = String::new();
    for finding in found {
        let place = if finding.pointer.is_empty() { String::new() } else { format!("{}: ", finding.pointer) };
        let source = if finding.source.is_empty() { String::new() } else { format!(" ({})", finding.source) };
        let line = format!("  {:8} {place}{}{source}", finding.severity.word(), finding.sentence);
        text.push_str(&visible::line(&line));
        text.push('\n');
    }
    text
}

/// A verdict, and sentences on why it is no better.
pub(super) fn verdict(verdict: &Verdict, why: &[String]) -> String {
    let mut text = format!("signature {}: {}\n", verdict.sig.word(), visible::line(&verdict.reason));
    for sentence in why {
        let _ = writeln!(text, "  {}", visible::line(sentence));
    }
    text
}

/// A verdict as JSON, and the sentences on why it is no better.
pub(super) fn verdict_json(verdict: &Verdict, why: &[String]) -> Value {
    json!({ "sig": verdict.sig, "reason": verdict.reason, "why": why })
}

/// What a callback did to the wait that it should have ended.
pub(super) fn fate(fate: Fate, call: &Call) -> String {
    match fate {
        Fate::Ended => "ended: it ended the wait".to_owned(),
        Fate::Late(by) => {
            let by = SignedDuration::from_millis(i64::try_from(by.as_millis()).unwrap_or(i64::MAX));
            format!("late: it came {by:#} after the wait's time was over, and ends nothing")
        }
        Fate::Duplicate => "duplicate: another callback had ended the wait".to_owned(),
        Fate::Again => "again: another callback came before it".to_owned(),
        Fate::Refused => match call.status() {
            Some(status) if !(200..300).contains(&status) => {
                format!("refused: it was answered {status}, and ends nothing")
            }
            None if call.is_abandoned() => "refused: its caller got no answer, and it ends nothing".to_owned(),
            _ => "refused: it does not say whether the page succeeded, and ends nothing".to_owned(),
        },
    }
}

/// Header fields, one a line.
pub(super) fn headers(headers: &Headers) -> String {
    let lines = headers.iter().map(|(name, value)| format!("  {}: {}\n", visible::line(name), visible::bytes(value)));
    lines.collect::<Vec<_>>().concat()
}

/// Columns of what is laid out in lines.
const COLUMNS: usize = 80;

/// `text` in lines of at most 80 columns, made safe for a terminal: the first begins with `first`, the others with `indent`
/// blanks. A word that is longer than that stays whole.
pub(super) fn wrapped(first: &str, indent: usize, text: &str) -> String {
    let mut out = format!("{first:indent$}");
    let mut used = visible::width(&out);
    let mut begun = false;
    let text = visible::line(text);
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let width = visible::width(word);
        if begun && used + 1 + width > COLUMNS {
            let _ = write!(out, "\n{:indent$}", "");
            used = indent;
        } else if begun {
            out.push(' ');
            used += 1;
        }
        out.push_str(word);
        used += width;
        begun = true;
    }
    out
}

/// A line to standard output.
///
/// # Errors
/// When nobody reads it any more.
pub(super) fn out(line: &str) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{line}")
}

/// A line to standard output of a command that does something, or whose exit code is the answer: that nobody reads on
/// (`| head`) is no reason to leave it half done, or to call it fine.
///
/// # Errors
/// When it cannot be written for another reason.
pub(super) fn result(line: &str) -> io::Result<()> {
    match out(line) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// A line to standard error, made safe for a terminal. That nobody reads it is no reason to fail, or to panic as
/// `eprintln` does.
pub(super) fn note(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", visible::text(line));
}

/// Something to say that is nobody's answer: it is said where it comes up, or left to a thread that may wait for a reader.
pub(super) enum Said {
    /// A line to standard output.
    Out(String),
    /// A line to standard error.
    Note(String),
}

impl Said {
    /// That nobody reads it is no reason to end.
    pub(super) fn print(self) {
        match self {
            Self::Out(line) => drop(out(&line)),
            Self::Note(line) => note(&line),
        }
    }
}

/// Tells of a last line that is not whole, once all others were read.
pub(super) fn unfinished(entries: &Entries<'_>) {
    let bytes = entries.unfinished();
    if bytes > 0 {
        note(&format!(
            "hooktape: the last line is not whole ({}) and is passed over: a process writes it now, or was killed while \
             it did, or the file was cut; recording to the file again keeps those bytes aside",
            visible::count(bytes, "byte")
        ));
    }
}

/// What a recorder tells besides the calls that it wrote.
pub(super) fn trouble(event: &Recorded) {
    match event {
        Recorded::Call(..) | Recorded::Annotated(..) => {}
        Recorded::Trouble { reason } | Recorded::Reopened { reason, .. } | Recorded::Unread { reason } => {
            note(&format!("hooktape: {reason}"));
        }
        Recorded::Failed { unrecorded, reason } => {
            let verb = if *unrecorded == 1 { "is" } else { "are" };
            note(&format!("hooktape: {} {verb} not in the recording: {reason}", visible::count(*unrecorded, "call")));
        }
    }
}

/// A line on the terminal that tells how far something is. In a pipe there is none.
pub(super) struct Progress {
    last: Option<Instant>,
    drawn: bool,
}

impl Progress {
    pub(super) fn new() -> Self {
        Self { last: io::stderr().is_terminal().then(Instant::now), drawn: false }
    }

    /// So many of `total` are done. Nothing is drawn of what takes no time.
    pub(super) fn show(&mut self, done: u64, total: u64) {
        let Some(last) = self.last.filter(|last| last.elapsed() >= PROGRESS) else { return };
        self.last = Some(last + last.elapsed());
        self.drawn = true;
        // That nobody sees it is no reason to stop.
        let percent = done.saturating_mul(100) / total.max(1);
        let _ = write!(io::stderr(), "\r\x1b[K{percent} %, ctrl-c ends it");
    }

    /// Takes the line away, for something else to be printed.
    pub(super) fn clear(&mut self) {
        if std::mem::take(&mut self.drawn) {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

/// The status of the answer and how long it took, `200 in 1.8 ms`; `200 was ready in 1.8 ms` of one that did not arrive. Empty
/// without an answer.
pub(super) fn status_line(call: &Call) -> String {
    let Some(response) = &call.response else { return String::new() };
    let fate = if call.answer().is_none() { " was ready" } else { "" };
    format!("{}{fate} in {}", response.status, visible::took(call.took))
}

/// A sent call and what came back; `unjudged`: the contract has nothing to say, for that it did not do is what was wanted, or
/// nobody waited for it.
pub(super) fn sent(context: &Context, call: &Call, unjudged: bool) -> String {
    // A platform's token may stand in the query, and this text in a log.
    let url = context.hushed_url(&call.request.url());
    let mut text = format!("{} {}", visible::line(&call.request.method), visible::line(&url));
    if let Some(sig) = call.sig {
        let _ = write!(text, " (signature {})", sig.word());
    }
    if let Some(error) = &call.error {
        let _ = write!(text, "\n{}", visible::line(error));
    }
    if let Some(response) = &call.response {
        let size = visible::count(response.body.len(), "byte");
        let _ = write!(text, "\n{}, {size}", status_line(call));
        if let Some(redirect) = call.redirect() {
            let _ = write!(text, "\n{}", visible::line(&redirect));
        }
        if !response.body.is_empty() {
            let (note, bytes) = unpacked(&response.headers, &response.body);
            for part in note.into_iter().chain([body(&bytes)]) {
                let _ = write!(text, "\n{part}");
            }
        }
    }
    let found = if unjudged { Findings::default() } else { response_findings(context, call) };
    let _ = write!(text, "\n{}", findings(&found.response));
    if let Some(consequence) = &found.consequence {
        let _ = write!(text, "{}", wrapped("what the platform does: ", 2, &consequence.to_string()));
    }
    text.trim_end().to_owned()
}

/// A sent call and what came back, as a JSON object with the members of `more`; `unjudged` as in [`sent`].
pub(super) fn sent_json_with(context: &Context, call: &Call, unjudged: bool, mut more: Value) -> String {
    let found = if unjudged { Findings::default() } else { response_findings(context, call) };
    more["findings"] = json!(found.response);
    more["consequence"] = json!(found.consequence);
    let masked = context.mask().ok().flatten().map(|redaction| redaction.call(call));
    let call = masked.as_ref().unwrap_or(call);
    more["url"] = call.request.url().into();
    whole(call, &more)
}

/// One difference in a line: where, and what stands left and right, cut to `width` columns each. Of texts that would be cut
/// before they differ the beginning is left out.
pub(super) fn difference(difference: &Difference, width: usize) -> String {
    let side = |text: &Option<String>| text.as_deref().map_or_else(|| "nothing".into(), visible::line).into_owned();
    let (left, right) = visible::apart(&side(&difference.left), &side(&difference.right), width);
    let place = difference.place.to_string();
    format!("{}: {left} → {right}", visible::line(&place))
}

fn response_findings(context: &Context, call: &Call) -> Findings {
    let kind = context.platforms.kind(call.kind.as_deref());
    kind.map(|kind| context.findings(call, kind)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_wrapped_at_eighty_columns_and_hang() {
        let words = "καλημέρα ".repeat(20);
        let text = wrapped("  label", 10, &words);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines.len() == 3 && lines.iter().all(|line| visible::width(line) <= COLUMNS), "{text}");
        assert!(lines[0].starts_with("  label   καλ") && lines[1].starts_with("          καλ"), "{text}");
        assert_eq!(text.split_whitespace().count(), 21);
        let long = "x".repeat(100);
        assert_eq!(wrapped("", 2, &long), format!("  {long}"));
        assert_eq!(wrapped("longer than the indent ", 2, "a\x1bb"), "longer than the indent a␛b");
    }
}
