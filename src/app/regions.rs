//! The measures of the last frame, and where the cursor of a tab is in it.

use crate::app::mouse::Spots;

/// What was drawn where: the measures that scrolling needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Regions {
    /// What can be pointed at.
    pub spots: Spots,
    /// Rows of room in the list.
    pub list_height: usize,
    /// Columns of room in a tab.
    pub detail_width: usize,
    /// Rows of room in a tab.
    pub detail_height: usize,
    /// Rows that the tab has in all.
    pub detail_rows: usize,
    /// How many of them stand above the tab's text.
    pub detail_head: usize,
    /// The rows of the tab that the cursor is in, if it has one: the first, and the one behind the last.
    pub cursor: Option<(usize, usize)>,
    /// Rows of room in the answer beside a draft, and rows it has in all.
    pub answer: (usize, usize),
    /// Columns of room in it, in the answer of a test, or in each side of a comparison.
    pub answer_width: usize,
    /// Rows of room in the top dialog, and rows it has in all.
    pub dialog: (usize, usize),
    /// Columns of room in the plots.
    pub plot_width: usize,
}

/// Where the cursor of a tab is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cursor {
    /// It moved: the tab scrolls to where it is.
    pub(super) chase: bool,
    /// It does so with some rows above it, wherever it was before.
    pub(super) centred: bool,
    /// Nothing has happened since it was drawn.
    pub(super) drawn: bool,
    /// The selected call that the timeline's cursor was set to.
    pub(super) pointed: Option<usize>,
    /// The field of the envelope that it is at.
    pub field: usize,
}

impl Cursor {
    /// The tab scrolls to it anew. Where that is does not depend on the order in which calls were read.
    pub(super) fn centre(&mut self) {
        self.chase = true;
        self.centred = true;
    }

    /// The tab scrolls as far as the cursor is seen.
    pub(super) fn see(&mut self) {
        self.chase = true;
    }

    /// The tab stays where it is.
    pub(super) fn rest(&mut self) {
        self.chase = false;
        self.centred = false;
    }
}
