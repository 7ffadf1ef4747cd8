//! `ls`: what a commit holds; the manifest that `sha256sum -c` and `b3sum -c` check.

use std::ffi::OsString;
use std::io::Write as _;
use std::os::unix::ffi::OsStringExt;

use serde_json::{Map, Value};

use super::exit::Failure;
use super::print::{Output, put_path};
use super::{Context, Outcome, escape, manifest, units};
use crate::object::tree::{Target, Walked};
use crate::repo::{self, LsRequest};

/// List what a commit holds
///
/// Paths are from the root of the worktree, where a manifest is checked too. With --json, one line
/// per entry: path, kind, id, bytes; sha256 of a file; files below a directory.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  provenance ls                                    # the top of HEAD
  provenance ls -l v1:data                         # with kind, size and id
  provenance ls -r main~3
  provenance ls --format sha256sum | sha256sum -c  # is the worktree what HEAD holds?
  provenance ls --format b3sum v1:weights | b3sum -c

A manifest lists files at any depth; links and directories have no place in it.")]
pub struct Args {
    /// A commit, COMMIT:PATH, :PATH for the stage, or the id of a tree; else HEAD
    #[arg(value_name = "COMMIT[:PATH]")]
    place: Option<OsString>,
    /// List what is inside of directories too
    #[arg(short, long)]
    recursive: bool,
    /// Show kind, size and the first digits of the id
    #[arg(short, long, conflicts_with = "format")]
    long: bool,
    /// Print the manifest of all files: sha256sum or b3sum
    #[arg(long, value_enum, hide_possible_values = true, conflicts_with = "json")]
    format: Option<Format>,
}

/// Names the programs that check manifests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Sha256sum,
    B3sum,
}

/// Prints entry by entry, while the tree is read.
pub fn run(args: &Args, context: &Context) -> Outcome {
    let repository = context.repository()?;
    let request = LsRequest {
        typed: args.place.clone().map(OsStringExt::into_vec),
        is_recursive: args.recursive || args.format.is_some(),
    };
    let list = |out: &mut Output| {
        repo::ls(&repository, &request, &context.progress, |walked| match args.format {
            Some(format) => manifest_line(out, format, &walked),
            None if context.global.json => Ok(out.json(&json(&walked))?),
            None if args.long => long_line(out, &walked),
            None => Ok(writeln!(out, "{}", escape::path(walked.path.as_bytes()))?),
        })
    };
    match args.format.is_some() || context.global.json {
        true => context.print(list),
        false => context.page(&repository, list),
    }
}

fn manifest_line(out: &mut Output, format: Format, walked: &Walked) -> Result<(), Failure> {
    let Target::File { id, sha256, .. } = &walked.target else { return Ok(()) };
    let path = walked.path.as_bytes();
    let line = match format {
        Format::Sha256sum => manifest::line(sha256, path),
        Format::B3sum => manifest::line(id, path),
    };
    Ok(out.exact_line(&line)?)
}

fn long_line(out: &mut Output, walked: &Walked) -> Result<(), Failure> {
    let id = out.paint.id(walked.target.id().short());
    let (kind, bytes) = (kind(&walked.target), bytes(&walked.target));
    let bytes = bytes.map(units::bytes).unwrap_or_default();
    let path = escape::path(walked.path.as_bytes());
    let end = if walked.target.is_directory() { "/" } else { "" };
    Ok(writeln!(out, "{kind:<10}  {bytes:>8}  {id}  {path}{end}")?)
}

fn json(walked: &Walked) -> Value {
    let mut object = Map::new();
    put_path(&mut object, "path", walked.path.as_bytes());
    object.insert("kind".into(), kind(&walked.target).into());
    object.insert("id".into(), walked.target.id().to_record().into());
    if let Some(bytes) = bytes(&walked.target) {
        object.insert("bytes".into(), bytes.into());
    }
    match &walked.target {
        Target::File { sha256, .. } => object.insert("sha256".into(), sha256.to_string().into()),
        Target::Directory { files, .. } => object.insert("files".into(), (*files).into()),
        Target::Symlink { .. } | Target::Commit { .. } => None,
    };
    Value::Object(object)
}

const fn kind(target: &Target) -> &'static str {
    match target {
        Target::File { executable: false, .. } => "file",
        Target::File { executable: true, .. } => "executable",
        Target::Symlink { .. } => "symlink",
        Target::Directory { .. } => "directory",
        Target::Commit { .. } => "commit",
    }
}

const fn bytes(target: &Target) -> Option<u64> {
    match target {
        Target::File { size, .. } | Target::Symlink { size, .. } => Some(*size),
        Target::Directory { bytes, .. } => Some(*bytes),
        Target::Commit { .. } => None,
    }
}
