//! Lists of opened files with one defect each are refused.

use provenance::object::TraceFiles;

use crate::support::fixture;

const DEFECTS: &[(&str, &str, &str)] = &[
    ("files-descend", r#"{"path":"b","read":true},{"path":"a","read":true}"#, "ascend"),
    ("file-twice", r#"{"path":"a","read":true},{"path":"a","read":true}"#, "ascend"),
    ("not-opened", r#"{"path":"a"}"#, "read or written"),
    ("path-empty", r#"{"path":"","read":true}"#, "must be a path"),
    ("path-missing", r#"{"read":true}"#, "missing"),
    ("path-of-nul", r#"{"path":"a\u0000","read":true}"#, "must be a path"),
    ("path-twice", r#"{"path":"a","path_hex":"ff","read":true}"#, "unknown"),
    ("path-hex-of-text", r#"{"path_hex":"61","read":true}"#, "not UTF-8"),
    ("path-hex-odd", r#"{"path_hex":"fff","read":true}"#, "not UTF-8"),
    ("path-hex-upper-case", r#"{"path_hex":"FF","read":true}"#, "not UTF-8"),
    ("read-false", r#"{"path":"a","read":false,"written":true}"#, "true, or absent"),
    ("reason-unknown", r#"{"left_out":"other","path":"a","read":true}"#, "known reason"),
    ("time-of-no-day", r#"{"modified":"2026-02-30T00:00:00.000Z","path":"a","read":true}"#, "time"),
    ("unknown-field", r#"{"id":"x","path":"a","read":true}"#, "unknown"),
];

#[test]
fn lists_with_one_defect_are_refused() {
    for (defect, files, reason) in DEFECTS {
        let name = format!("malformed/trace/{defect}");
        let text = format!(r#"{{"files":[{files}],"schema":"provenance/trace/v1"}}"#);
        fixture::check(&name, text.as_bytes());
        let error = TraceFiles::decode(&fixture::read(&name)).expect_err(defect);
        assert!(error.reason.contains(reason), "{defect}: {error}");
    }
    assert_eq!(fixture::names("malformed/trace").len(), DEFECTS.len());
}
