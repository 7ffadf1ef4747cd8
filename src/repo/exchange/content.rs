//! Content of files as it comes in, piece by piece, into the store.

use std::io::{self, Seek as _, Write as _};
use std::sync::{Mutex, PoisonError};

use tempfile::SpooledTempFile;

use crate::object::ObjectId;
use crate::progress::Progress;
use crate::repo::{Error, Repository};
use crate::store::{IngestFailure, IngestRequest, Look, Stored, Transaction, ingest};
use crate::worktree::local;

/// Content up to this many bytes is kept in memory until all of it is there.
const SPOOL_BYTES: usize = 4 << 20;

/// Content up to this many bytes shares a block with others.
const SMALL_BYTES: u64 = 16 << 10;

/// Content that is not there as a whole yet.
pub(super) struct Spool {
    pub id: ObjectId,
    bytes: u64,
    file: SpooledTempFile,
}

impl Spool {
    /// Begins with nothing.
    pub fn new(repository: &Repository, id: ObjectId) -> Self {
        let folder = local::temporaries(&repository.location.folder);
        Self { id, bytes: 0, file: tempfile::spooled_tempfile_in(SPOOL_BYTES, folder) }
    }

    /// Adds a piece.
    pub fn push(&mut self, piece: &[u8]) -> Result<(), Error> {
        self.bytes += piece.len() as u64;
        self.file.write_all(piece).map_err(failed)
    }

    /// Stores all of it; tells whether it is new.
    ///
    /// Errors: inside, in words, where it is not what its id says.
    pub fn finish(
        mut self,
        transaction: &Transaction<'_>,
        progress: &Progress,
    ) -> Result<Result<bool, String>, Error> {
        if transaction.holds(&self.id, Stored::Blob)? {
            return Ok(Ok(false));
        }
        self.file.rewind().map_err(failed)?;
        let id = match self.bytes <= SMALL_BYTES {
            true => {
                let mut bytes = Vec::new();
                io::Read::read_to_end(&mut self.file, &mut bytes).map_err(failed)?;
                let id = ObjectId::of(&bytes);
                // What is something else must not be stored under any id.
                if id == self.id {
                    transaction.put_small_blob(&bytes)?;
                }
                id
            }
            false => take(self.file, self.bytes, transaction, progress)?,
        };
        Ok(match id == self.id {
            true => Ok(true),
            false => Err(format!("content: the bytes are not those of the id, they are {id}")),
        })
    }
}

/// Reads and stores a large content; gives its id.
fn take(
    file: SpooledTempFile,
    bytes: u64,
    transaction: &Transaction<'_>,
    progress: &Progress,
) -> Result<ObjectId, Error> {
    let (file, outcome) = (Mutex::new(Some(file)), Mutex::new(None));
    let request = IngestRequest {
        open: &|(): &()| {
            let file = file.lock().unwrap_or_else(PoisonError::into_inner).take();
            file.ok_or_else(|| io::Error::other("it was read already"))
        },
        look: &|_: &SpooledTempFile| Ok(Some(Look { bytes, stamp: () })),
        before: &|(): &()| None,
        done: &|(), result| {
            let id = result.map(|ingested| ingested.id);
            *outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(id);
        },
        progress,
    };
    ingest(transaction, &request, std::iter::once(((), bytes)))?;
    match outcome.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(Ok(id)) => Ok(id),
        Some(Err(IngestFailure::Io(error))) => Err(failed(error)),
        _ => Err(Error::Internal("content that was taken in is gone".to_owned())),
    }
}

fn failed(error: io::Error) -> Error {
    Error::io("keep content until all of it is there", "tmp", error)
}
