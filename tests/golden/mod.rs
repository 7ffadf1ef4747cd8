//! Bytes under `fixtures/format/v1/` decode, and encode back unchanged: formats are for ever.

mod bisect;
mod chunk;
mod commit;
mod commit_graph;
mod environment;
mod journal;
mod json;
mod lease;
mod lineage_index;
mod object;
mod overlaps;
mod pack;
mod profile;
mod run_state;
mod runs_index;
mod series;
mod source;
mod stage;
mod trace;
mod tree;
