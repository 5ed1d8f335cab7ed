//! What answers calls: `respond` of routes and of `[listen]`, and `[[reply]]`.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value as Json;
use toml::de::DeValue;

use super::super::compare::pointer;
use super::super::document::{Source as Text, Table as Toml, Value};
use super::super::respond::{Case, Expected, Forward, Hold, Lookup, Replies, Respond, Source, Table, When};
use super::super::secret::is_name;
use super::super::target::Target;
use super::super::units::parse_duration;
use super::super::{Error, Fault, Reply, instead};
use super::{Reader, expand, header_value, headers_of, json, kind};

/// What a reply is made of.
const REPLY: [&str; 6] = ["status", "headers", "body", "json", "file", "when"];

/// Replies that come with the program: a file, and the tables it names.
const BUILTIN: &str = include_str!("../../../assets/replies/moveo.toml");
const TABLES: [(&str, &str); 2] = [
    ("crm.csv", include_str!("../../../assets/replies/crm.csv")),
    ("customers.csv", include_str!("../../../assets/replies/customers.csv")),
];

impl Reader<'_> {
    /// The replies that come with the program, then those of the file; one of the same name takes its place.
    pub(super) fn replies(&self, source: Text<'_>, own: &[Toml<'_>]) -> Vec<Arc<Replies>> {
        let source = Text { file: None, text: BUILTIN, ..source };
        let Some(document) = source.parse() else { return Vec::new() };
        let builtin = Toml::top(source, &document, &["reply"]).tables("reply", &KEYS);
        let mut replies: Vec<Arc<Replies>> = Vec::new();
        for (table, is_own) in builtin.iter().map(|table| (table, false)).chain(own.iter().map(|table| (table, true))) {
            let Some(reply) = self.named(table, is_own) else { continue };
            match replies.iter_mut().find(|known| known.name == reply.name) {
                Some(known) => *known = Arc::new(reply),
                None => replies.push(Arc::new(reply)),
            }
        }
        replies
    }

    /// What has a name is there for those that refer to it, also where something is wrong with it.
    fn named(&self, table: &Toml<'_>, own: bool) -> Option<Replies> {
        let name = |text: &str| {
            let good = is_name(text) || text.chars().all(|char| char.is_ascii_alphanumeric() || "-_".contains(char));
            (good && !text.is_empty())
                .then(|| text.to_owned())
                .ok_or_else(|| "a reply's name is made of letters, digits, `-`, `_` and one `/`".to_owned())
        };
        let name = table.must("name", |value| value.parse(name));
        let replies = Replies {
            title: table.read("title", |value| Ok(value.string()?.to_owned())).unwrap_or_default(),
            kinds: table.get("kinds").map_or_else(Vec::new, |value| value.each(|item| item.parse(kind))),
            ..table.keep(self.choices(table, own)).unwrap_or_default()
        };
        Some(Replies { name: Some(name?), ..replies })
    }

    /// The `respond` of a route.
    pub(super) fn respond(&self, value: &Value<'_>) -> Result<Respond, Error> {
        let table = value.table(&["reply", "forward", "hold", "fault"])?;
        if table.entries().is_empty() {
            return Err(value.error("this says nothing: `reply`, `forward`, `hold` and `fault` do"));
        }
        let source = match (table.get("reply"), table.get("forward")) {
            (Some(_), Some(forward)) => Err(forward.error("a call is replied to or forwarded: leave out one of them")),
            (Some(reply), None) => self.reply_source(&reply).map(Source::Reply),
            (None, Some(forward)) => self.forward(&forward).map(|forward| Source::Forward(Arc::new(forward))),
            (None, None) => Ok(Source::Platform),
        };
        let hold = |value: &Value<'_>| match value.get() {
            DeValue::Boolean(true) => Ok(Some(Hold::Patience)),
            DeValue::Boolean(false) => Ok(None),
            _ => value.parse(parse_duration).map(Hold::For).map(Some),
        };
        Ok(Respond {
            source: table.keep(source).unwrap_or_default(),
            hold: table.read("hold", hold).flatten(),
            fault: table.read("fault", fault),
        })
    }

    /// A name, a reply, a list of replies with conditions, or a table that says more.
    fn reply_source(&self, value: &Value<'_>) -> Result<Arc<Replies>, Error> {
        match value.get() {
            DeValue::String(_) => value.parse(|name| known(&self.replies, name)),
            DeValue::Array(_) => Ok(Arc::new(Replies { cases: self.cases(value)?, ..Replies::default() })),
            _ => {
                let table = value.any_table()?;
                let Some(name) = table.get("use") else {
                    let keys: Vec<&str> = REPLY.into_iter().chain(["cases", "sequence", "lookup"]).collect();
                    return self.choices(&value.table(&keys)?, true).map(Arc::new);
                };
                let table = value.table(&["use", "table"])?;
                let mut replies = Arc::unwrap_or_clone(name.parse(|name| known(&self.replies, name))?);
                if let Some(own) = table.get("table") {
                    let lookup = replies.lookup.as_mut();
                    let lookup = lookup.ok_or_else(|| own.error("this reply looks nothing up: leave out `table`"))?;
                    lookup.table = self.table(&own, true)?;
                    has(&own, &lookup.table, &lookup.column)?;
                }
                Ok(Arc::new(replies))
            }
        }
    }

    /// One reply, `cases` of which the first that fits counts, or a `sequence`.
    fn choices(&self, table: &Toml<'_>, own: bool) -> Result<Replies, Error> {
        if let Some(list) = ["cases", "sequence"].into_iter().find(|key| table.get(key).is_some()) {
            for value in REPLY.iter().filter_map(|key| table.get(key)) {
                value.keep::<()>(Err(
                    value.error(format!("beside `{list}` this says nothing: put it into one of its replies"))
                ));
            }
        }
        let lookup = table.get("lookup").map(|value| self.lookup(&value, own)).transpose()?;
        let (cases, in_turn) = match (table.get("cases"), table.get("sequence")) {
            (Some(_), Some(second)) => return Err(second.error("this is either `cases` or `sequence`")),
            (Some(cases), None) => (self.cases(&cases)?, false),
            (None, Some(sequence)) => {
                let replies = sequence.items().into_iter().filter_map(|item| item.any_table().ok());
                for when in replies.filter_map(|reply| reply.get("when")) {
                    let why = "a `sequence` answers one after the other, whatever comes: only `cases` have conditions";
                    when.keep::<()>(Err(when.error(why)));
                }
                (self.cases(&sequence)?, true)
            }
            (None, None) => (vec![self.case(table)?], false),
        };
        Ok(Replies { cases, in_turn, lookup, ..Replies::default() })
    }

    fn cases(&self, value: &Value<'_>) -> Result<Vec<Case>, Error> {
        if value.items().is_empty() {
            return Err(value.error("this list of replies is empty"));
        }
        Ok(value.each(|item| self.case(&item.table(&REPLY)?)))
    }

    fn case(&self, table: &Toml<'_>) -> Result<Case, Error> {
        let when = table.read("when", when).unwrap_or_default();
        Ok(Case { when, reply: self.reply(table)? })
    }

    fn reply(&self, table: &Toml<'_>) -> Result<Reply, Error> {
        let status = |value: &Value<'_>| {
            let status = value.integer().filter(|status| (200..=599).contains(status));
            status.ok_or_else(|| value.error("a status is a number from 200 to 599"))
        };
        let given: Vec<_> =
            ["body", "json", "file"].into_iter().filter_map(|key| table.get(key).map(|value| (key, value))).collect();
        let (body, content_type) = match given.as_slice() {
            [] => (Bytes::new(), None),
            [("body", value)] => (value.string()?.to_owned().into(), Some("text/plain; charset=utf-8")),
            [("json", value)] => (json(value)?.to_string().into(), Some("application/json")),
            [(_, value)] => self.file(value)?,
            [_, (_, second), ..] => return Err(second.error("a reply has one of `body`, `json` and `file`")),
        };
        let given = table.read("headers", headers_of).unwrap_or_default();
        let header = |(name, value): (String, Value<'_>)| Some((name, value.keep(value.parse(header_value))?));
        let mut headers: Vec<(String, String)> = given.into_iter().filter_map(header).collect();
        if let Some(content_type) = content_type
            && !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"))
        {
            headers.push(("content-type".to_owned(), content_type.to_owned()));
        }
        Ok(Reply { status: table.read("status", status).unwrap_or(200), headers, body })
    }

    /// A reply's file and the type its name tells.
    fn file(&self, value: &Value<'_>) -> Result<(Bytes, Option<&'static str>), Error> {
        let path = expand(value.string()?, self.base, self.environment);
        let content_type = match path.extension().and_then(|extension| extension.to_str()) {
            Some("json") => Some("application/json"),
            Some("html") => Some("text/html; charset=utf-8"),
            Some("txt") => Some("text/plain; charset=utf-8"),
            _ => None,
        };
        match std::fs::read(&path) {
            Ok(body) => Ok((body.into(), content_type)),
            Err(error) => Err(value.error(format!("this file cannot be read: {error}"))),
        }
    }

    fn lookup(&self, value: &Value<'_>, own: bool) -> Result<Lookup, Error> {
        let parts = value.table(&["table", "column", "by"])?;
        let table = self.table(&parts.need("table")?, own)?;
        let column = parts.need("column")?;
        has(&column, &table, column.string()?)?;
        Ok(Lookup { table, column: column.string()?.to_owned(), by: parts.need("by")?.parse(pointer)? })
    }

    /// A table file; of the replies that come with the program, one that comes with it too.
    fn table(&self, value: &Value<'_>, own: bool) -> Result<Arc<Table>, Error> {
        let name = value.string()?;
        let builtin = TABLES.iter().find(|(known, _)| !own && *known == name);
        let text = match builtin {
            Some((_, text)) => (*text).to_owned(),
            None => std::fs::read_to_string(expand(name, self.base, self.environment))
                .map_err(|error| value.error(format!("this table cannot be read: {error}")))?,
        };
        Table::parse(&text).map(Arc::new).map_err(|message| value.error(format!("this is no CSV table: {message}")))
    }

    /// An address, a target's name, a list of them of which the first answers, or a table that says more.
    fn forward(&self, value: &Value<'_>) -> Result<Forward, Error> {
        let (to, keep_host, timeout) = match value.get() {
            DeValue::Table(_) => {
                let table = value.table(&["to", "keep_host", "timeout"])?;
                let keep = table.read("keep_host", Value::bool).unwrap_or(false);
                let timeout = table.read("timeout", |value| value.parse(parse_duration));
                (table.need("to")?.items(), keep, timeout)
            }
            _ => (value.items(), false, None),
        };
        if to.is_empty() {
            return Err(value.error("this list of addresses is empty"));
        }
        let named = |item: &Value<'_>| item.keep(item.parse(|text| receiver(&self.targets, text)));
        let mut targets: Vec<Target> = to.iter().filter_map(named).collect();
        for target in &mut targets {
            target.timeout = timeout.unwrap_or(target.timeout);
        }
        Ok(Forward { targets, keep_host })
    }
}

