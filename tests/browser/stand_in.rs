//! The page that the listener serves where a platform opens one: read, filled in, sent back, closed.

use rstest::rstest;
use serde_json::Value;

use crate::chromium::{Browser, NAME, Page};
use crate::lane::Home;
use crate::{calls, elsewhere, gist};

const MOVEO: &str = "/form?theme=dark&channel=web&integration_id=i-1&session_id=s-1&trigger_node_id=t-1&user_id=u-1";
const JELOU: &str = "/pay?foo=1&executionId=exec_abc123xyz";
const LIVEPERSON: &str = "/form?userId=u-1&convId=c-1&botId=b-1";

/// A chat that opens the page at `url`.
fn chat<'a>(browser: &'a Browser, url: &str) -> Page<'a> {
    let url: String = url::form_urlencoded::byte_serialize(url.as_bytes()).collect();
    browser.open(&format!("{}/?{url}", elsewhere::serve(include_str!("pages/chat.html").to_owned())))
}

/// Replaces the variables of the sample by two of the test's.
fn fill_in(page: &Page<'_>) {
    while page.eval("document.querySelector('.drop') !== null") == true {
        page.click(".drop");
    }
    for (name, value) in [("plate", "ZA-1"), ("count", "2"), ("", "has no name")] {
        page.click("#add");
        page.fill(".row:last-child .name", name);
        page.fill(".row:last-child .value", value);
    }
}

#[rstest]
#[case::moveo(
    MOVEO,
    "#send",
    "moveo/webview_callback valid",
    r#"{"trigger_node_id":"t-1","context":{"plate":"ZA-1","count":2}}"#
)]
#[case::jelou_success(
    JELOU,
    "#send",
    "jelou/webview_callback unsigned",
    r#"{"executionId":"exec_abc123xyz","success":true,"data":{"plate":"ZA-1","count":2}}"#
)]
#[case::jelou_error(
    JELOU,
    "#fail",
    "jelou/webview_callback unsigned",
    r#"{"executionId":"exec_abc123xyz","success":false,"data":{"plate":"ZA-1","count":2}}"#
)]
#[case::liveperson(
    LIVEPERSON,
    "#send",
    "liveperson/webview valid",
    r#"{"botId":"b-1","conversationId":"c-1","userId":"u-1",
        "contextVariables":[{"name":"plate","value":"ZA-1"},{"name":"count","value":"2"}]}"#
)]
fn opened_from_a_chat_it_calls_back_and_closes_itself(
    #[case] target: &str,
    #[case] button: &str,
    #[case] expected: &str,
    #[case] body: &str,
) {
    let home = Home::new();
    let mut listener = home.listen(&["--format", "json"]);
    let browser = Browser::new();
    let chat = chat(&browser, &format!("http://{}{target}", listener.address));
    let page = chat.popup("#window");

    let shown = page.text("#query");
    for pair in target.split(['?', '&']).skip(1) {
        assert!(shown.contains(&pair.replace('=', "\t")), "{pair}: {shown}");
    }
    assert_eq!(page.text("#findings"), "");
    fill_in(&page);
    let told = page.click_until(button, "#outcome", "200: sent back.");
    assert!(told.contains("\n{"), "{told}");
    page.closed();
    assert_eq!(page.console(), [""; 0]);

    let calls = calls(&mut listener);
    assert_eq!(calls.iter().map(gist).collect::<Vec<_>>()[1..], [format!("POST {expected} 200")]);
    assert_eq!(calls[1]["request"]["json"], serde_json::from_str::<Value>(body).unwrap());
}

#[test]
fn where_no_script_opened_it_it_says_that_it_can_be_closed() {
    let home = Home::new();
    let mut listener = home.listen(&["--format", "json"]);
    let browser = Browser::new();
    let page = browser.open(&format!("http://{}{LIVEPERSON}", listener.address));
    page.fill("#message", "request successful");
    page.click_until("#send", "#outcome", "200: sent back. You can close this page.");
    assert_eq!(calls(&mut listener)[1]["request"]["json"]["message"], "request successful");
}

