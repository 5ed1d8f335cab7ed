//! What to replay, and how: asked in a dialog whose rows go through values by arrow keys, or take typed ones.

use std::sync::Arc;

use url::Url;

use super::{Job, Replay};
use crate::app::action::Action;
use crate::app::dialog::{Input, Then};
use crate::app::dialog_keys::{Choice, Press, picked, typed};
use crate::app::event::{Effect, Notice};
use crate::app::panel::Panel;
use crate::app::which::Which;
use crate::app::{App, sending};
use crate::call::Direction;
use crate::net::avoid::{Avoid, Own};
use crate::net::outgoing::SignMode;
use crate::replay::expect::Expectation;
use crate::replay::{Item, Pace, Plan, Schedule};
use crate::visible;

/// Paces that the arrow keys go through.
const PACES: [&str; 7] = ["asap", "original", "2x", "10x", "1/s", "10/s", "100/s"];
/// Calls at a time that the arrow keys go through.
const CONCURRENCIES: [&str; 6] = ["1", "2", "4", "8", "16", "32"];
/// Expectations that the arrow keys go through.
const EXPECTATIONS: [&str; 5] = ["status=2xx", "recorded", "contract", "recorded contract", "status<400"];

/// Which calls can be sent again.
const WHICH: [Which; 5] = [Which::This, Which::FromHere, Which::Marked, Which::Listed, Which::All];

/// A row of the options.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// [`Options::which`].
    Which,
    /// [`Options::sent`].
    Sent,
    /// Which of the targets.
    To,
    /// [`Options::mode`].
    Mode,
    /// [`Options::pace`].
    Pace,
    /// [`Options::concurrency`].
    Concurrency,
    /// [`Options::expect`].
    Expect,
    /// [`Options::stop`].
    Stop,
}

impl Field {
    /// In the order they stand in.
    pub const ALL: [Self; 8] =
        [Self::Which, Self::Sent, Self::To, Self::Mode, Self::Pace, Self::Concurrency, Self::Expect, Self::Stop];
}

/// What to replay, and how.
#[derive(Debug)]
pub struct Options {
    /// Which calls.
    pub which: Which,
    /// Those that were sent from here count as well.
    pub sent: bool,
    /// With new signature, ids and times, or exactly as they are.
    pub mode: SignMode,
    /// As [`Pace`] is written, or `10/s`.
    pub pace: String,
    /// How many at a time.
    pub concurrency: String,
    /// Expectations, between spaces.
    pub expect: String,
    /// Whether the first failure ends it.
    pub stop: bool,
    /// How many calls that are.
    pub count: usize,
    /// The row that the keys are for.
    pub selected: usize,
    /// Its value being typed.
    pub typing: Option<Input>,
    /// Why it cannot begin so.
    pub error: Option<String>,
}

impl Options {
    /// The row that the keys are for.
    #[must_use]
    pub fn field(&self) -> Field {
        Field::ALL[self.selected.min(Field::ALL.len() - 1)]
    }

    /// Whether the key that types does something in the row: it types a value, or asks for a target.
    #[must_use]
    pub fn takes_text(&self) -> bool {
        matches!(self.field(), Field::Pace | Field::Concurrency | Field::Expect | Field::To)
    }

    /// The value that is typed for a row, where one can be.
    fn text(&mut self) -> Option<&mut String> {
        match self.field() {
            Field::Pace => Some(&mut self.pace),
            Field::Concurrency => Some(&mut self.concurrency),
            Field::Expect => Some(&mut self.expect),
            _ => None,
        }
    }

    /// Takes pasted text where a value is typed.
    pub(in crate::app) fn paste(&mut self, text: &str) {
        if let Some(input) = &mut self.typing {
            input.paste(text);
        }
    }

    fn schedule(&self) -> Result<Schedule, String> {
        let concurrency = self.concurrency.trim().parse().ok().filter(|count| (1..=1024).contains(count));
        Ok(Schedule {
            pace: pace(self.pace.trim())?,
            concurrency: concurrency.ok_or("at a time: a number from 1 to 1024")?,
            stop_on_failure: self.stop,
            ..Schedule::default()
        })
    }
}

