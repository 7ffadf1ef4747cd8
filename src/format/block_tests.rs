//! Blocks come back, damaged ones are refused, and the guess knows the usual contents.

use super::*;

fn text(bytes: usize) -> Vec<u8> {
    let mut text: Vec<u8> = (0..)
        .flat_map(|row| format!("row {row}, step {}\n", row * 7).into_bytes())
        .take(bytes)
        .collect();
    text.truncate(bytes);
    text
}

fn noise(bytes: usize) -> Vec<u8> {
    let mut noise = vec![0; bytes];
    blake3::Hasher::new_derive_key("noise of a test").finalize_xof().fill(&mut noise);
    noise
}

fn row(summary: BlockSummary) -> BlockRow {
    let BlockSummary { encoded_bytes, raw_bytes, check, codec, depth, base } = summary;
    BlockRow { offset: 16, encoded_bytes, raw_bytes, check, codec, depth, base }
}

fn round_trip(raw: &[u8], prefix: Option<&[u8]>) -> (Codec, usize) {
    let mut buffer = Vec::new();
    let mut encoder = Encoder::new(1).expect("memory");
    let encoded = match prefix {
        Some(prefix) => encoder.encode_with_prefix(raw, prefix, &mut buffer),
        None => encoder.encode(raw, &mut buffer),
    };
    let base = prefix.map(|prefix| (ObjectId::of(prefix), 0));
    let row = row(encoded.summary(base));
    let mut into = Vec::new();
    let mut decoder = Decoder::new().expect("memory");
    let decoded = decoder.decode(&row, encoded.bytes, prefix.unwrap_or_default(), &mut into);
    assert_eq!(decoded, Ok(raw));
    (encoded.codec, encoded.bytes.len())
}

#[test]
fn blocks_come_back() {
    for bytes in [0, 1, 31, 32, 100, 4096, 100_000, 1 << 20] {
        let (codec, encoded_bytes) = round_trip(&text(bytes), None);
        assert_eq!(codec, if bytes < 100 { Codec::Stored } else { Codec::Zstd }, "{bytes}");
        assert!(bytes < 4096 || encoded_bytes * 2 < bytes);
        assert_eq!(round_trip(&noise(bytes), None), (Codec::Stored, bytes));
    }
}

#[test]
fn a_block_that_resembles_its_base_is_small() {
    let old = noise(300_000);
    let mut new = old.clone();
    new.splice(100_000..100_000, *b"a few bytes more");
    let (codec, encoded_bytes) = round_trip(&new, Some(&old));
    assert_eq!(codec, Codec::ZstdPrefix);
    assert!(encoded_bytes < 1000, "{encoded_bytes} bytes");
    assert_eq!(round_trip(&noise(5000), Some(&text(5000))), (Codec::Stored, 5000));
}

#[test]
fn what_zstd_would_take_for_a_dictionary_is_no_base() {
    let mut old = DICTIONARY_MAGIC.to_vec();
    old.extend(noise(1000));
    assert_eq!(round_trip(&old.clone(), Some(&old)), (Codec::Stored, old.len()));
    assert_eq!(round_trip(&noise(1000), Some(b"")), (Codec::Stored, 1000));
}

#[test]
fn an_encoder_keeps_nothing_from_block_to_block() {
    let mut encoder = Encoder::new(3).expect("memory");
    let (mut first, mut second) = (Vec::new(), Vec::new());
    let once = encoder.encode(&text(10_000), &mut first).bytes.to_vec();
    encoder.encode_with_prefix(&text(9000), &noise(9000), &mut second);
    assert_eq!(encoder.encode(&text(10_000), &mut second).bytes, once);
}

/// Decodes after `defect` was done to a good block, whose check is made to fit again.
fn after(defect: impl FnOnce(&mut BlockRow, &mut Vec<u8>)) -> Result<(), DecodeError> {
    let mut buffer = Vec::new();
    let raw = text(5000);
    let encoded = Encoder::new(1).expect("memory").encode(&raw, &mut buffer);
    let mut row = row(encoded.summary(None));
    let mut bytes = encoded.bytes.to_vec();
    defect(&mut row, &mut bytes);
    row.check = crc32fast::hash(&bytes);
    row.encoded_bytes = u32::try_from(bytes.len()).expect("small");
    let mut decoder = Decoder::new().expect("memory");
    decoder.decode(&row, &bytes, &[], &mut Vec::new()).map(drop)
}

