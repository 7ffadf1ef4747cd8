//! How long a test that tries faults goes on: minutes in `make test`, hours in `make torture`.

use std::env;

/// Gives how many cases to try: `in_test`, or `in_torture` where `PROVENANCE_TORTURE` is set.
pub fn cases(in_test: u64, in_torture: u64) -> u64 {
    if is_torture() { in_torture } else { in_test }
}

/// Tells whether the run has hours.
pub fn is_torture() -> bool {
    env::var_os("PROVENANCE_TORTURE").is_some()
}

/// Gives where random choices begin: `PROVENANCE_SEED`, or the same each time.
pub fn seed() -> u64 {
    let set = env::var("PROVENANCE_SEED").ok();
    set.map_or(1, |seed| seed.parse().expect("PROVENANCE_SEED is a number"))
}
