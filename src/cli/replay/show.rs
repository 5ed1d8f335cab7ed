//! What a replay says: of a call that went out, of one that would, and of all of them.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::call::{Call, Id};
use crate::cli::{Context, Format, print};
use crate::config::Secret;
use crate::net::fault::{Delivery, Fault, Wanted};
use crate::net::outgoing::{Outgoing, Signing};
use crate::net::sender::{Prepared, Sender};
use crate::recording::redact::MASK;
use crate::replay::compare::{Difference, Place, changed};
use crate::replay::mask::Masking;
use crate::replay::{Latencies, Outcome, Plan, Skipped, Summary, Told, answered, masked};
use crate::visible;

/// Columns of a value in a line.
const VALUE: usize = 60;

/// A call that was sent, or was not.
pub(super) fn told(context: &Context, told: &Told) -> String {
    match (told, context.format) {
        (Told::Sent(outcome), Format::Json) => sent_json(context, &hidden(context, outcome)),
        (Told::Sent(outcome), Format::Text) => sent(&hidden(context, outcome)),
        (Told::Skipped(Skipped { original, kind, fault, reason }), Format::Json) => json!({
            "schema": 1, "event": if fault.is_some() { "skipped" } else { "unsent" }, "original": original, "kind": kind,
            "fault": fault.map(Fault::word), "reason": reason,
        })
        .to_string(),
        (Told::Skipped(Skipped { original, kind, fault, reason }), Format::Text) => {
            let (id, kind) = (print::short(*original), kind.as_deref().unwrap_or("-"));
            let line = match fault {
                Some(fault) => format!("skip {id} {kind} {fault}: {reason}"),
                None => format!("FAIL {id} {kind} not sent: {reason}"),
            };
            visible::line(&line).into_owned()
        }
    }
}

/// What is told of it, masked where that is asked for.
fn hidden<'a>(context: &Context, outcome: &'a Outcome) -> Cow<'a, Outcome> {
    let Ok(Some(redaction)) = context.mask() else { return Cow::Borrowed(outcome) };
    let (of_answer, between) = outcome.maskings(&redaction);
    let mut hidden = outcome.clone();
    // What was changed is hushed where it is printed.
    of_answer.differences(&mut hidden.differences);
    between.differences(&mut hidden.between);
    outcome.mask_unmet(&redaction, &mut hidden.unmet);
    // The call itself is masked where it is printed: what it lacks by its contract is judged before.
    hidden.against = hidden.against.map(|call| Arc::new(redaction.call(&call)));
    Cow::Owned(hidden)
}

fn answer(call: &Call) -> String {
    if let Some(error) = &call.error {
        return visible::line(error).into_owned();
    }
    let redirect = call.redirect().map_or_else(String::new, |redirect| format!(", {redirect}"));
    format!("{}{}", print::status_line(call), visible::line(&redirect))
}

fn sent(outcome: &Outcome) -> String {
    let call = &outcome.call;
    let mut text = format!(
        "{} {} {:22} {} {}",
        match (outcome.given_up, outcome.is_fine()) {
            (true, _) => "end ",
            (false, true) => "ok  ",
            (false, false) => "FAIL",
        },
        print::short(outcome.original.id),
        visible::line(call.kind.as_deref().unwrap_or("-")),
        // A word of its own where a sentence follows.
        call.sig.map_or_else(String::new, |sig| sig.word().to_owned() + if call.error.is_some() { " ·" } else { "" }),
        answer(call),
    );
    if let Some(against) = &outcome.against {
        let _ = write!(text, " | {}", answer(against));
    }
    if let Some(wrong) = outcome.delivery.told(call) {
        let _ = write!(text, " ({wrong})");
    }
    let (changed, there) = (places(&outcome.changed()), places(&outcome.changed_against()));
    if !changed.is_empty() {
        let _ = write!(text, "; changed {}", visible::line(&changed));
    }
    if outcome.against.is_some() && there != changed {
        let _ = write!(text, " | changed {}", visible::line(if there.is_empty() { "nothing" } else { &there }));
    }
    text += &visible::line(&masks(&outcome.masked));
    for unmet in &outcome.unmet {
        let of = outcome.against.as_ref().filter(|_| unmet.against).unwrap_or(call);
        // Why there is no answer is said already.
        let line = if of.error.as_ref() == Some(&unmet.found) {
            format!("     expected {}{}", unmet.expected, unmet.whose())
        } else {
            format!("     expected {unmet}")
        };
        let _ = write!(text, "\n{}", visible::line(&line));
    }
    for difference in outcome.differences.iter().chain(&outcome.between) {
        let _ = write!(text, "\n     {}", print::difference(difference, VALUE));
    }
    text
}

