mod envelopes;
mod fields;
mod findings;
mod judging;
mod keyring;
mod own;
mod webviews;

use jiff::Timestamp;
use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::call::{Response, Sig};
use crate::config::{Secret, Secrets};

/// moveo-ai/integration-guides, README.md.
const PUBLISHED: &str = r#"{"lang": "el", "channel":"web", "context": {"firstname": "John", "lastname": "Snow"}}"#;
/// The documented example of the first and pre message webhooks.
const DOCUMENTED: &str = r#"{"channel":"web","session_id":"8563dcdf-64ef-4de2-a5ca-b96e0557e4e8","desk_id":"d3d08940-f0ef-42e0-993c-1bea065dcqwe","integration_id":"","brain_id":"d3d08940-f0ef-42e0-993c-1bea065dcqwe","lang":"en","context":{"user":{"user_id":"test-O44vJC-TuXiJXh8hkXvlZ","display_name":"Visitor 2020","verified":false},"sys-channel":"web","sys-business":"open","sys-user_message_counter":1},"timestamp":1761045302529,"input":{"text":"hi","attachments":[]},"business_closed":false}"#;
/// An older documented example of the dialog webhook.
const OLDER: &str = r#"{"channel":"web","session_id":"00d2ff33-706e-4a2c-8544-df6c9d0c1ecf","brain_id":"d3d08940-f0ef-42e0-993c-1bea065dcqwe","lang":"en","context":{"total_months":3,"destination":"England","sys-unknown_counter":0,"sys-channel":"web","sys-user_message_counter":1,"total_expenses":500},"input":{"text":"Hello, my name is George and I would like to go for erasmus"},"intents":[{"intent":"erasmus","confidence":0.89}],"entities":[{"entity":"firstname","value":"George","start":18,"end":36,"confidence":1,"type":"user"}],"tags":["erasmus","destination"],"debug":{"dialog_stack":[{"node_id":"35411a26-cff7-4fb3-a2e9-0e8e6ada048a","name":"greetings"},{"node_id":"a85b10e8-e7f3-40df-9715-196c4eae5f14","name":"plan_erasmus"}]}}"#;

fn platforms() -> Platforms {
    Platforms::builtin().unwrap()
}

fn post(target: &str, body: &str) -> Request {
    Request { method: "POST".into(), target: target.into(), body: body.to_owned().into(), ..Request::default() }
}

fn ok(body: &str) -> Response {
    Response { status: 200, body: body.to_owned().into(), ..Response::default() }
}

/// What `target` and `body` are recognised as: the kind, then those it may be as well.
fn recognised(target: &str, body: &str) -> Vec<String> {
    let platforms = platforms();
    let found = platforms.recognise(&post(target, body));
    found.kind.into_iter().chain(found.also).map(|kind| kind.name.clone()).collect()
}

fn findings(kind: &str, body: &str) -> Vec<String> {
    shown(&platforms().kind(kind).unwrap().check_request(&post("/", body)))
}

fn answer(kind: &str, body: &str) -> Vec<String> {
    shown(&platforms().kind(kind).unwrap().check_response(&ok(body)))
}

fn shown(findings: &[Finding]) -> Vec<String> {
    findings
        .iter()
        .map(|finding| format!("{} {}: {}", finding.severity.word(), finding.pointer, finding.sentence))
        .collect()
}

#[test]
fn every_builtin_pack_keeps_its_contract() {
    let platforms = platforms();
    assert!(platforms.packs().count() > 0);
    for pack in platforms.packs() {
        assert_eq!(contract::problems(&platforms, pack), []);
    }
}

