//! The contract of a body as JSON Schema 2020-12, and what a departure from it is called.
//!
//! A pack's schemas may refer to each other by file name; nothing is ever fetched. Besides the standard keywords they use
//!
//! | keyword | meaning |
//! | --- | --- |
//! | `x-source` | the document this part comes from; holds for what is inside too |
//! | `x-severity` | `error`, `warning` or `note`: how grave a departure is; holds for what is inside too. Else `error` |
//! | `x-finding` | what a departure of the value itself means, as a sentence |
//! | `x-form` | `epoch-ms`: the number is a time |
//! | `x-optional` | `true`: what its `required` lists may be left out by the contract, and that is told all the same |
//!
//! A member that `additionalProperties: false` forbids is always a `note`: platforms add fields without telling.

mod fields;
mod help;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{Retrieve, Uri, ValidationError, Validator};
use serde_json::Value;

pub use help::Help;

use super::doc::tokens;
use super::{Finding, Severity};
use crate::json::escape;
use crate::visible;

const BASE: &str = "pack:///";

/// Departures that are told one by one, of one rule and of all.
const MOST_OF_A_RULE: usize = 50;
const MOST: usize = 200;

/// The schema files of one pack, parsed when first needed.
#[derive(Debug)]
pub(super) struct Library {
    files: BTreeMap<String, Cow<'static, [u8]>>,
    parsed: OnceLock<Arc<BTreeMap<String, Value>>>,
}

impl Library {
    pub(super) fn new(files: BTreeMap<String, Cow<'static, [u8]>>) -> Self {
        Self { files, parsed: OnceLock::new() }
    }

    pub(super) fn file(&self, name: &str) -> Option<&[u8]> {
        self.files.get(name).map(|bytes| &**bytes)
    }

    /// A file that is not JSON is left out: [`Schema::compile`] tells.
    fn parsed(&self) -> &Arc<BTreeMap<String, Value>> {
        self.parsed.get_or_init(|| {
            let schemas = self.files.iter().filter(|(name, _)| name.ends_with(".schema.json"));
            let read = |(name, bytes): (&String, &Cow<'static, [u8]>)| {
                Some((name.clone(), serde_json::from_slice(bytes).ok()?))
            };
            Arc::new(schemas.filter_map(read).collect())
        })
    }
}

/// Gives the validator the pack's own files and nothing else.
struct Files(Arc<BTreeMap<String, Value>>);

impl Retrieve for Files {
    fn retrieve(&self, uri: &Uri<String>) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        let name = uri.as_str().strip_prefix(BASE).unwrap_or_default();
        self.0.get(name).cloned().ok_or_else(|| format!("the pack has no schema {uri}").into())
    }
}

/// A place in the pack's schemas.
#[derive(Clone, Copy)]
struct Node<'a> {
    file: &'a str,
    value: &'a Value,
}

impl<'a> Node<'a> {
    fn get(self, key: &str) -> Option<Node<'a>> {
        Some(Self { value: self.value.get(key)?, ..self })
    }

    fn text(self, key: &str) -> Option<&'a str> {
        self.value.get(key)?.as_str()
    }
}

/// One schema of a pack. Compiled when first needed: a start-up pays for none.
#[derive(Debug)]
pub(super) struct Schema {
    pub file: String,
    library: Arc<Library>,
    validator: OnceLock<Result<Validator, String>>,
}

impl Schema {
    pub(super) fn new(file: String, library: Arc<Library>) -> Self {
        Self { file, library, validator: OnceLock::new() }
    }

    /// Compiles the schema; why it cannot be otherwise.
    pub(super) fn compile(&self) -> Result<&Validator, &str> {
        let build = || {
            let bytes = self.library.file(&self.file).ok_or("there is no such file in the pack")?;
            let schema: Value = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
            jsonschema::options()
                .with_draft(jsonschema::Draft::Draft202012)
                .with_base_uri(format!("{BASE}{}", self.file))
                .with_retriever(Files(self.library.parsed().clone()))
                .build(&schema)
                .map_err(|error| error.to_string())
        };
        self.validator.get_or_init(build).as_ref().map_err(String::as_str)
    }

