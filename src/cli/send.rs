//! `hooktape send WHAT --to TARGET|URL`: make, sign and send one call.

use std::cell::Cell;
use std::fmt::Write as _;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use color_eyre::eyre::{self, eyre};
use jiff::Timestamp;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::call::{Call, Direction, Id, Request};
use crate::cli::context::{Context, data_dir, stop_signal};
use crate::cli::draft::{Draft, DraftArgs};
use crate::cli::replay::args::{Faults, RuleArgs, Sign, TargetArgs};
use crate::cli::replay::show::{hushed, places, planned, rehearsed};
use crate::cli::{Format, Outcome, RecordArgs, print};
use crate::config::Target;
use crate::net::fault::{Delivery, Fault, STALE, Wanted};
use crate::net::outgoing::{Outgoing, SignMode};
use crate::net::sender::Wire;
use crate::recording::{Annotation, Change};
use crate::replay::compare::{Difference, changed};
use crate::replay::expect::{Answered, Expectation, Unmet, check};
use crate::replay::mask::Masking;
use crate::replay::variables::Variables;
use crate::replay::{Plan, masked};
use crate::visible;

/// Columns of a value that differs.
const VALUE: usize = 60;

/// How long is waited without a word.
const MOMENT: Duration = Duration::from_secs(1);

/// Its arguments.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// What.
    #[command(flatten)]
    draft: DraftArgs,
    /// Where to: a target's name, or a URL
    #[arg(long, value_name = "TARGET|URL")]
    to: String,
    /// The target's terms.
    #[command(flatten)]
    target: TargetArgs,
    /// Sign anew, ids and times as the payload has them (`replay FILE ID` makes new ones); or send the headers as they are
    #[arg(long, value_enum, default_value_t = Sign::Fresh)]
    sign: Sign,
    /// What shall come back: recorded (of FILE#ID), contract, status<400, took<500ms, /pointer=value, header:NAME=value
    /// (repeatable) [default: status=2xx, or what a sound endpoint makes of the fault]
    #[arg(long, value_name = "WHAT")]
    expect: Vec<Expectation>,
    /// What the recorded answer is compared by.
    #[command(flatten)]
    rules: RuleArgs,
    /// Make known as variables what the answer holds under `context` and `output`
    #[arg(long)]
    register: bool,
    /// Say what would go where, and send nothing
    #[arg(long)]
    dry_run: bool,
    /// Send to a guarded target without asking
    #[arg(long)]
    yes: bool,
    /// Where to record.
    #[command(flatten)]
    record: RecordArgs,
    /// What goes wrong; last, for its heading stands over what comes behind it.
    #[command(flatten)]
    faults: Faults,
}

