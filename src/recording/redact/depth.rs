//! How far a text is looked into: how deep, and how much in all.

use std::cell::Cell;

/// How deep one thing may stand in another, JSON in a form say, and be looked into. Who calls decides how deep it gets, and
/// each level takes room and time.
const DEEPEST: usize = 4;

/// How many times its own length is looked into of a text. What people and programs send takes about as many as it has levels;
/// what is JSON, markup and parameters all at once is looked into as each of them at each level, and takes hundreds.
const TIMES: usize = 16;

/// So much is looked into of a short one, in bytes. A head has hundreds of fields, each of them a text.
const AT_LEAST: usize = 4 << 10;

/// What a look costs besides the length of its text, in bytes.
const EACH: usize = 16;

/// How much of a text may be looked into, in bytes, and how much was.
pub(super) struct Budget {
    spent: Cell<usize>,
    most: usize,
}

impl Budget {
    /// That of a text of so many bytes.
    pub(super) fn of(len: usize) -> Self {
        Self { spent: Cell::new(0), most: len.saturating_mul(TIMES).saturating_add(AT_LEAST) }
    }

    /// The text itself.
    pub(super) fn top(&self) -> Depth<'_> {
        Depth { level: 0, budget: self }
    }

    /// How much was looked into: also what was begun before all was spent, and goes beyond it.
    #[cfg(test)]
    pub(super) fn spent(&self) -> usize {
        self.spent.get()
    }

    /// Whether all of it was looked into.
    #[cfg(test)]
    pub(super) fn suffices(&self) -> bool {
        self.spent.get() < self.most
    }
}

/// How deep something stands in a text, and how much may still be looked into of all of that.
#[derive(Clone, Copy)]
pub(super) struct Depth<'a> {
    level: usize,
    budget: &'a Budget,
}

impl Depth<'_> {
    /// Of what stands in this.
    pub(super) fn deeper(self) -> Self {
        Self { level: self.level + 1, ..self }
    }

    pub(super) fn is_top(self) -> bool {
        self.level == 0
    }

    /// Whether what stands in this is masked whole: it is too deep, or too much was looked into.
    pub(super) fn is_spent(self) -> bool {
        self.level > DEEPEST || self.budget.spent.get() >= self.budget.most
    }

    /// Takes what it costs to look into a text of so many bytes.
    pub(super) fn spend(self, len: usize) {
        let spent = &self.budget.spent;
        spent.set(spent.get().saturating_add(len + EACH));
    }
}
