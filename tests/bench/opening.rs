//! How long it takes until a recording can be looked through, against tools that only count its lines.

use std::fs::File;
use std::io::Read as _;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use hooktape::recording::{self, Index, Reader};

use crate::measure::{self, Sample, Times};
use crate::process::status;

/// Prints the figures for the recording at `path`.
pub fn run(path: &Path, rounds: usize) {
    let [mut wc, mut memchr, mut whole] = [(); 3].map(|()| Times::default());
    let [mut first, mut resident] = [(); 2].map(|()| Sample::default());
    let mut calls = 0.0;
    // Into the page cache: the system's reading is not what is compared.
    lines(path);
    measure::take_turns(rounds, 3, |turn| match turn {
        0 => assert!(wc.add(|| Command::new("wc").arg("-l").arg(path).output().unwrap()).status.success()),
        1 => assert!(memchr.add(|| lines(path)) > 1),
        _ => {
            let mut command = Command::new(std::env::current_exe().unwrap());
            let output = whole.add(|| command.arg("--open").arg(path).output().unwrap());
            let text = String::from_utf8(output.stdout).unwrap();
            let numbers: Vec<f64> = text.split_whitespace().map(|number| number.parse().unwrap()).collect();
            let [counted, shown, kilobytes] = numbers[..] else { panic!("{text}") };
            calls = counted;
            first.push(shown);
            resident.push(kilobytes / 1000.0);
        }
    });
    println!("\nOpening: {calls} calls, {} MB, {rounds} rounds, ms", path.metadata().unwrap().len() / 1_000_000);
    println!("  {:<26}{:<26}CPU", "", "");
    for (name, times) in [("wc -l", &wc), ("memchr over a buffer", &memchr), ("hooktape: index", &whole)] {
        println!("  {name:<26}{times}");
    }
    println!("  {:<26}{first}", "hooktape: first screen");
    let bytes = resident.times(1e6 / calls);
    println!("  {:<26}{resident}", "hooktape: resident, MB");
    println!("  {:<26}{bytes}", "the same, bytes a call");
    measure::judge("first screen, ms", &first, 30.0, false);
    measure::judge("the index to wc -l", &whole.wall.ratio(&wc.wall), 1.0, false);
    measure::judge("resident for a million calls, MB", &resident.times(1e6 / calls), 100.0, false);
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

/// A process of its own, for its memory: calls, ms to the first of them, KB resident at most.
pub fn main(path: &Path) {
    let started = Instant::now();
    let mut shown = None;
    let mut index = Index::new();
    recording::scan(&Reader::open(path).unwrap(), None, |batch| {
        if !batch.newest {
            index.append(&batch.calls);
        }
        shown.get_or_insert_with(|| started.elapsed());
        ControlFlow::Continue(())
    })
    .unwrap();
    // `getrusage` would count what the process that started it had.
    let resident = status("self", "VmHWM:").unwrap();
    println!("{} {} {resident}", index.len(), shown.unwrap_or_default().as_secs_f64() * 1e3);
}
