//! Packs keep their bytes, and give back what was put in.

use provenance::format::pack::{ObjectKind, PackClass};
use provenance::object::ObjectId;

use crate::support::{fixture, pack};

#[test]
fn packs_are_written_as_ever() {
    let (data, trailer) = pack::write(PackClass::Data, &pack::data_blocks());
    fixture::check("format/v1/pack/data.pack", &data);
    fixture::check("format/v1/pack/data.id", format!("{}\n", trailer.id).as_bytes());
    let (records, trailer) = pack::write(PackClass::Records, &pack::records_blocks());
    fixture::check("format/v1/pack/records.pack", &records);
    fixture::check("format/v1/pack/records.id", format!("{}\n", trailer.id).as_bytes());
}

#[test]
fn packs_are_read_as_ever() {
    let objects = pack::read(&fixture::read("format/v1/pack/data.pack")).expect("a golden pack");
    assert!(objects.iter().map(|(row, _)| (row.id, row.kind)).is_sorted());
    for content in [b"hello, provenance\n".to_vec(), Vec::new(), pack::rows(), pack::rows_edited()]
    {
        let id = ObjectId::of(&content);
        assert!(objects.iter().any(|(row, found)| row.id == id && *found == content), "{id}");
    }
    assert!(objects.iter().any(|(row, _)| row.kind == ObjectKind::ChunkMap));
    let records = pack::read(&fixture::read("format/v1/pack/records.pack")).expect("golden");
    assert_eq!(records.len(), 3);
}
