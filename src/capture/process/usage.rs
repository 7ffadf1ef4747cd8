//! What a command and everything it started used up.
//!
//! Time and disk traffic are what the kernel adds up of processes that were waited for; what is
//! left behind by its parent is waited for by us. Memory is looked at now and then.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::resource::{Usage, UsageWho, getrusage};
use nix::sys::time::TimeVal;
use rustix::process::{Pid, WaitOptions, waitpid};

use super::ending::adopt;
use crate::listing;
use crate::object::Resources;

/// Between the first looks at memory, and between later ones.
const FIRST: Duration = Duration::from_millis(20);
const LONGEST: Duration = Duration::from_millis(250);

/// Processes of one run that are looked at; a run of more is not looked at whole.
const PROCESSES_MAX: usize = 4096;

/// Sectors that getrusage(2) counts, in bytes.
const SECTOR_BYTES: u64 = 512;

/// Measures one run.
#[derive(Debug)]
pub(super) struct Meter {
    before: Option<Usage>,
    next: Instant,
    pause: Duration,
    memory_bytes_max: u64,
    /// Processes that were seen below the command, by number.
    seen: BTreeSet<i32>,
}

impl Meter {
    /// Begins to measure: before the command is started.
    pub(super) fn start() -> Self {
        // What a daemon's parent leaves behind comes to us, and its time is counted.
        adopt();
        let before = getrusage(UsageWho::RUSAGE_CHILDREN).ok();
        let (next, seen) = (Instant::now(), BTreeSet::new());
        Self { before, next, pause: FIRST, memory_bytes_max: 0, seen }
    }

    /// Tells how long it is until memory is looked at again.
    pub(super) fn until_next(&self) -> Duration {
        self.next.saturating_duration_since(Instant::now())
    }

    /// Looks at memory if it is time.
    pub(super) fn sample_if_due(&mut self, root: Pid) {
        if self.until_next().is_zero() {
            self.sample(root);
        }
    }

    /// Looks at the memory of `root` and all below it.
    pub(super) fn sample(&mut self, root: Pid) {
        let begun = Instant::now();
        let bytes = memory_of_tree(root, &mut self.seen);
        self.memory_bytes_max = self.memory_bytes_max.max(bytes);
        // Looking takes at most a hundredth of the time.
        let pause = (2 * self.pause).min(LONGEST).max(100 * begun.elapsed());
        (self.next, self.pause) = (begun + self.pause, pause);
    }

    /// Ends, after the command was waited for.
    pub(super) fn finish(self) -> Resources {
        self.seen.iter().for_each(|pid| reap(*pid));
        let (Some(before), Ok(after)) = (self.before, getrusage(UsageWho::RUSAGE_CHILDREN)) else {
            return Resources::default();
        };
        // Of the largest single process the kernel knows the peak, however short it was; before
        // it became another program it was a copy of us, which is not meant.
        let ours = getrusage(UsageWho::RUSAGE_SELF).map_or(0, |ours| ours.max_rss());
        let largest = Some(after.max_rss()).filter(|largest| *largest > ours).unwrap_or(0);
        let largest = u64::try_from(largest).unwrap_or(0).saturating_mul(1024);
        let grown = |of: fn(&Usage) -> i64| u64::try_from(of(&after) - of(&before)).ok();
        Resources {
            elapsed_ms: None,
            user_ms: grown(|usage| millis(usage.user_time())),
            system_ms: grown(|usage| millis(usage.system_time())),
            memory_bytes_max: Some(self.memory_bytes_max.max(largest)),
            read_bytes: grown(Usage::block_reads).map(|sectors| sectors * SECTOR_BYTES),
            written_bytes: grown(Usage::block_writes).map(|sectors| sectors * SECTOR_BYTES),
        }
    }
}

fn millis(time: TimeVal) -> i64 {
    time.tv_sec() * 1000 + time.tv_usec() / 1000
}

/// Waits for a process if it was left to us and has ended.
fn reap(pid: i32) {
    let _not_ours = waitpid(Pid::from_raw(pid), WaitOptions::NOHANG);
}

/// Adds up the resident memory of a process and its descendants, in bytes.
///
/// Shape: pages that several of them share count for each, as the kernel counts them.
fn memory_of_tree(root: Pid, seen: &mut BTreeSet<i32>) -> u64 {
    let page_bytes = rustix::param::page_size() as u64;
    let mut pages: u64 = 0;
    for pid in descendants(root) {
        // What has ended meanwhile is not there any more.
        let number = pid.as_raw_nonzero().get();
        let Ok(statm) = fs::read_to_string(format!("/proc/{number}/statm")) else { continue };
        let resident = statm.split(' ').nth(1).and_then(|field| field.parse::<u64>().ok());
        pages = pages.saturating_add(resident.unwrap_or(0));
        if pid != root && seen.len() < PROCESSES_MAX {
            seen.insert(number);
        }
    }
    pages.saturating_mul(page_bytes)
}

/// Lists a process and those that it started, directly or not, and that are still there.
pub(in crate::capture) fn descendants(root: Pid) -> Vec<Pid> {
    let mut found = vec![root];
    let mut next = 0;
    while let Some(pid) = found.get(next).map(|pid| pid.as_raw_nonzero()) {
        next += 1;
        // Each thread has children of its own.
        let threads = listing::entries(Path::new(&format!("/proc/{pid}/task")));
        let threads = threads.into_iter().flatten().flatten();
        for thread in threads {
            let children = fs::read_to_string(thread.path.join("children")).unwrap_or_default();
            let children = children.split_whitespace().filter_map(|pid| pid.parse::<i32>().ok());
            found.extend(children.filter_map(Pid::from_raw));
        }
        if found.len() >= PROCESSES_MAX {
            break;
        }
    }
    found.truncate(PROCESSES_MAX);
    found
}
