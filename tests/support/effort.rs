//! How long a test that tries faults goes on: minutes in `make test`, hours in `make torture`.

use std::env;

/// Gives how many cases to try: `in_test`, or `in_torture` where `PROVENANCE_TORTURE` is set.
pub fn cases(in_test: u64, in_torture: u64) -> u64 {
    if is_torture() { in_torture } else { in_test }
}

/// Gives where random cases begin: always the same in `make test`, another one in each round of
/// `make torture`, which sets `PROVENANCE_TORTURE` to it, and `PROVENANCE_SEED` where that is set,
/// to run a failure again.
pub fn seed() -> u64 {
    let set = env::var("PROVENANCE_SEED").or_else(|_| env::var("PROVENANCE_TORTURE"));
    set.map_or(0, |seed| seed.parse().expect("the seed is a number"))
}

/// Tells whether there is time for more cases: always in `make test`; in `make torture` until
/// `PROVENANCE_UNTIL`, in seconds since 1970, when it is the turn of the next suite.
pub fn goes_on() -> bool {
    let Ok(until) = env::var("PROVENANCE_UNTIL") else { return true };
    let until = until.parse().expect("PROVENANCE_UNTIL is a number");
    std::time::UNIX_EPOCH.elapsed().is_ok_and(|now| now.as_secs() < until)
}

/// Tells whether one failed case is run again, and no other.
pub fn is_again() -> bool {
    env::var_os("PROVENANCE_SEED").is_some()
}

/// Says how to run one failed case again.
pub fn again(test: &str, seed: u64) -> String {
    let torture = if is_torture() { "PROVENANCE_TORTURE=0 " } else { "" };
    format!("again: {torture}PROVENANCE_SEED={seed} cargo test --test main {test}")
}

/// Gives the program whose memory and time count: a release build where `make torture` made one.
pub fn program() -> String {
    let built = env!("CARGO_BIN_EXE_provenance");
    env::var("PROVENANCE_TEST_PROGRAM").unwrap_or_else(|_| built.to_owned())
}

/// Tells whether the run has hours.
pub fn is_torture() -> bool {
    env::var_os("PROVENANCE_TORTURE").is_some()
}
