//! What a configuration says that only the rest of the program can judge: actions and keys, kinds, issuers, secrets, queries.

use std::path::Path;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::no_kind;
use crate::app::keymap::Keymap;
use crate::cli::platforms::unknown;
use crate::config::{Assignment, Config, Replies, Respond, Source, instead, meant};
use crate::platform::{Pack, Platforms};
use crate::recording::{Query, Reading};

/// Has `platforms` allow the issuers that are configured, and sees that all that is named is there. `flags` are the secrets
/// that the command line names.
///
/// # Errors
/// All that is wrong, a line each.
pub(super) fn check(config: &Config, flags: &[Assignment], platforms: &mut Platforms) -> Result<(), String> {
    let file = config.file.as_deref().unwrap_or(Path::new("configuration")).display();
    let mut wrong: Vec<String> = Keymap::new(&config.keys).err().map(|errors| errors.to_string()).into_iter().collect();
    for (name, issuers) in &config.issuers {
        let allowed = platforms.allow_issuers(name, issuers);
        wrong.extend(allowed.err().map(|reason| format!("{file}: issuers: {reason}")));
    }
    // To what a route or target names, any name may be given.
    for name in config.secrets.0.keys().filter(|name| !config.named_secrets.contains(name)) {
        let typed = flags.iter().any(|flag| flag.name == **name);
        let place = if typed { "--secret".to_owned() } else { format!("{file}: secrets") };
        wrong.extend(no_secret(platforms, name).map(|why| format!("{place}: {why}")));
    }
    let routes = config.routes.iter().map(|route| (format!("route {}", route.path), route.kind.as_deref()));
    let waits = config.waits.iter().map(|wait| ("wait".to_owned(), Some(wait.kind.as_str())));
    let cases = replies(config).flat_map(|(place, replies)| {
        let kinds = replies.cases.iter().filter_map(|case| case.when.kind.as_deref());
        kinds.chain(replies.kinds.iter().map(String::as_str)).map(move |kind| (place.clone(), Some(kind)))
    });
    for (place, kind) in routes.chain(waits).chain(cases) {
        let unknown = kind.filter(|kind| platforms.kind(*kind).is_none());
        wrong.extend(unknown.map(|kind| format!("{file}: {place}: {}", no_kind(platforms, kind))));
    }
    for target in &config.targets {
        let strange =
            target.urls.keys().filter(|name| platforms.kind(name.as_str()).is_none() && platforms.pack(name).is_none());
        wrong.extend(strange.map(|name| format!("{file}: target {}: urls: {}", target.name, unknown(platforms, name))));
    }
    let mut parse = |place: String, text: &str| {
        let (now, zone) = (Timestamp::now(), TimeZone::UTC);
        let by = Reading { now, zone, saved: &config.queries, targets: &config.targets };
        let parsed = Query::parse_with(text, &by);
        wrong.extend(parsed.err().map(|error| format!("{file}: {place}: {error}")));
    };
    for (name, text) in &config.queries {
        parse(format!("queries.{name}"), text);
    }
    for (place, replies) in replies(config) {
        for text in replies.cases.iter().filter_map(|case| case.when.query.as_deref()) {
            parse(format!("{place}: when.query"), text);
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}

/// All replies with the place where they are written, each once: those with a name, then those of routes and of all others.
fn replies(config: &Config) -> impl Iterator<Item = (String, &Replies)> {
    let named = config.replies.iter().map(|replies| {
        let place = format!("reply {}", replies.name.as_deref().unwrap_or_default());
        (place, &**replies)
    });
    let routes = config.routes.iter();
    let routes = routes.filter_map(|route| Some((format!("route {}", route.path), route.respond.as_ref()?)));
    let all = routes.chain([("listen.respond".to_owned(), &config.respond)]);
    named.chain(all.filter_map(|(place, respond)| Some((place, nameless(respond)?))))
}

fn nameless(respond: &Respond) -> Option<&Replies> {
    match &respond.source {
        Source::Reply(replies) if replies.name.is_none() => Some(replies),
        _ => None,
    }
}

/// That nothing is signed by a secret of that name, if so, and which one was meant.
fn no_secret(platforms: &Platforms, name: &str) -> Option<String> {
    let schemes = |pack: &Pack| pack.schemes().values().map(|scheme| scheme.name.clone()).collect::<Vec<_>>();
    let packs = || platforms.packs();
    let names: Vec<String> = packs().map(|pack| pack.name.clone()).chain(packs().flat_map(schemes)).collect();
    if names.iter().any(|known| known == name) {
        return None;
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let platform = name.split('/').next().unwrap_or_default();
    let repair = match (meant(name, &names), platforms.pack(platform).map(schemes)) {
        (Some(meant), _) => meant,
        (None, Some(own)) if !own.is_empty() => instead(name, &own.iter().map(String::as_str).collect::<Vec<_>>()),
        (None, _) => {
            "secrets are filed under PLATFORM or PLATFORM/SCHEME, and `hooktape platforms` lists them".to_owned()
        }
    };
    Some(format!("nothing is signed by {name:?}, and no route or target uses it: {repair}"))
}
