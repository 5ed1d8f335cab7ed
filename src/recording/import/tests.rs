mod left_out;

use std::time::Instant;

use bytes::Bytes;
use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::recording::export::{Exporter, Report};
use crate::recording::testing::{call, wire_call};
use crate::recording::{Change, Colour, Mark, Remarks};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

/// What `calls` are in a form.
fn export(calls: &[Call], format: Format) -> Vec<u8> {
    let mut text = Vec::new();
    let mut exporter = Exporter::new(&mut text, format, "calls", NOW).unwrap();
    for call in calls {
        exporter.write(&Report::new(call.clone(), None, None, Remarks::default())).unwrap();
    }
    exporter.finish().unwrap();
    text
}

fn import(text: impl AsRef<[u8]>) -> Result<Vec<Call>, ImportError> {
    let from = recognise(text.as_ref()).expect("the form should be known");
    let found = calls(text.as_ref(), from, NOW)?;
    found.skipped.into_iter().next().map_or(Ok(found.calls), Err)
}

fn one(text: &str) -> Call {
    let mut calls = import(text).unwrap();
    assert_eq!(calls.len(), 1, "{text}");
    calls.remove(0)
}

fn headers(call: &Call) -> Vec<(&str, &str)> {
    call.request.headers.iter().map(|(name, value)| (name, std::str::from_utf8(value).unwrap())).collect()
}

/// What a command can say of a request, and how it says it.
fn as_command(call: &Call) -> Request {
    let url = crate::recording::export::url(call);
    let (origin, place) =
        url.split_once("://").map(|(scheme, rest)| (scheme, rest.split('/').next().unwrap())).unwrap();
    let public = (origin == "https").then(|| format!("https://{place}"));
    let host = call.request.headers.get("host").unwrap_or(place).to_owned();
    let own = ["host", "content-length", "transfer-encoding", "connection", "expect"];
    let kept = call.request.headers.0.iter().filter(|(name, _)| !own.iter().any(|own| name.eq_ignore_ascii_case(own)));
    let headers = std::iter::once(("host".into(), host.into())).chain(kept.cloned()).collect();
    let Request { method, target, body, redacted, .. } = call.request.clone();
    Request { method, target, public, headers, body, redacted, ..Request::default() }
}

proptest! {
    // Enough: a case is dear without optimisation.
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_is_exported_comes_back_byte_for_byte(all in proptest::collection::vec(wire_call(), 0..3)) {
        for format in [Format::Har, Format::Http, Format::Json] {
            let text = export(&all, format);
            prop_assert_eq!(calls(&text, format, NOW).map(|found| found.calls).map_err(|e| e.to_string()), Ok(all.clone()), "{}", format);
            if !all.is_empty() {
                prop_assert_eq!(recognise(&text), Some(format));
            }
        }
    }

    #[test]
    fn a_command_says_the_whole_request(all in proptest::collection::vec(wire_call(), 1..3)) {
        let text = export(&all, Format::Curl);
        prop_assert_eq!(recognise(&text), Some(Format::Curl));
        let read = calls(&text, Format::Curl, NOW).unwrap();
        let requests: Vec<Request> = read.calls.into_iter().map(|call| call.request).collect();
        prop_assert_eq!(requests, all.iter().map(as_command).collect::<Vec<_>>(), "{}", String::from_utf8_lossy(&text));
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80), start in 0_usize..4) {
        let starts: [&[u8]; 4] = [b"", b"curl -", b"POST / HTTP/1.1\n", b"{\"log\":{\"entries\":["];
        let text = [starts[start], &bytes].concat();
        let _ = recognise(&text);
        for format in FORMATS {
            let _ = calls(&text, format, NOW);
        }
    }
}

