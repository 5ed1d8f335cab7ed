//! What is fed with anything: one function for each thing that reads what strangers write. They panic where a promise is
//! broken; `cargo fuzz` drives them without end, and `tests/hostile` for a moment with every run of the tests.

mod connection;
mod screen;

use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hooktape::app::body::{Body, Form};
use hooktape::app::needle::Needle;
use hooktape::call::{Call, Direction, Headers, Id, Packed, Request, Response, Sig};
use hooktape::config::{Config, Environment, Redact, Secret, Secrets, Sources};
use hooktape::jq;
use hooktape::json;
use hooktape::net::placeholders::{self, Form as Braces, Value};
use hooktape::net::refused::{Refused, Why};
use hooktape::net::template::{self as answers, Known, Scope};
use hooktape::platform::{Keyring, Platforms};
use hooktape::recording::export::{Exporter, Format, Report};
use hooktape::recording::{
    self, Index, Options, Place, Position, Query, Reader, Recorder, Redaction, Remarks, View, import,
};
use hooktape::replay::compare::{self, Rules};
use hooktape::replay::expect::{self, Answered, Expectation};
use hooktape::replay::template::{self, Values};
use hooktape::replay::variables::Variables;
use hooktape::visible;
use jiff::Timestamp;

pub use self::connection::connection;
pub use self::screen::drawn;

/// Takes anything.
pub type Reads = fn(&[u8]);

/// All of them, by the names of their fuzz targets.
pub const ENTRIES: [(&str, Reads); 16] = [
    ("body", body),
    ("compared", compared),
    ("config", config),
    ("connection", connection),
    ("drawn", drawn),
    ("imported", imported),
    ("json", json_text),
    ("pack", pack),
    ("query", query),
    ("recording", recording),
    ("redacted", redacted),
    ("request", request),
    ("shown", shown),
    ("template", template),
    ("token", token),
    ("unpacked", unpacked),
];

/// 2026-11-21, so that a run can be repeated.
fn now() -> Timestamp {
    Timestamp::from_second(1_795_000_000).expect("in range")
}

/// The platforms as they come, keys of every form, and what is masked where nothing is said of it.
struct Lane {
    platforms: Arc<Platforms>,
    keyring: Arc<Keyring>,
    redaction: Redaction,
}

thread_local! {
    static LANE: Lane = {
        let public = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEVs/o5+uQbTjL3chynL4wXgUg2R9\n\
                      q9UU8I5mEovUf86QZ7kOBIjJwqnzD1omageEHWwHdBO6B+dFabmdT9POxg==\n-----END PUBLIC KEY-----\n";
        let platforms = Arc::new(Platforms::builtin().expect("the built-in packs are sound"));
        let secret = |name: &str, value: &str| (name.to_owned(), vec![Secret::new(format!("env:{name}"), value)]);
        let mut secrets: Vec<_> = platforms.packs().map(|pack| secret(&pack.name, "a secret of some length")).collect();
        secrets.push(secret("moveo/webview", public));
        let redaction = Redaction::new(&Redact::default()).expect("the default patterns");
        let keyring = Arc::new(Keyring::new(Secrets(secrets.into_iter().collect())));
        Lane { platforms, keyring, redaction }
    };
}

/// Judges, explains, decodes and shows a request; it is never to be authentic.
fn judge(request: &Request) {
    LANE.with(|Lane { platforms, keyring, .. }| {
        let kind = platforms.recognise(request).kind;
        let verdict = keyring.judge(platforms, request, kind, &[], now());
        assert_ne!(verdict.sig, Sig::Valid, "nobody has signed this");
        drop(keyring.diagnose(platforms, request, kind, &[], now()));
        if let Some(kind) = kind {
            drop(kind.check_request(request));
            drop(kind.envelope(request));
            drop(keyring.answer(kind, request, Some(verdict.sig), &[]));
        }
    });
}

