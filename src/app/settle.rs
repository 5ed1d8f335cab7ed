//! The app brought in line with what was drawn last: where it is scrolled to, which call is open, what must be read.

use crate::app::ahead::AHEAD;
use crate::app::bodies::{self, Job, LARGE};
use crate::app::dialog::Dialog;
use crate::app::event::{Effect, Read, Wanted};
use crate::app::panel::Panel;
use crate::app::shown::{Shown, Tab};
use crate::app::{App, Regions, Setup};
use crate::call::Call;

/// Bytes of calls that are on their way for rows of the list: further ones are asked for when those are there.
const MOST_ASKED: u64 = 16 << 20;

impl App {
    /// Brings everything in line with the last frame's measures: what is selected, what must be read for it. Called
    /// before each frame.
    pub fn settle(&mut self) -> Vec<Effect> {
        let follow = self.calls.follow;
        // What is to be copied is chosen: it stays the call that it was asked for.
        self.calls.follow &= !self.dialogs.iter().any(|dialog| matches!(dialog, Dialog::Yank { .. }));
        self.calls.settle(self.regions.list_height);
        self.calls.follow = follow;
        self.count_anew();
        self.lay_out_held();
        self.weigh_draft();
        let Regions { detail_height, detail_rows, detail_width, answer, answer_width, .. } = self.regions;
        let scroll = &mut self.scroll[self.tab as usize];
        if let Some((first, last)) = self.regions.cursor.filter(|_| self.cursor.chase) {
            if self.cursor.centred {
                *scroll = first.saturating_sub(detail_height / 3);
            }
            // What the cursor is in is seen whole, or from its beginning on.
            *scroll = (*scroll).max(last.saturating_sub(detail_height)).min(first);
        }
        *scroll = (*scroll).min(detail_rows.saturating_sub(detail_height));
        if let Some(draft) = &mut self.draft {
            draft.scroll = draft.scroll.min(answer.last());
            if let Some(Ok(answer)) = &mut draft.answer {
                answer.body.wrap(answer_width);
            }
        }
        if let Some(Dialog::Panel(Panel::Tester(_))) = self.dialogs.last() {
            self.sends.wrap(answer_width);
        }
        let prepare = self.show_selected();
        let explain = self.explain();
        if let Some(shown) = &mut self.shown {
            shown.body.wrap(detail_width);
            shown.answer.wrap(detail_width);
        }
        let (top, height) = (self.calls.top, self.regions.list_height);
        // Before the list is drawn for the first time, nobody knows which rows it will have.
        let more = if height == 0 { AHEAD } else { 0 };
        let rows = top.saturating_sub(more)..top + height + more;
        let untold = rows.filter_map(|row| self.calls.at(row)).filter(|number| self.cache.text(*number).is_none());
        let untold: Vec<usize> = untold.collect();
        let mut unread: Vec<usize> = untold.into_iter().filter(|number| !self.tell_row(*number)).collect();
        let selected = self.calls.selected();
        unread.extend(selected.filter(|number| !self.cache.has(*number) && !unread.contains(number)));
        let mut missing = Vec::new();
        for wanted in unread.into_iter().filter_map(|number| Wanted::of(&self.index, number)) {
            // Once is enough, and a screen of large calls is not to be held in memory all at a time.
            let room = self.asked.values().sum::<u64>() < MOST_ASKED || selected == Some(wanted.number);
            if room && !self.asked.contains_key(&wanted.id) {
                self.asked.insert(wanted.id, wanted.place.len.into());
                missing.push(wanted);
            }
        }
        missing.extend(self.follow_flows());
        missing.extend(self.follow_conversation());
        if let Some(shown) = &mut self.shown {
            missing.extend(shown.context.compare(shown.number, &self.index, &self.cache, &self.setup.platforms));
        }
        let load = (!missing.is_empty()).then_some(Effect::Load(missing));
        let unwanted = self.end_search().into_iter().chain(self.end_filter());
        let unwanted: Vec<Effect> = unwanted.collect();
        prepare
            .into_iter()
            .chain(explain)
            .chain(load)
            .chain(unwanted)
            .chain(self.follow_plots())
            .chain(self.offer())
            .collect()
    }

