//! The calls that were looked at last. The recording has them all; this holds the few that the screen needs.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::call::Call;
use crate::recording::Redaction;

/// Most calls kept.
const MOST_CALLS: usize = 512;
/// Most bytes of bodies kept, but for the newest call, which is kept whatever its size.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// A call and what a row of the list says of it.
#[derive(Clone, Debug)]
pub struct Cached {
    /// The call as it is shown, or why it could not be read.
    pub call: Result<Arc<Call>, String>,
    /// The call as it is, where what is shown is masked.
    original: Option<Arc<Call>>,
    /// What the user said in it; worked out when its row is first shown.
    pub text: Option<String>,
}

/// Calls by their number in the recording, the oldest dropped first.
#[derive(Debug, Default)]
pub struct Cache {
    calls: HashMap<usize, Cached>,
    order: VecDeque<usize>,
    bytes: usize,
    /// What is masked in all that is given out, but for [`Cache::original`].
    mask: Option<Arc<Redaction>>,
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
        match self.calls.insert(number, masked(call, self.mask.as_deref())) {
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

    /// The call of that number as it is, if it is here and could be read.
    #[must_use]
    pub fn original(&self, number: usize) -> Option<Arc<Call>> {
        let cached = self.calls.get(&number)?;
        cached.original.clone().or_else(|| cached.call.clone().ok())
    }

    /// Masks whatever is given out from now on, or shows it as it is.
    pub fn set_mask(&mut self, mask: Option<Arc<Redaction>>) {
        for cached in self.calls.values_mut() {
            let call = cached.original.take().map_or_else(|| cached.call.clone(), Ok);
            *cached = masked(call, mask.as_deref());
        }
        self.mask = mask;
    }

    /// Remembers what the user said in a call.
    pub fn set_text(&mut self, number: usize, text: String) {
        if let Some(cached) = self.calls.get_mut(&number) {
            cached.text = Some(text);
        }
    }
}

fn masked(call: Result<Arc<Call>, String>, mask: Option<&Redaction>) -> Cached {
    match (call, mask) {
        (Ok(call), Some(mask)) => Cached { call: Ok(Arc::new(mask.call(&call))), original: Some(call), text: None },
        (call, _) => Cached { call, original: None, text: None },
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