/// The body of a call, as JSON, as a form, in parts, and of every platform that tells its calls by a header or path.
pub fn body(data: &[u8]) {
    let body = bytes::Bytes::copy_from_slice(data);
    for content_type in ["application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=X"] {
        for form in [Form::Tree, Form::Pretty, Form::Raw, Form::Hex] {
            let mut shown = Body::new(&body, Some(content_type), form);
            shown.wrap(20);
            drop(shown.find(&Needle::new("a/b")));
        }
        let headers = [
            ("content-type", content_type),
            ("x-moveo-signature", "00ff"),
            ("stripe-signature", "t=1,v1=00"),
            ("x-twilio-signature", "AA=="),
        ];
        let request = |target: &str| Request {
            method: "POST".into(),
            target: target.into(),
            headers: headers.into_iter().collect(),
            body: body.clone(),
            ..Request::default()
        };
        for target in ["/", "/v1/webview/callback", "/hooks/slack?a=%ff"] {
            judge(&request(target));
        }
    }
    // What a filter makes of it is JSON again.
    if let Ok(made) = jq::run(data, ".") {
        json::check(&made).expect("a body through the filter that changes nothing");
    }
}

/// Two bodies, with a zero byte between them: nothing differs from itself, however JSON is laid out, and what differs does so
/// both ways.
pub fn compared(data: &[u8]) {
    let (left, right) = data.split_at(memchr::memchr(0, data).unwrap_or(data.len()));
    let right = right.get(1..).unwrap_or_default();
    let pretty = std::str::from_utf8(left).ok().and_then(|text| json::pretty(text).ok());
    let types = ["", "application/json", "application/x-www-form-urlencoded", "multipart/x; boundary=X", "text/plain"];
    for (content_type, unordered) in types.into_iter().flat_map(|each| [(each, false), (each, true)]) {
        let rules = Rules { unordered, ..Rules::default() };
        let answer = |body: &[u8]| Response {
            status: 200,
            headers: [("content-type", content_type)].into_iter().collect(),
            body: bytes::Bytes::copy_from_slice(body),
        };
        let differ = |left: &Response, right: &Response| compare::responses(Some(left), Some(right), None, &rules);
        let (left, right) = (answer(left), answer(right));
        assert_eq!(differ(&left, &left), [], "to itself");
        let (there, back) = (differ(&left, &right), differ(&right, &left));
        assert_eq!(there.is_empty(), back.is_empty(), "{there:?} and {back:?}");
        if let Some(pretty) = pretty.as_deref().filter(|_| content_type == "application/json") {
            assert_eq!(differ(&left, &answer(pretty.as_bytes())), [], "laid out");
        }
        let demands: Vec<Expectation> =
            String::from_utf8_lossy(&left.body).lines().take(20).filter_map(|line| line.parse().ok()).collect();
        let call = Call::new(Id::fresh(), Direction::Sent, now(), Request::default());
        let call = Call { response: Some(right), ..call };
        let answered = Answered { call: &call, fault: None, kind: None, recorded: Some(&left), rules: &rules };
        drop(expect::check(&demands, &answered));
    }
}

/// `hooktape.toml`: never repeats what may be a secret in the wrong place.
pub fn config(data: &[u8]) {
    let folder = tempfile::tempdir().expect("a directory");
    std::fs::write(folder.path().join("hooktape.toml"), data).expect("a file");
    let sources = Sources {
        directory: folder.path().to_owned(),
        environment: [("TOKEN", "never to be seen")].into_iter().collect::<Environment>(),
        ..Sources::default()
    };
    let said = match Config::load(&sources) {
        Ok(config) => format!("{:?}{config:?}", config.problems()),
        Err(error) => error.to_string(),
    };
    assert!(!said.contains("never to be seen"), "{said}");
}

/// Archives, commands and requests in text: a call that is taken over can be written, exported and read back.
pub fn imported(data: &[u8]) {
    let guess = import::recognise(data);
    for form in import::FORMATS.into_iter().filter(|form| guess.is_none_or(|guess| guess == *form)) {
        let Ok(imported) = import::calls(data, form, now()) else { continue };
        for call in imported.calls {
            let line = recording::encode(&call);
            let back = recording::decode(&line[..line.len() - 1]).expect("what was written is read");
            assert_eq!(back, call, "byte for byte");
            exported(call);
        }
    }
}

