//! The webviews of the built-in packs: the page that is opened and what the page posts back, as the documents have them.

use super::*;

const OPENED: &str = "/Company/webview-name?channel=facebook&integration_id=1a234567-b8cd-9e0f-1234-g5h6ij78klmn&page_id=1234567890123456&session_id=ab1c23d4-5ef6-7gh8-i9hj-k0lm12345n6o&trigger_node_id=123456a7-bc89-01d2-345e-67f89g012h34&user_id=1234567890123456";
/// As the integration guides send it.
const SENT: &str = r#"{"context":{"name":"Jo"},"trigger_node_id":"n-1","user_id":"u-1","page":null}"#;
const UNBLOCKS: &str = r#"{"executionId":"exec_abc123xyz","success":true,"data":{"option":2}}"#;
const POSTED: &str = r#"{"botId":"795bb1534e34fc89050304e6f6827c41c50410d7","conversationId":"a845678d-fe5a-429e-bc46-b25d524b9fa7","message":"webrequest","userId":"b849678d-fe4a-439e-bc46-b25d524b9fa7","contextVariables":[{"name":"PaymentId","value":"534e34fc89050304e6f6827c41c50410d7"},{"name":"PaymentStatus","value":"PROCESSED"}]}"#;

fn call(method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> Request {
    Request {
        method: method.into(),
        headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        ..post(target, body)
    }
}

fn get(target: &str) -> Request {
    call("GET", target, &[], "")
}

fn seen(request: &Request) -> Vec<String> {
    let platforms = platforms();
    let found = platforms.recognise(request);
    found.kind.into_iter().chain(found.also).map(|kind| kind.name.clone()).collect()
}

fn said(kind: &str, request: &Request) -> Vec<String> {
    shown(&platforms().kind(kind).unwrap().check_request(request))
}

#[rstest]
#[case::moveo_documented(OPENED, &["moveo/webview_open"])]
#[case::moveo_two_missing("/form?x=1&session_id=s&user_id=u", &["moveo/webview_open"])]
#[case::moveo_reads_context("/v1/context/91c7?channel=web", &["moveo/webview_context"])]
#[case::jelou("/pay?foo=1&executionId=exec_abc123xyz", &["jelou/webview_open"])]
#[case::liveperson("/form?userId=u&convId=c&botId=b", &["liveperson/webview_open"])]
#[case::liveperson_one_missing("/form?convId=c&botId=b", &["liveperson/webview_open"])]
#[case::an_icon("/favicon.ico", &[])]
#[case::a_page_of_someone_elses("/?utm_source=mail&lang=en&channel=web", &[])]
fn a_query_tells_whose_page_is_opened(#[case] target: &str, #[case] kinds: &[&str]) {
    assert_eq!(seen(&get(target)), kinds);
}

#[rstest]
#[case::documented("/v1/webview/91c7", "{}", &["moveo/webview_callback"])]
#[case::of_the_guides("/v1/facebook/91c7/webview", SENT, &["moveo/webview_callback"])]
#[case::survey("/v1/survey/91c7", r#"{"rating":5}"#, &["moveo/webview_survey"])]
#[case::jelou("/v1/webview/callback", UNBLOCKS, &["jelou/webview_callback"])]
#[case::jelou_empty("/v1/webview/callback", "", &["jelou/webview_callback"])]
#[case::jelou_relayed("/api/jelou/done", UNBLOCKS, &["jelou/webview_callback"])]
#[case::liveperson("/thirdparty-services-0.1/webview", POSTED, &["liveperson/webview"])]
#[case::liveperson_empty("/thirdparty-services-0.1/webview", "", &["liveperson/webview"])]
#[case::liveperson_relayed("/api/relay", POSTED, &["liveperson/webview"])]
fn path_and_body_tell_whose_page_calls_back(#[case] target: &str, #[case] body: &str, #[case] kinds: &[&str]) {
    assert_eq!(seen(&post(target, body)), kinds);
    assert_eq!(seen(&call("OPTIONS", target, &[], "")), [""; 0], "a preflight is no call");
}

#[test]
fn a_callback_to_an_address_of_ones_own_is_known_by_its_headers() {
    for header in [("Authorization", "Bearer x"), ("X-Moveo-Session-Id", "s-1")] {
        assert_eq!(seen(&call("POST", "/relay", &[header], SENT)), ["moveo/webview_callback"]);
    }
    assert_eq!(seen(&post("/relay", SENT)), [""; 0]);
    let webhook = call("POST", "/relay", &[("Authorization", "Bearer of-a-custom-header")], OLDER);
    assert_eq!(seen(&webhook), ["moveo/dialog"]);
}

#[test]
fn a_page_and_its_callback_are_one_conversation() {
    let platforms = platforms();
    for (kind, request, conversation, user) in [
        ("moveo/webview_open", get(OPENED), "ab1c23d4-5ef6-7gh8-i9hj-k0lm12345n6o", Some("1234567890123456")),
        ("moveo/webview_callback", call("POST", "/", &[("X-Moveo-Session-Id", "s-1")], SENT), "s-1", Some("u-1")),
        ("jelou/webview_open", get("/?a=1&executionId=e%201"), "e 1", None),
        ("jelou/webview_callback", post("/v1/webview/callback?executionId=e-1", "{}"), "e-1", None),
        ("liveperson/webview_open", get("/?userId=u&convId=c&botId=b"), "c", Some("u")),
        (
            "liveperson/webview",
            post("/", POSTED),
            "a845678d-fe5a-429e-bc46-b25d524b9fa7",
            Some("b849678d-fe4a-439e-bc46-b25d524b9fa7"),
        ),
    ] {
        let read = platforms.kind(kind).unwrap().read(&request);
        assert_eq!((read.conversation.as_deref(), read.user.as_deref()), (Some(conversation), user), "{kind}");
    }
}

#[test]
fn a_missing_parameter_is_a_finding_and_the_pages_own_are_none() {
    assert_eq!(said("moveo/webview_open", &get(&format!("{OPENED}&theme=dark"))), [""; 0]);
    assert_eq!(
        said("moveo/webview_open", &get("/?session_id=s&user_id=&integration_id=i&trigger_node_id=n")),
        [
            "error /channel: `channel` is missing (The integration channel (e.g. web, facebook, viber)).",
            "error /user_id: `user_id` is empty."
        ]
    );
    assert_eq!(
        said("moveo/webview_open", &get("/?session_id=s&user_id=u&integration_id=i&channel=web")),
        [
            "note /trigger_node_id: `trigger_node_id` is missing (The ID of the node that triggered the webview response). \
          The page cannot call back without it: there it is required, and Moveo answers 400."
        ]
    );
    assert_eq!(
        said("liveperson/webview_open", &get("/?userId=u&botId=b")),
        ["error : `convId` is missing: without the conversation ID the page cannot make the Authorization hash."]
    );
    assert_eq!(said("liveperson/webview_open", &get("/?userId=u&botId=b&conversationId=c")), [""; 0]);
}

#[rstest]
#[case::moveo("moveo/webview_callback", SENT, &[])]
#[case::moveo_no_node("moveo/webview_callback", r#"{"context":[]}"#, &[
    "error /trigger_node_id: `trigger_node_id` is missing (UUID of the trigger node, as in the page's URL). Moveo answers 400.",
    "error /context: `context` must be an object, it is an array. The AI Agent gets no context variables.",
])]
#[case::moveo_null_node("moveo/webview_callback", r#"{"trigger_node_id":null,"contextFromForm":{}}"#, &[
    "error /trigger_node_id: `trigger_node_id` must be a string, it is null. Moveo answers 400.",
    "warning /contextFromForm: `contextFromForm` is from an older form of the contract: what it holds belongs into `context`.",
])]
#[case::jelou("jelou/webview_callback", UNBLOCKS, &[])]
#[case::jelou_words("jelou/webview_callback", r#"{"execution_id":"e","success":"true","data":"ok"}"#, &[
    "error /executionId: `executionId` is missing (Value that comes in the WebView URL when it opens (query param). Identifies the paused flow.). Jelou cannot tell which flow to continue.",
    "error /success: `success` must be a boolean (true or false), it is the string \"true\". Neither the success nor the error output is taken.",
    "error /data: `data` must be an object, it is the string \"ok\". The response variable gets no object.",
    "note /execution_id: `execution_id` is not in the contract.",
])]
#[case::liveperson("liveperson/webview", POSTED, &[])]
#[case::liveperson_no_message("liveperson/webview", r#"{"botId":"b","conversationId":"c","userId":"u"}"#, &[])]
#[case::liveperson_object("liveperson/webview", r#"{"botId":"b","conversationId":"c","userId":"u","contextVariables":{"a":"b"}}"#, &[
    "error /contextVariables: `contextVariables` must be an array, it is an object. It is a list of `{\"name\": ..., \"value\": ...}`, although the table calls it object:list of strings.",
])]
#[case::liveperson_no_name("liveperson/webview", r#"{"botId":"b","conversationId":"c","userId":"u","contextVariables":[{"employeeId":"employeeId","value":7}]}"#, &[
    "error /contextVariables/0/name: `name` is missing (What the bot asks for with Get Web View Variables). The bot cannot ask for a variable that has no name.",
    "warning /contextVariables/0/value: `value` must be a string, it is the number 7. Values are strings.",
    "note /contextVariables/0/employeeId: `employeeId` is not in the contract.",
])]
fn what_a_page_posts_is_held_against_the_contract(#[case] kind: &str, #[case] body: &str, #[case] expected: &[&str]) {
    let headers =
        [("Content-Type", "application/json;charset=utf-8"), ("Authorization", "x"), ("X-Moveo-Session-Id", "s")];
    let mut found = said(kind, &call("POST", "/", &headers, body));
    let mut expected = expected.to_vec();
    found.sort();
    expected.sort_unstable();
    assert_eq!(found, expected);
}

