//! Parameters from files and from the command line, and what a value written as text means.
//!
//! Metrics, which are many and come row by row, are in `metrics.rs`.

use std::io::Read as _;
use std::path::Path;

use super::document::{self, Part};
use super::error::CaptureError;
use super::{plain, rows};
use crate::object::canonical::{self, Number, Object, Value};

/// Most bytes of a file that is read whole.
pub const DOCUMENT_BYTES_MAX: u64 = 64 << 20;
/// Most parts of a document, after aliases are followed; more than 100,000 parameters need.
const PARTS_MAX: usize = 1_000_000;

/// How a file of values is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValuesFormat {
    /// One JSON document.
    Json,
    /// One YAML document.
    Yaml,
    /// One TOML document.
    Toml,
    /// A JSON object on each line.
    JsonLines,
    /// Columns under a line of names, separated by this byte.
    Csv(u8),
}

impl ValuesFormat {
    /// Tells it by the end of a file's name.
    pub fn of_name(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "json" => Some(Self::Json),
            "yaml" | "yml" => Some(Self::Yaml),
            "toml" => Some(Self::Toml),
            "jsonl" | "ndjson" => Some(Self::JsonLines),
            "csv" => Some(Self::Csv(b',')),
            "tsv" => Some(Self::Csv(b'\t')),
            _ => None,
        }
    }
}

/// Reads the parameters in a file; what ends in none of the known names is read as JSON.
///
/// Shape: nested as they were; numbers that canonical JSON cannot hold keep their text. Of JSON
/// Lines, later lines win; of CSV, either two columns of names and values or one row.
/// Errors: a file that cannot be read, or holds anything else; the text names file and place.
pub fn read_params(path: &Path) -> Result<Object, CaptureError> {
    let format = ValuesFormat::of_name(path).unwrap_or(ValuesFormat::Json);
    let bytes = read_bounded(path)?;
    parse_params(&bytes, format)
        .map_err(|reason| CaptureError::Values { path: path.to_path_buf(), reason })
}

/// Reads parameters; as [`read_params`].
pub fn parse_params(bytes: &[u8], format: ValuesFormat) -> Result<Object, String> {
    match format {
        ValuesFormat::JsonLines => merged_lines(bytes),
        ValuesFormat::Csv(separator) => of_table(bytes, separator),
        _ => match parse_document(bytes, format)? {
            Value::Object(object) => Ok(object),
            Value::Null => Ok(Object::new()),
            _ => Err("parameters must have names: this is no object".to_owned()),
        },
    }
}

/// Reads one parameter of a command line, `name=value`.
///
/// Shape: the value is a number, `true`, `false` or `null` where it is spelled as one, a list or
/// an object where it is JSON, else a text.
pub fn parse_param(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    if name.trim().is_empty() || !text.contains('=') {
        return Err(format!("a parameter is written name=value, not {text}"));
    }
    let is_json = value.starts_with(['{', '[', '"']);
    let document = is_json.then(|| canonical::capture(value.as_bytes(), "value", value.len()));
    let value = match document {
        Some(Ok(value)) => value,
        _ => literal(value),
    };
    Ok((name.trim().to_owned(), value))
}

/// Reads a file that must not be too long.
pub(super) fn read_bounded(path: &Path) -> Result<Vec<u8>, CaptureError> {
    let refuse = |source| CaptureError::Read { path: path.to_path_buf(), source };
    let mut bytes = Vec::new();
    let file = plain::open(path).map_err(refuse)?;
    file.take(DOCUMENT_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(refuse)?;
    if bytes.len() as u64 > DOCUMENT_BYTES_MAX {
        let reason = "longer than 64 MiB".to_owned();
        return Err(CaptureError::Values { path: path.to_path_buf(), reason });
    }
    Ok(bytes)
}

/// Reads one document of values.
pub(super) fn parse_document(bytes: &[u8], format: ValuesFormat) -> Result<Value, String> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if matches!(format, ValuesFormat::Json | ValuesFormat::JsonLines) {
        let value = canonical::capture(bytes, "JSON", bytes.len());
        return value.map_err(|error| error.to_string());
    }
    let text = std::str::from_utf8(bytes).map_err(|_| "not UTF-8".to_owned())?;
    let mut builder = Builder::default();
    let mut take = |part: Part<'_>| builder.take(part);
    match format {
        ValuesFormat::Toml => document::read_toml(text, &mut take)?,
        _ => document::read_yaml(text, &mut take)?,
    }
    Ok(builder.root.unwrap_or(Value::Null))
}

fn merged_lines(bytes: &[u8]) -> Result<Object, String> {
    let mut members = std::collections::BTreeMap::new();
    for (at, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let value = parse_document(line, ValuesFormat::JsonLines);
        match value.map_err(|reason| format!("line {}: {reason}", at + 1))? {
            Value::Object(object) => {
                members.extend(object.iter().map(|(name, value)| (name.to_owned(), value.clone())))
            }
            _ => return Err(format!("line {}: this is no object", at + 1)),
        }
    }
    Ok(Object::from_members(members.into_iter().collect()).unwrap_or_default())
}