/// Writes a call in every form: those for a terminal and for a page hold nothing that acts there.
fn exported(call: Call) {
    let redacted = LANE.with(|lane| lane.redaction.call(&call));
    for call in [call, redacted] {
        for form in Format::ALL {
            let mut out = Vec::new();
            let mut exporter = Exporter::new(&mut out, form, "title", now()).expect("memory");
            exporter.write(&Report::new(call.clone(), None, None, Remarks::default())).expect("memory");
            exporter.finish().expect("memory");
            if matches!(form, Format::Markdown | Format::Html) {
                let text = String::from_utf8(out).expect("text");
                assert!(
                    !text.chars().any(|char| char.is_control() && char != '\n' && char != '\t'),
                    "{form}: {text:?}"
                );
            }
        }
    }
}

/// The JSON reader: loses no byte, and agrees with serde on what JSON is.
pub fn json_text(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut end = 0;
    for token in json::tokens(text) {
        assert_eq!(token.span.start, end, "no gap and no overlap");
        end = token.span.end;
    }
    assert_eq!(end, text.len());
    json::duplicates(text, 10);
    for (pointer, span) in json::leaves(text, 100) {
        assert!(text.get(span).is_some(), "{pointer}");
    }
    (0..=text.len()).step_by(7).filter(|at| text.is_char_boundary(*at)).for_each(|at| drop(json::pointer_at(text, at)));
    let ours = json::check(text).is_ok();
    let theirs = serde_json::from_str::<&serde_json::value::RawValue>(text);
    match theirs {
        Ok(_) => assert!(ours, "serde takes it"),
        // It counts the depth, and how much a number may be, in another way.
        Err(error) if error.to_string().contains("recursion limit") => {}
        Err(error) => assert!(!ours, "{error}"),
    }
    if ours {
        let compact = json::compact(text).expect("checked");
        // What would be too long is not laid out.
        if let Ok(pretty) = json::pretty(text) {
            assert_eq!(json::compact(&pretty).expect("pretty"), compact);
        }
        json::python_dumps(text).expect("checked");
        json::javascript_stringify(text).expect("checked");
        drop(json::set(text, "/a/0/b", "1"));
    }
}

/// A `pack.toml`.
pub fn pack(data: &[u8]) {
    let folder = tempfile::tempdir().expect("a directory");
    std::fs::write(folder.path().join("pack.toml"), data).expect("a file");
    for name in ["sample.json", "a.request.schema.json"] {
        std::fs::write(folder.path().join(name), "{}").expect("a file");
    }
    for fault in Platforms::check(folder.path()) {
        drop(fault.to_string());
    }
}

/// A query: an error points into it, and what was understood can be asked.
pub fn query(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match Query::parse(text, now()) {
        Err(error) => drop(error.to_string()),
        Ok(query) => {
            for line in include_str!("../../../recordings/moveo.jsonl").lines().skip(1).take(3) {
                let call = recording::decode(line.as_bytes()).expect("the sample recording is whole");
                let view = View::of(&call, Place { offset: 0, len: 0 });
                let whole = query.matches(&view, &call);
                assert!(query.matches_view(&view).is_none_or(|head| head == whole), "head and call disagree");
            }
        }
    }
}

/// A recording, with a header or without: read as it is; and once it was mended by a recorder, the same and whole.
pub fn recording(data: &[u8]) {
    let folder = tempfile::tempdir().expect("a directory");
    let path = folder.path().join("tape.jsonl");
    for header in ["", "{\"hooktape\":1,\"created\":\"2026-11-21T10:00:00Z\",\"by\":\"hooktape 0.1.0\"}\n"] {
        let mut file = std::fs::File::create(&path).expect("a file");
        file.write_all(&[header.as_bytes(), data].concat()).expect("a file");
        let before = calls(&path);
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let opened = runtime.block_on(async {
            let (recorder, _) = Recorder::open(&path, Options::default(), Box::new(drop))?;
            recorder.close().await;
            Ok::<_, hooktape::recording::OpenError>(())
        });
        // A file that is no recording is not touched; one that is keeps every call that could be read.
        match (before, opened) {
            (Some(before), Ok(())) => {
                assert_eq!(calls(&path).as_ref(), Some(&before));
                // Of the same calls once: that takes as long as all the rest.
                if !header.is_empty() {
                    before.into_iter().take(2).for_each(exported);
                }
            }
            (None, Err(_)) => assert_eq!(std::fs::read(&path).expect("a file"), [header.as_bytes(), data].concat()),
            // An empty file, or a torn header, is begun anew.
            (None, Ok(())) => {}
            (Some(_), Err(error)) => panic!("it is read, but not written: {error}"),
        }
    }
}

