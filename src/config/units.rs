//! Sizes, durations and addresses as people write them.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

/// `10 MiB`, `512 KiB`, `2 MB` or plain bytes.
///
/// # Errors
/// A sentence that shows how a size is written.
pub fn parse_size(text: &str) -> Result<usize, String> {
    let scale = |unit: &str| match unit.to_ascii_lowercase().as_str() {
        "" | "b" => Some(1),
        "kb" => Some(1_000),
        "mb" => Some(1_000_000),
        "gb" => Some(1_000_000_000),
        "kib" => Some(1 << 10),
        "mib" => Some(1 << 20),
        "gib" => Some(1 << 30),
        _ => None,
    };
    amount(text)
        .and_then(|(number, unit)| usize::try_from(number).ok()?.checked_mul(scale(unit)?))
        .filter(|&size| size > 0)
        .ok_or_else(|| {
            "a size is written \"10 MiB\", \"512 KiB\", \"2 MB\" or as a number of bytes, and is not 0".to_owned()
        })
}

/// `30s`, `500ms`, `2m`, `1h` or `30d`.
///
/// # Errors
/// A sentence that shows how a duration is written.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let millis = |unit: &str| match unit {
        "ms" => Some(1),
        "s" => Some(1_000),
        "m" | "min" => Some(60_000),
        "h" => Some(3_600_000),
        "d" => Some(86_400_000),
        _ => None,
    };
    amount(text)
        .and_then(|(number, unit)| number.checked_mul(millis(unit)?))
        .filter(|&millis| millis > 0)
        .map(Duration::from_millis)
        .ok_or_else(|| "a duration is written \"30s\", \"500ms\" or \"2m\", and is not 0".to_owned())
}

/// A number and the unit after it.
fn amount(text: &str) -> Option<(u64, &str)> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    Some((text[..digits].parse().ok()?, text[digits..].trim_start()))
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
