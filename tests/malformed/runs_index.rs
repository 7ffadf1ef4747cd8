//! Runs indexes with one defect each: nothing is read from them.

use provenance::format::runs_index::{Directory, State, TRAILER_BYTES, Trailer};
use provenance::object::DecodeError;

use super::with;
use crate::support::fixture;

fn directory(bytes: &[u8]) -> Result<Directory, DecodeError> {
    let short = || DecodeError::new("runs index", 0, "shorter than its end");
    let end = bytes.last_chunk().ok_or_else(short)?;
    let trailer = Trailer::decode(end, bytes.len() as u64)?;
    let start = usize::try_from(trailer.offset).map_err(|_| short())?;
    let end = start + usize::try_from(trailer.bytes).map_err(|_| short())?;
    Directory::decode(&bytes[start..end], &trailer)
}

#[test]
fn a_segment_with_a_defect_is_refused() {
    let good = fixture::read("format/v1/runs-index/segment");
    assert!(directory(&good).is_ok());
    for (defect, bytes) in [
        ("segment-cut-short", good[..good.len() - 1].to_vec()),
        ("segment-longer", [good.as_slice(), b"x"].concat()),
        ("segment-magic-other", with(good.clone(), 1, b"2")),
        ("segment-directory-elsewhere", with(good.clone(), TRAILER_BYTES, &[0; 8])),
        ("segment-directory-damaged", with(good.clone(), TRAILER_BYTES + 1, &[0xFF])),
        ("segment-columns-more", with(good.clone(), TRAILER_BYTES - 20, &[200])),
        ("segment-check-other", with(good.clone(), 16, &[0; 8])),
    ] {
        let name = format!("malformed/runs-index/{defect}");
        fixture::check(&name, &bytes);
        assert!(directory(&fixture::read(&name)).is_err(), "{defect}");
    }
}

#[test]
fn a_column_with_a_defect_is_refused() {
    let mut bytes = fixture::read("format/v1/runs-index/segment");
    let directory = directory(&bytes).unwrap();
    let (_, place) = directory.fields().next().unwrap();
    let range = |offset: u64, length: u64| {
        let start = usize::try_from(offset).unwrap();
        start..start + usize::try_from(length).unwrap()
    };
    let range = range(place.offset, place.bytes);
    assert!(place.decode(bytes[range.clone()].to_vec(), 16).is_ok());
    bytes[range.start] ^= 1;
    fixture::check("malformed/runs-index/segment-column-damaged", &bytes);
    assert!(place.decode(bytes[range].to_vec(), 16).is_err());
}

#[test]
fn a_state_with_a_defect_is_refused() {
    let good = fixture::read("format/v1/runs-index/state");
    assert!(State::decode(&good).is_ok());
    for (defect, bytes) in [
        ("state-cut-short", good[..good.len() - 1].to_vec()),
        ("state-longer", [good.as_slice(), b"x"].concat()),
        ("state-check-other", with(good.clone(), 1, &[0])),
        ("state-magic-other", [b"X", &good[1..]].concat()),
        ("state-empty", Vec::new()),
    ] {
        let name = format!("malformed/runs-index/{defect}");
        fixture::check(&name, &bytes);
        assert!(State::decode(&fixture::read(&name)).is_err(), "{defect}");
    }
}
