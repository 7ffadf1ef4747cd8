//! Asks sources for their fingerprints, and records what was found in one journal entry.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use super::{CHECK, Recorded, VERSIONS, content_of, declared};
use crate::capture::redact;
use crate::capture::upstream::{Answer, AskError, Upstream, ask};
use crate::object::tree::{Edit, Target, edit};
use crate::object::{
    Commit, ContentHasher, Fingerprint, ObjectId, SourceCheck, SourceMethod, TreePath, Update,
};
use crate::progress::Progress;
use crate::repo::ref_name::RefKind;
use crate::repo::status::{StatusRequest, status};
use crate::repo::{Error, ErrorKind, Repository};
use crate::store::{Reader, Transaction};
use crate::worktree::settings::SourceDeclaration;

/// How often a lost race for a ref is run again.
const ATTEMPTS: u32 = 64;

/// Says what to ask.
#[derive(Debug, Clone)]
pub struct SourceCheckRequest {
    /// Names of sources; none means all.
    pub names: Vec<String>,
    /// How long one may take to answer.
    pub timeout: Duration,
    /// Whether what is staged was fetched since the source changed.
    pub is_fetched: bool,
    /// Whether nothing shall be recorded.
    pub is_dry_run: bool,
    /// The command as typed, for the journal.
    pub command: String,
}

/// What became of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceOutcome {
    /// It was never asked before.
    First,
    /// It is as it was.
    Unchanged,
    /// It has changed.
    Changed,
    /// It did not answer; what was known of it stays.
    Unreachable,
}

/// One source that was asked.
#[derive(Debug, Clone)]
pub struct SourceChecked {
    /// What became of it.
    pub outcome: SourceOutcome,
    /// What was found.
    pub check: SourceCheck,
    /// The fingerprint before.
    pub old: Option<ObjectId>,
    /// The commit that records it; none in a dry run.
    pub commit: Option<ObjectId>,
}

/// Tells what was found.
#[derive(Debug, Clone)]
pub struct SourceCheckReport {
    /// The sources, by name.
    pub checked: Vec<SourceChecked>,
    /// The number of the journal entry; none in a dry run.
    pub number: Option<u64>,
}

/// A source and what it answered.
struct Asked<'d> {
    source: &'d SourceDeclaration,
    answer: Result<Answer, String>,
}

/// Asks sources and records what was found.
///
/// Shape: a source that does not answer is in the report and is recorded too. Errors: `Usage`,
/// before anything is asked, for a declaration that does not say how to ask; `NotFound` for a name
/// that is not declared. Cost: what asking costs; then O(branches) small reads, and one entry.
pub fn source_check(
    repository: &Repository,
    request: &SourceCheckRequest,
    progress: &Progress,
) -> Result<SourceCheckReport, Error> {
    let declared = declared(repository)?;
    let chosen = choose(&declared, &request.names)?;
    for source in &chosen {
        RefKind::Source.full_name(&source.name)?;
        method_of(source)?;
    }
    if request.is_fetched {
        insist_on_staged(repository, &chosen, progress)?;
    }
    let mut asked = Vec::new();
    for source in chosen {
        let answer =
            match ask(upstream(source)?, &repository.location.root, request.timeout, progress) {
                Ok(answer) => Ok(answer),
                Err(AskError::Unreachable(why)) => Err(why),
                Err(AskError::Stopped(stopped)) => return Err(stopped.into()),
            };
        asked.push(Asked { source, answer });
    }
    for attempt in 1.. {
        match record(repository, request, &asked) {
            Err(error) if error.kind() == ErrorKind::Conflict && attempt < ATTEMPTS => {}
            outcome => return outcome,
        }
    }
    Err(Error::Internal("attempts end".to_owned()))
}

fn choose<'d>(
    declared: &'d [SourceDeclaration],
    names: &[String],
) -> Result<Vec<&'d SourceDeclaration>, Error> {
    let unknown = names.iter().find(|name| declared.iter().all(|source| source.name != **name));
    if let Some(name) = unknown {
        return Err(Error::NotFound { what: "source in provenance.toml", name: name.clone() });
    }
    let is_chosen = |source: &&SourceDeclaration| names.is_empty() || names.contains(&source.name);
    Ok(declared.iter().filter(is_chosen).collect())
}

