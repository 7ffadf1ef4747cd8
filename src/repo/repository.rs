//! An open repository: its parts, found and checked, and no operation of its own.

use std::path::Path;

use super::Error;
use super::refs::Refs;
use crate::clock::Clock;
use crate::object::{Actor, Author, ObjectId};
use crate::progress::Progress;
use crate::store::{Cache, Journal, Reader, Store};
use crate::worktree::config::{self, Setting};
use crate::worktree::head::Head;
use crate::worktree::local;
use crate::worktree::locate::{self, Location};
use crate::worktree::lock::WorktreeLock;

/// A repository and the worktree beside it.
#[derive(Debug)]
pub struct Repository {
    /// Where both are.
    pub location: Location,
    /// The objects.
    pub store: Store,
    /// The history of every ref.
    pub journal: Journal,
    /// The settings that hold here.
    pub settings: Vec<Setting>,
    /// What tells the time.
    pub clock: Clock,
}

impl Repository {
    /// Opens the repository that `start` lies in.
    ///
    /// Errors: [`Error::NoRepository`] if there is none up to the root of the file system; damage
    /// and newer formats are told apart. Cost: a few small reads; no pack is opened.
    pub fn open(start: &Path, clock: Clock) -> Result<Self, Error> {
        let location = locate::locate(start)
            .map_err(|error| Error::io("look for a repository", start, error))?
            .ok_or_else(|| Error::NoRepository { path: start.to_owned() })?;
        let store = Store::open_folder(&location.folder)?;
        Self::with_store(location, store, clock)
    }

    /// Puts the parts together.
    pub(super) fn with_store(
        location: Location,
        store: Store,
        clock: Clock,
    ) -> Result<Self, Error> {
        let store = store.held_by(crate::capture::holder);
        let settings = config::load(Some(&location.folder), |name| std::env::var_os(name))?;
        let cache =
            Cache::new(local::cache(&location.folder), local::temporaries(&location.folder));
        let journal = store.journal(cache);
        Ok(Self { location, store, journal, settings, clock })
    }

    /// Waits until no other command changes this worktree.
    pub fn lock(&self, progress: &Progress) -> Result<WorktreeLock, Error> {
        Ok(WorktreeLock::wait(&local::lock_file(&self.location.folder), progress)?)
    }

    /// Reads what the worktree stands on.
    ///
    /// Shape: a branch that was renamed is followed to its new name. A rename is an entry of the
    /// journal and then a new `HEAD`; whoever is killed in between has renamed it.
    pub fn head(&self) -> Result<Head, Error> {
        Ok(self.head_and_refs()?.0)
    }

    /// Gives the commit that the worktree stands on; none before the first.
    pub fn head_commit(&self) -> Result<Option<ObjectId>, Error> {
        Ok(self.head_and_commit()?.1)
    }

    /// Gives what the worktree stands on, as [`Self::head`], and the commit there.
    pub(super) fn head_and_commit(&self) -> Result<(Head, Option<ObjectId>), Error> {
        let (head, refs) = self.head_and_refs()?;
        let commit = match (&head, refs) {
            (Head::Detached(id), _) => Some(*id),
            (Head::Branch(name), Some(refs)) => refs.find(&mut self.store.reader(), name)?,
            (Head::Branch(name), None) => self.refs()?.find(&mut self.store.reader(), name)?,
        };
        Ok((head, commit))
    }

    /// Gives the commit that is checked out without a branch.
    pub(super) fn detached(&self) -> Result<Option<ObjectId>, Error> {
        match local::load_head(&self.location.folder)? {
            Head::Detached(id) => Ok(Some(id)),
            Head::Branch(_) => Ok(None),
        }
    }

    /// Gives what the worktree stands on, and where every ref stood when that was read; no refs
    /// if no branch is followed, or before `init` has ended.
    fn head_and_refs(&self) -> Result<(Head, Option<Refs>), Error> {
        let head = local::load_head(&self.location.folder)?;
        if matches!(head, Head::Detached(_)) {
            return Ok((head, None));
        }
        let Some(refs) = self.refs_if_any()? else { return Ok((head, None)) };
        Ok((self.followed(head, &refs)?, Some(refs)))
    }

    /// Gives what the worktree stands on, and where every ref stood right after.
    ///
    /// Shape: in this order, since a new branch is there before `HEAD` names it: refs that were
    /// read before `HEAD` may not have it yet.
    pub(super) fn head_then_refs(&self) -> Result<(Head, Refs), Error> {
        let head = local::load_head(&self.location.folder)?;
        let refs = self.refs()?;
        Ok((self.followed(head, &refs)?, refs))
    }

    /// Follows a branch that was renamed to its new name.
    fn followed(&self, head: Head, refs: &Refs) -> Result<Head, Error> {
        let Head::Branch(name) = &head else { return Ok(head) };
        let renamed = self.renamed_branch(refs, name)?;
        Ok(renamed.map_or(head, Head::Branch))
    }

    /// Gives the tree of a commit; the empty tree before the first.
    pub fn tree_of(
        &self,
        reader: &mut Reader<'_>,
        commit: Option<ObjectId>,
    ) -> Result<ObjectId, Error> {
        match commit {
            Some(id) => Ok(reader.commit(&id)?.tree),
            None => Ok(crate::object::tree::EMPTY_TREE),
        }
    }

    /// Gives the staged tree, which is that of the head while nothing is staged.
    pub fn staged_tree(&self, reader: &mut Reader<'_>) -> Result<ObjectId, Error> {
        match local::load_stage(&self.location.folder)? {
            Some(tree) => Ok(tree),
            None => self.tree_of(reader, self.head_commit()?),
        }
    }

    /// Gives the value of a setting.
    pub fn setting(&self, name: &str) -> Option<&str> {
        config::value(&self.settings, name)
    }

    /// Gives who records: the settings, or else the account and the machine.
    pub fn author(&self) -> Author {
        let account = crate::capture::account();
        let user = account.user.as_deref().unwrap_or("unknown");
        let host = account.host.as_deref().unwrap_or("localhost");
        Author {
            name: self.filled("user.name").unwrap_or(user).to_owned(),
            email: self
                .filled("user.email")
                .map_or_else(|| format!("{user}@{host}"), str::to_owned),
        }
    }

    /// Tells whether a part of the author comes from the account and the machine.
    pub fn is_author_guessed(&self) -> bool {
        self.filled("user.name").is_none() || self.filled("user.email").is_none()
    }

    fn filled(&self, name: &str) -> Option<&str> {
        self.setting(name).filter(|value| !value.trim().is_empty())
    }

    /// Gives who writes a journal entry, and where.
    pub fn actor(&self) -> Actor {
        let Author { name, email } = self.author();
        let account = crate::capture::account();
        Actor { name, email, host: account.host, user: account.user }
    }
}
