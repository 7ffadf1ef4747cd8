//! The runs index: bytes that stay.

use provenance::format::runs_index::{Cell, SegmentBuilder, State};
use provenance::object::canonical;

use crate::support::{fixture, sample};

/// Three runs in columns of each encoding.
fn segment() -> Vec<u8> {
    let mut builder = SegmentBuilder::default();
    for (at, word) in (0..16_i64).zip("abcdefghijklmnop".chars()) {
        builder.push(sample::id(&word.to_string()), 1_785_490_000_000 + at);
        builder.set("metrics.loss", Cell::Number(0.5));
        builder.set("name", Cell::Text(&word.to_string()));
        builder.set("params.seed", if at == 3 { Cell::Text("NaN") } else { Cell::Number(7.0) });
        if at == 5 {
            builder.set("params.amp", Cell::Bool(true));
            builder.set_wide();
        }
    }
    builder.finish()
}

fn state() -> State {
    State {
        refs: Some(sample::id("refs")),
        segments: vec![([0xAB; 16], 16)],
        gone: vec![(0, 2)],
        again: vec![(sample::id("a"), 1)],
    }
}

#[test]
fn segments_and_states_keep_their_bytes() {
    fixture::check("format/v1/runs-index/segment", &segment());
    fixture::check("format/v1/runs-index/state", &state().encode());
    assert_eq!(State::decode(&fixture::read("format/v1/runs-index/state")).unwrap(), state());
}

/// The stream of `docs/format/exchange.md` is JSON, line by line, and is on that page.
#[test]
fn the_stream_on_the_page_is_the_one_that_is_kept() {
    let lines = fixture::read("format/v1/exchange/described.jsonl");
    let text = String::from_utf8(lines).unwrap();
    let page = std::fs::read_to_string("docs/format/exchange.md").expect("the page is there");
    assert!(page.contains(&format!("```\n{text}```")), "the example on the page is the fixture");
    for line in text.lines() {
        canonical::capture(line.as_bytes(), "line", 1 << 20).unwrap();
    }
}
