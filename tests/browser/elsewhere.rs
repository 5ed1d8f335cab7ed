//! Pages of customers, served from an origin of their own, that call hooktape as they would call the platform.

use hooktape::signature::keys;
use serde_json::json;

use crate::answering::answering;
use crate::chromium::Browser;
use crate::lane::{HOOKTAPE, Home, Listener};
use crate::{calls, gist};

const MOVEO: &str = include_str!("pages/moveo.html");
const LIVEPERSON: &str = include_str!("pages/liveperson.html");
const JELOU: &str = include_str!("pages/jelou.html");

/// Serves `page` whatever is asked for, at an origin that it returns, as long as the test runs.
pub fn serve(page: String) -> String {
    answering("200 OK\ncontent-type: text/html", page)
}

/// A customer's `page` for `listener`, served elsewhere.
fn page_for(listener: &Listener, page: &str) -> String {
    serve(page.replace("{{hooktape}}", &format!("http://{}", listener.address)))
}

#[test]
fn moveos_page_is_authentic_and_reads_why_it_is_not() {
    let pair = keys::new_rsa().unwrap();
    let home = Home::new();
    let usual = ["listen", "--listen", "127.0.0.1:0", "--record", "tape.jsonl", "--format", "json"];
    let mut command = home.command(HOOKTAPE, &[&usual[..], &["--secret", "moveo/webview=env:PUBLIC_KEY"]].concat());
    command.env("PUBLIC_KEY", &pair.public_pem);
    let mut listener = Listener::start(command);
    let origin = page_for(&listener, &MOVEO.replace("{{key}}", &pair.private_base64));
    let query = "channel=facebook&integration_id=i-1&page_id=p-1&session_id=s-1&trigger_node_id=t-1&user_id=u-1";
    let browser = Browser::new();
    let page = browser.open(&format!("{origin}/company/claim?{query}"));

    page.fill("input", "ZA-1");
    page.click_until("button", "output", "200");
    // The form of Moveo's integration guides, with their issuer, and what else they call.
    let guides = "iss: 'www.integration-guides.moveo.ai'";
    let body = "{ context: {}, trigger_node_id: triggerNodeId, user_id: userId, page: { psid: userId } }";
    assert_eq!(page.eval(&format!("call('/v1/facebook/i-1/webview', {{ body: {body}, {guides} }})"))["status"], 200);
    assert_eq!(page.eval(&format!("call('/v1/context/i-1?channel=facebook', {{ {guides} }})"))["status"], 200);
    let survey = "{ feedback: 'Thanks', rating: 5, session_id: sessionId, timestamp: Date.now() }";
    assert_eq!(page.eval(&format!("call('/v1/survey/i-1', {{ body: {survey}, {guides} }})"))["status"], 200);
    assert_eq!(page.console(), [""; 0]);

    let error = |code: &str, message: &str, status: u16| json!({ "status": status, "error_code": code, "error_message": message, "status_code": status });
    assert_eq!(
        page.eval(&format!("call('/v1/webview/i-1', {{ body: {body}, expiresIn: -60 }})")),
        error("unauthorized", "Invalid or expired JWT", 401)
    );
    assert_eq!(
        page.eval("call('/v1/webview/i-1', { body: { context: {} } })"),
        error("invalid-payload", "Missing trigger_node_id", 400)
    );

    let calls = calls(&mut listener);
    assert_eq!(calls[1]["request"]["json"], json!({ "trigger_node_id": "t-1", "context": { "plate": "ZA-1" } }));
    let asked = calls.iter().filter(|call| gist(call) == "OPTIONS - - 204").count();
    assert!(asked >= 4, "each path is asked for before it is called: {asked}");
    let gists: Vec<String> = calls.iter().map(gist).filter(|gist| !gist.starts_with("OPTIONS")).collect();
    assert_eq!(
        gists,
        [
            "POST moveo/webview_callback valid 200",
            "POST moveo/webview_callback valid 200",
            "GET moveo/webview_context valid 200",
            "POST moveo/webview_survey valid 200",
            "POST moveo/webview_callback stale 401",
            "POST moveo/webview_callback valid 400",
        ]
    );
}

#[test]
fn livepersons_page_is_authentic_and_reads_that_it_is_not() {
    let home = Home::new();
    let mut listener = home.listen(&["--format", "json"]);
    let browser = Browser::new();
    let page = browser.open(&format!("{}/form?userId=u-1&convId=c-1&botId=b-1", page_for(&listener, LIVEPERSON)));
    page.fill("[name=user_name]", "Ada");
    page.fill("[name=favorite_color]", "blue");
    page.click_until("button", "output", "200");
    assert_eq!(page.console(), [""; 0]);
    let refused = page.eval("sha256(' || b-1').then((auth) => post(auth, { botId, conversationId, userId }))");
    assert_eq!((&refused["status"], &refused["error"]), (&401.into(), &"Authorization does not fit".into()));

    let calls = calls(&mut listener);
    assert_eq!(
        calls[1]["request"]["json"]["contextVariables"][1],
        json!({ "name": "favorite_color", "value": "blue" })
    );
    assert_eq!(
        calls.iter().map(gist).collect::<Vec<_>>(),
        ["OPTIONS - - 204", "POST liveperson/webview valid 200", "POST liveperson/webview invalid 401"]
    );
}

#[test]
fn jelous_page_unblocks_the_flow_either_way() {
    let home = Home::new();
    let mut listener = home.listen(&["--format", "json"]);
    let browser = Browser::new();
    let page = browser.open(&format!("{}/pay?foo=1&executionId=exec_1", page_for(&listener, JELOU)));
    for button in ["#paid", "#failed"] {
        page.eval("document.querySelector('output').textContent = ''");
        page.click_until(button, "output", "200");
    }
    assert_eq!(page.console(), [""; 0]);

    let calls = calls(&mut listener);
    let bodies: Vec<_> =
        calls.iter().filter(|call| call["method"] == "POST").map(|call| &call["request"]["json"]).collect();
    assert_eq!(
        bodies,
        [
            &json!({ "executionId": "exec_1", "success": true, "data": { "order": "A-1042" } }),
            &json!({ "executionId": "exec_1", "success": false }),
        ]
    );
    assert!(calls[1..].iter().all(|call| gist(call) == "POST jelou/webview_callback unsigned 200"));
}
