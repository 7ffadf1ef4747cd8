//! JSON, YAML and TOML documents → their leaves with the way to each, for `keyed_diff.rs`.
//!
//! Numbers keep their spelling: a double would hide a change in its last digits.

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;

use saphyr_parser::{Event, Parser, ScalarStyle};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use toml_edit::{Item, Table, Value};

use super::keyed_diff::{DEPTH_MAX, Leaves, below, item, quoted};

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
struct Members<'a>(Vec<(String, &'a RawValue)>);

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

/// Reads a TOML document.
pub(super) fn read_toml(text: &str, leaves: &mut Leaves) -> Option<()> {
    let document = text.parse::<toml_edit::DocumentMut>().ok()?;
    read_table(document.as_table(), "", 0, leaves)
}

fn read_table(table: &Table, key: &str, depth: usize, leaves: &mut Leaves) -> Option<()> {
    if depth > DEPTH_MAX {
        return None;
    }
    if table.is_empty() && !key.is_empty() {
        return leaves.push(key.to_owned(), "{}".to_owned());
    }
    for (name, value) in table {
        let key = below(key, name);
        match value {
            Item::None => {}
            Item::Value(value) => read_value(value, &key, depth + 1, leaves)?,
            Item::Table(table) => read_table(table, &key, depth + 1, leaves)?,
            Item::ArrayOfTables(tables) => {
                for (index, table) in tables.iter().enumerate() {
                    read_table(table, &item(&key, index), depth + 1, leaves)?;
                }
            }
        }
    }
    Some(())
}

fn read_value(value: &Value, key: &str, depth: usize, leaves: &mut Leaves) -> Option<()> {
    if depth > DEPTH_MAX {
        return None;
    }
    match value {
        Value::String(string) => leaves.push(key.to_owned(), quoted(string.value())),
        Value::Array(array) if array.is_empty() => leaves.push(key.to_owned(), "[]".to_owned()),
        Value::Array(array) => {
            for (index, value) in array.iter().enumerate() {
                read_value(value, &item(key, index), depth + 1, leaves)?;
            }
            Some(())
        }
        Value::InlineTable(table) if table.is_empty() => {
            leaves.push(key.to_owned(), "{}".to_owned())
        }
        Value::InlineTable(table) => {
            for (name, value) in table {
                read_value(value, &below(key, name), depth + 1, leaves)?;
            }
            Some(())
        }
        literal => {
            let bare = literal.clone().decorated("", "");
            leaves.push(key.to_owned(), bare.to_string())
        }
    }
}

/// Reads a stream of one YAML document; a stream of several is not compared by key.
pub(super) fn read_yaml(text: &str, leaves: &mut Leaves) -> Option<()> {
    let mut reader = YamlReader { leaves, open: Vec::new(), anchors: HashMap::new() };
    let mut documents = 0;
    for event in Parser::new_from_str(text) {
        match event.ok()?.0 {
            Event::DocumentStart(_) => documents += 1,
            Event::Scalar(text, style, anchor, tag) => {
                let mut value = match style {
                    ScalarStyle::Plain => text.into_owned(),
                    _ => quoted(&text),
                };
                if let Some(tag) = tag {
                    value = format!("{tag} {value}");
                }
                reader.scalar(&value, anchor)?;
            }
            Event::SequenceStart(anchor, _) => reader.enter(anchor, Place::Item(0))?,
            Event::MappingStart(anchor, _) => reader.enter(anchor, Place::Key)?,
            Event::SequenceEnd => reader.leave("[]")?,
            Event::MappingEnd => reader.leave("{}")?,
            Event::Alias(anchor) => reader.alias(anchor)?,
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
    }
    (documents <= 1).then_some(())
}

/// Where the next node of an open collection belongs.
#[derive(Debug)]
enum Place {
    /// It is the name of a member.
    Key,
    /// It is the value of the member with this name.
    Member(String),
    /// It is the item of this index.
    Item(usize),
}

#[derive(Debug)]
struct Open {
    key: String,
    next: Place,
    anchor: usize,
    first_leaf: usize,
}

/// Follows the events of a parser; the depth is the length of `open`, on the heap.
#[derive(Debug)]
struct YamlReader<'a> {
    leaves: &'a mut Leaves,
    open: Vec<Open>,
    /// Anchor → its key and the leaves below it; only of anchors that are closed.
    anchors: HashMap<usize, (String, Range<usize>)>,
}

impl YamlReader<'_> {
    fn scalar(&mut self, value: &str, anchor: usize) -> Option<()> {
        if let Some(Open { next: next @ Place::Key, .. }) = self.open.last_mut() {
            let name = value.strip_prefix('"').and_then(|name| name.strip_suffix('"'));
            *next = Place::Member(name.unwrap_or(value).to_owned());
            return Some(());
        }
        let (key, first) = (self.key_of_next()?, self.leaves.list.len());
        self.leaves.push(key.clone(), value.to_owned())?;
        self.remember(anchor, key, first);
        Some(())
    }

    fn enter(&mut self, anchor: usize, next: Place) -> Option<()> {
        if self.open.len() >= DEPTH_MAX {
            return None;
        }
        let (key, first_leaf) = (self.key_of_next()?, self.leaves.list.len());
        self.open.push(Open { key, next, anchor, first_leaf });
        Some(())
    }

    fn leave(&mut self, empty: &str) -> Option<()> {
        let closed = self.open.pop()?;
        if closed.first_leaf == self.leaves.list.len() {
            self.leaves.push(closed.key.clone(), empty.to_owned())?;
        }
        self.remember(closed.anchor, closed.key, closed.first_leaf);
        Some(())
    }

    /// Repeats the leaves of an anchor here; the limit on leaves bounds "billion laughs".
    fn alias(&mut self, anchor: usize) -> Option<()> {
        let key = self.key_of_next()?;
        let (from, range) = self.anchors.get(&anchor)?.clone();
        for at in range {
            let leaf = self.leaves.list.get(at)?;
            let longer = format!("{key}{}", leaf.key.strip_prefix(&from)?);
            self.leaves.push(longer, leaf.value.clone())?;
        }
        Some(())
    }

    fn remember(&mut self, anchor: usize, key: String, first_leaf: usize) {
        if anchor != 0 {
            self.anchors.insert(anchor, (key, first_leaf..self.leaves.list.len()));
        }
    }

    /// Gives the key of the next node, and moves on; none for a collection as the name of a member.
    fn key_of_next(&mut self) -> Option<String> {
        let Some(open) = self.open.last_mut() else { return Some(String::new()) };
        match std::mem::replace(&mut open.next, Place::Key) {
            Place::Key => None,
            Place::Member(name) => Some(below(&open.key, &name)),
            Place::Item(index) => {
                open.next = Place::Item(index + 1);
                Some(item(&open.key, index))
            }
        }
    }
}
