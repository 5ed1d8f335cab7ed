//! What a platform makes anew for every call: ids and times. A call that is sent again gets new ones, as its pack says.

use std::ops::Range;

use bytes::Bytes;
use jiff::Timestamp;
use serde::Deserialize;
use uuid::Uuid;

use super::kind::Kind;
use crate::call::Request;
use crate::json;
use crate::signature::{Carrier, Method, Stamp};

/// `[[refresh]]`: places that get one new value, where they are there; without a `value` they keep what they have, and only do not
/// count where calls are compared.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RefreshSpec {
    places: Vec<Place>,
    value: Option<Fresh>,
}

/// Where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
enum Place {
    Header(String),
    Body(String),
}

impl TryFrom<String> for Place {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.strip_prefix("header:") {
            Some(name) if !name.is_empty() => Ok(Self::Header(name.to_owned())),
            None if text.starts_with('/') => Ok(Self::Body(text)),
            _ => Err(format!("{text:?} is neither header:NAME nor a JSON Pointer")),
        }
    }
}

/// What it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Fresh {
    /// A random UUID (RFC 9562, version 4).
    Uuid,
    /// Milliseconds since 1970.
    NowMs,
    /// Seconds since 1970.
    NowS,
    /// RFC 3339 with milliseconds.
    Now,
}

impl Fresh {
    fn is_time(self) -> bool {
        self != Self::Uuid
    }

    fn value(self, at: Timestamp) -> String {
        match self {
            Self::Uuid => Uuid::new_v4().to_string(),
            Self::NowMs => at.as_millisecond().to_string(),
            Self::NowS => at.as_second().to_string(),
            Self::Now => format!("{at:.3}"),
        }
    }
}

impl Kind {
    /// Gives `request` the ids and times of a call that is made at `at`. Places that are not there stay so, and every other
    /// byte of the body stays.
    pub fn refresh(&self, request: &mut Request, at: Timestamp) {
        let (mut pointers, mut values) = (Vec::new(), Vec::new());
        for spec in &self.shared.refresh {
            let Some(value) = spec.value.map(|value| value.value(at)) else { continue };
            for place in &spec.places {
                match place {
                    Place::Header(name) if request.headers.has(name) => request.headers.set(name, value.clone()),
                    Place::Header(_) => {}
                    Place::Body(pointer) => {
                        pointers.push(pointer.as_str());
                        values.push(value.clone());
                    }
                }
            }
        }
        if !pointers.is_empty()
            && let Some(body) = replaced(&request.body, &pointers, &values)
        {
            request.body = body;
        }
    }

    /// Whether [`Self::refresh`] would give `request` a time.
    #[must_use]
    pub fn tells_the_time(&self, request: &Request) -> bool {
        let times = self.shared.refresh.iter().filter(|spec| spec.value.is_some_and(Fresh::is_time));
        times.flat_map(|spec| &spec.places).any(|place| match place {
            Place::Header(name) => request.headers.has(name),
            Place::Body(pointer) => {
                std::str::from_utf8(&request.body).is_ok_and(|body| !scalars(body, &[pointer]).is_empty())
            }
        })
    }

    /// What is another with every call of this kind, by its pack or because it is made with the signature: header names, and
    /// JSON Pointers into the request's body.
    pub fn fresh_places(&self) -> (Vec<&str>, Vec<&str>) {
        let places = || self.shared.refresh.iter().flat_map(|spec| &spec.places);
        let headers = places().filter_map(|place| match place {
            Place::Header(name) => Some(name.as_str()),
            Place::Body(_) => None,
        });
        let pointers = places().filter_map(|place| match place {
            Place::Body(pointer) => Some(pointer.as_str()),
            Place::Header(_) => None,
        });
        let signed = |carrier: Carrier| {
            let schemes = self.schemes().filter(move |scheme| scheme.carrier == carrier);
            schemes.map(|scheme| scheme.header.as_str())
        };
        let (mut headers, mut pointers): (Vec<_>, Vec<_>) =
            (headers.chain(signed(Carrier::Header)).collect(), pointers.chain(signed(Carrier::Body)).collect());
        for scheme in self.schemes() {
            let Method::Detached(detached) = &scheme.method else { continue };
            headers.extend(detached.message.headers());
            match detached.clock.as_ref().map(|clock| &clock.place) {
                Some(Stamp::Header(name)) => headers.push(name),
                Some(Stamp::Body(pointer)) => pointers.push(pointer),
                Some(Stamp::Field(_)) | None => {}
            }
        }
        (headers, pointers)
    }

