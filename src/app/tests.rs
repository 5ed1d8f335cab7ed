//! What the order of events must not change.

use super::*;
use crate::app::dialog::Then;
use crate::app::keys::script;
use crate::call::{Call, Direction, Request, Response};
use crate::config::Secrets;
use crate::recording::{Entry, Place};

pub(crate) fn app() -> App {
    let setup = Setup {
        config: Arc::default(),
        platforms: Arc::new(Platforms::builtin().unwrap()),
        keyring: Arc::new(Keyring::new(Secrets::default())),
        recording: PathBuf::new(),
        listener: None,
        follow: false,
        zone: TimeZone::UTC,
        colours: Colours::Many,
        environment: std::collections::HashSet::default(),
        notices: Vec::new(),
        new_key: String::new,
    };
    App::new(setup, Timestamp::UNIX_EPOCH)
}

pub(crate) fn call(path: &str) -> Call {
    Call {
        response: Some(Response { status: 200, ..Response::default() }),
        ..Call::new(
            Id::fresh(),
            Direction::Sent,
            Timestamp::UNIX_EPOCH,
            Request { target: path.to_owned(), ..Request::default() },
        )
    }
}

pub(super) fn happen(app: &mut App, event: Event) -> Vec<Effect> {
    app.update(event, Timestamp::UNIX_EPOCH)
}

pub(super) fn recorded(app: &mut App, call: &Call) {
    let place = Place { offset: 100 * (app.index.len() as u64 + 1), len: 99 };
    happen(app, Event::Recorded(Recorded::Call(Arc::new(call.clone()), place)));
}

fn press(app: &mut App, keys: &str) {
    for key in script(keys).unwrap() {
        happen(app, Event::Key(key));
    }
}

#[test]
fn a_sent_call_is_selected_whether_its_answer_or_its_record_is_told_first() {
    let sent = call("/sent");
    for answer_first in [true, false] {
        let mut app = app();
        recorded(&mut app, &call("/before"));
        press(&mut app, "g<enter>");
        app.sending.last = Some((1, app.touched));
        let answer = Event::Sent { ticket: 1, result: Ok(Arc::new(sent.clone())) };
        if answer_first {
            happen(&mut app, answer);
            recorded(&mut app, &sent);
        } else {
            recorded(&mut app, &sent);
            happen(&mut app, answer);
        }
        recorded(&mut app, &call("/after"));
        assert_eq!((app.calls.selected(), app.tab), (Some(1), Tab::Response), "answer first: {answer_first}");
    }
}

#[test]
fn a_sent_call_is_not_selected_under_hands_that_do_something_else() {
    for keys in ["j", "y"] {
        let mut app = app();
        let (first, second) = (call("/a"), call("/b"));
        recorded(&mut app, &first);
        recorded(&mut app, &second);
        press(&mut app, "g");
        app.settle();
        app.sending.last = Some((1, app.touched));
        for key in script(keys).unwrap() {
            app.update(Event::Key(key), Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_secs(1));
        }
        let meant = app.selected_id();
        let sent = call("/sent");
        recorded(&mut app, &sent);
        happen(&mut app, Event::Sent { ticket: 1, result: Ok(Arc::new(sent)) });
        app.settle();
        if keys == "y" {
            assert_eq!((app.selected_id(), app.dialogs.len()), (meant, 1));
        } else {
            assert_ne!(app.tab, Tab::Response);
        }
        assert!(app.notice.is_some(), "he is told");
    }
}

#[test]
fn a_draft_that_is_being_filled_in_is_not_sent_twice() {
    let mut app = app();
    app.choose(crate::config::Target::new("there", "http://127.0.0.1:1"));
    let request = Request { body: "{{uuid}}".into(), ..call("/").request };
    app.draft = Some(Draft::new(7, request.clone(), None, None));
    assert!(matches!(app.send_draft()[..], [Effect::Keep(_)]));
    assert_eq!(app.send_draft(), []);
    let filled = |result| Event::Kept(crate::app::kept::Kept::Filled { ticket: 7, result });
    happen(&mut app, filled(Err("no such name".to_owned())));
    assert_eq!(app.send_draft().len(), 1, "once more, where that went wrong");
    let effects = happen(&mut app, filled(Ok(Box::new(request))));
    assert!(matches!(effects[..], [Effect::Send { .. }]), "{effects:?}");
    assert_eq!(app.send_draft(), []);
}

