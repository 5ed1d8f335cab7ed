//! Known secrets in everything that the program does: none is ever in a file, on a screen or in a reply.

use std::cell::RefCell;
use std::fs;
use std::io::BufRead as _;
use std::os::unix::fs::PermissionsExt as _;

use crate::lane::{HOOKTAPE, Home, Listener};
use crate::leaks::{Needle, files_in, none_in};
use crate::raw::raw;
use crate::support::{Endpoint, SAMPLE, signature};

const SIGNING: &str = "signing-secret-vU3kq9ZxT2";
const OTHER: &str = "another-platforms-8sLm4Wq0";
const OF_ROUTE: &str = "of-the-route-Yp7Rr2Nc5bHd";
const OF_TARGET: &str = "of-the-target-e1Gf6Ka9Jt3X";
const HEADER: &str = "header-of-target-Qw8Zs5Lb1";

/// A home with a secret in every place that takes one, and what to look for.
struct House {
    home: Home,
    endpoint: Endpoint,
    needles: Vec<Needle>,
    /// What has been run.
    ran: RefCell<Vec<String>>,
}

impl House {
    fn new() -> Self {
        let home = Home::new();
        let endpoint = Endpoint::new();
        let made = home.command(HOOKTAPE, &["keys", "new"]).output().unwrap();
        assert!(made.status.success());
        let private = fs::read_to_string(home.path("keys/private.pem")).unwrap();
        fs::write(
            home.path("hooktape.toml"),
            format!(
                r#"
                [secrets]
                moveo = "env:SIGNING"
                stripe = "env:OTHER"
                "moveo/webview" = "file:keys/private.pem"
                [[route]]
                path = "/own"
                kind = "moveo/dialog"
                secret = "env:OF_ROUTE"
                [[target]]
                name = "there"
                url = "{}"
                secret = "env:OF_TARGET"
                "#,
                endpoint.url
            ),
        )
        .unwrap();
        let texts = [("the signing secret", SIGNING), ("another platform's", OTHER), ("the route's", OF_ROUTE)];
        let more = [("the target's", OF_TARGET), ("the target's header", HEADER), ("the private key", &*private)];
        let needles = texts.into_iter().chain(more).map(|(name, text)| Needle::new(name, text)).collect();
        Self { home, endpoint, needles, ran: RefCell::new(vec!["keys new".to_owned()]) }
    }

    fn command(&self, args: &[&str]) -> std::process::Command {
        self.ran.borrow_mut().push(args.join(" "));
        let mut command = self.home.command(HOOKTAPE, args);
        command.envs([("SIGNING", SIGNING), ("OTHER", OTHER), ("OF_ROUTE", OF_ROUTE)]);
        command.envs([("OF_TARGET", OF_TARGET), ("HEADER", HEADER), ("RUST_BACKTRACE", "1"), ("RUST_LOG", "trace")]);
        command
    }

    /// Runs the program; what it says holds no secret. Gives standard output.
    fn run(&self, args: &[&str]) -> String {
        self.said(self.command(args), args)
    }

    /// The same, of a command that is there already.
    fn said(&self, mut command: std::process::Command, args: &[&str]) -> String {
        let ended = command.stdin(std::process::Stdio::null()).output().unwrap();
        none_in(&self.needles, &ended.stdout, &format!("the output of {args:?}"));
        none_in(&self.needles, &ended.stderr, &format!("the errors of {args:?}"));
        let err = String::from_utf8(ended.stderr).unwrap();
        assert!(ended.status.code().is_some_and(|code| code < 2), "{args:?}: {err}");
        String::from_utf8(ended.stdout).unwrap()
    }

