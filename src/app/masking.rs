//! What the screen may show where it is masked: paths, addresses, and sentences with either in them. Whole calls are masked
//! as they are read.

use std::borrow::Cow;

use crate::app::App;
use crate::recording::Redaction;

impl App {
    /// What is masked on the screen, if anything is.
    #[must_use]
    pub fn mask(&self) -> Option<&Redaction> {
        self.redaction.as_deref().filter(|_| self.masked)
    }

    /// The path of a call, or an address without its scheme: a masked one has no query.
    #[must_use]
    pub fn path<'a>(&self, path: &'a str) -> Cow<'a, str> {
        self.mask().map_or(Cow::Borrowed(path), |mask| {
            Cow::Owned(mask.target(path.split_once('?').map_or(path, |(path, _)| path)))
        })
    }

    /// What somebody else says, which may reach a log: it is masked also where only what is recorded is.
    pub(super) fn quote<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let counts = self.masked || self.setup.config.record.redact;
        self.redaction.as_ref().filter(|_| counts).map_or(Cow::Borrowed(text), |mask| mask.prose(text))
    }

    /// What hooktape says, with the addresses in it: the names of targets that were typed are some.
    #[must_use]
    pub fn sentence<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.mask().map_or(Cow::Borrowed(text), |mask| mask.text(text))
    }
}
