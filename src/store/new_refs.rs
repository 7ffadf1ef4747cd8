//! Many new refs at once: collected compactly, compared with those there are, put in one pass.
//!
//! For a few refs `refs.rs` looks up each; this reads all refs of a kind once, whatever their
//! number, and holds some 50 bytes and the name for each new one.

use std::cmp::Ordering;

use crate::object::tree::{self, EMPTY_TREE, Edit, NewNode, Target};
use crate::object::{DecodeError, ObjectId, TreePath};

use super::refs::{RefError, RefTree};

/// Refs to be made.
#[derive(Debug, Default)]
pub struct NewRefs {
    names: Vec<u8>,
    rows: Vec<Row>,
    is_sorted: bool,
    /// Whether one that stands elsewhere is left alone, and no error.
    pub leaves_moved: bool,
}

#[derive(Debug, Clone, Copy)]
struct Row {
    start: u64,
    bytes: u32,
    note: u32,
    id: ObjectId,
}

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewRef<'r> {
    /// Its full name.
    pub name: &'r str,
    /// The commit it is to name.
    pub id: ObjectId,
    /// What the caller noted with it.
    pub note: u32,
}

/// Which of them are to be made.
#[derive(Debug, Default)]
pub struct Settled {
    /// Those that are not there yet, by their place, in the order of the tree.
    fresh: Vec<u32>,
    /// How many stand where they should already.
    pub standing: u64,
    /// Names of those that stand elsewhere, if these are to be left alone.
    pub moved: Vec<String>,
}

impl Settled {
    /// Counts those that are not there yet.
    pub fn fresh(&self) -> u64 {
        self.fresh.len() as u64
    }
}

/// Why one of them cannot be made.
#[derive(Debug)]
pub struct Refused {
    /// What is in the way.
    pub error: RefError,
    /// What the caller noted with it.
    pub note: u32,
}

impl NewRefs {
    /// Adds one; `note` comes back in errors. False if there are too many.
    pub fn push(&mut self, name: &str, id: ObjectId, note: u32) -> bool {
        let Ok(bytes) = u32::try_from(name.len()) else { return false };
        if self.rows.len() >= u32::MAX as usize {
            return false;
        }
        let start = self.names.len() as u64;
        self.names.extend_from_slice(name.as_bytes());
        self.rows.push(Row { start, bytes, note, id });
        self.is_sorted = false;
        true
    }

