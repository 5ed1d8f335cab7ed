//! What lies over the screen: help, pickers, questions, lines to type in.

use jiff::Timestamp;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Clear, Padding, Paragraph};

use crate::app::action::{self, Action, Scope};
use crate::app::complete::complete;
use crate::app::dialog::{Dialog, Gathered, Input, Then, matching};
use crate::app::event::Notice;
use crate::app::prompt::{Ask, Prompt};
use crate::app::question::{Question, Yes};
use crate::app::yank;
use crate::app::{App, Extent, Regions};
use crate::platform::Kind;
use crate::recording::QueryError;
use crate::view::{answering, hints, panel, plots, recordings, rows, status, theme, webview};
use crate::visible;

pub(super) fn draw(app: &App, frame: &mut Frame, area: Rect, regions: &mut Regions) {
    let Some((top, below)) = app.dialogs.split_last() else { return };
    // What is asked there is about the dialog below.
    let about = match top {
        Dialog::Prompt(prompt) => matches!(prompt.ask, Ask::Expiration(_)),
        Dialog::Question(question) => matches!(question.yes, Yes::Replay(_) | Yes::Keep(_)),
        _ => false,
    };
    if about && let Some(below) = below.last() {
        draw_one(app, below, frame, area, regions);
    }
    draw_one(app, top, frame, area, regions);
}

fn draw_one(app: &App, dialog: &Dialog, frame: &mut Frame, area: Rect, regions: &mut Regions) {
    match dialog {
        Dialog::Help { scroll, search, typing } => {
            let width = inner_width(area, NARROW);
            let title = match (typing, search.text()) {
                (true, text) => format!(" Help · /{text}▏ "),
                (false, "") => " Help ".to_owned(),
                (false, text) => format!(" Help · /{text} "),
            };
            scrolled(frame, area, &title, help(app, search.text(), width), *scroll, regions);
        }
        Dialog::Yank { selected } => {
            let menu = yank::menu().into_iter().map(|(entry, _)| entry);
            let what = |entry: &action::Entry| entry.help.trim_start_matches("Copy ");
            let keys: Vec<(&str, &str)> = menu.map(|entry| (hints::key(app, entry.action), what(entry))).collect();
            let wide = keys.iter().map(|(key, _)| visible::width(key)).max().unwrap_or(0);
            let picks: Vec<Pick> =
                keys.iter().map(|(key, what)| Pick::Choice(format!("{key:wide$}  {what}"))).collect();
            picker(frame, area, " Copy what? ", &picks, *selected);
        }
        Dialog::Log { scroll } => {
            let width = inner_width(area, 150);
            scrolled(frame, area, " What was reported ", log(app, width), *scroll, regions);
        }
        Dialog::Plots { scroll } => plots::draw(app, *scroll, frame, area, regions),
        Dialog::Palette { input, selected } => palette(app, frame, area, input, *selected),
        Dialog::Filter { input, selected, error, .. } => {
            filter_input(app, frame, area, input, *selected, error.as_ref());
        }
        Dialog::Prompt(Prompt { ask, input, error }) => {
            let hint = ask.hint();
            let below = error.as_deref().or(hint.as_deref());
            line_input(frame, area, &ask.label(area.width.into()), input, below);
        }
        Dialog::Conversations { choices, selected } => {
            picker(frame, area, " Conversations, the newest first ", &conversations(app, choices, area), *selected);
        }
        Dialog::Targets { selected, then } => {
            let title = if *then == Then::Against { " Against which? " } else { " Where to? " };
            picker(frame, area, title, &targets(app), *selected);
        }
        Dialog::Pages { selected } => {
            let title = " Open a page as which platform? ";
            picker(frame, area, title, &kinds(app, app.page_kinds().into_iter()), *selected);
        }
        Dialog::Webview { launch } => webview::draw(app, launch, frame, area),
        Dialog::Answering(answering) => answering::draw(app, answering, frame, area, regions),
        Dialog::Panel(panel) => panel::draw(app, panel, frame, area, regions),
        Dialog::Recordings(shelf) => recordings::draw(app, shelf, frame, area),
        Dialog::Question(Question { text, words, .. }) => question(app, frame, area, words.title, text, words.does),
    }
}

/// Columns that a box of choices may have: with more, a row is no longer taken in at a glance.
pub(super) const WIDE: u16 = 110;
/// Columns that it has where it needs no more.
pub(super) const NARROW: u16 = 76;

