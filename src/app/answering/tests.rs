use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::app::event::Event;
use crate::app::keys::script;
use crate::app::tests::app;
use crate::net::responder::Stage;

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap()
}

fn come(app: &mut App, now: Timestamp) -> Id {
    let stage = Stage::Answer(Response::default());
    let (id, until, request) = (Id::fresh(), now + SignedDuration::from_secs(20), Request::default());
    let held = Held { id, at: now, until, kind: None, sig: None, request, stage };
    app.update(Event::Responding(Told::Held(Arc::new(held))), now);
    id
}

/// What lies over the screen once a call has come to wait, so long after a key.
fn opened(after: Option<i64>) -> App {
    let mut app = app();
    if after.is_some() {
        app.update(Event::Key(script("j").unwrap()[0]), at(0));
    }
    let now = at(after.unwrap_or(0));
    come(&mut app, now);
    app
}

#[test]
fn a_call_that_waits_opens_by_itself_only_to_hands_that_are_still() {
    for after in [None, Some(1000), Some(60_000)] {
        let app = opened(after);
        assert!(matches!(app.dialogs[..], [Dialog::Answering(Answering::Held { .. })]), "{after:?}: {:?}", app.dialogs);
    }
    for after in [0, 300, 999] {
        let app = opened(Some(after));
        assert!(app.dialogs.is_empty(), "{after}: a key meant for the list would answer the call");
        assert_eq!(app.notice.map(|notice| notice.text).as_deref(), Some("a call waits for you (i shows it)"));
    }
}

#[test]
fn an_answer_that_was_asked_for_opens_at_once_unless_something_else_was_done_meanwhile() {
    for (meanwhile, opens) in [("", true), ("j", false)] {
        let mut app = app();
        let press = |app: &mut App, keys: &str, now: Timestamp| {
            script(keys).unwrap().into_iter().for_each(|key| drop(app.update(Event::Key(key), now)));
        };
        let held = |id, stage| {
            let (until, request) = (at(20_000), Request::default());
            Event::Responding(Told::Held(Arc::new(Held {
                id,
                at: at(0),
                until,
                kind: None,
                sig: None,
                request,
                stage,
            })))
        };
        let id = Id::fresh();
        app.update(held(id, Stage::Forward("mine".into())), at(0));
        press(&mut app, "F", at(2000));
        app.update(Event::Responding(Told::Gone(id, Parting::Released)), at(2001));
        press(&mut app, meanwhile, at(2050));
        // Another call is no reason to look at that one.
        app.update(held(Id::fresh(), Stage::Forward("mine".into())), at(2060));
        app.update(held(id, Stage::Answer(Response::default())), at(2100));
        assert_eq!(!app.dialogs.is_empty(), opens, "{meanwhile:?}");
        if opens {
            let [Dialog::Answering(Answering::Held { selected, .. })] = app.dialogs[..] else {
                panic!("{:?}", app.dialogs)
            };
            assert_eq!(app.answers.held[selected].id, id);
        }
    }
}

