//! What is left out of an import, and how that is told.

use rstest::rstest;

use super::*;

#[test]
fn what_a_browser_saw_besides_http_is_left_out_and_named() {
    let entry = |url: &str, more: &str| format!(r#"{{"request":{{"method":"POST","url":"{url}"{more}}}}}"#);
    let parts = |param: &str| {
        let kind = "multipart/form-data; boundary=X";
        format!(r#","postData":{{"mimeType":"{kind}","params":[{param}]}}"#)
    };
    let entries = [
        entry("wss://h/", ""),
        entry("data:text/plain,x", ""),
        entry("http://h/\\ud800", ""),
        entry("http://h/", &parts(r#"{"name":"f","fileName":"a.png"}"#)),
        entry("https://h/", &parts(r#"{"name":"a","value":"1"}"#)),
    ];
    let text = format!(r#"{{"log":{{"entries":[{}]}}}}"#, entries.join(","));
    let found = calls(text.as_bytes(), Format::Har, NOW).unwrap();
    let places: Vec<_> = found.skipped.iter().map(|skipped| skipped.place.split(',').next().unwrap()).collect();
    assert_eq!(places, ["entry 1", "entry 2", "entry 3", "entry 4"]);
    assert_eq!(found.calls.len(), 1);
    let body = "--X\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--X--\r\n";
    assert_eq!(found.calls[0].request.body, body);
}

#[test]
fn what_follows_an_address_is_no_part_of_it() {
    let found = calls(b"GET http://h/c # why\n\n###\nGET http://h/d\n\n", Format::Http, NOW).unwrap();
    assert_eq!((found.calls.len(), found.calls[0].request.target.as_str()), (1, "/d"));
    assert!(found.skipped[0].to_string().contains("what follows the URL"), "{}", found.skipped[0]);
}

#[test]
fn of_very_many_faults_the_first_are_told_and_the_others_counted() {
    let found = calls("x\n".repeat(5_000).as_bytes(), Format::Json, NOW).unwrap();
    assert_eq!((found.calls.len(), found.skipped.len(), found.more), (0, 100, 4_900));
}

#[test]
fn a_form_with_an_overlong_boundary_is_left_out_and_named() {
    for (length, skipped) in [(70, 0), (71, 1)] {
        let kind = format!("multipart/form-data; boundary={}", "x".repeat(length));
        let form = format!(r#"{{"mimeType":"{kind}","params":[{{}}]}}"#);
        let request = format!(r#"{{"method":"POST","url":"http://h/","postData":{form}}}"#);
        let text = format!(r#"{{"log":{{"entries":[{{"request":{request}}}]}}}}"#);
        let found = calls(text.as_bytes(), Format::Har, NOW).unwrap();
        assert_eq!((found.calls.len(), found.skipped.len()), (1 - skipped, skipped));
        assert!(found.skipped.iter().all(|why| why.message.contains("boundary of more than 70 characters")));
    }
}

#[test]
fn an_entry_without_its_body_is_left_out_and_named() {
    let told = |request: &str, response: &str| {
        let request = format!(r#"{{"method":"POST","url":"http://h/","headers":[]{request}}}"#);
        let response = format!(r#"{{"status":200,"headers":[]{response}}}"#);
        let text = format!(r#"{{"log":{{"entries":[{{"request":{request},"response":{response}}}]}}}}"#);
        let found = calls(text.as_bytes(), Format::Har, NOW).unwrap();
        assert_eq!(found.calls.len() + found.skipped.len(), 1);
        found.skipped.first().map(ToString::to_string).unwrap_or_default()
    };
    let length = r#","bodySize":0,"headers":[{"name":"Content-Length","value":"77"}]"#;
    for request in [r#","bodySize":77"#, r#","bodySize":77,"postData":{"mimeType":"text/plain"}"#, length] {
        let said = told(request, "");
        assert!(
            said.contains("its request has a body of 77 bytes, which the archive does not hold"),
            "{request}: {said}"
        );
    }
    for response in [r#","content":{"size":100}"#, r#","bodySize":100,"content":{}"#] {
        let said = told("", response);
        assert!(said.contains("its response has a body of 100 bytes"), "{response}: {said}");
    }
    let request = r#","bodySize":1,"postData":{"text":"x"}"#;
    for response in
        [r#","content":{"size":0},"bodySize":20"#, r#","bodySize":-1"#, r#","content":{"size":1,"text":"x"}"#]
    {
        assert_eq!(told(request, response), "", "{response}");
    }
    assert_eq!(told(r#","method":"HEAD","bodySize":0"#, r#","content":{"size":9}"#), "");
    assert_eq!(told(r#","bodySize":-1"#, r#","status":304,"content":{"size":9}"#), "");
}

#[rstest]
#[case("{\"id\":\"x\",\"request\":{}}\n{\"hooktape\":1}\nCALL\n", Format::Json, "line 1: ")]
#[case(
    "GET nowhere HTTP/1.1\n\n###\nHTTP/1.1 200 OK\n\n###\nGET http://h/a\n",
    Format::Http,
    "line 1: \"nowhere\" is no URL"
)]
#[case("curl -F a=b http://h\ncurl http://h/a", Format::Curl, "line 1: -F is not understood")]
#[case(
    "{\"log\":{\"entries\":[{},{\"request\":{\"method\":\"GET\",\"url\":\"http://h/a\"}}]}}",
    Format::Har,
    "entry 1, /log/entries/0/request/url: there is no such string"
)]
fn a_call_that_cannot_be_read_is_left_out_and_named(#[case] text: &str, #[case] format: Format, #[case] said: &str) {
    let call = crate::recording::encode(&crate::recording::testing::call(1));
    let text = text.replace("CALL", str::from_utf8(&call).unwrap());
    let found = calls(text.as_bytes(), format, NOW).unwrap();
    assert_eq!((found.calls.len(), found.skipped.len()), (1, 1), "{found:?}");
    assert!(found.skipped[0].to_string().starts_with(said), "{}", found.skipped[0]);
    assert_eq!(found.calls[0].response.is_some(), format == Format::Json);
}
