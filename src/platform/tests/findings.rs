//! How much is told of a body that has very much.

use super::*;

fn findings(kind: &str, body: &str) -> Vec<Finding> {
    platforms().kind(kind).unwrap().check_request(&post("/", body))
}

fn dialog(intents: &str, more: &str) -> String {
    format!(r#"{{"context":{{}},"channel":"web","lang":"en","session_id":"s","intents":[{intents}]{more}}}"#)
}

#[test]
fn of_very_many_departures_the_gravest_few_are_told_and_how_many_more() {
    let many = dialog(&vec!["1"; 20_000].join(","), "");
    let found = findings("moveo/dialog", &many);
    assert!(found.len() <= 210, "{}", found.len());
    let few = findings("moveo/dialog", &dialog("1", ""));
    // Each rule that is broken is told of, however often another is.
    assert!(few.iter().filter(|finding| finding.pointer != "/intents/0").all(|finding| found.contains(finding)));
    let more = found.iter().find(|finding| finding.sentence.ends_with("not listed.")).unwrap();
    assert_eq!(more.sentence, "19950 more departures are not listed.");
    let names: Vec<String> = (0..10_000).map(|number| format!(r#","n{number}":0"#)).collect();
    let found = findings("moveo/dialog", &dialog("", &names.concat()));
    assert!(found.len() < 100, "{}", found.len());
    assert!(found.iter().any(|finding| finding.sentence == "9950 more departures are not listed."));
}

#[test]
fn of_very_many_members_the_first_are_rows() {
    let names: Vec<String> = (0..5000).map(|number| format!(r#""n{number}":0"#)).collect();
    let body = format!(r#"{{"context":{{{}}},"session_id":"s"}}"#, names.join(","));
    let envelope = platforms().kind("moveo/dialog").unwrap().envelope(&post("/", &body));
    let context = envelope.sections.iter().find(|section| section.more > 0).unwrap();
    assert_eq!((context.rows.len(), context.rows.len() + context.more), (1000, 5000));
}

#[test]
fn a_body_that_would_cost_too_much_is_not_held_against_its_contract() {
    let name = "k".repeat(1_000_000);
    for more in [format!(r#","{name}":{{"a":1}}"#), format!(r#","x":[{}]"#, vec!["1"; 60_000].join(","))] {
        let found = findings("moveo/dialog", &dialog("1", &more));
        assert!(found.iter().any(|finding| finding.sentence.contains("was not held against the contract")));
        assert!(found.iter().all(|finding| finding.pointer.is_empty() && finding.sentence.len() < 1000));
    }
    let name = "k".repeat(3000);
    let found = findings("moveo/dialog", &dialog("", &format!(r#","{name}":1"#)));
    let quoted = found.iter().find(|finding| finding.sentence.contains("kkk")).unwrap();
    assert!(quoted.pointer.len() > 3000 && quoted.sentence.len() < 300, "{}", quoted.sentence);
}
