//! What a revision stands for in a repository: refs, ids and their first digits, and the journal.

use super::{Revision, Start, Step, When};
use crate::object::tree::{self, Target};
use crate::object::{ObjectId, Prefix, TreePath};
use crate::progress::Progress;
use crate::repo::paths::reason;
use crate::repo::ref_name::RefKind;
use crate::repo::{Error, Refs, Repository, date};
use crate::store::{Reader, Stored};
use crate::worktree::head::Head;

/// How many objects an error lists when first digits name several.
const CANDIDATES_MAX: usize = 8;

/// How many commits are read one by one before `~N` asks the commit graph.
const READS_MAX: u64 = 32;

/// Holds what a revision stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named {
    /// A commit.
    Commit(ObjectId),
    /// A directory: the root node of its tree.
    Tree(ObjectId),
    /// A file or link in the tree of a commit, or of the stage.
    Entry(Target),
    /// Another object that was named by its id.
    Object(ObjectId, Stored),
}

impl Named {
    /// Gives the id of the object.
    pub const fn id(&self) -> ObjectId {
        match self {
            Self::Commit(id) | Self::Tree(id) | Self::Object(id, _) => *id,
            Self::Entry(target) => target.id(),
        }
    }
}

/// Resolves revisions, all as of the same entry of the journal.
#[derive(Debug)]
pub struct Resolver<'r> {
    repository: &'r Repository,
    reader: Reader<'r>,
    head: Head,
    refs: Refs,
}

impl<'r> Resolver<'r> {
    /// Reads where `HEAD` and the refs stand.
    pub fn new(repository: &'r Repository) -> Result<Self, Error> {
        let (head, refs) = repository.head_then_refs()?;
        Ok(Self { repository, reader: repository.store.reader(), head, refs })
    }

    /// Gives what `HEAD` was.
    pub const fn head(&self) -> &Head {
        &self.head
    }

    /// Gives the commit that `HEAD` stood on; none before the first.
    pub fn head_commit(&mut self) -> Result<Option<ObjectId>, Error> {
        match &self.head {
            Head::Detached(id) => Ok(Some(*id)),
            Head::Branch(name) => self.refs.find(&mut self.reader, name),
        }
    }

    /// Gives the refs that names are looked up in.
    pub const fn refs(&self) -> &Refs {
        &self.refs
    }

