//! What only a folder can show: leftovers, foreign files, full disks, read-only files.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use provenance::storage::{Created, FolderStorage, IfTaken, Reason, Storage, StorageError};

use super::storage::key;

fn folder() -> (tempfile::TempDir, FolderStorage) {
    let dir = tempfile::tempdir().unwrap();
    let storage = FolderStorage::open(dir.path()).unwrap();
    (dir, storage)
}

#[test]
fn a_folder_that_is_not_there_is_an_error_and_is_not_made() {
    let (dir, storage) = folder();
    let missing = dir.path().join("missing");
    let refused = FolderStorage::open(&missing).unwrap_err();
    assert_eq!(refused.reason(), Some(Reason::Missing));
    fs::write(dir.path().join("file"), b"").unwrap();
    assert!(FolderStorage::open(dir.path().join("file")).is_err());
    assert!(FolderStorage::make(&missing).is_ok());
    assert!(FolderStorage::make(&missing).is_ok(), "again");
    drop(dir);
    // Once lost: a share that was not mounted looked like an empty repository.
    assert_eq!(storage.list("pack/").unwrap_err().reason(), Some(Reason::Missing));
    assert_eq!(storage.create(&key("a"), b"").unwrap_err().reason(), Some(Reason::Missing));
}

#[test]
fn what_a_killed_writer_left_is_swept_by_age_only() {
    let (dir, storage) = folder();
    let mut upload = storage.begin(None).unwrap();
    upload.write(&[1; 2 << 20]).unwrap();
    std::mem::forget(upload);
    assert!(storage.list("").unwrap().is_empty());
    assert_eq!(storage.sweep(3_600_000, true).unwrap().files, 0, "it may be at work still");
    let found = storage.sweep(0, false).unwrap();
    assert_eq!((found.files, found.bytes), (1, 2 << 20));
    assert_eq!(storage.sweep(0, true).unwrap(), found);
    assert_eq!(storage.sweep(0, true).unwrap().files, 0);
    assert_eq!(fs::read_dir(dir.path().join("tmp")).unwrap().count(), 0);
}

#[test]
fn files_of_others_are_not_listed_opened_or_waited_for() {
    let (dir, storage) = folder();
    let pack = dir.path().join("pack");
    fs::create_dir(&pack).unwrap();
    fs::write(pack.join(".nfs0001"), b"").unwrap();
    fs::write(pack.join("a b~"), b"").unwrap();
    fs::create_dir(pack.join("folder")).unwrap();
    symlink("/etc/passwd", pack.join("link")).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, pack.join("pipe"), 0o600.into()).unwrap();
    assert!(storage.list("").unwrap().is_empty());
    for name in ["pack/link", "pack/pipe", "pack/folder"] {
        assert!(storage.open(&key(name)).is_err(), "{name}");
    }
    let mut upload = storage.begin(None).unwrap();
    upload.write(b"good").unwrap();
    let created = storage.finish(upload, &key("pack/link")).unwrap();
    assert_eq!(created, Created::Mended(key("quarantine/pack/link")));
    assert_eq!(storage.load(&key("pack/link"), 9).unwrap().unwrap(), b"good");
}

#[test]
fn stored_files_cannot_be_written_by_accident() {
    let (dir, storage) = folder();
    storage.create(&key("pack/a"), b"x").unwrap();
    let mode = fs::metadata(dir.path().join("pack/a")).unwrap().permissions().mode();
    assert_eq!(mode & 0o333, 0, "{mode:o}");
}

#[test]
fn a_file_on_a_local_disk_can_be_mapped() {
    let (_dir, storage) = folder();
    storage.create(&key("pack/a"), b"bytes").unwrap();
    let source = storage.open(&key("pack/a")).unwrap().unwrap();
    assert_eq!(source.map(), storage.is_local().then_some(&b"bytes"[..]));
}

#[test]
fn a_stored_file_that_was_cut_is_noticed() {
    let (dir, storage) = folder();
    storage.create(&key("a"), b"0123456789").unwrap();
    let source = storage.open(&key("a")).unwrap().unwrap();
    fs::set_permissions(dir.path().join("a"), fs::Permissions::from_mode(0o600)).unwrap();
    fs::File::options().write(true).open(dir.path().join("a")).unwrap().set_len(4).unwrap();
    let refused = source.read_exact_at(0, &mut [0; 10]);
    assert!(matches!(refused, Err(StorageError::Length { expected: 10, found: 4, .. })));
}

