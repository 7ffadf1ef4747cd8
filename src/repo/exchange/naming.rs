//! Names for what a stream brought: one journal entry for all, unless very many are no runs.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::object::tree::NewNode;
use crate::object::{ObjectId, UNLISTED_PREFIX, Update};
use crate::progress::Progress;
use crate::repo::ref_name::RefKind;
use crate::repo::refs::{Refs, Step};
use crate::repo::{Error, Repository};
use crate::store::new_refs::{NewRef, NewRefs, Refused, Settled};
use crate::store::refs::RefError;
use crate::store::{Root, Transaction};

use super::lines::refused;

/// Bytes of updates that one entry lists; the entry itself has room for 65,535.
const LISTED_BYTES_MAX: usize = 48 << 10;

/// Bytes of an update beside its name.
const UPDATE_BYTES: usize = 200;

/// Refs to be made at the end of a stream.
#[derive(Debug)]
pub(super) struct Names {
    prefix: Option<String>,
    runs: NewRefs,
    others: NewRefs,
    /// A branch that may move on, and from where.
    pub moves: Option<(String, ObjectId)>,
}

/// What became of them.
#[derive(Debug, Default)]
pub(super) struct Named {
    pub fresh: u64,
    pub standing: u64,
    /// Names of runs that stand elsewhere and were left alone.
    pub moved: Vec<String>,
    pub number: Option<u64>,
}

impl Names {
    /// Begins; `prefix` is put before each name. A run that stands elsewhere is a conflict, or
    /// left alone.
    pub fn new(prefix: Option<String>, leaves_moved: bool) -> Result<Self, Error> {
        if let Some(prefix) = &prefix {
            RefKind::Run.full_name(&format!("{prefix}x"))?;
        }
        let mut names =
            Self { prefix, runs: NewRefs::default(), others: NewRefs::default(), moves: None };
        names.runs.leaves_moved = leaves_moved;
        Ok(names)
    }

    /// The refs of runs so far.
    pub fn runs(&self) -> &NewRefs {
        &self.runs
    }

    /// Gives the full name of a ref with the prefix in it.
    pub fn full<'n>(&self, full: &'n str) -> Cow<'n, str> {
        match (&self.prefix, full.split_once('/')) {
            (Some(prefix), Some((kind, name))) => format!("{kind}/{prefix}{name}").into(),
            _ => full.into(),
        }
    }

    /// Adds the full name of a ref; gives its place if it is that of a run.
    pub fn push(&mut self, full: &str, id: ObjectId, line: u64) -> Result<Option<u32>, String> {
        let full = &*self.full(full);
        let is_run = full.starts_with(UNLISTED_PREFIX);
        let refs = if is_run { &mut self.runs } else { &mut self.others };
        let place = u32::try_from(refs.len()).ok();
        let line = u32::try_from(line).unwrap_or(u32::MAX);
        match refs.push(full, id, line) {
            true => Ok(place.filter(|_| is_run)),
            false => Err("there are too many refs".to_owned()),
        }
    }

    /// Makes the refs that are not there yet.
    ///
    /// Errors: `Usage` and `Conflict` with the number of the line; no run is named then, nor any
    /// other ref, unless those take several entries.
    pub fn publish<'r>(
        &mut self,
        repository: &'r Repository,
        transaction: Transaction<'r>,
        command: &str,
        progress: &Progress,
    ) -> Result<Named, Error> {
        self.runs.sort().map_err(worded)?;
        self.others.sort().map_err(worded)?;
        if listed_bytes(self.runs.iter()) <= LISTED_BYTES_MAX / 2 {
            // Few runs are listed as everything else is.
            let leaves_moved = self.runs.leaves_moved;
            let runs = std::mem::take(&mut self.runs);
            self.runs.leaves_moved = leaves_moved;
            for run in runs.iter() {
                self.others.push(run.name, run.id, run.note);
            }
            self.others.sort().map_err(worded)?;
        }
        let mut named = Named::default();
        let mut chunks = self.fresh_others(repository, &mut named)?;
        let last = chunks.pop().unwrap_or_default();
        for chunk in chunks {
            progress.check()?;
            named.number = Some(repository.move_refs(&chunk, command, None)?);
        }
        let is_settled = last.is_empty() && self.is_standing(repository, &mut named)?;
        if is_settled {
            return Ok(named);
        }
        let runs = &self.runs;
        let mut outcome = Settled::default();
        let number = repository.append(command, Some(transaction), |refs, transaction| {
            progress.check()?;
            let step = step(repository, refs, transaction, &last, runs)?;
            outcome = step.1;
            Ok(step.0)
        })?;
        named.add(outcome);
        named.number = Some(number);
        Ok(named)
    }

    /// Finds the refs beside runs that are not there yet, in parts that one entry each lists.
    fn fresh_others(
        &self,
        repository: &Repository,
        named: &mut Named,
    ) -> Result<Vec<Vec<Update>>, Error> {
        let refs = repository.refs()?;
        let mut reader = repository.store.reader();
        let mut chunks: Vec<Vec<Update>> = Vec::new();
        let mut bytes = usize::MAX;
        for new in self.others.iter() {
            let standing = refs.find(&mut reader, new.name)?;
            let may_move = self.moves.as_ref().map(|(name, old)| (name.as_str(), *old));
            match standing {
                Some(found) if found == new.id => named.standing += 1,
                Some(found) if may_move == Some((new.name, found)) => {
                    list(&mut chunks, &mut bytes, new, Some(found));
                    named.fresh += 1;
                }
                Some(_) if self.runs.leaves_moved && new.name.starts_with(UNLISTED_PREFIX) => {
                    named.moved.push(new.name.to_owned());
                }
                Some(found) => {
                    let (name, expected) = (new.name.to_owned(), None);
                    let error = RefError::Moved { name, expected, found: Some(found) };
                    return Err(worded(Refused { error, note: new.note }));
                }
                None => {
                    list(&mut chunks, &mut bytes, new, None);
                    named.fresh += 1;
                }
            }
        }
        Ok(chunks)
    }

    /// Tells whether every run stands where it should.
    fn is_standing(&self, repository: &Repository, named: &mut Named) -> Result<bool, Error> {
        if self.runs.is_empty() {
            return Ok(true);
        }
        let refs = repository.refs()?;
        let mut reader = repository.store.reader();
        let load = |id: &ObjectId| reader.node(id).map_err(Error::from);
        let settled = self.runs.settle(refs.tree, prefix(), load)?.map_err(worded)?;
        let is_standing = settled.fresh() == 0;
        if is_standing {
            named.add(settled);
        }
        Ok(is_standing)
    }
}

