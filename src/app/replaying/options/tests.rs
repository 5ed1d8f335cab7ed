use jiff::Timestamp;

use super::*;
use crate::app::dialog::Dialog;
use crate::app::event::{Event, Level};
use crate::app::replaying::{Progress, Steer};
use crate::app::tests::{app, call, happen, recorded};
use crate::app::which::{FEW, SELDOM};
use crate::call::{Call, Id};
use crate::config::Target;
use crate::net::fault::Fault;
use crate::net::outgoing::SignMode;
use crate::recording::{Annotation, Change, Entry, Mark, Place};
use crate::replay::Pace;

/// Of conversations `a`, `b`: received 0 to 3, sent 4; 1 is marked.
fn recorded_app() -> (App, Vec<Id>) {
    let mut app = app();
    let mut ids = Vec::new();
    for (number, talk) in ["a", "b", "a", "b", "a"].into_iter().enumerate() {
        let direction = if number == 4 { Direction::Sent } else { Direction::Received };
        let call = Call { direction, conversation: Some(talk.to_owned()), ..call(&format!("/{number}")) };
        recorded(&mut app, &call);
        ids.push(call.id);
    }
    let mark = Annotation { call: ids[1], at: app.now, change: Change::Mark(Some(Mark::default())) };
    happen(&mut app, Event::Annotated(vec![(9_000, mark)]));
    (app, ids)
}

fn press(app: &mut App, keys: &str) -> Vec<Effect> {
    let keys = crate::app::keys::script(keys).unwrap();
    keys.into_iter().flat_map(|key| happen(app, Event::Key(key))).collect()
}

fn job(effects: &[Effect]) -> &Job {
    match effects {
        [Effect::Replay(job)] => job,
        other => panic!("no replay: {other:?}"),
    }
}

#[test]
fn calls_are_chosen_by_the_arrow_keys() {
    for (keys, wanted) in [
        ("gR<enter>", &[0_usize][..]),
        ("gR<right><enter>", &[0, 2]),
        ("gR<right>j<right><enter>", &[0, 2, 4]),
        ("gR<right><right><enter>", &[1]),
        ("gR<left><enter>", &[0, 1, 2, 3]),
        ("GR<enter>", &[4]),
    ] {
        let (mut app, ids) = recorded_app();
        app.choose(Target::new("x", "http://127.0.0.1:1"));
        let effects = press(&mut app, keys);
        let picked: Vec<usize> =
            job(&effects).items.iter().map(|item| ids.iter().position(|id| *id == item.id).unwrap()).collect();
        assert_eq!(picked, wanted, "{keys}");
    }
}

#[test]
fn many_calls_are_not_counted_anew_in_each_frame_but_in_the_end() {
    for (there, at_once) in [(FEW - 1, true), (FEW, false)] {
        let mut app = app();
        let entry = |row: usize| Entry::from_call(&call("/"), Place { offset: 100 * row as u64, len: 99 });
        let all = (1..=there).map(entry).collect::<Vec<_>>();
        happen(&mut app, Event::Indexed(Box::new(all.iter().collect())));
        happen(&mut app, Event::Indexed(Box::default()));
        // The whole recording, with those that were sent.
        press(&mut app, "R<left>j<right>");
        app.settle();
        assert_eq!((options(&app).count, app.ticks()), (there, false));
        recorded(&mut app, &call("/"));
        assert!(app.ticks());
        app.settle();
        assert_eq!((options(&app).count - there, app.ticks()), (usize::from(at_once), !at_once));
        app.update(Event::Tick, Timestamp::UNIX_EPOCH + SELDOM);
        app.settle();
        assert_eq!((options(&app).count - there, app.ticks()), (1, false));
    }
}

#[test]
fn this_call_is_the_one_that_was_selected_when_it_was_asked() {
    let (mut app, ids) = recorded_app();
    app.choose(Target::new("x", "http://127.0.0.1:1"));
    press(&mut app, "GR");
    recorded(&mut app, &Call { direction: Direction::Received, ..call("/new") });
    app.settle();
    assert_eq!(app.calls.selected(), Some(5), "the newest is followed");
    assert_eq!(job(&press(&mut app, "<enter>")).items[0].id, ids[4]);
}