    /// Ends a search whose hits nobody waits for any more. A newer one ends it by itself.
    fn end_search(&mut self) -> Option<Effect> {
        let waited = self.calls.filter.as_ref().filter(|filter| !filter.finished).map(|filter| filter.search);
        let before = std::mem::replace(&mut self.searching, waited);
        (before.is_some() && waited.is_none()).then_some(Effect::EndSearch)
    }

    /// The same of a filter.
    fn end_filter(&mut self) -> Option<Effect> {
        let waited = self.jq.running.map(|filtering| filtering.ticket);
        let before = std::mem::replace(&mut self.jq.waited, waited);
        (before.is_some() && waited.is_none()).then_some(Effect::EndJq)
    }

    /// Opens the selected call, once it is read. A large one is worked out by the shell.
    fn show_selected(&mut self) -> Option<Effect> {
        let Some(number) = self.calls.selected() else {
            self.shown = None;
            return None;
        };
        if self.shown.as_ref().is_some_and(|shown| shown.number == number) {
            return None;
        }
        let Some(job) = self.job(number) else {
            self.shown = None;
            return None;
        };
        if bodies::size(&job.call) <= LARGE {
            let shown = self.ahead.take(&job).unwrap_or_else(|| job.run());
            self.take(shown);
            return None;
        }
        self.shown = None;
        (self.preparing.replace(number) != Some(number)).then(|| Effect::Prepare(Box::new(job)))
    }

    /// How that call is worked out, if it is read.
    pub(super) fn job(&self, number: usize) -> Option<Job> {
        let call = self.cache.get(number)?.call.clone().ok()?;
        let mask = self.redaction.clone().filter(|_| self.masked);
        let Setup { platforms, keyring, config, .. } = &self.setup;
        Some(Job {
            number,
            original: self.cache.original(number).zip(mask),
            form: self.form,
            width: self.regions.detail_width,
            platforms: platforms.clone(),
            keyring: keyring.clone(),
            config: config.clone(),
            call,
        })
    }

    /// Shows a call that was worked out.
    pub(super) fn take(&mut self, mut shown: Shown) {
        let before = self.shown.take().and_then(|shown| shown.flow);
        if let (Some(flow), Some(before)) = (&mut shown.flow, before)
            && flow.is(&before)
        {
            *flow = before;
        }
        self.shown = Some(shown);
        self.preparing = None;
        self.cursor.field = 0;
        self.scroll = [0; Tab::ALL.len()];
    }

    /// Takes in calls that were read.
    pub(super) fn loaded(&mut self, calls: Read) {
        for (wanted, call) in calls {
            let number = wanted.number;
            self.asked.remove(&wanted.id);
            // What was asked for before numbers changed comes back late.
            if Wanted::of(&self.index, number) != Some(wanted) {
                continue;
            }
            self.cache.put(number, call);
            self.tell_row(number);
            let Some(call) = self.cache.get(number).map(|cached| cached.call.clone()) else { continue };
            self.flows().for_each(|flow| flow.loaded(number, &call));
            if let Some(conversation) = &mut self.conversation {
                conversation.loaded(number, &call, &self.setup.platforms);
            }
        }
    }

    /// Works out what the list says of a call, if it is here.
    pub(super) fn tell_row(&mut self, number: usize) -> bool {
        let Some(cached) = self.cache.get(number) else { return false };
        let text = cached.call.as_ref().map_or_else(|_| String::new(), |call| self.text_of(call));
        let call = cached.call.as_ref().ok();
        let sent_to = call.and_then(|call| self.sent_to(call)).map(ToOwned::to_owned);
        self.cache.set_text(number, &text, sent_to);
        true
    }

    /// What the list says of a call: what the user said or what it is about, else what went wrong, else where a page went, else nothing.
    fn text_of(&self, call: &Call) -> String {
        let kind = self.setup.platforms.kind(call.kind.as_deref());
        let said = kind.map(|kind| kind.read(&call.request)).and_then(|reading| reading.text.or(reading.summary));
        let place = || kind.filter(|kind| kind.is_from_a_browser()).map(|_| call.request.path().to_owned());
        said.or_else(|| call.error.clone()).or_else(place).unwrap_or_default()
    }
}
