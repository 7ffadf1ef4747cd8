//! Bytes under `fixtures/malformed/`, one defect each, give an error that names it.

mod commit;
mod commit_graph;
mod journal;
mod json;
mod object;
mod stage;
mod tree;
