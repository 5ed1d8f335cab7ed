//! TOML with places: every value knows its key and where it stands, so that what is wrong with it can be shown. Reading goes
//! on behind an error, so that all of them are told at once.

use std::cell::RefCell;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::{Error, Errors};

/// What was found to be wrong so far.
#[derive(Default)]
pub(super) struct Found(RefCell<Vec<Error>>);

impl Found {
    pub(super) fn add(&self, error: Error) {
        self.0.borrow_mut().push(error);
    }

    /// The value; or what was found, in the order of the text.
    pub(super) fn or<T>(self, value: T) -> Result<T, Errors> {
        let mut errors = self.0.into_inner();
        if errors.is_empty() {
            return Ok(value);
        }
        errors.sort_by_key(|error| (error.line, error.column));
        Err(Errors(errors))
    }
}

/// The text that is read.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    /// As it is shown.
    pub(super) file: Option<&'a Path>,
    pub(super) text: &'a str,
    pub(super) found: &'a Found,
}

impl<'a> Source<'a> {
    /// The text's tables; none where it is not TOML: what would be wrong besides may only follow from that.
    pub(super) fn parse(self) -> Option<Spanned<DeTable<'a>>> {
        let (tables, errors) = DeTable::parse_recoverable(self.text);
        let whole = errors.is_empty().then_some(tables);
        for error in errors {
            // The error's own rendering prints the line it stands on, which may hold a secret. Its message does not.
            let at = error.span().map_or(0, |span| span.start);
            let message = format!("this is not TOML: {}", error.message().replace('\n', ", "));
            self.found.add(self.error(at, None, message));
        }
        whole
    }

    /// What was read; what is wrong with it is kept.
    fn keep<T>(self, read: Result<T, Error>) -> Option<T> {
        read.map_err(|error| self.found.add(error)).ok()
    }

    pub(super) fn error(self, at: usize, key: Option<String>, message: impl Into<String>) -> Error {
        let before = self.text.get(..at).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Error {
            file: self.file.map(Path::to_owned),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            key,
            message: message.into(),
        }
    }
}

/// A table, all of whose keys are known.
pub(super) struct Table<'a> {
    source: Source<'a>,
    /// The way to it, dots between keys; empty at the top.
    key: String,
    at: usize,
    content: &'a DeTable<'a>,
}

impl<'a> Table<'a> {
    /// The table of the whole text, which may hold the keys `known` only.
    pub(super) fn top(source: Source<'a>, table: &'a Spanned<DeTable<'a>>, known: &[&str]) -> Self {
        Self { source, key: String::new(), at: 0, content: table.get_ref() }.knowing(known)
    }

    fn knowing(self, known: &[&str]) -> Self {
        for (key, value) in self.entries() {
            if known.contains(&key) {
                continue;
            }
            let message = format!("this key is not known here: {}", instead(key, known));
            self.source.found.add(self.source.error(value.key_at, Some(value.key), message));
        }
        self
    }

    /// The value of a key, if it is there.
    pub(super) fn get(&self, key: &str) -> Option<Value<'a>> {
        self.entries().into_iter().find_map(|(name, value)| (name == key).then_some(value))
    }

    /// The value of a key as `read` understands it, if it is there and nothing is wrong with it.
    pub(super) fn read<T>(&self, key: &str, read: impl FnOnce(&Value<'a>) -> Result<T, Error>) -> Option<T> {
        self.get(key).and_then(|value| self.source.keep(read(&value)))
    }

    /// As [`Self::read`], of a key that must be there.
    pub(super) fn must<T>(&self, key: &str, read: impl FnOnce(&Value<'a>) -> Result<T, Error>) -> Option<T> {
        self.source.keep(self.need(key).and_then(|value| read(&value)))
    }

    /// What was read of it; what is wrong with that is kept.
    pub(super) fn keep<T>(&self, read: Result<T, Error>) -> Option<T> {
        self.source.keep(read)
    }

    /// The value of a key that must be there.
    pub(super) fn need(&self, key: &str) -> Result<Value<'a>, Error> {
        self.get(key).ok_or_else(|| self.error(format!("`{key}` is missing here")))
    }

    /// The tables of an array of tables; none if it is not there.
    pub(super) fn tables(&self, key: &str, known: &[&str]) -> Vec<Table<'a>> {
        let tables = self.read(key, |value| match value.get() {
            DeValue::Array(_) => Ok(value.each(|item| item.table(known))),
            _ => Err(value.error(format!("this is a list of tables: write `[[{key}]]`"))),
        });
        tables.unwrap_or_default()
    }

    /// Every key and value in the order of the text.
    pub(super) fn entries(&self) -> Vec<(&'a str, Value<'a>)> {
        let mut entries: Vec<_> = self.content.iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        let value = |key: &'a Spanned<DeString<'a>>, content| {
            let name = written(key.get_ref());
            let key_path = if self.key.is_empty() { name } else { format!("{}.{name}", self.key) };
            Value { source: self.source, key: key_path, key_at: key.span().start, content }
        };
        entries.into_iter().map(|(key, item)| (&**key.get_ref(), value(key, item))).collect()
    }

    pub(super) fn error(&self, message: impl Into<String>) -> Error {
        self.source.error(self.at, (!self.key.is_empty()).then(|| self.key.clone()), message)
    }
}

