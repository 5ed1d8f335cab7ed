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

#[test]
fn of_large_calls_as_many_are_read_as_there_is_room_for_and_not_all_at_a_time() {
    let platforms = Platforms::builtin().unwrap();
    let (mut index, cache) = (Index::new(), Cache::default());
    let each = MOST_BYTES / 8;
    let calls: Vec<_> = (0..41).map(|second| call("moveo/dialog", second, "{}", "{}")).collect();
    let push = |index: &mut Index, number: usize| {
        let place = Place { offset: number as u64 * each, len: u32::try_from(each).unwrap() };
        index.push(&View::of(&calls[number], place));
    };
    (0..40).for_each(|number| push(&mut index, number));
    let mut middle = Conversation::of(&index, 20).unwrap();
    assert_eq!((middle.numbers().collect::<Vec<_>>(), middle.cut), ((12..=28).collect(), (true, true)));
    let mut asked = Vec::new();
    while middle.calls.values().any(|slot| matches!(slot.state, State::New)) {
        let wanted = middle.follow(&index, &cache, &platforms);
        assert_eq!(wanted.iter().map(|wanted| u64::from(wanted.place.len)).sum::<u64>(), MOST_ASKED);
        assert_eq!(middle.follow(&index, &cache, &platforms), [], "those are on their way");
        for wanted in wanted {
            middle.loaded(wanted.number, &Ok(calls[wanted.number].clone()), &platforms);
            asked.push(wanted.number.abs_diff(20));
        }
        if asked.len() == 16 {
            break;
        }
    }
    assert!(asked.is_sorted(), "those that are looked at come first: {asked:?}");

    let mut end = Conversation::of(&index, 39).unwrap();
    push(&mut index, 40);
    end.follow(&index, &cache, &platforms);
    end.point(40);
    assert_eq!((end.numbers().collect::<Vec<_>>(), end.cut), ((32..=40).collect(), (true, false)));
}

#[test]
fn of_long_values_the_beginning_is_kept_and_what_tells_them_apart() {
    let long = "x".repeat(9_000);
    let said =
        |end: &str| format!(r#"{{"input":{{"text":"{long}{end}"}},"context":{{"v":"{long}{end}","{long}":1}}}}"#);
    let conversation = gathered(&[
        call("moveo/dialog", 1, &said("a"), &format!(r#"{{"w":{{"v":"{long}b"}}}}"#)),
        call("moveo/dialog", 2, &said("b"), "{}"),
        call("moveo/dialog", 3, &said("b"), "{}"),
    ]);
    assert_eq!(conversation.turns.iter().map(|turn| &turn.calls[..]).collect::<Vec<_>>(), [&[0][..], &[1, 2]]);
    let [change] = &told(&conversation, 1).changes[..] else { panic!("one value is another") };
    assert_eq!((&*change.pointer, change.because.is_some()), ("/v", true));
    assert!(change.value.len() < 2 * VALUE);
    assert!(told(&conversation, 2).changes.is_empty());
    let kept = |told: &Told| {
        told.brought.iter().chain(told.context.iter().flatten()).map(|(at, v)| at.len() + v.len()).sum::<usize>()
    };
    let bytes: usize = (0..3).map(|number| kept(told(&conversation, number))).sum();
    assert!(bytes < 9 * VALUE, "{bytes}");
}

#[test]
fn what_calls_that_are_not_shown_may_have_done_to_a_page_is_not_said() {
    let callback = |second| call("jelou/webview_callback", second, r#"{"executionId":"c","success":true}"#, "{}");
    let calls: Vec<_> = (0..300).map(callback).collect();
    let conversation = gathered(&calls);
    assert_eq!(conversation.cut, (false, true));
    assert!(!conversation.is_partial(&conversation.waits[0]));
    let mut cut = conversation;
    cut.point(calls.len() - 1);
    assert!(cut.cut.0 && cut.is_partial(&cut.waits[0]));
}
