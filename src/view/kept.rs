//! What is kept for drafts: the known variables, and fixtures.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;

use crate::app::App;
use crate::app::action::Action;
use crate::call::Call;
use crate::replay::variables::Variable;
use crate::view::dialogs::{Pick, WIDE, boxed, inner_width, picker, picker_over};
use crate::view::{clock, rows, theme};
use crate::visible;

/// Columns from which on a row says of a variable what it is and where it stood, besides its value.
const ROOMY: usize = 60;
/// Columns that the value has at least then.
const VALUE: usize = 20;

pub(super) fn variables(app: &App, frame: &mut Frame, area: Rect, selected: usize) {
    const TITLE: &str = " Known variables ";
    let room = inner_width(area, WIDE);
    let known = app.known();
    let Some((name, variable)) = known.get(selected.min(known.len().saturating_sub(1))) else {
        let none = format!("none yet: {} at a call keeps what its answer holds", app.keymap.key(Action::Register));
        return empty(frame, area, TITLE, &none);
    };
    // What a long name, value or place lacks in its row stands below the list.
    let first = known.iter().map(|(name, _)| visible::width(name)).max().unwrap_or(0).min(24).min(room / 3);
    let row = |(name, variable): &(&str, &Variable)| {
        let name = rows::pad(&format!("${name}"), first + 1);
        if room < ROOMY {
            return Pick::Choice(format!("{name}{}", variable.value));
        }
        let left = format!("{name}{:8} ", variable.json_type());
        let right = rows::cut(&place(variable), room.saturating_sub(visible::width(&left) + VALUE + 2));
        let middle = room.saturating_sub(visible::width(&left) + visible::width(&right) + 2);
        Pick::Choice(format!("{left}{} {right}", rows::pad(&variable.value, middle)))
    };
    let picks: Vec<Pick> = known.iter().map(row).collect();
    let most = usize::from(area.height / 2);
    let told = |label: &str, text: &str| rows::labelled(label, text, Style::new(), room);
    let mut foot = vec![Line::default()];
    foot.extend(told("name", &format!("${name}")));
    foot.extend(told("value", &variable.value).into_iter().take(most / 2));
    foot.extend(told("from", &place(variable)));
    foot.truncate(most);
    picker_over(frame, area, TITLE, &picks, selected, foot);
}

/// `/context/tier of moveo/dialog`.
fn place(variable: &Variable) -> String {
    format!("{} of {}", variable.place, variable.kind.as_deref().unwrap_or("-"))
}

pub(super) fn fixtures(app: &App, frame: &mut Frame, area: Rect, selected: usize) {
    const TITLE: &str = " Fixtures ";
    let row = |(name, call): &(String, Result<Call, String>)| match call {
        Ok(call) => {
            let kind = call.kind.as_deref().unwrap_or("-");
            let kept = clock(app, call.at, "%Y-%m-%d %H:%M");
            Pick::Choice(format!("{name:24} {kind:24} {kept}"))
        }
        Err(reason) => Pick::Choice(format!("{name:24} ✗ {reason}")),
    };
    let picks: Vec<Pick> = app.fixtures.iter().map(row).collect();
    if picks.is_empty() {
        let none = format!("none yet: {} in a draft keeps it as one", app.keymap.key(Action::SaveFixture));
        return empty(frame, area, TITLE, &none);
    }
    picker(frame, area, TITLE, &picks, selected);
}

fn empty(frame: &mut Frame, area: Rect, title: &str, none: &str) {
    boxed(frame, area, title, rows::row(&[(none, theme::DIM, inner_width(area, 60))]));
}
