//! How the rows of one table are read, so that they can be compared with those of another one.

use std::borrow::Cow;

use super::cells::{csv_cells, json_cells};
use super::rows::RowHasher;
use super::shape::{Form, Shape};

/// Cells of a row by which it is told whether it is like another one.
const MARKS_MAX: usize = 1 << 16;

/// How the rows of one of several tables are read, so that they can be compared.
#[derive(Debug, Clone)]
pub(super) struct Reading {
    pub shape: Shape,
    /// Names to go by instead of the table's own, as long as its columns.
    pub names: Vec<String>,
    /// Positions of the only columns that count, in an order that all tables share; none for all.
    pub picks: Option<Vec<usize>>,
    /// Name of the column that tells rows apart.
    pub key: Option<String>,
    /// Whether the bytes of a row say whether it is another.
    pub is_plain: bool,
    /// Whether only what the cells say counts, and rows without any are left out.
    pub is_loose: bool,
}

/// A cell in few bytes: hashes of the name of its column and of what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct CellMark {
    pub column: u64,
    pub value: u64,
}

impl Reading {
    /// Gives the cells of a row that count, with the names of their columns.
    ///
    /// Shape: cells beyond the last column are named by their number; of a row that is no JSON
    /// object, itself.
    pub fn cells<'a>(&'a self, record: &'a [u8]) -> Vec<(Cow<'a, str>, Cow<'a, [u8]>)> {
        match self.shape.form {
            Form::Csv { delimiter } => {
                let cells = csv_cells(record, delimiter);
                let name = |at: usize| match self.names.get(at) {
                    Some(name) => Cow::Borrowed(name.as_str()),
                    None => Cow::Owned(format!("column {}", at + 1)),
                };
                match &self.picks {
                    None => cells.enumerate().map(|(at, cell)| (name(at), cell)).collect(),
                    Some(picks) => {
                        let cells: Vec<_> = cells.collect();
                        let cell = |at: &usize| Some((name(*at), cells.get(*at)?.clone()));
                        picks.iter().filter_map(cell).collect()
                    }
                }
            }
            Form::JsonLines | Form::Parquet => match json_cells(record) {
                Some(cells) => cells.into_iter().filter_map(|cell| self.json_cell(cell)).collect(),
                None => vec![(Cow::Borrowed(""), Cow::Borrowed(record))],
            },
        }
    }

    fn json_cell<'a>(
        &'a self,
        (name, value): (String, String),
    ) -> Option<(Cow<'a, str>, Cow<'a, [u8]>)> {
        let value = Cow::Owned(value.into_bytes());
        let Some(picks) = &self.picks else { return Some((Cow::Owned(name), value)) };
        let Some(at) = self.shape.columns.iter().position(|column| *column == name) else {
            // A member that the beginning did not show: it counts.
            return Some((Cow::Owned(name), value));
        };
        let name = self.names.get(at).filter(|_| picks.contains(&at))?;
        Some((Cow::Borrowed(name.as_str()), value))
    }

    /// Writes what makes a row equal to another one, however both are spelled: nothing if only
    /// what cells say counts and they are all empty.
    pub fn spell(&self, record: &[u8], into: &mut Vec<u8>) {
        into.clear();
        match (self.is_loose, self.shape.form) {
            (true, _) => self.spell_loosely(record, into),
            (false, Form::Csv { delimiter }) => {
                let cells = csv_cells(record, delimiter);
                match &self.picks {
                    Some(picks) => {
                        let cells: Vec<_> = cells.collect();
                        let cell = |at: &usize| cells.get(*at).map(AsRef::as_ref);
                        picks.iter().for_each(|at| put(cell(at), into));
                    }
                    None => cells.for_each(|cell| put(Some(&cell), into)),
                }
            }
            (false, Form::JsonLines | Form::Parquet) => match json_cells(record) {
                Some(cells) => {
                    let cells = cells.into_iter().filter_map(|cell| self.json_cell(cell));
                    let mut cells: Vec<_> = cells.collect();
                    cells.sort();
                    for (name, value) in cells {
                        put(Some(name.as_bytes()), into);
                        put(Some(&value), into);
                    }
                }
                None => {
                    put(None, into);
                    put(Some(record), into);
                }
            },
        }
    }

    /// Writes what the cells say that count: nothing if they are all empty.
    fn spell_loosely(&self, record: &[u8], into: &mut Vec<u8>) {
        let picks = self.picks.as_deref().unwrap_or_default();
        let mut is_empty = true;
        let mut put = |cell: &[u8]| {
            let cell = cell.trim_ascii();
            is_empty &= cell.is_empty();
            put(Some(cell), into);
        };
        match self.shape.form {
            Form::Csv { delimiter } => {
                let cells: Vec<_> = csv_cells(record, delimiter).collect();
                picks.iter().for_each(|at| put(cells.get(*at).map_or(&b""[..], |cell| cell)));
            }
            Form::JsonLines | Form::Parquet => {
                let cells = json_cells(record).unwrap_or_default();
                for name in picks.iter().filter_map(|at| self.shape.columns.get(*at)) {
                    let value = cells.iter().find(|(other, _)| other == name);
                    match value.map(|(_, value)| value.as_str()) {
                        None | Some("null") => put(b""),
                        Some(value) => match serde_json::from_str::<String>(value) {
                            Ok(text) => put(text.as_bytes()),
                            Err(_) => put(value.as_bytes()),
                        },
                    }
                }
            }
        }
        if is_empty {
            into.clear();
        }
    }

    /// Gives the cell that tells a row apart from all others.
    pub fn key_of<'a>(&'a self, record: &'a [u8]) -> Option<Cow<'a, [u8]>> {
        let key = self.key.as_deref()?;
        if let Form::Csv { delimiter } = self.shape.form {
            let at = self.names.iter().position(|name| name == key)?;
            return csv_cells(record, delimiter).nth(at);
        }
        let mut cells = self.cells(record).into_iter();
        cells.find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// Gives the cells that count in few bytes, by column.
    ///
    /// Shape: of more than 65,536 some.
    pub fn marks(&self, record: &[u8], hasher: &RowHasher) -> Vec<CellMark> {
        let mark = |(name, value): (Cow<'_, str>, Cow<'_, [u8]>)| CellMark {
            column: hasher.short(name.as_bytes()),
            value: hasher.short(&value),
        };
        let mut marks: Vec<CellMark> = self.cells(record).into_iter().map(mark).collect();
        marks.sort_unstable();
        marks.truncate(MARKS_MAX);
        marks.shrink_to_fit();
        marks
    }
}

