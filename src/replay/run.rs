//! The replay itself: workers that take what may leave, send it, record it, and judge the answer.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt as _;
use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

use super::alarm::Alarm;
use super::compare;
use super::expect::{Answered, Unmet, check, summary};
use super::schedule::{Pace, Queue, Step};
use super::summary::{Answers, Times, rate};
use super::{Control, Item, Outcome, Plan, Refusal, Skipped, Summary, Told, masked};
use crate::call::Call;
use crate::net::fault::{Delivery, Fault};
use crate::net::sender::{Prepared, Sender, Wire};
use crate::net::worker_pool::{Handler, WorkerPool};
use crate::platform::{Keyring, Platforms};
use crate::recording::{Change, Reader, Recorder, Recording};
use crate::sync::lock;

/// How long an outcome may wait for its worker to ask whether it is written, which is cheaper than being told.
const UNNOTICED: Duration = Duration::from_millis(20);

/// A replay: a recording, a plan, and what it takes to carry it out.
#[derive(Debug)]
pub struct Replay {
    /// How.
    pub plan: Plan,
    /// Where the calls are read.
    pub reader: Reader,
    /// What sends them.
    pub sender: Sender,
    /// Where each result is kept.
    pub recorder: Recorder,
    /// What is known of platforms.
    pub platforms: Arc<Platforms>,
    /// The secrets at hand.
    pub keyring: Arc<Keyring>,
    /// Our own listener's address, if there is one.
    pub listener: Option<SocketAddr>,
}

/// What the workers share.
struct Shared<T> {
    replay: Replay,
    items: Vec<Item>,
    queue: Mutex<Queue>,
    score: Mutex<Score>,
    control: Control,
    start: Instant,
    /// Wakes those who wait for their turn, where few are due at a time.
    alarm: Option<Alarm>,
    tell: T,
}

struct Score {
    summary: Summary,
    first: Tally,
    /// None: there is no second target.
    second: Option<Tally>,
    late: Times,
    /// When the first and the last call left that were due at some time, pauses left out, and how many did.
    paced: Option<(Duration, Duration)>,
    steps: u32,
    /// Deliveries that were sent, skipped or refused.
    done: u64,
    /// Those of them that were sent.
    sent: u64,
    /// Those that cannot be sent, as long as none was: if nothing can, that is told once. By item and delivery, each with how
    /// often it was to be sent so far.
    refused: BTreeMap<(usize, usize), (Skipped, u64)>,
    /// Deliveries of the first round that were skipped or refused.
    first_round: u64,
}

/// The answers of a target.
struct Tally {
    statuses: BTreeMap<u16, u64>,
    took: Times,
}

impl Tally {
    fn new() -> Result<Self, String> {
        Ok(Self { statuses: BTreeMap::new(), took: Times::new()? })
    }

    fn add(&mut self, call: &Call, fault: Option<Fault>) {
        *self.statuses.entry(call.status().unwrap_or(0)).or_default() += 1;
        if call.response.is_some() {
            self.took.add(Fault::own(fault, call.took));
        }
    }

    fn answers(&self) -> Answers {
        Answers { statuses: self.statuses.clone(), took: self.took.latencies() }
    }
}

impl Replay {
    /// Sends `items` by the plan until all is sent or `control` ends it, and tells each outcome once it is recorded; the next
    /// call may have left by then. `tell` is called by several threads, and holds up the one that calls it.
    ///
    /// The first call that cannot be recorded ends it too, which the summary says.
    ///
    /// # Errors
    /// Why none of the calls can be sent.
    pub async fn run(
        self,
        items: Vec<Item>,
        control: Control,
        tell: impl Fn(Told) + Send + Sync + 'static,
    ) -> Result<Summary, String> {
        let queue = Queue::checked(&items, self.plan.schedule)?;
        let score = Score::new(&self.plan, items.len())?;
        let workers = self.plan.schedule.concurrency.clamp(1, items.len().max(1));
        // Where many leave in each of the timer's milliseconds, to wake for every one would cost more than it gains.
        let sparse = match self.plan.schedule.pace {
            Pace::Asap => false,
            Pace::Original(_) => true,
            Pace::Rate(rate) => rate <= 2_000.0,
        };
        let alarm = sparse.then(Alarm::start).transpose();
        let alarm = alarm.map_err(|error| format!("no thread to keep the time: {error}"))?;
        let start = Instant::now();
        let shared = Arc::new(Shared {
            replay: self,
            items,
            queue: queue.into(),
            score: score.into(),
            control,
            start,
            alarm,
            tell,
        });
        let (end, mut ends) = mpsc::unbounded_channel();
        let mut pool = shared.pool();
        (0..workers).for_each(|_| pool.dispatch(end.clone()));
        drop(end);
        let mut result = Ok(());
        while let Some(end) = ends.recv().await {
            if end.is_err() {
                lock(&shared.queue).close();
                result = result.and(end);
            }
        }
        let (refused, none) = {
            let mut score = lock(&shared.score);
            let none = score.first_round == shared.first_round() && score.summary.skipped == 0;
            (std::mem::take(&mut score.refused), none)
        };
        if let (Ok(()), true, Some((first, _))) = (&result, none, refused.values().next()) {
            return Err(format!("{}: {}", first.original, first.reason));
        }
        shared.tell_refused(&refused);
        let elapsed = shared.control.worked(start);
        let summary = lock(&shared.score).summary(elapsed);
        Ok(Summary { cancelled: shared.control.is_cancelled(), error: result.err(), ..summary })
    }
}

