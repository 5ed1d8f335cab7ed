//! Recorded calls sent again from the screen: which and how, how far it is, and what came of each.
//!
//! ```text
//!  R --> Options --enter----------------------------> Effect::Replay(Job) --> the shell runs it
//!           +-- guarded: Effect::Count --> Question --yes--^                      |
//!                                   Replay <-- Event::Replayed(Told), then its Summary
//! ```

mod heeding;
mod keeping;
mod options;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::app::action::Action;
use crate::app::dialog::Dialog;
use crate::app::dialog_keys::{Choice, picked};
use crate::app::event::{Effect, Notice};
use crate::app::panel::Panel;
use crate::app::{App, Setup};
use crate::call::{Call, Id};
use crate::net::outgoing::{Outgoing, SignMode};
use crate::platform::{Keyring, Platforms};
use crate::recording::Redaction;
use crate::replay::compare::{Difference, Place};
use crate::replay::expect::Unmet;
use crate::replay::mask::Masking;
use crate::replay::{Item, Leaving, Meter, Plan, Refusal, Summary, Told, masked};
use crate::visible;

pub use self::options::{Field, Options};

/// Most places that are named of what differs.
const MOST_NAMED: usize = 100;
/// Most columns of a path: no fewer than are ever seen, for of a secret that is cut off nobody could tell that it is one.
const LONGEST: usize = 400;

/// A replay for the shell to run.
#[derive(Clone, Debug)]
pub struct Job {
    /// Names it.
    pub ticket: u64,
    /// How.
    pub plan: Plan,
    /// What.
    pub items: Vec<Item>,
    /// What is known of platforms.
    pub platforms: Arc<Platforms>,
    /// The secrets at hand.
    pub keyring: Arc<Keyring>,
    /// Our own listener's address.
    pub listener: Option<SocketAddr>,
}

impl PartialEq for Job {
    fn eq(&self, other: &Self) -> bool {
        (self.ticket, &self.plan, &self.items) == (other.ticket, &other.plan, &other.items)
    }
}

/// What a running replay is told to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Steer {
    /// Let nothing leave.
    Pause,
    /// Go on.
    Resume,
    /// End.
    Cancel,
}

/// What a running replay tells.
#[derive(Clone, Debug, PartialEq)]
pub enum Progress {
    /// Nothing has left: what would, or why nothing would.
    Counted(Box<Job>, Result<Leaving, String>),
    /// What became of one call.
    Told(Box<Sent>),
    /// It is over, or never began: what became of all of it.
    Ended(Result<Box<Summary>, String>),
}

/// What became of one call that was sent again. Without the calls themselves: there may be many, and they are recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct Sent {
    /// The recorded call.
    pub original: Id,
    /// Its kind, or else its path; empty where neither is known.
    pub what: String,
    /// What was wrong on purpose.
    pub label: Option<String>,
    /// What was sent and came back; none where it was not sent.
    pub call: Option<Answered>,
    /// As `call`, of the second target.
    pub against: Option<Answered>,
    /// Where what left differs from what was recorded.
    pub changed: Vec<Place>,
    /// As `changed`, of what left for the second target, where that is something else.
    pub changed_against: Option<Vec<Place>>,
    /// What of it was only masks, for the recording has nothing else there.
    pub masked: Vec<Place>,
    /// How the answer differs from the recorded one, where that was looked at: the first `MOST_NAMED`.
    pub differences: Vec<Difference>,
    /// How the second target's answer differs from the first one's: as many.
    pub between: Vec<Difference>,
    /// What was expected and did not come; where nothing was expected, why it was not sent.
    unmet: Vec<Unmet>,
    failed: bool,
    /// What it was found to be at first, where less counts now.
    judged: Option<Box<heeding::Judged>>,
    /// How answers differ was known, and is no longer kept.
    pub forgotten: bool,
}

/// What is shown of a call that was sent again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// Its name.
    pub id: Id,
    /// When it left.
    pub at: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// The answer's status code; none if there was none.
    pub status: Option<u16>,
    /// Why there was none.
    pub error: Option<String>,
    /// Where it points, if it sends elsewhere.
    pub redirect: Option<String>,
}

impl From<&Call> for Answered {
    fn from(call: &Call) -> Self {
        let redirect = call.redirect();
        Self { id: call.id, at: call.at, took: call.took, status: call.status(), error: call.error.clone(), redirect }
    }
}

