//! The query language: which calls to list, to show, to replay.
//!
//! ```text
//! kind:dialog sig:invalid -status:2xx (took:>1s | since:10m) /input/text:"good morning" /amount:>100 word
//! ```
//!
//! `@name` is a query that was saved under that name. A space is *and* and binds tighter than `|`, which is *or*; `-` negates
//! what follows; parentheses group. Text compares without regard to case and is found anywhere in what it is held against, in
//! bodies also as JSON may spell it. A query runs on heads as far as they tell, and asks for the whole call only where they do
//! not.

mod bound;
mod needle;
mod parse;
mod raw;
mod receiver;
mod term;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use indexmap::IndexMap;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use self::term::Term;
pub use self::term::{KEYS, Key};
use super::{Change, View};
use crate::call::Call;
use crate::config::Target;
use crate::platform::{Platforms, Severity};

/// A query that was understood.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    root: Node,
    needs_call: bool,
    asks_for_deleted: bool,
    contracts: Contracts,
}

/// What a query is read by, besides its own text.
#[derive(Clone, Debug)]
pub struct Reading<'a> {
    /// What `since:10m` counts back from.
    pub now: Timestamp,
    /// The zone of times that name none.
    pub zone: TimeZone,
    /// Queries each of which stands for itself, in parentheses, where its `@name` stands.
    pub saved: &'a IndexMap<String, String>,
    /// What `to:` knows by name.
    pub targets: &'a [Target],
}

/// What calls are held against by `finding:`.
#[derive(Clone, Default)]
struct Contracts(Option<Arc<Platforms>>);

impl fmt::Debug for Contracts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Contracts").field(&self.0.is_some()).finish()
    }
}

impl PartialEq for Contracts {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_ref().map(Arc::as_ptr) == other.0.as_ref().map(Arc::as_ptr)
    }
}

impl Contracts {
    /// Whether the call departs from its contract so, on either side; none: not at all. None where only the call can tell.
    fn depart(&self, grade: Option<Severity>, view: &View<'_>, call: Option<&Call>) -> Option<bool> {
        let kind = self.0.as_ref().and_then(|platforms| platforms.kind(view.kind));
        let Some(kind) = kind else { return Some(grade.is_none()) };
        let call = call?;
        let mut found = kind.check_request(&call.request);
        found.extend(call.response.iter().flat_map(|response| kind.check_response(response)));
        Some(grade.map_or(found.is_empty(), |grade| found.iter().any(|finding| finding.severity == grade)))
    }
}

/// What a query is held against.
#[derive(Clone, Copy)]
struct Held<'a> {
    view: &'a View<'a>,
    /// None: it is not at hand.
    call: Option<&'a Call>,
    contracts: &'a Contracts,
}

/// What in a query is not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct QueryError {
    /// The bytes of the query it is about.
    pub span: Range<usize>,
    /// A sentence with the repair.
    pub message: String,
}

#[derive(Clone, Debug, PartialEq)]
enum Node {
    /// All of them; none of them is everything.
    All(Vec<Node>),
    Any(Vec<Node>),
    Not(Box<Node>),
    Term(Term),
}

impl Query {
    /// Reads a query; an empty one matches every call. `since:10m` counts back from `now`; times without a zone are UTC.
    ///
    /// # Errors
    /// When it is not understood: where, and how to say it.
    pub fn parse(text: &str, now: Timestamp) -> Result<Self, QueryError> {
        Self::parse_with(text, &Reading { now, zone: TimeZone::UTC, saved: &IndexMap::new(), targets: &[] })
    }

    /// As [`Self::parse`], with saved queries, with times in a zone and with targets that have names.
    ///
    /// # Errors
    /// Those of [`Query::parse`], and when there is no such query, or it is not understood.
    pub fn parse_with(text: &str, by: &Reading<'_>) -> Result<Self, QueryError> {
        let root = parse::parse(text, by)?;
        Ok(Self {
            needs_call: root.any(&Term::needs_call),
            asks_for_deleted: root.any(&|term| *term == Term::Deleted),
            contracts: Contracts::default(),
            root,
        })
    }

    /// This query with the contracts that `finding:` asks about; without them no call is found to depart from any.
    #[must_use]
    pub fn by(self, platforms: &Arc<Platforms>) -> Self {
        Self { contracts: Contracts(Some(platforms.clone())), ..self }
    }

    /// Whether some entries cannot be judged by their heads alone.
    #[must_use]
    pub fn needs_call(&self) -> bool {
        self.needs_call
    }

    /// Whether it asks for what `change` changes. (Deleted calls are hidden from one that does not.)
    #[must_use]
    pub fn depends_on(&self, change: &Change) -> bool {
        self.root.any(&|term| term.depends_on(change))
    }

    /// Whether one of its words stands in a note.
    #[must_use]
    pub(super) fn is_noted(&self, note: &str) -> bool {
        self.root.any(&|term| term.is_noted(note))
    }

    /// Whether the query matches, as far as a head tells; None if the call itself has to be looked at.
    #[must_use]
    pub fn matches_view(&self, view: &View<'_>) -> Option<bool> {
        if self.is_shown(view) { self.root.matches(self.held(view, None)) } else { Some(false) }
    }

    /// Whether the query matches this call.
    #[must_use]
    pub fn matches(&self, view: &View<'_>, call: &Call) -> bool {
        // With the call at hand every term knows.
        self.is_shown(view) && self.root.matches(self.held(view, Some(call))).unwrap_or(false)
    }

    fn held<'a>(&'a self, view: &'a View<'a>, call: Option<&'a Call>) -> Held<'a> {
        Held { view, call, contracts: &self.contracts }
    }

    /// Deleted calls are hidden, but from a query that asks for them.
    fn is_shown(&self, view: &View<'_>) -> bool {
        self.asks_for_deleted || view.remarks.is_none_or(|remarks| !remarks.deleted)
    }
}

impl Node {
    /// Whether a term somewhere in it is as asked.
    fn any(&self, is: &impl Fn(&Term) -> bool) -> bool {
        match self {
            Self::All(nodes) | Self::Any(nodes) => nodes.iter().any(|node| node.any(is)),
            Self::Not(node) => node.any(is),
            Self::Term(term) => is(term),
        }
    }

    /// Three-valued: None is "depends on the call".
    fn matches(&self, held: Held<'_>) -> Option<bool> {
        /// The first node that says `decisive` decides; else one that does not know leaves it open.
        fn decide(nodes: &[Node], decisive: bool, held: Held<'_>) -> Option<bool> {
            let mut open = false;
            for node in nodes {
                match node.matches(held) {
                    Some(answer) if answer == decisive => return Some(decisive),
                    Some(_) => {}
                    None => open = true,
                }
            }
            (!open).then_some(!decisive)
        }
        match self {
            Self::All(nodes) => decide(nodes, false, held),
            Self::Any(nodes) => decide(nodes, true, held),
            Self::Not(node) => node.matches(held).map(|answer| !answer),
            Self::Term(term) => term.matches(held),
        }
    }
}

#[cfg(test)]
mod tests;
