//! Series with one defect each are refused.

use provenance::object::SeriesValues;

use crate::support::fixture;

const DEFECTS: &[(&str, &str, &str)] = &[
    ("schema-other", r#"{"schema":"provenance/series/v2","values":[1]}"#, "schema"),
    ("steps-fewer", r#"{"schema":"provenance/series/v1","steps":[1],"values":[1,2]}"#, "as many"),
    ("steps-of-text", r#"{"schema":"provenance/series/v1","steps":["1"],"values":[1]}"#, "number"),
    ("steps-without", r#"{"schema":"provenance/series/v1","steps":[null],"values":[1]}"#, "hold"),
    ("unknown-field", r#"{"schema":"provenance/series/v1","values":[1],"x":1}"#, "unknown"),
    ("values-empty", r#"{"schema":"provenance/series/v1","values":[]}"#, "empty"),
    ("values-missing", r#"{"schema":"provenance/series/v1"}"#, "missing"),
    ("values-null", r#"{"schema":"provenance/series/v1","values":[null]}"#, "number or a text"),
];

#[test]
fn series_with_one_defect_are_refused() {
    for (defect, text, reason) in DEFECTS {
        let name = format!("malformed/series/{defect}");
        fixture::check(&name, text.as_bytes());
        let error = SeriesValues::decode(&fixture::read(&name)).expect_err(defect);
        assert!(error.reason.contains(reason), "{defect}: {error}");
    }
    assert_eq!(fixture::names("malformed/series").len(), DEFECTS.len());
}
