//! Pages that platforms open: the dialog that opens one by hand, the flow around it, and the tabs of its calls.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hooktape::app::dialog::Dialog;
use hooktape::app::event::{Effect, Event};
use hooktape::app::{App, keys};
use hooktape::call::{Call, Direction, Headers, Id, Request, Response};
use hooktape::config::{self, Config, Secret, Secrets};
use hooktape::platform::Platforms;
use hooktape::recording::{Options, Place, Recorded, Recorder};
use insta::{assert_snapshot, with_settings};
use jiff::Timestamp;
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use crate::support::{SIZES, Stage};

/// The public key of moveo-ai/integration-guides, README.md.
const KEY: &str = "-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAnhZar+5yfwp+9VSr61/U
5VKQDd6z2kdKn+mHRB+SlJA7840nSbZieA4t0g2xls2N+OcJZP1CkZdCkDR2M8bv
tKkIexc9UCnWEM9SSoOKt+XcePUxBhqgYwmuHmk6tI0afePhNagrgdntoi54dKmA
cnHAtKsxqRuDZZoQTeGO/ZqMyI+ygidXhY5Bw2a+bD1Z9LlTqhWAcIlkqZO3c7gc
t565X3eoCByuzIncQZqG+vFvpg2WhTSayeALLVD3XlZPvQZC92jvmAcdukuPvbo7
JkPAVpD/yvBb3i3Txt+Zy2vNfP3knHwZyyvh0o1xEJSLwSd/iF+r9vhNetpq6JE4
JwIDAQAB
-----END PUBLIC KEY-----
";
/// Signed with its other half: iat 1700000000, exp 1700000004.
const TOKEN: &str = "Bearer eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwMTIzNDU2IiwiaXNzIjoid3d3LndlYnZpZXdzLm1vdmVvLmFpIiwiaWF0IjoxNzAwMDAwMDAwLCJleHAiOjE3MDAwMDAwMDR9.bQtTfHU3cLpvzURvycHciHO7ObSB19Raa4rTrtn41M2wsgwBZBOaedm7b293oNbX9H1GZUFlwFf-BMcDabrsKYbbBds5awgp1-NLh211251KhFEz_F1dyvSqTn_tNhJY_gO5ojx4CuHxnTOXJaGI_zho7ZSGd2_DNVzwpe7S-ikiQe4vLYim0z6d4FWPUHwRAPWsVyj4ilXOgbuOhoiCNlktfAQnjEDTKmHJk00L5zkuFYGzOM8fKcFR6b9inc43JG3PhqCd-_HQ5ctMnADcCno4JDDt_82MYF9P-1kcC6BW3ZgBIopybpT6K6rGEHYXMixGbZxwU30LcfiylkP4yQ";
/// LivePerson's printed example: its hash is that of an empty conversationId.
const PRINTED: &str = "F8488E6143818BB0364717A91F235F7F7F0FE91C464EC6FAC7ECF0D3393EBBAF";
const POSTED: &str = r#"{"botId":"795bb1534e34fc89050304e6f6827c41c50410d7","conversationId":"a845678d-fe5a-429e-bc46-b25d524b9fa7","message":"webrequest","userId":"b849678d-fe4a-439e-bc46-b25d524b9fa7"}"#;

const MOVEO_OPEN: &str =
    "/form?form=claim&channel=web&integration_id=91c7d2e4&session_id=s-1&trigger_node_id=n-1&user_id=u-1";
const MOVEO_BODY: &str = r#"{"trigger_node_id":"n-1","context":{"claim":"CL-20418"}}"#;

/// `1700000000` and so many milliseconds.
fn at(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(1_700_000_000_000 + millis).unwrap()
}

/// A call as the listener records it, answered with `status`.
fn call(millis: i64, method: &str, target: &str, headers: &[(&str, &str)], body: &str, status: u16) -> Call {
    let headers: Headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let body = Bytes::from(body.to_owned());
    let request = Request { method: method.into(), target: target.into(), headers, body, ..Request::default() };
    let platforms = Platforms::builtin().unwrap();
    let kind = platforms.recognise(&request).kind.unwrap();
    let page = Bytes::from_static(b"<!doctype html>\n<title>Form</title>\n<h1>Your claim</h1>\n");
    let html = [("content-type", "text/html")].into_iter().collect();
    let response = match method {
        "GET" => Response { status, headers: html, body: page },
        _ => Response { status, ..Response::default() },
    };
    let id = Id(uuid::Uuid::from_u128(u128::try_from(millis).unwrap()));
    Call {
        kind: Some(kind.name.clone()),
        conversation: kind.read(&request).conversation,
        took: Duration::from_micros(1_843),
        response: Some(response),
        ..Call::new(id, Direction::Received, at(millis), request)
    }
}

