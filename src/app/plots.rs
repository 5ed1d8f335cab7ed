//! The plots: when calls came and how long they took, over the whole recording; and the jumps to calls that deserve a
//! look.
//!
//! ```text
//!  index --each row once--> Timeline: at most 2048 spans of equal length
//!                       \-> Group: a kind in one direction, with its counts and times
//! ```
//!
//! A recording of a million calls is looked through a part a frame, and only while the panel is open.

use crate::app::action::{Action, Scope};
use crate::app::dialog::Dialog;
use crate::app::dialog_keys::Press;
use crate::app::event::Effect;
use crate::app::{App, Focus};
use crate::call::{Direction, Sig};
use crate::recording::{Index, View};
use crate::replay::{Latencies, Times};

mod jumps;

pub use jumps::Troubles;

/// Calls looked through in a frame.
const PART: usize = 50_000;
/// Most spans of a timeline.
const MOST: usize = 2048;
/// Most rows of kinds, for each takes its memory: the calls of further ones are counted together.
const MOST_KINDS: usize = 200;
/// What those are called.
const FURTHER: &str = "further kinds";
/// Powers of two of microseconds that durations are counted by.
pub const OCTAVES: usize = 40;

/// Why a call deserves a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It was answered with an error, or not at all.
    Error,
    /// It took long.
    Slow,
    /// Its signature is missing or not good.
    Signature,
}

/// What happened in a part of the time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// Calls.
    pub calls: u64,
    /// Those that were answered with an error, or not at all.
    pub errors: u64,
    /// Those whose signature is missing or not good.
    pub unproven: u64,
    /// How long they took together, in microseconds.
    pub took_us: u64,
    /// How long the slowest took.
    pub slowest_us: u64,
    /// The number of its first call in the file.
    pub first: Option<usize>,
}

impl Span {
    fn add(&mut self, other: &Self) {
        self.calls += other.calls;
        self.errors += other.errors;
        self.unproven += other.unproven;
        self.took_us = self.took_us.saturating_add(other.took_us);
        self.slowest_us = self.slowest_us.max(other.slowest_us);
        self.first = self.first.into_iter().chain(other.first).min();
    }

    fn of(number: usize, view: &View) -> Self {
        Self {
            calls: 1,
            errors: is(view, Trouble::Error).into(),
            unproven: is(view, Trouble::Signature).into(),
            took_us: view.took_us,
            slowest_us: view.took_us,
            first: Some(number),
        }
    }
}

/// A column of a plot: its first moment, its length, and what happened in it.
pub type Column = (i64, i64, Span);

/// The time that calls cover, in spans that double in length when there would be too many. Times are microseconds.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    begin: i64,
    step: i64,
    spans: Vec<Span>,
}

impl Timeline {
    fn add(&mut self, at: i64, what: &Span) {
        if self.spans.is_empty() {
            (self.begin, self.step) = (at, 1);
        }
        while at < self.begin || self.number(at) >= MOST {
            if at < self.begin {
                let missing = usize::try_from((self.begin - at + self.step - 1) / self.step).unwrap_or(usize::MAX);
                if missing.saturating_add(self.spans.len()) <= MOST {
                    self.begin -= i64::try_from(missing).unwrap_or(0) * self.step;
                    self.spans.splice(0..0, std::iter::repeat_n(Span::default(), missing));
                    break;
                }
            }
            self.coarsen();
        }
        let number = self.number(at);
        if number >= self.spans.len() {
            self.spans.resize(number + 1, Span::default());
        }
        self.spans[number].add(what);
    }

    fn coarsen(&mut self) {
        self.step *= 2;
        let pair = |pair: &[Span]| {
            let mut sum = pair[0];
            pair[1..].iter().for_each(|other| sum.add(other));
            sum
        };
        self.spans = self.spans.chunks(2).map(pair).collect();
    }

    /// The span of a time that is not before the first.
    fn number(&self, at: i64) -> usize {
        usize::try_from((at - self.begin) / self.step.max(1)).unwrap_or(usize::MAX)
    }

    /// The first moment, and the one behind the last.
    #[must_use]
    pub fn range(&self) -> (i64, i64) {
        (self.begin, self.begin + i64::try_from(self.spans.len()).unwrap_or(0) * self.step)
    }

    /// The spans in at most `width` columns of about equal length, each with its first moment and its length.
    #[must_use]
    pub fn columns(&self, width: usize) -> Vec<Column> {
        let count = width.min(self.spans.len());
        let first = |column: usize| column * self.spans.len() / count;
        let moment = |number: usize| self.begin + i64::try_from(number).unwrap_or(0) * self.step;
        let column = |column: usize| {
            let (begin, end) = (first(column), first(column + 1));
            let mut sum = Span::default();
            self.spans[begin..end].iter().for_each(|span| sum.add(span));
            (moment(begin), moment(end) - moment(begin), sum)
        };
        (0..count).map(column).collect()
    }
}

