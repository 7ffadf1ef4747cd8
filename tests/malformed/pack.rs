//! Packs with one defect each, and whatever a single byte can do.

use provenance::format::pack::{ObjectKind, PackClass, Trailer};
use provenance::object::ObjectId;

use crate::support::pack::Block;
use crate::support::{fixture, pack};

const BLOCK_ROW: usize = 28;

/// A good pack that is about to get a defect.
struct Pack {
    file: Vec<u8>,
    trailer: Trailer,
}

impl Pack {
    fn new() -> Self {
        let (file, trailer) = pack::write(PackClass::Data, &pack::data_blocks());
        Self { file, trailer }
    }

    fn footer(&self) -> usize {
        usize::try_from(self.trailer.footer_offset).expect("small")
    }

    fn bases(&self) -> usize {
        self.footer() + self.trailer.block_count as usize * BLOCK_ROW
    }

    fn fan_out(&self) -> usize {
        self.bases() + self.trailer.base_count as usize * 32
    }

    fn ids(&self) -> usize {
        self.fan_out() + 1024
    }

    fn objects(&self) -> usize {
        self.ids() + self.trailer.object_count as usize * 32
    }

    fn trailer_at(&self) -> usize {
        self.file.len() - 96
    }

    fn set(mut self, at: usize, bytes: &[u8]) -> Self {
        self.file[at..at + bytes.len()].copy_from_slice(bytes);
        self
    }

    fn add(self, at: usize, more: u8) -> Self {
        let value = self.file[at].wrapping_add(more);
        self.set(at, &[value])
    }

    /// Names the pack anew, so that nothing but the defect is wrong.
    fn named_anew(self) -> Vec<u8> {
        let (footer, end) = (self.footer(), self.file.len() - 42);
        let hashed = [&self.file[..16], &self.file[footer..end]].concat();
        self.set(end, ObjectId::of(&hashed).as_bytes()).file
    }
}

/// Gives (defect, file, what the error must say).
fn defects() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let good = Pack::new().file;
    let mut defects = vec![
        ("empty", Vec::new(), "another length"),
        ("truncated", good[..good.len() / 2].to_vec(), "does not end as a pack"),
        ("truncated-at-front", good[1..].to_vec(), "not a pack"),
        ("padded", [&good[..], &[0]].concat(), "does not end as a pack"),
        ("footer-changed", Pack::new().add(Pack::new().ids() + 5, 1).file, "not those"),
        ("block-changed", Pack::new().add(20, 1).file, "not those"),
    ];
    defects.extend(of_frame().map(|(defect, pack, reason)| (defect, pack.named_anew(), reason)));
    defects.extend(of_blocks().map(|(defect, pack, reason)| (defect, pack.named_anew(), reason)));
    defects.extend(of_objects().map(|(defect, pack, reason)| (defect, pack.named_anew(), reason)));
    defects.extend(of_content());
    defects
}

/// Defects of the header and the trailer.
fn of_frame() -> impl Iterator<Item = (&'static str, Pack, &'static str)> {
    let pack = Pack::new;
    let at = pack().trailer_at();
    [
        ("header-magic", pack().set(0, b"GITPACKS"), "not a pack"),
        ("header-newer", pack().set(8, &[2]), "newer version"),
        ("header-other-class", pack().set(10, &[1]), "does not agree"),
        ("header-reserved", pack().set(15, &[1]), "does not agree"),
        ("trailer-magic", pack().add(at + 95, 1), "does not end as a pack"),
        ("trailer-newer", pack().set(at + 86, &[2]), "newer version"),
        ("trailer-version-0", pack().set(at + 86, &[0]), "no such version"),
        ("trailer-other-class", pack().set(at + 36, &[1]), "does not agree"),
        ("trailer-no-such-class", pack().set(at + 36, &[3]), "no such class"),
        ("trailer-reserved", pack().set(at + 37, &[1]), "reserved"),
        ("trailer-footer-moved", pack().add(at, 1), "does not follow"),
        ("trailer-other-length", pack().add(at + 8, 1), "does not follow"),
        ("trailer-raw-bytes", pack().add(at + 16, 1), "raw bytes"),
        ("trailer-no-blocks", pack().set(at + 24, &[0; 4]), "hold an object"),
        ("trailer-count-huge", pack().set(at + 32, &[0xFF; 4]), "does not follow"),
        ("trailer-bases-huge", pack().set(at + 28, &[0xFF; 4]), "more bases"),
        ("trailer-overflow", pack().set(at, &[0xFF; 8]), "does not follow"),
    ]
    .into_iter()
}

