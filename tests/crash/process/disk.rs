//! Disks of our own: mounted for a test, filled, cut off, and there again. Needs root.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// How a disk is made and mounted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiskKind {
    pub name: &'static str,
    /// The program that makes the file system; none for one in memory.
    make: Option<&'static [&'static str]>,
    options: &'static str,
}

pub const EXT4: DiskKind = DiskKind {
    name: "ext4",
    make: Some(&["mkfs.ext4", "-q", "-F", "-m", "0", "-E", "lazy_itable_init=0"]),
    options: "loop",
};
pub const EXT4_PLAIN: DiskKind =
    DiskKind { name: "ext4 noauto_da_alloc", options: "loop,noauto_da_alloc", ..EXT4 };
pub const XFS: DiskKind =
    DiskKind { name: "xfs", make: Some(&["mkfs.xfs", "-q", "-f"]), options: "loop" };

/// A file system in memory with so much room.
pub const fn memory(options: &'static str) -> DiskKind {
    DiskKind { name: "tmpfs", make: None, options }
}

/// When the power goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// The file system may still write its own journal.
    AfterJournal = 1,
    /// At once.
    Now = 2,
}

/// A mounted file system, unmounted with the value.
pub struct Disk {
    kind: DiskKind,
    folder: TempDir,
}

impl Disk {
    /// Makes one of `megabytes`; `None`, said once a call, without root or the tools for it.
    pub fn make(kind: DiskKind, megabytes: u64) -> Option<Self> {
        let disk = Self { kind, folder: super::world::folder("provenance-disk-") };
        fs::create_dir(disk.mount()).expect("a folder");
        let is_made = kind.make.is_none_or(|make| {
            let image = fs::File::create(disk.image()).expect("an image");
            image.set_len(megabytes << 20).expect("an image");
            let mut command = Command::new(make[0]);
            command.args(&make[1..]).arg(disk.image());
            command.output().is_ok_and(|output| output.status.success())
        });
        if is_made && disk.attach() {
            return Some(disk);
        }
        super::skipped(&format!("no {} can be made and mounted here", kind.name));
        None
    }

    /// Where its files are.
    pub fn mount(&self) -> PathBuf {
        self.folder.path().join("mount")
    }

    fn image(&self) -> PathBuf {
        self.folder.path().join("image")
    }

    fn attach(&self) -> bool {
        let mut mount = Command::new("mount");
        match self.kind.make {
            Some(_) => mount.args(["-o", self.kind.options]).arg(self.image()),
            None => mount.args(["-t", "tmpfs", "-o", self.kind.options, "tmpfs"]),
        };
        mount.arg(self.mount()).output().is_ok_and(|output| output.status.success())
    }

    fn detach(&self) -> bool {
        let mut unmount = Command::new("umount");
        unmount.arg(self.mount()).output().is_ok_and(|output| output.status.success())
    }

    /// Makes all durable that was written so far.
    pub fn settle(&self) {
        let root = fs::File::open(self.mount()).expect("the disk");
        rustix::fs::syncfs(root).expect("all of it durable");
    }

    /// Cuts the power: from here on nothing reaches the disk (`XFS_IOC_GOINGDOWN`, on ext4 too).
    pub fn cut(&self, when: Cut) {
        let program = "import fcntl,os,struct,sys\n\
            fcntl.ioctl(os.open(sys.argv[1],0),0x8004587d,struct.pack('I',int(sys.argv[2])))";
        let mut python = Command::new("python3");
        python.args(["-IS", "-c", program]).arg(self.mount()).arg((when as u32).to_string());
        let output = python.output().expect("python3 starts");
        assert!(output.status.success(), "{output:?}");
    }

    /// Brings the disk back as it is after a start of the machine.
    pub fn restart(&self) {
        for _ in 0..50 {
            if self.detach() {
                assert!(self.attach(), "the disk comes back");
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        panic!("the disk cannot be unmounted: {}", self.mount().display());
    }

    /// Makes it writable or not.
    pub fn remount(&self, how: &str) {
        let mut mount = Command::new("mount");
        let output = mount.args(["-o", &format!("remount,{how}")]).arg(self.mount()).output();
        assert!(output.as_ref().is_ok_and(|output| output.status.success()), "{output:?}");
    }

    /// Leaves at most so many bytes of room; gives the file that takes the rest.
    pub fn fill(&self, bytes_left: u64) -> PathBuf {
        use std::io::Write as _;
        let path = self.mount().join("filler");
        let mut file = fs::File::create(&path).expect("a file");
        let space = rustix::fs::statvfs(self.mount()).expect("the room");
        let mut rest = (space.f_bavail * space.f_frsize).saturating_sub(bytes_left);
        let piece = vec![b'x'; 64 << 10];
        while rest > 0 {
            let count = usize::try_from(rest.min(piece.len() as u64)).expect("a length");
            match file.write(&piece[..count]) {
                Ok(written) if written > 0 => rest -= written as u64,
                _ => break,
            }
        }
        path
    }

    /// Leaves room for at most so many new files; gives the folder that takes the rest.
    pub fn fill_names(&self, files_left: u64) -> PathBuf {
        let folder = self.mount().join("names");
        fs::create_dir(&folder).expect("a folder");
        let space = rustix::fs::statvfs(self.mount()).expect("the room");
        for number in 0..space.f_favail.saturating_sub(files_left) {
            if fs::File::create(folder.join(number.to_string())).is_err() {
                break;
            }
        }
        folder
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _is_gone = self.detach();
        let _is_gone = Command::new("umount").arg("-l").arg(self.mount()).output();
    }
}

/// Tells whether this process may mount.
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root() && Path::new("/dev/loop-control").exists()
}
