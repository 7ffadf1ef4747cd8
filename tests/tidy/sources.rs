//! The files of the project as the rules see them: lines, and where the tests in a file begin.

use std::fs;
use std::path::{Path, PathBuf};

/// Holds one text file.
pub struct Source {
    /// Path from the project's root, with `/`.
    pub path: String,
    /// Its lines, without line ends.
    pub lines: Vec<String>,
    /// Index of the first line of the tests inside the file; the number of lines if none.
    pub tests_at: usize,
}

impl Source {
    fn load(root: &Path, path: &Path) -> Option<Self> {
        let text = String::from_utf8(fs::read(path).ok()?).ok()?;
        let relative = path.strip_prefix(root).ok()?.to_str()?.to_owned();
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let is_tests = |at: &usize| {
            let next = lines.get(at + 1).map_or("", |line| line.trim());
            lines[*at] == "#[cfg(test)]" && next.starts_with("mod ") && next.ends_with('{')
        };
        let tests_at = (0..lines.len()).find(is_tests).unwrap_or(lines.len());
        let tests_at = if relative.ends_with("_tests.rs") { 0 } else { tests_at };
        Some(Self { path: relative, lines, tests_at })
    }

    /// Gives the lines outside of tests with comments blanked out, and their numbers from 1.
    pub fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        self.lines[..self.tests_at].iter().enumerate().map(|(at, line)| {
            let is_comment = line.trim_start().starts_with("//");
            let code = line.split(" // ").next().unwrap_or(line);
            (at + 1, if is_comment { "" } else { code })
        })
    }

    /// Gives the layer of a file under `src/`: its folder, or `None` for the files beside them.
    pub fn layer(&self) -> Option<&str> {
        let (layer, _) = self.path.strip_prefix("src/")?.split_once('/')?;
        Some(layer)
    }
}

/// Finds the project's root.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Loads every Rust file under a folder of the project, sorted by path.
pub fn rust_files_under(folder: &str) -> Vec<Source> {
    let mut files = text_files_under(folder);
    files.retain(|file| file.path.ends_with(".rs"));
    files
}

/// Loads every UTF-8 file under a folder of the project, sorted by path.
pub fn text_files_under(folder: &str) -> Vec<Source> {
    let mut paths = Vec::new();
    collect(&root().join(folder), &mut paths);
    paths.sort();
    paths.iter().filter_map(|path| Source::load(&root(), path)).collect()
}

fn collect(dir: &Path, paths: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(dir) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        let name = entry.file_name();
        let is_foreign = ["target", ".git", "Cargo.lock", "__pycache__", ".provenance"]
            .iter()
            .any(|foreign| name == *foreign);
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && !is_foreign => collect(&path, paths),
            Ok(kind) if kind.is_file() && !is_foreign => paths.push(path),
            _ => {}
        }
    }
}
