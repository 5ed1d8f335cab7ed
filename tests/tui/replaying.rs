//! Replays, comparisons, tests, variables and fixtures, through the real loop and over the wire.

use hooktape::app::dialog::Dialog;
use hooktape::app::event::{Effect, Event};
use hooktape::app::panel::Panel;
use hooktape::app::replaying::Job;
use hooktape::app::{Setup, keys};
use hooktape::config::Target;
use hooktape::net::avoid::Own;
use hooktape::net::outgoing::SignMode;
use hooktape::net::presence::Presence;
use hooktape::net::sender::Sender;
use hooktape::recording::backlog::backlog;
use hooktape::recording::{Query, Reader, fixtures};
use hooktape::replay::variables::Variables;
use hooktape::replay::{Plan, Selection, select};
use hooktape::tui::tape::Tape;
use hooktape::tui::world::World;
use insta::{assert_snapshot, with_settings};
use tokio::io::AsyncReadExt as _;
use tokio::sync::mpsc::unbounded_channel;

use crate::recorded::calls_in;
use crate::support::{Ended, Stage, drawn, repository};

async fn opened(script: &str) -> Ended {
    Stage::size(110, 30).open(&repository("recordings/moveo.jsonl"), script).await
}

/// Plays `script` with a listener that starts with an empty recording and an empty data directory.
async fn listening(script: &str) -> (Ended, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let stage = Stage { data: Some(folder.path().to_owned()), ..Stage::size(120, 36) };
    let ended = stage.listen(&folder.path().join("tape.jsonl"), script, |_| async {}).await;
    (ended, folder)
}

#[tokio::test]
async fn one_key_sends_anew_and_tells_what_was_changed() {
    let (ended, folder) = listening("t<enter><esc>gr").await;
    assert!(ended.screen.contains("new: header:"), "{}", ended.screen);
    assert!(ended.screen.contains("/timestamp"), "{}", ended.screen);
    let reader = Reader::open(&folder.path().join("tape.jsonl")).unwrap();
    let body = |n: usize| reader.call(ended.app.index.get(n).unwrap().place).unwrap().request.body;
    assert_ne!(body(0), body(2));
    assert_eq!(body(2), body(3), "what came is what was sent");
}

#[tokio::test]
async fn options_name_what_goes_where() {
    assert_snapshot!(opened("gRl").await.screen);
    let ended = opened("gR<enter>").await;
    assert!(ended.screen.contains("Where to?"), "{}", ended.screen);
}

#[tokio::test]
async fn a_recording_is_replayed_and_each_result_can_be_compared() {
    let (ended, folder) = listening("D<esc>R<left>jjjjjjjjl<enter><enter><enter>").await;
    let replay = ended.app.replay.as_ref().unwrap();
    let summary = replay.ended.as_ref().unwrap().as_ref().unwrap();
    assert_eq!(summary.fine + summary.failed, replay.meter.total);
    assert!(replay.meter.total >= 7, "{:?}", replay.meter);
    assert!(ended.screen.contains("Replay: ") && ended.screen.contains("failed"), "{}", ended.screen);
    assert!(ended.screen.contains("left with") && ended.screen.contains("new: "), "{}", ended.screen);
    drop(folder);
    let (ended, _folder) = listening("D<esc>R<left>jjjjjjjjl<enter><enter><enter><enter>").await;
    let Some(Dialog::Panel(Panel::Comparison(comparison))) = ended.app.dialogs.last() else {
        panic!("{}", ended.screen)
    };
    assert_eq!(comparison.right.parent, Some(comparison.left.id));
    assert!(ended.screen.contains("╭ Answers: "), "{}", ended.screen);
}

/// An endpoint that takes every call and answers none; names it as a target.
async fn silent() -> Target {
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = Target::new("silent", format!("http://{}", socket.local_addr().unwrap()));
    tokio::spawn(async move {
        let mut taken = Vec::new();
        while let Ok((stream, _)) = socket.accept().await {
            taken.push(stream);
        }
    });
    target
}

