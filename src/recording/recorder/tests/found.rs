//! Files as they are found: with a torn end, with what is no recording, changed or replaced by another hand.

use super::*;

#[tokio::test]
async fn every_torn_end_is_cut_off_kept_and_told() {
    // Every cut is a file of its own, so there are as few as can be.
    let small = |number| Call { request: Request::default(), response: None, ..call(number) };
    let (_folder, path) = folder();
    let torn_path = PathBuf::from(format!("{}.torn", path.display()));
    let (recorder, ..) = open(&path);
    recorder.record(small(1)).await.unwrap();
    recorder.record(small(2)).await.unwrap();
    recorder.close().await;
    let whole = fs::read(&path).unwrap();
    let ends: Vec<_> = memchr::memchr_iter(b'\n', &whole).map(|newline| newline + 1).collect();
    for cut in 0..=whole.len() {
        fs::write(&path, &whole[..cut]).unwrap();
        let _ = fs::remove_file(&torn_path);
        let (recorder, opened, _) = open(&path);
        let lines = ends.iter().filter(|end| **end <= cut).count();
        let kept = lines.checked_sub(1).map_or(0, |last| ends[last]);
        // A call that only lacks its newline is whole.
        let lacks_newline = ends[1..].contains(&(cut + 1));
        if cut == kept || lacks_newline {
            assert_eq!(opened.torn, None, "{cut}");
            assert!(!torn_path.exists());
        } else {
            let expected = Torn { bytes: (cut - kept) as u64, kept_in: torn_path.clone() };
            assert_eq!(opened.torn, Some(expected), "{cut}");
            assert_eq!(fs::read(&torn_path).unwrap(), [&whole[kept..cut], b"\n"].concat());
            assert_eq!(mode(&torn_path), 0o600);
        }
        recorder.record(call(3)).await.unwrap();
        recorder.close().await;
        let ids: Vec<_> = calls_in(&path).into_iter().map(|call| call.id).collect();
        let survivors = lines.saturating_sub(1) + usize::from(lacks_newline);
        let expected: Vec<_> = (1..=survivors as u64).chain([3]).map(|number| call(number).id).collect();
        assert_eq!(ids, expected, "{cut}");
    }
}

#[tokio::test]
async fn a_last_line_of_garbage_is_cut_off_and_a_mark_is_not() {
    let (_folder, path) = folder();
    let (recorder, ..) = open(&path);
    recorder.record(call(1)).await.unwrap();
    recorder.close().await;
    let whole = fs::read(&path).unwrap();
    let long = [b"{\"id\":\"".as_slice(), &vec![b'x'; 300_000]].concat();
    for (tail, torn) in [
        (b"{\"mark\":\"0193\"}\n".as_slice(), false),
        (b"\n", false),
        (b"{\"id\":\"0193\n", true),
        (b"\0\0\0\0", true),
        (&vec![0; 200_000], true),
        (&long, true),
    ] {
        fs::write(&path, [&whole, tail].concat()).unwrap();
        let (recorder, opened, _) = open(&path);
        assert_eq!(opened.torn.map(|torn| torn.bytes), torn.then_some(tail.len() as u64));
        recorder.record(call(2)).await.unwrap();
        recorder.close().await;
        assert_eq!(calls_in(&path), [call(1), call(2)]);
    }
}

#[tokio::test]
async fn a_last_call_that_can_be_read_stays_whatever_its_body_became() {
    let (_folder, path) = folder();
    let (recorder, ..) = open(&path);
    recorder.record(call(1)).await.unwrap();
    recorder.record(call(2)).await.unwrap();
    recorder.close().await;
    let damaged = fs::read_to_string(&path).unwrap().replace("\"number\":2", "\"number\"02");
    for content in [&*damaged, damaged.trim_end()] {
        fs::write(&path, content).unwrap();
        let there = calls_in(&path);
        let (recorder, opened, _) = open(&path);
        recorder.record(call(3)).await.unwrap();
        recorder.close().await;
        assert_eq!((opened.torn, calls_in(&path)), (None, [&there[..], &[call(3)]].concat()));
        assert_eq!(there.len(), 2);
    }
}

#[test]
fn what_is_no_recording_is_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    for content in ["{\"a\":1}\n", "hello", "{\"hooktape\":2}\n{}\n", "{\"hooktape\":2,\"crea"] {
        fs::write(&path, content).unwrap();
        assert!(Recorder::open(&path, Options::default(), Box::new(|_| {})).is_err(), "{content}");
        assert_eq!(fs::read_to_string(&path).unwrap(), content);
    }
    // A header that lost its newline, with a long call in the same line.
    let joined = [format::header(Timestamp::UNIX_EPOCH).trim_end().as_bytes(), &[b'x'; 5000], b"\n{}\n"].concat();
    fs::write(&path, &joined).unwrap();
    assert!(Recorder::open(&path, Options::default(), Box::new(|_| {})).is_err());
    assert_eq!(fs::read(&path).unwrap(), joined);
    let error = Recorder::open(folder.path(), Options::default(), Box::new(|_| {})).unwrap_err();
    assert!(error.to_string().contains(&folder.path().display().to_string()), "{error}");
    let error = Recorder::open(&path.join("below"), Options::default(), Box::new(|_| {})).unwrap_err();
    assert!(matches!(error, OpenError::Io { doing: "create the directory", .. }), "{error}");
}

