//! The files of a pack, from the program itself or from a folder.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use include_dir::{Dir, DirEntry};

use crate::platform::PackError;

/// The files of a pack by their path in its folder, with `/` between.
pub(in crate::platform) type Files = BTreeMap<String, Cow<'static, [u8]>>;

/// The files of an embedded pack.
pub(in crate::platform) fn embedded(dir: &Dir<'static>) -> Files {
    fn walk(dir: &Dir<'static>, root: &Path, files: &mut Files) {
        for entry in dir.entries() {
            match entry {
                DirEntry::Dir(dir) => walk(dir, root, files),
                DirEntry::File(file) => {
                    let path = file.path().strip_prefix(root).unwrap_or(file.path());
                    files.insert(slashed(path), Cow::Borrowed(file.contents()));
                }
            }
        }
    }
    let mut files = Files::new();
    walk(dir, dir.path(), &mut files);
    files
}

/// The files of a pack on disk: `pack.toml`, and what ends in `.json`, `.toml`, `.xml` or `.txt` down to two folders deep.
pub(in crate::platform) fn on_disk(root: &Path) -> Result<Files, PackError> {
    fn walk(dir: &Path, root: &Path, depth: usize, files: &mut Files) -> Result<(), PackError> {
        let failed = |path: &Path, error: std::io::Error| PackError {
            file: path.display().to_string(),
            message: format!("cannot be read: {error}"),
        };
        for entry in std::fs::read_dir(dir).map_err(|error| failed(dir, error))? {
            let path = entry.map_err(|error| failed(dir, error))?.path();
            if path.is_dir() {
                if depth > 0 {
                    walk(&path, root, depth - 1, files)?;
                }
            } else if path
                .extension()
                .is_some_and(|end| ["json", "toml", "xml", "txt"].iter().any(|known| end == *known))
            {
                let bytes = std::fs::read(&path).map_err(|error| failed(&path, error))?;
                files.insert(slashed(path.strip_prefix(root).unwrap_or(&path)), Cow::Owned(bytes));
            }
        }
        Ok(())
    }
    let mut files = Files::new();
    walk(root, root, 2, &mut files)?;
    Ok(files)
}

fn slashed(path: &Path) -> String {
    path.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/")
}
