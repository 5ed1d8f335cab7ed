//! The selected call and its tabs.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Paragraph};
use serde_json::{Map, Value};

use crate::app::action::Action;
use crate::app::body::Body;
use crate::app::mouse::Spots;
use crate::app::shown::{Shown, Tab};
use crate::app::tree::Tree;
use crate::app::{App, Focus, Regions};
use crate::call::{Call, Forwarded, Headers, reason};
use crate::signature::Verdict;
use crate::view::{body, conversation, envelope, list, paint, rows, spot, theme, tree};
use crate::visible;

/// Columns of the meaning of a claim.
const MEANING: usize = 23;

/// Rows at the foot of the envelope, the line above them among them.
const FOOT: u16 = 4;

/// What a tab shows: rows made from the call, and below them a text too long to be made whole.
#[derive(Default)]
struct Content<'a> {
    head: Vec<Line<'static>>,
    body: Option<&'a Body>,
    /// The rows of the head that the cursor is in.
    cursor: Option<(usize, usize)>,
}

pub(super) fn draw(app: &App, frame: &mut Frame, area: Rect, beside: bool, regions: &mut Regions) {
    let borders = if beside { Borders::TOP | Borders::LEFT } else { Borders::TOP };
    let block =
        Block::new().borders(borders).title(tabs(app, area, beside, &mut regions.spots)).border_style(theme::DIM);
    regions.spots.detail = spot(area);
    let inner = block.inner(area);
    paint::edges(frame.buffer_mut(), block, area);
    let width = usize::from(inner.width);
    let (inner, foot) = with_foot(app, inner);
    let height = usize::from(inner.height);
    regions.detail_width = width;
    regions.detail_height = height;
    let Some(shown) = &app.shown else {
        frame.render_widget(Paragraph::new(waiting(app, width)), inner);
        return;
    };
    let mut content = content(app, shown, width);
    let remarks = remarks(app, shown, width);
    regions.cursor = content.cursor.map(|(first, last)| (first + remarks.len(), last + remarks.len()));
    content.head.splice(..0, remarks);
    let above = content.head.len();
    regions.detail_head = above;
    regions.detail_rows = above + content.body.map_or(0, Body::len);
    let first = app.scroll[app.tab as usize].min(regions.detail_rows.saturating_sub(1));
    let mut lines: Vec<Line> = content.head.into_iter().skip(first).take(height).collect();
    if let Some(body) = content.body {
        let from = first.saturating_sub(above);
        let rows = from..from + height.saturating_sub(lines.len());
        let needle = &shown.hits.needle;
        lines.extend(match body {
            Body::Text(text) => body::lines(text, rows, needle),
            Body::Hex(bytes) => body::bytes(bytes, rows, width),
            Body::Tree(tree, _) => tree::lines(tree, rows, app.focus == Focus::Detail, needle, width),
        });
    }
    paint::lines(frame.buffer_mut(), &lines, inner);
    if let Some(foot) = foot {
        let block = Block::new().borders(Borders::TOP).border_style(theme::DIM);
        let lines = match tree_of(app, shown) {
            Some(tree) => tree::foot(tree, meaning(app, shown, tree), width),
            None => envelope::help(app, shown, width),
        };
        frame.render_widget(Paragraph::new(lines).block(block), foot);
    }
}

/// The tree that the open tab shows.
fn tree_of<'a>(app: &App, shown: &'a Shown) -> Option<&'a Tree> {
    match app.tab {
        Tab::Body => shown.body.tree(),
        Tab::Response => shown.answer.tree(),
        _ => None,
    }
}

/// What the contract says of the value at a tree's cursor.
fn meaning<'a>(app: &'a App, shown: &Shown, tree: &Tree) -> Option<&'a str> {
    let kind = app.setup.platforms.kind(shown.call.kind.as_deref())?;
    if app.tab == Tab::Body && shown.filtered.is_none() { kind.meaning(&tree.pointer()) } else { None }
}

