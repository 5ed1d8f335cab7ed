//! The rows of the options, and their values.

use jiff::Timestamp;

use crate::app::dialog::Input;
use crate::app::which::{Countable, Which};
use crate::call::Id;
use crate::config::{Target, parse_duration};
use crate::net::fault::{Fault, SLOW};
use crate::net::outgoing::SignMode;
use crate::replay::expect::Expectation;
use crate::replay::{Plan, Schedule};

/// Paces that the arrow keys go through.
const PACES: [&str; 7] = ["asap", "original", "2x", "10x", "1/s", "10/s", "100/s"];
/// Calls at a time that the arrow keys go through.
const CONCURRENCIES: [&str; 6] = ["1", "2", "4", "8", "16", "32"];
/// How often the arrow keys have all of it done.
const REPEATS: [&str; 5] = ["1", "2", "5", "10", "100"];
/// Expectations that the arrow keys go through; without any it is the status.
const EXPECTATIONS: [&str; 5] = ["", "recorded", "contract", "recorded contract", "status<400"];

/// Which calls can be sent again.
const WHICH: [Which; 5] = [Which::This, Which::FromHere, Which::Marked, Which::Listed, Which::All];

/// A row of the options.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// [`Options::which`].
    Which,
    /// [`Options::sent`].
    Sent,
    /// Which of the targets.
    To,
    /// [`Options::against`].
    Against,
    /// [`Options::mode`].
    Mode,
    /// [`Options::pace`].
    Pace,
    /// [`Options::concurrency`].
    Concurrency,
    /// [`Options::repeat`].
    Repeat,
    /// [`Options::expect`].
    Expect,
    /// [`Options::stop`].
    Stop,
    /// [`Options::faults`]: the one of that number in [`Fault::ALL`].
    Fault(usize),
    /// [`Options::duplicate`].
    Duplicate,
    /// [`Options::out_of_order`].
    OutOfOrder,
}

impl Field {
    /// In the order they stand in.
    pub const ALL: [Self; 17] = [
        Self::Which,
        Self::Sent,
        Self::To,
        Self::Against,
        Self::Mode,
        Self::Pace,
        Self::Concurrency,
        Self::Repeat,
        Self::Expect,
        Self::Stop,
        Self::Fault(0),
        Self::Fault(1),
        Self::Fault(2),
        Self::Fault(3),
        Self::Fault(4),
        Self::Duplicate,
        Self::OutOfOrder,
    ];

    /// Whether it is about what goes wrong on purpose.
    #[must_use]
    pub fn is_faulty(self) -> bool {
        matches!(self, Self::Fault(_) | Self::Duplicate | Self::OutOfOrder)
    }
}

/// What to replay, and how.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "rows that are switched on and off are bools")]
pub struct Options {
    /// Which calls.
    pub which: Which,
    /// The call that was selected when this was asked.
    pub this: Option<Id>,
    /// Those that were sent from here count as well.
    pub sent: bool,
    /// A second target that gets the same calls, so that the answers can be compared.
    pub against: Option<Target>,
    /// With new signature, ids and times, or exactly as they are.
    pub mode: SignMode,
    /// As [`Pace`](crate::replay::Pace) is written.
    pub pace: String,
    /// How many at a time.
    pub concurrency: String,
    /// How often all of it is done.
    pub repeat: String,
    /// Expectations, between spaces.
    pub expect: String,
    /// Whether the first failure ends it.
    pub stop: bool,
    /// With which of [`Fault::ALL`] each call is sent.
    pub faults: [bool; Fault::ALL.len()],
    /// Over what time a slow body is sent.
    pub slow: String,
    /// Whether each call is sent twice.
    pub duplicate: bool,
    /// Whether neighbours in a conversation change places.
    pub out_of_order: bool,
    /// How many calls that are.
    pub count: usize,
    /// What there was to count, and when.
    pub(in crate::app) counted: Option<(Countable, Timestamp)>,
    /// The row that the keys are for.
    pub selected: usize,
    /// Its value being typed.
    pub typing: Option<Input>,
    /// The ticket of a job whose calls are counted, for its target asks before it sends.
    pub counting: Option<u64>,
    /// Why it cannot begin so.
    pub error: Option<String>,
}