/// The target that a call is forwarded to: that of a name or an address.
pub fn receiver(targets: &[Target], text: &str) -> Result<Target, String> {
    match targets.iter().find(|target| target.name == text) {
        Some(target) if target.guard => {
            Err("this target is guarded, and forwarding asks nobody: name its URL to forward to it".to_owned())
        }
        Some(target) => Ok(target.clone()),
        None => Target::from_address(text),
    }
}

/// The reply of a name.
pub fn known(replies: &[Arc<Replies>], name: &str) -> Result<Arc<Replies>, String> {
    let names: Vec<&str> = replies.iter().filter_map(|replies| replies.name.as_deref()).collect();
    let known = replies.iter().find(|replies| replies.name.as_deref() == Some(name));
    known.cloned().ok_or_else(|| format!("there is no [[reply]] of this name: {}", instead(name, &names)))
}

/// The keys of a `[[reply]]`.
pub(super) const KEYS: [&str; 12] =
    ["name", "title", "kinds", "cases", "sequence", "lookup", "status", "headers", "body", "json", "file", "when"];

fn has(value: &Value<'_>, table: &Table, column: &str) -> Result<(), Error> {
    if table.has(column) { Ok(()) } else { Err(value.error(format!("the table has no column {column:?}"))) }
}

/// Words, or a table of the same names.
fn fault(value: &Value<'_>) -> Result<Fault, Error> {
    if let DeValue::Table(_) = value.get() {
        let mut words = Vec::new();
        for (name, item) in value.any_table()?.entries() {
            match json(&item)? {
                Json::Bool(true) => words.push(name.to_owned()),
                Json::Bool(false) => {}
                Json::String(text) => words.push(format!("{name}={text}")),
                other => words.push(format!("{name}={other}")),
            }
        }
        return Fault::parse(&words.join(" ")).map_err(|message| value.error(message));
    }
    value.parse(Fault::parse)
}

fn when(value: &Value<'_>) -> Result<When, Error> {
    let mut when = When::default();
    for (name, item) in value.any_table()?.entries() {
        match name {
            "kind" => when.kind = Some(item.parse(kind)?),
            "query" => when.query = Some(item.string()?.to_owned()),
            "found" => when.found = Some(item.bool()?),
            name if name.starts_with('/') => {
                let expected = match json(&item)? {
                    Json::Bool(there) => Expected::There(there),
                    other => Expected::Equal(other),
                };
                let name = pointer(name).map_err(|message| item.error(message))?;
                when.pointers.push((name, expected));
            }
            _ => {
                return Err(item.error("a condition is `kind`, `query`, `found` or a JSON Pointer, as \"/input/text\""));
            }
        }
    }
    Ok(when)
}
