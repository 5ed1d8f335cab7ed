//! PLACE: where a pack says that a value of a request is found.

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};

use crate::call::Request;
use crate::platform::doc::{Doc, Pointer, text};
use crate::platform::recognise::Rules;
use crate::signature;

/// Bytes that a conversation's key has at the most. Every line of the recording bears it, and the index keeps each once; ids
/// are a tenth as long, and what a stranger writes there may have megabytes.
const LONGEST_KEY: usize = 512;

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
        match text.split_once(':') {
            Some(("path", name)) if !name.is_empty() => Ok(Self::Path(name.to_owned())),
            Some(("claim", name)) if !name.is_empty() => Ok(Self::Claim(name.to_owned())),
            _ if text.starts_with('/') => Pointer::try_from(text).map(Self::Body),
            _ => signature::Place::try_from(text)
                .map(Self::Head)
                .map_err(|error| format!("{error}, \"path:NAME\" or \"claim:NAME\"")),
        }
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

    /// The same as the key of a conversation: of a value that is too long for one its beginning, with a sum of the whole.
    pub(in crate::platform) fn read_key(&self, request: &Request, doc: &Doc<'_>, rules: &Rules) -> Option<String> {
        let mut key = self.read(request, doc, rules)?;
        if key.len() > LONGEST_KEY {
            let sum = crc32fast::hash(key.as_bytes());
            key.truncate(key.floor_char_boundary(LONGEST_KEY - 16));
            // What was cut off may be most of it.
            key = format!("{key}…{sum:08x}");
        }
        Some(key)
    }

    /// The places in the body.
    pub(in crate::platform) fn pointers(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|place| match place {
            Place::Body(pointer) => Some(&**pointer),
            _ => None,
        })
    }
}
