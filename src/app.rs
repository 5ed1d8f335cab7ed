//! The state machine: everything the screen shows, changed only by [`App::update`].
//!
//! ```text
//!  Event --> App::update --> Effect      the shell performs it and comes back with an Event
//!               |  ^
//!               v  | Regions             what was drawn where, so that scrolling knows its bounds
//!            view::draw
//! ```
//!
//! No I/O, no clock, no async, no drawing: the time comes with each event, and what the world shall do leaves as an
//! [`Effect`].

mod act;
pub mod action;
pub mod addressee;
mod ahead;
pub mod answering;
pub mod arrivals;
pub mod arriving;
pub mod bodies;
pub mod body;
pub mod cache;
pub mod calls;
pub mod changes;
pub mod comparing;
pub mod complete;
pub mod completion;
pub mod conversation;
mod conversing;
pub mod decode;
pub mod dialog;
mod dialog_keys;
pub mod draft;
pub mod event;
pub mod exporting;
pub mod flow;
pub mod kept;
pub mod keymap;
pub mod keys;
mod leaving;
mod masking;
pub mod mouse;
pub mod needle;
mod offering;
pub mod panel;
pub mod plots;
pub mod prompt;
pub mod question;
mod reaching;
mod reconfigure;
mod recorded;
pub mod recordings;
mod regions;
mod remarks;
pub mod replaying;
mod sending;
pub mod setting;
mod settle;
pub mod shown;
pub mod tester;
pub mod text;
pub mod tree;
pub mod webview;
pub mod which;
pub mod why;
pub mod yank;

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::app::action::{Action, Scope};
use crate::app::ahead::Ahead;
use crate::app::answering::Answers;
use crate::app::arrivals::Arrivals;
use crate::app::arriving::Arriving;
use crate::app::bodies::Jq;
use crate::app::body::Form;
use crate::app::cache::Cache;
use crate::app::calls::Calls;
use crate::app::conversation::Conversation;
use crate::app::dialog::Dialog;
use crate::app::dialog_keys::Press;
use crate::app::draft::Draft;
use crate::app::event::{Effect, Event, Level, Notice};
use crate::app::exporting::Export;
use crate::app::keymap::Keymap;
use crate::app::mouse::{Holder, Split};
use crate::app::panel::Panel;
use crate::app::plots::{Plots, Troubles};
use crate::app::remarks::Said;
use crate::app::replaying::Replay;
use crate::app::sending::Sending;
use crate::app::shown::{Shown, Tab};
use crate::app::tester::{Sends, Tester};
use crate::call::Id;
use crate::config::{self, Config, Target, Theme};
use crate::net::responder::Responders;
use crate::net::tunnel::Tunnel;
use crate::platform::{Keyring, Platforms};
use crate::recording::{Index, Recorded, Redaction, fixtures};
use crate::replay::compare::Rules;
use crate::replay::variables::Variables;

pub use crate::app::leaving::Leaving;
pub use crate::app::regions::{Cursor, Extent, Regions};

/// Notices kept for the log.
const MOST_NOTICES: usize = 500;

/// What the app is started with.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Routes, targets and secrets.
    pub config: Arc<Config>,
    /// What is known of platforms.
    pub platforms: Arc<Platforms>,
    /// The secrets at hand.
    pub keyring: Arc<Keyring>,
    /// The recording on the screen.
    pub recording: PathBuf,
    /// Where the listener listens; none when a recording was only opened.
    pub listener: Option<SocketAddr>,
    /// Whether what another process goes on to record is shown.
    pub follow: bool,
    /// The user's time zone.
    pub zone: TimeZone,
    /// How many colours the terminal has.
    pub colours: Colours,
    /// The names of the variables of the environment that are text. Their values stay where they are.
    pub environment: HashSet<String>,
    /// What to say at the start.
    pub notices: Vec<Notice>,
    /// Makes the key of a conversation that nobody had yet.
    pub new_key: fn() -> String,
}

/// How many colours a terminal has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colours {
    /// None, or none are wanted.
    None,
    /// Sixteen, which are its own.
    Sixteen,
    /// 256 at least.
    Many,
}

