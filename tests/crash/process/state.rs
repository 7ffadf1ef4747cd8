//! What a user would see: refs, head, stage, every file, and the content of every commit.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use provenance::clock::{Clock, Timestamp};
use provenance::object::{Commit, ObjectId};
use provenance::progress::Progress;
use provenance::repo::{self, LogFilter, LsRequest, Repository};

use super::world::{CLOCK_MS, World};

/// The files of a folder, by path, and what stands there: the bytes and what the mode says.
pub type Files = BTreeMap<String, Vec<u8>>;

/// Contents of commits, by what they say.
pub type Contents = BTreeMap<String, Files>;

/// All that a command may change, and that its user sees.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct State {
    /// Name of each branch, tag and run, and what its commit says.
    pub refs: Vec<(String, String)>,
    /// What the stage and the settings hold.
    pub local: Files,
    /// What `HEAD` means.
    pub head: String,
    /// The worktree without the repository.
    pub worktree: Files,
    /// All around the worktree.
    pub outside: Files,
}

impl State {
    /// Reads it; without refs before there is a repository.
    pub fn of(world: &World) -> Self {
        let mut state = Self::default();
        let mut all = Files::new();
        collect(world.folder(), "", &mut all);
        for (path, bytes) in all {
            match path.strip_prefix("work/") {
                Some(inside) => match inside.strip_prefix(".provenance/") {
                    Some(name) if ["stage", "config"].contains(&name) => {
                        state.local.insert(name.to_owned(), bytes);
                    }
                    Some(_) => {}
                    None => drop(state.worktree.insert(inside.to_owned(), bytes)),
                },
                None => drop(state.outside.insert(path, bytes)),
            }
        }
        if world.store().join("format").exists() {
            let repository = open(world);
            state.refs = refs(&repository);
            state.head = format!("{:?}", repository.head().expect("a head"));
        }
        state
    }

    /// Tells whether every part of it is that of `one` or of `other`.
    ///
    /// Shape: with `may_lose`, a file of the worktree that differs in the two may be anything.
    pub fn is_between(&self, one: &Self, other: &Self, may_lose: bool) -> Result<(), String> {
        if self.refs != one.refs && self.refs != other.refs {
            return Err(format!("refs are neither old nor new: {:?}", self.refs));
        }
        if self.head != one.head && self.head != other.head {
            return Err(format!("HEAD is neither old nor new: {}", self.head));
        }
        for (part, mine, one, other) in [
            ("local", &self.local, &one.local, &other.local),
            ("worktree", &self.worktree, &one.worktree, &other.worktree),
            ("outside", &self.outside, &one.outside, &other.outside),
        ] {
            let paths = mine.keys().chain(one.keys()).chain(other.keys());
            for path in paths {
                let is_leftover = match part {
                    "worktree" => is_leftover(path),
                    "outside" => is_unfinished_setting(path),
                    _ => false,
                };
                let there = mine.get(path);
                let is_lost = may_lose && part == "worktree" && one.get(path) != other.get(path);
                if !is_leftover && !is_lost && there != one.get(path) && there != other.get(path) {
                    let bytes = there.map(Vec::len);
                    return Err(format!("{part} {path} is neither old nor new: {bytes:?} bytes"));
                }
            }
        }
        Ok(())
    }

    /// What killed checkouts left in the worktree.
    pub fn leftovers(&self) -> usize {
        self.worktree.keys().filter(|path| is_leftover(path)).count()
    }

    /// The same without what killed checkouts left.
    pub fn tidy(mut self) -> Self {
        self.worktree.retain(|path, _| !is_leftover(path));
        self.outside.retain(|path, _| !is_unfinished_setting(path));
        self
    }
}

/// Tells the names of `docs/guarantees.md` under which unfinished files lie.
fn is_leftover(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.starts_with(".provenance-") && name.ends_with(".tmp")
}

/// Tells the name under which the user's own settings are written before they are renamed; what a
/// kill leaves there is a few bytes, and nothing else of ours is outside of a worktree.
fn is_unfinished_setting(path: &str) -> bool {
    path.strip_prefix("home/.config/provenance/")
        .is_some_and(|name| name.len() == 32 && name.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// Opens the repository, which never asks anything.
pub fn open(world: &World) -> Repository {
    Repository::open(&world.work(), Clock::Fixed(Timestamp(CLOCK_MS))).expect("it opens")
}

fn refs(repository: &Repository) -> Vec<(String, String)> {
    let mut reader = repository.store.reader();
    let all = repository.refs().and_then(|refs| refs.list(&mut reader, None)).expect("refs");
    all.into_iter().map(|(name, id)| (name, says(&reader.commit(&id).expect("a commit")))).collect()
}

/// What a commit says but for the machine, of which an error may hide a part, and so but for ids.
fn says(commit: &Commit) -> String {
    format!("{} on {} {:?}", commit.tree, commit.parents.len(), commit.message)
}

/// Reads every byte of every commit that a ref ever stood on.
pub fn contents(world: &World) -> Contents {
    let repository = open(world);
    let mut contents = Contents::new();
    let progress = Progress::default();
    let mut commits = Vec::new();
    repo::log_journal::<repo::Error>(&repository, &LogFilter::default(), &progress, |entry| {
        commits.extend(entry.updates.iter().filter_map(|update| update.new));
        Ok(())
    })
    .expect("the journal is read");
    commits.sort();
    commits.dedup();
    for id in commits {
        let commit = repository.store.reader().commit(&id).expect("a commit");
        contents.insert(says(&commit), content(&repository, &id));
    }
    contents
}

fn content(repository: &Repository, id: &ObjectId) -> Files {
    let typed = Some(id.to_string().into_bytes());
    let mut listed = Vec::new();
    let request = LsRequest { typed, is_recursive: true };
    repo::ls::<repo::Error>(repository, &request, &Progress::default(), |entry| {
        listed.push(entry);
        Ok(())
    })
    .unwrap_or_else(|error| panic!("commit {id}: {error:?}"));
    let mut files = Files::new();
    for entry in listed.iter().filter(|entry| !entry.target.is_directory()) {
        let mut bytes = Vec::new();
        repo::cat::<repo::Error>(repository, entry.target.id().to_string().as_bytes(), |piece| {
            bytes.extend_from_slice(piece);
            Ok(())
        })
        .unwrap_or_else(|error| panic!("commit {id}, {}: {error:?}", entry.path));
        files.insert(entry.path.to_string(), bytes);
    }
    files
}

fn collect(folder: &Path, prefix: &str, files: &mut Files) {
    for entry in fs::read_dir(folder).expect("listed") {
        let entry = entry.expect("listed");
        let name = entry.file_name().into_string().expect("a name in UTF-8");
        let (path, found) = (format!("{prefix}{name}"), entry.metadata().expect("looked at"));
        let is_store = path == "work/.provenance";
        let bytes = if found.is_dir() {
            collect(&entry.path(), &format!("{path}/"), files);
            continue;
        } else if found.is_symlink() {
            let target = fs::read_link(entry.path()).expect("read").into_os_string();
            [b"link to ", target.as_encoded_bytes()].concat()
        } else if prefix.starts_with("work/.provenance/") && prefix != "work/.provenance/" {
            continue;
        } else {
            assert!(!is_store, "a repository is a folder");
            let kind: &[u8] = if found.permissions().mode() & 0o100 == 0 { b"-" } else { b"x" };
            [kind, &fs::read(entry.path()).expect("read")].concat()
        };
        files.insert(path, bytes);
    }
}