#[test]
fn what_was_refused_as_no_request_comes_back_with_what_no_request_has() {
    let refused = |target: &str| Call {
        error: Some(format!("{}: its caller sent what is not HTTP/1.1", crate::call::REFUSED)),
        request: Request { target: target.to_owned(), ..call(1).request },
        ..call(1)
    };
    let all = ["/a\0b", "/a\rb c", "/a\0\r"].map(refused);
    for format in [Format::Har, Format::Http, Format::Json] {
        let found = calls(&export(&all, format), format, NOW).unwrap();
        assert_eq!((found.calls, found.skipped), (all.to_vec(), vec![]), "{format}");
    }
    // A request that was taken has none of it.
    let found = calls(&export(&[Call { error: None, ..refused("/a\0b") }], Format::Har), Format::Har, NOW).unwrap();
    assert_eq!((found.calls.len(), found.skipped.len()), (0, 1));
}

#[test]
fn a_browsers_command_is_read() {
    let call = one(concat!(
        "curl 'https://shop.example/hook?a=1' \\\n  -X 'PUT' -H 'accept: */*' \\\n  -H $'x-name: J\\u00fcrgen \\ud83d\\ude80' \\\n",
        "  --data-raw $'{\"text\":\"it\\'s\\n\"}' --compressed -sSk -m 5"
    ));
    assert_eq!((&*call.request.method, &*call.request.target), ("PUT", "/hook?a=1"));
    assert_eq!(
        headers(&call),
        [
            ("host", "shop.example"),
            ("accept", "*/*"),
            ("x-name", "Jürgen 🚀"),
            ("content-type", "application/x-www-form-urlencoded")
        ]
    );
    assert_eq!(call.request.body, "{\"text\":\"it's\n\"}");
    assert_eq!((call.direction, call.at, call.response), (Direction::Received, NOW, None));
}

#[rstest]
#[case("curl h:1/a -d a=1 -da=2", "POST", "/a", "a=1&a=2")]
#[case("curl -G http://h/a?x -d a=1 --data-urlencode 'b=ü &'", "GET", "/a?x&a=1&b=%C3%BC+%26", "")]
#[case("$ curl -XDELETE \"http://h\" # gone", "DELETE", "/", "")]
#[case("curl --json '{\"a\":1}' --url=http://h/j", "POST", "/j", "{\"a\":1}")]
#[case("curl http://h/$ -d '$'", "POST", "/$", "$")]
#[case("curl -I http://h/#top", "HEAD", "/", "")]
#[case("curl http://h --data-urlencode 'a=*~ /'", "POST", "/", "a=%2A~+%2F")]
#[case("curl http://h/a >> out 2>&1", "GET", "/a", "")]
#[case("curl.exe \"http://h/x\" ^\r\n --data-raw \"{\\\"a\\\":1}\"", "POST", "/x", "{\"a\":1}")]
#[case("curl 'http://h/?a\\[\\]=1'", "GET", "/?a[]=1", "")]
#[case("curl -g 'http://[::1]:80/{id}'", "GET", "/{id}", "")]
#[case("curl 'http://[::1]/a' -d \"\\$A \\` $ $'\"", "POST", "/a", "$A ` $ $'")]
#[case("curl -X OPTIONS --request-target '*' http://h", "OPTIONS", "*", "")]
fn curls_options_mean_what_they_mean(
    #[case] command: &str,
    #[case] method: &str,
    #[case] target: &str,
    #[case] body: &str,
) {
    let request = one(command).request;
    assert_eq!((&*request.method, &*request.target, &request.body[..]), (method, target, body.as_bytes()));
}

#[test]
fn a_command_can_say_who_calls() {
    let call = one("curl h -u ann:pw -A me -e from -b a=b -b c=d -H 'X-Empty;' -H 'Accept:' -H content-type: -d x");
    let expected = [
        ("host", "h"),
        ("user-agent", "me"),
        ("referer", "from"),
        ("X-Empty", ""),
        ("authorization", "Basic YW5uOnB3"),
        ("cookie", "a=b;c=d"),
    ];
    assert_eq!(headers(&call), expected);
}

