//! A configuration that changes while the screen is open is read again and handed to the app, also one that is made or
//! removed meanwhile.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::timeout;

use crate::app::event::{Event, Notice};
use crate::config::Config;
use crate::tui::file_watcher::FileWatcher;
use crate::tui::world::Message;

/// An editor writes in several steps: this long after the last one, the file is read.
const SETTLED: Duration = Duration::from_millis(100);

/// Hands what `load` makes of the file, or why it cannot, to the app each time the content of the first of `places` that
/// is a file changes.
pub fn watch(
    places: Vec<PathBuf>,
    events: UnboundedSender<Message>,
    load: impl Fn() -> Result<Arc<Config>, String> + Send + Sync + 'static,
) -> JoinHandle<()> {
    let load = Arc::new(load);
    let mut content = read(&places);
    tokio::spawn(async move {
        let unnoticed = |error: notify::Error| {
            let text = format!("changes of the configuration are not noticed: {error}");
            let _ = events.send(Event::Told(Notice::warning(text)).into());
        };
        let mut watched = match FileWatcher::watch(places) {
            Ok(watched) => watched,
            Err(error) => return unnoticed(error),
        };
        loop {
            let now = read(watched.files());
            if now != content {
                content = now;
                let load = load.clone();
                let Ok(loaded) = spawn_blocking(move || load()).await else { return };
                if events.send(Event::Configured(loaded).into()).is_err() {
                    return;
                }
            }
            watched.changed().await;
            while timeout(SETTLED, watched.changed()).await.is_ok() {}
            if let Err(error) = watched.arm() {
                return unnoticed(error);
            }
        }
    })
}

/// The first of the files that can be read, and what it holds.
fn read(places: &[PathBuf]) -> Option<(PathBuf, Vec<u8>)> {
    places.iter().find_map(|place| Some((place.clone(), std::fs::read(place).ok()?)))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use tokio::sync::mpsc::unbounded_channel;

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
        let watching = watch(vec![file.clone()], events, load);
        let mut next = async || match messages.recv().await.unwrap().event().unwrap() {
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

    #[tokio::test]
    async fn a_file_that_is_made_later_is_found_and_the_first_one_wins() {
        let folder = tempfile::tempdir().unwrap();
        let directory = folder.path().join("work");
        std::fs::create_dir(&directory).unwrap();
        let fallback = folder.path().join("home/config/config.toml");
        let write = |path: &Path, name: &str| {
            let text = format!("[[target]]\nname = \"{name}\"\nurl = \"http://one.example\"\n");
            std::fs::write(path, text).unwrap();
        };
        let sources = Sources { directory: directory.clone(), fallback: Some(fallback.clone()), ..Sources::default() };
        let places = sources.places();
        let load = move || Config::load(&sources).map(Arc::new).map_err(|error| error.to_string());
        let (events, mut messages) = unbounded_channel();
        let watching = watch(places.clone(), events, load);
        let mut next = async || match messages.recv().await.unwrap().event().unwrap() {
            Event::Configured(result) => result.unwrap().targets.first().map(|target| target.name.clone()),
            other => panic!("{other:?}"),
        };
        // Its folder is not there either.
        std::fs::create_dir_all(fallback.parent().unwrap()).unwrap();
        write(&fallback, "home");
        assert_eq!(next().await.as_deref(), Some("home"));
        write(&places[0], "work");
        assert_eq!(next().await.as_deref(), Some("work"));
        std::fs::remove_file(&places[0]).unwrap();
        assert_eq!(next().await.as_deref(), Some("home"));
        std::fs::remove_dir_all(folder.path().join("home")).unwrap();
        assert_eq!(next().await, None);
        watching.abort();
    }
}
