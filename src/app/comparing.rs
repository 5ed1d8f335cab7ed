//! Two calls side by side: what differs, what does not count, and the way from one difference to the next.
//!
//! ```text
//!  status   200        503          rows of what stands above the bodies, then the bodies line by line:
//!  {        {                       a row belongs to no difference, or to one of them
//!    "a": 1   "a": 2   <- /a
//! ```

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use similar::DiffOp;

use crate::app::App;
use crate::app::action::{Action, Scope};
use crate::app::dialog_keys::Press;
use crate::app::event::{Effect, Notice, Wanted};
use crate::app::panel::Panel;
use crate::app::text::wrapped;
use crate::call::{Call, Id};
use crate::json::{self, TokenKind};
use crate::platform::Platforms;
use crate::replay::compare::{self, Difference, Place, Rules, Side};
use crate::visible;

/// Most bytes of a body that are laid side by side; of larger ones only the differences are listed.
const MOST_BYTES: usize = 1 << 20;
/// After this time lines are matched less exactly.
const PATIENCE: Duration = Duration::from_millis(200);

/// One row: what stands left and right, and which difference it belongs to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// What it is, where it is no line of a body.
    pub label: String,
    /// What stands left.
    pub left: Option<String>,
    /// What stands right.
    pub right: Option<String>,
    /// Which of the differences.
    pub difference: Option<usize>,
    /// It differs in what does not count.
    pub ignored: bool,
}

impl Row {
    /// What stands left and right, in lines of `width` columns.
    #[must_use]
    pub fn lines(&self, width: usize) -> [Vec<String>; 2] {
        [&self.left, &self.right].map(|side| match side {
            None => Vec::new(),
            Some(text) if self.label.is_empty() => wrapped(text, width),
            Some(text) => wrapped(&format!("{}: {text}", self.label), width),
        })
    }

    /// How many lines it takes.
    fn height(&self, width: usize) -> usize {
        // Most rows take one, and there may be many rows: nothing is cut for these. No character takes more columns than bytes.
        let short = |text: &String| {
            let shown = visible::text(text);
            self.label.is_empty() && shown.len() <= width && !shown.contains('\n')
        };
        if self.left.iter().chain(&self.right).all(short) {
            return 1;
        }
        self.lines(width).iter().map(Vec::len).max().unwrap_or(1).max(1)
    }
}

/// Two calls side by side.
#[derive(Debug)]
pub struct Comparison {
    /// The left one.
    pub left: Arc<Call>,
    /// The right one.
    pub right: Arc<Call>,
    /// Whether answers or requests are compared.
    pub side: Side,
    /// Where they differ.
    pub differences: Vec<Difference>,
    /// There was no time to find the fewest differences, or to lay the lines beside each other that belong together.
    pub rough: bool,
    /// What is shown.
    pub rows: Vec<Row>,
    /// The difference that the keys are for.
    pub selected: usize,
    /// First line shown.
    pub scroll: usize,
    /// A difference was jumped to: it is scrolled to.
    pub chase: bool,
}

impl Comparison {
    /// Compares two calls, the answers first.
    #[must_use]
    pub fn new(left: Arc<Call>, right: Arc<Call>, platforms: &Platforms, rules: &Rules) -> Self {
        let mut comparison = Self {
            left,
            right,
            side: Side::Response,
            differences: Vec::new(),
            rough: false,
            rows: Vec::new(),
            selected: 0,
            scroll: 0,
            chase: true,
        };
        comparison.work_out(platforms, rules);
        comparison
    }

    /// Where they differ by `rules`, and what is shown of it.
    fn work_out(&mut self, platforms: &Platforms, rules: &Rules) {
        let (left, right) = (&*self.left, &*self.right);
        let kind = platforms.kind(left.kind.as_deref());
        self.differences = match self.side {
            Side::Request => compare::requests(&left.request, &right.request, kind, rules),
            Side::Response => compare::responses(left.response.as_ref(), right.response.as_ref(), kind, rules),
        };
        let rough;
        (self.rows, rough) = rows(left, right, self.side, &self.differences);
        self.rough = rough || self.differences.iter().any(|found| found.rough);
        self.selected = self.selected.min(self.differences.len().saturating_sub(1));
        self.chase = true;
    }

