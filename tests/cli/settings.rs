//! Configuration, platforms and completions.

use std::fs;
use std::path::Path;

use crate::lane::{HOOKTAPE, Home, TOKEN};
use crate::support::{PUBLISHED, SAMPLE, run};

const CONFIG: &str = r#"
[listen]
address = "127.0.0.1:0"

[record]
path = "calls.jsonl"

[secrets]
moveo = "env:MOVEO_TOKEN"

[[route]]
path = "/hooks/*"
kind = "moveo/dialog"

[[target]]
name  = "staging"
url   = "http://127.0.0.1:1/{kind}"
guard = "confirm"
"#;

fn configured(text: &str) -> Home {
    let home = Home::new();
    fs::write(home.path("hooktape.toml"), text).unwrap();
    home
}

#[test]
fn config_check_says_what_it_amounts_to() {
    let home = configured(CONFIG);
    let checked = run(&home, &["config", "check"]);
    assert_eq!((checked.code, &*checked.err), (0, ""));
    let place = home.path("").display().to_string();
    insta::assert_snapshot!("config_check", checked.out.replace(&place, "HOME/"));

    let json = run(&home, &["config", "check", "--format", "json"]).json();
    assert_eq!(json[0]["listen"], "127.0.0.1:0");
    assert_eq!(json[0]["secrets"][0]["reference"], "env:MOVEO_TOKEN");
    assert_eq!(json[0]["routes"][0]["kind"], "moveo/dialog");
    assert_eq!(json[0]["targets"][0]["guard"], true);
    let endpoints: Vec<_> = json[0]["endpoints"].as_array().unwrap().iter().map(|place| &place["name"]).collect();
    assert!(endpoints.contains(&&"jelou".into()) && endpoints.len() == 10, "{endpoints:?}");
    assert_eq!(json[0]["problems"], serde_json::json!([]));
}

#[test]
fn config_check_shows_a_route_with_all_that_is_set_for_it() {
    let home = configured(
        "[[route]]\npath = \"/a\"\nrespond.forward = \"http://127.0.0.1:1\"\nfail_on_error = true\ntimeout = \"10s\"\n\
         [[route]]\npath = \"/b\"\n",
    );
    let checked = run(&home, &["config", "check"]).out;
    let whole = "route    /a (recognised), answered with: → http://127.0.0.1:1, a failure interrupts the conversation, the \
                 platform waits 10s\nroute    /b (recognised)\n";
    assert!(checked.contains(whole), "{checked}");
    let json = run(&home, &["config", "check", "--format", "json"]).json().remove(0);
    assert_eq!(json["routes"][0]["timeout_us"], 10_000_000);
    assert_eq!(json["routes"][0]["respond"], "→ http://127.0.0.1:1");
    assert_eq!((&json["routes"][0]["fail_on_error"], &json["routes"][1]["respond"]), (&true.into(), &().into()));
}

#[test]
fn config_check_needs_no_file() {
    let checked = run(&Home::new(), &["config", "check"]);
    assert_eq!((checked.code, &*checked.err), (0, ""));
    assert!(checked.out.contains("listen   127.0.0.1:4747\n"), "{}", checked.out);
}

#[test]
fn a_wrong_configuration_is_told_with_its_place() {
    for (text, said) in [
        ("[listen]\naddress = \"here\"\n", "hooktape.toml:2:11: listen.address: "),
        ("[listen]\nadress = \"127.0.0.1:0\"\n", "hooktape.toml:2:1: listen.adress: "),
        ("[secrets]\nmoveo = 7\n", "hooktape.toml:2:9: secrets.moveo: "),
        ("[[target]]\nname = \"a\"\nurl = \"ftp://x\"\n", "hooktape.toml:3:7: target.url: "),
        ("[listen\n", "hooktape.toml:1:"),
        ("[[route]]\npath = \"/a\"\nkind = \"moveo/dialgo\"\n", "did you mean \"moveo/dialog\"?"),
    ] {
        let home = configured(text);
        for command in [&["config", "check"][..], &["show", SAMPLE], &["listen"], &[]] {
            let ended = run(&home, command);
            assert_eq!((ended.code, &*ended.out), (2, ""), "{text}");
            assert!(ended.err.contains(said), "{text}: {}", ended.err);
        }
    }
    let home = configured("[listen]\nadress = \"here\"\nmax_body = \"much\"\n[[route]]\npath = \"a\"\n");
    let told = run(&home, &["config", "check"]).err;
    assert_eq!(told.matches("hooktape.toml:").count(), 3, "all at once: {told}");
    let home = configured(
        "[keys]\nreplay = \"e\"\nfly = \"x\"\n[queries]\na = \"sig:\"\n[[route]]\npath = \"/\"\nkind = \"a/b\"\n",
    );
    let told = run(&home, &["config", "check"]).err;
    assert_eq!(told.matches("hooktape.toml").count(), 4, "all at once: {told}");
    let missing = run(&Home::new(), &["config", "check", "--config", "other.toml"]);
    assert_eq!(missing.code, 2);
    assert!(missing.err.contains("other.toml: cannot be read"), "{}", missing.err);
}

