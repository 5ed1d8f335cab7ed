//! What strangers send, write and name: nothing of it stops, misleads or fills up hooktape, or acts on a terminal.

#[path = "../fuzz/src/lib.rs"]
mod entries;
mod readers;