impl Named {
    fn add(&mut self, settled: Settled) {
        self.fresh += settled.fresh();
        self.standing += settled.standing;
        self.moved.extend(settled.moved);
    }
}

/// Adds an update to the last of some parts, or to a new one when that is full.
fn list(chunks: &mut Vec<Vec<Update>>, bytes: &mut usize, new: NewRef<'_>, old: Option<ObjectId>) {
    let more = 2 * new.name.len() + UPDATE_BYTES;
    if bytes.saturating_add(more) > LISTED_BYTES_MAX {
        chunks.push(Vec::new());
        *bytes = 0;
    }
    *bytes += more;
    let update = Update { name: new.name.to_owned(), old, new: Some(new.id) };
    chunks.last_mut().into_iter().for_each(|chunk| chunk.push(update.clone()));
}

/// Decides what one entry does; also which runs are new, and which are there.
fn step(
    repository: &Repository,
    refs: &Refs,
    transaction: &Transaction<'_>,
    listed: &[Update],
    runs: &NewRefs,
) -> Result<(Step, Settled), Error> {
    let reliance = transaction.reliance()?;
    let new = listed.iter().filter_map(|update| update.new);
    for id in new.chain(runs.iter().map(|run| run.id)) {
        repository.store.revive(&reliance, &id, Root::Commit(id))?;
    }
    let mut reader = repository.store.reader();
    let mut fresh: HashMap<ObjectId, Vec<u8>> = HashMap::new();
    let tree = refs.tree.after(
        listed,
        |id| reader.node(id).map_err(Error::from),
        |node: NewNode<'_>| {
            fresh.insert(node.id, node.bytes.to_vec());
            Ok(transaction.put_node(node)?)
        },
    )?;
    // What was just made cannot be read yet.
    let mut load = |id: &ObjectId| match fresh.get(id) {
        Some(bytes) => Ok(bytes.clone()),
        None => reader.node(id).map_err(Error::from),
    };
    let settled = runs.settle(tree, prefix(), &mut load)?.map_err(worded)?;
    let emit = |node: NewNode<'_>| Ok(transaction.put_node(node)?);
    let tree = runs.put(tree, &settled, &mut load, emit)?;
    let unlisted = settled.fresh();
    Ok((Step { updates: listed.to_vec(), unlisted, tree }, settled))
}

fn prefix() -> &'static str {
    UNLISTED_PREFIX.trim_end_matches('/')
}

fn listed_bytes<'r>(refs: impl Iterator<Item = NewRef<'r>>) -> usize {
    refs.map(|new| 2 * new.name.len() + UPDATE_BYTES).sum()
}

fn worded(refused_ref: Refused) -> Error {
    let Refused { error, note } = refused_ref;
    let line = u64::from(note);
    match error {
        RefError::Moved { name, expected: Some(_), .. } => {
            refused(line, &format!("ref: an earlier line gives {name:?} to another commit"))
        }
        RefError::Moved { name, found, .. } => {
            let found = found.map(|id| id.short()).unwrap_or_default();
            Error::Conflict(format!(
                "line {line}: {name:?} is here already and names another commit, {found}: import \
                 under other names with --prefix"
            ))
        }
        error => refused(line, &error.to_string()),
    }
}
