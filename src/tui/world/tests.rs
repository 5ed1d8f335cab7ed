use jiff::Timestamp;

use super::*;
use crate::app::tests::{app, call};
use crate::call::{Call, Id, Request};
use crate::net::responder::{Parting, Stage};
use crate::recording::Recorded;
use crate::recording::backlog::backlog;

#[test]
fn a_call_that_waits_no_more_is_not_kept_for_who_hears_of_it_late() {
    let held = Arc::new(Held {
        id: Id::fresh(),
        at: Timestamp::UNIX_EPOCH,
        until: Timestamp::UNIX_EPOCH,
        kind: None,
        sig: None,
        request: Request::default(),
        stage: Stage::Forward("app".into()),
    });
    let told = || [Told::Held(held.clone()), Told::Gone(held.id, Parting::TimeUp)].map(Message::from);
    assert_eq!(told().map(|message| message.event().is_some()), [true, true]);
    let late = told();
    let (weight, gone) = (Arc::downgrade(&held), Event::Responding(Told::Gone(held.id, Parting::TimeUp)));
    drop(held);
    assert_eq!(weight.strong_count(), 0);
    assert_eq!(late.map(Message::event), [None, Some(gone)]);
}

#[tokio::test]
async fn of_what_waits_only_the_newest_is_done() {
    let (events, mut told) = tokio::sync::mpsc::unbounded_channel();
    let (newest, count) = (Newest::default(), Arc::default());
    let under_way = newest.one.clone().lock_owned().await;
    for number in 1..=3 {
        let told = |number: u8| Event::Told(Notice::info(number.to_string()));
        newest.ask(number, Busy::new(&count), events.clone(), told);
    }
    assert_eq!(count.load(Ordering::SeqCst), 1);
    drop(under_way);
    drop(events);
    let last = told.recv().await.and_then(Message::event);
    assert_eq!(last, Some(Event::Told(Notice::info("3"))));
    assert!(told.recv().await.is_none());
}

#[tokio::test]
async fn only_the_verdict_that_is_looked_at_is_explained() {
    let mut app = app();
    let mut update = |event| -> Vec<Effect> {
        let effects = app.update(event, Timestamp::UNIX_EPOCH);
        effects.into_iter().chain(app.settle()).collect()
    };
    let mut questions = Vec::new();
    update(Event::Key(crate::app::keys::parse("4").unwrap()));
    for offset in [100, 200, 300] {
        let mut large = Call { kind: Some("moveo/dialog".into()), ..call("/") };
        large.request.body = vec![b' '; 1 << 20].into();
        let mut effects = update(Event::Recorded(Recorded::Call(Arc::new(large), Place { offset, len: 99 })));
        while let Some(effect) = effects.pop() {
            match effect {
                Effect::Prepare(job) => effects.extend(update(Event::Prepared(Box::new(job.run())))),
                Effect::Explain(question) => questions.push(question),
                _ => {}
            }
        }
    }
    let [first, passed_by, last] = <[Box<_>; 3]>::try_from(questions).unwrap();

    let (events, mut messages) = tokio::sync::mpsc::unbounded_channel();
    let sender = Sender::new(app.setup.platforms.clone(), app.setup.keyring.clone());
    let world = World::new(events, Tape::resting("tape.jsonl".into(), backlog().0), sender, Vec::new());
    let under_way = world.explaining.one.clone().lock_owned().await;
    for question in [&first, &passed_by, &last] {
        world.perform(Effect::Explain(question.clone()));
    }
    assert_eq!(world.busy().load(Ordering::SeqCst), 1, "what is asked before is let go at once");
    drop(under_way);
    let mut answered = async || match messages.recv().await.unwrap().event() {
        Some(Event::Explained(answer)) => answer.0,
        other => panic!("{other:?}"),
    };
    assert_eq!(answered().await, *last);
    world.perform(Effect::Explain(first.clone()));
    assert_eq!(answered().await, *first, "and then the next");
}