    /// Gives the reader, for what follows.
    pub const fn reader(&mut self) -> &mut Reader<'r> {
        &mut self.reader
    }

    /// Reads a revision as typed, and finds the commit that it stands for.
    ///
    /// Errors: `Usage` for what is no revision, or is something else than a commit; `NotFound`.
    pub fn commit(&mut self, typed: &[u8]) -> Result<ObjectId, Error> {
        self.commit_of(&Revision::parse(typed)?)
    }

    /// Finds the commit that a revision stands for.
    pub fn commit_of(&mut self, revision: &Revision) -> Result<ObjectId, Error> {
        match self.named(revision, Want::Commit)? {
            Named::Commit(id) => Ok(id),
            other => {
                let word = word(&other);
                Err(Error::Usage(format!("a commit is asked for, but {} is a {word}", other.id())))
            }
        }
    }

    /// Reads a revision as typed, and finds the tree that it stands for: that of a commit, or of a
    /// directory in it.
    pub fn tree(&mut self, typed: &[u8]) -> Result<ObjectId, Error> {
        match self.named(&Revision::parse(typed)?, Want::Tree)? {
            Named::Commit(id) => Ok(self.reader.commit(&id)?.tree),
            Named::Tree(id) => Ok(id),
            other => {
                let word = word(&other);
                Err(Error::Usage(format!("a tree is asked for, but {} is a {word}", other.id())))
            }
        }
    }

    /// Reads a revision as typed, and finds what it stands for, of whatever kind.
    pub fn object(&mut self, typed: &[u8]) -> Result<Named, Error> {
        self.object_of(&Revision::parse(typed)?)
    }

    /// Finds what a revision stands for, of whatever kind.
    pub fn object_of(&mut self, revision: &Revision) -> Result<Named, Error> {
        self.named(revision, Want::Anything)
    }

    fn named(&mut self, revision: &Revision, want: Want) -> Result<Named, Error> {
        // What follows a start begins at a commit, and so may tell what its digits mean.
        let is_alone = revision.steps.is_empty() && revision.path.is_none();
        let want = if is_alone { want } else { Want::Commit };
        let mut named = match &revision.start {
            Start::Stage => Named::Tree(self.repository.staged_tree(&mut self.reader)?),
            start => self.start(start, want)?,
        };
        for step in &revision.steps {
            named = self.step(named, *step)?;
        }
        match &revision.path {
            Some(path) => self.entry(named, path),
            None => Ok(named),
        }
    }

    fn start(&mut self, start: &Start, want: Want) -> Result<Named, Error> {
        match start {
            Start::Head => {
                let head = self.head_commit()?;
                head.map(Named::Commit).ok_or_else(|| not_found("commit", "HEAD"))
            }
            Start::Id(id) => match self.repository.store.stored(id)? {
                Some(stored) => Ok(of_stored(*id, stored)),
                None => Err(not_found("object", &id.to_string())),
            },
            Start::Name(name) => self.name(name, want),
            Start::Past { name, when } => {
                let name = self.ref_of(name.as_deref())?;
                self.past(&name, when).map(Named::Commit)
            }
            Start::Stage => Err(Error::Usage("the stage is no commit: name a path".to_owned())),
        }
    }

    fn name(&mut self, name: &str, want: Want) -> Result<Named, Error> {
        for full in full_names(name) {
            if let Some(id) = self.ref_at(&full)? {
                return Ok(Named::Commit(id));
            }
        }
        match Prefix::parse(name) {
            Ok(prefix) => self.prefix(name, &prefix, want),
            Err(_) => Err(not_found("commit", name)),
        }
    }

    /// Finds the ref that a name with `@{…}` means: as it stands, or else a branch that is gone.
    fn ref_of(&mut self, name: Option<&str>) -> Result<String, Error> {
        let Some(name) = name else {
            return match &self.head {
                Head::Branch(name) => Ok(name.clone()),
                Head::Detached(_) => {
                    Err(Error::Usage("HEAD is on no branch: name one before @{…}".to_owned()))
                }
            };
        };
        for full in full_names(name) {
            if self.ref_at(&full)?.is_some() {
                return Ok(full);
            }
        }
        let is_full = name.contains('/') && !name.starts_with(RefKind::Branch.prefix());
        let prefix = if is_full { "" } else { RefKind::Branch.prefix() };
        Ok(format!("{prefix}{}", name.strip_prefix(prefix).unwrap_or(name)))
    }

    fn ref_at(&mut self, full: &str) -> Result<Option<ObjectId>, Error> {
        match TreePath::new(full.as_bytes()) {
            Ok(_) => self.refs.find(&mut self.reader, full),
            Err(_) => Ok(None),
        }
    }

    fn prefix(&mut self, typed: &str, prefix: &Prefix, want: Want) -> Result<Named, Error> {
        let found = self.repository.store.matching(prefix)?;
        let wanted: Vec<_> =
            found.iter().filter(|(_, stored)| want.accepts(**stored)).take(2).collect();
        if let [(id, stored)] = wanted.as_slice() {
            return Ok(of_stored(**id, **stored));
        }
        if found.is_empty() {
            return Err(not_found("commit", typed));
        }
        if let (true, Some((id, stored))) = (found.len() == 1, found.first_key_value()) {
            return Ok(of_stored(*id, *stored));
        }
        let mut message = format!("{typed:?} is short of digits, it may be");
        for (id, stored) in found.iter().take(CANDIDATES_MAX) {
            message.push_str(&format!(" {} {},", stored.word(), id.short()));
        }
        message.pop();
        if found.len() > CANDIDATES_MAX {
            message.push_str(&format!(" or {} others", found.len() - CANDIDATES_MAX));
        }
        Err(Error::Usage(message))
    }

    fn past(&mut self, full: &str, when: &When) -> Result<ObjectId, Error> {
        let mut stood = self.ref_at(full)?;
        let entries = self.refs.head.newest.as_ref().map(|newest| newest.transaction.number);
        let mut left = match when {
            When::Changes(count) => *count,
            When::Date(_) => u64::MAX,
        };
        let until = match when {
            When::Changes(_) => None,
            When::Date(typed) => {
                Some(date::parse(typed, &date::local(self.repository.clock.now())?)?)
            }
        };
        let mut changes = 0_u64;
        for entry in entries.into_iter().flat_map(|newest| self.repository.journal.entries(newest))
        {
            let transaction = entry?.transaction;
            if left == 0 || until.is_some_and(|until| transaction.time <= until) {
                return stood.ok_or_else(|| not_found("former value of the ref", full));
            }
            if let Some(old) = self.repository.moved_from(&transaction, full, &mut self.reader)? {
                stood = old;
                left -= 1;
                changes += 1;
            }
        }
        Err(Error::Usage(match changes {
            0 => format!("no such branch or tag, now or ever, name={full:?}"),
            _ => format!("that is before the first value of the ref, name={full:?}"),
        }))
    }

    fn step(&mut self, from: Named, step: Step) -> Result<Named, Error> {
        let Named::Commit(id) = from else {
            let word = word(&from);
            return Err(Error::Usage(format!("{} is a {word}: it has no parents", from.id())));
        };
        match step {
            Step::Commit | Step::Parent(0) | Step::Ancestor(0) => Ok(from),
            Step::Tree => Ok(Named::Tree(self.reader.commit(&id)?.tree)),
            Step::Parent(number) => self.parent(id, number).map(Named::Commit),
            Step::Ancestor(count) => self.ancestor(id, count).map(Named::Commit),
        }
    }

    fn ancestor(&mut self, id: ObjectId, count: u64) -> Result<ObjectId, Error> {
        let mut at = id;
        for _ in 0..count.min(READS_MAX) {
            at = self.parent(at, 1)?;
        }
        let left = count.saturating_sub(READS_MAX);
        if left == 0 {
            return Ok(at);
        }
        self.repository.with_history(&[at], &Progress::default(), |commits, positions| {
            let too_far = |steps: u64| Error::NotFound {
                what: "ancestor of a commit",
                name: format!("{}~{count} (it goes back {steps} steps)", id.short()),
            };
            let mut here = *positions.first().ok_or_else(|| too_far(0))?;
            let mut parents = Vec::new();
            for step in 0..left {
                parents.clear();
                commits.read(here, &mut parents)?;
                here = *parents.first().ok_or_else(|| too_far(READS_MAX + step))?;
            }
            Ok(commits.id(here)?)
        })
    }

    fn parent(&mut self, id: ObjectId, number: u64) -> Result<ObjectId, Error> {
        let parents = self.reader.commit(&id)?.parents;
        let at = usize::try_from(number.saturating_sub(1)).unwrap_or(usize::MAX);
        let what = match parents.is_empty() {
            true => "commit before the first one",
            false => "parent of that number",
        };
        let name = || format!("{}^{number}", id.short());
        parents.get(at).copied().ok_or_else(|| Error::NotFound { what, name: name() })
    }

    fn entry(&mut self, from: Named, path: &[u8]) -> Result<Named, Error> {
        let root = match from {
            Named::Commit(id) => self.reader.commit(&id)?.tree,
            Named::Tree(id) => id,
            other => {
                let word = word(&other);
                return Err(Error::Usage(format!("{} is a {word}: it holds no paths", other.id())));
            }
        };
        let path = path.strip_suffix(b"/").unwrap_or(path);
        if path.is_empty() {
            return Ok(Named::Tree(root));
        }
        let shown = String::from_utf8_lossy(path).into_owned();
        let path = TreePath::new(path)
            .map_err(|error| Error::Usage(format!("{shown:?} is no path: {}", reason(&error))))?;
        let reader = &mut self.reader;
        let found = tree::find(&root, &path, |id| reader.node(id).map_err(Error::from))?;
        match found {
            Some(Target::Directory { id, .. }) => Ok(Named::Tree(id)),
            Some(target) => Ok(Named::Entry(target)),
            None => Err(not_found("path", &shown)),
        }
    }
}

