//! The lineage index: which runs have read and made which content, and which nodes hold it.
//!
//! Derived files of which a page at a time is read and checked. Specified in
//! `docs/format/lineage-index.md`; what goes in is decided in `repo`, where the files lie in
//! `store`.

mod builder;
mod state;

use std::ops::Range;

pub use builder::SegmentBuilder;
pub use state::{PackName, SegmentName, State};

use crate::format::field::{array_at, u32_at};
use crate::object::{DecodeError, ObjectId};

const WHAT: &str = "lineage index";
/// Source: `docs/format/lineage-index.md`.
const MAGIC: [u8; 8] = *b"PROVLIN1";
/// Length of the end of a segment, in bytes.
pub const TRAILER_BYTES: usize = 32;
const COUNTS_BYTES: usize = 20;
const PAGE_BYTES: usize = 4096;
const ENTRY_BYTES: usize = 12;
/// Length of a row that is an id, in bytes.
const ID_BYTES: usize = 32;
/// Length of a row that is a key and a number, in bytes.
const PAIR_BYTES: usize = 12;

/// The first bytes of an id.
pub type Key = [u8; 8];

/// Gives the first bytes of an id.
fn key(id: &ObjectId) -> Key {
    id.as_bytes().first_chunk().copied().unwrap_or_default()
}

/// Which rows of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    /// Ids of commits with a run.
    Runs,
    /// Ids of nodes of trees.
    Nodes,
    /// Content, and the number of a run that made it.
    Makers,
    /// Content, and the number of a run that read it.
    Users,
    /// Content or a node, and the number of a node that names it.
    Holders,
}

impl Table {
    const ALL: [Self; 5] = [Self::Runs, Self::Nodes, Self::Makers, Self::Users, Self::Holders];

    const fn row_bytes(self) -> usize {
        match self {
            Self::Runs | Self::Nodes => ID_BYTES,
            Self::Makers | Self::Users | Self::Holders => PAIR_BYTES,
        }
    }

    const fn rows_per_page(self) -> usize {
        PAGE_BYTES / self.row_bytes()
    }
}

/// Where a page is in a segment, and what it must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// From the beginning of the file, in bytes.
    pub offset: u64,
    /// Length in bytes.
    pub bytes: usize,
    check: u32,
}

impl Page {
    /// Tells whether bytes are those that were written.
    pub fn is_sound(&self, bytes: &[u8]) -> bool {
        bytes.len() == self.bytes && crc32fast::hash(bytes) == self.check
    }
}

/// What the end of a segment says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trailer {
    rows: [u32; 5],
    check: u32,
    /// Where the directory begins, in bytes.
    pub offset: u64,
    /// Length of the directory, in bytes.
    pub bytes: u64,
}

impl Trailer {
    /// Reads the last [`TRAILER_BYTES`] of a file of `file_bytes`.
    ///
    /// Errors: [`DecodeError`] for anything that is not the end of a segment of that length.
    pub fn decode(bytes: &[u8; TRAILER_BYTES], file_bytes: u64) -> Result<Self, DecodeError> {
        let word = |at| u32_at(bytes, at).unwrap_or_default();
        let rows = [word(0), word(4), word(8), word(12), word(16)];
        let (mut offset, mut pages) = (0, 0);
        for (table, rows) in Table::ALL.into_iter().zip(rows) {
            offset += u64::from(rows) * table.row_bytes() as u64;
            pages += u64::from(rows).div_ceil(table.rows_per_page() as u64);
        }
        let directory_bytes = pages * ENTRY_BYTES as u64;
        let end = offset + directory_bytes + TRAILER_BYTES as u64;
        if array_at(bytes, 24) != Some(MAGIC) || end != file_bytes {
            return Err(DecodeError::new(WHAT, 0, "not the end of a segment"));
        }
        Ok(Self { rows, check: word(20), offset, bytes: directory_bytes })
    }
}

/// Where a segment has its pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directory {
    rows: [u32; 5],
    /// Of each page the key of its first row, and its check.
    pages: Vec<(Key, u32)>,
}

impl Directory {
    /// Reads the directory that a trailer leads to.
    ///
    /// Errors: [`DecodeError`] for bytes that are not those that were written.
    pub fn decode(bytes: &[u8], trailer: &Trailer) -> Result<Self, DecodeError> {
        let (entries, rest) = bytes.as_chunks::<ENTRY_BYTES>();
        let is_whole = rest.is_empty() && bytes.len() as u64 == trailer.bytes;
        if !is_whole || check_of(bytes, trailer.rows) != trailer.check {
            return Err(DecodeError::new(WHAT, trailer.offset, "the directory is damaged"));
        }
        let entry = |entry: &[u8; ENTRY_BYTES]| {
            (array_at(entry, 0).unwrap_or_default(), u32_at(entry, 8).unwrap_or_default())
        };
        Ok(Self { rows: trailer.rows, pages: entries.iter().map(entry).collect() })
    }