    /// Calls listeners that answer in other ways, over TLS and a tunnel too, and say so as text.
    fn listens_in_other_ways(&self, body: &[u8]) {
        let tunnel = "echo http://127.0.0.1:1; sleep 999";
        for (number, args) in [
            &["--forward", "there", "--tls", "--tunnel", tunnel][..],
            &["--reply", "moveo/audit", "--fault", "status=503 next=1"],
            &["--fault", "contradict", "--redact", "--fsync"],
        ]
        .into_iter()
        .enumerate()
        {
            let record = format!("way{number}.jsonl");
            let common = ["listen", "--listen", "127.0.0.1:0", "--record", &record];
            let mut listener = Listener::start(self.command(&[&common, args].concat()));
            let mut caller = listener.call();
            for secret in [SIGNING, OTHER] {
                let header =
                    format!("content-type: application/json\r\nx-moveo-signature: {}\r\n", signature(secret, body));
                let (head, answer) = caller.exchange("/hooks", &header, body).unwrap();
                none_in(&self.needles, &[head.as_bytes(), &answer].concat(), &format!("a reply of {args:?}"));
            }
            let ended = listener.end("TERM");
            assert_eq!(ended.out.lines().filter(|line| line.contains("moveo/dialog")).count(), 2, "{}", ended.out);
            let said = [ended.out, ended.err].concat();
            none_in(&self.needles, said.as_bytes(), &format!("what listen {args:?} says"));
        }
    }

    /// Runs the program in a way that it refuses.
    fn refused(&self, args: &[&str]) {
        let ended = self.command(args).stdin(std::process::Stdio::null()).output().unwrap();
        assert_eq!(ended.status.code(), Some(2), "{args:?}");
        none_in(&self.needles, &[ended.stdout, ended.stderr].concat(), &format!("the refusal of {args:?}"));
    }
}

