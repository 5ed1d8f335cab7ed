use std::fs::OpenOptions;
use std::io::Write as _;
use std::ops::ControlFlow;

use jiff::Timestamp;
use tempfile::TempDir;

use super::*;
use crate::recording::testing::call;
use crate::recording::{Entry, Options, Recorder, encode, format};

struct Sample {
    folder: TempDir,
}

impl Sample {
    fn new(lines: &[&[u8]]) -> Self {
        let sample = Self { folder: tempfile::tempdir().unwrap() };
        std::fs::write(sample.path(), format::header(Timestamp::UNIX_EPOCH)).unwrap();
        for line in lines {
            sample.append(line);
        }
        sample
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("sample.jsonl")
    }

    fn append(&self, bytes: &[u8]) {
        OpenOptions::new().append(true).open(self.path()).unwrap().write_all(bytes).unwrap();
    }

    fn open(&self) -> Reader {
        Reader::open(&self.path()).unwrap()
    }
}

#[test]
fn an_entry_leads_to_its_call() {
    let sample = Sample::new(&[&encode(&call(1)), b"{\"mark\":\"0193\"}\n", b"\n", &encode(&call(2))]);
    let reader = sample.open();
    let entries: Vec<_> = reader.entries(Position::default()).map(Result::unwrap).collect();
    let calls: Vec<_> = entries.iter().map(|entry| reader.call(entry.place).unwrap()).collect();
    assert_eq!(calls, [call(1), call(2)]);
    assert!(entries.iter().zip(&calls).all(|(entry, call)| *entry == Entry::from_call(call, entry.place)));
}

#[test]
fn a_damaged_line_is_named_and_the_rest_is_read() {
    let sample = Sample::new(&[&encode(&call(1)), b"{\"id\":\"01\n", &encode(&call(2))]);
    let reader = sample.open();
    let found: Vec<_> = reader.entries(Position::default()).collect();
    assert_eq!(found.len(), 3);
    let error = found[1].as_ref().unwrap_err();
    assert_eq!(error.line, 3);
    assert!(
        error.to_string().starts_with(&format!("line 3 (byte {}): EOF while parsing a string", error.offset)),
        "{error}"
    );
    assert_eq!(found[2].as_ref().unwrap().id, call(2).id);
}

#[test]
fn follows_a_file_through_every_cut_of_a_line() {
    let second = encode(&call(2));
    for cut in 0..=second.len() {
        let sample = Sample::new(&[&encode(&call(1)), &second[..cut]]);
        let reader = sample.open();
        let mut entries = reader.entries(Position::default());
        assert_eq!(entries.next().unwrap().unwrap().id, call(1).id);
        let early = entries.next();
        assert_eq!(early.is_some(), cut + 1 >= second.len(), "a whole call counts, also before its newline: {cut}");
        if early.is_none() {
            assert_eq!(entries.unfinished(), cut as u64);
            assert!(entries.next().is_none());
        }
        let here = entries.position();
        sample.append(&second[cut..]);
        sample.append(&encode(&call(3)));
        let rest: Vec<_> = early.into_iter().chain(&mut entries).map(|entry| entry.unwrap().id).collect();
        assert_eq!(rest, [call(2).id, call(3).id], "{cut}");
        assert_eq!((entries.position().offset, entries.position().line), (reader.size().unwrap(), 5));
        let resumed = reader.entries(here).flatten().count();
        assert_eq!(resumed, if cut + 1 >= second.len() { 1 } else { 2 });
    }
}

#[test]
fn a_line_longer_than_the_window_is_read() {
    let mut long = call(1);
    long.request.body = "x".repeat(3_000_000).into();
    let sample = Sample::new(&[&encode(&call(0)), &encode(&long), &encode(&call(2))]);
    let reader = sample.open();
    let places: Vec<_> = reader.entries(Position::default()).map(|entry| entry.unwrap().place).collect();
    assert_eq!(reader.call(places[1]).unwrap(), long);
    assert_eq!(reader.call(places[2]).unwrap(), call(2));
}