impl From<Told> for Sent {
    fn from(told: Told) -> Self {
        let short = |what: &str| visible::truncate(what, LONGEST).into_owned();
        let places = |found: Vec<Difference>| found.into_iter().map(|one| one.place).take(MOST_NAMED).collect();
        let because = |found| Unmet { expected: String::new(), found, place: None, against: false };
        match told {
            Told::Sent(outcome) => {
                let changed: Vec<Place> = places(outcome.changed());
                let there = outcome.against.as_ref().map(|_| places(outcome.changed_against()));
                let call = &outcome.call;
                Self {
                    forgotten: false,
                    judged: None,
                    failed: outcome.is_failure(),
                    original: outcome.original.id,
                    what: short(call.kind.as_deref().unwrap_or_else(|| call.request.path())),
                    label: outcome.delivery.told(call),
                    call: Some(call.as_ref().into()),
                    against: outcome.against.as_deref().map(Answered::from),
                    changed_against: there.filter(|there| *there != changed),
                    changed,
                    masked: outcome.masked.iter().take(MOST_NAMED).cloned().collect(),
                    unmet: if outcome.given_up {
                        // Of two targets one may have answered.
                        let calls = std::iter::once(call).chain(&outcome.against);
                        calls.filter_map(|call| call.error.clone()).map(because).collect()
                    } else {
                        outcome.unmet
                    },
                    differences: outcome.differences.into_iter().take(MOST_NAMED).collect(),
                    between: outcome.between.into_iter().take(MOST_NAMED).collect(),
                }
            }
            Told::Skipped(skipped) => Self {
                forgotten: false,
                judged: None,
                failed: skipped.is_failure(),
                original: skipped.original,
                what: short(skipped.kind.as_deref().unwrap_or_default()),
                label: skipped.fault.map(|fault| fault.word().to_owned()),
                call: None,
                against: None,
                changed: Vec::new(),
                changed_against: None,
                masked: Vec::new(),
                unmet: vec![because(skipped.reason)],
                differences: Vec::new(),
                between: Vec::new(),
            },
        }
    }
}

impl Sent {
    /// Whether the answer was as expected.
    #[must_use]
    pub fn is_fine(&self) -> bool {
        self.unmet.is_empty()
    }

    /// What was expected and did not come, or why it was not sent; masked where that is asked for.
    pub fn unmet(&self, mask: Option<&Redaction>) -> impl Iterator<Item = String> {
        self.unmet.iter().map(move |unmet| {
            let mut unmet = unmet.clone();
            if let Some(redaction) = mask {
                Masking::new(redaction).unmet(&mut unmet);
            }
            if unmet.expected.is_empty() { unmet.found } else { unmet.to_string() }
        })
    }

    /// Whether it counts as a failure: not where it cannot have its fault, or its answer was not waited for.
    #[must_use]
    pub fn is_failure(&self) -> bool {
        self.failed
    }
}

/// A replay that runs, or ran.
#[derive(Debug)]
pub struct Replay {
    /// Names it.
    pub ticket: u64,
    /// Where the calls go, and how.
    pub plan: Plan,
    /// How many recorded ones.
    pub items: usize,
    /// How far it is.
    pub meter: Meter,
    /// What came of the calls.
    pub results: Vec<Sent>,
    /// Only those are listed that are not as expected.
    pub failures_only: bool,
    /// Which of those listed is meant.
    pub selected: usize,
    /// What became of it, once it is over.
    pub ended: Option<Result<Box<Summary>, String>>,
    /// Since when it is paused.
    pub paused: Option<Timestamp>,
    /// How many calls failed by the rules that it was begun with.
    failed: u64,
    started: Timestamp,
    rested: Duration,
    /// When it was over, as far as its time counts.
    over: Option<Timestamp>,
    /// Bytes of the differences of `results`, and how many of them have lost theirs.
    weight: usize,
    lean: usize,
}

impl Replay {
    fn new(job: &Job, now: Timestamp) -> Self {
        Self {
            ticket: job.ticket,
            plan: job.plan.clone(),
            items: job.items.len(),
            meter: job.plan.meter(job.items.len()),
            results: Vec::new(),
            failures_only: false,
            selected: 0,
            ended: None,
            paused: None,
            failed: 0,
            started: now,
            rested: Duration::ZERO,
            over: None,
            weight: 0,
            lean: 0,
        }
    }