/// A pace as the command line has it, or a rate: `10/s`.
fn pace(text: &str) -> Result<Pace, String> {
    let Some(rate) = text.strip_suffix("/s") else {
        return text.parse().map_err(|error| format!("{error}, or a rate such as 5/s"));
    };
    let rate = rate.trim().parse().ok().filter(|rate: &f64| rate.is_finite() && *rate > 0.0);
    rate.map(Pace::Rate).ok_or_else(|| format!("{text:?} is no rate: 10/s is one"))
}

/// The words of a text; a space within double quotes is part of one.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    let ends = move |char: char| {
        if char == '"' && !escaped {
            quoted = !quoted;
        }
        escaped = char == '\\' && !escaped;
        !quoted && char.is_whitespace()
    };
    text.split(ends).filter(|word| !word.is_empty())
}

impl App {
    /// Asks what to replay and how; shows the replay that runs, if one does.
    pub(in crate::app) fn ask_replay(&mut self) {
        if self.replay.as_ref().is_some_and(Replay::runs) {
            return self.show_panel(Panel::Running);
        }
        if self.arriving.newest_only() {
            return self
                .tell(Notice::warning("the recording is still being read: ask again when all its calls are there"));
        }
        if self.calls.selected().is_none() {
            return;
        }
        let mut options = Options {
            which: Which::This,
            sent: false,
            mode: SignMode::Fresh,
            pace: PACES[0].to_owned(),
            concurrency: CONCURRENCIES[0].to_owned(),
            expect: EXPECTATIONS[0].to_owned(),
            stop: false,
            count: 0,
            selected: 0,
            typing: None,
            error: None,
        };
        options.count = self.meant(&options).len();
        self.show_panel(Panel::Options(Box::new(options)));
    }

    /// The rows of the calls that are meant, rising.
    fn meant(&self, options: &Options) -> Vec<usize> {
        let chosen = self.calls.selected().filter(|_| matches!(options.which, Which::This | Which::FromHere));
        let received = |row| self.index.view(row).is_some_and(|view| view.direction == Direction::Received);
        let mut rows = self.rows_of(options.which);
        rows.retain(|row| options.sent || Some(*row) == chosen || received(*row));
        rows
    }

    pub(in crate::app) fn options_key(&mut self, press: Press, mut options: Box<Options>) -> Vec<Effect> {
        if let Some(mut input) = options.typing.take() {
            match typed(press, &mut input, &mut 0, 0) {
                Choice::Leave => {}
                Choice::Take => {
                    let value = input.text().trim().to_owned();
                    options.text().into_iter().for_each(|text| value.clone_into(text));
                    options.error = self.plan(&options).err();
                }
                Choice::Stay => options.typing = Some(input),
            }
            self.show_panel(Panel::Options(options));
            return Vec::new();
        }
        let steps = match press.action {
            Some(Action::Begin) => return self.begin_replay(options),
            Some(Action::TypeValue) => {
                options.typing = options.text().map(|text| Input::new(text));
                if options.typing.is_none() && options.field() == Field::To {
                    self.show_panel(Panel::Options(options));
                    self.ask_target(Then::Stay);
                    return Vec::new();
                }
                0
            }
            Some(Action::LastReplay) if self.replay.is_some() => {
                self.show_panel(Panel::Options(options));
                self.show_panel(Panel::Running);
                return Vec::new();
            }
            Some(Action::LastReplay) => {
                self.tell(Notice::info("nothing was replayed yet"));
                0
            }
            Some(Action::Register) => {
                self.tell(Notice::info("answers are kept where they are looked at: in the call, or after a test call"));
                0
            }
            Some(Action::NextValue) => 1,
            Some(Action::PreviousValue) => -1,
            Some(Action::Target) => {
                self.show_panel(Panel::Options(options));
                self.ask_target(Then::Stay);
                return Vec::new();
            }
            action => match picked(action, &mut options.selected, Field::ALL.len()) {
                Choice::Leave => return Vec::new(),
                Choice::Take | Choice::Stay => 0,
            },
        };
        if steps != 0 {
            self.turn(&mut options, steps);
            options.error = self.plan(&options).err().filter(|_| self.target.is_some());
        }
        self.show_panel(Panel::Options(options));
        Vec::new()
    }

