//! Gives the bytes of an object: a file's content, a commit's record, a node of a tree.

use super::halt::Halt;
use super::revision::{Named, Resolver, Revision};
use super::{Error, Repository};
use crate::object::ObjectId;
use crate::store::{Reader, Stored};

/// Streams what a revision names, piece by piece.
///
/// Shape: `typed` is an id or its first digits, a commit, or `COMMIT:PATH`; all pieces together
/// are the bytes whose BLAKE3 is the object's id.
/// Errors: those of `take`; `Usage` for the path of a directory. Damage may show only with the
/// last piece, since a whole file is checked then: the pieces given before must not be believed.
/// Cost: one piece in memory, at most 16 MiB.
pub fn cat<E: From<Error>>(
    repository: &Repository,
    typed: &[u8],
    mut take: impl FnMut(&[u8]) -> Result<(), E>,
) -> Result<(), E> {
    let mut resolver = Resolver::new(repository)?;
    let named = resolver.object(typed)?;
    let is_path = || Revision::parse(typed).is_ok_and(|revision| revision.path.is_some());
    let reader = resolver.reader();
    match named {
        Named::Tree(_) if is_path() => {
            let typed = String::from_utf8_lossy(typed);
            let text = format!("{typed:?} is a directory: `provenance ls` lists what is in it");
            Err(Error::Usage(text).into())
        }
        Named::Tree(id) => take(&reader.node(&id).map_err(Error::from)?),
        Named::Entry(target) => stream(reader, &target.id(), take),
        Named::Object(id, Stored::Blob) => stream(reader, &id, take),
        Named::Commit(id) | Named::Object(id, _) => take(&reader.record(&id).map_err(Error::from)?),
    }
}

/// Streams a blob to whoever has errors of its own.
pub(super) fn stream<E: From<Error>>(
    reader: &mut Reader<'_>,
    id: &ObjectId,
    mut take: impl FnMut(&[u8]) -> Result<(), E>,
) -> Result<(), E> {
    reader.stream(id, |piece| take(piece).map_err(Halt::Taker)).map_err(Halt::into_error)
}
