//! Where calls are sent: terms of targets, guards, and what gets nothing.

use crate::lane::Home;
use crate::support::{Endpoint, SAMPLE, SIGNED, answering, field, run};

#[test]
fn a_target_has_its_own_terms() {
    let (home, endpoint) = (Home::new(), Endpoint::new());
    let config = format!(
        "[[target]]\nname = \"x\"\nurl = \"{0}/all/{{name}}\"\nsecret = \"env:MOVEO_TOKEN\"\ntimeout = \"5s\"\n\
         urls = {{ \"moveo/dialog\" = \"{0}/own\" }}\nheaders = {{ X-Env = \"staging\" }}\n\
         drop_headers = [\"X-Moveo-Account-Id\"]\ntls = {{ verify = false }}\n",
        endpoint.url
    );
    std::fs::write(home.path("hooktape.toml"), config).unwrap();
    let args = ["replay", SAMPLE, "--to", "x", "--query", "kind:dialog | kind:first_message"];
    let more = ["--header", "X-More: 1", "--drop-header", "x-moveo-account-slug", "--timeout", "9s", "--insecure"];
    let sent = run(&home, &[&args[..], &more].concat());
    assert_eq!(sent.code, 0, "{}{}", sent.out, sent.err);
    assert!(sent.out.contains("header:x-moveo-account-id") && sent.out.contains("path"), "{}", sent.out);
    let seen = endpoint.seen();
    assert!(seen[0].0.starts_with("POST /all/first_message ") && seen[1].0.starts_with("POST /own "), "{seen:?}");
    for (head, _) in &seen {
        assert_eq!((field(head, "x-env"), field(head, "x-more")), (Some("staging"), Some("1")));
        assert_eq!((field(head, "x-moveo-account-id"), field(head, "x-moveo-account-slug")), (None, None));
    }
    let needed = run(&home, &[&args[..], &["--drop-header", "Host"]].concat());
    assert!(needed.code == 2 && needed.err.contains("HTTP needs Host"), "{}", needed.err);
    let missing = run(&home, &[&args[..], &["--ca", "none.pem"]].concat());
    assert!(missing.code == 2 && missing.err.contains("--ca: cannot read none.pem"), "{}", missing.err);
    std::fs::write(home.path("empty.pem"), "no certificate").unwrap();
    let empty = run(&home, &[&args[..], &["--ca", "empty.pem"]].concat());
    assert!(empty.code == 2 && empty.err.contains("--ca empty.pem: this file has no certificate"), "{}", empty.err);
}

#[test]
fn the_endpoints_of_the_platforms_stand_ready_and_are_guarded() {
    let home = Home::new();
    for (name, file) in [("moveo", "moveo-webview"), ("jelou", "jelou"), ("liveperson-uk", "liveperson")] {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/recordings/").to_owned() + file + ".jsonl";
        let asked = run(&home, &["replay", &file, "--to", name, "--sign", "exact"]);
        assert_eq!(asked.code, 2);
        let question = format!(" to the guarded target {name} at https://");
        assert!(asked.err.contains(&question), "{}", asked.err);
    }
    // They take what a page sends, and nothing else.
    let refused = run(&home, &["replay", SAMPLE, "--to", "liveperson-uk", "--yes"]);
    assert_eq!(refused.code, 2);
    assert!(refused.err.contains("target liveperson-uk takes liveperson/webview only"), "{}", refused.err);
}

#[test]
fn nothing_leaves_without_a_secret_or_header_of_the_targets_own() {
    let (home, endpoint) = (Home::new(), Endpoint::new());
    let text = format!(
        "[[target]]\nname = \"own\"\nurl = \"{url}\"\nsecret = \"env:NO_SUCH_TOKEN\"\n\
         [[target]]\nname = \"header\"\nurl = \"{url}\"\nheaders = {{ Authorization = \"env:NO_SUCH_KEY\" }}\n",
        url = endpoint.url
    );
    std::fs::write(home.path("hooktape.toml"), text).unwrap();
    for (to, said) in
        [("own", "the variable NO_SUCH_TOKEN is not set"), ("header", "the variable NO_SUCH_KEY is not set")]
    {
        for args in [
            &["replay", SAMPLE, "--query", "kind:dialog"][..],
            &["replay", SAMPLE, "--query", "kind:dialog", "--dry-run"],
            &["send", "moveo/dialog"],
        ] {
            let refused = run(&home, &[args, &["--to", to], &SIGNED[..]].concat());
            assert!(refused.code > 0 && (refused.err + &refused.out).contains(said), "{to} {args:?}");
        }
    }
    assert!(endpoint.seen().is_empty());
    let given = run(
        &home,
        &[&["replay", SAMPLE, "--query", "kind:dialog", "--to", "header", "--header", "authorization: x"], &SIGNED[..]]
            .concat(),
    );
    assert_eq!(given.code, 0, "{}", given.err);
}