#[test]
fn the_samples_have_no_finding_at_all_and_tell_one_conversation() {
    let platforms = platforms();
    let mut conversations: Vec<_> = Vec::new();
    let told: Vec<&Kind> = platforms.packs().flat_map(Pack::story).collect();
    for kind in &told {
        let sample = kind.sample();
        assert_eq!(shown(&kind.check_request(&sample)), [""; 0], "{}", kind.name);
        let own = kind.spec.sample_target.clone().unwrap_or_else(|| format!("/hooks/{}", kind.name));
        assert_eq!(sample.path(), own);
        assert_eq!(sample.query().is_some(), kind.reads_the_query(), "{}", kind.name);
        if !kind.reads_the_query() {
            assert_eq!(sample.headers.get("content-type"), Some("application/json"));
        }
        assert!(!sample.body.contains(&b'\n'));
        let read = kind.read(&sample);
        conversations.push((kind.platform().to_owned(), read.conversation.unwrap(), read.user));
    }
    conversations.dedup();
    assert_eq!(
        conversations.len(),
        platforms.packs().filter(|pack| pack.story().next().is_some()).count(),
        "{conversations:?}"
    );
}

#[rstest]
#[case::published("/", PUBLISHED, &["moveo/dialog"])]
#[case::documented("/", DOCUMENTED, &["moveo/pre_message", "moveo/first_message"])]
#[case::named_by_path("/api/first-message", DOCUMENTED, &["moveo/first_message"])]
#[case::older("/", OLDER, &["moveo/dialog"])]
#[case::second_turn("/", r#"{"input":{},"business_closed":true,"context":{"sys-user_message_counter":2}}"#, &["moveo/pre_message"])]
#[case::validation("/", r#"{"request_id":"uuid","session_id":"uuid","value":"123-45-6789","context":{}}"#, &["moveo/auth_validation"])]
#[case::a_value_of_anybodys("/api/identify-ssn", r#"{"value":"123-45-6789"}"#, &[])]
#[case::message_with_attachments("/", r#"{"input":{"text":"hi","attachments":[]},"context":{},"lang":"en"}"#, &["moveo/pre_message"])]
#[case::message_or_dialog("/", r#"{"input":{"text":"hi"},"context":{},"lang":"en"}"#, &["moveo/pre_message", "moveo/dialog"])]
#[case::dialog_by_intents("/", r#"{"input":{"text":"hi"},"context":{},"lang":"en","intents":[]}"#, &["moveo/dialog"])]
#[case::pre_enter("/", r#"{"request_id":"uuid","session_id":"uuid","context":{}}"#, &["moveo/auth_pre_enter"])]
#[case::post_message("/", r#"{"output":[],"input":{},"context":{}}"#, &["moveo/post_message"])]
#[case::not_json_but_named("/hooks/moveo/dialog", "{", &["moveo/dialog"])]
#[case::body_beats_path("/hooks/moveo/dialog", r#"{"output":[]}"#, &["moveo/post_message"])]
#[case::named_by_kind_alone("/hooks/dialog", "{", &[])]
#[case::something_else("/", r#"{"hello":1}"#, &[])]
#[case::not_an_object("/", "[]", &[])]
#[case::empty("/", "", &[])]
fn bodies_and_paths_tell_the_kind(#[case] target: &str, #[case] body: &str, #[case] kinds: &[&str]) {
    assert_eq!(recognised(target, body), kinds);
}

