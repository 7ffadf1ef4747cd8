//! The id of a blob is what `b3sum` prints, and the hash beside it what `sha256sum` prints.

use provenance::object::{ContentHasher, ObjectId, Sha256};

use crate::support::fixture;

#[test]
fn a_blob_is_named_by_what_b3sum_prints() {
    let blob: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
    let mut hasher = ContentHasher::new();
    blob.chunks(4_099).for_each(|piece| hasher.update(piece));
    let (id, sha256) = hasher.finish();
    assert_eq!(id, ObjectId::of(&blob));
    assert_eq!(sha256, Sha256::of(&blob));
    fixture::check("format/v1/object/blob-400000.b3sum", format!("{id}\n").as_bytes());
    fixture::check("format/v1/object/blob-400000.sha256sum", format!("{sha256}\n").as_bytes());
    fixture::check("format/v1/object/record-form", format!("{}\n", id.to_record()).as_bytes());
}
