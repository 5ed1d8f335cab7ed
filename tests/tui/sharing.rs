//! What is copied, and what is masked.

use crate::support::{Ended, Stage, repository};
use hooktape::app::shown::Shown;

async fn typed(script: &str) -> Ended {
    Stage::size(100, 30).open(&repository("recordings/moveo.jsonl"), script).await
}

#[tokio::test]
async fn the_menu_copies_what_its_letter_says() {
    let text = |ended: Ended| ended.copied.into_iter().next().unwrap();
    assert!(text(typed("gjjjjyb").await).starts_with(r#"{"channel":"web","#));
    assert!(text(typed("gjjjjyp").await).starts_with("{\n  \"channel\": \"web\""));
    assert_eq!(text(typed("gjjjj2<enter>jyv").await), "web");
    assert_eq!(text(typed("gjjjj2<enter>/claim_status<enter>yi").await), "/intents/0/intent");
    assert_eq!(text(typed("gjjjj1<enter>jyi").await), "/intents/0");
    assert!(text(typed("gjjjjyh").await).contains("content-type: application/json\n"));
    assert!(text(typed("gjjjjya").await).contains("hooktape has received"));
    assert!(text(typed("gjjjjyc").await).contains("curl "));
    let report = text(typed("gjjjjym").await);
    assert!(report.contains("moveo/dialog") && !report.contains("Zoë Clarke\",\n      \"verified"), "{report}");
    let at = typed("gjjjj2<enter>/timestamp<enter>yv").await;
    assert_eq!(text(at), "1761045419377");
    let envelope = typed("gjjjj1<enter>").await.app.shown.unwrap();
    let place = envelope.fields().position(|field| field.value.contains(" = ")).unwrap();
    let told = text(typed(&format!("gjjjj1<enter>{}yv", "j".repeat(place))).await);
    assert_eq!(told, "1761045419377", "as the body has it, not as it is shown");
    let elsewhere = typed("gjjjj3yv").await;
    assert!(elsewhere.copied.is_empty(), "a cursor that is not seen means nothing");
    assert!(elsewhere.screen.contains("there is no value at the cursor"), "{}", elsewhere.screen);
}

#[tokio::test]
async fn masking_hides_on_the_screen_and_nowhere_else() {
    let ended = typed("gjjjj2<enter>*").await;
    assert!(ended.screen.contains("[redacted]") && !ended.screen.contains("visitor-O44"), "{}", ended.screen);
    assert!(ended.screen.contains("masked (*)"), "{}", ended.screen);
    let ended = typed("gjjjj4<enter>*").await;
    let plain = typed("gjjjj4<enter>").await.app.shown.unwrap();
    let masked = ended.app.shown.as_ref().unwrap();
    let sig = |shown: &Shown| shown.verdict.as_ref().unwrap().sig;
    assert_eq!(sig(masked), sig(&plain), "masking changes no verdict");
    assert!(plain.verdict.as_ref().unwrap().given.is_some() && masked.verdict.as_ref().unwrap().given.is_none());
    assert!(ended.screen.contains("the verdict is that of the call as it is"), "{}", ended.screen);
    let found = |shown: &Shown| shown.request_findings.iter().map(|found| found.pointer.clone()).collect::<Vec<_>>();
    assert_eq!(found(masked), found(&plain), "nor what is found");
    assert!(!typed("gjjjj6*").await.screen.contains("visitor-O44"));
    let ended = typed("gjjjj2<enter>**").await;
    assert!(ended.screen.contains("visitor-O44"), "{}", ended.screen);
    let folder = tempfile::tempdir().unwrap();
    let recording = folder.path().join("masked.jsonl");
    let ended = Stage::size(100, 30).listen(&recording, "t<enter><esc>*gRjjjjl<enter><esc>", |_| async {}).await;
    let reader = hooktape::recording::Reader::open(&recording).unwrap();
    let body = |n: usize| reader.call(ended.app.index.get(n).unwrap().place).unwrap().request.body;
    assert_eq!(ended.app.calls.total, 4);
    assert_eq!(body(0), body(2), "what is sent again is the call as it was");
    let draft = Stage::size(100, 30).listen(&recording, "*ge", |_| async {}).await.app.draft.unwrap();
    assert_eq!(draft.body(), body(0));
}

#[tokio::test]
async fn a_filter_is_completed() {
    assert_eq!(typed("/si<tab>inv<tab><enter>").await.app.calls.filter_text(), "sig:invalid");
    let ended = typed("/sig:bad").await;
    assert!(ended.screen.contains("^^^"), "the place of the error is marked\n{}", ended.screen);
}

#[tokio::test]
async fn help_is_searched() {
    let ended = typed("?/conversation<enter>").await;
    assert!(
        ended.screen.contains("next call of the same") && !ended.screen.contains("A page down"),
        "{}",
        ended.screen
    );
    assert!(typed("?/qqqq").await.screen.contains("no key does that"));
}
