//! Pages, looked at before rows are put together of them.
//!
//! A few bytes can claim a list of billions, or name a long value of the dictionary as often. The
//! pages themselves were measured by `check.rs`; what one row takes is known only from its levels,
//! and how many lengths are packed only from what was compressed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parquet::basic::{Encoding, Type as PhysicalType};
use parquet::bloom_filter::Sbbf;
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::reader::RowGroupReader;
use parquet::record::reader::RowIter;
use parquet::schema::types::Type;

/// Most memory that the lists of one row may take, bytes.
const LISTS_BYTES_MAX: u64 = 512 << 20;
/// What an element takes besides the bytes of its value.
const ELEMENT_BYTES: u64 = 64;

/// A row group whose columns are guarded.
pub(super) struct Group<'a> {
    inner: Box<dyn RowGroupReader + 'a>,
    spent: Arc<AtomicU64>,
}

impl<'a> Group<'a> {
    pub fn new(inner: Box<dyn RowGroupReader + 'a>) -> Self {
        Self { inner, spent: Arc::default() }
    }
}

impl RowGroupReader for Group<'_> {
    fn metadata(&self) -> &RowGroupMetaData {
        self.inner.metadata()
    }

    fn num_columns(&self) -> usize {
        self.inner.num_columns()
    }

    fn get_column_page_reader(&self, at: usize) -> Result<Box<dyn PageReader>> {
        let inner = self.inner.get_column_page_reader(at)?;
        let column = self.metadata().column(at).column_descr();
        let level_max = u16::try_from(column.max_rep_level()).unwrap_or(u16::MAX);
        let lists = (level_max > 0).then(|| Lists {
            level_bits: u16::BITS - level_max.leading_zeros(),
            is_bytes: column.physical_type() == PhysicalType::BYTE_ARRAY,
            value_bytes_max: 0,
            row_bytes: 0,
            charged: 0,
        });
        let has_levels = [column.max_rep_level() > 0, column.max_def_level() > 0];
        Ok(Box::new(Pages { inner, has_levels, lists, spent: Arc::clone(&self.spent) }))
    }

    fn get_column_bloom_filter(&self, at: usize) -> Option<&Sbbf> {
        self.inner.get_column_bloom_filter(at)
    }

    fn get_row_iter(&self, projection: Option<Type>) -> Result<RowIter<'_>> {
        RowIter::from_row_group(projection, self)
    }
}

struct Pages {
    inner: Box<dyn PageReader>,
    /// Whether there are repetition levels, and definition levels.
    has_levels: [bool; 2],
    lists: Option<Lists>,
    spent: Arc<AtomicU64>,
}

impl Pages {
    fn checked(&mut self, page: Option<Page>) -> Result<Option<Page>> {
        if let Some(page) = &page {
            if page.encoding() == Encoding::DELTA_LENGTH_BYTE_ARRAY
                && lengths(page, self.has_levels)
                    .is_none_or(|count| count > page.num_values().into())
            {
                let why = "a page packs more lengths than it has values";
                return Err(ParquetError::General(why.to_owned()));
            }
            let more = self.lists.as_mut().map_or(Ok(0), |lists| lists.more_bytes(page))?;
            let spent = self.spent.fetch_add(more, Ordering::Relaxed).saturating_add(more);
            if spent > LISTS_BYTES_MAX {
                let why = "the lists of a row take more than 512 MiB";
                return Err(ParquetError::General(why.to_owned()));
            }
        }
        Ok(page)
    }
}

