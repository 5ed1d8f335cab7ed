use rstest::rstest;

use super::*;
use crate::platform::Platforms;

fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Response {
    let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    Response { status, headers, body: body.to_owned().into() }
}

/// `place: left -> right`, one a difference.
fn told(found: &[Difference]) -> Vec<String> {
    let side = |text: &Option<String>| text.clone().unwrap_or_else(|| "nothing".into());
    found.iter().map(|found| format!("{}: {} -> {}", found.place, side(&found.left), side(&found.right))).collect()
}

fn bodies(left: &str, right: &str, rules: &Rules) -> Vec<String> {
    told(&responses(Some(&answer(200, &[], left)), Some(&answer(200, &[], right)), None, rules))
}

#[test]
fn the_list_of_volatile_headers_can_be_searched() {
    assert!(VOLATILE.is_sorted());
}

#[rstest]
#[case::spaces_and_order(r#"{"a":1,"b":[1,2]}"#, "{ \"b\" : [1, 2],\n\"a\" : 1 }", &[])]
#[case::spelling(r#"{"a":"\u00e9/","n":1.50}"#, r#"{"a":"é\/","n":15e-1}"#, &[])]
#[case::value(r#"{"a":{"b~/":1}}"#, r#"{"a":{"b~/":2}}"#, &["/a/b~0~1: 1 -> 2"])]
#[case::big_numbers("[12345678901234567890123]", "[12345678901234567890124]", &["/0: 12345678901234567890123 -> 12345678901234567890124"])]
#[case::members(r#"{"a":1,"b":2}"#, r#"{"b":2,"c":3}"#, &["/a: 1 -> nothing", "/c: nothing -> 3"])]
#[case::types(r#"{"a":"1"}"#, r#"{"a":1}"#, &["/a: \"1\" -> 1"])]
#[case::quotes(r#"["\"a\""]"#, r#"["a"]"#, &["/0: \"\\\"a\\\"\" -> \"a\""])]
#[case::insertion("[1,2,3]", "[0,1,2,3]", &["/0: nothing -> 0"])]
#[case::change_and_removal(r#"[{"a":1,"b":1},5]"#, r#"[{"a":2,"b":1}]"#, &["/0/a: 1 -> 2", "/1: 5 -> nothing"])]
#[case::order("[1,2]", "[2,1]", &["/0: 1 -> 2", "/1: 2 -> 1"])]
#[case::half_a_pair_in_a_name(r#"{"\ud800":1,"a":1}"#, r#"{"\ud800":1,"a":2}"#, &[r#"body: {"\ud800":1,"a":1} -> {"\ud800":1,"a":2}"#])]
#[case::half_a_pair(r#"["\ud800"]"#, r#"["\ud801"]"#, &[r#"/0: "\ud800" -> "\ud801""#])]
#[case::root("{}", "[]", &["body: {} -> []"])]
#[case::text("one\ntwo\nthree\n", "one\n2\nthree\nfour\n", &["line 2: two\n -> 2\n", "line 4: nothing -> four\n"])]
#[case::json_against_text("{}", "oops", &["line 1: {} -> oops"])]
fn bodies_are_compared_as_what_they_are(#[case] left: &str, #[case] right: &str, #[case] expected: &[&str]) {
    assert_eq!(bodies(left, right, &Rules::default()), expected);
}

