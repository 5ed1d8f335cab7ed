//! Room for the bodies of calls under way, however many calls there are and by whatever connections they come.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes of a body that take no room: most have no more, and need not wait for those that have.
const FREE: usize = 16 * 1024;

/// Bytes that there is room for. Whoever finds none waits until others have ended, but for one at a time: all may have come
/// half-way, and then none would end.
pub(super) const MOST: usize = 256 * 1024 * 1024;

/// What is left of the room.
#[derive(Clone, Debug)]
pub(super) struct Room {
    bytes: Arc<Semaphore>,
    /// Who has this needs no room.
    beyond: Arc<Semaphore>,
}

impl Default for Room {
    fn default() -> Self {
        Self::new(MOST)
    }
}

/// The room that a body has taken, given back when this is dropped.
#[derive(Debug, Default)]
pub(super) struct Taken {
    bytes: Option<OwnedSemaphorePermit>,
    beyond: Option<OwnedSemaphorePermit>,
}

impl Taken {
    /// Whether it is any.
    pub(super) fn is_some(&self) -> bool {
        self.bytes.is_some() || self.beyond.is_some()
    }

    /// The body that has taken it: given back when the last that is left of these bytes is dropped, so after it has left.
    pub(super) fn with(self, body: Bytes) -> Bytes {
        if self.is_some() { Bytes::from_owner(Lodged { body, _taken: self }) } else { body }
    }
}

/// A body and its room.
struct Lodged {
    body: Bytes,
    _taken: Taken,
}

impl AsRef<[u8]> for Lodged {
    fn as_ref(&self) -> &[u8] {
        &self.body
    }
}

/// Room that is taken piece by piece.
#[derive(Debug)]
pub(super) struct Taking<'a> {
    room: &'a Room,
    /// What there is so far.
    pub(super) taken: Taken,
    /// Whether more is waited for.
    pub(super) waits: bool,
}

impl<'a> Taking<'a> {
    pub(super) fn of(room: &'a Room) -> Self {
        Self { room, taken: Taken::default(), waits: false }
    }

    /// Has it be enough for `length` bytes, once there is room.
    pub(super) async fn make(&mut self, length: usize) {
        self.waits = true;
        self.room.make(&mut self.taken, length).await;
        self.waits = false;
    }
}

impl Room {
    /// Room for so many bytes.
    pub(super) fn new(bytes: usize) -> Self {
        Self { bytes: Arc::new(Semaphore::new(bytes)), beyond: Arc::new(Semaphore::new(1)) }
    }

    /// Has `taken` be enough for a body of `length` bytes, once there is room.
    pub(super) async fn make(&self, taken: &mut Taken, length: usize) {
        let has = taken.bytes.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let wanted = length.saturating_sub(FREE).saturating_sub(has);
        if wanted == 0 || taken.beyond.is_some() {
            return;
        }
        // What is more than that never fits.
        let wanted = u32::try_from(wanted).unwrap_or(u32::MAX);
        tokio::select! {
            biased;
            Ok(more) = self.bytes.clone().acquire_many_owned(wanted) => match &mut taken.bytes {
                Some(bytes) => bytes.merge(more),
                none => *none = Some(more),
            },
            Ok(beyond) = self.beyond.clone().acquire_owned() => taken.beyond = Some(beyond),
            // Nobody closes them.
            else => {}
        }
    }
}

/// A sentence for an answer of the server at `place` that found no room.
pub(super) fn none_left(place: &str, patience: Duration) -> String {
    format!(
        "the answer of {place} did not come whole within {patience:?}, because those of other calls, which leave slowly, took all \
         the room that there is ({} MiB): see who reads them so slowly",
        MOST >> 20
    )
}

#[cfg(test)]
mod tests {
    use futures_util::poll;

    use super::*;

    #[tokio::test]
    async fn who_finds_no_room_waits_but_for_one() {
        let room = Room::new(100);
        let (mut first, mut second, mut third) = (Taken::default(), Taken::default(), Taken::default());
        room.make(&mut first, FREE + 60).await;
        room.make(&mut second, FREE + 30).await;
        room.make(&mut second, FREE + 40).await;
        room.make(&mut third, FREE).await;
        {
            room.make(&mut first, FREE + 61).await;
            assert!(first.beyond.is_some(), "all have come half-way, and one goes on");
            let mut waiting = Box::pin(room.make(&mut third, FREE + 1));
            assert!(poll!(&mut waiting).is_pending());
            room.make(&mut first, usize::MAX).await;
            assert!(poll!(&mut waiting).is_pending());
            drop(second);
            assert!(poll!(&mut waiting).is_ready());
        }
        assert_eq!(room.bytes.available_permits(), 39);
        assert!(first.is_some() && !Taken::default().is_some());
        drop((first, third));
        assert_eq!((room.bytes.available_permits(), room.beyond.available_permits()), (100, 1));
    }

    #[tokio::test]
    async fn a_body_has_its_room_until_the_last_of_it_has_left() {
        let room = Room::new(100);
        let mut taking = Taking::of(&room);
        taking.make(FREE + 60).await;
        let own = Bytes::from_static(b"body");
        let mut leaving = taking.taken.with(own.clone());
        let first = leaving.split_to(2);
        drop(leaving);
        assert_eq!((room.bytes.available_permits(), &first[..]), (40, &b"bo"[..]));
        drop(first);
        assert_eq!(room.bytes.available_permits(), 100);
        assert_eq!(Taken::default().with(own.clone()).as_ptr(), own.as_ptr(), "as it is where it takes none");
    }
}