/// Columns inside a box that would like to be `wanted` wide.
pub(super) fn inner_width(area: Rect, wanted: u16) -> usize {
    usize::from(wanted.min(area.width.saturating_sub(6)))
}

/// A box in the middle, as large as its lines, with `lines` in it.
pub(super) fn boxed(frame: &mut Frame, area: Rect, title: &str, lines: Vec<Line>) -> Rect {
    let widest = lines.iter().map(Line::width).max().unwrap_or(0).max(visible::width(title));
    let width = u16::try_from(widest + 4).unwrap_or(u16::MAX).min(area.width);
    // One column of what is below is no frame.
    let width = if area.width - width < 2 { area.width } else { width };
    let height = u16::try_from(lines.len() + 2).unwrap_or(u16::MAX).min(area.height.saturating_sub(1));
    let place = Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 3, width, height };
    let inner = framed(frame, place, title);
    frame.render_widget(Paragraph::new(lines), inner);
    inner
}

/// A question, and what a yes does.
pub(super) fn question(app: &App, frame: &mut Frame, area: Rect, title: &str, question: &str, does: &str) {
    let width = inner_width(area, 60);
    let mut lines = rows::row(&[(question, theme::HEADING, width)]);
    lines.push(Line::default());
    let does = format!("{} {does}, any other key does not", hints::key(app, Action::Yes));
    lines.extend(rows::row(&[(&does, Style::new(), width)]));
    boxed(frame, area, title, lines);
}

/// An empty box with a title; gives what is inside.
pub(super) fn framed(frame: &mut Frame, place: Rect, title: &str) -> Rect {
    let title = visible::line(title);
    let title = visible::truncate(&title, usize::from(place.width.saturating_sub(2))).into_owned();
    let block = Block::bordered()
        .border_type(BorderType::Rounded)
        .title(Line::styled(title, theme::FOCUSED))
        .padding(Padding::horizontal(1));
    let inner = block.inner(place);
    frame.render_widget(Clear, place);
    frame.render_widget(block, place);
    inner
}

/// What part of its lines a box shows, on its lower edge, and the keys for the rest; nothing where it shows them all.
pub(super) fn extent(frame: &mut Frame, inner: Rect, (first, room, total): (usize, usize, usize), keys: &str) {
    if total > room {
        let text = format!(" {} to {} of {total} · {keys} ", first + 1, total.min(first + room));
        let place = Rect { y: inner.bottom(), height: 1, ..inner };
        frame.render_widget(Span::styled(text, theme::DIM), place);
    }
}

fn scrolled(frame: &mut Frame, area: Rect, title: &str, lines: Vec<Line>, scroll: usize, regions: &mut Regions) {
    let room = usize::from(area.height.saturating_sub(3));
    regions.dialog = Extent { room, rows: lines.len() };
    let first = scroll.min(regions.dialog.last());
    let part = format!("{title}{} to {} of {} ", first + 1, first + room, lines.len());
    let title = if regions.dialog.has_more() { &part } else { title };
    boxed(frame, area, title, lines.into_iter().skip(first).take(room).collect());
}

/// A row of a list of choices.
pub(super) enum Pick {
    Heading(String),
    Choice(String),
    /// A target that asks before it sends.
    Guarded(String),
}

/// `10:02:11  12 calls  2 ✗  8563dcdf-...`
fn conversations(app: &App, choices: &[Gathered], area: Rect) -> Vec<Pick> {
    let shown = |choice: &Gathered| {
        let at = app.index.view(choice.last).map(|view| view.at).unwrap_or_default();
        let time = at.to_zoned(app.setup.zone.clone()).strftime("%m-%d %H:%M:%S").to_string();
        let ill = if choice.ill > 0 { format!("{} ✗", choice.ill) } else { String::new() };
        let calls = visible::count(choice.calls, "call");
        let key = if app.masked { &choice.masked } else { &choice.key };
        // Where there is little room, the key and what is wrong matter most.
        Pick::Choice(match area.width {
            60.. => format!("{time}  {calls:>10}  {ill:>5}  {key}"),
            _ => format!("{:>5} {ill:>4}  {}  {time}", choice.calls, key.chars().take(8).collect::<String>()),
        })
    };
    choices.iter().map(shown).collect()
}

