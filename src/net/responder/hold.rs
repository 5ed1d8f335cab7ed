//! Calls that wait for the user.

use std::collections::HashMap;
use std::sync::Mutex;

use jiff::Timestamp;
use tokio::sync::oneshot;

use crate::call::{Id, Request, Response, Sig};
use crate::sync::lock;

/// A call that waits.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    /// The call it will be.
    pub id: Id,
    /// When it came.
    pub at: Timestamp,
    /// When it goes on by itself.
    pub until: Timestamp,
    /// `platform/kind`, when it was recognised.
    pub kind: Option<String>,
    /// What the signature check found.
    pub sig: Option<Sig>,
    /// The request.
    pub request: Request,
    /// What it waits for.
    pub stage: Stage,
}

/// What a held call waits for.
#[derive(Clone, Debug, PartialEq)]
pub enum Stage {
    /// This answer goes out.
    Answer(Response),
    /// The request goes to the target of this name.
    Forward(String),
}

/// How a held call goes on.
#[derive(Clone, Debug, PartialEq)]
pub enum Release {
    /// As it would have without being held.
    AsIs,
    /// With this answer.
    Answer(Response),
    /// To its target, with this request if it was edited.
    Forward {
        /// The request instead.
        request: Option<Box<Request>>,
        /// The target's answer is held too.
        hold_answer: bool,
    },
    /// The caller gets a 503.
    Refuse,
}

/// The ways back to those that wait.
#[derive(Debug, Default)]
pub(super) struct Waiting(Mutex<HashMap<Id, oneshot::Sender<Release>>>);

impl Waiting {
    /// Resolves when the call is released.
    pub(super) fn wait(&self, id: Id) -> oneshot::Receiver<Release> {
        let (release, released) = oneshot::channel();
        lock(&self.0).insert(id, release);
        released
    }

    pub(super) fn release(&self, id: Id, release: Release) -> bool {
        lock(&self.0).remove(&id).is_some_and(|way| way.send(release).is_ok())
    }

    pub(super) fn forget(&self, id: Id) {
        lock(&self.0).remove(&id);
    }
}
