//! As much of JSON Schema 2020-12 as `docs/schema/` uses; any other keyword is an error.

use std::cell::RefCell;
use std::collections::HashMap;

use regex::Regex;
use serde_json::{Map, Value};

/// A schema and the definitions it refers to.
pub struct Schema {
    root: Value,
    patterns: RefCell<HashMap<String, Regex>>,
}

/// Keywords that say nothing about what is valid.
const ANNOTATIONS: &[&str] = &["$schema", "$id", "$defs", "title", "description", "format"];

impl Schema {
    /// Reads the schema from its text.
    pub fn parse(text: &str) -> Self {
        let root = serde_json::from_str(text).expect("a schema is JSON");
        Self { root, patterns: RefCell::default() }
    }

    /// Tells whether `value` is valid.
    pub fn accepts(&self, value: &Value) -> bool {
        self.valid(&self.root, value)
    }

    fn valid(&self, schema: &Value, value: &Value) -> bool {
        let schema = schema.as_object().expect("a schema is an object");
        schema.iter().all(|(keyword, rule)| self.holds(schema, keyword, rule, value))
    }

    fn holds(&self, schema: &Map<String, Value>, word: &str, rule: &Value, value: &Value) -> bool {
        match word {
            _ if ANNOTATIONS.contains(&word) => true,
            "$ref" => {
                let pointer = rule.as_str().and_then(|text| text.strip_prefix('#'));
                let target = pointer.and_then(|pointer| self.root.pointer(pointer));
                self.valid(target.expect("a reference leads somewhere"), value)
            }
            "type" => is_of_type(value, rule.as_str().expect("one type")),
            "const" => value == rule,
            "enum" => rule.as_array().expect("a list").contains(value),
            "oneOf" => {
                let schemas = rule.as_array().expect("a list");
                schemas.iter().filter(|schema| self.valid(schema, value)).count() == 1
            }
            "minimum" => {
                value.as_f64().is_none_or(|number| number >= rule.as_f64().expect("a number"))
            }
            "maximum" => {
                value.as_f64().is_none_or(|number| number <= rule.as_f64().expect("a number"))
            }
            "minLength" => value.as_str().is_none_or(|text| text.chars().count() >= size(rule)),
            "maxLength" => value.as_str().is_none_or(|text| text.chars().count() <= size(rule)),
            "pattern" => value.as_str().is_none_or(|text| self.matches(rule, text)),
            "minItems" => value.as_array().is_none_or(|list| list.len() >= size(rule)),
            "maxItems" => value.as_array().is_none_or(|list| list.len() <= size(rule)),
            "uniqueItems" => value
                .as_array()
                .is_none_or(|list| (1..list.len()).all(|at| !list[..at].contains(&list[at]))),
            "prefixItems" => value.as_array().is_none_or(|list| {
                let schemas = rule.as_array().expect("a list");
                schemas.iter().zip(list).all(|(schema, item)| self.valid(schema, item))
            }),
            "items" => value.as_array().is_none_or(|list| {
                let before = schema.get("prefixItems").and_then(Value::as_array);
                let rest = list.iter().skip(before.map_or(0, Vec::len));
                rest.into_iter().all(|item| self.valid(rule, item))
            }),
            "required" => value
                .as_object()
                .is_none_or(|object| names(rule).all(|name| object.contains_key(name))),
            "dependentRequired" => value.as_object().is_none_or(|object| {
                let present = rule
                    .as_object()
                    .expect("an object")
                    .iter()
                    .filter(|(k, _)| object.contains_key(*k));
                present.into_iter().all(|(_, others)| names(others).all(|n| object.contains_key(n)))
            }),
            "properties" => value.as_object().is_none_or(|object| {
                let rules = rule.as_object().expect("an object");
                rules
                    .iter()
                    .all(|(name, rule)| object.get(name).is_none_or(|v| self.valid(rule, v)))
            }),
            "additionalProperties" => self.others(schema, rule, value),
            _ => panic!("keyword {word} is not known here"),
        }
    }

    fn matches(&self, pattern: &Value, text: &str) -> bool {
        let pattern = pattern.as_str().expect("a text");
        let mut patterns = self.patterns.borrow_mut();
        let compiled = patterns
            .entry(pattern.to_owned())
            .or_insert_with(|| Regex::new(pattern).expect("a pattern"));
        compiled.is_match(text)
    }

    fn others(&self, schema: &Map<String, Value>, rule: &Value, value: &Value) -> bool {
        let Some(object) = value.as_object() else { return true };
        let known = schema.get("properties").and_then(Value::as_object);
        let mut others = object
            .iter()
            .filter(|(name, _)| known.is_none_or(|known| !known.contains_key(name.as_str())));
        others.all(|(_, value)| match rule {
            Value::Bool(allowed) => *allowed,
            rule => self.valid(rule, value),
        })
    }
}

fn is_of_type(value: &Value, name: &str) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        _ => panic!("type {name} is not known here"),
    }
}

fn names(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().expect("a list").iter().filter_map(Value::as_str)
}

fn size(rule: &Value) -> usize {
    usize::try_from(rule.as_u64().expect("a size")).expect("fits")
}