/// As Moveo's web chat shows it, whose frame is closed by a message.
#[test]
fn in_a_frame_it_asks_to_be_closed() {
    let home = Home::new();
    let mut listener = home.listen(&["--format", "json"]);
    let browser = Browser::new();
    let chat = chat(&browser, &format!("http://{}{MOVEO}", listener.address));
    chat.click("#frame");
    chat.until("document.querySelector('iframe').className === 'loaded'");
    // Into the first input, where enter sends the form.
    chat.eval("document.querySelector('iframe').focus()");
    chat.press("Tab");
    chat.press("Enter");
    chat.until("document.querySelector('iframe').hidden");
    assert_eq!(gist(&calls(&mut listener)[1]), "POST moveo/webview_callback valid 200");
}

#[test]
fn an_error_answer_is_shown() {
    let home = Home::new();
    let mut listener = home.listen(&["--format", "json"]);
    let browser = Browser::new();
    let url = format!("http://{}{}", listener.address, MOVEO.replace("trigger_node_id", "node"));
    let page = browser.open(&url);
    assert!(page.text("#findings").contains("`trigger_node_id` is missing"));
    page.click_until("#send", "#outcome", "400: not taken.");
    let answer: Value = serde_json::from_str(&page.text("#answer")).unwrap();
    assert_eq!((&answer["status_code"], &answer["error_message"]), (&400.into(), &"Missing trigger_node_id".into()));
    assert_eq!(gist(&calls(&mut listener)[1]), "POST moveo/webview_callback valid 400");
}

#[test]
fn a_listener_that_went_away_is_told() {
    let home = Home::new();
    let mut listener = home.listen(&[]);
    let browser = Browser::new();
    let page = browser.open(&format!("http://{}{JELOU}", listener.address));
    listener.end("TERM");
    page.click_until("#send", "#outcome", "The callback did not get through: ");
    assert_eq!(page.eval("document.querySelector('#send').disabled"), false);
}

#[test]
fn nothing_of_the_url_runs_and_the_policy_would_not_let_it() {
    let home = Home::new();
    let listener = home.listen(&[]);
    let browser = Browser::new();
    let attacks = [
        "<script>window.ran=1</script>",
        "</script><script>window.ran=1</script>",
        "<img src=x onerror=window.ran=1>",
        "{{nonce}}{{call}}",
        "`${window.ran=1}`",
    ];
    let values = attacks.map(|attack| url::form_urlencoded::byte_serialize(attack.as_bytes()).collect::<String>());
    let query = values.map(|value| format!("&session_id={value}&{value}=x")).concat();
    let page = browser.open(&format!("http://{}/?integration_id=i{query}", listener.address));
    let shown = page.text("#query");
    for attack in attacks {
        assert!(shown.contains(&format!("session_id\t{attack}")) && shown.contains(&format!("{attack}\tx")), "{shown}");
    }
    assert_eq!(page.eval("window.ran ?? document.querySelectorAll('img').length"), 0);
    assert_eq!(page.console(), [""; 0]);

    page.eval("document.body.insertAdjacentHTML('beforeend', '<button id=bad onclick=window.ran=1>bad</button>')");
    page.click("#bad");
    assert_eq!(page.eval("window.ran ?? 0"), 0);
    assert_eq!(page.eval("fetch('http://127.0.0.1:9/').then(() => 'sent', () => 'kept')"), "kept");
    let console = page.console();
    for blocked in ["Executing inline event handler violates", "Connecting to 'http://127.0.0.1:9/' violates"] {
        assert!(console.iter().any(|line| line.starts_with(blocked)), "{console:?}");
    }
}

/// A name over plain HTTP is no secure context, as a phone's in the same network is none: `crypto.subtle` is not there.
#[test]
fn it_needs_no_secure_context() {
    let home = Home::new();
    let mut listener = home.listen(&["--format", "json"]);
    let browser = Browser::new();
    let url = format!("http://{}{MOVEO}", listener.address.replace("127.0.0.1", NAME));
    let page = browser.open(&url);
    assert_eq!(page.eval("isSecureContext"), false);
    assert!(page.text("#signed").contains("hooktape's own test secret"));
    page.click_until("#send", "#outcome", "200");
    assert_eq!(gist(&calls(&mut listener)[1]), "POST moveo/webview_callback valid 200");
}