#[test]
fn a_call_that_is_not_read_yet_is_said_to_be() {
    for key in ["e", "r", "y"] {
        let mut app = app();
        recorded(&mut app, &call("/"));
        app.cache = Cache::default();
        press(&mut app, key);
        let told = app.notice.map(|notice| notice.text).unwrap_or_default();
        assert!(told.contains("being read"), "{key}: {told}");
    }
}

#[test]
fn the_choice_of_a_target_begins_at_the_chosen_one_wherever_it_is_asked() {
    // On the list, in the test panel, in the options of a replay.
    for keys in ["T", "tT", "RT"] {
        let mut app = app();
        app.choose(crate::config::Target::new("first", "http://127.0.0.1:1"));
        app.choose(crate::config::Target::new("second", "http://127.0.0.1:2"));
        recorded(&mut app, &Call { direction: Direction::Received, ..call("/") });
        press(&mut app, keys);
        let asked = app.dialogs.last();
        assert!(matches!(asked, Some(Dialog::Targets { selected: 1, then: Then::Stay })), "{keys}: {asked:?}");
    }
}

#[test]
fn a_filter_gone_back_to_has_what_came_meanwhile() {
    let mut app = app();
    recorded(&mut app, &call("/a/1"));
    recorded(&mut app, &call("/b"));
    press(&mut app, "/path:/a<enter>/0");
    recorded(&mut app, &call("/a/2"));
    assert_eq!(app.calls.len(), 0, "path:/a0");
    press(&mut app, "<esc>");
    assert_eq!((app.calls.filter_text(), app.calls.len()), ("path:/a", 2));
}

#[test]
fn what_is_offered_to_a_filter_is_chosen_and_with_nothing_offered_nothing_is_typed() {
    let typed = |keys: &str| {
        let mut app = app();
        press(&mut app, keys);
        let Some(Dialog::Filter { input, .. }) = app.dialogs.last() else { panic!("{:?}", app.dialogs) };
        input.text().to_owned()
    };
    for (keys, expected) in [
        ("/sig:<tab>", "sig:valid"),
        ("/sig:<down><tab>", "sig:invalid"),
        ("/sig:<down><down><up><tab>", "sig:invalid"),
        ("/sig:<down>inv<tab>", "sig:invalid"),
        ("/method:<up><tab>", "method:POST"),
        ("/abc<tab><tab>", "abc"),
        ("/abc<home><tab>", "abc"),
        ("/sig:valid<tab>", "sig:valid"),
        ("/@<down><tab>", "@"),
    ] {
        assert_eq!(typed(keys), expected, "{keys}");
    }
}

#[test]
fn a_filter_set_while_the_recording_is_read_looks_at_all_of_it() {
    let mut app = app();
    let entry = |offset, path| Entry::from_call(&call(path), Place { offset, len: 9 });
    happen(&mut app, Event::Indexed(Box::new([entry(100, "/a"), entry(200, "/b")].iter().collect())));
    press(&mut app, "/path:/a<enter>");
    happen(&mut app, Event::Indexed(Box::new([entry(300, "/a")].iter().collect())));
    happen(&mut app, Event::Indexed(Box::default()));
    assert_eq!(app.calls.len(), 2);
}

#[test]
fn pasted_lines_are_lines_however_the_terminal_ends_them() {
    let mut app = app();
    app.draft = Some(Draft::new(1, Request::default(), None, None));
    happen(&mut app, Event::Paste("{\r\"a\":\r\n1\n}".to_owned()));
    assert_eq!(app.draft.unwrap().text(), "{\n\"a\":\n1\n}");
}

#[test]
fn what_is_pasted_into_a_draft_is_explained_as_what_is_typed() {
    let mut app = app();
    let kind = "moveo/dialog";
    let sample = app.setup.platforms.kind(kind).unwrap().sample();
    let mut draft = Draft::new(1, sample, Some(kind.to_owned()), None);
    draft.clear();
    app.draft = Some(draft);
    happen(&mut app, Event::Paste("{\n\"".to_owned()));
    app.settle();
    assert!(!app.draft.unwrap().offers.list.is_empty());
}

