//! Collects: merges packs, bundles the journal, and removes what nothing reaches any more.

use super::{Error, Repository};
use crate::capture::is_alive;
use crate::progress::{Phase, Progress};
use crate::store::collect::{self, CollectRequest, Collected};
use crate::threads;
use crate::worktree::leftovers::Leftovers;
use crate::worktree::scan::{Batch, ProblemKind, ScanRequest, scan};
use crate::worktree::{config, local, stamps};

/// Days for which what nothing reaches is kept.
const GRACE_DAYS: i64 = 14;

const DAY_MS: i64 = 86_400_000;

/// Says what to collect.
#[derive(Debug, Clone, Copy, Default)]
pub struct GcRequest {
    /// Whether it is only counted.
    pub is_dry: bool,
    /// Whether what nothing reaches goes at once; no other command may run then.
    pub prunes_now: bool,
}

/// Tells what was collected, or would be.
#[derive(Debug, Clone, Copy)]
pub struct GcReport {
    /// What became of the packs.
    pub collected: Collected,
    /// Groups of 256 journal entries that were bundled.
    pub bundles: u64,
    /// For how many days what nothing reaches is kept.
    pub grace_days: i64,
    /// What killed checkouts had left in the worktree.
    pub leftovers: Leftovers,
    /// Bytes that the disk has back.
    pub freed_bytes: u64,
}

/// Collects.
///
/// Shape: waits until no other command changes this worktree. Errors: if something reachable
/// cannot be read, nothing is deleted; killed at any point, nothing is lost.
pub fn gc(
    repository: &Repository,
    request: GcRequest,
    progress: &Progress,
) -> Result<GcReport, Error> {
    let grace_days = grace_days(repository)?;
    let _lock = repository.lock(progress)?;
    let roots = repository.roots(|_| Ok(progress.check()?), |_, error| Err(error))?;
    if roots.entries == 0 {
        return Err(Error::Corrupt("the journal has no entry: run init again".to_owned()));
    }
    let is_current = || {
        let head = repository.journal.head().ok().and_then(|head| head.newest);
        let stage = local::load_stage(&repository.location.folder).ok();
        head.is_some_and(|head| head.number() + 1 == roots.entries) && stage == Some(roots.stage)
    };
    // What only makes room comes first.
    let leftovers = sweep_worktree(repository, !request.is_dry, progress)?;
    let collected = collect::collect(
        &repository.store,
        &CollectRequest {
            roots: &roots.roots,
            grace_ms: (!request.prunes_now).then_some(grace_days.saturating_mul(DAY_MS)),
            applies: !request.is_dry,
            is_current: &is_current,
            is_alive: &is_alive,
            progress,
        },
    )?;
    let bundles = match request.is_dry {
        true => 0,
        false => match repository.journal.bundle() {
            // Where there is no room left, the entries stay as they are.
            Err(error) if error.is_no_room() => 0,
            bundled => bundled?,
        },
    };
    let before = collected.bytes_before + collected.swept_bytes;
    let freed_bytes = match request.is_dry {
        true => 0,
        false => before.saturating_sub(collected.bytes_after) + leftovers.bytes,
    };
    Ok(GcReport { collected, bundles, leftovers, grace_days, freed_bytes })
}

/// Removes what killed checkouts had not finished; the caller holds the worktree's lock.
///
/// Shape: ignored directories are walked too, and files that cannot be removed stay: `status` names
/// them. Cost: one walk over the worktree.
fn sweep_worktree(
    repository: &Repository,
    applies: bool,
    progress: &Progress,
) -> Result<Leftovers, Error> {
    let mut left = Leftovers::default();
    let temporaries = local::temporaries(&repository.location.folder);
    // Where nothing may be written, no checkout was ever at work.
    let Ok(moment) = stamps::moment(&temporaries) else { return Ok(left) };
    progress.begin(Phase { name: "looking for leftovers", ..Phase::default() });
    let root = repository.open_root()?;
    let request = ScanRequest {
        root: &root,
        stamps: None,
        paths: &[],
        takes_ignored: true,
        collapses_new: false,
        thread_count: threads::count(),
        progress,
    };
    scan(&request, |batch: Batch| {
        for problem in &batch.problems {
            if matches!(problem.kind, ProblemKind::Leftover) {
                left.take(&root, &problem.path, moment, applies);
            }
        }
        Ok::<_, Error>(())
    })?;
    Ok(left)
}

fn grace_days(repository: &Repository) -> Result<i64, Error> {
    let set = repository.setting(config::GRACE_DAYS);
    set.map_or(Ok(GRACE_DAYS), |text| Ok(config::grace_days(text)?))
}
