//! Moving about in bodies: trees, searches, filters, and bodies too large to be laid out while the screen waits.

use std::sync::Arc;

use jiff::Timestamp;

use crate::app::action::Action;
use crate::app::body::{Body, Form};
use crate::app::dialog::Dialog;
use crate::app::event::{Effect, Notice};
use crate::app::needle::Needle;
use crate::app::prompt::{Ask, Prompt};
use crate::app::shown::{Hits, Shown, Tab};
use crate::app::tree::Tree;
use crate::app::{App, Focus};
use crate::call::{Call, Packed};
use crate::config::Config;
use crate::platform::{Keyring, Platforms};
use crate::recording::Redaction;
use crate::visible;

/// From this size on, in bytes, a call is worked out off the screen's thread.
pub(super) const LARGE: usize = 512 << 10;

/// A call that is to be worked out.
#[derive(Clone, Debug)]
pub struct Job {
    /// Its number in the recording.
    pub number: usize,
    /// The call, as it is shown.
    pub call: Arc<Call>,
    /// As it is, where it is shown masked, and what masks it.
    pub original: Option<(Arc<Call>, Arc<Redaction>)>,
    /// How its bodies are to be shown.
    pub form: Form,
    /// Columns that they have.
    pub width: usize,
    pub(super) platforms: Arc<Platforms>,
    pub(super) keyring: Arc<Keyring>,
    pub(super) config: Arc<Config>,
}

/// Whether the same comes of both, but for the width.
impl PartialEq for Job {
    fn eq(&self, other: &Self) -> bool {
        let masks = match (&self.original, &other.original) {
            (Some((_, mine)), Some((_, its))) => Arc::ptr_eq(mine, its),
            (mine, its) => mine.is_none() && its.is_none(),
        };
        (self.number, self.form) == (other.number, other.form)
            && masks
            && Arc::ptr_eq(&self.call, &other.call)
            && Arc::ptr_eq(&self.platforms, &other.platforms)
            && Arc::ptr_eq(&self.keyring, &other.keyring)
            && Arc::ptr_eq(&self.config, &other.config)
    }
}

impl Job {
    /// Works it out. For a large call this takes a while.
    #[must_use]
    pub fn run(self) -> Shown {
        let mut shown = Shown::new(self.number, self.call, &self.platforms, &self.keyring, &self.config, self.form);
        if let Some((original, mask)) = self.original {
            shown.judge_masked(original, mask, &self.platforms, &self.keyring, &self.config);
        }
        shown.body.wrap(self.width);
        shown.answer.wrap(self.width);
        shown
    }
}

impl App {
    /// The body that the open tab shows.
    fn open_body(&mut self) -> Option<&mut Body> {
        let shown = self.shown.as_mut()?;
        match self.tab {
            Tab::Body => Some(&mut shown.body),
            Tab::Response => Some(&mut shown.answer),
            _ => None,
        }
    }

    /// Whether there is something to look into at the cursor.
    #[must_use]
    pub fn opens(&self) -> bool {
        let body = || match (self.tab, &self.shown) {
            (Tab::Body, Some(shown)) => Some(&shown.body),
            (Tab::Response, Some(shown)) => Some(&shown.answer),
            _ => None,
        };
        self.focus == Focus::List || self.tab == Tab::Conversation || matches!(body(), Some(Body::Tree(..)))
    }

    /// The tree that keys walk in, if they do.
    pub(super) fn open_tree(&mut self) -> Option<&mut Tree> {
        if self.focus == Focus::List {
            return None;
        }
        self.cursor.chase = true;
        self.open_body()?.tree_mut()
    }

    /// Walks in the tree, where there is one.
    pub(super) fn walk(&mut self, walk: impl FnOnce(&mut Tree)) {
        match self.open_tree() {
            Some(tree) => walk(tree),
            None => self.tell_no_tree(),
        }
    }

