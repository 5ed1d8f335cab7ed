//! Named drafts, kept to be sent again: each is a recording of one call, `fixtures/NAME.jsonl` in the data directory, so
//! that its bytes are kept as any call's and it can be shown, exported and compared like one.

use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::{Position, Reader, format};
use crate::call::Call;
use crate::config::instead;

/// A fixture's name, and its draft or why that cannot be read.
pub type Named = (String, Result<Call, String>);

/// The folder of the fixtures.
#[must_use]
pub fn folder(data_dir: &Path) -> PathBuf {
    data_dir.join("fixtures")
}

/// Whether a fixture can be called so.
///
/// # Errors
/// When the name cannot be a file's: a sentence.
pub fn check_name(name: &str) -> Result<(), String> {
    let good = |char: char| char.is_alphanumeric() || matches!(char, '-' | '_' | '.');
    if name.is_empty() || name.starts_with('.') || !name.chars().all(good) {
        return Err(format!("{name:?} is no name of a fixture: it is made of letters, digits, `-`, `_` and `.`"));
    }
    Ok(())
}

fn path(data_dir: &Path, name: &str) -> Result<PathBuf, String> {
    check_name(name)?;
    Ok(folder(data_dir).join(format!("{name}.jsonl")))
}

/// Keeps the request of `call` under `name`, in the place of what had that name; for its owner only.
///
/// # Errors
/// When the name cannot be a file's, or writing fails: a sentence.
pub fn save(data_dir: &Path, name: &str, call: &Call) -> Result<PathBuf, String> {
    let path = path(data_dir, name)?;
    let draft = Call { response: None, error: None, ..call.clone() };
    let lines = [format::header(Timestamp::now()).as_bytes(), &format::encode(&draft)].concat();
    super::write_private(&path, &lines).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    Ok(path)
}

/// Whether there is a fixture of that name, be it one that cannot be read.
#[must_use]
pub fn exists(data_dir: &Path, name: &str) -> bool {
    path(data_dir, name).is_ok_and(|path| path.exists())
}

/// The fixture of that name.
///
/// # Errors
/// When there is none, or it cannot be read: a sentence with the names there are.
pub fn load(data_dir: &Path, name: &str) -> Result<Call, String> {
    let path = path(data_dir, name)?;
    if !path.exists() {
        let names: Vec<String> = list(data_dir)?.into_iter().map(|(name, _)| name).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        return Err(format!("no fixture is called {name:?}: {}", instead(name, &names)));
    }
    let reader = Reader::open(&path).map_err(|error| error.to_string())?;
    let entry = reader.entries(Position::default()).next();
    let entry = entry.ok_or_else(|| format!("{} holds no call", path.display()))?;
    let entry = entry.map_err(|error| format!("{}: {error}", path.display()))?;
    reader.call(entry.place).map_err(|error| error.to_string())
}

/// All fixtures by name; one that cannot be read has the reason in its place.
///
/// # Errors
/// When the folder cannot be read.
pub fn list(data_dir: &Path) -> Result<Vec<Named>, String> {
    let folder = folder(data_dir);
    let told = |error: io::Error| format!("cannot read {}: {error}", folder.display());
    let entries = match std::fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(told(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.map_err(told)?.file_name();
        names.extend(name.to_str().and_then(|name| name.strip_suffix(".jsonl")).map(str::to_owned));
    }
    names.sort_unstable();
    Ok(names.into_iter().map(|name| (name.clone(), load(data_dir, &name))).collect())
}

/// Removes a fixture.
///
/// # Errors
/// When there is none, or the system refuses.
pub fn remove(data_dir: &Path, name: &str) -> Result<(), String> {
    let path = path(data_dir, name)?;
    std::fs::remove_file(&path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => format!("no fixture is called {name:?}"),
        _ => format!("cannot remove {}: {error}", path.display()),
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::recording::testing::call;

    #[test]
    fn a_fixture_is_kept_byte_for_byte_under_its_name() {
        let data = tempfile::tempdir().unwrap();
        assert!(load(data.path(), "a").unwrap_err().contains("none is known"));
        let mut draft = call(1);
        draft.request.body = "{ \"t\": {{now_ms}},\r\n}".into();
        let path = save(data.path(), "first", &draft).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(load(data.path(), "first").unwrap(), Call { response: None, ..draft });
        save(data.path(), "first", &call(2)).unwrap();
        save(data.path(), "ünd-2", &call(3)).unwrap();
        std::fs::write(folder(data.path()).join("broken.jsonl"), "x").unwrap();
        let names: Vec<_> = list(data.path()).unwrap().into_iter().map(|(name, call)| (name, call.is_ok())).collect();
        assert_eq!(names, [("broken".to_owned(), false), ("first".to_owned(), true), ("ünd-2".to_owned(), true)]);
        assert!(load(data.path(), "none").unwrap_err().contains("known are \"broken\", \"first\", \"ünd-2\""));
        remove(data.path(), "first").unwrap();
        assert!(remove(data.path(), "first").unwrap_err().contains("no fixture"));
        for wrong in ["", "../a", ".a", "a/b", "a b"] {
            assert!(save(data.path(), wrong, &call(1)).unwrap_err().contains("no name of a fixture"), "{wrong}");
        }
    }
}
