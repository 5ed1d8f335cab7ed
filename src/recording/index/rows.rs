//! What differs from call to call, in 40 bytes each.
//!
//! ```text
//! id                         | offset | at - the id's time | took | size | fate | conversation
//! 16                         | 6      | 2                  | 4    | 4    | 4    | 4
//! '- its first 6: when, in ms-'        '- in µs
//! ```
//!
//! A line ends where the next one begins, so its length is kept of the last one only. The few numbers that don't fit, and
//! the lengths of lines that something else stands behind, are kept beside the rows.

use super::pages::Pages;
use crate::call::Id;
use crate::recording::Place;

/// What is kept of a call, beyond what its number in a table stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// Where its line stands: below 256 TiB.
    pub place: Place,
    pub id: Id,
    /// When, in microseconds since 1970.
    pub at_us: i64,
    pub took_us: u64,
    /// Bytes of its body.
    pub size: u64,
    /// Its number among the fates.
    pub fate: u32,
    /// Its number among the conversations.
    pub conversation: Option<u32>,
}

/// The same, small.
#[derive(Clone, Copy, Debug)]
struct Packed {
    id: Id,
    offset: [u8; 6],
    /// From the time in its id to when it was; [`i16::MIN`] if that stands in `times`.
    after_us: i16,
    /// [`u32::MAX`] if it stands in `tooks`.
    took_us: u32,
    /// [`u32::MAX`] if it stands in `sizes`.
    size: u32,
    fate: u32,
    /// 0 is none; else one more than its number.
    conversation: u32,
}

const _: () = assert!(size_of::<Packed>() == 40, "a call outgrew its row");

impl Packed {
    fn offset(&self) -> u64 {
        number(self.offset)
    }

    fn conversation(&self) -> Option<u32> {
        self.conversation.checked_sub(1)
    }
}

/// The rows of a recording, in file order.
#[derive(Clone, Debug, Default)]
pub(super) struct Rows {
    packed: Pages<Packed>,
    times: Few<i64>,
    tooks: Few<u64>,
    sizes: Few<u64>,
    /// Of the lines that the next row's does not follow.
    lengths: Few<u32>,
    /// Of the last row's line.
    last: u32,
}

impl Rows {
    pub fn len(&self) -> usize {
        self.packed.len()
    }

    pub fn push(&mut self, row: Row) {
        let Place { offset, len } = row.place;
        self.join(offset);
        self.last = len;
        let number = self.packed.len();
        let after_us = row.at_us.checked_sub(time_us(row.id)).and_then(|after| i16::try_from(after).ok());
        self.packed.push(Packed {
            id: row.id,
            offset: bytes(offset),
            after_us: after_us.filter(|after| *after != i16::MIN).unwrap_or_else(|| {
                self.times.push(number, row.at_us);
                i16::MIN
            }),
            took_us: self.tooks.small(number, row.took_us),
            size: self.sizes.small(number, row.size),
            fate: row.fate,
            conversation: row.conversation.map_or(0, |conversation| conversation + 1),
        });
    }

    /// Keeps the last line's length, unless a line at `offset` tells it.
    fn join(&mut self, offset: u64) {
        if let Some(last) = self.packed.last()
            && last.offset() + u64::from(self.last) + 1 != offset
        {
            self.lengths.push(self.packed.len() - 1, self.last);
        }
    }

    /// Adds those that stand next in the file, with the numbers that `fate` and `conversation` give for theirs.
    pub fn append(&mut self, part: &Self, fate: impl Fn(u32) -> u32, conversation: impl Fn(u32) -> u32) {
        let Some(first) = part.packed.get(0) else { return };
        self.join(first.offset());
        let before = self.len();
        self.packed.extend(part.packed.iter().map(|packed| Packed {
            fate: fate(packed.fate),
            conversation: packed.conversation().map_or(0, |number| conversation(number) + 1),
            ..*packed
        }));
        self.times.append(&part.times, before);
        self.tooks.append(&part.tooks, before);
        self.sizes.append(&part.sizes, before);
        self.lengths.append(&part.lengths, before);
        self.last = part.last;
    }

    pub fn get(&self, number: usize) -> Option<Row> {
        self.packed.get(number).map(|packed| self.unpack(number, packed))
    }

    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Row> + ExactSizeIterator {
        self.packed.iter().enumerate().map(|(number, packed)| self.unpack(number, packed))
    }

    pub fn place(&self, number: usize) -> Option<Place> {
        self.packed.get(number).map(|packed| self.place_of(number, packed))
    }

    fn unpack(&self, number: usize, packed: &Packed) -> Row {
        Row {
            place: self.place_of(number, packed),
            id: packed.id,
            at_us: match packed.after_us {
                i16::MIN => self.times.get(number).unwrap_or_default(),
                after => time_us(packed.id) + i64::from(after),
            },
            took_us: self.tooks.whole(number, packed.took_us),
            size: self.sizes.whole(number, packed.size),
            fate: packed.fate,
            conversation: packed.conversation(),
        }
    }

    fn place_of(&self, number: usize, packed: &Packed) -> Place {
        let offset = packed.offset();
        let len = match self.packed.get(number + 1) {
            None => self.last,
            // Where no length is kept, the difference is that of a line and its newline.
            Some(next) => self
                .lengths
                .get(number)
                .unwrap_or_else(|| u32::try_from(next.offset() - offset - 1).unwrap_or(u32::MAX)),
        };
        Place { offset, len }
    }

    pub fn conversation(&self, number: usize) -> Option<u32> {
        self.packed.get(number)?.conversation()
    }

