//! Exports carried out, one at a time, off the loop; how far each is comes back as messages.

use std::fs::canonicalize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use directories::BaseDirs;
use jiff::Timestamp;
use tokio::runtime::Handle;

use crate::app::event::Event;
use crate::app::exporting::{Ended, Job, Progress};
use crate::recording::export::{ExportFile, Exporter, FileError};
use crate::tui::tape::Tape;
use crate::tui::world::{Busy, Message, World};

/// How often it is told how far an export is.
const TOLD: Duration = Duration::from_millis(50);

/// The export that is wanted: any other one ends.
#[derive(Debug, Default)]
pub struct Exporting(Arc<AtomicU64>);

impl Exporting {
    /// Ends the export of that ticket.
    pub(super) fn cancel(&self, ticket: u64) {
        // Tickets begin at 1. Where another one is wanted already, this one ends anyway.
        let _ = self.0.compare_exchange(ticket, 0, Ordering::SeqCst, Ordering::SeqCst);
    }
}

impl World {
    /// Writes calls to a file.
    pub(super) fn export(&self, job: Box<Job>, busy: Busy) {
        let ticket = job.ticket;
        self.exporting.0.store(ticket, Ordering::SeqCst);
        let (events, wanted, tape) = (self.events.clone(), self.exporting.0.clone(), self.tape.clone());
        let path = self.folder.join(from_home(&job.file));
        Handle::current().spawn_blocking(move || {
            let mut last = Instant::now();
            let tell = |done| {
                if last.elapsed() >= TOLD {
                    last = Instant::now();
                    let _ = events.send(Event::Exported { ticket, progress: Progress::Written(done) }.into());
                }
                // Nobody listens any more when the screen is closed.
                wanted.load(Ordering::SeqCst) == ticket && !events.is_closed()
            };
            let progress = carry_out(job, &path, &tape, tell);
            let _ = events.send(Message::last(Event::Exported { ticket, progress }, busy));
        });
    }
}

/// Writes the file, as long as `tell` wants more.
fn carry_out(job: Box<Job>, path: &Path, tape: &Tape, tell: impl FnMut(usize) -> bool) -> Progress {
    if canonicalize(path).is_ok_and(|path| canonicalize(tape.path()).is_ok_and(|shown| shown == path)) {
        return Progress::Ended(Ended::Failed("that is the recording on this screen: name another file".to_owned()));
    }
    match ExportFile::begin(path, job.replace) {
        Ok(file) => Progress::Ended(write(&job, file, tape, tell).unwrap_or_else(Ended::Failed)),
        Err(FileError::Taken(path)) if !job.replace => {
            let bytes = path.metadata().map_or(0, |about| about.len());
            Progress::Taken(job, bytes)
        }
        Err(error) => Progress::Ended(Ended::Failed(error.to_string())),
    }
}

fn write(job: &Job, mut file: ExportFile, tape: &Tape, mut tell: impl FnMut(usize) -> bool) -> Result<Ended, String> {
    let reader = tape.reader().map_err(|error| format!("cannot read the recording: {error}"))?;
    let (mut calls, mut unread) = (0, None::<(usize, String)>);
    let mut out = Exporter::new(&mut file, job.form, &job.title, Timestamp::now());
    let mut written = Ok(());
    for (done, (id, place)) in job.calls.iter().enumerate() {
        let Ok(exporter) = &mut out else { break };
        if !tell(done) {
            return Ok(Ended::Cancelled);
        }
        match reader.call_of(*id, *place) {
            Ok(call) => {
                calls += 1;
                written = exporter.write(&job.reporter.report(call, &job.marks));
            }
            Err(error) => unread.get_or_insert_with(|| (0, error.to_string())).0 += 1,
        }
        if written.is_err() {
            break;
        }
    }
    if let Some((_, why)) = unread.as_ref().filter(|_| calls == 0) {
        return Err(format!("no call could be read: {why}"));
    }
    let written = written.and_then(|()| out?.finish());
    written.map_err(|error| file.error(error).to_string())?;
    if !tell(job.calls.len()) {
        return Ok(Ended::Cancelled);
    }
    let bytes = file.keep().map_err(|error| error.to_string())?;
    Ok(Ended::Whole { calls, bytes, unread })
}

/// What `~/` stands for where no shell has seen it.
fn from_home(file: &str) -> PathBuf {
    match (file.strip_prefix("~/"), BaseDirs::new()) {
        (Some(rest), Some(home)) => home.home_dir().join(rest),
        _ => Path::new(file).to_owned(),
    }
}
