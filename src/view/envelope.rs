//! What a call means: decoded by its pack, field by field.

use ratatui::style::Style;
use ratatui::text::Line;

use crate::app::App;
use crate::app::shown::Shown;
use crate::platform::{Row, Section};
use crate::view::{flow, list, rows, theme};
use crate::visible;

/// Columns of a score's bar.
const BAR: usize = 10;
/// Columns that a meaning needs at least.
const MEANING: usize = 20;

pub(super) fn lines(app: &App, shown: &Shown, width: usize) -> Vec<Line<'static>> {
    let call = &shown.call;
    let kind = call.kind.as_deref().and_then(|name| app.setup.platforms.kind(name));
    let at = call.at.to_zoned(app.setup.zone.clone()).strftime("%Y-%m-%d %H:%M:%S%.3f %Z").to_string();
    let took = list::duration(u64::try_from(call.took.as_micros()).unwrap_or(u64::MAX));
    let mut lines = Vec::new();
    let title = match (kind, &call.kind) {
        (Some(kind), _) => format!("{} · {}", kind.name, kind.title),
        (None, Some(name)) => name.clone(),
        (None, None) => format!("{} {} · no platform claims this call", call.request.method, call.request.path()),
    };
    lines.extend(rows::row(&[(&title, theme::HEADING, width)]));
    if let Some(text) = shown.envelope.as_ref().and_then(|envelope| envelope.text.as_deref()) {
        lines.extend(rows::row(&[(&format!("“{text}”"), theme::SAID, width)]));
    }
    lines.extend(rows::row(&[(&format!("{} · {at} · {took}", call.direction.word()), theme::DIM, width)]));
    for sentence in &shown.also {
        lines.extend(rows::row(&[(sentence, theme::level(crate::app::event::Level::Warning), width)]));
    }
    if let Some(parent) = call.parent {
        lines.extend(rows::row(&[(&format!("repeats {parent} (^ goes there)"), theme::DIM, width)]));
    }
    if let Some(error) = &call.error {
        lines.extend(rows::row(&[(error, theme::level(crate::app::event::Level::Error), width)]));
    }
    lines.extend(rows::findings(&shown.request_findings, width));
    if let Some(flow) = &shown.flow
        && let Some(wait) = flow.wait(call.at)
    {
        lines.extend(rows::heading("Flow"));
        lines.extend(flow::lines(app, flow, wait, Some(call.id), width));
    }
    for section in shown.envelope.iter().flat_map(|envelope| &envelope.sections) {
        lines.extend(rows::heading(&section.title));
        lines.extend(rows_of(section, width));
    }
    if let (None, Some(query)) = (kind, call.request.query()) {
        lines.extend(rows::heading("Query"));
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            lines.extend(rows::labelled(&name, &value, Style::new(), width));
        }
    }
    lines
}

fn rows_of(section: &Section, width: usize) -> Vec<Line<'static>> {
    let widest = |of: fn(&Row) -> &str| section.rows.iter().map(|row| visible::width(of(row))).max().unwrap_or(0);
    let label = widest(|row| &row.label).min(width / 3);
    let rest = width.saturating_sub(label + 1);
    // Values come whole as long as their meanings keep room enough to be read.
    let value_width = (widest(|row| &row.value) + BAR + 1).min(rest.saturating_sub(MEANING + 1)).max(rest / 3);
    let mut lines = Vec::new();
    let mut said = None;
    for row in &section.rows {
        let score = row.score.map(|score| format!("{} {}", bar(score), row.value));
        let value = score.as_deref().unwrap_or(&row.value);
        let Some(meaning) = row.meaning.as_deref().filter(|_| rest > 2 * MEANING) else {
            lines.extend(rows::row(&[(&row.label, theme::KEY, label), (value, Style::new(), rest)]));
            continue;
        };
        // What holds for a row after the other is said once.
        let meaning = if said.replace(meaning) == Some(meaning) { "" } else { meaning };
        lines.extend(rows::row(&[
            (&row.label, theme::KEY, label),
            (value, Style::new(), value_width),
            (meaning, theme::DIM, rest.saturating_sub(value_width + 1)),
        ]));
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
