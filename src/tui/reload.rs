//! A configuration that changes while the screen is open is read again and handed to the app. Nothing wakes up for it
//! before the system says that the file has changed.

use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{sleep, timeout};

use crate::app::event::{Event, Notice};
use crate::config::Config;
use crate::tui::world::Message;

/// An editor writes in several steps: this long after the last one, the file is read.
const SETTLED: Duration = Duration::from_millis(100);
/// How often a file that is gone is looked for.
const GONE: Duration = Duration::from_millis(500);

/// Hands what `load` makes of the file, or why it cannot, to the app each time its content changes.
pub fn watch(
    file: PathBuf,
    events: UnboundedSender<Message>,
    load: impl Fn() -> Result<Arc<Config>, String> + Send + Sync + 'static,
) -> JoinHandle<()> {
    let load = Arc::new(load);
    let (mut content, mut identity) = (std::fs::read(&file).ok(), identity(&file));
    tokio::spawn(async move {
        let (told, mut changes) = unbounded_channel();
        let tell = move |event: notify::Result<notify::Event>| {
            // Reading it is no change, and whoever reads it is us.
            if event.is_ok_and(|event| !event.kind.is_access()) {
                let _ = told.send(());
            }
        };
        let watching = notify::recommended_watcher(tell)
            .and_then(|mut watcher| watcher.watch(&file, RecursiveMode::NonRecursive).map(|()| watcher));
        let mut watcher: RecommendedWatcher = match watching {
            Ok(watcher) => watcher,
            Err(error) => {
                let text = format!("changes of {} are not noticed: {error}", file.display());
                let _ = events.send(Event::Told(Notice::warning(text)).into());
                return;
            }
        };
        loop {
            // Where another file stands in its place, that is the one to watch.
            while identity.is_none() || identity != self::identity(&file) {
                let _ = watcher.unwatch(&file);
                match watcher.watch(&file, RecursiveMode::NonRecursive) {
                    Ok(()) => identity = self::identity(&file),
                    Err(_) => sleep(GONE).await,
                }
            }
            let now = std::fs::read(&file).ok();
            if now != content {
                content = now;
                let load = load.clone();
                let Ok(loaded) = spawn_blocking(move || load()).await else { return };
                if events.send(Event::Configured(loaded).into()).is_err() {
                    return;
                }
            }
            if changes.recv().await.is_none() {
                return;
            }
            while let Ok(Some(())) = timeout(SETTLED, changes.recv()).await {}
        }
    })
}

/// Which file stands at a path.
fn identity(path: &std::path::Path) -> Option<(u64, u64)> {
    let about = std::fs::metadata(path).ok()?;
    Some((about.dev(), about.ino()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Sources;

    #[tokio::test]
    async fn a_file_that_is_written_or_replaced_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("hooktape.toml");
        let write = |name: &str, url: &str| {
            let text = format!("[[target]]\nname = \"there\"\nurl = \"{url}\"\n");
            std::fs::write(folder.path().join(name), text).unwrap();
        };
        write("hooktape.toml", "http://one.example");
        let sources = Sources { explicit: Some(file.clone()), ..Sources::default() };
        let load = move || Config::load(&sources).map(Arc::new).map_err(|error| error.to_string());
        let (events, mut messages) = unbounded_channel();
        let watching = watch(file.clone(), events, load);
        let mut next = async || match messages.recv().await.unwrap().event {
            Event::Configured(result) => result.map(|config| config.targets[0].url.clone()),
            other => panic!("{other:?}"),
        };
        // Also when that comes before it is watched.
        write("hooktape.toml", "http://two.example");
        assert_eq!(next().await.unwrap(), "http://two.example");
        write("other.toml", "http://replaced.example");
        std::fs::rename(folder.path().join("other.toml"), &file).unwrap();
        assert_eq!(next().await.unwrap(), "http://replaced.example");
        write("hooktape.toml", "nonsense");
        assert!(next().await.unwrap_err().contains("target.url"));
        watching.abort();
    }
}