/// Says what first digits are to mean when they are those of several objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Want {
    Commit,
    Tree,
    Anything,
}

impl Want {
    fn accepts(self, stored: Stored) -> bool {
        match self {
            Self::Commit => stored == Stored::Commit,
            Self::Tree => matches!(stored, Stored::Commit | Stored::Tree),
            Self::Anything => true,
        }
    }
}

/// Lists what a name may stand for, as git tries it: in full, as a tag, as a branch; as a run.
fn full_names(name: &str) -> Vec<String> {
    let kinds = [RefKind::Tag, RefKind::Branch, RefKind::Run];
    let short = kinds.map(|kind| format!("{}{name}", kind.prefix()));
    // Checks of sources are no history of ours: they are named in full.
    let is_full =
        kinds.iter().chain(&[RefKind::Source]).any(|kind| name.starts_with(kind.prefix()));
    is_full.then(|| name.to_owned()).into_iter().chain(short).collect()
}

const fn of_stored(id: ObjectId, stored: Stored) -> Named {
    match stored {
        Stored::Commit => Named::Commit(id),
        Stored::Tree => Named::Tree(id),
        stored => Named::Object(id, stored),
    }
}

const fn word(named: &Named) -> &'static str {
    match named {
        Named::Commit(_) => "commit",
        Named::Tree(_) => "directory",
        Named::Entry(_) => "file",
        Named::Object(_, stored) => stored.word(),
    }
}

fn not_found(what: &'static str, name: &str) -> Error {
    Error::NotFound { what, name: name.to_owned() }
}

#[cfg(test)]
#[path = "resolve_tests.rs"]
mod tests;