#[test]
fn a_target_may_be_a_virtual_host_and_framing_is_nobodys_to_set() {
    let (home, endpoint) = (Home::new(), Endpoint::new());
    let text =
        format!("[[target]]\nname = \"virtual\"\nurl = \"{}\"\nheaders = {{ Host = \"v.example\" }}\n", endpoint.url);
    std::fs::write(home.path("hooktape.toml"), text).unwrap();
    let to = ["--to", "virtual"];
    let dialog = ["replay", SAMPLE, "--query", "kind:dialog"];
    for (args, host) in [
        ([&dialog[..], &to, &SIGNED[..]].concat(), "v.example"),
        ([&dialog[..], &to, &["--header", "host: w.example"], &SIGNED[..]].concat(), "w.example"),
        ([&["send", "moveo/dialog"][..], &to, &["--header", "Host: x.example"], &SIGNED[..]].concat(), "x.example"),
    ] {
        let sent = run(&home, &args);
        assert_eq!(sent.code, 0, "{}", sent.err);
        assert_eq!(field(&endpoint.seen()[0].0, "host"), Some(host));
        assert_eq!(sent.out.contains("header:host"), args[0] == "replay", "{}", sent.out);
    }
    let refused = run(&home, &[&dialog[..], &to, &["--header", "Content-Length: 5"]].concat());
    assert!(refused.code == 2 && refused.err.contains("follows from the body and the connection"), "{}", refused.err);
}

#[test]
fn a_refused_address_is_not_repeated_with_its_password() {
    let home = Home::new();
    let to = "http://u:SENTINEL@127.0.0.1:9/";
    for args in
        [&["listen", "--forward", to][..], &["replay", SAMPLE, "--to", to], &["send", "moveo/dialog", "--to", to]]
    {
        let refused = run(&home, args);
        assert_eq!(refused.code, 2);
        assert!(
            refused.err.contains("a URL holds no user name or password") && !refused.err.contains("SENTINEL"),
            "{}",
            refused.err
        );
    }
}

#[test]
fn a_guarded_target_is_named_with_all_its_hosts() {
    let home = Home::new();
    let text = "[[target]]\nname = \"both\"\nurl = \"http://127.0.0.1:1/a\"\nguard = \"confirm\"\n\
                urls = { \"moveo/dialog\" = \"http://127.0.0.1:2/dialog\" }\n";
    std::fs::write(home.path("hooktape.toml"), text).unwrap();
    let signed = |args: &[&str]| run(&home, &[args, &SIGNED[..]].concat());
    let asked = signed(&["replay", SAMPLE, "--to", "both", "--query", "kind:dialog"]);
    assert!(asked.err.contains("the guarded target both at http://127.0.0.1:2/dialog?"), "{}", asked.err);
    let asked = signed(&["replay", SAMPLE, "--to", "both"]);
    assert!(asked.err.contains("http://127.0.0.1:1/a and http://127.0.0.1:2/dialog?"), "{}", asked.err);
    // What cannot leave is not asked for.
    let asked = signed(&["replay", SAMPLE, "--to", "both", "--stale", "--duplicate", "--repeat", "2"]);
    assert!(asked.err.contains("send 20 calls to the guarded target both at"), "of seven two cannot: {}", asked.err);
    assert!(asked.err.contains(" (8 others cannot be sent: "), "{}", asked.err);
    let none = signed(&["replay", SAMPLE, "--to", "both", "--query", "kind:auth_validation", "--stale"]);
    assert!(none.code == 2 && none.err.contains("none of these calls can be sent so: "), "{}", none.err);
    let asked = signed(&["send", "moveo/dialog", "--to", "both"]);
    assert!(
        asked.err.contains("send 1 call to the guarded target both at http://127.0.0.1:2/dialog?"),
        "{}",
        asked.err
    );
}

#[test]
fn a_guarded_target_is_guarded_by_its_address_too() {
    let home = Home::new();
    let text = "[[target]]\nname = \"staging\"\nurl = \"http://127.0.0.1:1/hooks/{kind}\"\nguard = \"confirm\"\n";
    std::fs::write(home.path("hooktape.toml"), text).unwrap();
    for (to, asks) in [
        ("http://127.0.0.1:1/other", true),
        (":1", true),
        ("https://127.0.0.1:1/hooks", true),
        ("http://localhost.:1", true),
        ("http://[::1]:1", true),
        ("http://127.0.0.1:2/hooks", false),
        ("https://workflows.jelou.ai/v1/webview/callback", true),
    ] {
        let planned = run(&home, &["replay", SAMPLE, "--to", to, "--sign", "exact", "--dry-run"]);
        assert_eq!(planned.err.contains("you will be asked first"), asks, "{to}: {}", planned.err);
    }
    let asked = run(&home, &["replay", SAMPLE, "--to", ":1", "--sign", "exact"]);
    assert!(asked.code == 2 && asked.err.contains("send 7 calls to the guarded target http"), "{}", asked.err);
}

