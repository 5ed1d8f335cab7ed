//! What is broken on purpose: `status=503 delay=2s jitter=500ms probability=30% next=3`.

use std::fmt;
use std::time::Duration;

use super::document::instead;
use super::units::{parse_duration, written};

/// What is broken on purpose, and how often.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fault {
    /// The answer waits this long.
    pub delay: Duration,
    /// Up to this much longer, by chance.
    pub jitter: Duration,
    /// What becomes of the answer.
    pub harm: Option<Harm>,
    /// How likely a call is hit: 0 to 1.
    pub probability: f64,
    /// Only that many calls are hit, then none.
    pub next: Option<u32>,
}

impl Default for Fault {
    fn default() -> Self {
        Self { delay: Duration::ZERO, jitter: Duration::ZERO, harm: None, probability: 1.0, next: None }
    }
}

/// What becomes of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Harm {
    /// It has this status.
    Status(u16),
    /// It has no body.
    Empty,
    /// Its body is cut in the middle: no JSON any more.
    Malformed,
    /// Its body is JSON that the contract does not allow.
    Contradict,
    /// Its body takes this long to come.
    Slow(Duration),
    /// It does not come: the connection is reset.
    Reset,
}

/// Every word and how it is written.
pub const WORDS: [&str; 10] = [
    "status=503",
    "empty",
    "malformed",
    "contradict",
    "slow=5s",
    "reset",
    "delay=2s",
    "jitter=500ms",
    "probability=30%",
    "next=3",
];

impl Fault {
    /// Reads the words of a fault, in any order.
    ///
    /// # Errors
    /// A sentence: the word that is not known, or its value, or that there is nothing to break.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut fault = Self::default();
        for word in text.split([' ', ',']).filter(|word| !word.is_empty()) {
            let (name, value) = word.split_once('=').unwrap_or((word, ""));
            let time = || parse_duration(value).map_err(|message| format!("{name}: {message}"));
            let harm = match name {
                "status" => {
                    let status = value.parse().ok().filter(|status| (200..=599).contains(status));
                    Some(Harm::Status(status.ok_or("status: this is a number from 200 to 599")?))
                }
                "empty" => Some(Harm::Empty),
                "malformed" => Some(Harm::Malformed),
                "contradict" => Some(Harm::Contradict),
                "slow" => Some(Harm::Slow(time()?)),
                "reset" => Some(Harm::Reset),
                _ => None,
            };
            match name {
                _ if harm.is_some() && fault.harm.is_some() => {
                    return Err(format!("{name}: an answer is broken in one way at a time"));
                }
                _ if harm.is_some() => fault.harm = harm,
                "delay" => fault.delay = time()?,
                "jitter" => fault.jitter = time()?,
                "probability" => fault.probability = share(value)?,
                "next" => {
                    let count = value.parse().ok().filter(|count| *count > 0);
                    fault.next = Some(count.ok_or("next: this is a number of calls, from 1")?);
                }
                _ => return Err(format!("{name:?} is no fault: {}", instead(name, &WORDS))),
            }
        }
        if fault.harm.is_none() && fault.delay.is_zero() && fault.jitter.is_zero() {
            return Err(format!("this breaks nothing: {}", instead("", &WORDS)));
        }
        Ok(fault)
    }
}

/// `0.3` or `30%`.
fn share(text: &str) -> Result<f64, String> {
    let number = match text.strip_suffix('%') {
        Some(percent) => percent.parse::<f64>().map(|percent| percent / 100.0),
        None => text.parse(),
    };
    number
        .ok()
        .filter(|share| (0.0..=1.0).contains(share))
        .ok_or_else(|| "probability: this is a number from 0 to 1, or 30%".to_owned())
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words = Vec::new();
        words.extend(self.harm.map(|harm| match harm {
            Harm::Status(status) => format!("status={status}"),
            Harm::Empty => "empty".to_owned(),
            Harm::Malformed => "malformed".to_owned(),
            Harm::Contradict => "contradict".to_owned(),
            Harm::Slow(slow) => format!("slow={}", written(slow)),
            Harm::Reset => "reset".to_owned(),
        }));
        words.extend((!self.delay.is_zero()).then(|| format!("delay={}", written(self.delay))));
        words.extend((!self.jitter.is_zero()).then(|| format!("jitter={}", written(self.jitter))));
        words.extend((self.probability < 1.0).then(|| format!("probability={}", self.probability)));
        words.extend(self.next.map(|next| format!("next={next}")));
        f.write_str(&words.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_read() {
        for text in [
            "status=503",
            "empty next=3",
            "malformed probability=0.5",
            "contradict",
            "slow=5s",
            "reset",
            "delay=2s",
            "delay=250ms jitter=1s probability=0.25 next=1",
        ] {
            assert_eq!(Fault::parse(text).unwrap().to_string(), text);
        }
        assert!((Fault::parse("reset, probability=30%").unwrap().probability - 0.3).abs() < 1e-9);
    }

    #[test]
    fn what_is_no_fault_is_named() {
        for (text, part) in [
            ("", "breaks nothing"),
            ("next=3", "breaks nothing"),
            ("status=99", "200 to 599"),
            ("reset empty", "one way at a time"),
            ("explode", "\"explode\" is no fault"),
            ("delay=soon", "delay: a duration"),
            ("reset probability=2", "0 to 1"),
            ("reset next=0", "from 1"),
        ] {
            let error = Fault::parse(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
