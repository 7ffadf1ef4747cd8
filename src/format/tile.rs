//! Tiles of the journal: 256 entries in one bundle, and 256 hashes of its Merkle tree in one file.
//!
//! Specified in `docs/format/journal.md`; the exact bytes are those of C2SP `tlog-tiles`. The
//! names of the files are in `layout.rs`, the tree itself in `object/merkle.rs`.

use crate::object::{DecodeError, Sha256};

const WHAT_BUNDLE: &str = "entry bundle";
const WHAT_HASHES: &str = "hash tile";

/// How many entries a bundle has, and how many hashes a hash tile.
///
/// Source: C2SP `tlog-tiles`, "tiles are 256 wide". Only full ones are stored.
pub const TILE_WIDTH: usize = 256;

const HASH_BYTES: usize = 32;
const LENGTH_BYTES: usize = 2;
const BUNDLE_BYTES_MAX: usize = TILE_WIDTH * (LENGTH_BYTES + u16::MAX as usize);
/// The first bytes of a zstd frame (RFC 8878 §3.1.1); frames to be skipped have others.
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];
/// Bundles are written once in 256 transactions and read seldom.
const ZSTD_LEVEL: i32 = 9;

/// Spells a full bundle: each entry after its length as 16 bits, big-endian.
///
/// Errors: another number of entries than 256, or one of more than 65,535 bytes.
pub fn encode_bundle<E: AsRef<[u8]>>(entries: &[E]) -> Result<Vec<u8>, DecodeError> {
    if entries.len() != TILE_WIDTH {
        return Err(bundle_error(0, format!("{} entries instead of 256", entries.len())));
    }
    let mut bytes = Vec::new();
    for entry in entries {
        let entry = entry.as_ref();
        let length = u16::try_from(entry.len())
            .map_err(|_| bundle_error(bytes.len(), "an entry is longer than 65535 bytes"))?;
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(entry);
    }
    Ok(bytes)
}

/// Reads a full bundle.
///
/// Shape: exactly 256 entries, in the order of their numbers; what an entry holds is not looked
/// at. Errors: too few, or bytes after the last.
pub fn decode_bundle(bytes: &[u8]) -> Result<Vec<&[u8]>, DecodeError> {
    let mut entries = Vec::with_capacity(TILE_WIDTH);
    let mut rest = bytes;
    while entries.len() < TILE_WIDTH {
        let offset = bytes.len() - rest.len();
        let (length, after) = rest
            .split_first_chunk::<LENGTH_BYTES>()
            .ok_or_else(|| bundle_error(offset, "ends before entry 256"))?;
        let (entry, after) = after
            .split_at_checked(usize::from(u16::from_be_bytes(*length)))
            .ok_or_else(|| bundle_error(offset, "an entry is cut short"))?;
        entries.push(entry);
        rest = after;
    }
    match rest.is_empty() {
        true => Ok(entries),
        false => Err(bundle_error(bytes.len() - rest.len(), "bytes after the last entry")),
    }
}

/// Compresses a bundle into the one zstd frame that is stored.
pub fn compress_bundle(bundle: &[u8]) -> Result<Vec<u8>, DecodeError> {
    zstd::bulk::compress(bundle, ZSTD_LEVEL).map_err(|error| bundle_error(0, error.to_string()))
}

/// Decompresses a stored bundle.
///
/// Shape: exactly one zstd frame that says how much it holds, at most what 256 entries can have.
/// Cost: allocates what the frame says, so at most 16 MiB and 256 bytes.
pub fn decompress_bundle(frame: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let is_one = zstd_safe::find_frame_compressed_size(frame) == Ok(frame.len());
    if !frame.starts_with(&ZSTD_MAGIC) || !is_one {
        return Err(bundle_error(0, "not exactly one zstd frame"));
    }
    let size = zstd_safe::get_frame_content_size(frame).ok().flatten();
    let size = size.and_then(|size| usize::try_from(size).ok());
    let size = size.filter(|size| *size <= BUNDLE_BYTES_MAX);
    let size = size.ok_or_else(|| bundle_error(0, "the frame does not say a size that fits"))?;
    zstd::bulk::decompress(frame, size).map_err(|error| bundle_error(0, error.to_string()))
}

