//! What the screen shows, driven by key strings through the real loop: snapshots of the sample recording, which never
//! changes, and runs with the listener.

use std::path::PathBuf;

use crate::support::{Stage, repository};
use hooktape::config::Secrets;
use insta::{assert_snapshot, with_settings};

fn sample() -> PathBuf {
    repository("recordings/moveo.jsonl")
}

async fn screen(width: u16, height: u16, script: &str) -> String {
    Stage::size(width, height).open(&sample(), script).await.screen
}

#[tokio::test]
async fn the_sample_recording_at_three_sizes() {
    assert_snapshot!("list_40x12", screen(40, 12, "").await);
    assert_snapshot!("list_80x24", screen(80, 24, "").await);
    assert_snapshot!("list_160x45", screen(160, 45, "").await);
    assert_snapshot!("envelope_160x45", screen(160, 45, "gjjjj<enter>jjjj").await);
}

#[tokio::test]
async fn every_tab_at_three_sizes() {
    for (name, keys) in [
        ("envelope", "gjjjj<enter>z"),
        ("envelope_changes", "gjjjj<enter>zGkkkkkkkkkkkkkkk"),
        ("body", "gjjjj2<enter>z"),
        ("body_walked", "gjjjj2<enter>z--jjjjjjjjl+Jh"),
        ("body_pretty", "gjjjj2p<enter>z"),
        ("body_exact", "gjjjj2pp<enter>z"),
        ("body_bytes", "gjjjj2ppp<enter>z"),
        ("body_filtered", "gjjjj2<enter>z|.intents[] | select(.confidence > 0.4)<enter>"),
        ("body_filter_wrong", "gjjjj2<enter>z|.intents[<enter>"),
        ("headers", "gjjjj3<enter>z"),
        ("signature_valid", "gjjjj4<enter>z"),
        ("signature_invalid", "G4<enter>z"),
        ("response", "gjjjj5<enter>z"),
    ] {
        for (width, height) in [(40, 12), (80, 24), (160, 45)] {
            assert_snapshot!(format!("tab_{name}_{width}x{height}"), screen(width, height, keys).await);
        }
    }
}

#[tokio::test]
async fn every_dialog_at_three_sizes() {
    for (name, keys) in [
        ("help", "?"),
        ("palette", ":rep"),
        ("targets", "T"),
        ("address", "T<enter>"),
        ("tests", "t"),
        ("filter_wrong", "/kind:dialog stat:"),
        ("filter", "/sig:invalid<enter>"),
        ("filter_completion", "/kind:dialog st"),
        ("filter_completion_unfinished", "/kind:dialog sig:<down><down>"),
        ("filter_nothing", "/nothing<enter>"),
        ("yank", "y"),
        ("help_search", "?/call<enter>"),
        ("find", "gjj2<enter>/visitor<enter>"),
        ("jq", "gjj2<enter>|.input["),
        ("note", ";"),
        ("log", "pSL"),
        ("conversations", "v"),
        ("pages", "w"),
        ("options", "gR"),
        ("options_typing", "gRjjjjje"),
        ("plots", "Z"),
        ("plots_jump", "Z}"),
        ("comparison", "gmjmc"),
        ("variables_none", "V"),
        ("fixtures_none", "f"),
    ] {
        for (width, height) in [(40, 12), (80, 24), (160, 45)] {
            let folder = tempfile::tempdir().unwrap();
            let recording = folder.path().join("moveo.jsonl");
            std::fs::copy(sample(), &recording).unwrap();
            let stage = Stage { data: Some(folder.path().to_owned()), ..Stage::size(width, height) };
            let screen = Box::pin(stage.open(&recording, keys)).await.screen;
            with_settings!({ filters => vec![(r"│ \d\d:\d\d:\d\d  ", "│ [time]    ")] }, {
                assert_snapshot!(format!("dialog_{name}_{width}x{height}"), screen);
            });
        }
    }
}

#[tokio::test]
async fn a_draft() {
    for (width, height) in [(40, 12), (80, 24), (160, 45)] {
        assert_snapshot!(format!("draft_{width}x{height}"), screen(width, height, "gjjjje").await);
    }
    assert_snapshot!("draft_broken_80x24", screen(80, 24, "gjjjjex").await);
    assert_snapshot!("draft_exact_80x24", screen(80, 24, "gjjjje<esc>x").await);
}

#[tokio::test]
async fn without_a_secret_the_signature_tab_says_how_to_get_one() {
    let stage = Stage { secrets: Secrets::default(), ..Stage::size(80, 24) };
    assert_snapshot!(stage.open(&sample(), "gjjjj4<enter>z").await.screen);
}

