//! The time that a signature bears, and how old it may be.

use std::borrow::Cow;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::message;
use super::{Scheme, SignError, carrier, place};
use crate::call::Request;
use crate::visible;

/// A time that stands in a request and is part of what is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clock {
    /// Where it stands.
    pub place: Stamp,
    /// How it is written.
    pub unit: Unit,
    /// How far it may be from the time of the call, in seconds. None: no matter how far.
    pub tolerance: Option<u32>,
    /// In which direction that counts.
    pub window: Window,
}

/// Where a time stands.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Stamp {
    /// `header:X-Request-Timestamp`
    Header(String),
    /// `field:t`: in the signature's own header, as in `t=1533204620,v1=...`
    Field(String),
    /// `/webhookTimestamp`: a value of the body
    Body(String),
}

impl TryFrom<String> for Stamp {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Ok(match place(&text, &["header", "field"])? {
            Some(("header", name)) => Self::Header(name.to_owned()),
            Some((_, name)) => Self::Field(name.to_owned()),
            None => Self::Body(text),
        })
    }
}

/// How a time is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum Unit {
    /// Seconds since 1970.
    #[default]
    #[serde(rename = "s")]
    Seconds,
    /// Milliseconds since 1970.
    #[serde(rename = "ms")]
    Millis,
    /// `2015-05-18T15:45:13Z`
    #[serde(rename = "rfc3339")]
    Rfc3339,
}

/// In which direction a difference counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Window {
    /// It may be neither too old nor too far ahead.
    #[default]
    Both,
    /// It may not be too old.
    Past,
}

/// What is wrong with the time of a call, as a sentence's end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Untimely {
    /// It is too long ago.
    Old(String),
    /// It is yet to come.
    Ahead(String),
    /// What is written there is no time.
    NoTime(String),
}

impl Untimely {
    /// The sentence's end.
    pub(super) fn reason(self) -> String {
        match self {
            Self::Old(reason) | Self::Ahead(reason) | Self::NoTime(reason) => reason,
        }
    }
}

impl Clock {
    /// The time in `request` as it is written there; what is wrong otherwise.
    pub(super) fn read(&self, scheme: &Scheme, request: &Request, given: &[u8]) -> Result<String, String> {
        match &self.place {
            Stamp::Header(name) => {
                request.headers.get(name).map(str::to_owned).ok_or_else(|| format!("there is no {name} header"))
            }
            Stamp::Field(name) => {
                let field = scheme.field(given, name).map(str::to_owned);
                field.ok_or_else(|| format!("{} has no `{name}=`", scheme.place()))
            }
            Stamp::Body(pointer) => message::value(&request.body, pointer)
                .map(Cow::into_owned)
                .ok_or_else(|| format!("there is no `{}` in the body", message::name(pointer))),
        }
    }

    /// `at` as it is written.
    pub(super) fn write(&self, at: Timestamp) -> String {
        match self.unit {
            Unit::Seconds => at.as_second().to_string(),
            Unit::Millis => at.as_millisecond().to_string(),
            Unit::Rfc3339 => at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        }
    }

    /// Puts the time `at` where it belongs, unless that is in the signature itself.
    pub(super) fn put(&self, request: &mut Request, at: Timestamp) -> Result<(), SignError> {
        let text = self.write(at);
        match &self.place {
            Stamp::Header(name) => request.headers.set(name, text),
            Stamp::Field(_) => {}
            Stamp::Body(pointer) => {
                // A string stays one.
                let quoted = match message::value(&request.body, pointer) {
                    Some(_) if is_string(&request.body, pointer) || self.unit == Unit::Rfc3339 => format!("\"{text}\""),
                    _ => text,
                };
                carrier::set_value(request, pointer, &quoted)?;
            }
        }
        Ok(())
    }

    fn parse(&self, text: &str) -> Option<Timestamp> {
        match self.unit {
            Unit::Seconds => Timestamp::from_second(text.trim().parse().ok()?).ok(),
            Unit::Millis => Timestamp::from_millisecond(text.trim().parse().ok()?).ok(),
            Unit::Rfc3339 => text.trim().parse().ok(),
        }
    }