#[test]
fn what_is_ignored_is_ignored_with_all_below_it() {
    let mut rules = Rules::default();
    for place in ["/at", "/items/*/id", "header:X-Build"] {
        rules.ignore(place).unwrap();
    }
    for wrong in ["at", "header:", "header:a b", "/context/~3"] {
        assert!(rules.ignore(wrong).is_err(), "{wrong}");
    }
    let left = r#"{"at":{"x":1},"items":[{"id":1,"n":1}]}"#;
    assert_eq!(bodies(left, r#"{"items":[{"id":2,"n":1}]}"#, &rules), [""; 0]);
    assert_eq!(bodies(left, r#"{"items":[{"id":2,"n":2}]}"#, &rules), ["/items/0/n: 1 -> 2"]);
    let (a, b) = (answer(200, &[("x-build", "1"), ("Date", "a"), ("X-A", "1")], ""), answer(200, &[("x-a", "1")], ""));
    assert_eq!(responses(Some(&a), Some(&b), None, &rules), []);
    assert_eq!(told(&responses(Some(&a), Some(&b), None, &Rules::default())), ["header:x-build: 1 -> nothing"]);
    let mut any = Rules::default();
    any.ignore("header:*").unwrap();
    assert_eq!(responses(Some(&a), Some(&b), None, &any), []);
}

#[test]
fn the_order_of_elements_counts_unless_told_otherwise() {
    let mut rules = Rules { unordered: true, ..Rules::default() };
    assert_eq!(bodies(r#"[1,{"a":[2,3],"b":1},1.0]"#, r#"[{"b":1,"a":[3,2]},1,1]"#, &rules), [""; 0]);
    assert_eq!(bodies("[1,1,2]", "[2,1,3]", &rules), ["/1: 1 -> nothing", "/2: nothing -> 3"]);
    for (left, right) in [
        (r#"[["a\",\"b"]]"#, r#"[["a","b"]]"#),
        (r#"[{"\ud800":1}]"#, r"[{}]"),
        (r#"[{"\ud800":1}]"#, r#"[{"\ud800":2}]"#),
    ] {
        assert_eq!(bodies(left, right, &rules).len(), 2, "{left} {right}");
    }
    rules.ignore("/*/id").unwrap();
    assert_eq!(bodies(r#"[{"id":1,"a":1},{"id":2,"a":2}]"#, r#"[{"id":3,"a":2},{"id":4,"a":1}]"#, &rules), [""; 0]);
}

#[test]
fn members_of_one_name_all_count() {
    let rules = Rules::default();
    assert_eq!(bodies(r#"{"a":1,"b":0,"a":2}"#, r#"{"a":1,"a":2.0,"b":0}"#, &rules), [""; 0]);
    assert_eq!(bodies(r#"{"a":1,"a":2}"#, r#"{"a":3,"a":2}"#, &rules), ["/a: 1 -> 3"]);
    assert_eq!(bodies(r#"{"a":1,"a":2,"a":3}"#, r#"{"a":1,"a":3}"#, &rules), ["/a: 2 -> 3", "/a: 3 -> nothing"]);
    assert_eq!(bodies(r#"{"a":1}"#, r#"{"a":1,"a":1}"#, &rules), ["/a: nothing -> 1"]);
    let unordered = Rules { unordered: true, ..Rules::default() };
    assert_eq!(bodies(r#"[{"a":1,"a":2}]"#, r#"[{"a":3,"a":2}]"#, &unordered).len(), 2);
}

#[test]
fn statuses_answers_and_bytes_are_told() {
    let rules = Rules::default();
    let fine = answer(200, &[], "");
    assert_eq!(told(&responses(Some(&fine), Some(&answer(500, &[], "")), None, &rules)), ["status: 200 -> 500"]);
    assert_eq!(told(&responses(Some(&fine), None, None, &rules)), ["answer: 200 -> nothing"]);
    assert_eq!(responses(None, None, None, &rules), []);
    let binary = Response { body: vec![0xff, 0].into(), ..fine.clone() };
    assert_eq!(told(&responses(Some(&fine), Some(&binary), None, &rules)), ["body: 0 bytes -> 2 bytes"]);
    let long = bodies("[]", &format!("[{}]", "é".repeat(EXCERPT)), &rules);
    assert!(long[0].ends_with('…') && long[0].len() < 2 * EXCERPT, "{}", long[0].len());
}

#[test]
fn what_every_request_has_anew_does_not_count_unless_it_is_asked_what_changed() {
    let platforms = Platforms::builtin().unwrap();
    let kind = platforms.kind("moveo/dialog").unwrap();
    let left = kind.sample();
    let mut right = left.clone();
    kind.refresh(&mut right, jiff::Timestamp::UNIX_EPOCH);
    right.headers.set("x-moveo-signature", "00");
    assert_eq!(requests(&left, &right, Some(kind), &Rules::default()), []);
    let places: Vec<String> = changed(&left, &right).iter().map(|found| found.place.to_string()).collect();
    assert_eq!(places, ["header:x-moveo-request-id", "header:x-moveo-signature", "/timestamp"]);
    right.method = "PUT".into();
    right.target = "/else".into();
    let lines = told(&requests(&left, &right, Some(kind), &Rules::default()));
    assert_eq!(lines, ["method: POST -> PUT", "path: /hooks/moveo/dialog -> /else"]);
}

#[test]
fn what_a_platform_makes_with_each_signature_does_not_count_either() {
    let platforms = Platforms::builtin().unwrap();
    let set = |request: &mut Request, headers: &[&str], body: &str| {
        for name in headers {
            request.headers.set(name, "1");
        }
        request.body = body.to_owned().into();
    };
    for (name, headers, bodies) in [
        ("slack/event", &["x-slack-request-timestamp", "x-slack-signature"][..], ["{}", "{}"]),
        ("standard-webhooks/event", &["webhook-id", "webhook-timestamp", "webhook-signature"], ["{}", "{}"]),
        ("github/event", &["x-github-delivery", "x-hub-signature-256", "x-hub-signature"], ["{}", "{}"]),
        ("linear/event", &["linear-signature"], ["{\"webhookTimestamp\":1}", "{\"webhookTimestamp\":2}"]),
        (
            "mailgun/event",
            &[],
            [
                r#"{"signature":{"timestamp":"1","token":"a","signature":"b"}}"#,
                r#"{"signature":{"timestamp":"2","token":"c","signature":"d"}}"#,
            ],
        ),
    ] {
        let kind = platforms.kind(name).unwrap();
        let mut left = kind.sample();
        let mut right = left.clone();
        set(&mut left, &[], bodies[0]);
        set(&mut right, headers, bodies[1]);
        assert_eq!(requests(&left, &right, Some(kind), &Rules::default()), [], "{name}");
        assert_ne!(requests(&left, &right, None, &Rules::default()), [], "{name}");
        // Sent again, an id stays that a receiver knows a repetition by.
        let mut again = left.clone();
        kind.refresh(&mut again, jiff::Timestamp::UNIX_EPOCH);
        assert_eq!(again, left, "{name}");
    }
    // What a scheme signs of the body besides is whose call it is.
    let kind = platforms.kind("liveperson/webview").unwrap();
    let left = kind.sample();
    let right = Request { body: r#"{"botId":"b","conversationId":"other"}"#.into(), ..left.clone() };
    assert!(told(&requests(&left, &right, Some(kind), &Rules::default())).iter().any(|line| line.starts_with("/conv")));
}

#[test]
fn two_long_arrays_are_compared_as_well_as_there_is_time() {
    let array = |numbers: std::ops::Range<usize>| {
        let numbers: Vec<String> = numbers.map(|number| number.to_string()).collect();
        format!(r#"{{"a":[{}],"b":[1,2]}}"#, numbers.join(","))
    };
    let begun = Instant::now();
    let of = |body: &str| answer(200, &[], body);
    let (left, right) = (of(&array(0..100_000)), of(&array(200_000..300_001)));
    let found = responses(Some(&left), Some(&right), None, &Rules::default());
    assert!(begun.elapsed() < Duration::from_mins(1), "{:?}", begun.elapsed());
    assert_eq!(found.len(), 100_001);
    assert!(found.iter().all(|found| found.rough));
    let told = |shared: usize, deadline: Instant| {
        let shared = (0..shared).fold(String::new(), |all, number| all + &number.to_string() + ",");
        let (left, right) = (format!("[[-1,{shared}-2],0,5]"), format!("[[{shared}-3],1,5]"));
        let mut found = Vec::new();
        json::compare(Side::Response, (&left, &right), &[], &Rules::default(), deadline, &mut found);
        found.iter().map(|found| (found.place.to_string(), found.rough)).collect::<Vec<_>>()
    };
    let exact = |last: &str| [("/0/0", false), (last, false), ("/1", false)].map(|(at, rough)| (at.to_owned(), rough));
    assert_eq!(told(SHORT, Instant::now() + PATIENCE * 100), exact(&format!("/0/{}", SHORT + 1)));
    let rough = told(SHORT, Instant::now());
    assert_eq!(rough.len(), SHORT + 3);
    assert!(rough.iter().all(|(place, rough)| *rough == (place != "/1")), "{rough:?}");
    assert_eq!(told(3, Instant::now()), exact("/0/4"), "there is always time for short ones");
}

#[test]
fn arrays_within_each_other_are_compared_as_well_as_there_is_time() {
    // At each level one array is longer, and each has a long text.
    let nested = |leaf: &str, more: &str| {
        let text = "x".repeat(8 << 10);
        (0..120).fold(leaf.to_owned(), |within, level| format!("[{within},{level},\"{text}\"{more}]"))
    };
    let (left, right) = (nested("1", ""), nested("2", ",3"));
    for (unordered, right) in [(false, &right), (true, &right), (false, &nested("2", "")), (true, &nested("2", ""))] {
        let begun = Instant::now();
        let rules = Rules { unordered, ..Rules::default() };
        let found = responses(Some(&answer(200, &[], &left)), Some(&answer(200, &[], right)), None, &rules);
        assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
        assert!(!found.is_empty());
    }
    let begun = Instant::now();
    assert!(!same(&left, &right) && same(&left, &left.replace(",1,", ", 1.0 ,")));
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}

#[test]
fn what_there_is_no_time_for_differs_as_a_whole() {
    let told = |left: &str, right: &str, deadline: Instant| {
        let mut found = Vec::new();
        json::compare(Side::Response, (left, right), &[], &Rules::default(), deadline, &mut found);
        found.iter().map(|found| (found.place.to_string(), found.rough)).collect::<Vec<_>>()
    };
    let (left, right) = (r#"[{"a":1,"b":2},3]"#, r#"[0,{"b":2,"a":1},3]"#);
    assert_eq!(told(left, right, Instant::now() + PATIENCE), [("/0".to_owned(), false)]);
    let late = told(left, right, Instant::now());
    assert!(!late.is_empty() && late.iter().all(|(_, rough)| *rough), "{late:?}");
    let Some(over) = Instant::now().checked_sub(PATIENCE) else { return };
    assert_eq!(
        told(r#"[[1,{"a":1}]]"#, r#"[[1,{"a":2}],3]"#, over),
        [("/0".to_owned(), true), ("/1".to_owned(), true)]
    );
}

#[test]
fn what_does_not_count_is_no_difference_however_little_time_there_is() {
    let Some(over) = Instant::now().checked_sub(PATIENCE * 2) else { return };
    let told = |left: &str, right: &str, unordered: bool| {
        let mut found = Vec::new();
        let rules = Rules { pointers: vec!["/items/*/at".to_owned()], unordered, ..Rules::default() };
        json::compare(Side::Response, (left, right), &["/trace"], &rules, over, &mut found);
        found.iter().map(|found| (found.place.to_string(), found.rough)).collect::<Vec<_>>()
    };
    let left = r#"{"trace":[1],"items":[{"at":1,"v":[1.0,{"b":"é","c":1}]},{"at":2,"v":[2]}]}"#;
    let right = r#"{"items":[{"v":[1,{"c":1,"b":"\u00e9"}]},{"v":[2],"at":[3,4]}],"trace":[2,3]}"#;
    for unordered in [false, true] {
        assert_eq!(told(left, right, unordered), [], "unordered: {unordered}");
    }
    let other = right.replace("[2]", "[5]");
    assert_eq!(told(left, &other, false), [("/items/1/v/0".to_owned(), false)]);
    assert_eq!(told(left, &other, true), vec![("/items/1".to_owned(), false); 2]);
}

#[test]
fn a_long_name_is_not_held_for_every_difference_in_it() {
    let of = |values: std::ops::Range<usize>| {
        let members: Vec<String> = values.map(|value| format!(r#""{}":{value}"#, value % 100)).collect();
        format!(r#"{{"x":{{"{}":{{{}}}}}}}"#, "k".repeat(1 << 20), members.join(","))
    };
    let found = responses(
        Some(&answer(200, &[], &of(0..100))),
        Some(&answer(200, &[], &of(100..200))),
        None,
        &Rules::default(),
    );
    assert!(found.iter().map(|found| found.place.to_string().len()).sum::<usize>() <= 8 << 20);
    let (last, first) = found.split_last().unwrap();
    assert!(first.len() == 7 && first.iter().all(|found| !found.rough), "{}", first.len());
    assert!(last.rough && last.place == Place::Json(String::new()) && last.left.is_some());
}

#[test]
fn very_many_headers_are_compared_in_time() {
    let of = |value: &str| {
        let headers = (0..50_000).map(|number| (format!("h{number}"), value.to_owned())).collect();
        Response { status: 200, headers, body: Bytes::new() }
    };
    let begun = Instant::now();
    let found = responses(Some(&of("1")), Some(&of("2")), None, &Rules::default());
    assert!(found.len() == 50_000 && begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    assert_eq!(told(&found[1..2]), ["header:h1: 1 -> 2"]);
}

#[test]
fn nesting_costs_no_stack() {
    let deep = |core: &str| format!("{}{core}{}", "[".repeat(10_000), "]".repeat(10_000));
    assert_eq!(bodies(&deep("1"), &deep("2"), &Rules::default()).len(), 1);
}

proptest::proptest! {
    #[test]
    fn a_body_differs_from_itself_in_nothing(body in "[\\[\\]{}\",:a-c0-2 \\\\n]{0,40}", other in "[\\[\\]{},:a0\" \n]{0,40}") {
        for unordered in [false, true] {
            let rules = Rules { unordered, ..Rules::default() };
            proptest::prop_assert!(bodies(&body, &body, &rules).is_empty());
            let forth = bodies(&body, &other, &rules).is_empty();
            proptest::prop_assert_eq!(forth, bodies(&other, &body, &rules).is_empty());
        }
    }
}

#[test]
fn what_the_configuration_and_the_pack_name_is_no_difference() {
    let platforms = Platforms::builtin().unwrap();
    let left = answer(200, &[], r#"{"context":{"at":1,"l":[1,2]},"responses":[{"action_id":"a","type":"text"}]}"#);
    let right = answer(200, &[], r#"{"context":{"at":2,"l":[2,1]},"responses":[{"action_id":"b","type":"text"}]}"#);
    let configured = Compare { ignore: vec!["/context/at".into()], unordered: true };
    for kind in ["dialog", "post_message", "pre_message", "first_message"] {
        let kind = platforms.kind(format!("moveo/{kind}").as_str());
        assert_eq!(responses(Some(&left), Some(&right), kind, &Rules::configured(&configured)), []);
    }
}

#[test]
fn what_came_compressed_is_compared_by_what_it_holds() {
    let packed = |coding: &str, body: &str| {
        let body = zstd::encode_all(body.as_bytes(), 3).unwrap();
        Response { body: body.into(), ..answer(200, &[("content-encoding", coding)], "") }
    };
    let against =
        |left: &Response, right: &Response| told(&responses(Some(left), Some(right), None, &Rules::default()));
    let plain = answer(200, &[], r#"{"a":1}"#);
    let left = packed("zstd", r#"{"a":1}"#);
    assert_eq!(against(&left, &plain), [""; 0], "nor is it a difference that one is compressed");
    assert_eq!(against(&left, &packed("zstd", r#"{ "a": 2 }"#)), ["/a: 1 -> 2"]);
    let closed = against(&packed("br", r#"{"a":1}"#), &plain);
    assert_eq!(closed[0], "header:content-encoding: br -> nothing");
    assert!(
        closed[1].contains("bytes (br, not unpacked: hooktape cannot unpack that") && closed[1].ends_with("7 bytes")
    );
    let lies = answer(200, &[("content-encoding", "gzip")], r#"{"a":1}"#);
    assert_eq!(against(&lies, &plain), ["header:content-encoding: gzip -> nothing"]);
    let request = |answer: &Response| Request {
        headers: answer.headers.clone(),
        body: answer.body.clone(),
        ..Request::default()
    };
    let (came, set) = (request(&left), request(&answer(200, &[], r#"{"a":2}"#)));
    assert_eq!(told(&requests(&came, &set, None, &Rules::default())), ["/a: 1 -> 2"]);
    let leaves = ["header:content-encoding: zstd -> nothing", "/a: 1 -> 2"];
    assert_eq!(told(&changed(&came, &set)), leaves, "what leaves otherwise is told in full");
}
