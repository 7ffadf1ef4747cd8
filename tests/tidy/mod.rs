//! The rules of style as tests: each finding is one line, `path:line: what`, and all are shown.

mod layers;
mod pages;
mod sizes;
mod sources;
mod words;

use sources::Source;

/// Fails with every finding, one a line.
#[track_caller]
fn assert_none(findings: &[String], rule: &str) {
    let list = findings.join("\n  ");
    assert!(findings.is_empty(), "{rule}: {} found\n  {list}\n", findings.len());
}

#[test]
fn every_test_file_is_part_of_the_test_binary() {
    let tests = sources::rust_files_under("tests");
    let mut findings = Vec::new();
    for source in &tests {
        let stem = source.path.trim_end_matches(".rs").trim_end_matches("/mod");
        let Some((parent, name)) = stem.rsplit_once('/') else { continue };
        let is_root = parent == "tests" && name == "main";
        let heads = match parent {
            "tests" => vec!["tests/main.rs".to_owned()],
            _ => vec![format!("{parent}/mod.rs"), format!("{parent}.rs")],
        };
        let declares = |file: &Source| {
            let plain = [format!("mod {name};"), format!("mod {name} {{")];
            let by_path = format!("#[path = \"{name}.rs\"]");
            file.lines.iter().any(|line| {
                let line = line.trim().trim_start_matches("pub ");
                plain.iter().any(|known| line.starts_with(known.as_str())) || line == by_path
            })
        };
        let is_declared = tests.iter().filter(|file| heads.contains(&file.path)).any(declares)
            || tests.iter().any(|file| {
                file.path.starts_with(&format!("{parent}/"))
                    && file.lines.iter().any(|l| l.contains(&format!("\"{name}.rs\"")))
            });
        if !is_root && !is_declared {
            findings.push(format!("{}: no `mod {name};` leads here", source.path));
        }
    }
    assert_none(&findings, "forgotten test files");
}
