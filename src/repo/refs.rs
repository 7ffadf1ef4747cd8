//! Where every ref stands, and the one way in which refs move: an entry of the journal.

use std::collections::BTreeMap;

use super::{Error, Repository};
use crate::object::tree::{self, EMPTY_TREE, Edit, Target};
use crate::object::{ObjectId, TreePath, Update, shorten_command};
use crate::store::{Appended, Draft, JournalHead, Reader, Transaction};

/// How often a lost race for the next entry is run again.
const ATTEMPTS: usize = 64;

/// Where every ref stands, as of one entry of the journal.
#[derive(Debug, Clone)]
pub struct Refs {
    /// The newest entry when this was read.
    pub head: JournalHead,
    /// The tree of all refs.
    pub tree: ObjectId,
    /// The tree of statements about objects.
    pub attestations: ObjectId,
}

/// A ref that is to move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefMove {
    /// Its full name: `heads/main`.
    pub name: String,
    /// Where it must stand for the move to happen; nothing if it must not exist.
    pub old: Option<ObjectId>,
    /// Where it shall stand; nothing if it shall be gone.
    pub new: Option<ObjectId>,
}

impl Refs {
    /// Gives where a ref stands.
    pub fn find(&self, reader: &mut Reader<'_>, name: &str) -> Result<Option<ObjectId>, Error> {
        let found = tree::find(&self.tree, &path_of(name)?, |id| reader.node(id))?;
        match found {
            Some(Target::Commit { id }) => Ok(Some(id)),
            // `heads` itself is a directory, and so no ref.
            _ => Ok(None),
        }
    }

    /// Gives all refs below a prefix such as `heads`, or all there are, sorted by name.
    pub fn list(
        &self,
        reader: &mut Reader<'_>,
        prefix: Option<&str>,
    ) -> Result<BTreeMap<String, ObjectId>, Error> {
        let prefix = prefix.map(path_of).transpose()?;
        let mut refs = BTreeMap::new();
        for entry in tree::walk(&self.tree, prefix.as_ref(), |id| reader.node(id))? {
            let entry = entry?;
            if let Target::Commit { id } = entry.target {
                let name = String::from_utf8_lossy(entry.path.as_bytes()).into_owned();
                refs.insert(name, id);
            }
        }
        Ok(refs)
    }
}

impl Repository {
    /// Reads where every ref stands now.
    ///
    /// Errors: the journal is damaged, or has no entry.
    pub fn refs(&self) -> Result<Refs, Error> {
        let head = self.journal.head()?;
        let Some(newest) = &head.newest else {
            return Err(Error::Corrupt("the journal has no entry: init did not end".to_owned()));
        };
        let (tree, attestations) = (newest.transaction.refs, newest.transaction.attestations);
        Ok(Refs { head, tree, attestations })
    }

    /// Moves refs in one journal entry, together with the objects that they need.
    ///
    /// Shape: `objects` become durable first. Another writer's entry in between is no conflict
    /// unless it moved one of the same refs. Errors: [`Error::Conflict`] if a ref does not stand
    /// where it must; nothing has moved then.
    pub fn move_refs(
        &self,
        moves: &[RefMove],
        command: &str,
        objects: Option<Transaction<'_>>,
    ) -> Result<u64, Error> {
        let mut objects = objects;
        for _ in 0..ATTEMPTS {
            let refs = self.refs()?;
            let mut reader = self.store.reader();
            for step in moves {
                refs.check(&mut reader, step)?;
            }
            let transaction = match objects.take() {
                Some(transaction) => transaction,
                None => self.store.transaction()?,
            };
            let tree = refs.edited(&mut reader, moves, &transaction)?;
            transaction.finish()?;
            let draft = Draft {
                time: self.clock.now(),
                actor: self.actor(),
                command: shorten_command(command),
                updates: updates_of(moves),
                refs: tree,
                attestations: refs.attestations,
            };
            if let Appended::Won(entry) = self.journal.append(&refs.head, draft)? {
                return Ok(entry.number());
            }
        }
        Err(Error::Conflict("too many writers at once: try again".to_owned()))
    }
}

impl Refs {
    fn check(&self, reader: &mut Reader<'_>, step: &RefMove) -> Result<(), Error> {
        let now = self.find(reader, &step.name)?;
        if now == step.old {
            return Ok(());
        }
        let stand = |id: Option<ObjectId>| id.map_or("nowhere".to_owned(), |id| id.short());
        let (name, now, old) = (&step.name, stand(now), stand(step.old));
        Err(Error::Conflict(format!(
            "somebody else moved the ref meanwhile, ref={name}, expected={old}, found={now}"
        )))
    }

    /// Puts the nodes of the tree of refs after `moves`.
    fn edited(
        &self,
        reader: &mut Reader<'_>,
        moves: &[RefMove],
        transaction: &Transaction<'_>,
    ) -> Result<ObjectId, Error> {
        let mut edits = BTreeMap::new();
        for step in moves {
            let edit = step.new.map_or(Edit::Remove, |id| Edit::Put(Target::Commit { id }));
            edits.insert(path_of(&step.name)?, edit);
        }
        let root = (self.tree != EMPTY_TREE).then_some(self.tree);
        let load = |id: &ObjectId| reader.node(id).map_err(Error::from);
        let emit = |id, node: &[u8]| transaction.put_node(id, node).map_err(Error::from);
        Ok(tree::edit(root, edits, load, emit)?.id)
    }
}

fn updates_of(moves: &[RefMove]) -> Vec<Update> {
    let mut updates: Vec<Update> = moves
        .iter()
        .filter(|step| step.old != step.new)
        .map(|step| Update { name: step.name.clone(), old: step.old, new: step.new })
        .collect();
    updates.sort_by(|a, b| a.name.cmp(&b.name));
    updates
}

/// Gives the place of a ref in the tree of refs.
fn path_of(name: &str) -> Result<TreePath, Error> {
    TreePath::new(name.as_bytes()).map_err(|error| Error::Usage(format!("no ref name: {error}")))
}
