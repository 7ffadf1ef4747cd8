//! Checks a repository: every entry, every pack, everything reachable, and lists all problems.

use super::repair::Mend;
use super::roots::is_damage;
use super::{Error, Repository};
use crate::object::{ObjectId, Update};
use crate::progress::Progress;
use crate::store::Fault;
use crate::store::check::{self, Finding};
use crate::store::collect;
use crate::store::refs::RefTree;
use crate::worktree::head::Head;

/// Says how much to check.
#[derive(Debug, Clone, Copy, Default)]
pub struct FsckRequest {
    /// Whether every stored byte is read, decoded and hashed.
    pub full: bool,
    /// Whether to mend first what can be mended; includes `full`.
    pub repairs: bool,
}

/// Tells what was checked and what is wrong.
#[derive(Debug, Default)]
pub struct FsckReport {
    /// What was mended before it was checked.
    pub mended: Vec<Mend>,
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
    else can prove what stood there. Of the newest entry, if it is there and damaged, and of \
    derived files `provenance fsck --repair` takes care";
const MEND_LOCAL: &str = "move `HEAD` or `stage` in .provenance away and run `provenance init`, or \
    run `provenance fsck --repair`; your files and all commits stay, and only this worktree is \
    concerned";

/// What one entry says of the refs.
struct Step {
    number: u64,
    refs: RefTree,
    updates: Vec<Update>,
    unlisted: u64,
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
    if request.repairs {
        report.mended = repository.mend(progress)?;
    }
    let full = request.full || request.repairs;
    for problem in repository.journal.verify()? {
        let place = problem.key.to_string();
        report.problems.push(Finding::new(problem.what, place, MEND_JOURNAL));
    }
    let mut entries = Vec::new();
    let mut problems = Vec::new();
    let roots = repository.roots(
        |entry| {
            progress.check()?;
            if full {
                let refs = RefTree(entry.transaction.refs);
                entries.push(Step {
                    number: entry.number(),
                    refs,
                    updates: entry.transaction.updates.clone(),
                    unlisted: entry.transaction.unlisted,
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
        let what = "it has no entry: `init` did not end";
        problems.push(Finding::new(what, "the journal", "run `provenance init` again"));
    }
    report.problems.append(&mut problems);
    report.entries = roots.entries;
    steps(repository, &entries, &mut report)?;
    let checked = check::check(&repository.store, &roots.roots, full, progress)?;
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
    for (before, Step { number, refs, updates, unlisted }) in
        entries.iter().zip(entries.iter().skip(1))
    {
        if before.number + 1 != *number {
            continue;
        }
        let load = |id: &ObjectId| reader.node(id).map_err(Error::from);
        match before.refs.check_step(updates, *unlisted, *refs, load) {
            Ok(faults) => report.problems.extend(faults.into_iter().map(|what| {
                Finding::new(what, format!("entry {number} of the journal"), MEND_JOURNAL)
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
    if let Some(note) = unborn_head(repository) {
        report.notes.push(note);
    }
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

/// Notes a head on a branch that does not exist, where others do: a new one, or a damaged name.
fn unborn_head(repository: &Repository) -> Option<String> {
    let Ok(Head::Branch(name)) = repository.head() else { return None };
    let refs = repository.refs().ok()?;
    let branches = refs.list(&mut repository.store.reader(), Some("heads")).ok()?;
    let is_unborn = !branches.is_empty() && !branches.contains_key(&name);
    is_unborn.then(|| format!("HEAD names {name}, a branch that no commit is on"))
}

fn finding(place: &str, error: &Error, mend: &str) -> Finding {
    Finding::new(check::worded(error), place, mend)
}