#[test]
fn headers_that_are_missing_or_wrong_are_findings() {
    let found = said("moveo/webview_callback", &call("POST", "/", &[("Content-Type", "text/plain")], SENT));
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(
        found[0].starts_with("error : The header Authorization is missing") && found[0].ends_with("Moveo answers 401.")
    );
    assert!(found[1].starts_with("error : The header X-Moveo-Session-Id is missing"));
    assert!(found[2].contains("Content-Type is \"text/plain\", application/json is expected"));
}

#[test]
fn data_that_liveperson_does_not_mask_is_warned_of_and_never_repeated() {
    let json = [("Content-Type", "application/json")];
    let body =
        POSTED.replace("PROCESSED", "4111 1111 1111 1111").replace("webrequest", "I am jo@example.com, 123-45-6789");
    let found = said("liveperson/webview", &call("POST", "/", &json, &body));
    assert_eq!(found.len(), 2, "{found:?}");
    for finding in &found {
        assert!(finding.starts_with("warning /") && finding.ends_with("because the data is not masked."), "{finding}");
        assert!(!finding.contains("4111") && !finding.contains("jo@") && !finding.contains("6789"), "{finding}");
    }
}

#[rstest]
#[case(Some(Sig::Valid), "s", SENT, 200, None)]
#[case(Some(Sig::NoSecret), "s", SENT, 200, None)]
#[case(Some(Sig::Invalid), "s", SENT, 401, Some("unauthorized"))]
#[case(Some(Sig::Stale), "s", SENT, 401, Some("unauthorized"))]
#[case(Some(Sig::Missing), "", "{}", 401, Some("unauthorized"))]
#[case(Some(Sig::Malformed), "s", SENT, 401, Some("unauthorized"))]
#[case(Some(Sig::Valid), "", SENT, 401, Some("session-not-found"))]
#[case(Some(Sig::Valid), "s", r#"{"context":{}}"#, 400, Some("invalid-payload"))]
#[case(Some(Sig::Valid), "s", r#"{"trigger_node_id":null}"#, 400, Some("invalid-payload"))]
#[case(Some(Sig::Valid), "s", "not json", 400, Some("invalid-payload"))]
#[case(Some(Sig::Valid), "s", r#"{"trigger_node_id":5}"#, 400, Some("invalid-payload"))]
fn the_stand_in_answers_a_callback_as_moveo_does(
    #[case] sig: Option<Sig>,
    #[case] session: &str,
    #[case] body: &str,
    #[case] status: u16,
    #[case] code: Option<&str>,
) {
    let request = call("POST", "/v1/webview/91c7", &[("X-Moveo-Session-Id", session)], body);
    let answer = platforms().kind("moveo/webview_callback").unwrap().answer(&request, sig, &[]);
    assert_eq!(answer.status, status);
    let told: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(told.get("error_code").and_then(|code| code.as_str()), code);
    if code.is_some() {
        assert_eq!(told["status_code"], status);
        assert!(told["error_message"].is_string());
    }
}

