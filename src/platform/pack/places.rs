//! PLACE: where a pack says that a value of a request is found.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};

use crate::call::{Request, short_key};
use crate::platform::doc::{Doc, Pointer, text};
use crate::platform::recognise::Rules;
use crate::signature;

/// Where a value is found: one place, or several of which the first that has one counts.
#[derive(Debug, Default)]
pub(in crate::platform) struct Places(pub Vec<Place>);

/// A place in a request.
#[derive(Debug)]
pub(in crate::platform) enum Place {
    /// `/session_id`
    Body(Pointer),
    /// `header:X-Session` or `query:session_id`
    Head(signature::Place),
    /// `path:integration_id`: what stands where `recognise` has `{integration_id}`
    Path(String),
    /// `claim:sub`: of the bearer token, whoever signed it
    Claim(String),
}

impl TryFrom<String> for Place {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Ok(match signature::place(&text, &["query", "header", "path", "claim"])? {
            Some(("path", name)) => Self::Path(name.to_owned()),
            Some(("claim", name)) => Self::Claim(name.to_owned()),
            Some(_) => Self::Head(signature::Place::try_from(text)?),
            None => Self::Body(Pointer::try_from(text)?),
        })
    }
}

impl<'de> Deserialize<'de> for Places {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum OneOrMany {
            One(String),
            Many(Vec<String>),
        }
        let places = match OneOrMany::deserialize(deserializer)? {
            OneOrMany::One(place) => vec![place],
            OneOrMany::Many(places) => places,
        };
        let places: Result<Vec<Place>, String> = places.into_iter().map(Place::try_from).collect();
        places.map(Self).map_err(D::Error::custom)
    }
}

impl Places {
    /// The first value that is there and not empty.
    pub(in crate::platform) fn read(&self, request: &Request, doc: &Doc<'_>, rules: &Rules) -> Option<String> {
        let read = |place: &Place| match place {
            Place::Body(pointer) => doc.at(pointer).filter(|value| *value != "null").map(text),
            Place::Head(place) => place.read(request),
            Place::Path(name) => rules.captured(request.path(), name).map(str::to_owned),
            Place::Claim(name) => signature::claim(request, name),
        };
        self.0.iter().filter_map(read).find(|value| !value.is_empty())
    }

    /// The first value as the key of a conversation. Every line of the recording bears it, so of what is too long its beginning
    /// is taken with a hash of the whole: ids are short, but what a stranger writes there may have megabytes.
    pub(in crate::platform) fn read_key(&self, request: &Request, doc: &Doc<'_>, rules: &Rules) -> Option<String> {
        let key = self.read(request, doc, rules)?;
        Some(match short_key(&key) {
            Cow::Borrowed(_) => key,
            Cow::Owned(kept) => kept,
        })
    }

    /// The places in the body.
    pub(in crate::platform) fn pointers(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|place| match place {
            Place::Body(pointer) => Some(&**pointer),
            _ => None,
        })
    }
}
