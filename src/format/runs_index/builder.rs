//! Rows, one after the other, to the bytes of a segment; `docs/format/runs-index.md`.

use std::collections::{BTreeMap, HashMap};

use super::column::{
    KIND_FALSE, KIND_NONE, KIND_NUMBER, KIND_TEXT, KIND_TRUE, MIXED, NUMBERS, RAW, SPARSE, TEXTS,
};
use super::{Cell, IDS, MAGIC, SHORT_IDS, STARTED, WIDE, check_of};
use crate::object::ObjectId;

/// A column is sparse if fewer than one row in so many has a value.
const SPARSE_SHARE: usize = 8;

/// Collects the rows of a segment.
#[derive(Debug, Default)]
pub struct SegmentBuilder {
    ids: Vec<ObjectId>,
    started: Vec<i64>,
    wide: Vec<u32>,
    columns: HashMap<String, Values>,
}

/// The values of one name.
#[derive(Debug, Default)]
struct Values {
    rows: Vec<u32>,
    kinds: Vec<u8>,
    values: Vec<u64>,
    indexes: HashMap<String, u32>,
    ends: Vec<u32>,
    texts: Vec<u8>,
}

impl SegmentBuilder {
    /// Begins a row.
    pub fn push(&mut self, id: ObjectId, started: i64) {
        self.ids.push(id);
        self.started.push(started);
    }

    /// Says that the row at hand has values that are not here.
    pub fn set_wide(&mut self) {
        self.wide.push(self.row());
    }

    /// Adds a value to the row at hand; the first one of a name counts.
    pub fn set(&mut self, name: &str, cell: Cell<'_>) {
        let row = self.row();
        match self.columns.get_mut(name) {
            Some(values) => values.push(row, cell),
            None => self.columns.entry(name.to_owned()).or_default().push(row, cell),
        }
    }

    /// Counts the rows.
    pub fn rows(&self) -> u32 {
        u32::try_from(self.ids.len()).unwrap_or(u32::MAX)
    }

    /// Counts the names.
    pub fn columns(&self) -> usize {
        self.columns.len()
    }

    fn row(&self) -> u32 {
        self.rows().saturating_sub(1)
    }

    /// Gives the bytes of the segment.
    pub fn finish(self) -> Vec<u8> {
        let rows = self.rows();
        let mut columns: BTreeMap<String, (u8, Vec<u8>)> = BTreeMap::new();
        let bytes_of = |id: &ObjectId| *id.as_bytes();
        let short = |id: &ObjectId| id.as_bytes().first_chunk::<4>().copied().unwrap_or_default();
        let ids: Vec<u8> = self.ids.iter().flat_map(bytes_of).collect();
        let shorts: Vec<u8> = self.ids.iter().flat_map(short).collect();
        let started: Vec<u8> = self.started.iter().flat_map(|ms| ms.to_le_bytes()).collect();
        let wide: Vec<u8> = self.wide.iter().flat_map(|row| row.to_le_bytes()).collect();
        for (name, bytes) in [(IDS, ids), (SHORT_IDS, shorts), (STARTED, started), (WIDE, wide)] {
            columns.insert(name.to_owned(), (RAW, bytes));
        }
        for (name, values) in self.columns {
            columns.insert(name, values.encode(rows));
        }
        let (mut file, mut directory) = (Vec::new(), Vec::new());
        let count = u32::try_from(columns.len()).unwrap_or(u32::MAX);
        for (name, (encoding, bytes)) in columns {
            let name_bytes = u32::try_from(name.len()).unwrap_or(u32::MAX);
            directory.extend_from_slice(&name_bytes.to_le_bytes());
            directory.extend_from_slice(name.as_bytes());
            directory.push(encoding);
            directory.extend_from_slice(&long(file.len()).to_le_bytes());
            directory.extend_from_slice(&long(bytes.len()).to_le_bytes());
            directory.extend_from_slice(&check_of(&bytes));
            file.extend_from_slice(&bytes);
        }
        let (offset, check) = (long(file.len()), check_of(&directory));
        file.extend_from_slice(&directory);
        file.extend_from_slice(&offset.to_le_bytes());
        file.extend_from_slice(&long(directory.len()).to_le_bytes());
        file.extend_from_slice(&rows.to_le_bytes());
        file.extend_from_slice(&count.to_le_bytes());
        file.extend_from_slice(&check);
        file.extend_from_slice(&MAGIC);
        file
    }
}

fn long(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

impl Values {
    fn push(&mut self, row: u32, cell: Cell<'_>) {
        if self.rows.last() == Some(&row) {
            return;
        }
        let (kind, value) = match cell {
            Cell::Number(number) => (KIND_NUMBER, number.to_bits()),
            Cell::Bool(false) => (KIND_FALSE, 0),
            Cell::Bool(true) => (KIND_TRUE, 0),
            Cell::Text(text) => (KIND_TEXT, u64::from(self.index_of(text))),
        };
        self.rows.push(row);
        self.kinds.push(kind);
        self.values.push(value);
    }

    fn index_of(&mut self, text: &str) -> u32 {
        if let Some(index) = self.indexes.get(text) {
            return *index;
        }
        let index = u32::try_from(self.ends.len()).unwrap_or(u32::MAX);
        self.texts.extend_from_slice(text.as_bytes());
        self.ends.push(u32::try_from(self.texts.len()).unwrap_or(u32::MAX));
        self.indexes.insert(text.to_owned(), index);
        index
    }

    /// Gives the encoding and the bytes.
    fn encode(self, rows: u32) -> (u8, Vec<u8>) {
        let count = usize::try_from(rows).unwrap_or(usize::MAX);
        let all = |kind| self.rows.len() == count && self.kinds.iter().all(|one| *one == kind);
        let mut bytes = Vec::new();
        let encoding = if all(KIND_NUMBER) {
            bytes.extend(self.values.iter().flat_map(|value| value.to_le_bytes()));
            NUMBERS
        } else if all(KIND_TEXT) {
            let index = |value: &u64| u32::try_from(*value).unwrap_or(u32::MAX).to_le_bytes();
            bytes.extend(self.values.iter().flat_map(index));
            TEXTS
        } else if self.rows.len() < count / SPARSE_SHARE {
            let present = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
            bytes.extend_from_slice(&present.to_le_bytes());
            bytes.extend(self.rows.iter().flat_map(|row| row.to_le_bytes()));
            bytes.extend_from_slice(&self.kinds);
            bytes.extend(self.values.iter().flat_map(|value| value.to_le_bytes()));
            SPARSE
        } else {
            let (mut kinds, mut values) = (vec![KIND_NONE; count], vec![0_u64; count]);
            for ((row, kind), value) in self.rows.iter().zip(&self.kinds).zip(&self.values) {
                let at = usize::try_from(*row).unwrap_or(usize::MAX);
                if let (Some(to_kind), Some(to)) = (kinds.get_mut(at), values.get_mut(at)) {
                    (*to_kind, *to) = (*kind, *value);
                }
            }
            bytes.extend_from_slice(&kinds);
            bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
            MIXED
        };
        let texts = u32::try_from(self.ends.len()).unwrap_or(u32::MAX);
        bytes.extend_from_slice(&texts.to_le_bytes());
        bytes.extend(self.ends.iter().flat_map(|end| end.to_le_bytes()));
        bytes.extend_from_slice(&self.texts);
        (encoding, bytes)
    }
}
