//! Commit graphs with one defect each: nothing wrong is read from them.

use provenance::format::commit_graph::{CommitGraph, Position};

use crate::support::fixture;

const HEADER: usize = 16;
const RECORD: usize = 60;

/// Changes the golden fork at an offset.
fn with(offset: usize, bytes: &[u8]) -> Vec<u8> {
    let mut fork = fixture::read("format/v1/commit-graph/fork");
    fork[offset..offset + bytes.len()].copy_from_slice(bytes);
    fork
}

fn positions(graph: &CommitGraph<'_>) -> Vec<Position> {
    graph.positions().collect()
}

#[test]
fn another_header_is_refused() {
    let fork = fixture::read("format/v1/commit-graph/fork");
    for (defect, bytes) in [
        ("header-cut-short", fork[..HEADER - 1].to_vec()),
        ("magic-other", with(0, b"X")),
        ("reserved-not-zero", with(15, &[1])),
        ("version-2", with(8, &[2])),
    ] {
        let name = format!("malformed/commit-graph/{defect}");
        fixture::check(&name, &bytes);
        assert!(CommitGraph::open(&fixture::read(&name)).is_err(), "{defect}");
    }
}

/// The defect is in the second of four records.
#[test]
fn a_damaged_record_is_refused_when_it_is_read() {
    let second = HEADER + RECORD;
    let fork = fixture::read("format/v1/commit-graph/fork");
    let first_record = &fork[HEADER..second];
    for (defect, bytes) in [
        ("check-other", with(second + 56, &[0; 4])),
        ("generation-other", with(second + 40, &[9])),
        ("id-other", with(second, &[0; 32])),
        ("parent-after-child", with(second + 48, &[3])),
        ("parent-itself", with(second + 48, &[1])),
        ("parent-outside", with(second + 48, &[0xFF, 0xFF, 0xFF, 0x7F])),
        ("parents-too-many", with(second + 52, &[200, 0, 0, 0x80])),
        ("record-at-another-place", with(second, first_record)),
        ("second-parent-alone", with(second + 48, &[0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0])),
        ("time-other", with(second + 32, &[1])),
        ("zeros", with(second, &[0; RECORD])),
    ] {
        let name = format!("malformed/commit-graph/{defect}");
        fixture::check(&name, &bytes);
        let bytes = fixture::read(&name);
        let graph = CommitGraph::open(&bytes).unwrap();
        let whole = CommitGraph::open(&fork).unwrap();
        // The merge at the end may be cut off with it, the record before is not.
        assert!(graph.record_count() >= 3, "{defect}");
        assert!(graph.get(positions(&whole)[1]).is_err(), "{defect}");
    }
}

#[test]
fn a_damaged_end_is_cut_off() {
    let fork = fixture::read("format/v1/commit-graph/fork");
    let last = HEADER + 3 * RECORD;
    for (defect, bytes) in [
        ("end-cut-short", fork[..fork.len() - 1].to_vec()),
        ("end-other", with(last, &[0; 32])),
        ("end-zeros", [&fork[..last], &[0; 2 * RECORD]].concat()),
    ] {
        let name = format!("malformed/commit-graph/{defect}");
        fixture::check(&name, &bytes);
        let bytes = fixture::read(&name);
        let graph = CommitGraph::open(&bytes).unwrap();
        assert_eq!(graph.end_offset(), last as u64, "{defect}");
        assert!(positions(&graph).into_iter().all(|position| graph.get(position).is_ok()));
    }
}

#[test]
fn an_octopus_without_its_overflow_records_is_refused() {
    let octopus = fixture::read("format/v1/commit-graph/octopus");
    let overflow = HEADER + 14 * RECORD;
    let mut changed = octopus.clone();
    changed[overflow] ^= 1;
    let commit = [&octopus[..overflow], &octopus[overflow + 2 * RECORD..]].concat();
    for (defect, bytes) in [("overflow-changed", changed), ("overflow-missing", commit)] {
        let name = format!("malformed/commit-graph/{defect}");
        fixture::check(&name, &bytes);
        let bytes = fixture::read(&name);
        let graph = CommitGraph::open(&bytes).unwrap();
        // The octopus is the last record, so it is cut off with what it needs.
        assert_eq!(graph.end_offset(), overflow as u64, "{defect}");
    }
}