#[test]
fn an_editors_file_is_read() {
    let text = "@base = x\n";
    assert_eq!(recognise(text.as_bytes()), None);
    let calls = import(concat!(
        "### first\n// a comment\n# @name one\nPOST https://h/a HTTP/1.1\nContent-Type: text/plain\n\nline 1\nline 2\n\n\n",
        "###\nGET http://h/b\n\n### \nhttp://h/c\nx: 1\n###\nDELETE /d\nhost: me\n"
    ))
    .unwrap();
    let shown: Vec<_> =
        calls.iter().map(|call| (&*call.request.method, call.request.url(), call.request.body.clone())).collect();
    assert_eq!(
        shown,
        [
            ("POST", "https://h/a".to_owned(), "line 1\nline 2".into()),
            ("GET", "http://h/b".to_owned(), Bytes::new()),
            ("GET", "http://h/c".to_owned(), Bytes::new()),
            ("DELETE", "http://me/d".to_owned(), Bytes::new()),
        ]
    );
}

#[test]
fn a_request_is_read_as_it_crossed_the_wire() {
    let call = one("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n{\"a\":1}\r\n");
    assert_eq!(headers(&call), [("Host", "h"), ("Content-Length", "9")]);
    assert_eq!(call.request.body, "{\"a\":1}\r\n");
}

#[test]
fn a_browsers_archive_is_read() {
    let call = one(r#"{"log":{"version":"1.2","entries":[{"startedDateTime":"2026-11-21T12:00:00.5+02:00","time":1.5,
        "request":{"method":"POST","url":"https://h/a?b#c","headers":[{"name":":path","value":"/a"},{"name":"x","value":"1"}],
        "postData":{"mimeType":"application/x-www-form-urlencoded","params":[{"name":"a b","value":"ü"}]}},
        "response":{"status":200,"headers":[],"content":{"encoding":"base64","text":"/wA="}}}]}}"#);
    assert_eq!(headers(&call), [("host", "h"), ("x", "1")]);
    assert_eq!((&*call.request.target, &call.request.body[..]), ("/a?b", &b"a+b=%C3%BC"[..]));
    assert_eq!((call.at.to_string(), call.took), ("2026-11-21T10:00:00.5Z".into(), Duration::from_micros(1500)));
    assert_eq!(call.response.unwrap().body, &b"\xff\0"[..]);
    assert_eq!(call.id.0.get_timestamp().unwrap().to_unix(), (1_795_255_200, 500_000_000));
}

#[rstest]
#[case("curl http://h -d 'a", "line 1: this quote is not closed")]
#[case("curl http://h\ncurl -F a=b http://h", "line 2: -F is not understood here: give the body with --data-raw")]
#[case("curl http://h --frobnicate", "line 1: curl's option --frobnicate is not known here")]
#[case("curl http://h \\\n -d @body.json", "line 2: a file is not read: put its content here")]
#[case("curl -H 'a: b'", "line 1: this command has no address")]
#[case("curl http://h -X", "line 1: -X has no argument")]
#[case("curl http://h -b jar.txt", "line 1: -b names a file")]
#[case("curl http://h --data-urlencode name@file.txt", "line 1: --data-urlencode names a file")]
#[case("curl http://h < body.json", "line 1: `<` reads a file")]
#[case("curl a b", "line 1: this is a second address")]
#[case("curl $'http://h/a\\nb'", "line 1: \"/a\\nb\" is no path: write a line end as %0A")]
#[case("curl http://h -H $'x: a\\nb: c'", "line 1: the header x has a line end")]
#[case("curl ftp://h", "is not called with HTTP")]
#[case("curl $HOST/x", "line 1: $HOST is a variable of the shell, whose value is not known here: write it out, or put")]
#[case("curl h \\\n -H \"a: Bearer ${TOKEN:-x}\"", "line 2: $TOKEN is a variable of the shell")]
#[case("curl h -d $1", "line 1: $1 is a variable")]
#[case("curl h -d \"$(date)\"", "line 1: what the shell puts here is the output of a command, which is not run")]
#[case("curl h -d `date`", "line 1: what the shell puts here is the output of a command")]
#[case("curl 'https://a/[1-3]'", "line 1: curl makes several addresses of the [ in \"https://a/[1-3]\"")]
#[case("curl 'https://a/{b,c}'", "write a command for each, or --globoff if it is meant as it stands")]
#[case("curl http://h | jq .", "line 1: a pipe is not understood here")]
#[case("### \nPOST nowhere HTTP/1.1\n", "line 2: \"nowhere\" is no URL")]
#[case("POST http://h/\nno header\n", "line 2: this is no header")]
#[case("POST http://h/\n\n< ./body.json\n", "line 3: a body that stands in a file is not read")]
#[case("### \nHTTP/1.1 200 OK\n", "line 2: this response follows no request")]
#[case("### \n# @hooktape {\"body\":9}\nPOST http://h/\n\nx", "line 5: the body is shorter than its comment says")]
#[case("{\"id\":1}\n{\"a\":{}}\n", "line 1: not a call")]
#[case("{\"id\":1}\n{\"request\":{}}\n", "line 2: missing field `id`")]
#[case("{\"hooktape\":1,\"created\":\"x\"}\n{\"request\":{}}\n", "line 2: missing field `id`")]
#[case("{\"log\":{\n\"entries\":[,]}}", "line 2, column 12: expected value")]
#[case("{\"log\":{}}", "/log/entries: there is no such list")]
#[case("{\"log\":{\"entries\":[{\"request\":{}}]}}", "entry 1, /log/entries/0/request/url: there is no such string")]
#[case(
    r#"{"log":{"entries":[{"request":{"url":"http://h","method":"GET","headers":[{"name":"a"}]}}]}}"#,
    "entry 1, /log/entries/0/request/headers/0: a header has a `name` and a `value`"
)]
#[case(
    &format!(
        r#"{{"log":{{"entries":[{{"request":{{"url":"http://h","method":"GET","headers":[{{"name":"{}","value":"\n\n"}}]}}}}]}}}}"#,
        "a".repeat(65)
    ),
    "/request/headers/0: the header aaa"
)]
fn a_fault_has_its_place_and_a_repair(#[case] text: &str, #[case] said: &str) {
    let error = import(text).unwrap_err().to_string();
    assert!(error.contains(said), "{error}");
}

