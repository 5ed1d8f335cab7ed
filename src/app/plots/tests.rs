use proptest::prelude::*;

use super::*;
use crate::app::event::Event;
use crate::app::keys::script;
use crate::app::tests::{app, call, happen, recorded};

fn span(took_us: u64) -> Span {
    Span { calls: 1, errors: took_us % 2, unproven: 0, took_us, slowest_us: took_us, first: None }
}

proptest! {
    #[test]
    fn a_timeline_loses_nothing_and_keeps_its_size(calls in prop::collection::vec((-5_000_000_000_i64..5_000_000_000, 0_u64..99), 1..200), width in 1_usize..300) {
        let mut timeline = Timeline::default();
        let mut sum = Span::default();
        for (at, took) in &calls {
            timeline.add(*at, &span(*took));
            sum.add(&span(*took));
        }
        prop_assert!(timeline.spans.len() <= MOST);
        let columns = timeline.columns(width);
        prop_assert!(columns.len() <= width);
        let mut again = Span::default();
        for (_, _, span) in &columns {
            again.add(span);
        }
        prop_assert_eq!(again, sum);
        // One stands where the other ends, and each call in the one of its time.
        prop_assert!(columns.windows(2).all(|pair| pair[0].0 + pair[0].1 == pair[1].0));
        for (begin, length, span) in &columns {
            let inside = calls.iter().filter(|(at, _)| (*begin..begin + length).contains(at)).count();
            prop_assert_eq!(span.calls, inside as u64);
        }
    }
}

fn press(app: &mut App, keys: &str) {
    for key in script(keys).unwrap() {
        happen(app, Event::Key(key));
        app.settle();
    }
}

/// Calls a second apart: the third failed, the fifth has no signature, of the seventh the answer is not known, each takes a millisecond more than the one before.
fn some() -> App {
    let mut app = app();
    for number in 0..8 {
        let mut call = call("/x");
        call.at = jiff::Timestamp::from_second(number).unwrap();
        call.took = std::time::Duration::from_millis(u64::try_from(number).unwrap() + 1);
        call.kind = Some(if number < 6 { "moveo/dialog" } else { "moveo/pre_message" }.to_owned());
        call.sig = (number == 4).then_some(Sig::Missing);
        if matches!(number, 2 | 6) {
            call.response = None;
        }
        call.error = (number == 2).then(|| "refused".to_owned());
        recorded(&mut app, &call);
    }
    press(&mut app, "g");
    app
}

#[test]
fn jumps_go_on_from_the_other_end_and_say_so() {
    let mut app = some();
    for (keys, row) in [(">", 2), (">", 2), ("}", 4), ("<lt>", 2), ("G}", 4), ("g{", 4), ("g)", 7)] {
        press(&mut app, keys);
        assert_eq!(app.calls.row(), row, "{keys}");
    }
    assert!(app.notice.as_ref().unwrap().text.contains("this one took longest"));
    press(&mut app, "g>>");
    assert!(app.notice.as_ref().unwrap().text.contains("the only"));
}

#[test]
fn a_slow_call_is_one_that_takes_as_long_as_the_configuration_says() {
    let mut app = some();
    let mut config = (*app.setup.config).clone();
    config.screen.slow = std::time::Duration::from_millis(7);
    app.setup.config = std::sync::Arc::new(config);
    for (keys, row) in [(")", 6), (")", 7), (")", 6), ("(", 7)] {
        press(&mut app, keys);
        assert_eq!(app.calls.row(), row, "{keys}");
    }
}

#[test]
fn the_panel_counts_by_kind_and_walks_in_time() {
    let mut app = some();
    assert_eq!(app.plots.seen, 0, "nothing is counted while nobody looks");
    press(&mut app, "Z");
    assert_eq!(app.plots.seen, 8);
    assert_eq!(app.plots.groups.len(), 2);
    let dialog = &app.plots.groups[0];
    assert_eq!((dialog.sum.calls, dialog.sum.errors, dialog.sum.unproven), (6, 1, 1));
    let Latencies { p50_us, max_us, .. } = dialog.latencies;
    assert!(p50_us.abs_diff(3_000) < 10 && max_us.abs_diff(6_000) < 10, "{p50_us} {max_us}");
    app.regions.plot_width = 8;
    press(&mut app, "lll");
    assert_eq!(app.calls.row(), 3);
    press(&mut app, "hj>");
    assert_eq!(app.calls.row(), 2);
    press(&mut app, "<enter>");
    assert!(app.dialogs.is_empty() && app.focus == Focus::Detail);
}

#[test]
fn kinds_that_are_too_many_are_counted_together() {
    let mut app = app();
    for number in 0..MOST_KINDS + 50 {
        recorded(&mut app, &crate::call::Call { kind: Some(format!("x/{number}")), ..call("/x") });
    }
    press(&mut app, "Z");
    let further = app.plots.groups.iter().find(|group| group.kind.as_deref() == Some(FURTHER)).unwrap();
    assert_eq!((app.plots.groups.len(), further.sum.calls), (MOST_KINDS + 1, 50));
}

#[test]
fn a_long_recording_is_counted_a_part_at_a_time() {
    let mut app = some();
    let part = app.index.clone();
    while app.index.len() <= 2 * PART {
        for _ in 0..1000 {
            app.index.append(&part);
        }
    }
    app.calls.total = app.index.len();
    happen(&mut app, Event::Key(script("Z").unwrap()[0]));
    for seen in [PART, 2 * PART] {
        assert!(app.settle().contains(&Effect::GoOn));
        assert_eq!(app.plots.seen, seen);
    }
    assert!(!app.settle().contains(&Effect::GoOn));
    assert_eq!(app.plots.sum().calls, app.index.len() as u64);
}
