//! What the next key is likely to ask for, got ready after the frame for this one: rows read that are near to the screen,
//! and the neighbour of the selected call worked out. So most keys find in memory all that they need.

use crate::app::App;
use crate::app::bodies::{self, Job, LARGE};
use crate::app::event::{Effect, Wanted};
use crate::app::shown::Shown;

/// Calls read ahead of and behind the rows on the screen, and how near to the screen the first must be that is missing: so
/// not every row that one walks asks for one more.
pub(super) const AHEAD: usize = 20;
const NEAR: usize = AHEAD / 2;

/// Most bytes of their lines: what is on the screen must not have to make room for them.
const MOST_BYTES: u64 = 16 << 20;

/// What is ready, and what is on its way.
#[derive(Debug, Default)]
pub struct Ahead {
    /// The row that was selected when this was looked at last.
    row: usize,
    /// The call that may be selected next.
    neighbour: Option<usize>,
    /// Calls are being read.
    reading: bool,
    /// The call that is being worked out.
    preparing: Option<usize>,
    /// A call that was worked out, and what from.
    ready: Option<Box<(Job, Shown)>>,
}

impl Ahead {
    /// What was worked out from just this, if it was.
    pub(super) fn take(&mut self, job: &Job) -> Option<Shown> {
        Some(self.ready.take_if(|ready| ready.0 == *job)?.1)
    }
}

impl App {
    /// Asks for what the next key may need. Called after the frame for a key: nothing on the screen waits for it.
    pub fn look_ahead(&mut self) -> Vec<Effect> {
        let row = self.calls.row();
        let back = row < std::mem::replace(&mut self.ahead.row, row);
        let next = if back { row.checked_sub(1) } else { Some(row + 1) };
        self.ahead.neighbour = next.and_then(|row| self.calls.at(row));
        let read = if self.ahead.reading { None } else { self.read_ahead() };
        read.into_iter().chain(self.prepare_ahead()).collect()
    }

    fn read_ahead(&mut self) -> Option<Effect> {
        let (top, below) = (self.calls.top, self.calls.top + self.regions.list_height);
        // Those on the screen are read, or asked for.
        let untold = |more: usize| {
            let rows = (below..below + more).chain(top.saturating_sub(more)..top);
            rows.filter_map(|row| self.calls.at(row)).filter(|number| self.cache.text(*number).is_none())
        };
        let near = untold(NEAR).next().is_some();
        let untold: Vec<usize> = if near { untold(AHEAD).collect() } else { Vec::new() };
        let mut unread: Vec<usize> = untold.into_iter().filter(|number| !self.tell_row(*number)).collect();
        let neighbour = self.ahead.neighbour.filter(|number| !self.cache.has(*number));
        unread.retain(|number| Some(*number) != neighbour);
        let wanted = |number| Wanted::of(&self.index, number);
        let mut bytes = 0;
        let few = unread.into_iter().filter_map(wanted).take_while(|wanted| {
            bytes += u64::from(wanted.place.len);
            bytes <= MOST_BYTES
        });
        // It comes last, so that it is kept however much the others are.
        let wanted: Vec<Wanted> = few.chain(neighbour.and_then(wanted)).collect();
        self.ahead.reading = !wanted.is_empty();
        self.ahead.reading.then_some(Effect::ReadAhead(wanted))
    }

    /// Calls were read ahead.
    pub(super) fn has_read_ahead(&mut self) -> Vec<Effect> {
        self.ahead.reading = false;
        self.prepare_ahead().into_iter().collect()
    }

    fn prepare_ahead(&mut self) -> Option<Effect> {
        let number = self.ahead.neighbour?;
        let job = self.job(number).filter(|job| bodies::size(&job.call) <= LARGE)?;
        let ready = self.ahead.ready.as_ref().is_some_and(|ready| ready.0 == job);
        let wanted = !ready && self.ahead.preparing.replace(number) != Some(number);
        wanted.then(|| Effect::WorkAhead(Box::new(job)))
    }

