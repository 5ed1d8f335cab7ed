//! A paged list, which grows without being moved: what is kept of millions of calls would else be copied again and again, once
//! while somebody looks at it.

/// Values of a page.
const PAGE: usize = 4096;

/// Values in pages, all of which are full but the last.
#[derive(Clone, Debug)]
pub(super) struct Pages<T>(Vec<Vec<T>>);

impl<T> Default for Pages<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Pages<T> {
    pub fn len(&self) -> usize {
        self.0.last().map_or(0, |last| (self.0.len() - 1) * PAGE + last.len())
    }

    pub fn push(&mut self, value: T) {
        if let Some(last) = self.0.last_mut().filter(|last| last.len() < PAGE) {
            last.push(value);
            return;
        }
        // The only page of a short list is as large as that.
        let mut page = Vec::with_capacity(if self.0.is_empty() { 1 } else { PAGE });
        page.push(value);
        self.0.push(page);
    }

    pub fn get(&self, number: usize) -> Option<&T> {
        self.0.get(number / PAGE)?.get(number % PAGE)
    }

    pub fn last(&self) -> Option<&T> {
        self.0.last()?.last()
    }

    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &T> + ExactSizeIterator {
        (0..self.len()).map(|number| &self.0[number / PAGE][number % PAGE])
    }

    /// Where the value with this key stands in a list that rises by it; else where it would come.
    pub fn binary_search_by_key<K: Ord>(&self, key: &K, key_of: impl Fn(&T) -> K) -> Result<usize, usize> {
        let after = self.0.partition_point(|page| page.first().is_some_and(|first| key_of(first) <= *key));
        let Some(page) = after.checked_sub(1) else { return Err(0) };
        let found = self.0[page].binary_search_by_key(key, key_of);
        found.map(|at| page * PAGE + at).map_err(|at| page * PAGE + at)
    }

    /// Forgets the values from `kept` on.
    pub fn truncate(&mut self, kept: usize) {
        self.0.truncate(kept.div_ceil(PAGE));
        if let Some(last) = self.0.get_mut(kept / PAGE) {
            last.truncate(kept % PAGE);
        }
    }
}

impl<T> Extend<T> for Pages<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, values: I) {
        values.into_iter().for_each(|value| self.push(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_one_list() {
        for len in [0, 1, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE, 2 * PAGE + 7] {
            let mut pages = Pages::default();
            pages.extend(0..len);
            assert_eq!((pages.len(), pages.last().copied()), (len, len.checked_sub(1)));
            assert!(pages.iter().copied().eq(0..len) && pages.iter().rev().copied().eq((0..len).rev()));
            assert_eq!((pages.get(len), pages.iter().len()), (None, len));
            for number in [0, 1, PAGE - 1, PAGE, 2 * PAGE, len] {
                let wanted = if number < len { Ok(number) } else { Err(len) };
                assert_eq!(pages.binary_search_by_key(&number, |value| *value), wanted, "{number} of {len}");
            }
            for kept in [2 * PAGE, PAGE + 1, PAGE, PAGE - 1, 3, 0].into_iter().filter(|kept| *kept <= len) {
                pages.truncate(kept);
                assert!(pages.iter().copied().eq(0..kept), "{kept} of {len}");
            }
            pages.extend(0..PAGE + 2);
            assert_eq!(pages.len(), PAGE + 2);
        }
    }
}
