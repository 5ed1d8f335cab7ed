//! Looking through bodies: every core reads lines, and only lines that can fit are taken apart.

use std::collections::HashSet;
use std::fs::File;
use std::io;
use std::ops::{ControlFlow, Range};
use std::os::unix::fs::FileExt as _;

use super::{Marks, Place, Query, Reader, View, cores, format};
use crate::call::Id;

/// Calls that one core looks through before it reports.
const RUN: usize = 2048;

/// And bytes of them: long calls take long.
const RUN_BYTES: u64 = 8 << 20;

/// What is read at once. A longer line is read alone.
const WINDOW: u64 = 256 * 1024;

/// How far a search is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Calls that fit, by their number among `places`; rising, and higher than all that were told before.
    pub hits: Vec<usize>,
    /// Calls looked through so far.
    pub scanned: usize,
}

/// Looks through the calls at `places`, of which `marks` are said, in the order of the file, for those that fit; for as long
/// as `each` wants more. A call that cannot be read fits nothing. Without places it reports once, too.
pub fn search(
    reader: &Reader,
    query: &Query,
    marks: &Marks,
    places: &[Place],
    mut each: impl FnMut(Found) -> ControlFlow<()>,
) {
    let runs = runs(places);
    let noted = marks.noted(|note| query.is_noted(note)).collect();
    let look = |number: usize| {
        let run = runs[number].clone();
        let mut hits = look_through(reader.file(), query, marks, &noted, &places[run.clone()]);
        for hit in &mut hits {
            *hit += run.start;
        }
        Found { hits, scanned: run.end }
    };
    if runs.is_empty() {
        let _ = each(Found::default());
    }
    cores::in_order(runs.len(), look, &mut each);
}

/// The numbers of the calls that one core looks through before it reports.
fn runs(places: &[Place]) -> Vec<Range<usize>> {
    let mut runs = Vec::new();
    let (mut start, mut bytes) = (0, 0);
    for (number, place) in places.iter().enumerate() {
        if number - start == RUN || number > start && bytes + u64::from(place.len) > RUN_BYTES {
            runs.push(start..number);
            (start, bytes) = (number, 0);
        }
        bytes += u64::from(place.len);
    }
    if start < places.len() {
        runs.push(start..places.len());
    }
    runs
}

/// A word of the query may stand in the notes of the calls `noted`, whatever is in their lines.
fn look_through(file: &File, query: &Query, marks: &Marks, noted: &HashSet<Id>, mut places: &[Place]) -> Vec<usize> {
    let mut scratch = Vec::new();
    let mut hits = Vec::new();
    let mut window = Vec::new();
    let mut number = 0;
    while let Some(first) = places.first() {
        let end = |place: &Place| place.offset + u64::from(place.len);
        let fits = |place: &Place| place.offset >= first.offset && end(place) - first.offset <= WINDOW;
        let count = places.iter().take_while(|place| fits(place)).count().max(1);
        let (here, rest) = places.split_at(count);
        places = rest;
        let last = here.iter().map(end).max().unwrap_or_default();
        let len = usize::try_from(last - first.offset).unwrap_or(0);
        if window.len() < len {
            window.resize(len, 0);
        }
        let window = &mut window[..len];
        let filled = read(file, window, first.offset);
        // Bytes there are no more: no line that fits is made of newlines.
        window[filled..].fill(b'\n');
        // What no line has, none of them has: one look for all.
        if noted.is_empty() && !query.may_match(window) {
            number += here.len();
            continue;
        }
        for place in here {
            let from = usize::try_from(place.offset - first.offset).unwrap_or(usize::MAX);
            let line = window.get(from..from.saturating_add(place.len as usize)).unwrap_or_default();
            let mut is_noted = || {
                let head = format::head(line, &mut scratch);
                matches!(head, Ok(Some(head)) if noted.contains(&head.id))
            };
            let may = query.may_match(line) || !noted.is_empty() && is_noted();
            let call = if may { format::decode(line).ok() } else { None };
            if call.is_some_and(|call| query.matches(&View::of(&call, *place).with(marks), &call)) {
                hits.push(number);
            }
            number += 1;
        }
    }
    hits
}

