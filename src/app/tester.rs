//! The test panel: a built-in call of any kind, sent as it is or edited first, its answer held against the contract, and
//! what was sent so far.

use std::sync::Arc;

use crate::app::App;
use crate::app::action::Action;
use crate::app::dialog::{Input, Then};
use crate::app::dialog_keys::{Choice, Press, picked, typed};
use crate::app::draft::Answer;
use crate::app::event::{Effect, Notice};
use crate::app::panel::Panel;
use crate::app::shown;
use crate::app::text::Text;
use crate::call::{Call, Packed, Response};
use crate::platform::{Kind, Platforms};
use crate::recording::Redaction;

/// Most sends that are remembered, and most bytes of their answers, but for the newest, which stays whatever its size.
const MOST_SENDS: usize = 200;
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// Where the keys move in the panel.
#[derive(Clone, Debug, Default)]
pub struct Tester {
    /// The kind that is meant.
    pub kind: usize,
    /// The send that is meant, counted from the newest.
    pub send: usize,
    /// The keys move among the sends.
    pub in_history: bool,
    /// First row of the answer that is shown.
    pub scroll: usize,
    /// What the kinds are narrowed to.
    pub search: Input,
    /// Keys go into that.
    pub typing: bool,
}

/// What came back from the sends of this session, the newest last.
#[derive(Debug, Default)]
pub struct Sends {
    answers: Vec<Answer>,
}

impl Sends {
    pub(super) fn push(&mut self, answer: Answer) {
        self.answers.push(answer);
        let bytes = |answers: &[Answer]| -> usize {
            let responses = answers.iter().filter_map(|answer| answer.call.response.as_ref());
            responses.map(|response| Packed::at_most(&response.headers, &response.body)).sum()
        };
        while self.answers.len() > 1 && (self.answers.len() > MOST_SENDS || bytes(&self.answers) > MOST_BYTES) {
            self.answers.remove(0);
        }
    }

    /// Shows them masked, or as they are.
    pub(super) fn mask(&mut self, platforms: &Platforms, mask: Option<&Redaction>) {
        self.answers.iter_mut().for_each(|answer| *answer = Answer::new(answer.call.clone(), platforms, mask));
    }

    /// Cuts their bodies into rows of `width` columns.
    pub(super) fn wrap(&mut self, width: usize) {
        self.answers.iter_mut().for_each(|answer| answer.body.wrap(width));
    }

    /// All of them, the newest first.
    pub fn newest_first(&self) -> impl Iterator<Item = &Answer> {
        self.answers.iter().rev()
    }
}

impl Answer {
    /// What came back, held against the contract of its kind, and shown masked where there is a `mask`.
    #[must_use]
    pub fn new(call: Arc<Call>, platforms: &Platforms, mask: Option<&Redaction>) -> Self {
        let kind = platforms.kind(call.kind.as_deref());
        let check = |call: &Call| match (kind, &call.response) {
            (Some(kind), Some(response)) => kind.check_response(response),
            _ => Vec::new(),
        };
        let mut findings = check(&call);
        let masked = mask.map(|mask| mask.call(&call));
        if let Some(masked) = &masked {
            shown::hush(&mut findings, &check(masked));
        }
        let shown = masked.as_ref().unwrap_or(&call);
        let response = shown.response.as_ref().map(Response::readable);
        let packed = shown.response.as_ref().and_then(|response| shown::packed(&response.headers, &response.body));
        let body = Text::new(response.as_ref().map_or(&[], |response| &response.body), true);
        let redirect = shown.redirect();
        Self { call, findings, redirect, packed, body }
    }
}

impl App {
    /// The names of all kinds, in the order of the panel.
    fn kind_names(&self) -> Vec<String> {
        self.setup.platforms.kinds().map(|kind| kind.name.clone()).collect()
    }

    /// Opens the panel at the kind where it was left.
    pub(super) fn ask_test(&mut self) {
        *self.tester = Tester { kind: self.tester.kind, ..Tester::default() };
        self.show_panel(Panel::Tester(self.tester.clone()));
    }

    /// The numbers of the kinds that have each word of `search` in their names or titles, or those of their platforms.
    #[must_use]
    pub fn kinds_found(&self, search: &str) -> Vec<usize> {
        let words: Vec<String> = search.split_whitespace().map(str::to_lowercase).collect();
        let fits = |kind: &Kind| {
            let platform = self.setup.platforms.pack(kind.platform()).map_or("", |pack| &pack.title);
            let text = format!("{} {} {platform}", kind.name, kind.title).to_lowercase();
            words.iter().all(|word| text.contains(word))
        };
        let kinds = self.setup.platforms.kinds().enumerate();
        kinds.filter(|(_, kind)| fits(kind)).map(|(number, _)| number).collect()
    }

    /// A key while the search of the kinds is typed. The first one found is meant, or the one that is moved to.
    fn kinds_key(&mut self, press: Press, mut tester: Box<Tester>) -> Vec<Effect> {
        let was = tester.search.text().to_owned();
        let found = self.kinds_found(&was);
        let mut at = found.iter().position(|number| *number == tester.kind).unwrap_or(0);
        match typed(press, &mut tester.search, &mut at, found.len()) {
            Choice::Leave => (tester.typing, tester.search) = (false, Input::default()),
            Choice::Take if found.is_empty() => self.tell_none_found(),
            Choice::Take => {
                tester.typing = false;
                self.mean_found(&mut tester);
            }
            Choice::Stay if tester.search.text() == was => {
                tester.kind = found.get(at).copied().unwrap_or(tester.kind);
            }
            Choice::Stay => self.mean_found(&mut tester),
        }
        tester.scroll = 0;
        self.show_panel(Panel::Tester(tester));
        Vec::new()
    }