    /// JSON Pointers into an answer's body where each answer has another value; `*` stands for any index or name.
    pub fn volatile(&self) -> impl Iterator<Item = &str> {
        self.spec.volatile.iter().map(|pointer| &**pointer)
    }
}

/// The new value in the place of the JSON text `old`, of the same type.
fn json_like(value: &str, old: &str) -> String {
    let text = old.starts_with('"') || !value.bytes().all(|byte| byte.is_ascii_digit());
    if text { format!("\"{value}\"") } else { value.to_owned() }
}

/// The body with `values` in place of the scalars at `pointers`; none where there are none.
fn replaced(body: &[u8], pointers: &[&str], values: &[String]) -> Option<Bytes> {
    let text = std::str::from_utf8(body).ok()?;
    let mut found = scalars(text, pointers);
    found.sort_by_key(|(_, span)| span.start);
    // Two pointers may be spelled differently, or be the same.
    found.dedup_by_key(|(_, span)| span.start);
    let (mut new, mut done) = (String::with_capacity(text.len() + 64), 0);
    for (number, span) in found {
        new.push_str(&text[done..span.start]);
        new.push_str(&json_like(&values[number], &text[span.clone()]));
        done = span.end;
    }
    (done > 0).then(|| (new + &text[done..]).into())
}

/// The scalars at `pointers`, each with the number of its pointer. What is null is no value that could be another.
fn scalars(text: &str, pointers: &[&str]) -> Vec<(usize, Range<usize>)> {
    let found = json::find_each(text, pointers).into_iter().enumerate();
    let found = found.filter_map(|(number, span)| Some((number, span?)));
    found.filter(|(_, span)| !text[span.clone()].starts_with(['{', '[', 'n'])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::Platforms;

    const AT: Timestamp = Timestamp::constant(1_700_000_000, 5_000_000);

    #[test]
    fn one_id_goes_to_every_place_and_other_bytes_stay() {
        let platforms = Platforms::builtin().unwrap();
        let kind = platforms.kind("moveo/auth_validation").unwrap();
        let mut request = kind.sample();
        request.body = "{\"request_id\" : \"old\",  \"n\":1e3, \"timestamp\": 5}".into();
        assert!(kind.tells_the_time(&request));
        kind.refresh(&mut request, AT);
        let id = request.headers.get("x-moveo-request-id").unwrap();
        id.parse::<Uuid>().unwrap();
        let expected = format!("{{\"request_id\" : \"{id}\",  \"n\":1e3, \"timestamp\": 1700000000005}}");
        assert_eq!(request.body, expected);
        assert_eq!(
            replaced(b"[1,{\"a\":2}]", &["/1/a", "/0", "/1/a", "/1"], &["7", "8", "9", "0"].map(str::to_owned))
                .unwrap(),
            "[8,{\"a\":7}]"
        );
        let bare = Request { body: "{\"timestamp\":null}".into(), ..Request::default() };
        let mut same = bare.clone();
        kind.refresh(&mut same, AT);
        assert_eq!(same, bare, "what is not there is not added");
        assert!(!kind.tells_the_time(&bare));
    }

    #[test]
    fn a_value_keeps_its_type() {
        assert_eq!(json_like("17", "\"5\""), "\"17\"");
        assert_eq!(json_like("17", "5"), "17");
        assert_eq!(json_like(&Fresh::Now.value(AT), "5"), "\"2023-11-14T22:13:20.005Z\"");
        for wrong in ["header:", "timestamp", ""] {
            assert!(Place::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
    }
}
