//! Accelerators, their driver and CUDA, from what the drivers publish in files.
//!
//! Nvidia's driver publishes model and UUID of each in `/proc/driver/nvidia`, but no memory size;
//! that of AMD publishes memory in `/sys/class/drm`.

use std::path::Path;

use super::hardware::{field, list, read, text};
use crate::object::Gpu;

/// Most accelerators that are recorded.
const GPUS_MAX: usize = 64;
/// AMD's number among the vendors of PCI devices.
const AMD: &str = "0x1002";

/// Finds the accelerators and the version of their driver below `root`.
///
/// Shape: Nvidia's, or AMD's where there are none of Nvidia's; ascending by their place.
pub(super) fn find(root: &Path) -> (Vec<Gpu>, Option<String>) {
    let of_nvidia: Vec<Gpu> = list(&root.join("proc/driver/nvidia/gpus"))
        .iter()
        .filter_map(|folder| nvidia(&folder.join("information")))
        .take(GPUS_MAX)
        .collect();
    if !of_nvidia.is_empty() {
        let version = read(&root.join("proc/driver/nvidia/version"));
        return (of_nvidia, version.and_then(|content| nvidia_version(&content)));
    }
    let of_amd: Vec<Gpu> = list(&root.join("sys/class/drm"))
        .iter()
        .filter(|folder| is_card(folder))
        .filter_map(|folder| amd(&folder.join("device")))
        .take(GPUS_MAX)
        .collect();
    let driver = match of_amd.is_empty() {
        true => None,
        false => read(&root.join("sys/module/amdgpu/version")).and_then(|line| text(&line)),
    };
    (of_amd, driver)
}

/// Finds the version of CUDA that is installed where its installer puts it.
pub(super) fn cuda(root: &Path) -> Option<String> {
    let folder = root.join("usr/local/cuda");
    if let Some(content) = read(&folder.join("version.json")) {
        let document: serde_json::Value = serde_json::from_str(&content).ok()?;
        return text(document.get("cuda")?.get("version")?.as_str()?);
    }
    text(read(&folder.join("version.txt"))?.trim().strip_prefix("CUDA Version ")?)
}

fn nvidia(information: &Path) -> Option<Gpu> {
    let content = read(information)?;
    let uuid = field(&content, "GPU UUID").filter(|uuid| !uuid.contains('?'));
    Some(Gpu { name: field(&content, "Model")?, memory: None, uuid })
}

/// Finds the version in `NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat …`.
fn nvidia_version(content: &str) -> Option<String> {
    let line = content.lines().find(|line| line.starts_with("NVRM version:"))?;
    let is_version = |word: &&str| {
        word.contains('.') && word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
    };
    line.split_whitespace().find(is_version).and_then(text)
}

/// Tells `card0` from its connectors, `card0-HDMI-A-1`.
fn is_card(folder: &Path) -> bool {
    let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let number = name.strip_prefix("card").unwrap_or_default();
    !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}

fn amd(device: &Path) -> Option<Gpu> {
    let line = |name: &str| read(&device.join(name)).and_then(|line| text(&line));
    if line("vendor")? != AMD {
        return None;
    }
    let model = line("product_name").or_else(|| Some(format!("AMD device {}", line("device")?)))?;
    let memory = line("mem_info_vram_total").and_then(|bytes| bytes.parse().ok());
    Some(Gpu { name: model, memory, uuid: line("unique_id") })
}