#[test]
fn a_call_that_was_chosen_is_no_other_one_in_another_file() {
    let sample = Sample::new(&[&encode(&call(1)), &encode(&call(2))]);
    let places: Vec<_> = sample.open().entries(Position::default()).map(|entry| entry.unwrap().place).collect();
    assert_eq!(sample.open().call_of(call(2).id, places[1]).unwrap(), call(2));
    let long = Call { error: Some("x".repeat(9)), ..call(3) };
    for lines in [&[encode(&call(3)), encode(&call(4))][..], &[encode(&call(2))], &[encode(&long), encode(&call(2))]] {
        let other = Sample::new(&lines.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let error = other.open().call_of(call(2).id, places[1]).unwrap_err().to_string();
        let told = format!("byte {}: {} no longer stands there", places[1].offset, call(2).id);
        assert!(error.contains(&told), "{error}");
    }
}

#[test]
fn what_is_no_recording_is_refused_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let error = || Reader::open(&path).unwrap_err();
    assert_eq!(error().kind(), io::ErrorKind::NotFound);
    assert!(error().to_string().starts_with(&format!("cannot open {}: ", path.display())));
    for (content, reason) in [
        ("", "is not a recording: it is empty"),
        ("{\"a\":1}\n", "is not a recording: its first line is not a header"),
        ("{\"hooktape\":0}\n", "is not a recording: its first line is not a header"),
        ("{\"hooktape\":1", "is not a recording: its first line is not a header"),
        (
            "{\"hooktape\":2,\"x\":{}}\n",
            "is in recording format 2, which is newer than this hooktape reads (1): update",
        ),
        (&"x".repeat(100_000), "is not a recording: its first line is not a header"),
    ] {
        std::fs::write(&path, content).unwrap();
        assert_eq!(error().kind(), io::ErrorKind::InvalidData);
        assert!(error().to_string().contains(reason), "{}", error());
    }
}

#[test]
fn a_place_that_holds_no_call_is_an_error_with_file_and_offset() {
    let sample = Sample::new(&[&encode(&call(1))]);
    let path = sample.path();
    for (place, kind) in [
        (Place { offset: 3, len: 9 }, io::ErrorKind::InvalidData),
        (Place { offset: 9000, len: 9 }, io::ErrorKind::UnexpectedEof),
    ] {
        let error = sample.open().call(place).unwrap_err();
        assert_eq!(error.kind(), kind);
        assert!(error.to_string().starts_with(&format!("{}, byte {}: ", path.display(), place.offset)), "{error}");
    }
}

#[test]
fn scans_in_batches_with_progress_up_to_a_given_offset() {
    let lines: Vec<_> = (0..1000).map(|number| encode(&call(number))).collect();
    let sample = Sample::new(&lines.iter().map(Vec::as_slice).collect::<Vec<_>>());
    let until = sample.open().size().unwrap();
    sample.append(&encode(&call(1000)));
    let (mut ids, mut progress) = (Vec::new(), Vec::new());
    let stopped = scan(&sample.open(), Some(until), |batch| {
        ids.extend(batch.calls.iter().map(|call| call.id));
        progress.push((batch.calls.len(), batch.done, batch.total));
        ControlFlow::Continue(())
    });
    assert_eq!(stopped.unwrap(), Position { offset: until, line: 1002 });
    assert!(ids.iter().copied().eq((0..1000).map(|number| call(number).id)));
    assert_eq!(progress.len(), 2);
    let (first, done, total) = progress[0];
    assert!((100..1000).contains(&first) && done < until && total == until);
    assert_eq!(progress[1], (1000 - first, until, until));
    let mut seen = 0;
    let stopped = scan(&sample.open(), None, |batch| {
        seen += batch.calls.len();
        ControlFlow::Break(())
    });
    assert_eq!((seen, stopped.unwrap()), (first, Position { offset: done, line: first as u64 + 2 }));
}

#[test]
fn a_compressed_recording_is_read_and_not_written() {
    let sample = Sample::new(&[&encode(&call(1)), &encode(&call(2))]);
    let packed = sample.folder.path().join("sample.jsonl.zst");
    let bytes = zstd::encode_all(std::fs::File::open(sample.path()).unwrap(), 0).unwrap();
    std::fs::write(&packed, &bytes).unwrap();
    let reader = Reader::open(&packed).unwrap();
    let calls = reader.entries(Position::default()).map(|entry| reader.call(entry.unwrap().place).unwrap());
    assert_eq!(calls.collect::<Vec<_>>(), [call(1), call(2)]);
    assert_eq!(std::fs::read_dir(sample.folder.path()).unwrap().count(), 2, "nothing is left beside it");

    let refused = Recorder::open(&packed, Options::default(), Box::new(drop)).map(drop).unwrap_err().to_string();
    assert!(refused.contains("it is compressed") && refused.contains("zstd -d"), "{refused}");
    assert_eq!(std::fs::read(&packed).unwrap(), bytes);

    std::fs::write(&packed, &bytes[..bytes.len() - 9]).unwrap();
    let torn = Reader::open(&packed).map(drop).unwrap_err().to_string();
    assert!(torn.contains("cannot unpack") && torn.contains("sample.jsonl.zst"), "{torn}");
}