/// One's own targets, and under a heading those that are real.
fn targets(app: &App) -> Vec<Pick> {
    let choices = app.target_choices();
    let own = choices.iter().position(Option::is_none).unwrap_or(choices.len());
    let shown = |choice: &Option<usize>| {
        let target = choice.and_then(|number| app.targets.get(number));
        let text = match target.map(|target| (target, app.endpoint(target))) {
            None => "another address …".to_owned(),
            Some((target, None)) => {
                let asks = if target.guard { ", asks before it sends" } else { "" };
                format!("{}{asks}", status::target_label(app, target))
            }
            Some((target, Some(place))) => format!("{:18} {}, {}", target.name, target.place(), place.title),
        };
        if target.is_some_and(|target| target.guard) { Pick::Guarded(text) } else { Pick::Choice(text) }
    };
    let (own, real) = choices.split_at((own + 1).min(choices.len()));
    let heading =
        (!real.is_empty()).then(|| Pick::Heading("real: the platforms' own, asks before it sends".to_owned()));
    own.iter().map(shown).chain(heading).chain(real.iter().map(shown)).collect()
}

/// Kinds under the headings of their platforms.
fn kinds<'a>(app: &'a App, kinds: impl Iterator<Item = &'a Kind>) -> Vec<Pick> {
    let mut rows = Vec::new();
    let mut platform = None;
    for kind in kinds {
        if platform.replace(kind.platform()) != Some(kind.platform()) {
            let title = app.setup.platforms.title_of(kind.platform());
            rows.push(Pick::Heading(title.to_owned()));
        }
        rows.push(Pick::Choice(format!("{:26} {}", kind.name, kind.title)));
    }
    rows
}

/// A list of choices.
pub(super) fn picker(frame: &mut Frame, area: Rect, title: &str, picks: &[Pick], selected: usize) {
    picker_over(frame, area, title, picks, selected, Vec::new());
}

/// A list of choices, and what is to be said of the selected one below it.
pub(super) fn picker_over(
    frame: &mut Frame,
    area: Rect,
    title: &str,
    picks: &[Pick],
    selected: usize,
    foot: Vec<Line<'static>>,
) {
    let room = usize::from(area.height.saturating_sub(4)).saturating_sub(foot.len()).max(1);
    let choices = picks.iter().enumerate().filter(|(_, pick)| !matches!(pick, Pick::Heading(_)));
    let chosen = choices.map(|(row, _)| row).nth(selected).unwrap_or(0);
    let first = (chosen + 1).saturating_sub(room);
    let width = inner_width(area, WIDE);
    let lines: Vec<Line> = picks
        .iter()
        .enumerate()
        .skip(first)
        .take(room)
        .map(|(row, pick)| match pick {
            Pick::Heading(text) => {
                Line::styled(visible::truncate(&visible::line(text), width).into_owned(), theme::DIM)
            }
            Pick::Choice(text) | Pick::Guarded(text) => {
                let style = if row == chosen { theme::SELECTED } else { Style::new() };
                let style = if matches!(pick, Pick::Guarded(_)) { style.patch(theme::GUARDED) } else { style };
                let shown = visible::line(text);
                Line::styled(format!(" {:width$} ", visible::truncate(&shown, width), width = width.min(48)), style)
            }
        })
        .chain(foot)
        .collect();
    let below = picks.len().saturating_sub(first + room);
    let title = if below > 0 { format!("{title}· {below} more below ") } else { title.to_owned() };
    boxed(frame, area, &title, lines);
}

fn palette(app: &App, frame: &mut Frame, area: Rect, input: &Input, selected: usize) {
    let width = inner_width(area, WIDE);
    let room = usize::from(area.height.saturating_sub(6)).clamp(1, 14);
    let found = matching(input.text(), app.scope());
    let first = (selected + 1).saturating_sub(room);
    let mut lines = vec![Line::from(vec![Span::styled(":", theme::KEY), Span::raw(" ".repeat(width))])];
    lines.extend(found.iter().enumerate().skip(first).take(room).map(|(n, action)| {
        let entry = action.entry();
        let key = app.keymap.hint(*action, app.scope()).unwrap_or_default();
        let text = format!("{:24} {key:>6}  {}", entry.name, entry.help);
        let style = if n == selected { theme::SELECTED } else { Style::new() };
        Line::styled(format!("{:width$}", visible::truncate(&text, width)), style)
    }));
    if found.is_empty() {
        lines.push(Line::styled("no action has such a name", theme::DIM));
    }
    let inner = boxed(frame, area, " What to do? ", lines);
    let line = Rect { x: inner.x + 1, width: inner.width.saturating_sub(1), height: 1.min(inner.height), ..inner };
    frame.render_widget(&input.0, line);
}

