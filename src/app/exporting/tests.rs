use super::*;
use crate::app::event::{Event, Level};
use crate::app::keys::script;
use crate::app::tests::{app, call, happen, recorded};
use crate::call::{Call, Id};
use crate::recording::{Annotation, Change, Mark};

/// Calls 0 to 4, of conversations `a` and `b` by turns; 1 is marked, 3 deleted.
fn recorded_app() -> App {
    let mut app = app();
    let mut ids: Vec<Id> = Vec::new();
    for (number, talk) in ["a", "b", "a", "b", "a"].into_iter().enumerate() {
        let call = Call { conversation: Some(talk.to_owned()), ..call(&format!("/{number}")) };
        recorded(&mut app, &call);
        ids.push(call.id);
    }
    for (offset, call, change) in
        [(9_000, ids[1], Change::Mark(Some(Mark::default()))), (9_100, ids[3], Change::Delete(true))]
    {
        let said = Annotation { call, at: app.now, change };
        happen(&mut app, Event::Annotated(vec![(offset, said)]));
    }
    app
}

fn press(app: &mut App, keys: &str) -> Vec<Effect> {
    script(keys).unwrap().into_iter().flat_map(|key| happen(app, Event::Key(key))).collect()
}

fn job(mut effects: Vec<Effect>) -> Job {
    match (effects.pop(), &effects[..]) {
        (Some(Effect::Export(job)), []) => *job,
        other => panic!("no export: {other:?}"),
    }
}

fn options(app: &App) -> &Options {
    match app.dialogs.last() {
        Some(Dialog::Panel(Panel::Export(options))) => options,
        other => panic!("no options: {other:?}"),
    }
}

#[test]
fn calls_are_chosen_of_those_that_there_are() {
    for (filter, keys, words, wanted) in [
        ("", "gx", "the marked calls", &[1_usize][..]),
        ("", "gxl", "the whole recording", &[0, 1, 2, 4]),
        ("", "gxll", "this call", &[0]),
        ("", "gxlll", "this call's conversation", &[0, 2, 4]),
        ("", "g<enter>x", "this call", &[0]),
        ("path:/4", "xl", "the calls the filter shows", &[4]),
        ("deleted", "xl", "the calls the filter shows", &[3]),
        ("deleted", "xh", "this call", &[3]),
    ] {
        let mut app = recorded_app();
        app.filter_again(filter);
        assert_eq!(press(&mut app, keys), []);
        assert_eq!((options(&app).which.words(), options(&app).count()), (words, wanted.len()), "{keys}");
        let job = job(press(&mut app, "<enter>"));
        let views = wanted.iter().filter_map(|row| app.index.view(*row));
        assert_eq!(job.calls, views.map(|view| (view.id, view.place)).collect::<Vec<_>>(), "{keys}");
        assert!(job.reporter.redaction.is_some() && !job.replace);
    }
}

#[test]
fn form_masking_and_file_are_chosen_and_the_name_goes_along() {
    let mut app = recorded_app();
    press(&mut app, "x");
    assert_eq!(options(&app).file, "hooktape-19700101-000000.har");
    let all = Format::ALL.map(|_| {
        press(&mut app, "jl");
        press(&mut app, "k");
        (options(&app).form, options(&app).file.rsplit('.').next().unwrap().to_owned())
    });
    assert!(Format::ALL.iter().all(|form| all.contains(&(*form, form.extension().to_owned()))), "{all:?}");
    let first = job(press(&mut app, "jjlje<ctrl-a><ctrl-k>my.har.gz<enter>kkll<enter>"));
    assert_eq!((first.file.as_str(), first.form.word()), ("my.har.gz", "http"), "another ending stays");
    assert!(first.reporter.redaction.is_none());
}

#[test]
fn what_cannot_begin_says_why_where_it_was_asked() {
    let mut app = recorded_app();
    assert_eq!(press(&mut app, "xe<ctrl-a><ctrl-k><enter><enter>"), []);
    assert!(options(&app).error.as_deref().unwrap().contains("no name"), "{:?}", options(&app));
    let mut app = recorded_app();
    app.filter_again("body:x");
    let search = app.calls.filter.as_ref().unwrap().search;
    happen(&mut app, Event::Found { search, hits: vec![0], scanned: 1, finished: false });
    assert_eq!(press(&mut app, "xl<enter>"), []);
    assert!(options(&app).error.as_deref().unwrap().contains("still looking"));
    happen(&mut app, Event::Found { search, hits: vec![2], scanned: 5, finished: true });
    assert_eq!(job(press(&mut app, "<enter>")).calls.len(), 2);
    let mut app = recorded_app();
    app.redaction = None;
    assert_eq!(press(&mut app, "x<enter>"), []);
    assert!(options(&app).error.as_deref().unwrap().contains("[redact]"));
    assert_eq!(press(&mut app, "jjl<enter>").len(), 1, "unmasked it leaves all the same");
    let mut app = recorded_app();
    happen(&mut app, Event::Reading { done: 1, total: 2 });
    assert_eq!(press(&mut app, "x"), []);
    assert!(app.dialogs.is_empty() && app.notice.as_ref().unwrap().text.contains("still being read"));
    let mut app = self::app();
    assert_eq!(press(&mut app, "x"), []);
    assert!(app.dialogs.is_empty() && app.notice.is_some());
}