#[test]
fn the_shortest_validation_is_known_by_its_signature() {
    let mut call = post("/api/identify-ssn", r#"{"value":"123-45-6789"}"#);
    call.headers.push("x-moveo-signature", "00");
    assert_eq!(platforms().recognise(&call).kind.unwrap().name, "moveo/auth_validation");
}

#[test]
fn a_first_message_goes_where_pre_messages_go_if_it_has_no_place_of_its_own() {
    let platforms = platforms();
    let kind = |name: &str| platforms.kind(name).unwrap();
    assert_eq!(kind("first_message").describe().instead.as_deref(), Some("moveo/pre_message"));
    assert_eq!(kind("pre_message").describe().instead, None);
    // Of two that fit alike a route has said which where it is not the usual one.
    let could_be = |kind_taken: &str| {
        let others = platforms.could_be(&post("/hook", DOCUMENTED), kind(kind_taken));
        others.into_iter().map(|kind| kind.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(could_be("pre_message"), ["moveo/first_message"]);
    assert_eq!(could_be("first_message"), [""; 0]);
    assert_eq!(could_be("dialog"), ["moveo/pre_message", "moveo/first_message"]);
}

#[test]
fn another_method_is_no_webhook() {
    let get = Request { method: "GET".into(), ..post("/hooks/moveo/dialog", PUBLISHED) };
    assert!(platforms().recognise(&get).kind.is_none());
}

#[test]
fn a_cut_call_is_known_by_the_platforms_header_and_its_path() {
    let mut cut = post("/api/pre_message", &DOCUMENTED[..100]);
    cut.cut = true;
    let platforms = platforms();
    assert!(platforms.recognise(&cut).kind.is_none());
    cut.headers.push("x-moveo-request-id", "1");
    let kind = platforms.recognise(&cut).kind.unwrap();
    assert_eq!(kind.name, "moveo/pre_message");
    assert_eq!(
        shown(&kind.check_request(&cut)),
        ["note : Only the beginning of the body is recorded, so it was not held against the contract."]
    );
    cut.origin = Some("http://127.0.0.1:1".to_owned());
    assert_eq!(
        shown(&kind.check_request(&cut)),
        ["note : Only the beginning of the body was sent, so it was not held against the contract."]
    );
}

#[test]
fn issuers_of_ones_own_are_taken_beside_the_documented_ones() {
    let mut platforms = platforms();
    platforms.allow_issuers("moveo/webview", &["www.shop.example".into()]).unwrap();
    platforms.allow_issuers("moveo", &["www.other.example".into()]).unwrap();
    let scheme = platforms.kind("webview_survey").unwrap().scheme().unwrap();
    assert_eq!(scheme.issuers().first().unwrap(), "www.webviews.moveo.ai");
    assert!(scheme.issuers().ends_with(&["www.shop.example".into(), "www.other.example".into()]));
    assert_eq!(platforms.pack("moveo").unwrap().schemes()["webview"].issuers(), scheme.issuers());
    for name in ["moveo/webhook", "jelou", "nobody"] {
        let error = platforms.allow_issuers(name, &["x".into()]).unwrap_err();
        assert!(
            error.ends_with("has no tokens with an issuer: known are \"moveo/webview\", \"dialogflow-cx/id_token\""),
            "{error}"
        );
    }
}

#[test]
fn kinds_go_by_both_names() {
    let platforms = platforms();
    let kind = platforms.kind("dialog").unwrap();
    assert_eq!((kind.name.as_str(), kind.platform(), kind.bare()), ("moveo/dialog", "moveo", "dialog"));
    assert!(platforms.kind("moveo/dialog").is_some());
    assert!(platforms.kind("moveo/other").is_none() && platforms.kind("").is_none());
    assert!(platforms.kind(None).is_none() && platforms.kind(Some("moveo/dialog")).is_some());
    assert_eq!([platforms.title_of("moveo"), platforms.title_of("other")], ["Moveo.AI", "other"]);
}

#[test]
fn reading_finds_conversation_user_and_text() {
    let platforms = platforms();
    let kind = platforms.kind("moveo/pre_message").unwrap();
    assert_eq!(
        kind.read(&post("/", DOCUMENTED)),
        Reading {
            conversation: Some("8563dcdf-64ef-4de2-a5ca-b96e0557e4e8".into()),
            user: Some("test-O44vJC-TuXiJXh8hkXvlZ".into()),
            text: Some("hi".into()),
            summary: None,
        }
    );
    let mut bare = post("/", r#"{"session_id":null}"#);
    assert_eq!(kind.read(&bare), Reading::default());
    bare.headers.push("X-Moveo-Session-Id", "s-1");
    assert_eq!(kind.read(&bare).conversation.as_deref(), Some("s-1"));
}

#[test]
fn what_the_documentation_publishes_is_departed_from_at_most_by_notes() {
    let platforms = platforms();
    for (kind, body) in [("dialog", PUBLISHED), ("dialog", OLDER), ("pre_message", DOCUMENTED)] {
        let findings = platforms.kind(kind).unwrap().check_request(&post("/", body));
        assert!(findings.iter().all(|finding| finding.severity == Severity::Note), "{:?}", shown(&findings));
    }
    let published = findings("dialog", PUBLISHED);
    assert!(
        published.contains(&"note /desk_id: `desk_id` is missing (Environment identifier).".to_owned()),
        "{published:?}"
    );
}

#[test]
fn requests_are_held_against_their_tables() {
    assert_eq!(
        findings("auth_validation", r#"{"request_id":1,"session_id":"s","value":"","context":{},"new":true}"#),
        [
            "warning /request_id: `request_id` must be a string, it is the number 1.",
            "warning /value: `value` is empty.",
            "note /new: `new` is not in the contract.",
        ]
    );
    let all = findings("dialog", &OLDER.replace("0.89", "89").replace("\"lang\":\"en\"", "\"verify_token\":\"123\""));
    assert!(
        all.contains(&"warning /intents/0/confidence: `confidence` is 89, at most 1 is expected.".into()),
        "{all:?}"
    );
    assert!(all.iter().any(|finding| finding.contains("mask it before you share")), "{all:?}");
    assert_eq!(findings("dialog", ""), ["error : The body is empty; a JSON object is expected."]);
}

#[test]
fn a_conversation_that_is_too_long_for_a_key_is_its_beginning_and_a_hash() {
    let platforms = platforms();
    let kind = platforms.kind("dialog").unwrap();
    let key = |id: &str| {
        let call = post("/", &format!(r#"{{"session_id":"{id}"}}"#));
        let key = kind.conversation(&Seen::new(&call)).unwrap();
        assert_eq!(kind.read(&call).conversation.as_ref(), Some(&key));
        key
    };
    let whole = "a".repeat(500);
    assert_eq!(key(&whole), whole);
    let (one, two) = (key(&format!("{}1", "é".repeat(1_000_000))), key(&format!("{}2", "é".repeat(1_000_000))));
    assert!(one.len() <= 500 && one != two && one.starts_with(&"é".repeat(240)), "{one}");
    let of_one_crc32 = ["plumless", "buckeroo"].map(|end| key(&format!("{}{end}", "a".repeat(600))));
    assert_ne!(of_one_crc32[0], of_one_crc32[1], "who calls does not put two conversations into one");
}

#[test]
fn the_source_of_a_finding_is_the_document() {
    let platforms = platforms();
    let kind = platforms.kind("dialog").unwrap();
    let source = |body: &str, pointer: &str| {
        let findings = kind.check_request(&post("/", body));
        findings.into_iter().find(|finding| finding.pointer == pointer).map(|finding| finding.source)
    };
    assert_eq!(source(r#"{"lang":1}"#, "/lang").as_deref(), Some("Moveo docs: Webhooks, Common envelope"));
    assert_eq!(source("{}", "/intents").as_deref(), Some("Moveo docs: Webhooks, Dialog webhook"));
}

#[rstest]
#[case::valid("auth_validation", r#"{"valid":false}"#, &[])]
#[case::no_valid("auth_validation", r#"{"ok":true}"#, &[
    "error /valid: `valid` is missing (Whether the candidate answer is accepted; the agent learns nothing else). There is no third state; missing or malformed `valid` is treated as a system error.",
    "note /ok: `ok` is not in the contract.",
])]
#[case::valid_as_text("auth_validation", r#"{"valid":"true"}"#, &[
    "error /valid: `valid` must be a boolean (true or false), it is the string \"true\". There is no third state; missing or malformed `valid` is treated as a system error.",
])]
#[case::not_an_object("auth_validation", "true", &["error : The body must be an object, it is the boolean true."])]
#[case::ground_truth("auth_pre_enter", r#"{"output":{"name":"Maria Papadopoulou","dob":"1980-04-12"}}"#, &[])]
#[case::no_record("auth_pre_enter", r#"{"output":null}"#, &[])]
#[case::no_output("auth_pre_enter", "{}", &[
    "error /output: `output` is missing (Merged into the conversation context, as ground truth for the verification questions; null when there is no record). A malformed reply makes the authentication flow exit with a system failure.",
])]
#[case::output_list("auth_pre_enter", r#"{"output":[]}"#, &[
    "error /output: `output` must be null or an object, it is an array. A malformed reply makes the authentication flow exit with a system failure.",
])]
#[case::rewrite("pre_message", r#"{"context":{"a":1},"input":{"text":"hello","trigger_node_id":"n"}}"#, &[])]
#[case::reply_on_behalf("first_message", r#"{"responses":[]}"#, &[
    "error /responses: This webhook cannot reply on the agent's behalf: `responses` are not delivered. Return `context` or `input`.",
])]
#[case::user_variable("pre_message", r#"{"context":{"user":{}}}"#, &[
    "warning /context/user: User variables cannot be set by a webhook: what is under `user` has no effect.",
])]
#[case::both_updates("dialog", r#"{"context":{},"output":{}}"#, &[
    "note : The reply has both `context` and `output`. The documentation returns variables in `context`, the integration guides in `output`; which one wins is not published, so send one.",
])]
#[case::guides("dialog", r#"{"responses":[],"output":{"total_cost":120}}"#, &[])]
#[case::context_list("dialog", r#"{"context":[]}"#, &[
    "error /context: `context` must be an object, it is an array. The agent gets no context variables from this reply.",
])]
#[case::text("dialog", r#"{"responses":[{"type":"text","texts":["Hi"],"options":[{"label":"a","text":"b"}]}]}"#, &[])]
#[case::outbound_text("dialog", r#"{"responses":[{"type":"text","text":"Hi"}]}"#, &[
    "warning /responses/0: A webhook's text action has `texts`, a list of strings; `text` is the form of outbound messages.",
])]
#[case::silent_text("dialog", r#"{"responses":[{"type":"text"}]}"#, &[
    "error /responses/0: A text action needs `texts`, a list of strings: without it there is nothing to say.",
])]
#[case::one_text("dialog", r#"{"responses":[{"type":"text","texts":"Hi"}]}"#, &[
    "error /responses/0/texts: `texts` must be an array, it is the string \"Hi\". A text action says one of its `texts`, a list of strings.",
])]
#[case::unknown_action("dialog", r#"{"responses":[{"type":"txt"}]}"#, &[
    "warning /responses/0/type: `type` is the string \"txt\"; known: \"text\", \"image\", \"video\", \"file\", \"audio\", \"url\", \"carousel\", \"webview\", \"handover\", \"event\", \"webhook\", \"tag\", \"reset\", \"set_variables\", \"replay\", \"close\". No document names this as an action that a webhook returns.",
])]
#[case::no_type("dialog", r#"{"responses":[{"texts":["a"]}]}"#, &["error /responses/0/type: `type` is missing (What the action does)."])]
#[case::a_list("dialog", "[]", &["error : The body must be an object, it is an array."])]
#[case::not_an_action("dialog", r#"{"responses":["Hi"]}"#, &["error /responses/0: `responses/0` must be an object, it is the string \"Hi\"."])]
#[case::seven_cards("dialog", r#"{"responses":[{"type":"carousel","cards":[{},{},{},{},{},{},{}]}]}"#, &[
    "error /responses/0/cards: `cards` has 7 items, at most 6 are allowed.",
])]
#[case::buttons("dialog", r#"{"responses":[{"type":"carousel","cards":[{"buttons":[]},{"buttons":[{"type":"tap","label":"x"}]}]}]}"#, &[
    "error /responses/0/cards/0/buttons: `buttons` has 0 items, at least 1 are needed.",
    "warning /responses/0/cards/1/buttons/0/type: `type` is the string \"tap\"; known: \"url\", \"postback\", \"phone\", \"webview\".",
])]
#[case::no_url("dialog", r#"{"responses":[{"type":"image"}]}"#, &["error /responses/0/url: `url` is missing (Where it is)."])]
#[case::override_reply("post_message", r#"{"responses":[{"type":"text","texts":["Hi"]}]}"#, &[])]
#[case::template("post_message", r#"{"responses":[{"type":"text","texts":["Hi","Hi {{$name}}"]}]}"#, &[
    "warning /responses/0/texts/1: The reply is delivered as it is: `{{` is shown to the user, for no context variable is substituted here.",
])]
#[case::empty("dialog", "", &["warning : The body is empty; a JSON object is expected."])]
#[case::empty_auth("auth_validation", "", &["error : The body is empty; a JSON object is expected."])]
fn answers_are_held_against_the_contract(#[case] kind: &str, #[case] body: &str, #[case] expected: &[&str]) {
    assert_eq!(answer(kind, body), expected);
}

