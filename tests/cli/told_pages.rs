//! Pages that are what the program answers: every command on them is run, in order.
//!
//! `TRYCMD=overwrite` writes the page anew. What differs from machine to machine is made equal
//! before both are compared: ids keep only their identity, since a commit names its machine.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use regex::Regex;

/// 2026-11-23 09:00 UTC; each command is five minutes after the one before.
const MORNING_MS: u64 = 1_795_424_400_000;
const PAUSE_MS: u64 = 300_000;

/// Replaces what is not the same everywhere.
struct Normal {
    ids: Regex,
    machine: Regex,
    sizes: Regex,
    numbers: Regex,
    blanks: Regex,
    resources: Regex,
    roots: Regex,
    seconds: Regex,
    fresh: Regex,
}

impl Normal {
    fn new() -> Self {
        let regex = |pattern| Regex::new(pattern).expect("a good pattern");
        Self {
            ids: regex(r"\b([0-9a-f]{12})([0-9a-f]{52})?\b"),
            machine: regex(r"(?m)^Machine: .*$"),
            sizes: regex(r"[0-9][0-9.]* (B|[KMG]iB)"),
            numbers: regex(r"[0-9]+"),
            blanks: regex(" +"),
            resources: regex(r"[0-9]+\.[0-9] s, [0-9.]+ [KMG]iB"),
            roots: regex(r"root [0-9a-f]{64}"),
            seconds: regex(r"\([0-9.]+ s\)"),
            fresh: regex(r"/tmp/provenance-\w+"),
        }
    }

    /// Gives the page of a machine that does not matter.
    fn page(&self, page: &str) -> String {
        let mut order = HashMap::new();
        let mut is_about_storage = false;
        let lines = page.lines().map(|line| {
            if let Some(command) = line.strip_prefix("$ provenance ") {
                let word = command.split(' ').next().unwrap_or_default();
                is_about_storage = matches!(word, "du" | "fsck" | "gc");
            }
            let line = self.machine.replace(line, "Machine: any");
            let line = self.resources.replace(&line, "TIME, SIZE");
            let line = self.roots.replace(&line, "root ROOT");
            let line = self.seconds.replace(&line, "(TIME)");
            let line = self.fresh.replace(&line, "/tmp/FRESH");
            let line = self.ids.replace_all(&line, |found: &regex::Captures<'_>| {
                let next = order.len();
                format!("<{}>", *order.entry(found[1].to_owned()).or_insert(next))
            });
            if is_about_storage && !line.starts_with('$') {
                // How much room things take, and in how many packs, is not what the page promises.
                let line = self.sizes.replace_all(&line, "SIZE");
                let line = self.numbers.replace_all(&line, "N");
                return self.blanks.replace_all(&line, " ").into_owned();
            }
            match line.contains(" stored)") {
                true => self.sizes.replace_all(&line, "SIZE").into_owned(),
                false => line.into_owned(),
            }
        });
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// A home, a project in it, and the commands of the page one after the other.
struct Day {
    home: tempfile::TempDir,
    now_ms: u64,
}

impl Day {
    fn new() -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let project = home.path().join("penguins");
        let copied = Command::new("cp").arg("-r").arg(source()).arg(project).status();
        assert!(copied.expect("cp runs").success());
        let rows = source().with_file_name("mislabelled.py");
        fs::copy(rows, home.path().join("mislabelled.py")).expect("copied");
        Self { home, now_ms: MORNING_MS }
    }

    /// Runs a line of shell; gives both of its streams.
    fn run(&mut self, line: &str) -> String {
        let program = Path::new(env!("CARGO_BIN_EXE_provenance"));
        let programs = program.parent().expect("a folder").display().to_string();
        let path = std::env::var("PATH").unwrap_or_default();
        let output = Command::new("bash")
            .args(["-c", &format!("exec 2>&1; {line}")])
            .current_dir(self.home.path().join("penguins"))
            .env_clear()
            .env("PATH", format!("{programs}:{path}"))
            .env("HOME", self.home.path())
            .env("USER", "ada")
            .env("TZ", "UTC")
            .env("LC_ALL", "C.UTF-8")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("PROVENANCE_CLOCK", self.now_ms.to_string())
            .output()
            .expect("bash runs");
        self.now_ms += PAUSE_MS;
        let home = self.home.path().display().to_string();
        String::from_utf8(output.stdout).expect("a text").replace(&home, "/home/ada")
    }

    /// Gives the page with the answers of this program.
    fn page(&mut self, page: &str) -> String {
        let mut fresh = String::new();
        let mut is_console = false;
        for line in page.lines() {
            if line.starts_with("```") {
                is_console = line == "```console";
            } else if let Some(command) = line.strip_prefix("$ ").filter(|_| is_console) {
                fresh.push_str(&format!("{line}\n{}", self.run(command)));
                continue;
            } else if is_console {
                continue;
            }
            fresh.push_str(&format!("{line}\n"));
        }
        fresh
    }
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/demo/project")
}

#[test]
fn the_first_day_is_as_its_page_tells() {
    check("docs/first-day.md");
}

#[test]
fn the_regression_is_found_as_its_page_tells() {
    check("docs/tutorial.md");
}

#[expect(clippy::print_stderr, reason = "a test that could not run must say so")]
fn check(path: &str) {
    // The training script reads TOML with Python's own library, which is there from 3.11 on.
    let python = Command::new("python3").args(["-c", "import tomllib"]).output();
    if !python.is_ok_and(|output| output.status.success()) {
        eprintln!("not run, because there is no python3 of 3.11 or later");
        return;
    }
    let page = fs::read_to_string(path).expect("the page is there");
    let fresh = Day::new().page(&page);
    if std::env::var_os("TRYCMD").is_some_and(|word| word == "overwrite") {
        let mut file = fs::File::create(path).expect("opened");
        std::io::Write::write_all(&mut file, fresh.as_bytes()).expect("written");
        return;
    }
    let normal = Normal::new();
    let (told, said) = (normal.page(&page), normal.page(&fresh));
    for (number, (told, said)) in told.lines().zip(said.lines()).enumerate() {
        assert_eq!(told, said, "line {} of {path}; TRYCMD=overwrite writes it anew", number + 1);
    }
    assert_eq!(told.lines().count(), said.lines().count(), "{path} ends elsewhere");
}
