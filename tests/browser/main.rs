//! What happens in a real browser: hooktape's own page, and pages of customers that call hooktape from another origin.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

#[path = "../support/answering.rs"]
mod answering;
mod chromium;
mod elsewhere;
#[path = "../support/lane.rs"]
#[expect(dead_code, reason = "here a browser is the caller")]
mod lane;
mod stand_in;

use serde_json::Value;

use lane::Listener;

/// The calls that a listener with `--format json` took, oldest first.
fn calls(listener: &mut Listener) -> Vec<Value> {
    let ended = listener.end("TERM");
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    ended.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Method, kind, verdict and status of a call.
fn gist(call: &Value) -> String {
    let text = |name: &str| call[name].as_str().unwrap_or("-");
    format!("{} {} {} {}", text("method"), text("kind"), text("sig"), call["status"])
}