pub(super) async fn run(context: &Context, args: &Args) -> eyre::Result<Outcome> {
    let mut draft = args.draft.read(context)?;
    let context =
        &context.masking(args.record.redact).hiding(draft.request.headers.iter().map(|(name, value)| (name, &**value)));
    draft.fill(context)?;
    if let Some(lacks) = lacks(&draft.request) {
        print::note(&lacks);
    }
    let mut target = args.target.apply(context.target(&args.to)?)?;
    // As it is once it is filled in.
    let host = |(name, _)| Some((name, draft.request.headers.get("host")?.to_owned()));
    target.headers.extend(args.draft.host().and_then(host));
    args.draft.leave_behind(&mut draft, &context.keyring, &target);
    let deliveries = deliveries(context, args, &draft, &target)?;
    let copies = if args.faults.duplicate { &[false, true][..] } else { &[false] };
    let rules = args.rules.rules(context)?;
    if args.dry_run {
        return Ok(rehearse(context, &draft, &deliveries, copies, target)?.into());
    }
    if !args.yes {
        let count = (deliveries.len() * copies.len()) as u64;
        super::replay::confirm(&target, count, &target.templates([draft.kind.as_deref()].into_iter()), "")?;
    }
    let kind = context.platforms.kind(draft.kind.as_deref());
    let recorder = context.recorder(&args.record, Box::new(drop))?;
    let kept_in = recorder.path().to_owned();
    let (sender, mut fine, mut last) = (context.sender(), true, None);
    let all = deliveries.len() * copies.len();
    let mut left = all;
    let each = deliveries.into_iter().flat_map(|outgoing| {
        let prepared = sender.prepare(outgoing);
        copies.iter().map(move |again| (prepared.clone(), *again))
    });
    let answered = draft.recorded.as_ref().and_then(|call| call.response.as_ref());
    let (stop, stopped) = (stop_signal()?, CancellationToken::new());
    let ending = stopped.clone();
    let waiting = tokio::spawn(async move {
        stop.await;
        ending.cancel();
    });
    for (prepared, again) in each {
        if stopped.is_cancelled() {
            break;
        }
        let delivery = Delivery { fault: prepared.fault, late: false, again };
        let (mut wire, given_up, patience) = (Wire::default(), Cell::new(false), target.timeout);
        let ended = async {
            stopped.cancelled().await;
            given_up.set(true);
        };
        let call = sender.exchange(prepared, &mut wire, ended).await;
        let given_up = given_up.get();
        left -= 1;
        let mut written = recorder.record(call.clone()).await.map(Some);
        if let (Some(wrong), true) = (delivery.label(), written.is_ok()) {
            let note = Change::Note(Some(format!("sent with a fault: {wrong}").into()));
            written =
                recorder.annotate(Annotation { call: call.id, at: Timestamp::now(), change: note }).await.and(written);
        }
        let (mut unmet, mut differences) = check(
            &args.expect,
            &Answered { call: &call, fault: delivery.fault, kind, recorded: answered, rules: &rules },
        );
        if given_up {
            // There is nothing to judge: what it would have answered nobody knows.
            (unmet, differences) = Default::default();
        }
        fine &= unmet.is_empty() && !given_up;
        // As it is recorded: perhaps masked. Whether or not it could be: it has left, and what came back is to be seen.
        let shown = match (&written, context.mask()?) {
            (Ok(Some(kept)), _) => kept.clone(),
            (_, None) => Arc::new(call.clone()),
            (_, Some(redaction)) => Arc::new(redaction.call(&call)),
        };
        let original = draft.recorded.as_ref();
        if let Some(redaction) = context.mask()? {
            let masking = Masking::between(&redaction, original.unwrap_or(&call), &call);
            masking.differences(&mut differences);
            for unmet in &mut unmet {
                masking.unmet(unmet);
            }
        }
        let changed =
            original.map(|original| hushed(context, (original, &call), changed(&original.request, &call.request)));
        let changed = changed.unwrap_or_default();
        let delivered = Delivered { call: shown, changed, delivery, unmet, differences, given_up };
        print::result(&told(context, args, &delivered))?;
        if let Err(error) = written {
            recorder.close().await;
            return Err(error.into());
        }
        last = Some(call).filter(|call| call.response.is_some()).or(last);
        let rest = told_when_late(wire.finish(patience), || {
            print::note(&format!(
                "the answer came before the body had left: the rest leaves, for {patience:?} at most; ctrl-c ends it"
            ));
        });
        tokio::select! {
            () = rest => {}
            () = stopped.cancelled() => {}
        }
    }
    waiting.abort();
    recorder.close().await;
    if left > 0 {
        print::note(&format!("ended: {left} of {} not sent", visible::count(all, "call")));
    }
    super::replay::tell_recording(context, &args.record, &kept_in);
    if let Some(call) = last.filter(|_| args.register) {
        let path = Variables::path(&data_dir()?);
        let redaction = context.redaction()?;
        let updated = Variables::update(&path, |known| Ok(known.register(&call, &redaction)));
        let (_, names) = updated.map_err(|error| eyre!(error))?;
        print::note(&format!("{}: {}", visible::count(names.len(), "variable"), names.join(", ")));
    }
    Ok((fine && !stopped.is_cancelled()).into())
}

/// Awaits `work`, and says so once it takes longer than a moment: else nobody knew what is waited for.
async fn told_when_late(work: impl Future<Output = ()>, say: impl FnOnce()) {
    let mut work = pin!(work);
    if tokio::time::timeout(MOMENT, &mut work).await.is_err() {
        say();
        work.await;
    }
}

/// What the recording lacks of the call that is sent from it, if it lacks anything.
fn lacks(request: &Request) -> Option<String> {
    if request.cut {
        let kept = visible::count(request.body.len(), "byte");
        return Some(format!("its body was cut when it was recorded: the {kept} there are leave for all of it"));
    }
    let places: Vec<String> = masked(request, request).iter().map(ToString::to_string).collect();
    let text = format!("masked when it was recorded, and sent so: {}", places.join(", "));
    (!places.is_empty()).then(|| visible::line(&text).into_owned())
}

