//! Decoding a block only as far as one object in it reaches.
//!
//! What comes out is proven by the object's id, since the check of the block covers bytes that are
//! never read. The codecs are specified in `docs/format/pack.md`, "Codecs".

use zstd_safe::{DParameter, InBuffer, OutBuffer, ResetDirective};

use super::{Codec, Decoder};
use crate::format::pack::BlockRow;

/// Encoded bytes that are asked for at once: what zstd makes of them is mostly one or two of its
/// own blocks of 128 KiB.
const PIECE_BYTES: usize = 32 << 10;

/// A block of fewer encoded bytes is read and decoded whole in no more time.
const ENCODED_BYTES_MIN: u32 = 64 << 10;

impl Decoder {
    /// Decodes at least the first `bytes` of the block of `row` to `raw`.
    ///
    /// Shape: `read` fills what it is given from an offset in the pack. `false` says that this
    /// block has to be decoded whole, which also tells what may be wrong with it; `raw` is then
    /// anything. Errors: those of `read`. Cost: what comes before that point, and 32 KiB.
    pub fn decode_beginning<E>(
        &mut self,
        row: &BlockRow,
        bytes: usize,
        mut read: impl FnMut(u64, &mut [u8]) -> Result<(), E>,
        raw: &mut Vec<u8>,
    ) -> Result<bool, E> {
        let is_long = row.encoded_bytes >= ENCODED_BYTES_MIN && row.summary().defect().is_none();
        if row.codec != Codec::Zstd || !is_long || bytes > row.raw_bytes as usize {
            return Ok(false);
        }
        raw.clear();
        raw.reserve(row.raw_bytes as usize);
        let outcome = self.begin(row, bytes, &mut read, raw);
        // Whatever comes next begins anew.
        let is_reset = self.context.reset(ResetDirective::SessionAndParameters).is_ok();
        outcome.map(|is_decoded| is_decoded && is_reset)
    }

    fn begin<E>(
        &mut self,
        row: &BlockRow,
        bytes: usize,
        read: &mut impl FnMut(u64, &mut [u8]) -> Result<(), E>,
        raw: &mut Vec<u8>,
    ) -> Result<bool, E> {
        // So zstd decodes to where the bytes belong, and keeps no window of its own.
        if self.context.set_parameter(DParameter::StableOutBuffer(true)).is_err() {
            return Ok(false);
        }
        let mut piece = vec![0; PIECE_BYTES];
        let mut out = OutBuffer::around(raw);
        let mut at = 0;
        while out.pos() < bytes && at < u64::from(row.encoded_bytes) {
            let rest = usize::try_from(u64::from(row.encoded_bytes) - at).unwrap_or(PIECE_BYTES);
            let Some(piece) = piece.get_mut(..rest.min(PIECE_BYTES)) else { return Ok(false) };
            read(row.offset.saturating_add(at), piece)?;
            at += piece.len() as u64;
            let mut input = InBuffer::around(piece);
            while input.pos() < piece.len() && out.pos() < bytes {
                match self.context.decompress_stream(&mut out, &mut input) {
                    Ok(1..) => {}
                    // The end of the frame, or damage.
                    Ok(_) => return Ok(out.pos() >= bytes),
                    Err(_) => return Ok(false),
                }
            }
        }
        Ok(out.pos() >= bytes)
    }
}