#[test]
fn a_payload_that_is_no_text_says_so_where_it_cannot_be_emptied() {
    let mut app = app();
    let body = bytes::Bytes::from_static(b"\xff");
    app.draft = Some(Draft::new(1, Request { body: body.clone(), ..Request::default() }, None, None));
    press(&mut app, "c");
    assert!(app.notice.as_ref().unwrap().text.contains("is not text: it can be sent, not edited"));
    assert_eq!(app.draft.unwrap().body(), body);
}

#[test]
fn what_is_pasted_after_the_warning_keeps_a_drafts_edits() {
    let mut app = app();
    app.draft = Some(Draft::new(1, Request::default(), None, None));
    press(&mut app, "x<esc><esc>");
    assert!(app.draft.as_ref().unwrap().leaving);
    happen(&mut app, Event::Paste("goes nowhere".to_owned()));
    press(&mut app, "<esc>");
    assert_eq!(app.draft.unwrap().text(), "x");
}

#[test]
fn a_large_draft_is_looked_at_when_hands_are_still() {
    let mut app = app();
    let body = format!(r#"{{"a":"{}"}}"#, "x".repeat(1 << 20));
    app.draft = Some(Draft::new(1, Request { body: body.into(), ..Request::default() }, None, None));
    let press = |app: &mut App, key: &str, millis| {
        app.update(Event::Key(script(key).unwrap()[0]), Timestamp::from_millisecond(millis).unwrap());
        app.settle();
        (app.draft.as_ref().unwrap().facts.is_some(), app.ticks())
    };
    app.settle();
    assert!(app.draft.as_ref().unwrap().facts.is_some(), "nobody has pressed a key");
    assert_eq!(press(&mut app, "x", 5_000), (false, true));
    app.update(Event::Tick, Timestamp::from_millisecond(6_000).unwrap());
    app.settle();
    assert!(app.draft.as_ref().unwrap().facts.as_ref().unwrap().syntax_error.is_some() && !app.ticks());
}

#[test]
fn what_is_pasted_into_the_palette_is_chosen_from_its_top() {
    let mut app = app();
    press(&mut app, ":<down><down><down>");
    happen(&mut app, Event::Paste("zoom".to_owned()));
    assert!(matches!(app.dialogs.last(), Some(Dialog::Palette { selected: 0, .. })), "{:?}", app.dialogs);
    press(&mut app, "<enter>");
    assert!(app.zoom);
}

#[test]
fn what_is_being_read_is_not_asked_for_again() {
    let mut app = app();
    let entry = |row: u64| Entry::from_call(&call("/"), Place { offset: 100 + (row << 23), len: 8 << 20 });
    happen(&mut app, Event::Indexed(Box::new((0..9).map(entry).collect::<Vec<_>>().iter().collect())));
    happen(&mut app, Event::Indexed(Box::default()));
    app.regions.list_height = 9;
    let loaded = |effects: Vec<Effect>| {
        effects.into_iter().find_map(|effect| match effect {
            Effect::Load(wanted) => Some(wanted),
            _ => None,
        })
    };
    let first = loaded(app.settle()).unwrap();
    assert_eq!(first.len(), 3, "a screen of large calls is read by and by, the selected one at once");
    assert_eq!(loaded(app.settle()), None);
    happen(&mut app, Event::Loaded(vec![(first[0], Err("torn".to_owned()))]));
    assert_eq!(loaded(app.settle()), None);
    happen(&mut app, Event::Loaded(vec![(first[1], Err("torn".to_owned()))]));
    assert_eq!(loaded(app.settle()).unwrap().len(), 1);
}

#[test]
fn a_filter_that_is_no_longer_understood_is_dropped_and_that_is_said() {
    let mut app = app();
    recorded(&mut app, &call("/a"));
    press(&mut app, "/path:/b<enter>");
    assert_eq!(app.calls.len(), 0);
    assert_eq!(app.filter_again("@gone"), []);
    assert_eq!((app.calls.filter_text(), app.calls.len()), ("", 1));
    assert!(app.notice.as_ref().unwrap().text.starts_with("the filter @gone is dropped: "));
}

#[test]
fn what_is_copied_is_the_call_that_it_was_asked_for() {
    let mut app = app();
    let with = |body: &'static str| {
        let mut call = call("/");
        call.request.body = body.into();
        call
    };
    recorded(&mut app, &with("first"));
    app.settle();
    press(&mut app, "y");
    recorded(&mut app, &with("second"));
    app.settle();
    assert_eq!(app.update(Event::Key(script("b").unwrap()[0]), Timestamp::UNIX_EPOCH), [Effect::Copy("first".into())]);
    app.settle();
    assert_eq!((app.calls.selected(), app.calls.follow), (Some(1), true), "then the newest is followed again");
}

