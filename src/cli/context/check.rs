//! What a configuration says that only the rest of the program can judge: actions and keys, kinds, issuers, queries.

use std::path::Path;

use jiff::Timestamp;

use super::no_kind;
use crate::app::keymap::Keymap;
use crate::config::{Config, Source};
use crate::net::responder::Responders;
use crate::platform::Platforms;
use crate::recording::Query;

/// Has `platforms` allow the issuers that are configured, and sees that all that is named is there.
///
/// # Errors
/// All that is wrong, a line each.
pub(super) fn check(config: &Config, platforms: &mut Platforms) -> Result<(), String> {
    let file = config.file.as_deref().unwrap_or(Path::new("configuration")).display();
    let mut wrong: Vec<String> = Keymap::new(&config.keys).err().map(|errors| errors.to_string()).into_iter().collect();
    for (name, issuers) in &config.issuers {
        let allowed = platforms.allow_issuers(name, issuers);
        wrong.extend(allowed.err().map(|reason| format!("{file}: issuers: {reason}")));
    }
    let routes = config.routes.iter().map(|route| (format!("route {}", route.path), route.kind.as_deref()));
    let waits = config.waits.iter().map(|wait| ("wait".to_owned(), Some(wait.kind.as_str())));
    let cases = config.replies.iter().flat_map(|replies| {
        let place = format!("reply {}", replies.name.as_deref().unwrap_or_default());
        let kinds = replies.cases.iter().filter_map(|case| case.when.kind.as_deref());
        kinds.chain(replies.kinds.iter().map(String::as_str)).map(move |kind| (place.clone(), Some(kind)))
    });
    for (place, kind) in routes.chain(waits).chain(cases) {
        let unknown = kind.filter(|kind| platforms.kind(kind).is_none());
        wrong.extend(unknown.map(|kind| format!("{file}: {place}: {}", no_kind(platforms, kind))));
    }
    let mut parse = |place: String, text: &str| {
        let parsed = Query::parse_with(text, Timestamp::now(), &config.queries);
        wrong.extend(parsed.err().map(|error| format!("{file}: {place}: {error}")));
    };
    for (name, text) in &config.queries {
        parse(format!("queries.{name}"), text);
    }
    for slot in Responders::configured(config) {
        let Source::Reply(replies) = &slot.respond.source else { continue };
        for text in replies.cases.iter().filter_map(|case| case.when.query.as_deref()) {
            parse(format!("{}: when.query", slot.whose), text);
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}