    /// What is wrong with a call that came at `at` and bears the time `text`.
    pub(super) fn judge(&self, text: &str, at: Timestamp) -> Result<(), Untimely> {
        let Some(tolerance) = self.tolerance else { return Ok(()) };
        let allowed = SignedDuration::from_secs(tolerance.into());
        let Some(made) = self.parse(text) else {
            let text = visible::quoted(text);
            return Err(Untimely::NoTime(format!("{text:?} is not {}", self.unit.title())));
        };
        let age = at.duration_since(made);
        if age > allowed {
            let (age, allowed) = (span(age), span(allowed));
            Err(Untimely::Old(format!(
                "it was made {age} before the call came, and {allowed} is the most: an old call, or a slow clock"
            )))
        } else if self.window == Window::Both && -age > allowed {
            let (age, allowed) = (span(-age), span(allowed));
            Err(Untimely::Ahead(format!(
                "it was made {age} after the call came, and {allowed} is the most: the sender's clock is ahead"
            )))
        } else {
            Ok(())
        }
    }

    /// What to write in the place of what is no time.
    pub(super) fn repair(&self) -> String {
        let place = self.place();
        format!("Let the sender write the time in {place} as {}, and sign what it writes.", self.unit.title())
    }

    fn place(&self) -> String {
        match &self.place {
            Stamp::Header(name) => name.clone(),
            Stamp::Field(name) => format!("`{name}=`"),
            Stamp::Body(pointer) => format!("`{pointer}` of the body"),
        }
    }

    /// In words: `good for 300 s, both ways`.
    pub(super) fn describe(&self) -> String {
        let place = self.place();
        let rule = match (self.tolerance, self.window) {
            (None, _) => "not limited".to_owned(),
            (Some(tolerance), Window::Both) => {
                format!("within {}, both ways", span(SignedDuration::from_secs(tolerance.into())))
            }
            (Some(tolerance), Window::Past) => {
                format!("at most {} old", span(SignedDuration::from_secs(tolerance.into())))
            }
        };
        format!("its time is {} in {place}, {rule}", self.unit.title())
    }
}

impl Unit {
    fn title(self) -> &'static str {
        match self {
            Self::Seconds => "seconds since 1970",
            Self::Millis => "milliseconds since 1970",
            Self::Rfc3339 => "a date such as 2015-05-18T15:45:13Z",
        }
    }
}

fn is_string(body: &[u8], pointer: &str) -> bool {
    let text = std::str::from_utf8(body).unwrap_or_default();
    crate::json::find(text, pointer).is_some_and(|span| text[span].starts_with('"'))
}

/// `4 s`, `5 min`, `3 h 2 min`, `12 days`
fn span(duration: SignedDuration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        ..120 => format!("{seconds} s"),
        120..7200 => match seconds % 60 {
            0 => format!("{} min", seconds / 60),
            rest => format!("{} min {rest} s", seconds / 60),
        },
        7200..172_800 => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(unit: Unit, window: Window) -> Clock {
        Clock { place: Stamp::Field("t".into()), unit, tolerance: Some(300), window }
    }

    #[test]
    fn the_window_has_its_edges() {
        let at = Timestamp::from_second(1_700_000_000).unwrap();
        for (offset, both, past) in
            [(-301, false, false), (-300, true, true), (0, true, true), (300, true, true), (301, false, true)]
        {
            let text = (1_700_000_000 + offset).to_string();
            assert_eq!(clock(Unit::Seconds, Window::Both).judge(&text, at).is_ok(), both, "{offset}");
            assert_eq!(clock(Unit::Seconds, Window::Past).judge(&text, at).is_ok(), past, "{offset}");
        }
        let late = clock(Unit::Seconds, Window::Both).judge("1699992000", at).unwrap_err();
        assert!(matches!(late, Untimely::Old(_)), "{late:?}");
        let late = late.reason();
        assert!(late.contains("2 h 13 min before") && late.contains("5 min is the most"), "{late}");
    }

    #[test]
    fn times_are_read_as_they_are_written() {
        let at: Timestamp = "2015-05-18T15:45:13Z".parse().unwrap();
        for (unit, text) in
            [(Unit::Seconds, "1431963913"), (Unit::Millis, "1431963913000"), (Unit::Rfc3339, "2015-05-18T15:45:13Z")]
        {
            let clock = clock(unit, Window::Both);
            assert_eq!(clock.write(at), text);
            assert_eq!(clock.parse(text), Some(at));
            let none = clock.judge("soon", at).unwrap_err();
            assert!(matches!(&none, Untimely::NoTime(reason) if reason.starts_with("\"soon\" is not")), "{none:?}");
        }
    }
}
