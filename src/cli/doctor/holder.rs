//! Who listens on an address: `/proc/net/tcp` has the socket's number, `/proc/PID/fd` who holds it (proc(5), Linux).
//! Elsewhere, and for other users' programs, it cannot be told.

use std::fs;
use std::net::{IpAddr, SocketAddr};

/// The program that listens where `address` would: `node (4711)`.
pub(super) fn of(address: SocketAddr) -> Option<String> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(|path| fs::read_to_string(path).unwrap_or_default());
    let socket = tables.iter().flat_map(|table| table.lines()).find_map(|line| listening(line, address))?;
    let link = format!("socket:[{socket}]");
    let holds = |process: &fs::DirEntry| {
        let files = fs::read_dir(process.path().join("fd")).into_iter().flatten().flatten();
        files.filter_map(|file| fs::read_link(file.path()).ok()).any(|target| target.as_os_str() == link.as_str())
    };
    let process = fs::read_dir("/proc").ok()?.flatten().find(holds)?;
    let name = fs::read_to_string(process.path().join("comm")).ok()?;
    Some(format!("{} ({})", name.trim_end(), process.file_name().display()))
}

/// The socket's number in a line of the table, if it listens where `address` would.
fn listening(line: &str, address: SocketAddr) -> Option<&str> {
    const LISTEN: &str = "0A";
    let fields: Vec<&str> = line.split_whitespace().collect();
    let (host, port) = fields.get(1)?.split_once(':')?;
    let there = host_of(host)?;
    let (there, wanted) = (there.to_canonical(), address.ip().to_canonical());
    let clash = there == wanted || there.is_unspecified() || wanted.is_unspecified();
    let same = u16::from_str_radix(port, 16).ok()? == address.port() && *fields.get(3)? == LISTEN;
    (same && clash).then(|| fields.get(9).copied()).flatten()
}

/// The kernel prints addresses as words of the machine's own byte order.
fn host_of(hex: &str) -> Option<IpAddr> {
    let mut bytes = Vec::with_capacity(16);
    for start in (0..hex.len()).step_by(8) {
        let word = u32::from_str_radix(hex.get(start..start + 8)?, 16).ok()?;
        bytes.extend(word.to_ne_bytes());
    }
    match bytes.len() {
        4 => Some(IpAddr::from(<[u8; 4]>::try_from(bytes).ok()?)),
        16 => Some(IpAddr::from(<[u8; 16]>::try_from(bytes).ok()?)),
        _ => None,
    }
}

#[cfg(all(test, target_endian = "little"))]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_kernel_is_read() {
        let line =
            "   1: 0100007F:128B 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000  0 54321 1 0000 100";
        let socket = |line: &str, address: &str| listening(line, address.parse().unwrap()).map(str::to_owned);
        for address in ["127.0.0.1:4747", "0.0.0.0:4747", "[::]:4747", "[::ffff:127.0.0.1]:4747"] {
            assert_eq!(socket(line, address).as_deref(), Some("54321"), "{address}");
        }
        assert_eq!(socket(line, "127.0.0.2:4747"), None);
        assert_eq!(socket(line, "127.0.0.1:4748"), None);
        assert_eq!(socket(&line.replace(" 0A ", " 01 "), "127.0.0.1:4747"), None);
        let six = line.replace("0100007F", "00000000000000000000000001000000");
        assert_eq!(socket(&six, "[::1]:4747").as_deref(), Some("54321"));
        assert_eq!(socket("  sl  local_address rem_address   st", "127.0.0.1:4747"), None);
    }
}