/// Fills the window with what stands at `offset`, as far as that can be read; how many bytes.
fn read(file: &File, window: &mut [u8], offset: u64) -> usize {
    let mut filled = 0;
    while filled < window.len() {
        match file.read_at(&mut window[filled..], offset + filled as u64) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Ok(0) | Err(_) => break,
            Ok(count) => filled += count,
        }
    }
    filled
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;
    use crate::call::Call;
    use crate::recording::testing::call;
    use crate::recording::{Annotation, Change, Position, encode};

    fn found(reader: &Reader, text: &str, places: &[Place]) -> Vec<usize> {
        let query = Query::parse(text, Timestamp::UNIX_EPOCH).unwrap();
        let mut hits = Vec::new();
        let mut scanned = 0;
        search(reader, &query, &Marks::default(), places, |found| {
            assert!(found.scanned > scanned);
            scanned = found.scanned;
            hits.extend(found.hits);
            ControlFlow::Continue(())
        });
        assert_eq!(scanned, places.len());
        hits
    }

    #[test]
    fn finds_in_every_form_of_a_body_what_decoding_all_of_it_finds() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sample.jsonl");
        let bodies = [
            &b"{\"a\":\"Needle\"}"[..],
            b"a \"needle\"\n",
            b"\xff needle",
            b"n\teedle",
            b"{\"a\":\"n\\u0065edle\"}",
            b"",
            "{\"a\":\"¿Qué?\"}".as_bytes(),
            br#"{"a":"\u00bfQu\u00e9?","b":"x\/y"}"#,
            b"{\"a\":\n\"\\u00bfQu\\u00e9? x/y\"}",
        ];
        let mut text = crate::recording::format::header(Timestamp::UNIX_EPOCH).into_bytes();
        for (number, body) in (0_u64..).zip(bodies) {
            let mut call = call(number);
            call.request.body = body.into();
            text.extend(encode(&call));
        }
        let foreign = String::from_utf8(encode(&call(9))).unwrap().replace("done\\n", "n\\u0065edle");
        text.extend(foreign.into_bytes());
        std::fs::write(&path, text).unwrap();
        let reader = Reader::open(&path).unwrap();
        let places: Vec<Place> = reader.entries(Position::default()).map(|entry| entry.unwrap().place).collect();
        for query in [
            "needle",
            "body:needle",
            "body:\"a \\\"needle\"",
            "-body:needle",
            "header:\"host: local\"",
            "\"n\\\\u0065\"",
            "body:needle kind:moveo",
            "body:needle | status:404",
            "localhost",
            "(needle a)",
            "\"\tee\"",
            "8563dcdf-1",
            "qué",
            "body:\"¿QUÉ\"",
            "body:x/y",
            "/a:qué",
        ] {
            let query_text = query;
            let query = Query::parse(query, Timestamp::UNIX_EPOCH).unwrap();
            let fits = |place: &Place| {
                let call = reader.call(*place).unwrap();
                query.matches(&View::of(&call, *place), &call)
            };
            let plain: Vec<usize> = (0..places.len()).filter(|number| fits(&places[*number])).collect();
            assert_eq!(found(&reader, query_text, &places), plain, "{query_text}");
        }
        assert_eq!(found(&reader, "body:needle", &places), [0, 1, 2, 9]);
        assert_eq!(found(&reader, "qué", &places), [6, 7, 8]);
        assert_eq!(found(&reader, "body:x/y", &places), [7, 8]);
        let cut = Place { offset: places[6].offset + 1, ..places[6] };
        assert_eq!(found(&reader, "body:needle", &[cut, places[0], Place { offset: 1 << 40, len: 9 }]), [1]);
    }

    #[test]
    fn long_calls_are_reported_sooner() {
        let of = |len: u32, count: usize| runs(&vec![Place { offset: 0, len }; count]);
        assert_eq!(of(100, 5000), [0..2048, 2048..4096, 4096..5000]);
        assert_eq!(of(3 << 20, 5), [0..2, 2..4, 4..5]);
        assert_eq!(of(9 << 20, 2), [0..1, 1..2]);
        assert!(of(1, 0).is_empty());
    }

    #[test]
    fn a_word_in_a_note_is_found_beside_what_stands_in_the_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sample.jsonl");
        let calls: Vec<Call> = (0..4).map(call).collect();
        let mut text = format::header(Timestamp::UNIX_EPOCH).into_bytes();
        text.extend(calls.iter().flat_map(encode));
        std::fs::write(&path, text).unwrap();
        let reader = Reader::open(&path).unwrap();
        let places: Vec<Place> = reader.entries(Position::default()).map(|entry| entry.unwrap().place).collect();
        let note = |call: &Call, text: &str| {
            let change = Change::Note(Some(text.into()));
            Annotation { call: call.id, at: Timestamp::UNIX_EPOCH, change }
        };
        let marks: Marks = [(1, note(&calls[1], "Bug 17")), (2, note(&calls[2], "fine"))].into_iter().collect();
        let hits = |text: &str| {
            let query = Query::parse(text, Timestamp::UNIX_EPOCH).unwrap();
            let mut hits = Vec::new();
            search(&reader, &query, &marks, &places, |found| {
                hits.extend(found.hits);
                ControlFlow::Continue(())
            });
            hits
        };
        assert_eq!(hits("bug"), [1]);
        assert_eq!(hits("bug body:morning"), [1]);
        assert_eq!(hits("body:bug"), [] as [usize; 0]);
        assert_eq!(hits("-bug body:morning"), [0, 2, 3]);
        assert_eq!(hits("bug | fine"), [1, 2]);
    }

    proptest! {
        #[test]
        fn a_line_that_cannot_match_does_not(text in "[nN\"\\\\/u\n:\u{e4} ]{0,8}", needle in "[nu\\\\\"/: \u{e4}]{1,3}", base in any::<bool>()) {
            let mut call = call(1);
            call.request.headers.push("x-n", text.clone());
            call.request.body = if base { [text.as_bytes(), b"\xff"].concat().into() } else { text.into() };
            let place = Place { offset: 0, len: 0 };
            let quoted = needle.replace('\\', "\\\\").replace('"', "\\\"");
            for key in ["", "body:", "header:"] {
                let query = Query::parse(&format!("{key}\"{quoted}\""), Timestamp::UNIX_EPOCH).unwrap();
                let matches = query.matches(&View::of(&call, place), &call);
                prop_assert!(query.may_match(&encode(&call)) || !matches, "{key}{needle:?}");
            }
        }
    }
}