    /// Whether it is not over.
    #[must_use]
    pub fn runs(&self) -> bool {
        self.ended.is_none()
    }

    /// How long it has been running at `now`, without pauses.
    #[must_use]
    pub fn elapsed(&self, now: Timestamp) -> Duration {
        if let Some(Ok(summary)) = &self.ended {
            return summary.elapsed;
        }
        let since = |from: Timestamp, to: Timestamp| Duration::try_from(to.duration_since(from)).unwrap_or_default();
        since(self.started, self.over.or(self.paused).unwrap_or(now)).saturating_sub(self.rested)
    }

    /// The results that are listed.
    pub fn listed(&self) -> impl DoubleEndedIterator<Item = &Sent> {
        self.results.iter().filter(|sent| !self.failures_only || !sent.is_fine())
    }

    fn told(&mut self, sent: Sent) {
        self.meter.done += 1;
        self.meter.skipped += u64::from(sent.call.is_none());
        self.meter.failed += u64::from(sent.failed);
        self.keep(sent);
    }
}

impl App {
    pub(super) fn start_replay(&mut self, job: Box<Job>) -> Vec<Effect> {
        // What was asked for is done: its rows are of use for the next one.
        let asked = |dialog: &Dialog| matches!(dialog, Dialog::Panel(Panel::Options(_)));
        if let Some(Dialog::Panel(Panel::Options(options))) =
            self.dialogs.iter().position(asked).map(|place| self.dialogs.remove(place))
        {
            self.options = Some(options);
        }
        self.replay = Some(Replay::new(&job, self.now));
        self.show_panel(Panel::Running);
        vec![Effect::Replay(job)]
    }

    /// Takes in what a replay tells.
    pub(super) fn replayed(&mut self, ticket: u64, progress: Progress) {
        let progress = match progress {
            Progress::Counted(job, leaving) => return self.counted(job, leaving),
            progress => progress,
        };
        let recorded = self.recorded_in();
        let Some(replay) = self.replay.as_mut().filter(|replay| replay.ticket == ticket) else { return };
        match progress {
            Progress::Counted(..) => {}
            Progress::Told(mut sent) => {
                replay.failed += u64::from(sent.is_failure());
                sent.heed(&self.rules);
                replay.told(*sent);
            }
            Progress::Ended(mut result) => {
                if let Ok(summary) = &mut result {
                    replay.heed(summary);
                }
                replay.over = Some(replay.paused.take().unwrap_or(self.now));
                let recorded = recorded.map(|file| format!(" · {file}")).unwrap_or_default();
                let notice = match &result {
                    Err(error) => Notice::error(format!("the replay ended: {error}")),
                    Ok(summary) => {
                        let short = summary.shortfall().map(|short| format!("; {short}")).unwrap_or_default();
                        let sent = summary.left + summary.skipped < summary.total;
                        let recorded = if sent { recorded.as_str() } else { "" };
                        let told = |how: &str| format!("replay {how}: {}{short}{recorded}", summary.counts());
                        match summary {
                            _ if summary.error.is_some() => Notice::error(told("failed")),
                            _ if summary.cancelled => Notice::warning(told("cancelled")),
                            _ if summary.is_fine() => Notice::info(told("done")),
                            _ => Notice::warning(told("done")),
                        }
                    }
                };
                replay.ended = Some(result);
                self.tell(notice);
            }
        }
    }