    /// The departures of `instance`, the gravest first, and how many more there are. `source` is named where the schema names
    /// none.
    pub(super) fn check(&self, instance: &Value, source: &str) -> Vec<Finding> {
        let validator = match self.compile() {
            Ok(validator) => validator,
            Err(reason) => {
                let sentence = format!("The contract cannot be checked, for {} is no schema: {reason}.", self.file);
                return vec![Finding::of_all(Severity::Error, sentence, &self.file)];
            }
        };
        let mut findings = Vec::new();
        // How often each rule is broken: a body may break one a million times, and the others are to be told too.
        let mut rules: HashMap<String, usize> = HashMap::new();
        let mut left_out = 0;
        for error in validator.iter_errors(instance) {
            let count = match error.kind() {
                ValidationErrorKind::AdditionalProperties { unexpected } => unexpected.len(),
                _ => 1,
            };
            let told = rules.entry(error.evaluation_path().as_str().to_owned()).or_default();
            let now = count.min(MOST_OF_A_RULE - *told);
            if now > 0 {
                findings.extend(self.findings(&error, source).into_iter().take(now));
            }
            *told += now;
            left_out += count - now;
        }
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        findings.dedup();
        left_out += findings.len().saturating_sub(MOST);
        findings.truncate(MOST);
        findings.extend(Finding::left_out(left_out, source));
        findings
    }

    /// What the schema says of the value at `pointer`.
    pub(super) fn meaning(&self, pointer: &str) -> Option<&str> {
        let nodes = self.at(pointer);
        let said = |key: &str| nodes.iter().find_map(|node| node.text(key));
        said("description").or_else(|| said("title"))
    }

    /// The `x-form` of the value at `pointer`.
    pub(super) fn form(&self, pointer: &str) -> Option<&str> {
        self.at(pointer).into_iter().find_map(|node| node.text("x-form"))
    }

    /// Whether the schema speaks of `pointer` at all.
    pub(super) fn knows(&self, pointer: &str) -> bool {
        !self.at(pointer).is_empty()
    }