/// Room at the foot of the tab for what is to be said of the field or the value under the cursor.
fn with_foot(app: &App, area: Rect) -> (Rect, Option<Rect>) {
    let has_cursor = |shown: &Shown| match app.tab {
        Tab::Envelope => shown.fields().next().is_some(),
        _ => tree_of(app, shown).is_some(),
    };
    let wanted = app.focus == Focus::Detail && area.height >= 4 * FOOT;
    if !wanted || !app.shown.as_ref().is_some_and(has_cursor) {
        return (area, None);
    }
    let [tab, foot] = Layout::vertical([Constraint::Min(0), Constraint::Length(FOOT)]).areas(area);
    (tab, Some(foot))
}

fn waiting(app: &App, width: usize) -> Vec<Line<'static>> {
    match app.calls.selected().and_then(|number| app.cache.get(number)).map(|cached| &cached.call) {
        Some(Err(reason)) => {
            let text = format!("this call cannot be read: {reason}");
            let lines = rows::wrap(&text, width).into_iter();
            lines.map(|line| Line::styled(line, theme::level(crate::app::event::Level::Error))).collect()
        }
        _ if app.calls.is_empty() => Vec::new(),
        _ => vec![Line::styled("reading …", theme::DIM)],
    }
}

/// The tabs by name; where there is no room for the names, those not open by their keys.
fn tabs(app: &App, area: Rect, beside: bool, spots: &mut Spots) -> Line<'static> {
    let width = usize::from(area.width);
    let mut x = area.x + u16::from(beside) + 1;
    let signs = Tab::ALL.map(|tab| app.shown.as_ref().map_or("", |shown| sign(shown, tab)));
    let named: usize = Tab::ALL.iter().zip(signs).map(|(tab, sign)| tab.title().len() + visible::width(sign) + 2).sum();
    let mut spans = vec![Span::raw(" ")];
    for ((number, tab), sign) in Tab::ALL.into_iter().enumerate().zip(signs) {
        let style = match (tab == app.tab, app.focus) {
            (true, Focus::Detail) => theme::FOCUSED.add_modifier(ratatui::style::Modifier::UNDERLINED),
            (true, Focus::List) => theme::HEADING.add_modifier(ratatui::style::Modifier::UNDERLINED),
            (false, _) => theme::DIM,
        };
        let (name, gap) = match named < width {
            true => (tab.title().to_owned(), "  "),
            false if tab == app.tab => (format!("{} {}", number + 1, tab.title()), " "),
            false => ((number + 1).to_string(), " "),
        };
        let heading = Span::styled(format!("{name}{sign}"), style);
        let wide = u16::try_from(heading.width()).unwrap_or(u16::MAX);
        spots.tabs[number] = spot(Rect { x, y: area.y, width: wide, height: 1 }.intersection(area));
        x = x.saturating_add(wide).saturating_add(u16::try_from(gap.len()).unwrap_or(0));
        spans.push(heading);
        spans.push(Span::raw(gap));
    }
    Line::from(spans)
}

/// A sign beside a tab that has something to say.
fn sign(shown: &Shown, tab: Tab) -> &'static str {
    use crate::call::Sig;
    use crate::platform::Severity;
    let grave = |found: &[crate::platform::Finding]| found.iter().any(|finding| finding.severity != Severity::Note);
    match tab {
        Tab::Envelope if grave(&shown.request_findings) => "!",
        Tab::Response if shown.call.error.is_some() || grave(&shown.response_findings) => "!",
        Tab::Signature => match shown.verdict.as_ref().map(|verdict| verdict.sig) {
            Some(Sig::Valid) => "✓",
            Some(Sig::Invalid) => "✗",
            Some(Sig::Unsigned) | None => "",
            Some(_) => "?",
        },
        _ => "",
    }
}

/// What is said of the call: it stands above every tab.
fn remarks(app: &App, shown: &Shown, width: usize) -> Vec<Line<'static>> {
    let Some(remarks) = app.index.marks().of(shown.call.id) else { return Vec::new() };
    let (sign, style) = theme::remarks(remarks);
    let mut lines = Vec::new();
    let mut say = |sign: &str, style, text: &str| {
        lines.extend(rows::row(&[(sign, style, 1), (text, style, width.saturating_sub(2))]));
    };
    if remarks.deleted {
        say(sign, style, &format!("deleted: {} brings it back", app.keymap.key(Action::Delete)));
    } else if let Some(mark) = remarks.mark {
        say(sign, style, &mark.colour.map_or("marked".to_owned(), |colour| format!("marked {}", colour.word())));
    }
    if let Some(note) = &remarks.note {
        say("✎", theme::SAID, &app.noted(note));
    }
    lines.push(Line::default());
    lines
}

