//! Times and spans in words.

use jiff::Timestamp;

/// A span of `millis` in words: `4 s`, `1.5 s`, `3 minutes`, `2 days`.
pub(super) fn span(millis: i128) -> String {
    let millis = millis.unsigned_abs();
    let units = [(86_400_000, "days"), (3_600_000, "hours"), (60_000, "minutes")];
    match units.into_iter().find(|(unit, _)| millis >= 2 * unit) {
        Some((unit, word)) => format!("{} {word}", millis / unit),
        None if millis < 1000 => format!("{millis} ms"),
        None if millis.is_multiple_of(1000) => format!("{} s", millis / 1000),
        None => format!("{}.{} s", millis / 1000, millis % 1000 / 100),
    }
}

/// A claim's time: milliseconds since 1970, if the number of seconds is one that could be meant.
pub(super) fn millis(seconds: f64) -> Option<i128> {
    #[expect(clippy::cast_possible_truncation, reason = "within the years that a timestamp has")]
    (seconds.abs() < 1e15).then_some((seconds * 1000.0).round() as i128)
}

/// `2023-11-14T22:13:24Z, 4 s after the call`.
pub(super) fn relative(then: i128, at: Timestamp) -> String {
    let after = then - i128::from(at.as_millisecond());
    let shown = i64::try_from(then).ok().and_then(|then| Timestamp::from_millisecond(then).ok());
    let shown = shown.map_or_else(|| "a time that no clock shows".to_owned(), |time| time.to_string());
    match after {
        0 => format!("{shown}, the moment of the call"),
        1.. => format!("{shown}, {} after the call", span(after)),
        _ => format!("{shown}, {} before the call", span(after)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_told_in_the_unit_that_fits() {
        for (millis, words) in [
            (0, "0 ms"),
            (-999, "999 ms"),
            (4000, "4 s"),
            (-1_550, "1.5 s"),
            (119_000, "119 s"),
            (180_000, "3 minutes"),
            (7_200_000, "2 hours"),
            (172_800_000, "2 days"),
        ] {
            assert_eq!(span(millis), words);
        }
    }

    #[test]
    fn a_time_stands_beside_its_distance_from_the_call() {
        let at = Timestamp::from_second(1_700_000_000).unwrap();
        assert_eq!(relative(1_700_000_004_000, at), "2023-11-14T22:13:24Z, 4 s after the call");
        assert_eq!(relative(1_699_999_999_500, at), "2023-11-14T22:13:19.5Z, 500 ms before the call");
        assert_eq!(relative(1_700_000_000_000, at), "2023-11-14T22:13:20Z, the moment of the call");
        assert!(relative(millis(1.7e12).unwrap(), at).starts_with("a time that no clock shows, "));
        assert_eq!(millis(1e300), None);
    }
}
