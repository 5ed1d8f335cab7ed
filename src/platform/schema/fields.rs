//! The members that a schema names, as a document's table has them.
//!
//! A member may be spoken of in many places, some of which apply to some bodies only: what stands under `then` applies where
//! its `if` does, and of `anyOf` one branch is enough. Each row says so.

use std::ptr;

use serde_json::{Map, Value};

use super::{Node, Schema, json_type};
use crate::json::escape;
use crate::platform::Field;

/// Lists and members that a place may be in: the buttons of the cards of a carousel among the responses are in six.
const DEEPEST: usize = 7;

/// Rows of one table: no document has as many, but a schema that leads back to itself has them without end.
const MOST_ROWS: usize = 1000;

/// Parts of a schema that are about one value: each branch of an `anyOf` doubles what is below it.
const MOST_PARTS: usize = 256;

/// Where a part of a schema applies, if not always, and it is not told shortly.
const SOMETIMES: &str = "in some cases";

/// When a part of a schema applies to the value that it is about.
#[derive(Clone, Default, PartialEq)]
struct Bond {
    /// `for type text`.
    when: Option<String>,
    /// The members with which another branch is satisfied: `text`, `a and b or c`.
    unless: Option<String>,
}

impl Bond {
    /// Whether what is bound so applies wherever what `other` binds does.
    fn covers(&self, other: &Self) -> bool {
        let more = |names: &String| {
            let rest = other.unless.as_ref().and_then(|others| others.strip_prefix(names.as_str()));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(" or "))
        };
        (self.when.is_none() || self.when == other.when) && self.unless.as_ref().is_none_or(more)
    }
}

/// A part of a schema, and when it applies.
type Bound<'a> = (Node<'a>, Bond);

impl Schema {
    /// The members that it names, with what it says of them.
    pub(in crate::platform) fn fields(&self, part: &'static str) -> Vec<Field> {
        let mut fields = Vec::new();
        let root: Vec<Node<'_>> = self.root().into_iter().collect();
        let mut way = root.iter().map(|node| self.target(*node)).collect();
        self.fields_of(&self.bound(&root), "", part, &mut way, &mut fields);
        fields
    }

    /// Puts the members of a value that `nodes` are about `into` the list. `way`: the schemas of what it is in, for a schema
    /// may lead back to itself.
    fn fields_of<'a>(
        &'a self,
        nodes: &[Bound<'a>],
        under: &str,
        part: &'static str,
        way: &mut Vec<&'a Value>,
        into: &mut Vec<Field>,
    ) {
        if way.len() > DEEPEST {
            return;
        }
        let mut items = Vec::new();
        for (node, bond) in nodes {
            if let Some(node) = node.get("items").filter(|items| items.value.is_object()) {
                self.bind(node, bond, &mut items);
            }
        }
        if let Some(first) = items.first().map(|(node, _)| self.target(*node)).filter(|first| !is_in(way, first)) {
            way.push(first);
            self.fields_of(&items, &format!("{under}/*"), part, way, into);
            way.pop();
        }
        for name in names(nodes) {
            let place = format!("{under}/{}", escape(name));
            for (when, declared) in declarations(nodes, name) {
                if into.len() == MOST_ROWS {
                    return;
                }
                let inner = self.bound(&declared);
                into.push(self.field(&place, part, nodes, (name, when), &inner));
                let first = declared.first().map(|node| self.target(*node));
                if let Some(first) = first.filter(|first| !is_in(way, first)) {
                    way.push(first);
                    self.fields_of(&inner, &place, part, way, into);
                    way.pop();
                }
            }
        }
    }

