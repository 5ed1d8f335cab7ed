use std::cell::RefCell;

use rstest::rstest;

use super::*;
use crate::call::{Direction, Id, Response};

fn plan(pace: Pace, stop_on_failure: bool) -> Plan {
    Plan {
        target: Target::new("x", "http://127.0.0.1:1"),
        mode: SignMode::Exact,
        changes: Vec::new(),
        pace,
        stop_on_failure,
    }
}

/// A received call whose body is its number.
fn call(number: u16) -> Call {
    Call {
        id: Id::fresh(),
        at: "2026-11-21T10:02:11Z".parse().unwrap(),
        direction: Direction::Received,
        kind: None,
        conversation: None,
        sig: None,
        took: Duration::ZERO,
        parent: None,
        error: None,
        forwarded: None,
        request: Request { method: "POST".into(), body: number.to_string().into(), ..Request::default() },
        response: None,
    }
}

/// Sends calls to an endpoint that answers each with the status in its body, and tells which were sent.
async fn replayed(statuses: &[u16], stop_on_failure: bool) -> (Result<Tally, String>, Vec<u16>) {
    let plan = plan(Pace::Asap, stop_on_failure);
    let platforms = Platforms::builtin().unwrap();
    let keyring = Keyring::new(crate::config::Secrets::default());
    let sent = RefCell::new(Vec::new());
    let calls: Vec<Call> = statuses.iter().map(|status| call(*status)).collect();
    let result = run(
        &plan,
        calls.iter().cloned().map(Ok),
        |call| plan.outgoing(call, &platforms, &keyring, None),
        |outgoing| {
            let status = std::str::from_utf8(&outgoing.request.body).unwrap().parse().unwrap();
            let response = (status > 0).then(|| Response { status, ..Response::default() });
            std::future::ready(Ok(Arc::new(Call { parent: outgoing.parent, response, ..call(status) })))
        },
        |original, answer| {
            assert_eq!(answer.parent, Some(original.id));
            sent.borrow_mut().push(answer.status().unwrap_or(0));
        },
    )
    .await;
    (result, sent.into_inner())
}

#[rstest]
#[case(&[], false, (0, 0), &[])]
#[case(&[200, 500, 0, 204, 302], false, (2, 3), &[200, 500, 0, 204, 302])]
#[case(&[200, 500, 200], true, (1, 1), &[200, 500])]
#[tokio::test]
async fn calls_go_out_in_order_and_are_counted(
    #[case] statuses: &[u16],
    #[case] stop: bool,
    #[case] (fine, failed): (u64, u64),
    #[case] expected: &[u16],
) {
    let (result, sent) = replayed(statuses, stop).await;
    assert_eq!(result, Ok(Tally { fine, failed }));
    assert_eq!(sent, expected);
}

#[tokio::test]
async fn a_call_that_cannot_be_read_or_recorded_ends_it() {
    let plan = plan(Pace::Asap, false);
    let never = |_: &Call| -> Result<Outgoing, String> { Err("cannot prepare".into()) };
    let send = |_| std::future::ready(Err("cannot record".to_owned()));
    let unread = [Err("cannot read".to_owned())];
    assert_eq!(run(&plan, unread.into_iter(), never, send, |_, _| {}).await, Err("cannot read".into()));
    assert_eq!(run(&plan, [Ok(call(1))].into_iter(), never, send, |_, _| {}).await, Err("cannot prepare".into()));
}

#[test]
fn a_pace_is_a_word_or_a_factor() {
    assert_eq!("asap".parse(), Ok(Pace::Asap));
    assert_eq!("original".parse(), Ok(Pace::Original(1.0)));
    assert_eq!("2x".parse(), Ok(Pace::Original(2.0)));
    for wrong in ["0x", "-1x", "fast", "x", "NaNx", "infx"] {
        assert!(wrong.parse::<Pace>().is_err(), "{wrong}");
    }
}

#[rstest]
#[case(Pace::Asap, Duration::ZERO)]
#[case(Pace::Original(1.0), Duration::from_secs(10))]
#[case(Pace::Original(4.0), Duration::from_millis(2500))]
#[case(Pace::Original(f64::MIN_POSITIVE), LONGEST)]
#[case(Pace::Original(f64::MAX), Duration::ZERO)]
fn a_delay_is_the_recorded_one_by_the_factor(#[case] pace: Pace, #[case] expected: Duration) {
    assert_eq!(plan(pace, false).delay(Duration::from_secs(10)), expected);
    assert_eq!(plan(pace, false).delay(Duration::ZERO), Duration::ZERO);
}

#[test]
fn a_change_is_json_or_a_string() {
    let change: Change = "/input/text=hello".parse().unwrap();
    assert_eq!(change.value, "\"hello\"");
    let change: Change = "/a=[1, 2]".parse().unwrap();
    assert_eq!((change.pointer.as_str(), change.value.as_str()), ("/a", "[1, 2]"));
    assert!("input=1".parse::<Change>().is_err());
}

#[test]
fn changing_leaves_every_other_byte() {
    let body = br#"{"a": 1e3,  "b":"x"}"#.to_vec();
    let mut request = Request { body: body.into(), ..Request::default() };
    change(&mut request, &["/b=y".parse().unwrap()]).unwrap();
    assert_eq!(request.body, r#"{"a": 1e3,  "b":"y"}"#);
}
