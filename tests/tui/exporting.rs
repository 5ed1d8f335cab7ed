//! Calls exported from the screen, through the real loop: what is asked, the file that comes of it, and what leaves none.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::leaks::{Needle, none_in};
use crate::recorded::calls_in;
use crate::support::{Ended, SIZES, Stage, drawn, long, repository};
use hooktape::app::event::Event;
use hooktape::app::exporting::Progress;
use hooktape::app::keys;
use hooktape::config::Secret;
use hooktape::recording::export::Format;
use hooktape::recording::import;
use insta::{assert_snapshot, with_settings};
use jiff::Timestamp;

async fn opened(script: &str) -> Ended {
    Stage::size(100, 24).open(&repository("recordings/moveo.jsonl"), script).await
}

/// The one file in a folder.
fn only(folder: &Path) -> PathBuf {
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files.remove(0)
}

fn count(folder: &Path) -> usize {
    fs::read_dir(folder).unwrap().count()
}

#[tokio::test]
async fn the_dialog_at_three_sizes() {
    for (name, keys) in [
        ("one", "g<enter>x"),
        ("marked", "gmjmx"),
        ("filtered", "/sig:invalid<enter>xjljlj"),
        ("typing", "xe"),
        ("error", "xe<ctrl-a>none/<enter><enter>"),
        ("taken", "xe<ctrl-a><ctrl-k>x.har<enter><enter>xe<ctrl-a><ctrl-k>x.har<enter><enter>"),
        ("done", "xe<ctrl-a><ctrl-k>x.har<enter><enter>"),
        ("help", "x?"),
    ] {
        for (width, height) in SIZES {
            let folder = tempfile::tempdir_in("/tmp").unwrap();
            let recording = folder.path().join("moveo.jsonl");
            fs::copy(repository("recordings/moveo.jsonl"), &recording).unwrap();
            let screen = Box::pin(Stage::size(width, height).open(&recording, keys)).await.screen;
            let filters = vec![
                (r"hooktape-\d{8}-\d{6}", "hooktape-20261122-101500"),
                (r"…(\w*)-\d{8}-\d{6}", "…${1}-20261122-101500"),
                ("/tmp/[^/]{10}/", "/tmp/somewhere/"),
            ];
            with_settings!({ filters => filters }, {
                assert_snapshot!(format!("export_{name}_{width}x{height}"), screen);
            });
        }
    }
}

#[tokio::test]
async fn each_form_is_written_for_its_owner_and_read_back() {
    for (number, form) in Format::ALL.into_iter().enumerate() {
        let ended = opened(&format!("xj{}jl<enter>", "l".repeat(number))).await;
        let path = only(ended.folder.path());
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(name.starts_with("hooktape-2") && name.ends_with(&format!(".{}", form.extension())), "{name}");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let text = fs::read(&path).unwrap();
        let told = &ended.app.notice.as_ref().unwrap().text;
        assert!(told.contains("exported 7 calls to hooktape-2") && told.contains("KiB, not masked"), "{told}");
        match form {
            Format::Markdown | Format::Html => assert!(String::from_utf8_lossy(&text).contains("moveo/dialog")),
            form => {
                let calls = import::calls(&text, form, Timestamp::now()).unwrap().calls;
                let calls: Vec<_> = calls.into_iter().map(|call| call.request.body).collect();
                let recorded = calls_in(repository("recordings/moveo.jsonl"));
                let bodies: Vec<_> = recorded.into_iter().map(|call| call.request.body).collect();
                assert_eq!(calls, bodies, "{form}");
            }
        }
    }
}

#[tokio::test]
async fn progress_at_three_sizes() {
    for (width, height) in SIZES {
        let mut app = Stage::size(width, height).open(&repository("recordings/moveo.jsonl"), "").await.app;
        for key in keys::script("xe<ctrl-a><ctrl-k>x.har<enter><enter>").unwrap() {
            app.update(Event::Key(key), Timestamp::now());
        }
        let ticket = app.export.as_ref().unwrap().ticket;
        app.update(Event::Exported { ticket, progress: Progress::Written(3) }, Timestamp::now());
        let mut draw = |name, keys: &str| {
            for key in keys::script(keys).unwrap() {
                app.update(Event::Key(key), Timestamp::now());
            }
            assert_snapshot!(format!("export_{name}_{width}x{height}"), drawn(&mut app, (width, height)));
        };
        draw("progress", "");
        draw("meanwhile", "<enter>k");
        draw("ending", "x<esc>");
    }
}

#[tokio::test]
async fn what_the_filter_shows_and_what_is_marked_is_written() {
    let calls = |ended: &Ended| {
        let text = fs::read(only(ended.folder.path())).unwrap();
        import::calls(&text, Format::Har, Timestamp::now()).unwrap().calls
    };
    let ended = opened("/kind:dialog<enter>x<enter>").await;
    assert_eq!(calls(&ended).len(), ended.app.calls.len());
    assert!(ended.app.calls.len() < 7, "{}", ended.screen);
    let folder = tempfile::tempdir().unwrap();
    let recording = folder.path().join("moveo.jsonl");
    fs::copy(repository("recordings/moveo.jsonl"), &recording).unwrap();
    let ended = Stage::size(80, 24).open(&recording, "gmjmx<enter>").await;
    assert_eq!(calls(&ended).len(), 2);
    let ended = Stage::size(80, 24).open(&recording, "gdxll<enter>").await;
    assert_eq!(calls(&ended).len(), 1, "of the whole recording, the deleted one is none");
}