#[rstest]
#[case("auth_pre_enter", 500)]
#[case("auth_validation", 404)]
#[case("dialog", 302)]
fn another_status_than_2xx_is_a_finding(#[case] kind: &str, #[case] status: u16) {
    let findings = platforms().kind(kind).unwrap().check_response(&Response { status, ..ok("{}") });
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].severity, Severity::Error);
    assert_eq!(findings[0].sentence, format!("The status is {status}; 2xx is expected."));
}

#[test]
fn an_answer_that_is_not_json_is_told_where() {
    let said = answer("dialog", "{\"context\": {},\n <html>}");
    assert!(said.len() == 1 && said[0].starts_with("error : The body is not JSON: line 2, column 2: "), "{said:?}");
}

#[test]
fn bodies_that_are_not_text_or_too_deep_are_findings() {
    let platforms = platforms();
    let kind = platforms.kind("dialog").unwrap();
    let response = Response { status: 200, body: vec![b'{', 0xff].into(), ..Response::default() };
    assert_eq!(shown(&kind.check_response(&response)), ["error : The body is not JSON: byte 2 is not UTF-8."]);
    let deep = "[".repeat(300) + &"]".repeat(300);
    for body in [deep.as_str(), "{\"context\": {\"a\": 1e400}}"] {
        let said = shown(&kind.check_response(&ok(body)));
        assert!(said.len() == 1 && said[0].starts_with("warning : The body could not be held against"), "{said:?}");
    }
}

