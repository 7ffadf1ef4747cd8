//! Speed of the parts: `make bench`, or `cargo bench -- tree` for one of them.
//!
//! Whole commands are measured in `benches/peers`. Inputs are made up and the same every time.

use criterion::Criterion;

mod chunk;
mod encode;
mod hash;
mod look_up;
mod redact;
mod samples;
mod tree;
mod walk;

fn main() {
    let mut criterion = Criterion::default().sample_size(20).configure_from_args();
    hash::bench(&mut criterion);
    chunk::bench(&mut criterion);
    encode::bench(&mut criterion);
    tree::bench(&mut criterion);
    look_up::bench(&mut criterion);
    redact::bench(&mut criterion);
    walk::bench(&mut criterion);
    criterion.final_summary();
}
