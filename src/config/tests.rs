mod faults;
mod respond;

use std::ffi::OsString;
use std::fs;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

/// A working directory with these files, and an environment.
fn sources(files: &[(&str, &str)]) -> (TempDir, Sources) {
    let directory = TempDir::new().unwrap();
    for (name, content) in files {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        make_private(&path, 0o600);
    }
    let environment = [("MOVEO_TOKEN", "hush"), ("EMPTY", ""), ("STAGING_AUTH", "Bearer hush")];
    let environment = environment.into_iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
    let home = (OsString::from("HOME"), directory.path().join("home").into_os_string());
    let sources = Sources {
        directory: directory.path().to_owned(),
        environment: environment.chain([home]).collect(),
        ..Sources::default()
    };
    (directory, sources)
}

#[cfg(unix)]
fn make_private(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[cfg(not(unix))]
fn make_private(_path: &Path, _mode: u32) {}

fn load(text: &str) -> Result<Config, String> {
    let (_directory, sources) = sources(&[("hooktape.toml", text), ("keys/moveo.token", "from file\n")]);
    Config::load(&sources).map_err(|error| error.to_string())
}

fn values(secrets: &[Secret]) -> Vec<Result<&str, &str>> {
    secrets.iter().map(|secret| secret.value().map(|bytes| str::from_utf8(bytes).unwrap())).collect()
}

#[test]
fn without_a_file_everything_is_default() {
    let (_directory, sources) = sources(&[]);
    let config = Config::load(&sources).unwrap();
    assert_eq!(config, Config { replies: config.replies.clone(), ..Config::default() });
    assert!(config.replies.iter().any(|replies| replies.name.as_deref() == Some("moveo/identify")));
    assert_eq!(config.listen.address.to_string(), "127.0.0.1:4747");
    assert_eq!((config.listen.max_body, config.listen.body_timeout), (10 * 1024 * 1024, Duration::from_secs(30)));
    assert_eq!((config.record.fsync, config.record.on_full), (false, OnFull::Refuse));
}

#[test]
fn a_whole_file() {
    let text = r#"
        [listen]
        address      = "localhost:80"
        max_body     = "512 KiB"
        body_timeout = "1500ms"
        public_url = "https://hooks.example.com/"
        trusted_proxies = ["127.0.0.1", "::1"]

        [record]
        path    = "tapes/today.jsonl"
        fsync   = true
        on_full = "answer"
        redact  = true
        rotate  = ["1 GiB", "24h"]

        [secrets]
        moveo           = "env:MOVEO_TOKEN"
        "moveo/webview" = ["file:keys/moveo.token", "env:MOVEO_TOKEN"]
        jelou           = "env:JELOU_TOKEN"

        [issuers]
        "moveo/webview" = ["www.shop.example", "www.old.example"]
        acme            = "me"

        [[route]]
        path    = "/hooks/moveo"
        kind    = "moveo/pre_message"
        secret  = ["moveo", "file:keys/moveo.token"]
        respond = { reply = { status = 201, headers = { x-a = ["1", "2"] }, json = { z = 1.0, a = [0x10, true, "é"], d = 2026-11-21 } } }

        [[route]]
        path    = "/hooks/*"
        respond = { reply = { headers = { Content-Type = "text/x" }, body = "hello" } }

        [[route]]
        path    = "/page"
        respond = { reply = { file = "keys/moveo.token" } }

        [redact]
        headers  = ["X-Mine*"]
        patterns = 'CL-\d+'

        [[target]]
        name    = "staging"
        url     = "https://staging.example.com/hooks/{kind}"
        secret  = "moveo/webview"
        headers = { authorization = "env:STAGING_AUTH", x-plain = "yes", x-lost = "env:LOST" }
        guard   = "confirm"
        timeout = "2m"

        [[target]]
        name = "local"
        url  = "http://127.0.0.1:3000{path}"

        [[wait]]
        kind     = "jelou/webview_open"
        expires  = "5m"
        message  = "Finish the payment first"
        variable = "payment"
    "#;
    let (directory, sources) = sources(&[("hooktape.toml", text), ("keys/moveo.token", "from file\r\n")]);
    let config = Config::load(&sources).unwrap();

    assert_eq!(config.file, Some(directory.path().join("hooktape.toml")));
    assert_eq!(
        config.listen,
        Listen {
            address: "127.0.0.1:80".parse().unwrap(),
            max_body: 512 * 1024,
            body_timeout: Duration::from_millis(1500),
            public_url: Some("https://hooks.example.com".into()),
            tunnel: None,
            tls: None,
            trusted_proxies: vec!["127.0.0.1".parse().unwrap(), "::1".parse().unwrap()],
        }
    );
    assert_eq!(
        config.record,
        Record {
            path: Some(directory.path().join("tapes/today.jsonl")),
            fsync: true,
            on_full: OnFull::Answer,
            redact: true,
            rotate: Rotation { size: Some(1 << 30), age: Some(Duration::from_hours(24)) },
        }
    );
    assert_eq!(
        config.redact,
        Redact {
            headers: vec!["X-Mine*".into()],
            referenced: ["authorization", "x-lost"].map(String::from).into(),
            patterns: vec![r"CL-\d+".into()],
            ..Redact::default()
        }
    );
    let names: Vec<_> = config.secrets.0.keys().collect();
    assert_eq!(names, ["moveo", "moveo/webview", "jelou"]);
    let secrets = |name: &str| values(&config.secrets.0[name]);
    assert_eq!(secrets("moveo/webview"), [Ok("from file"), Ok("hush")]);
    assert_eq!(secrets("moveo"), [Ok("hush")]);

    let issuers = |name: &str| config.issuers[name].clone();
    assert_eq!(issuers("moveo/webview"), ["www.shop.example", "www.old.example"]);
    assert_eq!(issuers("acme"), ["me"]);
    assert_eq!(
        config.wait("jelou/webview_open"),
        Some(&Wait {
            kind: "jelou/webview_open".into(),
            expires: Some(Duration::from_mins(5)),
            message: Some("Finish the payment first".into()),
            variable: Some("payment".into()),
        })
    );
    assert_eq!(config.wait("moveo/webview_open"), None);
    assert_eq!(values(&config.routes[0].secrets), [Ok("hush"), Ok("from file")]);
    assert_eq!(config.routes[0].kind.as_deref(), Some("moveo/pre_message"));
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let reply = |number: usize| match &config.routes[number].respond.as_ref().unwrap().source {
        Source::Reply(replies) => replies.cases[0].reply.clone(),
        other => panic!("{other}"),
    };
    assert_eq!(
        reply(0),
        Reply {
            status: 201,
            headers: vec![header("x-a", "1"), header("x-a", "2"), header("content-type", "application/json")],
            body: r#"{"z":1.0,"a":[16,true,"é"],"d":"2026-11-21"}"#.into(),
        }
    );
    assert_eq!(reply(1), Reply { status: 200, headers: vec![header("Content-Type", "text/x")], body: "hello".into() });
    let page = reply(2);
    assert_eq!((page.headers.len(), &page.body[..]), (0, &b"from file\r\n"[..]));
    assert_eq!(config.route("/hooks/moveo"), config.routes.first());
    assert_eq!(config.route("/hooks/moveo/x"), config.routes.get(1));
    assert_eq!(config.route("/hooks"), None);

    let staging = config.target("staging").unwrap();
    assert_eq!(values(&staging.secrets), [Ok("from file"), Ok("hush")]);
    assert_eq!(staging.headers, [header("authorization", "Bearer hush"), header("x-plain", "yes")]);
    assert_eq!((staging.guard, staging.timeout), (true, Duration::from_mins(2)));
    let local = config.target("local").unwrap();
    assert_eq!((local.guard, local.timeout, local.secrets.len()), (false, Duration::from_secs(30), 0));

    assert_eq!(config.problems(), ["secrets.jelou: the variable JELOU_TOKEN is not set"]);
    assert_eq!(config.warnings, ["target staging has no value for its header x-lost: the variable LOST is not set"]);
    let shown = format!("{config:?}{:?}", sources.environment);
    assert!(!shown.contains("hush") && shown.contains("MOVEO_TOKEN"), "{shown}");
}

/// What a file says, and the answer to it.
#[test]
fn files_are_looked_for_in_order() {
    let listen = |port: u16| format!("listen.address = \"127.0.0.1:{port}\"");
    let (directory, mut sources) = sources(&[
        ("hooktape.toml", &listen(1)),
        ("home/config.toml", &listen(2)),
        ("other.toml", &listen(3)),
        ("bad.toml", "a = \"\u{e9}\""),
    ]);
    let port = |sources: &Sources| Config::load(sources).unwrap().listen.address.port();
    sources.fallback = Some(directory.path().join("home/config.toml"));
    assert_eq!(port(&sources), 1);
    sources.explicit = Some("other.toml".into());
    assert_eq!(port(&sources), 3);
    sources.listen = Some("127.0.0.1:4".parse().unwrap());
    assert_eq!(port(&sources), 4);
    sources.listen = None;
    sources.explicit = None;
    fs::remove_file(directory.path().join("hooktape.toml")).unwrap();
    assert_eq!(port(&sources), 2);

    sources.fallback = Some(directory.path().join("other.toml/hooktape/config.toml"));
    assert_eq!(port(&sources), 4747, "where a file stands for its folder, there is none");
    sources.explicit = Some("other.toml/config.toml".into());
    assert!(Config::load(&sources).unwrap_err().to_string().starts_with("other.toml/config.toml: cannot be read: "));
    sources.explicit = Some("none.toml".into());
    let error = Config::load(&sources).unwrap_err();
    assert_eq!((error.0[0].line, error.0[0].file.as_deref()), (0, Some(Path::new("none.toml"))));
    assert!(error.to_string().starts_with("none.toml: cannot be read: "), "{error}");
    fs::write(directory.path().join("bad.toml"), b"a = 1\nb = \"\xe9\"").unwrap();
    sources.explicit = Some("bad.toml".into());
    assert_eq!(Config::load(&sources).unwrap_err().to_string(), "bad.toml:2:6: this is not UTF-8");
}

#[test]
fn flags_replace_what_the_file_says_of_a_name() {
    let file =
        "secrets = { moveo = [\"env:A\", \"env:B\"], jelou = \"env:C\" }\n[[route]]\npath = \"/\"\nsecret = \"moveo\"";
    let (_directory, mut sources) = sources(&[("hooktape.toml", file), ("x", "from x")]);
    sources.secrets = ["moveo=env:MOVEO_TOKEN", "moveo=file:x"].map(|text| parse_assignment(text).unwrap()).into();
    let config = Config::load(&sources).unwrap();
    assert_eq!(values(&config.secrets.0["moveo"]), [Ok("hush"), Ok("from x")]);
    assert_eq!(config.routes[0].secrets, config.secrets.0["moveo"]);
    assert_eq!(config.problems(), ["secrets.jelou: the variable C is not set"]);
}

#[test]
fn an_assignment_repeats_nothing() {
    assert_eq!(
        parse_assignment("moveo/webview=file:a=b"),
        Ok(Assignment { name: "moveo/webview".into(), reference: "file:a=b".into() })
    );
    for text in
        ["hunter2", "hunter2==", "moveo=hunter2", "moveo=env:", "=env:hunter2", "a b=env:hunter2", "moveo=file:"]
    {
        let error = parse_assignment(text).unwrap_err();
        assert!(error.contains("MOVEO_TOKEN") && !error.contains("hunter2"), "{error}");
    }
}

#[test]
fn a_secret_that_cannot_be_read_says_why() {
    let (directory, sources) = sources(&[("empty", "\n"), ("home/token", "at home"), ("large", &"x".repeat(70_000))]);
    let resolve = |reference: &str| Secret::resolve(reference, directory.path(), &sources.environment).unwrap();
    for (reference, expected) in [
        ("env:NOT_SET", Err("the variable NOT_SET is not set")),
        ("env:EMPTY", Err("the variable EMPTY is empty")),
        ("file:empty", Err("the file empty is empty")),
        ("file:large", Err("the file large is longer than 64 KiB: no secret is")),
        ("file:~/token", Ok("at home")),
    ] {
        let secret = resolve(reference);
        assert_eq!((secret.label(), values(std::slice::from_ref(&secret))[0]), (reference, expected));
    }
    assert!(resolve("file:none").value().unwrap_err().starts_with("the file none cannot be read: "));
    assert_eq!(Secret::unresolved("env:X", "why").value(), Err("why"));
    assert_eq!(format!("{:?}", Secret::new("env:X", "hush")), "Secret(env:X)");
}

#[cfg(unix)]
#[test]
fn a_secret_that_all_can_read_is_warned_of() {
    let text = "secrets = { a = \"file:token\", b = \"file:public.pem\", c = [\"file:cert.pem\", \"file:both.pem\"] }\n\
        [[route]]\npath = \"/\"\nsecret = \"a\"";
    let certificate = "webhook-id: 1\n-----BEGIN CERTIFICATE-----\n";
    let both = format!("{certificate}-----BEGIN EC PRIVATE KEY-----\n");
    let (directory, sources) = sources(&[
        ("hooktape.toml", text),
        ("token", "x"),
        ("public.pem", "-----BEGIN PUBLIC KEY-----\n"),
        ("cert.pem", certificate),
        ("both.pem", &both),
    ]);
    assert_eq!(Config::load(&sources).unwrap().warnings, [""; 0]);
    for name in ["token", "public.pem", "cert.pem", "both.pem"] {
        make_private(&directory.path().join(name), 0o644);
    }
    let warnings = Config::load(&sources).unwrap().warnings;
    let told = |file: &str| format!("every user of this machine can read the secret in {file}: chmod 600 it");
    assert_eq!(warnings, [told("token"), told("both.pem")]);
}

#[test]
fn an_address_the_network_reaches_is_warned_of() {
    let config = load("listen.address = \"0.0.0.0:80\"").unwrap();
    assert_eq!(
        config.warnings,
        ["0.0.0.0:80 can be reached from the network: others can send calls to it and see its answers"]
    );
    for loopback in ["127.0.0.2:1", "[::1]:1", "[::ffff:127.0.0.1]:1"] {
        assert_eq!(exposure(parse_address(loopback).unwrap()), None, "{loopback}");
    }
}

#[test]
fn a_target_fills_its_url() {
    let target = |url: &str| {
        let own = [("moveo/dialog", "http://own/{name}"), ("jelou", "http://jelou")];
        let urls = own.into_iter().map(|(kind, url)| (kind.to_owned(), url.to_owned())).collect();
        Target { urls, ..Target::new("t", url) }
    };
    let kind = Some("moveo/pre_message");
    for (url, kind, path, expected) in [
        ("http://x/a", None, "/p", Ok("http://x/a")),
        ("http://x/{kind}?p={platform}", kind, "/p", Ok("http://x/moveo/pre_message?p=moveo")),
        ("http://x/{name}", kind, "/p", Ok("http://x/pre_message")),
        ("http://x/a", Some("moveo/dialog"), "/p", Ok("http://own/dialog")),
        ("http://x/a", Some("jelou/webview_open"), "/p", Ok("http://jelou/p")),
        ("http://x:1{path}", None, "/p?q={kind}", Ok("http://x:1/p?q={kind}")),
        ("http://x/api/{path}", None, "/p", Ok("http://x/api/p")),
        ("http://x{path}?code=K", None, "/p?q=1?2", Ok("http://x/p?code=K&q=1?2")),
        ("http://x{path}#part", None, "/p?", Ok("http://x/p?")),
        ("http://x/a?code=K", None, "/p?q=1", Ok("http://x/a?code=K")),
        ("http://x:1{path}", None, "@evil.example/", Ok("http://x:1/@evil.example/")),
        ("http://x/{kind}", None, "/", Err("target t: its URL needs the call's kind, and the call was not recognised")),
        (
            "http://{platform}.x/",
            Some("evil.example#/a"),
            "/",
            Err("target t: its URL needs a kind, written platform/kind in letters, digits, `-` and `_`"),
        ),
    ] {
        assert_eq!(target(url).url_for(kind, path), expected.map(str::to_owned).map_err(str::to_owned), "{url}");
    }
    for url in ["http://x", "http://x/a", "http://x/{path}"] {
        assert!(target(url).url_for(kind, "*").unwrap_err().contains("(`OPTIONS *`)"), "never for `/*`");
    }
}

#[test]
fn the_place_of_a_target_is_its_host_whatever_stands_for_it() {
    let urls = [("moveo/dialog".to_owned(), "http://own:1{path}".to_owned())].into_iter().collect();
    let target = Target { urls, ..Target::new("t", "http://api-{platform}.example:8/{kind}") };
    assert_eq!((target.place(), Target::new("t", "http://x:1{path}").place()), ("api-{platform}.example:8", "x:1"));
    let kinds = ["moveo/dialog", "moveo/pre_message", "moveo/post_message", "jelou/webview_open"];
    let places = target.places(kinds.into_iter().map(Some).chain([None]));
    assert_eq!(places, ["own:1", "api-moveo.example:8", "api-jelou.example:8", "api-{platform}.example:8"]);
}

#[test]
fn a_call_has_the_secrets_of_its_route_or_of_the_targets_where_it_went() {
    let text = r#"
        [[route]]
        path = "/in"
        secret = "env:ROUTE"
        [[target]]
        name = "a"
        url = "http://127.0.0.1:3000/in"
        secret = "env:A"
        [[target]]
        name = "b"
        url = "HTTP://127.0.0.1:3000/{kind}"
        secret = "env:B"
        [[target]]
        name = "c"
        url = "http://{platform}.example"
        secret = "env:C"
    "#;
    let config = load(text).unwrap();
    let here = Some("http://127.0.0.1:3000");
    for (origin, path, kind, labels) in [
        (None, "/in", None, &["env:ROUTE"][..]),
        (here, "/in", Some("moveo/dialog"), &["env:A"]),
        (here, "/moveo/dialog", Some("moveo/dialog"), &["env:B"]),
        (here, "/", Some("moveo/dialog"), &[]),
        (Some("http://127.0.0.1:300"), "/in", None, &[]),
        (Some("http://moveo.example"), "/", Some("moveo/dialog"), &["env:C"]),
        (Some("http://moveo.example"), "/", Some("jelou/webview_callback"), &[]),
    ] {
        let found = config.secrets_of(origin, path, kind);
        assert_eq!(found.iter().map(Secret::label).collect::<Vec<_>>(), labels, "{origin:?} {path} {kind:?}");
    }
}

#[test]
fn sizes_and_durations() {
    for (text, expected) in [
        ("10 MiB", Some(10 << 20)),
        ("2MB", Some(2_000_000)),
        ("7", Some(7)),
        ("7 b", Some(7)),
        ("0", None),
        ("MiB", None),
        ("-1", None),
        ("1.5 MB", Some(1_500_000)),
        ("0.1 KiB", Some(102)),
        ("0.5", None),
        ("1.2.3 MB", None),
        ("2 m", None),
        ("99999999999999 GiB", None),
    ] {
        assert_eq!(parse_size(text).ok(), expected, "{text}");
    }
    for (text, expected) in [
        ("500ms", Some(500_000)),
        ("2 min", Some(120_000_000)),
        ("1h", Some(3_600_000_000)),
        ("1.5s", Some(1_500_000)),
        ("20us", Some(20)),
        ("0s", None),
        ("0.5us", None),
        ("5", None),
        ("s", None),
        (".s", None),
    ] {
        assert_eq!(parse_duration(text).ok(), expected.map(Duration::from_micros), "{text}");
    }
    for text in ["30s", "1500ms", "20us", "1000001us"] {
        assert_eq!(duration(text).map(written).as_deref(), Some(text));
    }
    assert_eq!(load("listen.max_body = 1_000").unwrap().listen.max_body, 1000);
}

#[test]
fn closest_is_a_slip_away() {
    let known = ["name", "url", "guard"];
    for (word, expected) in
        [("nmae", Some("name")), ("URL", None), ("urls", Some("url")), ("guards", Some("guard")), ("x", None)]
    {
        assert_eq!(closest(word, &known), expected, "{word}");
    }
}

proptest! {
    #[test]
    fn no_text_panics(text in "(\\[{0,2}(route|secrets|target|listen)\\]{0,2}\n|(path|name|url|x|moveo) = (\"[a-z/:{}*]{0,8}\"|[0-9]{1,3}|\\[\\])\n|.{0,3}){0,6}") {
        let _ = read::config(None, &text, Path::new("/nonexistent"), &Sources::default());
    }
}

#[test]
fn the_screen_is_plain_data() {
    let screen = load("[screen]\ntheme = \"light\"\nslow = \"250ms\"\ncolours = { bad = \"#ff0080\", dim = 244, good = \"bright-green\" }")
        .unwrap()
        .screen;
    assert_eq!((screen.theme, screen.slow), (Theme::Light, Duration::from_millis(250)));
    let colours =
        [(Part::Dim, Colour::Indexed(244)), (Part::Good, Colour::Indexed(10)), (Part::Bad, Colour::Rgb(255, 0, 128))];
    assert_eq!(screen.colours, colours);
    for (text, wanted) in [
        ("theme = \"drak\"", "2:9: screen.theme: did you mean \"dark\"?"),
        ("theme = \"solarized\"", "known are \"auto\", \"dark\", \"light\", \"ansi\", \"none\""),
        ("colors = {}", "screen.colors: this key is not known here: did you mean \"colours\"?"),
        ("colours = { bda = \"red\" }", "screen.colours.bda: this key is not known here: did you mean \"bad\"?"),
        ("colours = { bad = \"rde\" }", "2:19: screen.colours.bad: did you mean \"red\"?"),
        (
            "colours = { bad = \"#ff\" }",
            "a colour is \"#rrggbb\", a number of the palette (0 to 255), or one of black,",
        ),
    ] {
        let error = load(&format!("[screen]\n{text}")).unwrap_err();
        assert!(error.contains(wanted), "{text}: {error}");
    }
}

#[test]
fn typed_addresses_that_differ_by_their_queries_are_told_apart_without_them() {
    let typed = |url: &str| Target::from_address(url).unwrap();
    let mut all = vec![typed("http://here.example/ok?env=a")];
    for url in ["http://here.example/ok?env=b", "http://here.example/ok?env=c", "http://here.example/ok?env=a"] {
        all.push(typed(url).told_apart(&all));
    }
    let names: Vec<&str> = all.iter().map(|target| target.name.as_str()).collect();
    let address = "http://here.example/ok";
    assert_eq!(names, [address, &format!("{address} (2)"), &format!("{address} (3)"), address]);
    assert_eq!((all[0].address(), all[1].address()), (Some((address, "")), Some((address, " (2)"))));
    assert_eq!(Target::new("http", "http://here.example").address(), None, "that is a name");
}
