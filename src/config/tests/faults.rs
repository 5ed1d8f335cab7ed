//! What is wrong is told with its place and its repair, and without what may be a secret.

use super::*;

const FAULTS: &[(&str, &str)] = &[
    ("[listen]\nadress = \"x\"", "2:1: listen.adress: this key is not known here: did you mean \"address\"?"),
    (
        "[listen]\nport = 1",
        "2:1: listen.port: this key is not known here: known are \"address\", \"max_body\", \"body_timeout\", \"trusted_proxies\", \"public_url\", \"respond\", \"tls\"",
    ),
    (
        "[theme]",
        "1:2: theme: this key is not known here: known are \"listen\", \"record\", \"redact\", \"secrets\", \"issuers\", \"route\", \"target\", \"wait\", \"queries\", \"reply\", \"screen\", \"keys\", \"compare\"",
    ),
    (
        "[issuers]\n\"moveo webview\" = \"x\"",
        "2:19: issuers.\"moveo webview\": issuers are filed under PLATFORM or PLATFORM/SCHEME",
    ),
    ("[listen]\ntrusted_proxies = \"ngrok\"", "2:19: listen.trusted_proxies: a proxy is named by its IP address"),
    (
        "[[wait]]\nkind = \"jelou/webview_open\"\nexpires = \"300\"",
        "3:11: wait.expires: a duration is written \"30s\", \"500ms\" or \"2m\", and is not 0",
    ),
    ("[[wait]]\nexpires = \"5m\"", "1:1: wait: `kind` is missing here"),
    (
        "[redact]\npointers = [\"/a\", \"b\"]",
        "2:19: redact.pointers: \"b\" is no JSON Pointer: it begins with `/`, and in a name `~` is written `~0`, `/` is written `~1`",
    ),
    (
        "[redact]\npointers = \"/context~2\"",
        "2:12: redact.pointers: \"/context~2\" is no JSON Pointer: it begins with `/`, and in a name `~` is written `~0`, `/` is written `~1`",
    ),
    (
        "[listen]\nrespond.reply = [{ when = { \"/a~\" = true } }]",
        "2:37: listen.respond.reply.when.\"/a~\": \"/a~\" is no JSON Pointer: it begins with `/`, and in a name `~` is written `~0`, `/` is written `~1`",
    ),
    (
        "[[reply]]\nname = \"a\"\nstatus = 404\ncases = [{ when = { \"/a\" = true } }]",
        "3:10: reply.status: beside `cases` this says nothing: put it into one of its replies",
    ),
    (
        "[[route]]\npath = \"/\"\nrespond.reply = { sequence = [{}, { when = { \"/a\" = 1 }, status = 202 }] }",
        "3:44: route.respond.reply.sequence.when: a `sequence` answers one after the other, whatever comes: only `cases` have conditions",
    ),
    ("[redact]\nheaders = \"*\"", "2:11: redact.headers: a name has letters or digits"),
    ("[redact]\npatterns = \"(\"", "2:12: redact.patterns: this is no regular expression: unclosed group"),
    (
        "[redact]\npatterns = \"a*\"",
        "2:12: redact.patterns: this matches where there is nothing: it would mask everything",
    ),
    (
        "[compare]\nignore = [\"/a\", \"at\"]",
        "2:17: compare.ignore: this is a JSON Pointer, as \"/context/at\", or a header, as \"header:x-request-id\"",
    ),
    (
        "[compare]\nignore = \"/a~b\"",
        "2:10: compare.ignore: \"/a~b\" is no JSON Pointer: it begins with `/`, and in a name `~` is written `~0`, `/` is written `~1`",
    ),
    ("[[routes]]", "1:3: routes: this key is not known here: did you mean \"route\"?"),
    ("listen = 1", "1:10: listen: this is a table"),
    ("[listen]\naddress = 4747", "2:11: listen.address: this is a string: put it in double quotes"),
    (
        "# é\n[listen]\naddress = \":4747\"",
        "3:11: listen.address: an address is host and port: \"127.0.0.1:4747\" for this machine only, \"0.0.0.0:4747\" for \
         the whole network",
    ),
    (
        "[listen]\nmax_body = \"much\"",
        "2:12: listen.max_body: a size is written \"10 MiB\", \"512 KiB\", \"2 MB\" or as a number of bytes, and is not 0",
    ),
    (
        "[listen]\nbody_timeout = \"30\"",
        "2:16: listen.body_timeout: a duration is written \"30s\", \"500ms\" or \"2m\", and is not 0",
    ),
    (
        "[record]\nrotate = \"1 week\"",
        "2:10: record.rotate: \"1 week\" is neither a size, as in \"1 GiB\", nor an age, as in \"24h\"",
    ),
    ("[record]\nfsync = \"yes\"", "2:9: record.fsync: this is `true` or `false`"),
    ("[record]\non_full = \"panic\"", "2:11: record.on_full: this is \"refuse\" or \"answer\""),
    (
        "[secrets]\n\"a/b/c\" = \"env:A\"",
        "2:11: secrets.\"a/b/c\": a secret is filed under PLATFORM or PLATFORM/SCHEME",
    ),
    ("[secrets]\nmoveo = []", "2:9: secrets.moveo: this list of secrets is empty"),
    ("[[route]]\nkind = \"a/b\"", "1:1: route: `path` is missing here"),
    ("[route]\npath = \"/\"", "1:1: route: this is a list of tables: write `[[route]]`"),
    (
        "[[route]]\npath = \"hooks\"",
        "2:8: route.path: a path begins with `/`, may end in `/*` for all below it, and has no query",
    ),
    (
        "[[route]]\npath = \"/a*\"",
        "2:8: route.path: a path begins with `/`, may end in `/*` for all below it, and has no query",
    ),
    ("[[route]]\npath = \"/a\"\n[[route]]\npath = \"/a\"", "4:8: route.path: another one has this path already"),
    (
        "[[route]]\npath = \"/\"\nkind = \"dialog\"",
        "3:8: route.kind: a kind is written platform/kind, as \"moveo/pre_message\"",
    ),
    (
        "[[route]]\npath = \"/\"\nrespond = { forward = \"nowhere\" }",
        "3:23: route.respond.forward: \"nowhere\" is no URL: write http://HOST:PORT/PATH",
    ),
    (
        "[[route]]\npath = \"/\"\nrespond = { forward = \":1\", reply = \"moveo/audit\" }",
        "3:23: route.respond.forward: a call is replied to or forwarded: leave out one of them",
    ),
    (
        "[[target]]\nname = \"t\"\nurl = \"http://x\"\nguard = \"confirm\"\n[listen]\nrespond.forward = \"t\"",
        "6:19: listen.respond.forward: this target is guarded, and forwarding asks nobody: name its URL to forward to it",
    ),
    (
        "[listen]\nrespond.reply = \"moveo/identity\"",
        "2:17: listen.respond.reply: there is no [[reply]] of this name: did you mean \"moveo/identify\"?",
    ),
    (
        "[listen]\nrespond.reply = { use = \"moveo/audit\", table = \"x.csv\" }",
        "2:48: listen.respond.reply.table: this reply looks nothing up: leave out `table`",
    ),
    (
        "[listen]\nrespond.hold = \"soon\"",
        "2:16: listen.respond.hold: a duration is written \"30s\", \"500ms\" or \"2m\", and is not 0",
    ),
    (
        "[listen]\nrespond.fault = { status = 99 }",
        "2:17: listen.respond.fault: status: this is a number from 200 to 599",
    ),
    (
        "[listen]\nrespond.reply = [{ when = { text = 1 }, body = \"\" }]",
        "2:36: listen.respond.reply.when.text: a condition is `kind`, `query`, `found` or a JSON Pointer, as \"/input/text\"",
    ),
    ("[listen]\nrespond.reply = []", "2:17: listen.respond.reply: this list of replies is empty"),
    (
        "[[route]]\npath = \"/\"\nrespond = {}",
        "3:11: route.respond: this says nothing: `reply`, `forward`, `hold` and `fault` do",
    ),
    (
        "[[route]]\npath = \"/\"\nrespond.reply = { status = 99 }",
        "3:28: route.respond.reply.status: a status is a number from 200 to 599",
    ),
    (
        "[[route]]\npath = \"/\"\nrespond.reply = { body = \"a\", json = 1 }",
        "3:38: route.respond.reply.json: a reply has one of `body`, `json` and `file`",
    ),
    ("[[route]]\npath = \"/\"\nrespond.reply.json = [nan]", "3:23: route.respond.reply.json: JSON has no such number"),
    (
        "[[route]]\npath = \"/\"\nrespond.reply.headers.\"a b\" = \"\"",
        "3:31: route.respond.reply.headers.\"a b\": this is no header name",
    ),
    (
        "[[route]]\npath = \"/\"\nrespond.reply.headers.Content-Length = \"1\"",
        "3:40: route.respond.reply.headers.Content-Length: this header follows from the body and the connection: leave it out",
    ),
    (
        "[[route]]\npath = \"/\"\nrespond.reply.headers.a = \"x\\ny\"",
        "3:27: route.respond.reply.headers.a: a header value has no control characters or line ends",
    ),
    ("[[target]]\nname = \"a\"", "1:1: target: `url` is missing here"),
    ("[[target]]\nname = \"a b\"", "2:8: target.name: a name is made of letters, digits, `-`, `_` and `.`"),
    ("[[target]]\nname = \"a\"\nurl = \"ftp://x\"", "3:7: target.url: a URL begins with http:// or https://"),
    ("[[target]]\nname = \"a\"\nurl = \"x\"", "3:7: target.url: this is no URL: relative URL without a base"),
    (
        "[[target]]\nname = \"a\"\nurl = \"http://x/{knd}\"",
        "3:7: target.url: this placeholder is not known: did you mean \"{kind}\"?",
    ),
    ("[[target]]\nname = \"a\"\nurl = \"http://x/{kind\"", "3:7: target.url: a `{` in the URL is not closed"),
    (
        "[[target]]\nname = \"a\"\nurl = \"http:/{path}\"",
        "3:7: target.url: `{path}` stands after host and port: \"http://127.0.0.1:3000{path}\"",
    ),
    (
        "[[target]]\nname = \"a\"\nurl = \"http://x\"\nguard = true",
        "4:9: target.guard: this is \"confirm\" or \"none\"",
    ),
    (
        "[[target]]\nname = \"a\"\nurl = \"http://x\"\n[[target]]\nname = \"a\"\nurl = \"http://y\"",
        "5:8: target.name: another one has this name already",
    ),
];

