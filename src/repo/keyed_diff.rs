//! Two versions of a configuration → what changed, by key: `optimizer.lr: 0.001 → 0.01`.
//!
//! A document is flattened to its leaves, never built as a tree, so that no nesting or alias can
//! cost more than its limits. What is larger, deeper, malformed or ambiguous gets no answer here
//! and is shown as a text patch instead. Reading the languages is in `keyed_documents.rs`.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::keyed_documents;

/// Larger documents are not read, bytes.
pub const DOCUMENT_BYTES_MAX: usize = 1 << 20;

/// Documents with more leaves are not compared, after aliases are followed.
pub(super) const LEAVES_MAX: usize = 50_000;

/// Documents nested deeper are not compared; canonical JSON has the same bound.
pub(super) const DEPTH_MAX: usize = 64;

/// A longer list of changes says less than a patch, as after an insertion at the head of a list.
const CHANGES_MAX: usize = 200;

/// Names the languages that can be compared by key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentLanguage {
    /// RFC 8259, without duplicate keys.
    Json,
    /// YAML 1.2, aliases followed.
    Yaml,
    /// TOML 1.0.
    Toml,
}

impl DocumentLanguage {
    /// Tells the language of a file by the end of its name.
    pub fn of_name(name: &[u8]) -> Option<Self> {
        let (_, end) = std::str::from_utf8(name).ok()?.rsplit_once('.')?;
        match end.to_ascii_lowercase().as_str() {
            "json" => Some(Self::Json),
            "yaml" | "yml" => Some(Self::Yaml),
            "toml" => Some(Self::Toml),
            _ => None,
        }
    }
}

/// Holds one key whose value differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyChange {
    /// The way to the value: `optimizer.lr`, `layers[0].units`; empty for the document itself.
    pub key: String,
    /// The old value as it is written, strings in quotes; none if the key is new.
    pub old: Option<String>,
    /// The new value as it is written, strings in quotes; none if the key is gone.
    pub new: Option<String>,
}

/// Compares two documents by key.
///
/// Shape: changed and removed keys in the order of the old document, then new keys in the order
/// of the new one; never empty. `None` where a text patch says it better: the documents are equal
/// but for form, too large, too deep, malformed, have a key twice, or differ almost everywhere.
/// Cost: linear in the documents; memory a small multiple of them.
pub fn keyed_diff(language: DocumentLanguage, old: &[u8], new: &[u8]) -> Option<Vec<KeyChange>> {
    let (old, new) = (leaves(language, old)?, leaves(language, new)?);
    let new_by_key: HashMap<&str, &str> = new.iter().map(Leaf::as_pair).collect();
    let old_by_key: HashMap<&str, &str> = old.iter().map(Leaf::as_pair).collect();
    if new_by_key.len() != new.len() || old_by_key.len() != old.len() {
        return None;
    }
    let mut changes = Vec::new();
    for leaf in &old {
        let value = new_by_key.get(leaf.key.as_str());
        if value != Some(&leaf.value.as_str()) {
            let (key, old) = (leaf.key.clone(), Some(leaf.value.clone()));
            changes.push(KeyChange { key, old, new: value.map(|value| (*value).to_owned()) });
        }
    }
    for leaf in new.iter().filter(|leaf| !old_by_key.contains_key(leaf.key.as_str())) {
        let (key, new) = (leaf.key.clone(), Some(leaf.value.clone()));
        changes.push(KeyChange { key, old: None, new });
    }
    (!changes.is_empty() && changes.len() <= CHANGES_MAX).then_some(changes)
}

fn leaves(language: DocumentLanguage, document: &[u8]) -> Option<Vec<Leaf>> {
    if document.len() > DOCUMENT_BYTES_MAX {
        return None;
    }
    let text = std::str::from_utf8(document).ok()?;
    let mut leaves = Leaves::default();
    match language {
        DocumentLanguage::Json => keyed_documents::read_json(text, "", 0, &mut leaves)?,
        DocumentLanguage::Yaml => keyed_documents::read_yaml(text, &mut leaves)?,
        DocumentLanguage::Toml => keyed_documents::read_toml(text, &mut leaves)?,
    }
    Some(leaves.list)
}

/// Holds one value that contains no others, or an empty list or map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Leaf {
    pub(super) key: String,
    pub(super) value: String,
}

impl Leaf {
    fn as_pair(&self) -> (&str, &str) {
        (&self.key, &self.value)
    }
}

/// Collects leaves up to the limits.
#[derive(Debug, Default)]
pub(super) struct Leaves {
    pub(super) list: Vec<Leaf>,
    bytes: usize,
}

impl Leaves {
    /// Takes one more leaf; `None` beyond the limits, which long keys far down count towards.
    pub(super) fn push(&mut self, key: String, value: String) -> Option<()> {
        self.bytes = self.bytes.checked_add(key.len())?.checked_add(value.len())?;
        if self.list.len() >= LEAVES_MAX || self.bytes > 16 * DOCUMENT_BYTES_MAX {
            return None;
        }
        self.list.push(Leaf { key, value });
        Some(())
    }
}

/// Appends a name to a key, in quotes if it could be read as more than one.
pub(super) fn below(key: &str, name: &str) -> String {
    let is_plain = !name.is_empty()
        && name.chars().all(|c| !c.is_whitespace() && !c.is_control() && !".[]\"".contains(c));
    let mut longer = String::with_capacity(key.len() + name.len() + 3);
    longer.push_str(key);
    if !key.is_empty() {
        longer.push('.');
    }
    if is_plain {
        longer.push_str(name);
    } else {
        let _infallible = write!(longer, "{name:?}");
    }
    longer
}

/// Appends the index of a list's item, from 0, to a key.
pub(super) fn item(key: &str, index: usize) -> String {
    format!("{key}[{index}]")
}

/// Writes a string in quotes.
pub(super) fn quoted(text: &str) -> String {
    format!("{text:?}")
}

#[cfg(test)]
#[path = "keyed_diff_tests.rs"]
mod tests;
