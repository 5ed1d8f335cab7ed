//! A call decoded: the sections that a pack lays out, each value with what it means.

use super::doc::{Doc, members, text, within};
use super::pack::{Form, SectionSpec};
use super::schema::Schema;
use crate::json;

/// A call decoded by its pack.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Envelope {
    /// What the user said.
    pub text: Option<String>,
    /// What the call is about, where that is nothing that the user said.
    pub summary: Option<String>,
    /// The conversation's key.
    pub conversation: Option<String>,
    /// The user's id.
    pub user: Option<String>,
    /// The rest, in the pack's order. A section whose place is not in the body is left out.
    pub sections: Vec<Section>,
}

/// A part of an envelope.
#[derive(Clone, Debug, PartialEq)]
pub struct Section {
    /// Its heading.
    pub title: String,
    /// Never empty.
    pub rows: Vec<Row>,
    /// How many more there are of very many.
    pub more: usize,
}

/// One value of an envelope.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Where it is in the body.
    pub pointer: String,
    /// What to call it.
    pub label: String,
    /// A string's content, or the JSON text of any other value as it came, without white space between. Whole, and not made
    /// safe for a terminal.
    pub value: String,
    /// 0.0..=1.0, drawn as a bar.
    pub score: Option<f64>,
    /// What the contract says of it.
    pub meaning: Option<String>,
}

/// The sections of a body, with meanings from `schema`.
pub(super) fn sections(specs: &[SectionSpec], body: &[u8], schema: Option<&Schema>) -> Vec<Section> {
    let doc = Doc::new(body);
    let sections = specs.iter().filter_map(|spec| {
        let (rows, more) = Rows { spec, schema }.of(doc.find(&spec.pointer)?);
        (!rows.is_empty()).then(|| Section { title: spec.title.clone(), rows, more })
    });
    sections.collect()
}

/// Rows that a section has: more are not looked at, and each is a multiple of what is written.
const MOST_ROWS: usize = 1000;

fn first<T>(mut all: impl Iterator<Item = T>, row: impl FnMut(T) -> Row) -> (Vec<Row>, usize) {
    let rows = all.by_ref().take(MOST_ROWS).map(row).collect();
    (rows, all.count())
}

struct Rows<'a> {
    spec: &'a SectionSpec,
    schema: Option<&'a Schema>,
}

impl Rows<'_> {
    /// The first rows, and how many more there are.
    fn of(&self, value: &str) -> (Vec<Row>, usize) {
        match self.spec.form {
            Form::Fields => {
                let shown = members(value).into_iter().flatten().filter(|(key, _)| self.shows(key));
                first(shown, |(key, value)| self.row(&json::escape(&key), key.into_owned(), value, None))
            }
            Form::List => {
                first(json::items(value).into_iter().flatten().enumerate(), |(index, item)| {
                    let label = self.label(item).unwrap_or_else(|| (index + 1).to_string());
                    let score = self.spec.score.as_ref().and_then(|place| within(item, place)?.parse().ok());
                    let found = self.spec.value.iter().find_map(|place| Some((place, within(item, place)?)));
                    match found {
                        Some((place, value)) => self.row(&format!("{index}{}", &**place), label, value, score),
                        // The score says all that the item holds besides its label.
                        None if score.is_some() => {
                            let row = self.row(&index.to_string(), label, item, score);
                            Row { value: score.map(|score| score.to_string()).unwrap_or_default(), ..row }
                        }
                        None => self.row(&index.to_string(), label, item, score),
                    }
                })
            }
            Form::Path => {
                let steps: Vec<String> = json::items(value)
                    .into_iter()
                    .flatten()
                    .map(|item| self.label(item).unwrap_or_else(|| text(item)))
                    .collect();
                (if steps.is_empty() { Vec::new() } else { vec![self.whole("path", steps.join(" → "))] }, 0)
            }
            Form::Count => {
                let count = json::items(value).map(|items| self.whole("entries", items.len().to_string()));
                (count.into_iter().collect(), 0)
            }
        }
    }

    fn shows(&self, key: &str) -> bool {
        let fits = |pattern: &String| pattern.strip_suffix('*').map_or(key == pattern, |start| key.starts_with(start));
        (self.spec.only.is_empty() || self.spec.only.iter().any(fits)) && !self.spec.except.iter().any(fits)
    }

    fn label(&self, item: &str) -> Option<String> {
        self.spec.label.iter().find_map(|place| within(item, place)).map(text)
    }

    /// A row for the section's value as a whole.
    fn whole(&self, label: &str, value: String) -> Row {
        let pointer = self.spec.pointer.to_string();
        let meaning = self.meaning(&pointer);
        Row { pointer, label: label.into(), value, score: None, meaning }
    }

    fn row(&self, under: &str, label: String, value: &str, score: Option<f64>) -> Row {
        let pointer = format!("{}/{under}", &*self.spec.pointer);
        let meaning = self.meaning(&pointer);
        let mut shown = match value.as_bytes().first() {
            Some(b'{' | b'[') => json::compact(value).unwrap_or_else(|_| value.to_owned()),
            _ => text(value),
        };
        if self.schema.and_then(|schema| schema.form(&pointer)) == Some("epoch-ms")
            && let Some(time) = shown.parse().ok().and_then(|millis| jiff::Timestamp::from_millisecond(millis).ok())
        {
            shown = format!("{shown} = {time:.3}");
        }
        Row { pointer, label, value: shown, score, meaning }
    }

    fn meaning(&self, pointer: &str) -> Option<String> {
        self.schema.and_then(|schema| schema.meaning(pointer)).map(str::to_owned)
    }
}