fn content<'a>(app: &App, shown: &'a Shown, width: usize) -> Content<'a> {
    let head = |head| Content { head, ..Content::default() };
    match app.tab {
        Tab::Envelope => {
            let (head, cursor) = envelope::lines(app, shown, width);
            Content { head, body: None, cursor }
        }
        Tab::Body if shown.body.is_empty() && shown.filtered.is_none() => head(no_body(&shown.call, width)),
        Tab::Body => with_body(made(app, shown, (&shown.body, shown.packed.as_ref()), width), &shown.body),
        Tab::Headers => head(headers_tab(&shown.call, width)),
        Tab::Signature => head(signature(shown, width)),
        Tab::Response => {
            let mut head = response(shown, width);
            head.extend(made(app, shown, (&shown.answer, shown.answer_packed.as_ref()), width));
            with_body(head, &shown.answer)
        }
        Tab::Conversation => {
            let (head, cursor) = conversation::lines(app, width);
            Content { head, body: None, cursor }
        }
    }
}

/// A body below rows of its own; the cursor is in it where it is a tree.
fn with_body<'a>(head: Vec<Line<'static>>, body: &'a Body) -> Content<'a> {
    let row = body.tree().map(Tree::row);
    // With the first row what stands above it is seen.
    let cursor = row.map(|row| (if row == 0 { 0 } else { head.len() + row }, head.len() + row + 1));
    Content { head, body: Some(body), cursor }
}

/// What is shown where it is not the body itself. `packed`: what is to be said of one that came compressed.
fn made(app: &App, shown: &Shown, (body, packed): (&Body, Option<&String>), width: usize) -> Vec<Line<'static>> {
    let text = match (&shown.filtered, body) {
        _ if app.filter_runs() => format!("jq runs · {} ends it", app.keymap.key(Action::Back)),
        (Some((tab, filter)), _) if *tab == app.tab => {
            let nothing = if body.is_empty() { " gives nothing" } else { "" };
            format!("jq {filter}{nothing} · {} goes back", app.keymap.key(Action::Back))
        }
        (_, Body::Tree(_, Some(what))) => {
            format!("{what}, decoded: {} shows it as it came", app.keymap.key(Action::Pretty))
        }
        (_, Body::Text(text)) if text.too_deep => "nested too deep to be laid out: shown as it came".to_owned(),
        _ if packed.is_some() => String::new(),
        _ => return Vec::new(),
    };
    let said = packed.map(String::as_str).into_iter().chain([&*text]).filter(|said| !said.is_empty());
    rows::row(&[(&said.collect::<Vec<_>>().join(" · "), theme::DIM, width)])
}

/// What a request says that has no body: its query.
fn no_body(call: &Call, width: usize) -> Vec<Line<'static>> {
    let mut lines = vec![Line::styled("no body", theme::DIM)];
    if let Some(query) = call.request.query() {
        lines.extend(rows::heading("Query"));
        let parameters: Vec<_> = url::form_urlencoded::parse(query.as_bytes()).collect();
        let first = parameters.iter().map(|(name, _)| visible::width(name)).max().unwrap_or(0).min(width / 3);
        for (name, value) in &parameters {
            let rest = width.saturating_sub(first + 1);
            lines.extend(rows::row(&[(name, theme::KEY, first), (value, Style::new(), rest)]));
        }
    }
    lines
}

fn headers_tab(call: &Call, width: usize) -> Vec<Line<'static>> {
    let request = &call.request;
    let mut lines = rows::row(&[(&format!("{} {}", request.method, request.target), theme::HEADING, width)]);
    if let Some(origin) = &request.origin {
        lines.extend(rows::labelled("sent to", origin, Style::new(), width));
    }
    lines.push(Line::default());
    lines.extend(headers(&request.headers, width));
    lines
}