#[test]
fn a_call_that_is_gone_is_not_sent_nor_another_in_its_place() {
    let (mut app, _) = recorded_app();
    app.choose(Target::new("x", "http://127.0.0.1:1"));
    press(&mut app, "gR");
    let reason = "set aside".to_owned();
    happen(&mut app, Event::Recorded(crate::recording::Recorded::Reopened { reason, kept: 0, aside: None }));
    recorded(&mut app, &Call { direction: Direction::Received, ..call("/new") });
    assert_eq!(press(&mut app, "<enter>"), []);
    assert!(options(&app).error.as_ref().unwrap().contains("there are none to send"));
}

#[test]
fn rows_become_a_plan() {
    let (mut app, _) = recorded_app();
    app.choose(Target::new("x", "http://127.0.0.1:1"));
    let effects = press(&mut app, "gRjjjjlje<ctrl-u>20/s<enter>jljjljl<enter>");
    let plan = &job(&effects).plan;
    assert_eq!((plan.mode, plan.schedule.pace), (SignMode::Exact, Pace::Rate(20.0)));
    assert_eq!((plan.schedule.concurrency, plan.schedule.stop_on_failure), (2, true));
    assert_eq!(plan.expect[0].to_string(), "recorded");
}

#[test]
fn what_cannot_begin_says_why() {
    let (mut app, _) = recorded_app();
    app.choose(Target::new("x", "http://127.0.0.1:1"));
    assert_eq!(press(&mut app, "gRjjjjje<backspace><enter><enter>"), []);
    let Some(Dialog::Panel(Panel::Options(options))) = app.dialogs.last() else { panic!("{:?}", app.dialogs) };
    assert!(options.error.as_deref().unwrap().ends_with("or a rate such as 5/s"), "{options:?}");
}

/// The options that are open.
fn options(app: &App) -> &Options {
    let open = app.dialogs.iter().find_map(|dialog| match dialog {
        Dialog::Panel(Panel::Options(options)) => Some(options),
        _ => None,
    });
    open.unwrap_or_else(|| panic!("{:?}", app.dialogs))
}

/// Types `keys` that should have calls counted, tells that so many leave, and gives what is asked then.
fn asked(app: &mut App, keys: &str, leaving: Result<u64, &str>) -> Option<String> {
    let effects = press(app, keys);
    let [Effect::Count(job)] = &effects[..] else { panic!("nothing is counted: {effects:?}") };
    assert!(options(app).counting.is_some() && app.replay.is_none());
    let kinds = job.items.iter().map(|item| item.kind.clone()).collect();
    let leaving = leaving.map(|count| Leaving { count, kinds, ..Leaving::default() }).map_err(str::to_owned);
    let (ticket, progress) = (job.ticket, Progress::Counted(job.clone(), leaving));
    happen(app, Event::Replayed { ticket, progress });
    match app.dialogs.last() {
        Some(Dialog::Question(question)) => Some(question.text.clone()),
        _ => None,
    }
}

fn guarded(name: &str) -> Target {
    Target { guard: true, ..Target::new(name, format!("https://{name}.example.com/{{kind}}")) }
}

#[test]
fn a_guarded_target_is_asked_for_by_host_and_number() {
    let (mut app, _) = recorded_app();
    app.choose(guarded("staging"));
    let question = asked(&mut app, "gR<left><enter>", Ok(3));
    assert_eq!(question.as_deref(), Some("Send 3 calls to staging, at staging.example.com?"), "one of four cannot");
    assert_eq!(press(&mut app, "n"), []);
    assert!(app.replay.is_none() && options(&app).which == Which::All, "what was asked for is there still");
    assert!(asked(&mut app, "<enter>", Ok(4)).is_some());
    assert_eq!(job(&press(&mut app, "y")).items.len(), 4);
    assert!(app.dialogs.len() == 1, "{:?}", app.dialogs);
}

#[test]
fn a_question_names_both_targets_and_what_goes_wrong() {
    let (mut app, _) = recorded_app();
    app.choose(Target::new("local", "http://127.0.0.1:1"));
    (app.targets, app.target) = (vec![app.target().unwrap().clone(), guarded("staging")], Some(0));
    let question = asked(&mut app, "gRjjj<right>Gkkk<space>j<space>j<space><enter>", Ok(2));
    let wanted = "Send 2 calls (slow body, cut body, duplicate) to local, at 127.0.0.1:1, and the same to staging (guarded), \
                  at staging.example.com?";
    assert_eq!(question.as_deref(), Some(wanted));
    assert_eq!(job(&press(&mut app, "y")).plan.against.as_ref().unwrap().name, "staging");
}

