//! Where every ref stands, and the one way in which refs move: an entry of the journal.

use std::collections::BTreeMap;

use super::{Error, Repository};
use crate::object::{ObjectId, Update, shorten_command};
use crate::store::refs::RefTree;
use crate::store::{Appended, Draft, JournalHead, Reader, Reliance, Root, StoreError, Transaction};

/// How often a lost race for the next entry is run again.
const ATTEMPTS: usize = 64;

/// Where every ref stands, as of one entry of the journal.
#[derive(Debug, Clone)]
pub struct Refs {
    /// The newest entry when this was read.
    pub head: JournalHead,
    /// The tree of all refs.
    pub tree: RefTree,
    /// The tree of statements about objects.
    pub attestations: ObjectId,
}

impl Refs {
    /// Gives where a ref stands.
    pub fn find(&self, reader: &mut Reader<'_>, name: &str) -> Result<Option<ObjectId>, Error> {
        self.tree.find(name, |id| reader.node(id).map_err(Error::from))
    }

    /// Gives all refs below a prefix such as `heads`, or all there are, sorted by name.
    pub fn list(
        &self,
        reader: &mut Reader<'_>,
        prefix: Option<&str>,
    ) -> Result<BTreeMap<String, ObjectId>, Error> {
        let refs = self.tree.list(prefix, |id| reader.node(id).map_err(Error::from))?;
        Ok(refs.into_iter().collect())
    }
}

impl Repository {
    /// Reads where every ref stands now.
    ///
    /// Errors: the journal is damaged, or has no entry.
    pub fn refs(&self) -> Result<Refs, Error> {
        let head = self.journal.head()?;
        let Some(newest) = &head.newest else {
            let reason = "the journal has no entry: init did not end; run it again";
            return Err(Error::Corrupt(reason.to_owned()));
        };
        let tree = RefTree(newest.transaction.refs);
        Ok(Refs { attestations: newest.transaction.attestations, tree, head })
    }

    /// Moves refs in one journal entry, together with the objects that they need.
    ///
    /// Shape: `objects` become durable first. Another writer's entry in between is no conflict
    /// unless it moved one of the same refs. Errors: [`Error::Ref`] if a ref does not stand where
    /// its update says; nothing has moved then.
    pub fn move_refs<'s>(
        &'s self,
        updates: &[Update],
        command: &str,
        objects: Option<Transaction<'s>>,
    ) -> Result<u64, Error> {
        let mut objects = objects;
        let mut updates = updates.to_vec();
        updates.sort_by(|a, b| a.name.cmp(&b.name));
        for _ in 0..ATTEMPTS {
            let refs = self.refs()?;
            let transaction = match objects.take() {
                Some(transaction) => transaction,
                None => self.store.transaction()?,
            };
            let reliance = transaction.reliance()?;
            for id in updates.iter().filter_map(|update| update.new) {
                self.store.revive(&reliance, &id, Root::Commit(id))?;
            }
            let mut reader = self.store.reader();
            let tree = refs.tree.after(
                &updates,
                |id| reader.node(id).map_err(Error::from),
                |node| Ok(transaction.put_node(node)?),
            )?;
            if transaction.finish()?.packs == 0 {
                // What the entry names may be another process's, visible but not yet durable.
                self.store.settle()?;
            }
            let draft = Draft {
                time: self.clock.now(),
                actor: self.actor(),
                command: shorten_command(command),
                updates: updates.clone(),
                refs: tree.0,
                attestations: refs.attestations,
            };
            reliance.confirm()?;
            if let Appended::Won(entry) = self.journal.append(&refs.head, draft)? {
                self.confirm_after(&reliance, tree)?;
                return Ok(entry.number());
            }
        }
        Err(Error::Conflict("too many writers at once: try again".to_owned()))
    }

    /// Looks whether an entry that is in names only what is there.
    ///
    /// Cost: nothing, unless this process stood still for hours in the moment of its entry.
    fn confirm_after(&self, reliance: &Reliance, tree: RefTree) -> Result<(), Error> {
        match reliance.confirm() {
            Err(StoreError::Overdue) => Ok(self.store.check_reach(Root::Tree(tree.0))?),
            // The entry is in, and what it names was there a moment ago.
            _ => Ok(()),
        }
    }
}