/// Where, one after the other.
pub(in crate::cli) fn places(differences: &[Difference]) -> String {
    differences.iter().map(|difference| difference.place.to_string()).collect::<Vec<_>>().join(", ")
}

/// What of a call is only masks, if anything is.
fn masks(places: &[Place]) -> String {
    let names: Vec<String> = places.iter().map(ToString::to_string).collect();
    if names.is_empty() { String::new() } else { format!("; masked when it was recorded: {}", names.join(", ")) }
}

/// How a request left otherwise than it was recorded, without what may be a secret of the target's or a platform's token: the
/// values of headers, and the parameters of the query.
pub(in crate::cli) fn hushed(
    context: &Context,
    (recorded, sent): (&Call, &Call),
    mut differences: Vec<Difference>,
) -> Vec<Difference> {
    let redaction = context.redaction().ok();
    if let (Some(redaction), true) = (&redaction, context.config.record.redact) {
        Masking::between(redaction, recorded, sent).differences(&mut differences);
    }
    for Difference { place, left, right, .. } in &mut differences {
        for value in left.iter_mut().chain(right) {
            match (&*place, &redaction) {
                (Place::Target, Some(redaction)) => *value = redaction.target(value),
                (Place::Header(name), Some(redaction)) if !redaction.masks_header(name) => {}
                (Place::Target | Place::Header(_), _) => MASK.clone_into(value),
                // What is of the environment may be a secret.
                (_, Some(redaction)) if redaction.has_filled(value) => MASK.clone_into(value),
                _ => {}
            }
        }
    }
    differences
}

fn sent_json(context: &Context, outcome: &Outcome) -> String {
    let against = outcome.against.as_ref().map(|call| {
        json!({
            "id": call.id, "url": call.request.url(), "status": call.status(), "took_us": call.took.as_micros(),
            "error": call.error, "changed": hushed(context, (&outcome.original, call), outcome.changed_against()),
        })
    });
    let slow = outcome.delivery.fault.and_then(Fault::slowness);
    let differences: Vec<&Difference> = outcome.differences.iter().chain(&outcome.between).collect();
    let refused = outcome.delivery.fault.is_some_and(|fault| fault.wanted() != Wanted::Taken) && outcome.is_fine();
    print::sent_json_with(
        context,
        &outcome.call,
        refused,
        json!({
            "original": outcome.original.id, "round": outcome.round, "fault": outcome.delivery.label(),
            "slow_us": slow.map(|time| time.as_micros()), "fine": outcome.is_fine(), "given_up": outcome.given_up,
            "changed": hushed(context, (&outcome.original, &outcome.call), outcome.changed()), "masked": outcome.masked, "differences": differences,
            "unmet": outcome.unmet, "against": against,
        }),
    )
}

/// What `--dry-run` says of a delivery of a call, which has no id if it was never recorded; and whether it can be sent.
pub(in crate::cli) fn planned(
    context: &Context,
    call: &Call,
    outgoing: &Outgoing,
    delivery: Delivery,
    sender: &Sender,
) -> (String, bool) {
    let verdict = outgoing.verdict(&context.platforms, &context.keyring, Timestamp::now());
    let found = verdict.as_ref().filter(|verdict| verdict.needs_explaining());
    let (sign, secret) = match &outgoing.signing {
        Signing::Exact => ("exact", None),
        Signing::Fresh(secret) => ("fresh", secret.as_ref().map(Secret::label)),
    };
    let signing = match (found, secret) {
        (Some(verdict), _) => format!("{sign}: {}, {}", verdict.sig.word(), verdict.reason),
        (None, Some(secret)) => format!("{sign} with {secret}"),
        (None, None) => sign.to_owned(),
    };
    let Prepared { request, problem, .. } = sender.prepare(outgoing.clone());
    let ready = Call { request, ..call.clone() };
    let (changed, masked) = (changed(&call.request, &ready.request), masked(&call.request, &ready.request));
    let changed = hushed(context, (call, &ready), changed);
    let url = context.hushed_url(outgoing.url.as_str());
    let id = (call.id != Id::NIL).then_some(call.id);
    let said = match context.format {
        Format::Json => json!({
            "schema": 1, "id": id, "kind": call.kind, "method": outgoing.request.method,
            "url": url, "size": outgoing.request.body.len(), "sign": sign, "secret": secret,
            "sig": verdict.as_ref().map(|verdict| verdict.sig),
            "reason": found.map(|verdict| &verdict.reason),
            "fault": delivery.label(), "changed": changed, "masked": masked, "problem": problem,
        })
        .to_string(),
        Format::Text => {
            let wrong = delivery.label().map(|wrong| format!(", {wrong}")).unwrap_or_default();
            let places = if changed.is_empty() { String::new() } else { format!("; changed {}", places(&changed)) };
            let unsent = problem.as_ref().map(|why| format!("; cannot be sent: {why}")).unwrap_or_default();
            format!(
                "{}{} {} {} ({} bytes, {}{wrong}){}{}{}",
                id.map(|id| print::short(id) + " ").unwrap_or_default(),
                visible::line(call.kind.as_deref().unwrap_or("-")),
                visible::line(&outgoing.request.method),
                visible::line(&url),
                outgoing.request.body.len(),
                visible::line(&signing),
                visible::line(&places),
                visible::line(&masks(&masked)),
                visible::line(&unsent),
            )
        }
    };
    (said, problem.is_none())
}