/// A key as it stands in TOML.
fn written(key: &str) -> String {
    let bare = |char: char| char.is_ascii_alphanumeric() || matches!(char, '_' | '-');
    if !key.is_empty() && key.chars().all(bare) { key.to_owned() } else { format!("\"{}\"", key.escape_debug()) }
}

/// A value with its key.
pub(super) struct Value<'a> {
    source: Source<'a>,
    key: String,
    key_at: usize,
    content: &'a Spanned<DeValue<'a>>,
}

impl<'a> Value<'a> {
    pub(super) fn get(&self) -> &'a DeValue<'a> {
        self.content.get_ref()
    }

    /// Another value under the same key.
    fn with(&self, content: &'a Spanned<DeValue<'a>>) -> Self {
        Self { source: self.source, key: self.key.clone(), key_at: self.key_at, content }
    }

    pub(super) fn string(&self) -> Result<&'a str, Error> {
        self.get().as_str().ok_or_else(|| self.error("this is a string: put it in double quotes"))
    }

    pub(super) fn bool(&self) -> Result<bool, Error> {
        self.get().as_bool().ok_or_else(|| self.error("this is `true` or `false`"))
    }

    /// A whole number that is not negative, if it is one that fits.
    pub(super) fn integer<T: TryFrom<u64>>(&self) -> Option<T> {
        let integer = self.get().as_integer()?;
        u64::from_str_radix(integer.as_str(), integer.radix()).ok()?.try_into().ok()
    }

    /// The string, as `parse` understands it.
    pub(super) fn parse<T>(&self, parse: impl FnOnce(&str) -> Result<T, String>) -> Result<T, Error> {
        parse(self.string()?).map_err(|message| self.error(message))
    }

    /// The items of a list; any other value stands for a list of one.
    pub(super) fn items(&self) -> Vec<Self> {
        match self.get() {
            DeValue::Array(array) => array.iter().map(|item| self.with(item)).collect(),
            _ => vec![self.with(self.content)],
        }
    }

    /// What was read of it; what is wrong with that is kept.
    pub(super) fn keep<T>(&self, read: Result<T, Error>) -> Option<T> {
        self.source.keep(read)
    }

    /// The items of a list as `read` understands them, without those that something is wrong with.
    pub(super) fn each<T>(&self, read: impl Fn(&Self) -> Result<T, Error>) -> Vec<T> {
        self.items().iter().filter_map(|item| self.source.keep(read(item))).collect()
    }

    /// The table that may hold the keys `known` only.
    pub(super) fn table(&self, known: &[&str]) -> Result<Table<'a>, Error> {
        Ok(self.any_table()?.knowing(known))
    }

    /// The table, whatever its keys.
    pub(super) fn any_table(&self) -> Result<Table<'a>, Error> {
        let DeValue::Table(content) = self.get() else {
            return Err(self.error("this is a table"));
        };
        Ok(Table { source: self.source, key: self.key.clone(), at: self.content.span().start, content })
    }

    pub(super) fn error(&self, message: impl Into<String>) -> Error {
        self.source.error(self.content.span().start, Some(self.key.clone()), message)
    }
}

/// The one of `known` that `word` may be a slip of: at most two letters added, lost or changed.
pub fn closest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let near = known.iter().map(|&candidate| (distance(word, candidate), candidate));
    near.filter(|&(distance, candidate)| distance <= 2 && distance < candidate.chars().count())
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, candidate)| candidate)
}

/// The end of a sentence that says that nothing is called `word`: which of `known` was meant, or all of them.
#[must_use]
pub fn instead(word: &str, known: &[&str]) -> String {
    meant(word, known).unwrap_or_else(|| match known {
        [] => "none is known".to_owned(),
        [one] => format!("known is {one:?}"),
        all => format!("known are {}", all.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ")),
    })
}

/// Which of `known` was meant, if `word` may be a slip of one: for sentences that say something else where it is none.
#[must_use]
pub fn meant(word: &str, known: &[&str]) -> Option<String> {
    closest(word, known).map(|near| format!("did you mean {near:?}?"))
}

/// Levenshtein's: the least number of letters to add, drop or change.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &to) in b.iter().enumerate() {
            let change = diagonal + usize::from(from != to);
            diagonal = row[j + 1];
            row[j + 1] = change.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