#[test]
fn our_own_listener_is_left_alone_unless_asked() {
    let home = Home::new();
    let listener = home.listen(&["--secret", "moveo=env:MOVEO_TOKEN"]);
    let port = listener.address.split(':').nth(1).unwrap();
    let to = format!("http://localhost:{port}");
    let args = [&["replay", SAMPLE, "--to", &to, "--record", "sent.jsonl"], &SIGNED[..]].concat();
    let refused = run(&home, &args);
    assert_eq!(refused.code, 2);
    let said = format!("is hooktape's own listener ({}): --to-listener", listener.address);
    assert!(refused.err.contains(&said), "{}", refused.err);
    assert_eq!(run(&home, &[&args[..], &["--to-listener"]].concat()).code, 0);
    assert_eq!(run(&home, &["show", "tape.jsonl", "--query", "sig:valid"]).out.lines().count(), 7);
    drop(listener);
    let endpoint = Endpoint::new();
    let configured = format!("listen.address = \"{}\"\n", endpoint.url.trim_start_matches("http://"));
    std::fs::write(home.path("hooktape.toml"), configured).unwrap();
    let args = [&["replay", SAMPLE, "--to", &endpoint.url, "--record", "sent.jsonl"], &SIGNED[..]].concat();
    assert_eq!(run(&home, &args).code, 0, "where no listener runs, nothing is taken for one");
}

#[test]
fn what_is_put_into_a_header_is_filled_in_once_for_all_calls() {
    let (home, endpoint) = (Home::new(), Endpoint::new());
    let target =
        format!("[[target]]\nname = \"x\"\nurl = \"{}\"\nheaders = {{ X-Own = \"{{{{uuid}}}}\" }}\n", endpoint.url);
    std::fs::write(home.path("hooktape.toml"), target).unwrap();
    let replay = |headers: &[&str]| {
        let usual = ["replay", SAMPLE, "--to", "x", "--query", "kind:dialog | kind:first_message"];
        let headers = headers.iter().flat_map(|header| ["--header", *header]);
        run(&home, &usual.into_iter().chain(SIGNED).chain(headers).collect::<Vec<_>>())
    };
    let sent = replay(&["X-Id: {{uuid}}", "X-Env: say {{env:PUBLISHED}}", "X-Slip: {{uid}}"]);
    assert!(
        sent.code == 0 && sent.err.starts_with("{{uid}} is sent as it stands: did you mean {{uuid}}?\n"),
        "{}",
        sent.err
    );
    let seen = endpoint.seen();
    let first = field(&seen[0].0, "x-id").unwrap();
    assert_eq!((first.len(), seen.len()), (36, 3));
    for (head, _) in &seen {
        let all = ["x-id", "x-env", "x-slip", "x-own"].map(|name| field(head, name).unwrap());
        assert_eq!(all, [first, "say 123456789", "{{uid}}", "{{uuid}}"], "a target's own stand as they are");
    }
    // What is of the environment may be a secret: it is sent, and not shown.
    let args =
        ["replay", SAMPLE, "--to", "x", "--dry-run", "--format", "json", "--header", "X-Env: say {{env:PUBLISHED}}"];
    let planned = run(&home, &[&args[..], &SIGNED].concat());
    assert!(planned.out.contains(r#""header:x-env","left":null,"right":"[redacted]""#), "{}", planned.out);
    assert!(!planned.out.contains("say 123456789"), "{}", planned.out);
    let unknown = replay(&["X-Id: {{env:NOBODY}}"]);
    assert!(unknown.code == 2 && unknown.err.contains("{{env:NOBODY}}: the environment has no"), "{}", unknown.err);
}

#[test]
fn a_redirect_is_told_and_not_followed() {
    let home = Home::new();
    let url = answering("302 Found\nlocation: https://else.example/\u{9b}31m", "");
    let told = "redirects are not followed: it points to https://else.example/";
    for args in [&["send", "moveo/dialog"][..], &["replay", SAMPLE, "--query", "kind:dialog"]] {
        let sent = run(&home, &[args, &["--to", &url, "--record", "sent.jsonl"], &SIGNED].concat());
        assert!(sent.code == 1 && sent.out.contains(told) && !sent.out.contains('\u{9b}'), "{}", sent.out);
    }
    let id = run(&home, &["show", "sent.jsonl", "--format", "json"]).json()[0]["id"].as_str().unwrap().to_owned();
    assert!(run(&home, &["show", "sent.jsonl", &id]).out.contains(&format!("\n{told}")));
}