/// Large files are written past the page cache in aligned pieces: no length may fall between them.
#[test]
fn a_large_file_of_any_length_reads_back_as_it_was_written() {
    let (_dir, storage) = folder();
    for (name, rest) in [("even", 0), ("odd", 1), ("page", 4096), ("piece", (4 << 20) + 4095)] {
        let content: Vec<u8> = (0..(21 << 20) + rest)
            .map(|at: u32| (at.wrapping_mul(0x9E37_79B9) >> 24) as u8)
            .collect();
        let mut upload = storage.begin(None).unwrap();
        for piece in content.chunks(700_001) {
            upload.write(piece).unwrap();
        }
        upload.sync().unwrap();
        upload.write(b"after the sync").unwrap();
        upload.install(&key(name), IfTaken::Keep).unwrap();
        let source = storage.open(&key(name)).unwrap().unwrap();
        assert_eq!(source.len(), content.len() as u64 + 14, "{name}");
        let mut found = vec![0; content.len() + 14];
        source.read_exact_at(0, &mut found).unwrap();
        assert!(found[..content.len()] == content, "{name}");
        assert_eq!(&found[content.len()..], b"after the sync", "{name}");
    }
}

#[test]
fn space_reserved_but_not_used_is_given_back() {
    use std::os::unix::fs::MetadataExt;
    let (dir, storage) = folder();
    let mut upload = storage.begin(Some(64 << 20)).unwrap();
    upload.write(&[1; 1000]).unwrap();
    storage.finish(upload, &key("a")).unwrap();
    let found = fs::metadata(dir.path().join("a")).unwrap();
    assert_eq!(found.len(), 1000);
    assert!(found.blocks() * 512 < 1 << 20, "{} blocks", found.blocks());
}

/// A small file system of its own; unmounted when dropped.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    /// Mounts a few MiB of memory, or says loudly why not.
    fn mount(mib: u32) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let mount = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={mib}m,nr_inodes=100"), "tmpfs"])
            .arg(dir.path())
            .output();
        if mount.is_ok_and(|done| done.status.success()) {
            return Some(Self(dir));
        }
        println!("SKIPPED: only root may mount the small disk that this test fills");
        None
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        std::process::Command::new("umount").arg("-l").arg(self.0.path()).status().unwrap();
    }
}

#[test]
fn a_full_disk_leaves_the_storage_as_it_was() {
    let Some(disk) = SmallDisk::mount(1) else { return };
    let storage = FolderStorage::open(disk.0.path()).unwrap();
    storage.create(&key("pack/a"), b"before").unwrap();
    let refused = storage.begin(Some(2 << 20)).map(|_| ()).unwrap_err();
    assert_eq!(refused.reason(), Some(Reason::NoSpace), "told before the work: {refused}");

    let mut upload = storage.begin(None).unwrap();
    let refused = (0..4)
        .try_for_each(|_| upload.write(&[1; 1 << 20]))
        .and_then(|()| upload.sync())
        .unwrap_err();
    assert_eq!(refused.reason(), Some(Reason::NoSpace), "{refused}");
    let refused = upload.install(&key("pack/b"), IfTaken::Mend).unwrap_err();
    assert!(matches!(refused, StorageError::Dead { .. }), "a dead upload stays dead");

    let keys = storage.list("").unwrap();
    assert_eq!(keys, [key("pack/a")]);
    assert_eq!(storage.load(&keys[0], 99).unwrap().unwrap(), b"before");
    assert_eq!(storage.create(&key("pack/b"), b"after").unwrap(), Created::New, "room again");
}

/// The thread that writes a large file meets the end of the disk while its owner goes on.
#[test]
fn a_disk_that_fills_under_a_large_file_leaves_nothing() {
    let Some(disk) = SmallDisk::mount(24) else { return };
    let storage = FolderStorage::open(disk.0.path()).unwrap();
    let mut upload = storage.begin(None).unwrap();
    let refused = (0..40)
        .try_for_each(|_| upload.write(&[1; 1 << 20]))
        .and_then(|()| upload.sync())
        .unwrap_err();
    assert_eq!(refused.reason(), Some(Reason::NoSpace), "{refused}");
    assert!(matches!(upload.write(b"more").unwrap_err(), StorageError::Dead { .. }));
    drop(upload);
    assert_eq!(storage.list("").unwrap(), []);
    let mut upload = storage.begin(None).unwrap();
    (0..20).for_each(|_| upload.write(&[1; 1 << 20]).unwrap());
    upload.install(&key("pack/a"), IfTaken::Keep).unwrap();
}
