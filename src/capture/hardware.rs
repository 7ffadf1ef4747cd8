//! The machine: what the kernel says of it in a few small files, read without running anything.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::accelerator;
use super::account::{account, is_line};
use crate::listing;
use crate::object::System;

/// Most bytes that are read of one file; `/proc/cpuinfo` repeats itself for each processor.
const READ_BYTES_MAX: u64 = 4096;

/// Describes the machine, as far as it can be known in less than a millisecond.
///
/// Shape: what the kernel or the vendor does not publish is absent. In a container, processors
/// and memory are those of the machine around it.
pub fn system() -> System {
    let account = account();
    let machine = describe(Path::new("/"));
    System { host: account.host, user: account.user, kernel: kernel(), ..machine }
}

/// Describes the machine whose files lie below `root`.
fn describe(root: &Path) -> System {
    let (gpus, driver) = accelerator::find(root);
    System {
        os: os(root),
        cpu: cpu(root),
        cores: cores(root),
        memory: memory(root),
        cuda: accelerator::cuda(root),
        gpus: Some(gpus),
        driver,
        ..System::default()
    }
}

fn kernel() -> Option<String> {
    let name = rustix::system::uname();
    let (system, release) = (name.sysname().to_str().ok()?, name.release().to_str().ok()?);
    text(&format!("{system} {release}"))
}

/// Reads what os-release(5) says.
fn os(root: &Path) -> Option<String> {
    let files = ["etc/os-release", "usr/lib/os-release"];
    let content = files.iter().find_map(|file| read(&root.join(file)))?;
    let value = content.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
    text(value.trim().trim_matches(['"', '\'']))
}

/// Reads the model from the first processor; the word for it depends on the architecture.
fn cpu(root: &Path) -> Option<String> {
    let content = read(&root.join("proc/cpuinfo")).unwrap_or_default();
    let named = ["model name", "Model", "cpu model", "Hardware", "cpu"];
    let found = named.iter().find_map(|name| field(&content, name));
    // arm64 names no model there; the device tree of a board does.
    found.or_else(|| text(read(&root.join("proc/device-tree/model"))?.trim_end_matches('\0')))
}

/// Counts the processors in a list such as `0-3,8`.
fn cores(root: &Path) -> Option<u64> {
    let list = read(&root.join("sys/devices/system/cpu/online"))?;
    let mut count = 0_u64;
    for range in list.trim().split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
        count = count.checked_add(last.checked_sub(first)?.checked_add(1)?)?;
    }
    Some(count)
}

fn memory(root: &Path) -> Option<u64> {
    let content = read(&root.join("proc/meminfo"))?;
    let kibibytes = field(&content, "MemTotal")?;
    kibibytes.strip_suffix(" kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// Finds `name: value` among lines.
pub(super) fn field(content: &str, name: &str) -> Option<String> {
    let mut pairs = content.lines().filter_map(|line| line.split_once(':'));
    pairs.find(|(key, _)| key.trim() == name).and_then(|(_, value)| text(value))
}

/// Takes a text that may stand in a record.
pub(super) fn text(raw: &str) -> Option<String> {
    let trimmed = raw.trim();
    is_line(trimmed).then(|| trimmed.to_owned())
}

/// Reads the beginning of a small file, up to the last line that is whole.
pub(super) fn read(path: &Path) -> Option<String> {
    let mut bytes = Vec::with_capacity(2 * READ_BYTES_MAX as usize);
    File::open(path).ok()?.take(READ_BYTES_MAX).read_to_end(&mut bytes).ok()?;
    if bytes.len() as u64 == READ_BYTES_MAX {
        bytes.truncate(bytes.iter().rposition(|byte| *byte == b'\n')?);
    }
    String::from_utf8(bytes).ok()
}

/// Lists a small folder in the order of the names.
pub(super) fn list(folder: &Path) -> Vec<PathBuf> {
    let entries = listing::entries(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path).collect();
    paths.sort();
    paths
}

#[cfg(test)]
#[path = "hardware_tests.rs"]
mod tests;
