//! Two JSON objects, member by member: each member that differs is taken from one or the other.
//!
//! Values stay the text that they are: a double would lose digits of what is mixed, and take
//! numbers for the same that are not.

use std::collections::{HashMap, HashSet};

use serde_json::value::RawValue;

use crate::repo::keyed_diff::DEPTH_MAX;
use crate::repo::keyed_documents::Members;

/// Two versions of a document.
#[derive(Debug)]
pub(super) struct Keys {
    old: Value,
    differing: Vec<Key>,
}

/// A member of an object, inside of others, that differs.
#[derive(Debug)]
pub(super) struct Key {
    pub path: Vec<String>,
    pub old: Option<Value>,
    pub new: Option<Value>,
}

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// An object: its members in their order, each name once.
    Object(Vec<(String, Value)>),
    /// Anything else, as it is spelled, without what is between its parts.
    Other(String),
}

impl Keys {
    /// Finds the members that differ.
    ///
    /// Shape: `None` for what is not JSON, names a member twice, or nests too deep.
    pub fn of(old: &[u8], new: &[u8]) -> Option<Self> {
        let read = |text: &[u8]| Value::read(std::str::from_utf8(text).ok()?, 0);
        let (old, new) = (read(old)?, read(new)?);
        let mut differing = Vec::new();
        compare(&mut Vec::new(), &old, &new, &mut differing);
        Some(Self { old, differing })
    }

    /// Gives the members that differ.
    pub fn differing(&self) -> &[Key] {
        &self.differing
    }

    /// Gives the old version, in which these members are those of the new one.
    pub fn with(&self, chosen: &[usize]) -> Vec<u8> {
        let chosen: Vec<&Key> = chosen.iter().filter_map(|at| self.differing.get(*at)).collect();
        let document = self.old.with(&chosen, 0);
        let mut text = String::new();
        document.write(Some(0), &mut text);
        text.push('\n');
        text.into_bytes()
    }
}

impl Value {
    fn read(text: &str, depth: usize) -> Option<Self> {
        let text = text.trim_matches([' ', '\t', '\r', '\n']);
        if depth > DEPTH_MAX {
            return None;
        }
        match text.as_bytes().first()? {
            b'{' => {
                let read: Members<'_> = serde_json::from_str(text).ok()?;
                let (mut names, mut members) = (HashSet::new(), Vec::new());
                for (name, value) in read.0 {
                    if !names.insert(name.clone()) {
                        return None;
                    }
                    members.push((name, Self::read(value.get(), depth + 1)?));
                }
                Some(Self::Object(members))
            }
            b'[' => {
                let items: Vec<&RawValue> = serde_json::from_str(text).ok()?;
                let mut list = "[".to_owned();
                for (at, item) in items.iter().enumerate() {
                    list.push_str(if at == 0 { "" } else { "," });
                    Self::read(item.get(), depth + 1)?.write(None, &mut list);
                }
                list.push(']');
                Some(Self::Other(list))
            }
            b'"' => {
                let string: String = serde_json::from_str(text).ok()?;
                Some(Self::Other(quoted(&string)))
            }
            _ => {
                let literal: &RawValue = serde_json::from_str(text).ok()?;
                Some(Self::Other(literal.get().to_owned()))
            }
        }
    }

    /// Gives its text on one line.
    pub fn text(&self) -> String {
        let mut text = String::new();
        self.write(None, &mut text);
        text
    }

    /// Writes it; with an indent the members of objects stand each on a line.
    fn write(&self, indent: Option<usize>, into: &mut String) {
        let members = match self {
            Self::Other(text) => return into.push_str(text),
            Self::Object(members) => members,
        };
        let inner = indent.map(|indent| indent + 2);
        let new_line = |indent: Option<usize>, into: &mut String| {
            if let Some(indent) = indent.filter(|_| !members.is_empty()) {
                into.push('\n');
                into.extend(std::iter::repeat_n(' ', indent));
            }
        };
        into.push('{');
        for (at, (name, value)) in members.iter().enumerate() {
            into.push_str(if at == 0 { "" } else { "," });
            new_line(inner, into);
            into.push_str(&quoted(name));
            into.push_str(if inner.is_some() { ": " } else { ":" });
            value.write(inner, into);
        }
        new_line(indent, into);
        into.push('}');
    }

