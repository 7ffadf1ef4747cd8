//! Bytes under `fixtures/malformed/`, one defect each, give an error that names it.

mod chunk;
mod commit;
mod commit_graph;
mod journal;
mod json;
mod object;
mod pack;
mod series;
mod stage;
mod tree;