impl Score {
    fn new(plan: &Plan, items: usize) -> Result<Self, String> {
        Ok(Self {
            summary: Summary { total: plan.total(items), ..Summary::default() },
            first: Tally::new()?,
            second: plan.against.is_some().then(Tally::new).transpose()?,
            late: Times::new()?,
            paced: None,
            steps: 0,
            done: 0,
            sent: 0,
            refused: BTreeMap::new(),
            first_round: 0,
        })
    }

    /// What came of the calls so far, in that time.
    fn summary(&self, elapsed: Duration) -> Summary {
        let timed = self.late.latencies();
        let Answers { statuses, took } = self.first.answers();
        Summary {
            statuses,
            took,
            against: self.second.as_ref().map(Tally::answers),
            late: (timed.count > 0).then_some(timed),
            rate: self.rate(elapsed),
            elapsed,
            left: self.summary.total.saturating_sub(self.done),
            ..self.summary.clone()
        }
    }

    /// Calls sent a second. Of calls that are due at some time the last one's is not the end: it has its own share of the time.
    fn rate(&self, elapsed: Duration) -> f64 {
        let span = self.paced.map(|(first, last)| last.saturating_sub(first)).filter(|span| !span.is_zero());
        rate(self.sent, span.map_or(elapsed, |span| span.mul_f64(f64::from(self.steps) / f64::from(self.steps - 1))))
    }
}

/// What a worker has of its own: a way into the recording, a connection to each target, and what it waits for.
struct Worker {
    recorder: Recorder,
    first: Wire,
    second: Wire,
    unwritten: Option<Unwritten>,
}

/// An outcome that is not told yet, because it is still being written: meanwhile the worker goes on with its next call.
struct Unwritten {
    outcome: Box<Outcome>,
    calls: (Recording, Option<Recording>),
}

impl<T: Fn(Told) + Send + Sync + 'static> Shared<T> {
    /// What the workers of a replay run on: each tells what became of it by what it is handed. Where all calls
    /// wait for the disk together, threads of their own would gain nothing.
    fn pool(self: &Arc<Self>) -> WorkerPool<mpsc::UnboundedSender<Result<(), String>>> {
        let (shared, together) = (self.clone(), self.replay.recorder.syncs());
        let new_handler = move || -> Handler<mpsc::UnboundedSender<_>> {
            let (shared, recorder) = (shared.clone(), shared.replay.recorder.branch());
            Box::new(move |end| {
                let (shared, recorder) = (shared.clone(), recorder.clone());
                Box::pin(async move {
                    let work = AssertUnwindSafe(shared.work(recorder)).catch_unwind().await;
                    let failed = |_| Err("a worker of the replay failed: its own message says how".to_owned());
                    drop(end.send(work.unwrap_or_else(failed)));
                })
            })
        };
        if together { WorkerPool::on_this_runtime(new_handler) } else { WorkerPool::new(new_handler) }
    }
}

impl<T: Fn(Told) + Send + Sync> Shared<T> {
    async fn work(&self, recorder: Recorder) -> Result<(), String> {
        let mut worker = Worker { recorder, first: Wire::default(), second: Wire::default(), unwritten: None };
        loop {
            // Not in the condition: the lock would be held all through the body.
            let step = lock(&self.queue).take();
            let Some(step) = step else { break };
            let turn = self.control.turn(self.start, step.due, self.alarm.as_ref());
            let Some(due) = self.settling(&mut worker.unwritten, turn).await? else { break };
            // Another worker's failure may have ended it meanwhile.
            if lock(&self.queue).is_closed() {
                break;
            }
            if step.due.is_some() {
                let (mut score, since) = (lock(&self.score), self.control.worked(self.start));
                score.late.add(due.elapsed());
                score.paced = Some((score.paced.map_or(since, |(first, _)| first), since));
                score.steps += 1;
            }
            self.step(step, &mut worker).await?;
            lock(&self.queue).done(step);
        }
        self.settle(worker.unwritten).await
    }

