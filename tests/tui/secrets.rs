//! No secret is on a screen, on the clipboard, or in what the screen leaves on the disk.

use hooktape::config::{Config, Secret, Target};
use hooktape::signature::keys;

use crate::leaks::{Needle, files_in, none_in};
use crate::support::Stage;

#[tokio::test]
async fn no_secret_is_on_a_screen_or_on_the_clipboard() {
    const SIGNING: &str = "signing-secret-vU3kq9ZxT2";
    const OF_TARGET: &str = "of-the-target-e1Gf6Ka9Jt3X";
    let private = keys::new_rsa().unwrap().private_pem;
    let texts = [("the signing secret", SIGNING), ("the target's", OF_TARGET), ("the private key", &*private)];
    let needles: Vec<Needle> = texts.into_iter().map(|(name, text)| Needle::new(name, text)).collect();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let mut copied = 0;
    let scripts = "1 2 3 G4<enter>z Gk4<enter>z Gkk4<enter>z 5 6 t t<enter> f w a L V D | e E gr gr<enter> gR ge-s \
                   Gkyb Gkyh Gkyc Gkya Gkyp";
    for (number, script) in scripts.split_whitespace().enumerate() {
        let there =
            Target { secrets: vec![Secret::new("env:THERE", OF_TARGET)], ..Target::new("there", "http://127.0.0.1:9") };
        let config = Config { targets: vec![there], ..Config::default() };
        let mut stage = Stage { config, data: Some(data.clone()), ..Stage::size(160, 45) };
        let secrets = &mut stage.secrets.0;
        secrets.insert("moveo".to_owned(), vec![Secret::new("env:SIGNING", SIGNING)]);
        secrets.insert("moveo/webview".to_owned(), vec![Secret::new("file:private.pem", private.clone())]);
        let tape = folder.path().join(format!("{number}.jsonl"));
        // The demo's calls, signed with these.
        let call = |base: String| async move {
            let client = reqwest::Client::new();
            for signature in ["00", "7b2e526f80d3ad094ee0a2ccc2501afdab7044f89839f9fcba9466d15a967774"] {
                let body = include_str!("../../assets/platforms/moveo/samples/dialog.json");
                let sent =
                    client.post(format!("{base}/hooks")).header("x-moveo-signature", signature).body(body).send();
                sent.await.unwrap();
            }
            let page = "integration_id=i&session_id=s&user_id=u&trigger_node_id=t&channel=web";
            client.get(format!("{base}/?{page}")).send().await.unwrap();
        };
        let ended = Box::pin(stage.listen(&tape, script, call)).await;
        none_in(&needles, ended.screen.as_bytes(), &format!("the screen of {script:?}"));
        none_in(&needles, ended.copied.join("\n").as_bytes(), &format!("the clipboard of {script:?}"));
        copied += ended.copied.len();
    }
    assert!(copied > 3, "{copied}");
    for path in files_in(folder.path()) {
        none_in(&needles, &std::fs::read(&path).unwrap(), &path.display().to_string());
    }
}