/// Which panel the keys move in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Focus {
    /// The list of calls.
    List,
    /// The selected call.
    Detail,
}

/// Everything the screen shows.
#[derive(Debug)]
pub struct App {
    /// What it was started with.
    pub setup: Setup,
    /// The time of the last event.
    pub now: Timestamp,
    /// Whether the terminal's ground is a light one; none: that is not known.
    pub light: Option<bool>,
    /// What keys mean.
    pub keymap: Keymap,
    /// What the recording holds, call by call.
    pub index: Index,
    /// The calls that the screen needs.
    pub cache: Cache,
    /// The list.
    pub calls: Calls,
    /// The selected call, once it is read.
    pub shown: Option<Shown>,
    /// The conversation that is looked at.
    pub conversation: Option<Conversation>,
    /// The panel the keys move in.
    pub focus: Focus,
    /// The focused panel has the whole screen.
    pub zoom: bool,
    /// The tab that is open.
    pub tab: Tab,
    /// First row shown of each tab.
    pub scroll: [usize; Tab::ALL.len()],
    /// How bodies are shown.
    pub form: Form,
    /// The call being edited.
    pub draft: Option<Draft>,
    /// What lies over the screen; the last one is on top.
    pub dialogs: Vec<Dialog>,
    /// Where calls can be sent.
    pub targets: Vec<Target>,
    /// Which of them is chosen.
    pub target: Option<usize>,
    /// What was said last, until the next key.
    pub notice: Option<Notice>,
    /// What was said so far and when, the newest last.
    pub log: Vec<(Timestamp, Notice)>,
    /// What is masked where masking is asked for; none where the configuration rules it out.
    pub redaction: Option<Arc<Redaction>>,
    /// What is secret or personal is masked on the screen.
    pub masked: bool,
    /// Calls that could not be recorded, and why.
    pub unrecorded: Option<(u64, String)>,
    /// What answers calls, and those that wait.
    pub answers: Answers,
    /// How the tunnel does; none: there is none.
    pub tunnel: Option<Tunnel>,
    /// When received calls came: of the newest, seconds and how many in each.
    pub arrivals: Arrivals,
    /// How flows wait for a page, as it is set at their platforms.
    pub waits: Vec<config::Wait>,
    /// Calls on their way out, and what becomes of the screen when they are back.
    pub sending: Sending,
    /// The replay that runs, or ran last.
    pub replay: Option<Replay>,
    /// How it was asked for.
    options: Option<Box<replaying::Options>>,
    /// The export that is under way.
    pub export: Option<Export>,
    /// When calls came and how long they took, as far as that was looked at.
    pub plots: Plots,
    /// What came back from the calls sent so far.
    pub sends: Sends,
    /// What does not count as a difference between answers.
    pub rules: Rules,
    /// The known variables; none until they are asked for.
    pub variables: Option<Variables>,
    /// The fixtures, as far as they were read.
    pub fixtures: Vec<fixtures::Named>,
    /// How list and call share the screen.
    pub split: Split,
    /// Who has the mouse.
    pub mouse: Holder,
    /// Whether the user wants to leave.
    pub leaving: Leaving,
    /// The measures of the last frame.
    pub regions: Regions,
    /// Where the cursor of a tab is.
    pub cursor: Cursor,
    /// How far the recording was read that is being opened.
    pub arriving: Arriving,
    /// Calls that rows of the list, or the selected one, wait for: how long each is in the file.
    asked: HashMap<Id, u64>,
    /// The call that is being worked out.
    preparing: Option<usize>,
    /// What is ready for the next key.
    ahead: Ahead,
    /// Where calls deserve a look.
    troubles: Troubles,
    /// Two calls that are to be compared once they are read.
    comparing: Option<(usize, usize)>,
    /// Where the test panel was left.
    tester: Box<Tester>,
    /// The jq filters of bodies.
    jq: Jq,
    /// The search that was under way when this was looked at last.
    searching: Option<u64>,
    /// What the user says of calls.
    said: Said,
    /// When the last key was pressed.
    touched: Option<Timestamp>,
    tickets: u64,
}

