//! When a recording is set aside and another begun in its place.

use std::str::FromStr;
use std::time::Duration;

use super::units::{parse_duration, parse_size};

/// What a recording may come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// This many bytes.
    Size(u64),
    /// This long since it began.
    Age(Duration),
}

impl FromStr for Limit {
    type Err = String;

    /// A size, as in `1 GiB`, or an age, as in `24h`.
    fn from_str(text: &str) -> Result<Self, String> {
        let size = parse_size(text).ok().and_then(|size| u64::try_from(size).ok()).map(Self::Size);
        size.or_else(|| parse_duration(text).ok().map(Self::Age))
            .ok_or_else(|| format!("{text:?} is neither a size, as in \"1 GiB\", nor an age, as in \"24h\""))
    }
}

/// When a recording is set aside and another begun in its place: when one of these is reached. Never without any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rotation {
    /// Bytes.
    pub size: Option<u64>,
    /// Since the recording began.
    pub age: Option<Duration>,
}

impl FromIterator<Limit> for Rotation {
    /// Of several limits of a sort the last one counts.
    fn from_iter<I: IntoIterator<Item = Limit>>(limits: I) -> Self {
        limits.into_iter().fold(Self::default(), |rotation, limit| match limit {
            Limit::Size(size) => Self { size: Some(size), ..rotation },
            Limit::Age(age) => Self { age: Some(age), ..rotation },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_size_or_an_age() {
        let limits = ["1 GiB", "500", "24h"].map(|text| text.parse::<Limit>().unwrap());
        assert_eq!(limits, [Limit::Size(1 << 30), Limit::Size(500), Limit::Age(Duration::from_hours(24))]);
        let rotation: Rotation = limits.into_iter().collect();
        assert_eq!(rotation, Rotation { size: Some(500), age: Some(Duration::from_hours(24)) });
        for wrong in ["", "0", "soon", "1 week"] {
            assert!(wrong.parse::<Limit>().is_err(), "{wrong}");
        }
    }
}