/// Writes a cell, or that there is none. Its length goes before it: whatever a cell holds, it
/// cannot look like two, nor two like one.
fn put(cell: Option<&[u8]>, into: &mut Vec<u8>) {
    let length = cell.map_or(u64::MAX, |cell| cell.len() as u64);
    into.extend_from_slice(&length.to_le_bytes());
    into.extend_from_slice(cell.unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(form: Form, picks: &[usize], is_loose: bool) -> Reading {
        let columns: Vec<String> = ["a", "b"].map(str::to_owned).to_vec();
        let shape = Shape { form, has_header: true, columns: columns.clone(), values: Vec::new() };
        let picks = (!picks.is_empty()).then(|| picks.to_vec());
        Reading { shape, names: columns, picks, key: None, is_plain: false, is_loose }
    }

    fn spelled(reading: &Reading, record: &str) -> Vec<u8> {
        let mut into = Vec::new();
        reading.spell(record.as_bytes(), &mut into);
        into
    }

    #[test]
    fn cells_cannot_be_forged() {
        let csv = Form::Csv { delimiter: b',' };
        // A separator of any kind in a cell, and what stands for a cell that is not there.
        for byte in 0..=127u8 {
            let byte = char::from(byte);
            let rows = [format!("x{byte}y,z"), format!("x,y{byte}z"), "x,yz".to_owned()];
            if matches!(byte, ',' | ' ' | '\t' | '\n' | '\r' | '\u{c}') {
                continue;
            }
            for is_loose in [false, true] {
                let of = reading(csv, &[0, 1], is_loose);
                let [one, other, third] = rows.each_ref().map(|row| spelled(&of, row));
                assert!(one != other && other != third && third != one, "{byte:?}");
            }
            let of = reading(csv, &[0, 1], false);
            assert_ne!(spelled(&of, "x"), spelled(&of, &format!("x,{byte}")), "{byte:?}");
        }
    }

    #[test]
    fn names_of_members_cannot_be_forged() {
        let of = reading(Form::JsonLines, &[], false);
        let different = ["{\"a\\u001e1\\u001fb\":2}", "{\"a\":1,\"b\":2}", "{\"\":1}", "1", "{}"];
        let spellings: Vec<_> = different.iter().map(|record| spelled(&of, record)).collect();
        for (at, one) in spellings.iter().enumerate() {
            assert!(!spellings.iter().skip(at + 1).any(|other| one == other), "{at}");
        }
        assert_eq!(spelled(&of, "{\"b\":2, \"a\":1}"), spelled(&of, "{\"a\":1,\"b\":2}"));
    }
}