#[test]
fn what_is_counted_too_late_is_not_asked_for() {
    let (mut app, _) = recorded_app();
    app.choose(guarded("staging"));
    let effects = press(&mut app, "gR<enter>");
    let [Effect::Count(job)] = &effects[..] else { panic!("{effects:?}") };
    press(&mut app, "<right>");
    let (ticket, leaving) = (job.ticket, Ok(Leaving { count: 1, ..Leaving::default() }));
    happen(&mut app, Event::Replayed { ticket, progress: Progress::Counted(job.clone(), leaving) });
    assert!(matches!(app.dialogs.last(), Some(Dialog::Panel(Panel::Options(_)))), "other calls are meant by now");
    assert_eq!(asked(&mut app, "<enter>", Err("there is no secret")), None);
    assert_eq!(options(&app).error.as_deref(), Some("there is no secret"));
}

#[test]
fn a_target_that_takes_none_of_the_calls_is_told() {
    let (mut app, _) = recorded_app();
    let kinds = vec!["jelou/webview_callback".to_owned()];
    app.choose(Target { guard: true, kinds, ..Target::new("jelou", "https://workflows.jelou.ai/x") });
    assert_eq!(press(&mut app, "gR<enter>"), []);
    assert!(options(&app).error.as_deref().unwrap().contains("takes jelou/webview_callback only"), "{:?}", app.dialogs);
}

#[test]
fn what_goes_wrong_is_chosen_row_by_row() {
    let (mut app, _) = recorded_app();
    app.choose(Target::new("x", "http://127.0.0.1:1"));
    let effects =
        press(&mut app, "gR<left>jjjjjjj<right>jjj<space>j<space>jje<ctrl-u>2s<enter>jj<space>j<space><enter>");
    let plan = &job(&effects).plan;
    let slow = Fault::SlowBody(std::time::Duration::from_secs(2));
    assert_eq!(plan.faults, [Fault::Stale, Fault::BadSignature, slow]);
    assert_eq!((plan.duplicate, plan.schedule.out_of_order, plan.schedule.repeat), (true, true, 2));
    assert!(plan.expect.is_empty(), "of a fault the status is another");
    assert_eq!(app.replay.as_ref().unwrap().meter.total, 4 * 3 * 2 * 2);
    let title = app.replay.as_ref().unwrap().plan.title(4);
    assert_eq!(title, "48 calls to x, fresh");
}

#[test]
fn what_cannot_change_places_or_is_no_time_is_told() {
    let (mut app, _) = recorded_app();
    app.choose(Target::new("x", "http://127.0.0.1:1"));
    assert_eq!(press(&mut app, "gRG<space><enter>"), []);
    assert!(options(&app).error.as_deref().unwrap().starts_with("no conversation among"), "{:?}", app.dialogs);
    press(&mut app, "<space>kkke<ctrl-u>soon<enter>");
    assert!(options(&app).error.is_some());
    assert_eq!(press(&mut app, "<enter>"), []);
}

#[test]
fn the_second_target_is_picked_typed_or_gone() {
    let (mut app, _) = recorded_app();
    app.choose(Target::new("x", "http://127.0.0.1:1"));
    press(&mut app, "gRjjje");
    let Some(Dialog::Targets { selected, .. }) = app.dialogs.last() else { panic!("{:?}", app.dialogs) };
    assert_ne!(app.target_choices()[*selected], app.target, "it begins at another one");
    let address = app.target_choices().iter().position(Option::is_none).unwrap();
    press(&mut app, &format!("g{}<enter>:2<enter>", "j".repeat(address)));
    assert_eq!(options(&app).against.as_ref().unwrap().url, "http://127.0.0.1:2");
    assert_eq!(app.target().unwrap().name, "x", "the first stays");
    app.targets.retain(|target| target.name == "x");
    app.target = Some(0);
    assert_eq!(press(&mut app, "<enter>"), []);
    assert!(options(&app).error.as_deref().unwrap().contains("no longer configured"), "{:?}", app.dialogs);
    press(&mut app, "h<enter>");
    assert!(app.replay.as_ref().unwrap().plan.against.is_none());
}