#[test]
fn no_secret_is_in_a_file_on_a_screen_or_in_a_reply() {
    let house = House::new();
    let (home, needles) = (&house.home, &house.needles);

    // Calls in: signed well, badly, by another's secret, and by every mistake that a diagnosis looks for.
    let listen = ["listen", "--listen", "127.0.0.1:0", "--record", "tape.jsonl", "--format", "json"];
    let mut listener = Listener::start(house.command(&listen));
    let mut caller = listener.call();
    let body = include_bytes!("../../assets/platforms/moveo/samples/dialog.json");
    for (path, secret) in [("/hooks", SIGNING), ("/hooks", OTHER), ("/own", OF_ROUTE), ("/own", SIGNING), ("/x", "")] {
        for spoilt in [&body[..], &body[1..], &[body, &b"\n"[..]].concat()] {
            let header =
                format!("content-type: application/json\r\nx-moveo-signature: {}\r\n", signature(secret, body));
            let (head, answer) = caller.exchange(path, &header, spoilt).unwrap();
            none_in(needles, &[head.as_bytes(), &answer].concat(), "a reply");
        }
    }
    // One that asks for a secret by the name of its variable: what a stranger sent is never filled in.
    let asking = String::from_utf8_lossy(body).replacen("\"text\": \"", "\"text\": \"{{env:SIGNING}} ", 1);
    assert!(asking.contains("{{env:SIGNING}}"), "{asking}");
    let header =
        format!("x-moveo-signature: {}\r\nx-own: {{{{env:SIGNING}}}}\r\n", signature(SIGNING, asking.as_bytes()));
    let (head, answer) = caller.exchange("/{{env:SIGNING}}?a={{env:SIGNING}}", &header, asking.as_bytes()).unwrap();
    none_in(needles, &[head.as_bytes(), &answer].concat(), "the reply to who asks");
    let target = "/form?integration_id=i&session_id=s&user_id=u&trigger_node_id=t&channel=web";
    none_in(needles, page_at(&listener.address, target).as_bytes(), "the stand-in page");
    let ended = listener.end("TERM");
    none_in(needles, ended.out.as_bytes(), "what listen prints");
    none_in(needles, ended.err.as_bytes(), "what listen says");

    house.listens_in_other_ways(body);

    // The stand-in page, signed with the private key.
    let open = ["webview", "open", "moveo", "--listen", "127.0.0.1:0", "--record", "page.jsonl", "--format", "json"];
    let mut opener = Listener::start(house.command(&open));
    let mut page = String::new();
    opener.out.read_line(&mut page).unwrap();
    let page: serde_json::Value = serde_json::from_str(&page).unwrap();
    let target = page["url"].as_str().unwrap().split_once(&opener.address).unwrap().1;
    let page = page_at(&opener.address, target);
    assert!(page.contains("file:keys/private.pem"), "{page}");
    none_in(needles, page.as_bytes(), "the page that is signed");
    let ended = opener.end("TERM");
    none_in(needles, ended.out.as_bytes(), "what webview open prints");
    none_in(needles, ended.err.as_bytes(), "what webview open says");

    // What is said of them.
    let calls = house.run(&["show", "tape.jsonl"]);
    assert!(calls.lines().count() > 15, "{calls}");
    // One that is valid, one signed with another's secret, one by a route.
    for id in calls.lines().step_by(4).map(|line| &line[..8]) {
        house.run(&["show", "tape.jsonl", id]);
        house.run(&["show", "tape.jsonl", id, "--pretty"]);
    }
    let shown = house.run(&["show", "tape.jsonl", "--query", "\"env:SIGNING\""]);
    let asking = &shown[..8];
    for args in [
        &["verify", "tape.jsonl"][..],
        &["config", "check"],
        &["doctor", "--listen", "127.0.0.1:0"],
        &["platforms"],
        &["platforms", "moveo"],
        &["platforms", "advise", "moveo", "--url", "https://a.example/"],
        &["platforms", "new", "acme", "--into", "packs"],
        &["platforms", "check", "packs/acme"],
        &["diff", SAMPLE, "tape.jsonl"],
        &["show", "tape.jsonl"],
        &["import", SAMPLE],
        &["recordings"],
        &["prune", "--larger-than", "1B", "--dry-run"],
        &["compact", "tape.jsonl", "--out", "compact.jsonl"],
        &["variables", "register", SAMPLE],
        &["variables"],
        &["send", "moveo/dialog", "--to", "there", "--record", "sent.jsonl"],
        &["send", "moveo/webview_callback", "--to", "there", "--record", "sent.jsonl"],
        &["replay", SAMPLE, "--to", "there", "--dry-run"],
        &["replay", SAMPLE, "--to", "there", "--record", "sent.jsonl", "--report", "json=r.json"],
        &["replay", SAMPLE, "--to", "there", "--sign", "exact", "--report", "html=r.html"],
        &["replay", "tape.jsonl", "--to", "there", "--against", &house.endpoint.url, "--record", "sent.jsonl"],
        &["demo", "--record", "demo.jsonl"],
    ] {
        house.run(&[args, &["--format", "json"]].concat());
    }
    for args in [
        &["verify", "tape.jsonl"][..],
        &["send", "moveo/dialog", "--to", "there", "--record", "sent.jsonl"],
        &["replay", SAMPLE, "--to", "there", "--dry-run"],
        &["replay", SAMPLE, "--to", "there", "--record", "sent.jsonl"],
        &["replay", "tape.jsonl", "--to", "there", "--record", "sent.jsonl", "--report", "junit=r.xml"],
        &["diff", SAMPLE, "tape.jsonl"],
        &["fixtures", "save", "asking", &format!("tape.jsonl#{asking}")],
        &["fixtures"],
        &["send", "fixture:asking", "--to", "there", "--record", "sent.jsonl"],
        &["send", &format!("tape.jsonl#{asking}"), "--to", "there", "--record", "sent.jsonl"],
        &["send", "moveo/dialog", "--to", "there", "--set", "/input/text={{env:PUBLISHED}}", "--record", "sent.jsonl"],
        &["fixtures", "remove", "asking"],
        &["platforms", "--as", "markdown"],
        &["completions", "bash"],
    ] {
        house.run(args);
    }
    fs::create_dir(home.path("fresh")).unwrap();
    let mut init = house.command(&["init", "--yes"]);
    init.current_dir(home.path("fresh"));
    house.said(init, &["init", "--yes"]);
    // It needs a terminal; what it shows in one is looked at there.
    house.refused(&["open", "tape.jsonl"]);
    house.refused(&["variables", "remove", "none"]);
    for form in ["har", "curl", "http", "json", "markdown", "html"] {
        house.run(&["export", "tape.jsonl", "--as", form, "--unredacted", "--out", &format!("calls.{form}")]);
        house.run(&["export", "sent.jsonl", "--as", form, "--out", &format!("sent.{form}")]);
    }
    house.run(&["keys", "jwt", "--key", "file:keys/private.pem", "--claim", "sub=u"]);

    // What is wrong, and says so.
    house.refused(&["listen", "--secret", &format!("moveo={SIGNING}")]);
    house.refused(&["config", "check", "--secret", SIGNING]);
    for text in [
        format!("[secrets]\nmoveo = \"{SIGNING}\""),
        format!("[secrets]\nmoveo = {SIGNING}"),
        format!("[[route]]\npath = \"/\"\nsecret = \"{OF_ROUTE}\""),
        format!("[[target]]\nname = \"a\"\nurl = \"http://a\"\nheaders = {{ a = \"env:HEADER\", b = {HEADER} }}"),
    ] {
        fs::write(home.path("wrong.toml"), text).unwrap();
        house.refused(&["config", "check", "--config", "wrong.toml"]);
    }

    let seen = house.endpoint.seen();
    for (head, body) in &seen {
        none_in(needles, &[head.as_bytes(), body].concat(), "what is sent");
    }
    assert!(seen.len() > 70, "{} calls were sent", seen.len());
    // Of what it was to fill in, the one that the user named, and no other.
    let texts: Vec<String> = seen.iter().map(|(_, body)| String::from_utf8_lossy(body).into_owned()).collect();
    assert!(
        texts.iter().any(|text| text.contains("{{env:SIGNING}}"))
            && texts.iter().any(|text| text.contains("123456789"))
    );

    let ran = house.ran.borrow();
    for page in crate::PAGES.iter().map(|page| page.join(" ")) {
        assert!(ran.iter().any(|args| args.starts_with(&page)), "{page} was not run");
    }
    let ours = ["private.pem", "private.env", "wrong.toml"];
    let mut seen = 0;
    for path in files_in(&home.path(".")) {
        if !ours.iter().any(|name| path.ends_with(name)) {
            none_in(needles, &fs::read(&path).unwrap(), &path.display().to_string());
            seen += 1;
        }
    }
    assert!(seen > 16, "{seen} files");
}

