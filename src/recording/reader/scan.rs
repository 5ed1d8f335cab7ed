//! An index of a whole recording: chunks of it, read on every core and put together in their order.
//!
//! ```text
//! |header|call|call|ca ll|call|call|c all|call
//! '------ chunk -------' '--- chunk --' '----   a line belongs to the chunk that it begins in
//! ```
//!
//! Of a recording of several chunks the newest calls are read first, for whoever opens it most likely wants those.

use std::fs::File;
use std::io;
use std::ops::ControlFlow;

use super::Reader;
use super::damage::Damage;
use super::entries::{Entries, Position};
use crate::recording::{Annotation, Index, cores};

/// Some calls of a recording that is being read, and how far it is.
#[derive(Debug, Default)]
pub struct Batch {
    /// The next calls in file order.
    pub calls: Index,
    /// They are the newest ones, before their turn: they will come again among all others.
    pub newest: bool,
    /// What lines among them say of calls, each with its offset.
    pub annotations: Vec<(u64, Annotation)>,
    /// Lines among them that could not be read.
    pub damaged: Damage,
    /// Bytes read so far.
    pub done: u64,
    /// Bytes there are to read.
    pub total: u64,
}

/// Bytes in a chunk. The first is small: it fills a screen.
const FIRST: u64 = 256 * 1024;
const CHUNK: u64 = 8 * 1024 * 1024;
/// Bytes at the end that are read first, if there are as many as chunks have.
const NEWEST: u64 = 1024 * 1024;

/// Reads the recording in batches, for as long as `each` wants more: what loads an [`Index`]. With `until`,
/// lines that begin at that offset or behind it are left to another (the recorder's observer has them). Returns where it
/// stopped, for [`Reader::entries`] to go on from.
///
/// # Errors
/// When the system does not tell the file's length. Damage within the file is told in [`Batch::damaged`].
pub fn scan(
    reader: &Reader,
    until: Option<u64>,
    each: impl FnMut(Batch) -> ControlFlow<()>,
) -> Result<Position, io::Error> {
    scan_chunks(reader, until, (FIRST, CHUNK, NEWEST), each)
}

fn scan_chunks(
    reader: &Reader,
    until: Option<u64>,
    (first, chunk, newest): (u64, u64, u64),
    mut each: impl FnMut(Batch) -> ControlFlow<()>,
) -> Result<Position, io::Error> {
    let total = until.map_or_else(|| reader.size(), Ok)?;
    let count = usize::try_from(1 + total.saturating_sub(first).div_ceil(chunk)).unwrap_or(usize::MAX);
    let begin = |number: usize| if number == 0 { 0 } else { first + (number as u64 - 1) * chunk };
    let mut position = Position::default();
    let mut more = ControlFlow::Continue(());
    if total > first + chunk.max(newest) {
        let Chunk { mut calls, annotations, .. } = Chunk::read(&reader.file, total - newest, total, total);
        for (offset, annotation) in annotations {
            calls.annotate(offset, annotation);
        }
        if !calls.is_empty() {
            more = each(Batch { calls, newest: true, total, ..Batch::default() });
        }
    }
    if more.is_break() {
        return Ok(position);
    }
    cores::in_order(
        count,
        |number| Chunk::read(&reader.file, begin(number), begin(number + 1), total),
        |Chunk { calls, annotations, damaged, lines, end, broken }| {
            let damaged = damaged.counted_from(position.line);
            position.line += lines;
            position.offset = position.offset.max(end);
            more = each(Batch { calls, newest: false, annotations, damaged, done: position.offset, total });
            if broken {
                more = ControlFlow::Break(());
            }
            more
        },
    );
    // What was written since.
    let mut late = Batch { done: total, total, ..Batch::default() };
    let mut entries = Entries::new(&reader.file, position, until.unwrap_or(u64::MAX))
        .ending_with(reader.fault.filter(|_| until.is_none()));
    while more.is_continue() && entries.add_next(&mut late.calls, &mut late.damaged) {}
    position = entries.position();
    late.annotations = entries.take_annotations();
    if !(late.calls.is_empty() && late.annotations.is_empty() && late.damaged.count() == 0) {
        (late.done, late.total) = (position.offset, total.max(position.offset));
        let _ = each(late);
    }
    Ok(position)
}

/// The lines that begin in a range of the file.
#[derive(Default)]
struct Chunk {
    calls: Index,
    annotations: Vec<(u64, Annotation)>,
    /// Their lines are counted from the chunk's first.
    damaged: Damage,
    lines: u64,
    /// Behind its last line; 0 if none begins in it.
    end: u64,
    /// It could not be read on, and that was told.
    broken: bool,
}

