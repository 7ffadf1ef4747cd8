//! How long a test that tries faults goes on: minutes in `make test`, hours in `make torture`.

use std::env;

/// Gives how many cases to try: `in_test`, or `in_torture` where `PROVENANCE_TORTURE` is set.
pub fn cases(in_test: u64, in_torture: u64) -> u64 {
    if is_torture() { in_torture } else { in_test }
}

/// Gives where random cases begin: always the same in `make test`, another one in each
/// `make torture`, and `PROVENANCE_SEED` where that is set, to run a failure again.
pub fn seed() -> u64 {
    let fresh = || {
        let now = std::time::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_millis());
        if is_torture() { u64::try_from(now).unwrap_or(0) << 20 } else { 0 }
    };
    let set = env::var("PROVENANCE_SEED").ok();
    set.map_or_else(fresh, |seed| seed.parse().expect("PROVENANCE_SEED is a number"))
}

/// Tells whether one failed case is run again, and no other.
pub fn is_again() -> bool {
    env::var_os("PROVENANCE_SEED").is_some()
}

/// Says how to run one failed case again.
pub fn again(test: &str, seed: u64) -> String {
    let torture = if is_torture() { "PROVENANCE_TORTURE=1 " } else { "" };
    format!("again: {torture}PROVENANCE_SEED={seed} cargo test --test main {test}")
}

/// Tells whether the run has hours.
pub fn is_torture() -> bool {
    env::var_os("PROVENANCE_TORTURE").is_some()
}
