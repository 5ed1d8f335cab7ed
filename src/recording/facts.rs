//! What a format of others has no place for: the summary of a call, beside its request and response.

use std::net::IpAddr;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::call::{Call, Direction, Forwarded, Id, Request, Response, Sig, micros};

/// The names are those of a recording's line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Facts {
    pub id: Id,
    pub at: Timestamp,
    pub dir: Direction,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conv: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sig: Option<Sig>,
    pub path: String,
    #[serde(default)]
    pub took_us: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Id>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<IpAddr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forwarded: Option<Forwarded>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub redacted: bool,
}

impl Facts {
    pub fn of(call: &Call) -> Self {
        let request = &call.request;
        Self {
            id: call.id,
            at: call.at,
            dir: call.direction,
            kind: call.kind.clone(),
            conv: call.conversation.clone(),
            sig: call.sig,
            path: request.target.clone(),
            took_us: micros(call.took),
            parent: call.parent,
            origin: request.origin.clone(),
            public: request.public.clone(),
            peer: request.peer,
            error: call.error.clone(),
            forwarded: call.forwarded.clone(),
            cut: request.cut,
            redacted: request.redacted,
        }
    }

    /// The call, with method, headers and body of `request`. Whether its address still is the one beside it is for the
    /// reader of the form to see.
    pub fn call(self, request: Request, response: Option<Response>) -> Call {
        Call {
            id: self.id,
            at: self.at,
            direction: self.dir,
            kind: self.kind,
            conversation: self.conv,
            sig: self.sig,
            took: Duration::from_micros(self.took_us),
            parent: self.parent,
            error: self.error,
            forwarded: self.forwarded,
            request: Request {
                target: self.path,
                origin: self.origin,
                public: self.public,
                peer: self.peer,
                cut: self.cut,
                redacted: self.redacted,
                ..request
            },
            response,
        }
    }
}
