//! One column of values, as it lies in a segment; `docs/format/runs-index.md`.

use super::Cell;
use crate::format::field::{array_at, u32_at};

pub(super) const RAW: u8 = 0;
pub(super) const NUMBERS: u8 = 1;
pub(super) const TEXTS: u8 = 2;
pub(super) const MIXED: u8 = 3;
pub(super) const SPARSE: u8 = 4;

pub(super) const KIND_NONE: u8 = 0;
pub(super) const KIND_NUMBER: u8 = 1;
pub(super) const KIND_FALSE: u8 = 2;
pub(super) const KIND_TRUE: u8 = 3;
pub(super) const KIND_TEXT: u8 = 4;

/// The values of one name, row by row.
#[derive(Debug, Clone)]
pub struct Column {
    bytes: Vec<u8>,
    shape: Shape,
    /// Where the ends of texts begin, how many there are, and where the texts begin.
    texts: (usize, usize, usize),
}

#[derive(Debug, Clone, Copy)]
enum Shape {
    Numbers,
    Texts,
    /// Where the values begin.
    Mixed(usize),
    /// How many rows have a value; where the kinds begin, and the values.
    Sparse(usize, usize, usize),
}

impl Column {
    /// Takes the bytes of a column; nothing if they cannot be one of so many rows.
    pub(super) fn decode(encoding: u8, bytes: Vec<u8>, rows: u32) -> Option<Self> {
        let rows = usize::try_from(rows).ok()?;
        let (shape, end) = match encoding {
            NUMBERS => (Shape::Numbers, rows.checked_mul(8)?),
            TEXTS => (Shape::Texts, rows.checked_mul(4)?),
            MIXED => (Shape::Mixed(rows), rows.checked_mul(9)?),
            SPARSE => {
                let count = usize::try_from(u32_at(&bytes, 0)?).ok()?;
                let kinds = count.checked_mul(4)?.checked_add(4)?;
                let values = kinds.checked_add(count)?;
                (Shape::Sparse(count, kinds, values), values.checked_add(count.checked_mul(8)?)?)
            }
            _ => return None,
        };
        let texts = usize::try_from(u32_at(&bytes, end)?).ok()?;
        let ends = end.checked_add(4)?;
        let begin = ends.checked_add(texts.checked_mul(4)?)?;
        let column = Self { shape, texts: (ends, texts, begin), bytes };
        let last = match texts.checked_sub(1) {
            Some(last) => column.text_end(last)?,
            None => 0,
        };
        (begin.checked_add(last)? == column.bytes.len()).then_some(column)
    }

    /// Gives the value of a row; nothing where it has none.
    ///
    /// Cost: a look or two at memory; of a column that few rows have a binary search.
    pub fn cell(&self, row: u32) -> Option<Cell<'_>> {
        let row_at = usize::try_from(row).ok()?;
        match self.shape {
            Shape::Numbers => self.number(row_at.checked_mul(8)?).map(Cell::Number),
            Shape::Texts => self.text(u32_at(&self.bytes, row_at.checked_mul(4)?)?),
            Shape::Mixed(values) => {
                let kind = *self.bytes.get(row_at).filter(|_| row_at < values)?;
                self.of_kind(kind, values.checked_add(row_at.checked_mul(8)?)?)
            }
            Shape::Sparse(count, kinds, values) => {
                let at = self.find_row(row, count)?;
                let kind = *self.bytes.get(kinds.checked_add(at)?)?;
                self.of_kind(kind, values.checked_add(at.checked_mul(8)?)?)
            }
        }
    }

    fn find_row(&self, row: u32, count: usize) -> Option<usize> {
        let (mut low, mut high) = (0, count);
        while low < high {
            let middle = low + (high - low) / 2;
            match u32_at(&self.bytes, 4 + 4 * middle)?.cmp(&row) {
                std::cmp::Ordering::Equal => return Some(middle),
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }

    fn of_kind(&self, kind: u8, at: usize) -> Option<Cell<'_>> {
        match kind {
            KIND_NUMBER => self.number(at).map(Cell::Number),
            KIND_FALSE => Some(Cell::Bool(false)),
            KIND_TRUE => Some(Cell::Bool(true)),
            KIND_TEXT => self.text(u32_at(&self.bytes, at)?),
            _ => None,
        }
    }

    fn number(&self, at: usize) -> Option<f64> {
        array_at(&self.bytes, at).map(f64::from_le_bytes)
    }

    fn text(&self, index: u32) -> Option<Cell<'_>> {
        let index = usize::try_from(index).ok()?;
        let begin = match index.checked_sub(1) {
            Some(before) => self.text_end(before)?,
            None => 0,
        };
        let (_, _, texts) = self.texts;
        let (begin, end) = (texts.checked_add(begin)?, texts.checked_add(self.text_end(index)?)?);
        std::str::from_utf8(self.bytes.get(begin..end)?).ok().map(Cell::Text)
    }

    fn text_end(&self, index: usize) -> Option<usize> {
        let (ends, count, _) = self.texts;
        let at = ends.checked_add(index.checked_mul(4)?).filter(|_| index < count)?;
        usize::try_from(u32_at(&self.bytes, at)?).ok()
    }
}
