//! Canonical JSON with one defect each.

use provenance::object::canonical;

use crate::support::fixture;

const DEFECTS: &[(&str, &str, &str)] = &[
    ("blank-after-comma", "[1, 2]", "canonical spelling"),
    ("byte-order-mark", "\u{feff}1", "a value must begin"),
    ("escape-needless", "\"\\u20ac\"", "canonical spelling"),
    ("escape-upper-case", "\"\\u000F\"", "canonical spelling"),
    ("integer-beyond-2-53", "9007199254740992", "beyond"),
    ("integer-with-point", "1.0", "canonical spelling"),
    ("literal-nan", "NaN", "a value must begin"),
    ("minus-zero", "-0", "-0 is refused"),
    ("name-order-utf16", "{\"\u{fb33}\":1,\"\u{1f600}\":2}", "canonical spelling"),
    ("name-twice", "{\"a\":1,\"a\":1}", "occurs twice"),
    ("name-twice-in-disguise", "{\"a\":1,\"\\u0061\":1}", "occurs twice"),
    ("number-leading-zero", "01", "not a JSON number"),
    ("number-overflow", "1e400", "not finite"),
    ("number-rounded", "333333333.33333329", "survive"),
    ("surrogate-lone-high", "\"\\ud83d\"", "lone surrogate"),
    ("surrogate-lone-low", "\"\\ude00\"", "lone surrogate"),
    ("text-control-character", "\"a\tb\"", "control character"),
    ("text-unfinished", "\"a", "does not end"),
    ("trailing-bytes", "{}{}", "something follows"),
    ("trailing-line-end", "{}\n", "canonical spelling"),
];

#[test]
fn json_with_one_defect_is_refused() {
    let deep = format!("{}{}", "[".repeat(65), "]".repeat(65));
    let deep = ("depth-65", deep.as_str(), "nested deeper");
    for (defect, text, reason) in DEFECTS.iter().copied().chain([deep]) {
        let name = format!("malformed/json/{defect}");
        fixture::check(&name, text.as_bytes());
        let error = canonical::decode(&fixture::read(&name), "value", 1 << 20).expect_err(defect);
        assert!(error.reason.contains(reason), "{defect}: {error}");
    }
    fixture::check("malformed/json/not-utf8", b"\"\xff\"");
    let error = canonical::decode(&fixture::read("malformed/json/not-utf8"), "value", 99);
    assert_eq!(error.expect_err("not UTF-8").offset, 1);
    assert_eq!(fixture::names("malformed/json").len(), DEFECTS.len() + 2);
}
