//! `assets/platforms/README.md`: how every platform signs, on one page made of the packs.

use std::fmt::Write as _;

use crate::platform::{Pack, Platforms};
use crate::signature::Summary;

const HEAD: &str = "\
# How platforms sign

Made by `hooktape platforms --as markdown` from the packs in this folder; a test keeps it true. A line for each way of signing:
what is signed, by what, where the signature stands and how it is written, how old it may be, and the document that says so.
`t` and its like are the time that stands beside the signature.

";

/// The whole page.
pub(super) fn page(platforms: &Platforms) -> String {
    let mut page = HEAD.to_owned();
    for pack in platforms.packs() {
        platform(&mut page, pack);
    }
    page
}

fn platform(page: &mut String, pack: &Pack) {
    let _ = writeln!(page, "## {} (`{}`)\n", pack.title, pack.name);
    if pack.schemes().is_empty() {
        page.push_str("Nothing is signed.\n\n");
    } else {
        page.push_str("| scheme | signed | by | where | written in | time | source |\n| --- | --- | --- | --- | --- | --- | --- |\n");
        for scheme in pack.schemes().values() {
            let Summary { signed, by, place, encoding, time } = scheme.summary();
            row(page, &[&format!("`{}`", scheme.bare()), &signed, &by, &place, &encoding, &time, &scheme.source]);
        }
        page.push('\n');
    }
    page.push_str("| call | what it is | signed by | source |\n| --- | --- | --- | --- |\n");
    for kind in pack.kinds() {
        let about = kind.describe();
        let by: Vec<String> = kind.schemes().map(|scheme| format!("`{}`", scheme.bare())).collect();
        row(page, &[&format!("`{}`", about.name), &about.title, &by.join(" or "), &about.source]);
    }
    page.push('\n');
}

fn row(page: &mut String, cells: &[&str]) {
    for cell in cells {
        let _ = write!(page, "| {} ", cell.replace('|', "\\|").replace('\n', " "));
    }
    page.push_str("|\n");
}