    fn root(&self) -> Option<Node<'_>> {
        let (file, value) = self.library.parsed().get_key_value(&self.file)?;
        Some(Node { file, value })
    }

    /// The schema that `$ref` names.
    fn follow<'a>(&'a self, from: Node<'a>, reference: &str) -> Option<Node<'a>> {
        let (file, pointer) = reference.split_once('#').unwrap_or((reference, ""));
        let file = if file.is_empty() { from.file } else { file };
        let (file, root) = self.library.parsed().get_key_value(file)?;
        Some(Node { file, value: root.pointer(pointer)? })
    }

    /// `node` and every schema that applies, or may apply, to the same value: the nearest first.
    fn same<'a>(&'a self, node: Node<'a>, into: &mut Vec<Node<'a>>) {
        // Schemas refer to themselves: a carousel in a fallback in a carousel.
        if into.iter().any(|known| std::ptr::eq(known.value, node.value)) {
            return;
        }
        into.push(node);
        let leads = |key: &String| matches!(key.as_str(), "$ref" | "allOf" | "anyOf" | "oneOf" | "then" | "else");
        if !node.value.as_object().is_some_and(|members| members.keys().any(leads)) {
            return;
        }
        if let Some(next) = node.text("$ref").and_then(|reference| self.follow(node, reference)) {
            self.same(next, into);
        }
        for key in ["allOf", "anyOf", "oneOf"] {
            for value in node.value.get(key).and_then(Value::as_array).into_iter().flatten() {
                self.same(Node { value, ..node }, into);
            }
        }
        for next in ["then", "else"].into_iter().filter_map(|key| node.get(key)) {
            self.same(next, into);
        }
    }

    /// The schemas of the value at `pointer`, those that name it before those that cover it.
    fn at(&self, pointer: &str) -> Vec<Node<'_>> {
        let mut nodes = Vec::new();
        if let Some(root) = self.root() {
            self.same(root, &mut nodes);
        }
        for token in tokens(pointer) {
            let mut next = Vec::new();
            for rank in [named, matched, covered] {
                for node in &nodes {
                    if let Some(node) = rank(*node, &token) {
                        self.same(node, &mut next);
                    }
                }
            }
            nodes = next;
        }
        nodes
    }

    /// The schemas on the way to an error, each with the depth of the value it applies to.
    fn way(&self, evaluation: &str) -> Vec<(usize, Node<'_>)> {
        let Some(mut node) = self.root() else { return Vec::new() };
        let mut way = vec![(0, node)];
        let mut depth = 0;
        let mut tokens = tokens(evaluation);
        while let Some(keyword) = tokens.next() {
            let next = match &*keyword {
                "$ref" => node.text("$ref").and_then(|reference| self.follow(node, reference)),
                "properties" | "patternProperties" | "prefixItems" => {
                    depth += 1;
                    tokens.next().and_then(|name| step(node.get(&keyword)?, &name))
                }
                "additionalProperties" | "items" | "contains" => {
                    depth += 1;
                    node.get(&keyword)
                }
                "allOf" | "anyOf" | "oneOf" | "dependentSchemas" => {
                    tokens.next().and_then(|name| step(node.get(&keyword)?, &name))
                }
                _ => node.get(&keyword),
            };
            match next {
                Some(next) if next.value.is_object() => node = next,
                _ => break,
            }
            way.push((depth, node));
        }
        way
    }

    fn findings(&self, error: &ValidationError<'_>, source: &str) -> Vec<Finding> {
        let place = error.instance_path().as_str();
        let depth = tokens(place).count();
        let way = self.way(error.evaluation_path().as_str());
        let nearest = |key: &str| way.iter().rev().find_map(|(_, node)| node.text(key));
        let source = nearest("x-source").unwrap_or(source);
        let severity = match nearest("x-severity") {
            Some("note") => Severity::Note,
            Some("warning") => Severity::Warning,
            _ => Severity::Error,
        };
        let finding = |pointer: String, severity: Severity, sentence: String| Finding {
            pointer,
            severity,
            sentence,
            source: source.to_owned(),
        };
        match error.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected } => unexpected
                .iter()
                .take(MOST_OF_A_RULE)
                .map(|name| {
                    let sentence = format!("`{}` is not in the contract.", visible::quoted(name));
                    finding(format!("{place}/{}", escape(name)), Severity::Note, sentence)
                })
                .collect(),
            ValidationErrorKind::Required { property } => {
                let name = property.as_str().unwrap_or_default();
                let pointer = format!("{place}/{}", escape(name));
                let nodes = self.at(&pointer);
                let said = |key: &str| nodes.iter().find_map(|node| node.text(key));
                let what = said("description").map(|what| format!(" ({what})")).unwrap_or_default();
                // What is said of a value that is not among those known is not said of none.
                let mut of_none = nodes.iter().filter(|node| node.get("enum").is_none());
                let why = of_none.find_map(|node| node.text("x-finding"));
                let why = why.map(|why| format!(" {why}")).unwrap_or_default();
                vec![finding(pointer, severity, format!("`{name}` is missing{what}.{why}"))]
            }
            kind => {
                let said = way.iter().rev().filter(|(at, _)| *at == depth).find_map(|(_, node)| node.text("x-finding"));
                let sentence = match (own_sentence(kind, error.instance(), place), said) {
                    (Some(own), Some(said)) => format!("{own} {said}"),
                    (Some(own), None) => own,
                    (None, Some(said)) => said.to_owned(),
                    (None, None) => format!("{} does not fit the contract: {}.", name(place), error.masked()),
                };
                vec![finding(place.to_owned(), severity, sentence)]
            }
        }
    }
}

/// The type that a schema asks for, or those that it allows.
fn json_type(node: Node<'_>) -> Option<String> {
    match node.value.get("type")? {
        Value::Array(types) => Some(types.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or ")),
        one => one.as_str().map(str::to_owned),
    }
}

fn step<'a>(node: Node<'a>, token: &str) -> Option<Node<'a>> {
    match node.value {
        Value::Array(items) => Some(Node { value: items.get(token.parse::<usize>().ok()?)?, ..node }),
        _ => node.get(token),
    }
}

