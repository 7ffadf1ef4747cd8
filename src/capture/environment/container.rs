//! The container around a command, from the marks that its runtime leaves inside.

use std::path::Path;

use super::search::{self, Variables};
use crate::object::canonical::Object;

/// Variables that name the image, where whoever started the container set one.
const IMAGES: &[&str] = &[
    "APPTAINER_CONTAINER",
    "SINGULARITY_CONTAINER",
    "CONTAINER_IMAGE",
    "DOCKER_IMAGE",
    "SLURM_CONTAINER_IMAGE",
    "CI_JOB_IMAGE",
];

/// Finds runtime, id and image, each as far as it is known.
pub(super) fn find(system: &Path, variables: &Variables) -> Option<Object> {
    let read = |path: &str| search::read(&system.join(path));
    let podman = read("run/.containerenv");
    let cgroup = read("proc/self/cgroup").unwrap_or_default();
    let mounts = read("proc/self/mountinfo").unwrap_or_default();
    let is_apptainer = ["APPTAINER_CONTAINER", "SINGULARITY_CONTAINER"]
        .iter()
        .any(|name| variables.find(name).is_some());
    let runtime = if podman.is_some() {
        "podman"
    } else if is_apptainer {
        "apptainer"
    } else if system.join(".dockerenv").exists() || cgroup.contains("/docker") {
        "docker"
    } else if variables.find("KUBERNETES_SERVICE_HOST").is_some() || cgroup.contains("kubepods") {
        "kubernetes"
    } else {
        return None;
    };
    let said = |name: &str| podman.as_deref().and_then(|content| field(content, name));
    let id = said("id").or_else(|| id_in(&cgroup)).or_else(|| id_in_mounts(&mounts));
    let named = || IMAGES.iter().find_map(|name| variables.find(name)).map(str::to_owned);
    let mut object = Object::new();
    object.set("runtime", runtime);
    object.set_some("id", id.and_then(|id| super::line(&id)));
    object.set_some("image", said("image").or_else(named).and_then(|name| super::line(&name)));
    object.set_some("image_id", said("imageid").and_then(|id| super::line(&id)));
    Some(object)
}

/// Finds `name="value"` among lines.
fn field(content: &str, name: &str) -> Option<String> {
    let mut pairs = content.lines().filter_map(|line| line.split_once('='));
    let (_, value) = pairs.find(|(key, _)| *key == name)?;
    Some(value.trim_matches('"').to_owned()).filter(|value| !value.is_empty())
}

/// Finds 64 hexadecimal digits, as in `docker-<id>.scope` and `/kubepods/…/<id>`.
fn id_in(text: &str) -> Option<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    let is_id = |word: &&str| word.len() == 64 && word.bytes().all(|b| b.is_ascii_hexdigit());
    words.into_iter().find(is_id).map(str::to_owned)
}

/// Finds the id in `/var/lib/docker/containers/<id>/hostname`; other mounts hold other digests.
fn id_in_mounts(mounts: &str) -> Option<String> {
    let mut lines = mounts.lines().filter_map(|line| line.split_once("/containers/"));
    lines.find_map(|(_, rest)| id_in(rest.split(['/', ' ']).next()?))
}