/// Fewer columns than these are no room for a line to type in.
const TYPED: u16 = 16;

/// A line to type in above the status lines, with what is wrong with it.
pub(super) fn line_input(frame: &mut Frame, area: Rect, prompt: &str, input: &Input, error: Option<&str>) {
    lined(frame, area, prompt, input, error);
}

/// The same; gives where that stands.
fn lined(frame: &mut Frame, area: Rect, prompt: &str, input: &Input, error: Option<&str>) -> Rect {
    let wrong = error.map_or_else(Vec::new, |error| {
        rows::row(&[(error, theme::level(crate::app::event::Level::Error), usize::from(area.width.saturating_sub(1)))])
    });
    // The row of hints stays.
    let area = Rect { height: area.height.saturating_sub(1), ..area };
    let wide = u16::try_from(visible::width(prompt)).unwrap_or(0);
    // What is typed is to be seen: a prompt that leaves no room for it stands above it.
    let above = u16::from(area.width.saturating_sub(wide) < TYPED && area.height > 2);
    let height = u16::try_from(1 + wrong.len()).unwrap_or(u16::MAX).saturating_add(above).min(area.height);
    let whole = Rect { y: area.bottom().saturating_sub(height), height, ..area };
    let place = whole;
    frame.render_widget(Clear, place);
    frame.render_widget(Paragraph::new(Span::styled(prompt.to_owned(), theme::KEY)), Rect { height: 1, ..place });
    let (place, wide) = if above == 0 {
        (place, wide)
    } else {
        (Rect { y: place.y + 1, height: place.height.saturating_sub(1), ..place }, 0)
    };
    let line = Rect { x: place.x + wide, width: place.width.saturating_sub(wide), height: 1, ..place };
    frame.render_widget(&input.0, line);
    let below = Rect { y: place.y + 1, height: place.height.saturating_sub(1), ..place };
    frame.render_widget(Paragraph::new(wrong), below);
    whole
}

/// The filter being typed: above it what the word may become, below it what is wrong, and where.
fn filter_input(app: &App, frame: &mut Frame, area: Rect, input: &Input, selected: usize, error: Option<&QueryError>) {
    // Carets below the place, as far as the line is seen from its beginning.
    let shown = error.map(|error| {
        let before = input.text().get(..error.span.start).unwrap_or_default();
        let place = visible::width(&visible::line(before)) + 1;
        let carets = format!("{}{}\n", " ".repeat(place), "^".repeat(error.span.len().clamp(1, 20)));
        let fits = visible::width(input.text()) + 2 < usize::from(area.width);
        let part = input.text().get(error.span.clone()).filter(|part| !part.is_empty());
        match part {
            _ if fits => carets + &error.message,
            Some(part) => format!("{}: {}", visible::truncate(&visible::line(part), 20), error.message),
            None => error.message.clone(),
        }
    });
    let place = lined(frame, area, "/", input, shown.as_deref());
    let (begin, found) = complete(input.text(), &app.setup.platforms, &app.setup.config.queries, &app.targets);
    if found.is_empty() || area.height < 4 || place.y == area.y {
        return;
    }
    // An unfinished value is no query yet: what it may become is seen beside what is wrong with it.
    let place = Rect { y: place.y - 1, height: 1, ..area };
    let key = format!(" {}  ", hints::key(app, Action::Complete));
    // The chosen one is seen, whatever stands before it.
    let selected = selected.min(found.len() - 1);
    let wide = |(candidate, _): &(String, String)| visible::width(&visible::line(candidate)) + 2;
    let room = usize::from(area.width).saturating_sub(visible::width(&key));
    let fits = |first: &usize| found[*first..=selected].iter().map(wide).sum::<usize>() <= room;
    let first = (0..selected).find(fits).unwrap_or(selected);
    let mut spans = vec![Span::styled(key, theme::KEY)];
    for (number, (candidate, meaning)) in found.iter().enumerate().skip(first) {
        let style = if number == selected { theme::HEADING } else { theme::DIM };
        spans.push(Span::styled(visible::line(candidate).into_owned(), style));
        if number == selected && begin < input.text().len() && !meaning.is_empty() {
            spans.push(Span::styled(format!(" {}", visible::line(meaning)), theme::DIM));
        }
        spans.push(Span::raw("  "));
    }
    frame.render_widget(Clear, place);
    frame.render_widget(Paragraph::new(Line::from(spans)), place);
}

