//! What a Parquet file claims about its sizes, checked before memory is taken for it.
//!
//! Source: `parquet.thrift` of apache/parquet-format: `FileMetaData`, `PageHeader`.

use super::compact::{Compact, INTEGER, LIST, STRUCT, Unread};

/// Most elements of a schema, and most row groups.
const SCHEMA_MAX: u64 = 1 << 16;
const GROUPS_MAX: u64 = 1 << 16;
/// Deepest column.
const DEPTH_MAX: usize = 32;
/// Most digits behind the point of a decimal number.
const SCALE_MAX: i64 = 1_000;
/// Most bytes of a page.
const PAGE_BYTES_MAX: i64 = 256 << 20;
/// What one value of a dictionary takes in memory besides its bytes.
const VALUE_BYTES: u64 = 40;
/// Number of the encoding `DELTA_BYTE_ARRAY`: what its values take is known only afterwards.
const DELTA_BYTE_ARRAY: i64 = 7;

const MALFORMED: &str = "its footer is malformed";

/// Checks the footer: the number of columns and row groups, and how deep columns are.
pub(super) fn footer(bytes: &[u8]) -> Result<(), String> {
    let mut children: Vec<i64> = Vec::new();
    let mut is_too_large = false;
    let read = Compact::new(bytes).fields(|compact, id, kind| match (id, kind) {
        (2, LIST) => {
            let (kind, count) = compact.list()?;
            is_too_large |= kind != STRUCT || count > SCHEMA_MAX;
            if is_too_large {
                return Err(Unread::Malformed);
            }
            for _ in 0..count {
                let (count, scale) = schema_element(compact)?;
                is_too_large |= !(0..=SCALE_MAX).contains(&scale);
                children.push(count);
            }
            Ok(true)
        }
        (4, LIST) => {
            let (kind, count) = compact.list()?;
            is_too_large |= kind != STRUCT || count > GROUPS_MAX;
            if is_too_large {
                return Err(Unread::Malformed);
            }
            for _ in 0..count {
                compact.skip_element(kind)?;
            }
            Ok(true)
        }
        _ => Ok(false),
    });
    match (read, is_too_large) {
        (_, true) => Err("it has more columns or row groups than are read".to_owned()),
        (Err(_), _) => Err(MALFORMED.to_owned()),
        (Ok(()), _) => schema(&children),
    }
}