impl Default for Options {
    /// The selected call, once, as it should be.
    fn default() -> Self {
        Self {
            which: Which::This,
            this: None,
            sent: false,
            against: None,
            mode: SignMode::Fresh,
            pace: PACES[0].to_owned(),
            concurrency: CONCURRENCIES[0].to_owned(),
            repeat: REPEATS[0].to_owned(),
            expect: EXPECTATIONS[0].to_owned(),
            stop: false,
            faults: [false; Fault::ALL.len()],
            slow: format!("{SLOW:?}"),
            duplicate: false,
            out_of_order: false,
            count: 0,
            counted: None,
            selected: 0,
            typing: None,
            counting: None,
            error: None,
        }
    }
}

impl Options {
    /// These options for another replay; the second target is one that there still `is`.
    pub(super) fn again(&self, is: impl Fn(&Target) -> bool) -> Self {
        Self {
            which: self.which,
            sent: self.sent,
            against: self.against.clone().filter(is),
            mode: self.mode,
            pace: self.pace.clone(),
            concurrency: self.concurrency.clone(),
            repeat: self.repeat.clone(),
            expect: self.expect.clone(),
            stop: self.stop,
            faults: self.faults,
            slow: self.slow.clone(),
            duplicate: self.duplicate,
            out_of_order: self.out_of_order,
            ..Self::default()
        }
    }

    /// The row that the keys are for.
    #[must_use]
    pub fn field(&self) -> Field {
        Field::ALL[self.selected.min(Field::ALL.len() - 1)]
    }

    /// Whether the key that types does something in the row: it types a value, or asks for a target.
    #[must_use]
    pub fn takes_text(&self) -> bool {
        match self.field() {
            Field::Pace | Field::Concurrency | Field::Repeat | Field::Expect | Field::To | Field::Against => true,
            Field::Fault(number) => Fault::ALL[number].slowness().is_some(),
            _ => false,
        }
    }

    /// The value that is typed for a row, where one can be.
    pub(super) fn text(&mut self) -> Option<&mut String> {
        match self.field() {
            Field::Pace => Some(&mut self.pace),
            Field::Concurrency => Some(&mut self.concurrency),
            Field::Repeat => Some(&mut self.repeat),
            Field::Expect => Some(&mut self.expect),
            Field::Fault(number) if Fault::ALL[number].slowness().is_some() => Some(&mut self.slow),
            _ => None,
        }
    }

    /// Takes what was typed for a row.
    pub(super) fn take(&mut self, value: &str) {
        if let Some(text) = self.text() {
            value.clone_into(text);
        }
        // Whoever says how slow wants it slow.
        if let Field::Fault(number) = self.field() {
            self.faults[number] = true;
        }
    }

    /// Takes pasted text where a value is typed.
    pub(in crate::app) fn paste(&mut self, text: &str) {
        if let Some(input) = &mut self.typing {
            input.paste(text);
        }
    }

    /// The next value of the row, or the one before; `targets` are those there are, and `first` the one that is chosen.
    pub(super) fn turn(&mut self, steps: isize, targets: &[Target], first: Option<&Target>) {
        let word = |words: &[&str], value: &mut String| {
            let at = words.iter().position(|word| word == value);
            words[next(at, steps, words.len())].clone_into(value);
        };
        match self.field() {
            Field::Which => {
                let at = WHICH.iter().position(|which| *which == self.which);
                self.which = WHICH[next(at, steps, WHICH.len())];
            }
            Field::Sent => self.sent = !self.sent,
            // The app's.
            Field::To => {}
            Field::Against => {
                // The first one's answers are seldom to be compared with its own.
                let others: Vec<&Target> = targets.iter().filter(|target| Some(*target) != first).collect();
                let at = self.against.as_ref().map(|own| others.iter().position(|other| *other == own));
                let at = at.map_or(Some(0), |at| at.map(|at| at + 1));
                let chosen = next(at, steps, others.len() + 1).checked_sub(1);
                self.against = chosen.and_then(|at| others.get(at)).copied().cloned();
            }
            Field::Mode => {
                self.mode = self.mode.other();
            }
            Field::Pace => word(&PACES, &mut self.pace),
            Field::Concurrency => word(&CONCURRENCIES, &mut self.concurrency),
            Field::Repeat => word(&REPEATS, &mut self.repeat),
            Field::Expect => word(&EXPECTATIONS, &mut self.expect),
            Field::Stop => self.stop = !self.stop,
            Field::Fault(number) => self.faults[number] = !self.faults[number],
            Field::Duplicate => self.duplicate = !self.duplicate,
            Field::OutOfOrder => self.out_of_order = !self.out_of_order,
        }
    }

