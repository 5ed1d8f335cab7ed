//! What the rows of the list say of a call besides its own words: when it was, on which day, where it was sent.

use std::path::{Path, PathBuf};

use hooktape::call::{Call, Direction, Id, Request, Response};
use hooktape::config::{Config, Target};
use hooktape::recording::{Options, Recorder};
use insta::assert_snapshot;
use jiff::tz::TimeZone;

use crate::support::{Ended, Stage};

/// A call that came, sent again to two targets behind midnight in Tokyo, and one that came behind that.
async fn recording(folder: &Path) -> PathBuf {
    let path = folder.join("tape.jsonl");
    let (recorder, _) = Recorder::open(&path, Options::default(), Box::new(|_| {})).unwrap();
    let calls = [
        ("2026-11-20T14:59:58Z", None),
        ("2026-11-20T15:00:03.5Z", Some("http://127.0.0.1:3001")),
        ("2026-11-20T15:00:04Z", Some("http://127.0.0.1:3002")),
        ("2026-11-20T15:00:09Z", None),
    ];
    for (number, (at, origin)) in (1..).zip(calls) {
        let direction = if origin.is_some() { Direction::Sent } else { Direction::Received };
        let (method, target) = ("POST".to_owned(), "/hooks/orders".to_owned());
        let request = Request { method, target, origin: origin.map(str::to_owned), ..Request::default() };
        let call = Call::new(Id(uuid::Uuid::from_u128(number)), direction, at.parse().unwrap(), request);
        let call = Call { response: Some(Response { status: 200, ..Response::default() }), ..call };
        recorder.record(call).await.unwrap();
    }
    recorder.close().await;
    path
}

async fn shown((width, height): (u16, u16), script: &str) -> Ended {
    let folder = tempfile::tempdir().unwrap();
    let path = recording(folder.path()).await;
    let mut config = Config::default();
    config.targets.push(Target::new("local", "http://127.0.0.1:3001"));
    config.targets.push(Target::new("next", "http://127.0.0.1:3002"));
    let zone = TimeZone::fixed(jiff::tz::offset(9));
    Box::pin(Stage { config, zone, ..Stage::size(width, height) }.open(&path, script)).await
}

#[tokio::test]
async fn the_list_says_of_which_zone_and_day_its_times_are_and_where_calls_went() {
    assert_snapshot!("list_80x24", shown((80, 24), "g").await.screen);
    let wide = shown((240, 24), "g").await.screen;
    assert!(wide.contains("→ local") && wide.contains("→ next"), "where there is room, always\n{wide}");
    let other = shown((80, 24), "gTj<enter>").await.screen;
    assert!(other.contains("→ local") && !other.contains("200 → next ·"), "{other}");
}

#[tokio::test]
async fn what_the_list_shows_can_be_asked_for() {
    for (query, rows) in [
        ("to:next", &[2][..]),
        ("to:local", &[1]),
        ("to:none", &[0, 3]),
        ("since:2026-11-21T00:00:03 until:2026-11-21T00:00:03", &[1]),
        ("until:2026-11-20", &[0]),
        ("since:2026-11-20T15:00:04Z", &[2, 3]),
    ] {
        let app = shown((80, 24), &format!("/{query}<enter>")).await.app;
        let found: Vec<usize> = (0..app.calls.len()).filter_map(|row| app.calls.at(row)).collect();
        assert_eq!(found, rows, "{query}");
    }
}

#[tokio::test]
async fn a_long_filter_leaves_the_day_its_room() {
    let filter = format!("method:post -body:\"{}\"", "never said ".repeat(9));
    let title = |ended: &Ended| ended.screen.lines().next().unwrap_or_default().to_owned();
    let long = title(&shown((80, 12), &format!("/{filter}<enter>")).await);
    assert!(long.contains("4 of 4  /method:post -body:") && long.contains("… · 2026-11-20 "), "{long}");
    let narrow = title(&shown((40, 12), &format!("/{filter}<enter>")).await);
    assert!(narrow.contains("/method:post"), "{narrow}");
}
