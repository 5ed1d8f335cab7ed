//! A body through a jq filter, in a process of its own: whatever the filter does, this one goes on.
//!
//! ```text
//!  filter, body --standard input--> hooktape jq --standard output--> what it made, or why it made nothing
//! ```

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use tokio::task::AbortHandle;
use tokio::time::timeout;

use crate::app::event::Event;
use crate::sync::lock;
use crate::tui::world::{Busy, Message, World};

/// How long a filter may take.
const LONGEST: Duration = Duration::from_secs(20);

/// The filter that runs; the next one ends it.
#[derive(Debug, Default)]
pub(super) struct Filtering(Mutex<Option<AbortHandle>>);

impl Filtering {
    fn begin(&self, next: Option<AbortHandle>) {
        let mut running = lock(&self.0);
        if let Some(before) = std::mem::replace(&mut *running, next) {
            before.abort();
        }
    }

    /// Ends it.
    pub fn end(&self) {
        self.begin(None);
    }
}

/// The program that runs: also when another one stands at its path by now.
pub(super) fn ourselves() -> PathBuf {
    let running = Path::new("/proc/self/exe");
    if running.exists() { running.to_owned() } else { std::env::current_exe().unwrap_or_else(|_| "hooktape".into()) }
}

impl World {
    pub(super) fn filter(&self, ticket: u64, body: Bytes, filter: String, busy: Busy) {
        let (events, program) = (self.events.clone(), self.program.clone());
        let running = tokio::spawn(async move {
            let result = run(&program, &body, &filter, LONGEST).await;
            let _ = events.send(Message::last(Event::Filtered { ticket, result }, busy));
        });
        self.filtering.begin(Some(running.abort_handle()));
    }
}

/// What `filter` makes of `body` within that time. Dropping it ends the process.
async fn run(program: &Path, body: &[u8], filter: &str, longest: Duration) -> Result<String, String> {
    // A filter can read its environment, and secrets may stand in ours. The time zone is what it is to tell local times by.
    let zone = std::env::var_os("TZ").map(|zone| ("TZ", zone));
    let mut child = Command::new(program)
        .arg("jq")
        .env_clear()
        .envs(zone)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("the filter cannot be started: {error}"))?;
    let mut input = child.stdin.take();
    let both = async {
        if let Some(input) = &mut input {
            // It may have ended before it read all of it.
            let head = format!("{}\n{}\n{filter}", filter.len(), body.len());
            let _ = async {
                input.write_all(head.as_bytes()).await?;
                input.write_all(body).await
            }
            .await;
        }
        child.wait_with_output().await
    };
    let Output { status, stdout, .. } = timeout(longest, both)
        .await
        .map_err(|_| format!("the filter was ended: it took longer than {} s", longest.as_secs()))?
        .map_err(|error| format!("the filter cannot be waited for: {error}"))?;
    // Held until here: when we are gone, its input ends, and so does the filter.
    drop(input);
    let text = String::from_utf8(stdout).map_err(|_| "the filter gives what is no text".to_owned())?;
    match status.code() {
        Some(0) => Ok(text),
        Some(1) => Err(text),
        Some(_) => Err("the filter failed by itself".to_owned()),
        None => Err("the filter was ended: it took more than 2 GiB of memory, or calls itself too deep".to_owned()),
    }
}
