//! Which call is sent when, and which must wait for which.
//!
//! ```text
//!  conversation a   1 --> 4 --> 5          every conversation is a lane: its calls leave one after the other
//!  conversation b   2 --> 6                a worker takes the first call of the lanes that are free
//!  (of none)        3                      a call of no conversation is a lane of its own
//! ```

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::fmt;
use std::time::Duration;

use super::Item;

/// When each call leaves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// As soon as a worker is free.
    Asap,
    /// At the recorded distances from the first call, divided by this factor; later where the ones before took longer.
    Original(f64),
    /// So many a second, at even distances.
    Rate(f64),
}

impl std::str::FromStr for Pace {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "asap" => Ok(Self::Asap),
            "original" => Ok(Self::Original(1.0)),
            other => {
                let factor = || Self::number(other.strip_suffix('x')?).map(Self::Original);
                let rate = || Self::number(other.strip_suffix("/s")?.trim_end()).map(Self::Rate);
                let why =
                    || format!("{other:?} is no pace: asap, original, a factor such as 2x, or a rate such as 5/s");
                factor().or_else(rate).ok_or_else(why)
            }
        }
    }
}

impl Pace {
    /// How many calls leave a second, where that is set.
    #[must_use]
    pub fn rate(self) -> Option<f64> {
        if let Self::Rate(rate) = self { Some(rate) } else { None }
    }

    /// A number that can be a factor or a rate.
    #[must_use]
    pub fn number(text: &str) -> Option<f64> {
        text.parse().ok().filter(|number: &f64| number.is_finite() && *number > 0.0)
    }
}

/// As it is parsed; a rate is `10/s`.
impl fmt::Display for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Asap => f.write_str("asap"),
            Self::Original(1.0) => f.write_str("original"),
            Self::Original(factor) => write!(f, "{factor}x"),
            Self::Rate(rate) => write!(f, "{rate}/s"),
        }
    }
}

/// When calls leave, and how many at a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Schedule {
    /// When each leaves.
    pub pace: Pace,
    /// How many calls may be on their way at a time; calls of one conversation never are.
    pub concurrency: usize,
    /// How often all of it is done.
    pub repeat: u32,
    /// Whether of each two neighbours in a conversation the second goes first.
    pub out_of_order: bool,
    /// Whether the first failure ends it.
    pub stop_on_failure: bool,
}

impl Default for Schedule {
    fn default() -> Self {
        Self { pace: Pace::Asap, concurrency: 1, repeat: 1, out_of_order: false, stop_on_failure: false }
    }
}

impl Schedule {
    /// Most calls that may be on their way at a time.
    pub const MOST_AT_A_TIME: u16 = 10_000;

    /// Whether `items` can leave so.
    ///
    /// # Errors
    /// When calls shall change places and no two can.
    pub fn check(self, items: &[Item]) -> Result<(), String> {
        if self.out_of_order { Queue::checked(items, self).map(drop) } else { Ok(()) }
    }

    /// The order in which `items` leave one after the other, each once, and whether it is late.
    ///
    /// # Errors
    /// When calls shall change places and no two can.
    pub fn order(self, items: &[Item]) -> Result<Vec<(&Item, bool)>, String> {
        let mut queue = Queue::checked(items, Self { repeat: 1, ..self })?;
        let next = || {
            let step = queue.take()?;
            queue.done(step);
            Some((&items[step.item], step.late))
        };
        Ok(std::iter::from_fn(next).collect())
    }
}

/// No call waits longer, however slow the pace: a year.
const LONGEST: Duration = Duration::from_hours(365 * 24);

/// One call on its turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// Which item.
    pub item: usize,
    /// Which time it is sent, counted from 0.
    pub round: u32,
    /// How long after the beginning it is due; none: at once.
    pub due: Option<Duration>,
    /// It comes after the call that should have followed it.
    pub late: bool,
    lane: usize,
    /// Where in its lane.
    index: usize,
}

/// What is to be done and what may be done now. Calls leave in file order as far as lanes allow.
#[derive(Debug)]
pub(super) struct Queue {
    schedule: Schedule,
    /// Offsets of the items from the first, where the pace needs them.
    offsets: Vec<Duration>,
    /// How long one round is.
    span: Duration,
    /// The items of each lane in order, with whether they are late.
    lanes: Vec<Vec<(usize, bool)>>,
    /// Lanes whose next step may be taken: sequence number, lane, index in the lane.
    free: BinaryHeap<Reverse<(u64, usize, usize)>>,
    /// Whether no more shall be taken.
    closed: bool,
    items: usize,
}