    /// The rows of the difference that the keys are for.
    #[must_use]
    pub fn span(&self) -> Option<Range<usize>> {
        let ours = |row: &Row| row.difference == Some(self.selected);
        let first = self.rows.iter().position(ours)?;
        let last = self.rows.iter().rposition(ours)?;
        Some(first..last + 1)
    }

    /// At which line each row begins where a side has `width` columns, and behind them how many lines there are.
    #[must_use]
    pub fn begins(&self, width: usize) -> Vec<usize> {
        let mut lines = 0;
        let heights = self.rows.iter().map(|row| row.height(width));
        let behind = heights.map(|height| {
            lines += height;
            lines
        });
        std::iter::once(0).chain(behind).collect()
    }

    /// The first line shown where `room` lines are to show the difference that the keys are for.
    #[must_use]
    pub fn shown_from(&self, begins: &[usize], room: usize) -> usize {
        let last = begins.last().map_or(0, |lines| lines.saturating_sub(room));
        let jumped = self.span().filter(|_| self.chase).map(|span| begins[span.start]..begins[span.end]);
        match jumped {
            Some(span) if span.start < self.scroll || span.end > self.scroll + room => {
                // A few lines above it say where it stands.
                span.start.saturating_sub(room / 4).min(last)
            }
            _ => self.scroll.min(last),
        }
    }

    fn step(&mut self, steps: isize) {
        let count = self.differences.len();
        if count > 0 {
            self.selected = (self.selected + count).saturating_add_signed(steps) % count;
            self.chase = true;
        }
    }
}

/// The rows, and whether there was too little time for the best ones.
fn rows(left: &Call, right: &Call, side: Side, differences: &[Difference]) -> (Vec<Row>, bool) {
    let mut rows: Vec<Row> = Vec::new();
    let in_body = |place: &Place| matches!(place, Place::Json(_) | Place::Lines(..));
    if side == Side::Response && !differences.iter().any(|found| matches!(found.place, Place::Status | Place::Answer)) {
        let status = |call: &Call| Some(call.status()?.to_string());
        rows.push(Row { label: "status".into(), left: status(left), right: status(right), ..Row::default() });
    }
    // Where there is no answer, it is said why.
    let why = |call: &Call| call.error.clone().filter(|_| side == Side::Response && call.response.is_none());
    let unanswered = [why(left), why(right)];
    let (left, right) = (content(left, side), content(right, side));
    let large = left.len().max(right.len()) > MOST_BYTES;
    for (number, found) in differences.iter().enumerate().filter(|(_, found)| large || !in_body(&found.place)) {
        let Difference { left, right, place, .. } = found.clone();
        rows.push(Row { label: place.to_string(), left, right, difference: Some(number), ignored: false });
    }
    if let [left, right] = unanswered
        && (left.is_some() || right.is_some())
    {
        rows.push(Row { label: "no answer".into(), left, right, ..Row::default() });
    }
    let mut rough = false;
    if !large && let (Ok(left), Ok(right)) = (std::str::from_utf8(&left), std::str::from_utf8(&right)) {
        let (lines, too_long) = lines(left, right, differences);
        rows.extend(lines);
        rough = too_long;
    }
    (rows, rough)
}

/// What a body holds.
fn content(call: &Call, side: Side) -> Bytes {
    match side {
        Side::Request => call.request.readable().body.clone(),
        Side::Response => call.response.as_ref().map(|response| response.readable().body.clone()).unwrap_or_default(),
    }
}

