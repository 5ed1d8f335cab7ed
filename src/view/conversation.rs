//! A conversation as a timeline: turn by turn what the user said, which webhooks ran for it, what the agent answered, how
//! a page went, and what that made of the context.
//!
//! ```text
//! 1 “Hi, when will my claim be paid?”                  12:34:08
//!   ▸ ↓ first_message    ✓ valid  200  0.3 ms
//!       agent: Hello!
//!   context before the next call:
//!       + name  "Zoë"   as auth_pre_enter of 12:34:09 answered
//! ```

use jiff::Timestamp;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::app::App;
use crate::app::action::Action;
use crate::app::changes::{Change, How};
use crate::app::conversation::{Conversation, SAID, Told, Turn, VALUE};
use crate::app::event::Level;
use crate::call::{Direction, bare};
use crate::platform::{Fate, Outcome, Wait};
use crate::view::{clock, envelope, flow, list, rows, theme};
use crate::visible;

/// Most changes of one call that are shown.
const MOST_CHANGES: usize = 12;

type Rows = Vec<Line<'static>>;

/// That there is more, and how to see it.
fn not_shown(app: &App, which: &str) -> Line<'static> {
    let key = app.keymap.key(Action::Filter);
    Line::styled(format!("… {which} calls are not shown: {key} with conv: lists them"), theme::DIM)
}

/// The timeline, and the rows of it that the cursor is in.
pub(super) fn lines(app: &App, width: usize) -> (Rows, Option<(usize, usize)>) {
    let Some(conversation) = &app.conversation else {
        return (vec![Line::styled("this call belongs to no conversation", theme::DIM)], None);
    };
    let mut lines = rows::row(&[(&app.heading(), theme::HEADING, width)]);
    lines.extend(rows::row(&[(&summary(app, conversation), theme::DIM, width)]));
    if conversation.cut.0 {
        lines.push(not_shown(app, "earlier"));
    }
    // The rows of the call that the cursor is at; of the first, those above it as well.
    let (mut cursor, mut row) = (None, 0);
    let mut turns = 0;
    for turn in &conversation.turns {
        turns += usize::from(turn.said.is_some());
        lines.push(Line::default());
        lines.extend(head(app, turn, turns, width));
        let mut recognised: &[(String, f64)] = &[];
        for &number in &turn.calls {
            match conversation.call(number) {
                None => lines.push(Line::styled("    …", theme::DIM)),
                Some(Err(reason)) => {
                    let text = format!("this call cannot be read: {reason}");
                    lines.extend(indented(4, &text, theme::level(Level::Error), width));
                }
                Some(Ok(told)) => {
                    lines.extend(changes(app, told, width));
                    row = if conversation.numbers().next() == Some(number) { 0 } else { lines.len() };
                    lines.push(call(app, told, number == conversation.cursor, width));
                    if let Some(summary) = &told.summary {
                        lines.extend(indented(6, &cut(summary, VALUE), theme::DIM, width));
                    }
                    // What is recognised in one sentence is the same for every webhook of its turn.
                    if told.recognised != recognised {
                        recognised = &told.recognised;
                        lines.extend(surely(recognised, width));
                    }
                    lines.extend(answers(told, width));
                    let opened = |wait: &&Wait| wait.opened.is_some_and(|(id, _)| id == told.id);
                    if let Some(wait) = conversation.waits.iter().find(opened) {
                        lines.extend(page(app, conversation, wait, width));
                    }
                    lines.extend(called_back(conversation, told, width));
                }
            }
            if number == conversation.cursor {
                cursor = Some((row, lines.len()));
            }
        }
    }
    if conversation.cut.1 {
        lines.push(Line::default());
        lines.push(not_shown(app, "later"));
    }
    (lines, cursor)
}

fn summary(app: &App, conversation: &Conversation) -> String {
    let numbers: Vec<usize> = conversation.numbers().collect();
    let turns = conversation.turns.iter().filter(|turn| turn.said.is_some()).count();
    let at =
        |number: Option<&usize>| number.and_then(|n| app.index.view(*n)).map_or_else(String::new, |v| time(app, v.at));
    format!(
        "{} · {} · {} to {}",
        visible::count(turns, "turn"),
        visible::count(numbers.len(), "call"),
        at(numbers.first()),
        at(numbers.last())
    )
}

fn time(app: &App, at: Timestamp) -> String {
    clock(app, at, "%H:%M:%S")
}

/// `3 “It’s claim CL-20418”   12:34:08`
fn head(app: &App, turn: &Turn, number: usize, width: usize) -> Rows {
    let at = time(app, turn.at);
    let said = match &turn.said {
        Some(said) => format!("“{}”", cut(said, SAID)),
        None => "before the first word".to_owned(),
    };
    let style = if turn.said.is_some() { theme::SAID } else { theme::DIM };
    let number = if turn.said.is_some() { number.to_string() } else { String::new() };
    let middle = width.saturating_sub(4 + at.len() + 2);
    rows::row(&[(&number, theme::KEY, 3), (&said, style, middle), (&at, theme::DIM, at.len())])
}