    /// Counts them.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Tells whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Gives one by its place.
    pub fn get(&self, at: usize) -> Option<NewRef<'_>> {
        let row = self.rows.get(at)?;
        Some(NewRef { name: name_of(&self.names, row), id: row.id, note: row.note })
    }

    /// Lists them, as they were added or as they were sorted.
    pub fn iter(&self) -> impl Iterator<Item = NewRef<'_>> {
        self.rows.iter().map(|row| NewRef {
            name: name_of(&self.names, row),
            id: row.id,
            note: row.note,
        })
    }

    /// Sorts them as the tree has them, and drops those that were added twice.
    ///
    /// Errors: two of one name that name different commits; one that is the beginning of another.
    pub fn sort(&mut self) -> Result<(), Refused> {
        if self.is_sorted {
            return Ok(());
        }
        let names = &self.names;
        self.rows.sort_unstable_by(|a, b| {
            let order = compare(name_of(names, a), name_of(names, b));
            order.then(a.note.cmp(&b.note))
        });
        self.rows.dedup_by(|later, first| {
            later.id == first.id && name_of(names, later) == name_of(names, first)
        });
        for pair in self.rows.windows(2) {
            let [first, later] = pair else { continue };
            let (name, other) = (name_of(names, later), name_of(names, first));
            let error = match name.strip_prefix(other) {
                Some("") => RefError::Moved {
                    name: name.to_owned(),
                    expected: Some(later.id),
                    found: Some(first.id),
                },
                Some(rest) if rest.starts_with('/') => {
                    RefError::Clash { name: name.to_owned(), other: other.to_owned() }
                }
                _ => continue,
            };
            return Err(Refused { error, note: later.note });
        }
        self.is_sorted = true;
        Ok(())
    }

    /// Finds out which of them are not there yet.
    ///
    /// Shape: [`Self::sort`] was called. Errors: those of `load`, and inside one that cannot be
    /// made. Cost: reads all refs below `prefix`, below which all of them are.
    pub fn settle<B, E>(
        &self,
        tree: RefTree,
        prefix: &str,
        load: impl FnMut(&ObjectId) -> Result<B, E>,
    ) -> Result<Result<Settled, Refused>, E>
    where
        B: AsRef<[u8]>,
        E: From<DecodeError> + From<RefError>,
    {
        let mut settled = Settled::default();
        let prefix =
            TreePath::new(prefix).map_err(|_| RefError::Name { name: prefix.to_owned() })?;
        let mut there = match tree.0 == EMPTY_TREE {
            true => None,
            false => Some(tree::walk(&tree.0, Some(&prefix), load)?),
        };
        let mut next_of = || -> Result<Option<tree::Walked>, E> {
            there.as_mut().and_then(Iterator::next).transpose()
        };
        let mut next = next_of()?;
        let mut before: Option<String> = None;
        for (at, new) in self.iter().enumerate() {
            while let Some(walked) = &next {
                let path = String::from_utf8_lossy(walked.path.as_bytes());
                if compare(&path, new.name) != Ordering::Less {
                    break;
                }
                before = (!walked.target.is_directory()).then(|| path.into_owned());
                next = next_of()?;
            }
            let clash = |other: &str| {
                let error = RefError::Clash { name: new.name.to_owned(), other: other.to_owned() };
                Refused { error, note: new.note }
            };
            if let Some(before) = &before
                && new.name.strip_prefix(before.as_str()).is_some_and(|rest| rest.starts_with('/'))
            {
                return Ok(Err(clash(before)));
            }
            let same = next.as_ref().filter(|there| there.path.as_bytes() == new.name.as_bytes());
            match same.map(|there| there.target) {
                None => settled.fresh.push(u32::try_from(at).unwrap_or(u32::MAX)),
                Some(target) if target.is_directory() => {
                    return Ok(Err(clash(&format!("{}/", new.name))));
                }
                Some(target) if target.id() == new.id => settled.standing += 1,
                Some(_) if self.leaves_moved => settled.moved.push(new.name.to_owned()),
                Some(target) => {
                    let (name, found) = (new.name.to_owned(), Some(target.id()));
                    let error = RefError::Moved { name, expected: None, found };
                    return Ok(Err(Refused { error, note: new.note }));
                }
            }
        }
        Ok(Ok(settled))
    }

    /// Makes the tree of refs with those that are fresh.
    ///
    /// Shape: `emit` gets the new nodes. Cost: reads and emits the nodes on the way to them.
    pub fn put<B, E>(
        &self,
        tree: RefTree,
        settled: &Settled,
        load: impl FnMut(&ObjectId) -> Result<B, E>,
        emit: impl FnMut(NewNode<'_>) -> Result<(), E>,
    ) -> Result<RefTree, E>
    where
        B: AsRef<[u8]>,
        E: From<DecodeError> + From<RefError>,
    {
        let mut fault = None;
        let edits = settled.fresh.iter().map_while(|at| {
            let new = self.get(*at as usize)?;
            let Ok(path) = TreePath::new(new.name) else {
                fault = Some(RefError::Name { name: new.name.to_owned() });
                return None;
            };
            Some((path, Edit::Put(Target::Commit { id: new.id })))
        });
        let after = tree::edit(Some(tree.0), edits, load, emit)?;
        fault.map_or(Ok(RefTree(after.id)), |fault| Err(fault.into()))
    }
}

fn name_of<'r>(names: &'r [u8], row: &Row) -> &'r str {
    let start = usize::try_from(row.start).unwrap_or(usize::MAX);
    let name = names.get(start..start.saturating_add(row.bytes as usize));
    // Each came in as a text.
    std::str::from_utf8(name.unwrap_or_default()).unwrap_or_default()
}

/// Orders names as the tree does: what is below a name follows it without a gap.
fn compare(a: &str, b: &str) -> Ordering {
    let key = |byte: u8| if byte == b'/' { 0 } else { byte };
    a.bytes().map(key).cmp(b.bytes().map(key))
}

#[cfg(test)]
#[path = "new_refs_tests.rs"]
mod tests;
