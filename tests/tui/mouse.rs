//! The mouse, through the real loop.

use crate::support::{Ended, Stage, repository};
use hooktape::app::Focus;
use hooktape::app::dialog::Dialog;
use hooktape::app::shown::Tab;

async fn play(script: &str) -> Ended {
    Stage::size(80, 24).open(&repository("recordings/moveo.jsonl"), script).await
}

#[tokio::test]
async fn a_click_selects_a_row_a_tab_a_panel() {
    let app = play("<click 5 3>").await.app;
    assert_eq!((app.calls.selected(), app.focus), (Some(1), Focus::List));
    let app = play("<click 5 15>").await.app;
    assert_eq!((app.calls.selected(), app.focus), (Some(6), Focus::Detail));
    let column = |screen: &str, name: &str| {
        let (y, line) = screen.lines().enumerate().find(|(_, line)| line.contains(name)).unwrap();
        // The picture stands in quotes.
        (line.split(name).next().unwrap().chars().count() - 1, y)
    };
    for (width, name, tab) in [(80, "Headers", Tab::Headers), (160, "Response", Tab::Response)] {
        let path = repository("recordings/moveo.jsonl");
        let (x, y) = column(&Stage::size(width, 40).open(&path, "").await.screen, name);
        let app = Stage::size(width, 40).open(&path, &format!("<click {x} {y}>")).await.app;
        assert_eq!((app.tab, app.focus), (tab, Focus::Detail));
    }
}

#[tokio::test]
async fn the_wheel_scrolls_what_is_under_it() {
    let app = play("g<wheel-down 5 15>").await.app;
    assert_eq!((app.scroll[0], app.calls.selected(), app.focus), (3, Some(0), Focus::List));
    let low = Stage::size(80, 18).open(&repository("recordings/moveo.jsonl"), "G<wheel-up 5 3>").await.app;
    assert_eq!(low.calls.top, 0);
}

#[tokio::test]
async fn a_click_in_a_tree_takes_its_cursor_there_and_another_opens_and_closes() {
    let path = repository("recordings/moveo.jsonl");
    let screen = async |clicks: &str| Stage::size(160, 45).open(&path, &format!("gjjjj2{clicks}")).await.screen;
    let at_context = screen("<click 90 9>").await;
    assert!(at_context.contains("/context · object of 10"), "{at_context}");
    assert!(screen("<click 90 10>").await.contains("/context/user · object of 3"));
    let closed = screen("<click 90 9><click 90 9>").await;
    assert!(at_context.contains("claim_number: ") && !closed.contains("claim_number: "), "{closed}");
    assert_eq!(screen("<click 90 9><click 90 9><click 90 9>").await, at_context);
    // The heading and the foot are no rows of it.
    assert!(screen("<click 90 9><click 158 0><click 90 42>").await.contains("/context · object of 10"));
}

#[tokio::test]
async fn a_text_in_a_dialog_is_scrolled_as_fast_as_a_call_and_choices_one_by_one() {
    let scrolled = |ended: &Ended| match ended.app.dialogs.last() {
        Some(Dialog::Help { scroll, .. }) => *scroll,
        Some(Dialog::Targets { selected, .. }) => *selected,
        other => panic!("{other:?}"),
    };
    assert_eq!(scrolled(&play("?<wheel-down 5 5>").await), 3);
    assert_eq!(scrolled(&play("T<wheel-down 5 5>").await), 1);
}

#[tokio::test]
async fn the_wheel_and_a_click_work_in_a_draft() {
    let drafted = async |script: &str| play(&format!("gjjjje{script}")).await.app.draft.unwrap();
    let top = drafted("<wheel-down 5 5><wheel-down 5 5>").await.editor.scroll_offset().0;
    assert_eq!(top, 6);
    assert_eq!(drafted("<click 7 3>").await.editor.cursor(), (2, 7));
    assert_eq!(drafted("<wheel-down 5 5><click 4 3>").await.editor.cursor(), (5, 4));
    assert_eq!(drafted("<click 7 20>").await.editor.cursor(), (0, 0), "there is no text");
    let typed = drafted("<click 0 2><esc>").await;
    assert!(!typed.touched() && !typed.typing);
}

#[tokio::test]
async fn the_line_between_list_and_call_is_dragged() {
    let path = repository("recordings/moveo.jsonl");
    let wide = async |script: &str| Stage::size(160, 40).open(&path, script).await.app.regions.spots.divider;
    assert_eq!((wide("").await.x, wide("").await.width), (72, 1));
    assert_eq!(wide("<click 72 20><drag 100 20>").await.x, 100);
    assert_eq!(wide("<click 72 20><drag 100 20><drag 2 20>").await.x, 24, "neither of them goes");
    assert_eq!(wide("<click 71 20><drag 100 20>").await.x, 72, "only who takes the line moves it");
    let low = Stage::size(80, 24).open(&path, "<click 70 10><drag 70 16>").await.app;
    assert_eq!((low.regions.spots.divider.y, low.regions.spots.divider.height, low.focus), (16, 1, Focus::List));
    // It stays where it was put when the call gets the keys.
    let low = Stage::size(80, 24).open(&path, "<click 70 10><drag 70 16><enter>").await.app;
    assert_eq!((low.regions.spots.divider.y, low.focus), (16, Focus::Detail));
}

#[tokio::test]
async fn the_mouse_is_given_away_and_taken_back() {
    let ended = play("<drag 5 5>").await;
    assert!(ended.screen.contains("S gives the mouse to the terminal") && ended.mouse, "{}", ended.screen);
    let ended = play("S").await;
    assert!(ended.screen.contains("mouse free (S)") && !ended.mouse, "{}", ended.screen);
    assert!(play("SS").await.mouse);
}
