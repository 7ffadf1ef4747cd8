//! What DVC tracks, taken in: from its cache by MD5, and from git what git has.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::content::Spool;
use super::describe::kind_of;
use super::dvc::place;
use super::files;
use crate::capture::dvc::{
    DvcCache, DvcRepository, GitFile, Lookup, Md5, Snapshot, Stage, Tracked,
};
use crate::capture::dvc::{md5_of, metrics_of};
use crate::object::canonical::Object;
use crate::object::tree::{self, Edit, Target};
use crate::object::{ArtifactKind, ObjectId, Sha256, TreePath};
use crate::progress::Progress;
use crate::repo::{Error, Repository};
use crate::store::{Reliance, StoreError, Transaction};
use crate::worktree::directory::Directory;
use crate::worktree::{detect, open};

/// Objects of one transaction: what is known of each is held in memory until it ends.
const OBJECTS_MAX: u64 = 100_000;
/// Contents that are remembered, so that none is read for each commit that has it.
const KNOWN_MAX: usize = 200_000;
/// Files that are taken in at a time.
const FILES_AT_ONCE: usize = 1000;

/// Content and what it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Item {
    pub target: Target,
    pub kind: ArtifactKind,
}

/// The tree of one commit.
#[derive(Debug)]
pub(super) struct Taken {
    pub tree: ObjectId,
    /// What DVC tracks and is in the tree, by path.
    pub items: BTreeMap<String, Item>,
    pub notes: Vec<String>,
}

/// What a stage used, as far as its content is known.
#[derive(Debug, Default)]
pub(super) struct Used {
    pub items: BTreeMap<String, Item>,
    pub metrics: Object,
    pub notes: Vec<String>,
}

/// A file of git that was taken in.
#[derive(Debug, Clone, Copy)]
struct GitBlob {
    target: Target,
    md5: Md5,
    /// The MD5 with `\n` for `\r\n`, as DVC before 3.0 has it.
    unix: Md5,
}

/// Takes contents in, each once.
pub(super) struct Contents<'r> {
    repository: &'r Repository,
    progress: &'r Progress,
    pub transaction: Transaction<'r>,
    reliance: Arc<Reliance>,
    pending: u64,
    cache: DvcCache,
    root: Option<Directory>,
    files: HashMap<Md5, Option<Target>>,
    folders: HashMap<Md5, Option<Item>>,
    blobs: HashMap<String, Option<GitBlob>>,
    told: HashSet<Md5>,
    /// Contents that came from the cache.
    pub taken: u64,
    /// Contents that the cache does not have.
    pub absent: u64,
    pub objects: u64,
}

impl<'r> Contents<'r> {
    /// Begins with nothing.
    pub fn new(
        repository: &'r Repository,
        cache: DvcCache,
        progress: &'r Progress,
    ) -> Result<Self, Error> {
        let transaction = repository.store.transaction()?;
        let reliance = transaction.reliance()?;
        // A clone has no cache before `dvc pull`.
        let root = open::root(&cache.root).ok();
        Ok(Self {
            repository,
            progress,
            transaction,
            reliance,
            pending: 0,
            cache,
            root,
            files: HashMap::new(),
            folders: HashMap::new(),
            blobs: HashMap::new(),
            told: HashSet::new(),
            taken: 0,
            absent: 0,
            objects: 0,
        })
    }

    /// Counts objects; makes what came so far durable when there are many.
    pub fn settle(&mut self, objects: u64) -> Result<(), Error> {
        self.pending += objects;
        self.objects += objects;
        if self.pending >= OBJECTS_MAX {
            let next = self.repository.store.transaction()?.relying(Arc::clone(&self.reliance));
            std::mem::replace(&mut self.transaction, next).finish()?;
            self.pending = 0;
        }
        Ok(())
    }

