//! The calls that were looked at last. The recording has them all; this holds the few that the screen needs.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::call::Call;

/// Most calls kept.
const MOST_CALLS: usize = 512;
/// Most bytes of bodies kept, but for the newest call, which is kept whatever its size.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// A call and what a row of the list says of it.
#[derive(Clone, Debug)]
pub struct Cached {
    /// The call, or why it could not be read.
    pub call: Result<Arc<Call>, String>,
    /// What the user said in it; worked out when its row is first shown.
    pub text: Option<String>,
}

/// Calls by their number in the recording, the oldest dropped first.
#[derive(Debug, Default)]
pub struct Cache {
    calls: HashMap<usize, Cached>,
    order: VecDeque<usize>,
    bytes: usize,
}

impl Cache {
    /// The call of that number, if it is here.
    #[must_use]
    pub fn get(&self, number: usize) -> Option<&Cached> {
        self.calls.get(&number)
    }

    /// Whether it is here.
    #[must_use]
    pub fn has(&self, number: usize) -> bool {
        self.calls.contains_key(&number)
    }

    /// Keeps a call, dropping older ones where it gets too much.
    pub fn put(&mut self, number: usize, call: Result<Arc<Call>, String>) {
        let size = size(&call);
        match self.calls.insert(number, Cached { call, text: None }) {
            Some(old) => self.bytes -= self::size(&old.call),
            None => self.order.push_back(number),
        }
        self.bytes += size;
        while self.order.len() > 1 && (self.order.len() > MOST_CALLS || self.bytes > MOST_BYTES) {
            let Some(oldest) = self.order.pop_front() else { break };
            if let Some(dropped) = self.calls.remove(&oldest) {
                self.bytes -= self::size(&dropped.call);
            }
        }
    }

    /// Remembers what the user said in a call.
    pub fn set_text(&mut self, number: usize, text: String) {
        if let Some(cached) = self.calls.get_mut(&number) {
            cached.text = Some(text);
        }
    }
}

fn size(call: &Result<Arc<Call>, String>) -> usize {
    let Ok(call) = call else { return 0 };
    call.request.body.len() + call.response.as_ref().map_or(0, |response| response.body.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_make_room() {
        let mut cache = Cache::default();
        for number in 0..MOST_CALLS + 3 {
            cache.put(number, Err(String::new()));
        }
        assert!(!cache.has(2) && cache.has(3) && cache.has(MOST_CALLS + 2));
    }

    #[test]
    fn putting_a_call_twice_counts_it_once() {
        let mut cache = Cache::default();
        cache.put(1, Err("a".into()));
        cache.put(1, Err("b".into()));
        assert_eq!(cache.order.len(), 1);
        assert_eq!(cache.get(1).unwrap().call, Err("b".into()));
    }
}