#[tokio::test]
async fn why_a_draft_cannot_be_signed_is_read_to_its_end() {
    for (width, height) in [(40, 12), (80, 24), (160, 45)] {
        let play = async |keys: &str| {
            let stage = Stage { secrets: Secrets::default(), ..Stage::size(width, height) };
            stage.open(&sample(), &format!("gjje{keys}")).await.screen
        };
        assert_snapshot!(format!("draft_unsigned_{width}x{height}"), play("<esc>").await);
        // A click has it drawn before the next key.
        let last = play(&format!("<esc>{}", "<click 0 0>j".repeat(12))).await;
        assert!(last.contains("signing") && !last.contains("more"), "{last}");
    }
}

#[tokio::test]
async fn a_long_notice_is_read_to_its_end() {
    const TEXT: &str =
        "the editor that was named in the environment could not be started, for the file that it is in is not there";
    for (width, height) in [(40, 12), (80, 24)] {
        let screen = async |keys: &str| {
            Stage { editor: |_| Err(TEXT.to_owned()), ..Stage::size(width, height) }.open(&sample(), keys).await.screen
        };
        let told = screen("gE").await.replace(['"', '\n'], "");
        let words: Vec<&str> = told.split_whitespace().collect();
        assert!(words.join(" ").ends_with(TEXT) && told.contains("opened │ 7 calls"), "{told}");
        assert!(!screen("gEj").await.contains("not there"));
    }
}

#[tokio::test]
async fn what_is_said_before_the_first_call_is_scrolled() {
    let folder = tempfile::tempdir().unwrap();
    let screen = async |keys: &str| {
        let path = folder.path().join(format!("{}.jsonl", keys.len()));
        Stage::size(40, 12).listen(&path, keys, |_| async {}).await.screen
    };
    let first = screen("").await;
    assert!(first.contains("1 to 9 of") && !first.contains("Recording to"), "{first}");
    for keys in ["G", "<pgdn><pgdn><pgdn><pgdn><pgdn>", &"<wheel-down 5 5>".repeat(12)] {
        let last = screen(keys).await;
        assert!(last.contains("Recording to"), "{keys}: {last}");
    }
}

#[tokio::test]
async fn before_the_first_call_the_screen_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    for (width, height) in [(40, 12), (80, 24), (160, 45)] {
        let recording = folder.path().join(format!("{width}.jsonl"));
        let ended = Stage::size(width, height).listen(&recording, "", |_| async {}).await;
        let screen = ended.screen.replace(&folder.path().display().to_string(), "DATA");
        with_settings!({ filters => vec![("DATA/.*", "[recording]")] }, {
            assert_snapshot!(format!("empty_{width}x{height}"), screen);
        });
    }
}

#[tokio::test]
async fn the_demo_shows_a_conversation_with_verdicts() {
    let folder = tempfile::tempdir().unwrap();
    let ended = Stage::size(100, 60).listen(&folder.path().join("demo.jsonl"), "D", |_| async {}).await;
    for word in ["first_message", "auth_validation", "post_message", "✓ valid", "✗ invalid", "tampered"] {
        assert!(ended.screen.contains(word), "{word} is not on\n{}", ended.screen);
    }
    assert_eq!(ended.app.calls.total, 15);
}

#[tokio::test]
async fn from_a_call_to_an_edited_replay_in_three_keys() {
    let folder = tempfile::tempdir().unwrap();
    let recording = folder.path().join("replay.jsonl");
    // `t enter` makes the call and aims at the listener; then e, typing, esc, s.
    let ended = Stage::size(160, 45)
        .listen(&recording, "t<enter><esc>ge<down><down><end><left><left>X<esc>s", |_| async {})
        .await;
    let draft = ended.app.draft.as_ref().unwrap();
    let answer = draft.answer.as_ref().unwrap().as_ref().unwrap();
    assert_eq!(answer.call.status(), Some(200));
    assert_eq!(answer.call.sig, Some(hooktape::call::Sig::Valid), "the edit was signed anew");
    assert!(answer.call.parent.is_some(), "it is linked to its original");
    assert!(
        std::str::from_utf8(&answer.call.request.body)
            .unwrap()
            .starts_with(r#"{"channel":"web","channel_type":"messagingX""#)
    );
    assert!(ended.screen.contains("200 OK"), "{}", ended.screen);
}

#[tokio::test]
async fn what_a_draft_may_go_on_with_is_offered_and_taken() {
    assert_snapshot!("draft_offers_80x24", screen(80, 24, "gjjjje<right><enter>\"his").await);
    let drafted = |keys: &'static str| async move {
        let ended = Stage::size(80, 24).open(&sample(), keys).await;
        ended.app.draft.unwrap().text()
    };
    let taken = drafted("gjjjje<right><enter>\"his<tab>[]").await;
    assert!(taken.starts_with("{\n\"history\": []\n"), "{taken}");
    let left = drafted("gjjjje<right><enter>\"his<esc><tab>x").await;
    assert!(left.contains("\"his ") && !left.contains("history"), "{left}");
    let typed = drafted("gjjjje<right><enter>\"hi<enter>").await;
    assert!(typed.starts_with("{\n\"hi\n"), "enter is a new line: {typed}");
}

