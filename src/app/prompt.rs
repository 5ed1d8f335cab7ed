//! A line to type in over the screen: what it asks for, and what becomes of that which is typed.
//!
//! Whatever is asked for is one variant of [`Ask`]: with its label, and with what the answer does in `App::answered`.

use std::borrow::Cow;

use crate::app::App;
use crate::app::action::Action;
use crate::app::dialog::{Dialog, Input, Then};
use crate::app::dialog_keys::{Choice, Press, line_key};
use crate::app::event::Effect;
use crate::app::setting::Setting;
use crate::call::Id;
use crate::config::FAULTS;
use crate::visible;

/// A line to type in.
#[derive(Debug)]
pub struct Prompt {
    /// What is asked for.
    pub ask: Ask,
    /// What is typed so far.
    pub input: Input,
    /// What was wrong with that when it was taken; none once it is another.
    pub error: Option<String>,
}

/// What a line is typed for.
#[derive(Debug)]
pub enum Ask {
    /// A word to search for in the text that is looked at.
    Find,
    /// A jq filter for the body that is looked at.
    Jq,
    /// Another value in the selected call.
    Value(Setting),
    /// The note on a call.
    Note(Id),
    /// An address to send to, and what to do once there is one.
    Address(Then),
    /// The address of the page that a call of this kind opens.
    Page(String),
    /// How long a flow waits for the page that a call of this kind opens.
    Expiration(String),
    /// An address that the responder of that number forwards to.
    Forward(usize),
    /// The words of its fault.
    Fault(usize),
    /// The name to keep the draft under.
    FixtureName,
}

impl Ask {
    /// What stands before the line, where there are `width` columns for both.
    #[must_use]
    pub fn label(&self, width: usize) -> Cow<'static, str> {
        let label = match self {
            Self::Find => "find ",
            Self::Jq => "jq ",
            Self::Value(setting) => {
                let pointer = visible::line(&setting.pointer);
                return format!("{} = ", visible::truncate(&pointer, width / 2)).into();
            }
            Self::Note(_) => "note ",
            Self::Address(_) => "send to (URL, host:port or :port) ",
            Self::Page(_) => "page of yours (URL) ",
            Self::Expiration(_) => "the flow waits for (300, 5m; empty: for ever) ",
            Self::Forward(_) => "forward to (URL, host:port or :port) ",
            Self::Fault(_) => "fault ",
            Self::FixtureName => "keep the draft as ",
        };
        label.into()
    }

    /// What is said below the line while nothing is wrong with it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        matches!(self, Self::Fault(_)).then(|| format!("one of {}; empty: none", FAULTS.join(", ")))
    }
}

impl Prompt {
    /// One that says `text` already.
    #[must_use]
    pub fn new(ask: Ask, text: &str) -> Self {
        Self { ask, input: Input::new(text), error: None }
    }

    /// Takes pasted text.
    pub(super) fn paste(&mut self, text: &str) {
        self.input.paste(text);
        self.error = None;
    }
}

impl App {
    /// Asks for a line that says `text` already.
    pub(super) fn prompt(&mut self, ask: Ask, text: &str) {
        self.dialogs.push(Dialog::Prompt(Prompt::new(ask, text)));
    }

    pub(super) fn prompt_key(&mut self, press: Press, mut prompt: Prompt) -> Vec<Effect> {
        let sends = press.action == Some(Action::SendTyped) && matches!(prompt.ask, Ask::Value(_));
        match if sends { Choice::Take } else { line_key(press, &mut prompt.input) } {
            Choice::Leave => return Vec::new(),
            Choice::Stay => prompt.error = None,
            Choice::Take => match self.answered(&prompt.ask, prompt.input.text()) {
                Ok(_) if sends => return self.send_draft(),
                Ok(effects) => return effects,
                Err(reason) => prompt.error = Some(reason),
            },
        }
        self.dialogs.push(Dialog::Prompt(prompt));
        Vec::new()
    }

    /// Does what the line was typed for.
    ///
    /// # Errors
    /// A sentence: what is wrong with it.
    fn answered(&mut self, ask: &Ask, text: &str) -> Result<Vec<Effect>, String> {
        match ask {
            Ask::Find => self.find(text),
            Ask::Jq => return Ok(self.jq(text)),
            Ask::Value(setting) => self.set_value(setting, text)?,
            Ask::Note(call) => return Ok(self.note(*call, text)),
            Ask::Address(then) => {
                let number = self.add_target(text)?;
                return Ok(self.choose_target(number, then));
            }
            Ask::Page(kind) => return self.open_page(kind, text),
            Ask::Expiration(kind) => self.set_expiration(kind, text)?,
            Ask::Forward(slot) => return self.forward_to(*slot, text),
            Ask::Fault(slot) => return self.set_fault(*slot, text),
            Ask::FixtureName => return self.keep_draft(text),
        }
        Ok(Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::event::Event;
    use crate::app::keys::script;
    use crate::app::tests::{app, happen};

    #[test]
    fn a_line_that_says_something_already_is_edited_at_its_end() {
        let line = |keys: &str| {
            let mut app = app();
            app.prompt(Ask::FixtureName, "moveo dialog");
            script(keys).unwrap().into_iter().for_each(|key| drop(happen(&mut app, Event::Key(key))));
            match app.dialogs.pop() {
                Some(Dialog::Prompt(prompt)) => prompt.input.text().to_owned(),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(line("s"), "moveo dialogs");
        assert_eq!(line("<ctrl-u>x"), "x");
        assert_eq!(line("<ctrl-w>x"), "moveo x");
        assert_eq!(line("<home>x<end>y"), "xmoveo dialogy");
    }

    #[test]
    fn what_was_wrong_is_said_until_the_line_is_another() {
        let mut app = app();
        let press = |app: &mut App, keys: &str| {
            script(keys).unwrap().into_iter().for_each(|key| drop(happen(app, Event::Key(key))));
        };
        let error = |app: &App| match app.dialogs.last() {
            Some(Dialog::Prompt(prompt)) => prompt.error.clone(),
            dialog => panic!("{dialog:?}"),
        };
        for ask in [
            Ask::Address(Then::Stay),
            Ask::Expiration("moveo/webview_open".to_owned()),
            Ask::Forward(0),
            Ask::Fault(0),
            Ask::FixtureName,
        ] {
            app.prompt(ask, "");
            press(&mut app, "no/such<enter>");
            let first = error(&app).unwrap();
            happen(&mut app, Event::Paste("!".to_owned()));
            assert_eq!(error(&app), None, "{first}");
            press(&mut app, "<enter>");
            assert!(error(&app).is_some(), "{first}");
            press(&mut app, "<backspace>");
            assert_eq!(error(&app), None, "{first}");
        }
    }
}
