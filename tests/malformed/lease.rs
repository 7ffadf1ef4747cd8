//! Leases with one defect each.

use provenance::format::lease::Lease;

use crate::support::{fixture, sample};

/// Defect, what of the lease is replaced by what, and a part of the refusal.
const DEFECTS: &[(&str, &str, &str, &str)] = &[
    ("boot-missing", "\"boot\":\"5f0c1f0e-3b8e-4d0a-9a53-0a7f5a3c9d11\",", "", "boot is missing"),
    ("cut", "\"started\":1234567}", "\"sta", "end"),
    ("field-unknown", "\"process\"", "\"pack\":[],\"process\"", "unknown field"),
    ("host-control-character", "trainer-1", "trainer\\u001b[31m", "control characters"),
    ("process-negative", "4711", "-4711", "integer"),
    ("schema-other", "lease/v1", "lease/v2", "schema"),
    ("since-number", "\"2026-07-31T09:30:00.120Z\"", "1785490200120", "must be a text"),
    ("spelling-blank", "\"process\":4711", "\"process\": 4711", "canonical spelling"),
];

#[test]
fn leases_with_one_defect_are_refused() {
    let text = String::from_utf8(sample::lease().encode().unwrap()).unwrap();
    for (defect, from, to, reason) in DEFECTS {
        assert!(text.contains(from), "{defect}: {from} is not there");
        check(defect, &text.replacen(from, to, 1), reason);
    }
    check("host-256-bytes", &text.replacen("trainer-1", &"x".repeat(256), 1), "longer than 255");
}

fn check(defect: &str, text: &str, reason: &str) {
    let name = format!("malformed/lease/{defect}");
    fixture::check(&name, text.as_bytes());
    let error = Lease::decode(&fixture::read(&name)).expect_err(defect);
    assert!(error.to_string().contains(reason), "{defect}: {error}");
}
