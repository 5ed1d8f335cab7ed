//! Which listeners run on this machine, so that another process leaves them alone: a file each in the data directory, which
//! its process keeps locked as long as it lives.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::avoid::Own;
use crate::recording::make_private;

/// A listener that says it is there, as long as this lives.
#[derive(Debug)]
pub struct Presence {
    path: PathBuf,
    /// Locked.
    file: File,
}

impl Presence {
    /// Says in `data` that this listener runs.
    ///
    /// # Errors
    /// The system's.
    pub fn announce(data: &Path, own: &Own) -> io::Result<Self> {
        let folder = folder(data);
        make_private(&folder)?;
        // What is left of those that were killed.
        for (path, _) in entries(&folder).filter(|(_, runs)| !runs) {
            // Another process may have been faster.
            let _ = fs::remove_file(path);
        }
        let name = Uuid::new_v4().simple().to_string();
        let (begun, path) = (folder.join(format!(".{name}")), folder.join(name));
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&begun)?;
        file.lock()?;
        file.write_all(format!("{}\n{}\n", own.address, own.public.as_deref().unwrap_or_default()).as_bytes())?;
        // Whoever finds it finds it whole and locked.
        fs::rename(&begun, &path)?;
        Ok(Self { path, file })
    }

    /// Says by which address platforms call it from now on: a line more, for whoever reads meanwhile finds whole lines.
    ///
    /// # Errors
    /// The system's.
    pub fn is_reached_by(&self, public: &str) -> io::Result<()> {
        (&self.file).write_all(format!("{public}\n").as_bytes())
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        // One that stays is not locked, and counts for nothing.
        let _ = fs::remove_file(&self.path);
    }
}

/// The listeners that run, as far as they said so in `data`.
#[must_use]
pub fn all(data: &Path) -> Vec<Own> {
    let running = entries(&folder(data)).filter(|(_, runs)| *runs);
    running.filter_map(|(path, _)| read(&fs::read_to_string(path).ok()?)).collect()
}

fn folder(data: &Path) -> PathBuf {
    data.join("listeners")
}

/// The files, and whether the process of each still runs.
fn entries(folder: &Path) -> impl Iterator<Item = (PathBuf, bool)> + use<> {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    let files = files.filter(|entry| !entry.file_name().as_encoded_bytes().starts_with(b"."));
    files.filter_map(|entry| {
        let file = File::open(entry.path()).ok()?;
        let runs = matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock));
        Some((entry.path(), runs))
    })
}

fn read(text: &str) -> Option<Own> {
    let (address, rest) = text.split_once('\n')?;
    let public = rest.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')).next_back();
    let public = public.filter(|line| !line.is_empty()).map(str::to_owned);
    Some(Own { address: address.parse().ok()?, public })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_is_known_as_long_as_it_runs() {
        let data = tempfile::tempdir().unwrap();
        assert_eq!(all(data.path()), []);
        let own = |address: &str, public: Option<&str>| Own {
            address: address.parse().unwrap(),
            public: public.map(str::to_owned),
        };
        let (one, other) = (own("127.0.0.1:4747", None), own("0.0.0.0:4748", Some("https://hooks.example.com")));
        let first = Presence::announce(data.path(), &one).unwrap();
        let second = Presence::announce(data.path(), &other).unwrap();
        let mut found = all(data.path());
        found.sort_by_key(|own| own.address.port());
        assert_eq!(found, [one, other.clone()]);
        // A tunnel's address is known once it is up, and may be another after a while.
        for public in ["https://one.trycloudflare.example", "https://two.trycloudflare.example"] {
            first.is_reached_by(public).unwrap();
            let reached = all(data.path()).into_iter().find(|own| own.address.port() == 4747).unwrap();
            assert_eq!(reached.public.as_deref(), Some(public));
        }
        drop(first);
        assert_eq!(all(data.path()), [other]);
        // Of one that was killed the file stays.
        fs::write(folder(data.path()).join("killed"), "127.0.0.1:4749\n\n").unwrap();
        assert_eq!(all(data.path()).len(), 1);
        let _third = Presence::announce(data.path(), &own("127.0.0.1:4750", None)).unwrap();
        assert!(!folder(data.path()).join("killed").exists());
        drop(second);
        assert_eq!(all(data.path()).len(), 1);
    }
}
