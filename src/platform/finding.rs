//! What is found in a call that is not as its contract has it.

use serde::{Deserialize, Serialize};

/// How grave a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Probably not what was meant.
    Warning,
    /// The platform will not do what was meant.
    Error,
}

impl Severity {
    /// The word used on the screen and in output.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// One departure from the contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// JSON Pointer (RFC 6901) into what [`Kind::document`](super::Kind::document) gives: the body or the query. For a missing member: where it
    /// should be. Empty for the whole, and for a header.
    pub pointer: String,
    /// How grave it is.
    pub severity: Severity,
    /// What is wrong and what comes of it. May quote the body: not made safe for a terminal.
    pub sentence: String,
    /// The document that says so.
    pub source: String,
}

impl Finding {
    /// About the whole, not one place in it.
    pub(super) fn of_all(severity: Severity, sentence: String, source: &str) -> Self {
        Self { pointer: String::new(), severity, sentence, source: source.to_owned() }
    }

    /// That there is more of the kind than is listed: a body may hold millions.
    pub(super) fn left_out(number: usize, source: &str) -> Option<Self> {
        let sentence = match number {
            0 => return None,
            1 => "1 more departure is not listed.".to_owned(),
            _ => format!("{number} more departures are not listed."),
        };
        Some(Self::of_all(Severity::Note, sentence, source))
    }
}
