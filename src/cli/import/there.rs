//! What a recording holds already of what is to be imported: it may have been set aside in parts.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;

use color_eyre::eyre;

use crate::call::Id;
use crate::cli::print;
use crate::recording::import::name_of;
use crate::recording::{Annotation, Change, Marks, Position, Reader, set_aside};
use crate::visible;

/// The calls that are there, by what they have in common with those that are imported.
pub(super) struct There {
    calls: HashMap<u128, Known>,
    /// What is said of those that can still be said something of.
    marks: Marks,
    /// What is said of those in files that were set aside.
    marks_aside: Vec<Marks>,
    /// The names of those files.
    files_aside: Vec<String>,
}

/// A call that is there.
struct Known {
    id: Id,
    /// The number of its file, where that was set aside.
    aside: Option<usize>,
}

impl There {
    /// Those of the calls `wanted` that stand in the recording at `path`, or in what was set aside of it.
    pub(super) fn read(path: &Path, wanted: &HashSet<u128>) -> eyre::Result<Self> {
        let reader = Reader::open(path)?;
        let (calls, marks) = (HashMap::new(), reader.marks());
        let mut there = Self { calls, marks, marks_aside: Vec::new(), files_aside: Vec::new() };
        there.add(&reader, None, wanted);
        for path in set_aside(path) {
            match Reader::open(&path) {
                Ok(reader) => {
                    if there.add(&reader, Some(there.marks_aside.len()), wanted) {
                        there.marks_aside.push(reader.marks());
                        let name = path.file_name().unwrap_or_default().to_string_lossy();
                        there.files_aside.push(visible::line(&name).into_owned());
                    }
                }
                Err(error) => {
                    let told = visible::line(&error.to_string()).into_owned();
                    print::note(&format!("hooktape: {told}; what is in it may be imported again"));
                }
            }
        }
        Ok(there)
    }

    /// Adds the calls of a file; whether there are any.
    fn add(&mut self, reader: &Reader, aside: Option<usize>, wanted: &HashSet<u128>) -> bool {
        let before = self.calls.len();
        for id in reader.entries(Position::default()).flatten().map(|entry| entry.id) {
            if wanted.contains(&name_of(id)) {
                self.calls.entry(name_of(id)).or_insert(Known { id, aside });
            }
        }
        self.calls.len() > before
    }

    /// Whether the call is there.
    pub(super) fn has(&self, call: Id) -> bool {
        self.calls.contains_key(&name_of(call))
    }

    /// The names of the files that were set aside and have some of these.
    pub(super) fn aside(&self, calls: impl Iterator<Item = Id>) -> Vec<&str> {
        let known = calls.filter_map(|call| self.calls.get(&name_of(call)));
        let files: BTreeSet<usize> = known.filter_map(|known| known.aside).collect();
        files.into_iter().filter_map(|file| self.files_aside.get(file).map(String::as_str)).collect()
    }

    /// Leaves of what is said of calls that are there what is said last, and only where nothing of its sort stands said of
    /// the call there. How often something else does, and how often the call is in a file that was set aside.
    pub(super) fn choose(&self, said: &mut Vec<Annotation>) -> (usize, usize) {
        let (mut heard, mut refused, mut strayed) = (HashSet::new(), 0, 0);
        let mut kept = Vec::new();
        for mut annotation in said.drain(..).rev() {
            if let Some(Known { id, aside }) = self.calls.get(&name_of(annotation.call)) {
                annotation.call = *id;
                if !heard.insert((*id, std::mem::discriminant(&annotation.change))) {
                    continue;
                }
                let marks = aside.map_or(Some(&self.marks), |file| self.marks_aside.get(file));
                let standing = marks.and_then(|marks| marks.of(*id)).cloned().unwrap_or_default();
                let standing = standing.inverse(&annotation.change);
                if standing == annotation.change {
                    continue;
                }
                if !matches!(standing, Change::Mark(None) | Change::Note(None) | Change::Delete(false)) {
                    refused += 1;
                    continue;
                }
                if aside.is_some() {
                    strayed += 1;
                    continue;
                }
            }
            kept.push(annotation);
        }
        said.extend(kept.into_iter().rev());
        (refused, strayed)
    }
}
