//! Transcripts: what a person types and reads, word for word. `TRYCMD=overwrite` takes new ones.

#[test]
fn transcripts() {
    let cases = trycmd::TestCases::new();
    cases
        .env("PROVENANCE_CLOCK", "1795453200000")
        .env("PROVENANCE_USER_NAME", "Ada Lovelace")
        .env("PROVENANCE_USER_EMAIL", "ada@example.org")
        .env("PROVENANCE_PAGER", "cat")
        .env("XDG_CONFIG_HOME", "/nonexistent")
        .env("TZ", "UTC")
        .case("tests/cli/transcripts/*.trycmd");
}
