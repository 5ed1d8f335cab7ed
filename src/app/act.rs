//! What each action does.

use std::borrow::Cow;

use crate::app::action::Action;
use crate::app::answering::{Answering, Waiting};
use crate::app::calls::Filter;
use crate::app::dialog::{Dialog, Input, Then};
use crate::app::draft::{Answer, Draft};
use crate::app::event::{Effect, Notice};
use crate::app::flow::Flow;
use crate::app::panel::Panel;
use crate::app::plots::Trouble;
use crate::app::prompt::Ask;
use crate::app::shown::{Hits, Tab};
use crate::app::tree::Tree;
use crate::app::{App, Focus, Setup};
use crate::json::{self, PrintError, SyntaxError};
use crate::recording::{Matching, Query, QueryError, Reading};

impl App {
    /// Does what the user means.
    pub(super) fn act(&mut self, action: Action) -> Vec<Effect> {
        if action.is_of_a_call() && self.calls.selected().is_none() {
            self.tell_no_call();
            return Vec::new();
        }
        match action {
            Action::Down => self.step(1),
            Action::Up => self.step(-1),
            Action::PageDown => self.step(self.page()),
            Action::PageUp => self.step(-self.page()),
            Action::Top => self.step(-isize::MAX),
            Action::Bottom => self.step(isize::MAX),
            Action::Open => self.open(),
            Action::Back => self.back(),
            Action::NextTab => self.show_tab(self.tab.turn(1)),
            Action::PreviousTab => self.show_tab(self.tab.turn(-1)),
            Action::Envelope => self.show_tab(Tab::Envelope),
            Action::Body => self.show_tab(Tab::Body),
            Action::Headers => self.show_tab(Tab::Headers),
            Action::Signature => self.show_tab(Tab::Signature),
            Action::Response => self.show_tab(Tab::Response),
            Action::Conversation => self.show_tab(Tab::Conversation),
            Action::Conversations => self.ask_conversation(),
            Action::Pretty => self.next_form(),
            Action::Fold => self.fold(),
            Action::NextSibling => self.walk(|tree| tree.sibling(1)),
            Action::PreviousSibling => self.walk(|tree| tree.sibling(-1)),
            Action::FewerLevels => self.level(-1),
            Action::MoreLevels => self.level(1),
            Action::Jq => self.ask_jq(),
            Action::Zoom => self.zoom = !self.zoom,
            Action::Follow => self.toggle_follow(),
            Action::NextMatch => self.next_hit(1),
            Action::PreviousMatch => self.next_hit(-1),
            Action::NextInConversation => self.in_conversation(1),
            Action::PreviousInConversation => self.in_conversation(-1),
            Action::NextError => self.jump(Trouble::Error, 1),
            Action::PreviousError => self.jump(Trouble::Error, -1),
            Action::NextSlow => self.jump(Trouble::Slow, 1),
            Action::PreviousSlow => self.jump(Trouble::Slow, -1),
            Action::NextUnproven => self.jump(Trouble::Signature, 1),
            Action::PreviousUnproven => self.jump(Trouble::Signature, -1),
            Action::Plots => self.ask_plots(),
            Action::Original => self.original(),
            Action::Expiration => self.ask_shown_expiration(),
            Action::Mask => self.toggle_mask(),
            Action::Yank => self.ask_yank(),
            Action::Export => self.ask_export(),
            Action::Mark => return self.toggle_mark(),
            Action::ColourMark => return self.colour_mark(),
            Action::Note => self.ask_note(),
            Action::Delete => return self.toggle_deleted(),
            Action::TakeBack => return self.unsay(),
            Action::Filter => self.ask_search(),
            Action::Replay => return self.replay_selected(),
            Action::Edit => self.edit_selected(),
            Action::SetValue => self.ask_value(),
            Action::EditOutside => {
                self.edit_selected();
                return self.edit_outside();
            }
            Action::ReplayMany => self.ask_replay(),
            Action::Compare => return self.compare_selected(),
            Action::Register => return self.register_shown(),
            Action::Variables => return self.ask_variables(),
            Action::Fixtures => return self.ask_fixtures(),
            Action::SaveFixture => self.ask_name(),
            Action::Test => self.ask_test(),
            Action::Webview => self.dialogs.push(Dialog::Pages { selected: 0 }),
            Action::Answers => self.ask_answers(),
            Action::AnswerSo => self.answer_so(),
            Action::Hold => return self.hold_key(),
            Action::Public => return self.copy_public(),
            Action::Recordings => return self.ask_recordings(),
            Action::Demo => return self.demo(),
            Action::Target => self.ask_target(Then::Stay),
            Action::Mouse => return self.toggle_mouse(),
            Action::Log => self.dialogs.push(Dialog::Log { scroll: usize::MAX }),
            Action::Palette => self.dialogs.push(Dialog::Palette { input: Input::new(""), selected: 0 }),
            Action::Help => self.dialogs.push(Dialog::Help { scroll: 0, search: Input::new(""), typing: false }),
            Action::Redraw => return vec![Effect::Redraw],
            Action::Suspend => return vec![Effect::Suspend],
            Action::Quit => self.leave(),
            Action::Send => return self.send_draft(),
            Action::DraftOutside => return self.edit_outside(),
            Action::DraftSearch => self.prompt(Ask::Find, ""),
            Action::Close => self.close_draft(),
            action => self.act_on_draft(action),
        }
        Vec::new()
    }

