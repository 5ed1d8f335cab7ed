//! Why a signature is not valid: found out when it is looked at, for the body is signed many times. Of a large call the shell
//! does it, and the screen goes on.

use std::sync::Arc;

use crate::app::bodies::{self, LARGE};
use crate::app::event::Effect;
use crate::app::shown::{Shown, Tab};
use crate::app::{App, Setup};
use crate::call::Call;
use crate::config::Config;
use crate::platform::{Keyring, Platforms, own_secrets};
use crate::recording::Redaction;
use crate::signature::Verdict;

/// Which verdict is to be explained.
#[derive(Clone, Debug)]
pub struct Question {
    number: usize,
    call: Arc<Call>,
    original: Option<(Arc<Call>, Arc<Redaction>)>,
    platforms: Arc<Platforms>,
    keyring: Arc<Keyring>,
    config: Arc<Config>,
}

impl Question {
    fn new(shown: &Shown, setup: &Setup) -> Self {
        Self {
            number: shown.number,
            call: shown.call.clone(),
            original: shown.original.clone(),
            platforms: setup.platforms.clone(),
            keyring: setup.keyring.clone(),
            config: setup.config.clone(),
        }
    }

    /// Finds out: sentences, masked where the call is shown so. For a large call this takes a while.
    #[must_use]
    pub fn answer(&self) -> Vec<String> {
        let call = &self.call;
        let own = own_secrets(&self.config, call);
        let kind = self.platforms.kind(call.kind.as_deref());
        let judged = self.original.as_ref().map_or(call, |(original, _)| original);
        let why = self.keyring.diagnose(&self.platforms, &judged.request, kind, &own, call.at);
        match &self.original {
            Some((_, mask)) => why.iter().map(|sentence| mask.text(sentence).into_owned()).collect(),
            None => why,
        }
    }

    fn is_of(&self, shown: &Shown) -> bool {
        self.number == shown.number
            && Arc::ptr_eq(&self.call, &shown.call)
            && mask(self.original.as_ref()) == mask(shown.original.as_ref())
    }
}

/// Whether it is asked of the same call, shown in the same way.
impl PartialEq for Question {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
            && Arc::ptr_eq(&self.call, &other.call)
            && mask(self.original.as_ref()) == mask(other.original.as_ref())
    }
}

fn mask(original: Option<&(Arc<Call>, Arc<Redaction>)>) -> Option<*const Redaction> {
    original.map(|(_, mask)| Arc::as_ptr(mask))
}

impl App {
    /// Finds out why the verdict that is looked at is what it is, once.
    pub(super) fn explain(&mut self) -> Option<Effect> {
        let shown = self.shown.as_mut().filter(|shown| shown.why.is_none() && !shown.asked)?;
        if self.tab != Tab::Signature {
            return None;
        }
        if !shown.verdict.as_ref().is_some_and(Verdict::needs_explaining) {
            shown.why = Some(Vec::new());
            return None;
        }
        let question = Question::new(shown, &self.setup);
        if bodies::size(&shown.call) <= LARGE {
            shown.why = Some(question.answer());
            return None;
        }
        shown.asked = true;
        Some(Effect::Explain(Box::new(question)))
    }

    /// A verdict was explained.
    pub(super) fn explained(&mut self, question: &Question, why: Vec<String>) {
        if let Some(shown) = self.shown.as_mut().filter(|shown| question.is_of(shown)) {
            shown.why = Some(why);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::event::Event;
    use crate::app::keys::script;
    use crate::app::tests::{app, call, happen, recorded};

    #[test]
    fn of_a_large_call_the_shell_finds_out_and_once() {
        for size in [0, LARGE + 1] {
            let mut app = app();
            let mut large = call("/");
            large.kind = Some("moveo/dialog".into());
            large.request.body = format!("{{\"a\":\"{}\"}}", "x".repeat(size)).into();
            recorded(&mut app, &large);
            let settled = |app: &mut App| -> Vec<Effect> {
                let (prepare, rest): (Vec<_>, Vec<_>) =
                    app.settle().into_iter().partition(|effect| matches!(effect, Effect::Prepare(_)));
                for effect in prepare {
                    if let Effect::Prepare(job) = effect {
                        happen(app, Event::Prepared(Box::new(job.run())));
                    }
                }
                rest.into_iter().filter(|effect| matches!(effect, Effect::Explain(_))).collect()
            };
            assert!(settled(&mut app).is_empty());
            assert!(app.shown.as_ref().unwrap().why.is_none(), "nobody looks at it");
            script("4").unwrap().into_iter().for_each(|key| drop(happen(&mut app, Event::Key(key))));
            let mut asked = settled(&mut app);
            assert!(settled(&mut app).is_empty(), "it is asked once");
            assert_eq!(
                (asked.len(), app.shown.as_ref().unwrap().why.is_none()),
                if size > 0 { (1, true) } else { (0, false) }
            );
            if let Some(Effect::Explain(question)) = asked.pop() {
                let why = question.answer();
                happen(&mut app, Event::Explained(Box::new((*question, why))));
            }
            let why = app.shown.as_ref().unwrap().why.clone().unwrap();
            assert!(why[0].starts_with("Let the sender add X-Moveo-Signature"), "{why:?}");
        }
    }
}
