//! Keeping `.provenance/` out of a git checkout, through git's own local list of exclusions.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use super::locate::git_checkout;
use super::open::small_file;

/// A longer list is left alone, bytes.
const BYTES_MAX: u64 = 1 << 20;

/// The line that is added; it holds in every directory of the checkout.
const LINE: &str = "/.provenance/";

/// Adds the folder to `.git/info/exclude` of the checkout that `root` lies in.
///
/// Shape: the file, if there is a checkout and the line is in it now; `None` outside of git, or
/// in a linked worktree, whose list belongs to the main one. Nothing that stands in the file is
/// changed. Errors: what the system says; the repository is fine without.
pub fn exclude(root: &Path) -> io::Result<Option<PathBuf>> {
    let Some(checkout) = git_checkout(root) else { return Ok(None) };
    let info = checkout.join(".git").join("info");
    if !checkout.join(".git").is_dir() {
        return Ok(None);
    }
    let line = line_for(root, &checkout);
    let path = info.join("exclude");
    let content = match small_file(&path, BYTES_MAX) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fs::create_dir_all(&info)?;
            Vec::new()
        }
        content => content?,
    };
    if content.split(|byte| *byte == b'\n').any(|known| known == line) {
        return Ok(Some(path));
    }
    let mut added = Vec::new();
    if !content.is_empty() && !content.ends_with(b"\n") {
        added.push(b'\n');
    }
    added.extend_from_slice(&line);
    added.push(b'\n');
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    // A checkout from elsewhere could lead through a link to any file of this account.
    options.custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed());
    let mut file = options.open(&path)?;
    file.write_all(&added)?;
    // A list that is lost in a power cut would have git record the repository, one day later.
    file.sync_all()?;
    fs::File::open(&info)?.sync_all()?;
    Ok(Some(path))
}

/// The pattern of the folder in `root`, from the top of the checkout on.
fn line_for(root: &Path, checkout: &Path) -> Vec<u8> {
    use std::os::unix::ffi::OsStrExt as _;
    let below = root.strip_prefix(checkout).unwrap_or(Path::new(""));
    let mut line = Vec::new();
    for name in below {
        line.push(b'/');
        for byte in name.as_bytes() {
            // What git would take for a pattern stands for itself.
            if matches!(byte, b'*' | b'?' | b'[' | b']' | b'\\' | b'#' | b'!' | b' ') {
                line.push(b'\\');
            }
            line.push(*byte);
        }
    }
    line.extend_from_slice(LINE.as_bytes());
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn once_and_behind_what_is_there() {
        let folder = tempfile::tempdir().expect("a folder");
        let top = folder.path();
        fs::create_dir_all(top.join(".git/info")).expect("made");
        fs::create_dir_all(top.join("models [1]")).expect("made");
        let mut file = fs::File::create(top.join(".git/info/exclude")).expect("made");
        file.write_all(b"*.swp").expect("written");
        exclude(top).expect("excluded");
        exclude(top).expect("excluded");
        exclude(&top.join("models [1]")).expect("excluded");
        let text = fs::read_to_string(top.join(".git/info/exclude")).expect("text");
        assert_eq!(text, "*.swp\n/.provenance/\n/models\\ \\[1\\]/.provenance/\n");
    }

    #[test]
    fn outside_of_git_nothing_happens() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(exclude(folder.path()).expect("nothing").is_none());
    }
}
