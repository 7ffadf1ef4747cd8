//! The power goes: right after a command had answered, and while it was at work. Only in torture,
//! as root, on file systems of our own.
//!
//! ext4 is tried with and without the care that it takes of programs that do not sync
//! (`noauto_da_alloc`). Mode 1 lets the file system finish its journal, so that names get there
//! without their content; mode 2 lets nothing more happen.

use super::disk::{Cut, Disk, DiskKind, EXT4, EXT4_PLAIN, XFS};
use super::oracle::{Ended, Standing, Truth, shown};
use super::scenario::SCENARIOS;
use super::strace::{self, Fault, MUTATING, Point};
use crate::support::effort;
use crate::support::tally::Tally;

/// Megabytes of each disk: XFS wants that many.
const DISK_MEGABYTES: u64 = 320;

/// Rounds through every command on every file system in every way, if there is time.
const ROUNDS: u64 = 1_000;

pub const WAYS: [(DiskKind, Cut, &str); 6] = [
    (EXT4, Cut::Now, "ext4, at once"),
    (EXT4, Cut::AfterJournal, "ext4, after its journal"),
    (EXT4_PLAIN, Cut::Now, "ext4 noauto_da_alloc, at once"),
    (EXT4_PLAIN, Cut::AfterJournal, "ext4 noauto_da_alloc, after its journal"),
    (XFS, Cut::Now, "xfs, at once"),
    (XFS, Cut::AfterJournal, "xfs, after its journal"),
];

const KINDS: [DiskKind; 3] = [EXT4, EXT4_PLAIN, XFS];

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

/// Tries a command on a disk in one round; gives nothing if there is nothing to try.
type TryIt<'a> = &'a dyn Fn(&Truth, &Disk, Cut, u64) -> Result<Option<Standing>, String>;

/// Tries every command in every way, in another order each round, until there is no more time.
fn cut_everywhere(fault: &str, try_it: TryIt<'_>) {
    let disks = KINDS.map(disk);
    let tallies =
        WAYS.map(|(.., way)| Tally::new(leak(format!("{fault}: {way}")), "every command"));
    let wanted = SCENARIOS.iter().filter(|scenario| super::is_wanted(&scenario.name()));
    let truths: Vec<Truth> = match disks.iter().any(Option::is_some) {
        true => wanted.map(Truth::of).collect(),
        false => return,
    };
    let mut findings = Vec::new();
    for round in 0..ROUNDS {
        let pairs = truths.iter().flat_map(|truth| (0..WAYS.len()).map(move |way| (truth, way)));
        let pairs: Vec<_> = pairs.collect();
        let all = pairs.len();
        for (truth, way) in super::sample(pairs, all, &format!("round {round}")) {
            let disk = KINDS.iter().position(|kind| *kind == WAYS[way].0);
            let Some(disk) = &disks[disk.expect("listed")] else { continue };
            if !effort::goes_on() || (round > 0 && super::only().is_some()) {
                return super::assert_none("power", &findings);
            }
            match try_it(truth, disk, WAYS[way].1, round) {
                Ok(Some(standing)) => tallies[way].count(outcome(standing)),
                Ok(None) => {}
                Err(wrong) => {
                    findings.push(format!("{}: {}: {wrong}", truth.scenario.name(), WAYS[way].2));
                }
            }
        }
        if !findings.is_empty() {
            break;
        }
    }
    super::assert_none("power", &findings);
}

#[test]
fn what_had_answered_survives_a_power_cut() {
    cut_everywhere("answered, then a power cut", &|truth, disk, cut, _| {
        let world = truth.world.copy(Some(&disk.mount()));
        disk.settle();
        let output = world.run(truth.scenario.words);
        assert!(output.status.success(), "{}", shown(&output));
        disk.cut(cut);
        disk.restart();
        truth.judge(&world, Ended::Done).map(Some)
    });
}

#[test]
fn a_kill_and_a_power_cut_leave_it_as_before_or_as_after() {
    if !strace::is_there() {
        return;
    }
    let fault = "killed at a system call, then a power cut";
    strace::on_one_processor(|| {
        cut_everywhere(fault, &|truth, disk, cut, round| {
            let Some(point) = point(truth, round) else { return Ok(None) };
            let world = truth.world.copy(Some(&disk.mount()));
            disk.settle();
            let output = strace::run(&world, truth.scenario.words, &point, Fault::Kill);
            disk.cut(cut);
            disk.restart();
            let ended = if output.status.success() { Ended::Done } else { Ended::Cut };
            truth.judge(&world, ended).map(Some).map_err(|wrong| format!("{point}: {wrong}"))
        });
    });
}

/// Draws the call at which a command is killed; none if it changes nothing.
fn point(truth: &Truth, round: u64) -> Option<Point> {
    let traced = truth.world.copy(None);
    let (points, _) = strace::points(&traced, truth.scenario.words, MUTATING, false);
    let name = format!("{} round {round}", truth.scenario.name());
    super::sample(points, 1, &name).pop()
}