#[test]
fn a_call_that_waits_is_laid_out_once_and_anew_when_it_is_masked() {
    let mut app = app();
    let stage =
        Stage::Answer(Response { status: 200, body: r#"{"access_token":"t0p"}"#.into(), ..Response::default() });
    let request = Request { body: r#"{"token":"t1p"}"#.into(), ..Request::default() };
    let held = Held { id: Id::fresh(), at: at(0), until: at(20_000), kind: None, sig: None, request, stage };
    app.update(Event::Responding(Told::Held(Arc::new(held))), at(0));
    app.regions.answer_width = 40;
    let bodies = |app: &mut App| {
        app.settle();
        let held = app.answers.held[0].clone();
        let open = app.answers.waiting.open(&held).unwrap();
        assert!(app.answers.waiting.glance(&held).is_some());
        [&open.request_body, &open.answer_body].map(|text| text.row(1).unwrap().0.trim().to_owned())
    };
    assert_eq!(bodies(&mut app), [r#""token": "t1p""#, r#""access_token": "t0p""#]);
    app.update(Event::Key(script("*").unwrap()[0]), at(5_000));
    assert_eq!(bodies(&mut app), [r#""token": "[redacted]""#, r#""access_token": "[redacted]""#]);
    app.dialogs.clear();
    app.settle();
    assert!(app.answers.waiting.open(&app.answers.held[0]).is_none(), "what nobody looks at is not kept");
}

#[test]
fn a_kind_is_answered_with_what_was_answered_and_not_with_its_mask() {
    let mut app = app();
    app.setup.listener = Some("127.0.0.1:4747".parse().unwrap());
    let body = r#"{"access_token":"t0p"}"#;
    let mut call = crate::app::tests::call("/");
    call.kind = Some("moveo/dialog".to_owned());
    call.response = Some(Response { status: 200, body: body.into(), ..Response::default() });
    crate::app::tests::recorded(&mut app, &call);
    let press = |app: &mut App, key: &str| {
        app.settle();
        app.update(Event::Key(script(key).unwrap()[0]), at(0))
    };
    press(&mut app, "*");
    press(&mut app, "A");
    assert!(app.notice.as_ref().unwrap().text.contains("nothing of it is masked"));
    let effects = press(&mut app, "<ctrl-s>");
    let [Effect::Respond(slots)] = &effects[..] else { panic!("{effects:?}") };
    let Source::Reply(replies) = &slots[0].respond.source else { panic!("{slots:?}") };
    assert!(format!("{replies:?}").contains("t0p"), "{replies:?}");
}

#[test]
fn no_other_call_is_meant_when_one_goes_by_itself() {
    let mut app = app();
    let [first, second, third] = [0; 3].map(|_| come(&mut app, at(0)));
    let gone = |app: &mut App, id, parting| drop(app.update(Event::Responding(Told::Gone(id, parting)), at(1)));
    let press = |app: &mut App, key| app.update(Event::Key(script(key).unwrap()[0]), at(1));
    press(&mut app, "j");
    gone(&mut app, first, Parting::TimeUp);
    assert!(matches!(app.dialogs[..], [Dialog::Answering(Answering::Held { selected: 0, .. })]), "{:?}", app.dialogs);
    assert!(matches!(&press(&mut app, "x")[..], [Effect::Release { id, .. }] if *id == second));
    gone(&mut app, second, Parting::TimeUp);
    assert!(app.dialogs.is_empty(), "a key that is on its way must not mean the next");
    assert_eq!(app.answers.held.iter().map(|held| held.id).collect::<Vec<_>>(), [third]);
}

#[test]
fn a_key_for_a_call_that_has_just_gone_changes_no_hold() {
    for (after, kept) in [(999, true), (1000, false)] {
        let mut app = app();
        app.setup.listener = Some("127.0.0.1:4747".parse().unwrap());
        app.answers.slots = Responders::configured(&app.setup.config);
        let press = |app: &mut App, millis| drop(app.update(Event::Key(script("i").unwrap()[0]), at(millis)));
        press(&mut app, 0);
        let id = come(&mut app, at(100));
        app.update(Event::Responding(Told::Gone(id, Parting::TimeUp)), at(2000));
        press(&mut app, 2000 + after);
        assert_eq!(app.answers.holds(), kept, "{after} ms after");
        press(&mut app, 2000 + after);
        assert_eq!(app.answers.holds(), !kept, "once more means it");
    }
}

#[test]
fn an_answer_that_came_compressed_leaves_so_unless_it_is_edited() {
    let body: bytes::Bytes = zstd::encode_all(&br#"{"a":"{{now}}"}"#[..], 3).unwrap().into();
    let mut headers: crate::call::Headers = [("content-encoding", "zstd")].into_iter().collect();
    headers.push("x-name", &b"Zo\xeb"[..]);
    let came = Response { status: 200, headers, body };
    let mut app = app();
    let Dialog::Answering(Answering::Edit(mut edit)) = app.edit_answer(Purpose::Answer(Id::fresh()), None, &came)
    else {
        panic!("no edit")
    };
    assert_eq!(edit.response().as_ref(), Ok(&came));
    edit.draft.replace(r#"{"a":"{{now}}!"}"#, false);
    let mut headers = came.headers;
    headers.remove("content-encoding");
    assert_eq!(edit.response(), Ok(Response { status: 200, headers, body: r#"{"a":"{{now}}!"}"#.into() }));
}
