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
    /// Shape: `None` where none is wanted (empty, or `cat`) or it does not start; then the caller
    /// writes to the terminal itself.
    pub fn start(configured: Option<&str>) -> Option<Self> {
        let command = choose(|name| std::env::var_os(name), configured)?;
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

#[cfg(test)]
mod tests {
    use super::*;

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
