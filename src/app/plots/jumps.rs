//! Jumps to the next call that deserves a look, and from column to column of the plots.
//!
//! A million calls are not looked through for each: what was seen of them once says where there is nothing.

use super::{Trouble, is};
use crate::app::App;
use crate::app::event::Notice;
use crate::call::micros;
use crate::recording::Index;

/// Calls that are summed up in a block.
const BLOCK: usize = 1024;

/// What there is among some calls that stand together in the file.
#[derive(Clone, Copy, Debug, Default)]
struct Block {
    error: bool,
    unproven: bool,
    slowest_us: u64,
}

/// Where in a recording calls deserve a look, block by block.
#[derive(Clone, Debug, Default)]
pub struct Troubles {
    seen: usize,
    blocks: Vec<Block>,
}

impl Troubles {
    /// Looks at the calls that came since.
    fn catch_up(&mut self, index: &Index) {
        if self.seen > index.len() {
            // Some of them are gone.
            *self = Self::default();
        }
        self.blocks.resize(index.len().div_ceil(BLOCK), Block::default());
        for number in self.seen..index.len() {
            let (Some(view), block) = (index.view(number), &mut self.blocks[number / BLOCK]) else { continue };
            block.error |= is(&view, Trouble::Error);
            block.unproven |= is(&view, Trouble::Signature);
            block.slowest_us = block.slowest_us.max(view.took_us);
        }
        self.seen = index.len();
    }

    /// Whether the call of that number may be such a one; slow is what took that long.
    fn may_be(&self, number: usize, trouble: Trouble, slow_us: u64) -> bool {
        self.blocks.get(number / BLOCK).is_some_and(|block| match trouble {
            Trouble::Error => block.error,
            Trouble::Signature => block.unproven,
            Trouble::Slow => block.slowest_us >= slow_us,
        })
    }
}

impl App {
    /// Selects the next call of the list (`step` 1) or the one before (-1) that deserves a look, from the other end where
    /// there is none on this side.
    pub(in crate::app) fn jump(&mut self, trouble: Trouble, step: isize) {
        self.troubles.catch_up(&self.index);
        let slow = micros(self.setup.config.screen.slow);
        let fits = |row: &usize| {
            let number = self.calls.at(*row).filter(|number| self.troubles.may_be(*number, trouble, slow));
            let view = number.and_then(|number| self.index.view(number));
            view.is_some_and(|view| if trouble == Trouble::Slow { view.took_us >= slow } else { is(&view, trouble) })
        };
        let (row, rows) = (self.calls.row(), self.calls.len());
        let (found, around) = if step > 0 {
            let ahead = (row + 1..rows).find(fits);
            (ahead.or_else(|| (0..rows.min(row + 1)).find(fits)), ahead.is_none())
        } else {
            let behind = (0..row).rev().find(fits);
            (behind.or_else(|| (row..rows).rev().find(fits)), behind.is_none())
        };
        let what = match trouble {
            Trouble::Error => "call that failed",
            Trouble::Slow => return self.jump_to_slow(found.map(|row| (row, around))),
            Trouble::Signature => "call with a signature that is missing or not good",
        };
        match found {
            None => self.tell(Notice::info(format!("there is no {what}"))),
            Some(only) if only == row => self.tell(Notice::info(format!("this is the only {what}"))),
            Some(found) => self.land(found, around, what),
        }
    }

    /// Where nothing is slow, the slowest call is the one to look at.
    fn jump_to_slow(&mut self, found: Option<(usize, bool)>) {
        let limit = self.setup.config.screen.slow;
        if let Some((row, around)) = found {
            return self.land(row, around, &format!("call of {limit:?} or more"));
        }
        let mut slowest = None;
        for row in 0..self.calls.len() {
            let least = slowest.map_or(0, |(took, _)| took);
            let number = self.calls.at(row).filter(|number| self.troubles.may_be(*number, Trouble::Slow, least));
            if let Some(view) = number.and_then(|number| self.index.view(number)).filter(|view| view.took_us >= least) {
                slowest = Some((view.took_us, row));
            }
        }
        let Some((_, row)) = slowest else { return };
        self.calls.select_row(row);
        self.calls.follow = false;
        self.tell(Notice::info(format!("no call took {limit:?} ([screen] slow): this one took longest")));
    }

    fn land(&mut self, row: usize, around: bool, what: &str) {
        self.calls.select_row(row);
        self.calls.follow = false;
        if around {
            self.tell(Notice::info(format!("no other {what} this way: from the other end")));
        }
    }

    /// Selects the first call of the next column of the plots that has one, or of the one before.
    pub(super) fn step_in_time(&mut self, step: isize) {
        let at = |row: usize| Some(self.index.view(self.calls.at(row)?)?.at.as_microsecond());
        let Some(now) = at(self.calls.row()) else { return };
        let columns = self.plots.timeline.columns(self.regions.plot_width.max(1));
        let Some(here) = columns.iter().rposition(|(begin, ..)| *begin <= now) else { return };
        // The first call of a column in the file may be hidden: then the next one that is not, if it is of that column.
        let first = |(begin, length, span): &super::Column| {
            let row = self.calls.row_from(span.first?);
            let near = (row..self.calls.len()).take(BLOCK);
            near.into_iter().find(|row| at(*row).is_some_and(|at| (*begin..begin + length).contains(&at)))
        };
        let found = if step > 0 {
            columns[here + 1..].iter().find_map(first)
        } else {
            columns[..here].iter().rev().find_map(first)
        };
        if let Some(row) = found {
            self.calls.select_row(row);
            self.calls.follow = false;
        }
    }
}
