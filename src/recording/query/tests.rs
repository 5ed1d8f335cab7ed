use std::time::Duration;

use bytes::Bytes;

use super::*;
use crate::call::{Direction, Response, Sig};
use crate::config::Target;
use crate::recording::testing::{call, headers};
use crate::recording::{Annotation, Change, Colour, Entry, Mark, Marks, Place};

fn now() -> Timestamp {
    "2026-11-21T10:12:00Z".parse().unwrap()
}

/// In UTC, with these saved queries.
fn by(saved: &IndexMap<String, String>) -> Reading<'_> {
    Reading { now: now(), zone: TimeZone::UTC, saved, targets: &[] }
}

fn parse(text: &str) -> Query {
    Query::parse(text, now()).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn matches(text: &str, call: &Call) -> bool {
    let entry = Entry::from_call(call, Place { offset: 0, len: 0 });
    let query = parse(text);
    let by_call = query.matches(&entry.view(), call);
    let by_head = query.matches_view(&entry.view());
    assert!(by_head.is_none_or(|answer| answer == by_call), "{text}: the head says otherwise");
    assert!(query.needs_call() || by_head.is_some(), "{text}: needs no call");
    by_call
}

#[test]
fn each_key_finds_what_it_asks_for() {
    let call = call(1);
    for text in [
        "",
        "  ",
        "kind:moveo/pre_message",
        "kind:message",
        "KIND:Message",
        "platform:moveo",
        "sig:valid",
        "status:200",
        "status:2xx",
        "status:>=200",
        "status:<=200",
        "status:<201",
        "status:200..299",
        "conv:8563",
        "path:/hooks",
        "dir:received",
        "method:post",
        "took:>1ms",
        "took:<1.9ms",
        "took:1800us..2ms",
        "size:<1kb",
        "size:<0.054KiB",
        "size:54",
        "size:>=54",
        "since:10m",
        "since:2026-11-21",
        "since:2026-11-21T10:02",
        "since:10:02",
        "since:2026-11-21T11:02:00+01:00",
        "until:2026-11-21T10:03Z",
        "until:2026-11-21",
        "since:2026-11-21 until:2026-11-21",
        "until:30s",
        "since:10:02Z",
        "id:0193",
        "id:000000000001",
        "parent:09",
        "body:morning",
        "body:DONE",
        "header:localhost",
        r#"header:"x-moveo-signature: 7b2e""#,
        "header:text/plain",
        "/input/text:morning",
        r#"/input/text:"good morning""#,
        "/number:1",
        "/big:1e3",
        "/input:morning",
        "/input/text:",
        "/number:>0",
        "/number:>=1",
        "/number:<1.5",
        "/big:<=1000",
        "dialog | moveo",
        "MOVEO",
        "8563dcdf",
        "hooks",
        "POST",
        "200",
        "7b2e",
        "x-moveo",
        r#""\"number\":1""#,
        "done",
    ] {
        assert!(matches(text, &call), "{text}");
        if !text.trim().is_empty() && !text.contains('|') {
            assert!(!matches(&format!("-{text}"), &call), "-{text}");
        }
    }
}

#[test]
fn each_key_leaves_out_the_rest() {
    let call = call(1);
    for text in [
        "kind:dialog",
        "kind:none",
        "platform:message",
        "sig:invalid",
        "sig:none",
        "status:>200",
        "status:<200",
        "status:5xx",
        "status:201..299",
        "status:none",
        "conv:none",
        "conv:9999",
        "path:moveo/hooks",
        "dir:sent",
        "method:pos",
        "took:>1s",
        "took:<=1ms",
        "size:>1mb",
        "size:<0.054kb",
        "since:9m",
        "until:10m",
        "until:2026-11-20",
        "id:0195",
        "parent:none",
        "body:localhost",
        "header:morning",
        "/input/text:evening",
        "/number:11",
        "/big:1000",
        "/number:>1",
        "/number:<-1",
        "/big:<1e3",
        "/number:\">0\"",
        "/input/text:>0",
        "/input:<9",
        "/nowhere:>0",
        "/nowhere:",
        "/text:morning",
        "evening",
        "20",
    ] {
        assert!(!matches(text, &call), "{text}");
        assert!(matches(&format!("-{text}"), &call), "-{text}");
    }
}

#[test]
fn none_asks_for_what_is_absent_unless_it_is_quoted() {
    let mut bare = Call { kind: None, conversation: None, sig: None, parent: None, response: None, ..call(1) };
    assert!(matches("kind:none conv:none sig:none parent:none status:none", &bare));
    assert!(!matches("status:>=0", &bare) && !matches("platform:moveo", &bare));
    bare.kind = Some("none/such".into());
    assert!(matches("kind:\"none\"", &bare) && !matches("kind:none", &bare));
}

#[test]
fn words_are_searched_on_both_sides_and_in_bytes_too() {
    let mut call = Call { error: Some("Connection refused".into()), direction: Direction::Sent, ..call(1) };
    call.request.origin = Some("http://staging.example".into());
    call.request.headers = headers(&[("x-raw", b"caf\xe9")]);
    call.request.body = Bytes::from_static(b"\x89PNG\xff");
    call.response = Some(Response { status: 502, body: "{\"Error\":\"Gr\u{fc}n\"}".into(), ..Response::default() });
    for text in ["refused", "STAGING", "x-raw", "caf", "png", "error", "gr\u{fc}n", "/Error:gr\u{fc}n", "502"] {
        assert!(matches(text, &call), "{text}");
    }
    assert!(!matches("/input/text:x", &call), "a body that is no JSON has no pointers");
    let id = call.id.to_string();
    assert!(matches(&id, &call) && matches(&id[28..], &call));
    assert!(!matches(&id[29..], &call), "what is shorter may stand in an id by chance");
}

#[test]
fn space_binds_tighter_than_bar_and_parentheses_tighter_than_both() {
    let table = [
        ("sig:valid dir:sent | method:POST", true),
        ("sig:valid (dir:sent | method:POST)", true),
        ("sig:invalid (dir:sent | method:POST)", false),
        ("sig:invalid dir:sent | method:POST", true),
        ("method:POST|sig:invalid dir:sent", true),
        ("-(sig:valid dir:sent)", true),
        ("-(sig:valid | dir:sent)", false),
        ("--sig:valid", true),
        ("((sig:valid))", true),
        ("(sig:valid)(method:GET)", false),
        (r#""Good morning" "\"text\"" -"good  morning""#, true),
        (r#""a\b""#, false),
        ("12:30", false),
        ("/hooks/moveo", true),
        ("-/hooks/moveo", false),
        ("pre-message|pre_message", true),
    ];
    for (text, expected) in table {
        assert_eq!(matches(text, &call(1)), expected, "{text}");
    }
}

#[test]
fn a_head_decides_where_it_can() {
    let entry = Entry::from_call(&call(1), Place { offset: 0, len: 0 });
    for (text, expected) in [
        ("morning", None),
        ("-morning", None),
        ("moveo", Some(true)),
        ("morning sig:invalid", Some(false)),
        ("morning | sig:valid", Some(true)),
        ("morning sig:valid", None),
        ("morning | sig:invalid", None),
        ("-(morning | sig:valid)", Some(false)),
    ] {
        let query = parse(text);
        assert_eq!(query.matches_view(&entry.view()), expected, "{text}");
        assert!(query.needs_call());
    }
    assert!(!parse("sig:valid -status:4xx").needs_call());
}

#[test]
fn a_time_without_a_zone_is_the_readers_and_what_a_list_shows_at_a_time_is_not_after_it() {
    let call = Call { at: "2026-11-20T20:04:05.6Z".parse().unwrap(), ..call(1) };
    let entry = Entry::from_call(&call, Place { offset: 0, len: 0 });
    let none = IndexMap::new();
    let of = |zone: TimeZone, text: &str| {
        let now = "2026-11-20T23:00:00Z".parse().unwrap();
        let query = Query::parse_with(text, &Reading { now, zone, ..by(&none) }).unwrap();
        query.matches(&entry.view(), &call)
    };
    let tokyo = || TimeZone::fixed(jiff::tz::offset(9));
    for text in ["since:05:04:05 until:05:04:05", "since:2026-11-21 until:2026-11-21"] {
        assert!(of(tokyo(), text), "{text}");
        assert!(!of(TimeZone::UTC, text), "{text}");
    }
    for text in ["since:20:04:05Z until:20:04:05Z", "until:2026-11-20T20:04:05Z", "until:2026-11-20T21:04:05+01:00"] {
        assert!(of(TimeZone::UTC, text), "{text}");
    }
    assert!(of(tokyo(), "until:2026-11-20T20:04:05Z"));
    assert!(!of(TimeZone::UTC, "until:20:04:05.5") && !of(TimeZone::UTC, "until:20:04:04"));
}

#[test]
fn a_sent_call_is_found_by_the_address_or_by_the_name_of_a_target_there() {
    let mut sent = Call { direction: Direction::Sent, ..call(1) };
    (sent.request.origin, sent.request.target) = (Some("http://127.0.0.1:3000".to_owned()), "/hooks?a=1".to_owned());
    let entry = Entry::from_call(&sent, Place { offset: 0, len: 0 });
    let (none, targets) = (
        IndexMap::new(),
        ["/hooks", "/others"].map(|path| {
            Target::new(if path == "/hooks" { "staging" } else { "production" }, format!("http://127.0.0.1:3000{path}"))
        }),
    );
    let of = |text: &str| Query::parse_with(text, &Reading { targets: &targets, ..by(&none) }).unwrap();
    for text in ["to:staging", "to:STAG", "to:127.0.0.1:3000", "-to:none", "-to:production"] {
        assert!(of(text).matches(&entry.view(), &sent), "{text}");
    }
    assert!(matches("to:none -to:3000", &Call { direction: Direction::Received, ..call(1) }));
}

#[test]
fn a_compressed_body_is_looked_into() {
    let mut call = call(1);
    call.request.headers.push("content-encoding", "zstd");
    call.request.body = zstd::encode_all(&br#"{"input":{"text":"parcel"}}"#[..], 3).unwrap().into();
    for text in ["parcel", "body:PARCEL", "/input/text:parcel"] {
        assert!(matches(text, &call), "{text}");
        assert!(parse(text).may_match(&crate::recording::encode(&call)), "{text}");
    }
    assert!(!matches("body:letter", &call));
}

#[test]
fn every_sig_and_direction_has_its_word() {
    for sig in Sig::ALL {
        assert!(matches(&format!("sig:{}", sig.word()), &Call { sig: Some(sig), ..call(1) }));
    }
    assert!(matches(
        "dir:sent took:>1h",
        &Call { direction: Direction::Sent, took: Duration::from_secs(3601), ..call(1) }
    ));
}

#[test]
fn an_error_has_its_place_and_the_repair() {
    for (text, span, message) in [
        (
            "sig:invald",
            4..10,
            "sig: takes none or one of valid, invalid, stale, missing, no-secret, unsigned, malformed (did you mean \"invalid\"?), as in sig:invalid",
        ),
        ("dir:in", 4..6, "dir: takes one of received, sent, as in dir:sent"),
        ("word kid:x", 5..8, "kid: is not known: did you mean \"kind\"? (to look for the text, quote it: \"kid:...\")"),
        ("finding:bad", 8..11, "finding: takes none or one of error, warning, note, as in finding:error"),
        ("http://x", 0..4, "\"/pointer\" (to look for the text, quote it: \"http:...\")"),
        ("kind:", 0..4, "kind: needs a value, as in kind:dialog"),
        ("status:abc", 7..10, "status: takes none, a status (404), a class (4xx)"),
        ("status:299..200", 7..15, "status: takes none, a status"),
        ("took:1s..500ms", 5..14, "took: takes a bound"),
        ("((", 2..2, "something to look for is missing here"),
        ("status:>=", 7..9, "status: takes none, a status"),
        ("took:1s", 5..7, "took: takes a bound (>1s, <200ms"),
        ("took:>1x", 5..8, "took: takes a bound"),
        ("size:big", 5..8, "size: takes a bound"),
        ("since:yesterday", 6..15, "since: takes how long ago (90s, 10m"),
        ("since:99999999999d", 6..18, "since: takes how long ago"),
        ("since:10", 6..8, "since: takes how long ago"),
        ("/a~2b:x", 0..5, "\"/a~2b\" is no JSON Pointer: it begins with `/`, and in a name `~`"),
        (
            "x /a:>1x",
            5..8,
            "/a: takes a number behind its sign (>100, >=2.5, <-3, <=1e3); to look for the text, quote it: \">1x\"",
        ),
        ("/a:<=", 3..5, "/a: takes a number behind its sign"),
        ("body:\"x", 5..7, "the closing \" is missing"),
        ("a |", 3..3, "something to look for is missing here"),
        ("| a", 0..1, "something to look for is missing here"),
        ("()", 1..2, "something to look for is missing here"),
        ("(a", 0..1, "the ) for this ( is missing"),
        ("a)", 1..2, "there is no ( for this"),
        ("a -", 3..3, "what to leave out is missing behind -"),
        ("- a", 1..2, "what to leave out stands right behind its -"),
    ] {
        let error = Query::parse(text, now()).unwrap_err();
        assert_eq!(error.span, span, "{text}: {error}");
        assert!(error.message.contains(message), "{text}: {error}");
    }
    let deep = "(".repeat(100_000);
    assert_eq!(Query::parse(&deep, now()).unwrap_err().message, "parentheses nest too deep");
}

#[test]
fn every_keys_example_is_understood() {
    for key in KEYS {
        parse(&key.written());
    }
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "([a-z:/\"()|\u{e9} -]|status:|took:|since:|/a:|>|<|=|[0-9]|xx|\\.\\.)*") {
        if let Err(error) = Query::parse(&text, now()) {
            proptest::prop_assert!(text.get(error.span).is_some());
        }
    }
}

#[test]
fn marks_notes_and_deletions_are_asked_for_and_deleted_calls_are_hidden() {
    let call = call(1);
    let entry = Entry::from_call(&call, Place { offset: 0, len: 0 });
    let said = |changes: &[Change]| -> Marks {
        let lines = changes.iter().map(|change| Annotation { call: call.id, at: now(), change: change.clone() });
        (1..).zip(lines).collect()
    };
    let fits = |text: &str, marks: &Marks| {
        let (query, view) = (parse(text), entry.view().with(marks));
        let fits = query.matches(&view, &call);
        assert!(query.matches_view(&view).is_none_or(|answer| answer == fits), "{text}");
        fits
    };
    let none = said(&[]);
    let red = said(&[Change::Mark(Some(Mark { colour: Some(Colour::Red) })), Change::Note(Some("Own test".into()))]);
    let gone = said(&[Change::Delete(true)]);
    for (text, plain, marked, deleted) in [
        ("", true, true, false),
        ("morning", true, true, false),
        ("marked", false, true, false),
        ("marked:red", false, true, false),
        ("-marked:blue", true, true, false),
        ("note:\"own test\"", false, true, false),
        ("note:none", true, false, false),
        ("OWN", false, true, false),
        ("-own", true, false, false),
        ("own morning", false, true, false),
        ("body:own", false, false, false),
        ("deleted", false, false, true),
        ("-deleted", true, true, false),
        ("deleted | marked", false, true, true),
        ("\"deleted\"", false, false, false),
    ] {
        assert_eq!((fits(text, &none), fits(text, &red), fits(text, &gone)), (plain, marked, deleted), "{text}");
    }
    for (text, by_mark, by_note) in
        [("kind:x | -note:y", false, true), ("-word", false, true), ("marked", true, false), ("kind:x", false, false)]
    {
        let query = parse(text);
        assert_eq!(
            (query.depends_on(&Change::Mark(None)), query.depends_on(&Change::Note(None))),
            (by_mark, by_note),
            "{text}"
        );
    }
}

#[test]
fn saved_queries_stand_for_themselves_in_parentheses() {
    let saved = [
        ("broken", "sig:invalid | status:>=500"),
        ("loop", "x @pool"),
        ("pool", "@loop"),
        ("bad", "statsu:1"),
        ("large", "size:>10k"),
    ];
    let saved = saved.into_iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect();
    let with = |text: &str| Query::parse_with(text, &by(&saved));
    assert_eq!(with("kind:x -@broken").unwrap(), parse("kind:x -(sig:invalid | status:>=500)"));
    assert_eq!(with("\"@broken\" jo@x.example @x.example @").unwrap().root, {
        parse("\"@broken\" \"jo@x.example\" \"@x.example\" \"@\"").root
    });
    for (text, at, said) in [
        (
            "@large",
            0..6,
            "@large (size:>10k): size: takes a bound in bytes (>10kb, <512; b, kb, kib, mb, mib, gb, gib): for \"k\" write kb (by 1000) or kib (by 1024)",
        ),
        ("a @brokn", 2..8, "no query is saved as \"brokn\": did you mean \"broken\"?"),
        ("@loop", 0..5, "asks for itself"),
        ("-@bad", 1..5, "did you mean \"status\"?"),
    ] {
        let error = with(text).unwrap_err();
        assert!(error.span == at && error.message.contains(said), "{text}: {error:?}");
    }
    assert!(Query::parse("@x", now()).unwrap_err().message.contains("no query is saved as \"x\": none is known"));
}

#[test]
fn saved_queries_that_name_each_other_are_bounded() {
    // Each names the next one twice: unbounded, the first would have four million parts.
    let mut saved: IndexMap<String, String> =
        (0..22).map(|i| (format!("q{i}"), format!("@q{} @q{}", i + 1, i + 1))).collect();
    saved.insert("q22".into(), "x".into());
    saved.extend((0..6_000).map(|i| (format!("c{i}"), format!("@c{}", i + 1))));
    saved.insert("c6000".into(), "x".into());
    saved.insert("plain".into(), vec!["x"; 1_999].join(" "));
    let said = |text: &str| Query::parse_with(text, &by(&saved)).map_err(|error| (error.span, error.message));
    let (span, message) = said("y @q0").unwrap_err();
    assert_eq!(message, "@q0 has more than 2000 parts with those of the saved queries that it names");
    assert_eq!(span, 2..5);
    assert_eq!(said("@c0").unwrap_err().1, "@c0 names saved queries that name others, more than 32 deep");
    assert!(said("@q15").is_ok() && said("@c5969").is_ok() && said("@plain").is_ok());
    assert!(said(&vec!["x"; 5_000].join(" ")).is_ok(), "what is typed is as long as it is");
}

#[test]
fn departures_from_the_contract_are_found_by_their_grade() {
    let platforms = Arc::new(crate::platform::Platforms::builtin().unwrap());
    let kind = platforms.kind("moveo/dialog").unwrap();
    let answered = |body: &'static str| Call {
        kind: Some(kind.name.clone()),
        request: kind.sample(),
        response: Some(Response { status: 200, body: body.into(), ..Response::default() }),
        ..call(1)
    };
    let found = |text: &str, call: &Call| {
        let entry = Entry::from_call(call, Place { offset: 0, len: 0 });
        let query = parse(text).by(&platforms);
        assert!(query.needs_call());
        query.matches(&entry.view(), call)
    };
    let (sound, broken) = (answered("{}"), answered("{\"responses\":1}"));
    assert!(found("finding:error", &broken) && !found("finding:error", &sound));
    assert!(found("finding:none", &sound) && !found("finding:none", &broken));
    assert!(found("-finding:error", &sound) && !found("finding:note", &broken));
    let stranger = Call { kind: None, ..broken.clone() };
    assert!(found("finding:none", &stranger) && !found("finding:error", &stranger));
    let entry = Entry::from_call(&stranger, Place { offset: 0, len: 0 });
    assert_eq!(parse("finding:error").by(&platforms).matches_view(&entry.view()), Some(false), "its body is not read");
}
