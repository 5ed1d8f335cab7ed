//! hooktape captures the webhook calls of conversational-AI platforms, shows and verifies them, and replays them.

pub mod app;
pub mod call;
pub mod config;
pub mod json;
pub mod net;
pub mod platform;
pub mod recording;
pub mod replay;
pub mod signature;
pub mod tui;
pub mod view;
pub mod visible;
