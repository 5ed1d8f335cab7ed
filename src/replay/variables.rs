//! Known variables: what endpoints returned under `context` and `output`, kept for drafts to use as `{{$name}}`.
//!
//! They stand in `variables.json` of the data directory, for their owner only. What a redaction would mask, credentials and
//! what names a person, is never kept.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use indexmap::{IndexMap, IndexSet};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::call::{Call, Id};
use crate::json;
use crate::recording::Redaction;

/// The members of an answer that hold variables, and of a request that hold those of the conversation.
pub const PLACES: [&str; 2] = ["context", "output"];

/// One variable as an endpoint returned it last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Its value as JSON text, as it was written.
    pub value: String,
    /// The JSON Pointer at which it stood in the answer: `/context/tier`.
    pub place: String,
    /// The kind of the call that was answered.
    pub kind: Option<String>,
    /// The call.
    pub call: Id,
    /// When that was.
    pub at: Timestamp,
}

impl Variable {
    /// `string`, `number`, `boolean`, `null`, `object` or `array`.
    #[must_use]
    pub fn json_type(&self) -> &'static str {
        match self.value.as_bytes().first() {
            Some(b'"') => "string",
            Some(b'{') => "object",
            Some(b'[') => "array",
            Some(b't' | b'f') => "boolean",
            Some(b'n') => "null",
            _ => "number",
        }
    }
}

/// All known variables by name, in the order they became known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variables(IndexMap<String, Variable>);

/// The file.
#[derive(Serialize, Deserialize)]
struct Stored {
    hooktape_variables: u32,
    variables: IndexMap<String, StoredVariable>,
}

#[derive(Serialize, Deserialize)]
struct StoredVariable {
    value: Box<RawValue>,
    #[serde(rename = "type")]
    json_type: String,
    place: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    call: Id,
    at: Timestamp,
}

impl Variables {
    /// Where they are kept.
    #[must_use]
    pub fn path(data_dir: &Path) -> PathBuf {
        data_dir.join("variables.json")
    }

