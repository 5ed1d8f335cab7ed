use std::sync::Arc;

use super::keeping::MOST_BYTES;
use super::*;
use crate::app::dialog::Dialog;
use crate::app::event::Event;
use crate::app::keys::script;
use crate::app::tests::{app, call, happen, recorded};
use crate::app::which::Which;
use crate::call::{Direction, Response};
use crate::config::{Redact, Target};
use crate::net::fault::{Delivery, Fault};
use crate::replay::compare::Side;
use crate::replay::{Outcome, Skipped};

fn answered(status: u16) -> Call {
    Call { response: Some(Response { status, ..Response::default() }), ..call("/x") }
}

/// Two targets answered, the second in another way, and the call was cut.
fn outcome() -> Outcome {
    let between = Difference {
        side: Side::Response,
        place: Place::Status,
        left: None,
        right: Some("202".to_owned()),
        rough: false,
    };
    Outcome {
        original: Arc::new(call("/x")),
        round: 1,
        delivery: Delivery { fault: Some(Fault::CutBody), late: false, again: true },
        call: Arc::new(answered(200)),
        against: Some(Arc::new(answered(202))),
        differences: Vec::new(),
        between: vec![between],
        masked: Vec::new(),
        unmet: Vec::new(),
        whole: None,
        given_up: false,
    }
}

fn sent(outcome: Outcome) -> Sent {
    Told::Sent(Box::new(outcome)).into()
}

#[test]
fn a_result_has_its_fault_both_answers_and_how_they_differ() {
    let sent = sent(outcome());
    assert_eq!(sent.label.as_deref(), Some("cut body, duplicate"));
    let status = |call: &Option<Answered>| call.as_ref().and_then(|call| call.status);
    assert_eq!((status(&sent.call), status(&sent.against)), (Some(200), Some(202)));
    assert_eq!((sent.between.len(), sent.differences.len(), sent.changed_against), (1, 0, None));
}

#[test]
fn what_the_second_target_did_not_answer_in_the_end_is_not_fine() {
    let silent = Call { response: None, error: Some("had not answered".to_owned()), ..answered(0) };
    let given_up = Outcome { against: Some(Arc::new(silent)), given_up: true, ..outcome() };
    let sent = sent(given_up);
    assert!(!sent.is_fine() && !sent.is_failure());
    assert_eq!(sent.unmet(None).collect::<Vec<_>>(), ["had not answered"]);
}

#[test]
fn a_call_that_cannot_have_a_fault_says_which_and_why() {
    let skipped = Skipped::new(&call("/x"), Some(Fault::Stale), Refusal::Fault("it says no time".to_owned()));
    let sent: Sent = Told::Skipped(skipped).into();
    assert_eq!((sent.label.as_deref(), sent.is_failure()), (Some("stale timestamp"), false));
    assert_eq!(sent.unmet(None).collect::<Vec<_>>(), ["it says no time"]);
}

#[test]
fn what_the_filter_shows_is_counted_as_it_is_found_and_sent_when_it_is_all_there() {
    let mut app = app();
    app.choose(Target::new("there", "http://127.0.0.1:1"));
    for number in 0..4 {
        let call = Call { direction: Direction::Received, ..call(&format!("/{number}")) };
        recorded(&mut app, &call);
    }
    let press = |app: &mut App, keys: &str| -> Vec<Effect> {
        let keys = script(keys).unwrap();
        keys.into_iter().flat_map(|key| happen(app, Event::Key(key))).collect()
    };
    app.filter_again("body:x");
    let search = app.calls.filter.as_ref().unwrap().search;
    let found = |hits: Vec<usize>, finished| Event::Found { search, hits, scanned: 4, finished };
    happen(&mut app, found(vec![0], false));
    press(&mut app, "Rlll");
    let shown = |app: &App| match app.dialogs.last() {
        Some(Dialog::Panel(Panel::Options(options))) => (options.which, options.count, options.error.clone()),
        other => panic!("{other:?}"),
    };
    assert_eq!(shown(&app), (Which::Listed, 1, None));
    assert_eq!(press(&mut app, "<enter>"), []);
    assert!(shown(&app).2.unwrap().contains("still looking"));
    happen(&mut app, found(vec![2, 3], true));
    app.settle();
    assert_eq!(shown(&app).1, 3);
    let effects = press(&mut app, "<enter>");
    assert!(matches!(&effects[..], [Effect::Replay(job)] if job.items.len() == 3), "{effects:?}");
}

