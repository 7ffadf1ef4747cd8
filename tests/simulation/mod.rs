//! Operations over a storage in memory, under faults that no disk shows on demand: every step
//! stopped or failed, power cuts that keep any part, many clients interleaved step by step.

mod errors;
pub mod hooked;
mod journal;
mod schedules;
mod states;
mod turns;
mod world;