fn moveo_callback(millis: i64, headers: &[(&str, &str)], status: u16) -> Call {
    let session = [("X-Moveo-Session-Id", "s-1"), ("Content-Type", "application/json")];
    call(millis, "POST", "/v1/webview/91c7d2e4", &[headers, &session].concat(), MOVEO_BODY, status)
}

fn jelou_callback(millis: i64, key: &str, success: bool) -> Call {
    let body = format!(r#"{{"executionId":"{key}","success":{success},"data":{{"option":2}}}}"#);
    call(millis, "POST", "/v1/webview/callback", &[], &body, 200)
}

/// A recording of `calls`.
async fn recording(folder: &tempfile::TempDir, calls: Vec<Call>) -> PathBuf {
    let path = folder.path().join("pages.jsonl");
    let (recorder, _) = Recorder::open(&path, Options::default(), Box::new(|_| {})).unwrap();
    for call in calls {
        recorder.record(call).await.unwrap();
    }
    recorder.close().await;
    path
}

fn with_key(width: u16, height: u16) -> Stage {
    let mut secrets = Secrets::default();
    secrets.0.insert("moveo/webview".to_owned(), vec![Secret::new("file:public.pem", KEY)]);
    Stage { secrets, ..Stage::size(width, height) }
}

/// A page that was opened, called back from in every way, and not called back from.
fn calls() -> Vec<Call> {
    let token = [("Authorization", TOKEN)];
    vec![
        call(0, "GET", MOVEO_OPEN, &[("Accept", "text/html")], "", 200),
        moveo_callback(500, &token, 200),
        moveo_callback(10_000, &token, 401),
        moveo_callback(11_000, &[], 401),
        call(20_000, "GET", "/pay?order=1&executionId=e-1", &[], "", 200),
        jelou_callback(400_000, "e-1", true),
        call(500_000, "POST", "/thirdparty-services-0.1/webview", &[("Authorization", PRINTED)], POSTED, 401),
    ]
}

#[tokio::test]
async fn the_calls_of_pages() {
    let folder = tempfile::tempdir().unwrap();
    let path = recording(&folder, calls()).await;
    let wait = config::Wait {
        kind: "jelou/webview_open".into(),
        expires: Some(Duration::from_mins(5)),
        message: Some("Finish the payment first".into()),
        variable: Some("payment".into()),
    };
    for (width, height) in SIZES {
        for (name, keys) in [
            ("list", "g"),
            ("opened", "g<enter>z"),
            ("no_body", "g2<enter>z"),
            ("html", "g5<enter>z"),
            ("valid", "gj4<enter>z"),
            ("expired_token", "gjj4<enter>z"),
            ("missing", "gjjj4<enter>z"),
            ("refused", "gjjj<enter>z"),
            ("unsigned", "gjjjj4<enter>z"),
            ("late", "gjjjjj<enter>z"),
            ("hash", "G4<enter>z"),
            ("draft", "ge"),
        ] {
            let config = Config { waits: vec![wait.clone()], ..Config::default() };
            let stage = Stage { config, ..with_key(width, height) };
            let ended = stage.open(&path, keys).await;
            assert_snapshot!(format!("page_{name}_{width}x{height}"), ended.screen);
        }
    }
    let without = Stage { secrets: Secrets::default(), ..Stage::size(80, 24) };
    assert_snapshot!("page_no_secret_80x24", without.open(&path, "gj4<enter>z").await.screen);
}

#[tokio::test]
async fn what_a_draft_without_a_body_sends_is_its_target() {
    let folder = tempfile::tempdir().unwrap();
    let path = recording(&folder, Vec::new()).await;
    // The opening of Jelou's page, its first parameter changed, to our own listener.
    let keys = format!("tg{}e<down><end>X Y<esc>s", "<down>".repeat(12));
    let ended = with_key(120, 40).listen(&path, &keys, |_| async {}).await;
    let answer = ended.app.draft.as_ref().unwrap().answer.as_ref().unwrap().as_ref().unwrap();
    assert_eq!(answer.call.request.target, "/hooks/jelou/webview_open?order=A-1042X%20Y&executionId=exec_abc123xyz");
    assert!(answer.call.request.body.is_empty() && answer.call.status() == Some(200), "{}", ended.screen);
}

#[tokio::test]
async fn a_platforms_own_place_is_real_and_asks() {
    let folder = tempfile::tempdir().unwrap();
    let path = recording(&folder, calls()).await;
    let ended = with_key(80, 24).open(&path, "gjjjjjTjjj<enter>r").await;
    assert_eq!(ended.app.target().unwrap().name, "jelou");
    assert!(ended.screen.contains("Send 1 call to jelou, at workflows.jelou.ai?"), "{}", ended.screen);
    assert_eq!(ended.app.calls.total, 7, "nothing was sent");
}

#[tokio::test]
async fn a_page_is_opened_by_hand_and_its_url_copied() {
    let folder = tempfile::tempdir().unwrap();
    let ended = with_key(80, 24).listen(&folder.path().join("w.jsonl"), "w<enter><enter>y", |_| async {}).await;
    assert_eq!(ended.copied.len(), 1);
    let url = &ended.copied[0];
    assert!(url.contains("/webview?channel=web&integration_id=") && ended.screen.contains("copied"), "{url}");
    let plain: String = ended.screen.lines().map(|line| line.trim_matches('"').trim_end()).collect();
    assert!(plain.contains(&url.split_once("//").unwrap().1.split_once('/').unwrap().1[..70]), "{plain}");
    with_settings!({ filters => vec![("[0-9a-f]{4,8}-[0-9a-f-]{27,31}", "[an id]"), ("session_id=.*", "session_id=…"), (".*trigger_no.*", "…")] }, {
        assert_snapshot!("webview_moveo_80x24", ended.screen);
    });
    let ended = with_key(80, 24).open(&recording(&folder, calls()).await, "w<enter>nonsense<enter>").await;
    assert!(ended.screen.contains("is no URL"), "{}", ended.screen);
}

/// The app without its loop, at a time of the test's own.
struct Screen {
    app: App,
    width: u16,
    height: u16,
    now: Timestamp,
    end: u64,
}

impl Screen {
    fn new(width: u16, height: u16) -> Self {
        let stage = with_key(width, height);
        let app = App::new(stage.setup("w.jsonl".as_ref(), Some("127.0.0.1:4747".parse().unwrap())), at(0));
        Self { app, width, height, now: at(0), end: 0 }
    }

    fn keys(&mut self, script: &str) -> Vec<Effect> {
        let keys = keys::script(script).unwrap();
        let effects = keys.into_iter().flat_map(|key| self.app.update(Event::Key(key), self.now)).collect();
        self.text();
        effects
    }

    /// A call was recorded.
    fn came(&mut self, call: Call) {
        self.now = call.at;
        self.end += 100;
        let place = Place { offset: self.end, len: 100 };
        self.app.update(Event::Recorded(Recorded::Call(Arc::new(call), place)), self.now);
    }

    fn text(&mut self) -> String {
        let mut terminal = Terminal::new(TestBackend::new(self.width, self.height)).unwrap();
        for _ in 0..3 {
            assert_eq!(self.app.settle(), [], "nothing must be read: it is all at hand");
            let mut regions = self.app.regions;
            terminal.draw(|frame| regions = hooktape::view::draw(&self.app, frame)).unwrap();
            self.app.regions = regions;
        }
        terminal.backend().to_string()
    }

    /// The conversation of the page that is open.
    fn conversation(&self) -> String {
        match self.app.dialogs.last() {
            Some(Dialog::Webview { launch }) => launch.flow.conversation.clone(),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn the_dialog_joins_the_callback_to_its_open_and_enter_goes_there() {
    let mut screen = Screen::new(80, 24);
    let asked = screen.keys("wj<enter><enter>");
    let key = screen.conversation();
    assert_eq!(asked, [Effect::HandOut(format!("/webview?executionId={key}"))]);
    assert!(screen.text().contains('█') && screen.text().contains("Waiting for the page"), "{}", screen.text());
    screen.keys("X90<enter>");
    screen.came(call(1_000, "GET", &format!("/webview?executionId={key}"), &[], "", 200));
    screen.text();
    assert!(screen.app.counts_down());
    screen.now = at(31_000);
    screen.app.update(Event::Tick, screen.now);
    let settings = || [("[0-9a-f]{8}-[0-9a-f-]{27}", "[an execution]")].to_vec();
    with_settings!({ filters => settings() }, { assert_snapshot!("webview_waiting_80x24", screen.text()); });
    screen.keys("<enter>");
    assert!(screen.text().contains("no callback has come yet"), "{}", screen.text());
    screen.came(jelou_callback(40_000, &key, false));
    screen.came(jelou_callback(41_000, &key, true));
    screen.keys("");
    assert!(!screen.app.counts_down());
    with_settings!({ filters => settings() }, { assert_snapshot!("webview_joined_80x24", screen.text()); });
    screen.keys("<enter>");
    assert_eq!((screen.app.calls.selected(), screen.app.dialogs.len()), (Some(1), 0));
    assert!(screen.text().contains("ended the wait (this call)"), "{}", screen.text());
}

#[test]
fn a_page_that_is_waited_for_at_three_sizes() {
    const USUAL: usize = 23;
    for (width, height) in SIZES {
        let shown = |name: &str, screen: &mut Screen| {
            let filters = vec![("[0-9a-f]{8}-[0-9a-f-]{4,27}", "[id]"), (r" *[█▀▄].*", " [a QR code]")];
            with_settings!({ filters => filters }, {
                assert_snapshot!(format!("webview_{name}_{width}x{height}"), screen.text());
            });
        };
        let (mut screen, key) = loop {
            let mut screen = Screen::new(width, height);
            screen.keys("w");
            shown("pages", &mut screen);
            screen.keys("j<enter>");
            shown("address", &mut screen);
            screen.keys("<enter>");
            let key = screen.conversation();
            // The key is random, and so is the size of its code: text is wrapped beside one of the usual size.
            let url = format!("http://127.0.0.1:4747/webview?executionId={key}");
            if hooktape::qr::lines(&url).unwrap().len() == USUAL {
                break (screen, key);
            }
        };
        shown("opened", &mut screen);
        screen.keys("X");
        shown("expiration", &mut screen);
        screen.keys("90<enter>");
        screen.came(call(1_000, "GET", &format!("/webview?executionId={key}"), &[], "", 200));
        screen.now = at(31_000);
        screen.app.update(Event::Tick, screen.now);
        shown("counting", &mut screen);
        screen.came(jelou_callback(40_000, &key, true));
        screen.keys("");
        shown("ended", &mut screen);
    }
}

#[test]
fn a_wait_expires_on_the_screen() {
    let mut screen = Screen::new(160, 45);
    screen.keys("wj<enter><enter>X30s<enter>");
    let key = screen.conversation();
    screen.came(call(1_000, "GET", &format!("/webview?executionId={key}"), &[], "", 200));
    assert!(screen.text().contains("0:30, until"), "{}", screen.text());
    screen.now = at(31_000);
    screen.app.update(Event::Tick, screen.now);
    assert!(screen.text().contains("∅ expired at 22:13:51"), "{}", screen.text());
    assert!(!screen.app.counts_down());
    screen.came(jelou_callback(33_500, &key, true));
    assert!(screen.text().contains("late by 2 s"), "{}", screen.text());
    screen.keys("X<backspace><backspace><backspace>0<enter>");
    assert!(screen.text().contains("a duration is written"), "{}", screen.text());
}

#[test]
fn another_conversations_callback_is_not_taken_for_this_ones() {
    let mut screen = Screen::new(80, 24);
    screen.keys("wj<enter><enter>");
    screen.came(jelou_callback(1_000, "another", true));
    assert!(screen.text().contains("Waiting for the page"), "{}", screen.text());
    screen.keys("<esc>");
    assert!(screen.app.dialogs.is_empty());
}