    /// Makes everything durable; gives the transaction that may name it.
    pub fn finish(mut self) -> Result<Transaction<'r>, Error> {
        self.pending = OBJECTS_MAX;
        self.settle(0)?;
        Ok(self.transaction)
    }

    /// Takes in what a commit has, and makes its tree.
    pub fn take(&mut self, source: &mut DvcRepository, of: &Snapshot) -> Result<Taken, Error> {
        let mut here: BTreeMap<TreePath, Target> = BTreeMap::new();
        let (mut items, mut notes) = (BTreeMap::new(), Vec::new());
        for (path, file) in &of.files {
            match (place(path), self.blob(source, file)?) {
                (Some(place), Some(blob)) => {
                    here.insert(place, executable(blob.target, file.is_executable));
                }
                (None, _) => notes.push(format!("{path:?} cannot be recorded")),
                (_, None) => notes.push(format!("{path} is left out: longer than 16 MiB in git")),
            }
        }
        for tracked in of.tracked.values() {
            let Some(place) = place(&tracked.path) else {
                notes.push(format!("{:?} cannot be recorded", tracked.path));
                continue;
            };
            let of_git = here.get(&place).copied();
            let item = of_git.map(|target| Item { target, kind: kind_of(&tracked.path) });
            let item = item.map_or_else(|| self.tracked(tracked, &mut notes), |it| Ok(Some(it)))?;
            let Some(item) = item else { continue };
            here.insert(place, item.target);
            items.insert(tracked.path.clone(), item);
        }
        let mut edits: Vec<(TreePath, Edit)> = Vec::with_capacity(here.len());
        let mut above: Option<TreePath> = None;
        for (path, target) in here {
            if let Some(above) = above.as_ref().filter(|above| path.starts_with(above)) {
                notes.push(format!("{path} is left out: it lies below {above}, which is tracked"));
                items.remove(&path.to_string());
                continue;
            }
            above = Some(path.clone());
            edits.push((path, Edit::Put(target)));
        }
        let tree = self.tree(edits)?;
        Ok(Taken { tree: tree.id, items, notes })
    }

    /// Finds what a stage has used and measured.
    pub fn of_stage(
        &mut self,
        source: &mut DvcRepository,
        stage: &Stage,
        of: &Snapshot,
    ) -> Result<Used, Error> {
        let mut used = Used::default();
        for tracked in stage.inputs.iter().chain(&stage.outputs) {
            let mut item = None;
            if let Some(file) = of.files.get(&tracked.path)
                && let Some(blob) = self.blob(source, file)?
                && (blob.md5 == tracked.md5 || tracked.is_older && blob.unix == tracked.md5)
            {
                let target = executable(blob.target, file.is_executable);
                item = Some(Item { target, kind: kind_of(&tracked.path) });
            }
            if item.is_none() {
                item = self.tracked(tracked, &mut used.notes)?;
            }
            used.items.extend(item.map(|item| (tracked.path.clone(), item)));
        }
        let mut members = Vec::new();
        for path in &stage.metrics {
            let Some(bytes) = self.metrics_bytes(source, path, &used, of)? else { continue };
            match metrics_of(path, &bytes) {
                Ok(metrics) => members
                    .extend(metrics.iter().map(|(name, value)| (name.to_owned(), value.clone()))),
                Err(reason) => used.notes.push(format!("metrics of {path}: {reason}")),
            }
        }
        members.sort_by(|a, b| a.0.cmp(&b.0));
        members.dedup_by(|later, first| later.0 == first.0);
        used.metrics = Object::from_members(members).unwrap_or_default();
        Ok(used)
    }

    /// Reads a file of metrics, if it is what the stage wrote.
    fn metrics_bytes(
        &mut self,
        source: &mut DvcRepository,
        path: &str,
        used: &Used,
        of: &Snapshot,
    ) -> Result<Option<Vec<u8>>, Error> {
        let Some(Item { target: Target::File { id, .. }, .. }) = used.items.get(path).copied()
        else {
            return Ok(None);
        };
        if let Some(file) = of.files.get(path)
            && let Some(bytes) = source.read(&file.object).map_err(worded)?
            && ObjectId::of(&bytes) == id
        {
            return Ok(Some(bytes));
        }
        let tracked = of.tracked.get(path);
        let bytes = tracked.and_then(|tracked| self.cache.small_file(&tracked.md5));
        Ok(bytes.filter(|bytes| ObjectId::of(bytes) == id))
    }

    /// Takes what is tracked from the cache; none if it is not there.
    fn tracked(
        &mut self,
        tracked: &Tracked,
        notes: &mut Vec<String>,
    ) -> Result<Option<Item>, Error> {
        let found = match tracked.is_directory {
            true => self.folder(&tracked.md5),
            false => self.file(&tracked.md5).map(|found| {
                found
                    .map(|target| Item { target, kind: kind_of(&tracked.path) })
                    .ok_or_else(|| "not in the cache".to_owned())
            }),
        }?;
        match found {
            Ok(Item { target, kind }) => {
                let target = executable(target, tracked.is_executable);
                Ok(Some(Item { target, kind }))
            }
            Err(reason) => {
                if self.told.insert(tracked.md5) {
                    self.absent += 1;
                    let (path, md5) = (&tracked.path, tracked.name());
                    notes.push(format!("{path} is named by its md5 only, {md5}: {reason}"));
                }
                Ok(None)
            }
        }
    }

    fn file(&mut self, md5: &Md5) -> Result<Option<Target>, Error> {
        if let Some(known) = self.files.get(md5) {
            return Ok(*known);
        }
        let found = self.many(&[(root_name(), *md5)])?;
        Ok(found.and_then(|found| found.first().copied()))
    }

    /// Takes files in; none if one of them is not in the cache or damaged.
    fn many(&mut self, files: &[(TreePath, Md5)]) -> Result<Option<Vec<Target>>, Error> {
        let Some(root) = &self.root else { return Ok(None) };
        if self.files.len() > KNOWN_MAX {
            self.files.clear();
        }
        let mut wanted: HashMap<Md5, TreePath> = HashMap::new();
        for (_, md5) in files {
            self.progress.check()?;
            match self.files.get(md5) {
                Some(Some(_)) => {}
                Some(None) => return Ok(None),
                None if wanted.contains_key(md5) => {}
                None => match self.cache.find(md5, false) {
                    Lookup::Here(path) => drop(wanted.insert(*md5, path)),
                    Lookup::Absent | Lookup::Damaged => {
                        self.files.insert(*md5, None);
                        return Ok(None);
                    }
                },
            }
        }
        let paths: BTreeSet<TreePath> = wanted.values().cloned().collect();
        let found = files::take(root, paths, &self.transaction, self.progress)?;
        for (md5, path) in &wanted {
            self.files.insert(*md5, found.get(path).copied());
        }
        self.taken += wanted.len() as u64;
        self.settle(wanted.len() as u64)?;
        Ok(files.iter().map(|(_, md5)| self.files.get(md5).copied().flatten()).collect())
    }

    /// Takes a directory in, all of it or nothing.
    fn folder(&mut self, md5: &Md5) -> Result<Result<Item, String>, Error> {
        let partly = || "not all of it is in the cache".to_owned();
        if let Some(known) = self.folders.get(md5) {
            return Ok(known.ok_or_else(partly));
        }
        let list = match self.cache.directory(md5) {
            Ok(list) => list,
            Err(reason) => {
                self.folders.insert(*md5, None);
                return Ok(Err(reason));
            }
        };
        let mut edits = Vec::with_capacity(list.len());
        for chunk in list.chunks(FILES_AT_ONCE) {
            let Some(targets) = self.many(chunk)? else {
                self.folders.insert(*md5, None);
                return Ok(Err(partly()));
            };
            let put =
                |((path, _), target): (&(TreePath, Md5), Target)| (path.clone(), Edit::Put(target));
            edits.extend(chunk.iter().zip(targets).map(put));
        }
        let names: Vec<&[u8]> = list.iter().take(256).map(|(path, _)| path.last_name()).collect();
        let kind = detect::directory_kind(b"", names);
        let summary = self.tree(edits)?;
        let item = summary.target().map(|target| Item { target, kind });
        self.folders.insert(*md5, item);
        Ok(item.ok_or_else(|| "it is empty".to_owned()))
    }

    fn tree(&mut self, edits: Vec<(TreePath, Edit)>) -> Result<tree::Summary, Error> {
        let transaction = &self.transaction;
        // Nothing is put below what is there already.
        let load = |id: &ObjectId| Err::<Vec<u8>, _>(StoreError::Missing { id: *id });
        let mut nodes = 0;
        let emit = |node: tree::NewNode<'_>| {
            nodes += 1;
            transaction.put_node(node)
        };
        let summary = tree::edit(None, edits, load, emit)?;
        self.settle(nodes)?;
        Ok(summary)
    }

    /// Takes a file of git in; none if it is very long.
    fn blob(
        &mut self,
        source: &mut DvcRepository,
        file: &GitFile,
    ) -> Result<Option<GitBlob>, Error> {
        if let Some(known) = self.blobs.get(&file.object) {
            return Ok(*known);
        }
        if self.blobs.len() > KNOWN_MAX {
            self.blobs.clear();
        }
        let blob = match source.read(&file.object).map_err(worded)? {
            None => None,
            Some(bytes) => {
                let id = ObjectId::of(&bytes);
                let mut spool = Spool::new(self.repository, id);
                spool.push(&bytes)?;
                spool.finish(&self.transaction, self.progress)?.map_err(Error::Internal)?;
                let (size, sha256) = (bytes.len() as u64, Sha256::of(&bytes));
                let target = Target::File { id, size, sha256, executable: false };
                let unix = md5_of(&unix_of(&bytes));
                self.settle(1)?;
                Some(GitBlob { target, md5: md5_of(&bytes), unix })
            }
        };
        self.blobs.insert(file.object.clone(), blob);
        Ok(blob)
    }
}

fn executable(target: Target, executable: bool) -> Target {
    match target {
        Target::File { id, size, sha256, .. } => Target::File { id, size, sha256, executable },
        other => other,
    }
}

fn unix_of(bytes: &[u8]) -> Vec<u8> {
    let mut unix = Vec::with_capacity(bytes.len());
    for (at, byte) in bytes.iter().enumerate() {
        if *byte != b'\r' || bytes.get(at + 1) != Some(&b'\n') {
            unix.push(*byte);
        }
    }
    unix
}

fn root_name() -> TreePath {
    TreePath::new("file").expect("a plain name")
}

fn worded(error: crate::capture::CaptureError) -> Error {
    Error::Usage(error.to_string())
}
