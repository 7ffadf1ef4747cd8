//! Many commits taken in on several threads.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::Index;
use super::intake::{Intake, finish};
use crate::object::ObjectId;
use crate::progress::{Phase, Progress};
use crate::repo::Repository;
use crate::repo::trouble::Trouble;
use crate::threads;

/// Most commits that one thread takes at once.
const SHARE: usize = 1024;

/// Reads the records of some commits and the directories that they name into segments.
///
/// Shape: `known` gives the index that there is, whose nodes are passed over; `lacks` tells then
/// whether runs name what is not stored; `done` gets the bytes of each segment. Cost: some 30 MiB
/// for each thread, and 60 bytes for each commit.
pub(super) fn build<T: Send, E: Into<Trouble>>(
    repository: &Repository,
    commits: Vec<ObjectId>,
    progress: &Progress,
    (lacks, known): (&AtomicBool, impl Fn() -> Index + Sync),
    done: impl Fn(Vec<u8>) -> Result<T, E> + Sync,
) -> Result<Vec<T>, Trouble> {
    let mut reader = repository.store.reader();
    let mut placed = Vec::with_capacity(commits.len());
    for (id, number) in commits.iter().zip(0_u32..) {
        placed.push((reader.record_place(id)?, number));
    }
    placed.sort_unstable();
    progress.begin(Phase {
        name: "reading runs",
        files_total: Some(placed.len() as u64),
        ..Phase::default()
    });
    let shares: Vec<_> = placed.chunks(SHARE).collect();
    let next = AtomicUsize::new(0);
    threads::gather(threads::count().min(shares.len()), || {
        let mut intake = Intake::new(repository, progress, known(), lacks);
        let mut segments = Vec::new();
        let mut finish = finish(&mut segments, &done);
        while let Some(share) = shares.get(next.fetch_add(1, Ordering::Relaxed)) {
            let ids = share.iter().filter_map(|(_, number)| commits.get(*number as usize));
            intake.commits(ids, &mut finish)?;
        }
        finish(intake.builder)?;
        drop(finish);
        Ok(segments)
    })
}
