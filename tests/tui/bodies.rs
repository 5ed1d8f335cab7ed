//! Bodies of every kind and size, through the listener and on the screen.

use crate::support::{Ended, Stage};

/// Sends one call with that body and types `script`.
async fn shown(content_type: &'static str, body: Vec<u8>, script: &str) -> Ended {
    let folder = tempfile::tempdir().unwrap();
    let call = move |base: String| async move {
        let client = reqwest::Client::new();
        client.post(format!("{base}/any")).header("content-type", content_type).body(body).send().await.unwrap();
    };
    Stage::size(100, 30).listen(&folder.path().join("body.jsonl"), script, call).await
}

#[tokio::test]
async fn forms_parts_and_tokens_are_decoded_and_p_shows_them_as_they_came() {
    let form = b"text=Hi+there&text=%C3%A4".to_vec();
    let ended = shown("application/x-www-form-urlencoded", form.clone(), "2<enter>").await;
    assert!(ended.screen.contains("form, decoded") && ended.screen.contains("Hi there"), "{}", ended.screen);
    let ended = shown("application/x-www-form-urlencoded", form, "2<enter>pp").await;
    assert!(ended.screen.contains("text=Hi+there&text=%C3%A4"), "{}", ended.screen);
    let token = b"eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ1MSIsImV4cCI6MX0.c2ln".to_vec();
    let ended = shown("text/plain", token, "2<enter>").await;
    assert!(ended.screen.contains("sub: \"u1\""), "{}", ended.screen);
    let ended = shown("application/octet-stream", b"\xff\xfe\x00A".to_vec(), "2<enter>").await;
    assert!(ended.screen.contains("00000000  ff fe 00 41"), "{}", ended.screen);
}

#[tokio::test]
async fn a_compressed_body_is_shown_unpacked_and_as_it_came() {
    let show = async |body: Vec<u8>, script: &str| {
        let folder = tempfile::tempdir().unwrap();
        let call = move |base: String| async move {
            let sending = reqwest::Client::new().post(format!("{base}/any")).header("content-encoding", "zstd");
            sending.body(body).send().await.unwrap();
        };
        Stage::size(100, 30).listen(&folder.path().join("body.jsonl"), script, call).await.screen
    };
    let packed = zstd::encode_all(&br#"{"text":"good morning"}"#[..], 3).unwrap();
    let screen = show(packed.clone(), "2<enter>").await;
    assert!(screen.contains("text: \"good morning\"") && screen.contains("unpacked 23 bytes"), "{screen}");
    let screen = show(packed.clone(), "2<enter>ppp").await;
    assert!(screen.contains("28 b5 2f fd") && !screen.contains("unpacked"), "{screen}");
    let screen = show(packed, "2<enter>|.text<enter>").await;
    assert!(screen.contains("good morning"), "{screen}");
    let screen = show(b"\xff\xfe".to_vec(), "2<enter>").await;
    assert!(screen.contains("zstd, not unpacked: it is damaged"), "{screen}");
}

#[tokio::test]
async fn a_large_body_is_worked_out_aside_and_walked() {
    let body = format!("[{}]", vec![r#"{"key":"value","list":[1,2,3]}"#; 30_000].join(","));
    let ended = shown("application/json", body.into_bytes(), "2<enter>Gkk/value<enter>nN").await;
    assert!(ended.screen.contains("match 1 of 30000"), "{}", ended.screen);
    assert!(ended.screen.contains("/0/key"), "{}", ended.screen);
}

#[tokio::test]
async fn a_filter_that_ends_nowhere_can_be_left() {
    let ended = shown("application/json", b"[1]".to_vec(), "2<enter>|.[0]+<enter><esc>").await;
    assert!(ended.app.dialogs.is_empty(), "{}", ended.screen);
    let ended = shown("application/json", b"[1,[2]]".to_vec(), "2<enter>|.[1]<enter><esc>").await;
    assert!(ended.screen.contains("[2]"), "esc shows the whole body again\n{}", ended.screen);
}

#[tokio::test]
async fn a_filter_changes_the_body_that_it_was_asked_for() {
    let ended = shown("application/json", b"[1,[2]]".to_vec(), "2<enter>|.[1]|length<enter>").await;
    assert!(ended.screen.contains("jq .[1]|length · esc goes back"), "{}", ended.screen);
    let ended = shown("application/json", b"[1,[2]]".to_vec(), "2<enter>|empty<enter>").await;
    assert!(ended.screen.contains("jq empty gives nothing · esc goes back"), "{}", ended.screen);
    let ended = shown("application/json", b"[1,[2]]".to_vec(), "2<enter>|.[1]<enter><now 5>").await;
    assert!(!ended.screen.contains("jq .[1]"), "the answer is as it was\n{}", ended.screen);
}

#[tokio::test]
async fn a_filter_sees_nothing_of_the_environment() {
    let ended = shown("application/json", b"[1]".to_vec(), "2<enter>|[env|has(\"PATH\",\"HOME\")]<enter>").await;
    assert!(ended.screen.contains("false") && !ended.screen.contains("true"), "{}", ended.screen);
}

#[tokio::test]
async fn a_search_goes_on_in_the_tab_that_it_was_made_in() {
    let ended = shown("application/json", br#"{"a":"x","b":"x"}"#.to_vec(), "2<enter>/x<enter>3n").await;
    assert!(ended.screen.contains("match 2 of 2") && ended.screen.contains("/b"), "{}", ended.screen);
}

#[tokio::test]
async fn a_search_finds_what_json_spells_otherwise() {
    let body = br#"{"a":"Qu\u00e9 tal","b":"x\/y"}"#.to_vec();
    for (keys, at) in [("2<enter>/qué<enter>", "/a"), ("2<enter>/x/y<enter>", "/b"), ("2<enter>p/qué<enter>", "1 of 1")]
    {
        let ended = shown("application/json", body.clone(), keys).await;
        assert!(ended.screen.contains("match 1 of 1") && ended.screen.contains(at), "{keys}\n{}", ended.screen);
    }
    let ended = shown("application/json", body, "e<esc>/qué<enter>").await;
    assert!(!ended.screen.contains("is not in the payload"), "{}", ended.screen);
}

#[tokio::test]
async fn a_filter_takes_nobody_with_it() {
    let filter = async |keys: &str| shown("application/json", b"[1]".to_vec(), keys).await;
    // Four gigabytes in one piece; a function that calls itself for ever.
    for deadly in ["\"aaaaaaaaaa\"*400000000|length", "def<space>f:[f];f"] {
        let ended = filter(&format!("2<enter>|{deadly}<enter>")).await;
        assert!(ended.screen.contains("the filter was ended: it took more than"), "{deadly}\n{}", ended.screen);
    }
    let ended = filter("2<enter>|last(range(1e18))<enter><now esc>").await;
    assert!(ended.screen.contains("the filter was ended") && !ended.screen.contains("jq runs"), "{}", ended.screen);
}