#[test]
fn verification_picks_scheme_and_secrets() {
    let platforms = platforms();
    let kind = platforms.kind("dialog").unwrap();
    let token = Secret::new("env:MOVEO_TOKEN", *b"123456789");
    let wrong = Secret::new("env:OTHER", *b"other");
    let filed = |name: &str, secret: &Secret| {
        let mut secrets = Secrets::default();
        secrets.0.insert(name.into(), vec![secret.clone()]);
        secrets
    };
    let mut call = post("/", PUBLISHED);
    let verify = |call: &Request, kind, secrets: &Secrets, route: &[&Secret]| {
        platforms.verify(call, kind, secrets, route, Timestamp::UNIX_EPOCH)
    };
    assert_eq!(verify(&call, Some(kind), &Secrets::default(), &[]).sig, Sig::Missing);
    assert_eq!(verify(&call, None, &Secrets::default(), &[]).sig, Sig::Unsigned);
    call.headers.push("x-moveo-signature", "7b2e526f80d3ad094ee0a2ccc2501afdab7044f89839f9fcba9466d15a967774");

    let verdict = verify(&call, Some(kind), &Secrets::default(), &[]);
    assert_eq!(verdict.sig, Sig::NoSecret);
    assert!(verdict.reason.contains("`--secret moveo=env:MOVEO_TOKEN`"), "{}", verdict.reason);
    assert_eq!(verify(&call, Some(kind), &filed("moveo", &token), &[]).sig, Sig::Valid);
    assert_eq!(verify(&call, Some(kind), &filed("moveo/webhook", &token), &[]).sig, Sig::Valid);
    assert_eq!(
        verify(&call, None, &filed("moveo", &token), &[]).sig,
        Sig::Valid,
        "not recognised, but it bears the header"
    );
    assert_eq!(verify(&call, Some(kind), &filed("moveo", &wrong), &[&token]).sig, Sig::Valid);
    assert_eq!(verify(&call, Some(kind), &filed("moveo", &token), &[&wrong]).sig, Sig::Invalid);

    let why = platforms.diagnose(&call, Some(kind), &filed("moveo", &token), &[&wrong], Timestamp::UNIX_EPOCH);
    assert!(why[0].contains("signed with env:MOVEO_TOKEN, which is configured for moveo"), "{why:?}");
    assert!(platforms.diagnose(&post("/", "{}"), None, &Secrets::default(), &[], Timestamp::UNIX_EPOCH).is_empty());
}