/// What leaves, one after the other; each once.
fn deliveries(context: &Context, args: &Args, draft: &Draft, target: &Target) -> eyre::Result<Vec<Outgoing>> {
    let (mode, now) = (SignMode::from(args.sign), Timestamp::now());
    let kind = context.platforms.kind(draft.kind.as_deref());
    let chosen = args.faults.chosen();
    let faults = if chosen.is_empty() { vec![None] } else { chosen.into_iter().map(Some).collect() };
    let mut deliveries = Vec::new();
    for fault in faults {
        let mut request = draft.request.clone();
        let cannot = |why| eyre!("it cannot be sent with the fault {:?}: {why}", fault.map_or("", Fault::word));
        if let Some(why) = fault.and_then(|fault| fault.why_not(kind, &request)) {
            return Err(cannot(why));
        }
        match (fault, mode, kind) {
            (Some(Fault::Stale), SignMode::Fresh, Some(kind)) => {
                kind.refresh(&mut request, now - STALE);
                // What is set stands, also where it would be renewed.
                args.draft.keep_set(&mut request, &draft.request)?;
            }
            (Some(Fault::Stale), ..) => {
                return Err(eyre!("what is sent exactly is as old as it is: leave --stale out"));
            }
            _ => {}
        }
        let aimed = Outgoing::aim(request, kind, target, mode, &context.keyring, None).map_err(|e| eyre!(e))?;
        let (header, pointer) = (|name: &str| args.draft.sets(name), |at: &str| args.draft.puts_at(at));
        if let Some(why) = aimed.why_not_set(&context.platforms, header, pointer) {
            return Err(eyre!(why));
        }
        if let Some(why) = fault.and_then(|fault| aimed.why_not_faulty(fault, &context.platforms)) {
            return Err(cannot(why));
        }
        let set = aimed.set.iter().cloned().chain(args.draft.header_names()).collect();
        deliveries.push(Outgoing { fault, set, ..aimed.repeating(draft.parent) });
    }
    Ok(deliveries)
}

/// Says what would go where; and whether all of it can be sent.
fn rehearse(
    context: &Context,
    draft: &Draft,
    deliveries: &[Outgoing],
    copies: &[bool],
    target: Target,
) -> std::io::Result<bool> {
    // What was never recorded has no id.
    let made = || Call {
        kind: draft.kind.clone(),
        ..Call::new(Id::NIL, Direction::Sent, Timestamp::now(), draft.before.clone())
    };
    let (call, sender) = (draft.recorded.clone().unwrap_or_else(made), context.sender());
    let count = deliveries.len() * copies.len();
    let mut all_fine = true;
    for outgoing in deliveries {
        for again in copies {
            let delivery = Delivery { fault: outgoing.fault, late: false, again: *again };
            let (said, fine) = planned(context, &call, outgoing, delivery, &sender);
            all_fine &= fine;
            print::result(&said)?;
        }
    }
    let plan = Plan::new(target);
    let places = super::replay::places(&plan, &std::iter::once(draft.kind.as_deref()));
    rehearsed(context, count as u64, 1, &plan, &places)?;
    Ok(all_fine)
}

/// A delivery and what came back, as far as it may be shown.
struct Delivered {
    call: Arc<Call>,
    /// Where it differs from the recorded call that it was made of.
    changed: Vec<Difference>,
    delivery: Delivery,
    /// What was expected and did not come.
    unmet: Vec<Unmet>,
    /// How the answer differs from the recorded one, where that is expected.
    differences: Vec<Difference>,
    /// The answer was not waited for.
    given_up: bool,
}

/// What came back of a delivery, and what was expected and did not come.
fn told(context: &Context, args: &Args, delivered: &Delivered) -> String {
    let Delivered { call, changed, delivery, unmet, differences, given_up } = delivered;
    let refused = delivery.fault.is_some_and(|fault| fault.wanted() != Wanted::Taken) && unmet.is_empty();
    // Of neither there is anything to say but what came.
    let unjudged = refused || *given_up;
    if context.format == Format::Json {
        let slow = delivery.fault.and_then(Fault::slowness);
        let more = json!({
            "fault": delivery.label(), "slow_us": slow.map(|time| time.as_micros()),
            "fine": unmet.is_empty() && !given_up, "given_up": given_up, "changed": changed, "unmet": unmet, "differences": differences,
        });
        return print::sent_json_with(context, call, unjudged, more);
    }
    let mut text = print::sent(context, call, unjudged);
    if !changed.is_empty() {
        let _ = write!(text, "\nchanged {}", visible::line(&places(changed)));
    }
    let wrong = delivery.told(call);
    if let Some(wrong) = &wrong {
        let _ = write!(text, "\nsent with a fault: {wrong}");
    }
    // That a plain call was refused is said by its status.
    let asked = wrong.is_some() || !args.expect.is_empty();
    for unmet in unmet.iter().filter(|_| asked) {
        let line = format!("expected {unmet}");
        let _ = write!(text, "\n{}", visible::line(&line));
    }
    for difference in differences {
        let _ = write!(text, "\n  {}", print::difference(difference, VALUE));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_takes_longer_than_a_moment_is_told_once() {
        for (takes, told) in [(Duration::ZERO, 0), (MOMENT / 2, 0), (MOMENT * 20, 1)] {
            let (said, begun) = (Cell::new(0), tokio::time::Instant::now());
            told_when_late(tokio::time::sleep(takes), || said.set(said.get() + 1)).await;
            assert_eq!((said.get(), begun.elapsed()), (told, takes));
        }
    }
}