impl Queue {
    pub fn new(items: &[Item], schedule: Schedule) -> Self {
        let mut lanes: Vec<Vec<(usize, bool)>> = Vec::new();
        let mut of_talk: HashMap<&str, usize> = HashMap::new();
        for (number, item) in items.iter().enumerate() {
            let own = lanes.len();
            let lane = item.conversation.as_deref().map_or(own, |talk| *of_talk.entry(talk).or_insert(own));
            if lane == own {
                lanes.push(Vec::new());
            }
            lanes[lane].push((number, false));
        }
        if schedule.out_of_order {
            for pair in lanes.iter_mut().flat_map(|lane| lane.chunks_exact_mut(2)) {
                pair.swap(0, 1);
                pair[1].1 = true;
            }
        }
        let offsets = match (schedule.pace, items.first()) {
            (Pace::Original(factor), Some(first)) => {
                let offset = |item: &Item| Duration::try_from(item.at.duration_since(first.at)).unwrap_or_default();
                items.iter().map(|item| scaled(offset(item), factor)).collect()
            }
            _ => Vec::new(),
        };
        let mut queue = Self {
            schedule,
            span: offsets.iter().max().copied().unwrap_or_default(),
            offsets,
            lanes,
            free: BinaryHeap::new(),
            closed: false,
            items: items.len(),
        };
        if schedule.repeat > 0 {
            (0..queue.lanes.len()).for_each(|lane| queue.offer(lane, 0, 0));
        }
        queue
    }

    /// As [`Self::new`], once it is known that these calls can be sent so.
    ///
    /// # Errors
    /// When calls shall change places and no two can.
    pub fn checked(items: &[Item], schedule: Schedule) -> Result<Self, String> {
        let queue = Self::new(items, schedule);
        if schedule.out_of_order && !queue.has_late_calls() {
            return Err("no conversation among these calls has two that could change places".to_owned());
        }
        Ok(queue)
    }

    /// Whether any two calls change places.
    fn has_late_calls(&self) -> bool {
        self.lanes.iter().flatten().any(|(_, late)| *late)
    }

    fn offer(&mut self, lane: usize, index: usize, round: u32) {
        // Where two have changed places the lane keeps the times at which it had its turns.
        let turn = match (self.schedule.out_of_order, index.is_multiple_of(2)) {
            (true, true) => self.lanes[lane].get(index + 1).map_or(index, |(_, late)| index + usize::from(*late)),
            (true, false) => index - 1,
            (false, _) => index,
        };
        let place = self.lanes[lane][turn].0 as u64;
        self.free.push(Reverse((u64::from(round) * self.items as u64 + place, lane, index)));
    }

    /// The next step, if there is one that waits for no other. [`Self::done`] gives its lane free again.
    pub fn take(&mut self) -> Option<Step> {
        if self.closed {
            return None;
        }
        let Reverse((number, lane, index)) = self.free.pop()?;
        let (item, is_late) = self.lanes[lane][index];
        let in_a_round = self.items as u64;
        let (round, place) = (number / in_a_round, usize::try_from(number % in_a_round).unwrap_or_default());
        let due = match self.schedule.pace {
            Pace::Asap => None,
            Pace::Rate(rate) => {
                #[expect(clippy::cast_precision_loss, reason = "of 2^52 calls none is due this year")]
                let seconds = number as f64 / rate;
                Some(Duration::try_from_secs_f64(seconds).unwrap_or(LONGEST).min(LONGEST))
            }
            Pace::Original(_) => {
                let span = self.span;
                let round = u32::try_from(round).unwrap_or(u32::MAX);
                Some(span.saturating_mul(round).saturating_add(self.offsets[place]).min(LONGEST))
            }
        };
        Some(Step { item, round: u32::try_from(round).unwrap_or(u32::MAX), due, late: is_late, lane, index })
    }

    /// A step was done: the next of its lane may be taken.
    pub fn done(&mut self, step: Step) {
        if step.index + 1 < self.lanes[step.lane].len() {
            self.offer(step.lane, step.index + 1, step.round);
        } else if step.round + 1 < self.schedule.repeat {
            self.offer(step.lane, 0, step.round + 1);
        }
    }

    /// No more is taken.
    pub fn close(&mut self) {
        self.closed = true;
    }

    /// Whether no more shall be taken.
    pub fn is_closed(&self) -> bool {
        self.closed
    }
}