/// The calls of a recording, each read whole.
fn calls(path: &Path) -> Option<Vec<Call>> {
    let reader = Reader::open(path).ok()?;
    let mut index = Index::new();
    let mut calls = Vec::new();
    for entry in reader.entries(Position::default()).flatten() {
        index.push(&entry.view());
        if let Ok(call) = reader.call(entry.place) {
            assert_eq!(recording::decode(&recording::encode(&call)).as_ref(), Ok(&call), "written and read again");
            calls.push(call);
        }
    }
    drop(index.conversations());
    Some(calls)
}

/// What is masked: by itself in a body of any sort, a header, an address and a note; JSON stays JSON. As a secret of JSON it is gone.
pub fn redacted(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let line = text.replace(|char: char| char.is_control(), "");
    LANE.with(|Lane { redaction, .. }| {
        let masked = |content_type: &str, body: bytes::Bytes| {
            let headers = [("content-type", content_type.to_owned()), ("x-a", line.clone()), ("link", line.clone())];
            let request = Request {
                method: "POST".into(),
                target: format!("/?a={line}"),
                headers: headers.into_iter().collect(),
                body,
                ..Request::default()
            };
            redaction.call(&Call::new(Id::fresh(), Direction::Received, now(), request)).request.body
        };
        let types =
            ["", "application/json", "application/x-www-form-urlencoded", "multipart/x; boundary=X", "text/csv"];
        for content_type in types {
            let masked = masked(content_type, bytes::Bytes::copy_from_slice(data));
            if std::str::from_utf8(data).is_ok_and(|text| text.starts_with(['{', '[']) && json::check(text).is_ok()) {
                json::check(&String::from_utf8_lossy(&masked)).expect("JSON stays JSON");
            }
        }
        drop(redaction.prose(&text));
        if !text.is_empty() {
            let body = serde_json::json!({ "a": 1, "password": text }).to_string();
            assert_eq!(masked("", body.into()), "{\"a\":1,\"password\":\"[redacted]\"}");
        }
    });
}

/// What came on a connection and was taken for no request.
fn as_it_came(data: &[u8]) -> Refused {
    Refused {
        peer: IpAddr::V4(Ipv4Addr::LOCALHOST),
        why: Why::Left,
        came: bytes::Bytes::copy_from_slice(data),
        answer: bytes::Bytes::copy_from_slice(data),
        took: Duration::ZERO,
        more: 0,
    }
}

/// A request in HTTP/1.1, read as far as it goes: told, judged, recorded, masked and exported in every form. From those that
/// are imported byte for byte it is, but for a target that no other program could write.
pub fn request(data: &[u8]) {
    let refused = as_it_came(data);
    LANE.with(|lane| {
        for told in [refused.to_string(), refused.told(Some(&lane.redaction))] {
            assert!(!told.contains(acts), "{told:?}");
        }
    });
    drop(refused.response());
    let Some(request) = refused.request() else { return };
    let request = Request { cut: false, ..request };
    judge(&request);
    let response = Response { status: 200, headers: request.headers.clone(), body: request.body.clone() };
    let call = Call::new(Id::fresh(), Direction::Received, now(), request);
    let call = Call { response: Some(response), ..call };
    let line = recording::encode(&call);
    assert_eq!(recording::decode(&line[..line.len() - 1]).as_ref(), Ok(&call), "byte for byte");
    let imported = if call.request.target.contains(['\r', '\0']) { &[][..] } else { &import::FORMATS };
    for form in imported.iter().copied().filter(|form| *form != Format::Curl) {
        let mut out = Vec::new();
        let mut exporter = Exporter::new(&mut out, form, "title", now()).expect("memory");
        exporter.write(&Report::new(call.clone(), None, None, Remarks::default())).expect("memory");
        exporter.finish().expect("memory");
        let mut back = import::calls(&out, form, now()).expect("what was exported").calls;
        assert_eq!((back.len(), back.pop().as_ref()), (1, Some(&call)), "{form}: {}", String::from_utf8_lossy(&out));
    }
    exported(call);
}