    /// The row of the member `name` of what `nodes` are about, where it is as `when` says; `inner` is what is said of it there.
    fn field<'a>(
        &'a self,
        place: &str,
        part: &'static str,
        nodes: &[Bound<'a>],
        (name, when): (&str, Option<&str>),
        inner: &[Bound<'a>],
    ) -> Field {
        // What is only required there is explained elsewhere.
        let elsewhere: Vec<Node<'_>> = if inner.is_empty() {
            self.at(&place.replace("/*", "/0"))
        } else {
            inner.iter().map(|(node, _)| *node).collect()
        };
        let said = |key: &str| elsewhere.iter().find_map(|node| node.text(key));
        let listed = elsewhere.iter().find_map(|node| node.value.get("enum")?.as_array());
        let only = elsewhere.iter().find_map(|node| node.value.get("const"));
        let allowed: Vec<&Value> = listed.into_iter().flatten().chain(only).collect();
        let needs: Vec<&Bond> = nodes
            .iter()
            .filter(|(node, bond)| (bond.when.is_none() || bond.when.as_deref() == when) && requires(*node, name))
            .map(|(_, bond)| bond)
            .collect();
        let always = needs.iter().any(|bond| bond.unless.is_none());
        let unless = needs.iter().find_map(|bond| bond.unless.as_deref()).filter(|_| !always);
        let case = when.map(|when| format!(" {when}")).unwrap_or_default();
        let need = if inner.iter().any(|(node, bond)| *bond == Bond::default() && is_never(node.value)) {
            format!("not in the contract{case}")
        } else if let Some(others) = unless {
            format!("required{case} unless {others} is there")
        } else {
            format!("{}{case}", if always { "required" } else { "optional" })
        };
        let texts =
            || (!allowed.is_empty() && allowed.iter().all(|value| value.is_string())).then(|| "string".to_owned());
        Field {
            place: place.to_owned(),
            part,
            json_type: elsewhere.iter().find_map(|node| json_type(*node)).or_else(texts),
            required: always && when.is_none(),
            need,
            allowed: allowed.into_iter().map(word).collect(),
            meaning: said("description").or_else(|| said("title")).map(str::to_owned),
        }
    }

    /// What `node` refers to in the end.
    fn target<'a>(&'a self, mut node: Node<'a>) -> &'a Value {
        for _ in 0..DEEPEST {
            let Some(next) = node.text("$ref").and_then(|reference| self.follow(node, reference)) else { break };
            node = next;
        }
        node.value
    }

    /// `nodes` and every schema that applies, or may apply, to the same value.
    fn bound<'a>(&'a self, nodes: &[Node<'a>]) -> Vec<Bound<'a>> {
        let mut into = Vec::new();
        for node in nodes {
            self.bind(*node, &Bond::default(), &mut into);
        }
        into
    }

    /// As [`Schema::same`], with when each applies.
    fn bind<'a>(&'a self, node: Node<'a>, bond: &Bond, into: &mut Vec<Bound<'a>>) {
        let is_told = |(known, when): &Bound<'_>| ptr::eq(known.value, node.value) && when.covers(bond);
        if into.len() == MOST_PARTS || into.iter().any(is_told) {
            return;
        }
        into.push((node, bond.clone()));
        if let Some(next) = node.text("$ref").and_then(|reference| self.follow(node, reference)) {
            self.bind(next, bond, into);
        }
        for value in list(node, "allOf") {
            self.bind(Node { value, ..node }, bond, into);
        }
        for key in ["anyOf", "oneOf"] {
            let real = |value: &&Value| value.get("type").is_none_or(|kind| kind != "null");
            let branches: Vec<&Value> = list(node, key).filter(real).collect();
            for value in &branches {
                let others: Vec<&Value> = branches.iter().copied().filter(|other| !ptr::eq(*other, *value)).collect();
                self.bind(Node { value, ..node }, &one_of(bond, &others), into);
            }
        }
        if let Some(case) = node.get("if") {
            let words = self.case(case).filter(|_| bond.when.is_none());
            for (key, when) in [("then", words), ("else", None)] {
                if let Some(next) = node.get(key) {
                    let when = Some(when.unwrap_or_else(|| SOMETIMES.to_owned()));
                    self.bind(next, &Bond { when, ..bond.clone() }, into);
                }
            }
        }
    }

