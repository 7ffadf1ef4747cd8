//! Round trips, arbitrary bytes, and sequences of operations against a plain map.

mod json;
mod pack;
mod tree;
