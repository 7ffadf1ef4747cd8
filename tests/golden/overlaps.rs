//! What splits have in common: bytes that stay.

use provenance::object::{ObjectId, Overlap, OverlapSample, Overlaps, SplitSize};

use crate::support::fixture;

#[test]
fn overlaps_keep_their_bytes() {
    let size = |split: &str, rows| SplitSize { split: split.to_owned(), files: 1, rows };
    let row = OverlapSample {
        path: "data/test.csv".to_owned(),
        line: Some(2),
        other_path: "data/train.csv".to_owned(),
        other_line: Some(17),
    };
    let file = OverlapSample { line: None, other_line: None, ..row.clone() };
    let overlaps = Overlaps {
        of: ObjectId::of(b"what was compared"),
        splits: vec![size("test", 88), size("train", 254)],
        pairs: vec![Overlap {
            split: "test".to_owned(),
            other: "train".to_owned(),
            files: 1,
            rows: 1,
            samples: vec![file, row],
        }],
        notes: vec!["data/half.csv: a quote in line 7 is not closed".to_owned()],
    };
    let name = "format/v1/overlaps/rows.json";
    fixture::check(name, &overlaps.encode().unwrap());
    let kept = fixture::read(name);
    assert_eq!(Overlaps::decode(&kept).unwrap(), overlaps);
    let with = |from: &str, to: &str| {
        let text = String::from_utf8(kept.clone()).unwrap();
        assert!(text.contains(from));
        Overlaps::decode(text.replacen(from, to, 1).as_bytes()).is_err()
    };
    assert!(with("\"notes\":[\"data", "\"more\":1,\"notes\":[\"data"), "another field");
    assert!(with("\"rows\":1,", "\"rows\":-1,"), "less than nothing");
    assert!(with("\"path\":\"data/test.csv\"", "\"path\":\"\""), "no path");
}