    /// What an `if` asks for, where that is one member's value: `for type image, video or file`.
    fn case(&self, node: Node<'_>) -> Option<String> {
        let node = match node.text("$ref") {
            Some(reference) => self.follow(node, reference)?,
            None => node,
        };
        let known = |key: &String| matches!(key.as_str(), "properties" | "required" | "type");
        let asked = node.value.as_object().filter(|all| all.keys().all(known))?.get("properties")?.as_object()?;
        let (name, wanted) = asked.iter().next().filter(|_| asked.len() == 1)?;
        let one = wanted.get("const").into_iter();
        let values: Vec<String> =
            one.chain(wanted.get("enum").and_then(Value::as_array).into_iter().flatten()).map(word).collect();
        let (last, before) = values.split_last()?;
        let before = if before.is_empty() { String::new() } else { format!("{} or ", before.join(", ")) };
        Some(format!("for {name} {before}{last}"))
    }
}

/// When a branch applies that stands beside `others`, of which one is enough.
fn one_of(bond: &Bond, others: &[&Value]) -> Bond {
    let required = |value: &&Value| {
        let names: Vec<&str> = value.get("required")?.as_array()?.iter().filter_map(Value::as_str).collect();
        (!names.is_empty()).then(|| names.join(" and "))
    };
    let enough: Option<Vec<String>> = others.iter().map(required).collect();
    match enough {
        Some(enough) if enough.is_empty() => bond.clone(),
        Some(enough) => {
            let all: Vec<String> = bond.unless.iter().cloned().chain(enough).collect();
            Bond { unless: Some(all.join(" or ")), ..bond.clone() }
        }
        None => Bond { when: Some(SOMETIMES.to_owned()), ..bond.clone() },
    }
}

/// The members that they name, each once.
fn names<'a>(nodes: &[Bound<'a>]) -> Vec<&'a str> {
    let mut names: Vec<&str> = Vec::new();
    let properties = nodes.iter().filter_map(|(node, _)| node.value.get("properties")?.as_object());
    for name in properties.flat_map(Map::keys) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    names
}

/// What is said of the member `name`, by when it is.
fn declarations<'a, 'b>(nodes: &'b [Bound<'a>], name: &str) -> Vec<(Option<&'b str>, Vec<Node<'a>>)> {
    let mut found: Vec<(Option<&str>, Vec<Node<'_>>)> = Vec::new();
    for (node, bond) in nodes {
        let declared = node.get("properties").and_then(|all| all.get(name));
        if declared.is_none() && !requires(*node, name) {
            continue;
        }
        let when = bond.when.as_deref();
        match found.iter_mut().find(|(known, _)| *known == when) {
            Some((_, all)) => all.extend(declared),
            None => found.push((when, declared.into_iter().collect())),
        }
    }
    // A rule for all of them that says nothing of what it is makes no row of its own.
    let says = |node: &Node<'_>| {
        let keys = ["$ref", "description", "title", "type", "enum"];
        is_never(node.value) || keys.iter().any(|key| node.get(key).is_some())
    };
    if found.len() > 1 {
        found.retain(|(when, all)| when.is_some() || all.iter().any(says));
    }
    found
}

/// Whether it lists `name` as required; advice is no requirement.
fn requires(node: Node<'_>, name: &str) -> bool {
    let optional = node.value.get("x-optional").is_some_and(|optional| optional == true);
    !optional && list(node, "required").any(|one| one == name)
}

fn list<'a>(node: Node<'a>, key: &str) -> impl Iterator<Item = &'a Value> {
    node.value.get(key).and_then(Value::as_array).into_iter().flatten()
}

/// Whether nothing fits it.
fn is_never(schema: &Value) -> bool {
    *schema == false || schema.get("not").is_some_and(|not| *not == true || not.as_object().is_some_and(Map::is_empty))
}

fn is_in(way: &[&Value], schema: &Value) -> bool {
    way.iter().any(|known| ptr::eq(*known, schema))
}

/// A value as it is spoken of.
fn word(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
