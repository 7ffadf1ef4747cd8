//! How far an operation is, and whether it was asked to stop: counters, no output.
//!
//! Whoever works adds to the counters, from any thread, and asks `check` between two pieces of
//! work; whoever shows it takes a snapshot when it likes. Nothing here draws or prints.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Counts the work of one operation and carries the wish to stop it.
///
/// Shape: clones share the same counters; the default counts for nobody and is never stopped.
/// Cost: an addition is one relaxed atomic instruction, so workers may report every file.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    shared: Arc<Shared>,
    stop: Arc<AtomicBool>,
}

#[derive(Debug, Default)]
struct Shared {
    phase: Mutex<Phase>,
    files: AtomicU64,
    bytes: AtomicU64,
}

/// Names the part of an operation that is under way, and how much there is of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Phase {
    /// What is being done, for people: "reading files"; empty before the first.
    pub name: &'static str,
    /// Files, objects or entries in this phase, where known.
    pub files_total: Option<u64>,
    /// Bytes in this phase, where known.
    pub bytes_total: Option<u64>,
}

/// Shows the counters at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Snapshot {
    /// The phase under way.
    pub phase: Phase,
    /// Files, objects or entries done in this phase.
    pub files: u64,
    /// Bytes done in this phase.
    pub bytes: u64,
}

/// Says that the operation was asked to stop, by Ctrl-C for example.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("stopped on request")]
pub struct Stopped;

impl Progress {
    /// Makes counters at zero whose wish to stop is `stop`, which a signal may set at any time.
    pub fn with_stop(stop: Arc<AtomicBool>) -> Self {
        Self { shared: Arc::default(), stop }
    }

    /// Enters a phase: the counters begin at zero again.
    pub fn begin(&self, phase: Phase) {
        let mut current = self.shared.phase.lock().unwrap_or_else(PoisonError::into_inner);
        *current = phase;
        self.shared.files.store(0, Ordering::Relaxed);
        self.shared.bytes.store(0, Ordering::Relaxed);
    }

    /// Counts `count` more files, objects or entries as done.
    pub fn add_files(&self, count: u64) {
        self.shared.files.fetch_add(count, Ordering::Relaxed);
    }

    /// Counts `bytes` more bytes as done.
    pub fn add_bytes(&self, bytes: u64) {
        self.shared.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Refuses to go on once a stop was asked for.
    ///
    /// Errors: [`Stopped`]; the caller leaves as after any other error, with nothing half done.
    pub fn check(&self) -> Result<(), Stopped> {
        if self.stop.load(Ordering::Relaxed) { Err(Stopped) } else { Ok(()) }
    }

    /// Reads the counters.
    pub fn snapshot(&self) -> Snapshot {
        let phase = *self.shared.phase.lock().unwrap_or_else(PoisonError::into_inner);
        Snapshot {
            phase,
            files: self.shared.files.load(Ordering::Relaxed),
            bytes: self.shared.bytes.load(Ordering::Relaxed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_share_counters_and_a_phase_begins_at_zero() {
        let progress = Progress::default();
        let worker = progress.clone();
        let reading = Phase { name: "reading files", files_total: Some(3), bytes_total: None };
        worker.begin(reading);
        worker.add_files(2);
        worker.add_bytes(700);
        assert_eq!(progress.snapshot(), Snapshot { phase: reading, files: 2, bytes: 700 });
        progress.begin(Phase { name: "syncing", ..Phase::default() });
        assert_eq!((worker.snapshot().files, worker.snapshot().bytes), (0, 0));
    }

    #[test]
    fn a_stop_is_seen_by_every_clone() {
        let stop = Arc::new(AtomicBool::new(false));
        let progress = Progress::with_stop(Arc::clone(&stop));
        let worker = progress.clone();
        assert_eq!(worker.check(), Ok(()));
        stop.store(true, Ordering::Relaxed);
        assert_eq!(worker.check(), Err(Stopped));
    }
}
