//! `closes` of a kind: which wait a callback ends, and what the flow does then.

use serde::Deserialize;
use toml::Spanned;

use crate::platform::doc::Pointer;

/// `closes` of a kind.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::platform) struct CloseSpec {
    /// The kind that begins the wait.
    pub kind: Spanned<String>,
    /// Whether it went well; left out: it always does.
    pub success: Option<Pointer>,
    /// What it brings.
    pub data: Option<Pointer>,
    /// Whether a page that is opened after the end begins another wait: the key is that of a conversation, not of one wait.
    #[serde(default)]
    pub again: bool,
    /// Whether one ends the wait for good; else further ones are taken as well.
    #[serde(default = "yes")]
    pub once: bool,
    /// What the flow does while it waits, and after.
    #[serde(default)]
    pub then: ThenSpec,
}

fn yes() -> bool {
    true
}

/// `then` of `closes`: sentences.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(in crate::platform) struct ThenSpec {
    pub waiting: Option<String>,
    pub success: Option<String>,
    pub error: Option<String>,
    pub expired: Option<String>,
}