/// An endpoint that takes every call and gives each the same answer; names it as a target.
async fn answering(name: &str, status: u16, body: &'static str) -> Target {
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = Target::new(name, format!("http://{}", socket.local_addr().unwrap()));
    let answer = (axum::http::StatusCode::from_u16(status).unwrap(), body);
    // A body that is cut off is no call.
    let router = axum::Router::new().fallback(move |_: axum::body::Bytes| async move { answer });
    tokio::spawn(async move { axum::serve(socket, router).await });
    target
}

/// A screen of results as every run has it: without times, and columns as wide as what stands in them.
fn settled(screen: &str) -> String {
    let word = |word: &str| {
        let number = word.trim_end_matches(|c: char| c.is_alphabetic() || c == '/');
        let is_clock = word.len() == 8 && word.matches(':').count() == 2;
        let is_time = number.len() < word.len() && number.parse::<f64>().is_ok();
        if is_clock || is_time { "[time]".to_owned() } else { word.to_owned() }
    };
    let line = |line: &str| line.split_whitespace().map(word).collect::<Vec<_>>().join(" ");
    screen.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn what_goes_wrong_on_purpose_and_against_whom_is_asked_and_told() {
    let mut config = hooktape::config::Config::default();
    config.targets.push(answering("local", 200, r#"{"context":{"tier":"gold"}}"#).await);
    config.targets.push(answering("next", 202, r#"{"context":{"tier":"silver"}}"#).await);
    config.targets.push(hooktape::config::Target { guard: true, ..config.targets[1].clone() });
    config.targets[2].name = "staging".to_owned();
    let play = async |width, height, script: &str| {
        let folder = tempfile::tempdir().unwrap();
        let tape = folder.path().join("moveo.jsonl");
        std::fs::copy(repository("recordings/moveo.jsonl"), &tape).unwrap();
        Stage { config: config.clone(), ..Stage::size(width, height) }.open(&tape, script).await
    };
    // The conversation from its first call on, against the second target: as if signed by others, tampered with, cut; each twice.
    let asked = "gRljjjlGk<space>k<space>kk<space>k<space>";
    for (width, height) in crate::support::SIZES {
        for (name, keys) in [("asked", ""), ("guarded", "gjjjl<enter>")] {
            let screen = play(width, height, &format!("{asked}{keys}")).await.screen;
            with_settings!({ filters => vec![(r"127\.0\.0\.1:\d{5}", "127.0.0.1:[...]")] }, {
                assert_snapshot!(format!("replay_{name}_{width}x{height}"), screen);
            });
        }
    }
    for (width, height) in [(80, 24), (160, 45)] {
        let screen = settled(&play(width, height, &format!("{asked}<enter>jj")).await.screen);
        with_settings!({ filters => vec![(r"127\.0\.0\.1:\d{5}", "127.0.0.1:[...]")] }, {
            assert_snapshot!(format!("replay_told_{width}x{height}"), screen);
        });
    }
    let narrow = play(40, 12, &format!("{asked}<enter>")).await.screen;
    assert_eq!(narrow.lines().filter(|line| line.contains("✗ 200")).count(), 2, "{narrow}");
    let compared = play(80, 24, &format!("{asked}<enter>c")).await.screen;
    assert!(compared.contains("Answers: difference 1 of 2") && compared.contains("\"silver\""), "{compared}");
    let ended = play(80, 24, &format!("{asked}<enter>")).await;
    let replay = ended.app.replay.as_ref().unwrap();
    let summary = replay.ended.as_ref().unwrap().as_ref().unwrap();
    assert_eq!((summary.total, replay.meter.done), (42, 42), "{summary:?}");
    assert!(replay.results.iter().all(|sent| sent.label.is_some()), "{:?}", replay.results);
    let differing = replay.results.iter().filter(|sent| sent.between.len() == 2).count();
    let cut = replay.results.iter().filter(|sent| sent.label.as_deref().unwrap().starts_with("cut body")).count();
    assert_eq!((differing, cut), (28, 14), "where both answer, each answers something else");
}

#[tokio::test]
async fn a_guarded_second_target_gets_nothing_without_a_yes() {
    let mut config = hooktape::config::Config::default();
    config.targets.push(answering("local", 200, "{}").await);
    config.targets.push(hooktape::config::Target { guard: true, ..answering("staging", 200, "{}").await });
    let folder = tempfile::tempdir().unwrap();
    let play = async |script: &str| {
        let tape = folder.path().join(format!("{}.jsonl", script.len()));
        std::fs::copy(repository("recordings/moveo.jsonl"), &tape).unwrap();
        Stage { config: config.clone(), ..Stage::size(160, 45) }.open(&tape, script).await
    };
    // Two of seven calls say nowhere when they were made.
    let asked = "gRljjjljjjjjjj<space><enter>";
    let ended = play(asked).await;
    assert!(ended.screen.contains("Send 5 calls (stale timestamp) to local"), "{}", ended.screen);
    let ended = play(&format!("{asked}n<esc>")).await;
    assert!(
        ended.app.replay.is_none() && ended.app.calls.total == 7 && ended.app.dialogs.is_empty(),
        "{}",
        ended.screen
    );
    let ended = play(&format!("{asked}y")).await;
    assert_eq!(ended.app.calls.total, 7 + 2 * 5, "{}", ended.screen);
    assert_eq!(ended.app.dialogs.len(), 1, "the options are gone");
}

#[tokio::test]
async fn the_listener_of_another_process_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = hooktape::config::Config::default();
    config.targets.push(silent().await);
    let address = config.targets[0].place().parse().unwrap();
    let _other = Presence::announce(folder.path(), &Own { address, public: None }).unwrap();
    let play = async |script: &str| {
        let tape = folder.path().join(format!("{}.jsonl", script.len()));
        std::fs::copy(repository("recordings/moveo.jsonl"), &tape).unwrap();
        let stage = Stage { config: config.clone(), data: Some(folder.path().to_owned()), ..Stage::size(160, 45) };
        stage.open(&tape, script).await
    };
    let sent = play("gT<enter>r").await;
    assert!(sent.screen.contains("is hooktape's own listener"), "{}", sent.screen);
    assert_eq!(sent.app.calls.total, 8, "{}", sent.screen);
    let ended = play("gT<enter>R<left>jjjjjjjjl<enter>").await;
    let summary = ended.app.replay.as_ref().unwrap().ended.as_ref().unwrap().as_ref();
    let told = format!("{summary:?} {}", ended.screen);
    assert!(told.contains("is hooktape's own listener"), "{told}");
}

#[tokio::test]
async fn a_running_replay_is_paused_and_ended_from_the_screen() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = hooktape::config::Config::default();
    config.targets.push(silent().await);
    let play = async |keys: &str| {
        let tape = folder.path().join(format!("{}.jsonl", keys.len()));
        std::fs::copy(repository("recordings/moveo.jsonl"), &tape).unwrap();
        let script = format!("gT<enter>R<left>jjjjjjjjl<enter>{keys}");
        Stage { config: config.clone(), ..Stage::size(110, 30) }.open(&tape, &script).await
    };
    let paused = play("<now p><now ctrl-c>").await;
    let replay = paused.app.replay.as_ref().unwrap();
    assert!(replay.runs() && replay.paused.is_some(), "{}", paused.screen);
    let ended = play("<now p><now p><now x>f").await;
    let replay = ended.app.replay.as_ref().unwrap();
    let summary = replay.ended.as_ref().unwrap().as_ref().unwrap();
    assert!(summary.cancelled && replay.paused.is_none() && replay.meter.done <= 1, "{summary:?}");
    assert!(ended.screen.contains("cancelled") && !ended.screen.contains("took p50"), "{}", ended.screen);
    assert!(summary.failed == 0 && ended.screen.contains("calls not sent"), "{}", ended.screen);
}

#[tokio::test]
async fn what_has_left_when_the_screen_is_closed_is_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let tape = folder.path().join("tape.jsonl");
    std::fs::copy(repository("recordings/moveo.jsonl"), &tape).unwrap();
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut plan = Plan::new(Target::new("silent", format!("http://{}", socket.local_addr().unwrap())));
    plan.mode = SignMode::Exact;
    let query = Query::parse("", jiff::Timestamp::UNIX_EPOCH).unwrap();
    let (id, from, conversation) = Default::default();
    let whole = Selection { query, asked: String::new(), sent: false, id, from, conversation, turn: 1 };
    let Setup { platforms, keyring, .. } = Stage::size(80, 24).setup(&tape, None);
    let (items, _) = select(&Reader::open(&tape).unwrap(), &whole, &platforms).unwrap();
    let sender = Sender::new(platforms.clone(), keyring.clone());
    let world = World::new(unbounded_channel().0, Tape::resting(tape.clone(), backlog().0), sender, Vec::new());
    let calls = items.len();
    let job = Job { ticket: 1, plan, items, platforms, keyring, listener: None };
    world.perform(Effect::Replay(Box::new(job)));
    let (mut stream, _) = socket.accept().await.unwrap();
    stream.read_exact(&mut [0]).await.unwrap();
    world.end().await;
    let recorded = calls_in(&tape);
    assert_eq!(recorded.len(), calls + 1);
    let sent = &recorded[calls];
    assert!(sent.error.as_ref().unwrap().ends_with("had not answered when hooktape was told to stop"), "{sent:?}");
}

#[tokio::test]
async fn two_marked_calls_stand_side_by_side() {
    let folder = tempfile::tempdir().unwrap();
    let tape = folder.path().join("moveo.jsonl");
    std::fs::copy(repository("recordings/moveo.jsonl"), &tape).unwrap();
    assert_snapshot!(Stage::size(110, 30).open(&tape, "gmjmc<tab>nnn").await.screen);
    let ended = Stage::size(110, 30).open(&tape, "gc<tab>nx").await;
    assert!(ended.screen.contains("1 ignored"), "{}", ended.screen);
    assert!(opened("gc").await.screen.contains("nothing to compare"));
}

#[tokio::test]
async fn a_comparison_breaks_its_lines_where_there_is_little_room() {
    let folder = tempfile::tempdir().unwrap();
    let tape = folder.path().join("moveo.jsonl");
    std::fs::copy(repository("recordings/moveo.jsonl"), &tape).unwrap();
    let ended = Stage::size(40, 12).open(&tape, "gmjmc<tab>nn").await;
    assert_snapshot!("comparison_narrow_40x12", ended.screen);
    let mut app = ended.app;
    let mut press = |script: &str| {
        let now = app.now;
        keys::script(script).unwrap().into_iter().for_each(|key| drop(app.update(Event::Key(key), now)));
        drawn(&mut app, (40, 12))
    };
    // Each line is passed, and the end is the end. Between the heads and the place there are four, the right half in the end.
    let (mut screen, mut right) = (press("g"), String::new());
    loop {
        let halves = screen.lines().skip(4).take(4).map(|line| line.chars().skip(22).take(16));
        right.extend(halves.flatten().filter(|character| !character.is_whitespace()));
        let next = press("<pgdn>");
        if next == screen {
            break;
        }
        screen = next;
    }
    let whole = "\"live_instructions\":\"Thecallerisnotidentifiedyet:askforthenationalinsurancenumberbefore";
    assert!(right.contains(whole), "{right}");
    assert!(screen.contains(" }"), "{screen}");
    assert_ne!(press("k"), screen, "what is at its end goes back at the first key");
    let ignored = press("Gnx");
    assert!(ignored.contains("≠"), "the next difference is seen: {ignored}");
}

#[tokio::test]
async fn a_list_without_results_says_why() {
    let (ended, _folder) = listening("t<enter><esc>gRjjjjjjjjl<enter>f").await;
    assert!(ended.screen.contains("all is as expected: f lists it"), "{}", ended.screen);
}

#[tokio::test]
async fn a_long_name_leaves_room_for_the_value() {
    let name = "a_name_that_is_longer_than_the_screen_of_a_telephone_is_wide";
    let call = hooktape::call::Id::fresh();
    let stored = serde_json::json!({
        "value": "gold", "type": "string", "place": format!("/context/{name}"), "kind": "moveo/dialog", "call": call,
        "at": "2026-11-21T10:02:11Z",
    });
    let folder = tempfile::tempdir().unwrap();
    let known = serde_json::json!({ "hooktape_variables": 1, "variables": { name: stored } });
    std::fs::write(Variables::path(folder.path()), known.to_string()).unwrap();
    for (width, height) in crate::support::SIZES {
        let stage = Stage { data: Some(folder.path().to_owned()), ..Stage::size(width, height) };
        let screen = stage.open(&repository("recordings/moveo.jsonl"), "V").await.screen;
        assert_snapshot!(format!("variables_{width}x{height}"), screen);
    }
}

#[tokio::test]
async fn what_was_sent_is_listed_where_there_is_little_room() {
    let folder = tempfile::tempdir().unwrap();
    let screen = async |keys: &str| {
        let tape = folder.path().join(format!("{}.jsonl", keys.len()));
        Stage::size(40, 12).listen(&tape, keys, |_| async {}).await.screen
    };
    let kinds = screen("t<enter>j<enter>").await;
    assert!(kinds.contains("2 sent so far") && kinds.contains("moveo/pre_message"), "{kinds}");
    let sent = screen("t<enter>j<enter><tab>").await;
    let rows = sent.lines().filter(|line| line.contains("moveo/") && line.contains("200 ")).count();
    assert_eq!(rows, 2, "{sent}");
}

#[tokio::test]
async fn the_test_panel_shows_the_shape_and_then_the_answer() {
    let (ended, _folder) = listening("t").await;
    assert_snapshot!(ended.screen);
    let (ended, _folder) = listening("t<enter>j<enter>").await;
    assert!(ended.screen.contains("200 OK ·") && ended.screen.contains("Expected answer"), "{}", ended.screen);
    assert_eq!(ended.app.sends.newest_first().count(), 2);
    let told = |what: &str| ended.screen.lines().filter(|line| line.contains(what)).count();
    assert!(ended.screen.lines().any(|line| line.contains("│ sent to ")), "{}", ended.screen);
    assert_eq!(told("_message → 127.0.0.1:4747"), 2, "each of the history too: {}", ended.screen);
    let (ended, _folder) = listening("t<enter>j<enter><tab>j<enter>").await;
    assert!(ended.app.dialogs.is_empty(), "{}", ended.screen);
    let (ended, _folder) = listening("t<enter><tab>e").await;
    assert!(ended.app.draft.is_some(), "a send can be edited and sent again");
}

#[tokio::test]
async fn what_an_answer_holds_is_known_and_put_into_drafts() {
    let (ended, folder) = listening("tjjj<enter>$").await;
    let known = Variables::load(&Variables::path(folder.path())).unwrap();
    let names: Vec<&str> = known.iter().map(|(name, _)| name).collect();
    assert!(!names.is_empty(), "{}", ended.screen);
    assert!(ended.screen.contains(names[0]), "{}", ended.screen);
    let stage = |script| {
        let stage = Stage { data: Some(folder.path().to_owned()), ..Stage::size(110, 30) };
        async move { stage.open(&repository("recordings/moveo.jsonl"), script).await }
    };
    assert_snapshot!(stage("gV").await.screen);
    let ended = stage("ge<esc>V<enter>").await;
    assert!(ended.app.draft.unwrap().text().contains("{{$"), "{}", ended.screen);
    let left = || Variables::load(&Variables::path(folder.path())).unwrap().iter().count();
    let asked = stage("gVd").await;
    assert!(asked.screen.contains(&format!("Forget ${}", names[names.len() - 1])), "{}", asked.screen);
    stage("gVdn").await;
    assert_eq!(left(), names.len());
    stage("gVdy").await;
    assert_eq!(left(), names.len() - 1);
}

#[tokio::test]
async fn what_stands_between_braces_is_filled_in_from_the_test_panel_too() {
    let (ended, _folder) = listening("te<down><down><end><left><left>{{uuid}}<esc>s").await;
    let draft = ended.app.draft.as_ref().unwrap();
    let call = &draft.answer.as_ref().unwrap().as_ref().unwrap().call;
    let (left, body) = (String::from_utf8_lossy(&call.request.body), draft.body());
    assert!(String::from_utf8_lossy(&body).contains("{{uuid}}") && !left.contains("{{"), "{left}");
    assert_eq!((call.status(), left.len()), (Some(200), body.len() + 36 - "{{uuid}}".len()));
    let (ended, _folder) = listening("te<down><down><end><left><left>{{$none}}<esc>s").await;
    assert!(ended.app.draft.as_ref().unwrap().answer.is_none(), "{}", ended.screen);
    assert!(ended.screen.contains("no such variable is known"), "{}", ended.screen);
}

#[tokio::test]
async fn a_draft_is_kept_as_a_fixture_filled_in_and_sent() {
    let (ended, folder) = listening("te<down><down><end><left><left>{{uuid}}<esc>fx<enter>").await;
    assert!(ended.screen.contains("kept as"), "{}", ended.screen);
    let listed = fixtures::list(folder.path()).unwrap();
    assert_eq!(listed.len(), 1, "{}", ended.screen);
    let body = listed[0].1.as_ref().unwrap().request.body.clone();
    assert!(String::from_utf8_lossy(&body).contains("{{uuid}}"));
    let stage = Stage { data: Some(folder.path().to_owned()), ..Stage::size(110, 30) };
    let tape = folder.path().join("other.jsonl");
    let ended = stage.listen(&tape, "fT<esc>f<esc>t<esc>te<esc><esc>f<enter>", |_| async {}).await;
    let answer = ended.app.draft.as_ref().unwrap().answer.as_ref().unwrap().as_ref().unwrap();
    assert!(!String::from_utf8_lossy(&answer.call.request.body).contains("{{"), "{}", ended.screen);
    assert_eq!(answer.call.status(), Some(200));
}

#[tokio::test]
async fn a_fixture_is_replaced_and_removed_only_when_that_is_confirmed() {
    let folder = tempfile::tempdir().unwrap();
    let stage = |script| {
        let stage = Stage { data: Some(folder.path().to_owned()), ..Stage::size(110, 30) };
        async move { stage.open(&repository("recordings/moveo.jsonl"), script).await.screen }
    };
    let body = || fixtures::load(folder.path(), "one").map(|call| call.request.body.len());
    assert!(stage("ge<esc>f<ctrl-u>one<enter>").await.contains("kept as one"));
    let first = body().unwrap();
    let asked = stage("gex<esc>f<ctrl-u>one<enter>").await;
    assert!(asked.contains("There is a fixture one already. Replace it?"), "{asked}");
    assert_eq!(body(), Ok(first));
    stage("gex<esc>f<ctrl-u>one<enter>n").await;
    assert_eq!(body(), Ok(first));
    assert!(stage("gex<esc>f<ctrl-u>one<enter>y").await.contains("kept as one"));
    assert_ne!(body(), Ok(first), "it has what was typed");
    assert!(stage("fd").await.contains("Remove the fixture one for good?"));
    stage("fdn").await;
    assert!(body().is_ok());
    assert!(stage("fdy").await.contains("one is removed"));
    assert!(body().is_err());
}

#[tokio::test]
async fn a_sent_call_names_its_target_and_where_it_was_recorded_and_why_it_has_no_answer() {
    let folder = tempfile::tempdir().unwrap();
    let tape = folder.path().join("moveo.jsonl");
    std::fs::copy(repository("recordings/moveo.jsonl"), &tape).unwrap();
    let mut config = hooktape::config::Config::default();
    config.targets.push(Target::new("closed", "http://127.0.0.1:1"));
    let play = async |script: &str| Stage { config: config.clone(), ..Stage::size(110, 30) }.open(&tape, script).await;
    let sent = play("gR<enter>").await;
    assert!(sent.screen.contains("recorded in moveo.jsonl, the file that is open"), "{}", sent.screen);
    let compared = play("Gc").await;
    assert!(compared.screen.contains("sent to closed 127.0.0.1:1 "), "{}", compared.screen);
    assert!(compared.screen.contains("no answer: nothing listens at"), "{}", compared.screen);
}

#[tokio::test]
async fn what_is_ignored_in_a_comparison_counts_no_more_in_the_results_behind_it() {
    let mut config = hooktape::config::Config::default();
    config.targets.push(answering("local", 200, r#"{"context":{"tier":"gold"}}"#).await);
    let play = async |script: &str| {
        let folder = tempfile::tempdir().unwrap();
        let tape = folder.path().join("moveo.jsonl");
        std::fs::copy(repository("recordings/moveo.jsonl"), &tape).unwrap();
        let ended = Stage { config: config.clone(), ..Stage::size(110, 30) }.open(&tape, script).await;
        let replay = ended.app.replay.as_ref().unwrap();
        let fine = replay.results.iter().filter(|sent| sent.is_fine()).count();
        (fine, replay.meter.failed, replay.results[0].differences.len(), ended.screen)
    };
    let begin = "gRjjjjjjjjl<enter><enter>";
    let (fine, failed, all, screen) = play(begin).await;
    assert!(all > 0 && failed > 0, "{screen}");
    let (_, _, one_less, screen) = play(&format!("{begin}x")).await;
    assert_eq!(one_less, all - 1, "{screen}");
    assert!(screen.contains("` below [compare] of"), "{screen}");
    let (more, less, none, screen) = play(&format!("{begin}{}", "x".repeat(all))).await;
    assert!(none == 0 && more > fine && less < failed, "{screen}");
    let (same, again, back, screen) = play(&format!("{begin}xX")).await;
    assert_eq!((same, again, back), (fine, failed, all), "{screen}");
}

#[tokio::test]
async fn kinds_are_searched_in_the_test_panel() {
    let found = opened("t/moveo webv").await;
    assert_snapshot!("kinds_searched", found.screen);
    for (script, kind) in
        [("t/moveo webv<enter>", "moveo/webview_open"), ("t/moveo webv<down><enter>", "moveo/webview_context")]
    {
        let ended = opened(&format!("{script}e")).await;
        assert_eq!(ended.app.draft.unwrap().kind.as_deref(), Some(kind));
    }
    let all = opened("t/moveo webv<enter><esc>").await;
    assert!(
        matches!(all.app.dialogs.last(), Some(Dialog::Panel(Panel::Tester(tester))) if tester.search.text().is_empty())
    );
    for script in ["t/qzx<enter>", "t/qzx<enter><enter>"] {
        let none = opened(script).await;
        assert!(none.screen.contains("no kind has all these words"), "{}", none.screen);
    }
    let within = opened("t/webv<home>moveo <enter>e").await;
    assert_eq!(within.app.draft.unwrap().kind.as_deref(), Some("moveo/webview_open"));
}
