//! What happened ([`Event`]) and what the world shall do about it ([`Effect`]). Both are plain values, so that tests
//! compare them.

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use crossterm::event::{KeyEvent, MouseEvent};

use crate::app::action::Action;
use crate::app::bodies::Job;
use crate::app::exporting;
use crate::app::kept::{Keep, Kept};
use crate::app::replaying::{self, Progress, Steer};
use crate::app::shown::Shown;
use crate::app::why::Question;
use crate::call::{Call, Id};
use crate::config::Config;
use crate::net::outgoing::Outgoing;
use crate::net::responder::{self, Beat, Release, Slot};
use crate::net::tunnel::Tunnel;
use crate::recording::{self, Annotation, Index, Marks, Place, Query, Recorded};

/// A call that is to be read. Numbers and places are another call's once the recording is another file: its id is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Its number in the recording.
    pub number: usize,
    /// The call.
    pub id: Id,
    /// Where it stands.
    pub place: Place,
}

impl Wanted {
    /// The call of that number, if there is one.
    #[must_use]
    pub fn of(index: &Index, number: usize) -> Option<Self> {
        index.view(number).map(|view| Self { number, id: view.id, place: view.place })
    }
}

/// The calls that were wanted, or why they could not be read.
pub type Read = Vec<(Wanted, Result<Arc<Call>, String>)>;

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A key was pressed.
    Key(KeyEvent),
    /// Text was pasted into the terminal.
    Paste(String),
    /// The mouse did something.
    Mouse(MouseEvent),
    /// The terminal has another size, or must be drawn anew.
    Resized,
    /// The terminal has told its background.
    Ground {
        /// It is a light one.
        light: bool,
    },
    /// The configuration has changed; or it cannot be understood, and why.
    Configured(Result<Arc<Config>, String>),
    /// The recorder wrote a call, or could not.
    Recorded(Recorded),
    /// The newest calls of a long recording that is being opened. They come again among all its calls.
    Newest(Box<Index>),
    /// How far the recording was read that is being opened.
    Reading {
        /// Bytes read.
        done: u64,
        /// Bytes there are to read.
        total: u64,
    },
    /// Calls that an opened recording holds; none when there are no more.
    Indexed(Box<Index>),
    /// What lines of an opened recording say of calls, each with its offset.
    Annotated(Vec<(u64, Annotation)>),
    /// What [`Effect::Annotate`] asked for could not be written, and why.
    NotKept(Annotation, String),
    /// Calls that were asked for with [`Effect::Load`].
    Loaded(Read),
    /// Calls that were asked for with [`Effect::ReadAhead`].
    ReadAhead(Read),
    /// Calls that fit the filter; `finished` when there are no more.
    Found {
        /// The search they belong to.
        search: u64,
        /// Their numbers among the places of [`Effect::Search`], rising.
        hits: Vec<usize>,
        /// Calls looked through so far.
        scanned: usize,
        /// Whether all were looked through.
        finished: bool,
    },
    /// What came of [`Effect::Prepare`].
    Prepared(Box<Shown>),
    /// What came of [`Effect::Explain`].
    Explained(Box<(Question, Vec<String>)>),
    /// What came of [`Effect::WorkAhead`].
    WorkedAhead(Box<(Job, Shown)>),
    /// What came of [`Effect::Jq`].
    Filtered {
        /// The ticket it was asked for under.
        ticket: u64,
        /// JSON text, or what went wrong.
        result: Result<String, String>,
    },
    /// What became of [`Effect::Send`].
    Sent {
        /// The ticket it was sent under.
        ticket: u64,
        /// The recorded call, or why there is none, as a sentence that says whether it was sent.
        result: Result<Arc<Call>, String>,
    },
    /// What [`Effect::Replay`] tells.
    Replayed {
        /// The ticket it was begun under.
        ticket: u64,
        /// How it goes on.
        progress: Progress,
    },
    /// What [`Effect::Export`] tells.
    Exported {
        /// The ticket it was begun under.
        ticket: u64,
        /// How it goes on.
        progress: exporting::Progress,
    },
    /// What came of [`Effect::Keep`].
    Kept(Kept),
    /// What came out of [`Effect::Edit`].
    Edited {
        /// The ticket of the draft.
        ticket: u64,
        /// The edited text, or why there is none.
        result: Result<String, String>,
    },
    /// Time went by while some of it that is on the screen runs down.
    Tick,
    /// Something the user should know.
    Told(Notice),
    /// What answers calls has something to tell.
    Responding(responder::Told),
    /// The recordings of the data directory, the newest first, or why they cannot be listed.
    Shelf(Result<Vec<recording::Kept>, String>),
    /// The listener's pulse has changed.
    Beat(Beat),
    /// How the tunnel does has changed.
    Tunnel(Tunnel),
}

