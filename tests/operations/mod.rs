//! Operations on real files in a real folder, below the words of the command line.

mod artifacts;
mod back;
mod bench;
mod hostile_trees;
mod large_attachment;
mod large_files;
mod record;