#[test]
fn a_kind_describes_itself() {
    let description = platforms().kind("dialog").unwrap().describe();
    assert_eq!(description.name, "moveo/dialog");
    assert!(description.fires.contains("webhook action") && description.returns.contains("responses"));
    assert!(description.signed.unwrap().contains("HMAC-SHA256 of the body, in hex, in X-Moveo-Signature"));
}

#[test]
fn packs_are_shared_between_threads() {
    fn shared<T: Send + Sync>(_: &T) {}
    shared(&platforms());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever comes over the wire is shown, and what is shown is where it says.
    #[test]
    fn a_damaged_sample_is_still_read(which: prop::sample::Index, at: prop::sample::Index, byte: u8) {
        let platforms = platforms();
        let kinds: Vec<&Kind> = platforms.kinds().collect();
        let kind = which.get(&kinds);
        let mut call = kind.sample();
        if kind.reads_the_query() {
            let query = call.query().unwrap();
            let at = call.target.len() - query.len() + at.index(query.len());
            call.target.replace_range(at..=at, char::from(byte).encode_utf8(&mut [0; 2]));
        } else {
            let mut body = call.body.to_vec();
            let at = at.index(body.len());
            body[at] = byte;
            call.body = body.into();
        }
        let found = platforms.recognise(&call);
        prop_assert!(found.kind.is_some(), "its path and headers name it");
        for row in kind.envelope(&call).sections.iter().flat_map(|section| &section.rows) {
            prop_assert!(doc::Doc::new(&kind.document(&call)).find(&row.pointer).is_some(), "{}", row.pointer);
        }
        for finding in kind.check_request(&call) {
            prop_assert!(!finding.sentence.is_empty() && !finding.source.is_empty());
        }
    }
}