    /// There is none where a key is about one.
    pub(super) fn tell_no_call(&mut self) {
        let hidden = self.calls.total > 0;
        self.tell(Notice::info(if hidden { "no call is shown to do that to" } else { "there is no call yet" }));
    }

    /// The selected call is not there yet: nothing can be done with it.
    pub(super) fn tell_unread(&mut self) {
        if self.calls.selected().is_some() {
            self.tell(Notice::info("the call is being read: press the key again once it is shown"));
        }
    }

    /// Edits that were never sent are in no recording: they go only by the key that is named then.
    fn close_draft(&mut self) {
        let key = self.keymap.key(Action::Close);
        match &mut self.draft {
            Some(draft) if draft.unsent() && !draft.leaving => {
                draft.leaving = true;
                let told = format!("{key} drops the edits now, which were not sent; any other key keeps them");
                self.tell(Notice::warning(told));
            }
            draft => *draft = None,
        }
    }

    /// Actions that change nothing but the draft.
    fn act_on_draft(&mut self, action: Action) {
        let Some(draft) = &mut self.draft else { return };
        let mut notice = None;
        match action {
            Action::Type if draft.editable() => draft.typing = true,
            Action::SwitchSigning => {
                draft.mode = draft.mode.other();
                notice = Some(Notice::info(draft.mode.sentence()));
            }
            Action::Reformat if draft.edits_the_target() => {
                notice = Some(Notice::info("there is no body to lay out: this call says all in its path and query"));
            }
            Action::Reformat => {
                notice = draft.reformat().err().map(|error| {
                    Notice::warning(match error {
                        PrintError::Syntax(SyntaxError { line, column, message, .. }) => {
                            format!("not JSON at line {line}, column {column}: {message}")
                        }
                        PrintError::Long => format!("{error}: it stays as it is"),
                    })
                });
            }
            Action::Revert => draft.revert(),
            Action::ClearPayload if draft.editable() => draft.clear(),
            Action::Type | Action::ClearPayload => {
                notice = Some(Notice::warning("this payload is not text: it can be sent, not edited"));
            }
            Action::Undo => draft.step_back(),
            Action::Redo => draft.step_forth(),
            Action::DraftNext => drop(draft.editor.search_forward(false)),
            Action::DraftPrevious => drop(draft.editor.search_back(false)),
            Action::ScrollDown => draft.scroll += 1,
            Action::ScrollUp => draft.scroll = draft.scroll.saturating_sub(1),
            _ => {}
        }
        if let Some(notice) = notice {
            self.tell(notice);
        }
    }

    fn page(&self) -> isize {
        let rows = match self.focus {
            _ if self.calls.total == 0 => self.regions.detail_height,
            Focus::List => self.regions.list_height,
            Focus::Detail => self.regions.detail_height,
        };
        isize::try_from(rows.saturating_sub(1).max(1)).unwrap_or(isize::MAX)
    }

    fn step(&mut self, rows: isize) {
        let walks = self.open_tree().is_some();
        match self.focus {
            // What is said where there is no call is scrolled as a call would be.
            _ if self.calls.total == 0 => self.scroll_tab(rows),
            Focus::List => self.calls.step(rows),
            Focus::Detail if self.tab == Tab::Conversation => self.step_in_conversation(rows),
            Focus::Detail if self.tab == Tab::Envelope && self.fields() > 0 => {
                let last = self.fields() - 1;
                self.cursor.field = self.cursor.field.min(last).saturating_add_signed(rows).min(last);
                self.cursor.chase = true;
            }
            Focus::Detail if walks => self.walk(|tree| tree.step(rows)),
            Focus::Detail => self.scroll_tab(rows),
        }
    }

    pub(super) fn scroll_tab(&mut self, rows: isize) {
        let last = self.regions.detail_rows.saturating_sub(self.regions.detail_height);
        let scroll = &mut self.scroll[self.tab as usize];
        *scroll = scroll.saturating_add_signed(rows).min(last);
    }

    /// How many fields the envelope has.
    fn fields(&self) -> usize {
        self.shown.as_ref().map_or(0, |shown| shown.fields().count())
    }