impl App {
    /// An app that has seen nothing yet.
    #[must_use]
    pub fn new(setup: Setup, now: Timestamp) -> Self {
        let targets = reconfigure::targets(&setup);
        let target = (!setup.config.targets.is_empty()).then_some(0);
        let mut app = Self {
            now,
            light: None,
            keymap: Keymap::new(&setup.config.keys).unwrap_or_default(),
            index: Index::default(),
            cache: Cache::default(),
            calls: Calls::default(),
            shown: None,
            conversation: None,
            cursor: Cursor::default(),
            focus: Focus::List,
            zoom: false,
            tab: Tab::default(),
            scroll: [0; Tab::ALL.len()],
            form: Form::default(),
            draft: None,
            dialogs: Vec::new(),
            targets,
            target,
            notice: None,
            log: Vec::new(),
            redaction: Redaction::new(&setup.config.redact).ok().map(Arc::new),
            masked: false,
            unrecorded: None,
            answers: Answers {
                slots: setup.listener.map_or_else(Vec::new, |_| Responders::configured(&setup.config)),
                calm: answering::CALM,
                ..Answers::default()
            },
            tunnel: setup.listener.and(setup.config.listen.tunnel.as_ref()).map(|_| Tunnel::Starting(None)),
            arrivals: Arrivals::default(),
            waits: setup.config.waits.clone(),
            sending: Sending::default(),
            replay: None,
            options: None,
            export: None,
            plots: Plots::default(),
            sends: Sends::default(),
            rules: Rules::configured(&setup.config.compare),
            variables: None,
            fixtures: Vec::new(),
            split: Split::default(),
            mouse: Holder::default(),
            leaving: Leaving::No,
            regions: Regions::default(),
            arriving: Arriving::default(),
            asked: HashMap::new(),
            preparing: None,
            ahead: Ahead::default(),
            troubles: Troubles::default(),
            comparing: None,
            tester: Box::default(),
            jq: Jq::default(),
            searching: None,
            said: Said::default(),
            touched: None,
            tickets: 0,
            setup,
        };
        for notice in std::mem::take(&mut app.setup.notices) {
            app.tell(notice);
        }
        app
    }

    /// The screen shows all that is here.
    pub fn drawn(&mut self) {
        self.cursor.drawn = true;
    }

    /// Whether keys walk in what was measured: in the call, or in a comparison.
    #[must_use]
    pub fn walks(&self) -> bool {
        match self.dialogs.last() {
            Some(dialog) => matches!(dialog, Dialog::Panel(Panel::Comparison(_))),
            None => self.draft.is_none() && self.focus == Focus::Detail,
        }
    }

    /// Takes in what happened at `now`; gives what the world shall do.
    pub fn update(&mut self, event: Event, now: Timestamp) -> Vec<Effect> {
        if !event.is_ahead() {
            self.now = now;
        }
        // What has not been drawn yet has not been scrolled to either.
        let drawn = !event.is_ahead() && std::mem::take(&mut self.cursor.drawn);
        if matches!(event, Event::Key(_)) && drawn && self.regions.cursor.is_some() {
            self.cursor.rest();
        }
        match event {
            Event::Key(key) if keymap::leaves(key) => self.leaving = Leaving::Yes,
            Event::Key(key) => return self.key(key),
            Event::Paste(text) => return self.paste(&text),
            Event::Resized => self.cursor.see(),
            Event::Tick => {}
            Event::Configured(loaded) => return self.configured(loaded),
            Event::Ground { light } => self.light = Some(light),
            Event::Recorded(Recorded::Call(call, place)) => self.came(call, place),
            Event::Recorded(Recorded::Annotated(offset, said)) => return self.annotated(vec![(offset, said)]),
            Event::Annotated(said) => return self.said(said),
            Event::NotKept(said, why) => self.not_kept(&said, &why),
            Event::Recorded(Recorded::Failed { unrecorded, reason }) => self.not_recorded(unrecorded, reason),
            Event::Recorded(Recorded::Reopened { reason, kept, aside }) => {
                return self.reopened(&reason, kept, aside.as_deref());
            }
            Event::Recorded(Recorded::Unread { reason } | Recorded::Trouble { reason }) => {
                self.tell(Notice::error(reason));
            }
            Event::Newest(calls) => self.newest(*calls),
            Event::Indexed(calls) => return self.indexed(&calls),
            Event::Reading { done, total } => self.arriving.reading(done, total),
            Event::Loaded(calls) => {
                self.loaded(calls);
                self.show_comparison();
            }
            Event::ReadAhead(calls) => {
                self.loaded(calls);
                return self.has_read_ahead();
            }
            Event::WorkedAhead(ready) => self.has_worked_ahead(ready),
            Event::Found { search, hits, scanned, finished } => {
                self.calls.found(search, hits, scanned, finished);
            }
            Event::Prepared(shown) => self.prepared(*shown),
            Event::Explained(answer) => self.explained(&answer.0, answer.1),
            Event::Filtered { ticket, result } => self.filtered(ticket, result),
            Event::Sent { ticket, result } => self.sent(ticket, result),
            Event::Replayed { ticket, progress } => self.replayed(ticket, progress),
            Event::Exported { ticket, progress } => self.exported(ticket, progress),
            Event::Kept(kept) => return self.kept(kept),
            Event::Edited { ticket, result } => self.edited(ticket, result),
            Event::Told(notice) => self.tell(notice),
            Event::Responding(told) => self.told(told),
            Event::Mouse(mouse) => self.point(mouse),
            Event::Shelf(found) => self.shelved(found),
            Event::Beat(beat) => self.answers.beat = beat,
            Event::Tunnel(tunnel) => self.tunnelled(tunnel),
        }
        Vec::new()
    }

