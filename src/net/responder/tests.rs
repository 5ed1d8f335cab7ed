use std::sync::Arc;
use std::time::Duration;

use rstest::rstest;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use super::*;
use crate::call::{Call, Direction};
use crate::config::{
    Case, Expected, Forward, Harm, Hold, Replies, Reply, Route, Secret, Secrets, Sources, Target, When,
};
use crate::net::testing::{Backend, Site, forwarding, responding, with_secret};
use crate::platform::Severity;

fn reply(body: &str) -> Reply {
    Reply { status: 200, headers: Vec::new(), body: body.to_owned().into() }
}

fn replying(replies: Replies) -> Respond {
    Respond { source: Source::Reply(Arc::new(replies)), ..Respond::default() }
}

fn when(when: When, body: &str) -> Case {
    Case { when, reply: reply(body) }
}

fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").unwrap().1
}

/// The configuration of a text.
fn configured(text: &str) -> Config {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("hooktape.toml"), text).unwrap();
    Config::load(&Sources { directory: home.path().to_owned(), ..Sources::default() }).unwrap()
}

#[tokio::test]
async fn the_first_case_that_fits_answers_and_the_platform_where_none_does() {
    let pointer = |pointer: &str, expected| When { pointers: vec![(pointer.into(), expected)], ..When::default() };
    let cases = vec![
        when(pointer("/input/text", Expected::Equal("hi".into())), r#"{"a":"{{request:/input/text}}"}"#),
        when(When { kind: Some("jelou/webview_callback".into()), ..When::default() }, "kind"),
        when(When { query: Some("body:needle".into()), ..When::default() }, "query"),
        when(pointer("/b", Expected::There(true)), "there"),
    ];
    let site = Site::new(responding(replying(Replies { cases, ..Replies::default() }))).await;
    for (sent, expected) in [
        (r#"{"input":{"text":"hi"},"b":1}"#, r#"{"a":"hi"}"#),
        (r#"{"executionId":"e","success":true}"#, "kind"),
        (r#"{"x":"a needle"}"#, "query"),
        (r#"{"b":0}"#, "there"),
    ] {
        assert_eq!(body(&site.post("/", "", sent).await), expected, "{sent}");
    }
    assert!(site.post("/", "", r#"{"b":null}"#).await.contains("recorded"));
}

#[tokio::test]
async fn a_sequence_goes_on_and_ends_with_its_last() {
    let cases = ["one", "two"].map(|body| when(When::default(), body)).to_vec();
    let site = Site::new(responding(replying(Replies { cases, in_turn: true, ..Replies::default() }))).await;
    let mut answers = Vec::new();
    for _ in 0..4 {
        answers.push(body(&site.post("/", "", "").await).to_owned());
    }
    assert_eq!(answers, ["one", "two", "two", "two"]);
}

#[rstest]
#[case("moveo/live-instructions", "moveo/first_message", "User name: Zoë Clarke")]
#[case("moveo/live-instructions", "moveo/pre_message", "User name: Zoë Clarke")]
#[case("moveo/validate-input", "moveo/dialog", "order_valid\":false")]
#[case("moveo/audit", "moveo/post_message", "audited_at")]
#[case("moveo/override", "moveo/post_message", "overridden\":false")]
#[case("moveo/identify", "moveo/auth_validation", "{\"valid\":false}")]
#[case("moveo/fetch-crm", "moveo/auth_pre_enter", "{\"output\":null}")]
#[tokio::test]
async fn a_ready_made_reply_satisfies_the_contract(#[case] name: &str, #[case] kind: &str, #[case] part: &str) {
    let mut site = Site::new(configured(&format!("[listen]\nrespond.reply = \"{name}\""))).await;
    let sample = site.platforms.kind(kind).unwrap().sample();
    let answer = site.post(&format!("/hooks/{kind}"), "", std::str::from_utf8(&sample.body).unwrap()).await;
    assert!(body(&answer).contains(part), "{answer}");
    let call = site.next().await;
    let findings = site.platforms.kind(kind).unwrap().check_response(call.response.as_ref().unwrap());
    assert_eq!(call.kind.as_deref(), Some(kind));
    assert!(findings.iter().all(|finding| finding.severity == Severity::Note), "{findings:?}");
}

#[tokio::test]
async fn only_a_planned_reply_that_speaks_of_refunds_is_overridden() {
    let site = Site::new(configured("[listen]\nrespond.reply = \"moveo/override\"")).await;
    for (said, planned, overridden) in [
        ("I want a refund", "Hello", "false"),
        ("hi", "Your refund is on its way", "true"),
        ("hi", "Refunds are out", "true"),
    ] {
        let call = serde_json::json!({ "input": { "text": said }, "output": [{ "type": "text", "texts": [planned] }], "context": {} });
        let answer = site.post("/", "", &call.to_string()).await;
        assert!(body(&answer).contains(&format!("\"overridden\":{overridden}")), "{said}, {planned}: {answer}");
    }
}

#[tokio::test]
async fn the_crm_backed_setup_knows_whom_its_table_knows() {
    let config = configured(
        "[[route]]\npath = \"/identify\"\nkind = \"moveo/auth_validation\"\nrespond.reply = \"moveo/identify\"\n\
         [[route]]\npath = \"/crm\"\nkind = \"moveo/auth_pre_enter\"\nrespond.reply = \"moveo/fetch-crm\"",
    );
    let site = Site::new(config).await;
    assert_eq!(body(&site.post("/identify", "", r#"{"value":"123456789"}"#).await), r#"{"valid":true}"#);
    let crm = site.post("/crm", "", r#"{"context":{"ssn":"123-45-6789"}}"#).await;
    assert_eq!(body(&crm), r#"{"output":{"name":"Maria Papadopoulou","dob":"1980-04-12"}}"#);
}

#[tokio::test]
async fn a_kind_comes_before_its_route_and_both_can_change_at_any_time() {
    let site = Site::new(configured("[[route]]\npath = \"/x\"\nrespond.reply.body = \"route\"")).await;
    let call = r#"{"executionId":"e","success":true}"#;
    assert_eq!(body(&site.post("/x", "", call).await), "route");
    let mut slots = site.responders.slots();
    let whose = Whose::Kind("jelou/webview_callback".into());
    slots.push(Slot { whose, respond: replying(Replies::always(reply("kind"))) });
    site.responders.set(slots);
    assert_eq!(body(&site.post("/x", "", call).await), "kind");
    assert_eq!(body(&site.post("/x", "", "{}").await), "route");
}

#[tokio::test]
async fn a_fault_is_as_far_as_it_was_while_it_stays_what_it_was() {
    let site = Site::new(breaking("status=503 next=1")).await;
    let struck = async || site.post("/", "", "").await.starts_with("HTTP/1.1 503 ");
    assert!(struck().await);
    let change = |change: fn(&mut Respond)| {
        let mut slots = site.responders.slots();
        for slot in &mut slots {
            change(&mut slot.respond);
        }
        site.responders.set(slots);
    };
    change(|respond| respond.source = Source::Platform);
    assert!(!struck().await, "it is spent");
    change(|respond| respond.fault = respond.fault.map(|fault| Fault { next: Some(2), ..fault }));
    assert!(struck().await);
}

fn breaking(fault: &str) -> Config {
    let fault = Some(Fault::parse(fault).unwrap());
    Config { respond: Respond { fault, ..replying(Replies::always(reply(r#"{"context":{}}"#))) }, ..with_secret() }
}

#[rstest]
#[case("status=503", "HTTP/1.1 503 ", r#"{"context":{}}"#)]
#[case("empty", "HTTP/1.1 200 ", "")]
#[case("malformed", "HTTP/1.1 200 ", r#"{"conte"#)]
#[case("delay=1ms jitter=1ms", "HTTP/1.1 200 ", r#"{"context":{}}"#)]
#[case("contradict", "HTTP/1.1 200 ", "[]")]
#[tokio::test]
async fn a_fault_breaks_the_answer_and_says_so(#[case] fault: &str, #[case] status: &str, #[case] expected: &str) {
    let mut site = Site::new(breaking(fault)).await;
    let answer = site.post("/", "", "{}").await;
    assert!(answer.starts_with(status), "{answer}");
    assert_eq!(body(&answer), expected);
    let call = site.recorded().await;
    assert!(call.error.unwrap().starts_with("fault: "));
}

#[tokio::test]
async fn what_contradicts_a_contract_is_json_and_breaks_it() {
    let mut site = Site::new(breaking("contradict")).await;
    let kinds: Vec<String> = site.platforms.kinds().map(|kind| kind.name.clone()).collect();
    for name in kinds.iter().filter(|name| name.starts_with("moveo/") && !name.contains("webview")) {
        let kind = site.platforms.kind(name.as_str()).unwrap();
        // Where the contract says nothing of the answer, nothing contradicts it.
        if kind.response_fields().is_empty() {
            continue;
        }
        let sample = kind.sample();
        site.post(&sample.target, "", std::str::from_utf8(&sample.body).unwrap()).await;
        let call = site.next().await;
        let response = call.response.as_ref().unwrap();
        serde_json::from_slice::<serde_json::Value>(&response.body).unwrap();
        let kind = site.platforms.kind(name.as_str()).unwrap();
        assert!(kind.check_response(response).iter().any(|finding| finding.severity == Severity::Error), "{name}");
    }
}

#[tokio::test]
async fn a_reset_connection_is_reset_and_recorded() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut site = Site::new(breaking("reset")).await;
    let mut stream = tokio::net::TcpStream::connect(site.address).await.unwrap();
    stream.write_all(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}").await.unwrap();
    let error = stream.read(&mut [0; 8]).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    let call = site.recorded().await;
    assert_eq!((call.response, call.error.as_deref()), (None, Some("fault: connection reset")));
}

#[tokio::test]
async fn a_slow_body_comes_whole_and_with_its_length() {
    let mut site = Site::new(breaking("slow=20ms")).await;
    let answer = site.post("/", "", "{}").await;
    assert!(answer.contains("content-length: 14\r\n") && answer.ends_with("\r\n\r\n{\"context\":{}}"), "{answer}");
    assert!(site.recorded().await.took >= Duration::from_millis(20), "until its last byte is ready");
}

#[tokio::test]
async fn the_next_calls_are_hit_and_then_none() {
    let site = Site::new(breaking("status=500 next=2")).await;
    let mut told = observed(&site, false);
    let mut hits = Vec::new();
    for _ in 0..3 {
        hits.push(site.post("/", "", "{}").await.starts_with("HTTP/1.1 500"));
    }
    assert_eq!(hits, [true, true, false]);
    let left: Vec<_> = std::iter::from_fn(|| told.try_recv().ok()).collect();
    let hit = |left| Told::Hit { whose: Whose::Rest, left };
    assert_eq!(left, [hit(1), hit(0)]);
    let always = Site::new(breaking("status=500")).await;
    let mut told = observed(&always, false);
    assert!(always.post("/", "", "{}").await.starts_with("HTTP/1.1 500"));
    assert!(told.try_recv().is_err(), "it hits all calls, and that is known");
    let never = Site::new(breaking("status=500 probability=0")).await;
    assert!(never.post("/", "", "{}").await.starts_with("HTTP/1.1 200"));
}

/// What is told of the site's responders.
fn observed(site: &Site, holds: bool) -> mpsc::UnboundedReceiver<Told> {
    let (tell, told) = mpsc::unbounded_channel();
    site.responders.observe(Box::new(move |event| drop(tell.send(event))), holds);
    told
}

async fn held(told: &mut mpsc::UnboundedReceiver<Told>) -> Arc<Held> {
    loop {
        if let Told::Held(held) = told.recv().await.unwrap() {
            return held;
        }
    }
}

fn holding(time: Duration, source: Respond) -> Config {
    responding(Respond { hold: Some(Hold::For(time)), ..source })
}

#[rstest]
#[case(Release::AsIs, "HTTP/1.1 200 ", "mine")]
#[case(Release::Answer(Response { status: 201, ..Response::default() }), "HTTP/1.1 201 ", "")]
#[case(Release::Refuse, "HTTP/1.1 503 ", r#"{"error":"refused by hand at hooktape"}"#)]
#[tokio::test]
async fn a_held_call_waits_for_the_user(#[case] release: Release, #[case] status: &str, #[case] expected: &str) {
    let mut site = Site::new(holding(Duration::from_mins(1), replying(Replies::always(reply("mine"))))).await;
    let mut told = observed(&site, true);
    let responders = site.responders.clone();
    let (answer, ()) = tokio::join!(site.post("/", "", "{}"), async {
        let held = held(&mut told).await;
        assert_eq!((&held.request.body[..], responders.pulse.beat().in_flight), (&b"{}"[..], 1));
        assert!(matches!(&held.stage, Stage::Answer(answer) if answer.body == "mine"));
        assert!(responders.release(held.id, release) && !responders.release(held.id, Release::AsIs));
    });
    assert!(answer.starts_with(status), "{answer}");
    assert_eq!(body(&answer), expected);
    assert!(matches!(told.recv().await, Some(Told::Gone(_, Parting::Released))));
    assert_eq!(site.recorded().await.response.unwrap().body, expected);
}

#[tokio::test]
async fn a_caller_that_hangs_up_is_not_waited_for_and_nothing_is_forwarded_for_it() {
    let ready = Some("mine".as_bytes());
    for (config, ready) in
        [(replying(Replies::always(reply("mine"))), ready), (forwarding(&["http://127.0.0.1:9"]), None)]
    {
        let mut site = Site::new(holding(Duration::from_hours(1), config)).await;
        let mut told = observed(&site, true);
        let mut stream = TcpStream::connect(site.address).await.unwrap();
        stream.write_all(b"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 2\r\n\r\n{}").await.unwrap();
        let held = held(&mut told).await;
        drop(stream);
        assert_eq!(told.recv().await, Some(Told::Gone(held.id, Parting::HungUp)));
        let call = site.recorded().await;
        assert_eq!((call.id, &call.forwarded, call.is_abandoned()), (held.id, &None, true));
        assert_eq!((call.answer(), call.status()), (None, None), "nobody got it");
        assert_eq!(call.response.as_ref().map(|answer| &answer.body[..]), ready, "what was ready for it");
        assert!(call.error.unwrap().starts_with("the caller hung up while the call was held"));
    }
}

#[tokio::test]
async fn a_held_call_goes_on_by_itself_in_time_and_is_not_held_where_nobody_looks() {
    let site = Site::new(holding(Duration::from_millis(10), replying(Replies::always(reply("mine"))))).await;
    let mut told = observed(&site, true);
    assert_eq!(body(&site.post("/", "", "{}").await), "mine");
    let held = held(&mut told).await;
    assert_eq!(told.recv().await, Some(Told::Gone(held.id, Parting::TimeUp)));
    let site = Site::new(holding(Duration::from_hours(1), replying(Replies::always(reply("mine"))))).await;
    assert_eq!(body(&site.post("/", "", "{}").await), "mine");
}

#[rstest]
#[case("/hooks/moveo/dialog", 25_000)]
#[case("/hooks/slack/command", 2_700)]
#[case("/hooks/set", 9_000)]
#[tokio::test]
async fn a_call_is_held_as_long_as_its_platform_waits(#[case] path: &str, #[case] millis: i128) {
    let respond = Respond { hold: Some(Hold::Patience), ..Respond::default() };
    let set = Route { path: "/hooks/set".into(), timeout: Some(Duration::from_secs(10)), ..Route::default() };
    let site = Site::new(Config { routes: vec![set], ..responding(respond) }).await;
    let mut told = observed(&site, true);
    let responders = site.responders.clone();
    let ((), _) = tokio::join!(
        async {
            let held = held(&mut told).await;
            // It is held from when it was read whole on.
            let time = held.until.duration_since(held.at).as_millis();
            assert!((millis..millis + 1_000).contains(&time), "{time}");
            responders.release(held.id, Release::AsIs);
        },
        site.post(path, "", "{}"),
    );
}

#[tokio::test]
async fn an_edited_request_is_signed_anew_forwarded_and_a_call_of_its_own() {
    let mut backend = Backend::new("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nreal").await;
    let to = backend.url("/own?a=1");
    let mut site = Site::new(holding(Duration::from_mins(1), forwarding(&[&to]))).await;
    let mut told = observed(&site, true);
    let responders = site.responders.clone();
    let platforms = site.platforms.clone();
    let kind = platforms.kind("moveo/dialog").unwrap();
    let sample = String::from_utf8(kind.sample().body.to_vec()).unwrap();
    let (answer, ()) =
        tokio::join!(site.post("/hooks/moveo/dialog?b=2", "X-Moveo-Signature: 00\r\n", &sample), async {
            let first = held(&mut told).await;
            let mut request = first.request.clone();
            request.body = sample.replace("windscreen", "window").into();
            responders.release(first.id, Release::Forward { request: Some(Box::new(request)), hold_answer: true });
            let second = held(&mut told).await;
            assert!(matches!(&second.stage, Stage::Answer(answer) if answer.body == "real"));
            responders.release(second.id, Release::AsIs);
        });
    assert_eq!(body(&answer), "real");
    let (head, came) = backend.next().await;
    assert_eq!(came, sample.replace("windscreen", "window").as_bytes());
    let calls = [site.next().await, site.next().await];
    assert_eq!((calls[0].direction, calls[0].parent), (Direction::Sent, Some(calls[1].id)));
    assert_eq!((calls[1].sig, &calls[1].request.body[..]), (Some(Sig::Malformed), sample.as_bytes()));
    // What is recorded is what left.
    let left = &calls[0].request;
    assert_eq!((calls[0].sig, left.url()), (Some(Sig::Valid), backend.url("/own?a=1&b=2")));
    assert_eq!(left.body, came);
    let recorded: Vec<String> =
        left.headers.iter().map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value))).collect();
    let mut lines = head.trim_end().lines();
    assert_eq!(lines.next(), Some("POST /own?a=1&b=2 HTTP/1.1"));
    assert_eq!(lines.collect::<Vec<_>>(), recorded);
    let request = Request {
        headers: [("X-Moveo-Signature", head.split("x-moveo-signature: ").nth(1).unwrap()[..64].to_owned())]
            .into_iter()
            .collect(),
        body: came.into(),
        ..Request::default()
    };
    let verdict = site.keyring.judge(&site.platforms, &request, Some(kind), &[], Timestamp::now());
    assert_eq!(verdict.sig, Sig::Valid);
}

#[rstest]
#[case::what_is_signed("webhook-id", "msg_other", Sig::Valid, true)]
#[case::what_is_not("x-note", "mine", Sig::Valid, false)]
#[case::the_time_by_hand("webhook-timestamp", "1614265330", Sig::Invalid, false)]
#[case::the_signature_by_hand("webhook-signature", "v1,bWluZQ==", Sig::Malformed, false)]
#[tokio::test]
async fn an_edited_field_is_signed_anew_where_that_leaves_it_as_it_was_edited(
    #[case] name: &str,
    #[case] value: &str,
    #[case] sig: Sig,
    #[case] anew: bool,
) {
    let mut backend = Backend::new("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let secret = Secret::new("env:KEY", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    let secrets = Secrets([("standard-webhooks".to_owned(), vec![secret])].into_iter().collect());
    let config = holding(Duration::from_mins(1), forwarding(&[&backend.url("/")]));
    let mut site = Site::new(Config { secrets, ..config }).await;
    let platforms = site.platforms.clone();
    let kind = platforms.kind("standard-webhooks/event").unwrap();
    let mut sample = kind.sample();
    let secret = site.keyring.signing(kind, &sample, &[]).unwrap();
    kind.sign(&mut sample, secret.as_ref(), Timestamp::now() - Duration::from_secs(9)).unwrap();
    let fields =
        sample.headers.iter().map(|(name, value)| [name, ": ", &value.escape_ascii().to_string(), "\r\n"].concat());
    let fields: String = fields.collect();
    let (responders, mut told) = (site.responders.clone(), observed(&site, true));
    tokio::join!(site.post("/", &fields, std::str::from_utf8(&sample.body).unwrap()), async {
        let held = held(&mut told).await;
        let mut request = held.request.clone();
        request.headers.set(name, value.to_owned());
        responders.release(held.id, Release::Forward { request: Some(Box::new(request)), hold_answer: false });
    });
    backend.next().await;
    let (left, came) = (site.next().await, site.next().await);
    assert_eq!((came.sig, left.sig, left.request.headers.get(name)), (Some(Sig::Valid), Some(sig), Some(value)));
    let signature = |call: &Call| call.request.headers.get("webhook-signature").map(str::to_owned);
    assert_eq!(signature(&left) != signature(&came), anew || name == "webhook-signature");
}

#[rstest]
#[case::the_time_by_hand("/signature/timestamp", "\"1529006855\"", false)]
#[case::what_is_not("/event-data/event", "\"failed\"", true)]
#[tokio::test]
async fn an_edited_value_of_a_signature_in_the_body_stays_as_it_was_edited(
    #[case] place: &str,
    #[case] text: &str,
    #[case] anew: bool,
) {
    let mut backend = Backend::new("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let secrets = Secrets([("mailgun".to_owned(), vec![Secret::new("env:KEY", "key")])].into_iter().collect());
    let config = holding(Duration::from_mins(1), forwarding(&[&backend.url("/")]));
    let mut site = Site::new(Config { secrets, ..config }).await;
    let kind = site.platforms.clone().kind("mailgun/event").map(Kind::sample).unwrap();
    let (responders, mut told) = (site.responders.clone(), observed(&site, true));
    tokio::join!(
        site.post("/", "content-type: application/json\r\n", std::str::from_utf8(&kind.body).unwrap()),
        async {
            let held = held(&mut told).await;
            let mut request = held.request.clone();
            let body = std::str::from_utf8(&request.body).unwrap();
            request.body = crate::json::set(body, place, text).unwrap().into();
            responders.release(held.id, Release::Forward { request: Some(Box::new(request)), hold_answer: false });
        }
    );
    backend.next().await;
    let (left, came) = (site.next().await, site.next().await);
    let value = |call: &Call, at: &str| {
        let text = String::from_utf8_lossy(&call.request.body).into_owned();
        crate::json::find(&text, at).map(|span| text[span].to_owned())
    };
    assert_eq!(value(&left, place).as_deref(), Some(text));
    let signature = |call: &Call| value(call, "/signature/signature");
    assert_eq!(signature(&left) != signature(&came), anew);
}

#[tokio::test]
async fn a_further_target_finds_the_signature_that_it_is_sent() {
    let mut backend = Backend::new("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let target = |drop: &[&str]| Target {
        drop_headers: drop.iter().map(ToString::to_string).collect(),
        ..Target::from_address(&backend.url("/")).unwrap()
    };
    let targets = vec![target(&[]), target(&["X-Moveo-Signature"]), target(&["x-other"])];
    let source = Source::Forward(Arc::new(Forward { targets, keep_host: false }));
    let mut site = Site::new(responding(Respond { source, ..Respond::default() })).await;
    let kind = site.platforms.kind("moveo/dialog").unwrap();
    let mut sample = kind.sample();
    let secret = site.keyring.signing(kind, &sample, &[]).unwrap();
    kind.sign(&mut sample, secret.as_ref(), Timestamp::now()).unwrap();
    let signature = format!("X-Moveo-Signature: {}\r\n", sample.headers.get("x-moveo-signature").unwrap());
    site.post("/hooks/moveo/dialog", &signature, std::str::from_utf8(&sample.body).unwrap()).await;
    let mut found = Vec::new();
    for _ in 0..3 {
        backend.next().await;
        let call = site.next().await;
        found.push((call.direction == Direction::Sent, call.request.headers.has("x-moveo-signature"), call.sig));
    }
    found.sort_by_key(|(sent, bears, _)| (*sent, *bears));
    let (valid, missing) = (Some(Sig::Valid), Some(Sig::Missing));
    assert_eq!(found, [(false, true, valid), (true, false, missing), (true, true, valid)]);
}

#[test]
fn a_slot_is_told_in_words() {
    let respond = Respond {
        hold: Some(Hold::For(Duration::from_secs(5))),
        fault: Some(Fault { harm: Some(Harm::Reset), next: Some(2), ..Fault::default() }),
        ..forwarding(&["http://127.0.0.1:3000", "http://127.0.0.1:3001"])
    };
    assert_eq!(
        respond.to_string(),
        "→ http://127.0.0.1:3000, also http://127.0.0.1:3001 · fault reset next=2 · held up to 5s"
    );
}
