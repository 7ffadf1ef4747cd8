//! Keeping `.provenance/` out of a git checkout, through git's own local list of exclusions.

use std::fs::{self, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use super::locate::git_checkout;

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
    let mut content = Vec::new();
    match fs::File::open(&path) {
        Ok(mut file) => {
            file.read_to_end(&mut content)?;
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => fs::create_dir_all(&info)?,
        Err(error) => return Err(error),
    }
    if content.split(|byte| *byte == b'\n').any(|known| known == line) {
        return Ok(Some(path));
    }
    let mut added = Vec::new();
    if !content.is_empty() && !content.ends_with(b"\n") {
        added.push(b'\n');
    }
    added.extend_from_slice(&line);
    added.push(b'\n');
    let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
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