#[rstest]
#[case("jelou/webview_callback", UNBLOCKS, Sig::Unsigned, 200)]
#[case("jelou/webview_callback", r#"{"executionId":"e","success":false}"#, Sig::Unsigned, 200)]
#[case("jelou/webview_callback", r#"{"success":true}"#, Sig::Unsigned, 400)]
#[case("jelou/webview_callback", r#"{"executionId":"e"}"#, Sig::Unsigned, 400)]
#[case("jelou/webview_callback", r#"{"executionId":"e","success":"true"}"#, Sig::Unsigned, 400)]
#[case("jelou/webview_callback", r#"{"executionId":7,"success":true}"#, Sig::Unsigned, 400)]
#[case("liveperson/webview", r#"{"botId":"b","conversationId":5,"userId":"u"}"#, Sig::Valid, 400)]
#[case("liveperson/webview", POSTED, Sig::Valid, 200)]
#[case("liveperson/webview", POSTED, Sig::Invalid, 401)]
#[case("liveperson/webview", r#"{"botId":"b","conversationId":"c"}"#, Sig::Valid, 400)]
fn where_a_platform_publishes_no_errors_the_answer_says_whose_it_is(
    #[case] kind: &str,
    #[case] body: &str,
    #[case] sig: Sig,
    #[case] status: u16,
) {
    let answer = platforms().kind(kind).unwrap().answer(&post("/", body), Some(sig), &[]);
    assert_eq!(answer.status, status);
    assert!(String::from_utf8_lossy(&answer.body).contains("hooktape: "));
}