fn scaled(offset: Duration, factor: f64) -> Duration {
    Duration::try_from_secs_f64(offset.as_secs_f64() / factor).unwrap_or(LONGEST).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::call::Id;
    use crate::recording::Place;

    /// One item a word, a second apart; `-` is of no conversation.
    fn items(talks: &str) -> Vec<Item> {
        let item = |(number, talk): (i64, &str)| Item {
            place: Place { offset: 0, len: 0 },
            id: Id::fresh(),
            at: jiff::Timestamp::from_second(number).unwrap(),
            kind: None,
            conversation: (talk != "-").then(|| talk.into()),
        };
        (0..).zip(talks.split(' ')).map(item).collect()
    }

    /// The order in which so many workers would begin what there is to do, if each step took equally long.
    fn order(talks: &str, workers: usize, schedule: Schedule) -> Vec<(usize, u32)> {
        let mut queue = Queue::new(&items(talks), schedule);
        let mut begun = Vec::new();
        loop {
            let steps: Vec<Step> = (0..workers).map_while(|_| queue.take()).collect();
            if steps.is_empty() {
                return begun;
            }
            let lanes: std::collections::HashSet<usize> = steps.iter().map(|step| step.lane).collect();
            assert_eq!(lanes.len(), steps.len(), "two calls of one conversation at a time");
            begun.extend(steps.iter().map(|step| (step.item, step.round)));
            for step in steps {
                queue.done(step);
            }
        }
    }

    #[rstest]
    #[case("a a b - a", 1, &[0, 1, 2, 3, 4])]
    #[case("a a a b", 2, &[0, 3, 1, 2])]
    #[case("a a b - b", 9, &[0, 2, 3, 1, 4])]
    fn a_conversation_waits_and_others_do_not(#[case] talks: &str, #[case] workers: usize, #[case] expected: &[usize]) {
        let items: Vec<usize> = order(talks, workers, Schedule::default()).into_iter().map(|(item, _)| item).collect();
        assert_eq!(items, expected);
    }

    #[test]
    fn a_repetition_follows_what_it_repeats() {
        let twice = Schedule { repeat: 2, ..Schedule::default() };
        assert_eq!(order("a - a", 1, twice), [(0, 0), (1, 0), (2, 0), (0, 1), (1, 1), (2, 1)]);
        assert_eq!(order("a - a", 3, twice), [(0, 0), (1, 0), (2, 0), (1, 1), (0, 1), (2, 1)]);
        assert_eq!(order("a", 1, Schedule { repeat: 0, ..twice }), []);
    }

    #[test]
    fn neighbours_change_places() {
        let mut queue = Queue::new(&items("a b a a"), Schedule { out_of_order: true, ..Schedule::default() });
        assert!(queue.has_late_calls());
        let mut taken = Vec::new();
        while let Some(step) = queue.take() {
            taken.push((step.item, step.late));
            queue.done(step);
        }
        assert_eq!(taken, [(2, false), (1, false), (0, true), (3, false)]);
        let schedule = Schedule { out_of_order: true, repeat: 3, ..Schedule::default() };
        assert!(schedule.check(&items("a b -")).is_err());
        assert_eq!(Schedule { out_of_order: false, ..schedule }.check(&items("a b -")), Ok(()));
        let items = items("a b a a");
        let order: Vec<bool> = schedule.order(&items).unwrap().into_iter().map(|(_, late)| late).collect();
        assert_eq!(order, [false, false, true, false]);
    }

    #[rstest]
    #[case(Pace::Asap, [None; 3])]
    #[case(Pace::Original(1.0), [Some(0), Some(1000), Some(1000)])]
    #[case(Pace::Original(4.0), [Some(0), Some(250), Some(250)])]
    #[case(Pace::Original(f64::MAX), [Some(0); 3])]
    #[case(Pace::Rate(4.0), [Some(0), Some(250), Some(500)])]
    fn a_step_is_due_by_the_pace(#[case] pace: Pace, #[case] expected: [Option<u64>; 3]) {
        let mut queue = Queue::new(&items("- -"), Schedule { pace, repeat: 2, ..Schedule::default() });
        let mut due = Vec::new();
        while let Some(step) = queue.take() {
            due.push(step.due.map(|due| u64::try_from(due.as_millis()).unwrap()));
            queue.done(step);
        }
        assert_eq!(due[..3], expected);
    }

    #[test]
    fn a_closed_queue_has_nothing() {
        let mut queue =
            Queue::new(&items("- -"), Schedule { pace: Pace::Original(f64::MIN_POSITIVE), ..Schedule::default() });
        let first = queue.take().unwrap();
        queue.done(first);
        assert_eq!(queue.take().unwrap().due, Some(LONGEST));
        queue.close();
        assert_eq!(queue.take(), None);
    }

    #[test]
    fn a_pace_is_a_word_or_a_factor() {
        assert_eq!("asap".parse(), Ok(Pace::Asap));
        assert_eq!("original".parse(), Ok(Pace::Original(1.0)));
        assert_eq!("2x".parse(), Ok(Pace::Original(2.0)));
        for text in ["asap", "original", "2x", "0.5x"] {
            assert_eq!(text.parse::<Pace>().unwrap().to_string(), text);
        }
        assert_eq!(Pace::Rate(10.0).to_string(), "10/s");
        assert_eq!("0.5/s".parse(), Ok(Pace::Rate(0.5)));
        assert_eq!(Pace::Rate(10.0).to_string().parse(), Ok(Pace::Rate(10.0)));
        for wrong in ["0x", "-1x", "fast", "x", "NaNx", "infx", "0/s", "/s", "10", "NaN/s"] {
            assert!(wrong.parse::<Pace>().is_err(), "{wrong}");
        }
    }
}
