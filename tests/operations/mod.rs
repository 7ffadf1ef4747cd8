//! Operations on real files in a real folder, below the words of the command line.

mod artifacts;
mod back;
mod bench;
mod large_files;
mod record;
