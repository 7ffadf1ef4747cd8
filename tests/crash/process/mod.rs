//! The program itself under faults: killed at a system call, refused by the system, out of room.
//!
//! Faults survived: SIGKILL in place of any call that changes something; any errno that matters,
//! once and from then on; see `oracle.rs` for what must hold after each. A failure prints the one
//! command that tries the same point again.

mod disk;
mod errors;
mod full;
mod git;
mod kill;
mod oracle;
mod power;
mod run;
mod scenario;
mod state;
mod strace;
mod threads;
mod world;

use std::io::Write as _;

use crate::support::effort;
use strace::Point;

/// The one point to try, if somebody asked for it: `SCENARIO/CALL/NUMBER` or a beginning of it.
fn only() -> Option<String> {
    std::env::var("PROVENANCE_POINT").ok()
}

/// Tells whether a scenario, or a case in one, is to be tried.
fn is_wanted(case: &str) -> bool {
    only().is_none_or(|only| case.starts_with(&only) || only.starts_with(case))
}

/// Says why something is not tried here.
fn skipped(why: &str) {
    let _nobody_listens = writeln!(std::io::stderr(), "skipped: {why}");
}

/// Fails with every finding, and the command that tries the first of them again.
fn assert_none(module: &str, findings: &[String]) {
    let Some(first) = findings.first() else { return };
    let case = first.split(": ").next().unwrap_or_default();
    let again =
        format!("PROVENANCE_POINT='{case}' cargo test --test main crash::process::{module}::");
    let all = format!("{} findings\n{}\nagain: {again}", findings.len(), findings.join("\n"));
    // At once, and not when the suite ends: its time may be over before.
    let _told_again_below = writeln!(std::io::stderr(), "{all}");
    panic!("{all}");
}

/// Draws at most `count` cases, the same for the same seed (`PROVENANCE_SEED`) and scenario; all
/// of them if a point was asked for.
fn sample<T>(mut cases: Vec<T>, count: usize, scenario: &str) -> Vec<T> {
    if only().is_some_and(|only| only.contains('/')) {
        return cases;
    }
    let name = scenario.bytes().fold(0_u64, |sum, byte| sum.wrapping_mul(31) + u64::from(byte));
    let drawn = scenario::noise(effort::seed() ^ name, cases.len() * 8);
    for (at, draw) in drawn.chunks_exact(8).enumerate().skip(1) {
        let draw = u64::from_le_bytes(draw.try_into().expect("eight bytes"));
        let other = usize::try_from(draw % (at as u64 + 1)).expect("a position");
        cases.swap(at, other);
    }
    cases.truncate(count);
    cases
}

/// Keeps at most `numbers_max` points of each call, spread evenly; the first and last always.
fn spread(points: Vec<Point>, numbers_max: usize) -> Vec<Point> {
    let mut kept = Vec::new();
    for of_call in points.chunk_by(|one, next| one.call == next.call) {
        let last = of_call.len() - 1;
        let step = of_call.len().div_ceil(numbers_max);
        let is_kept = |at: usize| at.is_multiple_of(step) || at == last;
        kept.extend(
            of_call.iter().enumerate().filter(|(at, _)| is_kept(*at)).map(|(_, p)| p.clone()),
        );
    }
    kept
}
