//! Commits with one defect each.

use provenance::object::Commit;

use crate::support::{fixture, sample};

/// Defect, what of the complete commit is replaced by what, and a part of the refusal.
const DEFECTS: &[(&str, &str, &str, &str)] = &[
    (
        "artifact-kind-unknown",
        "\"kind\":\"dataset\",\"name\"",
        "\"kind\":\"data\",\"name\"",
        "kind",
    ),
    (
        "artifact-path-absolute",
        "\"data/penguins.csv\",\"profile\"",
        "\"/data\",\"profile\"",
        "path",
    ),
    (
        "artifact-path-upwards",
        "\"data/penguins.csv\",\"profile\"",
        "\"a/../b\",\"profile\"",
        "path",
    ),
    ("artifacts-descend", "\"out/adapter\"}],\"author\"", "\"a\"}],\"author\"", "must come after"),
    ("author-email-missing", "\"email\":\"ada@example.org\",", "", "email is missing"),
    ("author-name-empty", "\"Ada Lovelace\"", "\"\"", "must not be empty"),
    ("author-name-two-lines", "\"Ada Lovelace\"", "\"Ada\\nLovelace\"", "control characters"),
    ("code-dirty-a-number", "\"dirty\":true", "\"dirty\":1", "true or false"),
    ("code-git-commit-short", "2fd4e1c67a2d28fced849ee1bb76e7391b93eb12", "2fd4e1c", "hexadecimal"),
    (
        "count-beyond-2-53",
        "\"bytes\":13478,\"files\"",
        "\"bytes\":9007199254740992,\"files\"",
        "beyond",
    ),
    ("count-fraction", "\"cores\":64", "\"cores\":0.5", "integer"),
    ("count-negative", "\"cores\":64", "\"cores\":-64", "integer"),
    ("count-text", "\"cores\":64", "\"cores\":\"64\"", "must be a number"),
    ("field-null", "\"dirty\":true", "\"dirty\":null", "true or false"),
    ("field-twice", "\"alpha\":32", "\"alpha\":32,\"alpha\":32", "occurs twice"),
    ("field-unknown", "\"message\"", "\"masage\":1,\"message\"", "unknown field"),
    ("fine-tune-dropout-above-1", "\"dropout\":0.05", "\"dropout\":1.05", "from 0 to 1"),
    ("fine-tune-modules-descend", "\"k_proj\"", "\"r_proj\"", "must come after"),
    (
        "id-upper-case",
        "\"environment\":\"blake3:2245de",
        "\"environment\":\"blake3:2245DE",
        "lower-case",
    ),
    ("id-without-hash-name", "\"environment\":\"blake3:", "\"environment\":\"", "blake3:"),
    ("lone-surrogate", "\"Ada Lovelace\"", "\"Ada\\ud800\"", "lone surrogate"),
    ("metric-a-list", "\"accuracy\":0.978", "\"accuracy\":[0.978]", "number or a text"),
    ("metric-series-empty", "\"count\":400", "\"count\":0", "at least 1"),
    ("number-not-shortest", "\"accuracy\":0.978", "\"accuracy\":0.9780", "canonical spelling"),
    ("number-not-survives", "\"accuracy\":0.978", "\"accuracy\":0.97800000000000000001", "survive"),
    (
        "output-id-alone",
        "\"outputs\":[{\"bytes\":1048976,\"files\":2,",
        "\"outputs\":[{",
        "missing",
    ),
    (
        "output-size-alone",
        "{\"path\":\"out/report.html\"}",
        "{\"bytes\":1,\"path\":\"z\"}",
        "unknown",
    ),
    (
        "parents-twice",
        "blake3:2dac974da83d90d57fbed9795c3d8566af7880b61b95f828278a72c97d13d030",
        "blake3:ebdea6058df2230dc25b7a7c7b487b470c508c2e0a5119c96893c443de3a9e79",
        "twice",
    ),
    ("run-command-empty", "[\"python3\",\"train.py\",\"--note=a\\nb\"]", "[]", "name a program"),
    ("run-exit-code-256", "\"exit_code\":0", "\"exit_code\":256", "0 to 255"),
    ("schema-other", "provenance/commit/v1", "provenance/commit/v2", "schema"),
    ("spelling-blank", "\"message\":", "\"message\": ", "canonical spelling"),
    ("spelling-escape", "\"Ada Lovelace\"", "\"\\u0041da\"", "canonical spelling"),
    ("spelling-line-end", "da8040aea19bc3a\"}", "da8040aea19bc3a\"}\n", "canonical spelling"),
    ("time-of-no-day", "2026-07-31T09:30:00.000Z", "2026-02-30T09:30:00.000Z", "must be a time"),
    ("time-with-offset", "2026-07-31T09:30:00.000Z", "2026-07-31T09:30:00.000+00:00", "a time"),
    ("time-without-decimals", "2026-07-31T09:30:00.000Z", "2026-07-31T09:30:00Z", "must be a time"),
    (
        "tree-missing",
        ",\"tree\":\"blake3:6baa6c9f461fe834a9da0ebb62e0f6fb8c11988a58cbc51b8da8040aea19bc3a\"",
        "",
        "tree is missing",
    ),
    ("truncated", "da8040aea19bc3a\"}", "da8040aea19bc3a\"", "must follow"),
];

#[test]
fn commits_with_one_defect_are_refused() {
    let complete = String::from_utf8(sample::complete_commit().encode().unwrap()).unwrap();
    for (defect, from, to, reason) in DEFECTS {
        assert!(complete.contains(from), "{defect}: {from} is not there");
        let name = format!("malformed/commit/{defect}");
        fixture::check(&name, complete.replacen(from, to, 1).as_bytes());
        let error = Commit::decode(&fixture::read(&name)).expect_err(defect);
        assert!(error.to_string().contains(reason), "{defect}: {error}");
    }
    assert_eq!(fixture::names("malformed/commit").len(), DEFECTS.len());
}
