//! Where every ref stands, and the one way in which refs move: an entry of the journal.

use std::collections::BTreeMap;

use super::{Error, Repository};
use crate::object::{self, ObjectId, UNLISTED_PREFIX, Update, shorten_command};
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

    /// Passes every ref on, in the order of their names' parts.
    pub fn each<E: From<Error>>(
        &self,
        reader: &mut Reader<'_>,
        mut pass: impl FnMut(&str, ObjectId) -> Result<(), E>,
    ) -> Result<(), E> {
        let load = |id: &ObjectId| reader.node(id).map_err(Error::from);
        for found in self.tree.each(load)? {
            let (name, id) = found?;
            pass(&name, id)?;
        }
        Ok(())
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

/// What a journal entry does to the refs.
#[derive(Debug)]
pub(super) struct Step {
    /// What moves, strictly ascending by ref.
    pub updates: Vec<Update>,
    /// How many runs are named or forgotten beside that.
    pub unlisted: u64,
    /// All refs after it.
    pub tree: RefTree,
}

/// Gives the new name of the branch `name`, if these updates rename it: one other branch comes to
/// stand where it stood.
pub(super) fn renamed<'u>(updates: &'u [Update], name: &str) -> Option<&'u str> {
    let gone = updates.iter().find(|update| update.name == name && update.new.is_none())?;
    let mut comes = updates.iter().filter(|update| {
        update.name.starts_with("heads/") && update.new == gone.old && update.old != gone.old
    });
    match (comes.next(), comes.next()) {
        (Some(renamed), None) => Some(&renamed.name),
        _ => None,
    }
}

impl Repository {
    /// Finds the name that a branch, which is not there under its own, was renamed to.
    ///
    /// Shape: `None` if it was not renamed, or what it was renamed to is gone. Cost: reads the
    /// journal back to where the branch was last touched.
    pub(super) fn renamed_branch(&self, refs: &Refs, name: &str) -> Result<Option<String>, Error> {
        let mut reader = self.store.reader();
        let newest = refs.head.newest.as_ref().map(|newest| newest.transaction.number);
        let mut found: Option<String> = None;
        // Each round looks at a later entry than the one before, so this ends.
        loop {
            let name = found.as_deref().unwrap_or(name);
            if refs.find(&mut reader, name)?.is_some() {
                return Ok(found);
            }
            let mut entries = newest.into_iter().flat_map(|newest| self.journal.entries(newest));
            let updates = loop {
                let Some(entry) = entries.next() else { return Ok(None) };
                let updates = entry?.transaction.updates;
                if updates.iter().any(|update| update.name == name) {
                    break updates;
                }
            };
            let Some(next) = renamed(&updates, name) else { return Ok(None) };
            found = Some(next.to_owned());
        }
    }

    /// Reads where every ref stands now.
    ///
    /// Errors: the journal is damaged, or has no entry.
    pub fn refs(&self) -> Result<Refs, Error> {
        let reason = "the journal has no entry: init did not end; run it again";
        self.refs_if_any()?.ok_or_else(|| Error::Corrupt(reason.to_owned()))
    }

    /// As [`Self::refs`]; `None` if the journal has no entry.
    pub(super) fn refs_if_any(&self) -> Result<Option<Refs>, Error> {
        let head = self.journal.head()?;
        let Some(newest) = &head.newest else { return Ok(None) };
        let tree = RefTree(newest.transaction.refs);
        Ok(Some(Refs { attestations: newest.transaction.attestations, tree, head }))
    }

    /// Gives where a ref stood before an entry, if the entry moved it.
    ///
    /// Cost: reads the refs before and after an entry that does not list all that moved.
    pub(super) fn moved_from(
        &self,
        entry: &object::Transaction,
        name: &str,
        reader: &mut Reader<'_>,
    ) -> Result<Option<Option<ObjectId>>, Error> {
        if let Some(update) = entry.updates.iter().find(|update| update.name == name) {
            return Ok(Some(update.old));
        }
        if entry.unlisted == 0 || !name.starts_with(UNLISTED_PREFIX) {
            return Ok(None);
        }
        let mut find = |refs| RefTree(refs).find(name, |id| reader.node(id).map_err(Error::from));
        let old = match entry.number.checked_sub(1) {
            Some(before) => find(self.journal.entry(before)?.transaction.refs)?,
            None => None,
        };
        Ok((find(entry.refs)? != old).then_some(old))
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
        let mut updates = updates.to_vec();
        updates.sort_by(|a, b| a.name.cmp(&b.name));
        self.append(command, objects, |refs, transaction| {
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
            Ok(Step { updates: updates.clone(), unlisted: 0, tree })
        })
    }

    /// Appends a journal entry; `step` says what it does to the refs as they stand now.
    ///
    /// Shape: asked again when another writer was quicker. Errors: those of `step`, and of the
    /// store; nothing has moved then.
    pub(super) fn append<'s>(
        &'s self,
        command: &str,
        objects: Option<Transaction<'s>>,
        mut step: impl FnMut(&Refs, &Transaction<'s>) -> Result<Step, Error>,
    ) -> Result<u64, Error> {
        let mut objects = objects;
        for _ in 0..ATTEMPTS {
            let refs = self.refs()?;
            let transaction = match objects.take() {
                Some(transaction) => transaction,
                None => self.store.transaction()?,
            };
            let reliance = transaction.reliance()?;
            let Step { updates, unlisted, tree } = step(&refs, &transaction)?;
            if transaction.finish()?.packs == 0 {
                // What the entry names may be another process's, visible but not yet durable.
                self.store.settle()?;
            }
            let draft = Draft {
                time: self.clock.now(),
                actor: self.actor(),
                command: shorten_command(command),
                updates,
                unlisted,
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