/// `▸ ↓ first_message    ✓ valid  200  0.3 ms`
fn call(app: &App, told: &Told, here: bool, width: usize) -> Line<'static> {
    let arrow = match told.direction {
        Direction::Received => "↓",
        Direction::Sent => "↑",
    };
    let kind = bare(&told.kind);
    let kind = visible::line(kind);
    let repeat = if told.repeat { " (again)" } else { "" };
    let (sign, sig_style) = told.sig.map_or(("", theme::DIM), theme::sig);
    let word = told.sig.map_or("", |sig| sig.word());
    let (status, status_style) = list::status(told.status, told.error.is_some());
    let room = 20.min(width / 3);
    // Where there is no room for both, the sign stands for the word.
    let verdict = if width < 48 { rows::pad(sign, 1) } else { rows::pad(&format!("{sign} {word}"), 10) + " " };
    let mut spans = vec![
        Span::styled(if here { "  ▸ " } else { "    " }, theme::FOCUSED),
        Span::raw(format!("{arrow} ")),
        Span::raw(rows::pad(&format!("{kind}{repeat}"), room)),
        Span::styled(verdict, sig_style),
        Span::styled(format!("{status} "), status_style),
        Span::styled(list::duration(told.took_us), theme::DIM),
    ];
    if let Some(error) = &told.error {
        spans.push(Span::styled(format!("  {}", visible::line(&cut(error, SAID))), theme::level(Level::Error)));
    }
    let line = Line::from(spans);
    if here && app.focus == crate::app::Focus::Detail { line.style(theme::SELECTED) } else { line }
}

/// What was recognised, the surest first.
fn surely(recognised: &[(String, f64)], width: usize) -> Rows {
    recognised
        .iter()
        .flat_map(|(what, score)| {
            let text = format!("{} {score:.2} {}", envelope::bar(*score), cut(what, VALUE));
            indented(6, &text, theme::DIM, width)
        })
        .collect()
}

/// What the agent answered, and what the platform was told.
fn answers(told: &Told, width: usize) -> Rows {
    let mut lines = Vec::new();
    let says = told.answers.iter().map(|row| ("agent", Style::new().fg(theme::GOOD), row));
    let tells = told.results.iter().map(|row| ("answered", Style::new(), row));
    for (who, style, row) in says.chain(tells) {
        let value = cut(&row.value, VALUE);
        let text = match row.label.as_str() {
            "text" => format!("{who}: {value}"),
            label => format!("{who}: {} {value}", cut(label, VALUE)),
        };
        lines.extend(indented(6, &text, style, width));
    }
    lines
}

/// What became different in the context before a call came.
fn changes(app: &App, told: &Told, width: usize) -> Rows {
    let mut lines = Vec::new();
    let name = told.changes.iter().take(MOST_CHANGES).map(|change| visible::width(&change.pointer)).max().unwrap_or(0);
    let name = name.min(width / 3);
    for change in told.changes.iter().take(MOST_CHANGES) {
        let (sign, style) = how(&change.how);
        let text = told_change(app, change);
        let rest = width.saturating_sub(6 + 2 + name + 1);
        lines.extend(rows::row(&[
            ("", theme::DIM, 5),
            (sign, style, 1),
            (cut(&change.pointer, VALUE).trim_start_matches('/'), theme::KEY, name),
            (&text, Style::new(), rest),
        ]));
    }
    if told.changes.len() > MOST_CHANGES {
        let text = format!("… and {} further changes of the context", told.changes.len() - MOST_CHANGES);
        lines.extend(indented(6, &text, theme::DIM, width));
    }
    lines
}

/// A sign for a change, and its colour.
pub(super) fn how(how: &How) -> (&'static str, Style) {
    match how {
        How::Added => ("+", Style::new().fg(theme::GOOD)),
        How::Changed(_) => ("~", Style::new().fg(theme::WARNING)),
        How::Removed(_) => ("-", Style::new().fg(theme::BAD)),
    }
}

/// `"b", was "a"; as first_message of 12:34:08 answered`
fn told_change(app: &App, change: &Change) -> String {
    let mut text = match &change.how {
        How::Added => cut(&change.value, VALUE),
        How::Changed(was) => format!("{}, was {}", cut(&change.value, VALUE), cut(was, VALUE)),
        How::Removed(was) => format!("gone, was {}", cut(was, VALUE)),
    };
    if let Some((kind, at)) = &change.because {
        let kind = bare(kind);
        text.extend(["  ← ", kind, ", ", &time(app, *at)]);
    }
    text
}

/// What a callback did to its wait, as far as that is known.
fn called_back(conversation: &Conversation, told: &Told, width: usize) -> Rows {
    let came = conversation.waits.iter().find_map(|wait| Some((wait, wait.fate_of(told.id)?)));
    let Some((wait, fate)) = came else { return Vec::new() };
    let text = if conversation.is_partial(wait) && fate != Fate::Refused {
        "page called back; what that did is not known without the earlier calls".to_owned()
    } else {
        format!("page called back: {}", flow::fate(fate))
    };
    indented(6, &text, theme::DIM, width)
}

/// How a page went that a call opened.
fn page(app: &App, conversation: &Conversation, wait: &Wait, width: usize) -> Rows {
    if conversation.is_partial(wait) {
        let text = "page opened; how its wait ended is not known without the earlier calls";
        return indented(6, text, theme::DIM, width);
    }
    let (sign, style) = flow::outcome(wait.outcome);
    let text = match (wait.outcome, wait.ended, wait.until) {
        (Outcome::Waiting, _, Some(until)) => {
            let left = until.duration_since(app.now).as_secs().max(0);
            format!("page opened, waiting: {}:{:02} left", left / 60, left % 60)
        }
        (Outcome::Waiting, _, None) => "page opened, waiting".to_owned(),
        (outcome, Some(ended), _) => format!("page opened, {} at {}", outcome.word(), time(app, ended)),
        (outcome, None, _) => format!("page opened, {}", outcome.word()),
    };
    indented(6, &format!("{sign} {text}"), style, width)
}

fn cut(value: &str, most: usize) -> String {
    let mut shown: String = value.chars().take(most).collect();
    if shown.len() < value.len() {
        shown.push('…');
    }
    shown
}

fn indented(by: usize, text: &str, style: Style, width: usize) -> Rows {
    rows::row(&[("", style, by.saturating_sub(1)), (text, style, width.saturating_sub(by))])
}