impl Chunk {
    /// Reads from `begin` to `end`, and on to the end of the last line, but nothing at `limit` or behind it.
    fn read(file: &File, begin: u64, end: u64, limit: u64) -> Self {
        let mut chunk = Self::default();
        // If a line begins at `begin`, the byte before it is a newline: the end of a line to pass over.
        let before = Position { offset: begin.saturating_sub(1), line: 1 };
        let mut entries = Entries::new(file, before, limit);
        if begin > 0 {
            // A line may be longer than many chunks, each of which would read it to its end.
            if let Err(error) = entries.skip_rest(end) {
                chunk.damaged.push(error);
            }
        }
        let start = entries.position();
        while entries.position().offset < end.min(limit) && entries.add_next(&mut chunk.calls, &mut chunk.damaged) {}
        chunk.annotations = entries.take_annotations();
        chunk.broken = entries.is_broken();
        if entries.position() != start {
            chunk.end = entries.position().offset;
        }
        chunk.lines = entries.position().line - 1;
        chunk
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;
    use crate::recording::testing::call;
    use crate::recording::{encode, format};

    /// A line of a recording, sometimes of a bad one.
    fn any_line() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            4 => (0..9_u64).prop_map(|number| encode(&call(number))),
            1 => Just(b"{\"mark\":\"0193\"}\n".to_vec()),
            1 => (0..9_u64).prop_map(|number| format!("{{\"delete\":\"{}\"}}\n", call(number).id).into_bytes()),
            1 => Just(b"\n".to_vec()),
            1 => Just(b"{\"id\":\"01\n".to_vec()),
            1 => (0..400_usize).prop_map(|cut| encode(&call(1))[..cut].to_vec()),
        ]
    }

    #[test]
    fn of_very_many_damaged_lines_the_first_are_told_and_all_are_counted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sample.jsonl");
        let text = [format::header(Timestamp::UNIX_EPOCH), "x\n".repeat(10_000)].concat();
        std::fs::write(&path, text).unwrap();
        let (mut all, mut most) = (Damage::default(), 0);
        scan_chunks(&Reader::open(&path).unwrap(), None, (100, 9000, 100), |batch| {
            most = most.max(batch.damaged.first().len());
            all.append(batch.damaged);
            ControlFlow::Continue(())
        })
        .unwrap();
        let lines: Vec<u64> = all.first().iter().map(|error| error.line).collect();
        assert_eq!((most, lines, all.count()), (100, (2..102).collect(), 10_000));
        assert_eq!(all.more().unwrap(), "9900 more lines cannot be read");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn chunks_of_any_size_make_what_one_pass_over_the_lines_makes(
            lines in proptest::collection::vec(any_line(), 0..12),
            first in 1..2000_u64,
            chunk in 300..3000_u64,
            newest in 1..1000_u64,
            torn in 0..9_usize,
            until in proptest::option::of(0..2000_u64),
        ) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("sample.jsonl");
            let mut text = format::header(Timestamp::UNIX_EPOCH).into_bytes();
            text.extend(lines.concat());
            text.truncate(text.len() - torn);
            let until = until.map(|until| until.min(text.len() as u64));
            std::fs::write(&path, text).unwrap();

            let reader = Reader::open(&path);
            prop_assume!(reader.is_ok());
            let reader = reader.unwrap();
            let mut entries = Entries::new(&reader.file, Position::default(), until.unwrap_or(u64::MAX));
            let (mut plain, mut plainly_damaged) = (Index::new(), Damage::default());
            for found in &mut entries {
                match found {
                    Ok(entry) => plain.push(&entry.view()),
                    Err(error) => drop(plainly_damaged.push(error)),
                }
            }
            let plainly_said = entries.take_annotations();
            let (mut index, mut said, mut damaged, mut done) = (Index::new(), Vec::new(), Damage::default(), 0);
            let mut before = None;
            let end = scan_chunks(&reader, until, (first, chunk, newest), |batch| {
                if batch.newest {
                    before = Some(batch.calls);
                    return ControlFlow::Continue(());
                }
                assert!((done..=batch.total).contains(&batch.done));
                done = batch.done;
                index.append(&batch.calls);
                said.extend(batch.annotations);
                damaged.append(batch.damaged);
                ControlFlow::Continue(())
            });
            prop_assert_eq!(&index, &plain);
            let places = |index: &Index| (0..index.len()).filter_map(|row| Some(index.view(row)?.place)).collect::<Vec<_>>();
            prop_assert!(before.is_none_or(|newest| places(&index).ends_with(&places(&newest))));
            prop_assert_eq!(said, plainly_said);
            prop_assert_eq!(damaged, plainly_damaged);
            prop_assert_eq!(end.unwrap(), entries.position());
        }
    }
}
