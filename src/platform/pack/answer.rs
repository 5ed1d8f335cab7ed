//! `answer` of a kind: what a stand-in answers where something is wrong, and when.

use serde::Deserialize;

use crate::call::Sig;
use crate::platform::doc::Pointer;

/// One of `answer` of a kind.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::platform) struct AnswerSpec {
    #[serde(default)]
    pub when: When,
    pub status: u16,
    /// JSON, with placeholders in its strings; see `fill.rs`.
    pub body: Option<serde_json::Value>,
    /// Plain text instead, likewise.
    pub text: Option<String>,
}

/// When an answer is given. Everything that is named must hold.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(in crate::platform) struct When {
    /// The verdict is one of these.
    pub sig: Vec<Sig>,
    /// A header that is not there, or is empty.
    pub lacks_header: Option<String>,
    /// A value that is not there, or is null or empty.
    pub lacks: Option<Pointer>,
    /// A value that is not there either, or of which the contract finds an error.
    pub wrong: Option<Pointer>,
}
