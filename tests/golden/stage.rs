//! The stage is one spelling of one tree, and the stamps are read from where the page says.

use provenance::format::stage::Stage;
use provenance::format::stamps::{
    DirectoryRow, HEADER, PART_FILES, PartBuilder, PartRow, Record, Stamp, TableBuilder, View,
};
use provenance::object::ObjectId;

use crate::support::fixture;

#[test]
fn a_stage_is_spelled_in_one_way() {
    let stage = Stage { tree: ObjectId::of(b"tree") };
    fixture::check("format/v1/stage/stage.json", &stage.encode());
    let kept = fixture::read("format/v1/stage/stage.json");
    assert_eq!(Stage::decode(&kept), Ok(stage));
}

fn record(size: u64) -> Record {
    let second = 1_700_000_000_000_000_000 + size.cast_signed();
    let stamp = Stamp { mtime_ns: second, ctime_ns: second + 5, ino: 7, size, mode: 0o100_644 };
    Record { stamp, id: ObjectId::of(&size.to_le_bytes()) }
}

fn append(bytes: &mut Vec<u8>, files: &[(&[u8], u64)]) -> Vec<PartRow> {
    let mut builder = PartBuilder::default();
    files.iter().for_each(|(name, size)| builder.push(name, record(*size)));
    let mut part = builder.take(PART_FILES).expect("it holds files");
    part.row.offset = bytes.len() as u64;
    bytes.extend_from_slice(&part.bytes);
    vec![part.row]
}

#[test]
fn stamps_lie_where_the_page_says() {
    let mut bytes = HEADER.to_vec();
    let mut table = TableBuilder::default();
    let root = table.push(b"");
    let inner = table.push(b"a.d");
    let parts = append(&mut bytes, &[(b"x", 3)]);
    let seen = DirectoryRow {
        mtime_ns: 1_600_000_000_000_000_001,
        ctime_ns: 1_600_000_000_000_000_002,
        ino: 9,
        is_complete: true,
        subtree_end: 2,
        ..DirectoryRow::default()
    };
    table.close(inner, &seen, &parts);
    let parts = append(&mut bytes, &[(b"a", 1), (b"b\xff", 2)]);
    let row = DirectoryRow { subtree_end: 2, ..DirectoryRow::default() };
    table.close(root, &row, &parts);
    let tables = table.encode(bytes.len() as u64, &ObjectId::of(b"tree"), 3);
    bytes.extend_from_slice(&tables);
    fixture::check("format/v1/stage/stamps", &bytes);

    let kept = fixture::read("format/v1/stage/stamps");
    let view = View::open(&kept).unwrap();
    assert_eq!((view.tree(), view.file_count()), (ObjectId::of(b"tree"), 3));
    let part = view.part(view.tables().row(0).unwrap().first_part).unwrap();
    assert_eq!(part.get(1).unwrap(), (c"b\xff", record(2).stamp));
    assert_eq!(part.id(1).unwrap(), record(2).id);
}
