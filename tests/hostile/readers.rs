//! Everything that reads, fed for a moment with what is nearly right (`tests/fuzz` goes on without end).

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::entries::ENTRIES;

/// What a reader is meant for; broken in some places it gets deeper than anything made up.
const SEEDS: [(&str, &str); 38] = [
    ("body", include_str!("../../assets/platforms/moveo/samples/dialog.json")),
    ("body", "a=1&b=%7B%22a%22%3A1%7D&payload={\"type\":\"x\"}&a=2"),
    ("body", "--X\r\nContent-Disposition: form-data; name=\"f\"; filename*=UTF-8''a%ff\r\n\r\nhi\r\n--X--\r\n"),
    ("compared", "{\"a\":[1,2,{\"b\":null}],\"c\":1.0}\0{\"c\":1,\"a\":[2,1,{\"b\":\"\"}],\"d\":{}}"),
    ("compared", "a=1&b=2&a=3\0b=2&a=1"),
    ("compared", "--X\r\nContent-Disposition: form-data; name=\"f\"\r\n\r\nhi\r\n--X--\r\n\0--X\r\n\r\nho\r\n--X--"),
    ("compared", "status<400\ntook<2s\n/a/b*=\"x\"\nheader:content-type=text/plain\ncontract\n\0one\ntwo\n"),
    ("config", include_str!("../../assets/hooktape.toml")),
    (
        "config",
        "[secrets]\nmoveo = [\"env:TOKEN\", \"file:/nowhere\"]\n[[route]]\npath = \"/a/*\"\nrespond = { reply = \"x\" }",
    ),
    (
        "config",
        "[[target]]\nname = \"a\"\nurl = \"https://a/{kind}\"\nheaders = { a = \"env:TOKEN\" }\nguard = \"confirm\"",
    ),
    (
        "connection",
        "POST /hooks/moveo?a HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}GET /b HTTP/1.1\r\nHost: a\r\n\r\n",
    ),
    (
        "connection",
        "POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ntransfer-encoding: chunked\r\n\r\n2;x=y\r\nhi\r\n0\r\na: b\r\n\r\n",
    ),
    ("connection", "HEAD /x HTTP/1.0\r\nconnection: keep-alive\r\n\r\nGET /y HTTP/1.1\r\nA b\r\n\r\n"),
    ("connection", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u{4}\0\0\0\0\0"),
    ("drawn", "\u{2}\u{7f}POST /a\u{1b}[2J?b HTTP/1.1\r\nhost: a\r\nx: \u{202e}\r\n\r\n{\"a\":[1,\"👩\u{200d}🚀\"]}"),
    ("drawn", "\u{7}~a\u{301}\u{200b}\t界\r\n"),
    ("imported", "curl -X POST 'http://a/b?c' -H 'x: y' --data-raw $'a\\x41\\u00e4' \\\n  --url-query z=1"),
    ("imported", "### one\nPOST http://a/b HTTP/1.1\nx: y\n\n{\"a\":1}\n\n### two\nGET /c"),
    (
        "imported",
        "{\"log\":{\"entries\":[{\"startedDateTime\":\"2026-11-21T10:00:00Z\",\"time\":1,\"request\":{\"method\":\"POST\",\"url\":\"http://a/b\",\"headers\":[{\"name\":\"x\",\"value\":\"y\"}],\"postData\":{\"text\":\"a\"}},\"response\":{\"status\":200,\"headers\":[],\"content\":{\"text\":\"aGk=\",\"encoding\":\"base64\"}}}]}}",
    ),
    (
        "json",
        "{\"a\":[1e999,-0.0,12345678901234567890123,\"\\ud83d\\ude00\\ud800\",{\"a\":null,\"a\":true}],\"\":[[]]}",
    ),
    ("json", "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]"),
    ("pack", include_str!("../../assets/platforms/moveo/pack.toml")),
    ("pack", include_str!("../../assets/platforms/stripe/pack.toml")),
    ("query", "kind:dialog -sig:invalid | (status:>=500 took:>1s) /input/text:\"hi\" since:10m"),
    ("query", "conv:8563 path:/hooks/* note:\"a b\" -(dir:sent | marked) word"),
    ("recording", include_str!("../../recordings/moveo.jsonl")),
    (
        "recording",
        "{\"mark\":\"01a1ffe9-5cf2-73ff-a883-2ee86f0886e4\",\"at\":\"2026-11-21T10:00:00Z\",\"on\":true}\n{\"id\":\"01",
    ),
    ("redacted", "name,token,a\r\n\"x\"\"y\",s1,2\n1,s2,3\n| password | b |\npassword: s3\n"),
    (
        "redacted",
        "{\"data\":\"eyJwYXNzd29yZCI6InMxIn0=\",\"b\":\"a=1&token=s2\",\"c\":{\"name\":\"otp\",\"value\":\"s3\"}}",
    ),
    ("redacted", "<a><password>s1</password><b token='s2'/>https://u:s3@h/?token=s4 Bearer s5s5s5s5s5s5s5s5</a>"),
    (
        "request",
        "POST /hooks/a?b=%20c HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nCookie: a=1\r\nX-B: \u{e9}\r\n\r\n{\"a\":[1]}",
    ),
    (
        "request",
        "POST /stripe HTTP/1.1\nhost: a\nstripe-signature: t=1795000000,v1=00ff,v0=aa\nwebhook-id: a\nwebhook-timestamp: 1795000000\nwebhook-signature: v1,AA== v1a,BB==\n\n{\"object\":\"event\"}",
    ),
    ("request", "GET /page?token=a.b.c&context=%7B%7D&sign=AA HTTP/1.1\r\nx-hub-signature-256: sha256=00\r\n\r\n"),
    ("shown", "\u{1b}]0;t\u{7}\u{9b}31m\r\n\u{202e}\u{200d}👩🏽\u{200d}🚀\u{feff}"),
    (
        "template",
        "{\"a\":\"{{now}}\",\"b\":\"x {{request:/a}}\",\"c\":\"{{braces}}env:A}}\",\"d\":\"{{ $v }}\",\"{{uuid}}\":1}",
    ),
    ("template", "{{env:HOME}} {{{now_ms}} {{row:a}} {{header:x-a}} {{query:a}}"),
    (
        "token",
        "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6Ii4uLy4uL2V0Yy9wYXNzd2QifQ.eyJleHAiOjE3OTUwMDAwMDAsImlzcyI6Im1vdmVvIn0.c2ln",
    ),
    ("token", "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0."),
];

/// The same that is no text: `hello` in gzip (stored), and in Zstandard.
const PACKED: [&[u8]; 2] = [
    b"\x1f\x8b\x08\0\0\0\0\0\0\xff\x01\x05\0\xfa\xffhello\x86\xa6\x10\x36\x05\0\0\0",
    b"\x28\xb5\x2f\xfd\x20\x05\x29\0\0hello",
];

/// Cuts, repeats, and other bytes in some places of a seed, or something made up.
fn broken(seeds: Vec<&'static [u8]>) -> impl Strategy<Value = Vec<u8>> {
    let edit = (any::<prop::sample::Index>(), 0_usize..30, prop::collection::vec(any::<u8>(), 0..4));
    let edited = (prop::sample::select(seeds), prop::collection::vec(edit, 0..5)).prop_map(|(seed, edits)| {
        let mut bytes = seed.to_vec();
        for (at, cut, put) in edits {
            let at = at.index(bytes.len() + 1);
            let end = (at + cut).min(bytes.len());
            bytes.splice(at..end, put);
        }
        bytes
    });
    prop_oneof![4 => edited, 1 => prop::collection::vec(any::<u8>(), 0..200)]
}

fn seeds(name: &str) -> Vec<&'static [u8]> {
    let packed = PACKED.iter().copied().filter(|_| name == "unpacked");
    SEEDS.iter().filter(|(of, _)| *of == name).map(|(_, seed)| seed.as_bytes()).chain(packed).collect()
}

#[test]
fn whatever_is_read_breaks_no_promise() {
    for (name, entry) in ENTRIES {
        let seeds = seeds(name);
        // As they are, they are fine.
        for seed in &seeds {
            entry(seed);
        }
        let cases = if matches!(name, "drawn" | "imported" | "pack" | "recording") { 12 } else { 60 };
        let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
        runner
            .run(&broken(seeds), |bytes| {
                entry(&bytes);
                Ok(())
            })
            .unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

#[test]
fn every_reader_has_its_seeds_and_its_fuzz_target() {
    for (name, _) in ENTRIES {
        assert!(!seeds(name).is_empty(), "{name}");
        let manifest = include_str!("../fuzz/Cargo.toml");
        assert!(manifest.contains(&format!("name = \"{name}\"\npath = \"fuzz_targets/{name}.rs\"")), "{name}");
    }
}