    pub(super) fn running_key(&mut self, action: Option<Action>) -> Vec<Effect> {
        let now = self.now;
        let Some(replay) = &mut self.replay else { return Vec::new() };
        let ticket = replay.ticket;
        let steer = |steer| vec![Effect::Steer { ticket, steer }];
        let mut effects = Vec::new();
        match action {
            Some(Action::Pause) if replay.runs() => match replay.paused.take() {
                None => {
                    replay.paused = Some(now);
                    effects = steer(Steer::Pause);
                }
                Some(since) => {
                    replay.rested += Duration::try_from(now.duration_since(since)).unwrap_or_default();
                    effects = steer(Steer::Resume);
                }
            },
            Some(Action::CancelReplay) if replay.runs() => effects = steer(Steer::Cancel),
            Some(Action::Pause | Action::CancelReplay) => {
                self.show_panel(Panel::Running);
                self.tell(Notice::info("the replay is over"));
                return Vec::new();
            }
            Some(Action::CompareTargets) => {
                let chosen = replay.listed().nth(replay.selected);
                let pair = chosen.and_then(|sent| Some((sent.call.as_ref()?.id, sent.against.as_ref()?.id)));
                let one = replay.plan.against.is_none();
                self.show_panel(Panel::Running);
                if one {
                    self.tell(Notice::info("the calls went to one target only"));
                }
                return pair.map_or_else(Vec::new, |(left, right)| self.compare_calls(left, right));
            }
            Some(Action::OnlyFailures) => {
                replay.failures_only = !replay.failures_only;
                replay.selected = 0;
            }
            Some(Action::ToCall) => {
                let chosen = replay.listed().nth(replay.selected).and_then(|sent| Some(sent.call.as_ref()?.id));
                let Some(row) = chosen.and_then(|id| self.index.row_of(id)) else {
                    self.show_panel(Panel::Running);
                    return Vec::new();
                };
                self.dialogs.clear();
                self.go_to(row);
                return Vec::new();
            }
            _ => {
                let count = replay.listed().count();
                replay.selected = replay.selected.min(count.saturating_sub(1));
                match picked(action, &mut replay.selected, count) {
                    Choice::Leave => return Vec::new(),
                    Choice::Take => {
                        let chosen = replay.listed().nth(replay.selected);
                        let pair = chosen.and_then(|sent| Some((sent.original, sent.call.as_ref()?.id)));
                        self.show_panel(Panel::Running);
                        return pair.map_or_else(Vec::new, |(left, right)| self.compare_calls(left, right));
                    }
                    Choice::Stay => {}
                }
            }
        }
        self.show_panel(Panel::Running);
        effects
    }

    /// What is sent for a recorded call: with new signature, ids and times as its pack says. Where there is no secret to sign it
    /// anew, it leaves as it was, and why. A secret of the target's own was meant: without it nothing leaves.
    pub(super) fn again(&self, call: &Call) -> Result<(Outgoing, Option<Notice>), String> {
        let outgoing = |plan: &Plan| {
            let Setup { platforms, keyring, listener, .. } = &self.setup;
            let planned = plan.outgoing(call, None, self.now, platforms, keyring, *listener);
            planned.map(|(first, _)| first).map_err(|refused| match refused {
                Refusal::Call(why) | Refusal::Fault(why) => why,
            })
        };
        let plan = self.plan_to_target()?;
        // Without a scheme there is nothing to sign anew; with one and no secret, the old signature is better than none.
        let own = !plan.target.secrets.is_empty();
        outgoing(&plan).map(|first| (first, None)).or_else(|reason| {
            if own {
                return Err(reason);
            }
            // That it cannot leave as it came either says less than why it is not signed anew.
            let first = outgoing(&Plan { mode: SignMode::Exact, ..plan }).map_err(|_| reason.clone())?;
            Ok((first, Some(Notice::warning(format!("sent with the signature it had: {reason}")))))
        })
    }

    /// What is other in a sent call than in the one that it repeats, in words; nothing where that one is not at hand.
    pub(super) fn told_changes(&self, call: &Call) -> String {
        let original = call.parent.and_then(|parent| self.cache.original(self.index.row_of(parent)?));
        let Some(original) = original else { return String::new() };
        let changed = crate::replay::compare::changed(&original.request, &call.request);
        let new: Vec<&Place> = changed.iter().map(|difference| &difference.place).collect();
        let kept: Vec<Place> =
            masked(&original.request, &original.request).into_iter().filter(|place| !new.contains(&place)).collect();
        let masks = masks(&kept).map(|masks| format!(" · {masks}")).unwrap_or_default();
        format!(" · {}{masks}", changes(new.into_iter()))
    }
}

/// That masks left in these places, in words.
#[must_use]
pub fn masks(places: &[Place]) -> Option<String> {
    let places: Vec<String> = places.iter().map(ToString::to_string).collect();
    (!places.is_empty()).then(|| format!("masked when it was recorded: {}", places.join(", ")))
}

/// What is other in what left than in what was recorded, in words.
#[must_use]
pub fn changes<'a>(places: impl Iterator<Item = &'a Place>) -> String {
    let places: Vec<String> = places.map(ToString::to_string).collect();
    if places.is_empty() { "as it was".to_owned() } else { format!("new: {}", places.join(", ")) }
}

#[cfg(test)]
mod tests;
