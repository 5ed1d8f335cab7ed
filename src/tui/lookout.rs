//! A recording that is looked at: that its file was replaced, overwritten, moved or removed is told when it happens.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::sleep;

use crate::app::event::{Event, Notice};
use crate::tui::file_watcher::FileWatcher;
use crate::tui::tape::Tape;
use crate::tui::world::Message;

/// So long after something has happened to the file it is looked at, and not more often: who replaces one does it in steps, and
/// another process may record to it all the time.
const SETTLED: Duration = Duration::from_millis(500);

/// Tells what becomes of the file, each time that is something else.
pub fn watch(tape: Arc<Tape>, events: UnboundedSender<Message>) -> JoinHandle<()> {
    tokio::spawn(async move {
        let path = tape.path().display().to_string();
        let watcher =
            std::path::absolute(tape.path()).map_err(notify::Error::io).and_then(|path| FileWatcher::watch(vec![path]));
        let unnoticed = |error: notify::Error| {
            let text = format!("it is not noticed when {path} is replaced or removed: {error}");
            let _ = events.send(Event::Told(Notice::warning(text)).into());
        };
        let mut watcher = match watcher {
            Ok(watcher) => watcher,
            Err(error) => return unnoticed(error),
        };
        let mut said = None;
        loop {
            let looked = tape.clone();
            let Ok(now) = spawn_blocking(move || looked.lost()).await else { return };
            if now != said {
                let notice = match &now {
                    Some(lost) => Notice::error(lost.clone()),
                    None => Notice::info(format!("{path} is there again")),
                };
                if events.send(Event::Told(notice).into()).is_err() {
                    return;
                }
                said = now;
            }
            watcher.changed().await;
            sleep(SETTLED).await;
            if let Err(error) = watcher.arm() {
                return unnoticed(error);
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc::unbounded_channel;

    use super::*;
    use crate::recording::backlog::backlog;

    #[tokio::test(start_paused = true)]
    async fn what_becomes_of_a_file_is_told_once() {
        let folder = tempfile::tempdir().unwrap();
        let (path, aside) = (folder.path().join("tape.jsonl"), folder.path().join("aside.jsonl"));
        let text = |second: u8| {
            format!("{{\"hooktape\":1,\"created\":\"2026-11-21T10:00:0{second}Z\",\"by\":\"hooktape 0.1.0\"}}\n")
        };
        std::fs::write(&path, text(0)).unwrap();
        let (events, mut messages) = unbounded_channel();
        let tape = Arc::new(Tape::resting(path.clone(), backlog().0));
        let watching = watch(tape.clone(), events);
        let mut next = async || match messages.recv().await.unwrap().event().unwrap() {
            Event::Told(notice) => notice.text,
            other => panic!("{other:?}"),
        };
        // Also when that comes before it is watched.
        std::fs::rename(&path, &aside).unwrap();
        assert!(next().await.contains("tape.jsonl was removed or moved"));
        std::fs::write(&path, text(1)).unwrap();
        assert!(next().await.ends_with("tape.jsonl was replaced by another file: open it again"));
        std::fs::rename(&aside, &path).unwrap();
        assert!(next().await.ends_with("tape.jsonl is there again"));
        // What is written to it is nothing to tell.
        std::fs::write(&path, text(0) + "\n").unwrap();
        assert_eq!(tape.lost(), None);
        std::fs::write(&path, text(2)).unwrap();
        assert!(next().await.ends_with("tape.jsonl was overwritten with another: open it again"));
        watching.abort();
    }
}
