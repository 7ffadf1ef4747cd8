//! Checks a repository: every entry, every pack, everything reachable, and lists all problems.

use super::roots::is_damage;
use super::{Error, Repository};
use crate::object::{ObjectId, Update};
use crate::progress::Progress;
use crate::store::Fault;
use crate::store::check::{self, Finding};
use crate::store::collect;
use crate::store::refs::RefTree;

/// Says how much to check.
#[derive(Debug, Clone, Copy, Default)]
pub struct FsckRequest {
    /// Whether every stored byte is read, decoded and hashed.
    pub full: bool,
}

/// Tells what was checked and what is wrong.
#[derive(Debug, Default)]
pub struct FsckReport {
    /// Everything that is wrong, sorted; empty if the repository is whole.
    pub problems: Vec<Finding>,
    /// What is not wrong, but may be of interest.
    pub notes: Vec<String>,
    /// Entries of the journal.
    pub entries: u64,
    /// Packs that were opened.
    pub packs: u64,
    /// Their length in bytes.
    pub bytes: u64,
    /// Objects that are reachable.
    pub reachable: u64,
    /// Blocks that were decoded.
    pub blocks: u64,
    /// Raw bytes that were decoded and hashed.
    pub raw_bytes: u64,
}

const MEND_JOURNAL: &str = "copy this file of the journal from a copy of the repository; nothing \
    else can prove what stood there";
const MEND_LOCAL: &str = "move `HEAD` or `stage` in .provenance away and run `provenance init`; \
    your files and all commits stay, and only this worktree is concerned";

/// What one entry says of the refs.
struct Step {
    number: u64,
    refs: RefTree,
    updates: Vec<Update>,
}

/// Checks everything.
///
/// Shape: damage is a problem in the report. Errors: only what keeps the check from going on.
pub fn fsck(
    repository: &Repository,
    request: FsckRequest,
    progress: &Progress,
) -> Result<FsckReport, Error> {
    let mut report = FsckReport::default();
    for problem in repository.journal.verify()? {
        let (what, place) = (problem.what, problem.key.to_string());
        report.problems.push(Finding { what, place, mend: MEND_JOURNAL.to_owned() });
    }
    let mut entries = Vec::new();
    let mut problems = Vec::new();
    let roots = repository.roots(
        |entry| {
            progress.check()?;
            if request.full {
                let refs = RefTree(entry.transaction.refs);
                entries.push(Step {
                    number: entry.number(),
                    refs,
                    updates: entry.transaction.updates.clone(),
                });
            }
            Ok(())
        },
        |place, error| {
            let mend = if place.contains("journal") { MEND_JOURNAL } else { MEND_LOCAL };
            let is_known = place.starts_with("entry ");
            if !is_damage(&error) {
                return Err(error);
            }
            if !is_known {
                problems.push(finding(place, &error, mend));
            }
            Ok(())
        },
    )?;
    if roots.entries == 0 && report.problems.is_empty() && problems.is_empty() {
        let what = "it has no entry: `init` did not end".to_owned();
        let mend = "run `provenance init` again".to_owned();
        problems.push(Finding { what, place: "the journal".to_owned(), mend });
    }
    report.problems.append(&mut problems);
    report.entries = roots.entries;
    steps(repository, &entries, &mut report)?;
    let checked = check::check(&repository.store, &roots.roots, request.full, progress)?;
    report.problems.extend(checked.findings);
    report.problems.sort();
    report.problems.dedup();
    (report.packs, report.bytes) = (checked.packs, checked.bytes);
    (report.reachable, report.blocks) = (checked.reachable, checked.blocks);
    report.raw_bytes = checked.raw_bytes;
    let foreign = checked.foreign.iter().map(|name| format!("{name} is no pack and has no effect"));
    report.notes.extend(foreign);
    notes(repository, &mut report)?;
    Ok(report)
}

/// Checks that each entry moved the refs that it says, and no other.
fn steps(repository: &Repository, entries: &[Step], report: &mut FsckReport) -> Result<(), Error> {
    let mut reader = repository.store.reader();
    for (before, Step { number, refs, updates }) in entries.iter().zip(entries.iter().skip(1)) {
        if before.number + 1 != *number {
            continue;
        }
        let load = |id: &ObjectId| reader.node(id).map_err(Error::from);
        match before.refs.check_step(updates, *refs, load) {
            Ok(faults) => report.problems.extend(faults.into_iter().map(|what| Finding {
                what,
                place: format!("entry {number} of the journal"),
                mend: MEND_JOURNAL.to_owned(),
            })),
            // What cannot be read is found again among what is reachable.
            Err(error) if is_damage(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn notes(repository: &Repository, report: &mut FsckReport) -> Result<(), Error> {
    // The age of leftovers is measured with a file of our own; where nothing may be written, the
    // check itself still holds.
    let left = match collect::leftovers(&repository.store) {
        Err(error) if matches!(error.fault(), Fault::Denied) => {
            report.notes.push("what stopped commands left behind cannot be counted here".into());
            (0, 0)
        }
        left => left.map(|left| (left.files, left.bytes))?,
    };
    let [trash, quarantine] = collect::set_aside(&repository.store)?;
    let mut note = |files: u64, bytes: u64, what: &str| {
        if files > 0 {
            report.notes.push(format!("{what}: {files} files, {bytes} bytes"));
        }
    };
    note(left.0, left.1, "left behind by commands that were stopped; `gc` sweeps them");
    note(trash.0, trash.1, "in the trash; `gc` empties it");
    note(quarantine.0, quarantine.1, "in quarantine, for you to look at");
    Ok(())
}

fn finding(place: &str, error: &Error, mend: &str) -> Finding {
    let what = check::worded(error);
    Finding { what, place: place.to_owned(), mend: mend.to_owned() }
}