/// Calls of one kind that went the same way.
#[derive(Clone, Debug)]
pub struct Group {
    /// Which way.
    pub direction: Direction,
    /// The kind; none: no platform claims them.
    pub kind: Option<String>,
    /// How many, and what is wrong with them.
    pub sum: Span,
    /// How long they took.
    pub latencies: Latencies,
    /// How many took how long: `octaves[n]` of them less than 2^n microseconds, but not less than half of that.
    pub octaves: [u64; OCTAVES],
    times: Option<Times>,
    stale: bool,
}

/// What the calls of a recording come to.
#[derive(Clone, Debug, Default)]
pub struct Plots {
    /// Calls looked at.
    pub seen: usize,
    /// When they came.
    pub timeline: Timeline,
    /// By kind and direction, those of most calls first.
    pub groups: Vec<Group>,
}

impl Plots {
    /// Looks at the next calls; whether there are more.
    pub fn catch_up(&mut self, index: &Index) -> bool {
        if self.seen > index.len() {
            // Some of them are gone.
            *self = Self::default();
        }
        let end = index.len().min(self.seen + PART);
        if end == self.seen {
            return false;
        }
        let views = (self.seen..end).filter_map(|row| Some((row, index.view(row)?)));
        views.for_each(|(row, view)| self.add(row, &view));
        self.seen = end;
        for group in self.groups.iter_mut().filter(|group| group.stale) {
            group.stale = false;
            group.latencies = group.times.as_ref().map(Times::latencies).unwrap_or_default();
        }
        self.groups.sort_by_key(|group| std::cmp::Reverse(group.sum.calls));
        end < index.len()
    }

    fn add(&mut self, number: usize, view: &View) {
        let span = Span::of(number, view);
        self.timeline.add(view.at.as_microsecond(), &span);
        let of = |groups: &[Group], kind: Option<&str>| {
            groups.iter().position(|group| group.direction == view.direction && group.kind.as_deref() == kind)
        };
        let own = of(&self.groups, view.kind);
        let kind = if own.is_some() || self.groups.len() < MOST_KINDS { view.kind } else { Some(FURTHER) };
        let number = own.or_else(|| of(&self.groups, kind)).unwrap_or_else(|| {
            self.groups.push(Group {
                direction: view.direction,
                kind: kind.map(str::to_owned),
                sum: Span::default(),
                latencies: Latencies::default(),
                octaves: [0; OCTAVES],
                times: Times::new().ok(),
                stale: false,
            });
            self.groups.len() - 1
        });
        let group = &mut self.groups[number];
        group.sum.add(&span);
        group.stale = true;
        let octave = (u64::BITS - view.took_us.leading_zeros()) as usize;
        group.octaves[octave.min(OCTAVES - 1)] += 1;
        if let Some(times) = &mut group.times {
            times.add(std::time::Duration::from_micros(view.took_us));
        }
    }

    /// Everything together.
    #[must_use]
    pub fn sum(&self) -> Span {
        let mut sum = Span::default();
        self.groups.iter().for_each(|group| sum.add(&group.sum));
        sum
    }
}

/// Whether that can be said of a call; of slow ones the limit decides, which is not known here.
fn is(view: &View, trouble: Trouble) -> bool {
    match trouble {
        // Without an answer and without an error nothing failed: the answer is not known, of an imported request say.
        Trouble::Error => view.failed_or_refused(),
        Trouble::Signature => view.sig.is_some_and(Sig::is_bad),
        Trouble::Slow => false,
    }
}

impl App {
    /// Opens the plots.
    pub(super) fn ask_plots(&mut self) {
        self.dialogs.push(Dialog::Plots { scroll: 0 });
    }

    /// Looks at some calls more while the plots are open.
    pub(super) fn follow_plots(&mut self) -> Option<Effect> {
        let open = self.dialogs.iter().any(|dialog| matches!(dialog, Dialog::Plots { .. }));
        (open && self.plots.catch_up(&self.index)).then_some(Effect::GoOn)
    }

    /// A key while the plots are open: it moves in the list, whose selected call the plots point at.
    pub(super) fn plots_key(&mut self, press: Press, mut scroll: usize) -> Vec<Effect> {
        match press.action {
            Some(Action::Earlier) => self.step_in_time(-1),
            Some(Action::Later) => self.step_in_time(1),
            Some(action @ (Action::MoreKinds | Action::FewerKinds)) => {
                self.regions.dialog.scroll(&mut scroll, action);
            }
            Some(Action::Down) => self.calls.step(1),
            Some(Action::Up) => self.calls.step(-1),
            Some(Action::Top) => self.calls.step(-isize::MAX),
            Some(Action::Bottom) => self.calls.step(isize::MAX),
            Some(Action::Open) => {
                (self.focus, self.calls.follow) = (Focus::Detail, false);
                return Vec::new();
            }
            Some(Action::Back | Action::Quit) => return Vec::new(),
            Some(jump) if jump.entry().scope == Scope::Jumping => {
                self.dialogs.push(Dialog::Plots { scroll });
                return self.act(jump);
            }
            // What opened them closes them.
            _ if self.keymap.action(press.key, Scope::Calls) == Some(Action::Plots) => return Vec::new(),
            _ => {}
        }
        self.dialogs.push(Dialog::Plots { scroll });
        Vec::new()
    }
}

#[cfg(test)]
mod tests;