/// By its name.
fn named<'a>(node: Node<'a>, token: &str) -> Option<Node<'a>> {
    node.get("properties")?.get(token)
}

/// By a pattern, which in a pack's schema is a beginning: `^sys-`.
fn matched<'a>(node: Node<'a>, token: &str) -> Option<Node<'a>> {
    let patterns = node.value.get("patternProperties")?.as_object()?;
    let fits = |pattern: &str| pattern.strip_prefix('^').is_some_and(|beginning| token.starts_with(beginning));
    patterns.iter().find(|(pattern, _)| fits(pattern)).map(|(_, value)| Node { value, ..node })
}

/// As one of many.
fn covered<'a>(node: Node<'a>, token: &str) -> Option<Node<'a>> {
    let key = if token.bytes().all(|byte| byte.is_ascii_digit()) { "items" } else { "additionalProperties" };
    node.get(key).filter(|node| node.value.is_object())
}

/// A sentence for the errors that explain themselves.
fn own_sentence(kind: &ValidationErrorKind, instance: &Value, place: &str) -> Option<String> {
    let name = name(place);
    let count = || match instance {
        Value::Array(items) => items.len(),
        Value::Object(members) => members.len(),
        Value::String(text) => text.chars().count(),
        _ => 0,
    };
    Some(match kind {
        ValidationErrorKind::Type { kind } => {
            format!("{name} must be {}, it is {}.", wanted(kind), described(instance))
        }
        ValidationErrorKind::MinItems { limit } => {
            format!("{name} has {} items, at least {limit} are needed.", count())
        }
        ValidationErrorKind::MaxItems { limit } => {
            format!("{name} has {} items, at most {limit} are allowed.", count())
        }
        ValidationErrorKind::MinLength { limit: 1 } => format!("{name} is empty."),
        ValidationErrorKind::MinLength { limit } => {
            format!("{name} has {} characters, at least {limit} are needed.", count())
        }
        ValidationErrorKind::MaxLength { limit } => {
            format!("{name} has {} characters, at most {limit} are allowed.", count())
        }
        ValidationErrorKind::Minimum { limit } => format!("{name} is {instance}, at least {limit} is expected."),
        ValidationErrorKind::Maximum { limit } => format!("{name} is {instance}, at most {limit} is expected."),
        ValidationErrorKind::Constant { expected_value } => format!("{name} must be {expected_value}."),
        ValidationErrorKind::Enum { options } => {
            let known =
                options.as_array().map(|options| options.iter().map(Value::to_string).collect::<Vec<_>>().join(", "));
            format!("{name} is {}; known: {}.", described(instance), known.unwrap_or_default())
        }
        _ => return None,
    })
}

fn name(place: &str) -> String {
    let tokens: Vec<_> = tokens(place).collect();
    match tokens.as_slice() {
        [] => "The body".into(),
        [.., list, index] if index.bytes().all(|byte| byte.is_ascii_digit()) => {
            format!("`{}/{index}`", visible::quoted(list))
        }
        [.., name] => format!("`{}`", visible::quoted(name)),
    }
}

fn wanted(kind: &TypeKind) -> String {
    let word = |kind: &str| {
        match kind {
            "boolean" => "a boolean (true or false)",
            "object" => "an object",
            "array" => "an array",
            "string" => "a string",
            "number" => "a number",
            "integer" => "an integer",
            _ => "null",
        }
        .to_owned()
    };
    match kind {
        TypeKind::Single(kind) => word(&kind.to_string()),
        TypeKind::Multiple(kinds) => kinds.iter().map(|kind| word(&kind.to_string())).collect::<Vec<_>>().join(" or "),
    }
}

/// What a value is, short enough for a sentence.
fn described(value: &Value) -> String {
    const LONGEST: usize = 40;
    match value {
        Value::Null => "null".into(),
        Value::Bool(yes) => format!("the boolean {yes}"),
        Value::Number(number) => format!("the number {number}"),
        Value::String(text) if text.chars().count() > LONGEST => "a string".into(),
        Value::String(text) => format!("the string {text:?}"),
        Value::Array(_) => "an array".into(),
        Value::Object(_) => "an object".into(),
    }
}