    fn tell_none_found(&mut self) {
        self.tell(Notice::info("no kind has all these words in its name or title"));
    }

    /// After the search has changed, or was pasted into.
    fn mean_found(&self, tester: &mut Tester) {
        let found = self.kinds_found(tester.search.text());
        if !found.contains(&tester.kind) {
            tester.kind = found.first().copied().unwrap_or(tester.kind);
        }
    }

    /// The answer that the panel shows: the chosen send, else the newest of the chosen kind.
    #[must_use]
    pub fn tested(&self, tester: &Tester) -> Option<&Answer> {
        if tester.in_history {
            return self.sends.newest_first().nth(tester.send);
        }
        let kind = self.setup.platforms.kinds().nth(tester.kind)?;
        self.sends.newest_first().find(|answer| answer.call.kind.as_deref() == Some(&kind.name))
    }

    pub(super) fn tester_key(&mut self, press: Press, mut tester: Box<Tester>) -> Vec<Effect> {
        if tester.typing {
            return self.kinds_key(press, tester);
        }
        let action = press.action;
        let kinds = self.kind_names();
        let before = (tester.kind, tester.send, tester.in_history);
        match action {
            Some(Action::SearchKinds) => (tester.in_history, tester.typing) = (false, true),
            Some(Action::History) => {
                let any = self.sends.newest_first().next().is_some();
                if !any {
                    self.tell(Notice::info("nothing was sent yet"));
                }
                tester.in_history = !tester.in_history && any;
            }
            Some(action @ (Action::TestDown | Action::TestUp)) => {
                self.regions.dialog.scroll(&mut tester.scroll, action);
            }
            Some(Action::Target) => {
                self.show_panel(Panel::Tester(tester));
                self.ask_target(Then::Stay);
                return Vec::new();
            }
            // The kind that was meant before is not in sight.
            Some(Action::EditTest | Action::Open)
                if !tester.in_history && self.kinds_found(tester.search.text()).is_empty() =>
            {
                self.tell_none_found();
            }
            Some(Action::EditTest) if !tester.in_history => {
                kinds.get(tester.kind).into_iter().for_each(|kind| self.draft_sample(kind));
                self.tester = tester;
                return Vec::new();
            }
            Some(Action::EditTest) => {
                let Some(call) = self.tested(&tester).map(|answer| answer.call.clone()) else { return Vec::new() };
                self.tester = tester;
                self.draft_of(&call, call.parent, false);
                return Vec::new();
            }
            Some(Action::Register) => {
                let call = self.tested(&tester).map(|answer| answer.call.clone());
                self.show_panel(Panel::Tester(tester));
                let Some(call) = call else {
                    self.tell(Notice::info("nothing was sent yet, so there is no answer to keep"));
                    return Vec::new();
                };
                return self.register(call);
            }
            _ if tester.in_history => {
                if let Some(row) = self.pick_sent(action, &mut tester) {
                    self.tester = tester;
                    self.go_to(row);
                    return Vec::new();
                }
            }
            _ => match self.pick_kind(action, &mut tester) {
                Choice::Leave => {
                    self.tester = tester;
                    return Vec::new();
                }
                Choice::Take => {
                    let kind = kinds.get(tester.kind);
                    self.tester = tester.clone();
                    self.show_panel(Panel::Tester(tester));
                    return kind.map_or_else(Vec::new, |kind| self.send_sample(kind));
                }
                Choice::Stay => {}
            },
        }
        if (tester.kind, tester.send, tester.in_history) != before {
            tester.scroll = 0;
        }
        self.show_panel(Panel::Tester(tester));
        Vec::new()
    }

    /// Goes through what was sent; gives the row of the call that is to be shown.
    fn pick_sent(&self, action: Option<Action>, tester: &mut Tester) -> Option<usize> {
        let count = self.sends.newest_first().count();
        match picked(action, &mut tester.send, count) {
            Choice::Leave => tester.in_history = false,
            Choice::Take => return self.index.row_of(self.tested(tester)?.call.id),
            Choice::Stay => {}
        }
        None
    }

    /// Goes through the kinds that the search finds; the first way back is out of the search.
    fn pick_kind(&self, action: Option<Action>, tester: &mut Tester) -> Choice {
        let found = self.kinds_found(tester.search.text());
        let mut at = found.iter().position(|number| *number == tester.kind).unwrap_or(0);
        match (picked(action, &mut at, found.len()), found.get(at)) {
            (Choice::Leave, _) if action == Some(Action::Back) && !tester.search.text().is_empty() => {
                tester.search = Input::default();
                Choice::Stay
            }
            (Choice::Leave, _) => Choice::Leave,
            (choice, Some(kind)) => {
                tester.kind = *kind;
                choice
            }
            (_, None) => Choice::Stay,
        }
    }
}
