//! The measures of the last frame, and where the cursor of a tab is in it.

use crate::app::action::Action;
use crate::app::mouse::Spots;

/// How much of a text there is room for, and how much of it there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// Rows of room.
    pub room: usize,
    /// Rows in all.
    pub rows: usize,
}

impl Extent {
    /// Whether there is more than is shown.
    #[must_use]
    pub fn has_more(self) -> bool {
        self.room < self.rows
    }

    /// The furthest row that can be shown first.
    #[must_use]
    pub fn last(self) -> usize {
        self.rows.saturating_sub(self.room)
    }

    /// Scrolls, where the key does that; `first` is the row that is shown first. Whether it does.
    pub(super) fn scroll(self, first: &mut usize, action: Action) -> bool {
        // What was shown is no further than the end.
        let shown = (*first).min(self.last());
        let page = self.room.max(1);
        let wanted = match action {
            Action::Down | Action::HeldDown | Action::TestDown => shown + 1,
            Action::Up | Action::HeldUp | Action::TestUp => shown.saturating_sub(1),
            Action::PageDown | Action::MoreKinds => shown + page,
            Action::PageUp | Action::FewerKinds => shown.saturating_sub(page),
            Action::Top => 0,
            Action::Bottom => self.last(),
            _ => return false,
        };
        *first = wanted.min(self.last());
        true
    }
}

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
    /// The answer beside a draft.
    pub answer: Extent,
    /// Columns of room in it, in the answer of a test, or in each side of a comparison.
    pub answer_width: usize,
    /// What the top dialog shows.
    pub dialog: Extent,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_scrolls_from_what_is_shown_and_no_further_than_the_end() {
        let extent = Extent { room: 10, rows: 25 };
        for (first, action, then) in [
            (0, Action::Down, 1),
            (15, Action::Down, 15),
            (0, Action::Up, 0),
            (usize::MAX, Action::Up, 14),
            (3, Action::PageDown, 13),
            (13, Action::PageDown, 15),
            (usize::MAX, Action::PageUp, 5),
            (7, Action::Top, 0),
            (7, Action::Bottom, 15),
        ] {
            let mut shown = first;
            assert!(extent.scroll(&mut shown, action));
            assert_eq!(shown, then, "{action:?} from {first}");
        }
        let mut shown = 0;
        assert!(!extent.scroll(&mut shown, Action::Open));
        assert!(Extent { room: 10, rows: 4 }.scroll(&mut shown, Action::PageDown) && shown == 0, "all of it is shown");
    }
}
