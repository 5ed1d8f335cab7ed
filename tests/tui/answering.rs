//! What answers calls, and calls that wait, on the screen.

use std::path::Path;
use std::sync::Arc;

use hooktape::app::answering::Answering;
use hooktape::app::dialog::Dialog;
use hooktape::app::event::{Effect, Event};
use hooktape::app::{App, keys};
use hooktape::call::{Id, Request, Response, Sig};
use hooktape::config::{Config, Fault, Forward, Respond, Route, Source, Sources, Target};
use hooktape::net::responder::{Beat, Health, Held, Parting, Release, Stage as Waits, Told, Whose};
use hooktape::net::tunnel::Tunnel;
use jiff::{SignedDuration, Timestamp};

use crate::support::{SIZES, Stage, drawn};

const BODY: &str = r#"{"request_id":"r","session_id":"s","value":"123456789","context":{}}"#;

/// An app with a listener, a route and a fault.
fn app() -> App {
    let forward = Forward { targets: vec![Target::new("mine", "http://127.0.0.1:3000/api")], keep_host: false };
    let respond = Respond { source: Source::Forward(Arc::new(forward)), ..Respond::default() };
    let route = |path: &str, kind: Option<&str>, respond| Route {
        path: path.into(),
        kind: kind.map(ToOwned::to_owned),
        respond,
        ..Route::default()
    };
    let config = Config {
        routes: vec![
            route("/hooks/moveo", None, Some(respond)),
            route("/identify", Some("moveo/auth_validation"), None),
        ],
        ..defaults()
    };
    let stage = Stage { config, ..Stage::size(90, 24) };
    let mut app = App::new(stage.setup(Path::new("tape.jsonl"), "127.0.0.1:4747".parse().ok()), at(0));
    app.update(Event::Beat(Beat { serving: true, in_flight: 0 }), at(0));
    app
}

/// What holds without a file.
fn defaults() -> Config {
    let home = tempfile::tempdir().unwrap();
    Config::load(&Sources { directory: home.path().to_owned(), ..Sources::default() }).unwrap()
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds)
}

fn press(app: &mut App, script: &str) -> Vec<Effect> {
    let now = app.now;
    keys::script(script).unwrap().into_iter().flat_map(|key| app.update(Event::Key(key), now)).collect()
}

fn screen(app: &mut App) -> String {
    drawn(app, (90, 24))
}

fn held(app: &mut App, stage: Waits) -> Id {
    let id = Id::fresh();
    let request =
        Request { method: "POST".into(), target: "/identify".into(), body: BODY.into(), ..Request::default() };
    let kind = Some("moveo/auth_validation".to_owned());
    let held = Held { id, at: at(0), until: at(25), kind, sig: Some(Sig::Valid), request, stage };
    app.update(Event::Responding(Told::Held(Arc::new(held))), at(7));
    id
}

