//! Packs of the user's own: read as strictly as the built-in ones, and every slip is named.

use rstest::rstest;

use super::*;

/// A small pack on disk, with `changes` made to it.
fn pack(changes: &[(&str, &str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (file, text) in [
        (
            "pack.toml",
            "[platform]\nname = \"acme\"\ntitle = \"Acme\"\n\n[signature.hook]\nscheme = \"hmac-sha256\"\nheader = \"X-Acme\"\n\
             encoding = \"hex\"\nmessage = \"{body}\"\n\n[[kind]]\nname = \"ping\"\ntitle = \"Ping\"\nsignature = \"hook\"\n\
             recognise = { has = [\"/ping\"] }\nuser = \"/ping\"\nrequest = \"ping.schema.json\"\nresponse = \"ping.schema.json\"\n\
             sample = \"ping.json\"\nreply = \"ping.json\"\n",
        ),
        ("ping.schema.json", r#"{"properties":{"ping":{"type":"string"}}}"#),
        ("ping.json", r#"{"ping":"one"}"#),
    ] {
        let mut text = text.to_owned();
        for (_, from, to) in changes.iter().filter(|(changed, ..)| *changed == file) {
            assert!(text.contains(from), "{from}");
            text = text.replace(from, to);
        }
        std::fs::write(dir.path().join(file), text).unwrap();
    }
    dir
}

fn problems(changes: &[(&str, &str, &str)]) -> Vec<String> {
    let dir = pack(changes);
    let folder = format!("{}/", dir.path().display());
    Platforms::check(dir.path()).iter().map(|problem| problem.to_string().replace(&folder, "")).collect()
}

#[test]
fn a_pack_of_the_users_own_is_as_good_as_a_builtin_one() {
    assert_eq!(problems(&[]), [""; 0]);
    let dir = pack(&[]);
    let mut platforms = platforms();
    assert_eq!(platforms.add_dir(dir.path()).unwrap().title, "Acme");
    assert_eq!(platforms.recognise(&post("/", r#"{"ping":1}"#)).kind.unwrap().name, "acme/ping");
    let count = platforms.packs().count();
    platforms.add_dir(dir.path()).unwrap();
    assert_eq!(platforms.packs().count(), count, "the same name takes the same place");
}

#[test]
fn a_folder_of_packs_is_added_whole() {
    let parent = tempfile::tempdir().unwrap();
    std::fs::create_dir(parent.path().join("empty")).unwrap();
    std::fs::rename(pack(&[]).keep(), parent.path().join("acme")).unwrap();
    let mut platforms = platforms();
    platforms.add_all(parent.path()).unwrap();
    assert!(platforms.pack("acme").is_some() && platforms.pack("empty").is_none());
    platforms.add_all(&parent.path().join("not there")).unwrap();
}

#[rstest]
#[case::no_key("title = \"Ping\"\n", "", "pack.toml: line 11, `[[kind]]`: missing field `title`")]
#[case::typo("user =", "usr =", "pack.toml: line 16, `usr`: unknown field `usr`, expected")]
#[case::scheme(
    "hmac-sha256",
    "hmac-md4",
    "pack.toml: line 6, `scheme`: there is no scheme \"hmac-md4\": known are \"hmac-sha1\", \"hmac-sha256\", \"hmac-sha512\""
)]
#[case::no_scheme(
    "signature = \"hook\"",
    "signature = \"hock\"",
    "pack.toml: line 14, `signature`: there is no [signature.hock]: did you mean \"hook\"?"
)]
#[case::no_file(
    "sample = \"ping.json\"",
    "sample = \"p.json\"",
    "pack.toml: line 19, `sample`: there is no file p.json in the pack"
)]
#[case::place(
    "user = \"/ping\"",
    "user = \"ping\"",
    "pack.toml: line 16, `user`: \"ping\" is no place: write \"query:NAME\", \"header:NAME\", \"path:NAME\", \"claim:NAME\" or \"/pointer\""
)]
#[case::pointer("[\"/ping\"]", "[\"ping\"]", "pack.toml: line 15, `recognise`: \"ping\" is no JSON Pointer")]
#[case::name("\"acme\"", "\"Acme\"", "pack.toml: line 2, `name`: \"Acme\": a name has lower-case letters")]
#[case::syntax("[[kind]]", "[[kind]", "pack.toml: line 11, `[[kind]`:")]
fn a_slip_in_a_pack_is_named_with_file_line_and_key(#[case] from: &str, #[case] to: &str, #[case] said: &str) {
    let problems = problems(&[("pack.toml", from, to)]);
    assert!(problems.len() == 1 && problems[0].starts_with(said), "{problems:?}");
}

#[test]
fn a_folder_without_a_pack_says_so() {
    let dir = tempfile::tempdir().unwrap();
    assert!(Platforms::check(dir.path())[0].message.contains("a pack begins with one"));
    assert!(Platforms::check(&dir.path().join("none"))[0].message.contains("cannot be read"));
}

#[rstest]
#[case::own_kind("pack.toml", "has = [\"/ping\"]", "has = [\"/pong\"]", &[
    "ping.json: is recognised as moveo/dialog, not as acme/ping",
    "ping.json: does not satisfy `recognise` of acme/ping",
    "pack.toml: acme/ping: /pong is in no sample and no schema of the pack",
])]
#[case::sample("ping.schema.json", "\"string\"", "\"integer\"", &[
    "ping.json: departs from its contract at \"/ping\": `ping` must be an integer, it is the string \"one\".",
    "ping.json: departs from its contract at \"/ping\": `ping` must be an integer, it is the string \"one\".",
])]
#[case::schema("ping.schema.json", "\"string\"", "\"strung\"", &["ping.schema.json: is no JSON Schema: "])]
#[case::pointer("pack.toml", "user = \"/ping\"", "user = \"/who\"", &["pack.toml: acme/ping: /who is in neither its sample nor its schema"])]
#[case::signature("pack.toml", "\"{body}\"", "\"fixed\"", &["pack.toml: [signature.hook] does not notice a change of byte 0 of acme/ping"])]
#[case::unsignable("pack.toml", "\"{body}\"", "\"{header:X-Time}{body}\"", &["pack.toml: acme/ping cannot be signed by [signature.hook]: the signature covers"])]
fn the_contract_test_finds(#[case] file: &str, #[case] from: &str, #[case] to: &str, #[case] said: &[&str]) {
    // A sample that is recognised as another kind: a dialog call is one with a context and a language.
    let body = r#"{"ping":"one","context":{},"lang":"en"}"#;
    let recognised = from.starts_with("has");
    let mut changes = vec![(file, from, to)];
    if recognised {
        changes.push(("ping.json", r#"{"ping":"one"}"#, body));
    }
    let problems = problems(&changes);
    assert!(problems.len() >= said.len(), "{problems:?}");
    for (problem, said) in problems.iter().zip(said) {
        assert!(problem.starts_with(said), "{problems:?}");
    }
}

#[test]
fn a_vector_that_does_not_hold_is_reported() {
    let vector = "reply = \"ping.json\"\n\n[[vector]]\nsignature = \"hook\"\nsecret = \"s\"\nheaders = { X-Acme = \"00\" }\nexpect = \"valid\"\nsource = \"RFC\"\n";
    let problems = problems(&[("pack.toml", "reply = \"ping.json\"\n", vector)]);
    assert_eq!(problems.len(), 1);
    assert!(problems[0].contains("the vector of \"RFC\" is malformed, not valid"), "{problems:?}");
}
