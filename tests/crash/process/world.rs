//! A folder with a worktree, a home and bystanders; copied, so that each fault meets the same.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use tempfile::TempDir;

/// The time of every command: with it, the same command makes the same commit.
pub const CLOCK_MS: i64 = 1_700_000_000_000;

/// Where commands run; gone with the last that uses it, unless it was made on a disk of its own.
pub struct World {
    folder: PathBuf,
    _owned: Option<Arc<TempDir>>,
}

impl World {
    /// Makes an empty one in memory, where the system has such a place.
    pub fn new() -> Self {
        let dir = folder("provenance-world-");
        let world = Self { folder: dir.path().to_owned(), _owned: Some(Arc::new(dir)) };
        for folder in ["work", "home", "bystander"] {
            fs::create_dir(world.folder.join(folder)).expect("a folder");
        }
        world.write("../bystander/notes.txt", b"not to be touched\n");
        world
    }

    /// Copies all of it to a new folder below `base`, or beside the others in memory.
    pub fn copy(&self, base: Option<&Path>) -> Self {
        let Some(base) = base else {
            let copied = Self::new();
            fs::remove_dir_all(&copied.folder).expect("cleared");
            copy_folder(&self.folder, &copied.folder);
            return copied;
        };
        let folder = base.join("world");
        if folder.exists() {
            fs::remove_dir_all(&folder).expect("cleared");
        }
        copy_folder(&self.folder, &folder);
        Self { folder, _owned: None }
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub fn work(&self) -> PathBuf {
        self.folder.join("work")
    }

    /// The repository.
    pub fn store(&self) -> PathBuf {
        self.work().join(".provenance")
    }

    /// Writes a file of the worktree, and the folders on the way to it.
    pub fn write(&self, path: &str, bytes: &[u8]) {
        use std::io::Write as _;
        let path = self.work().join(path);
        fs::create_dir_all(path.parent().expect("inside")).expect("a folder");
        let mut file = fs::File::create(path).expect("a file");
        file.write_all(bytes).expect("written");
    }

    /// Prepares the program, or what runs it, to work here.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).current_dir(self.work()).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", self.folder.join("home"));
        command.env("PROVENANCE_CLOCK", CLOCK_MS.to_string());
        command
    }

    /// Runs the program.
    pub fn run(&self, words: &[&str]) -> Output {
        let words = [&[program()], words].concat();
        self.command(&words).output().expect("the program starts")
    }

    /// Runs the program, which must succeed.
    #[track_caller]
    pub fn must(&self, words: &[&str]) {
        let output = self.run(words);
        assert!(output.status.success(), "{words:?}: {output:?}");
    }
}

/// Makes a folder that goes with the value: in memory, where the system has such a place, or in
/// `PROVENANCE_SCRATCH`, where `make torture` removes what a suite that it cut short has left.
pub fn folder(prefix: &str) -> TempDir {
    let mut named = tempfile::Builder::new();
    named.prefix(prefix);
    let place = std::env::var_os("PROVENANCE_SCRATCH").unwrap_or_else(|| "/dev/shm".into());
    named.tempdir_in(place).or_else(|_| named.tempdir()).expect("a folder")
}

/// The program under test.
pub fn program() -> &'static str {
    env!("CARGO_BIN_EXE_provenance")
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir(to).expect("a folder");
    for entry in fs::read_dir(from).expect("listed") {
        let entry = entry.expect("listed");
        let (kind, to) = (entry.file_type().expect("a kind"), to.join(entry.file_name()));
        if kind.is_dir() {
            copy_folder(&entry.path(), &to);
        } else if kind.is_symlink() {
            symlink(fs::read_link(entry.path()).expect("read"), to).expect("linked");
        } else {
            fs::copy(entry.path(), to).expect("copied");
        }
    }
}
