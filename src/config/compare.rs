//! `[compare]`: what is no difference between two answers.

use http::HeaderName;

use super::Error;
use super::document::Value;

/// What is no difference, besides what the platforms' packs and the command line name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compare {
    /// JSON Pointers, `*` for any index or name, and `header:NAME`.
    pub ignore: Vec<String>,
    /// The order of an array's elements does not count.
    pub unordered: bool,
}

pub(super) fn compare(value: &Value<'_>) -> Result<Compare, Error> {
    let table = value.table(&["ignore", "unordered"])?;
    let place = |text: &str| match text.strip_prefix("header:") {
        Some(name) if name == "*" || HeaderName::from_bytes(name.as_bytes()).is_ok() => Ok(text.to_owned()),
        None if text.starts_with('/') => pointer(text),
        _ => Err("this is a JSON Pointer, as \"/context/at\", or a header, as \"header:x-request-id\"".to_owned()),
    };
    Ok(Compare {
        ignore: table.get("ignore").map_or_else(Vec::new, |value| value.each(|item: &Value<'_>| item.parse(place))),
        unordered: table.read("unordered", Value::bool).unwrap_or_default(),
    })
}

/// A JSON Pointer that names something in a body.
///
/// # Errors
/// A sentence that shows how one is written.
pub(super) fn pointer(text: &str) -> Result<String, String> {
    is_pointer(text).then(|| text.to_owned()).ok_or_else(|| {
        format!(
            "{text:?} is no JSON Pointer: it begins with `/`, and in a name `~` is written `~0`, `/` is written `~1`"
        )
    })
}

/// Whether it can lead somewhere (RFC 6901, 3).
fn is_pointer(text: &str) -> bool {
    text.starts_with('/') && text.split('~').skip(1).all(|escaped| escaped.starts_with(['0', '1']))
}
