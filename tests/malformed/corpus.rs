//! Every kept file to every decoder: no panic, and what is accepted has one spelling.
//!
//! The seeds of the fuzz targets are `fixtures/`, found inputs are kept in `fuzz/kept/TARGET`.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::decoders;
use crate::support::tally::Tally;

fn files_under(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.expect("listed").path();
        if path.is_dir() { files_under(&path, files) } else { files.push(path) }
    }
}

#[test]
fn every_kept_file_is_decoded_or_refused_by_every_decoder() {
    let mut files = Vec::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for folder in ["fixtures/format", "fixtures/malformed", "fixtures/demo", "fuzz/kept"] {
        files_under(&root.join(folder), &mut files);
    }
    assert!(files.len() > 200, "the seeds are there: {}", files.len());
    let tally = Tally::new("kept hostile input", "every decoder");
    for path in files {
        let bytes = fs::read(&path).expect("read");
        for (_, feed) in decoders::ALL {
            feed(&bytes);
            tally.count("decoded to one spelling, or refused");
        }
    }
}
