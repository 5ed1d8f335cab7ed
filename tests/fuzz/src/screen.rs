//! The screen: a call that a stranger sent, on each of its tabs and in what lies over them.

use std::path::PathBuf;
use std::sync::Arc;

use hooktape::app::event::{Effect, Event, Read, Wanted};
use hooktape::app::{App, Colours, Setup, keys};
use hooktape::call::{Call, Direction, Id, Request, Response};
use hooktape::recording::{Place, Recorded};
use hooktape::{jq, view};
use jiff::tz::TimeZone;
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::{LANE, acts, as_it_came, now};

/// Where a call is looked at.
const SCRIPTS: [&str; 12] = [
    "",
    "1<enter>z",
    "2<enter>z",
    "3<enter>z",
    "4<enter>z",
    "5<enter>z",
    "6<enter>z",
    "2ppp<enter>z",
    "gmj2p<enter>",
    "gc",
    "2<enter>|.<enter>",
    "e",
];

/// Two calls that came: the request, and its body as what was said to Moveo. Nothing that is drawn acts on the terminal.
pub fn drawn(data: &[u8]) {
    let Some(([choice, size], data)) = data.split_first_chunk() else { return };
    let post = || Request {
        method: "POST".into(),
        target: "/hooks/moveo".into(),
        headers: [("content-type", "application/json")].into_iter().collect(),
        body: data.to_vec().into(),
        ..Request::default()
    };
    let request = as_it_came(data).request().unwrap_or_else(post);
    let said = serde_json::json!({
        "channel": "web", "session_id": "s", "lang": "en", "brain_id": "b", "intents": [], "context": {},
        "input": { "text": String::from_utf8_lossy(data) },
    });
    let known = Request { body: said.to_string().into(), ..post() };
    let (width, height) = (u16::from(size % 16) * 12 + 1, u16::from(size / 16) * 4 + 1);
    let mut app = App::new(setup(), now());
    app.masked = choice & 0x80 != 0;
    let mut calls = Vec::new();
    for (number, request) in [(0, request), (1, known)] {
        let headers = request.headers.clone();
        let response = Response { status: 200, headers, body: request.body.clone() };
        let call = Call::new(Id::fresh(), Direction::Received, now(), request);
        calls.push(Arc::new(Call { response: Some(response), ..call }));
        let place = Place { offset: 100 * (number + 1), len: 99 };
        let recorded = Recorded::Call(calls[calls.len() - 1].clone(), place);
        happen(&mut app, &calls, Event::Recorded(recorded));
    }
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("memory");
    let mut draw = |app: &mut App| {
        terminal.draw(|frame| app.regions = view::draw(app, frame)).expect("memory");
        app.drawn();
        let drawn = terminal.backend().buffer().content();
        assert!(!drawn.iter().any(|cell| cell.symbol().contains(acts)), "{}", terminal.backend());
    };
    draw(&mut app);
    let script = SCRIPTS[usize::from(choice & 0x7f) % SCRIPTS.len()];
    for key in keys::script(script).expect("keys") {
        happen(&mut app, &calls, Event::Key(key));
        draw(&mut app);
    }
}

/// Lets something happen, and all that it sets going but what leaves the screen.
fn happen(app: &mut App, calls: &[Arc<Call>], event: Event) {
    let mut events = vec![event];
    while let Some(event) = events.pop() {
        for effect in app.update(event, now()) {
            events.extend(match effect {
                Effect::Load(wanted) => Some(Event::Loaded(read(calls, wanted))),
                Effect::ReadAhead(wanted) => Some(Event::ReadAhead(read(calls, wanted))),
                Effect::Prepare(job) => Some(Event::Prepared(Box::new(job.run()))),
                Effect::Jq { ticket, body, filter } => {
                    Some(Event::Filtered { ticket, result: jq::run(&body, &filter) })
                }
                _ => None,
            });
        }
    }
}

fn read(calls: &[Arc<Call>], wanted: Vec<Wanted>) -> Read {
    wanted.into_iter().map(|wanted| (wanted, Ok(calls[wanted.number].clone()))).collect()
}

fn setup() -> Setup {
    let (platforms, keyring) = LANE.with(|lane| (lane.platforms.clone(), lane.keyring.clone()));
    Setup {
        config: Arc::default(),
        platforms,
        keyring,
        recording: PathBuf::from("tape.jsonl"),
        listener: None,
        follow: false,
        zone: TimeZone::UTC,
        colours: Colours::Many,
        environment: std::collections::HashSet::default(),
        notices: Vec::new(),
        new_key: || "a".to_owned(),
    }
}