fn answer() -> Waits {
    let headers = [("content-type", "application/json"), ("content-length", "14")].into_iter().collect();
    Waits::Answer(Response { status: 200, headers, body: r#"{"valid":true}"#.into() })
}

#[test]
fn the_list_says_what_answers_and_the_status_what_is_broken() {
    let mut app = app();
    let effects = press(&mut app, "aGfstatus=503 next=3<enter>");
    assert!(
        matches!(&effects[..], [Effect::Respond(slots)] if slots[2].respond.fault == Fault::parse("status=503 next=3").ok())
    );
    app.update(Event::Responding(Told::Hit { whose: Whose::Rest, left: 2 }), at(0));
    app.update(Event::Responding(Told::Target("mine".into(), Health::Down("nothing listens".into()))), at(0));
    insta::assert_snapshot!(screen(&mut app));
    app.update(Event::Responding(Told::Hit { whose: Whose::Rest, left: 0 }), at(0));
    assert!(!screen(&mut app).contains("FAULT"));
}

#[test]
fn what_an_answer_may_go_on_with_is_offered_and_taken() {
    let mut app = app();
    let empty = Response { body: "{}".into(), status: 200, ..Response::default() };
    let id = held(&mut app, Waits::Answer(empty));
    press(&mut app, "e<right><enter>\"");
    // What is offered is worked out before the frame.
    insta::assert_snapshot!(screen(&mut app));
    let offers = |app: &App| match app.dialogs.last() {
        Some(Dialog::Answering(Answering::Edit(edit))) => edit.draft.offers.list.len(),
        other => panic!("{other:?}"),
    };
    assert!(offers(&app) > 0);
    press(&mut app, "<tab>");
    let taken = screen(&mut app);
    assert!(taken.contains("\"valid\": "), "{taken}");
    let effects = press(&mut app, "true<ctrl-s>");
    let [Effect::Release { id: released, release }] = &effects[..] else { panic!("{effects:?}") };
    let Release::Answer(answer) = &**release else { panic!("{release:?}") };
    assert_eq!((*released, &answer.body[..]), (id, &br#"{"valid":true}"#[..]));
}

#[test]
fn a_responder_is_switched_to_a_reply_that_fits_its_kind() {
    let mut app = app();
    press(&mut app, "ajj<up><enter>");
    insta::assert_snapshot!(screen(&mut app));
    let effects = press(&mut app, "G<enter>");
    let Effect::Respond(slots) = &effects[0] else { panic!("{effects:?}") };
    assert_eq!(slots[1].respond.to_string(), "reply moveo/identify");
    let effects = press(&mut app, "x");
    assert!(matches!(&effects[0], Effect::Respond(slots) if slots[1].respond == Respond::default()));
    let effects = press(&mut app, "<enter>jj<enter>3001<enter>");
    assert!(matches!(&effects[0], Effect::Respond(slots) if slots[1].respond.to_string() == "→ http://127.0.0.1:3001"));
    press(&mut app, "<enter>jj<enter>");
    assert!(screen(&mut app).contains("forward to (URL"));
    press(&mut app, "x<enter>");
    assert!(screen(&mut app).contains("no URL"), "{}", screen(&mut app));
}

#[test]
fn a_held_call_shows_its_time_and_its_answer_is_edited_against_the_contract() {
    let mut app = app();
    let id = held(&mut app, answer());
    insta::assert_snapshot!("a_held_call", screen(&mut app));
    press(&mut app, "e<tab><backspace><backspace><backspace>99<tab>");
    assert!(screen(&mut app).contains("a status is a number from 200 to 599"));
    press(&mut app, "<tab><backspace><backspace>201<tab>");
    insta::assert_snapshot!("its_answer_edited", screen(&mut app));
    let effects = press(&mut app, "<ctrl-s>");
    let [Effect::Release { id: released, release }] = &effects[..] else { panic!("{effects:?}") };
    let Release::Answer(response) = &**release else { panic!("{release:?}") };
    assert_eq!((*released, response.status, &response.body[..]), (id, 201, &br#"{"valid":true}"#[..]));
    assert!(!response.headers.has("content-length"));
    app.update(Event::Responding(Told::Gone(id, Parting::TimeUp)), at(8));
    assert!(app.dialogs.is_empty() && !screen(&mut app).contains("WAITING"));
}

#[test]
fn what_answers_and_what_waits_at_three_sizes() {
    for size in SIZES {
        for (name, keys) in [
            ("list", "a"),
            ("sources", "ajj<enter>"),
            ("forward", "a<enter>jj<enter>"),
            ("fault", "aGfstatus=99<enter>"),
            ("capture", "A"),
        ] {
            let mut app = app();
            press(&mut app, keys);
            insta::assert_snapshot!(format!("answers_{name}_{}x{}", size.0, size.1), drawn(&mut app, size));
        }
        for (name, stage, keys) in [
            ("answer", answer as fn() -> Waits, ""),
            ("forward", || Waits::Forward("mine".into()), ""),
            ("answer_edited", answer, "e<down><home><right><right><right>x"),
            ("answer_status", answer, "e<tab><backspace><backspace><backspace>99<tab>"),
            ("request_edited", || Waits::Forward("mine".into()), "r<down><down>"),
            ("later", answer, "<esc>"),
        ] {
            let mut app = app();
            held(&mut app, answer());
            held(&mut app, stage());
            press(&mut app, "G");
            press(&mut app, keys);
            insta::assert_snapshot!(format!("held_{name}_{}x{}", size.0, size.1), drawn(&mut app, size));
        }
    }
}

#[test]
fn all_of_a_call_that_waits_can_be_seen() {
    let fields: Vec<String> = (0..60).map(|n| format!("\"field_{n:02}\": \"{}\"", "x".repeat(50))).collect();
    for size in SIZES {
        let mut app = app();
        let body = format!("{{{}}}", fields.join(","));
        let request = Request { method: "POST".into(), body: body.into(), ..Request::default() };
        let held = |stage| Held {
            id: Id::fresh(),
            at: at(0),
            until: at(25),
            kind: None,
            sig: None,
            request: request.clone(),
            stage,
        };
        for stage in [Waits::Forward("mine".into()), answer()] {
            app.update(Event::Responding(Told::Held(Arc::new(held(stage)))), at(0));
        }
        for (number, what) in [(0, "goes to"), (1, "Answer 200")] {
            press(&mut app, if number == 0 { "g" } else { "G" });
            let mut seen = drawn(&mut app, size);
            assert!(seen.contains(what) && seen.contains("· J K"), "{seen}");
            for _ in 0..40 {
                press(&mut app, "<pgdn>");
                seen += &drawn(&mut app, size);
            }
            assert!((0..60).all(|n| seen.contains(&format!("field_{n:02}"))), "{seen}");
            press(&mut app, "K");
            let above = drawn(&mut app, size);
            press(&mut app, "J");
            assert!(drawn(&mut app, size) != above && !above.contains(what), "{above}");
        }
        press(&mut app, "g");
        assert!(drawn(&mut app, size).contains("goes to"), "another call is seen from its beginning");
    }
}

#[test]
fn what_breaks_the_contract_is_said_as_one_types() {
    let mut app = app();
    held(&mut app, answer());
    press(&mut app, "e<down><home><right><right><right>x");
    let shown = screen(&mut app);
    assert!(shown.contains("`valid` is missing"), "{shown}");
    assert!(!shown.contains("satisfies the contract"), "{shown}");
    press(&mut app, "<esc><esc>");
    assert!(screen(&mut app).contains("1 WAITING 18 s (i)"));
    press(&mut app, "i");
    assert!(screen(&mut app).contains("Calls that wait for you"));
}

#[test]
fn a_call_that_waits_to_be_forwarded_is_edited_or_refused() {
    let mut app = app();
    let id = held(&mut app, Waits::Forward("mine".into()));
    insta::assert_snapshot!(screen(&mut app));
    let release = |app: &mut App, keys: &str| match press(app, keys).pop() {
        Some(Effect::Release { id: released, release }) if released == id => *release,
        other => panic!("{other:?}"),
    };
    assert_eq!(release(&mut app, "x"), Release::Refuse);
    assert_eq!(release(&mut app, "F"), Release::Forward { request: None, hold_answer: true });
    assert_eq!(release(&mut app, "<enter>"), Release::AsIs);
    let Release::Forward { request: Some(request), .. } = release(&mut app, "r<down><down><down><end><left>0<ctrl-s>")
    else {
        panic!("no request")
    };
    assert_ne!(request.body, BODY);
}

#[test]
fn holding_is_one_key_and_time_that_is_up_drops_the_edit() {
    let mut app = app();
    let effects = press(&mut app, "i");
    assert!(matches!(&effects[..], [Effect::Respond(slots)] if slots.iter().all(|slot| slot.respond.hold.is_some())));
    let id = held(&mut app, answer());
    press(&mut app, "e");
    app.update(Event::Responding(Told::Gone(id, Parting::TimeUp)), at(25));
    assert!(app.dialogs.is_empty());
    assert!(screen(&mut app).contains("the call's time was up"));
    assert!(press(&mut app, "i").is_empty(), "it was meant for the call that has just gone");
    let effects = press(&mut app, "i");
    assert!(matches!(&effects[..], [Effect::Respond(slots)] if slots.iter().all(|slot| slot.respond.hold.is_none())));
}

#[test]
fn a_listener_that_stopped_does_not_look_like_one_that_waits() {
    let mut app = app();
    assert!(screen(&mut app).contains("● http://127.0.0.1:4747"));
    app.update(Event::Beat(Beat { serving: false, in_flight: 0 }), at(0));
    assert!(screen(&mut app).contains("■ STOPPED LISTENING at http://127.0.0.1:4747"));
}

#[tokio::test]
async fn a_capture_becomes_the_reply_of_its_kind() {
    let home = tempfile::tempdir().unwrap();
    let meanwhile = |url: String| async move {
        let client = reqwest::Client::new();
        let answer = client.post(format!("{url}/identify")).body(BODY).send().await.unwrap();
        assert_eq!(answer.status(), 200);
    };
    let recording = home.path().join("tape.jsonl");
    let ended = Stage::size(90, 24)
        .listen(&recording, "A<tab><backspace><backspace><backspace>418<ctrl-s>r<enter>", meanwhile)
        .await;
    assert!(ended.screen.contains("418"), "{}", ended.screen);
}

#[test]
fn the_public_address_and_the_tunnel_are_on_the_status_line_and_copied() {
    let mut app = app();
    assert!(screen(&mut app).contains("http://127.0.0.1:4747 is an address of this machine alone"));
    assert_eq!(press(&mut app, "P"), []);
    assert!(app.notice.as_ref().unwrap().text.contains("--tunnel \"cloudflared tunnel --url {url}\""));
    let url = "https://a-b.trycloudflare.com";
    for (tunnel, status, copied) in [
        (Tunnel::Starting(None), "● :4747 │ ⇄ tunnel starting…", None),
        (Tunnel::Starting(Some("why".into())), "● :4747 │ ⇄ tunnel does not lead here yet (P)", None),
        (Tunnel::Up(url.into()), "● :4747 │ ⇄ https://a-b.trycloudflare.com │ 0 calls", Some(url)),
        (Tunnel::Lost(url.into(), "why".into()), "✗ https://a-b.trycloudflare.com LOST (L says why)", Some(url)),
        (Tunnel::Ended("ended".into(), std::time::Duration::from_secs(1)), "✗ TUNNEL ENDED (L says why)", None),
    ] {
        app.update(Event::Tunnel(tunnel), at(0));
        let shown = screen(&mut app);
        assert!(shown.contains(status), "{status}: {shown}");
        let expected: Vec<_> = copied.map(|url| Effect::Copy(url.to_owned())).into_iter().collect();
        assert_eq!(press(&mut app, "P"), expected, "{status}");
    }
    // A listener that stopped looks like none that waits, whatever its tunnel does.
    app.update(Event::Tunnel(Tunnel::Up(url.into())), at(0));
    app.update(Event::Beat(Beat::default()), at(1));
    let shown = screen(&mut app);
    assert!(shown.contains("■ STOPPED LISTENING") && !shown.contains('●') && !shown.contains("⇄"), "{shown}");
}
