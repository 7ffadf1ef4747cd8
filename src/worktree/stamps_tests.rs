//! Stamps against a plain map: whatever changes, what is written is what a rebuild would give.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::format::stamps::PART_FILES_MAX;

type Files = BTreeMap<TreePath, Record>;

fn path(text: &str) -> TreePath {
    TreePath::new(text).unwrap()
}

fn record(size: u64) -> Record {
    let stamp = Stamp { mtime_ns: 1, ctime_ns: 2, ino: 3, size, mode: 0o100_644 };
    Record { stamp, id: ObjectId::of(&size.to_le_bytes()) }
}

struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    fn open(&self) -> Stamps {
        Stamps::open(&self.dir.path().join("stamps")).unwrap()
    }

    /// Applies changes to what is there.
    fn update(&self, changes: &BTreeMap<TreePath, Option<Record>>) {
        let old = Stamps::open(&self.dir.path().join("stamps"));
        let mut writer = StampsWriter::new(old.as_ref(), self.dir.path(), i64::MAX).unwrap();
        for (path, change) in changes {
            match change {
                Some(record) => writer.put(path, *record).unwrap(),
                None => writer.remove(path).unwrap(),
            }
        }
        writer.finish(&self.dir.path().join("stamps"), &ObjectId::of(b"t")).unwrap();
    }
}

/// Reads everything back, by the tables and by the finder.
fn read(stamps: &Stamps) -> Files {
    let view = stamps.view().unwrap();
    let tables = view.tables();
    let mut files = Files::new();
    let mut open: Vec<(u32, String)> = Vec::new();
    for number in 0..tables.len() {
        let row = tables.row(number).unwrap();
        open.retain(|(end, _)| *end > number);
        let name = std::str::from_utf8(tables.name(number).unwrap()).unwrap();
        let outer = open.last().map_or("", |(_, path)| path);
        let here = if number == 0 { String::new() } else { format!("{outer}{name}/") };
        for number in row.first_part..row.first_part + row.part_count {
            let part = view.part(number).unwrap();
            part.check_ids().unwrap();
            assert!(part.len() <= PART_FILES_MAX);
            for file in 0..part.len() {
                let (name, stamp) = part.get(file).unwrap();
                let record = Record { stamp, id: part.id(file).unwrap() };
                files.insert(path(&format!("{here}{}", name.to_str().unwrap())), record);
            }
        }
        open.push((row.subtree_end, here));
    }
    assert_eq!(files.len() as u64, view.file_count());
    let mut finder = stamps.finder().unwrap();
    for (path, record) in &files {
        assert_eq!(finder.find(path).unwrap(), Some(*record), "{path}");
    }
    for (path, record) in files.iter().rev() {
        assert_eq!(finder.find(path).unwrap(), Some(*record), "{path} backwards");
    }
    files
}

#[test]
fn a_large_directory_is_split_and_an_update_rewrites_one_part() {
    let place = Place::new();
    let name = |number: u64| path(&format!("d/{number:06}"));
    let all = (0..20_000).map(|n| (name(2 * n), Some(record(n)))).collect();
    place.update(&all);
    let mut expected: Files = all.into_iter().map(|(path, r)| (path, r.unwrap())).collect();
    assert!(read(&place.open()) == expected);
    for odd in [1, 20_001, 39_999] {
        place.update(&BTreeMap::from([(name(odd), Some(record(odd)))]));
        expected.insert(name(odd), record(odd));
    }
    place.update(&BTreeMap::from([(name(8), None), (name(39_998), None), (path("zz"), None)]));
    expected.retain(|path, _| *path != name(8) && *path != name(39_998));
    assert!(read(&place.open()) == expected);
}

#[test]
fn a_file_may_become_a_directory_and_the_reverse() {
    let place = Place::new();
    place.update(&BTreeMap::from([(path("a"), Some(record(1))), (path("b/c"), Some(record(2)))]));
    let swap = [
        (path("a"), None),
        (path("a/x"), Some(record(3))),
        (path("b"), Some(record(4))),
        (path("b/c"), None),
    ];
    place.update(&BTreeMap::from(swap));
    let expected = Files::from([(path("a/x"), record(3)), (path("b"), record(4))]);
    assert_eq!(read(&place.open()), expected);
}

#[test]
fn paths_out_of_order_are_refused_and_leave_the_old_file() {
    let place = Place::new();
    place.update(&BTreeMap::from([(path("a"), Some(record(1)))]));
    let old = place.open();
    let mut writer = StampsWriter::new(Some(&old), place.dir.path(), 0).unwrap();
    writer.put(&path("b"), record(2)).unwrap();
    assert!(matches!(writer.put(&path("a"), record(3)), Err(StampsError::Order { .. })));
    drop(writer);
    assert_eq!(read(&place.open()), Files::from([(path("a"), record(1))]));
    assert_eq!(std::fs::read_dir(place.dir.path()).unwrap().count(), 1, "no leftovers");
}

#[test]
fn what_is_no_stamps_file_is_none() {
    let place = Place::new();
    let file = place.dir.path().join("stamps");
    assert!(Stamps::open(&file).is_none());
    std::fs::File::create(&file).unwrap();
    assert!(Stamps::open(&file).is_none(), "empty");
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    assert!(Stamps::open(&file).is_none(), "a folder");
}

fn paths() -> impl Strategy<Value = TreePath> {
    proptest::collection::vec("[a-c]{1,2}", 1..4).prop_map(|names| path(&names.join("/")))
}

proptest! {
    #[test]
    fn updates_are_those_of_a_map(
        rounds in proptest::collection::vec(
            proptest::collection::btree_map(paths(), proptest::option::of(0..99_u64), 0..12),
            1..6,
        )
    ) {
        let place = Place::new();
        let mut expected = Files::new();
        for round in rounds {
            let mut changes = BTreeMap::new();
            for (path, size) in round {
                // A path cannot be a file and a directory at once.
                let is_taken = |other: &TreePath| {
                    *other != path && (other.starts_with(&path) || path.starts_with(other))
                };
                if size.is_some() && expected.keys().any(is_taken) {
                    continue;
                }
                changes.insert(path.clone(), size.map(record));
                match size {
                    Some(size) => expected.insert(path, record(size)),
                    None => expected.remove(&path),
                };
            }
            place.update(&changes);
            prop_assert_eq!(&read(&place.open()), &expected);
        }
    }
}
