//! What keeps objects alive: every ref of every transaction, the stage, the head, runs and searches
//! under way.

use super::{Error, ErrorKind, Repository};
use crate::store::{JournalEntry, Root};
use crate::worktree::bisect;
use crate::worktree::head::Head;
use crate::worktree::local;
use crate::worktree::run_folder::RunFolder;

/// What was found on the way to the roots.
pub(super) struct Roots {
    /// The roots; trees of refs that follow each other share most nodes.
    pub roots: Vec<Root>,
    /// How many entries the journal has.
    pub entries: u64,
    /// The tree of the stage, to see whether it moved.
    pub stage: Option<crate::object::ObjectId>,
}

impl Repository {
    /// Gives everything that keeps objects alive.
    ///
    /// Shape: `each` sees every entry that can be read, the oldest first; `failed` decides about
    /// what cannot be read: an error ends it.
    pub(super) fn roots(
        &self,
        mut each: impl FnMut(&JournalEntry) -> Result<(), Error>,
        mut failed: impl FnMut(&str, Error) -> Result<(), Error>,
    ) -> Result<Roots, Error> {
        let mut roots = Vec::new();
        let newest = match self.journal.head() {
            Ok(head) => head.newest.map(|newest| newest.number()),
            Err(error) => {
                failed("the newest entry of the journal", error.into())?;
                Some(u64::MAX)
            }
        };
        let mut entries = 0;
        for number in newest.map(|newest| 0..=newest).into_iter().flatten() {
            match self.journal.entry(number) {
                Ok(entry) => {
                    roots.push(Root::Tree(entry.transaction.refs));
                    roots.push(Root::Tree(entry.transaction.attestations));
                    each(&entry)?;
                    entries += 1;
                }
                Err(error) if newest == Some(u64::MAX) && is_missing(&error) => break,
                Err(error) => failed(&format!("entry {number} of the journal"), error.into())?,
            }
        }
        let mut stage = None;
        match local::load_stage(&self.location.folder) {
            Ok(tree) => {
                roots.extend(tree.map(Root::Tree));
                stage = tree;
            }
            Err(error) => failed("the stage", error.into())?,
        }
        match RunFolder::trees(&self.location.folder) {
            Ok(trees) => roots.extend(trees.into_iter().map(Root::Tree)),
            Err(error) => failed("the state of a run", error.into())?,
        }
        match bisect::load(&self.location.folder) {
            Ok(search) => {
                let said = search.into_iter().flat_map(|search| search.log);
                roots.extend(said.map(|said| Root::Commit(said.commit)));
            }
            Err(error) => failed("the search for a bad commit", error.into())?,
        }
        match self.head() {
            Ok(Head::Detached(id)) => roots.push(Root::Commit(id)),
            Ok(Head::Branch(_)) => {}
            Err(error) => failed("HEAD", error)?,
        }
        Ok(Roots { roots, entries, stage })
    }
}

fn is_missing(error: &crate::store::JournalError) -> bool {
    matches!(error, crate::store::JournalError::Missing { .. })
}

/// Tells whether an error is about damage, which a check lists and goes on.
///
/// Shape: a local file that is gone is damage; a storage that is gone is none: where nothing can
/// be read, a check would go on for ever.
pub(super) fn is_damage(error: &Error) -> bool {
    match error.kind() {
        ErrorKind::Corrupt => true,
        ErrorKind::NoRepository => matches!(error, Error::Local(_)),
        _ => false,
    }
}
