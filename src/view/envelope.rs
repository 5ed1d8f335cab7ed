//! What a call means: decoded by its pack, field by field.

use ratatui::style::Style;
use ratatui::text::Line;

use crate::app::action::Action;
use crate::app::changes::{Change, How};
use crate::app::event::Level;
use crate::app::shown::{MOST_FIELDS, Shown};
use crate::app::{App, Focus};
use crate::platform::{Finding, Row, Section};
use crate::view::{clock, flow, list, rows, theme};
use crate::visible;

/// Columns of a score's bar.
const BAR: usize = 10;
/// Columns that a meaning needs at least.
const MEANING: usize = 20;
/// Longest value that is shown, in characters.
const VALUE: usize = 600;

type Rows = Vec<Line<'static>>;

/// The tab, and the rows of it that the cursor is in.
pub(super) fn lines(app: &App, shown: &Shown, width: usize) -> (Rows, Option<(usize, usize)>) {
    let mut lines = head(app, shown, width);
    let mut cursor = None;
    let mut number = 0;
    for section in shown.envelope.iter().flat_map(|envelope| &envelope.sections) {
        lines.extend(rows::heading(&section.title));
        let columns = Columns::of(section, width);
        let mut said = None;
        for row in section.rows.iter().take(MOST_FIELDS) {
            let here = number == app.cursor.field;
            let first = lines.len();
            lines.extend(columns.field(shown, row, &mut said, here && app.focus == Focus::Detail));
            let own = shown.request_findings.iter().filter(|finding| is_about(finding, row));
            lines.extend(own.flat_map(|finding| beside(finding, &columns)));
            if here {
                cursor = Some((if number == 0 { 0 } else { first }, lines.len()));
            }
            number += 1;
        }
        if section.rows.len() > MOST_FIELDS {
            let key = app.keymap.key(Action::Body);
            let more = format!("… and {} more: {key} shows the body", section.rows.len() - MOST_FIELDS + section.more);
            lines.push(Line::styled(more, theme::DIM));
        }
    }
    let gone: Vec<&Change> = shown.context.gone().collect();
    if !gone.is_empty() {
        lines.extend(rows::heading("Gone from the context"));
        for change in gone {
            let How::Removed(was) = &change.how else { continue };
            let name = change.pointer.trim_start_matches('/');
            let (sign, style) = super::conversation::how(&change.how);
            let first = 30.min(width / 3);
            let rest = width.saturating_sub(first + 3);
            lines.extend(rows::row(&[(sign, style, 1), (name, theme::KEY, first), (&cut(was), theme::DIM, rest)]));
        }
    }
    let kind = app.setup.platforms.kind(shown.call.kind.as_deref());
    if let (None, Some(query)) = (kind, shown.call.request.query()) {
        lines.extend(rows::heading("Query"));
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            lines.extend(rows::labelled(&name, &value, Style::new(), width));
        }
    }
    (lines, cursor)
}

/// What stands above the fields: what the call is, what the user said, and what is wrong with it as a whole.
fn head(app: &App, shown: &Shown, width: usize) -> Rows {
    let call = &shown.call;
    let kind = app.setup.platforms.kind(call.kind.as_deref());
    let at = clock(app, call.at, "%Y-%m-%d %H:%M:%S%.3f %Z");
    let took = list::took(call.took);
    let mut lines = Vec::new();
    let title = match (kind, &call.kind) {
        (Some(kind), _) => format!("{} · {}", kind.name, kind.title),
        (None, Some(name)) => name.clone(),
        (None, None) => format!("{} {} · no platform claims this call", call.request.method, call.request.path()),
    };
    if let Some(text) = shown.envelope.as_ref().and_then(|envelope| envelope.text.as_deref()) {
        lines.extend(rows::row(&[(&format!("“{}”", cut(text)), theme::SAID, width)]));
    } else if let Some(summary) = shown.envelope.as_ref().and_then(|envelope| envelope.summary.as_deref()) {
        lines.extend(rows::row(&[(&cut(summary), Style::new(), width)]));
    }
    lines.extend(rows::row(&[(&title, theme::HEADING, width)]));
    lines.extend(rows::row(&[(&format!("{} · {at} · {took}", call.direction.word()), theme::DIM, width)]));
    for sentence in &shown.also {
        lines.extend(rows::row(&[(sentence, theme::level(Level::Warning), width)]));
    }
    if let Some(parent) = call.parent {
        lines.extend(rows::row(&[(
            &format!("repeats {parent} ({} goes there)", app.keymap.key(Action::Original)),
            theme::DIM,
            width,
        )]));
    }
    if let Some(error) = &call.error {
        lines.extend(rows::row(&[(error, theme::level(Level::Error), width)]));
    }
    let apart = shown.request_findings.iter().filter(|finding| !shown.fields().any(|row| is_about(finding, row)));
    lines.extend(rows::findings(apart, width));
    if let Some(flow) = &shown.flow {
        let wait = flow.wait(call.at).map(|wait| flow::lines(app, flow, wait, Some(call.id), width));
        if let Some(told) = wait.or_else(|| flow.is_cut().then(|| flow::cut(width))) {
            lines.extend(rows::heading("Flow"));
            lines.extend(told);
        }
    }
    lines
}

