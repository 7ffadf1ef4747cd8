//! One record → its cells: fields of CSV without their quotes, members of a JSON object by name.

use std::borrow::Cow;

use memchr::memchr;
use serde_json::value::RawValue;

use super::names::distinct;
use crate::repo::keyed_documents::Members;

/// Deepest value inside a row.
const DEPTH_MAX: usize = 64;

/// Splits a record into its fields, without quotes.
///
/// Shape: at least one field; what follows a closed quote belongs to the field.
pub(super) fn csv_cells(
    record: &[u8],
    delimiter: u8,
) -> impl Iterator<Item = Cow<'_, [u8]>> + use<'_> {
    let mut rest = Some(record);
    std::iter::from_fn(move || {
        let from = rest.take()?;
        let (cell, end) = match from.strip_prefix(b"\"") {
            Some(quoted) => {
                let (cell, taken) = quoted_cell(quoted, delimiter);
                (Cow::Owned(cell), taken + 1)
            }
            None => {
                let end = memchr(delimiter, from).unwrap_or(from.len());
                (Cow::Borrowed(from.get(..end).unwrap_or_default()), end)
            }
        };
        // Behind the last delimiter is a field too, if an empty one.
        rest = if end < from.len() { from.get(end + 1..) } else { None };
        Some(cell)
    })
}

/// Reads a field behind its opening quote; tells how many bytes it takes.
fn quoted_cell(from: &[u8], delimiter: u8) -> (Vec<u8>, usize) {
    let mut cell = Vec::new();
    let mut at = 0;
    let mut is_quoted = true;
    while let Some(&byte) = from.get(at) {
        match byte {
            b'"' if is_quoted && from.get(at + 1) == Some(&b'"') => {
                cell.push(b'"');
                at += 1;
            }
            b'"' if is_quoted => is_quoted = false,
            _ if byte == delimiter && !is_quoted => break,
            _ => cell.push(byte),
        }
        at += 1;
    }
    (cell, at)
}

/// Reads a line of JSON as the members of an object, values in one spelling each.
///
/// Shape: `None` if it is no object; numbers keep their digits; names that come again are numbered.
pub(super) fn json_cells(record: &[u8]) -> Option<Vec<(String, String)>> {
    let text = std::str::from_utf8(record).ok()?;
    let members: Members<'_> = serde_json::from_str(text).ok()?;
    let cell = |(name, value): (String, &RawValue)| {
        let mut spelled = String::new();
        spell(value.get(), 0, &mut spelled)?;
        Some((name, spelled))
    };
    let mut cells: Vec<_> = members.0.into_iter().map(cell).collect::<Option<_>>()?;
    distinct(&mut cells, |(name, _)| name);
    Some(cells)
}

/// Spells a value: no blanks, members by name, strings with the escapes they need.
fn spell(text: &str, depth: usize, into: &mut String) -> Option<()> {
    let text = text.trim_matches([' ', '\t', '\r', '\n']);
    if depth > DEPTH_MAX {
        return None;
    }
    match text.as_bytes().first()? {
        b'{' => {
            let mut members: Members<'_> = serde_json::from_str(text).ok()?;
            members.0.sort_by(|a, b| a.0.cmp(&b.0));
            into.push('{');
            for (at, (name, value)) in members.0.iter().enumerate() {
                into.push_str(if at > 0 { "," } else { "" });
                into.push_str(&serde_json::to_string(name).ok()?);
                into.push(':');
                spell(value.get(), depth + 1, into)?;
            }
            into.push('}');
        }
        b'[' => {
            let items: Vec<&RawValue> = serde_json::from_str(text).ok()?;
            into.push('[');
            for (at, value) in items.iter().enumerate() {
                into.push_str(if at > 0 { "," } else { "" });
                spell(value.get(), depth + 1, into)?;
            }
            into.push(']');
        }
        b'"' => {
            let string: String = serde_json::from_str(text).ok()?;
            into.push_str(&serde_json::to_string(&string).ok()?);
        }
        _ => into.push_str(text),
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(record: &str) -> Vec<String> {
        let cells = csv_cells(record.as_bytes(), b',');
        cells.map(|cell| String::from_utf8_lossy(&cell).into_owned()).collect()
    }

    #[test]
    fn fields_lose_their_quotes_and_nothing_else() {
        assert_eq!(fields("a, b,,"), ["a", " b", "", ""]);
        assert_eq!(fields("\"x,\"\"y\"\"\n\",5\" pipe,\"z\"t"), ["x,\"y\"\n", "5\" pipe", "zt"]);
        assert_eq!(fields(""), [""]);
        assert_eq!(fields("\"open,"), ["open,"]);
    }

    #[test]
    fn a_row_of_json_has_one_spelling() {
        let one = json_cells(br#"{ "b" : { "y": 1.0, "x": [1, "\u00e9"] }, "a":null}"#);
        let named = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(one, Some(vec![named("b", r#"{"x":[1,"é"],"y":1.0}"#), named("a", "null")]));
        let twice = json_cells(br#"{"a":1,"a":2}"#);
        assert_eq!(twice, Some(vec![named("a", "1"), named("a (2)", "2")]));
        assert_eq!(json_cells(b"[1]"), None);
        assert_eq!(json_cells(b"{\"a\":"), None);
        let deep = format!("{{\"a\":{}1{}}}", "[".repeat(100), "]".repeat(100));
        assert_eq!(json_cells(deep.as_bytes()), None);
    }
}
