//! Whether two JSON numbers are one, however they are written, without rounding any.

use std::borrow::Cow;

/// Sign, digits without leading and trailing zeros, and the power of ten of the last digit.
type Decimal = (bool, Vec<u8>, i64);

/// One text for all that write the same number, as `1.50e1` and `15`.
pub(super) fn canonical(text: &str) -> Cow<'_, str> {
    let Some((negative, digits, power)) = decimal(text) else { return Cow::Borrowed(text) };
    let sign = if negative { "-" } else { "" };
    Cow::Owned(format!("{sign}{}e{power}", String::from_utf8_lossy(&digits)))
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
    use super::canonical;

    fn same(left: &str, right: &str) -> bool {
        canonical(left) == canonical(right)
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
}