    /// Reads those that are kept at `path`; none if there is no such file.
    ///
    /// # Errors
    /// When the file cannot be read, or is something else: the place and the repair.
    pub fn load(path: &Path) -> Result<Self, String> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(format!("cannot read {}: {error}", path.display())),
        };
        let stored: Stored = serde_json::from_str(&text)
            .map_err(|error| format!("{} holds no variables: {error}; mend or remove it", path.display()))?;
        if stored.hooktape_variables != 1 {
            return Err(format!("{} was written by a later version of hooktape", path.display()));
        }
        let variable = |(name, stored): (String, StoredVariable)| {
            let StoredVariable { value, place, kind, call, at, .. } = stored;
            (name, Variable { value: value.get().to_owned(), place, kind, call, at })
        };
        Ok(Self(stored.variables.into_iter().map(variable).collect()))
    }

    /// Changes those that are kept at `path`, and gives them and what `change` gives. Meanwhile no other process does so: what
    /// each of two brings is kept.
    ///
    /// # Errors
    /// Those of [`Self::load`] and of `change`, and when they cannot be written.
    pub fn update<T>(path: &Path, change: impl FnOnce(&mut Self) -> Result<T, String>) -> Result<(Self, T), String> {
        let folder = path.parent().unwrap_or(Path::new("."));
        let open = crate::recording::make_private(folder).and_then(|()| File::open(folder));
        let folder = open.map_err(|error| format!("cannot write {}: {error}", path.display()))?;
        // The file itself is replaced. Where the file system has no locks, the last one wins.
        let _ = folder.lock();
        let mut known = Self::load(path)?;
        let before = known.clone();
        let given = change(&mut known)?;
        if known != before {
            known.save(path)?;
        }
        Ok((known, given))
    }

    /// Makes known what `others` are, in the place of those of the same name.
    pub fn extend(&mut self, others: Self) {
        self.0.extend(others.0);
    }

    /// Writes them to `path`, in the place of what is there, for their owner only.
    ///
    /// # Errors
    /// When that fails: the place and why.
    fn save(&self, path: &Path) -> Result<(), String> {
        let stored = |(name, variable): (&String, &Variable)| {
            let Variable { value, place, kind, call, at } = variable.clone();
            let json_type = variable.json_type().to_owned();
            let value = RawValue::from_string(value).map_err(|error| format!("{name}: {error}"))?;
            Ok((name.clone(), StoredVariable { value, json_type, place, kind, call, at }))
        };
        let variables = self.0.iter().map(stored).collect::<Result<_, String>>()?;
        let text = serde_json::to_string_pretty(&Stored { hooktape_variables: 1, variables })
            .map_err(|error| error.to_string())?;
        crate::recording::write_private(path, format!("{text}\n").as_bytes())
            .map_err(|error| format!("cannot write {}: {error}", path.display()))
    }

    /// Makes known what the answer to `call` holds, and gives the names, each once. What `redaction` masks is left out.
    pub fn register(&mut self, call: &Call, redaction: &Redaction) -> Vec<String> {
        type Members<'a> = IndexMap<String, &'a RawValue>;
        fn members(body: Option<&[u8]>) -> Members<'_> {
            body.and_then(|body| serde_json::from_slice(body).ok()).unwrap_or_default()
        }
        // What is compressed would be masked as a whole.
        let call = &*call.readable();
        let body = |call: &Call| call.response.as_ref().map(|response| response.body.clone());
        let (given, masked) = (body(call), body(&redaction.call(call)));
        let (given, masked) = (members(given.as_deref()), members(masked.as_deref()));
        let mut names = IndexSet::new();
        for place in PLACES {
            let within = |root: &Members<'_>| -> IndexMap<String, Box<RawValue>> {
                root.get(place).and_then(|value| serde_json::from_str(value.get()).ok()).unwrap_or_default()
            };
            let masked = within(&masked);
            for (name, value) in within(&given) {
                if masked.get(&name).is_none_or(|masked| masked.get() != value.get()) {
                    continue;
                }
                let pointer = format!("/{place}/{}", json::escape(&name));
                let value = value.get().to_owned();
                let variable = Variable { value, place: pointer, kind: call.kind.clone(), call: call.id, at: call.at };
                self.0.insert(name.clone(), variable);
                names.insert(name);
            }
        }
        names.into_iter().collect()
    }

    /// The variable of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Variable> {
        self.0.get(name)
    }

    /// All of them, in the order they became known.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Variable)> {
        self.0.iter().map(|(name, variable)| (name.as_str(), variable))
    }

    /// Forgets one; whether it was known.
    pub fn remove(&mut self, name: &str) -> bool {
        self.0.shift_remove(name).is_some()
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::call::Response;
    use crate::config::Redact;
    use crate::replay::testing::call;

    fn answered(body: &str) -> Call {
        let response = Response { status: 200, body: body.to_owned().into(), ..Response::default() };
        Call { response: Some(response), kind: Some("moveo/dialog".into()), ..call(1) }
    }

    #[test]
    fn what_an_answer_holds_becomes_known_but_for_what_is_secret() {
        let redaction = Redaction::new(&Redact::default()).unwrap();
        let mut known = Variables::default();
        let first = answered(
            r#"{"context":{"tier":"gold","n":1e3,"password":"x","user":{"id":1},"deep":{"token":"t"}},"output":{"a/b":[1, 2]}}"#,
        );
        assert_eq!(known.register(&first, &redaction), ["tier", "n", "a/b"]);
        assert_eq!(known.register(&answered(r#"{"context":{"tier":null}}"#), &redaction), ["tier"]);
        let both = answered(r#"{"context":{"tier":"gold"},"output":{"tier":null}}"#);
        assert_eq!(known.register(&both, &redaction), ["tier"], "kept once, told once");
        let told: Vec<_> = known.iter().map(|(name, found)| (name, &*found.value, found.json_type())).collect();
        assert_eq!(told, [("tier", "null", "null"), ("n", "1e3", "number"), ("a/b", "[1, 2]", "array")]);
        assert_eq!(known.get("a/b").unwrap().place, "/output/a~1b");
        for nothing in ["", "[]", r#"{"context":5}"#, "text"] {
            assert!(known.register(&answered(nothing), &redaction).is_empty(), "{nothing}");
        }
        assert!(known.remove("n") && !known.remove("n"));
        let mut packed = answered("");
        if let Some(response) = &mut packed.response {
            let body = r#"{"context":{"tier":"silver","password":"x"}}"#;
            response.body = zstd::encode_all(body.as_bytes(), 3).unwrap().into();
            response.headers.push("content-encoding", "zstd");
        }
        assert_eq!(known.register(&packed, &redaction), ["tier"]);
        assert_eq!(known.get("tier").unwrap().value, "\"silver\"");
    }

    #[test]
    fn they_are_kept_for_their_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = Variables::path(&folder.path().join("data"));
        assert_eq!(Variables::load(&path), Ok(Variables::default()));
        let mut known = Variables::default();
        known.register(
            &answered(r#"{"output":{"big":12345678901234567890123}}"#),
            &Redaction::new(&Redact::default()).unwrap(),
        );
        let brought = known.clone();
        let bring = |all: &mut Variables| {
            all.extend(brought);
            Ok(())
        };
        let (now, ()) = Variables::update(&path, bring).unwrap();
        assert_eq!(now, known);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(Variables::load(&path), Ok(known));
        Variables::update(&path, |all| if all.remove("big") { Err("not so".to_owned()) } else { Ok(()) }).unwrap_err();
        assert_eq!(Variables::load(&path).unwrap().iter().count(), 1);
        std::fs::write(&path, r#"{"hooktape_variables":2,"variables":{}}"#).unwrap();
        assert!(Variables::load(&path).unwrap_err().contains("later version"));
        std::fs::write(&path, "[]").unwrap();
        assert!(Variables::load(&path).unwrap_err().contains("mend or remove it"));
    }

    #[test]
    fn what_two_bring_at_once_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = Variables::path(folder.path());
        let redaction = Redaction::new(&Redact::default()).unwrap();
        std::thread::scope(|scope| {
            for brings in ["a", "b"] {
                let (path, redaction) = (&path, &redaction);
                scope.spawn(move || {
                    for number in 0..50 {
                        let call = answered(&format!(r#"{{"context":{{"{brings}{number}":1}}}}"#));
                        Variables::update(path, |known| Ok(known.register(&call, redaction))).unwrap();
                    }
                });
            }
        });
        assert_eq!(Variables::load(&path).unwrap().iter().count(), 100);
    }
}