    /// There is none where the keys of trees were pressed.
    fn tell_no_tree(&mut self) {
        if self.calls.selected().is_none() {
            return self.tell_no_call();
        }
        let told = match self.tab {
            Tab::Body | Tab::Response if self.focus == Focus::List => {
                Notice::info("the tree is in the call").key(Action::Open, "goes there")
            }
            Tab::Body | Tab::Response => {
                Notice::info("this is not shown as a tree").key(Action::Pretty, "shows JSON as one")
            }
            _ => Notice::info("there is no tree here").key(Action::Body, "shows the body"),
        };
        self.tell(told);
    }

    /// Opens or closes by levels.
    pub(super) fn level(&mut self, step: isize) {
        let Some(level) = self.open_tree().map(|tree| tree.level(step)) else { return self.tell_no_tree() };
        self.tell(Notice::info(format!("{} open", visible::count(level, "level"))));
    }

    /// Shows bodies in the next form.
    pub(super) fn next_form(&mut self) {
        self.form = self.form.next();
        self.show_anew();
        self.tell(Notice::info(self.form.sentence()));
    }

    /// Lays the bodies out anew.
    pub(super) fn show_anew(&mut self) {
        self.scroll = [0; Tab::ALL.len()];
        let large = self.shown.as_ref().is_some_and(|shown| size(&shown.call) > LARGE);
        if large {
            self.shown = None;
            self.preparing = None;
        } else if let Some(shown) = &mut self.shown {
            shown.set_form(self.form);
        }
    }

    /// A call was worked out.
    pub(super) fn prepared(&mut self, shown: Shown) {
        self.preparing.take_if(|number| *number == shown.number);
        // It may have been asked for twice, with another call between.
        let there = self.shown.as_ref().is_some_and(|there| there.number == shown.number);
        let its = !there && self.is_number(shown.number, &shown.call);
        let fits = shown.form() == self.form && shown.is_masked() == self.masked;
        if its && fits && self.calls.selected() == Some(shown.number) {
            self.take(shown);
        }
    }

    /// Searches the open tab's text; the body where the tab has none.
    pub(super) fn find(&mut self, needle: &str) {
        if self.draft.is_some() {
            self.find_in_draft(needle);
            return;
        }
        if self.tab != Tab::Response {
            self.tab = Tab::Body;
        }
        let sought = Needle::new(needle);
        let Some(places) = self.open_body().map(|body| body.find(&sought)) else { return };
        let count = places.len();
        if let Some(shown) = &mut self.shown {
            shown.hits = Hits { needle: sought, tab: self.tab, places, at: 0 };
        }
        match count {
            0 => self.tell(Notice::warning(format!("{needle:?} is not in the {}", self.tab.title().to_lowercase()))),
            _ => self.next_hit(0),
        }
    }

    /// Goes to the match `step` further.
    pub(super) fn next_hit(&mut self, step: isize) {
        let Some(shown) = self.shown.as_mut().filter(|shown| !shown.hits.places.is_empty()) else {
            let told = Notice::info("nothing was searched for in this call");
            let told = if self.focus == Focus::Detail { told.key(Action::Filter, "searches") } else { told };
            return self.tell(told);
        };
        let count = shown.hits.places.len();
        let step = step.rem_euclid(isize::try_from(count).unwrap_or(isize::MAX));
        shown.hits.at = shown.hits.at.saturating_add_signed(step) % count;
        let (at, place, tab) = (shown.hits.at, shown.hits.places[shown.hits.at], shown.hits.tab);
        self.show_tab(tab);
        let above = self.regions.detail_height / 3;
        let row = (place + self.regions.detail_head).saturating_sub(above);
        match self.open_body() {
            Some(Body::Tree(tree, _)) => {
                tree.reveal(place);
                self.cursor.chase = true;
            }
            _ => self.scroll[self.tab as usize] = row,
        }
        self.tell(Notice::info(format!("match {} of {count}", at + 1)));
    }