    /// Counts the rows of a table.
    pub fn rows(&self, table: Table) -> u32 {
        let of = Table::ALL.into_iter().zip(self.rows).find(|(of, _)| *of == table);
        of.map_or(0, |(_, rows)| rows)
    }

    /// Lists the pages of a table.
    pub fn pages(&self, table: Table) -> impl Iterator<Item = Page> {
        self.numbers(table).filter_map(move |number| self.page(table, number))
    }

    /// Finds the pages that may have rows with the first bytes of an id.
    pub fn pages_of(&self, table: Table, id: &ObjectId) -> impl Iterator<Item = Page> {
        let sought = key(id);
        let all = self.numbers(table);
        let firsts = self.pages.get(all.clone()).unwrap_or_default();
        // Rows with the key of the first of a page may end the page before it.
        let from = firsts.partition_point(|(first, _)| *first < sought).saturating_sub(1);
        let to = firsts.partition_point(|(first, _)| *first <= sought);
        let range = all.start + from..all.start + to.max(from);
        range.filter_map(move |number| self.page(table, number))
    }

    /// Finds the page in which a table has the row of a number, and where in it.
    pub fn page_at(&self, table: Table, number: u32) -> Option<(Page, usize)> {
        let row = usize::try_from(number).ok()?;
        let page = self.numbers(table).nth(row / table.rows_per_page())?;
        Some((self.page(table, page)?, row % table.rows_per_page()))
    }

    /// Which pages are those of a table.
    fn numbers(&self, table: Table) -> Range<usize> {
        let mut start = 0;
        for (of, rows) in Table::ALL.into_iter().zip(self.rows) {
            let rows = usize::try_from(rows).unwrap_or(usize::MAX);
            let end = start + rows.div_ceil(of.rows_per_page());
            if of == table {
                return start..end;
            }
            start = end;
        }
        start..start
    }

    fn page(&self, table: Table, number: usize) -> Option<Page> {
        let (_, check) = *self.pages.get(number)?;
        let mut offset = 0;
        for (of, rows) in Table::ALL.into_iter().zip(self.rows) {
            let rows = usize::try_from(rows).ok()?;
            if of != table {
                offset += rows * of.row_bytes();
                continue;
            }
            let before = (number - self.numbers(table).start) * table.rows_per_page();
            let here = rows.checked_sub(before)?.min(table.rows_per_page());
            let offset = u64::try_from(offset + before * table.row_bytes()).ok()?;
            return Some(Page { offset, bytes: here * table.row_bytes(), check });
        }
        None
    }
}

/// Reads the ids of a page of [`Table::Runs`] or [`Table::Nodes`].
pub fn ids(page: &[u8]) -> impl DoubleEndedIterator<Item = ObjectId> {
    page.as_chunks::<ID_BYTES>().0.iter().map(|id| ObjectId::from_bytes(*id))
}

/// Reads the id of a row of such a page.
pub fn id_at(page: &[u8], row: usize) -> Option<ObjectId> {
    page.as_chunks::<ID_BYTES>().0.get(row).map(|id| ObjectId::from_bytes(*id))
}

/// Tells whether such a page has an id.
pub fn has(page: &[u8], id: &ObjectId) -> bool {
    page.as_chunks::<ID_BYTES>().0.binary_search(id.as_bytes()).is_ok()
}

/// Reads the numbers that a page of another table has for the first bytes of an id.
pub fn numbers(page: &[u8], id: &ObjectId) -> impl Iterator<Item = u32> {
    let sought = key(id);
    let rows = page.as_chunks::<PAIR_BYTES>().0;
    let from = rows.partition_point(|row| pair(row).0 < sought);
    let rows = rows.get(from..).unwrap_or_default().iter().map(pair);
    rows.take_while(move |(key, _)| *key == sought).map(|(_, number)| number)
}

fn pair(row: &[u8; PAIR_BYTES]) -> (Key, u32) {
    let number = array_at(row, 8).map(u32::from_be_bytes);
    (array_at(row, 0).unwrap_or_default(), number.unwrap_or_default())
}

fn check_of(directory: &[u8], rows: [u32; 5]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(directory);
    for rows in rows {
        hasher.update(&rows.to_le_bytes());
    }
    hasher.finalize()
}

const _: () = assert!(COUNTS_BYTES + 4 + MAGIC.len() == TRAILER_BYTES);
