//! `gc [-n] [--prune-now]`: packs merged, and what nothing reaches removed.

use std::io::Write as _;

use super::{Context, Outcome, units};
use crate::repo::{self, GcReport, GcRequest};

/// Merge packs, and remove what nothing reaches any more
///
/// Everything that any ref ever stood on stays, and so does the stage. What nothing reaches is
/// listed first; a run after the grace period (gc.grace-days, 14 if not set) moves it to the
/// trash, and a later run deletes that. Files in the worktree that a killed checkout had not
/// finished go too. Stopping it at any time loses nothing.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  provenance gc                  # merge packs; remove what has been unreachable for two weeks
  provenance gc -n               # say what there is, change nothing
  provenance gc --prune-now      # remove it at once: only while no other command runs")]
pub struct Args {
    /// Only say what would be done
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Remove at once, and for good; no other command may run in any worktree
    #[arg(long)]
    prune_now: bool,
}

/// Says how many bytes were freed.
pub fn run(args: &Args, context: &Context) -> Outcome {
    let repository = context.repository()?;
    let request = GcRequest { is_dry: args.dry_run, prunes_now: args.prune_now };
    let report = context.watch(|progress| repo::gc(&repository, request, progress))?;
    context.print(|out| {
        if context.global.json {
            return Ok(out.json(&json(&report, args.dry_run))?);
        }
        if context.global.quiet && !args.dry_run {
            return Ok(());
        }
        for line in lines(&report, args.dry_run) {
            writeln!(out, "{line}")?;
        }
        Ok(())
    })
}

fn lines(report: &GcReport, is_dry: bool) -> Vec<String> {
    let GcReport { collected, grace_days, .. } = report;
    let mut lines = Vec::new();
    if collected.unreachable > 0 {
        lines.push(format!(
            "{} unreachable ({} unpacked): {} {}, {} kept until {} have passed",
            units::count(collected.unreachable, "object"),
            units::bytes(collected.unreachable_bytes),
            units::grouped(collected.dropped),
            if is_dry { "would go" } else { "gone" },
            units::grouped(collected.waiting),
            units::count(u64::try_from(*grace_days).unwrap_or(0), "day"),
        ));
    }
    if report.leftovers.files > 0 {
        lines.push(format!(
            "{} {} of killed checkouts ({})",
            if is_dry { "Would remove" } else { "Removed" },
            units::count(report.leftovers.files, "unfinished file"),
            units::bytes(report.leftovers.bytes),
        ));
    }
    if is_dry {
        if collected.trash_files + collected.swept_files > 0 {
            lines.push(format!(
                "Would delete {} from the trash, and sweep {} of stopped commands ({})",
                units::count(collected.trash_files, "file"),
                units::count(collected.swept_files, "file"),
                units::bytes(collected.swept_bytes),
            ));
        }
        if lines.is_empty() {
            let packs = units::count(collected.packs_before, "pack");
            lines.push(format!("Nothing would be removed: all of {packs} is needed"));
        }
        return lines;
    }
    if collected.is_overtaken {
        lines.push("Something was recorded meanwhile: nothing was removed; run it again".into());
    }
    if collected.trash_bytes > 0 {
        let trash = units::bytes(collected.trash_bytes);
        lines.push(format!("{trash} in the trash, deleted by a run tomorrow or later"));
    }
    let packs = units::count(collected.packs_before, "pack");
    lines.push(match report.freed_bytes {
        0 if collected.packs_before == collected.packs_after => {
            format!("Nothing to free, {packs}")
        }
        freed if collected.packs_before == collected.packs_after => {
            format!("Freed {}, {packs}", units::bytes(freed))
        }
        freed => {
            let freed = units::bytes(freed);
            format!("Freed {freed}: {packs} to {}", units::grouped(collected.packs_after))
        }
    });
    lines
}

fn json(report: &GcReport, is_dry: bool) -> serde_json::Value {
    let c = &report.collected;
    serde_json::json!({
        "dry_run": is_dry,
        "freed_bytes": report.freed_bytes,
        "packs_before": c.packs_before,
        "packs_after": c.packs_after,
        "bytes_before": c.bytes_before,
        "bytes_after": c.bytes_after,
        "reachable": c.reachable,
        "unreachable": c.unreachable,
        "unreachable_bytes": c.unreachable_bytes,
        "waiting": c.waiting,
        "removed": c.dropped,
        "trash_files_deleted": c.trash_files,
        "trash_bytes": c.trash_bytes,
        "swept_files": c.swept_files,
        "swept_bytes": c.swept_bytes,
        "leftover_files": report.leftovers.files,
        "leftover_bytes": report.leftovers.bytes,
        "overtaken": c.is_overtaken,
        "bundles": report.bundles,
        "grace_days": report.grace_days,
    })
}
