//! One value of the selected call's body put for another: every other byte leaves as it came.
//!
//! ```text
//!  set value --> /context/tier = "gold"▏ --take--> a draft of it      send typed: sent at once
//! ```

use std::sync::Arc;

use crate::app::App;
use crate::app::action::Action;
use crate::app::body::Body;
use crate::app::dialog::{Dialog, Input};
use crate::app::dialog_keys::{Choice, Press, typed};
use crate::app::draft::Draft;
use crate::app::event::{Effect, Notice};
use crate::app::shown::Tab;
use crate::call::Call;
use crate::json;

/// A value being typed in place of another.
#[derive(Debug)]
pub struct Setting {
    /// Where it stands in the body.
    pub pointer: String,
    /// Its JSON text.
    pub input: Input,
    /// Why it cannot stand there.
    pub error: Option<String>,
    call: Arc<Call>,
}

impl App {
    /// Asks for another value at the cursor.
    pub(super) fn ask_value(&mut self) {
        match self.value_to_set() {
            Ok(setting) => self.dialogs.push(Dialog::Set(Box::new(setting))),
            Err(why) => self.tell(Notice::info(why).key(Action::Edit, "edits the whole call")),
        }
    }

    fn value_to_set(&self) -> Result<Setting, &'static str> {
        let shown = self.shown.as_ref().ok_or("there is no call")?;
        let call = self.cache.original(shown.number).ok_or("the call is being read")?;
        let pointer = match self.tab {
            _ if shown.filtered => None,
            Tab::Body => match &shown.body {
                Body::Tree(tree, None) => Some(tree.pointer()),
                _ => None,
            },
            Tab::Envelope => shown.fields().nth(self.cursor.field).map(|field| field.pointer.clone()),
            _ => None,
        };
        let pointer =
            pointer.ok_or("there is no value at the cursor: the envelope and the tree of the body have one")?;
        let value =
            std::str::from_utf8(&call.request.body).ok().and_then(|text| Some(&text[json::find(text, &pointer)?]));
        let value = value.ok_or("this is not in the body")?.to_owned();
        if value.starts_with(['{', '[']) {
            return Err("this holds other values");
        }
        Ok(Setting { pointer, input: Input::new(&value), error: None, call })
    }

    pub(super) fn setting_key(&mut self, press: Press, mut setting: Box<Setting>) -> Vec<Effect> {
        let send = press.action == Some(Action::SendTyped);
        let choice = if send { Choice::Take } else { typed(press, &mut setting.input, &mut 0, 0) };
        match choice {
            Choice::Leave => return Vec::new(),
            Choice::Stay => setting.error = None,
            Choice::Take => {
                let text = String::from_utf8_lossy(&setting.call.request.body).into_owned();
                match json::set(&text, &setting.pointer, setting.input.text()) {
                    Ok(body) => {
                        let Call { id, kind, request, .. } = &*setting.call;
                        let mut draft = Draft::new(self.ticket(), request.clone(), kind.clone(), Some(*id));
                        draft.amend(body, &setting.pointer);
                        draft.typing = false;
                        self.draft = Some(draft);
                        return if send { self.send_draft() } else { Vec::new() };
                    }
                    Err(why) => setting.error = Some(why),
                }
            }
        }
        self.dialogs.push(Dialog::Set(setting));
        Vec::new()
    }
}
