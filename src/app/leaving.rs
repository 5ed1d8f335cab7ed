//! Leaving: what that would cut off is told first, and goes only when leaving is asked for twice.

use super::App;
use super::event::Notice;

/// Whether the program is to end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Leaving {
    /// It goes on.
    #[default]
    No,
    /// It was asked to, once, where that would cut something off.
    Asked,
    /// It ends.
    Yes,
}

impl App {
    pub(super) fn leave(&mut self) {
        let cut_off = self.under_way();
        if self.leaving == Leaving::Asked || cut_off.is_empty() {
            self.leaving = Leaving::Yes;
            return;
        }
        self.leaving = Leaving::Asked;
        let cut_off = cut_off.join(", ");
        self.tell(Notice::warning(format!("once more leaves, though {cut_off}")));
    }

    /// What would not be finished, a sentence each.
    fn under_way(&self) -> Vec<String> {
        let export = self.export.as_ref().map(|export| format!("an export is at {} %", export.percent()));
        let replay = self.replay.as_ref().filter(|replay| replay.ended.is_none());
        let replay = replay.map(|replay| format!("a replay is at {} of {}", replay.meter.done, replay.meter.total));
        let sent = match self.sending.calls {
            0 => None,
            1 => Some("1 sent call has no answer yet, and would not be recorded".to_owned()),
            count => Some(format!("{count} sent calls have no answer yet, and would not be recorded")),
        };
        let held = match self.answers.held.len() {
            0 => None,
            1 => Some("1 held call waits for its answer".to_owned()),
            count => Some(format!("{count} held calls wait for their answers")),
        };
        let draft = self.draft.as_ref().filter(|draft| draft.unsent());
        let draft = draft.map(|_| "a draft was not sent".to_owned());
        [export, replay, sent, held, draft].into_iter().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Leaving;
    use crate::app::event::{Event, Level};
    use crate::app::keys::script;
    use crate::app::tests::{app, call, happen, recorded};

    #[test]
    fn what_leaving_would_cut_off_is_told_once() {
        let mut app = app();
        recorded(&mut app, &call("/"));
        let mut press = |keys: &str| {
            for key in script(keys).unwrap() {
                happen(&mut app, Event::Key(key));
            }
            let told = app.notice.as_ref().filter(|notice| notice.level == Level::Warning);
            (app.leaving == Leaving::Yes, told.map_or("", |notice| &notice.text).to_owned())
        };
        let told = "once more leaves, though an export is at 0 %";
        assert_eq!(press("x<enter><enter>q"), (false, told.to_owned()));
        assert_eq!(press("j"), (false, String::new()), "it stays");
        assert_eq!(press("q"), (false, told.to_owned()), "and asks again");
        assert_eq!(press("L<esc>q"), (false, told.to_owned()), "also after keys in a dialog");
        assert_eq!(press("q"), (true, String::new()));
    }

    #[test]
    fn where_nothing_is_under_way_it_leaves_at_once_and_so_does_ctrl_c() {
        for (begin, key) in [("", "q"), ("x<enter><enter>", "<ctrl-c>")] {
            let mut app = app();
            recorded(&mut app, &call("/"));
            for key in script(&format!("{begin}{key}")).unwrap() {
                happen(&mut app, Event::Key(key));
            }
            assert_eq!(app.leaving, Leaving::Yes, "{begin}{key}");
        }
    }
}