/// The bodies line by line, JSON laid out for it, and whether there was too little time for the best match.
fn lines(left: &str, right: &str, differences: &[Difference]) -> (Vec<Row>, bool) {
    let laid_out = |text: &str| json::pretty(text).unwrap_or_else(|_| text.to_owned());
    // Where one is no JSON they were compared as they are.
    let json = differences.iter().all(|found| !matches!(found.place, Place::Lines(..)));
    let (left, right) = if json { (laid_out(left), laid_out(right)) } else { (left.to_owned(), right.to_owned()) };
    let [of_left, of_right] = if json {
        let trie = PointerTrie::of(differences);
        [&left, &right].map(|text| of_values(text, &trie))
    } else {
        let (mut of_left, mut of_right) = (Vec::new(), Vec::new());
        for (number, found) in differences.iter().enumerate() {
            if let Place::Lines(left, right) = &found.place {
                for (lines, range) in [(&mut of_left, left), (&mut of_right, right)] {
                    lines.resize(range.start, None);
                    lines.resize(range.end, Some(number));
                }
            }
        }
        [of_left, of_right]
    };
    let (diff, rough) = compare::matched(&left, &right, PATIENCE);
    let text = |line: &str| line.trim_end_matches(['\r', '\n']).to_owned();
    let mut rows = Vec::new();
    for op in diff.ops() {
        let (old, new) = (op.old_range(), op.new_range());
        let equal = matches!(op, DiffOp::Equal { .. });
        for step in 0..old.len().max(new.len()) {
            let (old, new) = (old.clone().nth(step), new.clone().nth(step));
            let number = |of: &[Option<usize>], line: Option<usize>| *of.get(line?)?;
            let difference = if equal { None } else { number(&of_left, old).or_else(|| number(&of_right, new)) };
            rows.push(Row {
                label: String::new(),
                left: old.map(|line| text(diff.old_slices()[line])),
                right: new.map(|line| text(diff.new_slices()[line])),
                difference,
                ignored: !equal && difference.is_none(),
            });
        }
    }
    (rows, rough)
}

/// The JSON Pointers of differences as a trie of their tokens: one may be as long as a body, and is followed for each line.
struct PointerTrie<'a> {
    /// Where a token leads from a node. The root is 0.
    edges: HashMap<(usize, &'a str), usize>,
    /// The number of the difference at each node.
    numbers: Vec<Option<usize>>,
}

impl<'a> PointerTrie<'a> {
    fn of(differences: &'a [Difference]) -> Self {
        let mut trie = Self { edges: HashMap::new(), numbers: vec![None] };
        for (number, found) in differences.iter().enumerate() {
            let Place::Json(pointer) = &found.place else { continue };
            let node = pointer.split('/').skip(1).fold(0, |node, token| {
                let next = trie.numbers.len();
                let there = *trie.edges.entry((node, token)).or_insert(next);
                trie.numbers.resize(next.max(there + 1), None);
                there
            });
            trie.numbers[node].get_or_insert(number);
        }
        trie
    }

    /// Where a token leads, if a difference is there or below.
    fn step(&self, from: Option<usize>, token: &str) -> Option<usize> {
        self.edges.get(&(from?, token)).copied()
    }
}

/// Of each line of laid out JSON the number of the difference that the value on it is, or that holds that; in one pass.
fn of_values(text: &str, trie: &PointerTrie<'_>) -> Vec<Option<usize>> {
    let mut numbers: Vec<Option<Option<usize>>> = vec![None; text.split('\n').count()];
    let mut line = 0;
    let mut node = Some(0);
    // Of each open container its node, in an array at which index we are, and its number.
    let mut open: Vec<(Option<usize>, Option<usize>, Option<usize>)> = Vec::new();
    for token in json::tokens(text) {
        let Some(word) = text.get(token.span) else { break };
        // What belongs to a difference does so with all that is in it.
        let mut number = open.last().and_then(|(.., number)| *number);
        match (token.kind, open.last_mut()) {
            (TokenKind::Space, _) => {
                line += word.matches('\n').count();
                continue;
            }
            (TokenKind::Key, Some((container, ..))) => {
                node = trie.step(*container, &json::escape(&json::unquote(word)));
            }
            (TokenKind::Comma, Some((_, Some(index), _))) => *index += 1,
            (TokenKind::CloseObject | TokenKind::CloseArray, Some((container, ..))) => {
                node = *container;
                open.pop();
            }
            (kind, Some((container, Some(index), _))) if kind.begins_value() => {
                node = trie.step(*container, &index.to_string());
            }
            _ => {}
        }
        let first = numbers.get_mut(line).filter(|known| known.is_none());
        let opens = matches!(token.kind, TokenKind::OpenObject | TokenKind::OpenArray);
        if number.is_none() && (first.is_some() || opens) {
            number = node.and_then(|node| trie.numbers[node]);
        }
        if opens {
            open.push((node, (token.kind == TokenKind::OpenArray).then_some(0), number));
        }
        if let Some(first) = first {
            *first = Some(number);
        }
    }
    numbers.into_iter().map(Option::flatten).collect()
}

