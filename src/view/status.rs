//! The two lines at the bottom: how things stand, and what the keys do or what was said last.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Clear;

use crate::app::App;
use crate::app::action::{Action, Scope};
use crate::app::dialog::Dialog;
use crate::app::mouse::Holder;
use crate::net::base_url;
use crate::net::responder::Health;
use crate::net::tunnel::Tunnel;
use crate::view::{answering, hints, paint, rows, theme};
use crate::visible;

pub(super) fn draw(app: &App, frame: &mut Frame, state: Rect, hints: Rect) {
    let buffer = frame.buffer_mut();
    paint::lines(buffer, &[state_line(app, usize::from(state.width))], state);
    paint::lines(buffer, &[hint_line(app, usize::from(hints.width))], hints);
}

/// What was said last, where the last row has no room for all of it: over what is there, the state line above it. Not over
/// a question, or a line that is typed in.
pub(super) fn draw_long(app: &App, frame: &mut Frame, area: Rect) {
    let asked = |dialog: &Dialog| matches!(dialog.scope(), Scope::Typing | Scope::Question);
    let asked = app.dialogs.last().is_some_and(asked);
    let Some(notice) = app.notice.as_ref().filter(|_| !asked) else { return };
    let room = usize::from(area.width).saturating_sub(1);
    let most = usize::from(area.height / 3);
    let mut lines = rows::wrap(&app.sentence(&notice.text), room);
    if lines.len() < 2 {
        return;
    }
    if lines.len() > most {
        let more = format!(" ({} has it all)", hints::key(app, Action::Log));
        lines.truncate(most);
        if let Some(last) = lines.last_mut() {
            let room = room.saturating_sub(visible::width(&more));
            *last = format!("{}{more}", visible::truncate(&format!("{last} …"), room));
        }
    }
    let style = theme::level(notice.level);
    let state = state_line(app, area.width.into());
    let told = lines.into_iter().map(|line| Line::styled(format!(" {line}"), style));
    let lines: Vec<Line> = std::iter::once(state).chain(told).collect();
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).min(area.height);
    let place = Rect { y: area.bottom() - height, height, ..area };
    frame.render_widget(Clear, place);
    paint::lines(frame.buffer_mut(), &lines, place);
}

/// Columns that are kept for the target, whatever else there is to say.
const KEPT: usize = 30;

/// What stands in the state line, the most important first: what does not fit any more is left out whole. The target is not:
/// where there is little room, it is cut.
fn state_line(app: &App, width: usize) -> Line<'static> {
    let (parts, target) = state_parts(app, false);
    let wide = |parts: &[(String, Style)]| parts.iter().map(|(text, _)| visible::width(text) + 3).sum::<usize>();
    let fits = target.is_none_or(|target| wide(&parts[..=target]) < width + 3);
    let (parts, target) = if fits { (parts, target) } else { state_parts(app, true) };
    let kept = target.and_then(|target| parts.get(target)).map_or(0, |(text, _)| visible::width(text).min(KEPT) + 3);
    let mut spans = vec![Span::raw(" ")];
    let mut used = 1;
    for (number, (mut text, style)) in parts.into_iter().enumerate() {
        let left = (width + 3).saturating_sub(used);
        let wide = visible::width(&text) + 3;
        if target == Some(number) && wide > left {
            text = visible::truncate(&text, left.saturating_sub(3)).into_owned();
        } else {
            let before = target.is_some_and(|target| number < target) && style != theme::ALARM;
            if wide + if before { kept } else { 0 } > left {
                continue;
            }
        }
        if used > 1 {
            spans.push(Span::styled(" │ ", theme::DIM));
        }
        used += visible::width(&text) + 3;
        spans.push(Span::styled(text, style));
    }
    Line::from(spans)
}