#[tokio::test]
async fn one_value_is_changed_and_no_other_byte() {
    let body = |ended: &crate::support::Ended| ended.app.draft.as_ref().unwrap().body();
    let whole = Stage::size(80, 24).open(&sample(), "gjjjje").await;
    let before = String::from_utf8(body(&whole).to_vec()).unwrap();
    let ended = Stage::size(80, 24).open(&sample(), "gjjjj2<enter>j=<backspace>-2\"<enter>").await;
    let after = before.replacen("\"channel\":\"web\"", "\"channel\":\"web-2\"", 1);
    assert_eq!((body(&ended), after != before), (after.into(), true), "{}", ended.screen);
    assert!(ended.screen.contains("one value changed") && !ended.screen.contains("typing"), "{}", ended.screen);
    let wrong = Stage::size(80, 24).open(&sample(), "gjjjj2<enter>j=x<enter>").await;
    assert!(wrong.app.draft.is_none() && wrong.screen.contains("the value is not JSON"), "{}", wrong.screen);
    let ended = Stage::size(80, 24).open(&sample(), "gjjjj3=").await;
    assert!(ended.app.dialogs.is_empty() && ended.screen.contains("no value at the cursor"), "{}", ended.screen);
    let ended = Stage::size(80, 24).open(&sample(), "gjjjj2<enter>=").await;
    assert!(ended.screen.contains("this holds other values: change them here (esc stops typing)"), "{}", ended.screen);
}

#[tokio::test]
async fn one_value_of_a_query_is_changed() {
    let ended = Stage::size(80, 24).open(&repository("recordings/moveo-webview.jsonl"), "g1<enter>=").await;
    assert_snapshot!("dialog_set_80x24", ended.screen);
    let before = Stage::size(80, 24).open(&repository("recordings/moveo-webview.jsonl"), "ge").await;
    let before = before.app.draft.as_ref().unwrap().target();
    let ended = Stage::size(80, 24).open(&repository("recordings/moveo-webview.jsonl"), "g1<enter>=X<enter>").await;
    let after = ended.app.draft.as_ref().unwrap().target();
    assert_eq!(after.len(), before.len() + 1, "{before}\n{after}");
}

