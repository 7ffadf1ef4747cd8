//! Tells the ids that files would get; needs no repository.

use std::path::PathBuf;

use super::Error;
use crate::object::ObjectId;
use crate::progress::{Phase, Progress, Stopped};
use crate::worktree::hash::{hash, hash_file};

/// Names the files.
#[derive(Debug, Clone)]
pub struct HashRequest {
    /// Files in any number; `-` is standard input.
    pub paths: Vec<PathBuf>,
}

/// Holds the answer for one file.
#[derive(Debug)]
pub struct HashReport {
    /// The file, as it was named.
    pub path: PathBuf,
    /// Its id and size in bytes, or why it could not be read.
    pub outcome: Result<(ObjectId, u64), Error>,
}

/// Hashes each file, in the order given; one that cannot be read does not stop the others.
///
/// Errors: only a stop that was asked for.
pub fn hash_files(request: &HashRequest, progress: &Progress) -> Result<Vec<HashReport>, Error> {
    let files_total = u64::try_from(request.paths.len()).ok();
    progress.begin(Phase { name: "hashing", files_total, bytes_total: None });
    let mut reports = Vec::new();
    for path in &request.paths {
        let hashed = match path.as_os_str() == "-" {
            true => hash(std::io::stdin().lock(), progress),
            false => hash_file(path, progress),
        };
        let outcome = match hashed {
            Ok(hashed) => Ok(hashed),
            Err(error) if error.get_ref().is_some_and(|inner| inner.is::<Stopped>()) => {
                return Err(Stopped.into());
            }
            Err(error) => Err(Error::io("read the file", path, error)),
        };
        progress.add_files(1);
        reports.push(HashReport { path: path.clone(), outcome });
    }
    Ok(reports)
}