#[test]
fn a_filter_that_is_gone_is_not_taken_for_the_whole_recording() {
    let mut app = recorded_app();
    app.filter_again("path:/4");
    press(&mut app, "xl");
    app.unfilter();
    assert_eq!(press(&mut app, "<enter>"), []);
    assert!(options(&app).error.as_deref().unwrap().contains("no filter any more"));
}

#[test]
fn a_file_that_is_there_is_replaced_only_if_that_is_wanted() {
    for (answer, replaced) in [("y", true), ("n", false), ("<esc>", false), ("<enter>", false)] {
        let mut app = recorded_app();
        let first = job(press(&mut app, "x<enter>"));
        let ticket = first.ticket;
        happen(&mut app, Event::Exported { ticket, progress: Progress::Taken(Box::new(first), 12) });
        let [Dialog::Question(asked)] = &app.dialogs[..] else { panic!("{:?}", app.dialogs) };
        assert!(asked.text.ends_with("is there already, 12 bytes. Replace it?"), "{}", asked.text);
        let effects = press(&mut app, answer);
        if replaced {
            assert!(job(effects).replace && app.export.is_some());
        } else {
            assert_eq!((effects, app.export.is_some(), options(&app).masked), (vec![], false, true), "{answer}");
        }
    }
}

#[test]
fn an_export_is_told_cancelled_and_left_alone_by_its_ticket() {
    let mut app = recorded_app();
    let ticket = job(press(&mut app, "xl<enter>")).ticket;
    happen(&mut app, Event::Exported { ticket: ticket + 1, progress: Progress::Ended(Ended::Cancelled) });
    happen(&mut app, Event::Exported { ticket, progress: Progress::Written(3) });
    let export = app.export.as_ref().unwrap();
    assert_eq!((export.done, export.total, export.percent()), (3, 4, 75));
    assert_eq!(press(&mut app, "<enter>j"), [], "meanwhile other things are done");
    assert!(app.dialogs.is_empty() && app.export.is_some());
    assert_eq!(press(&mut app, "x<esc>"), [Effect::CancelExport { ticket }], "x comes back to it");
    assert_eq!(press(&mut app, "<esc>x"), [], "once is enough");
    happen(&mut app, Event::Exported { ticket, progress: Progress::Ended(Ended::Cancelled) });
    assert!(app.dialogs.is_empty() && app.export.is_none());
    assert!(app.notice.as_ref().unwrap().text.contains("nothing was written"));
}

#[test]
fn in_the_end_it_is_said_what_came_of_it() {
    let end = |keys: &str, ended: Ended| {
        let mut app = recorded_app();
        let ticket = job(press(&mut app, keys)).ticket;
        happen(&mut app, Event::Exported { ticket, progress: Progress::Ended(ended) });
        app
    };
    let whole = |unread| Ended::Whole { calls: 1, bytes: 2048, unread };
    let app = end("xlj<enter>", whole(None));
    let told = app.notice.as_ref().unwrap();
    assert_eq!(told.text, "exported 1 call to hooktape-19700101-000000.har, 2.0 KiB, masked");
    assert!(app.dialogs.is_empty() && told.level == Level::Info);
    let app = end("xjjl<enter>", whole(Some((3, "torn".to_owned()))));
    let told = app.notice.as_ref().unwrap();
    assert!(
        told.text.ends_with("2.0 KiB, not masked: keep it to yourself; 3 could not be read: torn"),
        "{}",
        told.text
    );
    assert_eq!(told.level, Level::Warning);
    let app = end("x<enter>", Ended::Failed("the disk is full".to_owned()));
    assert_eq!(options(&app).error.as_deref(), Some("the disk is full"));
    assert!(app.log.last().unwrap().1.text.contains("not exported: the disk is full"));
    let app = end("x<enter><enter>", Ended::Failed("the disk is full".to_owned()));
    assert!(app.dialogs.is_empty() && app.notice.as_ref().unwrap().level == Level::Error, "nobody waits for it");
}

#[test]
fn calls_that_come_or_go_while_it_is_asked_which_are_counted() {
    let mut app = recorded_app();
    press(&mut app, "gxl");
    let counted = |app: &mut App| {
        app.settle();
        (options(app).which.words(), options(app).count())
    };
    assert_eq!(counted(&mut app), ("the whole recording", 4));
    recorded(&mut app, &call("/5"));
    assert_eq!(counted(&mut app), ("the whole recording", 5));
    press(&mut app, "h");
    assert_eq!(counted(&mut app), ("the marked calls", 1));
    let (reason, aside) = ("it has reached its size".to_owned(), None);
    happen(&mut app, Event::Recorded(crate::recording::Recorded::Reopened { reason, kept: 0, aside }));
    assert_eq!(counted(&mut app), ("the marked calls", 0));
    recorded(&mut app, &call("/6"));
    app.settle();
    press(&mut app, "l");
    assert_eq!(counted(&mut app), ("the whole recording", 1));
}
