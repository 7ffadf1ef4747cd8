//! What several test folders share.

pub mod chance;
pub mod decoders;
pub mod effort;
pub mod fixture;
pub mod nodes;
pub mod pack;
pub mod sample;
pub mod schema;
pub mod tally;
