//! Thrift's compact protocol, read only as far as sizes can be checked before they are believed.
//!
//! Source: the Apache Thrift specification, "Thrift compact protocol encoding".

/// Deepest value inside a value.
const DEPTH_MAX: u8 = 16;

/// Types of values.
const TRUE: u8 = 1;
const FALSE: u8 = 2;
const BYTE: u8 = 3;
const SHORT: u8 = 4;
pub(super) const INTEGER: u8 = 5;
const LONG: u8 = 6;
const DOUBLE: u8 = 7;
const BINARY: u8 = 8;
pub(super) const LIST: u8 = 9;
const SET: u8 = 10;
const MAP: u8 = 11;
pub(super) const STRUCT: u8 = 12;

/// Why bytes cannot be read as values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unread {
    /// They end before the value does.
    Short,
    /// They are nothing of the kind.
    Malformed,
}

/// Reads values one after the other.
#[derive(Debug)]
pub(super) struct Compact<'a> {
    rest: &'a [u8],
    depth: u8,
}

impl<'a> Compact<'a> {
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, depth: 0 }
    }

    /// Tells how many bytes were not read.
    pub const fn left(&self) -> usize {
        self.rest.len()
    }

    fn byte(&mut self) -> Result<u8, Unread> {
        let (first, rest) = self.rest.split_first().ok_or(Unread::Short)?;
        self.rest = rest;
        Ok(*first)
    }

    fn varint(&mut self) -> Result<u64, Unread> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Unread::Malformed)
    }

    /// Reads an integer of any width.
    pub fn integer(&mut self) -> Result<i64, Unread> {
        let value = self.varint()?;
        let sign = (value & 1).wrapping_neg();
        Ok(((value >> 1) ^ sign).cast_signed())
    }

    /// Reads the type of a list's elements, and how many there are.
    pub fn list(&mut self) -> Result<(u8, u64), Unread> {
        let head = self.byte()?;
        let count = match head >> 4 {
            15 => self.varint()?,
            count => u64::from(count),
        };
        // Each element takes a byte at least.
        match count <= self.rest.len() as u64 {
            true => Ok((head & 0x0f, count)),
            false => Err(Unread::Short),
        }
    }

    /// Reads a struct; `take` says of each field, by number and type, whether it read it.
    pub fn fields(
        &mut self,
        mut take: impl FnMut(&mut Self, i64, u8) -> Result<bool, Unread>,
    ) -> Result<(), Unread> {
        let mut id = 0i64;
        loop {
            let head = self.byte()?;
            if head == 0 {
                return Ok(());
            }
            id = match head >> 4 {
                0 => self.integer()?,
                more => id.saturating_add(i64::from(more)),
            };
            let kind = head & 0x0f;
            if !take(self, id, kind)? {
                self.skip(kind)?;
            }
        }
    }

    fn pass(&mut self, count: u64) -> Result<(), Unread> {
        let count = usize::try_from(count).map_err(|_| Unread::Short)?;
        self.rest = self.rest.get(count..).ok_or(Unread::Short)?;
        Ok(())
    }

    /// Passes over a field of a struct.
    fn skip(&mut self, kind: u8) -> Result<(), Unread> {
        match kind {
            TRUE | FALSE => Ok(()),
            _ => self.skip_element(kind),
        }
    }

    /// Passes over an element of a list, where a truth value takes a byte.
    pub fn skip_element(&mut self, kind: u8) -> Result<(), Unread> {
        if self.depth >= DEPTH_MAX {
            return Err(Unread::Malformed);
        }
        self.depth += 1;
        match kind {
            TRUE | FALSE | BYTE => self.pass(1)?,
            SHORT | INTEGER | LONG => drop(self.varint()?),
            DOUBLE => self.pass(8)?,
            BINARY => {
                let length = self.varint()?;
                self.pass(length)?;
            }
            LIST | SET => {
                let (kind, count) = self.list()?;
                for _ in 0..count {
                    self.skip_element(kind)?;
                }
            }
            MAP => {
                let count = self.varint()?;
                let kinds = if count > 0 { self.byte()? } else { 0 };
                for _ in 0..count {
                    self.skip_element(kinds >> 4)?;
                    self.skip_element(kinds & 0x0f)?;
                }
            }
            STRUCT => self.fields(|_, _, _| Ok(false))?,
            _ => return Err(Unread::Malformed),
        }
        self.depth -= 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_passed_over_and_read() {
        // Field 1: 150; field 2: a list of two; field 3: true; field 5: "ab"; the end; one more.
        let bytes = [0x15, 0xac, 0x02, 0x19, 0x25, 2, 4, 0x11, 0x28, 2, b'a', b'b', 0, 9];
        let mut compact = Compact::new(&bytes);
        let mut found = Vec::new();
        let read = compact.fields(|compact, id, kind| {
            found.push((id, kind));
            if id == 1 {
                assert_eq!(compact.integer(), Ok(150));
            }
            Ok(id == 1)
        });
        assert_eq!((read, compact.left()), (Ok(()), 1));
        assert_eq!(found, [(1, INTEGER), (2, LIST), (3, TRUE), (5, BINARY)]);
        for length in 0..bytes.len() - 1 {
            let mut short = Compact::new(&bytes[..length]);
            assert_eq!(short.skip_element(STRUCT), Err(Unread::Short), "{length}");
        }
    }

    #[test]
    fn what_lies_about_its_size_or_is_too_deep_is_refused() {
        let many = [0x19, 0xf5, 0xff, 0xff, 0xff, 0xff, 0x0f, 0];
        assert_eq!(Compact::new(&many).skip_element(STRUCT), Err(Unread::Short));
        assert_eq!(Compact::new(&[0x1c; 1000]).skip_element(STRUCT), Err(Unread::Malformed));
        assert_eq!(Compact::new(&[0xff; 20]).integer(), Err(Unread::Malformed));
    }
}
