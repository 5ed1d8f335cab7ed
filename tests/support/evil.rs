//! A recording with what could act on a terminal in every field that is shown.

use serde_json::json;

/// Clears the screen, sets the title, writes from right to left, and more of that kind, in one word without `/`.
pub const EVIL: &str = "\u{1b}[2J\u{1b}]0;pwned\u{7}\u{9b}31m\u{202e}\u{200b}\r\u{8}\u{85}é";

/// Whether a text holds something that acts on a terminal.
pub fn acts(text: &str) -> bool {
    let acts = |char: char| (char.is_control() && char != '\n') || matches!(char, '\u{202e}' | '\u{200b}');
    text.contains(acts)
}

/// The recording: three calls, each with what was said of it.
pub fn recording() -> String {
    let mut lines = vec![json!({ "hooktape": 1, "created": "2026-11-21T10:00:00Z", "by": EVIL })];
    let body = json!({
        "lang": EVIL, "channel": EVIL, "session_id": EVIL, "brain_id": EVIL, "context": { EVIL: [EVIL, { EVIL: EVIL }] },
        "input": { "text": EVIL, EVIL: EVIL }, "intents": [], "entities": [],
    });
    for (number, kind) in ["moveo/dialog", EVIL, &format!("{EVIL}/{EVIL}")].into_iter().enumerate() {
        let id = format!("01a1ffe9-5cf2-73ff-a883-2ee86f0886e{number}");
        let headers = json!([["host", EVIL], [EVIL, EVIL], ["x-moveo-signature", EVIL], ["content-type", EVIL]]);
        let bodies = [("json", body.clone()), ("text", EVIL.into()), ("base64", "G1sySv+bAIUK".into())];
        let (form, body) = bodies[number].clone();
        let response = json!({ "headers": headers, form: body });
        lines.push(json!({
            "id": id, "at": "2026-11-21T10:00:01Z", "dir": "received", "kind": kind, "conv": EVIL, "sig": "invalid",
            "method": format!("P{EVIL}"), "path": format!("/{EVIL}?a={EVIL}"), "status": 200, "took_us": 5, "size": 9,
            "parent": null, "error": EVIL, "forwarded": { "to": EVIL, "total_us": 4 },
            "request": { "headers": headers, form: body }, "response": response,
        }));
        lines.push(json!({ "note": id, "at": "2026-11-21T10:00:02Z", "text": EVIL }));
    }
    let lines: Vec<String> = lines.into_iter().map(|line| format!("{line}\n")).collect();
    // A line that is no JSON at all, so that it is told of.
    format!("{}{{\"id\":\"{EVIL}\",\"kind\":{EVIL}}}\n", lines.concat())
}