impl Event {
    /// Whether it serves the next key: what is on the screen was asked for by [`Effect::Load`], and does not change with it.
    #[must_use]
    pub fn is_ahead(&self) -> bool {
        matches!(self, Self::ReadAhead(_) | Self::WorkedAhead(_))
    }
}

/// What the world shall do.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Read these calls from the recording.
    Load(Vec<Wanted>),
    /// Read these calls as well, but nobody waits for them.
    ReadAhead(Vec<Wanted>),
    /// Look through these recorded calls for those that fit.
    Search {
        /// Names the search; a newer one ends it.
        search: u64,
        /// What to look for.
        query: Query,
        /// Where the calls are.
        places: Vec<Place>,
        /// What is said of them.
        marks: Marks,
    },
    /// Nobody waits for the search that is under way, if one is.
    EndSearch,
    /// Work out what the tabs show of a large call.
    Prepare(Box<Job>),
    /// Find out why the signature of a large call is not valid.
    Explain(Box<Question>),
    /// Work out what the tabs show of a call that nobody waits for.
    WorkAhead(Box<Job>),
    /// Put a body through a jq filter.
    Jq {
        /// Comes back with the result.
        ticket: u64,
        /// The body.
        body: Bytes,
        /// The filter.
        filter: String,
    },
    /// Nobody waits for a filter any more, if one runs.
    EndJq,
    /// Record what is said of a call.
    Annotate {
        /// What is said.
        said: Annotation,
        /// Where its call stands.
        place: Place,
    },
    /// The user was given this page of the listener's to open, by its path and query.
    HandOut(String),
    /// Send one call and record it.
    Send {
        /// Comes back with the result.
        ticket: u64,
        /// The call.
        outgoing: Box<Outgoing>,
    },
    /// Count what of these calls would leave, before anything is asked or sent.
    Count(Box<replaying::Job>),
    /// Send recorded calls again.
    Replay(Box<replaying::Job>),
    /// Pause or end a replay.
    Steer {
        /// The ticket it was begun under.
        ticket: u64,
        /// What it shall do.
        steer: Steer,
    },
    /// Write calls to a file.
    Export(Box<exporting::Job>),
    /// End an export.
    CancelExport {
        /// The ticket it was begun under.
        ticket: u64,
    },
    /// Read or change what is kept in the data directory.
    Keep(Keep),
    /// Route calls, and mask those that are recorded masked, as this says from now on.
    Configure(Arc<Config>),
    /// Answer calls like this from now on.
    Respond(Vec<Slot>),
    /// Let a held call go.
    Release {
        /// The call.
        id: Id,
        /// How it goes on.
        release: Box<Release>,
    },
    /// Send the built-in conversation to our own listener.
    Demo,
    /// List the recordings of the data directory, without one that is removed first.
    Shelf {
        /// That one.
        remove: Option<recording::Kept>,
    },
    /// Let the user edit a text in `$EDITOR`.
    Edit {
        /// Comes back with the text.
        ticket: u64,
        /// What to edit.
        text: String,
        /// What the editor takes the text for: `json`, `txt`.
        extension: &'static str,
    },
    /// Show another recording until the user leaves it.
    Visit {
        /// Its file.
        path: PathBuf,
        /// Also what another process goes on to record there.
        follow: bool,
        /// The target that is chosen, by its name or address.
        to: Option<String>,
    },
    /// Put a text on the terminal's clipboard.
    Copy(String),
    /// Hand the terminal back to the shell until it continues us.
    Suspend,
    /// Take the mouse, or give it to the terminal.
    Mouse(bool),
    /// Come back at once: there is more to work out.
    GoOn,
    /// Clear the terminal and draw everything.
    Redraw,
}

/// How much a notice matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Good to know.
    Info,
    /// Something did not go as meant.
    Warning,
    /// Something was lost or refused.
    Error,
}

/// A sentence for the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// How much it matters.
    pub level: Level,
    /// The sentence.
    pub text: String,
    /// An action whose key is worth knowing then, and what it does.
    pub key: Option<(Action, &'static str)>,
}

impl Notice {
    /// Good to know.
    pub fn info(text: impl Into<String>) -> Self {
        Self { level: Level::Info, text: text.into(), key: None }
    }

    /// Something did not go as meant.
    pub fn warning(text: impl Into<String>) -> Self {
        Self { level: Level::Warning, text: text.into(), key: None }
    }

    /// The notice with what the key of an action does about it.
    #[must_use]
    pub fn key(self, action: Action, does: &'static str) -> Self {
        Self { key: Some((action, does)), ..self }
    }

    /// Something was lost or refused.
    pub fn error(text: impl Into<String>) -> Self {
        Self { level: Level::Error, text: text.into(), key: None }
    }
}