/// Defects of the block table and the base table.
fn of_blocks() -> impl Iterator<Item = (&'static str, Pack, &'static str)> {
    let pack = Pack::new;
    let row = |number: usize| pack().footer() + number * BLOCK_ROW;
    [
        ("block-offset", pack().add(row(1), 1), "not begin where"),
        ("block-in-footer", pack().set(row(1) + 1, &[0xFF]), "not between"),
        ("block-offset-huge", pack().set(row(1), &[0xFF; 8]), "not between"),
        ("block-encoded-length", pack().add(row(1) + 8, 1), "not begin where"),
        ("block-too-large", pack().set(row(1) + 12, &[1, 0, 0, 1]), "16 MiB"),
        ("block-stored-longer", pack().add(row(0) + 12, 1), "does not fit its codec"),
        ("block-frame-longer-than-raw", pack().set(row(1) + 12, &[9, 0]), "does not fit its codec"),
        ("block-codec", pack().set(row(1) + 20, &[3]), "block row is damaged"),
        ("block-depth-without-base", pack().set(row(1) + 21, &[1]), "names a base"),
        ("block-depth-0-with-base", pack().set(row(2) + 21, &[0]), "names no base"),
        ("block-depth-33", pack().set(row(2) + 21, &[33]), "names no base"),
        ("block-reserved", pack().set(row(1) + 22, &[1]), "block row is damaged"),
        ("block-base-missing", pack().set(row(2) + 24, &[2]), "block row is damaged"),
        ("block-base-none", pack().set(row(2) + 24, &[0]), "names no base"),
        ("block-base-stored", pack().set(row(0) + 24, &[1]), "names a base"),
        ("block-raw-length", pack().add(row(1) + 12, 1).add(pack().trailer_at() + 16, 1), "fill"),
    ]
    .into_iter()
}

/// Defects of the fan-out, the ids and the object table.
fn of_objects() -> impl Iterator<Item = (&'static str, Pack, &'static str)> {
    let pack = Pack::new;
    let (ids, rows) = (pack().ids(), pack().objects());
    let good = pack().file;
    let (first, second) = (good[ids..ids + 32].to_vec(), good[ids + 32..ids + 64].to_vec());
    let kind = |row: usize| rows + row * 16 + 12;
    let blob = (0..5).find(|row| good[kind(*row)] == 1).expect("a blob");
    let chunk = (0..5).find(|row| good[kind(*row)] == 6).expect("a chunk");
    [
        ("fan-out", pack().add(pack().fan_out() + 4 * 255, 1), "fan-out"),
        ("ids-swapped", pack().set(ids, &[second, first.clone()].concat()), "not sorted"),
        ("ids-twice", pack().set(ids + 32, &first), "not sorted"),
        ("object-block-missing", pack().set(rows, &[4]), "object row is damaged"),
        ("object-other-block", pack().add(rows + chunk * 16, 1), "fill"),
        ("object-offset", pack().add(rows + chunk * 16 + 4, 1), "fill"),
        ("object-length", pack().add(rows + chunk * 16 + 8, 0xFF), "fill"),
        ("object-kind", pack().set(kind(blob), &[8]), "object row is damaged"),
        ("object-kind-0", pack().set(kind(blob), &[0]), "object row is damaged"),
        ("object-kind-of-records", pack().set(kind(blob), &[2]), "object row is damaged"),
        ("object-reserved", pack().set(kind(blob) + 1, &[1]), "object row is damaged"),
    ]
    .into_iter()
}

/// Packs whose index is sound and whose blocks are not what it says.
fn of_content() -> impl Iterator<Item = (&'static str, Vec<u8>, &'static str)> {
    let rows = pack::rows();
    let frame = fixture::read("format/v1/pack/rows.zst");
    let chunk = |content: &[u8], frame: &[u8]| {
        let block = Block::frame(ObjectKind::Chunk, content, frame, None);
        pack::write(PackClass::Data, &[block]).0
    };
    let mut longer = rows.clone();
    longer.push(b'\n');
    let mut wrong = Block::stored(&[(ObjectKind::Blob, b"bytes")]);
    wrong.objects[0].0 = ObjectId::of(b"other bytes");
    let mut unused = pack::data_blocks();
    unused[2].summary.base = Some(ObjectId::of(b"nowhere"));
    let skippable = [&[0x50, 0x2A, 0x4D, 0x18, 1, 0, 0, 0, 0], &frame[..]].concat();
    [
        ("frame-truncated", chunk(&rows, &frame[..frame.len() - 1]), "exactly one zstd frame"),
        ("frame-and-more", chunk(&rows, &[&frame[..], &[0]].concat()), "exactly one zstd frame"),
        ("frame-after-another", chunk(&rows, &skippable), "not a zstd frame"),
        ("frame-of-another-length", chunk(&longer, &frame), "another length"),
        ("not-a-frame", chunk(&rows, b"rows"), "not a zstd frame"),
        ("object-of-another-id", pack::write(PackClass::Data, &[wrong]).0, "not those of its id"),
        ("base-elsewhere", pack::write(PackClass::Data, &unused).0, "cannot be a prefix"),
    ]
    .into_iter()
}

#[test]
fn packs_with_one_defect_are_refused() {
    for (defect, file, reason) in defects() {
        let refused = pack::read(&file).expect_err(defect);
        assert!(refused.reason.contains(reason), "{defect}: {refused}");
        fixture::check(&format!("malformed/pack/{defect}.pack"), &file);
    }
    for name in fixture::names("malformed/pack") {
        let file = fixture::read(&format!("malformed/pack/{name}"));
        assert!(pack::read(&file).is_err(), "{name} was accepted");
    }
}

#[test]
fn every_flipped_bit_and_every_truncation_is_noticed() {
    let good = Pack::new().file;
    assert!(pack::read(&good).is_ok());
    for at in 0..good.len() {
        for bit in 0..8 {
            let mut file = good.clone();
            file[at] ^= 1 << bit;
            assert!(pack::read(&file).is_err(), "bit {bit} of byte {at} was not noticed");
        }
        assert!(pack::read(&good[..at]).is_err(), "a pack of {at} bytes was accepted");
        assert!(pack::read(&good[at + 1..]).is_err(), "a pack from byte {at} was accepted");
    }
}