/// Reads the number of children of an element of the schema, and its scale.
fn schema_element(compact: &mut Compact<'_>) -> Result<(i64, i64), Unread> {
    let (mut children, mut scale) = (0, 0);
    compact.fields(|compact, id, kind| {
        match (id, kind) {
            (5, INTEGER) => children = compact.integer()?,
            (7, INTEGER) => scale = compact.integer()?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    // Some writers say so of what has no scale.
    Ok((children, if scale == -1 { 0 } else { scale }))
}

/// Checks that the elements of a schema are one tree that is not too deep.
fn schema(children: &[i64]) -> Result<(), String> {
    // How many children each of the groups that are open still has.
    let mut open: Vec<i64> = Vec::new();
    for (at, count) in children.iter().enumerate() {
        while open.last() == Some(&0) {
            open.pop();
        }
        match open.last_mut() {
            Some(left) => *left -= 1,
            None if at > 0 => return Err(MALFORMED.to_owned()),
            None => {}
        }
        let left = (children.len() - at) as u64;
        if u64::try_from(*count).is_ok_and(|count| count < left) {
            open.push(*count);
        } else {
            return Err(MALFORMED.to_owned());
        }
        if open.len() > DEPTH_MAX {
            return Err("its columns are nested too deep".to_owned());
        }
    }
    match open.iter().all(|left| *left == 0) && children.len() > 1 {
        true => Ok(()),
        false if children.len() <= 1 => Err("it has no column".to_owned()),
        false => Err(MALFORMED.to_owned()),
    }
}

/// What the header of a page says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct PageHead {
    /// Bytes of the header itself.
    pub head_bytes: u64,
    /// Bytes that follow it.
    pub stored_bytes: u64,
    /// What they take in memory.
    pub held_bytes: u64,
    pub is_dictionary: bool,
}

/// Reads the header of a page; `Ok(None)` if more bytes are needed.
pub(super) fn page(bytes: &[u8]) -> Result<Option<PageHead>, String> {
    let (mut whole, mut stored, mut values, mut encoding) = (-1, -1, None, 0);
    let mut compact = Compact::new(bytes);
    let read = compact.fields(|compact, id, kind| {
        match (id, kind) {
            (2, INTEGER) => whole = compact.integer()?,
            (3, INTEGER) => stored = compact.integer()?,
            (5 | 7 | 8, STRUCT) => {
                let of_encoding = if id == 8 { 4 } else { 2 };
                compact.fields(|compact, inner, kind| {
                    match (inner, kind) {
                        (1, INTEGER) if id == 7 => values = Some(compact.integer()?),
                        (inner, INTEGER) if inner == of_encoding => encoding = compact.integer()?,
                        _ => return Ok(false),
                    }
                    Ok(true)
                })?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    });
    match read {
        Ok(()) => {}
        Err(Unread::Short) => return Ok(None),
        Err(Unread::Malformed) => return Err("the header of a page is malformed".to_owned()),
    }
    if encoding == DELTA_BYTE_ARRAY {
        return Err("its encoding DELTA_BYTE_ARRAY is not read".to_owned());
    }
    if whole > PAGE_BYTES_MAX {
        return Err("a page is longer than 256 MiB".to_owned());
    }
    let size = |size: i64| u64::try_from(size).map_err(|_| "a page has no size".to_owned());
    let (whole, stored) = (size(whole)?, size(stored)?);
    let values = values.map(size).transpose()?;
    // Each value takes a byte at least, but for a few that are all empty.
    if values.is_some_and(|values| values > whole.max(1)) {
        return Err("a dictionary is shorter than its values".to_owned());
    }
    Ok(Some(PageHead {
        head_bytes: (bytes.len() - compact.left()) as u64,
        stored_bytes: stored,
        held_bytes: whole + stored + values.unwrap_or(0) * VALUE_BYTES,
        is_dictionary: values.is_some(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_is_one_tree() {
        assert_eq!(schema(&[2, 0, 0]), Ok(()));
        assert_eq!(schema(&[2, 1, 0, 2, 0, 0]), Ok(()));
        assert!(schema(&[0]).is_err_and(|why| why == "it has no column"));
        for bad in [&[2, 0][..], &[1, 0, 0], &[1, -1], &[1, i64::MAX], &[1, 1]] {
            assert_eq!(schema(bad), Err(MALFORMED.to_owned()), "{bad:?}");
        }
        let deep: Vec<i64> = std::iter::repeat_n(1, 1_000).chain([0]).collect();
        assert!(schema(&deep).is_err_and(|why| why.contains("too deep")));
    }

    #[test]
    fn headers_of_pages_are_believed_within_limits() {
        // A data page: 100 bytes from 50; a dictionary of 2 values in 10 bytes.
        let data = [0x15, 0, 0x15, 0xc8, 1, 0x15, 100, 0x2c, 0x15, 4, 0x15, 0, 0, 0];
        let head = page(&data).expect("good").expect("whole");
        assert_eq!((head.head_bytes, head.stored_bytes, head.held_bytes), (14, 50, 150));
        assert_eq!(page(&data[..7]), Ok(None));
        let dictionary = [0x15, 4, 0x15, 20, 0x15, 20, 0x4c, 0x15, 4, 0x15, 0, 0, 0];
        let head = page(&dictionary).expect("good").expect("whole");
        assert_eq!((head.is_dictionary, head.held_bytes), (true, 20 + 2 * VALUE_BYTES));
        let mut many = dictionary;
        many[8] = 100;
        assert!(page(&many).is_err_and(|why| why.contains("shorter")));
        let long = [0x15, 0, 0x15, 0xfe, 0xff, 0xff, 0xff, 0x0f, 0x15, 100, 0];
        assert!(page(&long).is_err_and(|why| why.contains("256 MiB")));
        assert!(page(&[0x15, 0, 0x15, 1, 0x15, 1, 0]).is_err_and(|why| why.contains("no size")));
    }
}
