//! Files out of git's store: one `git cat-file --batch` that is asked for one after the other.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use crate::capture::error::CaptureError;
use crate::capture::git;

/// A running `git cat-file`.
#[derive(Debug)]
pub(super) struct Objects {
    root: PathBuf,
    child: Child,
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
}

impl Objects {
    /// Starts it.
    pub fn start(root: &Path) -> Result<Self, CaptureError> {
        let mut command = git::prepared(root, &["cat-file", "--batch"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let refused = |reason: String| CaptureError::Git { root: root.to_owned(), reason };
        let mut child = command.spawn().map_err(|error| refused(error.to_string()))?;
        let (to, from) = (child.stdin.take(), child.stdout.take());
        let from = from.ok_or_else(|| refused("it has no output".to_owned()))?;
        Ok(Self { root: root.to_owned(), child, to, from: BufReader::new(from) })
    }

    /// Reads one object; none if it is longer than `bytes_max`.
    pub fn read(&mut self, id: &str, bytes_max: u64) -> Result<Option<Vec<u8>>, CaptureError> {
        self.ask(id, bytes_max).map_err(|error| {
            let reason = format!("the object {id} cannot be read: {error}");
            CaptureError::Git { root: self.root.clone(), reason }
        })
    }

    fn ask(&mut self, id: &str, bytes_max: u64) -> io::Result<Option<Vec<u8>>> {
        let to = self.to.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        to.write_all(format!("{id}\n").as_bytes())?;
        to.flush()?;
        let mut head = String::new();
        self.from.read_line(&mut head)?;
        let bytes: u64 = match head.trim_end().rsplit_once(' ') {
            Some((_, bytes)) if !head.contains(" missing") => bytes.parse().ok(),
            _ => None,
        }
        .ok_or_else(|| io::Error::other("git does not have it"))?;
        let mut content = Vec::new();
        let mut answer = self.from.by_ref().take(bytes);
        match bytes > bytes_max {
            true => drop(io::copy(&mut answer, &mut io::sink())?),
            false => drop(answer.read_to_end(&mut content)?),
        }
        let mut newline = [0];
        self.from.read_exact(&mut newline)?;
        Ok((bytes <= bytes_max).then_some(content))
    }
}

impl Drop for Objects {
    fn drop(&mut self) {
        // It ends when nobody can ask it any more.
        drop(self.to.take());
        let _reaped = self.child.wait();
    }
}
