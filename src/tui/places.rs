//! Files that are watched: the system says when something happens to one, and nothing wakes up before.
//!
//! ```text
//!  ./hooktape.toml, CONFIG DIR/config.toml --> each file that is there, and the folder above it that is
//! ```

use std::path::{Path, PathBuf};

use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc::{Receiver, channel};

/// Files, also ones that are not there yet.
#[derive(Debug)]
pub(super) struct Places {
    files: Vec<PathBuf>,
    watcher: RecommendedWatcher,
    changes: Receiver<()>,
    armed: Vec<PathBuf>,
}

impl Places {
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
            let about = |path: &PathBuf| ours.iter().any(|place| place.starts_with(path));
            if event
                .is_ok_and(|event| !event.kind.is_access() && (event.need_rescan() || event.paths.iter().any(about)))
            {
                let _ = told.try_send(());
            }
        };
        let mut places = Self { files, watcher: notify::recommended_watcher(tell)?, changes, armed: Vec::new() };
        places.arm();
        Ok(places)
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
    pub fn arm(&mut self) {
        for path in self.armed.drain(..) {
            let _ = self.watcher.unwatch(&path);
        }
        loop {
            let wanted = to_watch(&self.files);
            for path in &wanted {
                if self.watcher.watch(path, RecursiveMode::NonRecursive).is_ok() {
                    self.armed.push(path.clone());
                }
            }
            // A folder that was made before the one above it was watched has told nobody.
            if wanted == to_watch(&self.files) {
                return;
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
