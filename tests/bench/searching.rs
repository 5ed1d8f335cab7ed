//! How long it takes to look through a recording: a literal in every body against ripgrep, a filter on the index alone.

use std::ops::ControlFlow;
use std::path::Path;
use std::process::Command;

use hooktape::recording::{self, Index, Marks, Place, Query};
use jiff::Timestamp;

use crate::measure::{self, Sample};
use crate::opening::millis;
use crate::tape::NEEDLE;

/// Prints the figures for the recording at `path`.
pub fn run(path: &Path, rounds: usize) {
    let mut index = Index::new();
    let add = |batch: recording::Batch| {
        index.append(&batch.calls);
        ControlFlow::Continue(())
    };
    recording::scan(path, None, add).unwrap();
    let places: Vec<Place> = index.iter().map(|view| view.place).collect();
    let query = |text: &str| Query::parse(text, Timestamp::UNIX_EPOCH).unwrap();
    let body = query(&format!("body:{NEEDLE}"));
    let heads = query("kind:dialog sig:invalid status:4xx");

    let tool = if Command::new("rg").arg("--version").output().is_ok() { "rg" } else { "grep" };
    let count = |args: &[&str]| {
        let output = Command::new(tool).args(args).args(["-c", "-F", NEEDLE]).arg(path).env("LC_ALL", "C").output();
        String::from_utf8(output.unwrap().stdout).unwrap().trim().parse::<usize>().unwrap()
    };
    let search = || {
        let mut hits = 0;
        let each = |found: recording::Found| {
            hits += found.hits.len();
            ControlFlow::Continue(())
        };
        recording::search(path, &body, &Marks::default(), &places, each).unwrap();
        hits
    };
    let filter = || index.iter().filter(|view| heads.matches_view(view) == Some(true)).count();
    assert_eq!((count(&[]), count(&["-i"])), (search(), search()), "both find the same");

    let mut samples = [(); 4].map(|()| Sample::default());
    measure::take_turns(rounds, samples.len(), |turn| {
        samples[turn].push(millis(|| {
            let hits = match turn {
                0 => count(&[]),
                1 => count(&["-i"]),
                2 => search(),
                _ => filter(),
            };
            assert!(hits > 0);
        }));
    });
    let [exact, folded, searched, filtered] = &samples;
    println!("\nSearch: {} calls, {rounds} rounds, ms", index.len());
    println!("  {:<26}{exact}", format!("{tool} -c -F"));
    println!("  {:<26}{folded}", format!("{tool} -c -F -i"));
    println!("  {:<26}{searched}   (also without regard to case)", "hooktape: body:LITERAL");
    println!("  {:<26}{filtered}", "hooktape: metadata filter");
    measure::judge(&format!("body:LITERAL to {tool}"), searched.ratio(exact), 1.0, false);
    measure::judge(
        "a metadata filter, ms for 1,000,000 calls",
        filtered.median() * 1e6 / index.len() as f64,
        50.0,
        false,
    );
}
