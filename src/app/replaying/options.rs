//! What to replay, and how: asked in a dialog whose rows go through values by arrow keys, or take typed ones.

mod values;

use std::sync::Arc;

use url::Url;

pub use self::values::{Field, Options};
use super::{Job, Replay};
use crate::app::action::Action;
use crate::app::dialog::{Dialog, Input, Then};
use crate::app::dialog_keys::{Choice, Press, line_key, picked};
use crate::app::event::{Effect, Notice};
use crate::app::panel::Panel;
use crate::app::question::{GUARDED, Question, Yes};
use crate::app::which::{STILL_SEEKS, Which};
use crate::app::{App, sending};
use crate::call::Direction;
use crate::config::Target;
use crate::net::avoid::{Avoid, Own};
use crate::replay::{Item, Leaving, Plan};
use crate::visible;

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
            return self.tell_no_call();
        }
        // To the chosen one they go anyway.
        let known = |target: &Target| self.targets.contains(target) && self.target() != Some(target);
        let mut options = self.options.as_ref().map_or_else(Options::default, |before| before.again(known));
        options.this = self.selected_id();
        self.count_meant(&mut options);
        self.show_panel(Panel::Options(Box::new(options)));
    }

    /// The rows of the calls that are meant, rising.
    fn meant(&self, options: &Options) -> Vec<usize> {
        let this = || options.this.and_then(|id| self.index.row_of(id));
        let chosen = matches!(options.which, Which::This | Which::FromHere).then(this).flatten();
        let received = |row| self.index.view(row).is_some_and(|view| view.direction == Direction::Received);
        let mut rows = self.rows_of(options.which, options.this);
        rows.retain(|row| options.sent || Some(*row) == chosen || received(*row));
        rows
    }

    pub(in crate::app) fn count_meant(&self, options: &mut Options) {
        options.count = self.meant(options).len();
        options.counted = Some(self.countable());
    }

    pub(in crate::app) fn options_key(&mut self, press: Press, mut options: Box<Options>) -> Vec<Effect> {
        // What was being counted is no longer what is asked for.
        options.counting = None;
        if let Some(mut input) = options.typing.take() {
            match line_key(press, &mut input) {
                Choice::Leave => {}
                Choice::Take => {
                    let value = input.text().trim().to_owned();
                    options.take(&value);
                    options.error = self.complaint(&options);
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
                let asked = match options.field() {
                    Field::To => Some((self.target, Then::Stay)),
                    Field::Against => {
                        let second = self.targets.iter().position(|target| Some(target) == options.against.as_ref());
                        // Where there is none yet, one that is not the first.
                        let other = (0..self.targets.len()).find(|number| Some(*number) != self.target);
                        Some((second.or(other), Then::Against))
                    }
                    _ => None,
                };
                if let Some((number, then)) = asked {
                    self.show_panel(Panel::Options(options));
                    self.ask_target_from(number, then);
                    return Vec::new();
                }
                0
            }
            Some(Action::AsAtFirst) => {
                let at_first = Options { this: options.this, selected: options.selected, ..Options::default() };
                *options = at_first;
                self.count_meant(&mut options);
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
            options.error = self.complaint(&options);
        }
        self.show_panel(Panel::Options(options));
        Vec::new()
    }

    /// The next value of a row, or the one before.
    fn turn(&mut self, options: &mut Options, steps: isize) {
        if options.field() == Field::To {
            self.target = (!self.targets.is_empty()).then(|| values::next(self.target, steps, self.targets.len()));
        }
        options.turn(steps, &self.targets, self.target());
        self.count_meant(options);
    }

    /// Takes the target of that number as the second one in the options that are open.
    pub(in crate::app) fn choose_against(&mut self, number: usize) {
        let options = self.dialogs.iter_mut().find_map(|dialog| match dialog {
            Dialog::Panel(Panel::Options(options)) => Some(options),
            _ => None,
        });
        if let Some(options) = options {
            options.against = self.targets.get(number).cloned();
            options.error = None;
        }
    }

    /// What is wrong with the options. That no target is chosen yet is no slip.
    fn complaint(&self, options: &Options) -> Option<String> {
        let nowhere = || options.plan(Plan::new(Target::new("", "")));
        self.target().map_or_else(nowhere, |_| self.plan(options)).err()
    }

    /// A plan to the chosen target. Our own listener gets calls only where it is the target by name.
    pub(in crate::app) fn plan_to_target(&self) -> Result<Plan, String> {
        let target = self.target().ok_or_else(|| self.no_target())?;
        let avoid = self.avoid();
        leads_elsewhere(avoid.as_deref(), target)?;
        Ok(Plan { avoid, rules: self.rules.clone(), ..Plan::new(target.clone()) })
    }

    /// Our own listener, which gets nothing unless it is the target by name. The shell adds those of other processes.
    pub(in crate::app) fn avoid(&self) -> Option<Arc<Avoid>> {
        if self.target().is_some_and(sending::is_ours) { None } else { Some(self.own_listener()) }
    }

    fn own_listener(&self) -> Arc<Avoid> {
        let (own, key) = (sending::OURSELVES, self.keymap.key(Action::Target));
        let repair = format!("choose {own} ({key}) to send there all the same");
        let public = self.public_url().map(str::to_owned);
        let listeners = self.setup.listener.map(|address| Own { address, public }).into_iter().collect();
        Arc::new(Avoid { listeners, repair, others: Vec::new(), spared: Some(own.to_owned()) })
    }

    /// The plan that the options make.
    ///
    /// # Errors
    /// Why there is none: a sentence with the repair.
    pub fn plan(&self, options: &Options) -> Result<Plan, String> {
        let mut plan = options.plan(self.plan_to_target()?)?;
        if let Some(second) = &options.against {
            // As it is configured now.
            let same = |known: &&Target| known.name == second.name && known.url == second.url;
            let known = self.targets.iter().find(same);
            let second = known.ok_or_else(|| format!("the target {} is no longer configured", second.name))?;
            // Of two targets one may be our own listener, and the other still not.
            let avoid = self.own_listener();
            leads_elsewhere(Some(&avoid), second)?;
            plan.avoid = Some(avoid);
            plan.against = Some(second.clone());
        }
        Ok(plan)
    }

    fn begin_replay(&mut self, mut options: Box<Options>) -> Vec<Effect> {
        let rows = self.meant(&options);
        let items: Vec<Item> = rows.iter().filter_map(|row| self.index.get(*row)).map(|e| Item::from(&e)).collect();
        let plan = match self.plan(&options) {
            _ if self.still_seeks(options.which) => Err(STILL_SEEKS.to_owned()),
            _ if rows.is_empty() => Err(format!("{}: there are none to send", options.which.words())),
            Ok(plan) => match plan.why_none(&items) {
                Some(why) => Err(why),
                None => plan.schedule.check(&items).map(|()| plan),
            },
            error => error,
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
        let job = Box::new(Job {
            ticket: self.ticket(),
            plan,
            items,
            platforms: self.setup.platforms.clone(),
            keyring: self.setup.keyring.clone(),
            listener: self.setup.listener,
        });
        if job.plan.targets().any(|target| target.guard) {
            options.counting = Some(job.ticket);
            options.error = None;
            self.show_panel(Panel::Options(options));
            return vec![Effect::Count(job)];
        }
        self.show_panel(Panel::Options(options));
        self.start_replay(job)
    }

    /// Asks before calls go to a guarded target, now that it is known how many would leave.
    pub(super) fn counted(&mut self, job: Box<Job>, leaving: Result<Leaving, String>) {
        let waits = |dialog: &Dialog| match dialog {
            Dialog::Panel(Panel::Options(options)) => options.counting == Some(job.ticket),
            _ => false,
        };
        let Some(place) = self.dialogs.iter().position(waits) else { return };
        let Some(Dialog::Panel(Panel::Options(options))) = self.dialogs.get_mut(place) else { return };
        options.counting = None;
        match leaving {
            Err(why) => options.error = Some(why),
            Ok(leaving) => {
                let text = question(&job.plan, &leaving);
                let question = Question { text, words: GUARDED, yes: Yes::Replay(job) };
                self.dialogs.insert(place + 1, Dialog::Question(question));
            }
        }
    }
}

/// What is asked before calls leave for a guarded target: all places that they go to, and how many go there.
fn question(plan: &Plan, leaving: &Leaving) -> String {
    let to = |target: &Target| {
        // Of two, one may be there to be sent to.
        let guarded = if target.guard && plan.against.is_some() { " (guarded)" } else { "" };
        format!("to {}{guarded}, at {}", target.name, target.places(leaving.kinds()).join(" and "))
    };
    let calls = visible::count(leaving.count, "call");
    let second = plan.against.as_ref().map(|second| format!(", and the same {}", to(second))).unwrap_or_default();
    let wrong = plan.wrong().map(|wrong| format!(" ({wrong})")).unwrap_or_default();
    format!("Send {calls}{wrong} {}{second}?{}", to(&plan.target), leaving.others())
}

/// # Errors
/// Where the target is a listener that gets nothing: a sentence.
fn leads_elsewhere(avoid: Option<&Avoid>, target: &Target) -> Result<(), String> {
    let url = Url::parse(&target.url).ok();
    let avoid = avoid.filter(|avoid| avoid.applies_to(&target.name));
    avoid.zip(url).and_then(|(avoid, url)| avoid.why_not(&target.name, &url)).map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests;