/// Spells a full hash tile: 256 hashes, one after the other.
///
/// Errors: another number of hashes.
pub fn encode_hash_tile(hashes: &[Sha256]) -> Result<Vec<u8>, DecodeError> {
    if hashes.len() != TILE_WIDTH {
        let reason = format!("{} hashes instead of 256", hashes.len());
        return Err(DecodeError::new(WHAT_HASHES, 0, reason));
    }
    Ok(hashes.iter().flat_map(|hash| *hash.as_bytes()).collect())
}

/// Reads a full hash tile.
///
/// Shape: exactly 8,192 bytes. The hashes are not checked: a tile is believed as far as the tree
/// hash over it is.
pub fn decode_hash_tile(bytes: &[u8]) -> Result<Vec<Sha256>, DecodeError> {
    let (hashes, rest) = bytes.as_chunks::<HASH_BYTES>();
    if hashes.len() != TILE_WIDTH || !rest.is_empty() {
        let reason = format!("{} bytes instead of 8192", bytes.len());
        return Err(DecodeError::new(WHAT_HASHES, 0, reason));
    }
    Ok(hashes.iter().copied().map(Sha256::from_bytes).collect())
}

fn bundle_error(offset: usize, reason: impl Into<String>) -> DecodeError {
    DecodeError::new(WHAT_BUNDLE, u64::try_from(offset).unwrap_or(u64::MAX), reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries() -> Vec<Vec<u8>> {
        (0..TILE_WIDTH).map(|number| vec![b'x'; number * number % 700]).collect()
    }

    #[test]
    fn a_bundle_reads_back() {
        let bundle = encode_bundle(&entries()).expect("256 short entries");
        assert_eq!(decode_bundle(&bundle).expect("just encoded"), entries());
        let frame = compress_bundle(&bundle).expect("memory");
        assert_eq!(decompress_bundle(&frame), Ok(bundle));
    }

    #[test]
    fn the_largest_bundle_fits() {
        let bundle = encode_bundle(&vec![vec![0; 65_535]; TILE_WIDTH]).expect("largest entries");
        assert_eq!(bundle.len(), BUNDLE_BYTES_MAX);
        let frame = compress_bundle(&bundle).expect("memory");
        assert_eq!(decompress_bundle(&frame), Ok(bundle));
    }

    #[test]
    fn what_is_not_a_full_bundle_is_refused() {
        assert!(encode_bundle(&entries()[1..]).is_err());
        assert!(encode_bundle(&vec![vec![0; 65_536]; TILE_WIDTH]).is_err());
        let bundle = encode_bundle(&entries()).expect("256 short entries");
        assert!(decode_bundle(&bundle[..bundle.len() - 1]).is_err());
        assert!(decode_bundle(&[]).is_err());
        let longer = [bundle.as_slice(), &[0]].concat();
        assert_eq!(decode_bundle(&longer).expect_err("a byte more").offset, bundle.len() as u64);
    }

    #[test]
    fn what_is_not_one_frame_is_refused() {
        let frame = compress_bundle(b"abc").expect("memory");
        assert!(decompress_bundle(&[frame.as_slice(), &frame].concat()).is_err());
        assert!(decompress_bundle(&frame[..frame.len() - 1]).is_err());
        assert!(decompress_bundle(b"").is_err());
        assert!(decompress_bundle(b"\x50\x2A\x4D\x18\0\0\0\0").is_err());
        let large = zstd::bulk::compress(&vec![0; BUNDLE_BYTES_MAX + 1], 1).expect("memory");
        assert!(decompress_bundle(&large).is_err());
    }

    #[test]
    fn a_hash_tile_is_8192_bytes() {
        let hashes: Vec<_> = (0..=u8::MAX).map(|byte| Sha256::of(&[byte])).collect();
        let tile = encode_hash_tile(&hashes).expect("256 hashes");
        assert_eq!(tile.len(), 8192);
        assert_eq!(decode_hash_tile(&tile), Ok(hashes.clone()));
        assert!(decode_hash_tile(&tile[1..]).is_err());
        assert!(encode_hash_tile(&hashes[1..]).is_err());
    }
}
