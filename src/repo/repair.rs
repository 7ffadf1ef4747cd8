//! Mends what a check found: from other packs and from the worktree; the rest goes to quarantine.
//!
//! Only adds and sets aside. What packs need is in `store/repair.rs`, what the journal needs in
//! `store/journal/mend.rs`; here is the worktree's part, and in which order.

use std::collections::HashSet;
use std::io::Read as _;
use std::path::Path;

use crossbeam_channel::{Receiver, Sender};

use super::{Error, Repository};
use crate::clock::Clock;
use crate::object::tree::{self, Edit, NewNode, Target};
use crate::object::{ObjectId, TreePath};
use crate::progress::{Phase, Progress};
use crate::store::repair::{Repaired, repair};
use crate::store::{IngestRequest, Look, Root, Store, StoreError, Transaction, ingest};
use crate::threads;
use crate::worktree::directory::Directory;
use crate::worktree::hash::hash_content;
use crate::worktree::head::Head;
use crate::worktree::scan::{Batch, Found, ScanRequest, scan};
use crate::worktree::stamps::{FileKind, Stamp};
use crate::worktree::{local, locate, open};

/// Edits on their way to the tree of what is in the worktree.
const EDITS_UNDER_WAY: usize = 512;

/// A directory that was found again may name more that is missing; so often is looked again.
const ROUNDS_MAX: usize = 64;

/// One thing that was mended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mend {
    /// The file concerned, or what it is about.
    pub place: String,
    /// What was done.
    pub what: String,
}

impl Mend {
    fn new(place: impl Into<String>, what: impl Into<String>) -> Self {
        Self { place: place.into(), what: what.into() }
    }
}

impl Repository {
    /// As [`Repository::open`], for who mends: a damaged or missing `format` file is put right
    /// where a journal shows that here is a repository.
    ///
    /// Errors: as [`Repository::open`]; nothing else was changed then.
    pub fn open_to_mend(start: &Path, clock: Clock) -> Result<(Self, Vec<Mend>), Error> {
        let location = locate::locate(start)
            .map_err(|error| Error::io("look for a repository", start, error))?
            .ok_or_else(|| Error::NoRepository { path: start.to_owned() })?;
        let mut mended = Vec::new();
        if Store::mend_folder(&location.folder)? {
            mended.push(Mend::new("format", "was written anew"));
        }
        let store = Store::open_folder(&location.folder)?;
        Ok((Self::with_store(location, store, clock)?, mended))
    }

    /// Mends journal, local files and packs.
    pub(super) fn mend(&self, progress: &Progress) -> Result<Vec<Mend>, Error> {
        let _lock = self.lock(progress)?;
        let mut mended: Vec<Mend> = self
            .journal
            .mend()?
            .into_iter()
            .map(|mend| Mend::new(mend.key.to_string(), mend.what))
            .collect();
        self.mend_local(&mut mended)?;
        for _ in 0..ROUNDS_MAX {
            let roots = self.roots(|_| Ok(progress.check()?), |_, _| Ok(()))?;
            let repaired = self.mend_packs(&roots.roots, progress)?;
            word(&repaired, &mut mended);
            if repaired.found == 0 && repaired.moved == 0 && repaired.set_aside.is_empty() {
                break;
            }
        }
        Ok(mended)
    }

    fn mend_local(&self, mended: &mut Vec<Mend>) -> Result<(), Error> {
        if local::load_stage(&self.location.folder).is_err_and(|error| error.is_damage()) {
            self.store.quarantine("stage")?;
            let what = "went to quarantine: nothing is staged now, `add` your changes again";
            mended.push(Mend::new("stage", what));
        }
        match local::load_head(&self.location.folder) {
            Err(error) if error.is_damage() => drop(self.store.quarantine("HEAD")?),
            Err(error) if error.is_absent() => {}
            _ => return Ok(()),
        }
        let branch = self.branch_moved_last()?;
        local::save_head(&self.location.folder, &Head::Branch(branch.clone()))?;
        let what = format!("names {branch} now, the branch that moved last");
        mended.push(Mend::new("HEAD", what));
        Ok(())
    }

    /// Finds the branch that the newest entry moved which moved any.
    fn branch_moved_last(&self) -> Result<String, Error> {
        let newest = self.journal.head()?.newest;
        let entries = newest.iter().flat_map(|newest| self.journal.entries(newest.number()));
        for entry in entries {
            let Ok(entry) = entry else { break };
            let mut updates = entry.transaction.updates.into_iter();
            let update =
                updates.find(|update| update.new.is_some() && update.name.starts_with("heads/"));
            if let Some(update) = update {
                return Ok(update.name);
            }
        }
        Ok(super::init::FIRST_BRANCH.to_owned())
    }