fn headers(headers: &Headers, width: usize) -> Vec<Line<'static>> {
    // As wide as the long names of CORS are.
    let longest = headers.iter().map(|(name, _)| visible::width(name)).max().unwrap_or(0);
    let name_width = longest.clamp(26, 34).min(width / 2);
    headers
        .iter()
        .flat_map(|(name, value)| {
            let value = visible::bytes(value);
            rows::row(&[(name, theme::KEY, name_width), (&value, Style::new(), width.saturating_sub(name_width + 1))])
        })
        .collect()
}

fn signature(shown: &Shown, width: usize) -> Vec<Line<'static>> {
    let Some(verdict) = &shown.verdict else {
        return rows::row(&[("no platform claims this call, so there is no signature to check", theme::DIM, width)]);
    };
    let (sign, style) = theme::sig(verdict.sig);
    let mut lines = rows::labelled("verdict", &format!("{sign} {}", verdict.sig.word()), style, width);
    lines.extend(rows::labelled("", &verdict.reason, Style::new(), width));
    if shown.is_masked() {
        let text = "what was given and signed; the verdict is that of the call as it is";
        lines.extend(rows::labelled("masked", text, theme::DIM, width));
    }
    if let Some(then) = shown.call.sig.filter(|then| *then != verdict.sig) {
        let text = format!("{}, with the secrets at hand then", then.word());
        lines.extend(rows::labelled("when recorded", &text, theme::DIM, width));
    }
    let why = shown.why.as_deref().unwrap_or_default();
    if shown.why.is_none() && shown.asked {
        lines.extend(rows::heading("Why"));
        lines.push(Line::styled("is being found out: the call is large", theme::DIM));
    }
    if !why.is_empty() {
        lines.extend(rows::heading("Why"));
        for sentence in why {
            lines.extend(rows::row(&[("•", theme::DIM, 1), (sentence, Style::new(), width.saturating_sub(2))]));
        }
    }
    lines.extend(token(verdict, width));
    if lines.len() > 4 {
        lines.push(Line::default());
    }
    let facts = [
        ("scheme", &shown.scheme),
        ("header", &verdict.header),
        ("given", &verdict.given),
        ("signed", &verdict.signed),
        ("its text", &shown.signed_text),
        ("secret", &verdict.secret),
    ];
    for (label, fact) in facts {
        if let Some(fact) = fact {
            lines.extend(rows::labelled(label, fact, Style::new(), width));
        }
    }
    lines
}

/// What a token says, claim by claim.
fn token(verdict: &Verdict, width: usize) -> Vec<Line<'static>> {
    let note = |label: &str| verdict.notes.iter().find(|(name, _)| name == label).map(|(_, text)| text.as_str());
    let mut lines = Vec::new();
    for (heading, text) in [("Token header", note("token header")), ("Token claims", note("token claims"))] {
        let Some(members) = text.and_then(|text| serde_json::from_str::<Map<String, Value>>(text).ok()) else {
            continue;
        };
        lines.extend(rows::heading(heading));
        let told = |name: &str, value: &Value| {
            let value = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
            note(name).map_or(value.clone(), |time| format!("{value} = {time}"))
        };
        let claims: Vec<(&String, String)> = members.iter().map(|(name, value)| (name, told(name, value))).collect();
        let (first, last) = (10.min(width / 4), if width > 60 { MEANING } else { 0 });
        let widest = claims.iter().map(|(_, told)| visible::width(told)).max().unwrap_or(0);
        let middle = widest.min(width.saturating_sub(first + last + 2));
        for (name, told) in &claims {
            let columns =
                [(name.as_str(), theme::KEY, first), (told, Style::new(), middle), (claim(name), theme::DIM, last)];
            lines.extend(rows::row(&columns[..if last > 0 { 3 } else { 2 }]));
        }
    }
    if let Some(ignored) = note("ignored") {
        lines.extend(rows::labelled("ignored", ignored, theme::DIM, width));
    }
    lines
}

