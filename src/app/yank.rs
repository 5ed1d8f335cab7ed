//! What can be copied of the selected call, and how each is written.

use crate::app::App;
use crate::app::action::{Action, Entry, TABLE};
use crate::app::dialog::Dialog;
use crate::app::dialog_keys::{Choice, picked};
use crate::app::event::{Effect, Notice};
use crate::app::shown::{Shown, Tab};
use crate::call::Headers;
use crate::json::{self, PrintError};
use crate::platform::Row;
use crate::recording::export::{Exporter, Format, Judgement, Report};
use crate::visible;

/// Something to copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// The request's body as it came.
    Body,
    /// The request's body laid out for reading.
    Pretty,
    /// The value at the cursor.
    Value,
    /// The JSON Pointer of that.
    Pointer,
    /// The request's headers.
    Headers,
    /// The response's body.
    Response,
    /// A `curl` command that sends the request.
    Curl,
    /// The call as a Markdown report.
    Markdown,
}

impl What {
    /// What an action of the menu copies.
    #[must_use]
    pub fn of(action: Action) -> Option<Self> {
        Some(match action {
            Action::CopyBody => Self::Body,
            Action::CopyPretty => Self::Pretty,
            Action::CopyValue => Self::Value,
            Action::CopyPointer => Self::Pointer,
            Action::CopyHeaders => Self::Headers,
            Action::CopyResponse => Self::Response,
            Action::CopyCurl => Self::Curl,
            Action::CopyReport => Self::Markdown,
            _ => return None,
        })
    }
}

/// The menu: the actions that copy, and what each copies.
#[must_use]
pub fn menu() -> Vec<(&'static Entry, What)> {
    TABLE.iter().filter_map(|entry| Some((entry, What::of(entry.action)?))).collect()
}

impl App {
    /// Asks what to copy.
    pub(super) fn ask_yank(&mut self) {
        if self.shown.is_none() {
            return self.tell_unread();
        }
        self.dialogs.push(Dialog::Yank { selected: 0 });
    }

    pub(super) fn yank_key(&mut self, action: Option<Action>, mut selected: usize) -> Vec<Effect> {
        if let Some(what) = action.and_then(What::of) {
            return self.yank(what);
        }
        let menu = menu();
        match picked(action, &mut selected, menu.len()) {
            Choice::Leave => {}
            Choice::Take => return menu.get(selected).map_or_else(Vec::new, |(_, what)| self.yank(*what)),
            Choice::Stay => self.dialogs.push(Dialog::Yank { selected }),
        }
        Vec::new()
    }

    /// Copies it.
    fn yank(&mut self, what: What) -> Vec<Effect> {
        let Some(shown) = &self.shown else { return Vec::new() };
        match self.text_to_copy(shown, what) {
            Ok(text) => vec![Effect::Copy(text)],
            Err(reason) => {
                self.tell(Notice::warning(reason));
                Vec::new()
            }
        }
    }

    fn text_to_copy(&self, shown: &Shown, what: What) -> Result<String, String> {
        let call = &shown.call;
        let text = |bytes: &[u8]| match std::str::from_utf8(bytes) {
            Ok("") => Err("there is no body to copy".to_owned()),
            Ok(text) => Ok(text.to_owned()),
            Err(_) => Err(format!("the body is not text: {} exports it", self.keymap.key(Action::Export))),
        };
        match what {
            What::Body => text(&call.request.readable().body),
            What::Pretty => text(&call.request.readable().body).and_then(|text| match json::pretty(&text) {
                Err(error @ PrintError::Long) => Err(format!("the body is {error}: copy it as it came")),
                Err(PrintError::Syntax(_)) => Ok(text),
                Ok(laid_out) => Ok(laid_out),
            }),
            What::Value => self.at_cursor(shown).map(|(_, value)| value).ok_or_else(no_cursor),
            What::Pointer => self.at_cursor(shown).map(|(pointer, _)| pointer).ok_or_else(no_cursor),
            What::Headers => Ok(headers(&call.request.headers)),
            What::Response => call.response.as_ref().map_or_else(
                || Err("there is no response to copy".to_owned()),
                |response| text(&response.readable().body),
            ),
            What::Curl | What::Markdown => self.written(shown, what == What::Markdown),
        }
    }

    /// The pointer and the text of the value at the cursor.
    fn at_cursor(&self, shown: &Shown) -> Option<(String, String)> {
        let tree = match self.tab {
            Tab::Response => shown.answer.tree(),
            Tab::Body => shown.body.tree(),
            Tab::Envelope => {
                let field = shown.fields().nth(self.cursor.field)?;
                return Some((field.pointer.clone(), value_of(shown, field)));
            }
            // None is seen there.
            Tab::Headers | Tab::Signature | Tab::Conversation => None,
        }?;
        Some((tree.pointer(), json::text(tree.value()).into_owned()))
    }

    fn written(&self, shown: &Shown, report: bool) -> Result<String, String> {
        let kind = self.setup.platforms.kind(shown.call.kind.as_deref());
        let why = shown.why.clone().unwrap_or_default();
        let judgement = shown.verdict.clone().map(|verdict| Judgement { verdict, why });
        let remarks = self.index.marks().of(shown.call.id).cloned().unwrap_or_default();
        let mut told = Report::new((*shown.call).clone(), kind, judgement, remarks);
        told.consequence.clone_from(&shown.consequence);
        if report && let Some(redaction) = &self.redaction {
            told = told.redacted(redaction, kind);
        }
        let mut out = Vec::new();
        let format = if report { Format::Markdown } else { Format::Curl };
        let written = Exporter::new(&mut out, format, "hooktape", self.now).and_then(|mut exporter| {
            exporter.write(&told)?;
            exporter.finish()
        });
        written.map_err(|error| error.to_string())?;
        Ok(String::from_utf8_lossy(&out).into_owned())
    }
}

/// The value that a field shows: as the body has it, where it has one. What is shown is made for reading.
fn value_of(shown: &Shown, field: &Row) -> String {
    let request = shown.call.request.readable();
    let body = std::str::from_utf8(&request.body).ok();
    let value = body.and_then(|body| body.get(json::find(body, &field.pointer)?));
    value.map_or_else(|| field.value.clone(), |value| json::text(value).into_owned())
}

fn no_cursor() -> String {
    "there is no value at the cursor: the envelope and the trees of bodies have one".to_owned()
}

fn headers(headers: &Headers) -> String {
    headers.iter().fold(String::new(), |text, (name, value)| text + name + ": " + &visible::bytes(value) + "\n")
}