    fn mend_packs(&self, roots: &[Root], progress: &Progress) -> Result<Repaired, Error> {
        repair(&self.store, roots, progress, |transaction, wanted| {
            progress.begin(Phase { name: "looking in the worktree", ..Phase::default() });
            self.offer(transaction, wanted, progress)
        })
    }

    /// Stores what the worktree has of some objects: files, links, and nodes of its tree.
    fn offer(
        &self,
        transaction: &Transaction<'_>,
        wanted: &HashSet<ObjectId>,
        progress: &Progress,
    ) -> Result<(), Error> {
        let root = self.open_root()?;
        let mut files = Vec::new();
        let edit = |to_edit: Receiver<(TreePath, Edit)>| {
            let load = |id: &ObjectId| Err::<Vec<u8>, _>(StoreError::Missing { id: *id });
            let emit = |node: NewNode<'_>| match wanted.contains(&node.id) {
                true => transaction.put_node(NewNode { before: None, ..node }),
                false => Ok(()),
            };
            tree::edit(None, to_edit, load, emit)
        };
        let look = |edits: Sender<(TreePath, Edit)>| {
            let request = ScanRequest {
                root: &root,
                stamps: None,
                paths: &[],
                takes_ignored: false,
                collapses_new: false,
                thread_count: threads::count(),
                progress,
            };
            let offer = Offer { root: &root, transaction, wanted, edits: &edits, progress };
            scan(&request, |batch: Batch| {
                for found in batch.found {
                    if offer.file(&found)? {
                        files.push((found.path, found.stamp.size));
                    }
                }
                Ok::<_, Error>(())
            })
        };
        let (scanned, edited) = threads::consume_beside(EDITS_UNDER_WAY, look, edit);
        scanned?;
        edited?;
        let request = IngestRequest {
            open: &|path: &TreePath| open::open_file(&root, path),
            look: &|file: &_| {
                Ok(open::look(file)?.map(|stamp: Stamp| Look { bytes: stamp.size, stamp }))
            },
            before: &|_| None,
            // A file that changed meanwhile is another one now.
            done: &|_, _| (),
            progress,
        };
        Ok(ingest(transaction, &request, files.into_iter())?)
    }
}

/// What the worktree is asked for.
struct Offer<'a, 's> {
    root: &'a Directory,
    transaction: &'a Transaction<'s>,
    wanted: &'a HashSet<ObjectId>,
    edits: &'a Sender<(TreePath, Edit)>,
    progress: &'a Progress,
}

impl Offer<'_, '_> {
    /// Looks at one file, and tells whether its content is wanted.
    fn file(&self, found: &Found) -> Result<bool, Error> {
        self.progress.check()?;
        let kind = found.stamp.kind();
        let target = match kind {
            Some(FileKind::Symlink) => {
                let Ok(link) = open::read_link(self.root, &found.path) else { return Ok(false) };
                let id = ObjectId::of(&link);
                if self.wanted.contains(&id) {
                    self.transaction.put_small_blob(&link)?;
                }
                Target::Symlink { id, size: link.len() as u64 }
            }
            Some(FileKind::File | FileKind::Executable) => {
                let file = open::open_file(self.root, &found.path);
                let content = file.map(|file| file.take(found.stamp.size.saturating_add(1)));
                let hashed = content.and_then(|content| hash_content(content, self.progress));
                // What cannot be read is no help.
                let Ok((id, sha256, size)) = hashed else { return Ok(false) };
                let executable = kind == Some(FileKind::Executable);
                Target::File { id, size, sha256, executable }
            }
            None => return Ok(false),
        };
        // The editor is only gone if it failed, and then its error is the one to report.
        let _ = self.edits.send((found.path.clone(), Edit::Put(target)));
        let is_file = matches!(target, Target::File { .. });
        Ok(is_file && self.wanted.contains(&target.id()))
    }
}

fn word(repaired: &Repaired, mended: &mut Vec<Mend>) {
    for (key, aside) in &repaired.set_aside {
        mended.push(Mend::new(key.to_string(), format!("damaged, went to {aside}")));
    }
    let mut count = |objects: u64, what: &str| {
        if objects > 0 {
            let noun = if objects == 1 { "object" } else { "objects" };
            mended.push(Mend::new("pack/", format!("{objects} {noun} {what}")));
        }
    };
    count(repaired.found, "found again in the worktree or in a file that was set aside");
    count(repaired.moved, "read out of damaged packs into a new one");
}
