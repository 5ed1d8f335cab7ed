//! What the app learns of calls: first those that the recording holds already, then each as it is recorded. So the
//! index is in the order of the file.

use std::future::Future;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::sleep;

use crate::app::event::{Event, Notice};
use crate::recording::backlog::{Backlog, weight};
use crate::recording::{self, Damage, Position, Reader, Recorded};
use crate::tui::follow::Follower;
use crate::tui::tape::Tape;
use crate::tui::world::{Message, World};

/// What calls that wait for the loop may take in memory, in KiB. While the terminal stands still, further ones are left where
/// they wait already, or in their file.
const ROOM: u32 = 4096;
const KIB: usize = 1024;

/// Reads the world's recording up to the byte `until` (all of it without one) and then passes on what is `recorded`, and
/// with `follow` what another process goes on to record, looked for that often. Until the reading is over, the world is busy.
pub fn feed(
    world: &World,
    until: Option<u64>,
    follow: Option<Duration>,
    mut recorded: Backlog,
) -> impl Future<Output = ()> + Send + 'static {
    let (events, tape, busy) = (world.events.clone(), world.tape.clone(), world.hold());
    async move {
        let old = events.clone();
        let reading = tokio::task::spawn_blocking(move || {
            let mut follower = Follower::new(tape.clone());
            if until.is_none() && Reader::check(tape.path()).unwrap_or(false) {
                let told = format!("{} is compressed: it is unpacked first", tape.path().display());
                let _ = old.send(Event::Told(Notice::info(told)).into());
            }
            match read(&tape, until, &old) {
                Ok(position) => {
                    if until.is_none() {
                        tell_unfinished(&tape, position, &old);
                    }
                    follower.skip_to(position);
                }
                Err(error) => {
                    let told = Notice::error(format!("cannot read the recording: {error}"));
                    let _ = old.send(Event::Told(told).into());
                }
            }
            let _ = old.send(Message::last(Event::Indexed(Box::default()), busy));
            follower
        });
        let Ok(mut follower) = reading.await else { return };
        let room = Arc::new(Semaphore::new(ROOM as usize));
        loop {
            let (event, look, ours) = tokio::select! {
                event = recorded.next() => match event {
                    None => return,
                    // A recording of our own has no other writer.
                    Some(event) if until.is_some() => (Some(event), false, true),
                    // In an opened one, others may write before and after us: it is read in its order.
                    Some(Recorded::Call(..) | Recorded::Annotated(..) | Recorded::Reopened { .. }) => (None, true, true),
                    Some(event) => (Some(event), true, true),
                },
                () = sleep(follow.unwrap_or_default()), if follow.is_some() => (None, true, false),
            };
            let mut more = look;
            while more {
                let found = if ours {
                    // Without waiting: what was recorded is to be told before what became of it.
                    follower.read_on()
                } else {
                    let looking = tokio::task::spawn_blocking(move || (follower.read_on(), follower));
                    let Ok((found, back)) = looking.await else { return };
                    follower = back;
                    found
                };
                more = !found.is_empty();
                for event in found {
                    let Some(()) = pass_on(event, &events, &room).await else { return };
                }
            }
            if let Some(event) = event {
                let Some(()) = pass_on(Event::Recorded(event), &events, &room).await else { return };
            }
        }
    }
}

/// Hands `event` to the loop; calls and what is told of damaged lines only when what waits there already leaves room for it.
/// None if the loop is gone.
async fn pass_on(event: Event, events: &UnboundedSender<Message>, room: &Arc<Semaphore>) -> Option<()> {
    let taken = match &event {
        Event::Recorded(Recorded::Call(_, place)) => {
            u32::try_from(weight(*place) / KIB).unwrap_or(u32::MAX).clamp(1, ROOM)
        }
        Event::Told(_) => 1,
        _ => return events.send(event.into()).ok(),
    };
    let room = room.clone().acquire_many_owned(taken).await.ok()?;
    events.send(Message::from(event).taking(room)).ok()
}

/// Says that the recording ends within a line.
fn tell_unfinished(tape: &Tape, end: Position, events: &UnboundedSender<Message>) {
    let rest = tape.reader().and_then(|reader| reader.size()).map_or(0, |size| size.saturating_sub(end.offset));
    if rest > 0 {
        let told = format!(
            "the last line is not whole ({rest} bytes): its writer was killed, or is still at it; it is not among the calls"
        );
        let _ = events.send(Event::Told(Notice::warning(told)).into());
    }
}

/// Reads what the recording holds already.
fn read(tape: &Tape, until: Option<u64>, events: &UnboundedSender<Message>) -> std::io::Result<Position> {
    let reader = tape.reader()?;
    let mut damage = Damage::default();
    let read = recording::scan(&reader, until, |batch| {
        if batch.newest {
            return match events.send(Event::Newest(Box::new(batch.calls)).into()) {
                Ok(()) => ControlFlow::Continue(()),
                Err(_) => ControlFlow::Break(()),
            };
        }
        let reading = Event::Reading { done: batch.done, total: batch.total };
        let told = damage.first().len();
        damage.append(batch.damaged);
        let new = damage.first()[told..].iter();
        let damaged = new.map(|damage| Event::Told(Notice::warning(damage.to_string())));
        // No calls would say that there are no more.
        let calls = (!batch.calls.is_empty()).then_some(Event::Indexed(Box::new(batch.calls)));
        let mut found = calls.into_iter().chain([Event::Annotated(batch.annotations), reading]).chain(damaged);
        match found.try_for_each(|event| events.send(event.into())) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    });
    if let Some(more) = damage.more() {
        // Fails when the loop is gone.
        let _ = events.send(Event::Told(Notice::warning(more)).into());
    }
    read
}
