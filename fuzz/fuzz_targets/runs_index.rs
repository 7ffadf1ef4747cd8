#![no_main]

#[path = "../../tests/support/decoders.rs"]
#[allow(dead_code, missing_docs)]
mod decoders;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| decoders::indexes::runs_index(bytes));