/// What `--dry-run` says in the end: how many calls each target would get, and whether it will be asked before they leave.
pub(in crate::cli) fn rehearsed(
    context: &Context,
    total: u64,
    rounds: u32,
    plan: &Plan,
    places: &str,
) -> std::io::Result<()> {
    // Where nothing leaves, nobody is asked, and it goes nowhere.
    let guarded = plan.targets().filter(|target| target.guard && total > 0);
    let guarded: Vec<&str> = guarded.map(|target| &*target.name).collect();
    let targets = plan.targets().count();
    if context.format == Format::Json {
        let line = json!({
            "schema": 1, "event": "rehearsed", "total": total, "targets": targets, "rounds": rounds, "guarded": guarded,
        });
        return print::result(&line.to_string());
    }
    if total == 0 {
        print::note("0 calls would leave; nothing was sent");
        return Ok(());
    }
    let times = if rounds > 1 { format!(" (all of it {rounds} times)") } else { String::new() };
    let each = if targets > 1 { "each of " } else { "" };
    let mut text = format!("{}{times} would leave for {each}{places}; nothing was sent", visible::count(total, "call"));
    if !guarded.is_empty() {
        let names = visible::line(&guarded.join(" and ")).into_owned();
        let _ = write!(text, "\n{names}: guarded, so you will be asked first (--yes says so beforehand)");
    }
    print::note(&text);
    Ok(())
}

fn percentiles(times: &Latencies) -> String {
    let took = |micros| visible::took(Duration::from_micros(micros));
    format!(
        "p50 {}, p90 {}, p99 {}, max {}",
        took(times.p50_us),
        took(times.p90_us),
        took(times.p99_us),
        took(times.max_us)
    )
}

/// All of it in a few lines.
pub(super) fn summary(summary: &Summary) -> Vec<String> {
    let mut lines = vec![summary.counts()];
    let first = if summary.against.is_some() { "the first target's answers" } else { "answers" };
    let second =
        summary.against.as_ref().map(|against| ("the second target's answers", &against.took, &against.statuses));
    let all = std::iter::once((first, &summary.took, &summary.statuses)).chain(second);
    for (whose, took, statuses) in all.filter(|(_, took, _)| took.count > 0) {
        let answered = answered(statuses).map(|answered| format!(" ({answered})")).unwrap_or_default();
        lines.push(format!("{whose} took {}{answered}", percentiles(took)));
    }
    if let Some(late) = &summary.late {
        lines.push(format!("calls left later than due by {}", percentiles(late)));
    }
    if summary.statuses.values().sum::<u64>() > 1 {
        lines.push(format!("{:.1} calls a second in {:.1} s", summary.rate, summary.elapsed.as_secs_f64()));
    }
    // What is trouble is told as that.
    lines.extend(summary.shortfall().filter(|_| summary.error.is_none()));
    lines
}

/// A summary as a JSON object.
pub(super) fn summary_json(summary: &Summary) -> String {
    let Value::Object(mut line) = json!({ "schema": 1, "event": "summary" }) else {
        return String::new();
    };
    if let Value::Object(members) = json!(summary) {
        line.extend(members);
    }
    Value::Object(line).to_string()
}
