//! Another hand that is quicker: it does something to the file after that was looked at, and before a batch is written.

use std::io::{self, IoSlice, Write as _};

use super::*;
use crate::recording::recorder::tape::{Disk, Reopened, Rotated, Tape};

/// What is done to the file at that path.
type Meddle = fn(&Path);

/// A file to which something is done at the next write.
struct Meddled {
    tape: Tape,
    meddle: channel::Receiver<Meddle>,
    path: PathBuf,
}

impl Disk for Meddled {
    fn write(&mut self, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
        if let Ok(meddle) = self.meddle.try_recv() {
            meddle(&self.path);
        }
        self.tape.write(pieces)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.tape.sync()
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.tape.truncate(len)
    }

    fn changed(&self, end: u64) -> Option<String> {
        self.tape.changed(end)
    }

    fn stands(&mut self, end: u64, len: u64, begin: &[u8]) -> io::Result<bool> {
        self.tape.stands(end, len, begin)
    }

    fn reopen(&mut self) -> Result<Reopened, OpenError> {
        self.tape.reopen()
    }

    fn rotate(&mut self, end: u64, now: Timestamp) -> Result<Option<Rotated>, String> {
        self.tape.rotate(end, now)
    }

    fn finish(&mut self, end: u64) -> io::Result<()> {
        self.tape.finish(end)
    }
}

fn add(path: &Path, text: &str) {
    fs::OpenOptions::new().append(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
}

fn cut(path: &Path, len: u64) {
    fs::OpenOptions::new().write(true).open(path).unwrap().set_len(len).unwrap();
}

#[tokio::test]
async fn what_is_answered_stands_where_it_is_told_to_whatever_another_hand_does_just_then() {
    let meddlers: [(Meddle, &[u64]); 7] = [
        (|path| cut(path, 0), &[2, 3]),
        (|path| cut(path, 20), &[2, 3]),
        (|path| cut(path, fs::metadata(path).unwrap().len() - 9), &[2, 3]),
        (|path| add(path, "{\"later\":"), &[1, 2, 3]),
        (|path| add(path, "{\"later\":1}\n"), &[1, 2, 3]),
        (|path| fs::remove_file(path).unwrap(), &[2, 3]),
        (|path| drop(fs::rename(path, path.with_extension("old"))), &[3]),
    ];
    for (case, (meddle, there)) in meddlers.into_iter().enumerate() {
        let (_folder, path) = folder();
        let (tape, opened) = Tape::open(&path, Options::default()).unwrap();
        let (set, due) = channel::channel();
        let disk = Meddled { tape, meddle: due, path: path.clone() };
        let (heard, events) = channel::channel();
        let tell = Box::new(move |event| heard.send(event).unwrap_or_default());
        let recorder = Recorder::start(disk, opened.end, &path, Options::default(), tell);
        recorder.record(call(1)).await.unwrap();
        set.send(meddle).unwrap();
        recorder.record(call(2)).await.unwrap();
        recorder.record(call(3)).await.unwrap();
        let expected: Vec<Call> = there.iter().map(|number| call(*number)).collect();
        assert_eq!(calls_in(&path), expected, "{case}");
        let reader = Reader::open(&path).unwrap();
        let told: Vec<_> = events
            .try_iter()
            .filter_map(|event| if let Recorded::Call(call, place) = event { Some((call, place)) } else { None })
            .collect();
        assert_eq!(told.len(), 3, "{case}: each is told once");
        for (told, place) in told.iter().filter(|(told, _)| expected.contains(told)) {
            assert!(told.id == call(1).id || reader.call(*place).unwrap() == **told, "{case}");
        }
    }
}

#[tokio::test]
async fn what_is_emptied_whenever_it_is_written_to_is_given_up_and_told() {
    let (_folder, path) = folder();
    let (tape, opened) = Tape::open(&path, Options::default()).unwrap();
    let (set, due) = channel::channel();
    let disk = Meddled { tape, meddle: due, path: path.clone() };
    let recorder = Recorder::start(disk, opened.end, &path, Options::default(), Box::new(|_| {}));
    for _ in 0..3 {
        set.send((|path: &Path| cut(path, 0)) as Meddle).unwrap();
    }
    let refused = recorder.record(call(1)).await.unwrap_err();
    assert!(refused.to_string().contains("changed by another program whenever"), "{refused}");
    recorder.record(call(2)).await.unwrap();
    assert_eq!(calls_in(&path), [call(2)]);
}
