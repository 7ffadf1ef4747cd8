//! YAML and TOML → the parts of a document in order, for whoever builds something of them.
//!
//! One reader for two uses: parameters keep values, a diff of settings keeps what was written.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle};
use toml_edit::{Item, Table, Value};

/// How many lists and maps may lie inside one another; the bound of canonical JSON.
pub const DEPTH_MAX: usize = crate::object::canonical::DEPTH_MAX;

/// One part of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part<'a> {
    /// A list begins.
    List,
    /// A map begins.
    Map,
    /// The name of the next value of a map.
    Name(&'a str),
    /// A text that was written as one, in quotes or as a block.
    Text(&'a str),
    /// A number, a word or a date, as it was written.
    Literal(&'a str),
    /// A scalar under a tag of YAML, and whether it was written as a text.
    Tagged(&'a str, &'a str, bool),
    /// The innermost list or map ends.
    End,
}

/// Takes one part after the other; refuses with a reason.
pub type Take<'t> = dyn FnMut(Part<'_>) -> Result<(), String> + 't;

/// Reads a TOML document, a map.
pub fn read_toml(text: &str, take: &mut Take<'_>) -> Result<(), String> {
    let document = text.parse::<toml_edit::DocumentMut>();
    let document = document.map_err(|error| error.message().to_owned())?;
    read_table(document.as_table(), 0, take)
}

fn read_table(table: &Table, depth: usize, take: &mut Take<'_>) -> Result<(), String> {
    check_depth(depth)?;
    take(Part::Map)?;
    for (name, value) in table {
        match value {
            Item::None => {}
            Item::Value(value) => {
                take(Part::Name(name))?;
                read_value(value, depth + 1, take)?;
            }
            Item::Table(table) => {
                take(Part::Name(name))?;
                read_table(table, depth + 1, take)?;
            }
            Item::ArrayOfTables(tables) => {
                take(Part::Name(name))?;
                take(Part::List)?;
                for table in tables {
                    read_table(table, depth + 2, take)?;
                }
                take(Part::End)?;
            }
        }
    }
    take(Part::End)
}

fn read_value(value: &Value, depth: usize, take: &mut Take<'_>) -> Result<(), String> {
    check_depth(depth)?;
    match value {
        Value::String(string) => take(Part::Text(string.value())),
        Value::Array(array) => {
            take(Part::List)?;
            array.iter().try_for_each(|value| read_value(value, depth + 1, take))?;
            take(Part::End)
        }
        Value::InlineTable(table) => {
            take(Part::Map)?;
            for (name, value) in table {
                take(Part::Name(name))?;
                read_value(value, depth + 1, take)?;
            }
            take(Part::End)
        }
        literal => take(Part::Literal(&literal.clone().decorated("", "").to_string())),
    }
}

fn check_depth(depth: usize) -> Result<(), String> {
    match depth > DEPTH_MAX {
        true => Err(format!("nested deeper than {DEPTH_MAX}")),
        false => Ok(()),
    }
}

/// Reads a stream of at most one YAML document; aliases are followed.
///
/// Errors: what is no YAML, several documents, names that are no scalars, or what `take` refuses:
/// it bounds what aliases of aliases can grow to.
pub fn read_yaml(text: &str, take: &mut Take<'_>) -> Result<(), String> {
    let mut reader =
        YamlReader { take, open: Vec::new(), recording: Vec::new(), anchors: HashMap::new() };
    let mut documents = 0;
    for event in Parser::new_from_str(text) {
        match event.map_err(|error| error.to_string())?.0 {
            Event::DocumentStart(_) => documents += 1,
            Event::Scalar(text, style, anchor, tag) => {
                let is_text = style != ScalarStyle::Plain;
                let tag = tag.map(|tag| tag.to_string());
                reader.scalar(Kept { tag, text: text.into_owned(), is_text }, anchor)?;
            }
            Event::SequenceStart(anchor, _) => reader.enter(anchor, false)?,
            Event::MappingStart(anchor, _) => reader.enter(anchor, true)?,
            Event::SequenceEnd | Event::MappingEnd => reader.leave()?,
            Event::Alias(anchor) => reader.alias(anchor)?,
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
    }
    if documents > 1 { Err("more than one document".to_owned()) } else { Ok(()) }
}

/// A part that can be repeated.
#[derive(Debug, Clone)]
enum Owned {
    Open(bool),
    Name(String),
    Scalar(Kept),
    End,
}

#[derive(Debug, Clone)]
struct Kept {
    tag: Option<String>,
    text: String,
    is_text: bool,
}

/// Follows the events of a parser; the depth is the length of `open`, on the heap.
struct YamlReader<'a, 't> {
    take: &'a mut Take<'t>,
    /// Of each open collection: whether its next node is a name, none in a list.
    open: Vec<Option<bool>>,
    /// Anchors that are open: number, depth, and the parts so far.
    recording: Vec<(usize, usize, Vec<Owned>)>,
    /// Anchors that are closed.
    anchors: HashMap<usize, Vec<Owned>>,
}

impl YamlReader<'_, '_> {
    /// Passes a part on, and keeps it for every open anchor.
    fn give(&mut self, part: Owned) -> Result<(), String> {
        (self.take)(match &part {
            Owned::Open(true) => Part::Map,
            Owned::Open(false) => Part::List,
            Owned::Name(name) => Part::Name(name),
            Owned::Scalar(Kept { tag: Some(tag), text, is_text }) => {
                Part::Tagged(tag, text, *is_text)
            }
            Owned::Scalar(Kept { text, is_text: true, .. }) => Part::Text(text),
            Owned::Scalar(Kept { text, .. }) => Part::Literal(text),
            Owned::End => Part::End,
        })?;
        for (_, _, parts) in &mut self.recording {
            parts.push(part.clone());
        }
        Ok(())
    }

    fn scalar(&mut self, scalar: Kept, anchor: usize) -> Result<(), String> {
        if let Some(Some(is_name @ true)) = self.open.last_mut() {
            *is_name = false;
            return self.give(Owned::Name(scalar.text));
        }
        self.record(anchor);
        self.give(Owned::Scalar(scalar))?;
        self.end_node();
        Ok(())
    }

    fn enter(&mut self, anchor: usize, is_map: bool) -> Result<(), String> {
        if self.open.len() >= DEPTH_MAX {
            return Err(format!("nested deeper than {DEPTH_MAX}"));
        }
        if self.open.last() == Some(&Some(true)) {
            return Err("a name must be a scalar".to_owned());
        }
        self.record(anchor);
        self.give(Owned::Open(is_map))?;
        self.open.push(is_map.then_some(true));
        Ok(())
    }

    fn leave(&mut self) -> Result<(), String> {
        self.give(Owned::End)?;
        self.open.pop();
        self.end_node();
        Ok(())
    }

    fn alias(&mut self, anchor: usize) -> Result<(), String> {
        if self.open.last() == Some(&Some(true)) {
            return Err("a name must be a scalar".to_owned());
        }
        let parts = self.anchors.get(&anchor).cloned();
        for part in parts.ok_or("an alias stands inside of its own anchor")? {
            self.give(part)?;
        }
        self.end_node();
        Ok(())
    }

    fn record(&mut self, anchor: usize) {
        if anchor != 0 {
            self.recording.push((anchor, self.open.len(), Vec::new()));
        }
    }

    /// Closes the anchor of the node that ended, and lets the next node of a map be a name.
    fn end_node(&mut self) {
        let depth = self.open.len();
        if let Some((anchor, _, parts)) = self.recording.pop_if(|(_, at, _)| *at == depth) {
            self.anchors.insert(anchor, parts);
        }
        if let Some(Some(is_name)) = self.open.last_mut() {
            *is_name = true;
        }
    }
}
