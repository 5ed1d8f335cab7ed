//! What is kept in the data directory for drafts: known variables and fixtures. The shell reads and writes it.
//!
//! ```text
//!  $ --Effect::Keep(Register)--> variables.json --Event::Kept(Variables)--> the list, the draft's completion
//! ```

use std::sync::Arc;

use crate::app::App;
use crate::app::action::Action;
use crate::app::dialog_keys::{Choice, picked};
use crate::app::draft::Draft;
use crate::app::event::{Effect, Notice};
use crate::app::panel::Panel;
use crate::app::prompt::Ask;
use crate::app::question::{self, Yes};
use crate::call::{Call, Direction, Id, Request, bare};
use crate::recording::{Redaction, fixtures};
use crate::replay::template;
use crate::replay::variables::{Variable, Variables};

/// What the shell shall do in the data directory.
#[derive(Clone, Debug)]
pub enum Keep {
    /// Read the known variables.
    Variables,
    /// Read the known variables, where there is a place to read them from.
    Refresh,
    /// Make known what the answer to a call holds, but for what is masked.
    Register(Arc<Call>, Arc<Redaction>),
    /// Forget a variable.
    Forget(String),
    /// Read the fixtures.
    Fixtures,
    /// Keep the request of a call under a name.
    Save {
        /// The name.
        name: String,
        /// The call.
        call: Box<Call>,
        /// In place of the fixture that has the name already.
        replace: bool,
    },
    /// Remove a fixture.
    Remove(String),
    /// Fill in what stands between double braces in a request.
    Fill {
        /// Comes back with it.
        ticket: u64,
        /// The request.
        request: Box<Request>,
    },
}

impl PartialEq for Keep {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Variables, Self::Variables) | (Self::Refresh, Self::Refresh) | (Self::Fixtures, Self::Fixtures) => {
                true
            }
            (Self::Register(call, _), Self::Register(other, _)) => call == other,
            (Self::Forget(name), Self::Forget(other)) | (Self::Remove(name), Self::Remove(other)) => name == other,
            (Self::Save { name, call, replace }, Self::Save { name: other, call: others, replace: replaces }) => {
                (name, call, replace) == (other, others, replaces)
            }
            (Self::Fill { ticket, request }, Self::Fill { ticket: other, request: others }) => {
                (ticket, request) == (other, others)
            }
            _ => false,
        }
    }
}

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Kept {
    /// The variables as they are known now.
    Variables(Variables),
    /// The fixtures as they are now.
    Fixtures(Vec<fixtures::Named>),
    /// A fixture of that name is there: the call was not kept.
    Taken(String, Box<Call>),
    /// A request, filled in.
    Filled {
        /// The ticket it was asked for under.
        ticket: u64,
        /// The request, or which name stands for nothing.
        result: Result<Box<Request>, String>,
    },
}

impl App {
    /// Takes in what came of it.
    pub(super) fn kept(&mut self, kept: Kept) -> Vec<Effect> {
        match kept {
            Kept::Variables(variables) => {
                self.variables = Some(variables);
                self.draft.iter_mut().for_each(|draft| draft.facts = None);
            }
            Kept::Fixtures(fixtures) => self.fixtures = fixtures,
            Kept::Taken(name, call) => {
                let question = format!("There is a fixture {name} already. Replace it?");
                self.ask_first(question, question::REPLACE, Yes::Keep(Keep::Save { name, call, replace: true }));
            }
            Kept::Filled { ticket, result } => return self.filled(ticket, result),
        }
        Vec::new()
    }

    /// Makes known what the answer holds that is looked at: the draft's, else the selected call's.
    pub(super) fn register_shown(&mut self) -> Vec<Effect> {
        let drafted = self.draft.as_ref().map(|draft| match &draft.answer {
            Some(Ok(answer)) => Some(answer.call.clone()),
            _ => None,
        });
        let selected = || self.calls.selected().and_then(|row| self.cache.original(row));
        if let Some(call) = drafted.unwrap_or_else(selected) {
            return self.register(call);
        }
        self.tell(Notice::info("there is no answer to take variables from"));
        Vec::new()
    }

    /// Makes known what the answer to `call` holds.
    pub(super) fn register(&mut self, call: Arc<Call>) -> Vec<Effect> {
        let Some(redaction) = self.redaction.clone() else {
            // Without it a credential could end up among the variables.
            self.tell(Notice::error("no variables can be kept: [redact] of the configuration is not understood"));
            return Vec::new();
        };
        vec![Effect::Keep(Keep::Register(call, redaction))]
    }

    /// Shows the known variables.
    pub(super) fn ask_variables(&mut self) -> Vec<Effect> {
        self.show_panel(Panel::Variables { selected: 0 });
        vec![Effect::Keep(Keep::Variables)]
    }

    /// The known variables, those that came last first.
    #[must_use]
    pub fn known(&self) -> Vec<(&str, &Variable)> {
        let mut known: Vec<_> = self.variables.iter().flat_map(Variables::iter).collect();
        known.reverse();
        known
    }

