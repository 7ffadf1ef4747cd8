//! `lineage [WHAT]`: where something came from, or what came of it.

pub(super) mod document;
mod graph;
mod tree;

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use super::{Context, Exit, Outcome, escape, print};
use crate::object::TreePath;
use crate::repo::{self, Direction, LineageReport, LineageRequest, Repository};

/// Show where something came from, or what came of it
///
/// WHAT is a run or another commit, a path as HEAD has it, COMMIT:PATH, the name of an artifact, an
/// id, or a SHA-256; HEAD if it is not given. Only what runs have read and made counts, by its
/// exact content; a file is followed into the directories that hold it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  provenance lineage model.safetensors             # the data, settings and runs behind it
  provenance lineage --down data/train.csv         # what came of it
  provenance lineage --depth 1 HEAD
  provenance lineage --format mermaid main
  provenance lineage --format dot main > lineage.dot")]
pub struct Args {
    /// What to look at
    #[arg(value_name = "WHAT")]
    what: Option<OsString>,
    /// Show what it came from; this is what happens without --down
    #[arg(long, conflicts_with = "down")]
    up: bool,
    /// Show what came of it
    #[arg(long)]
    down: bool,
    /// Go so many runs far
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    depth: Option<u32>,
    /// How to show it
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    #[arg(hide_possible_values = true, hide_default_value = true)]
    #[arg(help = "How to show it: tree, dot (Graphviz), mermaid or json")]
    format: Format,
}

/// The ways to show a lineage.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    #[default]
    Tree,
    Dot,
    Mermaid,
    Json,
}

/// Follows it and prints what was found.
pub fn run(args: &Args, context: &Context) -> Outcome {
    let repository = context.repository()?;
    let typed = args.what.clone().unwrap_or_else(|| "HEAD".into());
    let request = LineageRequest {
        path: path_of(&typed, context, &repository)?,
        start: typed.into_vec(),
        direction: if args.down { Direction::Down } else { Direction::Up },
        depth_max: args.depth,
    };
    let report = context.watch(|progress| repo::lineage(&repository, &request, progress))?;
    let format = if context.global.json { Format::Json } else { args.format };
    context.page(&repository, |out| match format {
        Format::Tree => tree::draw(out, &report, request.direction),
        Format::Dot => graph::dot(out, &report),
        Format::Mermaid => graph::mermaid(out, &report),
        Format::Json => Ok(out.json(&document::json(&report))?),
    })?;
    note_if_changed(&report, context);
    Ok(Exit::Ok)
}

/// Says so if the answer is not about the file that the user sees.
pub fn note_if_changed(report: &LineageReport, context: &Context) {
    if report.has_changed && !context.global.quiet {
        let name = escape::line(&report.name);
        let text = format!("{name} was changed since: this is about what is recorded of it");
        print::note(context.stderr_paint(), "note: ", &text);
    }
}

/// Takes a word as a path from where the user stands, if it can be one.
pub fn path_of(
    typed: &OsString,
    context: &Context,
    repository: &Repository,
) -> Result<Option<TreePath>, repo::Error> {
    let place = context.place(repository)?;
    let paths = place.resolve(repository, &[typed.into()]);
    Ok(paths.ok().and_then(|paths| paths.into_iter().next()))
}