    fn open(&mut self) {
        if self.focus == Focus::Detail && self.tab == Tab::Conversation {
            return self.open_in_conversation();
        }
        if let Some(tree) = self.open_tree() {
            if !tree.open() {
                tree.step(1);
            }
            return;
        }
        if !self.calls.is_empty() {
            self.focus = Focus::Detail;
            self.calls.follow = false;
        }
    }

    /// Closes a branch of the tree; elsewhere, and where there is none to close, one level back.
    fn fold(&mut self) {
        if !self.open_tree().is_some_and(Tree::close) {
            self.back();
        }
    }

    fn back(&mut self) {
        if self.filter_runs() {
            self.jq.running = None;
            self.tell(Notice::info("the filter was ended"));
            return;
        }
        match self.focus {
            Focus::Detail if self.shown.as_ref().is_some_and(|shown| shown.filtered.is_some()) => self.show_anew(),
            Focus::Detail if self.shown.as_ref().is_some_and(|shown| !shown.hits.needle.is_empty()) => {
                self.shown.iter_mut().for_each(|shown| shown.hits = Hits::default());
            }
            Focus::Detail => {
                self.focus = Focus::List;
                self.calls.follow = self.calls.row() + 1 >= self.calls.len();
            }
            // What was found so far stays; once more drops the filter.
            Focus::List => match self.calls.stop_search() {
                Some(scanned) => {
                    let told = format!("search ended after {scanned} of {} calls", self.index.len());
                    self.tell(Notice::info(told).key(Action::Back, "drops the filter"));
                }
                None if !self.calls.filter_text().is_empty() => self.unfilter(),
                // There is nothing to go back from.
                None => {}
            },
        }
    }

    pub(super) fn show_tab(&mut self, tab: Tab) {
        self.tab = tab;
    }

    /// Masks what is secret or personal on the screen, or shows it.
    fn toggle_mask(&mut self) {
        if self.redaction.is_none() {
            self.tell(Notice::error("nothing can be masked: [redact] of the configuration is not understood"));
            return;
        }
        self.masked = !self.masked;
        self.mask_anew();
        let how = if self.masked {
            "secret and personal values are masked; verdicts and findings are those of the calls as they are"
        } else {
            "calls are shown as they are"
        };
        self.tell(Notice::info(how));
        let edited = |dialog: &Dialog| match dialog {
            Dialog::Prompt(prompt) => matches!(prompt.ask, Ask::Value(_) | Ask::Note(_)),
            dialog => matches!(dialog, Dialog::Answering(Answering::Edit(_))),
        };
        if self.draft.is_some() || self.dialogs.iter().any(edited) {
            self.tell_bare();
        }
    }

    /// Works out anew whatever is masked on the screen.
    pub(super) fn mask_anew(&mut self) {
        self.cache.set_mask(self.redaction.clone().filter(|_| self.masked));
        (self.shown, self.preparing, self.conversation) = (None, None, None);
        self.flows().for_each(Flow::forget);
        self.answers.waiting = Waiting::default();
        let mask = self.redaction.clone().filter(|_| self.masked);
        let platforms = self.setup.platforms.clone();
        self.sends.mask(&platforms, mask.as_deref());
        if let Some(Ok(answer)) = self.draft.as_mut().and_then(|draft| draft.answer.as_mut()) {
            *answer = Answer::new(answer.call.clone(), &platforms, mask.as_deref());
        }
        // What is being worked out, and what these hold, is as it was shown before.
        self.jq.running = None;
        self.dialogs.retain(|dialog| !matches!(dialog, Dialog::Panel(Panel::Comparison(_))));
        self.comparing = None;
    }

    fn toggle_follow(&mut self) {
        self.calls.follow = !self.calls.follow;
        let how = if self.calls.follow { "following the newest call" } else { "staying at this call" };
        self.tell(Notice::info(how));
    }

    fn ask_search(&mut self) {
        if self.focus == Focus::Detail {
            return self.prompt(Ask::Find, "");
        }
        let before = self.calls.filter_text().to_owned();
        self.dialogs.push(Dialog::Filter { input: Input::new(&before), before, selected: 0, error: None });
    }

    pub(super) fn find_in_draft(&mut self, needle: &str) {
        let Some(draft) = &mut self.draft else { return };
        // The text area searches by regular expression; what the user types is meant as it is.
        let pattern = json::spellings(needle).unwrap_or_else(|| format!("(?i){}", regex::escape(needle)));
        let found = draft.editor.set_search_pattern(pattern).is_ok() && draft.editor.search_forward(true);
        if !found && !needle.is_empty() {
            self.tell(Notice::warning(format!("{needle:?} is not in the payload")));
        }
    }