#[test]
fn a_filter_that_fails_late_takes_no_keys_that_are_meant_for_something_else() {
    for (meanwhile, asks) in [("", true), ("e", false), ("L", false), ("j", false)] {
        let mut app = app();
        let mut call = call("/");
        call.request.body = r#"{"a":1}"#.into();
        recorded(&mut app, &call);
        app.settle();
        for (second, key) in script(&format!("2|.a<enter>{meanwhile}")).unwrap().into_iter().enumerate() {
            app.update(Event::Key(key), Timestamp::from_second(i64::try_from(second).unwrap()).unwrap());
        }
        let ticket = app.jq.running.unwrap().ticket;
        happen(&mut app, Event::Filtered { ticket, result: Err("too slow".to_owned()) });
        assert_eq!(matches!(app.dialogs.last(), Some(Dialog::Prompt(_))), asks, "{meanwhile:?}");
        assert!(asks || app.notice.as_ref().unwrap().text.starts_with("the filter .a failed: too slow"));
    }
}

#[test]
fn what_was_worked_out_before_masking_is_not_shown_after_it() {
    for size in [0, bodies::LARGE] {
        let mut app = app();
        let mut call = call("/");
        call.request.body = format!(r#"{{"token":"t0p","rest":"{}"}}"#, "x".repeat(size)).into();
        recorded(&mut app, &call);
        let prepared = |effects: Vec<Effect>| {
            effects.into_iter().find_map(|effect| match effect {
                Effect::Prepare(job) => Some(Event::Prepared(Box::new(job.run()))),
                _ => None,
            })
        };
        let late = prepared(app.settle());
        assert_eq!(late.is_some(), size > 0, "a large call is worked out aside");
        if late.is_none() {
            press(&mut app, "2<enter>|.token<enter>");
        }
        let asked = app.jq.running;
        press(&mut app, "*");
        let masked = prepared(app.settle());
        if let Some(late) = late {
            happen(&mut app, late);
        }
        if let Some(ticket) = asked.map(|filtering| filtering.ticket) {
            happen(&mut app, Event::Filtered { ticket, result: Ok("\"t0p\"".to_owned()) });
        }
        assert!(app.shown.as_ref().is_none_or(|shown| shown.is_masked() && shown.filtered.is_none()), "{size}");
        if let Some(masked) = masked {
            happen(&mut app, masked);
        }
        assert!(app.shown.as_ref().is_some_and(Shown::is_masked), "{size}");
    }
}

#[test]
fn a_mask_that_does_not_cover_what_is_edited_says_so() {
    let mut app = app();
    let mut call = call("/");
    call.request.body = r#"{"password":"hunter2"}"#.into();
    recorded(&mut app, &call);
    let told = |app: &mut App, keys: &str| {
        for key in script(keys).unwrap() {
            app.settle();
            happen(app, Event::Key(key));
        }
        app.notice.as_ref().map(|notice| notice.text.clone()).unwrap_or_default()
    };
    assert!(told(&mut app, "*").contains("are masked;"));
    told(&mut app, "*e<esc>");
    assert!(app.draft.is_some());
    assert!(told(&mut app, "*").contains("nothing of it is masked"));
    assert!(told(&mut app, "*").contains("as they are"));
}

#[test]
fn a_typed_address_is_guarded_where_a_guarded_target_is() {
    let mut app = app();
    app.choose(Target { guard: true, ..Target::new("staging", "http://127.0.0.1:1/hooks/{kind}") });
    app.choose(Target { guard: true, ..Target::new("production", "https://api.example.com/hooks") });
    let here = ["127.0.0.1:1", "http://127.0.0.1:1/x", "localhost:1", "LOCALHOST.:1", "[::1]:1", "https://[::]:1"];
    let there = ["https://api.example.com:443", "http://api.example.com", "http://API.example.com.:80/x"];
    for address in here.into_iter().chain(there) {
        let number = app.add_target(address).unwrap();
        assert!(app.targets[number].guard, "{address}");
    }
    for address in [":2", "http://10.0.0.1:1", "https://api.example.com:8443", "https://www.example.com"] {
        let number = app.add_target(address).unwrap();
        assert!(!app.targets[number].guard, "{address}");
    }
}
