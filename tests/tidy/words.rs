//! Words that are not used here, and what the compiler's lints do not see.

use super::assert_none;
use super::sources;

/// Code that has a better place or is not finished. Split, so that this file does not match.
const CODE: &[(&str, &str)] = &[
    (concat!("#[", "allow("), "use #[expect(…, reason = \"…\")]"),
    (concat!("#![", "allow("), "use #[expect(…, reason = \"…\")]"),
    (concat!("FIX", "ME"), "mend it, or say under which condition"),
    (concat!("XX", "X"), "mend it, or say under which condition"),
    (concat!("to", "do!("), "finish it or leave it out"),
    (concat!("unimplemented", "!("), "finish it or leave it out"),
    (concat!("#[", "ignore"), "a test runs or goes"),
    (concat!("unsafe ", "{"), "only with #[expect(unsafe_code, reason = …)] and SAFETY"),
];

/// Parts of names that say nothing: `docs/architecture.md`, names.
const NAMES: &[&str] = &["manager", "util", "helper", "misc"];

#[test]
fn no_banned_code() {
    let mut findings = Vec::new();
    for source in ["src", "tests", "benches"].into_iter().flat_map(sources::rust_files_under) {
        for (at, line) in source.lines.iter().enumerate() {
            for (text, instead) in CODE {
                let from = at.saturating_sub(6);
                let is_explained = text.starts_with("unsafe")
                    && source.lines[from..at].iter().any(|line| line.contains("SAFETY:"));
                if line.contains(text) && !is_explained {
                    findings.push(format!("{}:{}: {instead}", source.path, at + 1));
                }
            }
        }
    }
    assert_none(&findings, "banned code");
}

#[test]
fn names_say_what_a_thing_is() {
    let mut findings = Vec::new();
    for source in ["src", "tests", "benches"].into_iter().flat_map(sources::rust_files_under) {
        for name in NAMES.iter().filter(|name| source.path.contains(**name)) {
            findings.push(format!("{}:1: a file named `{name}`", source.path));
        }
        for (line, code) in source.code() {
            let mut words = code.split(|c: char| !c.is_alphanumeric() && c != '_');
            let declares = ["fn", "struct", "enum", "mod", "trait", "type"];
            while let Some(word) = words.next() {
                let Some(name) = declares.contains(&word).then(|| words.next()).flatten() else {
                    continue;
                };
                let name = name.to_lowercase();
                if let Some(banned) = NAMES.iter().find(|banned| name.contains(**banned)) {
                    findings.push(format!("{}:{line}: `{name}`: not `{banned}`", source.path));
                }
            }
        }
    }
    assert_none(&findings, "names that say nothing");
}

#[test]
fn no_path_of_one_machine_is_written_down() {
    let mut machine = vec![format!("{}/", sources::root().display())];
    machine.extend(std::env::var("HOME").ok().filter(|home| home.len() > 2).map(|h| h + "/"));
    let mut findings = Vec::new();
    for source in sources::text_files_under("") {
        for (at, line) in source.lines.iter().enumerate() {
            if machine.iter().any(|path| line.contains(path.as_str())) {
                findings.push(format!("{}:{}: a path of this machine", source.path, at + 1));
            }
        }
    }
    assert_none(&findings, "paths of one machine");
}
