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
