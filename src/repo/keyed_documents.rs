//! JSON, YAML and TOML documents → their leaves with the way to each, for `keyed_diff.rs`.
//!
//! Numbers keep their spelling: a double would hide a change in its last digits.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::keyed_diff::{DEPTH_MAX, Leaves, below, item, quoted};
use crate::capture::document::{self, Part};

/// Reads a JSON value at `key` and all below it.
pub(super) fn read_json(text: &str, key: &str, depth: usize, leaves: &mut Leaves) -> Option<()> {
    let text = text.trim_matches([' ', '\t', '\r', '\n']);
    if depth > DEPTH_MAX {
        return None;
    }
    match text.as_bytes().first()? {
        b'{' => {
            let members: Members<'_> = serde_json::from_str(text).ok()?;
            if members.0.is_empty() {
                return leaves.push(key.to_owned(), "{}".to_owned());
            }
            for (name, value) in members.0 {
                read_json(value.get(), &below(key, &name), depth + 1, leaves)?;
            }
            Some(())
        }
        b'[' => {
            let items: Vec<&RawValue> = serde_json::from_str(text).ok()?;
            if items.is_empty() {
                return leaves.push(key.to_owned(), "[]".to_owned());
            }
            for (index, value) in items.iter().enumerate() {
                read_json(value.get(), &item(key, index), depth + 1, leaves)?;
            }
            Some(())
        }
        b'"' => {
            let string: String = serde_json::from_str(text).ok()?;
            leaves.push(key.to_owned(), quoted(&string))
        }
        _ => {
            let literal: &RawValue = serde_json::from_str(text).ok()?;
            leaves.push(key.to_owned(), literal.get().to_owned())
        }
    }
}

/// The members of one JSON object, in order, duplicates included, values not yet read.
pub(super) struct Members<'a>(pub(super) Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

/// Reads a TOML document; one without a line has no leaf.
pub(super) fn read_toml(text: &str, leaves: &mut Leaves) -> Option<()> {
    let mut reader = Reader { leaves, open: Vec::new() };
    document::read_toml(text, &mut |part| reader.take(part).ok_or_else(String::new)).ok()?;
    leaves.list.retain(|leaf| !leaf.key.is_empty());
    Some(())
}

/// Reads a stream of one YAML document; a stream of several is not compared by key.
///
/// The limit on leaves bounds "billion laughs".
pub(super) fn read_yaml(text: &str, leaves: &mut Leaves) -> Option<()> {
    let mut reader = Reader { leaves, open: Vec::new() };
    document::read_yaml(text, &mut |part| reader.take(part).ok_or_else(String::new)).ok()
}

/// Where the next part of an open collection belongs.
#[derive(Debug)]
enum Place {
    /// It is the value of the member with this name; of none before the first.
    Member(String),
    /// It is the item of this index.
    Item(usize),
}

#[derive(Debug)]
struct Open {
    key: String,
    next: Place,
    first_leaf: usize,
}

/// Follows the parts of a document.
#[derive(Debug)]
struct Reader<'a> {
    leaves: &'a mut Leaves,
    open: Vec<Open>,
}

impl Reader<'_> {
    fn take(&mut self, part: Part<'_>) -> Option<()> {
        match part {
            Part::List => self.enter(Place::Item(0)),
            Part::Map => self.enter(Place::Member(String::new())),
            Part::Name(name) => {
                self.open.last_mut()?.next = Place::Member(name.to_owned());
                Some(())
            }
            Part::Text(text) => self.leaf(quoted(text)),
            Part::Literal(literal) => self.leaf(literal.to_owned()),
            Part::Tagged(tag, text, true) => self.leaf(format!("{tag} {}", quoted(text))),
            Part::Tagged(tag, text, false) => self.leaf(format!("{tag} {text}")),
            Part::End => self.leave(),
        }
    }

    fn leaf(&mut self, value: String) -> Option<()> {
        let key = self.key_of_next();
        self.leaves.push(key, value)
    }

    fn enter(&mut self, next: Place) -> Option<()> {
        let (key, first_leaf) = (self.key_of_next(), self.leaves.list.len());
        self.open.push(Open { key, next, first_leaf });
        Some(())
    }

    fn leave(&mut self) -> Option<()> {
        let closed = self.open.pop()?;
        if closed.first_leaf < self.leaves.list.len() {
            return Some(());
        }
        let is_list = matches!(closed.next, Place::Item(_));
        self.leaves.push(closed.key, if is_list { "[]" } else { "{}" }.to_owned())
    }

    /// Gives the key of the next value, and moves on.
    fn key_of_next(&mut self) -> String {
        let Some(open) = self.open.last_mut() else { return String::new() };
        match &mut open.next {
            Place::Member(name) => below(&open.key, name),
            Place::Item(index) => {
                *index += 1;
                item(&open.key, *index - 1)
            }
        }
    }
}
