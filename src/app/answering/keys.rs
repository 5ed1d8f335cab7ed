//! What the keys do in the dialogs about answers.

use std::sync::Arc;

use super::{Answering, Edit, Offer, Purpose};
use crate::app::App;
use crate::app::action::Action;
use crate::app::dialog::Dialog;
use crate::app::dialog_keys::{Choice, Press, line_key, picked};
use crate::app::event::{Effect, Notice};
use crate::app::prompt::Ask;
use crate::call::Response;
use crate::config::{Fault, Forward, Hold, Replies, Respond, Source};
use crate::net::responder::{Release, Responders, Slot, Stage, Whose, like};

impl App {
    /// A dialog about answers takes the key.
    pub(in crate::app) fn answering_key(&mut self, press: Press, answering: Answering) -> Vec<Effect> {
        match answering {
            Answering::List { selected } => self.list_key(press.action, selected),
            Answering::Sources { slot, selected } => self.source_key(press.action, slot, selected),
            Answering::Held { selected, scroll } => self.held_key(press.action, selected, scroll),
            Answering::Edit(edit) => self.edit_key(press, edit),
        }
    }

    fn ask(&mut self, answering: Answering) -> Vec<Effect> {
        self.dialogs.push(Dialog::Answering(answering));
        Vec::new()
    }

    fn back_to(&mut self, slot: usize) -> Vec<Effect> {
        self.ask(Answering::List { selected: slot })
    }

    /// Changes a responder and goes back to the list.
    fn change(&mut self, slot: usize, change: impl FnOnce(&mut Respond)) -> Vec<Effect> {
        self.ask(Answering::List { selected: slot });
        self.set(slot, change)
    }

    /// Changes a responder. A fault that stays what it was is as far as it was.
    fn set(&mut self, slot: usize, change: impl FnOnce(&mut Respond)) -> Vec<Effect> {
        if let Some(slot) = self.answers.slots.get_mut(slot) {
            let fault = slot.respond.fault;
            change(&mut slot.respond);
            if slot.respond.fault != fault {
                let whose = slot.whose.clone();
                self.answers.left.retain(|(known, _)| *known != whose);
            }
        }
        self.respond()
    }

    /// Has a responder forward to the address that was typed.
    pub(in crate::app) fn forward_to(&mut self, slot: usize, address: &str) -> Result<Vec<Effect>, String> {
        let target = self.setup.config.receiver(address.trim())?;
        let forward = Arc::new(Forward { targets: vec![target], keep_host: false });
        Ok(self.set(slot, |respond| respond.source = Source::Forward(forward)))
    }

    /// Gives a responder the fault that was typed; nothing typed: none.
    pub(in crate::app) fn set_fault(&mut self, slot: usize, words: &str) -> Result<Vec<Effect>, String> {
        let words = words.trim();
        let fault = (!words.is_empty()).then(|| Fault::parse(words)).transpose()?;
        let before = self.answers.slots.get(slot).and_then(|slot| slot.respond.fault);
        let mut effects = Vec::new();
        if before.is_some() && before == fault {
            // What is typed begins anew, also where it says what was said before.
            effects = self.set(slot, |respond| respond.fault = None);
        }
        effects.extend(self.set(slot, |respond| respond.fault = fault));
        Ok(effects)
    }

    fn answer_from(&mut self, slot: usize, source: Source) -> Vec<Effect> {
        self.change(slot, |respond| respond.source = source)
    }

    fn list_key(&mut self, action: Option<Action>, mut selected: usize) -> Vec<Effect> {
        let slots = &self.answers.slots;
        let Some(slot) = slots.get(selected.min(slots.len().saturating_sub(1))) else { return Vec::new() };
        match action {
            Some(Action::SetFault) => {
                let fault = slot.respond.fault.map_or_else(String::new, |fault| fault.to_string());
                self.back_to(selected);
                self.prompt(Ask::Fault(selected), &fault);
                Vec::new()
            }
            Some(Action::HoldThese) => self.change(selected, |respond| {
                respond.hold = if respond.hold.is_some() { None } else { Some(Hold::Patience) };
            }),
            Some(Action::AsConfigured) => {
                let whose = slot.whose.clone();
                let mut configured = Responders::configured(&self.setup.config).into_iter();
                if let Some(known) = configured.find(|known| known.whose == whose) {
                    self.change(selected, |respond| *respond = known.respond)
                } else {
                    self.answers.slots.remove(selected);
                    self.ask(Answering::List { selected: 0 });
                    self.respond()
                }
            }
            _ => match picked(action, &mut selected, slots.len()) {
                Choice::Leave => Vec::new(),
                Choice::Stay => self.back_to(selected),
                Choice::Take => {
                    let source = &slot.respond.source;
                    let at = self.offers(selected).iter().position(|offer| *offer == Offer::Source(source.clone()));
                    self.ask(Answering::Sources { slot: selected, selected: at.unwrap_or(0) })
                }
            },
        }
    }

    fn source_key(&mut self, action: Option<Action>, slot: usize, mut selected: usize) -> Vec<Effect> {
        let offers = self.offers(slot);
        match picked(action, &mut selected, offers.len()) {
            Choice::Leave => self.back_to(slot),
            Choice::Stay => self.ask(Answering::Sources { slot, selected }),
            Choice::Take => match offers.into_iter().nth(selected) {
                Some(Offer::Source(source)) => self.answer_from(slot, source),
                Some(Offer::Address) => {
                    self.back_to(slot);
                    self.prompt(Ask::Forward(slot), "http://127.0.0.1:");
                    Vec::new()
                }
                Some(Offer::Typed) => {
                    let kind = self.answers.slots.get(slot).and_then(|slot| self.kind_of(slot));
                    let known = self.setup.platforms.kind(kind.as_deref());
                    let mut start = known.map_or_else(
                        || Response { status: 200, body: "{}".into(), ..Response::default() },
                        crate::platform::Kind::reply,
                    );
                    if !start.headers.has("content-type") {
                        start.headers.push("content-type", "application/json");
                    }
                    let edit = self.edit_answer(Purpose::Slot(slot), kind, &start);
                    self.dialogs.push(edit);
                    Vec::new()
                }
                None => Vec::new(),
            },
        }
    }