/// The parts of the state line, and which of them is the target; `tight`: with a short address of the listener.
fn state_parts(app: &App, tight: bool) -> (Vec<(String, Style)>, Option<usize>) {
    let mut parts: Vec<(String, Style)> = Vec::new();
    // A key that means something else where one is now is no hint.
    let key = |action| {
        let key = app.keymap.hint(action, hints::scope(app));
        key.map_or_else(String::new, |key| format!(" ({key})"))
    };
    if let Some((count, _)) = &app.unrecorded {
        let alarm = theme::ALARM;
        parts.push((format!("{count} NOT RECORDED ({} says why)", hints::key(app, Action::Log)), alarm));
    }
    let caution = |text| (text, theme::CAUTION);
    if let Some(first) = app.answers.held.first() {
        let left = answering::remaining(app, first);
        parts.push(caution(format!("{} WAITING {left}{}", app.answers.held.len(), key(Action::Hold))));
    }
    if app.answers.held.is_empty() && app.answers.holds() {
        parts.push((format!("holding calls{}", key(Action::Hold)), Style::new().fg(theme::WARNING)));
    }
    for (slot, fault, left) in app.answers.faults() {
        let left = left.map_or_else(String::new, |left| format!(", {left} left"));
        let words = crate::config::Fault { next: None, ..*fault };
        parts.push(caution(format!("FAULT {} {words}{left}", visible::line(&answering::whose(app, slot)))));
    }
    parts.extend(listener(app, tight));
    for (name, health) in &app.answers.health {
        if *health != Health::Up {
            parts.push((format!("✗ {} is down", visible::line(name)), Style::new().fg(theme::BAD)));
        }
    }
    if app.mouse == Holder::Terminal {
        parts.push((format!("mouse free{}", key(Action::Mouse)), Style::new().fg(theme::WARNING)));
    }
    if app.masked {
        parts.push((format!("masked{}", key(Action::Mask)), Style::new().fg(theme::WARNING)));
    }
    if let Some(export) = &app.export {
        let text = format!("exporting {} %{}", export.percent(), key(Action::Export));
        parts.push((text, Style::new().fg(theme::WARNING)));
    }
    if let Some(replay) = app.replay.as_ref().filter(|replay| replay.runs()) {
        let (done, total) = (replay.meter.done, replay.meter.total);
        let text = format!("replaying {done} of {total}{}", key(Action::ReplayMany));
        parts.push((text, Style::new().fg(theme::WARNING)));
    }
    // Where the next call would go is not to be pushed out.
    let target = app.target().map(|_| parts.len());
    parts.extend(app.target().map(|target| {
        let style = if target.guard { theme::GUARDED } else { Style::new() };
        (format!("→ {}", visible::line(&target_label(app, target))), style)
    }));
    parts.push((visible::count(app.calls.total, "call"), Style::new()));
    if let Some(percent) = app.arriving.percent() {
        parts.push((format!("reading {percent} %"), theme::DIM));
    }
    parts.extend(signs_of_life(app).into_iter().map(|sign| (sign, Style::new())));
    if app.sending.calls > 0 {
        parts.push((format!("sending {}…", app.sending.calls), Style::new().fg(theme::WARNING)));
    }
    if app.target().is_none() {
        parts.push((format!("→ no target{}", key(Action::Target)), theme::DIM));
    }
    let file = app.setup.recording.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    parts.push((visible::line(&file).into_owned(), theme::DIM));
    if app.tunnel.is_none() && app.unreachable().is_some() {
        parts.push((format!("this machine only{}", key(Action::Public)), theme::DIM));
    }
    (parts, target)
}

/// Where calls come, or what is looked at instead.
fn listener(app: &App, tight: bool) -> Vec<(String, Style)> {
    let live = Style::new().fg(theme::GOOD);
    let stopped = theme::ALARM;
    match app.setup.listener {
        Some(address) if app.answers.beat.serving => {
            let short = tight || app.public_url().is_some() || app.tunnel.is_some();
            let own = if short { format!("● :{}", address.port()) } else { format!("● {}", base_url(address)) };
            [(own, live)].into_iter().chain(public(app)).collect()
        }
        Some(address) => vec![(format!("■ STOPPED LISTENING at {}", base_url(address)), stopped)],
        None if app.setup.follow => vec![("● following the file".to_owned(), live)],
        None => vec![("opened".to_owned(), Style::new())],
    }
}

/// The public address, and how the tunnel to it does.
fn public(app: &App) -> Option<(String, Style)> {
    let shown = |url: &str| visible::line(url).into_owned();
    let (live, waits, broken) = (theme::GOOD, theme::WARNING, theme::BAD);
    let (text, colour) = match (&app.tunnel, app.public_url()) {
        (Some(Tunnel::Starting(None)), _) => ("⇄ tunnel starting…".to_owned(), waits),
        (Some(Tunnel::Starting(Some(_))), _) => {
            (format!("⇄ tunnel does not lead here yet ({})", app.keymap.key(Action::Public)), waits)
        }
        (Some(Tunnel::Lost(url, _)), _) => {
            (format!("✗ {} LOST ({} says why)", shown(url), app.keymap.key(Action::Log)), broken)
        }
        (Some(Tunnel::Ended(..)), _) => (format!("✗ TUNNEL ENDED ({} says why)", app.keymap.key(Action::Log)), broken),
        (_, Some(url)) => (format!("⇄ {}", shown(url)), live),
        (_, None) => return None,
    };
    Some((text, Style::new().fg(colour)))
}

