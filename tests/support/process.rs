//! What the system knows of a process (proc(5)).

/// A number of `/proc/PROCESS/status`, none if there is no such process. Of memory in KiB: `VmRSS:` what it has, `VmHWM:` the
/// most it ever had.
pub fn status(process: impl std::fmt::Display, name: &str) -> Option<u64> {
    let about = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let value = about.lines().find_map(|line| line.strip_prefix(name))?;
    value.trim().trim_end_matches(" kB").parse().ok()
}
