//! Which calls something is done with: replays and exports ask for them in the same words.

use jiff::{SignedDuration, Timestamp};

use crate::app::App;
use crate::app::dialog::Dialog;
use crate::app::panel::Panel;
use crate::call::Id;
use crate::recording::Query;

/// Of a recording of more rows the calls are counted anew no more often than [`SELDOM`].
pub(super) const FEW: usize = 10_000;
pub(super) const SELDOM: SignedDuration = SignedDuration::from_secs(1);

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

/// What there is to count: where that is another, it is counted anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Countable {
    calls: usize,
    listed: usize,
    deleted: usize,
    /// The first call: it is another where the recording is another file.
    first: Option<Id>,
}

impl App {
    /// What there is to count now.
    pub(super) fn countable(&self) -> (Countable, Timestamp) {
        let (calls, listed, deleted) = (self.index.len(), self.calls.len(), self.index.marks().deleted());
        (Countable { calls, listed, deleted, first: self.index.view(0).map(|view| view.id) }, self.now)
    }

    /// Counts calls anew where some came or went, or the filter found some, while it is asked which; many calls not in each
    /// frame.
    pub(super) fn count_anew(&mut self) {
        let Some(place) = self.uncounted() else { return };
        let soon = |(_, at): (Countable, Timestamp)| self.now.duration_since(at).abs() < SELDOM;
        if self.index.len() > FEW && counted(&self.dialogs[place]).is_some_and(soon) {
            return;
        }
        let mut dialog = self.dialogs.remove(place);
        match &mut dialog {
            Dialog::Panel(Panel::Options(options)) => self.count_meant(options),
            Dialog::Panel(Panel::Export(options)) => self.count_exportable(options),
            _ => {}
        }
        self.dialogs.insert(place, dialog);
    }

    /// The dialog, where there are others to be counted than were when it last was.
    pub(super) fn uncounted(&self) -> Option<usize> {
        let (now, _) = self.countable();
        self.dialogs.iter().position(|dialog| counted(dialog).is_some_and(|(then, _)| then != now))
    }

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
        query.map(|query| self.index.matching(&query).hits).unwrap_or_default()
    }
}

/// What there was to count for a dialog that asks which calls, and when.
fn counted(dialog: &Dialog) -> Option<(Countable, Timestamp)> {
    match dialog {
        Dialog::Panel(Panel::Options(options)) => options.counted,
        Dialog::Panel(Panel::Export(options)) => options.counted,
        _ => None,
    }
}