impl Iterator for Pages {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

impl PageReader for Pages {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        let page = self.inner.get_next_page()?;
        self.checked(page)
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        self.inner.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<()> {
        self.inner.skip_next_page()
    }
}

/// What the longest row so far takes in one column.
struct Lists {
    level_bits: u32,
    is_bytes: bool,
    value_bytes_max: u64,
    /// Of the row that goes on.
    row_bytes: u64,
    charged: u64,
}

impl Lists {
    /// Tells how much more than thought before a row takes.
    fn more_bytes(&mut self, page: &Page) -> Result<u64> {
        let bytes = page.buffer();
        let (levels, count) = match page {
            Page::DictionaryPage { .. } => {
                self.value_bytes_max = if self.is_bytes { longest(bytes) } else { 0 };
                return Ok(0);
            }
            Page::DataPage { rep_level_encoding, num_values, .. } => {
                if *rep_level_encoding != Encoding::RLE {
                    let why = "the levels of its lists are packed as nobody does any more";
                    return Err(ParquetError::General(why.to_owned()));
                }
                let length = bytes.first_chunk().map_or(0, |length| u32::from_le_bytes(*length));
                let end = usize::try_from(length).unwrap_or(usize::MAX).saturating_add(4);
                (bytes.get(4..end).unwrap_or_default(), num_values)
            }
            Page::DataPageV2 { rep_levels_byte_len, num_values, .. } => {
                let end = usize::try_from(*rep_levels_byte_len).unwrap_or(usize::MAX);
                (bytes.get(..end).unwrap_or_default(), num_values)
            }
        };
        let is_by_dictionary =
            matches!(page.encoding(), Encoding::RLE_DICTIONARY | Encoding::PLAIN_DICTIONARY);
        let element = ELEMENT_BYTES + if is_by_dictionary { self.value_bytes_max } else { 0 };
        let page_bytes = if is_by_dictionary || !self.is_bytes { 0 } else { bytes.len() as u64 };
        self.row_bytes = self.row_bytes.saturating_add(page_bytes);
        let mut most = self.row_bytes;
        runs(levels, self.level_bits, u64::from(*count), |is_new_row, count| {
            let more = element.saturating_mul(count);
            self.row_bytes = match is_new_row {
                true => page_bytes + element,
                false => self.row_bytes.saturating_add(more),
            };
            most = most.max(self.row_bytes);
        });
        let more = most.saturating_sub(self.charged);
        self.charged += more;
        Ok(more)
    }
}

/// Gives the number of lengths that stand before the values of a page.
///
/// Source: apache/parquet-format, `Encodings.md`, "Delta encoding": the size of a block, the number
/// of its parts, and the count of values.
fn lengths(page: &Page, has_levels: [bool; 2]) -> Option<u64> {
    let mut bytes: &[u8] = page.buffer();
    match page {
        Page::DataPageV2 { rep_levels_byte_len, def_levels_byte_len, .. } => {
            let levels = u64::from(*rep_levels_byte_len) + u64::from(*def_levels_byte_len);
            bytes = bytes.get(usize::try_from(levels).ok()?..)?;
        }
        _ => {
            for _ in has_levels.iter().filter(|has| **has) {
                let (length, rest) = bytes.split_first_chunk()?;
                bytes = rest.get(usize::try_from(u32::from_le_bytes(*length)).ok()?..)?;
            }
        }
    }
    let (_, rest) = head_of(bytes)?;
    let (_, rest) = head_of(rest)?;
    head_of(rest).map(|(count, _)| count)
}

/// Gives the length of the longest value of a dictionary.
fn longest(mut bytes: &[u8]) -> u64 {
    let mut longest = 0;
    while let Some((length, rest)) = bytes.split_first_chunk() {
        let length = u32::from_le_bytes(*length);
        longest = longest.max(u64::from(length));
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        bytes = rest.get(length..).unwrap_or_default();
    }
    longest.min(1 << 32)
}

/// Reads repetition levels: gives, run by run, whether each of so many values begins a row.
///
/// Source: apache/parquet-format, `Encodings.md`, "RLE / bit-packing hybrid".
fn runs(mut bytes: &[u8], bits: u32, mut left: u64, mut take: impl FnMut(bool, u64)) {
    let width = u64::from(bits.max(1));
    while left > 0 {
        let Some((head, rest)) = head_of(bytes) else { return };
        let count = head >> 1;
        if head & 1 == 0 {
            let length = usize::try_from(width.div_ceil(8)).unwrap_or(1);
            let Some((level, rest)) = rest.split_at_checked(length) else { return };
            let count = count.min(left);
            take(level.iter().all(|byte| *byte == 0), count);
            (bytes, left) = (rest, left - count);
            continue;
        }
        let length = usize::try_from(count.saturating_mul(width)).unwrap_or(usize::MAX);
        let (packed, rest) = rest.split_at_checked(length).unwrap_or((rest, &[]));
        for at in 0..count.saturating_mul(8).min(left) {
            let is_set = |bit: u64| {
                let byte = usize::try_from(bit / 8).ok().and_then(|at| packed.get(at));
                byte.is_some_and(|byte| byte >> (bit % 8) & 1 == 1)
            };
            if at * width >= packed.len() as u64 * 8 {
                return;
            }
            take(!(at * width..(at + 1) * width).any(is_set), 1);
            left -= 1;
        }
        bytes = rest;
    }
}

/// Reads a number of up to 35 bits; more of anything is not in a page.
fn head_of(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut head = 0u64;
    for (at, byte) in bytes.iter().enumerate().take(5) {
        head |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Some((head, bytes.get(at + 1..)?));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_told_by_their_levels() {
        let mut found = Vec::new();
        // Three times 0, then 0 1 1 0 0 0 0 0 packed, then 1 a billion times.
        let bytes = [6, 0, 3, 0b0000_0110, 0x80, 0xa8, 0xd6, 0xb9, 0x07, 1];
        runs(&bytes, 1, 2_000_000_000, |is_new_row, count| found.push((is_new_row, count)));
        let packed = [true, false, false, true, true, true, true, true].map(|new| (new, 1));
        let expected = [&[(true, 3)][..], &packed, &[(false, 1_000_000_000)]].concat();
        assert_eq!(found, expected);
        runs(&[0xff; 9], 1, 9, |_, _| {});
        assert_eq!(longest(&[1, 0, 0, 0, b'x', 3, 0, 0, 0, b'a', b'b', b'c']), 3);
    }
}