    fn held_key(&mut self, action: Option<Action>, mut selected: usize, mut scroll: usize) -> Vec<Effect> {
        let count = self.answers.held.len();
        selected = selected.min(count.saturating_sub(1));
        let Some(held) = self.answers.held.get(selected).cloned() else { return Vec::new() };
        let release = |release| vec![Effect::Release { id: held.id, release: Box::new(release) }];
        let mut effects = Vec::new();
        let Some(action) = action else { return self.ask(Answering::Held { selected, scroll }) };
        match (action, &held.stage) {
            (Action::LetGo, _) => effects = release(Release::AsIs),
            (Action::Refuse, _) => effects = release(Release::Refuse),
            (Action::HoldNoMore, _) => effects = self.toggle_holds(),
            (Action::ForwardHeld, Stage::Forward(_)) => {
                self.answers.awaited = Some((held.id, self.touched));
                effects = release(Release::Forward { request: None, hold_answer: true });
            }
            (Action::EditAnswer, stage) => {
                let answer = match stage {
                    Stage::Answer(answer) => answer.clone(),
                    Stage::Forward(_) => {
                        let kind = self.setup.platforms.kind(held.kind.as_deref());
                        kind.map_or_else(Response::default, crate::platform::Kind::reply)
                    }
                };
                let answer = if answer.status == 0 { Response { status: 200, ..answer } } else { answer };
                let edit = self.edit_answer(Purpose::Answer(held.id), held.kind.clone(), &answer);
                self.ask(Answering::Held { selected, scroll });
                self.dialogs.push(edit);
                self.tell_bare();
                return Vec::new();
            }
            (Action::EditRequest, Stage::Forward(_)) => {
                let edit = self.edit(Purpose::Request(held.id), held.kind.clone(), held.request.clone(), 200);
                self.ask(Answering::Held { selected, scroll });
                self.dialogs.push(edit);
                self.tell_bare();
                return Vec::new();
            }
            (Action::ForwardHeld | Action::EditRequest, Stage::Answer(_)) => {
                self.tell(Notice::info("this call is not forwarded: what waits is its answer"));
            }
            // The other keys that scroll elsewhere go from call to call.
            (Action::HeldDown | Action::HeldUp | Action::PageDown | Action::PageUp, _) => {
                self.regions.dialog.scroll(&mut scroll, action);
            }
            (action, _) => {
                let before = selected;
                if let Choice::Leave = picked(Some(action), &mut selected, count) {
                    return Vec::new();
                }
                scroll = if selected == before { scroll } else { 0 };
            }
        }
        scroll = if effects.is_empty() { scroll } else { 0 };
        self.ask(Answering::Held { selected, scroll });
        effects
    }

    fn edit_key(&mut self, press: Press, mut edit: Box<Edit>) -> Vec<Effect> {
        match press.action {
            action if !edit.on_status && edit.draft.offer_key(action) => {}
            Some(Action::LeaveTyping) => {
                if let Purpose::Slot(slot) = edit.purpose {
                    return self.back_to(slot);
                }
                return Vec::new();
            }
            Some(Action::SendTyped) => return self.take_edit(edit),
            Some(Action::Complete) if !edit.is_request() => edit.on_status = !edit.on_status,
            Some(Action::Take) if edit.on_status => edit.on_status = false,
            _ if edit.on_status => drop(line_key(press, &mut edit.status)),
            Some(Action::UndoTyping) => edit.draft.step_back(),
            Some(Action::RedoTyping) => edit.draft.step_forth(),
            Some(Action::ClearLine) => edit.draft.clear_line(),
            _ => edit.draft.input(press.key),
        }
        self.check(&mut edit);
        self.ask(Answering::Edit(edit))
    }

    /// Puts an edit to its use.
    fn take_edit(&mut self, edit: Box<Edit>) -> Vec<Effect> {
        let response = match edit.response() {
            Ok(response) => response,
            Err(reason) => {
                self.tell(Notice::error(reason));
                return self.ask(Answering::Edit(edit));
            }
        };
        let source = || Source::Reply(Arc::new(Replies::always(like(&response))));
        match edit.purpose {
            Purpose::Answer(id) => {
                vec![Effect::Release { id, release: Box::new(Release::Answer(response)) }]
            }
            Purpose::Request(id) => {
                let request = Some(Box::new(edit.draft.request()));
                vec![Effect::Release { id, release: Box::new(Release::Forward { request, hold_answer: false }) }]
            }
            Purpose::Slot(slot) => self.answer_from(slot, source()),
            Purpose::Kind(kind) => {
                let whose = Whose::Kind(kind.clone());
                let slot = Slot { whose, respond: Respond { source: source(), ..Respond::default() } };
                match self.answers.slots.iter_mut().find(|known| known.whose == slot.whose) {
                    Some(known) => known.respond.source = slot.respond.source,
                    None => self.answers.slots.insert(0, slot),
                }
                let told = Notice::info(format!("every {kind} is answered like this from now on"));
                self.tell(told.key(Action::Answers, "shows what answers"));
                self.respond()
            }
        }
    }
}