#[test]
fn of_two_targets_only_the_one_that_is_our_listener_by_name_leads_there() {
    let (mut app, _) = recorded_app();
    app.setup.listener = Some("127.0.0.1:4747".parse().unwrap());
    let ours = sending::ourselves(app.setup.listener.unwrap());
    (app.targets, app.target) = (vec![Target::new("x", "http://127.0.0.1:1"), ours], Some(0));
    let effects = press(&mut app, "gRjjjl<enter>");
    let avoid = job(&effects).plan.avoid.clone().unwrap();
    assert!(avoid.applies_to("x") && !avoid.applies_to(sending::OURSELVES));
    app.replay = None;
    app.targets.push(Target::new("y", "http://localhost:4747"));
    press(&mut app, "<esc>gRxjjjll<enter>");
    assert!(options(&app).error.as_deref().unwrap().starts_with("y is hooktape's own listener"), "{:?}", app.dialogs);
}

#[test]
fn a_replay_is_paused_and_ended_by_its_ticket() {
    let (mut app, _) = recorded_app();
    app.choose(Target::new("x", "http://127.0.0.1:1"));
    let ticket = job(&press(&mut app, "gR<enter>")).ticket;
    let steer = |steer| vec![Effect::Steer { ticket, steer }];
    assert_eq!(press(&mut app, "p"), steer(Steer::Pause));
    assert!(app.replay.as_ref().unwrap().paused.is_some());
    assert_eq!(press(&mut app, "p"), steer(Steer::Resume));
    assert_eq!(press(&mut app, "<esc>Rx"), steer(Steer::Cancel), "R comes back to it");
    let summary = crate::replay::Summary { cancelled: true, ..crate::replay::Summary::default() };
    let progress = Progress::Ended(Ok(Box::new(summary)));
    happen(&mut app, Event::Replayed { ticket: ticket + 1, progress: progress.clone() });
    assert!(app.replay.as_ref().unwrap().runs(), "that was another one");
    happen(&mut app, Event::Replayed { ticket, progress });
    assert!(!app.replay.as_ref().unwrap().runs() && app.notice.as_ref().unwrap().text.contains("cancelled"));
    assert_eq!(press(&mut app, "p"), [], "what is over cannot be paused");
}

#[test]
fn what_was_not_sent_is_told_in_the_end() {
    let (mut app, _) = recorded_app();
    app.choose(Target::new("x", "http://127.0.0.1:1"));
    let ticket = job(&press(&mut app, "gR<left><enter>")).ticket;
    let summary = crate::replay::Summary { total: 4, failed: 1, left: 3, ..crate::replay::Summary::default() };
    let failed = crate::replay::Summary { error: Some("no space left".to_owned()), ..summary.clone() };
    happen(&mut app, Event::Replayed { ticket, progress: Progress::Ended(Ok(Box::new(summary))) });
    let told = &app.notice.as_ref().unwrap().text;
    assert_eq!(told, "replay done: 0 fine, 1 failed; ended at the first failure: 3 calls not sent");
    happen(&mut app, Event::Replayed { ticket, progress: Progress::Ended(Ok(Box::new(failed))) });
    let notice = app.notice.as_ref().unwrap();
    let told = "replay failed: 0 fine, 1 failed; 3 of 4 calls not sent, or not recorded: no space left";
    assert_eq!((notice.level, &*notice.text), (Level::Error, told));
}

#[test]
fn the_rows_stay_as_they_were_for_the_last_replay_until_they_are_as_at_first() {
    let (mut app, _) = recorded_app();
    app.choose(Target::new("x", "http://127.0.0.1:1"));
    let options = |app: &App| match app.dialogs.last() {
        Some(Dialog::Panel(Panel::Options(options))) => (options.which, options.pace.clone(), options.faults[0]),
        other => panic!("{other:?}"),
    };
    let first = (Which::This, "asap".to_owned(), false);
    press(&mut app, "gRl<esc>R");
    assert_eq!(options(&app), first, "nothing was replayed");
    let ticket = job(&press(&mut app, "ljjjjjljjjjjl<enter>")).ticket;
    happen(&mut app, Event::Replayed { ticket, progress: Progress::Ended(Err("over".to_owned())) });
    press(&mut app, "<esc>GR");
    let (which, pace, fault) = options(&app);
    assert!(which != Which::This && pace == "original" && fault, "{:?}", options(&app));
    let Some(Dialog::Panel(Panel::Options(kept))) = app.dialogs.last() else { panic!() };
    assert_eq!(
        (kept.this, kept.error.as_ref()),
        (app.selected_id(), None),
        "but it is about the call that is selected"
    );
    press(&mut app, "x");
    assert_eq!(options(&app), first);
}
