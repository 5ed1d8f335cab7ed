//! The calls that were looked at last. The recording has them all; this holds the few that the screen needs.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::call::Call;
use crate::recording::Redaction;
use crate::visible;

/// Most calls kept.
const MOST_CALLS: usize = 512;
/// Most bytes of bodies kept, but for the newest call, which is kept whatever its size.
const MOST_BYTES: usize = 64 * 1024 * 1024;
/// The same of those that are masked when the screen is: nobody is to wait for calls that are not looked at.
const MASKED_AT_ONCE: usize = 2 * 1024 * 1024;
/// Most texts of rows kept: many times what a screen has.
const MOST_TEXTS: usize = 4096;
/// Most bytes of what a row says of its call: more than a screen is wide. Who calls says how much there would be.
pub const ROW: usize = 1000;

/// A call.
#[derive(Clone, Debug)]
pub struct Cached {
    /// The call as it is shown, or why it could not be read.
    pub call: Result<Arc<Call>, String>,
    /// The call as it is, where what is shown is masked.
    original: Option<Arc<Call>>,
    /// What it counts for among [`MOST_BYTES`].
    bytes: usize,
}

/// Calls by their number in the recording, the oldest dropped first.
#[derive(Debug, Default)]
pub struct Cache {
    calls: HashMap<usize, Cached>,
    order: VecDeque<usize>,
    bytes: usize,
    /// What rows of the list say of their calls, and where those were sent. They outlive the calls: a screen of large ones has
    /// more than is kept.
    texts: HashMap<usize, (String, Option<String>)>,
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
        let bytes = size(&call);
        self.texts.remove(&number);
        match self.calls.insert(number, masked(call, bytes, self.mask.as_deref())) {
            Some(old) => self.bytes -= old.bytes,
            None => self.order.push_back(number),
        }
        self.bytes += bytes;
        self.keep(MOST_BYTES);
    }

    fn keep(&mut self, most: usize) {
        while self.order.len() > 1 && (self.order.len() > MOST_CALLS || self.bytes > most) {
            let Some(oldest) = self.order.pop_front() else { break };
            if let Some(dropped) = self.calls.remove(&oldest) {
                self.bytes -= dropped.bytes;
            }
        }
    }

    /// The call of that number as it is, if it is here and could be read.
    #[must_use]
    pub fn original(&self, number: usize) -> Option<Arc<Call>> {
        let cached = self.calls.get(&number)?;
        cached.original.clone().or_else(|| cached.call.clone().ok())
    }

    /// Masks whatever is given out from now on, or shows it as it is. What would take long to mask is dropped, but for the
    /// newest: it can be read again.
    pub fn set_mask(&mut self, mask: Option<Arc<Redaction>>) {
        if mask.is_some() {
            self.keep(MASKED_AT_ONCE);
        }
        for cached in self.calls.values_mut() {
            let call = cached.original.take().map_or_else(|| cached.call.clone(), Ok);
            *cached = masked(call, cached.bytes, mask.as_deref());
        }
        self.texts.clear();
        self.mask = mask;
    }

    /// What the row of a call says of it, once that is worked out.
    #[must_use]
    pub fn text(&self, number: usize) -> Option<&str> {
        self.texts.get(&number).map(|(text, _)| text.as_str())
    }

    /// Where the call of a row was sent, if it was and that is known.
    #[must_use]
    pub fn sent_to(&self, number: usize) -> Option<&str> {
        self.texts.get(&number)?.1.as_deref()
    }

    /// What rows say is worked out anew.
    pub fn forget_texts(&mut self) {
        self.texts.clear();
    }

    /// Remembers what the row of a call says of it, as far as a row can show it, and where the call was sent.
    pub fn set_text(&mut self, number: usize, text: &str, sent_to: Option<String>) {
        if self.texts.len() >= MOST_TEXTS {
            self.texts.clear();
        }
        self.texts.insert(number, (visible::excerpt(text, ROW).into_owned(), sent_to));
    }
}

fn masked(call: Result<Arc<Call>, String>, bytes: usize, mask: Option<&Redaction>) -> Cached {
    match (call, mask) {
        (Ok(call), Some(mask)) => Cached { call: Ok(Arc::new(mask.call(&call))), original: Some(call), bytes },
        (call, _) => Cached { call, original: None, bytes },
    }
}

fn size(call: &Result<Arc<Call>, String>) -> usize {
    let Ok(call) = call else { return 0 };
    let key = call.conversation.as_ref().map_or(0, String::len);
    key + call.request.body.len() + call.response.as_ref().map_or(0, |response| response.body.len())
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

    #[test]
    fn what_is_masked_counts_for_what_it_is() {
        let redact = crate::config::Redact { pointers: vec!["/n".to_owned()], ..Default::default() };
        let mask = Arc::new(Redaction::new(&redact).unwrap());
        let mut cache = Cache::default();
        for _ in 0..2 {
            cache.set_mask(Some(mask.clone()));
            for number in 0..2 * MOST_CALLS {
                let mut call = crate::app::tests::call("/");
                call.request.body = r#"{"n":5}"#.into();
                cache.put(number, Ok(Arc::new(call)));
            }
            cache.set_mask(None);
            assert_eq!((cache.order.len(), cache.bytes), (MOST_CALLS, 7 * MOST_CALLS));
        }
    }

    #[test]
    fn large_calls_are_not_masked_before_they_are_looked_at() {
        let mut cache = Cache::default();
        for number in 0..9 {
            let mut call = crate::app::tests::call("/");
            call.request.body = vec![b' '; MASKED_AT_ONCE / 3].into();
            cache.put(number, Ok(Arc::new(call)));
        }
        let mask = Arc::new(Redaction::new(&crate::config::Redact::default()).unwrap());
        cache.set_mask(Some(mask));
        assert_eq!((0..9).filter(|number| cache.has(*number)).collect::<Vec<_>>(), [6, 7, 8]);
        cache.set_mask(None);
        assert!(cache.has(8) && cache.bytes == MASKED_AT_ONCE / 3 * 3);
    }

    #[test]
    fn texts_outlive_large_calls() {
        let mut cache = Cache::default();
        for number in 0..3 {
            let mut call = crate::app::tests::call("/");
            call.request.body = vec![b' '; MOST_BYTES / 2 + 1].into();
            cache.put(number, Ok(Arc::new(call)));
            cache.set_text(number, &number.to_string(), None);
        }
        assert!(!cache.has(0) && cache.has(2));
        assert_eq!(cache.text(0), Some("0"));
    }

    #[test]
    fn of_a_text_no_more_is_kept_than_a_row_can_show() {
        let mut cache = Cache::default();
        cache.set_text(0, &"ä".repeat(1 << 20), None);
        assert_eq!(cache.text(0), Some(&*("ä".repeat(ROW / 2) + "…")));
    }

    #[test]
    fn a_long_key_counts_like_a_body() {
        let mut call = crate::app::tests::call("/");
        call.conversation = Some("k".repeat(500));
        assert_eq!(size(&Ok(Arc::new(call))), 500);
    }
}
