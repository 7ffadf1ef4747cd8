//! The one place that touches bincode: fixed-width little-endian fields, nothing implied.
//!
//! Integers have their full width, byte strings and lists begin with a `u64` count, and the tag
//! of a variant is a `u8` that its own decoder reads. Each format page lists its fields one by
//! one, so that a reader in another language needs no bincode.

use bincode::config::{Configuration, Fixint, Limit, LittleEndian};
use bincode::de::read::{BorrowReader, Reader as Source};
use bincode::de::{BorrowDecoder as _, Decoder as _, DecoderImpl};
use bincode::enc::write::Writer;
use bincode::error::{DecodeError as Refusal, EncodeError};
use bincode::{BorrowDecode, Encode};

use super::DecodeError;

/// Most bytes that one encoded value may have; a guard, far above every real value.
pub const VALUE_BYTES_MAX: usize = 1 << 30;

const fn config() -> Configuration<LittleEndian, Fixint, Limit<VALUE_BYTES_MAX>> {
    bincode::config::standard()
        .with_little_endian()
        .with_fixed_int_encoding()
        .with_limit::<VALUE_BYTES_MAX>()
}

/// Appends one field.
///
/// Shape: `u8` to `u64` in their width, `[u8; N]` as it is, `&[u8]` with its length before it.
pub fn put<T: Encode>(into: &mut Vec<u8>, value: T) {
    bincode::encode_into_writer(value, Append(into), config())
        .expect("memory takes every byte, and plain fields have no other way to fail");
}

struct Append<'a>(&'a mut Vec<u8>);

impl Writer for Append<'_> {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

/// Reads the fields of one value in order, and knows where it stands.
///
/// Cost: no allocation before the bytes behind a length are known to be there.
pub struct Reader<'a> {
    what: &'static str,
    decoder:
        DecoderImpl<Cursor<'a>, Configuration<LittleEndian, Fixint, Limit<VALUE_BYTES_MAX>>, ()>,
}

impl<'a> Reader<'a> {
    /// Starts at the first byte of a value that errors call `what`.
    pub fn new(what: &'static str, bytes: &'a [u8]) -> Self {
        let cursor = Cursor { rest: bytes, offset: 0 };
        Self { what, decoder: DecoderImpl::new(cursor, config(), ()) }
    }

    /// Gives the offset of the next byte, from the start of the value.
    pub fn offset(&mut self) -> u64 {
        self.decoder.reader().offset
    }

    /// Reads one field; `&[u8]` is borrowed from the input.
    pub fn take<T: BorrowDecode<'a, ()>>(&mut self) -> Result<T, DecodeError> {
        let offset = self.offset();
        T::borrow_decode(&mut self.decoder).map_err(|refusal| {
            let reason = match refusal {
                Refusal::UnexpectedEnd { .. } => "the value ends inside this field".to_owned(),
                Refusal::LimitExceeded => "a length beyond every limit".to_owned(),
                other => other.to_string(),
            };
            DecodeError::new(self.what, offset, reason)
        })
    }

    /// Reads the count of a list whose items take at least `item_bytes_min` bytes each.
    ///
    /// Errors: a count that the remaining bytes cannot hold, so a list may be allocated at once.
    pub fn take_count(&mut self, item_bytes_min: usize) -> Result<usize, DecodeError> {
        let offset = self.offset();
        let count: u64 = self.take()?;
        let most = self.decoder.borrow_reader().rest.len() / item_bytes_min.max(1);
        usize::try_from(count).ok().filter(|count| *count <= most).ok_or_else(|| {
            self.refuse(offset, format!("{count} items in a space for at most {most}"))
        })
    }

    /// Builds the error for what is wrong at `offset`.
    pub fn refuse(&self, offset: u64, reason: impl Into<String>) -> DecodeError {
        DecodeError::new(self.what, offset, reason)
    }

    /// Insists that nothing follows.
    pub fn finish(mut self) -> Result<(), DecodeError> {
        let offset = self.offset();
        match self.decoder.borrow_reader().rest.len() {
            0 => Ok(()),
            more => Err(self.refuse(offset, format!("{more} bytes follow the value"))),
        }
    }
}

struct Cursor<'a> {
    rest: &'a [u8],
    offset: u64,
}

impl<'a> BorrowReader<'a> for Cursor<'a> {
    #[inline]
    fn take_bytes(&mut self, length: usize) -> Result<&'a [u8], Refusal> {
        let Some((taken, rest)) = self.rest.split_at_checked(length) else {
            return Err(Refusal::UnexpectedEnd { additional: length - self.rest.len() });
        };
        self.rest = rest;
        self.offset += length as u64;
        Ok(taken)
    }
}

impl Source for Cursor<'_> {
    #[inline]
    fn read(&mut self, into: &mut [u8]) -> Result<(), Refusal> {
        into.copy_from_slice(self.take_bytes(into.len())?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_as_wide_as_the_pages_say() {
        let mut bytes = Vec::new();
        put(&mut bytes, 7_u8);
        put(&mut bytes, 258_u64);
        put(&mut bytes, [1_u8, 2]);
        put(&mut bytes, b"abc".as_slice());
        assert_eq!(bytes, b"\x07\x02\x01\0\0\0\0\0\0\x01\x02\x03\0\0\0\0\0\0\0abc");
        let mut reader = Reader::new("test", &bytes);
        assert_eq!(reader.take::<u8>(), Ok(7));
        assert_eq!(reader.take::<u64>(), Ok(258));
        assert_eq!(reader.take::<[u8; 2]>(), Ok([1, 2]));
        assert_eq!(reader.offset(), 11);
        assert_eq!(reader.take::<&[u8]>(), Ok(b"abc".as_slice()));
        assert_eq!(reader.finish(), Ok(()));
    }

    #[test]
    fn lengths_beyond_the_input_are_refused_where_they_stand() {
        let mut bytes = Vec::new();
        put(&mut bytes, 1_u8);
        put(&mut bytes, u64::MAX);
        let mut reader = Reader::new("test", &bytes);
        assert_eq!(reader.take::<u8>(), Ok(1));
        assert_eq!(reader.take::<&[u8]>().map_err(|error| error.offset), Err(1));
        let mut reader = Reader::new("test", bytes.get(1..).unwrap());
        assert!(reader.take_count(1).is_err());
        let reader = Reader::new("test", &bytes);
        assert_eq!(reader.finish().map_err(|error| error.offset), Err(0));
    }
}
