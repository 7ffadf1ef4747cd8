//! Bytes under `fixtures/malformed/`, one defect each, give an error that names it.

mod chunk;
mod commit;
mod commit_graph;
mod corpus;
mod journal;
mod json;
mod lease;
mod lineage_index;
mod object;
mod overlaps;
mod pack;
mod profile;
mod runs_index;
mod series;
mod source;
mod stage;
mod trace;
mod tree;

/// Changes some bytes that lie so many before the end.
fn with(mut bytes: Vec<u8>, before_end: usize, new: &[u8]) -> Vec<u8> {
    let at = bytes.len() - before_end;
    bytes[at..at + new.len()].copy_from_slice(new);
    bytes
}