#[test]
fn a_block_is_exactly_one_frame() {
    assert_eq!(after(|_, _| ()), Ok(()));
    assert!(after(|_, bytes| bytes.push(0)).is_err());
    assert!(after(|_, bytes| bytes.truncate(bytes.len() - 1)).is_err());
    assert!(after(|_, bytes| bytes.clear()).is_err());
    assert!(after(|_, bytes| bytes.extend_from_within(..)).is_err());
    let skippable = [0x50, 0x2A, 0x4D, 0x18, 4, 0, 0, 0, 1, 2, 3, 4];
    assert!(after(|_, bytes| drop(bytes.splice(..0, skippable))).is_err());
    assert!(after(|row, _| row.raw_bytes += 1).is_err());
    assert!(after(|row, _| row.raw_bytes -= 1).is_err());
    assert!(after(|row, _| row.raw_bytes = u32::MAX).is_err());
    assert!(after(|row, _| row.codec = Codec::ZstdPrefix).is_err());
    assert!(after(|row, _| row.depth = 1).is_err());
}

#[test]
fn a_frame_without_its_length_is_refused() {
    let raw = text(5000);
    let mut context = CCtx::create();
    let content_size = zstd_safe::CParameter::ContentSizeFlag(false);
    context.set_parameter(content_size).expect("a known parameter");
    let mut bytes = vec![0; 6000];
    let written = context.compress2(bytes.as_mut_slice(), &raw).expect("enough space");
    let refused = after(|_, into| *into = bytes[..written].to_vec());
    assert!(refused.expect_err("no length").reason.contains("another length"));
}

#[test]
fn every_flipped_byte_is_noticed() {
    let raw = text(600);
    let mut buffer = Vec::new();
    let encoded = Encoder::new(1).expect("memory").encode(&raw, &mut buffer);
    let row = row(encoded.summary(None));
    let mut decoder = Decoder::new().expect("memory");
    for at in 0..encoded.bytes.len() {
        let mut bytes = encoded.bytes.to_vec();
        bytes[at] ^= 0x10;
        let mut into = Vec::new();
        assert!(decoder.decode(&row, &bytes, &[], &mut into).is_err(), "check, byte {at}");
        let row = BlockRow { check: crc32fast::hash(&bytes), ..row };
        if let Ok(decoded) = decoder.decode(&row, &bytes, &[], &mut into) {
            assert_eq!(decoded.len(), raw.len(), "byte {at}");
        }
    }
}

#[test]
fn a_block_is_decoded_only_as_far_as_asked() {
    let raw: Vec<u8> =
        noise(1 << 20).iter().flat_map(|byte| [b'a' + byte % 16, b' ']).take(1 << 20).collect();
    let (mut encoder, mut decoder) = (Encoder::new(1).unwrap(), Decoder::new().unwrap());
    let (mut buffer, mut out) = (Vec::new(), Vec::new());
    let encoded = encoder.encode(&raw, &mut buffer);
    assert_eq!(encoded.codec, Codec::Zstd);
    let (row, frame) = (row(encoded.summary(None)), encoded.bytes);
    let mut decode = |bytes: usize, frame: &[u8]| {
        let mut end_max = 0;
        let read = |offset: u64, into: &mut [u8]| {
            let start = usize::try_from(offset - row.offset).unwrap();
            end_max = end_max.max(start + into.len());
            into.copy_from_slice(&frame[start..start + into.len()]);
            Ok::<(), DecodeError>(())
        };
        let is_decoded = decoder.decode_beginning(&row, bytes, read, &mut out).unwrap();
        assert!(!is_decoded || (out.len() >= bytes && raw.starts_with(&out)));
        (is_decoded, end_max)
    };
    for bytes in [1, 200 << 10, 600 << 10, 1 << 20] {
        let (is_decoded, read) = decode(bytes, frame);
        assert!(is_decoded && read <= frame.len() * bytes / raw.len() + (128 << 10), "{bytes}");
    }
    assert!(!decode((1 << 20) + 1, frame).0);
    // What is wrong behind that point does not matter, what is wrong before it is no answer.
    let mut damaged = frame.to_vec();
    damaged[frame.len() - 20..].fill(0xff);
    assert!(decode(64 << 10, &damaged).0);
    damaged[..4].fill(0);
    assert!(!decode(64 << 10, &damaged).0);
    // The decoder is as new after each.
    let back = decoder.decode(&row, frame, &[], &mut out).map(<[u8]>::to_vec);
    assert_eq!(back.unwrap(), raw);
}
