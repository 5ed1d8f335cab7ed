//! How many sockets and files this process may hold. Many systems begin with so few (1,024; 256) that callers alone use them
//! up, and nothing is left to forward their calls by or to set a full recording aside with.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// As many as are of use: a thousand callers, each of whose calls goes to several targets.
const OF_USE: u64 = 8192;

/// What is kept for all but callers and what their calls are forwarded by: recordings, the terminal, runtimes.
const OTHERS: u64 = 40;

/// Asks the system for as many as are of use, where it has given fewer and lets us have more.
pub fn raise() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = maximum.map_or(OF_USE, |maximum| maximum.min(OF_USE));
    if current.is_some_and(|current| current < wanted) {
        // Refused, it stays as it was: so many callers fewer are let in at a time.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum });
    }
}

/// How many callers, of at most `most`, can be let in at a time so that one connection is left for each of them to be
/// forwarded by.
pub(super) fn callers(most: usize) -> usize {
    getrlimit(Resource::Nofile).current.map_or(most, |limit| within(limit, most))
}

fn within(limit: u64, most: usize) -> usize {
    let each_with_another = limit.saturating_sub(OTHERS) / 2;
    usize::try_from(each_with_another).unwrap_or(most).clamp(1, most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_caller_has_a_connection_to_be_forwarded_by() {
        for (limit, callers) in [(0, 1), (40, 1), (64, 12), (256, 108), (1024, 492), (8192, 1024), (u64::MAX, 1024)] {
            assert_eq!(within(limit, 1024), callers, "of {limit}");
        }
    }
}
