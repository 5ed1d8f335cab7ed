//! Calls that wait, as they are shown: masked and laid out once, however often they are drawn.

use std::sync::Arc;

use super::Answering;
use crate::app::App;
use crate::app::cache::ROW;
use crate::app::dialog::Dialog;
use crate::app::text::Text;
use crate::call::{Call, Direction, Request, Response};
use crate::net::responder::{Held, Stage};
use crate::platform::Platforms;
use crate::recording::Redaction;
use crate::visible;

/// What is shown of the calls that wait, as long as they are looked at.
#[derive(Debug, Default)]
pub struct Waiting {
    glances: Vec<(Arc<Held>, Glance)>,
    open: Option<(Arc<Held>, Open)>,
}

/// What is said of a call among the others.
#[derive(Debug)]
pub struct Glance {
    /// Path and query.
    pub target: String,
    /// What the user said.
    pub said: Option<String>,
}

/// The call that is meant.
#[derive(Debug)]
pub struct Open {
    /// What came.
    pub request: Request,
    /// What would be answered, where that is what waits.
    pub answer: Option<Response>,
    /// The request's body.
    pub request_body: Text,
    /// The answer's body.
    pub answer_body: Text,
}

impl Waiting {
    /// What is said of that call.
    #[must_use]
    pub fn glance(&self, held: &Arc<Held>) -> Option<&Glance> {
        self.glances.iter().find(|(its, _)| Arc::ptr_eq(its, held)).map(|(_, glance)| glance)
    }

    /// What that call holds.
    #[must_use]
    pub fn open(&self, held: &Arc<Held>) -> Option<&Open> {
        self.open.as_ref().filter(|(its, _)| Arc::ptr_eq(its, held)).map(|(_, open)| open)
    }
}

impl Glance {
    fn new(held: &Held, platforms: &Platforms, mask: Option<&Redaction>) -> Self {
        let (request, _) = shown(held, mask);
        let kind = platforms.kind(held.kind.as_deref());
        let said = kind.and_then(|kind| kind.read(&request).line());
        let said = said.map(|said| visible::excerpt(&said, ROW).into_owned());
        Self { target: request.target, said }
    }
}

impl Open {
    fn new(held: &Held, mask: Option<&Redaction>) -> Self {
        let (request, answer) = shown(held, mask);
        let request_body = Text::new(&request.readable().body, true);
        let answer_body = answer.as_ref().map_or_else(Text::default, |answer| Text::new(&answer.readable().body, true));
        Self { request, answer, request_body, answer_body }
    }
}

/// Its request and the answer that waits, masked where there is a `mask`.
fn shown(held: &Held, mask: Option<&Redaction>) -> (Request, Option<Response>) {
    let response = match &held.stage {
        Stage::Answer(answer) => Some(answer.clone()),
        Stage::Forward(_) => None,
    };
    let request = held.request.clone();
    let Some(mask) = mask else { return (request, response) };
    let Call { request, response, .. } = mask.call(&Call {
        kind: held.kind.clone(),
        sig: held.sig,
        response,
        ..Call::new(held.id, Direction::Received, held.at, request)
    });
    (request, response)
}

impl App {
    /// Lays out the calls that wait while they are looked at.
    pub(in crate::app) fn lay_out_held(&mut self) {
        let looked_at = self.dialogs.iter().rev().find_map(|dialog| match dialog {
            Dialog::Answering(Answering::Held { selected, .. }) => Some(*selected),
            _ => None,
        });
        let Some(selected) = looked_at else {
            self.answers.waiting = Waiting::default();
            return;
        };
        let mask = self.redaction.clone().filter(|_| self.masked);
        let held = &self.answers.held;
        let waiting = &mut self.answers.waiting;
        waiting.glances.retain(|(its, _)| held.iter().any(|held| Arc::ptr_eq(its, held)));
        for held in held {
            if waiting.glance(held).is_none() {
                let glance = Glance::new(held, &self.setup.platforms, mask.as_deref());
                waiting.glances.push((held.clone(), glance));
            }
        }
        let Some(held) = held.get(selected.min(held.len().saturating_sub(1))) else { return };
        if waiting.open(held).is_none() {
            waiting.open = Some((held.clone(), Open::new(held, mask.as_deref())));
        }
        // Nobody knows how wide it is before it is drawn for the first time.
        let width = self.regions.answer_width;
        if let Some((_, open)) = waiting.open.as_mut().filter(|_| width > 0) {
            open.request_body.wrap(width);
            open.answer_body.wrap(width);
        }
    }
}