impl Comparison {
    /// Whether the bodies are other bytes, though they may say the same.
    #[must_use]
    pub fn differs_in_bytes(&self) -> bool {
        compare::bytes_differ(&self.left, &self.right, self.side)
    }

    /// The place with `*` for each index of an array.
    fn in_all(&self, pointer: &str) -> String {
        let bodies = [&self.left, &self.right].map(|call| content(call, self.side));
        let texts = bodies.each_ref().map(|body| std::str::from_utf8(body).unwrap_or_default());
        let is_array = |parent: &str| {
            texts.iter().any(|text| json::find(text, parent).is_some_and(|span| text[span].starts_with('[')))
        };
        let names = pointer.match_indices('/').map(|(at, _)| {
            let name = pointer[at + 1..].split('/').next().unwrap_or_default();
            if is_array(&pointer[..at]) { "/*".to_owned() } else { format!("/{name}") }
        });
        names.collect()
    }
}

impl App {
    /// Compares the two marked calls where the selected one is of them or repeats none; else the selected one with the
    /// call that it repeats.
    pub(super) fn compare_selected(&mut self) -> Vec<Effect> {
        let Some(view) = self.calls.selected().and_then(|row| self.index.view(row)) else { return Vec::new() };
        let (selected, parent) = (view.id, view.parent);
        let marks = self.index.marks();
        let is_marked = |id: Id| marks.of(id).is_some_and(|remarks| remarks.mark.is_some() && !remarks.deleted);
        let marked: Vec<Id> = self.index.iter().map(|view| view.id).filter(|id| is_marked(*id)).take(3).collect();
        match (&marked[..], parent) {
            ([left, right], parent) if parent.is_none() || is_marked(selected) => self.compare_calls(*left, *right),
            (_, Some(parent)) => self.compare_calls(parent, selected),
            _ => {
                let told = Notice::info(if marked.len() > 2 {
                    "more than two calls are marked: mark but two, or select a replayed call"
                } else {
                    "nothing to compare: select a replayed call, or mark two calls"
                });
                self.tell(told.key(Action::Mark, "marks one"));
                Vec::new()
            }
        }
    }

    /// Compares two calls, once both are read.
    pub(super) fn compare_calls(&mut self, left: Id, right: Id) -> Vec<Effect> {
        let rows = (self.index.row_of(left), self.index.row_of(right));
        let (Some(left_row), Some(right_row)) = rows else {
            let missing = if rows.0.is_none() { left } else { right };
            self.tell(Notice::warning(format!("{missing} is not in this recording: `hooktape diff` compares files")));
            return Vec::new();
        };
        self.comparing = Some((left_row, right_row));
        let missing = [left_row, right_row].into_iter().filter(|row| !self.cache.has(*row));
        let missing: Vec<_> = missing.filter_map(|row| Wanted::of(&self.index, row)).collect();
        if missing.is_empty() {
            self.show_comparison();
            return Vec::new();
        }
        vec![Effect::Load(missing)]
    }