#[test]
fn what_would_do_nothing_is_told_with_its_place_and_the_repair() {
    let text = r#"
[secrets]
moveoo = "env:MOVEO_TOKEN"
"moveo/webhok" = "env:PUBLISHED"
"moveo/other" = "env:UNSET"
mine = "file:of-route"

[listen]
respond.reply = [{ when = { kind = "moveo/dialgo" } }, {}]

[[target]]
name = "staging"
url = "http://127.0.0.1:1/"
secret = "env:UNSET"          # the same reference is another's: nobody names "moveo/other"
urls = { "moveo/dialgo" = "http://127.0.0.1:2/", moveo = "http://127.0.0.1:3/", jelu = "http://127.0.0.1:4/" }

[[route]]
path = "/a"
secret = "mine"
respond.reply = { cases = [{ when = { kind = "moveo/dialgo" } }] }

[[route]]
path = "/b"
"#;
    let told = run(&configured(text), &["config", "check"]);
    let lines: Vec<&str> = told.err.lines().collect();
    assert_eq!((told.code, lines.len()), (2, 7), "{}", told.err);
    for said in [
        "hooktape.toml: secrets: nothing is signed by \"moveoo\", and no route or target uses it: did you mean \"moveo\"?",
        "secrets: nothing is signed by \"moveo/webhok\", and no route or target uses it: did you mean \"moveo/webhook\"?",
        "secrets: nothing is signed by \"moveo/other\", and no route or target uses it: known are \"moveo/webhook\", \"moveo/webview\"",
        "hooktape.toml: route /a: no platform has a kind \"moveo/dialgo\": did you mean \"moveo/dialog\"?",
        "hooktape.toml: listen.respond: no platform has a kind \"moveo/dialgo\": did you mean \"moveo/dialog\"?",
        "hooktape.toml: target staging: urls: no platform or kind is called \"moveo/dialgo\": did you mean \"moveo/dialog\"?",
        "hooktape.toml: target staging: urls: no platform or kind is called \"jelu\": did you mean \"jelou\"?",
    ] {
        assert!(lines.iter().any(|line| line.ends_with(said)), "{said}: {}", told.err);
    }
    let flag = run(&Home::new(), &["config", "check", "--secret", "moveoo=env:MOVEO_TOKEN"]);
    assert!(
        flag.code == 2 && flag.err.starts_with("hooktape: --secret: nothing is signed by \"moveoo\""),
        "{}",
        flag.err
    );
}

#[test]
fn a_target_for_the_terminal_program_is_refused_where_there_is_no_terminal() {
    let ended = run(&Home::new(), &["--to", "http://127.0.0.1:1", "--listen", "127.0.0.1:0"]);
    assert!(ended.code == 2 && ended.err.contains("standard output is no terminal: leave it out"), "{}", ended.err);
}

#[test]
fn config_check_reads_the_environment_as_a_start_does() {
    let home = configured(CONFIG);
    for form in ["text", "json"] {
        let mut command = home.command(HOOKTAPE, &["config", "check", "--format", form]);
        command.env("HOOKTAPE_LISTEN", "0.0.0.0:4999").env("HOOKTAPE_RECORD", "other.jsonl");
        let ended = command.output().unwrap();
        let (out, err) = (String::from_utf8(ended.stdout).unwrap(), String::from_utf8(ended.stderr).unwrap());
        assert!(ended.status.success() && out.contains("0.0.0.0:4999") && out.contains("other.jsonl"), "{out}{err}");
        assert!(format!("{out}{err}").contains("can be reached"), "it is told who reaches that: {out}{err}");
    }
}

#[test]
fn a_variable_is_named_where_it_is_wrong_and_counts_only_where_it_is_used() {
    let home = Home::new();
    let with = |name: &str, value: &str, args: &[&str]| {
        let ended = home.command(HOOKTAPE, args).env(name, value).output().unwrap();
        (ended.status.code(), String::from_utf8(ended.stderr).unwrap())
    };
    for args in [&["listen"][..], &[], &["config", "check"]] {
        let (code, told) = with("HOOKTAPE_LISTEN", "4747", args);
        assert!(
            code == Some(2) && told.contains("the variable HOOKTAPE_LISTEN stands for '--listen <ADDR>': "),
            "{told}"
        );
        let (code, told) = with("HOOKTAPE_RECORD", "", args);
        let said = "the variable HOOKTAPE_RECORD stands for '--record <PATH>': it is empty; set it right, or unset it";
        assert!(code == Some(2) && told.contains(said), "{told}");
    }
    for (name, value) in [("HOOKTAPE_LISTEN", "4747"), ("HOOKTAPE_RECORD", "")] {
        assert_eq!(with(name, value, &["show", SAMPLE]), (Some(0), String::new()));
        let (_, told) = with(name, value, &["listen", "--listen", "x"]);
        assert!(told.contains("invalid value 'x' for '--listen <ADDR>'") && !told.contains("variable"), "{told}");
    }
}

