//! Profiles with one defect each are refused.

use provenance::object::Profile;

use crate::support::fixture;

/// Each defect, and a word of the reason.
const DEFECTS: &[(&str, &str)] = &[
    ("column-type-other", "type"),
    ("column-unknown-field", "unknown"),
    ("label-without-values", "missing"),
    ("max-of-text", "number"),
    ("notes-empty-line", "empty"),
    ("rows-fraction", "rows"),
    ("schema-other", "schema"),
    ("spelling-blank", "canonical"),
    ("tables-missing", "missing"),
];

#[test]
fn profile_with_one_defect_are_refused() {
    for (defect, reason) in DEFECTS {
        let kept = fixture::read(&format!("malformed/profile/{defect}"));
        let error = Profile::decode(&kept).expect_err(defect);
        assert!(error.reason.contains(reason), "{defect}: {error}");
    }
    assert_eq!(fixture::names("malformed/profile").len(), DEFECTS.len());
}