#[tokio::test]
async fn an_editor_outside_comes_back_as_a_draft() {
    let folder = tempfile::tempdir().unwrap();
    let stage = Stage { editor: |text| Ok(text.replace("\"web\"", "\"viber\"") + "\n"), ..Stage::size(120, 40) };
    let ended = stage.listen(&folder.path().join("editor.jsonl"), "t<enter><esc>gEs", |_| async {}).await;
    let answer = ended.app.draft.as_ref().unwrap().answer.as_ref().unwrap().as_ref().unwrap();
    assert!(std::str::from_utf8(&answer.call.request.body).unwrap().starts_with(r#"{"channel":"viber","#));
}

#[tokio::test]
async fn a_broken_editor_leaves_the_draft_as_it_was() {
    let stage = Stage { editor: |_| Err("vi ended with 1".to_owned()), ..Stage::size(80, 24) };
    let ended = stage.open(&sample(), "gE").await;
    assert!(!ended.app.draft.as_ref().unwrap().touched());
    assert!(ended.screen.contains("vi ended with 1"), "{}", ended.screen);
}

#[tokio::test]
async fn an_exact_replay_repeats_every_byte() {
    let folder = tempfile::tempdir().unwrap();
    let recording = folder.path().join("again.jsonl");
    let ended = Stage::size(120, 40).listen(&recording, "t<enter><esc>gRjjjjl<enter><esc>", |_| async {}).await;
    // The sample, as sent and as received; then the replay of the first, sent and received.
    assert_eq!(ended.app.calls.total, 4);
    let reader = hooktape::recording::Reader::open(&recording).unwrap();
    let bodies: Vec<_> =
        (0..4).map(|n| reader.call(ended.app.index.get(n).unwrap().place).unwrap().request.body).collect();
    assert!(bodies.iter().all(|body| *body == bodies[0]));
}

#[tokio::test]
async fn a_replay_with_no_target_asks_where_to() {
    let ended = Stage::size(80, 24).open(&sample(), "gr").await;
    assert!(ended.screen.contains("Where to?"), "{}", ended.screen);
    // A port where nothing listens.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.jsonl");
    std::fs::copy(sample(), &copy).unwrap();
    let ended = Stage::size(80, 24).open(&copy, &format!("gr<enter>{closed}<enter>")).await;
    assert!(ended.screen.contains("nothing listens at"), "{}", ended.screen);
    assert_eq!(ended.app.calls.total, 8, "the attempt is in the recording too");
}

#[tokio::test]
async fn what_the_wire_says_never_reaches_the_terminal_raw() {
    let folder = tempfile::tempdir().unwrap();
    let evil = "\u{1b}]0;pwned\u{7}\u{1b}[2J\u{202e}";
    let body =
        serde_json::json!({ "lang": evil, "channel": "web", "context": { evil: evil }, "input": { "text": evil } });
    let call = move |base: String| async move {
        let client = reqwest::Client::new();
        client.post(format!("{base}/hooks")).header("x-evil", "a\tb").body(body.to_string()).send().await.unwrap();
        client.post(format!("{base}/raw")).body(evil).send().await.unwrap();
    };
    for script in ["", "12345", "k2p", "k1<enter>", "k3<enter>", "ke"] {
        let path = folder.path().join(format!("{}.jsonl", script.len()));
        let _ = std::fs::remove_file(&path);
        let ended = Stage::size(120, 40).listen(&path, script, call.clone()).await;
        let raw = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!ended.screen.contains(raw), "{script}:\n{}", ended.screen);
    }
}

#[tokio::test]
async fn a_guarded_target_asks_and_names_host_and_count() {
    let mut config = hooktape::config::Config::default();
    let guarded = hooktape::config::Target::new("production", "https://hooks.example.com/moveo");
    config.targets.push(hooktape::config::Target { guard: true, ..guarded });
    let stage = Stage { config, ..Stage::size(80, 24) };
    let ended = stage.open(&sample(), "gr").await;
    assert!(ended.screen.contains("Send 1 call to production, at hooks.example.com?"), "{}", ended.screen);
    assert_eq!(ended.app.sending.calls, 0);
}

#[tokio::test]
async fn the_filter_narrows_with_every_key_and_esc_goes_back() {
    let ended = Stage::size(80, 24).open(&sample(), "/windscreen<enter>").await;
    assert_eq!(ended.app.calls.len(), 2, "{}", ended.screen);
    let ended = Stage::size(80, 24).open(&sample(), "/windscreen<esc>").await;
    assert_eq!(ended.app.calls.len(), 7);
    let ended = Stage::size(80, 24).open(&sample(), "/kind:dialog<enter><esc>").await;
    assert_eq!(ended.app.calls.len(), 7, "esc drops a filter that was kept");
}

#[tokio::test]
async fn jumps_within_a_conversation_and_back_to_the_original() {
    let ended = Stage::size(80, 24).open(&sample(), "goo").await;
    assert_eq!(ended.app.calls.selected(), Some(2));
    let folder = tempfile::tempdir().unwrap();
    let ended = Stage::size(80, 24).listen(&folder.path().join("o.jsonl"), "t<enter><esc>grG^", |_| async {}).await;
    assert_eq!(ended.app.calls.selected(), Some(0), "{}", ended.screen);
}

#[tokio::test]
async fn edits_that_were_not_sent_are_dropped_only_by_the_key_that_is_named() {
    // Whatever else closes a draft asks in its turn.
    for script in ["geX<esc><esc>", "geX<esc>q", "geX<esc><esc>q", "geX<esc>qq", "geX<esc><esc><click 5 5><esc>"] {
        let kept = Stage::size(80, 24).open(&sample(), script).await;
        assert!(kept.app.draft.as_ref().is_some_and(|draft| draft.text().starts_with('X')), "{script}");
        assert!(kept.screen.contains("esc drops the edits now, which were not sent"), "{script}: {}", kept.screen);
    }
    let kept = Stage::size(80, 24).open(&sample(), "geX<esc><esc>j<esc>").await;
    assert!(kept.app.draft.is_some());
    for script in ["geX<esc><esc><esc>", "geX<esc>q<esc>", "ge<esc><esc>", "ge<esc>q"] {
        assert!(Stage::size(80, 24).open(&sample(), script).await.app.draft.is_none(), "{script}");
    }
}