    /// Whether it matters what the terminal's background is.
    #[must_use]
    pub fn asks_ground(&self) -> bool {
        self.setup.colours == Colours::Many && self.setup.config.screen.theme == Theme::Auto
    }

    /// The screen that the keymap is for.
    #[must_use]
    pub fn scope(&self) -> Scope {
        if self.draft.is_some() { Scope::Draft } else { Scope::Calls }
    }

    /// The chosen target.
    #[must_use]
    pub fn target(&self) -> Option<&Target> {
        self.targets.get(self.target?)
    }

    /// Says something to the user and keeps it for the log.
    pub fn tell(&mut self, notice: Notice) {
        if self.log.len() >= MOST_NOTICES {
            // What went wrong is kept longest.
            let least = self.log.iter().position(|(_, notice)| notice.level == Level::Info);
            self.log.remove(least.unwrap_or(0));
        }
        let text = match notice.key {
            Some((action, does)) => format!("{} ({} {does})", notice.text, self.keymap.key(action)),
            None => notice.text,
        };
        let notice = Notice { text, key: None, ..notice };
        self.log.push((self.now, notice.clone()));
        self.notice = Some(notice);
    }

    fn key(&mut self, key: crossterm::event::KeyEvent) -> Vec<Effect> {
        // It was read, or is in the log.
        self.notice = None;
        self.touched = Some(self.now);
        let leaving = std::mem::take(&mut self.leaving);
        if !self.dialogs.is_empty() {
            return self.dialog_key(key);
        }
        if let Some(draft) = self.draft.as_mut().filter(|draft| draft.typing) {
            let press = Press { key, action: self.keymap.action(key, Scope::Typing) };
            return draft.type_key(press).map_or_else(Vec::new, |action| self.act_after(leaving, action));
        }
        let action = self.keymap.action(key, self.scope());
        // The one key that was told drops the edits, no other that closes the draft.
        let told = action == Some(Action::Close) && keys::name(key).as_deref() == Some(self.keymap.key(Action::Close));
        if let Some(draft) = self.draft.as_mut().filter(|_| !told) {
            draft.leaving = false;
        }
        action.map_or_else(Vec::new, |action| self.act_after(leaving, action))
    }

    /// Acts; `leaving` is how far the key before had come with that, which another key ends.
    fn act_after(&mut self, leaving: Leaving, action: Action) -> Vec<Effect> {
        if action == Action::Quit {
            self.leaving = leaving;
        }
        self.act(action)
    }

    fn ticket(&mut self) -> u64 {
        self.tickets += 1;
        self.tickets
    }
}

#[cfg(test)]
pub(crate) mod tests;