    /// All deliveries of one call.
    async fn step(&self, step: Step, worker: &mut Worker) -> Result<(), String> {
        let Replay { plan, reader, sender, platforms, keyring, listener, .. } = &self.replay;
        let (item, copies) = (&self.items[step.item], 1 + u64::from(plan.duplicate));
        let original = match reader.call_of(item.id, item.place) {
            Ok(original) => Arc::new(original),
            Err(damage) => {
                let skipped = Skipped { original: item.id, kind: None, fault: None, reason: damage.to_string() };
                (0..plan.deliveries().count()).for_each(|number| self.refuse(step, number, &skipped, copies));
                return Ok(());
            }
        };
        for (number, fault) in plan.deliveries().enumerate() {
            if number > 0 && !self.settling(&mut worker.unwritten, self.may_go_on()).await? {
                break;
            }
            let planned = plan.outgoing(&original, fault, Timestamp::now(), platforms, keyring, *listener);
            let (first, second) = match planned {
                Ok(planned) => planned,
                Err(refusal) => {
                    self.refuse(step, number, &Skipped::new(&original, fault, refusal), copies);
                    continue;
                }
            };
            if let Some(why) = sender.leads_to_ourselves(&first, second.as_ref()).await {
                self.refuse(step, number, &Skipped::new(&original, fault, Refusal::Call(why)), copies);
                continue;
            }
            let delivery = Delivery { fault, late: step.late, again: false };
            let (first, second) = (sender.prepare(first), second.map(|second| sender.prepare(second)));
            let again = plan.duplicate.then(|| (first.clone(), second.clone()));
            self.deliver(&original, step.round, delivery, first, second, worker).await?;
            if let Some((first, second)) = again
                && self.settling(&mut worker.unwritten, self.may_go_on()).await?
            {
                self.deliver(&original, step.round, Delivery { again: true, ..delivery }, first, second, worker)
                    .await?;
            }
        }
        Ok(())
    }

    /// Waits while it is paused: whether the next delivery of a call may leave.
    async fn may_go_on(&self) -> bool {
        self.control.turn(self.start, None, None).await.is_some() && !lock(&self.queue).is_closed()
    }

    /// Tells of a delivery of a call, and of so many copies of it, that each is not sent.
    fn refuse(&self, step: Step, number: usize, skipped: &Skipped, copies: u64) {
        let failed = skipped.is_failure();
        if failed && self.replay.plan.schedule.stop_on_failure {
            lock(&self.queue).close();
        }
        let mut score = lock(&self.score);
        score.done += copies;
        let Summary { failed: failures, skipped: left_out, .. } = &mut score.summary;
        *(if failed { failures } else { left_out }) += copies;
        score.first_round += if step.round == 0 { copies } else { 0 };
        let held = failed && score.sent == 0;
        if held {
            score.refused.entry((step.item, number)).or_insert_with(|| (skipped.clone(), 0)).1 += copies;
        }
        // Where nothing of a round can be sent, the others are the same.
        let none = score.first_round == self.first_round();
        drop(score);
        if none {
            lock(&self.queue).close();
        }
        if !held {
            (0..copies).for_each(|_| (self.tell)(Told::Skipped(skipped.clone())));
        }
    }

    /// The deliveries of the first round.
    fn first_round(&self) -> u64 {
        let plan = &self.replay.plan;
        self.items.len() as u64 * plan.deliveries().count() as u64 * (1 + u64::from(plan.duplicate))
    }

    /// Tells of those that were held back.
    fn tell_refused(&self, refused: &BTreeMap<(usize, usize), (Skipped, u64)>) {
        for (skipped, count) in refused.values() {
            (0..*count).for_each(|_| (self.tell)(Told::Skipped(skipped.clone())));
        }
    }

