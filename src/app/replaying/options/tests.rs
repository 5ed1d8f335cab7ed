use super::*;
use crate::app::dialog::Dialog;
use crate::app::event::Event;
use crate::app::replaying::{Progress, Steer};
use crate::app::tests::{app, call, happen, recorded};
use crate::call::{Call, Id};
use crate::config::Target;
use crate::recording::{Annotation, Change, Mark};

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
fn rows_become_a_plan() {
    let (mut app, _) = recorded_app();
    app.choose(Target::new("x", "http://127.0.0.1:1"));
    let effects = press(&mut app, "gRjjjlje<backspace><backspace><backspace><backspace>20/s<enter>jljljl<enter>");
    let plan = &job(&effects).plan;
    assert_eq!((plan.mode, plan.schedule.pace), (SignMode::Exact, Pace::Rate(20.0)));
    assert_eq!((plan.schedule.concurrency, plan.schedule.stop_on_failure), (2, true));
    assert_eq!(plan.expect[0].to_string(), "recorded");
}

#[test]
fn what_cannot_begin_says_why() {
    let (mut app, _) = recorded_app();
    app.choose(Target::new("x", "http://127.0.0.1:1"));
    assert_eq!(press(&mut app, "gRjjjje<backspace><enter><enter>"), []);
    let Some(Dialog::Panel(Panel::Options(options))) = app.dialogs.last() else { panic!("{:?}", app.dialogs) };
    assert!(options.error.as_deref().unwrap().ends_with("or a rate such as 5/s"), "{options:?}");
}

#[test]
fn a_guarded_target_is_asked_for_by_host_and_number() {
    let (mut app, _) = recorded_app();
    app.choose(Target { guard: true, ..Target::new("staging", "https://staging.example.com/{kind}") });
    assert_eq!(press(&mut app, "gR<left><enter>"), []);
    let Some(Dialog::Panel(Panel::Sure { question, .. })) = app.dialogs.last() else { panic!("{:?}", app.dialogs) };
    assert_eq!(question, "Send 4 calls to staging, at staging.example.com?");
    assert_eq!(press(&mut app, "n"), []);
    assert!(app.replay.is_none());
    assert_eq!(job(&press(&mut app, "gR<left><enter>y")).items.len(), 4);
}

#[test]
fn a_guarded_target_is_asked_for_what_it_takes_alone() {
    let (mut app, _) = recorded_app();
    let kind = Some("jelou/webview_callback".to_owned());
    let other = Call { kind, direction: Direction::Received, ..call("/other") };
    recorded(&mut app, &other);
    let kinds = vec!["jelou/webview_callback".to_owned()];
    app.choose(Target { guard: true, kinds, ..Target::new("jelou", "https://workflows.jelou.ai/x") });
    assert_eq!(press(&mut app, "gR<left><enter>"), []);
    let Some(Dialog::Panel(Panel::Sure { question, .. })) = app.dialogs.last() else { panic!("{:?}", app.dialogs) };
    assert_eq!(question, "Send 1 call to jelou, at workflows.jelou.ai?");
    assert_eq!(press(&mut app, "n<esc>gR<enter>"), []);
    let Some(Dialog::Panel(Panel::Options(options))) = app.dialogs.last() else { panic!("{:?}", app.dialogs) };
    assert!(options.error.as_deref().unwrap().contains("takes jelou/webview_callback only"), "{options:?}");
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
    happen(&mut app, Event::Replayed { ticket, progress: Progress::Ended(Ok(Box::new(summary))) });
    let told = &app.notice.as_ref().unwrap().text;
    assert_eq!(told, "replay done: 0 fine, 1 failed; ended at the first failure: 3 calls not sent");
}

#[test]
fn a_space_within_quotes_ends_no_word() {
    let found = |text| words(text).collect::<Vec<_>>();
    assert_eq!(
        found(r#" status=2xx  /input/text="a \" b" recorded"#),
        ["status=2xx", r#"/input/text="a \" b""#, "recorded"]
    );
    assert_eq!(found(""), [""; 0]);
    assert!(words(r#"/input/text="a b""#).map(str::parse::<Expectation>).all(|found| found.is_ok()));
}
