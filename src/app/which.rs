//! Which calls something is done with: replays and exports ask for them in the same words.

use crate::app::App;
use crate::call::Id;
use crate::recording::Query;

/// Which calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The selected one.
    This,
    /// The selected one and what came after it in its conversation.
    FromHere,
    /// All of its conversation.
    Conversation,
    /// Those that are marked.
    Marked,
    /// Those that the list shows.
    Listed,
    /// All that the recording holds.
    All,
}

/// Said where what the filter shows is asked for before it has shown all of it.
pub(super) const STILL_SEEKS: &str = "the filter is still looking through the calls: wait until it is done";

impl Which {
    /// In words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::This => "this call",
            Self::FromHere => "the conversation from this call on",
            Self::Conversation => "this call's conversation",
            Self::Marked => "the marked calls",
            Self::Listed => "the calls the filter shows",
            Self::All => "the whole recording",
        }
    }
}

impl App {
    /// The rows of these calls, rising; `this` is the one that was selected when they were asked for: another may be by now.
    /// Deleted ones are not among them, unless it is that one, or the list shows them.
    pub(super) fn rows_of(&self, which: Which, this: Option<Id>) -> Vec<usize> {
        let selected = this.and_then(|id| self.index.row_of(id));
        let marks = self.index.marks();
        let deleted =
            |row: &usize| self.index.view(*row).and_then(|view| view.remarks).is_some_and(|said| said.deleted);
        let talk = |from: usize, row: usize| {
            let rows = self.index.same_conversation(row, from..self.index.len());
            rows.filter(|row| !deleted(row)).collect::<Vec<_>>()
        };
        match which {
            Which::This => selected.into_iter().collect(),
            Which::FromHere => selected.map_or_else(Vec::new, |row| {
                let later = talk(row + 1, row);
                std::iter::once(row).chain(later).collect()
            }),
            Which::Conversation => selected.map_or_else(Vec::new, |row| talk(0, row)),
            Which::Marked if marks.is_empty() => Vec::new(),
            Which::Marked => self.rows_that_fit("marked"),
            Which::Listed => (0..self.calls.len()).filter_map(|row| self.calls.at(row)).collect(),
            Which::All if marks.deleted() == 0 => (0..self.index.len()).collect(),
            Which::All => self.rows_that_fit(""),
        }
    }

    /// Whether there may be more of these than are known.
    #[must_use]
    pub fn still_seeks(&self, which: Which) -> bool {
        which == Which::Listed && self.calls.filter.as_ref().is_some_and(|filter| !filter.finished)
    }

    /// The selected call.
    pub(super) fn selected_id(&self) -> Option<Id> {
        self.calls.selected().and_then(|row| self.index.view(row)).map(|view| view.id)
    }

    fn rows_that_fit(&self, query: &str) -> Vec<usize> {
        let query = Query::parse(query, self.now).ok();
        query.and_then(|query| self.index.matching(&query)).unwrap_or_default()
    }
}