#[test]
fn every_fault_has_its_place_and_a_repair() {
    for (text, expected) in FAULTS {
        let told = load(text).unwrap_err();
        assert!(told.lines().any(|line| line == format!("hooktape.toml:{expected}")), "{text}: {told}");
    }
}

#[test]
fn all_faults_are_told_at_once_and_none_that_follows_from_another() {
    let text = r#"
        [listen]
        adress = "127.0.0.1:1"
        max_body = "much"
        trusted_proxies = ["127.0.0.1", "me", "you"]
        respond = { hold = "long", fault = "status=9" }
        [secrets]
        moveo = "swordfish"
        [[target]]
        name = "there"
        url = "nowhere"
        secret = "moveo"
        guard = true
        [[route]]
        path = "hooks"
        kind = "dialog"
        secret = "moveo"
        respond = { forward = "there" }
        [[reply]]
        name = "mine"
        status = 1
        headers = { a = "\n", "b c" = "d" }
        [[route]]
        path = "/mine"
        respond = { reply = "mine" }
        [screen]
        theme = "blue"
        colours = { good = "grass", bad = "fire" }
    "#;
    let told = load(text).unwrap_err();
    let places: Vec<&str> = told.lines().map(|line| line.split(": ").nth(1).unwrap()).collect();
    assert_eq!(
        places,
        [
            "listen.adress",
            "listen.max_body",
            "listen.trusted_proxies",
            "listen.trusted_proxies",
            "listen.respond.hold",
            "listen.respond.fault",
            "secrets.moveo",
            "target.url",
            "target.guard",
            "route.path",
            "route.kind",
            "reply.status",
            "reply.headers.\"b c\"",
            "screen.theme",
            "screen.colours.good",
            "screen.colours.bad",
        ],
        "{told}"
    );
}

