//! What it costs to tell a call's kind with every pack on, as a part of what capturing it costs.

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use hooktape::call::Request;
use hooktape::platform::Platforms;

use crate::capture;
use crate::load;
use crate::measure::{self, Sample};

/// How often every sample is recognised in a round.
const TIMES: u32 = 200;

/// The size of a body, in bytes.
const SIZE: usize = 2_000;

/// Prints the figures for the built-in samples, and for a call that no platform claims: the one that is captured beside it,
/// in an envelope of nobody's. One of a thousand numbers is the worst that its size can have, and is what reading it costs.
pub fn run(folder: &Path, rounds: usize, time: Duration) {
    let platforms = Platforms::builtin().unwrap();
    let samples: Vec<Request> = platforms.kinds().map(hooktape::platform::Kind::sample).collect();
    let stranger = |body: String| {
        [Request {
            method: "POST".into(),
            target: "/hooks".into(),
            headers: samples[0].headers.iter().map(|(name, value)| (format!("y-{name}"), value.clone())).collect(),
            body: body.into(),
            ..Request::default()
        }]
    };
    let nobodys = stranger(format!(r#"{{"envelope":{}}}"#, load::body(SIZE - 13)));
    let numbers = stranger(format!(r#"{{"n":[{}1]}}"#, "1,".repeat(SIZE / 2)));
    let mut figures: [Sample; 4] = Default::default();
    let [known, unknown, worst, captured] = &mut figures;
    measure::take_turns(rounds, 4, |turn| match turn {
        0 => known.push(micros(&platforms, &samples)),
        1 => unknown.push(micros(&platforms, &nobodys)),
        2 => worst.push(micros(&platforms, &numbers)),
        _ => captured.push(capture::cost(folder, SIZE, time)),
    });
    println!("\nRecognise: {} kinds of {} packs, {rounds} rounds", samples.len(), platforms.packs().count());
    println!(
        "  us a sample, on average   {known}\n  us a 2 KB call of nobody  {unknown}\n  us one of 1000 numbers    {worst}\n  CPU us to capture a call  {captured}"
    );
    measure::judge("recognising a sample to capturing a call", &known.ratio(captured), 0.1, false);
    measure::judge("recognising nobody's to capturing a call", &unknown.ratio(captured), 0.1, false);
}

/// Microseconds a call.
fn micros(platforms: &Platforms, requests: &[Request]) -> f64 {
    let started = Instant::now();
    for _ in 0..TIMES {
        for request in requests {
            black_box(platforms.recognise(black_box(request)));
        }
    }
    started.elapsed().as_secs_f64() * 1e6 / (f64::from(TIMES) * requests.len() as f64)
}