    /// Gives it with members that are new, all of which begin with the same `depth` names.
    fn with(&self, chosen: &[&Key], depth: usize) -> Self {
        let Self::Object(members) = self else { return self.clone() };
        let mut by_name: HashMap<&str, Vec<&Key>> = HashMap::new();
        for key in chosen {
            by_name.entry(key.path.get(depth).map_or("", String::as_str)).or_default().push(key);
        }
        let is_here = |key: &Key| key.path.len() == depth + 1;
        let mut mixed = Vec::with_capacity(members.len());
        for (name, value) in members {
            let value = match by_name.get(name.as_str()).map(Vec::as_slice) {
                None => Some(value.clone()),
                Some([key]) if is_here(key) => key.new.clone(),
                Some(keys) => Some(value.with(keys, depth + 1)),
            };
            mixed.extend(value.map(|value| (name.clone(), value)));
        }
        let added = chosen.iter().filter(|key| is_here(key) && key.old.is_none());
        mixed.extend(added.filter_map(|key| Some((key.path.last()?.clone(), key.new.clone()?))));
        Self::Object(mixed)
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn compare(path: &mut Vec<String>, old: &Value, new: &Value, differing: &mut Vec<Key>) {
    let (Value::Object(olds), Value::Object(news)) = (old, new) else {
        if old != new {
            let (old, new) = (Some(old.clone()), Some(new.clone()));
            differing.push(Key { path: path.clone(), old, new });
        }
        return;
    };
    let [in_old, in_new] = [olds, news].map(|members| -> HashMap<_, _> {
        members.iter().map(|(name, value)| (name, value)).collect()
    });
    let added = news.iter().filter(|(name, _)| !in_old.contains_key(name));
    for (name, _) in olds.iter().chain(added) {
        path.push(name.clone());
        match (in_old.get(name), in_new.get(name)) {
            (Some(old), Some(new)) => compare(path, old, new, differing),
            (old, new) => {
                let [old, new] = [old, new].map(|value| value.map(|value| (*value).clone()));
                differing.push(Key { path: path.clone(), old, new });
            }
        }
        path.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Digits that no double holds were lost in what was mixed, and taken for no difference.
    #[test]
    fn numbers_keep_their_digits() {
        let old = r#"{"seed": 12345678901234567890123, "lr": 0.1000000000000000055,
            "big": 1e400, "a": [1.0,  2]}"#;
        let new = r#"{"seed": 12345678901234567890124, "lr": 0.1,
            "big": 1e400, "a": [1.0,2], "b": 1}"#;
        let keys = Keys::of(old.as_bytes(), new.as_bytes()).expect("JSON");
        let names: Vec<_> = keys.differing().iter().map(|key| key.path.join(".")).collect();
        assert_eq!(names, ["seed", "lr", "b"]);
        let expected = "{\n  \"seed\": 12345678901234567890123,\n  \"lr\": 0.1,\n  \
                        \"big\": 1e400,\n  \"a\": [1.0,2]\n}\n";
        assert_eq!(String::from_utf8(keys.with(&[1])).expect("text"), expected);
    }

    #[test]
    fn what_has_no_one_meaning_is_not_taken_apart() {
        for text in
            [r#"{"a": 1, "a": 2}"#, r#"{"a": {"b": 1, "b": 1}}"#, "{", "", "{\"a\": \"\\ud800\"}"]
        {
            assert!(Keys::of(text.as_bytes(), b"{}").is_none(), "{text}");
        }
        let deep = "[".repeat(100_000) + &"]".repeat(100_000);
        assert!(Keys::of(deep.as_bytes(), b"{}").is_none());
    }

    #[test]
    fn members_come_and_go() {
        let (old, new) = (r#"{"a": {"x": 1}, "b": {"c": {}}}"#, r#"{"b": {"c": 2, "d": null}}"#);
        let keys = Keys::of(old.as_bytes(), new.as_bytes()).expect("JSON");
        let all = String::from_utf8(keys.with(&[0, 1, 2])).expect("text");
        assert_eq!(all, "{\n  \"b\": {\n    \"c\": 2,\n    \"d\": null\n  }\n}\n");
        let first = keys.differing().first().expect("several");
        assert_eq!(
            (first.old.as_ref().map(Value::text), &first.new),
            (Some(r#"{"x":1}"#.into()), &None)
        );
        assert_eq!(
            String::from_utf8(keys.with(&[0])).expect("text"),
            "{\n  \"b\": {\n    \"c\": {}\n  }\n}\n"
        );
    }
}
