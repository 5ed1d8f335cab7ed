use std::io;
use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::recording::testing::{any_call, call, headers};
use crate::recording::{Entry, Place, View};

fn text(line: &[u8]) -> &str {
    std::str::from_utf8(line).unwrap()
}

fn with_body(body: impl Into<Bytes>) -> Call {
    let mut call = call(1);
    call.request.body = body.into();
    call
}

#[test]
fn a_line_reads_as_the_design_shows_it() {
    assert_eq!(
        text(&encode(&call(1))),
        concat!(
            r#"{"id":"01930000-0000-7000-8000-000000000001","at":"2026-11-21T10:02:11.120331Z","dir":"received","#,
            r#""kind":"moveo/pre_message","conv":"8563dcdf-1","sig":"valid","method":"POST","path":"/hooks/moveo?n=1","#,
            r#""status":200,"took_us":1843,"size":54,"parent":"00000000-0000-0000-0000-000000000009","#,
            r#""request":{"headers":[["host","localhost"],["x-moveo-signature","7b2e"]],"#,
            r#""json":{"input":{"text":"Good morning"},"number":1,"big":1e3}},"#,
            r#""response":{"headers":[["content-type","text/plain"]],"text":"done\n"}}"#,
            "\n"
        )
    );
}

#[test]
fn what_is_absent_is_null_in_the_head_and_left_out_behind_it() {
    let call = Call {
        kind: None,
        conversation: None,
        sig: None,
        parent: None,
        error: Some("connection refused".into()),
        forwarded: Some(Forwarded {
            to: "http://h:1/\"".into(),
            connect_us: Some(1),
            first_byte_us: None,
            total_us: 20,
            cut: true,
        }),
        request: Request {
            method: "GET".into(),
            target: "/".into(),
            origin: Some("http://h:1".into()),
            ..<_>::default()
        },
        response: None,
        ..call(1)
    };
    let line = encode(&call);
    assert!(text(&line).ends_with(concat!(
        r#""kind":null,"conv":null,"sig":null,"method":"GET","path":"/","status":null,"took_us":1843,"size":0,"#,
        r#""parent":null,"origin":"http://h:1","error":"connection refused","#,
        r#""forwarded":{"to":"http://h:1/\"","connect_us":1,"total_us":20,"cut":true},"request":{"headers":[]}}"#,
        "\n"
    )));
    assert_eq!(decode(&line), Ok(call));
}