/// What tells a listener at work from one that waits: calls under way, calls a second, the age of the last one that came.
fn signs_of_life(app: &App) -> Vec<String> {
    let mut signs = Vec::new();
    let waiting = app.answers.held.len();
    let under_way = app.answers.beat.in_flight.saturating_sub(waiting);
    if under_way > 0 {
        signs.push(format!("{under_way} in flight"));
    }
    let rate = app.arrivals.rate(app.now);
    if rate >= 1.0 {
        signs.push(format!("{rate:.1}/s"));
    }
    match app.arrivals.age(app.now) {
        Some(seconds @ 5..60) => signs.push(format!("last received {seconds} s ago")),
        Some(seconds @ 60..3600) => signs.push(format!("last received {} min ago", seconds / 60)),
        Some(seconds @ 3600..) => signs.push(format!("last received {} h ago", seconds / 3600)),
        _ => {}
    }
    let up: Vec<_> = app.answers.health.iter().filter(|(_, health)| *health == Health::Up).collect();
    if let [(name, _)] = up.as_slice() {
        signs.push(format!("✓ {}", visible::line(name)));
    } else if !up.is_empty() {
        signs.push(format!("✓ {} targets", up.len()));
    }
    signs
}

/// `staging staging.example.com`; the address alone where the name says nothing more, without its query: that may hold a token.
pub(super) fn target_label(app: &App, target: &crate::config::Target) -> String {
    match target.address() {
        Some((address, number)) => {
            format!("{}{number}", app.path(address.split_once("://").map_or(address, |(_, rest)| rest)))
        }
        None => format!("{} {}", target.name, target.place()),
    }
}

fn hint_line(app: &App, width: usize) -> Line<'static> {
    if let Some(notice) = &app.notice {
        let text = app.sentence(&notice.text);
        let text = visible::line(&text);
        let room = width.saturating_sub(1);
        let style = theme::level(notice.level);
        if visible::width(&text) <= room {
            return Line::styled(format!(" {text}"), style);
        }
        let more = format!(" ({} has it all)", hints::key(app, Action::Log));
        let cut = visible::truncate(&text, room.saturating_sub(visible::width(&more))).into_owned();
        return Line::from(vec![Span::styled(format!(" {cut}"), style), Span::styled(more, theme::DIM)]);
    }
    hints::row(app, width)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::tests::app;
    use crate::config::Target;

    #[test]
    fn the_target_is_seen_whatever_else_there_is_to_say() {
        let mut app = app();
        app.setup.listener = Some("127.0.0.1:4747".parse().unwrap());
        app.answers.beat.serving = true;
        app.mouse = Holder::Terminal;
        app.masked = true;
        app.choose(Target { guard: true, ..Target::new("production", "https://api.example.com/hooks") });
        let seen = |app: &App, width| state_line(app, width).to_string();
        for width in [80, 60, 40] {
            let line = seen(&app, width);
            assert!(line.contains("→ production api.example.com"), "{width}: {line}");
            assert!(visible::width(&line) <= width, "{line}");
        }
        assert!(seen(&app, 24).contains("→ production api.ex"), "{}", seen(&app, 24));
        app.choose(Target::from_address("127.0.0.1:3000/hook?token=t0p").unwrap());
        app.arrivals.came(app.now);
        app.now += jiff::SignedDuration::from_mins(4);
        assert!(seen(&app, 160).contains("last received 4 min ago"), "{}", seen(&app, 160));
        app.arrivals = crate::app::arrivals::Arrivals::default();
        let line = seen(&app, 80);
        assert!(line.ends_with("→ 127.0.0.1:3000/hook") && !line.contains("t0p"), "{line}");
        app.choose(Target::from_address("127.0.0.1:3000/hook?token=0ther").unwrap().told_apart(&app.targets));
        assert!(seen(&app, 80).contains("→ 127.0.0.1:3000/hook (2) │"), "{}", seen(&app, 80));
        app.choose(Target::new("a", "http://a-very-long-name-of-a-host.internal.example.com:8080/x"));
        for width in [40, 30] {
            let line = seen(&app, width);
            assert!(line.contains("→ a a-very-long-") && line.contains('…'), "{width}: {line}");
            assert!(visible::width(&line) <= width, "{line}");
        }
    }
}
