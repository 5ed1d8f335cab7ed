//! The terminal program as a user meets it: keys in, screen out, through the real loop.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod answering;
mod anything;
mod bodies;
#[path = "../support/caller.rs"]
mod caller;
mod conversations;
mod drafts;
mod escapes;
#[path = "../support/evil.rs"]
mod evil;
mod exporting;
mod follow;
mod keys;
#[path = "../support/leaks.rs"]
mod leaks;
mod list;
mod mouse;
#[path = "../support/process.rs"]
mod process;
mod pty;
mod readme;
#[path = "../support/recorded.rs"]
mod recorded;
mod recordings;
mod remarks;
mod replaying;
mod screens;
mod screenshots;
mod secrets;
mod sharing;
mod support;
mod terminal;
mod waiting;
mod webviews;