#[test]
fn what_may_be_a_secret_is_never_repeated() {
    let target = "[[target]]\nname = \"a\"\nurl = \"http://x\"\n";
    for text in [
        "[secrets]\nmoveo = \"hunter2\"",
        "[secrets]\nmoveo = [\"env:A\", \"hunter2\"]",
        "[secrets]\nmoveo = \"env:hunter2+x/==\"",
        "[secrets]\nmoveo = \"env:2hunter2\"",
        "[secrets]\nmoveo = 1234567",
        "[[route]]\npath = \"/\"\nsecret = \"hunter2\"",
        &format!("{target}secret = \"hunter2\""),
        &format!("{target}headers.Authorization = \"Bearer hunter2\""),
    ] {
        let error = load(text).unwrap_err();
        assert!(error.contains("write \"env:MOVEO_TOKEN\", or in a file and write \"file:moveo.token\""), "{error}");
        assert!(!error.contains("hunter2") && !error.contains("1234567"), "{error}");
    }
    for text in [
        "[secrets]\nmoveo = hunter2",
        "[secrets]\nmoveo = \"hunter2",
        "[secrets]\nmoveo = 'hunter2' hunter2",
        "[secrets]\nmoveo = 2021-13-45hunter2",
        "[secrets]\nmoveo = \"\\hunter2\"",
        "[secrets]\nmoveo \"hunter2\"",
        "[secrets\nmoveo = \"hunter2\"",
        "[[target]]\nname = \"a\"\nurl = \"https://joe:hunter2@x\"",
        "[[target]]\nname = \"a\"\nurl = \"https://joe:hunter2@[x\"",
        "[[target]]\nname = \"a\"\nurl = \"https://x/{hunter2}\"",
        "[[target]]\nname = \"hunter2 \"",
    ] {
        let error = load(text).unwrap_err();
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[test]
fn syntax_errors_name_their_place() {
    assert_eq!(
        load("[listen]\naddress = 'x").unwrap_err(),
        "hooktape.toml:2:13: this is not TOML: invalid literal string, expected `'`"
    );
    assert_eq!(load("a = 1\na = 2").unwrap_err(), "hooktape.toml:2:1: this is not TOML: duplicate key");
}
