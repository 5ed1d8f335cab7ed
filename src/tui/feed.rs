//! What the app learns of calls: first those that the recording holds already, then each as it is recorded. So the
//! index is in the order of the file.

use std::future::Future;
use std::ops::ControlFlow;

use tokio::sync::mpsc::UnboundedReceiver;

use crate::app::event::{Event, Notice};
use crate::recording::{self, Recorded};
use crate::tui::world::{Message, World};

/// Reads the world's recording up to the byte `until` (all of it without one) and then passes on what is `recorded`.
/// Until the reading is over, the world is busy.
pub fn feed(
    world: &World,
    until: Option<u64>,
    mut recorded: UnboundedReceiver<Recorded>,
) -> impl Future<Output = ()> + Send + 'static {
    let (events, tape, busy) = (world.events.clone(), world.tape.clone(), world.hold());
    async move {
        let old = events.clone();
        let reading = tokio::task::spawn_blocking(move || {
            let result = recording::scan(tape.path(), until, |batch| {
                let mut sent = old.send(Event::Indexed(batch.entries).into()).is_ok();
                if !batch.annotations.is_empty() {
                    sent &= old.send(Event::Annotated(batch.annotations).into()).is_ok();
                }
                for damage in batch.damaged {
                    sent &= old.send(Event::Told(Notice::warning(damage.to_string())).into()).is_ok();
                }
                if sent { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            });
            let last = match result {
                Ok(_) => Event::Indexed(Vec::new()),
                Err(error) => Event::Told(Notice::error(format!("cannot read the recording: {error}"))),
            };
            let _ = old.send(Message::last(last, busy));
        });
        let _ = reading.await;
        while let Some(event) = recorded.recv().await {
            if events.send(Event::Recorded(event).into()).is_err() {
                return;
            }
        }
    }
}
