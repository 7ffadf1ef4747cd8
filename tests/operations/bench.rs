//! A worktree to try operations on.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use provenance::clock::Clock;
use provenance::object::TreePath;
use provenance::progress::Progress;
use provenance::repo::status::{StatusReport, StatusRequest, status};
use provenance::repo::{
    AddReport, AddRequest, CommitRequest, Committed, InitRequest, Repository, add, commit, init,
};

/// A worktree that is gone with the test.
pub struct Bench {
    folder: tempfile::TempDir,
    pub repository: Repository,
}

impl Bench {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        init(&InitRequest { directory: folder.path().to_owned() }, Clock::System).expect("made");
        let repository = Repository::open(folder.path(), Clock::System).expect("opened");
        Self { folder, repository }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn write(&self, name: &str, content: &[u8]) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("made");
        let mut file = fs::File::create(path).expect("made");
        std::io::Write::write_all(&mut file, content).expect("written");
    }

    pub fn add(&self) -> AddReport {
        add(&self.repository, &AddRequest::default(), &Progress::default()).expect("added")
    }

    pub fn add_path(&self, name: &str) -> AddReport {
        let request = AddRequest { paths: vec![path(name)], ..AddRequest::default() };
        add(&self.repository, &request, &Progress::default()).expect("added")
    }

    /// Everything that is in the worktree, by its path.
    pub fn snapshot(&self) -> BTreeMap<String, Vec<u8>> {
        let mut files = BTreeMap::new();
        let mut directories = vec![self.path().to_owned()];
        while let Some(directory) = directories.pop() {
            for entry in fs::read_dir(directory).expect("a directory") {
                let entry = entry.expect("an entry").path();
                if entry.file_name().is_some_and(|name| name == ".provenance") {
                    continue;
                }
                let name = entry.display().to_string();
                if entry.is_symlink() {
                    let target = fs::read_link(&entry).expect("a link").display().to_string();
                    files.insert(name, target.into_bytes());
                } else if entry.is_dir() {
                    directories.push(entry);
                } else {
                    files.insert(name, fs::read(&entry).expect("a file"));
                }
            }
        }
        files
    }

    pub fn commit(&self, message: &str) -> Committed {
        let request = CommitRequest { message: message.to_owned(), ..CommitRequest::default() };
        commit(&self.repository, &request, &Progress::default()).expect("committed")
    }

    pub fn status(&self) -> StatusReport {
        let request = StatusRequest::default();
        status(&self.repository, &request, &Progress::default()).expect("compared")
    }

    pub fn words(&self) -> Vec<String> {
        let report = self.status();
        let word = |kind: &str, entry: &provenance::repo::status::StatusEntry| {
            format!("{kind} {:?} {}", entry.difference, entry.path)
        };
        let staged = report.staged.iter().map(|entry| word("staged", entry));
        let unstaged = report.unstaged.iter().map(|entry| word("unstaged", entry));
        let untracked = report.untracked.iter().map(|entry| word("new", entry));
        staged.chain(unstaged).chain(untracked).collect()
    }
}

/// Takes a path for granted.
pub fn path(text: &str) -> TreePath {
    TreePath::new(text.as_bytes()).expect("a path")
}