#[test]
fn a_secret_itself_is_refused_and_not_repeated() {
    let home = Home::new();
    let flag = run(&home, &["show", SAMPLE, "--secret", &format!("moveo={TOKEN}")]);
    assert_eq!((flag.code, &*flag.out), (2, ""));
    assert!(flag.err.contains("--secret") && flag.err.contains("env:MOVEO_TOKEN"), "{}", flag.err);
    let bare = run(&home, &["show", SAMPLE, "--secret", TOKEN]);
    assert_eq!((bare.code, &*bare.out), (2, ""));
    let home = configured(&format!("[secrets]\nmoveo = \"{TOKEN}\"\n"));
    let file = run(&home, &["config", "check"]);
    assert_eq!((file.code, &*file.out), (2, ""));
    assert!(file.err.contains("hooktape.toml:2:9: secrets.moveo: a secret is never written here"), "{}", file.err);
}

#[test]
fn a_secret_that_is_not_there_is_trouble_in_a_flag_and_a_problem_in_a_file() {
    let flag = run(&Home::new(), &["show", SAMPLE, "--secret", "moveo=env:UNSET"]);
    assert_eq!((flag.code, &*flag.out), (2, ""));
    assert_eq!(flag.err, "hooktape: --secret moveo=env:UNSET: the variable UNSET is not set\n");

    let home = configured("[secrets]\nmoveo = \"env:UNSET\"\n");
    let checked = run(&home, &["config", "check"]);
    assert_eq!((checked.code, &*checked.err), (1, "problem: secrets.moveo: the variable UNSET is not set\n"));
    let json = run(&home, &["config", "check", "--format", "json"]);
    assert_eq!((json.code, &json.json()[0]["secrets"][0]["readable"]), (1, &false.into()));
    assert_eq!(run(&home, &["show", SAMPLE]).code, 0);
    // What the command line names takes the place of what the file names.
    let again = run(&home, &[&["verify", SAMPLE, "--query", "sig:valid"][..], &PUBLISHED].concat());
    assert_eq!(again.code, 0, "{}", again.err);
}

#[test]
fn platforms_are_listed_and_described() {
    let home = Home::new();
    let all = run(&home, &["platforms"]);
    assert_eq!(all.code, 0);
    for kind in ["dialog", "first_message", "pre_message", "post_message", "auth_pre_enter", "auth_validation"] {
        assert!(all.out.lines().any(|line| line.split(' ').next() == Some(&format!("moveo/{kind}"))), "{kind}");
    }
    let one = run(&home, &["platforms", "moveo/dialog"]).out;
    assert!(one.starts_with("moveo/dialog · ") && one.contains("\n  signed     HMAC-SHA256"), "{one}");
    let json = run(&home, &["platforms", "moveo", "--format", "json"]).json();
    assert!(json.len() >= 7 && json[0]["platform"] == "moveo");
    assert!(json[1..].iter().all(|kind| kind["kind"].as_str().unwrap().starts_with("moveo/")));
    let unknown = run(&home, &["platforms", "moevo"]);
    assert_eq!((unknown.code, &*unknown.out), (2, ""));
    assert!(unknown.err.contains("did you mean \"moveo\"?"), "{}", unknown.err);
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

#[test]
fn platforms_check_passes_a_good_pack_and_names_what_is_wrong_with_another() {
    let home = configured("this is no configuration, and none is needed\n");
    let pack = home.path("moveo");
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/platforms/moveo"), &pack);
    let good = run(&home, &["platforms", "check", "moveo"]);
    assert_eq!((good.code, &*good.out), (0, "moveo is fine\n"), "{}", good.err);

    fs::write(pack.join("samples/dialog.json"), "{\"channel\": 7}").unwrap();
    let bad = run(&home, &["platforms", "check", "moveo"]);
    assert_eq!(bad.code, 1);
    assert!(bad.out.contains("moveo/dialog"), "{}", bad.out);
    let json = run(&home, &["platforms", "check", "moveo", "--format", "json"]);
    assert!(json.code == 1 && json.json().iter().all(|problem| problem["message"].is_string()));

    let none = run(&home, &["platforms", "check", "nowhere"]);
    assert_eq!(none.code, 1);
    assert!(none.out.contains("nowhere"), "{}", none.out);
}

#[test]
fn completions_work_whatever_the_configuration_says() {
    let home = configured("this is no configuration\n");
    for (shell, holds) in
        [("bash", "complete -F _hooktape"), ("zsh", "#compdef hooktape"), ("fish", "complete -c hooktape")]
    {
        let script = run(&home, &["completions", shell]);
        assert_eq!(script.code, 0, "{}", script.err);
        assert!(script.out.contains(holds) && script.out.contains("--stop-on-failure") || shell == "fish", "{shell}");
    }
}
