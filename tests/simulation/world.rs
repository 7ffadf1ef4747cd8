//! One client of a repository in memory: what it can do, and what must hold after any fault.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use provenance::clock::{Clock, Timestamp};
use provenance::format::lease::Holder;
use provenance::format::pack::ObjectKind;
use provenance::object::tree::{EMPTY_TREE, NewNode};
use provenance::object::{Commit, ObjectId, Update};
use provenance::progress::Progress;
use provenance::repo::{Error, ErrorKind, FsckRequest, GcRequest, Repository, fsck, gc};
use provenance::storage::{MemoryStorage, Storage};
use provenance::store::{Appended, Cache, Draft, Store, merge};
use provenance::worktree::head::Head;
use provenance::worktree::local;
use provenance::worktree::locate::Location;

use crate::support::sample;

pub const HOUR_MS: i64 = 3_600_000;

/// Something that a client does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Op {
    /// Records a new file beside one that all have, and moves `main` to it.
    Commit(u64),
    /// Records a file that an abandoned commit held, whose list of candidates has come of age.
    Again(u64),
    /// Names the newest commit.
    Tag(u64),
    /// Takes back the newest entry of the journal.
    Undo(u64),
    /// Merges small packs, as after each commit.
    Tidy,
    /// Collects: merges, lists, drops, bundles, sweeps.
    Collect,
    /// Checks everything.
    Check,
    /// Lets hours pass.
    Wait(i64),
}

impl Op {
    /// What a table calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Commit(_) => "committing",
            Self::Again(_) => "committing what was about to be collected",
            Self::Tag(_) => "tagging",
            Self::Undo(_) => "undoing",
            Self::Tidy => "merging packs",
            Self::Collect => "collecting",
            Self::Check => "checking",
            Self::Wait(_) => "waiting",
        }
    }

    /// What the journal calls it; `None` if it writes no entry.
    pub fn command(self) -> Option<String> {
        match self {
            Self::Commit(n) => Some(format!("commit {n}")),
            Self::Again(n) => Some(format!("again {n}")),
            Self::Tag(n) => Some(format!("tag {n}")),
            Self::Undo(n) => Some(format!("undo {n}")),
            Self::Tidy | Self::Collect | Self::Check | Self::Wait(_) => None,
        }
    }
}

/// Where a client keeps what is not shared: a worktree with nothing in it.
#[derive(Debug, Clone)]
pub struct Home(Arc<tempfile::TempDir>);

impl Home {
    pub fn new() -> Self {
        // In memory where that is possible: the disk is not what is tested.
        let shared = std::path::Path::new("/dev/shm");
        let folder = tempfile::tempdir_in(shared).or_else(|_| tempfile::tempdir());
        let folder = folder.expect("a folder");
        let home = Location::at(folder.path().to_owned());
        std::fs::create_dir(&home.folder).expect("made");
        local::save_head(&home.folder, &Head::Branch("heads/main".into())).expect("saved");
        Self(Arc::new(folder))
    }
}

/// A client over any storage.
pub struct Client {
    pub repository: Repository,
    storage: Arc<dyn Storage>,
    memory: MemoryStorage,
}

fn holder() -> Holder {
    sample::lease().holder
}

impl Client {
    pub fn new(home: &Home, storage: Arc<dyn Storage>, memory: &MemoryStorage) -> Self {
        let store = Store::open(Arc::clone(&storage), 1).held_by(holder);
        let repository = Repository {
            location: Location::at(home.0.path().to_owned()),
            journal: store.journal(Cache::none()),
            store,
            settings: Vec::new(),
            clock: Clock::Fixed(Timestamp(1_700_000_000_000)),
        };
        Self { repository, storage, memory: memory.clone() }
    }

    /// Works on the memory itself, without faults.
    pub fn plain(home: &Home, memory: &MemoryStorage) -> Self {
        Self::new(home, Arc::new(memory.clone()), memory)
    }

    /// Writes entry 0, as `init` does.
    pub fn begin(&self) {
        let head = self.repository.journal.head().expect("no journal yet");
        let draft = Draft {
            time: self.repository.clock.now(),
            actor: self.repository.actor(),
            command: "init".to_owned(),
            updates: Vec::new(),
            unlisted: 0,
            refs: EMPTY_TREE,
            attestations: EMPTY_TREE,
        };
        let appended = self.repository.journal.append(&head, draft).expect("appended");
        assert!(matches!(appended, Appended::Won(_)));
    }

