//! Forgets sources: nothing is stale any more because of them.

use crate::object::Update;
use crate::repo::ref_name::RefKind;
use crate::repo::{Error, RefMoved, Repository};

/// Says which sources to forget.
#[derive(Debug, Clone, Default)]
pub struct SourceForgetRequest {
    /// Their names.
    pub names: Vec<String>,
    /// The command as typed, for the journal.
    pub command: String,
}

/// Removes the refs of sources, all of them or none; their checks stay in the journal.
///
/// Errors: `NotFound`.
pub fn source_forget(
    repository: &Repository,
    request: &SourceForgetRequest,
) -> Result<Vec<RefMoved>, Error> {
    let refs = repository.refs()?;
    let mut reader = repository.store.reader();
    let mut forgotten: Vec<RefMoved> = Vec::new();
    let mut updates = Vec::new();
    for name in &request.names {
        let full = RefKind::Source.full_name(name)?;
        let Some(old) = refs.find(&mut reader, &full)? else {
            return Err(Error::NotFound { what: "checked source", name: name.clone() });
        };
        if forgotten.iter().all(|moved| moved.name != *name) {
            forgotten.push(RefMoved { name: name.clone(), old: Some(old), new: None });
            updates.push(Update { name: full, old: Some(old), new: None });
        }
    }
    repository.move_refs(&updates, &request.command, None)?;
    Ok(forgotten)
}