/// Whether a character acts on a terminal.
fn acts(char: char) -> bool {
    char.is_control() || matches!(char, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The way to the terminal: nothing that is shown acts on it.
pub fn shown(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    assert!(!visible::line(&text).contains(acts));
    assert!(!visible::bytes(data).contains(acts));
    assert!(!visible::text(&text).contains(|char| char != '\n' && acts(char)));
    for columns in [0, 1, 7, 40] {
        let line = visible::line(&text);
        assert!(visible::width(&visible::truncate(&line, columns)) <= columns);
    }
}

/// Placeholders: what came over a wire is sent as it came, and what is filled in leaves JSON JSON.
pub fn template(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let body = bytes::Bytes::copy_from_slice(data);
    let came = Request {
        method: "POST".into(),
        target: format!("/{text}"),
        headers: [("x-a", body.clone())].into_iter().collect(),
        body: body.clone(),
        ..Request::default()
    };
    let (variables, environment) = (Variables::default(), |_: &str| None);
    let values = Values { now: now(), variables: &variables, environment: &environment };
    let mut sent = template::literal(came.clone());
    template::fill(&mut sent, &values).expect("there is nothing to be filled in");
    assert_eq!(sent, came);
    drop((template::strange(&came), template::fill(&mut came.clone(), &values)));
    for found in placeholders::find(&text) {
        let written = &text[found.span];
        assert!(written.starts_with("{{") && written.ends_with("}}"), "{written}");
    }
    let value = |name: &str| Ok::<_, ()>((name != "stays").then(|| Value::Text(format!("{name}\"\\\n"))));
    let filled = placeholders::fill(&text, Braces::Json, value).expect("no error");
    if json::check(&text).is_ok() {
        json::check(&filled).expect("JSON stays JSON");
    }
    drop(placeholders::shown(placeholders::hidden(&text).into_owned()));
    drop(placeholders::levelled(&text));
    let known = Known { variable: Box::new(|_| None), environment: Box::new(|_| None) };
    let document = json::compact(&text).unwrap_or_default();
    drop(answers::fill(&body, &Scope { request: &came, document: &document, row: None, now: now(), known: &known }));
}

/// A body that came compressed: no more is unpacked than is said.
pub fn unpacked(data: &[u8]) {
    let body = bytes::Bytes::copy_from_slice(data);
    for coding in ["gzip", "deflate", "zstd", "br", "zstd, gzip", "gzip, gzip, deflate, zstd"] {
        let headers: Headers = [("content-encoding", coding)].into_iter().collect();
        let most = Packed::at_most(&headers, &body);
        if let Some(Packed { content: Ok(content), .. }) = Packed::of(&headers, &body) {
            assert!(content.len() <= most, "{coding}");
        }
    }
}

/// A token in the header, in the query and in the body.
pub fn token(data: &[u8]) {
    let text = String::from_utf8_lossy(data).replace(|char: char| char.is_control(), "");
    for (target, header) in
        [("/v1/webview/callback".to_owned(), text.clone()), (format!("/?token={text}"), String::new())]
    {
        let headers = [("authorization", format!("Bearer {header}")), ("content-type", "application/json".into())];
        judge(&Request {
            method: "POST".into(),
            target,
            headers: headers.into_iter().collect(),
            body: format!("{{\"session_id\":\"s\",\"token\":{}}}", serde_json::Value::from(&*text)).into(),
            ..Request::default()
        });
    }
}
