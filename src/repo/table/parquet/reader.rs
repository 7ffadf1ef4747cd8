//! The rows of a Parquet file, one row group after the other.
//!
//! Everything in the file may be a lie. What it claims about sizes is checked first (`check.rs`,
//! `guard.rs`), and if the `parquet` crate panics all the same, the file is just not read.

use std::cell::Cell;
use std::io::{self, BufReader, Read};
use std::ops::ControlFlow;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Once};

use bytes::Bytes;
use parquet::errors::ParquetError;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::reader::{ChunkReader, FileReader as _, Length, SerializedFileReader};
use parquet::record::Row;
use parquet::record::reader::TreeBuilder;

use super::super::names::distinct;
use super::super::records::{Cut, Span};
use super::guard::Group;
use super::{check, spell};
use crate::worktree::scratch::Scratch;

/// Stands at both ends of a file.
const MAGIC: &[u8] = b"PAR1";
/// Stands at the end of one whose footer is encrypted.
const MAGIC_ENCRYPTED: &[u8] = b"PARE";
/// Bytes behind the footer: its length, and the magic.
const TAIL_BYTES: u64 = 8;
/// Longest footer.
const FOOTER_BYTES_MAX: u64 = 16 << 20;
/// Most memory for the pages that are open at once, one and a dictionary of each column.
const PAGES_BYTES_MAX: u64 = 1 << 30;
/// Bytes that are read for the header of a page, and if that is not enough.
const HEAD_BYTES: [u64; 2] = [4 << 10, 1 << 20];
/// Most rows: some, and so many for each byte of the file. A few bytes can claim billions.
const ROWS_MAX: u64 = 1_000_000;
const ROWS_PER_BYTE_MAX: u64 = 10_000;
/// Rows that are decoded at once; fewer where there are lists, which may be long.
const ROWS_AT_ONCE: usize = 256;
const ROWS_AT_ONCE_OF_LISTS: usize = 8;
/// Bytes after which rows are handed on.
const BATCH_BYTES: usize = 1 << 20;

/// A Parquet file whose footer was read.
pub(super) struct Reader {
    scratch: Arc<Scratch>,
    reader: SerializedFileReader<Source>,
    columns: Vec<spell::Column>,
    /// The names of the columns, each once.
    pub names: Vec<String>,
}

impl Reader {
    /// Reads the footer.
    ///
    /// Errors: why it cannot be read, in words.
    pub fn open(scratch: Arc<Scratch>) -> Result<Self, String> {
        check::footer(&footer(&scratch)?)?;
        let source = Source(Arc::clone(&scratch));
        let reader = caught(|| SerializedFileReader::new(source))?;
        let schema = reader.metadata().file_metadata().schema();
        if reader.metadata().file_metadata().schema_descr().num_columns() == 0 {
            return Err("it has no column".to_owned());
        }
        let rows =
            reader.metadata().row_groups().iter().try_fold(0u64, |rows, group| {
                rows.checked_add(u64::try_from(group.num_rows()).ok()?)
            });
        let rows_max = scratch.bytes().saturating_mul(ROWS_PER_BYTE_MAX).saturating_add(ROWS_MAX);
        if rows.is_none_or(|rows| rows > rows_max) {
            return Err("it claims more rows than its bytes can hold".to_owned());
        }
        let fields = schema.get_fields();
        let mut names: Vec<String> = fields.iter().map(|field| field.name().to_owned()).collect();
        distinct(&mut names, |name| name);
        let columns = names.iter().zip(fields).map(|(name, of)| spell::Column::new(name, of));
        Ok(Self { scratch, columns: columns.collect(), names, reader })
    }

    /// Gives all rows as lines of JSON, some at a time, until `take` has enough.
    ///
    /// Shape: the line of a row is its number, from 1. Cost: memory for a page of each column.
    pub fn each(&self, mut take: impl FnMut(Cut) -> ControlFlow<()>) -> Result<(), String> {
        let (mut cut, mut number) = (Cut::default(), 0);
        let groups = self.reader.metadata().num_row_groups();
        for group in 0..groups {
            let more = self.each_of_group(group, |row| {
                number += 1;
                let start = cut.bytes.len();
                let spelled = spell::row(row, &self.columns, &mut cut.bytes);
                spelled.map_err(|spell::TooLong| format!("row {number} is longer than 16 MiB"))?;
                cut.spans.push(Span { start, end: cut.bytes.len(), line: number });
                match cut.bytes.len() >= BATCH_BYTES {
                    true => Ok(take(std::mem::take(&mut cut))),
                    false => Ok(ControlFlow::Continue(())),
                }
            })?;
            if more.is_break() {
                return Ok(());
            }
        }
        let _enough_or_not = take(cut);
        Ok(())
    }