/// What a registered name means (RFC 7519, 4.1; RFC 7515, 4.1).
fn claim(name: &str) -> &'static str {
    match name {
        "alg" => "how it is signed",
        "typ" => "what it is",
        "kid" => "the key's name",
        "iss" => "who issued it",
        "sub" => "whom it is about",
        "aud" => "whom it is for",
        "exp" => "until when it is good",
        "nbf" => "since when it is good",
        "iat" => "when it was made",
        "jti" => "its own name",
        _ => "",
    }
}

fn response(shown: &Shown, width: usize) -> Vec<Line<'static>> {
    let call = &shown.call;
    let took = list::took(call.took);
    let mut lines = Vec::new();
    match &call.response {
        Some(response) if call.is_abandoned() => {
            lines
                .push(Line::styled(format!("no response: {} was ready after {took}", response.status), theme::HEADING));
        }
        Some(response) => lines.extend(status_line(response.status, &took, response.body.len())),
        None => lines.push(Line::styled(format!("no response, after {took}"), theme::HEADING)),
    }
    if let Some(redirect) = call.redirect() {
        lines.extend(rows::row(&[(&redirect, theme::DIM, width)]));
    }
    if let Some(error) = &call.error {
        lines.extend(rows::row(&[(error, theme::level(crate::app::event::Level::Error), width)]));
    }
    if let Some(forwarded) = &call.forwarded {
        let label = if forwarded.first_byte_us.is_some() { "forwarded" } else { "forward to" };
        lines.extend(rows::labelled(label, &forwarding(forwarded), Style::new(), width));
    }
    if let Some(consequence) = &shown.consequence {
        let failed = consequence.failed.as_ref().map(|_| theme::level(crate::app::event::Level::Warning));
        lines.extend(rows::labelled("platform", &consequence.to_string(), failed.unwrap_or_default(), width));
    }
    lines.extend(rows::findings(&shown.response_findings, width));
    if let Some(response) = &call.response {
        lines.push(Line::default());
        lines.extend(headers(&response.headers, width));
        lines.push(Line::default());
    }
    lines
}

/// `→ http://127.0.0.1:3000/api · connect 0.2ms · first byte 3.1ms · total 3.4ms`. Where no answer began to come nobody knows
/// that there was a connection.
fn forwarding(forwarded: &Forwarded) -> String {
    let total = list::duration(forwarded.total_us);
    let connect = forwarded.connect_us.map(|us| format!(" · connect {}", list::duration(us)));
    let stages = match forwarded.first_byte_us {
        None => format!("{} · no answer · given up after {total}", connect.unwrap_or_default()),
        Some(us) => {
            let connect = connect.unwrap_or_else(|| " · connected before".to_owned());
            let ended = if forwarded.cut { "broken off after" } else { "total" };
            format!("{connect} · first byte {} · {ended} {total}", list::duration(us))
        }
    };
    format!("→ {}{stages}", forwarded.to)
}

/// `200 OK · 1.8ms · 34 bytes`.
pub(super) fn status_line(status: u16, took: &str, size: usize) -> [Line<'static>; 1] {
    [Line::from(vec![
        Span::styled(
            format!("{status} {}", reason(status)),
            theme::status(status).add_modifier(ratatui::style::Modifier::BOLD),
        ),
        Span::styled(format!(" · {took} · {size} bytes"), theme::DIM),
    ])]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_forwarded_call_no_more_is_told_than_is_known() {
        let told = |connect_us, first_byte_us, cut| {
            forwarding(&Forwarded { to: "http://h/".to_owned(), connect_us, first_byte_us, total_us: 900, cut })
        };
        assert_eq!(told(Some(2), Some(3), false), "→ http://h/ · connect 2µs · first byte 3µs · total 900µs");
        assert_eq!(told(None, Some(3), false), "→ http://h/ · connected before · first byte 3µs · total 900µs");
        assert_eq!(
            told(None, Some(3), true),
            "→ http://h/ · connected before · first byte 3µs · broken off after 900µs"
        );
        assert_eq!(told(None, None, false), "→ http://h/ · no answer · given up after 900µs");
    }
}