#[rstest]
#[case::nothing_is_published_of_200(200, "OK", &[])]
#[case::nor_of_its_being_empty(200, "", &[])]
#[case::as_documented(401, r#"{"error_code":"unauthorized","error_message":"Expired JWT","status_code":401}"#, &[])]
#[case::another_shape(400, r#"{"error":"x"}"#, &["error /error_code", "error /error_message", "error /status_code"])]
#[case::other_types(401, r#"{"error_code":5,"error_message":"x","status_code":"401"}"#, &["warning /error_code", "warning /status_code"])]
#[case::no_json(500, "Oops", &["error "])]
#[case::no_body(503, "", &["error "])]
#[case::a_redirect_is_no_error_response(302, "", &[])]
fn an_error_of_moveos_webviews_has_a_body_and_a_success_need_not(
    #[case] status: u16,
    #[case] body: &str,
    #[case] expected: &[&str],
) {
    let platforms = platforms();
    let found = platforms.kind("moveo/webview_callback").unwrap().check_response(&Response { status, ..ok(body) });
    let place = |finding: &Finding| format!("{} {}", finding.severity.word(), finding.pointer);
    let (of_status, of_body): (Vec<&Finding>, _) =
        found.iter().partition(|finding| finding.sentence.starts_with("The status is "));
    assert_eq!(of_status.len(), usize::from(status != 200));
    assert_eq!(of_body.into_iter().map(place).collect::<Vec<_>>(), expected);
}

