//! The power goes: right after a command had answered, and while it was at work. Only in torture,
//! as root, on file systems of our own.
//!
//! ext4 is tried with and without the care that it takes of programs that do not sync
//! (`noauto_da_alloc`). Mode 1 lets the file system finish its journal, so that names get there
//! without their content; mode 2 lets nothing more happen.

use super::disk::{Cut, Disk, DiskKind, EXT4, EXT4_PLAIN, XFS};
use super::oracle::{Ended, Standing, Truth, shown};
use super::scenario::SCENARIOS;
use super::strace::{self, Fault, MUTATING};
use crate::support::effort;
use crate::support::tally::Tally;

/// Megabytes of each disk: XFS wants that many.
const DISK_MEGABYTES: u64 = 320;

/// Repetitions of each command that answers.
const ANSWERED: u64 = 3;

/// Points of each command at which it is killed.
const POINTS: usize = 6;

pub const WAYS: [(DiskKind, Cut, &str); 6] = [
    (EXT4, Cut::Now, "ext4, at once"),
    (EXT4, Cut::AfterJournal, "ext4, after its journal"),
    (EXT4_PLAIN, Cut::Now, "ext4 noauto_da_alloc, at once"),
    (EXT4_PLAIN, Cut::AfterJournal, "ext4 noauto_da_alloc, after its journal"),
    (XFS, Cut::Now, "xfs, at once"),
    (XFS, Cut::AfterJournal, "xfs, after its journal"),
];

/// Makes the disk of a way; none outside of torture, or where it cannot be made.
pub fn disk(kind: DiskKind) -> Option<Disk> {
    if !effort::is_torture() || !super::disk::is_root() {
        super::skipped("power cuts are tried by `make torture`, as root");
        return None;
    }
    Disk::make(kind, DISK_MEGABYTES)
}

fn leak(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

fn outcome(standing: Standing) -> &'static str {
    match standing {
        Standing::Before => "as before, and the same again succeeds",
        Standing::After => "as after",
        Standing::Between => "files in between, and again (or with --force) it succeeds",
    }
}

#[test]
fn what_had_answered_survives_a_power_cut() {
    let mut findings = Vec::new();
    for (kind, cut, way) in WAYS {
        let Some(disk) = disk(kind) else { continue };
        let fault = leak(format!("answered, then a power cut: {way}"));
        for scenario in SCENARIOS.iter().filter(|s| super::is_wanted(&s.name())) {
            let truth = Truth::of(scenario);
            let tally = Tally::new(fault, leak(scenario.name()));
            for _ in 0..ANSWERED {
                let world = truth.world.copy(Some(&disk.mount()));
                disk.settle();
                let output = world.run(scenario.words);
                assert!(output.status.success(), "{}", shown(&output));
                disk.cut(cut);
                disk.restart();
                match truth.judge(&world, Ended::Done) {
                    Ok(standing) => tally.count(outcome(standing)),
                    Err(wrong) => findings.push(format!("{}: {way}: {wrong}", scenario.name())),
                }
            }
        }
    }
    super::assert_none("power", &findings);
}

#[test]
fn a_kill_and_a_power_cut_leave_it_as_before_or_as_after() {
    if !strace::is_there() {
        return;
    }
    let mut findings = Vec::new();
    for (kind, cut, way) in WAYS {
        let Some(disk) = disk(kind) else { continue };
        let fault = leak(format!("killed at a system call, then a power cut: {way}"));
        strace::on_one_processor(|| {
            for scenario in SCENARIOS.iter().filter(|s| super::is_wanted(&s.name())) {
                let truth = Truth::of(scenario);
                let tally = Tally::new(fault, leak(scenario.name()));
                let traced = truth.world.copy(None);
                let (points, _) = strace::points(&traced, scenario.words, MUTATING, false);
                for point in super::sample(points, POINTS, &scenario.name()) {
                    let world = truth.world.copy(Some(&disk.mount()));
                    disk.settle();
                    let output = strace::run(&world, scenario.words, &point, Fault::Kill);
                    disk.cut(cut);
                    disk.restart();
                    let ended = if output.status.success() { Ended::Done } else { Ended::Cut };
                    match truth.judge(&world, ended) {
                        Ok(standing) => tally.count(outcome(standing)),
                        Err(wrong) => {
                            findings.push(format!("{}/{point}: {way}: {wrong}", scenario.name()));
                        }
                    }
                }
            }
        });
    }
    super::assert_none("power", &findings);
}
