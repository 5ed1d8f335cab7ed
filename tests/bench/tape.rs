//! Recordings to measure with: the same bytes for the same number of calls.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use hooktape::call::{Call, Direction, Id, Request, Response, Sig};
use hooktape::recording::{Options, Recorder, encode};
use jiff::Timestamp;
use uuid::Uuid;

use crate::load;

/// What every thousandth call says and no other.
pub const NEEDLE: &str = "CL-20418-overdue";

/// Makes a recording of so many calls, about 1.8 KB each, unless it is there.
pub fn make(folder: &Path, calls: u64) -> PathBuf {
    make_of(folder, calls, 1_000)
}

/// The same with bodies of `size` bytes.
pub fn make_of(folder: &Path, calls: u64, size: usize) -> PathBuf {
    let path = folder.join(format!("calls-{calls}-{size}.jsonl"));
    if path.exists() {
        return path;
    }
    let unfinished = folder.join("unfinished.jsonl");
    let _ = std::fs::remove_file(&unfinished);
    // The header is the recorder's own.
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let (recorder, _) = Recorder::open(&unfinished, Options::default(), Box::new(|_| {})).unwrap();
        recorder.record(call(0, size)).await.unwrap();
        recorder.close().await;
    });
    let mut file = BufWriter::new(File::options().append(true).open(&unfinished).unwrap());
    (1..calls).for_each(|number| file.write_all(&encode(&call(number, size))).unwrap());
    file.flush().unwrap();
    std::fs::rename(unfinished, &path).unwrap();
    path
}

/// Ten calls a conversation, of three kinds, some of them refused.
fn call(number: u64, size: usize) -> Call {
    let noise = splitmix(number);
    let kinds = ["first_message", "pre_message", "dialog"];
    let kind = kinds[(noise % 3) as usize];
    let text = if number % 1000 == 999 { NEEDLE } else { "Hi, when will my claim be paid?" };
    let body = load::body(size).replacen("Sure, it’s QQ 12 34 56 C", text, 1);
    let conversation = Uuid::from_u64_pair(splitmix(number / 10), number / 10).to_string();
    let at_us = 1_760_000_000_000_000 + number * 1_037;
    let refused = noise.is_multiple_of(50);
    let request = [
        ("host", "hooks.example.com".to_owned()),
        ("content-type", "application/json".to_owned()),
        ("content-length", body.len().to_string()),
        ("user-agent", "axios/1.7.9".to_owned()),
        ("x-moveo-session-id", conversation.clone()),
        ("x-moveo-signature", format!("{noise:016x}{noise:016x}{noise:016x}{noise:016x}")),
    ];
    Call {
        id: Id(Uuid::from_u64_pair(((at_us / 1000) << 16) | 0x7000, noise)),
        at: Timestamp::from_microsecond(at_us.try_into().unwrap()).unwrap(),
        direction: Direction::Received,
        kind: Some(format!("moveo/{kind}")),
        conversation: Some(conversation),
        sig: Some(if refused { Sig::Invalid } else { Sig::Valid }),
        took: Duration::from_micros(noise % 10_000),
        parent: None,
        error: None,
        forwarded: None,
        request: Request {
            method: "POST".into(),
            target: format!("/hooks/moveo/{kind}"),
            peer: Some([127, 0, 0, 1].into()),
            headers: request.into_iter().collect(),
            body: body.into(),
            ..Request::default()
        },
        response: Some(Response {
            status: if refused { 401 } else { 200 },
            headers: [("content-type", "application/json"), ("content-length", "34")].into_iter().collect(),
            body: "{\"responses\":[],\"context\":{\"n\":1}}".into(),
        }),
    }
}

/// Sebastiano Vigna's generator, as a hash: looks random, is not.
fn splitmix(number: u64) -> u64 {
    let mut z = number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