    pub fn run(&self, op: Op) -> Result<(), Error> {
        let progress = Progress::default();
        match op {
            Op::Commit(n) => self.commit(&format!("new {n} "), op),
            Op::Again(n) => self.commit(&abandoned(n), op),
            Op::Tag(n) => {
                let new = self.tip()?;
                let update = Update { name: format!("tags/v{n}"), old: None, new };
                self.moves(&[update], op).map(drop)
            }
            Op::Undo(_) => {
                let newest = self.repository.refs()?.head.newest.expect("entry 0");
                let back = |update: &Update| Update {
                    name: update.name.clone(),
                    old: update.new,
                    new: update.old,
                };
                let updates: Vec<_> = newest.transaction.updates.iter().map(back).collect();
                self.moves(&updates, op).map(drop)
            }
            Op::Tidy => Ok(merge::tidy(&self.repository.store, &progress).map(drop)?),
            Op::Collect => gc(&self.repository, GcRequest::default(), &progress).map(drop),
            Op::Check => {
                let report =
                    fsck(&self.repository, FsckRequest { full: false, repairs: false }, &progress)?;
                // What cannot be read at the moment is told as well, but is no damage.
                let (unread, wrong): (Vec<_>, Vec<_>) =
                    report.problems.into_iter().partition(|p| p.what.contains("injected"));
                assert_eq!(wrong, [], "a false alarm, or damage");
                let unread = unread.first().map(|problem| problem.what.clone());
                unread.map_or(Ok(()), |what| Err(Error::Corrupt(what)))
            }
            Op::Wait(hours) => {
                self.memory.advance(hours * HOUR_MS);
                // A step like all others, so that somebody else comes next.
                Ok(self.storage.now_ms().map(drop).map_err(provenance::store::StoreError::from)?)
            }
        }
    }

    fn tip(&self) -> Result<Option<ObjectId>, Error> {
        let refs = self.repository.refs()?;
        refs.find(&mut self.repository.store.reader(), "heads/main")
    }

    fn moves(&self, updates: &[Update], op: Op) -> Result<u64, Error> {
        self.repository.move_refs(updates, &op.command().expect("it writes an entry"), None)
    }

    fn commit(&self, word: &str, op: Op) -> Result<(), Error> {
        let parent = self.tip()?;
        let transaction = self.repository.store.transaction()?;
        let (tree, node) = file(word);
        transaction.put(ObjectKind::Blob, word.repeat(40).as_bytes())?;
        transaction.put_node(NewNode { id: tree, bytes: &node, before: None })?;
        let message = op.command().expect("a commit has a name");
        let parents = parent.into_iter().collect();
        let commit = Commit { tree, parents, message, ..sample::minimal_commit() };
        let id = transaction.put_commit(&commit.encode()?)?;
        let update = Update { name: "heads/main".into(), old: parent, new: Some(id) };
        let command = op.command().expect("a commit has a name");
        self.repository.move_refs(&[update], &command, Some(transaction)).map(drop)
    }

    /// Stores a tree that nothing will lead to.
    pub fn abandon(&self, n: u64) {
        let transaction = self.repository.store.transaction().expect("begun");
        let (tree, node) = file(&abandoned(n));
        let content = abandoned(n).repeat(40);
        transaction.put(ObjectKind::Blob, content.as_bytes()).expect("stored");
        transaction.put_node(NewNode { id: tree, bytes: &node, before: None }).expect("stored");
        transaction.finish().expect("stored");
    }

    /// Insists that everything is whole, and tells how often each command is in the journal.
    pub fn history(&self, case: &str) -> BTreeMap<String, usize> {
        let progress = Progress::default();
        let report = fsck(&self.repository, FsckRequest { full: true, repairs: false }, &progress);
        let report = report.unwrap_or_else(|error| panic!("fsck: {error:?}\n{case}"));
        assert_eq!(report.problems, [], "{case}");
        let newest = self.repository.refs().expect(case).head.newest.expect(case).number();
        let mut commands = BTreeMap::new();
        for entry in self.repository.journal.entries(newest) {
            let command = entry.expect(case).transaction.command;
            *commands.entry(command).or_default() += 1;
        }
        commands
    }
}

fn abandoned(n: u64) -> String {
    format!("abandoned {n} ")
}

/// A directory with one file of 40 times this word, and its id.
fn file(word: &str) -> (ObjectId, Vec<u8>) {
    let node = sample::node(word.repeat(40).as_bytes());
    (ObjectId::of(&node), node)
}

/// A repository with a history, garbage that is listed for so long that it may go, garbage that is
/// not listed, and as many packs as it takes for a merge.
pub fn aged(home: &Home) -> MemoryStorage {
    let memory = MemoryStorage::new();
    let client = Client::plain(home, &memory);
    client.begin();
    (0..3).for_each(|n| client.abandon(n));
    client.run(Op::Commit(900)).expect("committed");
    client.run(Op::Collect).expect("listed");
    memory.advance(15 * 24 * HOUR_MS);
    (901..903).for_each(|n| client.run(Op::Commit(n)).expect("committed"));
    (3..5).for_each(|n| client.abandon(n));
    client.run(Op::Tag(900)).expect("tagged");
    memory
}

/// Tells whether an operation may end like this although nothing is broken: others were quicker.
pub fn is_conflict(error: &Error) -> bool {
    error.kind() == ErrorKind::Conflict
}

/// Tells two states apart: names, lengths, ages and unfinished files.
pub fn fingerprint(storage: &MemoryStorage) -> u64 {
    let mut hasher = DefaultHasher::new();
    for key in storage.list("").expect("listed") {
        let info = storage.info(&key).expect("told").expect("listed");
        (key.as_str(), info.bytes, info.created_ms / HOUR_MS).hash(&mut hasher);
    }
    storage.sweep(0, false).expect("counted").files.hash(&mut hasher);
    hasher.finish()
}
