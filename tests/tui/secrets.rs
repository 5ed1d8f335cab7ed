//! No secret is on a screen, on the clipboard, or in what the screen leaves on the disk.

use hooktape::config::{Config, Secret, Target};
use hooktape::signature::keys;

use crate::leaks::{Needle, files_in, none_in};
use crate::support::Stage;

/// Keys, and what they bring to the screen or the clipboard.
const SCRIPTS: [(&str, &str); 39] = [
    ("g1<enter>z", "moveo/dialog"),
    ("g2<enter>z", "session_id"),
    ("g3<enter>z", "x-moveo-signature"),
    ("g4<enter>z", "is malformed"),
    ("gj4<enter>z", "env:SIGNING"),
    ("Dgjjj4<enter>z", "signed with env:SIGNING"),
    ("g5<enter>z", "200"),
    ("g6<enter>z", "Conversation"),
    ("*g3<enter>z", "[redacted]"),
    ("t", "Test call"),
    ("t<enter>", "left signed    ✓ valid"),
    ("Tj<enter>t<enter>", "200"),
    ("gr", "nothing listens"),
    ("grgr<enter>", "ERR"),
    ("f", "Fixtures"),
    ("gefone<enter><esc>f", "one"),
    ("w", "Open a page"),
    ("w<enter>", "moveo"),
    ("w<enter><enter>y", "http"),
    ("a", "What answers"),
    ("grL", "nothing listens"),
    ("V", "variable"),
    ("g2<enter>|.<enter>", "session_id"),
    ("ge", "session_id"),
    ("ge<esc>s", "✓ valid"),
    ("gE", "session_id"),
    ("gR", "Replay"),
    ("gR<enter>", "fine"),
    ("gmjmc", "differ"),
    ("Z", "took"),
    ("g;a remark<enter>", "a remark"),
    ("Dx<enter>", "exported"),
    ("gyb", "session_id"),
    ("gyh", "x-moveo-signature"),
    ("gyc", "curl"),
    ("gya", "context"),
    ("gyp", "session_id"),
    ("gym", "moveo/dialog"),
    ("X", "the flow waits for"),
];

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
    let mut unseen = Vec::new();
    for (number, (script, shown)) in SCRIPTS.into_iter().enumerate() {
        let there =
            Target { secrets: vec![Secret::new("env:THERE", OF_TARGET)], ..Target::new("there", "http://127.0.0.1:9") };
        let config = Config { targets: vec![there], ..Config::default() };
        let mut stage = Stage { config, data: Some(data.clone()), ..Stage::size(160, 45) };
        let secrets = &mut stage.secrets.0;
        secrets.insert("moveo".to_owned(), vec![Secret::new("env:SIGNING", SIGNING)]);
        secrets.insert("moveo/webview".to_owned(), vec![Secret::new("file:private.pem", private.clone())]);
        let tape = folder.path().join(format!("{number}.jsonl"));
        // Signed with others' secrets; what is signed with these is played or sent by the scripts.
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
        let copied = ended.copied.join("\n");
        none_in(&needles, ended.screen.as_bytes(), &format!("the screen of {script:?}"));
        none_in(&needles, copied.as_bytes(), &format!("the clipboard of {script:?}"));
        for path in files_in(ended.folder.path()) {
            none_in(&needles, &std::fs::read(&path).unwrap(), &path.display().to_string());
        }
        if !ended.screen.contains(shown) && !copied.contains(shown) {
            unseen.push(format!("{script:?} never showed {shown:?}:\n{}{copied}", ended.screen));
        }
    }
    assert!(unseen.is_empty(), "{}", unseen.join("\n"));
    for path in files_in(folder.path()) {
        none_in(&needles, &std::fs::read(&path).unwrap(), &path.display().to_string());
    }
}

#[tokio::test]
async fn a_token_that_came_by_the_wire_is_masked_on_the_screen() {
    const IN_QUERY: &str = "rasa-token-vU3kq9ZxT2aB";
    const IN_HEADER: &str = "telegram-token-8sLm4Wq0cD";
    let needles = [Needle::new("Rasa's", IN_QUERY), Needle::new("Telegram's", IN_HEADER)];
    let folder = tempfile::tempdir().unwrap();
    let mut plain = 0;
    for (number, script) in
        ["g1<enter>z", "g4<enter>z", "gj3<enter>z", "gj4<enter>z", "gmjmc", "gr", "gE"].into_iter().enumerate()
    {
        for mask in ["*", ""] {
            let mut stage = Stage::size(160, 45);
            stage.secrets.0.insert("rasa".to_owned(), vec![Secret::new("env:RASA", IN_QUERY)]);
            stage.secrets.0.insert("telegram".to_owned(), vec![Secret::new("env:TELEGRAM", IN_HEADER)]);
            let call = |base: String| async move {
                let client = reqwest::Client::new();
                let body = include_str!("../../assets/platforms/rasa/samples/action.json");
                client.post(format!("{base}/rasa?token={IN_QUERY}")).body(body).send().await.unwrap();
                let body = include_str!("../../assets/platforms/telegram/samples/update.json");
                let post = client.post(format!("{base}/telegram")).header("x-telegram-bot-api-secret-token", IN_HEADER);
                post.body(body).send().await.unwrap();
            };
            let tape = folder.path().join(format!("{number}{}.jsonl", mask.len()));
            let ended = Box::pin(stage.listen(&tape, &format!("{mask}{script}"), call)).await;
            if mask.is_empty() {
                plain += usize::from(ended.screen.contains(IN_QUERY) || ended.screen.contains(IN_HEADER));
            } else {
                none_in(&needles, ended.screen.as_bytes(), &format!("the masked screen of {script:?}"));
            }
        }
    }
    assert!(plain > 2, "{plain} of the same screens show one without the mask");
}

#[tokio::test]
async fn a_secret_of_a_path_is_masked_wherever_the_path_stands() {
    const IN_PATH: &str = "vU3kq9ZxT2aB8sLm4Wq0cD1e";
    let needles = [Needle::new("the webhook's", IN_PATH)];
    let folder = tempfile::tempdir().unwrap();
    let address = format!("https://hooks.example/services/T0AAAAAAA/B0AAAAAAA/{IN_PATH}");
    let typed = format!("Tj<enter>{address}<enter>");
    let scripts = ["gZ", "g1<enter>z", "gR<enter>", "grt", &typed];
    let mut shown = Vec::new();
    for (number, script) in scripts.into_iter().enumerate() {
        for mask in ["*", ""] {
            let call = |base: String| async move {
                let client = reqwest::Client::new();
                let place = format!("{base}/services/T0AAAAAAA/B0AAAAAAA/{IN_PATH}");
                client.post(place).body("{}").send().await.unwrap();
            };
            let tape = folder.path().join(format!("{number}{}.jsonl", mask.len()));
            let ended = Box::pin(Stage::size(220, 45).listen(&tape, &format!("{mask}{script}"), call)).await;
            if mask.is_empty() {
                shown.push((script, ended.screen.contains(&IN_PATH[..8])));
            } else {
                none_in(&needles, ended.screen.as_bytes(), &format!("the masked screen of {script:?}"));
            }
        }
    }
    assert!(shown.iter().all(|(_, shown)| *shown), "the same screens show it without the mask: {shown:?}");
}
