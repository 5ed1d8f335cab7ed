//! What becomes of the recording while one looks at it: a call is in it, or could not be written, or another hand changed it.

use std::sync::Arc;

use super::App;
use super::dialog::Dialog;
use super::event::Notice;
use crate::call::{Call, Direction};
use crate::recording::{Place, View};

impl App {
    /// A call was recorded: it is the newest.
    pub(super) fn came(&mut self, call: Arc<Call>, place: Place) {
        let view = View::of(&call, place);
        let number = self.index.len();
        if matches!(self.dialogs.last(), Some(Dialog::Webview { .. })) {
            // It may say that nothing has come yet.
            self.notice = None;
        }
        if let Some(filter) = &mut self.calls.filter
            && filter.query.matches(&view, &call)
        {
            filter.came(number);
        }
        self.index.push(&view);
        self.calls.total = self.index.len();
        if call.direction == Direction::Received {
            self.arrivals.came(self.now);
        }
        let awaited = self.awaited == Some(call.id);
        self.cache.put(number, Ok(call));
        if awaited {
            self.show_awaited();
        }
    }

    pub(super) fn not_recorded(&mut self, unrecorded: u64, reason: String) {
        let calls = if unrecorded == 1 { "1 call is" } else { &format!("{unrecorded} calls are") };
        self.tell(Notice::error(format!("{calls} not in the recording: {reason}")));
        self.unrecorded = Some((unrecorded, reason));
    }

    /// Another hand changed the file: what it held behind `kept` is gone.
    pub(super) fn reopened(&mut self, reason: String, kept: u64) {
        self.index.truncate(kept);
        self.calls.total = self.index.len();
        self.unfilter();
        self.renumbered();
        self.tell(Notice::error(reason));
    }
}