    /// What of `plan`, which says where to, is asked for here.
    ///
    /// # Errors
    /// Which value is none: a sentence.
    pub(super) fn plan(&self, plan: Plan) -> Result<Plan, String> {
        let expect = words(&self.expect).map(str::parse).collect::<Result<Vec<Expectation>, _>>()?;
        let (mode, faults, duplicate) = (self.mode, self.chosen()?, self.duplicate);
        Ok(Plan { mode, faults, duplicate, schedule: self.schedule()?, expect, ..plan })
    }

    fn chosen(&self) -> Result<Vec<Fault>, String> {
        let chosen = Fault::ALL.into_iter().zip(self.faults).filter(|(_, chosen)| *chosen);
        let fault = |(fault, _)| match fault {
            Fault::SlowBody(_) => parse_duration(&self.slow).map(Fault::SlowBody),
            fault => Ok(fault),
        };
        chosen.map(fault).collect()
    }

    fn schedule(&self) -> Result<Schedule, String> {
        let most = usize::from(Schedule::MOST_AT_A_TIME);
        let concurrency = self.concurrency.trim().parse().ok().filter(|count| (1..=most).contains(count));
        let repeat = self.repeat.trim().parse().ok().filter(|times| *times > 0);
        Ok(Schedule {
            pace: self.pace.trim().parse()?,
            concurrency: concurrency.ok_or_else(|| format!("at a time: a number from 1 to {most}"))?,
            repeat: repeat.ok_or("repeat: how often all of it is done, 1 or more")?,
            out_of_order: self.out_of_order,
            stop_on_failure: self.stop,
        })
    }
}

/// So many steps from `at`, round and round; from nowhere to the first.
pub(super) fn next(at: Option<usize>, steps: isize, count: usize) -> usize {
    at.map_or(0, |at| (at + count).saturating_add_signed(steps) % count.max(1))
}

/// The words of a text, which a comma may end, as in the heading; within double quotes, space and comma are part of one.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    let ends = move |char: char| {
        if char == '"' && !escaped {
            quoted = !quoted;
        }
        escaped = char == '\\' && !escaped;
        !quoted && char.is_whitespace()
    };
    text.split(ends).map(|word| word.strip_suffix(',').unwrap_or(word)).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_space_within_quotes_ends_no_word() {
        let found = |text| words(text).collect::<Vec<_>>();
        assert_eq!(
            found(r#" status=2xx  /input/text="a \" b" recorded"#),
            ["status=2xx", r#"/input/text="a \" b""#, "recorded"]
        );
        assert_eq!(found("recorded, took<1s, "), ["recorded", "took<1s"]);
        assert_eq!(found(r#"/a="b,", /c"#), [r#"/a="b,""#, "/c"]);
        assert_eq!(found(""), [""; 0]);
        assert!(words(r#"/input/text="a b""#).map(str::parse::<Expectation>).all(|found| found.is_ok()));
    }

    #[test]
    fn each_fault_has_its_row() {
        let rows: Vec<usize> =
            Field::ALL.iter().filter_map(|field| if let Field::Fault(at) = field { Some(*at) } else { None }).collect();
        assert_eq!(rows, (0..Fault::ALL.len()).collect::<Vec<_>>());
    }

    #[test]
    fn the_second_target_is_none_or_one_of_the_others() {
        let targets = ["a", "b", "c"].map(|name| Target::new(name, format!("http://{name}")));
        let mut options = Options { selected: 3, ..Options::default() };
        let mut seen = Vec::new();
        for steps in [1, 1, 1, -1, -1] {
            options.turn(steps, &targets, Some(&targets[1]));
            seen.push(options.against.as_ref().map_or("-", |target| target.name.as_str()).to_owned());
        }
        assert_eq!(seen, ["a", "c", "-", "c", "a"]);
        options.turn(1, &[], None);
        assert_eq!(options.against, None, "where there are no others any more");
    }
}
