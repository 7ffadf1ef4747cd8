//! Checks of sources with one defect each are refused.

use provenance::object::SourceCheck;

use crate::support::fixture;

/// The fields of a check that is good, in order.
const GOOD: [(&str, &str); 7] = [
    ("checked", r#""2026-07-31T09:30:00.123Z""#),
    ("fingerprint", r#""blake3:0000000000000000000000000000000000000000000000000000000000000000""#),
    ("method", r#""file""#),
    ("name", r#""crm""#),
    ("paths", r#"["data"]"#),
    ("schema", r#""provenance/source/v1""#),
    ("uri", r#""/mnt/x""#),
];

/// What is wrong: the field, what stands in it instead (nothing: it is missing), the reason.
const DEFECTS: &[(&str, &str, &str, &str)] = &[
    ("nothing-found", "fingerprint", "", "fingerprint or a failure"),
    ("evidence-alone", "fingerprint", "EVIDENCE", "unknown"),
    ("method-unknown", "method", r#""ftp""#, "known method"),
    ("command-missing", "method", r#""command""#, "command is missing"),
    ("name-empty", "name", r#""""#, "empty"),
    ("name-of-two-lines", "name", r#""a\nb""#, "control"),
    ("paths-empty", "paths", "[]", "empty"),
    ("paths-descend", "paths", r#"["b","a"]"#, "must come after"),
    ("path-twice", "paths", r#"["a","a"]"#, "must come after"),
    ("schema-other", "schema", r#""provenance/source/v2""#, "schema"),
    ("time-of-no-day", "checked", r#""2026-02-30T00:00:00.000Z""#, "time"),
    ("uri-missing", "uri", "", "missing"),
    ("unknown-field", "uri", r#""/mnt/x","zone":1"#, "unknown"),
];

fn text(field: &str, instead: &str) -> String {
    let mut fields = Vec::new();
    for (name, value) in GOOD {
        match (name == field, instead) {
            (true, "") => {}
            (true, "EVIDENCE") => {
                let failure = r#""evidence":"x","failure":"gone""#;
                fields.push(failure.to_owned());
            }
            (true, instead) => fields.push(format!("\"{name}\":{instead}")),
            (false, _) => fields.push(format!("\"{name}\":{value}")),
        }
    }
    format!("{{{}}}", fields.join(","))
}

#[test]
fn checks_with_one_defect_are_refused() {
    SourceCheck::decode(text("", "").as_bytes()).expect("without a defect it is good");
    for (defect, field, instead, reason) in DEFECTS {
        let name = format!("malformed/source/{defect}");
        fixture::check(&name, text(field, instead).as_bytes());
        let error = SourceCheck::decode(&fixture::read(&name)).expect_err(defect);
        assert!(error.reason.contains(reason), "{defect}: {error}");
    }
    assert_eq!(fixture::names("malformed/source").len(), DEFECTS.len());
}