    /// The row of the call with this id, from the end.
    pub fn find(&self, id: Id) -> Option<usize> {
        self.packed.iter().rposition(|packed| packed.id == id)
    }

    /// The row whose line begins at `offset`; else the one that would come there.
    pub fn at_offset(&self, offset: u64) -> Result<usize, usize> {
        self.packed.binary_search_by_key(&offset, Packed::offset)
    }

    /// Forgets the rows from `kept` on.
    pub fn truncate(&mut self, kept: usize) {
        if kept >= self.len() {
            return;
        }
        self.last = kept.checked_sub(1).and_then(|last| self.place(last)).map_or(0, |place| place.len);
        self.packed.truncate(kept);
        self.times.truncate(kept);
        self.tooks.truncate(kept);
        self.sizes.truncate(kept);
        self.lengths.truncate(kept.saturating_sub(1));
    }
}

/// The milliseconds that a `UUIDv7` begins with (RFC 9562), in microseconds.
fn time_us(id: Id) -> i64 {
    let [milliseconds @ .., _, _, _, _, _, _, _, _, _, _] = *id.0.as_bytes();
    i64::try_from(number(milliseconds)).unwrap_or_default() * 1000
}

/// A number of 48 bits, from its bytes.
fn number(bytes: [u8; 6]) -> u64 {
    let mut whole = [0; 8];
    whole[2..].copy_from_slice(&bytes);
    u64::from_be_bytes(whole)
}

/// The bytes of such a number.
fn bytes(number: u64) -> [u8; 6] {
    let [_, _, bytes @ ..] = number.to_be_bytes();
    bytes
}

/// What is kept of few rows only, in their order.
#[derive(Clone, Debug)]
pub(super) struct Few<T>(Vec<(usize, T)>);

impl<T> Default for Few<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Copy> Few<T> {
    pub fn push(&mut self, row: usize, value: T) {
        self.0.push((row, value));
    }

    pub fn get(&self, row: usize) -> Option<T> {
        let found = self.0.binary_search_by_key(&row, |(row, _)| *row).ok()?;
        Some(self.0[found].1)
    }

    /// Adds those of a part whose first row is row `before` here.
    pub fn append(&mut self, part: &Self, before: usize) {
        self.0.extend(part.0.iter().map(|&(row, value)| (before + row, value)));
    }

    /// Forgets those of the rows from `kept` on.
    pub fn truncate(&mut self, kept: usize) {
        self.0.truncate(self.0.partition_point(|(row, _)| *row < kept));
    }
}

impl Few<u64> {
    /// The number, if it is small; else [`u32::MAX`], and it is kept here.
    fn small(&mut self, row: usize, number: u64) -> u32 {
        u32::try_from(number).ok().filter(|small| *small != u32::MAX).unwrap_or_else(|| {
            self.push(row, number);
            u32::MAX
        })
    }

    /// The number that [`Few::small`] got.
    fn whole(&self, row: usize, small: u32) -> u64 {
        if small == u32::MAX { self.get(row).unwrap_or_default() } else { small.into() }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    /// Mostly what fits into a row, sometimes what does not.
    fn any_row() -> impl Strategy<Value = Row> {
        let number =
            || prop_oneof![4 => 0..100_u64, 1 => any::<u64>(), 1 => u64::from(u32::MAX) - 1..=u64::from(u32::MAX) + 1];
        let times = (any::<u128>(), prop_oneof![4 => 0..1000_i64, 1 => -40_000..40_000_i64, 1 => any::<i64>()]);
        (times, number(), number(), any::<u32>(), proptest::option::of(0..u32::MAX)).prop_map(
            |((id, after), took_us, size, fate, conversation)| {
                let id = Id(Uuid::from_u128(id));
                let at_us = time_us(id).checked_add(after).unwrap_or(after);
                Row { place: Place { offset: 0, len: 0 }, id, at_us, took_us, size, fate, conversation }
            },
        )
    }

    proptest! {
        #[test]
        fn rows_come_back_as_they_were_whatever_is_cut_and_put_together(
            rows in proptest::collection::vec((any_row(), 0..5_u32, prop_oneof![4 => Just(0_u64), 1 => 1..9_u64, 1 => 0..1_u64 << 40]), 1..40),
            begin in 0..1_u64 << 46,
            cut in any::<prop::sample::Index>(),
            kept in any::<prop::sample::Index>(),
        ) {
            let mut offset = begin;
            let wanted: Vec<Row> = rows.into_iter().map(|(row, len, gap)| {
                let place = Place { offset: offset + gap, len };
                offset = place.offset + u64::from(len) + 1;
                Row { place, ..row }
            }).collect();
            let gathered = |rows: &[Row]| {
                let mut gathered = Rows::default();
                for row in rows {
                    gathered.push(*row);
                }
                gathered
            };
            let check = |rows: &Rows, wanted: &[Row]| {
                prop_assert!(rows.iter().eq(wanted.iter().copied()));
                prop_assert!((0..wanted.len()).all(|number| rows.place(number) == Some(wanted[number].place)));
                Ok(())
            };
            let cut = cut.index(wanted.len());
            let mut all = gathered(&wanted[..cut]);
            all.append(&gathered(&wanted[cut..]), |fate| fate, |conversation| conversation);
            check(&all, &wanted)?;
            let kept = kept.index(wanted.len());
            prop_assert_eq!(all.at_offset(wanted[kept].place.offset), Ok(kept));
            all.truncate(kept);
            check(&all, &wanted[..kept])?;
            wanted[cut..].iter().for_each(|row| all.push(*row));
            check(&all, &[&wanted[..kept], &wanted[cut..]].concat())?;
        }
    }
}
