//! hooktape captures the webhook and webview calls of conversational-AI platforms, shows what they mean, proves whether
//! they are authentic, lets you edit them, and replays them against real endpoints.
//!
//! > Everything that crosses a wire is a [`Call`](call::Call). Every `Call` passes the [`Recorder`](recording::Recorder).
//! > The app learns of calls only from the recorder. Keys become actions; actions change the app or leave it as effects.
//!
//! ```text
//!  platform --HTTP--> net::listener --+
//!                                     +--Call--> recording::Recorder --Arc<Call>--> Event --> App::update --> view::draw
//!  endpoint <--HTTP-- net::sender ----+            | one JSONL line                            |
//!              ^                                   v                                           |
//!              |                            recordings/*.jsonl                                 |
//!              +------------------------ tui (the shell) <-------- Effect ---------------------+
//! ```
//!
//! What is on the screen is on the disk. A headless command is the same lane with `println!` at its end instead of
//! [`App`](app::App).
//!
//! # The map
//!
//! | module | what it is |
//! | --- | --- |
//! | [`sync`] | locks that a panic elsewhere does not close |
//! | [`call`] | what went over the wire, byte for byte |
//! | [`json`] | a byte-faithful reader of JSON text |
//! | [`visible`] | wire text made safe for a terminal |
//! | [`qr`] | a QR code in a terminal's characters |
//! | [`config`] | `hooktape.toml` and the environment as plain data; secrets by reference |
//! | [`signature`] | schemes, verdicts, diagnoses: the only crypto |
//! | [`jq`] | a JSON text through a jq filter |
//! | [`platform`] | packs: recognise a call, read its envelope, check its contract, make a sample |
//! | [`recording`] | the file: format, recorder, reader, index, query |
//! | [`net`] | the two wires: listener and sender |
//! | [`replay`] | many sends |
//! | [`app`] | the state machine: no I/O, no clock, no async, no drawing |
//! | [`view`] | a picture of the app |
//! | [`tui`] | the shell: terminal, loop, effects performed |
//! | [`cli`] | the command line, one file a subcommand |
//!
//! # The rule
//!
//! A module uses only what stands above it in that table; `tests/layers.rs` proves it. Where a new line belongs:
//! a platform is a folder in `assets/platforms`, a way of signing goes to [`signature`], a key is a line in
//! [`app::action`]'s table, what is shown goes to [`view`], what talks to network or disk goes to [`net`] or
//! [`recording`] and is reached by an [`Effect`](app::event::Effect), a subcommand is a file in [`cli`].

pub mod app;
pub mod call;
pub mod cli;
pub mod config;
pub mod jq;
pub mod json;
pub mod net;
pub mod platform;
pub mod qr;
pub mod recording;
pub mod replay;
pub mod signature;
pub mod sync;
pub mod tui;
pub mod view;
pub mod visible;