    /// Shows the calls that are to be compared, once both are read.
    pub(super) fn show_comparison(&mut self) {
        let Some((left, right)) = self.comparing else { return };
        let (Some(left), Some(right)) = (self.cache.get(left), self.cache.get(right)) else { return };
        let panel = match (&left.call, &right.call) {
            (Ok(left), Ok(right)) => {
                Ok(Comparison::new(left.clone(), right.clone(), &self.setup.platforms, &self.rules))
            }
            (Err(reason), _) | (_, Err(reason)) => Err(reason.clone()),
        };
        self.comparing = None;
        match panel {
            Ok(comparison) => self.show_panel(Panel::Comparison(Box::new(comparison))),
            Err(reason) => self.tell(Notice::error(reason)),
        }
    }

    pub(super) fn comparison_key(&mut self, press: Press, mut comparison: Box<Comparison>) -> Vec<Effect> {
        let extent = self.regions.dialog;
        // What is shown was scrolled to the difference where that was jumped to.
        comparison.scroll = comparison.shown_from(&comparison.begins(self.regions.answer_width), extent.room);
        comparison.chase = false;
        match press.action {
            Some(Action::Back | Action::Quit) => return Vec::new(),
            Some(Action::NextDifference) => comparison.step(1),
            Some(Action::PreviousDifference) => comparison.step(-1),
            Some(action) if extent.scroll(&mut comparison.scroll, action) => {}
            Some(Action::OtherSide) => {
                comparison.side = if comparison.side == Side::Request { Side::Response } else { Side::Request };
                (comparison.selected, comparison.scroll) = (0, 0);
                comparison.work_out(&self.setup.platforms, &self.rules);
            }
            Some(Action::Ignore) => self.ignore(&mut comparison, false),
            Some(Action::IgnoreInAll) => self.ignore(&mut comparison, true),
            Some(Action::IgnoreOrder) => {
                self.rules.unordered = !self.rules.unordered;
                self.tell(Notice::info(if self.rules.unordered {
                    "the order of an array's elements counts no more; `unordered = true` below [compare] keeps that"
                } else {
                    "the order of an array's elements counts"
                }));
                comparison.work_out(&self.setup.platforms, &self.rules);
            }
            Some(Action::IgnoreNothing) => {
                self.rules = Rules::configured(&self.setup.config.compare);
                self.heed_rules();
                comparison.work_out(&self.setup.platforms, &self.rules);
            }
            // What opened it closes it.
            _ if self.keymap.action(press.key, Scope::Calls) == Some(Action::Compare) => return Vec::new(),
            _ => {}
        }
        self.show_panel(Panel::Comparison(comparison));
        Vec::new()
    }

    /// What is at the cursor counts no more, in comparisons and in what replays expect; nor does it `in_all` elements of the
    /// arrays that it is in.
    fn ignore(&mut self, comparison: &mut Comparison, in_all: bool) {
        let Some(found) = comparison.differences.get(comparison.selected) else { return };
        let place = match &found.place {
            Place::Json(pointer) if in_all => comparison.in_all(pointer),
            place => place.to_string(),
        };
        match self.rules.ignore(&place) {
            Ok(()) => {
                self.heed_rules();
                let Rules { pointers, headers, .. } = &self.rules;
                let headers = headers.iter().map(|name| format!("header:{name}"));
                let all: Vec<String> =
                    pointers.iter().cloned().chain(headers).map(|place| toml_string(&place)).collect();
                let all = all.join(", ");
                let told = Notice::info(format!(
                    "{place} is ignored until hooktape ends; `ignore = [{all}]` below [compare] of hooktape.toml keeps that"
                ));
                self.tell(told.key(Action::IgnoreNothing, "takes that back"));
                comparison.work_out(&self.setup.platforms, &self.rules);
            }
            Err(_) => self.tell(Notice::info(format!("{place} cannot be ignored: fields and headers can"))),
        }
    }
}

/// A string as TOML has it on one line; the `toml` crate begins several where there is a newline.
fn toml_string(text: &str) -> String {
    let escaped = text.chars().map(|letter| match letter {
        '"' | '\\' => format!("\\{letter}"),
        letter if letter.is_control() => format!("\\u{:04x}", u32::from(letter)),
        letter => letter.to_string(),
    });
    format!("\"{}\"", escaped.collect::<String>())
}

#[cfg(test)]
mod tests;
