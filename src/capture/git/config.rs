//! The configuration that git lists, and what of it must not be obeyed.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::capture::plain;

/// Most bytes of a `.git` that is a file.
const GIT_FILE_BYTES_MAX: u64 = 64 << 10;

/// Name, value, and whether the repository itself says so.
#[derive(Debug)]
struct Setting {
    is_local: bool,
    name: String,
    value: String,
}

/// Everything that applies in a checkout, in the order in which later settings win.
#[derive(Debug)]
pub(super) struct Config {
    settings: Vec<Setting>,
}

impl Config {
    /// Reads `scope NUL name LF value NUL …`.
    pub(super) fn parse(listed: &[u8]) -> Self {
        let mut parts = listed.split(|byte| *byte == 0);
        let mut settings = Vec::new();
        while let (Some(scope), Some(setting)) = (parts.next(), parts.next()) {
            let setting = String::from_utf8_lossy(setting);
            let (name, value) = setting.split_once('\n').unwrap_or((&setting, "true"));
            settings.push(Setting {
                is_local: matches!(scope, b"local" | b"worktree"),
                name: name.to_owned(),
                value: value.to_owned(),
            });
        }
        Self { settings }
    }

    fn find(&self, name: &str) -> Option<&str> {
        let found = self.settings.iter().rfind(|setting| setting.name == name);
        found.map(|setting| setting.value.as_str())
    }

    /// Finds the address of the remote that a branch belongs to, else of `origin`, else of any.
    pub(super) fn remote_of(&self, branch: Option<&str>) -> Option<&str> {
        let remote = branch.and_then(|branch| self.find(&format!("branch.{branch}.remote")));
        let url = |remote: &str| self.find(&format!("remote.{remote}.url"));
        remote.and_then(url).or_else(|| url("origin")).or_else(|| {
            let is_url = |name: &str| name.starts_with("remote.") && name.ends_with(".url");
            let any = self.settings.iter().find(|setting| is_url(&setting.name));
            any.map(|setting| setting.value.as_str())
        })
    }

    /// Gives the arguments that switch off what the repository would have git run: filters.
    ///
    /// Those of the account, such as `git lfs install` sets, go on working. Errors: the name of a
    /// filter that no argument can switch off, as it holds the `=` that ends names there.
    pub(super) fn disarming(&self) -> Result<Vec<String>, String> {
        let of_filter = |setting: &&Setting| {
            setting.is_local && setting.name.starts_with("filter.") && !is_lfs(setting)
        };
        let drivers: BTreeSet<&str> = self
            .settings
            .iter()
            .filter(of_filter)
            .filter_map(|setting| setting.name.rsplit_once('.').map(|(driver, _)| driver))
            .collect();
        let off = |driver: &str| {
            ["clean=", "smudge=", "process=", "required=false"]
                .map(|setting| ["-c".to_owned(), format!("{driver}.{setting}")])
        };
        match drivers.iter().find(|driver| driver.contains('=')) {
            Some(driver) => Err((*driver).to_owned()),
            None => Ok(drivers.into_iter().flat_map(off).flatten().collect()),
        }
    }

    /// Finds another directory that the repository says its files are in.
    pub(super) fn worktree_elsewhere(&self, root: &Path) -> Option<PathBuf> {
        let said = self.find("core.worktree")?;
        let git = root.join(".git");
        // A submodule's `.git` is a file that names the directory.
        let mut content = String::new();
        let read = plain::open(&git)
            .and_then(|file| file.take(GIT_FILE_BYTES_MAX).read_to_string(&mut content));
        let folder = match read {
            Ok(_) => root.join(content.trim().strip_prefix("gitdir: ")?),
            Err(_) => git,
        };
        let found = folder.join(said).canonicalize().ok();
        let here = root.canonicalize().ok();
        (found.is_none() || found != here).then(|| folder.join(said))
    }
}

/// Tells the settings that `git lfs install --local` writes, word for word.
fn is_lfs(setting: &Setting) -> bool {
    matches!(
        (setting.name.as_str(), setting.value.as_str()),
        ("filter.lfs.clean", "git-lfs clean -- %f")
            | ("filter.lfs.smudge", "git-lfs smudge -- %f")
            | ("filter.lfs.process", "git-lfs filter-process")
            | ("filter.lfs.required", "true")
    )
}
