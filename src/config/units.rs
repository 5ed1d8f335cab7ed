//! Sizes, durations and addresses as people write them.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

/// Bytes: `10 MiB`, `512 KiB`, `1.5 MB` or a bare number; of a fraction of a byte the whole ones. None: it is no size, or a larger
/// one than there is.
#[must_use]
pub fn size(text: &str) -> Option<u64> {
    scaled(text, |unit| match unit.to_ascii_lowercase().as_str() {
        "" | "b" => Some(1),
        "kb" => Some(1_000),
        "mb" => Some(1_000_000),
        "gb" => Some(1_000_000_000),
        "kib" => Some(1 << 10),
        "mib" => Some(1 << 20),
        "gib" => Some(1 << 30),
        _ => None,
    })
}

/// `30s`, `1.5s`, `500ms`, `20us`, `2m`, `1h` or `30d`, to the microsecond. None: it is no duration.
#[must_use]
pub fn duration(text: &str) -> Option<Duration> {
    let micros = scaled(text, |unit| match unit {
        "us" | "µs" => Some(1),
        "ms" => Some(1_000),
        "s" => Some(1_000_000),
        "m" | "min" => Some(60_000_000),
        "h" => Some(3_600_000_000),
        "d" => Some(86_400_000_000),
        _ => None,
    });
    micros.map(Duration::from_micros)
}

/// A number without sign or exponent, in the smallest unit; `worth` says how many of these the unit after it has.
fn scaled(text: &str, worth: impl Fn(&str) -> Option<u64>) -> Option<u64> {
    let text = text.trim();
    let end = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    // Whole numbers only: no limit that somebody sets is rounded.
    let digits: u128 = [whole, part].concat().parse().ok()?;
    let scale = 10_u128.checked_pow(u32::try_from(part.len()).ok()?)?;
    let worth = worth(unit.trim_start())?;
    u64::try_from(digits.checked_mul(worth.into())? / scale).ok()
}

/// How [`duration`] reads `time`: `30s`, `500ms` or `20us`.
#[must_use]
pub fn written(time: Duration) -> String {
    match time.subsec_micros() {
        0 => format!("{}s", time.as_secs()),
        micros if micros.is_multiple_of(1_000) => format!("{}ms", time.as_millis()),
        _ => format!("{}us", time.as_micros()),
    }
}

/// A [`size`] that is a limit, and so not 0.
///
/// # Errors
/// A sentence that shows how a size is written.
pub fn parse_size(text: &str) -> Result<usize, String> {
    size(text).and_then(|size| usize::try_from(size).ok()).filter(|&size| size > 0).ok_or_else(|| {
        "a size is written \"10 MiB\", \"512 KiB\", \"2 MB\" or as a number of bytes, and is not 0".to_owned()
    })
}

/// A [`duration`] that is not 0.
///
/// # Errors
/// A sentence that shows how a duration is written.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    duration(text)
        .filter(|time| !time.is_zero())
        .ok_or_else(|| "a duration is written \"30s\", \"500ms\" or \"2m\", and is not 0".to_owned())
}

/// `127.0.0.1:4747`, `[::1]:4747` or `localhost:4747`. Port 0 is any free one.
///
/// # Errors
/// A sentence that shows how an address is written.
pub fn parse_address(text: &str) -> Result<SocketAddr, String> {
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    if let Some(Ok(port)) = text.strip_prefix("localhost:").map(str::parse::<u16>) {
        return Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    }
    Err("an address is host and port: \"127.0.0.1:4747\" for this machine only, \"0.0.0.0:4747\" for the whole network"
        .to_owned())
}

/// What to know of an address that others can reach; nothing for a loopback one.
pub fn exposure(address: SocketAddr) -> Option<String> {
    let loopback = address.ip().to_canonical().is_loopback();
    (!loopback)
        .then(|| format!("{address} can be reached from the network: others can send calls to it and see its answers"))
}