/// Whether a finding is about a field, or about something in it.
fn is_about(finding: &Finding, row: &Row) -> bool {
    let rest = finding.pointer.strip_prefix(&row.pointer).filter(|_| !row.pointer.is_empty());
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// A finding below the field it concerns.
fn beside(finding: &Finding, columns: &Columns) -> Rows {
    let (sign, style) = theme::severity(finding.severity);
    let by = columns.label + 1;
    let rest = columns.rest.saturating_sub(4);
    let mut lines = rows::row(&[("", style, by), (sign, style, 1), (&finding.sentence, style, rest)]);
    if !finding.source.is_empty() {
        lines.extend(rows::row(&[("", style, by), ("", style, 1), (&finding.source, theme::DIM, rest)]));
    }
    lines
}

/// How wide the columns of a section are. Before the label stands what became of the field.
struct Columns {
    label: usize,
    value: usize,
    /// Of value and meaning together.
    rest: usize,
}

impl Columns {
    fn of(section: &Section, width: usize) -> Self {
        let shown = || section.rows.iter().take(MOST_FIELDS);
        let widest = |of: fn(&Row) -> &str| shown().map(|row| visible::width(of(row))).max().unwrap_or(0);
        let label = widest(|row| &row.label).min(width / 3);
        let rest = width.saturating_sub(label + 3);
        // Values come whole as long as their meanings keep room enough to be read.
        let value = (widest(|row| &row.value) + BAR + 1).min(rest.saturating_sub(MEANING + 1)).max(rest / 3);
        Self { label, value, rest }
    }

    /// One field. `said`: the meaning of the row before it. `here`: the cursor is at it.
    fn field<'a>(&self, shown: &Shown, row: &'a Row, said: &mut Option<&'a str>, here: bool) -> Rows {
        let (sign, style, was) = change(shown, row);
        let score = row.score.map(|score| format!("{} {}", bar(score), row.value));
        let value = cut(score.as_deref().unwrap_or(&row.value)) + &was;
        let label = if here { theme::KEY.patch(theme::SELECTED) } else { theme::KEY };
        let mut columns = vec![(sign, style, 1), (&*row.label, label, self.label)];
        let Some(meaning) = row.meaning.as_deref().filter(|_| self.rest > 2 * MEANING) else {
            columns.push((&value, Style::new(), self.rest));
            return rows::row(&columns);
        };
        // What holds for a row after the other is said once.
        let meaning = if said.replace(meaning) == Some(meaning) { "" } else { meaning };
        columns.push((&value, Style::new(), self.value));
        columns.push((meaning, theme::DIM, self.rest.saturating_sub(self.value + 1)));
        rows::row(&columns)
    }
}

/// What became of a field since the call before: a sign, its look, and what the field was.
fn change(shown: &Shown, row: &Row) -> (&'static str, Style, String) {
    let mut changes = shown.context.changes_in(&row.pointer);
    let Some(first) = changes.next() else { return (" ", Style::new(), String::new()) };
    let place = shown.context.pointer.as_deref().and_then(|context| row.pointer.strip_prefix(context));
    let whole = place == Some(&*first.pointer);
    let others = changes.count();
    let partly = How::Changed(String::new());
    let (sign, style) = super::conversation::how(if whole { &first.how } else { &partly });
    let was = match &first.how {
        How::Changed(was) if whole => format!("  (was {})", cut(was)),
        _ if whole => String::new(),
        _ => format!("  ({} of its values changed)", others + 1),
    };
    (sign, style, was)
}

/// A value that is not longer than a screen; the body tab has the rest.
fn cut(value: &str) -> String {
    match value.char_indices().nth(VALUE) {
        Some((end, _)) => format!("{}… ({} bytes: the body has all)", &value[..end], value.len()),
        None => value.to_owned(),
    }
}

/// What the contract says of the field that the cursor is at: for the foot of the tab.
pub(super) fn help(app: &App, shown: &Shown, width: usize) -> Rows {
    let kind = app.setup.platforms.kind(shown.call.kind.as_deref());
    let Some((kind, row)) = kind.zip(shown.fields().nth(app.cursor.field)) else { return Vec::new() };
    let help = kind.help(&row.pointer).unwrap_or_default();
    let mut first = row.pointer.clone();
    for part in [help.json_type.as_deref(), Some(kind.describe().source.as_str()).filter(|_| help.source.is_none())] {
        first.extend(part.into_iter().flat_map(|part| [" · ", part]));
    }
    first.extend(help.source.iter().flat_map(|source| [" · ", source]));
    let mut lines = rows::row(&[(&first, theme::KEY, width)]);
    let meaning = help.meaning.unwrap_or_else(|| "the contract does not speak of it".to_owned());
    lines.extend(rows::row(&[(&meaning, Style::new(), width)]));
    if !help.allowed.is_empty() {
        lines.extend(rows::row(&[(&format!("known values: {}", help.allowed.join(", ")), theme::DIM, width)]));
    }
    lines
}

/// A share of one as a bar.
pub(super) fn bar(score: f64) -> String {
    let tenths = (1..=BAR).filter(|tenth| score * 10.0 + 0.5 >= f64::from(u8::try_from(*tenth).unwrap_or(u8::MAX)));
    let full = tenths.count();
    format!("{}{}", "█".repeat(full), "░".repeat(BAR - full))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_round_to_tenths() {
        assert_eq!(bar(0.0), "░░░░░░░░░░");
        assert_eq!(bar(0.89), "█████████░");
        assert_eq!(bar(1.0), "██████████");
        assert_eq!(bar(7.0), "██████████");
    }
}