#[test]
fn of_many_results_the_newest_keep_how_they_differ() {
    let plan = Plan::new(Target::new("there", "http://127.0.0.1:1"));
    let Setup { platforms, keyring, .. } = app().setup;
    let job = Job { ticket: 1, plan, items: Vec::new(), platforms, keyring, listener: None };
    let mut replay = Replay::new(&job, Timestamp::UNIX_EPOCH);
    let found = Difference {
        side: Side::Response,
        place: Place::Status,
        left: Some("x".repeat(MOST_BYTES / 4)),
        right: None,
        rough: false,
    };
    for _ in 0..9 {
        replay.told(Sent { differences: vec![found.clone()], ..sent(outcome()) });
    }
    let kept: Vec<bool> = replay.results.iter().map(|sent| !sent.forgotten && !sent.differences.is_empty()).collect();
    assert_eq!(kept, [false, false, false, false, false, false, true, true, true]);
    // What is ignored is kept for when it counts again, and takes as much.
    let mut app = app();
    app.replay = Some(Replay::new(&job, Timestamp::UNIX_EPOCH));
    app.rules.ignore("header:x-at").unwrap();
    for _ in 0..9 {
        let differences = vec![Difference { place: Place::Header("x-at".to_owned()), ..found.clone() }];
        let sent = Box::new(Sent { differences, ..sent(outcome()) });
        happen(&mut app, Event::Replayed { ticket: 1, progress: Progress::Told(sent) });
    }
    app.heed_rules();
    let kept = |app: &App| app.replay.as_ref().unwrap().results.iter().filter(|sent| sent.judged.is_some()).count();
    assert_eq!(kept(&app), 3);
}

#[test]
fn what_is_ignored_by_the_end_of_a_replay_is_no_failure_in_its_counts() {
    let found = Difference {
        side: Side::Response,
        place: Place::Header("x-at".to_owned()),
        left: Some("1".to_owned()),
        right: None,
        rough: false,
    };
    let unmet = Unmet { expected: "recorded".to_owned(), found: "x-at".to_owned(), place: None, against: false };
    let failed = Outcome { between: Vec::new(), differences: vec![found], unmet: vec![unmet], ..outcome() };
    let mut app = app();
    let Setup { platforms, keyring, .. } = app.setup.clone();
    let plan = Plan::new(Target::new("there", "http://127.0.0.1:1"));
    let job = Job { ticket: 1, plan, items: Vec::new(), platforms, keyring, listener: None };
    app.replay = Some(Replay::new(&job, Timestamp::UNIX_EPOCH));
    let tell = |app: &mut App, progress| drop(happen(app, Event::Replayed { ticket: 1, progress }));
    tell(&mut app, Progress::Told(Box::new(sent(failed.clone()))));
    app.rules.ignore("header:x-at").unwrap();
    app.heed_rules();
    tell(&mut app, Progress::Told(Box::new(sent(failed))));
    tell(&mut app, Progress::Ended(Ok(Box::new(Summary { total: 2, failed: 2, ..Summary::default() }))));
    assert_eq!(app.notice.as_ref().unwrap().text, "replay done: 2 fine, 0 failed");
    assert_eq!(app.replay.as_ref().unwrap().meter.failed, 0);
}

#[test]
fn what_was_found_instead_is_masked_where_the_screen_is() {
    let place = Place::Header("authorization".to_owned());
    let found = Unmet {
        expected: "header:authorization=x".to_owned(),
        found: "Bearer y".to_owned(),
        place: Some(place),
        against: false,
    };
    let sent = sent(Outcome { unmet: vec![found], ..outcome() });
    let mask = Redaction::new(&Redact::default()).unwrap();
    assert_eq!(sent.unmet(None).collect::<Vec<_>>(), ["header:authorization=x: Bearer y"]);
    assert_eq!(sent.unmet(Some(&mask)).collect::<Vec<_>>(), ["header:authorization=[redacted]: [redacted]"]);
}
