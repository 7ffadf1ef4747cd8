//! Bytes of stamps: what was written is read, and no damage is believed.

use super::*;
use crate::object::ObjectId;

fn record(size: u64) -> Record {
    let stamp = Stamp { mtime_ns: 5, ctime_ns: -6, ino: 7, size, mode: 0o100_644 };
    Record { stamp, id: ObjectId::of(&size.to_le_bytes()) }
}

/// The root with `a` and `b`, where directory `a.d` holds `x`.
fn file() -> Vec<u8> {
    let mut table = TableBuilder::default();
    let mut bytes = HEADER.to_vec();
    let write = |names: &[&[u8]], bytes: &mut Vec<u8>| {
        let mut builder = PartBuilder::default();
        names.iter().zip(1..).for_each(|(name, size)| builder.push(name, record(size)));
        let mut part = builder.take(PART_FILES).expect("it holds files");
        part.row.offset = bytes.len() as u64;
        bytes.extend_from_slice(&part.bytes);
        vec![part.row]
    };
    let root = table.push(b"");
    let inner = table.push(b"a.d");
    let parts = write(&[b"x"], &mut bytes);
    let row = DirectoryRow { ino: 9, is_complete: true, subtree_end: 2, ..DirectoryRow::default() };
    table.close(inner, &row, &parts);
    let parts = write(&[b"a", b"b\xff"], &mut bytes);
    let row = DirectoryRow { subtree_end: 2, ..DirectoryRow::default() };
    table.close(root, &row, &parts);
    let tables = table.encode(bytes.len() as u64, &ObjectId::of(b"tree"), 3);
    bytes.extend_from_slice(&tables);
    bytes
}

#[test]
fn what_was_written_is_read() {
    let bytes = file();
    let view = View::open(&bytes).unwrap();
    assert_eq!((view.tree(), view.file_count()), (ObjectId::of(b"tree"), 3));
    let tables = view.tables();
    assert_eq!(tables.children(0).collect::<Vec<_>>(), [(1, &b"a.d"[..])]);
    let root = tables.row(0).unwrap();
    assert_eq!((root.subtree_end, root.part_count, root.is_complete), (2, 1, false));
    let inner = tables.row(1).unwrap();
    assert_eq!((inner.subtree_end, inner.ino, inner.is_complete), (2, 9, true));
    let part = view.part(root.first_part).unwrap();
    part.check_ids().unwrap();
    assert_eq!(part.len(), 2);
    assert_eq!(part.get(1).unwrap(), (c"b\xff", record(2).stamp));
    assert_eq!(part.id(1).unwrap(), record(2).id);
    assert!(part.get(2).is_err() && part.id(2).is_err());
    assert_eq!(part.lower_bound(b"aa").unwrap(), 1);
    assert_eq!(part.lower_bound(b"c").unwrap(), 2);
}

/// Any one flipped bit is either noticed, or lies in padding that says nothing.
#[test]
fn no_flipped_bit_is_believed() {
    let bytes = file();
    let whole = |bytes: &[u8]| -> Result<(), crate::object::DecodeError> {
        let view = View::open(bytes)?;
        for number in 0..2 {
            view.part(number)?.check_ids()?;
        }
        Ok(())
    };
    whole(&bytes).unwrap();
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1 << bit;
            assert!(whole(&damaged).is_err(), "byte {at}, bit {bit}");
        }
        assert!(whole(&bytes[..at]).is_err(), "cut at {at}");
    }
}

#[test]
fn taking_the_first_files_leaves_the_rest_whole() {
    let mut builder = PartBuilder::default();
    for name in [b"a".as_slice(), b"bb", b"ccc"] {
        builder.push(name, record(name.len() as u64));
    }
    let first = builder.take(2).unwrap();
    let second = builder.take(2).unwrap();
    assert!(builder.take(1).is_none());
    for (part, names) in [(first, vec![c"a", c"bb"]), (second, vec![c"ccc"])] {
        let opened = Part::open(&part.bytes, &part.row).unwrap();
        let read: Vec<_> = (0..opened.len()).map(|at| opened.get(at).unwrap().0).collect();
        assert_eq!(read, names);
    }
}

#[test]
fn a_stamp_as_young_as_its_moment_proves_nothing() {
    let at = |mtime_ns, ctime_ns| Stamp { mtime_ns, ctime_ns, ..Stamp::default() };
    let moment = 100_000_000_001;
    assert!(at(moment - 10_000_001, 1).is_settled(moment));
    assert!(!at(moment - 10_000_000, 1).is_settled(moment), "the same tick");
    assert!(!at(1, moment - 1).is_settled(moment), "only the change time is young");
    assert!(!at(moment + 5, 1).is_settled(moment), "from the future");
    assert!(!at(99_000_000_000, 99_000_000_000).is_settled(moment), "whole seconds only");
    assert!(at(97_000_000_000, 97_000_000_000).is_settled(moment));
}

#[test]
fn kinds_come_from_the_mode() {
    let of = |mode| Stamp { mode, ..Stamp::default() }.kind();
    assert_eq!(of(0o100_644), Some(FileKind::File));
    assert_eq!(of(0o100_700), Some(FileKind::Executable));
    assert_eq!(of(0o120_777), Some(FileKind::Symlink));
    assert_eq!(of(0o040_755), None);
    assert_eq!(of(0o010_644), None);
}
