//! The recordings of the data directory, through the real loop: listed, opened, removed when asked twice.

use std::fs::File;
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::support::{Ended, Stage, repository};
use hooktape::recording::{Options, Recorder};
use insta::{assert_snapshot, with_settings};
use tempfile::TempDir;

/// A data directory with two recordings of different ages.
fn data() -> TempDir {
    // Where the path is as long everywhere: it is on the screen.
    let data = tempfile::tempdir_in("/tmp").unwrap();
    let folder = data.path().join("recordings");
    std::fs::create_dir(&folder).unwrap();
    for (name, sample, hours) in [("new one.jsonl", "moveo.jsonl", 5), ("old.jsonl", "moveo-webview.jsonl", 24 * 40)] {
        let path = folder.join(name);
        std::fs::copy(repository("recordings").join(sample), &path).unwrap();
        let file = File::options().append(true).open(path).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(3600 * hours + 60)).unwrap();
    }
    data
}

async fn play(data: &Path, script: &str) -> Ended {
    let stage = Stage { data: Some(data.to_owned()), ..Stage::size(100, 24) };
    stage.open(&repository("recordings/moveo.jsonl"), script).await
}

#[tokio::test]
async fn they_are_listed_with_sizes_and_ages_and_removed_when_asked_twice() {
    let data = data();
    let old = data.path().join("recordings/old.jsonl");
    for (name, script) in [("list", "s"), ("question", "sjd"), ("kept", "sjdn"), ("removed", "sjdy")] {
        let ended = play(data.path(), script).await;
        with_settings!({ filters => vec![("/tmp/[^/]*/", "/data/")] }, {
            assert_snapshot!(format!("recordings_{name}"), ended.screen);
        });
        assert_eq!(old.exists(), name != "removed", "{name}");
    }
}

#[tokio::test]
async fn a_command_that_is_too_long_is_cut_with_a_sign() {
    let data = data();
    let folder = data.path().join("recordings");
    std::fs::rename(folder.join("new one.jsonl"), folder.join(format!("{}.jsonl", "long-".repeat(12)))).unwrap();
    let stage = Stage { data: Some(data.path().to_owned()), ..Stage::size(80, 24) };
    let screen = stage.open(&repository("recordings/moveo.jsonl"), "s").await.screen;
    assert!(screen.contains("enter opens it; leaving"), "{screen}");
    let cut = screen.lines().find(|line| line.contains("y copies hooktape open /tmp/")).unwrap();
    assert!(cut.contains("long-") && cut.contains('…'), "{screen}");
}

#[tokio::test]
async fn enter_opens_one_and_its_command_can_be_copied() {
    let data = data();
    let ended = play(data.path(), "s<enter>jy").await;
    let path = data.path().join("recordings/new one.jsonl");
    assert_eq!(ended.visited, [(path.clone(), None)]);
    // Calls from there go where calls from here go; a token in an address is not for all to see.
    for (typed, to) in [(":1/a", Some("http://127.0.0.1:1/a")), (":1/?t=secret", None)] {
        let ended = play(data.path(), &format!("T<enter>{typed}<enter>s<enter>")).await;
        assert_eq!(ended.visited, [(path.clone(), to.map(str::to_owned))], "{}", ended.screen);
    }
    let ended = play(data.path(), "s<enter>jy").await;
    assert!(ended.screen.contains("2 recordings"), "{}", ended.screen);
    let copied = format!("hooktape open {}", data.path().join("recordings/old.jsonl").display());
    assert_eq!(ended.copied, [copied]);
    let ended = play(data.path(), "sy").await;
    assert_eq!(ended.copied, [format!("hooktape open '{}'", data.path().join("recordings/new one.jsonl").display())]);
}

#[tokio::test]
async fn one_that_is_recorded_to_or_on_the_screen_stays() {
    let data = data();
    let path = data.path().join("recordings/old.jsonl");
    let (recorder, _) = Recorder::open(&path, Options::default(), Box::new(|_| {})).unwrap();
    let ended = play(data.path(), "sGdy").await;
    assert!(ended.screen.contains("(being recorded to)"), "{}", ended.screen);
    assert!(path.exists());
    recorder.close().await;
    let stage = |script: &'static str, shown| {
        let stage = Stage { data: Some(data.path().to_owned()), ..Stage::size(100, 24) };
        async move { stage.open(shown, script).await.screen }
    };
    let screen = stage("sG<enter>", &path).await;
    assert!(screen.contains("that one is on this screen"), "{screen}");
    let screen = stage("sGd", &path).await;
    assert!(screen.contains("(on this screen)") && screen.contains("not removed"), "{screen}");
    // By another name it is the same file.
    let link = data.path().join("link.jsonl");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let screen = stage("sGdy", &link).await;
    assert!(screen.contains("stays") && path.exists(), "{screen}");
}

#[tokio::test]
async fn without_a_data_directory_it_says_so() {
    let ended = Stage::size(100, 24).open(&repository("recordings/moveo.jsonl"), "s").await;
    assert!(ended.screen.contains("no home directory"), "{}", ended.screen);
    let empty = tempfile::tempdir().unwrap();
    assert!(play(empty.path(), "sd<enter>").await.screen.contains("no recording is kept yet"));
}
