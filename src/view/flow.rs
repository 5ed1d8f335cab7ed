//! The flow around a page: opened, waiting, and how it ended, with every callback and what it did.

use jiff::{SignedDuration, Timestamp};
use ratatui::style::{Modifier, Style};
use ratatui::text::Line;

use crate::app::App;
use crate::app::action::Action;
use crate::app::dialog::Dialog;
use crate::app::flow::Flow;
use crate::call::{Call, Id};
use crate::json;
use crate::platform::{Callback, Fate, Outcome, Wait};
use crate::view::{clock, rows, theme};

/// Longest data that is shown, in characters: the body tab has the rest.
const DATA: usize = 2000;

/// The rows of a wait. `this`: the call that is looked at.
pub(super) fn lines(app: &App, flow: &Flow, wait: &Wait, this: Option<Id>, width: usize) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    let fact = |label: &str, text: &str, style: Style| rows::labelled(label, text, style, width);
    if flow.is_partial(wait) {
        lines.extend(cut(width));
        lines.extend(callbacks(app, flow, wait, this, width));
        return lines;
    }
    match wait.opened {
        Some((id, at)) => lines.extend(fact("opened", &(time(app, at) + here(this, id)), Style::new())),
        None => lines.extend(fact("opened", "not seen here", theme::DIM)),
    }
    let state = match wait.ended {
        Some(ended) => format!("{} at {}", wait.outcome.word(), time(app, ended)),
        None => wait.outcome.word().to_owned(),
    };
    let (sign, style) = outcome(wait.outcome);
    lines.extend(fact("outcome", &format!("{sign} {state}"), style));
    let settings = app.wait(&flow.opening);
    if wait.outcome == Outcome::Waiting {
        lines.extend(fact("time left", &time_left(app, flow, wait), Style::new()));
    }
    if let Some(sentence) = then(app, flow, wait.outcome) {
        lines.extend(fact("", sentence, theme::DIM));
    }
    let message = settings.and_then(|settings| settings.message.as_deref());
    if let Some(message) = message.filter(|_| wait.outcome == Outcome::Waiting) {
        lines.extend(fact("message", message, theme::SAID));
    }
    if let Some(data) = &wait.data {
        let data = json::compact(data).unwrap_or_else(|_| data.clone());
        let cut: String = data.chars().take(DATA).collect();
        let more = if cut.len() < data.len() { " …" } else { "" };
        let label = settings.and_then(|settings| settings.variable.as_deref()).unwrap_or("data");
        lines.extend(fact(label, &format!("{cut}{more}"), theme::SAID));
    }
    lines.extend(callbacks(app, flow, wait, this, width));
    lines
}

/// That a flow has calls that are not read, which know what the others do not tell.
pub(super) fn cut(width: usize) -> Vec<Line<'static>> {
    let text = "not known: this flow has more calls than are read here, and earlier ones may have opened and ended it";
    rows::labelled("outcome", text, theme::DIM, width)
}

/// Each callback of a wait, and what it did.
fn callbacks(app: &App, flow: &Flow, wait: &Wait, this: Option<Id>, width: usize) -> Vec<Line<'static>> {
    let callback = |(number, callback): (usize, &Callback)| {
        let label = if number == 0 { "callback" } else { "" };
        let known = !flow.is_partial(wait) || callback.fate == Fate::Refused;
        let text = told(app, callback, flow.call(callback.call), known) + here(this, callback.call);
        let style = if matches!(callback.fate, Fate::Ended | Fate::Again) {
            Style::new()
        } else {
            Style::new().fg(theme::WARNING)
        };
        rows::labelled(label, &text, if known { style } else { Style::new() }, width)
    };
    wait.callbacks.iter().enumerate().flat_map(callback).collect()
}

/// A sign for an outcome, and its colour.
pub(super) fn outcome(outcome: Outcome) -> (&'static str, Style) {
    match outcome {
        Outcome::Waiting => ("…", Style::new().fg(theme::WARNING)),
        Outcome::Success => ("✓", Style::new().fg(theme::GOOD)),
        Outcome::Error => ("✗", Style::new().fg(theme::BAD)),
        Outcome::Expired => ("∅", Style::new().fg(theme::BAD).add_modifier(Modifier::BOLD)),
    }
}

fn here(this: Option<Id>, id: Id) -> &'static str {
    if this == Some(id) { " (this call)" } else { "" }
}

fn time(app: &App, at: Timestamp) -> String {
    clock(app, at, "%H:%M:%S%.3f")
}

/// What the platform does where a wait stands so.
fn then<'a>(app: &'a App, flow: &Flow, outcome: Outcome) -> Option<&'a str> {
    let platforms = &app.setup.platforms;
    platforms.then(platforms.kind(flow.opening.as_str())?, outcome)
}

/// After how long a flow waits no more for its page; none where its platform has no limit.
pub(super) fn limit(app: &App, flow: &Flow) -> Option<String> {
    then(app, flow, Outcome::Expired)?;
    let expires = app.wait(&flow.opening).and_then(|wait| wait.expires);
    let after = expires.and_then(|limit| SignedDuration::try_from(limit).ok()).map(|limit| format!("after {limit:#}"));
    Some(after.unwrap_or_else(|| "never, as far as is known".to_owned()))
}

fn time_left(app: &App, flow: &Flow, wait: &Wait) -> String {
    match wait.until {
        Some(until) => {
            let left = until.duration_since(app.now).max(SignedDuration::ZERO).as_secs();
            format!("{}:{:02}, until {}", left / 60, left % 60, time(app, until))
        }
        None if then(app, flow, Outcome::Expired).is_some() => {
            let dialog = matches!(app.dialogs.last(), Some(Dialog::Webview { .. }));
            let action = if dialog { Action::WaitFor } else { Action::Expiration };
            format!("no expiration time is known: {} sets it", app.keymap.key(action))
        }
        None => "the platform has no limit for it".to_owned(),
    }
}

/// `12:00:09.120 · 200 · ✓ valid · it ended the wait`; the last only where that is `known`.
fn told(app: &App, callback: &Callback, call: Option<&Call>, known: bool) -> String {
    let mut parts = vec![time(app, callback.at)];
    parts.extend(call.and_then(Call::status).map(|status| status.to_string()));
    parts.extend(call.and_then(|call| call.sig).map(|sig| format!("{} {}", theme::sig(sig).0, sig.word())));
    parts.extend(known.then(|| fate(callback.fate)));
    parts.join(" · ")
}

/// What a callback did.
pub(super) fn fate(fate: Fate) -> String {
    match fate {
        Fate::Ended => "ended the wait".to_owned(),
        Fate::Late(by) => format!("late by {}: it changes nothing", span(by)),
        Fate::Duplicate => "duplicate: another one had ended the wait".to_owned(),
        Fate::Again => "again: another one came before it".to_owned(),
        Fate::Refused => "refused, or without a word on how it went: it changes nothing".to_owned(),
    }
}

fn span(by: SignedDuration) -> String {
    match by.as_secs() {
        0 => format!("{} ms", by.as_millis()),
        seconds @ 1..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} minutes", seconds / 60),
        seconds => format!("{} hours", seconds / 3600),
    }
}