#[rstest]
#[case(Format::Json)]
#[case(Format::Har)]
#[case(Format::Http)]
fn what_was_said_of_a_call_comes_with_it(#[case] format: Format) {
    let call = crate::recording::testing::call(1);
    let said = [
        Change::Mark(Some(Mark { colour: Some(Colour::Green) })),
        Change::Note(Some("line 1\nline 2".into())),
        Change::Delete(true),
    ];
    let remarks = Remarks {
        mark: Some(Mark { colour: Some(Colour::Green) }),
        note: Some("line 1\nline 2".into()),
        deleted: true,
    };
    let mut text = Vec::new();
    let mut exporter = Exporter::new(&mut text, format, "calls", NOW).unwrap();
    exporter.write(&Report::new(call.clone(), None, None, remarks)).unwrap();
    exporter.finish().unwrap();
    let found = calls(&text, format, NOW).unwrap();
    assert_eq!(found.said, said.map(|change| Annotation { call: call.id, at: NOW, change }));
}

#[test]
fn recordings_one_after_the_other_and_lines_that_nobody_knows_are_read() {
    let all = [1, 2].map(crate::recording::testing::call);
    let tapes = all.each_ref().map(|call| {
        let said = Annotation { call: call.id, at: NOW, change: Change::Delete(true) };
        let call = crate::recording::encode(call);
        [crate::recording::format::header(NOW).as_bytes(), &call, b"{\"later\":1}\n", &said.encode()].concat()
    });
    let found = calls(&tapes.concat(), Format::Json, NOW).unwrap();
    assert_eq!(found.calls, all);
    assert_eq!(found.said.iter().map(|said| said.call).collect::<Vec<_>>(), all.map(|call| call.id));
}