    /// The next value of a row, or the one before.
    fn turn(&mut self, options: &mut Options, steps: isize) {
        let next = |at: Option<usize>, count: usize| {
            at.map_or(0, |at| (at + count).saturating_add_signed(steps) % count.max(1))
        };
        let word = |words: &[&str], value: &mut String| {
            let at = words.iter().position(|word| word == value);
            words[next(at, words.len())].clone_into(value);
        };
        match options.field() {
            Field::Which => {
                let at = WHICH.iter().position(|which| *which == options.which);
                options.which = WHICH[next(at, WHICH.len())];
            }
            Field::Sent => options.sent = !options.sent,
            Field::To => self.target = (!self.targets.is_empty()).then(|| next(self.target, self.targets.len())),
            Field::Mode => {
                options.mode = if options.mode == SignMode::Fresh { SignMode::Exact } else { SignMode::Fresh };
            }
            Field::Pace => word(&PACES, &mut options.pace),
            Field::Concurrency => word(&CONCURRENCIES, &mut options.concurrency),
            Field::Expect => word(&EXPECTATIONS, &mut options.expect),
            Field::Stop => options.stop = !options.stop,
        }
        options.count = self.meant(options).len();
    }

    /// A plan to the chosen target. Our own listener gets calls only where it is the target by name.
    pub(in crate::app) fn plan_to_target(&self) -> Result<Plan, String> {
        let target = self.target().ok_or_else(|| self.no_target())?;
        let avoid = self.avoid();
        if let (Some(avoid), Ok(url)) = (&avoid, Url::parse(&target.url))
            && let Some(why) = avoid.why_not(&target.name, &url)
        {
            return Err(why);
        }
        Ok(Plan { avoid, rules: self.rules.clone(), ..Plan::new(target.clone()) })
    }

    /// Our own listener, which gets nothing unless it is the target by name. The shell adds those of other processes.
    pub(in crate::app) fn avoid(&self) -> Option<Arc<Avoid>> {
        if self.target().is_some_and(sending::is_ours) {
            return None;
        }
        let (own, key) = (sending::OURSELVES, self.keymap.key(Action::Target));
        let repair = format!("choose {own} ({key}) to send there all the same");
        let public = self.public_url().map(str::to_owned);
        let listeners = self.setup.listener.map(|address| Own { address, public }).into_iter().collect();
        Some(Arc::new(Avoid { listeners, repair, others: Vec::new() }))
    }

    fn plan(&self, options: &Options) -> Result<Plan, String> {
        let expect = words(&options.expect).map(str::parse).collect::<Result<Vec<Expectation>, _>>()?;
        Ok(Plan { mode: options.mode, schedule: options.schedule()?, expect, ..self.plan_to_target()? })
    }

    fn begin_replay(&mut self, mut options: Box<Options>) -> Vec<Effect> {
        let rows = self.meant(&options);
        let plan = match self.plan(&options) {
            _ if rows.is_empty() => Err(format!("{}: there are none to send", options.which.words())),
            plan => plan,
        };
        let plan = match plan {
            Ok(plan) => plan,
            Err(error) => {
                let aimed = self.target.is_some() || rows.is_empty();
                options.error = Some(error).filter(|_| aimed);
                self.show_panel(Panel::Options(options));
                if !aimed {
                    self.ask_target(Then::Stay);
                }
                return Vec::new();
            }
        };
        let items: Vec<Item> = rows.iter().filter_map(|row| self.index.get(*row)).map(|e| Item::from(&e)).collect();
        let job = Box::new(Job {
            ticket: self.ticket(),
            plan,
            items,
            platforms: self.setup.platforms.clone(),
            keyring: self.setup.keyring.clone(),
            listener: self.setup.listener,
        });
        let target = &job.plan.target;
        if target.guard {
            let kinds = || job.items.iter().map(|item| item.kind.as_deref());
            let taken = kinds().filter(|kind| target.why_not(*kind).is_none()).count();
            if taken == 0 {
                options.error = kinds().find_map(|kind| target.why_not(kind));
                self.show_panel(Panel::Options(options));
                return Vec::new();
            }
            let calls = visible::count(job.plan.total(taken), "call");
            let places = target.places(kinds());
            let question = format!("Send {calls} to {}, at {}?", target.name, places.join(" and "));
            self.show_panel(Panel::Sure { question, job });
            return Vec::new();
        }
        self.start_replay(job)
    }
}

#[cfg(test)]
mod tests;
