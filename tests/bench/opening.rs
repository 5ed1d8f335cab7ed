//! How long it takes until a recording can be looked through, against tools that only count its lines.

use std::fs::File;
use std::io::Read as _;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use hooktape::recording::{self, Index};

use crate::measure::{self, Sample};

/// Prints the figures for the recording at `path`.
pub fn run(path: &Path, rounds: usize) {
    let [mut wc, mut memchr, mut first, mut whole] = [(); 4].map(|()| Sample::default());
    let mut memory = (0.0, 0.0);
    lines(path);
    measure::take_turns(rounds, 3, |turn| match turn {
        0 => wc.push(millis(|| assert!(Command::new("wc").arg("-l").arg(path).output().unwrap().status.success()))),
        1 => memchr.push(millis(|| assert!(lines(path) > 1))),
        _ => {
            let output = Command::new(std::env::current_exe().unwrap()).arg("--open").arg(path).output().unwrap();
            let text = String::from_utf8(output.stdout).unwrap();
            let numbers: Vec<f64> = text.split_whitespace().map(|number| number.parse().unwrap()).collect();
            let [calls, shown, done, kilobytes] = numbers[..] else { panic!("{text}") };
            first.push(shown);
            whole.push(done);
            memory = (calls, kilobytes);
        }
    });
    let (calls, kilobytes) = memory;
    println!("\nOpening: {calls} calls, {} MB, {rounds} rounds, ms", path.metadata().unwrap().len() / 1_000_000);
    for (name, sample) in [
        ("wc -l", &wc),
        ("memchr, line by line", &memchr),
        ("hooktape: first screen", &first),
        ("hooktape: index", &whole),
    ] {
        println!("  {name:<26}{sample}");
    }
    let bytes = kilobytes * 1024.0 / calls;
    println!("  {:<26}{bytes:.0} bytes a call, {:.0} MB in all", "resident beyond the start", kilobytes / 1000.0);
    measure::judge("first screen, ms", first.median(), 30.0, false);
    measure::judge("the index to wc -l", whole.ratio(&wc), 1.0, false);
}

/// How long it takes.
pub fn millis(run: impl FnOnce()) -> f64 {
    let started = Instant::now();
    run();
    started.elapsed().as_secs_f64() * 1e3
}

fn lines(path: &Path) -> usize {
    let mut file = File::open(path).unwrap();
    let mut window = vec![0; 256 * 1024];
    let mut count = 0;
    loop {
        match file.read(&mut window).unwrap() {
            0 => return count,
            filled => count += memchr::memchr_iter(b'\n', &window[..filled]).count(),
        }
    }
}

/// A process of its own, for its memory: calls, ms to the first of them, ms to the last, KB resident at most.
pub fn main(path: &Path) {
    let before = resident();
    let started = Instant::now();
    let mut shown = None;
    let mut index = Index::new();
    recording::scan(path, None, |batch| {
        index.append(&batch.calls);
        shown.get_or_insert_with(|| started.elapsed());
        ControlFlow::Continue(())
    })
    .unwrap();
    let (shown, done) = (shown.unwrap_or_default().as_secs_f64() * 1e3, started.elapsed().as_secs_f64() * 1e3);
    println!("{} {shown} {done} {}", index.len(), resident() - before);
}

/// The most memory this process had so far, in KB.
fn resident() -> i64 {
    nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_SELF).unwrap().max_rss()
}
