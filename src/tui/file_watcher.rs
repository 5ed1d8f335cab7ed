//! A watcher of files: the system says when something happens to one, and nothing wakes up before.
//!
//! ```text
//!  ./hooktape.toml, CONFIG DIR/config.toml --> each file that is there, and the folder above it that is
//! ```

use std::path::{Path, PathBuf};

use notify::{RecursiveMode, Watcher};
use tokio::sync::mpsc::{Receiver, channel};

/// Watches files, also ones that are not there yet.
pub(super) struct FileWatcher {
    files: Vec<PathBuf>,
    watcher: Box<dyn Watcher + Send>,
    changes: Receiver<()>,
    armed: Vec<PathBuf>,
}

impl FileWatcher {
    /// Watches `files`, which are absolute paths.
    ///
    /// # Errors
    /// When the system cannot watch any.
    pub fn watch(files: Vec<PathBuf>) -> notify::Result<Self> {
        // One says as much as many.
        let (told, changes) = channel(1);
        let ours = files.clone();
        let tell = move |event: notify::Result<notify::Event>| {
            // Reading it is no change, and whoever reads it is us. What else happens in its folder is nobody's business.
            let about = |path: &PathBuf| ours.iter().any(|file| file.starts_with(path));
            if event
                .is_ok_and(|event| !event.kind.is_access() && (event.need_rescan() || event.paths.iter().any(about)))
            {
                let _ = told.try_send(());
            }
        };
        let watcher = Box::new(notify::recommended_watcher(tell)?);
        let mut this = Self { files, watcher, changes, armed: Vec::new() };
        this.arm()?;
        Ok(this)
    }

    /// The files.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// Returns when something has happened to one of them since it was last asked.
    pub async fn changed(&mut self) {
        if self.changes.recv().await.is_none() {
            // The watcher has ended: it will never say anything again.
            std::future::pending::<()>().await;
        }
    }

    /// Watches the files that are there now, and of each the nearest folder above it. Where another file or folder stands in
    /// the place of one, that is the one to watch.
    ///
    /// # Errors
    /// When the system watches none of them, so that no change would ever be told.
    pub fn arm(&mut self) -> notify::Result<()> {
        for path in self.armed.drain(..) {
            let _ = self.watcher.unwatch(&path);
        }
        loop {
            let wanted = to_watch(&self.files);
            let mut refused = None;
            for path in &wanted {
                match self.watcher.watch(path, RecursiveMode::NonRecursive) {
                    Ok(()) => self.armed.push(path.clone()),
                    Err(error) => refused = Some(error),
                }
            }
            // A folder that was made before the one above it was watched has told nobody.
            if wanted == to_watch(&self.files) {
                return refused.filter(|_| self.armed.is_empty()).map_or(Ok(()), Err);
            }
        }
    }
}

fn to_watch(files: &[PathBuf]) -> Vec<PathBuf> {
    let above = |file: &PathBuf| file.ancestors().skip(1).find(|folder| folder.is_dir()).map(Path::to_path_buf);
    // A file may be a link to one elsewhere, whose folder says nothing of it.
    let there = files.iter().filter(|file| file.exists()).cloned();
    files.iter().filter_map(above).chain(there).collect()
}

#[cfg(test)]
mod tests {
    use notify::{Config, ErrorKind, EventHandler, WatcherKind};

    use super::*;

    /// A system that watches nothing more.
    #[derive(Debug)]
    struct Full;

    impl Watcher for Full {
        fn new<F: EventHandler>(_: F, _: Config) -> notify::Result<Self> {
            Ok(Self)
        }

        fn watch(&mut self, _: &Path, _: RecursiveMode) -> notify::Result<()> {
            Err(notify::Error::new(ErrorKind::MaxFilesWatch))
        }

        fn unwatch(&mut self, _: &Path) -> notify::Result<()> {
            Ok(())
        }

        fn kind() -> WatcherKind {
            WatcherKind::NullWatcher
        }
    }

    #[test]
    fn where_nothing_can_be_watched_it_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let mut watcher = FileWatcher::watch(vec![folder.path().join("a")]).unwrap();
        assert!(watcher.arm().is_ok());
        watcher.watcher = Box::new(Full);
        assert!(matches!(watcher.arm().unwrap_err().kind, ErrorKind::MaxFilesWatch));
    }
}
