//! Conversations: the timeline, the list of them, and going from call to call.

use insta::assert_snapshot;

use crate::support::{Stage, repository};

async fn screen(recording: &str, width: u16, height: u16, script: &str) -> String {
    Stage::size(width, height).open(&repository(recording), script).await.screen
}

#[tokio::test]
async fn the_timeline() {
    // Where it does not fit the screen, the first call is looked at: what is above another depends on what was read first.
    for (width, height, keys) in [(40, 12, "g6<enter>"), (80, 24, "g6<enter>"), (160, 45, "gjjjj6<enter>")] {
        let shown = screen("recordings/moveo.jsonl", width, height, keys).await;
        assert_snapshot!(format!("timeline_{width}x{height}"), shown);
    }
    assert_snapshot!("timeline_zoomed_80x24", screen("recordings/moveo.jsonl", 80, 24, "g<enter>z6").await);
    assert_snapshot!("timeline_webview_80x24", screen("recordings/moveo-webview.jsonl", 80, 24, "g6<enter>z").await);
}

#[tokio::test]
async fn conversations_are_chosen_from_a_list() {
    assert_snapshot!("dialog_conversations_80x24", screen("recordings/moveo.jsonl", 80, 24, "v").await);
    let ended = Stage::size(80, 24).open(&repository("recordings/moveo.jsonl"), "gv<enter>kk<enter>").await;
    assert_eq!(ended.app.calls.selected(), Some(4), "two calls up from the last one\n{}", ended.screen);
    let ended = Stage::size(80, 24).open(&repository("recordings/moveo.jsonl"), "g6oo").await;
    assert_eq!(ended.app.calls.selected(), Some(2));
    let ended = Stage::size(80, 24).open(&repository("recordings/moveo.jsonl"), "/sig:invalid<enter>O").await;
    assert!(ended.screen.contains("the filter hides"), "{}", ended.screen);
}
