//! Commands that read everything take little memory, however much there is to read.

use std::fs;
use std::io::Read as _;
use std::process::{Command, Stdio};

use super::project::Project;
use crate::support::effort;

/// More than what any command may take at its peak.
const BYTES: usize = 320 << 20;
pub const PEAK_KIB_MAX: u64 = 256 << 10;

/// Runs the program under GNU time; gives its peak memory, mapped files counted.
pub fn peak_kib(project: &Project, words: &[&str]) -> u64 {
    let mut command = Command::new("/usr/bin/time");
    command.args(["-f", "%M", &effort::program()]).args(words);
    let output = command.current_dir(project.root()).env_clear().output().expect("time runs");
    let said = String::from_utf8(output.stderr).expect("a text");
    assert!(output.status.success(), "{words:?}: {said}");
    said.lines().last().expect("a figure").parse().expect("KiB")
}

#[expect(clippy::print_stdout, reason = "a test that could not run must say so")]
/// Tells whether the peak memory of a command can be known here, and says so if not.
pub fn has_time() -> bool {
    let mut time = Command::new("/usr/bin/time");
    time.args(["-f", "%M", "true"]).stderr(Stdio::null());
    let has_time = time.status().is_ok_and(|status| status.success());
    if !has_time {
        println!("SKIPPED: only GNU time tells the peak memory of a command");
    }
    has_time
}

#[test]
fn a_large_repository_is_restored_and_checked_in_little_memory() {
    if !has_time() {
        return;
    }
    let project = Project::new();
    let mut content = Vec::new();
    blake3::Hasher::new().finalize_xof().take(BYTES as u64).read_to_end(&mut content).unwrap();
    project.write(b"weights", &content);
    project.commit("large");
    fs::remove_file(project.path(b"weights")).expect("removed");
    let restored = peak_kib(&project, &["restore", "-q", "weights"]);
    assert!(restored < PEAK_KIB_MAX, "{restored} KiB");
    assert!(fs::read(project.path(b"weights")).expect("there") == content);
    let checked = peak_kib(&project, &["fsck", "--full", "-q"]);
    assert!(checked < PEAK_KIB_MAX, "{checked} KiB");
}
