//! What a schema says of one place, for those who look at it or write it.

use serde_json::{Map, Value};

use super::{Schema, json_type};

/// What the contract says of one place of a body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Help {
    /// `string`, `object or null`, where the contract fixes it.
    pub json_type: Option<String>,
    /// What the document says of it.
    pub meaning: Option<String>,
    /// The values that the contract names, as JSON text: those it allows, or examples.
    pub allowed: Vec<String>,
    /// The members that the contract names, where it is an object.
    pub members: Vec<String>,
    /// The document that says so, where it is not the kind's.
    pub source: Option<String>,
}

impl Schema {
    /// What the schema says of the value at `pointer`; none where it does not speak of it.
    pub(in crate::platform) fn help(&self, pointer: &str) -> Option<Help> {
        let nodes = self.at(pointer);
        if nodes.is_empty() {
            return None;
        }
        let said = |key: &str| nodes.iter().find_map(|node| node.text(key)).map(str::to_owned);
        let listed = nodes.iter().find_map(|node| node.value.get("enum")?.as_array());
        let only = nodes.iter().find_map(|node| node.value.get("const"));
        let known = nodes.iter().filter_map(|node| node.value.get("examples")?.as_array()).flatten();
        let allowed = listed.into_iter().flatten().chain(only).chain(known).map(Value::to_string).collect();
        let mut members: Vec<String> = Vec::new();
        let properties = nodes.iter().filter_map(|node| node.value.get("properties")?.as_object());
        for name in properties.flat_map(Map::keys) {
            if !members.contains(name) {
                members.push(name.clone());
            }
        }
        Some(Help {
            json_type: nodes.iter().find_map(|node| json_type(*node)),
            meaning: said("description").or_else(|| said("title")),
            allowed,
            members,
            source: said("x-source"),
        })
    }
}
