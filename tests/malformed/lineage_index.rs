//! Lineage indexes with one defect each: nothing is read from them.

use provenance::format::lineage_index::{Directory, State, TRAILER_BYTES, Table, Trailer};
use provenance::object::{DecodeError, ObjectId};

use super::with;
use crate::support::{fixture, sample};

fn directory(bytes: &[u8]) -> Result<Directory, DecodeError> {
    let short = || DecodeError::new("lineage index", 0, "shorter than its end");
    let end = bytes.last_chunk().ok_or_else(short)?;
    let trailer = Trailer::decode(end, bytes.len() as u64)?;
    let start = usize::try_from(trailer.offset).map_err(|_| short())?;
    let end = start + usize::try_from(trailer.bytes).map_err(|_| short())?;
    Directory::decode(&bytes[start..end], &trailer)
}

/// Puts the check that belongs to the bytes before it.
fn resealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let end = bytes.len() - 8;
    let check = ObjectId::of(&bytes[..end]);
    bytes[end..].copy_from_slice(&check.as_bytes()[..8]);
    bytes
}

#[test]
fn a_segment_with_a_defect_is_refused() {
    let good = fixture::read("format/v1/lineage-index/segment");
    assert!(directory(&good).is_ok());
    for (defect, bytes) in [
        ("segment-cut-short", good[..good.len() - 1].to_vec()),
        ("segment-longer", [good.as_slice(), b"x"].concat()),
        ("segment-magic-other", with(good.clone(), 1, b"2")),
        ("segment-rows-more", with(good.clone(), TRAILER_BYTES, &[2])),
        ("segment-rows-most", with(good.clone(), TRAILER_BYTES, &[0xFF; 20])),
        ("segment-rows-moved", with(good.clone(), TRAILER_BYTES - 8, &[0, 0, 0, 0, 2])),
        ("segment-directory-damaged", with(good.clone(), TRAILER_BYTES + 1, &[0xFF])),
        ("segment-check-other", with(good.clone(), 12, &[0; 4])),
    ] {
        let name = format!("malformed/lineage-index/{defect}");
        fixture::check(&name, &bytes);
        assert!(directory(&fixture::read(&name)).is_err(), "{defect}");
    }
}

#[test]
fn a_page_with_a_defect_is_refused() {
    let mut bytes = fixture::read("format/v1/lineage-index/segment");
    let directory = directory(&bytes).unwrap();
    let page = directory.pages_of(Table::Users, &sample::id("data")).next().unwrap();
    let start = usize::try_from(page.offset).unwrap();
    assert!(page.is_sound(&bytes[start..start + page.bytes]));
    assert!(!page.is_sound(&bytes[start..start + page.bytes - 1]));
    bytes[start + 11] ^= 1;
    fixture::check("malformed/lineage-index/segment-page-damaged", &bytes);
    assert!(!page.is_sound(&bytes[start..start + page.bytes]));
}

#[test]
fn a_state_with_a_defect_is_refused() {
    let good = fixture::read("format/v1/lineage-index/state");
    for (defect, bytes) in [
        ("state-cut-short", good[..good.len() - 1].to_vec()),
        ("state-empty", Vec::new()),
        ("state-magic-other", with(good.clone(), good.len() - 7, b"X")),
        ("state-segments-more", resealed(with(good.clone(), good.len() - 76, &[9]))),
        ("state-segments-most", resealed(with(good.clone(), good.len() - 76, &[0xFF; 4]))),
        ("state-packs-more", resealed(with(good.clone(), good.len() - 80, &[9]))),
        ("state-packs-fewer", resealed(with(good.clone(), good.len() - 80, &[1]))),
        ("state-longer", resealed([good.as_slice(), b"x"].concat())),
        ("state-segment-other", with(good.clone(), 10, &[9])),
    ] {
        let name = format!("malformed/lineage-index/{defect}");
        fixture::check(&name, &bytes);
        assert!(State::decode(&fixture::read(&name)).is_err(), "{defect}");
    }
}
