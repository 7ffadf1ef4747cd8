//! What kind of table a file is, by its name and its beginning.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use super::cells::{csv_cells, json_cells};
use super::names::distinct;
use super::records::{Broken, Cut, Cutter};

/// Rows that are looked at.
const ROWS_MAX: usize = 200;
/// Bytes that are looked at, if they hold a row.
pub(super) const PROBE_BYTES: usize = 1 << 20;
/// Most columns of a table.
const COLUMNS_MAX: usize = 1 << 20;
/// In wider tables no values are kept.
const VALUED_COLUMNS_MAX: usize = 1_000;
/// Why a text without rows, and one without columns, is no table.
const NO_ROW: &str = "it has no row";
const ONE_COLUMN: &str = "its rows have no two columns";

/// Names that say what a column is for.
const KEYS: &[&str] = &["id", "_id", "uuid", "guid", "key", "rowid", "row_id", "index"];

/// How a file spells a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::repo) enum Form {
    /// RFC 4180, with this byte between fields.
    Csv { delimiter: u8 },
    /// One JSON object on each line.
    JsonLines,
    /// Apache Parquet, whose rows are read as JSON.
    Parquet,
}

/// How the rows of one file are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::repo) struct Shape {
    pub form: Form,
    /// Whether the first row names the columns.
    pub has_header: bool,
    /// The names of the columns, each once.
    pub columns: Vec<String>,
    /// Hashes of the values that each column begins with; of very wide tables none.
    pub values: Vec<HashSet<u64>>,
}

impl Form {
    /// Tells by the end of its name whether a file can be a table.
    pub fn of_name(name: &[u8]) -> Option<Self> {
        let (_, end) = std::str::from_utf8(name).ok()?.rsplit_once('.')?;
        match end.to_ascii_lowercase().as_str() {
            "csv" => Some(Self::Csv { delimiter: b',' }),
            "tsv" | "tab" => Some(Self::Csv { delimiter: b'\t' }),
            "jsonl" | "ndjson" => Some(Self::JsonLines),
            "parquet" => Some(Self::Parquet),
            _ => None,
        }
    }

    /// Tells whether each row is a JSON object.
    pub const fn is_json(self) -> bool {
        matches!(self, Self::JsonLines | Self::Parquet)
    }
}

impl Shape {
    /// Takes the columns that a Parquet file names, and its first rows.
    #[cfg(feature = "parquet")]
    pub(super) fn of_parquet(columns: Vec<String>, first: &Cut) -> Self {
        let mut values = Vec::new();
        if columns.len() <= VALUED_COLUMNS_MAX {
            values.resize_with(columns.len(), HashSet::new);
            for cells in records(first).take(ROWS_MAX).filter_map(json_cells) {
                for (values, (_, cell)) in values.iter_mut().zip(cells) {
                    values.insert(hash_of(cell.as_bytes()));
                }
            }
        }
        Self { form: Form::Parquet, has_header: false, columns, values }
    }

    /// Looks at the beginning of a file; says in words why that is no table, if it is none.
    ///
    /// Shape: `is_whole` says that `probe` is all of it; a row that may go on is not looked at.
    pub fn sniff(form: Form, probe: &[u8], is_whole: bool) -> Result<Self, String> {
        match form {
            Form::JsonLines | Form::Parquet => Self::of_json(&rows(form, probe, is_whole)?),
            Form::Csv { delimiter } => {
                let others = [b',', b';', b'\t', b'|'].into_iter().filter(|d| *d != delimiter);
                let candidates = std::iter::once(delimiter).chain(others);
                let shapes = candidates.map(|delimiter| {
                    let form = Form::Csv { delimiter };
                    Self::of_csv(delimiter, &rows(form, probe, is_whole)?)
                });
                // The first of those that find the most columns; else what is wrong with the first
                // that finds two, or with the delimiter that the name asks for.
                let best = shapes.reduce(|a, b| match (&a, &b) {
                    (Ok(one), Ok(other)) if other.columns.len() <= one.columns.len() => a,
                    (_, Ok(_)) => b,
                    (Err(why), Err(_)) if why == ONE_COLUMN => b,
                    _ => a,
                });
                best.unwrap_or_else(|| Err(ONE_COLUMN.to_owned()))
            }
        }
    }

    /// Names the column that tells rows apart, if one is called so.
    pub fn likely_key(&self) -> Option<&str> {
        let named = |key: &&str| self.columns.iter().find(|name| name.eq_ignore_ascii_case(key));
        KEYS.iter().find_map(named).map(String::as_str)
    }

    fn of_json(cut: &Cut) -> Result<Self, String> {
        let rows: Vec<_> = records(cut).filter_map(json_cells).collect();
        if rows.is_empty() || rows.len() * 10 < cut.spans.len() * 9 {
            let mut lines = records(cut).zip(&cut.spans);
            let first = lines.find(|(record, _)| json_cells(record).is_none());
            let (record, line) = first.map_or((&b""[..], 1), |(record, span)| (record, span.line));
            let what = match std::str::from_utf8(record) {
                Ok(_) => "no JSON object",
                Err(_) => "not UTF-8",
            };
            return Err(format!("line {line} is {what}"));
        }
        let mut places: HashMap<String, usize> = HashMap::new();
        let mut found: Vec<(String, usize, HashSet<u64>)> = Vec::new();
        for (name, value) in rows.iter().flatten() {
            let at = *places.entry(name.clone()).or_insert(found.len());
            if at == found.len() {
                found.push((name.clone(), 0, HashSet::new()));
            }
            if let Some((_, count, values)) = found.get_mut(at) {
                *count += 1;
                values.insert(hash_of(value.as_bytes()));
            }
        }
        // What few rows have is no column that could be added or removed.
        found.retain(|(_, count, _)| count * 2 >= rows.len());
        let columns = found.iter().map(|(name, ..)| name.clone()).collect();
        let values = found.into_iter().map(|(.., values)| values).collect();
        Ok(Self { form: Form::JsonLines, has_header: false, columns, values })
    }

