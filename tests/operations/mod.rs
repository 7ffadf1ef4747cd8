//! Operations on real files in a real folder, below the words of the command line.

mod back;
mod bench;
mod record;