fn of_table(bytes: &[u8], separator: u8) -> Result<Object, String> {
    let lines = bytes.split_inclusive(|byte| *byte == b'\n');
    let mut table: Vec<Vec<String>> = Vec::new();
    let mut open = Vec::new();
    for line in lines {
        open.extend_from_slice(line);
        if let Some(row) = rows::split_fields(&open, separator) {
            open.clear();
            table.push(row);
        }
    }
    table.retain(|row| row.iter().any(|field| !field.is_empty()));
    let Some((head, rest)) = table.split_first() else { return Ok(Object::new()) };
    let is_pairs = head.len() == 2 && table.iter().all(|row| row.len() == 2);
    let is_named = matches!(head.first().map(String::as_str), Some("name" | "key" | "param"));
    let members: Vec<(String, Value)> = match rest {
        _ if is_pairs && (is_named || rest.len() != 1) => {
            let pairs = if is_named { rest } else { table.as_slice() };
            pairs.iter().map(|row| (row[0].clone(), literal(&row[1]))).collect()
        }
        [row] if row.len() == head.len() => {
            head.iter().zip(row).map(|(name, value)| (name.clone(), literal(value))).collect()
        }
        _ => return Err("parameters are names and values, or one row under names".to_owned()),
    };
    Object::from_members(members).map_err(|name| twice(&name))
}

fn twice(name: &str) -> String {
    format!("name \"{}\" occurs twice", name.escape_debug())
}

/// Gives the value of a word that stands without quotes, as in YAML's core schema.
pub(super) fn literal(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => number(text).unwrap_or_else(|| text.into()),
    }
}

/// Reads a number in the spelling of YAML, TOML or Python; by name where it is none.
pub(super) fn number(text: &str) -> Option<Value> {
    let (sign, rest) = match text.as_bytes().first()? {
        b'-' => ("-", text.get(1..)?),
        b'+' => ("", text.get(1..)?),
        _ => ("", text),
    };
    let word = rest.strip_prefix('.').unwrap_or(rest).to_ascii_lowercase();
    match word.as_str() {
        "nan" => return Some("NaN".into()),
        "inf" | "infinity" => return Some(format!("{sign}Infinity").into()),
        _ => {}
    }
    for (start, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        let digits = rest.strip_prefix(start).map(|digits| digits.replace('_', ""));
        if let Some(Ok(value)) = digits.map(|digits| u64::from_str_radix(&digits, radix)) {
            return Some(Value::number_or_text(&format!("{sign}{value}")));
        }
    }
    let is_plain = |byte: u8| byte.is_ascii_digit() || b"._eE+-".contains(&byte);
    if !rest.bytes().all(is_plain) || !rest.bytes().any(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let mut normal = rest.replace('_', "");
    if normal.starts_with('.') {
        normal.insert(0, '0');
    }
    if normal.ends_with('.') {
        normal.push('0');
    }
    normal = format!("{sign}{}", normal.replace(".e", ".0e").replace(".E", ".0E"));
    match Number::exact(&normal) {
        Ok(number) => Some(number.into()),
        Err(canonical::NumberError::Syntax) => None,
        Err(_) => Some(normal.into()),
    }
}

/// Builds a value of the parts of a document.
#[derive(Debug, Default)]
struct Builder {
    root: Option<Value>,
    open: Vec<Open>,
    count: usize,
}

#[derive(Debug)]
enum Open {
    List(Vec<Value>),
    Map(Vec<(String, Value)>, String),
}

impl Builder {
    fn take(&mut self, part: Part<'_>) -> Result<(), String> {
        self.count += 1;
        if self.count > PARTS_MAX {
            return Err(format!("more than {PARTS_MAX} values"));
        }
        match part {
            Part::List => self.open.push(Open::List(Vec::new())),
            Part::Map => self.open.push(Open::Map(Vec::new(), String::new())),
            Part::Name(name) => {
                if let Some(Open::Map(_, next)) = self.open.last_mut() {
                    name.clone_into(next);
                }
            }
            Part::Text(text) => self.put(text.into()),
            Part::Literal(text) => self.put(literal(text)),
            Part::Tagged(tag, text, is_text) if is_text || tag.ends_with("str") => {
                self.put(text.into());
            }
            Part::Tagged(_, text, _) => self.put(literal(text)),
            Part::End => {
                let value = match self.open.pop() {
                    Some(Open::List(items)) => Value::List(items),
                    Some(Open::Map(members, _)) => map(members)?.into(),
                    None => return Err("something ends that did not begin".to_owned()),
                };
                self.put(value);
            }
        }
        Ok(())
    }

    fn put(&mut self, value: Value) {
        match self.open.last_mut() {
            Some(Open::List(items)) => items.push(value),
            Some(Open::Map(members, next)) => members.push((std::mem::take(next), value)),
            None => self.root = Some(value),
        }
    }
}

/// Takes the members of a map, and those that YAML's `<<` merges into it.
fn map(members: Vec<(String, Value)>) -> Result<Object, String> {
    let (merged, own): (Vec<_>, Vec<_>) = members.into_iter().partition(|(name, _)| name == "<<");
    let mut object = Object::from_members(own).map_err(|name| twice(&name))?;
    for (_, value) in merged {
        let from = match value {
            Value::List(items) => items,
            one => vec![one],
        };
        for item in &from {
            let Value::Object(other) = item else { return Err("<< merges no map".to_owned()) };
            for (name, value) in other.iter() {
                if object.find(name).is_none() {
                    object.set(name, value.clone());
                }
            }
        }
    }
    Ok(object)
}

#[cfg(test)]
#[path = "values_tests.rs"]
mod tests;
