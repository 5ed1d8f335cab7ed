//! What the envelope of a call shows, and what it says of each value.

use rstest::rstest;

use super::*;

fn envelope(kind: &str, body: &str) -> Envelope {
    platforms().kind(kind).unwrap().envelope(&post("/", body))
}

fn section<'a>(envelope: &'a Envelope, title: &str) -> Vec<(&'a str, &'a str, Option<f64>)> {
    let section = envelope.sections.iter().find(|section| section.title == title).unwrap();
    section.rows.iter().map(|row| (row.label.as_str(), row.value.as_str(), row.score)).collect()
}

#[test]
fn the_envelope_of_a_dialog_call() {
    let envelope = envelope("dialog", OLDER);
    let titles: Vec<&str> = envelope.sections.iter().map(|section| section.title.as_str()).collect();
    assert_eq!(
        titles,
        ["Input", "Intents", "Entities", "Dialog stack", "Context variables", "System variables", "Conversation"]
    );
    assert_eq!(section(&envelope, "Intents"), [("erasmus", "0.89", Some(0.89))]);
    assert_eq!(section(&envelope, "Entities"), [("firstname", "George", Some(1.0))]);
    assert_eq!(section(&envelope, "Dialog stack"), [("path", "greetings → plan_erasmus", None)]);
    assert_eq!(
        section(&envelope, "Context variables"),
        [("total_months", "3", None), ("destination", "England", None), ("total_expenses", "500", None)]
    );
    assert_eq!(section(&envelope, "System variables").len(), 3);
    assert_eq!(section(&envelope, "Conversation")[4], ("tags", r#"["erasmus","destination"]"#, None));
    let entities = &envelope.sections[2].rows[0];
    assert_eq!(
        (entities.pointer.as_str(), entities.meaning.as_deref()),
        ("/entities/0/value", Some("What it stands for"))
    );
}

#[test]
fn the_envelope_tells_what_each_value_means() {
    let envelope = envelope("pre_message", DOCUMENTED);
    let meaning = |pointer: &str| {
        let rows = envelope.sections.iter().flat_map(|section| &section.rows);
        rows.into_iter().find(|row| row.pointer == pointer).unwrap().meaning.clone().unwrap()
    };
    assert_eq!(meaning("/desk_id"), "Environment identifier");
    assert_eq!(meaning("/business_closed"), "true if the conversation is happening outside business hours");
    assert_eq!(meaning("/context/user/user_id"), "The user's unique ID in Moveo");
    assert_eq!(
        meaning("/context/sys-user_message_counter"),
        "System variable: how many messages the user has sent in this session; 1 in a first message"
    );
    assert_eq!(
        section(&envelope, "Conversation").into_iter().find(|row| row.0 == "timestamp").unwrap().1,
        "1761045302529 = 2025-10-21T11:15:02.529Z"
    );
    assert_eq!(section(&envelope, "Input")[1], ("attachments", "[]", None));
    assert_eq!(envelope.text.as_deref(), Some("hi"));
}

#[test]
fn meanings_follow_references_patterns_and_unions() {
    let platforms = platforms();
    let kind = platforms.kind("post_message").unwrap();
    for (pointer, words) in [
        ("/context/sys-new", "A system variable"),
        ("/context/claim", "A context variable"),
        ("/output/3/options/0/label", "What the quick reply shows"),
        ("/debug/dialog_stack", "Path of dialog nodes traversed"),
        ("/input", "The user input that started this turn"),
        ("", "Fires after the agent"),
    ] {
        assert!(kind.meaning(pointer).unwrap_or_default().starts_with(words), "{pointer}");
    }
    assert_eq!(kind.meaning("/nowhere"), None);
}

#[rstest]
#[case("dialog", "input input/text intents entities debug/dialog_stack user_message_counter")]
#[case("first_message", "input input/text input/attachments business_closed")]
#[case("pre_message", "input input/text input/attachments business_closed")]
#[case("post_message", "input intents entities output debug/dialog_stack user_message_counter")]
fn every_row_of_the_documented_tables_has_its_meaning(#[case] kind: &str, #[case] added: &str) {
    let envelope = "channel channel_type session_id desk_id integration_id brain_id lang context timestamp history";
    let platforms = platforms();
    for field in envelope.split(' ').chain(added.split(' ')) {
        assert!(platforms.kind(kind).unwrap().meaning(&format!("/{field}")).is_some(), "{field}");
    }
}

#[test]
fn odd_bodies_have_an_envelope_too() {
    assert_eq!(envelope("dialog", "<xml/>"), Envelope::default());
    let odd = envelope(
        "dialog",
        r#"{"intents":{"a":1},"entities":[1,{"entity":"e"}],"debug":{"dialog_stack":[7]},"context":3,"a/b":1e3,"history":[1,2]}"#,
    );
    assert_eq!(section(&odd, "Conversation"), [("a/b", "1e3", None)]);
    let conversation = odd.sections.iter().find(|section| section.title == "Conversation").unwrap();
    assert_eq!(conversation.rows[0].pointer, "/a~1b");
    assert_eq!(section(&odd, "Entities"), [("1", "1", None), ("e", r#"{"entity":"e"}"#, None)]);
    assert_eq!(section(&odd, "Dialog stack"), [("path", "7", None)]);
    assert_eq!(section(&odd, "History"), [("entries", "2", None)]);
}

#[test]
fn the_reply_that_a_text_gets_is_in_the_envelope() {
    let platforms = platforms();
    let kind = platforms.kind("post_message").unwrap();
    let envelope = kind.envelope(&kind.sample());
    let planned = section(&envelope, "Planned reply");
    assert_eq!((planned[0].0, planned[1].0), ("text", "url"));
    assert!(planned[0].1.starts_with("Good news, Zoë"));
}
