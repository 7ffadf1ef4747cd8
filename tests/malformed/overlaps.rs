//! Overlaps with one defect each are refused.

use provenance::object::Overlaps;

use crate::support::fixture;

/// Each defect, and a word of the reason.
const DEFECTS: &[(&str, &str)] = &[
    ("of-without-hash-name", "of"),
    ("pair-without-other", "missing"),
    ("rows-negative", "rows"),
    ("sample-line-a-text", "line"),
    ("sample-without-path", "path"),
    ("schema-other", "schema"),
    ("splits-missing", "missing"),
    ("unknown-field", "unknown"),
];

#[test]
fn overlaps_with_one_defect_are_refused() {
    for (defect, reason) in DEFECTS {
        let kept = fixture::read(&format!("malformed/overlaps/{defect}"));
        let error = Overlaps::decode(&kept).expect_err(defect);
        assert!(error.reason.contains(reason), "{defect}: {error}");
    }
    assert_eq!(fixture::names("malformed/overlaps").len(), DEFECTS.len());
}
