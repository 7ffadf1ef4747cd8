//! Round trips, arbitrary bytes, and sequences of operations against a plain map.

mod commit_graph;
mod journal;
mod json;
mod pack;
mod tree;
