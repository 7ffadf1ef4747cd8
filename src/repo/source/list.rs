//! The sources: declared, checked, or both.

use std::collections::BTreeMap;

use super::stale::outdated;
use super::{Recorded, declared, recorded};
use crate::capture::redact;
use crate::object::{ObjectId, SourceCheck, Timestamp};
use crate::repo::{Error, Repository};
use crate::worktree::settings::SourceDeclaration;

/// How a source stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceState {
    /// Nobody has asked it yet.
    NeverChecked,
    /// What is staged is as new as the source, as far as the last check knows.
    Fresh,
    /// It has changed, and what is staged is older.
    Changed(Timestamp),
    /// It did not answer at the last check.
    Unreachable,
}

/// One source.
#[derive(Debug, Clone)]
pub struct SourceRow {
    /// Its name.
    pub name: String,
    /// Where it is, without secrets, or the command that asks.
    pub place: String,
    /// What comes from it.
    pub paths: Vec<String>,
    /// Whether `provenance.toml` declares it.
    pub is_declared: bool,
    /// How it stands.
    pub state: SourceState,
    /// What is staged and older than the source.
    pub stale: Vec<String>,
    /// The commit of the last check, and what it found.
    pub last: Option<(ObjectId, SourceCheck)>,
}

/// Lists what is declared and what was checked, by name.
///
/// Cost: a few small reads for each; nothing outside is asked.
pub fn source_list(repository: &Repository) -> Result<Vec<SourceRow>, Error> {
    let mut all: BTreeMap<String, (Option<SourceDeclaration>, Option<Recorded>)> = BTreeMap::new();
    for source in declared(repository)? {
        let name = source.name.clone();
        all.entry(name).or_default().0 = Some(source);
    }
    for source in recorded(repository)? {
        let name = source.check.name.clone();
        all.entry(name).or_default().1 = Some(source);
    }
    let mut reader = repository.store.reader();
    let stage = repository.staged_tree(&mut reader)?;
    let mut rows = Vec::new();
    for (name, (declaration, recorded)) in all {
        let stale = match &recorded {
            Some(recorded) => outdated(&mut reader, recorded, &stage)?,
            None => Vec::new(),
        };
        let check = recorded.as_ref().map(|recorded| &recorded.check);
        let changed = check.and_then(|check| check.found.as_ref()?.changed);
        let state = match check {
            None => SourceState::NeverChecked,
            Some(check) if check.failure.is_some() => SourceState::Unreachable,
            Some(_) => match changed.filter(|_| !stale.is_empty()) {
                Some(changed) => SourceState::Changed(changed),
                None => SourceState::Fresh,
            },
        };
        rows.push(SourceRow {
            place: place(declaration.as_ref(), check),
            paths: match (&declaration, check) {
                (Some(source), _) => {
                    let text = |path| String::from_utf8_lossy(path).into_owned();
                    source.paths.iter().map(|path| text(path.as_bytes())).collect()
                }
                (None, check) => check.map(|check| check.paths.clone()).unwrap_or_default(),
            },
            is_declared: declaration.is_some(),
            name,
            state,
            stale,
            last: recorded.map(|recorded| (recorded.commit, recorded.check)),
        });
    }
    Ok(rows)
}

/// Says where a source is: its address, or else the command that asks.
fn place(declaration: Option<&SourceDeclaration>, check: Option<&SourceCheck>) -> String {
    use crate::object::SourceMethod::Command;
    if let Some(source) = declaration {
        return match (&source.uri, &source.check) {
            (Some(uri), _) => redact::url(uri).into_owned(),
            (None, words) => redact::arguments(words.as_deref().unwrap_or_default()).join(" "),
        };
    }
    match check.map(|check| (&check.uri, &check.method)) {
        Some((Some(uri), _)) => uri.clone(),
        Some((None, Command(words))) => words.join(" "),
        _ => String::new(),
    }
}
