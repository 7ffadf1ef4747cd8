//! `cat`: the exact bytes of an object.

use std::ffi::OsString;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;

use super::{Context, Outcome};
use crate::repo;

/// Print the exact bytes of a file, commit or other object
///
/// What is printed hashes to the id of the object, whatever its kind: a commit is its JSON record,
/// a tree the bytes of its root node. Exit code 13 means that the bytes printed are damaged.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  provenance cat HEAD:data/train.csv | head
  provenance cat main~2:model.safetensors > old.safetensors
  provenance cat :config.toml             # as it is staged
  provenance cat HEAD | jq .author        # the record of a commit
  provenance cat 3f2a9c1 | b3sum          # prints the id")]
pub struct Args {
    /// An id or its first digits, a commit, COMMIT:PATH, or :PATH for the stage
    #[arg(value_name = "OBJECT")]
    object: OsString,
}

/// Writes the bytes as they are, also to a terminal.
pub fn run(args: &Args, context: &Context) -> Outcome {
    let repository = context.repository()?;
    context.print(|out| {
        repo::cat(&repository, args.object.as_bytes(), |piece| Ok(out.write_all(piece)?))
    })
}