    async fn deliver(
        &self,
        original: &Arc<Call>,
        round: u32,
        delivery: Delivery,
        first: Prepared,
        second: Option<Prepared>,
        worker: &mut Worker,
    ) -> Result<(), String> {
        let masked = masked(&original.request, &first.request);
        // Both targets get the same one.
        let whole = (delivery.fault == Some(Fault::CutBody)).then(|| first.request.body.clone());
        let given_up = AtomicBool::new(false);
        let Worker { recorder, first: wire, second: other_wire, unwritten } = worker;
        let (first, second) = match second {
            // Pinned here: what is handed on is held twice.
            None => {
                let sending = pin!(self.send(first, delivery, wire, recorder, &given_up));
                (self.settling(unwritten, sending).await??, None)
            }
            Some(second) => {
                let both = async {
                    tokio::join!(
                        self.send(first, delivery, wire, recorder, &given_up),
                        self.send(second, delivery, other_wire, recorder, &given_up)
                    )
                };
                let (first, second) = Box::pin(self.settling(unwritten, both)).await?;
                (first?, Some(second?))
            }
        };
        let (call, against) = (first.call().clone(), second.as_ref().map(|second| second.call().clone()));
        let plan = &self.replay.plan;
        let kind = self.replay.platforms.kind(original.kind.as_deref());
        let recorded = original.answer();
        let judge = |call: &Call| {
            check(&plan.expect, &Answered { call, fault: delivery.fault, kind, recorded, rules: &plan.rules })
        };
        let (mut unmet, mut differences) = judge(&call);
        let mut between = Vec::new();
        let given_up = given_up.into_inner();
        if let Some(against) = &against {
            // How it differs from the recorded one is in how both do: it is only named.
            unmet.extend(judge(against).0.into_iter().map(|unmet| Unmet { against: true, ..unmet }));
            let answers = (call.response.as_ref(), against.response.as_ref());
            between = compare::responses(answers.0, answers.1, kind, &plan.rules);
            let same = |found| Unmet::new("the same answer", found);
            unmet.extend(summary(&between).map(same));
        }
        if given_up {
            // There is nothing to judge: what it would have answered nobody knows.
            (unmet, differences, between) = Default::default();
        }
        let (original, round) = (original.clone(), round + 1);
        let outcome =
            Outcome { original, round, delivery, call, against, differences, between, masked, unmet, whole, given_up };
        if outcome.is_failure() && plan.schedule.stop_on_failure {
            lock(&self.queue).close();
        }
        let before = unwritten.replace(Unwritten { outcome: Box::new(outcome), calls: (first, second) });
        self.settle(before).await
    }

    /// Awaits `doing`. If that takes its time, an outcome that waits does not wait for it.
    async fn settling<D>(
        &self,
        unwritten: &mut Option<Unwritten>,
        doing: impl Future<Output = D>,
    ) -> Result<D, String> {
        let mut doing = pin!(doing);
        if unwritten.is_some() {
            if let Ok(done) = timeout(UNNOTICED, &mut doing).await {
                return Ok(done);
            }
            // What is under way goes on meanwhile.
            let (settled, done) = tokio::join!(self.settle(unwritten.take()), doing);
            return settled.map(|()| done);
        }
        Ok(doing.await)
    }

    /// Waits until an outcome is written, counts it and tells it.
    async fn settle(&self, unwritten: Option<Unwritten>) -> Result<(), String> {
        let Some(Unwritten { outcome, calls: (first, second) }) = unwritten else { return Ok(()) };
        for call in std::iter::once(first).chain(second) {
            call.done().await.map_err(|error| error.to_string())?;
        }
        self.count(&outcome);
        (self.tell)(Told::Sent(outcome));
        Ok(())
    }

    /// Sends one call and has what came of it recorded; what was wrong with it on purpose becomes its note. Notes where its
    /// answer was not waited for.
    async fn send(
        &self,
        prepared: Prepared,
        delivery: Delivery,
        wire: &mut Wire,
        recorder: &Recorder,
        given_up: &AtomicBool,
    ) -> Result<Recording, String> {
        let ended = async {
            self.control.cancelled().await;
            given_up.store(true, Relaxed);
        };
        let call = self.replay.sender.exchange(prepared, wire, ended).await;
        let written = match delivery.label() {
            Some(wrong) => {
                let note = Change::Note(Some(format!("replayed with a fault: {wrong}").into()));
                recorder.submit_saying(call, note).await
            }
            None => recorder.submit(call, false).await,
        };
        written.map_err(|error| error.to_string())
    }

    fn count(&self, outcome: &Outcome) {
        let mut score = lock(&self.score);
        score.done += 1;
        score.sent += 1;
        let Summary { fine, failed, unfinished, .. } = &mut score.summary;
        *(if outcome.given_up {
            unfinished
        } else if outcome.is_fine() {
            fine
        } else {
            failed
        }) += 1;
        // Of two targets one may have answered: it is counted as not finished, and as nothing else.
        if !outcome.given_up {
            let Score { first, second, .. } = &mut *score;
            first.add(&outcome.call, outcome.delivery.fault);
            if let (Some(second), Some(call)) = (second, &outcome.against) {
                second.add(call, outcome.delivery.fault);
            }
        }
        let refused = std::mem::take(&mut score.refused);
        drop(score);
        self.tell_refused(&refused);
    }
}

#[cfg(test)]
mod tests;