    /// A call was worked out ahead. If it can be, it is compared with the call before, too.
    pub(super) fn has_worked_ahead(&mut self, mut ready: Box<(Job, Shown)>) {
        let (job, shown) = &mut *ready;
        self.ahead.preparing.take_if(|number| *number == job.number);
        if self.ahead.neighbour != Some(job.number) || self.job(job.number).as_ref() != Some(&*job) {
            return;
        }
        let mut context = shown.context.clone();
        if context.compare(shown.number, &self.index, &self.cache, &self.setup.platforms).is_none() {
            shown.context = context;
        }
        self.ahead.ready = Some(ready);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::app::event::Event;
    use crate::app::keys::script;
    use crate::app::tests::{app, call, happen};
    use crate::call::Call;
    use crate::config::Config;
    use crate::recording::{Entry, Place};

    /// A long recording, of which nothing is read yet, on a screen of ten rows.
    fn opened(calls: &[Call]) -> App {
        let mut app = app();
        let entry = |(row, call)| Entry::from_call(call, Place { offset: 100 * row as u64, len: 99 });
        let entries: Vec<Entry> = calls.iter().enumerate().map(entry).collect();
        happen(&mut app, Event::Indexed(Box::new(entries.iter().collect())));
        happen(&mut app, Event::Indexed(Box::default()));
        app.regions.list_height = 10;
        app
    }

    /// Presses a key, and does what is asked for before its frame and after it; gives what was read, by numbers.
    fn press(app: &mut App, calls: &[Call], key: &str) -> (Vec<usize>, Vec<usize>) {
        let (mut before, mut after) = (Vec::new(), Vec::new());
        script(key).unwrap().into_iter().for_each(|key| drop(happen(app, Event::Key(key))));
        let mut effects = app.settle();
        let mut drawn = false;
        while !drawn || !effects.is_empty() {
            let events: Vec<Event> = effects
                .drain(..)
                .map(|effect| {
                    let read = |wanted: Vec<Wanted>| {
                        wanted.into_iter().map(|wanted| (wanted, Ok(Arc::new(calls[wanted.number].clone())))).collect()
                    };
                    let numbers = |wanted: &[Wanted]| wanted.iter().map(|wanted| wanted.number).collect();
                    match effect {
                        Effect::Load(wanted) => {
                            before = numbers(&wanted);
                            Event::Loaded(read(wanted))
                        }
                        Effect::ReadAhead(wanted) => {
                            after = numbers(&wanted);
                            Event::ReadAhead(read(wanted))
                        }
                        Effect::WorkAhead(job) => {
                            let mut shown = (*job).clone().run();
                            shown.also = vec!["worked out ahead".to_owned()];
                            Event::WorkedAhead(Box::new((*job, shown)))
                        }
                        other => panic!("{other:?}"),
                    }
                })
                .collect();
            effects = events.into_iter().flat_map(|event| happen(app, event)).collect();
            effects.extend(app.settle());
            if effects.is_empty() && !drawn {
                drawn = true;
                effects = app.look_ahead();
            }
        }
        (before, after)
    }

    fn is_ahead(app: &App) -> bool {
        app.shown.as_ref().unwrap().also == ["worked out ahead"]
    }

    #[test]
    fn the_next_key_finds_what_it_needs() {
        let calls: Vec<Call> = (0..100).map(|number| call(&format!("/{number}"))).collect();
        let mut app = opened(&calls);
        assert_eq!(press(&mut app, &calls, "g"), ((0..10).collect(), (10..30).collect()));
        assert!(!is_ahead(&app), "nobody could know");
        for key in ["j", "j", "j"] {
            assert_eq!(press(&mut app, &calls, key), (vec![], vec![]));
            assert!(is_ahead(&app));
        }
        press(&mut app, &calls, "k");
        assert!(!is_ahead(&app), "it was read, but another one was worked out");
        press(&mut app, &calls, "k");
        assert!(is_ahead(&app), "upwards from then on");
        press(&mut app, &calls, "G");
        assert!(!is_ahead(&app));
    }

    #[test]
    fn what_was_worked_out_with_another_configuration_is_not_shown() {
        let calls: Vec<Call> = (0..9).map(|number| call(&format!("/{number}"))).collect();
        let mut app = opened(&calls);
        press(&mut app, &calls, "g");
        happen(&mut app, Event::Configured(Ok(Arc::new(Config::default()))));
        let shown = |app: &mut App| {
            script("j").unwrap().into_iter().for_each(|key| drop(happen(app, Event::Key(key))));
            app.settle();
            is_ahead(app)
        };
        assert!(!shown(&mut app));
    }
}