#[tokio::test]
async fn a_file_that_another_hand_changes_is_opened_anew_and_that_is_told() {
    type Hand = fn(&Path);
    let cases: [(Hand, &str, &[u64]); 5] = [
        (|path| fs::remove_file(path).unwrap(), "was removed or moved", &[3]),
        (|path| fs::remove_dir_all(path.parent().unwrap()).unwrap(), "was removed or moved", &[3]),
        (|path| fs::write(path, "").unwrap(), "was cut short", &[3]),
        (
            |path| {
                let len = fs::metadata(path).unwrap().len();
                fs::OpenOptions::new().write(true).open(path).unwrap().set_len(len - 9).unwrap();
            },
            "was cut short",
            &[1, 3],
        ),
        (
            |path| {
                let other = [fs::read(path).unwrap(), encode(&call(7)), b"torn".to_vec()].concat();
                fs::write(path, other).unwrap();
            },
            "was written to by another program",
            &[1, 2, 7, 3],
        ),
    ];
    for (hand, reason, expected) in cases {
        let (_folder, path) = folder();
        let (recorder, opened, events) = open(&path);
        recorder.record(call(1)).await.unwrap();
        recorder.record(call(2)).await.unwrap();
        let Some(Recorded::Call(_, second)) = events.try_iter().nth(1) else { panic!("two calls are recorded") };
        hand(&path);
        recorder.record(call(3)).await.unwrap();
        let heard: Vec<_> = events.try_iter().collect();
        let [Recorded::Reopened { reason: told, kept, .. }, Recorded::Call(_, place)] = &heard[..] else {
            panic!("{reason}: {heard:?}")
        };
        assert!(told.contains(reason) && told.ends_with("from now on"), "{told}");
        let gone = ["2 calls that", "1 call that"].map(|gone| told.contains(gone));
        assert_eq!(gone, [expected.len() == 1, expected.len() == 2], "{told}");
        assert_eq!(told.contains("were cut off and are kept in"), expected.len() != 1, "{told}");
        let behind = second.offset + u64::from(second.len) + 1;
        let still = match expected {
            [3] if reason == "was cut short" => opened.end,
            [3] => 0,
            [1, 3] => second.offset,
            _ => behind,
        };
        assert_eq!(*kept, still, "{reason}");
        assert_eq!(Reader::open(&path).unwrap().call(*place).unwrap(), call(3));
        recorder.close().await;
        let found: Vec<_> = calls_in(&path).into_iter().map(|call| call.id).collect();
        assert_eq!(found, expected.iter().map(|number| call(*number).id).collect::<Vec<_>>(), "{reason}");
    }
}

#[tokio::test]
async fn of_a_file_in_its_place_that_all_can_read_one_is_told() {
    for (mode, warned) in [(0o644, true), (0o600, false)] {
        let (_folder, path) = folder();
        let (recorder, _, events) = open(&path);
        recorder.record(call(1)).await.unwrap();
        let other = path.with_extension("other");
        fs::copy(&path, &other).unwrap();
        fs::set_permissions(&other, fs::Permissions::from_mode(mode)).unwrap();
        fs::rename(&other, &path).unwrap();
        recorder.record(call(2)).await.unwrap();
        let heard: Vec<_> = events.try_iter().collect();
        let [_, Recorded::Reopened { reason, .. }, _] = &heard[..] else { panic!("{heard:?}") };
        assert!(reason.contains("was replaced by another file"), "{reason}");
        assert_eq!(reason.contains("every user of this machine can read"), warned, "{reason}");
        recorder.close().await;
    }
}

#[tokio::test]
async fn a_replaced_file_that_is_no_recording_fails_until_it_is_gone() {
    let (_folder, path) = folder();
    let (recorder, _, events) = open(&path);
    recorder.record(call(1)).await.unwrap();
    fs::remove_file(&path).unwrap();
    fs::write(&path, "mine\n").unwrap();
    for unrecorded in 1..=2 {
        let error = recorder.record(call(2)).await.unwrap_err();
        assert!(error.0.contains("was replaced by another file") && error.0.contains("is not a recording"), "{error}");
        let failed = events.try_iter().last();
        assert_eq!(failed, Some(Recorded::Failed { unrecorded, reason: error.0 }));
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), "mine\n");
    fs::remove_file(&path).unwrap();
    recorder.record(call(3)).await.unwrap();
    recorder.close().await;
    assert_eq!(calls_in(&path), [call(3)]);
}
