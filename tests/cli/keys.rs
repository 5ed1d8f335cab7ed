//! `keys new` and `keys jwt`: a pair that a page signs with, and a token that the listener takes.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::lane::Home;
use crate::support::run;

fn with_keys() -> Home {
    let home = Home::new();
    assert_eq!(run(&home, &["keys", "new"]).code, 0);
    home
}

#[test]
fn a_new_pair_lies_where_it_says_and_only_its_owner_reads_the_private_half() {
    let home = Home::new();
    let made = run(&home, &["keys", "new", "--dir", "my keys"]);
    assert_eq!((made.code, &*made.err), (0, ""));
    let read = |name: &str| fs::read_to_string(home.path("my keys").join(name)).unwrap();
    let rights = |name: &str| home.path("my keys").join(name).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((rights("private.pem"), rights("private.env")), (0o600, 0o600));
    let private = read("private.pem");
    assert!(private.starts_with("-----BEGIN PRIVATE KEY-----\n"));
    assert_eq!(read("private.env"), format!("PRIVATE_RSA_KEY={}\n", STANDARD.encode(&private)));
    assert!(made.out.contains(&read("public.pem")), "{}", made.out);
    assert!(made.out.contains("YOUR PUBLIC KEY"), "{}", made.out);
    assert!(made.out.contains("next: hooktape --secret moveo/webview='file:my keys/private.pem'"), "{}", made.out);
    assert!(!made.out.contains(private.lines().nth(1).unwrap()), "the private key is not printed");
}

#[test]
fn a_pair_is_never_overwritten() {
    let home = Home::new();
    for file in ["private.pem", "private.env", "public.pem"] {
        let dir = home.path(file.trim_end_matches(".pem"));
        fs::create_dir(&dir).unwrap();
        fs::write(dir.join(file), "mine").unwrap();
        let refused = run(&home, &["keys", "new", "--dir", dir.to_str().unwrap()]);
        assert_eq!((refused.code, &*refused.out), (2, ""));
        assert!(refused.err.contains(file) && refused.err.contains("--dir"), "{}", refused.err);
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 1);
        assert_eq!(fs::read_to_string(dir.join(file)).unwrap(), "mine");
    }
}

#[test]
fn a_pair_can_be_printed_instead() {
    let home = Home::new();
    let text = run(&home, &["keys", "new", "--print"]);
    for part in ["BEGIN PRIVATE KEY", "\nPRIVATE_RSA_KEY=LS0tLS1CRUdJTi", "BEGIN PUBLIC KEY"] {
        assert!(text.out.contains(part), "{}", text.out);
    }
    let json = run(&home, &["keys", "new", "--print", "--format", "json"]).json().remove(0);
    let decoded = STANDARD.decode(json["private_key_base64"].as_str().unwrap()).unwrap();
    assert_eq!(String::from_utf8(decoded).unwrap(), json["private_key"]);
    assert!(!home.path("keys").exists());
    let made = run(&home, &["keys", "new", "--format", "json"]).json().remove(0);
    assert_eq!((&made["private"], &made["public"]), (&json!("keys/private.pem"), &json!("keys/public.pem")));
    assert_eq!(made["flags"], json!(["--secret moveo/webview=file:keys/private.pem"]));
    assert!(made.get("private_key").is_none());
}

#[test]
fn a_token_is_what_the_listener_takes() {
    let home = with_keys();
    let minted = run(&home, &["keys", "jwt", "--key", "file:keys/private.pem", "--claim", "sub=1234567890123456"]);
    assert_eq!((minted.code, minted.out.lines().count()), (0, 1), "{}", minted.err);
    let public = fs::read_to_string(home.path("keys/public.pem")).unwrap();
    for part in ["\"1234567890123456\"", "\"www.webviews.moveo.ai\"", "expires ", " 4000 ms ", public.trim_end()] {
        assert!(minted.err.contains(part), "{part}: {}", minted.err);
    }
    assert!(!minted.err.contains("not be taken"), "{}", minted.err);

    let mut listener = home.listen(&["--secret", "moveo/webview=file:keys/public.pem", "--format", "json"]);
    let fields = format!(
        "Authorization: Bearer {}\r\nX-Moveo-Session-Id: s-1\r\nContent-Type: application/json\r\n",
        run(&home, &["keys", "jwt", "--key", "file:keys/private.pem", "--claim", "sub=u", "--lifetime", "60000"])
            .out
            .trim()
    );
    assert_eq!(listener.call().post("/v1/webview/i-1", &fields, br#"{"trigger_node_id":"n"}"#).unwrap().0, 200);
    let ended = listener.end("TERM");
    assert!(ended.out.contains("\"sig\":\"valid\""), "{}", ended.out);
}

#[test]
fn a_token_says_what_it_is_told_to() {
    let home = with_keys();
    let args = ["keys", "jwt", "--secret", "moveo/webview=file:keys/private.pem", "--format", "json"];
    let claims = ["--claim", "sub=7", "--claim", "admin=true", "--claim", "iss=me", "--lifetime", "90s"];
    let json = run(&home, &[&args[..], &claims].concat()).json().remove(0);
    let claim = |name: &str| json["claims"][name].clone();
    assert_eq!((claim("sub"), claim("admin"), claim("iss")), (json!("7"), json!(true), json!("me")));
    assert_eq!(claim("exp").as_i64().unwrap() - claim("iat").as_i64().unwrap(), 90);
    assert_eq!(json["value"], format!("Bearer {}", json["token"].as_str().unwrap()));
    assert_eq!(json["sig"], "invalid", "the issuer is not one that the platform takes");
    assert!(json["reason"].as_str().unwrap().contains("issuer"));
}

#[test]
fn a_token_that_cannot_be_made_says_why() {
    let home = with_keys();
    let literal = fs::read_to_string(home.path("keys/private.env")).unwrap();
    let key = "file:keys/private.pem";
    for (args, said) in [
        (&["--key", key][..], "needs `sub`: say it with --claim sub="),
        (&["--key", key, "--claim", "sub="], "needs `sub`"),
        (&["--key", key, "--claim", "sub"], "is not of the form NAME=VALUE"),
        (&["--key", key, "--claim", "sub=u", "--claim", "exp=1"], "--lifetime says how long"),
        (&["--key", key, "--claim", "sub=u", "--lifetime", "999"], "has expired when it is made"),
        (&["--key", key, "--claim", "sub=u", "--lifetime", "soon"], "a duration is written"),
        (&["--key", key, "--claim", "sub=u", "--scheme", "moveo/webviw"], "did you mean \"moveo/webview\"?"),
        (&["--key", "file:keys/public.pem", "--claim", "sub=u"], "file:keys/public.pem: it is a public key"),
        (&["--key", "file:none.pem", "--claim", "sub=u"], "the file none.pem cannot be read"),
        (&["--key", "env:MOVEO_TOKEN", "--claim", "sub=u"], "env:MOVEO_TOKEN: it is neither PEM"),
        (&["--claim", "sub=u"], "`hooktape keys new` makes one"),
        (&["--key", literal.trim(), "--claim", "sub=u"], "--key: a secret is never written here"),
    ] {
        let refused = run(&home, &[&["keys", "jwt"], args].concat());
        assert_eq!((refused.code, &*refused.out), (2, ""), "{args:?}");
        assert!(refused.err.contains(said), "{args:?}: {}", refused.err);
        assert!(!refused.err.contains(&literal[20..60]), "the key is not repeated");
    }
}