#[test]
fn what_is_kept_is_for_its_owner_alone() {
    let house = House::new();
    for args in [
        &["demo", "--record", "new/deep/tape.jsonl"][..],
        &["demo"],
        &["import", SAMPLE],
        &["export", SAMPLE, "--as", "html", "--out", "page.html"],
        &["compact", "new/deep/tape.jsonl", "--out", "new/compact.jsonl"],
        &["fixtures", "save", "one", "moveo/dialog"],
        &["variables", "register", SAMPLE],
        &["replay", SAMPLE, "--to", "there", "--sign", "exact", "--report", "junit=new/report.xml"],
    ] {
        house.run(args);
    }
    let mut torn = fs::OpenOptions::new().append(true).open(house.home.path("new/deep/tape.jsonl")).unwrap();
    std::io::Write::write_all(&mut torn, b"{\"id\"").unwrap();
    house.run(&["demo", "--record", "new/deep/tape.jsonl"]);

    let rights = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    let public = ["hooktape.toml", "public.pem"];
    let files = files_in(&house.home.path("."));
    assert!(files.iter().any(|path| path.ends_with("tape.jsonl.torn")), "{files:?}");
    for path in files.iter().filter(|path| !public.iter().any(|name| path.ends_with(name))) {
        assert_eq!(rights(path), 0o600, "{}", path.display());
    }
    for folder in ["data", "data/recordings", "data/fixtures", "new", "new/deep"] {
        assert_eq!(rights(&house.home.path(folder)), 0o700, "{folder}");
    }
}

/// The answer that has a page.
fn page_at(address: &str, target: &str) -> String {
    raw(address, format!("GET {target} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n"))
}