#[test]
fn a_name_that_is_there_twice_is_told() {
    let platforms = Platforms::builtin().unwrap();
    let kind = platforms.kind("jelou/webview_callback").unwrap();
    let mut request = kind.sample();
    request.body = r#"{"executionId":"e","success":false,"data":{},"success":true}"#.into();
    let findings = kind.check_request(&request);
    let told: Vec<_> = findings.iter().map(|finding| (finding.pointer.as_str(), finding.severity)).collect();
    assert_eq!(told, [("/success", Severity::Warning)]);
}

#[test]
fn a_body_that_came_compressed_is_answered_like_one_that_did_not() {
    let platforms = platforms();
    for kind in platforms.kinds().filter(|kind| !kind.reads_the_query()) {
        let plain = kind.sample();
        let mut packed = plain.clone();
        packed.body = zstd::encode_all(&plain.body[..], 1).unwrap().into();
        packed.headers.push("content-encoding", "zstd");
        let answer = |request: &Request| kind.answer(request, Some(Sig::Valid), &[]);
        assert_eq!(answer(&packed), answer(&plain), "{}", kind.name);
        let mut damaged = packed.clone();
        damaged.body = packed.body.slice(..packed.body.len() / 2);
        let told = kind.check_request(&damaged);
        assert!(
            kind.request.is_none() || told.iter().any(|finding| finding.sentence.contains("packed as zstd")),
            "{told:?}"
        );
    }
}
