//! A pager as git starts one: `PROVENANCE_PAGER`, `core.pager`, `PAGER`, else `less -FRX`.

use std::ffi::{OsStr, OsString};
use std::io::{self, BufWriter, Write};
use std::process::{Child, ChildStdin, Command, Stdio};

/// Runs a pager and takes what it shall show.
#[derive(Debug)]
pub struct Pager {
    child: Child,
    input: BufWriter<ChildStdin>,
}

impl Pager {
    /// Starts the pager of the environment or of `configured`.
    ///
    /// Shape: `None` where none is wanted (empty, or `cat`), or it is not installed, as `less` on a
    /// small system; then the caller writes to the terminal itself.
    pub fn start(configured: Option<&str>) -> Option<Self> {
        let command = choose(|name| std::env::var_os(name), configured)?;
        if !is_there(&command, std::env::var_os("PATH").as_deref()) {
            return None;
        }
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(command).stdin(Stdio::piped());
        for (name, value) in [("LESS", "FRX"), ("LV", "-c")] {
            if std::env::var_os(name).is_none() {
                shell.env(name, value);
            }
        }
        let mut child = shell.spawn().ok()?;
        let input = BufWriter::new(child.stdin.take()?);
        Some(Self { child, input })
    }

    /// Closes its input and waits until the reader has seen enough.
    ///
    /// Errors: of the last bytes handed over; a pager that was closed early is a broken pipe.
    pub fn finish(mut self) -> io::Result<()> {
        let handed_over = self.input.flush();
        drop(self.input);
        self.child.wait()?;
        handed_over
    }
}

impl Write for Pager {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.input.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.input.flush()
    }
}

fn choose(get: impl Fn(&str) -> Option<OsString>, configured: Option<&str>) -> Option<OsString> {
    let chosen = get("PROVENANCE_PAGER")
        .or_else(|| configured.map(OsString::from))
        .or_else(|| get("PAGER"))
        .unwrap_or_else(|| "less".into());
    (!chosen.is_empty() && chosen != OsStr::new("cat")).then_some(chosen)
}

/// Tells whether the shell will find the program, where that is plain to see from its first word.
fn is_there(command: &OsStr, path: Option<&OsStr>) -> bool {
    let Some(word) = command.to_str().and_then(|command| command.split_whitespace().next()) else {
        return true;
    };
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._+-".contains(c);
    if !word.chars().all(is_plain) {
        return true;
    }
    let Some(path) = path else { return false };
    std::env::split_paths(path).any(|folder| folder.join(word).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pager_that_is_not_installed_is_not_started() {
        let path = Some(OsStr::new("/nowhere:/bin"));
        assert!(is_there(OsStr::new("sh -c more"), path));
        assert!(!is_there(OsStr::new("less-that-nobody-has -R"), path));
        assert!(!is_there(OsStr::new("sh"), None));
        assert!(is_there(OsStr::new("LESS=R less"), path), "the shell knows better");
    }

    #[test]
    fn the_order_is_gits() {
        let of = |set: &'static [(&str, &str)], configured| {
            let get = move |name: &str| {
                set.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into())
            };
            choose(get, configured)
        };
        let all = &[("PROVENANCE_PAGER", "most"), ("PAGER", "more")];
        assert_eq!(of(all, Some("bat")), Some("most".into()));
        assert_eq!(of(&[("PAGER", "more")], Some("bat")), Some("bat".into()));
        assert_eq!(of(&[("PAGER", "more")], None), Some("more".into()));
        assert_eq!(of(&[], None), Some("less".into()));
        assert_eq!(of(&[("PAGER", "cat")], None), None);
        assert_eq!(of(&[("PROVENANCE_PAGER", "")], None), None);
    }
}