    /// Asks for a jq filter.
    pub(super) fn ask_jq(&mut self) {
        if self.shown.is_none() {
            return;
        }
        if self.tab != Tab::Response {
            self.tab = Tab::Body;
        }
        let filter = self.jq.filter.clone();
        self.prompt(Ask::Jq, &filter);
    }

    /// Puts the open body through a filter; an empty one shows it whole again.
    pub(super) fn jq(&mut self, filter: &str) -> Vec<Effect> {
        filter.trim().clone_into(&mut self.jq.filter);
        if self.jq.filter.is_empty() {
            self.show_anew();
            return Vec::new();
        }
        let Some(shown) = &self.shown else { return Vec::new() };
        let whole = match self.tab {
            Tab::Response => {
                let response = shown.call.response.as_ref();
                response.map(|response| response.readable().body.clone()).unwrap_or_default()
            }
            _ => shown.call.request.readable().body.clone(),
        };
        let number = shown.number;
        let ticket = self.ticket();
        self.jq.running = Some(Filtering { ticket, number, tab: self.tab, since: self.touched });
        vec![Effect::Jq { ticket, body: whole, filter: self.jq.filter.clone() }]
    }

    /// Whether a filter of what is looked at runs.
    #[must_use]
    pub fn filter_runs(&self) -> bool {
        let shown = self.shown.as_ref().map(|shown| shown.number);
        self.jq.running.is_some_and(|filtering| Some(filtering.number) == shown && filtering.tab == self.tab)
    }

    /// A filter is through, or failed: then it is asked for again.
    pub(super) fn filtered(&mut self, ticket: u64, result: Result<String, String>) {
        let mine = self.jq.running.take_if(|filtering| filtering.ticket == ticket);
        let Some(Filtering { number, tab, since, .. }) = mine else { return };
        // Another call may be shown by now.
        let Some(shown) = self.shown.as_mut().filter(|shown| shown.number == number) else { return };
        let filter = self.jq.filter.clone();
        match result {
            Ok(text) => {
                let body = if tab == Tab::Response { &mut shown.answer } else { &mut shown.body };
                *body = Body::filtered(&text);
                body.wrap(self.regions.detail_width);
                shown.hits = Hits::default();
                shown.filtered = Some((tab, filter));
                // What stands above it must not hide it.
                self.scroll[tab as usize] = 0;
                if self.tab == tab {
                    if tab == Tab::Response {
                        self.scroll[tab as usize] = self.regions.detail_head;
                    }
                    self.focus = Focus::Detail;
                }
            }
            // Whoever has pressed no key since is waiting for it. What is typed meanwhile is meant for something else.
            Err(reason) if since == self.touched && self.dialogs.is_empty() && self.draft.is_none() => {
                let prompt = Prompt { error: Some(reason), ..Prompt::new(Ask::Jq, &filter) };
                self.dialogs.push(Dialog::Prompt(prompt));
            }
            Err(reason) => {
                self.tell(Notice::warning(format!("the filter {filter} failed: {reason}")).key(Action::Jq, "mends it"));
            }
        }
    }
}

/// The jq filters of bodies.
#[derive(Debug, Default)]
pub(super) struct Jq {
    /// The one that was asked for last.
    filter: String,
    /// The one under way.
    pub(super) running: Option<Filtering>,
    /// The ticket of that which was waited for when the last frame was drawn.
    pub(super) waited: Option<u64>,
}

/// A jq filter under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Filtering {
    pub(super) ticket: u64,
    /// The call whose body it is put through, and the tab that this stands in.
    number: usize,
    tab: Tab,
    /// When its key was pressed.
    since: Option<Timestamp>,
}

/// Bytes that a call's bodies may have, unpacked.
pub(super) fn size(call: &Call) -> usize {
    let answer = call.response.as_ref().map_or(0, |response| Packed::at_most(&response.headers, &response.body));
    Packed::at_most(&call.request.headers, &call.request.body) + answer
}
