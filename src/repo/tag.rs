//! Tags: names of commits that stay where they are.

use super::branch::{RefMoved, taken};
use super::ref_name::RefKind;
use super::revision::Resolver;
use super::{Error, Repository};
use crate::object::{Commit, ObjectId, Update};

/// One tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// Its name, without `tags/`.
    pub name: String,
    /// The commit it names.
    pub id: ObjectId,
    /// That commit's record.
    pub commit: Commit,
}

/// Says which tag to make.
#[derive(Debug, Clone, Default)]
pub struct TagCreateRequest {
    /// Its name, without `tags/`.
    pub name: String,
    /// What it shall name, as typed; `HEAD` if none.
    pub commit: Option<Vec<u8>>,
    /// Whether a tag of that name may be moved there.
    pub is_forced: bool,
    /// The command as typed, for the journal.
    pub command: String,
}

/// Says which tags to delete.
#[derive(Debug, Clone, Default)]
pub struct TagDeleteRequest {
    /// Their names, without `tags/`.
    pub names: Vec<String>,
    /// The command as typed, for the journal.
    pub command: String,
}

/// Lists the tags, sorted by name.
pub fn tag_list(repository: &Repository) -> Result<Vec<Tag>, Error> {
    let refs = repository.refs()?;
    let mut reader = repository.store.reader();
    let mut tags = Vec::new();
    for (full, id) in refs.list(&mut reader, Some("tags"))? {
        let Some(name) = RefKind::Tag.short_name(&full) else { continue };
        let commit = reader.commit(&id)?;
        tags.push(Tag { name: name.to_owned(), id, commit });
    }
    Ok(tags)
}

/// Makes a tag, or moves one.
///
/// Errors: `Usage` for a bad name; `Conflict` if there is one already that names another commit.
pub fn tag_create(repository: &Repository, request: &TagCreateRequest) -> Result<RefMoved, Error> {
    let full = RefKind::Tag.full_name(&request.name)?;
    let mut resolver = Resolver::new(repository)?;
    let new = resolver.commit(request.commit.as_deref().unwrap_or(b"HEAD"))?;
    let refs = resolver.refs().clone();
    let old = refs.find(resolver.reader(), &full)?;
    let moved = RefMoved { name: request.name.clone(), old, new: Some(new) };
    if old == moved.new {
        return Ok(moved);
    }
    if old.is_some() && !request.is_forced {
        return Err(taken(RefKind::Tag, &request.name, "-f moves it"));
    }
    repository.move_refs(&[Update { name: full, old, new: Some(new) }], &request.command, None)?;
    Ok(moved)
}

/// Deletes tags, all of them or none.
///
/// Errors: `NotFound`.
pub fn tag_delete(
    repository: &Repository,
    request: &TagDeleteRequest,
) -> Result<Vec<RefMoved>, Error> {
    let refs = repository.refs()?;
    let mut reader = repository.store.reader();
    let mut deleted: Vec<RefMoved> = Vec::new();
    let mut updates = Vec::new();
    for name in &request.names {
        let full = RefKind::Tag.full_name(name)?;
        let Some(id) = refs.find(&mut reader, &full)? else {
            return Err(Error::NotFound { what: "tag", name: name.clone() });
        };
        if deleted.iter().all(|moved| moved.name != *name) {
            deleted.push(RefMoved { name: name.clone(), old: Some(id), new: None });
            updates.push(Update { name: full, old: Some(id), new: None });
        }
    }
    repository.move_refs(&updates, &request.command, None)?;
    Ok(deleted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo::sample::Sample;

    fn create(sample: &Sample, name: &str, commit: &str, force: bool) -> Result<RefMoved, Error> {
        let request = TagCreateRequest {
            name: name.into(),
            commit: Some(commit.into()),
            is_forced: force,
            command: "tag".into(),
        };
        tag_create(&sample.repository, &request)
    }

    fn tags(sample: &Sample) -> String {
        let tags = tag_list(&sample.repository).expect("listed");
        let shown: Vec<String> =
            tags.iter().map(|tag| format!("{}={}", tag.name, sample.letter(&tag.id))).collect();
        shown.join(" ")
    }

    #[test]
    fn a_tag_stays_unless_forced() {
        let sample = Sample::drawn("a b:a");
        create(&sample, "v1", "main~1", false).expect("made");
        create(&sample, "data/v2", "main", false).expect("made");
        create(&sample, "v1", "main~1", false).expect("nothing to do");
        assert!(matches!(create(&sample, "v1", "main", false), Err(Error::Conflict(_))));
        assert_eq!(tags(&sample), "data/v2=b v1=a");
        create(&sample, "v1", "main", true).expect("moved");
        assert_eq!(tags(&sample), "data/v2=b v1=b");
        assert!(matches!(create(&sample, "a..b", "main", false), Err(Error::Usage(_))));
        assert!(create(&sample, "data", "main", false).is_err(), "data/v2 is below it");
    }

    #[test]
    fn all_are_deleted_or_none() {
        let sample = Sample::drawn("a");
        create(&sample, "v1", "main", false).expect("made");
        let delete = |names: &[&str]| {
            let names = names.iter().map(|name| (*name).to_owned()).collect();
            let request = TagDeleteRequest { names, command: "tag -d".into() };
            tag_delete(&sample.repository, &request)
        };
        assert!(matches!(delete(&["v1", "v2"]), Err(Error::NotFound { .. })));
        assert_eq!(tags(&sample), "v1=a");
        assert_eq!(delete(&["v1", "v1"]).expect("deleted").len(), 1);
        assert_eq!(tags(&sample), "");
    }
}
