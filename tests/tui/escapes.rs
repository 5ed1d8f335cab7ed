//! Nothing that a stranger wrote acts on the terminal, on whatever screen it is shown.

use crate::evil::{EVIL, acts, recording};
use crate::support::Stage;
use ratatui::Terminal;
use ratatui::backend::TestBackend;

/// What is left of [`EVIL`] where a terminal library drops control characters: a text that was given to it as it came.
pub const BARE: &str = "[2J]0;pwned";

#[tokio::test]
async fn no_field_of_a_call_acts_on_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(format!("{EVIL}.jsonl"));
    std::fs::write(&path, recording()).unwrap();
    let data = folder.path().join("data");
    std::fs::create_dir_all(data.join("recordings")).unwrap();
    std::fs::write(data.join("recordings").join(format!("{EVIL}.jsonl")), recording()).unwrap();
    // The tabs of a call whose kind is known, the bodies of others, and what lies over them.
    let scripts = "g1<enter>z g2<enter>z g3<enter>z g4<enter>z g5<enter>z g6<enter>z g2ppp<enter>z gj2p<enter>z gjj2<enter>z gjj3 v s \
                   gmjmc ge R ; L /pwned<enter> g2<enter>/pwned<enter> g2<enter>|.context<enter>";
    let mut shown = 0;
    for script in scripts.split_whitespace() {
        let stage = Stage { data: Some(data.clone()), ..Stage::size(160, 45) };
        let ended = stage.open(&path, script).await;
        assert!(!acts(&ended.screen), "{script}:\n{:?}", ended.screen);
        // Only the line that a note is edited in has it as it is: what cannot be drawn is not drawn there.
        assert_eq!(ended.screen.contains(BARE), script == ";", "{script}: a text as it came:\n{}", ended.screen);
        shown += ended.screen.matches("␛[2J").count();
    }
    assert!(shown > 100, "{shown}");
}

#[test]
fn a_text_that_is_drawn_as_it_came_would_be_seen() {
    // What draws drops control characters: a screen that is free of them says nothing of the texts that it was given.
    let mut terminal = Terminal::new(TestBackend::new(80, 1)).unwrap();
    terminal.draw(|frame| frame.render_widget(EVIL, frame.area())).unwrap();
    let screen = terminal.backend().to_string();
    assert!(!acts(&screen) && screen.contains(BARE), "{screen:?}");
}
