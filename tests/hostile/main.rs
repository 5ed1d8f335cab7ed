//! What strangers send, write and name: nothing of it stops, misleads or fills up hooktape, or acts on a terminal.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

#[path = "../support/answering.rs"]
mod answering;
mod bodies;
#[path = "../fuzz/src/lib.rs"]
mod entries;
mod escapes;
#[path = "../support/evil.rs"]
mod evil;
#[path = "../support/lane.rs"]
mod lane;
#[path = "../support/raw.rs"]
mod raw;
mod readers;
#[path = "../support/recorded.rs"]
mod recorded;
mod wire;