    fn of_csv(delimiter: u8, cut: &Cut) -> Result<Self, String> {
        let mut rows =
            records(cut).map(|record| -> Vec<_> { csv_cells(record, delimiter).collect() });
        let first = rows.next().ok_or(NO_ROW)?;
        let rest: Vec<_> = rows.collect();
        let alike = rest.iter().filter(|row| row.len() == first.len()).count();
        if first.len() < 2 {
            return Err(ONE_COLUMN.to_owned());
        }
        if first.len() > COLUMNS_MAX {
            return Err(format!("it has more than {COLUMNS_MAX} columns"));
        }
        if alike * 10 < rest.len() * 8 {
            let more = rest.len() - alike;
            return Err(format!("{more} of its first {} rows are ragged", rest.len()));
        }
        let is_number = |text: &[u8]| {
            let text = std::str::from_utf8(text).unwrap_or_default().trim();
            text.parse::<f64>().is_ok_and(|_| text.contains(|c: char| c.is_ascii_digit()))
        };
        // A column of numbers under a word has a name, whatever the others look like.
        let named_numbers = first.iter().enumerate().any(|(at, name)| {
            let mut below = rest.iter().filter_map(|row| row.get(at)).peekable();
            !name.is_empty()
                && !is_number(name)
                && below.peek().is_some()
                && below.all(|cell| is_number(cell))
        });
        let has_header = named_numbers || !first.iter().any(|name| is_number(name));
        let columns = match has_header {
            true => {
                let names = first.iter();
                let names = names.map(|name| String::from_utf8_lossy(name).trim().to_owned());
                let mut names: Vec<String> = names.collect();
                distinct(&mut names, |name| name);
                names
            }
            false => (1..=first.len()).map(|number| format!("column {number}")).collect(),
        };
        let mut values = Vec::new();
        if first.len() <= VALUED_COLUMNS_MAX {
            values.resize_with(first.len(), HashSet::new);
            for row in (!has_header).then_some(&first).into_iter().chain(&rest) {
                for (values, cell) in values.iter_mut().zip(row) {
                    values.insert(hash_of(cell));
                }
            }
        }
        Ok(Self { form: Form::Csv { delimiter }, has_header, columns, values })
    }
}

fn hash_of(value: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// Cuts the first rows; there is one at least.
fn rows(form: Form, probe: &[u8], is_whole: bool) -> Result<Cut, String> {
    let mut cutter = Cutter::new(form);
    let mut cut = match cutter.feed(probe).map_err(Broken::words)? {
        Some(cut) => cut,
        None if is_whole => cutter.finish().map_err(Broken::words)?,
        None => cutter.into_finished(),
    };
    cut.spans.truncate(ROWS_MAX);
    if cut.spans.is_empty() { Err(NO_ROW.to_owned()) } else { Ok(cut) }
}

fn records(cut: &Cut) -> impl Iterator<Item = &[u8]> {
    cut.spans.iter().filter_map(|span| cut.bytes.get(span.start..span.end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn csv(text: &str) -> Option<Shape> {
        Shape::sniff(Form::of_name(b"x.csv")?, text.as_bytes(), true).ok()
    }

    #[test]
    fn the_delimiter_and_the_names_are_found() {
        let shape = csv("id;name;x\n1;\"a;b\";0,5\n2;c;0,7\n").expect("a table");
        assert_eq!(shape.form, Form::Csv { delimiter: b';' });
        assert_eq!(shape.columns, ["id", "name", "x"]);
        assert_eq!(shape.likely_key(), Some("id"));
        let shape = csv("a\tb\tb\nx\ty\tz\n").expect("a table");
        assert_eq!((shape.has_header, shape.columns.join(" ")), (true, "a b b (2)".to_owned()));
        assert_eq!(csv(",x\n0,1\n").expect("pandas' own").columns, ["", "x"]);
        let bare = csv("1,2\n3,4\n").expect("a table without names");
        assert_eq!((bare.has_header, bare.columns[1].as_str()), (false, "column 2"));
        assert!(csv("year,2019,2020\n1,2,3\n").expect("years as names").has_header);
    }

    #[test]
    fn what_is_no_table_is_none() {
        for text in ["", "one\ntwo\n", "Dear all,\nthis is\nno table, but, prose\nfor you\n"] {
            assert_eq!(csv(text), None, "{text:?}");
        }
        assert_eq!(csv("a,b\n").expect("names alone").columns, ["a", "b"]);
        let json = |text: &str| Shape::sniff(Form::JsonLines, text.as_bytes(), true).ok();
        assert_eq!(json("[1]\n[2]\n"), None);
        let lines = json("{\"b\":1}\n{\"a\":2,\"b\":{}}\n").expect("a table");
        assert_eq!(lines.columns, ["b", "a"]);
    }
}