    fn original(&mut self) {
        let parent = self.shown.as_ref().and_then(|shown| shown.call.parent);
        match parent.map(|parent| (parent, self.index.row_of(parent))) {
            None => self.tell(Notice::info("this call repeats no other")),
            Some((parent, None)) => {
                self.tell(Notice::warning(format!("its original {parent} is not in this recording")));
            }
            Some((_, Some(number))) => self.go_to(number),
        }
    }

    /// Selects a call, dropping the filter where it hides the call.
    pub(super) fn go_to(&mut self, number: usize) {
        if !self.calls.select(number) {
            self.unfilter();
            if !self.calls.select(number) {
                self.tell(Notice::warning("that call is deleted: the filter `deleted` shows it"));
            }
        }
    }

    fn edit_selected(&mut self) {
        let Some(call) = self.shown.as_ref().and_then(|shown| self.cache.original(shown.number)) else {
            return self.tell_unread();
        };
        let ticket = self.ticket();
        self.draft = Some(Draft::new(ticket, call.request.clone(), call.kind.clone(), Some(call.id)));
        self.tell_bare();
    }

    /// Says what a mask does not cover: to be sent as it was, and edited, a value must be what it is.
    pub(super) fn tell_bare(&mut self) {
        if self.masked {
            self.tell(Notice::warning("what is edited is shown as it is: nothing of it is masked"));
        }
    }

    /// What is noted of a call, as it may be shown.
    #[must_use]
    pub fn noted<'a>(&self, note: &'a str) -> Cow<'a, str> {
        let mask = self.redaction.as_ref().filter(|_| self.masked);
        mask.map_or(Cow::Borrowed(note), |mask| mask.prose(note))
    }

    fn edit_outside(&mut self) -> Vec<Effect> {
        let Some(draft) = &mut self.draft else { return Vec::new() };
        if !draft.editable() {
            let why = draft.packing().map_or_else(String::new, |why| format!(" ({why})"));
            self.tell(Notice::warning(format!("this payload is not text: it can be sent, not edited{why}")));
            return Vec::new();
        }
        draft.typing = false;
        let text = draft.text();
        let extension = if text.trim_start().starts_with(['{', '[']) { "json" } else { "txt" };
        vec![Effect::Edit { ticket: draft.ticket, text, extension }]
    }

    pub(super) fn edited(&mut self, ticket: u64, result: Result<String, String>) {
        let Some(draft) = self.draft.as_mut().filter(|draft| draft.ticket == ticket) else { return };
        match result {
            Ok(text) => {
                let before = draft.text();
                draft.edited_outside(&text);
                if draft.text() == before {
                    self.tell(Notice::info(
                        "the editor changed nothing; one with a window of its own must be told to wait: `code --wait`",
                    ));
                }
            }
            Err(reason) => self.tell(Notice::error(reason)),
        }
    }

    /// Filters the list anew by a text that was understood before. It may name what the configuration has no longer: then the
    /// filter is dropped, for what it has shown may be other calls by now.
    pub(super) fn filter_again(&mut self, text: &str) -> Vec<Effect> {
        match self.filter(text) {
            Ok(effects) => effects,
            Err(error) => {
                self.tell(Notice::warning(format!("the filter {text} is dropped: {error}")));
                self.filter("").unwrap_or_default()
            }
        }
    }

    /// Shows every call, but for deleted ones.
    pub(super) fn unfilter(&mut self) {
        // The index alone knows which they are, so there is nothing for the shell to do.
        drop(self.filter_again(""));
    }

    /// Filters the list by `text`. What the index knows is settled at once; bodies are searched by the shell.
    ///
    /// # Errors
    /// A sentence on what is wrong with the query.
    pub(super) fn filter(&mut self, text: &str) -> Result<Vec<Effect>, QueryError> {
        if text.trim().is_empty() && self.index.marks().deleted() == 0 {
            self.calls.set_filter(None);
            return Ok(Vec::new());
        }
        let Setup { zone, config, platforms, .. } = &self.setup;
        let by = Reading { now: self.now, zone: zone.clone(), saved: &config.queries, targets: &self.targets };
        let query = Query::parse_with(text, &by)?.by(platforms);
        let search = self.ticket();
        let mut filter = Filter::new(text.to_owned(), query.clone(), search);
        let places: Vec<_> = if query.needs_call() {
            (0..self.index.len()).filter_map(|row| self.index.place(row)).collect()
        } else {
            let Matching { hits, open } = self.index.matching(&query);
            let places = open.iter().filter_map(|&row| self.index.place(row)).collect();
            filter.told_by_heads(hits, open, self.index.len());
            places
        };
        let finished = filter.finished;
        self.calls.set_filter(Some(filter));
        if finished {
            return Ok(Vec::new());
        }
        Ok(vec![Effect::Search { search, query, places, marks: self.index.marks().clone() }])
    }
}
