//! Whether two JSON numbers are one, however they are written, and which is the greater, without rounding any.

use std::borrow::Cow;
use std::cmp::Ordering;

/// Sign, digits without leading and trailing zeros, and the power of ten of the last digit.
type Decimal = (bool, Vec<u8>, i64);

/// One text for all that write the same number, as `1.50e1` and `15`.
#[must_use]
pub fn canonical_number(text: &str) -> Cow<'_, str> {
    let Some((negative, digits, power)) = decimal(text) else { return Cow::Borrowed(text) };
    let sign = if negative { "-" } else { "" };
    Cow::Owned(format!("{sign}{}e{power}", String::from_utf8_lossy(&digits)))
}

/// Which of two numbers is the greater, be they of JSON or of a header; none where one of the two is no number.
#[must_use]
pub fn order(left: &str, right: &str) -> Option<Ordering> {
    if let (Ok(left), Ok(right)) = (left.parse::<i128>(), right.parse::<i128>()) {
        return Some(left.cmp(&right));
    }
    // `f64` reads `inf` too.
    let rounded = |text: &str| -> Option<f64> {
        let plain = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
        text.parse().ok().filter(|_| plain)
    };
    let (small, large) = (rounded(left)?, rounded(right)?);
    let unsigned = |text: &str| decimal(text.strip_prefix('+').unwrap_or(text));
    match (unsigned(left), unsigned(right)) {
        (Some(left), Some(right)) => Some(compare(&left, &right)),
        // Beyond any power of ten that can be counted with.
        _ => small.partial_cmp(&large),
    }
}

fn compare(left: &Decimal, right: &Decimal) -> Ordering {
    let sign = |(negative, digits, _): &Decimal| match (negative, digits.is_empty()) {
        (_, true) => 0,
        (true, _) => -1,
        (false, _) => 1,
    };
    // The place of the first digit; digits without zeros at their end are in the order of their text.
    let size =
        |(_, digits, power): &Decimal| i128::from(*power) + i128::try_from(digits.len()).unwrap_or(i128::MAX >> 1);
    let sizes = || size(left).cmp(&size(right)).then_with(|| left.1.cmp(&right.1));
    sign(left).cmp(&sign(right)).then_with(|| match sign(left) {
        0 => Ordering::Equal,
        1 => sizes(),
        _ => sizes().reverse(),
    })
}

fn decimal(text: &str) -> Option<Decimal> {
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent: i64 = exponent.parse().ok()?;
    let mut digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).skip_while(|digit| *digit == b'0').collect();
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let mut power = exponent.checked_sub(i64::try_from(fraction.len()).ok()?)?;
    while digits.last() == Some(&b'0') {
        digits.pop();
        power = power.checked_add(1)?;
    }
    // Zero has no sign and no power.
    Some(if digits.is_empty() { (false, digits, 0) } else { (negative, digits, power) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(left: &str, right: &str) -> bool {
        canonical_number(left) == canonical_number(right)
    }

    #[test]
    fn a_number_is_itself_however_it_is_written() {
        for (left, right) in [("1", "1.0"), ("1.50e1", "15"), ("-0", "0.00"), ("1E+2", "100"), ("1e-2", "0.010")] {
            assert!(same(left, right) && same(right, left), "{left} {right}");
        }
        for (left, right) in
            [("1", "-1"), ("12345678901234567890123", "12345678901234567890124"), ("0.1", "0.10000000000000001")]
        {
            assert!(!same(left, right), "{left} {right}");
        }
        assert!(same("1e99999999999999999999", "1e99999999999999999999"), "too large to take apart");
    }
    #[test]
    fn the_greater_of_two_numbers_is_found_without_rounding() {
        for (small, large) in [
            ("9007199254740992", "9007199254740993"),
            ("12345678901234567890123456789012345678901", "12345678901234567890123456789012345678902"),
            ("0.1", "0.10000000000000001"),
            ("-0.10000000000000001", "-0.1"),
            ("-1", "0"),
            ("-0", "1e-400"),
            ("9", "10"),
            ("99e-1", "1e1"),
            ("1e400", "1e401"),
            ("-1e401", "-1e400"),
            ("2", "1e99999999999999999999"),
            (".5", "+1"),
        ] {
            assert_eq!(order(small, large), Some(Ordering::Less), "{small} {large}");
            assert_eq!(order(large, small), Some(Ordering::Greater), "{small} {large}");
        }
        for (left, right) in [("1", "1.0"), ("-0", "0.00"), ("1E+2", "100"), ("+7", "7")] {
            assert_eq!(order(left, right), Some(Ordering::Equal), "{left} {right}");
        }
        for word in ["", "x", "inf", "NaN", "null", "\"1\"", "1 2", "-", "1e"] {
            assert_eq!((order(word, "1"), order("1", word)), (None, None), "{word}");
        }
    }
}
