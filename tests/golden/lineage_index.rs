//! The lineage index: bytes that stay.

use provenance::format::lineage_index::{SegmentBuilder, State};

use crate::support::{fixture, sample};

/// A run that read what a node holds, and made something.
fn segment() -> Vec<u8> {
    let mut builder = SegmentBuilder::default();
    builder.begin_run(sample::id("run"));
    builder.used(&sample::id("data"));
    builder.made(&sample::id("model"));
    builder.begin_node(sample::id("data"));
    builder.holds(&sample::id("file"));
    builder.finish()
}

fn state() -> State {
    State {
        refs: Some(sample::id("refs")),
        detached: None,
        all_count: true,
        segments: vec![([0xAB; 16], segment().len() as u64)],
        packs: vec![[0x01; 16], [0xCD; 16]],
    }
}

#[test]
fn segments_and_states_keep_their_bytes() {
    fixture::check("format/v1/lineage-index/segment", &segment());
    fixture::check("format/v1/lineage-index/state", &state().encode());
    assert_eq!(State::decode(&fixture::read("format/v1/lineage-index/state")).unwrap(), state());
    let of_detached = State { detached: Some(sample::id("head")), ..State::default() };
    assert_eq!(State::decode(&of_detached.encode()).unwrap(), of_detached);
}