#[tokio::test]
async fn while_calls_come_what_is_there_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let ended = Stage::size(80, 24).listen(&folder.path().join("tape.jsonl"), "Dxjlllk<enter>", |_| async {}).await;
    let text = fs::read_to_string(only(ended.folder.path())).unwrap();
    assert_eq!(text.lines().filter(|line| line.contains("\"request\"")).count(), ended.app.calls.total, "{text}");
}

#[tokio::test]
async fn a_cancelled_export_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let recording = long(folder.path(), 1000);
    let ended = Stage::size(80, 24).open(&recording, "x<enter><now esc>").await;
    assert_eq!(count(ended.folder.path()), 0);
    assert!(ended.app.export.is_none() && ended.screen.contains("export cancelled"), "{}", ended.screen);
}

#[test]
fn who_leaves_the_program_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let recording = long(folder.path(), 1000);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let ended = runtime.block_on(Box::pin(Stage::size(80, 24).open(&recording, "x<enter><now ctrl-c>")));
    assert!(ended.app.export.is_some(), "it was under way");
    // Waits for what it has under way, as the program does.
    drop(runtime);
    assert_eq!(count(ended.folder.path()), 0);
}

#[tokio::test]
async fn keys_go_on_meanwhile_and_a_newer_export_is_not_begun_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let recording = long(folder.path(), 20);
    let ended = Stage::size(100, 24).open(&recording, "x<enter><now enter><now g><now x><now enter>?<esc>").await;
    assert_eq!(ended.app.calls.selected(), Some(0), "{}", ended.screen);
    assert!(ended.app.log.iter().any(|(_, told)| told.text.contains("exported 140 calls")), "{:?}", ended.app.log);
    assert_eq!(count(ended.folder.path()), 1);
}

#[tokio::test]
async fn a_file_that_is_there_is_replaced_only_after_a_yes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.har");
    let export = |answer: &str| format!("xe<ctrl-a><ctrl-k>{}<enter><enter>{answer}", path.display());
    for (answer, replaced) in [("n", false), ("<esc>", false), ("y", true)] {
        fs::write(&path, "mine").unwrap();
        let ended = opened(&export(answer)).await;
        assert_eq!(fs::read_to_string(&path).unwrap() != "mine", replaced, "{answer}: {}", ended.screen);
        assert_eq!((count(folder.path()), ended.app.dialogs.is_empty()), (1, replaced), "{}", ended.screen);
    }
}

#[tokio::test]
async fn a_place_that_cannot_be_written_is_told_with_the_repair() {
    let folder = tempfile::tempdir().unwrap();
    let recording = folder.path().join("moveo.jsonl");
    fs::copy(repository("recordings/moveo.jsonl"), &recording).unwrap();
    let shown = recording.display().to_string();
    let folder = folder.path().display().to_string();
    // Not even the administrator may write in the one, and nobody in the other.
    let denied = if Path::new("/sys").is_dir() { "/sys" } else { "/" };
    for (file, said) in [
        (format!("{folder}/none/x.har"), "make it, or choose another"),
        (format!("{denied}/x.har"), "cannot be written to: choose another directory"),
        (format!("{folder}/"), "is no file: name one, say one in it"),
        (shown.clone(), "that is the recording on this screen: name another file"),
    ] {
        let ended = Stage::size(160, 24).open(&recording, &format!("xe<ctrl-a><ctrl-k>{file}<enter><enter>")).await;
        assert!(ended.screen.matches(said).count() >= 2, "in the dialog and below: {}", ended.screen);
        assert!(ended.app.log.iter().any(|(_, told)| told.text.contains(said)));
        let ended = Stage::size(160, 24)
            .open(&recording, &format!("xe<ctrl-a><ctrl-k>{file}<enter><enter>e<ctrl-a><ctrl-k>y.har<enter><enter>"))
            .await;
        assert_eq!(count(ended.folder.path()), 1, "mended there: {}", ended.screen);
    }
    assert_eq!(count(Path::new(&folder)), 1);
}

#[tokio::test]
async fn no_secret_gets_out_unless_that_is_asked_for() {
    const SIGNING: &str = "signing-secret-vU3kq9ZxT2";
    const BEARER: &str = "bearer-token-8Jq2Lm5Xw0";
    const PASSWORD: &str = "pass-word-Zk4Hn7Qd1s";
    let needle = |(name, text): (&'static str, &str)| Needle::new(name, text);
    let ours = [needle(("the signing secret", SIGNING))];
    let theirs = [("the token", BEARER), ("the password", PASSWORD)].map(needle);
    for (number, form) in Format::ALL.into_iter().enumerate() {
        for masked in [true, false] {
            let folder = tempfile::tempdir().unwrap();
            let mut stage = Stage::size(100, 30);
            stage.secrets.0.insert("moveo".to_owned(), vec![Secret::new("env:SIGNING", SIGNING)]);
            let call = |base: String| async move {
                let body =
                    format!(r#"{{"lang":"en","channel":"web","password":"{PASSWORD}","input":{{"text":"hi"}}}}"#);
                let post = reqwest::Client::new().post(format!("{base}/hooks?access_token={BEARER}"));
                let post = post.header("authorization", format!("Bearer {BEARER}"));
                post.header("x-moveo-signature", "00").body(body).send().await.unwrap();
            };
            let mask = if masked { "" } else { "jl" };
            let script = format!("*xj{}{mask}<enter>", "l".repeat(number));
            let ended = Box::pin(stage.listen(&folder.path().join("tape.jsonl"), &script, call)).await;
            let text = fs::read(only(ended.folder.path())).unwrap();
            none_in(&ours, &text, form.word());
            if masked {
                none_in(&theirs, &text, form.word());
                none_in(&theirs, ended.screen.as_bytes(), "the screen");
            } else {
                assert!(String::from_utf8_lossy(&text).contains(PASSWORD), "{form}: it was asked for");
            }
        }
    }
}