#[test]
fn what_only_lists_does_not_print_a_platforms_token() {
    let (home, endpoint) = (Home::new(), Endpoint::new());
    let run = |args: &[&str]| {
        let common = ["--to", &endpoint.url, "--secret", "rasa=env:TOKEN"];
        let mut command = home.command(HOOKTAPE, &[args, &common].concat());
        let ended = command.env("TOKEN", OTHER).stdin(std::process::Stdio::null()).output().unwrap();
        assert!(ended.status.code().is_some_and(|code| code < 2), "{}", String::from_utf8_lossy(&ended.stderr));
        String::from_utf8([ended.stdout, ended.stderr].concat()).unwrap()
    };
    let sent = run(&["send", "rasa/action", "--record", "t.jsonl"]);
    assert!(sent.contains("action?token=[redacted] (signature valid)") && !sent.contains(OTHER), "{sent}");
    let planned = run(&["replay", "t.jsonl", "--sent", "--set", "/next_action=a", "--dry-run", "--format", "json"]);
    assert!(planned.contains("/next_action") && !planned.contains(OTHER), "{planned}");
    // The recorded call has it; what is said of it has not.
    let tape = fs::read_to_string(home.path("t.jsonl")).unwrap();
    fs::write(home.path("t.jsonl"), tape.replace(OTHER, "another")).unwrap();
    let planned = run(&["replay", "t.jsonl", "--sent", "--dry-run", "--format", "json"]);
    assert!(
        planned.contains(r#""place":"path","left":"/hooks/rasa/action?token=[redacted]""#) && !planned.contains(OTHER),
        "{planned}"
    );
}

#[test]
fn what_the_environment_filled_in_is_masked_where_calls_are() {
    let home = Home::new();
    let endpoint = Endpoint::new();
    let needle = [Needle::new("what was filled in", OF_TARGET)];
    let config = format!(
        "[record]\nredact = true\n[listen]\nrespond.reply = {{ json = {{ is = \"{{{{env:HUSH}}}}\" }} }}\n\
         [[target]]\nname = \"there\"\nurl = \"{}\"\n",
        endpoint.url
    );
    fs::write(home.path("hooktape.toml"), config).unwrap();
    let run = |args: &[&str]| {
        let ended = home.command(HOOKTAPE, args).env("HUSH", OF_TARGET).output().unwrap();
        let said = [ended.stdout, ended.stderr].concat();
        none_in(&needle, &said, &format!("what {args:?} says"));
        String::from_utf8(said).unwrap()
    };
    let set = ["--set", "/input/text=say {{env:HUSH}}", "--header", "X-Mine: {{env:HUSH}}", "--sign", "exact"];
    for (number, args) in
        [&["send", "moveo/dialog"][..], &["replay", SAMPLE, "--query", "kind:dialog"]].into_iter().enumerate()
    {
        let tape = format!("{number}.jsonl");
        let said = run(&[args, &["--to", "there", "--record", &tape], &set].concat());
        let (head, body) = endpoint.seen().pop().expect(&said);
        assert!(head.contains(OF_TARGET) && String::from_utf8_lossy(&body).contains(&format!("say {OF_TARGET}")));
        let tape = fs::read_to_string(home.path(&tape)).unwrap();
        none_in(&needle, tape.as_bytes(), "a recording");
        assert!(tape.contains("say [redacted]") && tape.contains(r#"["x-mine","[redacted]"]"#), "{tape}");
    }
    let planned = ["replay", SAMPLE, "--query", "kind:dialog", "--to", "there", "--dry-run", "--format", "json"];
    run(&[&planned[..], &set].concat());
    let mut listen = home.command(HOOKTAPE, &["listen", "--listen", "127.0.0.1:0", "--record", "in.jsonl"]);
    listen.env("HUSH", OF_TARGET);
    let mut listener = Listener::start(listen);
    let (_, answer) = listener.call().post("/x", "", b"{}").unwrap();
    assert!(String::from_utf8_lossy(&answer).contains(OF_TARGET));
    listener.end("TERM");
    let tape = fs::read_to_string(home.path("in.jsonl")).unwrap();
    none_in(&needle, tape.as_bytes(), "the listener's recording");
    assert!(tape.contains(r#"{"is":"[redacted]"}"#), "{tape}");
    // What is not masked is not shown where it is only planned.
    fs::remove_file(home.path("hooktape.toml")).unwrap();
    run(&["replay", SAMPLE, "--to", &endpoint.url, "--dry-run", "--format", "json", "--set", set[1]]);
}

#[test]
fn a_token_under_a_name_of_its_packs_own_is_masked() {
    let home = Home::new();
    let pack = home.path(".config/hooktape/platforms/acme");
    fs::create_dir_all(pack.join("samples")).unwrap();
    fs::write(
        pack.join("pack.toml"),
        "[platform]\nname = \"acme\"\ntitle = \"Acme\"\n[signature.hook]\nscheme = \"token\"\nheader = \"X-Acme-Verify\"\n\
         [signature.page]\nscheme = \"token\"\nquery = \"k\"\n[[kind]]\nname = \"order\"\ntitle = \"Order\"\n\
         signature = [\"hook\", \"page\"]\nrecognise = { method = \"POST\", has = [\"/order\"] }\n\
         sample = \"samples/order.json\"\n",
    )
    .unwrap();
    fs::write(pack.join("samples/order.json"), "{\"order\": 1}").unwrap();
    let needle = [Needle::new("the pack's token", OTHER)];
    for (redact, name) in [(true, "masked.jsonl"), (false, "plain.jsonl")] {
        let args = ["listen", "--listen", "127.0.0.1:0", "--record", name, "--secret", "acme=env:ACME"];
        let mut listen = home.command(HOOKTAPE, &[&args[..], if redact { &["--redact"] } else { &[] }].concat());
        listen.env("ACME", OTHER);
        let mut listener = Listener::start(listen);
        listener
            .call()
            .post(&format!("/?k={OTHER}"), &format!("X-Acme-Verify: {OTHER}\r\n"), b"{\"order\":2}")
            .unwrap();
        let ended = listener.end("TERM");
        assert!(ended.out.contains("acme/order") && ended.out.contains("valid"), "{}{}", ended.out, ended.err);
        if redact {
            none_in(&needle, &fs::read(home.path(name)).unwrap(), name);
        }
        for form in ["json", "har", "curl", "http", "markdown", "html"] {
            let export = home.command(HOOKTAPE, &["export", name, "--as", form]).output().unwrap();
            assert!(
                export.status.success() && !export.stdout.is_empty(),
                "{}",
                String::from_utf8_lossy(&export.stderr)
            );
            none_in(&needle, &export.stdout, &format!("{name} as {form}"));
        }
    }
}

#[test]
fn what_cannot_be_read_as_an_argument_is_not_repeated() {
    let home = Home::new();
    for args in [
        &["send", "moveo/dialog", "--to", ":1", "--header"][..],
        &["replay", SAMPLE, "--to", ":1", "--set"],
        &["keys", "jwt", "--claim"],
        &["platforms", "advise", "moveo", "--header"],
    ] {
        let wrong = format!("Authorization Bearer {HEADER}");
        let ended = home.command(HOOKTAPE, &[args, &[&wrong]].concat()).output().unwrap();
        let said = String::from_utf8(ended.stderr).unwrap();
        assert!(ended.status.code() == Some(2) && said.contains("this is not of the form"), "{said}");
        none_in(&[Needle::new("an argument", HEADER)], said.as_bytes(), "what is said of it");
    }
}

#[test]
fn config_check_masks_what_stands_in_addresses() {
    let home = Home::new();
    let config = format!("[[target]]\nname = \"q\"\nurl = \"http://h/hook?token={OTHER}\"\n");
    fs::write(home.path("hooktape.toml"), config).unwrap();
    for format in ["text", "json"] {
        let ended = home.command(HOOKTAPE, &["config", "check", "--format", format]).output().unwrap();
        let said = String::from_utf8(ended.stdout).unwrap();
        assert!(said.contains("http://h/hook?token=[redacted]") && !said.contains(OTHER), "{said}");
    }
    fs::write(home.path("hooktape.toml"), format!("[listen]\npublic_url = \"http://u:{OTHER}@h\"\n")).unwrap();
    let ended = home.command(HOOKTAPE, &["config", "check"]).output().unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(said.contains("holds no user name or password") && !said.contains(OTHER), "{said}");
}
