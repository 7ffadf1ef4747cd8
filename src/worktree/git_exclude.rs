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
/// in a linked worktree, whose list belongs to the main one. No line that stands in the file
/// is changed. Errors: what the system says; the repository is fine without.
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
    // What a power cut made of an addition that was not synced yet: length without content.
    let torn = content.iter().rev().take_while(|byte| **byte == 0).count();
    let content = content.get(..content.len() - torn).unwrap_or_default();
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
    if torn > 0 {
        file.set_len(content.len() as u64)?;
    }
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

    /// ext4 keeps the new length of a file whose content was not synced yet: then there are zeros.
    #[test]
    fn what_a_power_cut_left_of_an_addition_is_taken_away() {
        for (left, after) in [
            (&b"*.swp\n\0\0\0\0"[..], &b"*.swp\n/.provenance/\n"[..]),
            (b"\0\0", b"/.provenance/\n"),
            (b"a\0b\n", b"a\0b\n/.provenance/\n"),
        ] {
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join(".git/info/exclude");
            fs::create_dir_all(folder.path().join(".git/info")).expect("made");
            fs::File::create(&path).expect("made").write_all(left).expect("written");
            exclude(folder.path()).expect("excluded");
            assert_eq!(fs::read(&path).expect("bytes"), after);
        }
    }

    #[test]
    fn outside_of_git_nothing_happens() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(exclude(folder.path()).expect("nothing").is_none());
    }
}