    pub(super) fn variables_key(&mut self, action: Option<Action>, mut selected: usize) -> Vec<Effect> {
        let known = self.known();
        let chosen = known.get(selected).map(|(name, variable)| ((*name).to_owned(), variable.value.clone()));
        let count = known.len();
        let mut effects = Vec::new();
        match (action, chosen) {
            (Some(Action::CopyVariable), Some((_, value))) => effects.push(Effect::Copy(value)),
            (Some(Action::Forget), Some((name, _))) => {
                self.show_panel(Panel::Variables { selected: selected.min(count.saturating_sub(2)) });
                let question = format!("Forget ${name} for good?");
                self.ask_first(question, question::FORGET, Yes::Keep(Keep::Forget(name)));
                return Vec::new();
            }
            (_, chosen) => match picked(action, &mut selected, count) {
                Choice::Leave => return Vec::new(),
                Choice::Take => {
                    if let (Some(draft), Some((name, _))) = (&mut self.draft, chosen) {
                        draft.insert(&format!("{{{{${name}}}}}"));
                        return Vec::new();
                    }
                }
                Choice::Stay => {}
            },
        }
        self.show_panel(Panel::Variables { selected });
        effects
    }

    /// Shows the fixtures.
    pub(super) fn ask_fixtures(&mut self) -> Vec<Effect> {
        self.show_panel(Panel::Fixtures { selected: 0 });
        vec![Effect::Keep(Keep::Fixtures)]
    }

    pub(super) fn fixtures_key(&mut self, action: Option<Action>, mut selected: usize) -> Vec<Effect> {
        let chosen = self.fixtures.get(selected).cloned();
        let count = self.fixtures.len();
        match (action, chosen) {
            (Some(Action::RemoveFixture), Some((name, _))) => {
                self.show_panel(Panel::Fixtures { selected: selected.min(count.saturating_sub(2)) });
                let question = format!("Remove the fixture {name} for good?");
                self.ask_first(question, question::REMOVE, Yes::Keep(Keep::Remove(name)));
                return Vec::new();
            }
            (Some(Action::EditFixture), Some((_, Ok(call)))) => {
                self.draft_of(&call, None, true);
                return Vec::new();
            }
            (Some(Action::EditFixture), Some((_, Err(reason)))) => self.tell(Notice::error(reason)),
            (_, chosen) => match (picked(action, &mut selected, count), chosen) {
                (Choice::Leave, _) => return Vec::new(),
                (Choice::Take, Some((_, Ok(call)))) => {
                    // A draft fills in what stands between braces, and shows the answer.
                    self.draft_of(&call, None, true);
                    self.draft.iter_mut().for_each(|draft| draft.typing = false);
                    return self.send_draft();
                }
                (Choice::Take, Some((_, Err(reason)))) => self.tell(Notice::error(reason)),
                _ => {}
            },
        }
        self.show_panel(Panel::Fixtures { selected });
        Vec::new()
    }

    /// Opens a draft of a call that was made before. What repeats a `parent` is sent as it is until it is edited. Of a
    /// `template`, a fixture, what stands between its braces is to be filled in: a call that was on a wire is none.
    pub(super) fn draft_of(&mut self, call: &Call, parent: Option<Id>, template: bool) {
        let ticket = self.ticket();
        let known = parent.filter(|parent| self.index.row_of(*parent).is_some());
        // Where what it repeats is at hand, it is literal anyway.
        let literal = !template && known.is_none();
        let request = if literal { template::literal(call.request.clone()) } else { call.request.clone() };
        self.draft = Some(Draft::new(ticket, request, call.kind.clone(), known));
        self.tell_bare();
    }

    /// Asks for the name to keep the draft under.
    pub(super) fn ask_name(&mut self) {
        let kind = self.draft.as_ref().and_then(|draft| draft.kind.as_deref());
        let name = kind.map_or("", bare).to_owned();
        self.prompt(Ask::FixtureName, &name);
    }

    /// Keeps the draft under a name.
    pub(super) fn keep_draft(&self, name: &str) -> Result<Vec<Effect>, String> {
        let name = name.trim().to_owned();
        fixtures::check_name(&name)?;
        let save = |call| Effect::Keep(Keep::Save { name, call: Box::new(call), replace: false });
        Ok(self.fixture().map(save).into_iter().collect())
    }

    /// The draft as a call that was not sent yet.
    fn fixture(&self) -> Option<Call> {
        let draft = self.draft.as_ref()?;
        let request = draft.template();
        let kind = self.setup.platforms.kind(draft.kind.as_deref());
        Some(Call {
            kind: draft.kind.clone(),
            conversation: kind.and_then(|kind| kind.read(&request).conversation),
            parent: draft.parent,
            // The shell gives it one of its own.
            ..Call::new(Id::NIL, Direction::Sent, self.now, request)
        })
    }
}