/// Finds out how to ask a source.
///
/// Errors: `Usage` for an address that only a command can ask.
fn method_of(source: &SourceDeclaration) -> Result<SourceMethod, Error> {
    if let Some(words) = &source.check {
        return Ok(SourceMethod::Command(redact::arguments(words)));
    }
    let uri = source.uri.as_deref().unwrap_or_default();
    match uri.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase()).as_deref() {
        Some("http" | "https") => Ok(SourceMethod::Http),
        None | Some("file") => Ok(SourceMethod::File),
        Some(scheme) => Err(Error::Usage(format!(
            "the source {:?} needs a check, a command that prints its fingerprint: only files, \
             http and https are asked without one, scheme={scheme:?}",
            source.name
        ))),
    }
}

fn upstream(source: &SourceDeclaration) -> Result<Upstream<'_>, Error> {
    let uri = source.uri.as_deref().unwrap_or_default();
    Ok(match (method_of(source)?, &source.check) {
        (_, Some(words)) => Upstream::Command(words),
        (SourceMethod::Http, None) => Upstream::Http(uri),
        (_, None) => Upstream::File(Path::new(file_of(uri))),
    })
}

/// Gives the path of `file:///path`, `file:path` and `path`.
fn file_of(uri: &str) -> &str {
    let is_file = uri.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("file:"));
    let Some(path) = uri.get(5..).filter(|_| is_file) else { return uri };
    let local = path.strip_prefix("//localhost/").and(path.get("//localhost".len()..));
    local.or(path.strip_prefix("//")).unwrap_or(path)
}

/// Insists that what was fetched is staged: what is not cannot be meant.
fn insist_on_staged(
    repository: &Repository,
    chosen: &[&SourceDeclaration],
    progress: &Progress,
) -> Result<(), Error> {
    let paths: Vec<TreePath> = chosen.iter().flat_map(|source| source.paths.clone()).collect();
    if paths.is_empty() {
        return Ok(());
    }
    let found = status(repository, &StatusRequest { paths, lists_new: false }, progress)?;
    match found.unstaged.iter().chain(&found.untracked).next() {
        None => Ok(()),
        Some(entry) => Err(Error::Usage(format!(
            "what was fetched is not staged, `provenance add` stages it, path={:?}",
            entry.path.to_string()
        ))),
    }
}

