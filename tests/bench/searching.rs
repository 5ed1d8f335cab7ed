//! How long it takes to look through a recording: a literal in every body against ripgrep, a filter on the index alone.

use std::ops::ControlFlow;
use std::path::Path;
use std::process::Command;

use hooktape::recording::{self, Index, Marks, Place, Query, Reader};
use jiff::Timestamp;

use crate::measure::{self, Times};
use crate::tape::NEEDLE;

/// Prints the figures for the recording at `path`.
pub fn run(path: &Path, rounds: usize) {
    let mut index = Index::new();
    let add = |batch: recording::Batch| {
        if !batch.newest {
            index.append(&batch.calls);
        }
        ControlFlow::Continue(())
    };
    let reader = Reader::open(path).unwrap();
    recording::scan(&reader, None, add).unwrap();
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
        recording::search(&reader, &body, &Marks::default(), &places, each);
        hits
    };
    let filter = || index.matching(&heads).hits.len();
    assert_eq!((count(&[]), count(&["-i"])), (search(), search()), "both find the same");

    let mut times = [(); 4].map(|()| Times::default());
    measure::take_turns(rounds, times.len(), |turn| {
        let hits = times[turn].add(|| match turn {
            0 => count(&[]),
            1 => count(&["-i"]),
            2 => search(),
            _ => filter(),
        });
        assert!(hits > 0);
    });
    let [exact, folded, searched, filtered] = &times;
    println!("\nSearch: {} calls, {rounds} rounds, ms", index.len());
    println!("  {:<26}{:<26}CPU", "", "");
    println!("  {:<26}{exact}", format!("{tool} -c -F"));
    println!("  {:<26}{folded}", format!("{tool} -c -F -i"));
    println!("  {:<26}{searched}", "hooktape: body:LITERAL (-i)");
    println!("  {:<26}{filtered}", "hooktape: metadata filter");
    measure::judge(&format!("body:LITERAL to {tool}"), &searched.wall.ratio(&exact.wall), 1.0, false);
    measure::judge(
        "a metadata filter, ms for 1,000,000 calls",
        &filtered.wall.times(1e6 / index.len() as f64),
        50.0,
        false,
    );
}