fn help(app: &App, search: &str, width: usize) -> Vec<Line<'static>> {
    // First what the keys do where one comes from.
    let below = app.dialogs.iter().rev().find(|dialog| !matches!(dialog, Dialog::Help { .. }));
    let scope = hints::scope_with(app, below);
    let mut here = scope.chain().to_vec();
    if here[0] == Scope::Calls {
        // Whoever begins has to move first.
        here.swap(0, 1);
    }
    let others = Scope::ALL.iter().filter(|scope| !here.contains(scope));
    let mut lines = Vec::new();
    for part in here.iter().chain(others) {
        let search = search.to_lowercase();
        // Here a key may mean something nearer.
        let scope = if here.contains(part) { scope } else { *part };
        let found = |entry: &'static action::Entry| {
            let keys = app.keymap.meant(entry.action, scope).collect::<Vec<_>>().join(" ");
            let texts = [entry.name, entry.help, &keys].map(str::to_lowercase);
            let shown = !keys.is_empty() || app.keymap.keys(entry.action).is_empty();
            (entry.scope == *part && shown && texts.iter().any(|text| text.contains(&search))).then_some((keys, entry))
        };
        let mut entries = action::TABLE.iter().filter_map(found).peekable();
        if entries.peek().is_none() {
            continue;
        }
        if !lines.is_empty() {
            lines.push(Line::default());
        }
        lines.push(Line::styled(part.title(), theme::HEADING));
        for (keys, entry) in entries {
            lines.extend(rows::row(&[(&keys, theme::KEY, 18), (entry.help, Style::new(), width.saturating_sub(19))]));
        }
    }
    if lines.is_empty() {
        lines.push(Line::styled("no key does that", theme::DIM));
    }
    lines
}

fn log(app: &App, width: usize) -> Vec<Line<'static>> {
    if app.log.is_empty() {
        return vec![Line::styled("nothing yet", theme::DIM)];
    }
    let row = |(at, notice): &(Timestamp, Notice)| {
        let at = at.to_zoned(app.setup.zone.clone()).strftime("%H:%M:%S").to_string();
        let (sign, style) = theme::notice(notice.level);
        rows::row(&[
            (&at, theme::DIM, 8),
            (sign, style, 1),
            (&app.sentence(&notice.text), style, width.saturating_sub(11)),
        ])
    };
    app.log.iter().flat_map(row).collect()
}

#[cfg(test)]
mod tests {
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;
    use ratatui::style::Color;

    use super::*;
    use crate::app::dialog::Then;
    use crate::app::tests::app;
    use crate::config::Target;

    #[test]
    fn a_guarded_target_has_its_colour_in_the_list_too() {
        let mut app = app();
        app.choose(Target::new("local", "http://127.0.0.1:8080/"));
        app.choose(Target { guard: true, ..Target::new("production", "https://api.example.com/hooks") });
        let colours = |app: &App, selected| -> Vec<(String, Color)> {
            let dialog = Dialog::Targets { selected, then: Then::Stay };
            let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
            terminal.draw(|frame| draw_one(app, &dialog, frame, frame.area(), &mut Regions::default())).unwrap();
            let buffer = terminal.backend().buffer();
            (0..24)
                .map(|y| {
                    let text: String = (2..78).map(|x| buffer[(x, y)].symbol()).collect();
                    (text.trim().to_owned(), buffer[(3, y)].fg)
                })
                .collect()
        };
        let guarded = theme::GUARDED.fg.unwrap();
        for selected in 0..3 {
            let rows = colours(&app, selected);
            let of = |name: &str| rows.iter().find(|(text, _)| text.contains(name)).unwrap().1;
            assert_eq!(of("production"), guarded);
            assert_ne!(of("local"), guarded);
            assert_ne!(of("another address"), guarded);
            // A platform's own place is real.
            assert_eq!(of("Jelou"), guarded);
        }
    }
}