/// The mistake in LivePerson's own example.
#[test]
fn the_printed_hash_is_that_of_an_empty_conversation_id() {
    let printed = [("Authorization", "F8488E6143818BB0364717A91F235F7F7F0FE91C464EC6FAC7ECF0D3393EBBAF")];
    let request = call("POST", "/thirdparty-services-0.1/webview", &printed, POSTED);
    let platforms = platforms();
    let kind = platforms.recognise(&request).kind;
    let judge = |request| platforms.verify(request, kind, &Secrets::default(), &[], Timestamp::UNIX_EPOCH).sig;
    assert_eq!(judge(&request), Sig::Invalid);
    let why = platforms.diagnose(&request, kind, &Secrets::default(), &[], Timestamp::UNIX_EPOCH);
    assert!(why[0].starts_with("The hash is that of an empty conversationId"), "{why:?}");
    let mut right = request.clone();
    right.headers.set("Authorization", "b922c0082c713607b2537d2dbf7c2d35f60281af71ec432abf57ba1ef99b6e8d");
    assert_eq!(judge(&right), Sig::Valid);
}

#[test]
fn what_is_entered_in_moveo_is_held_against_its_rules() {
    let platforms = platforms();
    let webhook = platforms.pack("moveo").unwrap().webhook.as_ref().unwrap();
    assert_eq!(webhook.url("https://hooks.example.com/moveo"), []);
    assert_eq!(webhook.url("http://127.0.0.1:3000/").len(), 2);
    assert_eq!(webhook.headers([("X-Api-Key", "1")]), []);
    let refused = ["Host", "x-forwarded-for", "Sec-WebSocket-Key", "Content-Type"];
    assert_eq!(webhook.headers(refused.map(|name| (name, "x"))).len(), 4);
    assert_eq!(webhook.headers([("X-Own", "x"); 11]).len(), 1);
    let history = |value| webhook.headers([("x-moveo-include-history", value)]).remove(0);
    assert_eq!(history("true").sentence, "Adds the conversation history to the webhook payload under a history field.");
    assert_eq!(history("1").severity, Severity::Warning);
    let from = |kind: &str, peer: [u8; 4]| {
        let request = Request { peer: Some(peer.into()), ..Request::default() };
        platforms.check_caller(&request, platforms.kind(kind).unwrap(), &[]).is_some()
    };
    assert!(!from("moveo/dialog", [3, 66, 239, 254]) && from("moveo/dialog", [203, 0, 113, 9]));
    // A page may be anywhere.
    assert!(!from("moveo/webview_callback", [203, 0, 113, 9]));
}

#[test]
fn the_platforms_places_are_ready_targets() {
    let platforms = platforms();
    let to = |name: &str| platforms.endpoints().find(|endpoint| endpoint.name == name).unwrap().target();
    let aimed = |name: &str, kind: &str| {
        let kind = platforms.kind(kind).unwrap();
        to(name).url_for(Some(&kind.name), &kind.sample().target).unwrap()
    };
    let why = to("jelou").url_for(Some("jelou/webview_open"), "/").unwrap_err();
    assert_eq!(
        why,
        "target jelou takes jelou/webview_callback only, and this call is jelou/webview_open: send it elsewhere"
    );
    assert!(to("moveo").url_for(None, "/").unwrap_err().contains("this call was not recognised"));
    assert!(platforms.endpoints().all(|endpoint| !endpoint.kinds.is_empty() && endpoint.target().guard));
    let id = "91c7d2e4-5a3b-4f68-b9d0-3e1c8f7a2b56";
    assert_eq!(aimed("moveo", "moveo/webview_callback"), format!("https://channels.moveo.ai/v1/webview/{id}"));
    assert_eq!(
        aimed("moveo", "moveo/webview_context"),
        format!("https://channels.moveo.ai/v1/context/{id}?channel=web")
    );
    assert_eq!(aimed("moveo", "moveo/webview_survey"), format!("https://channels.moveo.ai/v1/survey/{id}"));
    assert_eq!(aimed("jelou", "jelou/webview_callback"), "https://workflows.jelou.ai/v1/webview/callback");
    let domain = "https://lo.bc-intg.liveperson.net/thirdparty-services-0.1/webview";
    assert_eq!(aimed("liveperson-uk", "liveperson/webview"), domain);
}