#[test]
fn an_answer_that_reached_nobody_is_kept_and_has_no_status_in_the_head() {
    let gone = Call { error: Some(format!("{} while the call was held", crate::call::HUNG_UP)), ..call(1) };
    let line = encode(&gone);
    assert!(text(&line).contains(r#","status":null,"#), "{}", text(&line));
    assert!(text(&line).contains(r#""response":{"status":200,"headers":"#), "{}", text(&line));
    for read in [decode(&line).unwrap(), decode_shared(line.clone()).unwrap()] {
        assert_eq!((read.status(), read.answer()), (None, None));
        assert_eq!(read, gone);
    }
    let place = Place { offset: 0, len: 0 };
    let mut scratch = Vec::new();
    assert_eq!(head(&line, &mut scratch).unwrap().unwrap().entry(place), View::of(&gone, place).entry);
}

#[test]
fn a_body_takes_the_first_form_that_keeps_its_bytes() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    let brackets = format!("[{}]", vec!["[]"; 300].join(","));
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (b"".to_vec(), ""),
        (b"null".to_vec(), "json"),
        (b"\"\"".to_vec(), "json"),
        (b"1e999".to_vec(), "json"),
        (b"12345678901234567890123".to_vec(), "json"),
        (br#"{ "a" : 1.0, "a":"\u00e4\/" }"#.to_vec(), "json"),
        (br#"["\ud83d\ude00 \u00e4"]"#.to_vec(), "json"),
        (br#""\ud800 alone""#.to_vec(), "text"),
        (br#""\ude00 alone""#.to_vec(), "text"),
        (br#""\ud83d\ud83d\ude00""#.to_vec(), "text"),
        ("\"\u{2028}\"".into(), "json"),
        (nested(120).into(), "json"),
        (brackets.into(), "json"),
        (nested(121).into(), "text"),
        (nested(100_000).into(), "text"),
        (format!("[\"{}\"]", r#"\"[{"#.repeat(200)).into(), "json"),
        (b" 1".to_vec(), "text"),
        (b"{}\n".to_vec(), "text"),
        (b"{\r\n}".to_vec(), "text"),
        (b"{} {}".to_vec(), "text"),
        (b"01".to_vec(), "text"),
        (b"{\"a\":1".to_vec(), "text"),
        ("\u{feff}{}".into(), "text"),
        (b"\0\x1b[31m\"\\\t".to_vec(), "text"),
        (b"{\"a\":\"\xff\"}".to_vec(), "base64"),
        (b"\xed\xa0\x80".to_vec(), "base64"),
    ];
    for (body, form) in cases {
        let call = with_body(body.clone());
        let line = encode(&call);
        let request = text(&line).split_once(r#""7b2e"]]"#).unwrap().1;
        let expected = if form.is_empty() { "}".to_owned() } else { format!(",\"{form}\":") };
        assert!(request.starts_with(&expected), "{form}: {}", &request[..request.len().min(80)]);
        assert_eq!(decode(&line), Ok(call));
        if form == "json" {
            assert!(request.as_bytes()[expected.len()..].starts_with(&body));
        }
    }
}

#[test]
fn header_values_that_are_no_text_are_kept() {
    let mut call = call(1);
    call.request.headers = headers(&[("a", b"\xe4"), ("A", b""), ("b", b"\t\"x\"")]);
    let line = encode(&call);
    assert!(text(&line).contains(r#""headers":[["a",{"base64":"5A=="}],["A",""],["b","\t\"x\""]]"#));
    assert_eq!(decode(&line), Ok(call));
}

#[test]
fn a_reader_takes_other_orders_unknown_fields_and_white_space() {
    let written = concat!(
        r#" { "request" : {"json": {"b": 1}, "headers": [["a", "b"]], "new": [1]}, "future": {"request":{}}, "id":"#,
        r#""01930000-0000-7000-8000-000000000001","at":"2026-11-21T12:02:11+02:00","dir":"sent","method":"PUT","#,
        r#""path":"/\u0061"}"#,
        "\r\n"
    );
    let call = decode(written.as_bytes()).unwrap();
    assert_eq!(call.request.body, r#"{"b": 1}"#);
    assert_eq!(call.request.target, "/a");
    assert_eq!((call.at.to_string().as_str(), call.direction), ("2026-11-21T10:02:11Z", Direction::Sent));
    assert_eq!((call.kind, call.sig, call.response), (None, None, None));
}

#[test]
fn members_in_the_order_of_their_names_mean_the_same() {
    for call in [call(1), Call { sig: None, parent: None, ..call(1) }] {
        let value: serde_json::Value = serde_json::from_slice(&encode(&call)).unwrap();
        // As `jq -S` writes it: the status stands behind the request.
        let mut sorted: Vec<(&String, &serde_json::Value)> = value.as_object().unwrap().iter().collect();
        sorted.sort_by_key(|(name, _)| *name);
        let members: Vec<String> = sorted.into_iter().map(|(name, value)| format!("{name:?}:{value}")).collect();
        let line = format!("{{{}}}", members.join(","));
        let mut scratch = Vec::new();
        let head = head(line.as_bytes(), &mut scratch).unwrap().unwrap();
        let place = Place { offset: 0, len: 0 };
        assert_eq!(head.entry(place), View::of(&call, place).entry, "{line}");
    }
}

#[test]
fn an_error_that_another_program_has_put_behind_the_request_is_one() {
    let place = Place { offset: 0, len: 0 };
    let whole = encode(&call(1));
    let line = text(&whole).trim_end().strip_suffix('}').unwrap();
    let behind = format!("{line},\"error\":\"lost\"}}");
    // With an escape, it is read with care.
    let between =
        line.replace("moveo/pre", "moveo\\/pre").replace(",\"response\":", ",\"error\":\"lost\",\"response\":") + "}";
    let followed = format!("{line},\"error\":\"lost\",\"more\":1}}");
    for line in [behind, between, followed] {
        let mut scratch = Vec::new();
        let head = head(line.as_bytes(), &mut scratch).unwrap().unwrap();
        let entry = head.entry(place);
        let decoded = decode(line.as_bytes()).unwrap();
        assert_eq!(decoded.error.as_deref(), Some("lost"));
        assert_eq!((entry.failed, &entry), (true, &View::of(&decoded, place).entry), "{line}");
    }
    let none = format!("{line},\"more\":1}}");
    assert!(!head(none.as_bytes(), &mut Vec::new()).unwrap().unwrap().entry(place).failed);
}

#[test]
fn a_nested_request_before_the_calls_own_does_not_deceive() {
    let line = text(&encode(&call(1))).replacen("{\"id\"", r#"{"x":{"y":1,"request":{"z":2}},"id""#, 1);
    assert_eq!(decode(line.as_bytes()), Ok(call(1)));
}

#[test]
fn other_lines_are_passed_over_and_damaged_ones_are_told() {
    let mut scratch = Vec::new();
    for other in ["", " \r\n", r#"{"mark":"0193","id":"x"}"#, header(Timestamp::UNIX_EPOCH).as_str()] {
        assert!(head(other.as_bytes(), &mut scratch).unwrap().is_none(), "{other}");
        assert!(is_whole(other.as_bytes()));
    }
    let whole = encode(&call(1));
    let whole = text(&whole).trim_end();
    for damaged in ["nonsense", "\0\0\0", "[1]", "{\"request\":{}}", &whole[1..], &whole[..whole.len() - 2]] {
        assert!(head(damaged.as_bytes(), &mut scratch).is_err(), "{damaged}");
        assert!(decode(damaged.as_bytes()).is_err());
        assert!(!is_whole(damaged.as_bytes()));
    }
    let error = decode(whole.replace("\"valid\"", "\"fine\"").as_bytes()).unwrap_err().to_string();
    assert!(error.starts_with("unknown variant `fine`") && error.contains("(column "), "{error}");
    let bad = whole.replace(r#""text":"done\n""#, r#""base64":"?""#);
    for behind in [bad.as_bytes(), &whole.as_bytes()[..whole.len() - 1]] {
        assert!(head(behind, &mut scratch).is_ok() && !is_whole(behind), "damage behind the head");
    }
}

#[test]
fn a_torn_header_is_told_from_another_file() {
    let whole = header(Timestamp::UNIX_EPOCH);
    assert!((0..whole.len()).all(|end| is_torn_header(&whole.as_bytes()[..end])));
    for other in ["{\"hooktape\":2", "{\"hooktape\":12,", "{\"a\":1}", "hello"] {
        assert!(!is_torn_header(other.as_bytes()), "{other}");
    }
}

#[test]
fn a_line_that_ends_where_a_body_should_begin_is_damaged() {
    let line = String::from_utf8(encode(&call(1))).unwrap();
    let end = line.find(r#","response":{"#).unwrap();
    for answer in ["", r#""headers":[]"#, r#""headers":[],"json":"#] {
        let line = format!(r#"{},"response":{{{answer}}}"#, &line[..end]);
        assert!(decode(line.as_bytes()).is_err() && decode_shared(line.into_bytes()).is_err());
    }
}

proptest! {
    #[test]
    fn every_call_comes_back_as_it_was(call in any_call()) {
        let line = encode(&call);
        prop_assert_eq!(memchr::memchr_iter(b'\n', &line).count(), 1);
        prop_assert_eq!(&line[line.len() - 2..], b"}\n");
        prop_assert!(serde_json::from_slice::<IgnoredAny>(&line).is_ok());
        prop_assert!(is_whole(&line));
        let place = Place { offset: 7, len: 9 };
        let mut scratch = Vec::new();
        let head = head(&line, &mut scratch).unwrap().unwrap();
        let entry = Entry::from_call(&call, place);
        prop_assert_eq!((head.id, head.at, head.took_us, head.size), (entry.id, entry.at, entry.took_us, entry.size));
        prop_assert_eq!(head.error.is_some(), entry.failed);
        prop_assert_eq!(head.entry(place), entry.view().entry);
        prop_assert_eq!(decode(&line), Ok(call.clone()));
        prop_assert_eq!(decode_shared(line[..line.len() - 1].to_vec()), Ok(call));
    }

    #[test]
    fn what_is_read_quickly_means_the_same_to_a_parser(at in 0..300_usize, new in "[ -~]|,\"[a-z]|00|\\\\n", drop in 0..3_usize) {
        let mut call = call(1);
        call.error = Some("lost".into());
        call.request.peer = Some([127, 0, 0, 1].into());
        let mut line = encode(&call);
        prop_assert!(quick::head(line.trim_ascii_end()).is_some());
        let at = at.min(line.len() - 4);
        line.splice(at..at + drop, new.bytes());
        if let Some(quick) = quick::head(&line) {
            let mut scratch = Vec::new();
            let careful = careful_head(&line, &mut scratch).unwrap().unwrap();
            let place = Place { offset: 0, len: 0 };
            prop_assert_eq!(quick.entry(place), careful.entry(place));
        }
    }

    #[test]
    fn a_whole_line_read_quickly_means_the_same_to_a_parser(at in 0..2000_usize, new in "[ -~]|,\"[a-z]\":|00|\\\\n|}}", drop in 0..3_usize) {
        let mut call = call(1);
        call.request.peer = Some([127, 0, 0, 1].into());
        call.request.headers.push("etag", "W/\"1\"");
        call.forwarded = Some(Forwarded { to: "http://127.0.0.1:1/x".into(), total_us: 9, cut: true, ..Forwarded::default() });
        let mut line = encode(&call);
        line.pop();
        prop_assert_eq!(whole::call(&line.clone().into()), Some(call));
        let at = at % line.len();
        line.splice(at..(at + drop).min(line.len()), new.bytes());
        // A body that is no longer JSON keeps its length; everything else is as serde has it.
        if let (Some(quick), Ok(careful)) = (whole::call(&line.clone().into()), decode(&line)) {
            prop_assert_eq!(quick, careful);
        }
    }

    #[test]
    fn every_time_is_read_as_its_parser_reads_it(at in -377_705_023_201_000_000_i64..=253_402_207_200_000_000, day in 0..60_i64) {
        for at in [at, at / 86_400_000_000 % 20_000 * 86_400_000_000 + day * 86_400_000_000 - 1] {
            let call = Call { at: Timestamp::from_microsecond(at).unwrap(), ..call(1) };
            let line = encode(&call);
            let found = quick::head(line.trim_ascii_end());
            prop_assert!(found.is_none_or(|head| head.at == call.at));
            prop_assert!(at < 0 || quick::head(line.trim_ascii_end()).is_some());
        }
    }

    #[test]
    fn no_line_makes_it_panic(line in vec(any::<u8>(), 0..60), cut in 0..700_usize) {
        let mut scratch = Vec::new();
        let _ = head(&line, &mut scratch);
        let whole = encode(&call(1));
        let torn = &whole[..cut.min(whole.len() - 2)];
        prop_assert!(torn.is_empty() || decode(torn).is_err());
    }
}

#[test]
fn the_repair_of_a_read_only_disk_fits_what_was_tried() {
    let said = |doing| {
        let error: io::Error = io::ErrorKind::ReadOnlyFilesystem.into();
        OpenError::io(doing, Path::new("tape.jsonl"))(error).to_string()
    };
    assert_eq!(
        said("remove"),
        "cannot remove tape.jsonl: the file system is read-only: mount it to be written to first"
    );
    assert!(said("open").ends_with("name a file elsewhere, a copy of this one say"), "{}", said("open"));
}
