use super::*;
use crate::call::{Request, Response};
use crate::recording::{Place, View};

/// A call of `kind`, whose body and response have these contexts.
fn call(kind: &str, second: i64, body: &str, response: &str) -> Arc<Call> {
    Arc::new(Call {
        kind: Some(kind.into()),
        conversation: Some("c".into()),
        sig: Some(Sig::Valid),
        response: Some(Response { status: 200, body: response.to_owned().into(), ..Response::default() }),
        ..Call::new(
            Id::fresh(),
            Direction::Received,
            Timestamp::from_second(second).unwrap(),
            Request { body: body.to_owned().into(), ..Request::default() },
        )
    })
}

fn gathered(calls: &[Arc<Call>]) -> Conversation {
    let platforms = Platforms::builtin().unwrap();
    let (mut index, mut cache) = (Index::new(), Cache::default());
    for (number, call) in calls.iter().enumerate() {
        index.push(&View::of(call, Place { offset: number as u64, len: 1 }));
        cache.put(number, Ok(call.clone()));
    }
    let mut conversation = Conversation::of(&index, 0).unwrap();
    assert_eq!(conversation.follow(&index, &cache, &platforms), []);
    conversation.settle(&platforms, |_| None, Timestamp::from_second(1_000).unwrap());
    conversation
}

fn told(conversation: &Conversation, number: usize) -> &Told {
    conversation.call(number).unwrap().as_ref().unwrap()
}

#[test]
fn a_turn_is_what_was_said_and_the_calls_made_for_it() {
    let said =
        |kind: &str, second, text: &str| call(kind, second, &format!(r#"{{"input":{{"text":"{text}"}}}}"#), "{}");
    let conversation = gathered(&[
        said("moveo/pre_message", 0, "Hi"),
        said("moveo/dialog", 0, "Hi"),
        said("moveo/dialog", 0, "Hi"),
        call("moveo/auth_pre_enter", 1, "{}", "{}"),
        said("moveo/pre_message", 20, "yes"),
        said("moveo/pre_message", 40, "yes"),
    ]);
    let turns: Vec<(Option<&str>, &[usize])> =
        conversation.turns.iter().map(|turn| (turn.said.as_deref(), &turn.calls[..])).collect();
    assert_eq!(turns, [(Some("Hi"), &[0, 1, 2, 3][..]), (Some("yes"), &[4]), (Some("yes"), &[5])]);
}

#[test]
fn a_change_of_the_context_names_the_response_that_brought_it() {
    let conversation = gathered(&[
        call("moveo/auth_pre_enter", 1, r#"{"context":{"a":1}}"#, r#"{"output":{"name":"Zoë"}}"#),
        call("moveo/dialog", 2, r#"{"context":{"a":1,"name":"Zoë"}}"#, r#"{"context":{"state":"paid"}}"#),
        call("moveo/post_message", 3, r#"{"context":{"name":"Zoë","state":"paid","x":0}}"#, "{}"),
    ]);
    assert_eq!(told(&conversation, 0).changes, [], "nothing stood before the first");
    let [name] = &told(&conversation, 1).changes[..] else { panic!("one variable is new") };
    assert_eq!((&*name.pointer, &name.how), ("/name", &crate::app::changes::How::Added));
    assert_eq!(name.because.as_ref().unwrap().0, "moveo/auth_pre_enter");
    let because: Vec<_> = told(&conversation, 2)
        .changes
        .iter()
        .map(|change| (&*change.pointer, change.because.as_ref().map(|(kind, _)| &**kind)))
        .collect();
    assert_eq!(because, [("/state", Some("moveo/dialog")), ("/x", None), ("/a", None)]);
}

#[test]
fn a_long_conversation_is_shown_around_the_call_it_is_opened_at_and_grows_at_its_end() {
    let platforms = Platforms::builtin().unwrap();
    let mut index = Index::new();
    let calls: Vec<_> = (0..1_000).map(|second| call("moveo/dialog", second, "{}", "{}")).collect();
    let push = |index: &mut Index, number: usize| {
        index.push(&View::of(&calls[number], Place { offset: number as u64, len: 1 }));
    };
    (0..900).for_each(|number| push(&mut index, number));
    let middle = Conversation::of(&index, 500).unwrap();
    assert_eq!(
        (middle.numbers().next(), middle.numbers().next_back(), middle.cut),
        (Some(300), Some(700), (true, true))
    );
    let mut end = Conversation::of(&index, 899).unwrap();
    let cache = Cache::default();
    assert_eq!(end.follow(&index, &cache, &platforms).len(), 201);
    push(&mut index, 900);
    assert_eq!(end.follow(&index, &cache, &platforms), [Wanted::of(&index, 900).unwrap()]);
    assert_eq!(end.follow(&index, &cache, &platforms), [], "what is being read is not asked for again");
    end.step(isize::MAX);
    assert_eq!(end.cursor, 900);
    (901..1000).for_each(|number| push(&mut index, number));
    end.point(900);
    end.follow(&index, &cache, &platforms);
    end.point(999);
    assert_eq!((end.numbers().next(), end.numbers().count(), end.cut), (Some(799), 201, (true, false)));
    end.loaded(900, &Err("torn".into()), &platforms);
    assert!(end.call(900).unwrap().is_err());
}