    fn each_of_group(
        &self,
        group: usize,
        mut take: impl FnMut(&Row) -> Result<ControlFlow<()>, String>,
    ) -> Result<ControlFlow<()>, String> {
        let metadata = self.reader.metadata();
        let schema = metadata.file_metadata().schema_descr_ptr();
        let mut held_bytes = 0u64;
        for column in metadata.row_group(group).columns() {
            let held = self.check_pages(column);
            held_bytes = held_bytes.saturating_add(held.map_err(|why| {
                let column = column.column_path().string();
                format!("column {}: {why}", one_line(&column))
            })?);
        }
        if held_bytes > PAGES_BYTES_MAX {
            return Err("the pages of a row group take more than 1 GiB".to_owned());
        }
        let has_lists = schema.columns().iter().any(|column| column.max_rep_level() > 0);
        let rows_at_once = if has_lists { ROWS_AT_ONCE_OF_LISTS } else { ROWS_AT_ONCE };
        let group = caught(|| self.reader.get_row_group(group).map(Group::new))?;
        let builder = TreeBuilder::new().with_batch_size(rows_at_once);
        let mut rows = caught(|| builder.as_iter(schema, &group))?;
        while let Some(row) = caught(|| rows.next().transpose())? {
            if take(&row)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Looks at all pages of a column; tells how much memory they take at once.
    fn check_pages(&self, column: &ColumnChunkMetaData) -> Result<u64, String> {
        let (mut at, mut left) = caught(|| Ok(column.byte_range()))?;
        if at.checked_add(left).is_none_or(|end| end > self.scratch.bytes()) {
            return Err("it lies outside the file".to_owned());
        }
        let (mut dictionary, mut page) = (0, 0);
        while left > 0 {
            let mut head = None;
            for bytes in HEAD_BYTES {
                let bytes = self.scratch.range(at, bytes.min(left)).map_err(words_of)?;
                head = check::page(&bytes)?;
                if head.is_some() {
                    break;
                }
            }
            let head = head.ok_or("the header of a page is cut off")?;
            let taken = head.head_bytes.saturating_add(head.stored_bytes);
            left = left.checked_sub(taken).ok_or("a page is longer than its column")?;
            at += taken;
            let most = if head.is_dictionary { &mut dictionary } else { &mut page };
            *most = head.held_bytes.max(*most);
        }
        Ok(dictionary + page)
    }
}

/// Reads the bytes of the footer.
fn footer(scratch: &Scratch) -> Result<Vec<u8>, String> {
    let none = || "it is no Parquet file".to_owned();
    let tail_at = scratch.bytes().checked_sub(TAIL_BYTES).ok_or_else(none)?;
    let tail = scratch.range(tail_at, TAIL_BYTES).map_err(words_of)?;
    let (length, magic) = tail.split_first_chunk().ok_or_else(none)?;
    let start = scratch.range(0, MAGIC.len() as u64).map_err(words_of)?;
    if magic == MAGIC_ENCRYPTED || start == MAGIC_ENCRYPTED {
        return Err("it is encrypted".to_owned());
    }
    if magic != MAGIC || start != MAGIC {
        return Err(none());
    }
    let length = u64::from(u32::from_le_bytes(*length));
    if length > FOOTER_BYTES_MAX {
        return Err("its footer is longer than 16 MiB".to_owned());
    }
    let at = tail_at.checked_sub(length).ok_or("its footer is longer than the file")?;
    scratch.range(at, length).map_err(words_of)
}

/// Does what the `parquet` crate may refuse, or panic at; says then in words what is wrong.
fn caught<T>(work: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, String> {
    thread_local! {
        static IS_QUIET: Cell<bool> = const { Cell::new(false) };
    }
    static HOOK: Once = Once::new();
    // What panics here is told in words, not with a trace.
    HOOK.call_once(|| {
        let hook = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !IS_QUIET.get() {
                hook(info);
            }
        }));
    });
    IS_QUIET.set(true);
    let done = panic::catch_unwind(AssertUnwindSafe(work));
    IS_QUIET.set(false);
    match done {
        Ok(done) => done.map_err(words_of),
        Err(_) => Err("it cannot be read: something in it is malformed".to_owned()),
    }
}

fn words_of(error: impl std::fmt::Display) -> String {
    format!("it cannot be read: {}", one_line(&error.to_string()))
}

/// Shortens what may hold bytes of the file.
fn one_line(text: &str) -> String {
    text.chars().take(120).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// Where the crate reads from.
struct Source(Arc<Scratch>);

impl Length for Source {
    fn len(&self) -> u64 {
        self.0.bytes()
    }
}

impl ChunkReader for Source {
    type T = BufReader<From>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        Ok(BufReader::new(From { scratch: Arc::clone(&self.0), at: start }))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        Ok(self.0.range(start, length as u64)?.into())
    }
}

/// Reads on from a place.
struct From {
    scratch: Arc<Scratch>,
    at: u64,
}

impl Read for From {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.scratch.read_at(self.at, into)?;
        self.at += count as u64;
        Ok(count)
    }
}

#[cfg(test)]
#[path = "reader_tests.rs"]
mod tests;