/// Records answers, on top of what is recorded now.
fn record(
    repository: &Repository,
    request: &SourceCheckRequest,
    asked: &[Asked<'_>],
) -> Result<SourceCheckReport, Error> {
    let refs = repository.refs()?;
    let mut reader = repository.store.reader();
    let mut heads: BTreeSet<ObjectId> = BTreeSet::new();
    let branches = refs.list(&mut reader, Some("heads"))?.into_values();
    for commit in branches.chain(repository.head_commit()?) {
        heads.insert(reader.commit(&commit)?.tree);
    }
    let stage = repository.staged_tree(&mut reader)?;
    let transaction = repository.store.transaction()?;
    let (mut checked, mut updates) = (Vec::new(), Vec::new());
    for Asked { source, answer } in asked {
        let full = RefKind::Source.full_name(&source.name)?;
        let before = refs.find(&mut reader, &full)?;
        let before = before.map(|id| Recorded::load(&mut reader, id)).transpose()?;
        let old = before.as_ref().and_then(|before| before.check.found.clone());
        let (outcome, check) = found(repository, source, answer, old.as_ref())?;
        let fetched = request.is_fetched.then_some(&stage);
        let versions = versions(&mut reader, source, &check, before.as_ref(), &heads, fetched)?;
        let new = Checked { before: before.as_ref(), check: &check, outcome, versions };
        let commit = match request.is_dry_run {
            true => None,
            false => Some(new.store(repository, &mut reader, &transaction)?),
        };
        let before = before.map(|before| before.commit);
        updates.extend(commit.map(|new| Update { name: full, old: before, new: Some(new) }));
        checked.push(SourceChecked { outcome, check, old: old.map(|old| old.id), commit });
    }
    let number = match updates.is_empty() {
        true => None,
        false => Some(repository.move_refs(&updates, &request.command, Some(transaction))?),
    };
    Ok(SourceCheckReport { checked, number })
}

/// Says what an answer means, after the fingerprint before.
fn found(
    repository: &Repository,
    source: &SourceDeclaration,
    answer: &Result<Answer, String>,
    old: Option<&Fingerprint>,
) -> Result<(SourceOutcome, SourceCheck), Error> {
    let now = repository.clock.now();
    let (outcome, fingerprint) = match (answer, old) {
        (Err(_), old) => (SourceOutcome::Unreachable, old.cloned()),
        (Ok(new), old) => {
            let (outcome, changed) = match old {
                None => (SourceOutcome::First, None),
                Some(old) if old.id == new.id => (SourceOutcome::Unchanged, old.changed),
                Some(_) => (SourceOutcome::Changed, Some(now)),
            };
            let (id, evidence) = (new.id, new.evidence.clone());
            (outcome, Some(Fingerprint { id, evidence, changed }))
        }
    };
    let mut paths = Vec::new();
    for path in &source.paths {
        let path = std::str::from_utf8(path.as_bytes());
        paths.push(path.map_err(|error| Error::Internal(error.to_string()))?.to_owned());
    }
    let uri = source.uri.as_deref().map(|uri| redact::url(uri).into_owned());
    let (name, failure) = (source.name.clone(), answer.as_ref().err().cloned());
    let method = method_of(source)?;
    let check = SourceCheck { name, uri, method, paths, checked: now, found: fingerprint, failure };
    Ok((outcome, check))
}

/// Finds out which content belongs to which fingerprint, as far as no check has said so before.
///
/// Shape: what the branches hold, and no check saw, was recorded since the check before, so it
/// belongs to the fingerprint that was the newest until now; unless it is the very content of the
/// source, or `fetched`, the stage, is said to hold the newest.
fn versions(
    reader: &mut Reader<'_>,
    source: &SourceDeclaration,
    check: &SourceCheck,
    before: Option<&Recorded>,
    heads: &BTreeSet<ObjectId>,
    fetched: Option<&ObjectId>,
) -> Result<Vec<(ObjectId, ObjectId)>, Error> {
    let Some(found) = check.found.as_ref().filter(|_| check.failure.is_none()) else {
        return Ok(Vec::new());
    };
    let until_now = before.and_then(|before| Some(before.check.found.as_ref()?.id));
    let mut versions = std::collections::BTreeMap::new();
    for path in &source.paths {
        for tree in heads {
            let Some(content) = content_of(reader, tree, path)? else { continue };
            let known = match before {
                Some(before) => before.version(reader, &content)?,
                None => None,
            };
            let version = match known {
                _ if content == found.id => found.id,
                Some(known) => known,
                None => until_now.unwrap_or(found.id),
            };
            if known != Some(version) {
                versions.insert(content, version);
            }
        }
        let staged = fetched.map(|stage| content_of(reader, stage, path)).transpose()?.flatten();
        versions.extend(staged.map(|content| (content, found.id)));
    }
    Ok(versions.into_iter().collect())
}

/// A check that is to be stored.
struct Checked<'c> {
    before: Option<&'c Recorded>,
    check: &'c SourceCheck,
    outcome: SourceOutcome,
    versions: Vec<(ObjectId, ObjectId)>,
}

impl Checked<'_> {
    /// Stores the commit of a check.
    fn store(
        self,
        repository: &Repository,
        reader: &mut Reader<'_>,
        transaction: &Transaction<'_>,
    ) -> Result<ObjectId, Error> {
        let path =
            |text: String| TreePath::new(text).map_err(|error| Error::Internal(error.to_string()));
        let mut edits = vec![(path(CHECK.to_owned())?, file(transaction, &self.check.encode()?)?)];
        for (content, version) in &self.versions {
            let version = version.to_record();
            edits.push((
                path(format!("{VERSIONS}/{content}"))?,
                file(transaction, version.as_bytes())?,
            ));
        }
        let tree = edit(
            self.before.map(|before| before.tree),
            edits,
            |id| reader.node(id).map_err(Error::from),
            |node| Ok(transaction.put_node(node)?),
        )?;
        let word = match self.outcome {
            SourceOutcome::First => "first check",
            SourceOutcome::Unchanged => "unchanged",
            SourceOutcome::Changed => "changed",
            SourceOutcome::Unreachable => "unreachable",
        };
        let commit = Commit {
            tree: tree.id,
            parents: self.before.map(|before| before.commit).into_iter().collect(),
            author: repository.author(),
            time: self.check.checked,
            message: format!("source {}: {word}\n", self.check.name),
            system: crate::capture::system(),
            artifacts: Vec::new(),
            run: None,
            code: None,
            environment: None,
            fine_tune: None,
            overlaps: None,
        };
        Ok(transaction.put_commit(&commit.encode()?)?)
    }
}

fn file(transaction: &Transaction<'_>, bytes: &[u8]) -> Result<Edit, Error> {
    let id = transaction.put_small_blob(bytes)?;
    let mut hasher = ContentHasher::new();
    hasher.update(bytes);
    let (_, sha256) = hasher.finish();
    let size = bytes.len() as u64;
    Ok(Edit::Put(Target::File { id, size, sha256, executable: false }))
}