#[test]
fn a_foreign_archives_comment_is_a_note() {
    let entry = r#"{"request":{"method":"GET","url":"http://a.example/"},"comment":"slow here"}"#;
    let found = calls(format!(r#"{{"log":{{"entries":[{entry}]}}}}"#).as_bytes(), Format::Har, NOW).unwrap();
    let note = Change::Note(Some("slow here".into()));
    assert_eq!(found.said, [Annotation { call: found.calls[0].id, at: NOW, change: note }]);
}

#[test]
fn an_address_keeps_its_scheme_and_who_calls() {
    let call = one("curl https://ann:p%40w@h.example/a");
    assert_eq!(call.request.public.as_deref(), Some("https://h.example"));
    assert_eq!(call.request.headers.get("authorization"), Some("Basic YW5uOnBAdw=="));
    let again = one(std::str::from_utf8(&export(std::slice::from_ref(&call), Format::Curl)).unwrap());
    assert_eq!(again.request, call.request);
}

#[test]
fn what_an_editor_would_pass_over_comes_back() {
    let mut odd = crate::recording::testing::call(1);
    odd.request.method = "#X".into();
    odd.request.headers = [("###x", "y"), ("host", "")].into_iter().collect();
    let mut star = crate::recording::testing::call(2);
    (star.request.method, star.request.target) = ("OPTIONS".into(), "*".into());
    let all = [odd, star];
    for format in [Format::Har, Format::Http] {
        assert_eq!(calls(&export(&all, format), format, NOW).unwrap().calls, all, "{format}");
    }
    let commands = calls(&export(&all, Format::Curl), Format::Curl, NOW).unwrap().calls;
    assert_eq!(commands[0].request.headers.get("host"), Some(""));
    assert_eq!(commands[1].request.target, "*");
}

#[rstest]
#[case(Format::Har)]
#[case(Format::Http)]
fn what_is_changed_by_hand_is_what_counts(#[case] format: Format) {
    let all = [1, 2].map(crate::recording::testing::call);
    let text = String::from_utf8(export(&all, format)).unwrap();
    let edited = text.replace("http://localhost/hooks/moveo?n=1", "http://other/new");
    let found = calls(edited.as_bytes(), format, NOW).unwrap().calls;
    assert_eq!(found.iter().map(|call| call.request.url()).collect::<Vec<_>>(), ["http://other/new"; 2]);
    assert_eq!((found[0].id, found[0].sig, &found[0].request.body), (all[0].id, None, &all[0].request.body));
    if format == Format::Http {
        let longer = text.replace("Good morning", "Good evening to you");
        let found = calls(longer.as_bytes(), format, NOW).unwrap().calls;
        assert_eq!(found.len(), 2);
        assert!(found[0].request.body.ends_with(b"\"number\":1,\"big\":1e3}"), "{found:?}");
    }
}

#[rstest]
#[case(r#""at":"2026"#, r#""at":"yesterday 2026"#, "failed to parse four digit integer as year")]
#[case(r#""dir":"received""#, r#""dir":"there""#, "unknown variant `there`")]
#[case(r#""body":54"#, r#""body":"54""#, "invalid type: string \"54\"")]
fn a_comment_of_ours_with_a_fault_is_no_other_programs(#[case] right: &str, #[case] wrong: &str, #[case] told: &str) {
    let text = String::from_utf8(export(&[1, 2].map(crate::recording::testing::call), Format::Http)).unwrap();
    let (place, _) = text.match_indices("# @hooktape ").filter(|(at, _)| text[*at..].contains(right)).last().unwrap();
    let text = format!("{}{}", &text[..place], text[place..].replacen(right, wrong, 1));
    let error = calls(text.as_bytes(), Format::Http, NOW).unwrap_err();
    let line = 1 + text[..place].matches('\n').count();
    assert_eq!(error.place, format!("line {line}"));
    assert!(error.message.starts_with("our comment: ") && error.message.contains(told), "{error}");
}

#[test]
fn a_body_in_chunks_is_put_together() {
    let call = one(
        "POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"a\":\r\n2;x=y\r\n1}\r\n0\r\nt: 1\r\n\r\n",
    );
    assert_eq!(call.request.body, "{\"a\":1}");
    let plain = one("POST /x HTTP/1.1\nHost: h\nTransfer-Encoding: chunked\n\n{}");
    assert_eq!(plain.request.body, "{}");
}

#[test]
fn bodies_that_may_end_before_the_same_white_space_are_read_in_time() {
    let (count, begun) = (2_000, Instant::now());
    let block = |body: usize| format!("###\n# @hooktape {{\"body\":{body:>6}}}\nPOST http://h/ HTTP/1.1\n\n");
    let blocks = (1..=count).map(|number| block((count - number) * block(0).len()));
    let text = blocks.collect::<String>() + &"\n".repeat(2_000_000) + "x";
    assert_eq!(import(&text).unwrap().len(), count);
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}

#[rstest]
#[case("POST   http://h/x?a=1   HTTP/1.1", "POST", "/x?a=1")]
#[case("POST\thttp://h/x\tHTTP/1.1", "POST", "/x")]
#[case("POST http://h/x http/1.1", "POST", "/x")]
#[case("http://h/x", "GET", "/x")]
fn a_request_line_may_be_written_by_hand(#[case] line: &str, #[case] method: &str, #[case] target: &str) {
    let call = import(format!("{line}\nhost: h\n\n")).unwrap().remove(0);
    assert_eq!((call.request.method.as_str(), call.request.target.as_str()), (method, target));
}

#[rstest]
#[case::blank(" ")]
#[case::two_blanks("  ")]
#[case::at_its_end("b ")]
#[case::as_a_version_is(" HTTP/1.1 b")]
#[case::no_break("\u{a0}")]
#[case::next_line("\u{85}")]
#[case::line_separator("\u{2028}")]
#[case::ideographic("\u{3000}")]
#[case::delete("\u{7f}")]
#[case::start("\u{1}")]
#[case::tab("\t")]
#[case::form_feed("\u{c}")]
fn whatever_a_target_has_comes_back(#[case] odd: &str) {
    let mut all = [1, 2].map(crate::recording::testing::call);
    for (number, call) in all.iter_mut().enumerate() {
        call.request.target = format!("/a{odd}?{number}{odd}");
    }
    for format in [Format::Har, Format::Http, Format::Json, Format::Curl] {
        let found = calls(&export(&all, format), format, NOW).unwrap();
        let targets: Vec<_> = found.calls.iter().map(|call| call.request.target.as_str()).collect();
        assert_eq!(
            (targets, found.skipped),
            (all.each_ref().map(|call| &*call.request.target).to_vec(), vec![]),
            "{format}"
        );
        assert!(format == Format::Curl || found.calls == all, "{format}");
    }
}

#[test]
fn an_unpacked_body_is_not_called_packed_and_joined_fields_are_parted() {
    let call = one(concat!(
        r#"{"log":{"entries":[{"request":{"method":"GET","url":"http://h/"},"response":{"status":200,"headers":["#,
        r#"{"name":"content-encoding","value":"br"},{"name":"set-cookie","value":"a=1\nb=2"}],"content":{"text":"{}"}}}]}}"#
    ));
    let headers = call.response.unwrap().headers;
    let cookies: Vec<_> = headers.all("set-cookie").collect();
    assert!(!headers.has("content-encoding") && cookies == ["a=1", "b=2"], "{headers:?}");
}

#[test]
fn a_command_that_is_masked_says_so() {
    let mut call = crate::recording::testing::call(1);
    call.request.redacted = true;
    let text = String::from_utf8(export(&[call.clone(), crate::recording::testing::call(2)], Format::Curl)).unwrap();
    let masked = |text: &str| import(text).unwrap().iter().map(|call| call.request.redacted).collect::<Vec<_>>();
    assert_eq!(masked(&text), [true, false]);
    // Without the comment above it, only its masks tell.
    assert_eq!(masked("curl h -H 'x-signature: [redacted]'\ncurl -g 'h/?token=[redacted]'"), [true, true]);
    assert_eq!(masked("curl h -d 'my card is [redacted]' # parts are masked"), [false]);
}

#[test]
fn the_same_text_gives_the_same_names() {
    let names = |text: &str, now| {
        let found = calls(text.as_bytes(), Format::Curl, now).unwrap();
        found.calls.iter().map(|call| name_of(call.id)).collect::<Vec<_>>()
    };
    let text = "curl http://h/a\ncurl http://h/a\ncurl http://h/b";
    let later = Timestamp::from_second(1_800_000_000).unwrap();
    let first = names(text, NOW);
    assert_eq!(first, names(text, later));
    assert_eq!(first.iter().collect::<std::collections::HashSet<_>>().len(), 3);
}
