//! Interned values: strings and the like that many calls share, each kept once and numbered.

use std::hash::{BuildHasher as _, Hash};
use std::sync::Arc;

use hashbrown::{DefaultHashBuilder, HashTable};

/// A value that is kept once, and looked up without being made.
pub(super) trait Interned {
    type Key<'a>: Copy + Hash;

    fn new(key: Self::Key<'_>) -> Self;
    fn key(&self) -> Self::Key<'_>;
    fn is(&self, key: Self::Key<'_>) -> bool;
}

/// Values numbered in the order they first came.
#[derive(Clone, Debug)]
pub(super) struct Table<T> {
    pub values: Vec<T>,
    numbers: HashTable<u32>,
    hasher: DefaultHashBuilder,
    /// What was asked for last: it is often asked for again.
    last: u32,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { values: Vec::new(), numbers: HashTable::new(), hasher: DefaultHashBuilder::default(), last: 0 }
    }
}

impl<T: Interned> Table<T> {
    /// The number of the value with this key.
    pub fn number(&mut self, key: T::Key<'_>) -> u32 {
        self.number_or(key, || T::new(key))
    }

    /// The same; if there was none, of the one that `new` gives.
    fn number_or(&mut self, key: T::Key<'_>, new: impl FnOnce() -> T) -> u32 {
        let Self { values, numbers, hasher, last } = self;
        if values.get(*last as usize).is_some_and(|value| value.is(key)) {
            return *last;
        }
        let hash = hasher.hash_one(key);
        if let Some(&number) = numbers.find(hash, |&number| values[number as usize].is(key)) {
            *last = number;
            return number;
        }
        // Four thousand million distinct values do not fit into memory beside their rows.
        let number = u32::try_from(values.len()).unwrap_or(u32::MAX - 1);
        values.push(new());
        numbers.insert_unique(hash, number, |&number| hasher.hash_one(values[number as usize].key()));
        *last = number;
        number
    }
}

impl<T: Interned + Clone> Table<T> {
    /// Adds the values of another table; which numbers they have here.
    pub fn take_in(&mut self, other: &Self) -> Vec<u32> {
        other.values.iter().map(|value| self.number_or(value.key(), || value.clone())).collect()
    }
}

impl Interned for Arc<str> {
    type Key<'a> = &'a str;

    fn new(key: &str) -> Self {
        key.into()
    }

    fn key(&self) -> &str {
        self
    }

    fn is(&self, key: &str) -> bool {
        **self == *key
    }
}
