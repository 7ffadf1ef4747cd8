//! Output of a command: passed through as it comes, and kept.
//!
//! What goes to a terminal of ours comes through a terminal of the command's own (pty(7)) that
//! changes nothing, so that programs draw their bars and colours as they would without us. Where
//! both outputs are one file, they stay one, so that their order is kept.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::fstat;
use rustix::io::Errno;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, isatty, tcgetattr, tcgetwinsize, tcsetattr, tcsetwinsize};

use super::Log;

/// Bytes that are read at a time.
const READ_BYTES: usize = 64 << 10;

/// Our end of one stream of the command.
#[derive(Debug)]
struct Stream<'a> {
    /// Where our stream leads.
    to: BorrowedFd<'a>,
    from: File,
    is_terminal: bool,
    /// Whether our reader is still there.
    is_wanted: bool,
}

/// Our ends of the command's output.
#[derive(Debug)]
pub(super) struct Outputs<'a> {
    streams: Vec<Stream<'a>>,
    buffer: Vec<u8>,
}

/// The command's ends.
pub(super) struct Wired {
    output: OwnedFd,
    error: OwnedFd,
}

impl Wired {
    pub(super) fn into_command(self, command: &mut Command) {
        command.stdout(Stdio::from(self.output)).stderr(Stdio::from(self.error));
    }
}

impl<'a> Outputs<'a> {
    /// Opens both streams, which lead to `output` and `error`.
    pub(super) fn open(output: BorrowedFd<'a>, error: BorrowedFd<'a>) -> io::Result<(Self, Wired)> {
        let is_one = is_one_file(output, error);
        let (first, output) = wire(output)?;
        let mut streams = vec![first];
        let error = if is_one {
            output.try_clone()?
        } else {
            let (second, error) = wire(error)?;
            streams.push(second);
            error
        };
        let buffer = vec![0; READ_BYTES];
        Ok((Self { streams, buffer }, Wired { output, error }))
    }

    /// Waits for output, an end, a signal, or the time, and passes through what has come.
    pub(super) fn wait(
        &mut self,
        log: &mut dyn Log,
        ended: Option<&OwnedFd>,
        woken: BorrowedFd<'_>,
        longest: Duration,
    ) -> io::Result<()> {
        let mut polled: Vec<PollFd<'_>> =
            self.streams.iter().map(|stream| PollFd::new(&stream.from, PollFlags::IN)).collect();
        let count = polled.len();
        polled.push(PollFd::from_borrowed_fd(woken, PollFlags::IN));
        polled.extend(ended.map(|ended| PollFd::new(ended, PollFlags::IN)));
        let timeout = Timespec::try_from(longest).unwrap_or(Timespec { tv_sec: 1, tv_nsec: 0 });
        match poll(&mut polled, Some(&timeout)) {
            Ok(_) => {}
            Err(Errno::INTR) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        let ready: Vec<bool> =
            polled.iter().take(count).map(|polled| !polled.revents().is_empty()).collect();
        drop(polled);
        self.pass_through(&ready, log);
        Ok(())
    }

    /// Passes through what is still to come; tells whether something still holds a stream open.
    pub(super) fn drain(&mut self, log: &mut dyn Log, longest: Duration) -> bool {
        let until = Instant::now() + longest;
        while !self.streams.is_empty() {
            let left = until.saturating_duration_since(Instant::now());
            let mut polled: Vec<PollFd<'_>> = self
                .streams
                .iter()
                .map(|stream| PollFd::new(&stream.from, PollFlags::IN))
                .collect();
            let timeout = Timespec::try_from(left).unwrap_or(Timespec { tv_sec: 0, tv_nsec: 0 });
            match poll(&mut polled, Some(&timeout)) {
                Ok(0) | Err(_) => return true,
                Ok(_) => {}
            }
            let ready: Vec<bool> =
                polled.iter().map(|polled| !polled.revents().is_empty()).collect();
            drop(polled);
            self.pass_through(&ready, log);
        }
        false
    }

    /// Gives the command's terminals the size of ours.
    pub(super) fn resize(&self) {
        for stream in self.streams.iter().filter(|stream| stream.is_terminal) {
            copy_size(stream.to, &stream.from);
        }
    }

    fn pass_through(&mut self, ready: &[bool], log: &mut dyn Log) {
        let buffer = &mut self.buffer;
        let mut ready = ready.iter();
        self.streams.retain_mut(|stream| match ready.next() {
            Some(true) => stream.pass_through(buffer, log),
            _ => true,
        });
    }
}

impl Stream<'_> {
    /// Passes on one piece; false once there is no more.
    fn pass_through(&mut self, buffer: &mut [u8], log: &mut dyn Log) -> bool {
        match self.from.read(buffer) {
            // A terminal whose other end is closed answers with an error instead of an end.
            Ok(0) => false,
            Ok(count) => {
                let bytes = buffer.get(..count).unwrap_or_default();
                log.keep(bytes);
                if self.is_wanted {
                    self.is_wanted = self.write(bytes).is_ok();
                }
                // Whoever listened has gone: the command is to see that, as it would without us.
                self.is_wanted
            }
            Err(error) => error.kind() == io::ErrorKind::Interrupted,
        }
    }

    fn write(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match rustix::io::write(self.to, bytes) {
                Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
                Err(Errno::INTR) => {}
                // Somebody made our stream one that does not wait: then we do.
                Err(Errno::AGAIN) => {
                    let mut polled = [PollFd::from_borrowed_fd(self.to, PollFlags::OUT)];
                    poll(&mut polled, None)?;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

/// Makes a pipe or a terminal, as our stream is one.
fn wire(to: BorrowedFd<'_>) -> io::Result<(Stream<'_>, OwnedFd)> {
    let is_terminal = isatty(to);
    let (from, theirs) = if is_terminal {
        terminal(to)?
    } else {
        let (from, theirs) = io::pipe()?;
        (File::from(OwnedFd::from(from)), OwnedFd::from(theirs))
    };
    Ok((Stream { to, from, is_terminal, is_wanted: true }, theirs))
}

fn terminal(ours: BorrowedFd<'_>) -> io::Result<(File, OwnedFd)> {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let from = openpt(flags)?;
    grantpt(&from)?;
    unlockpt(&from)?;
    let name = ptsname(&from, Vec::new())?;
    let open = rustix::fs::OFlags::RDWR | rustix::fs::OFlags::NOCTTY | rustix::fs::OFlags::CLOEXEC;
    let to = rustix::fs::open(name, open, rustix::fs::Mode::empty())?;
    let mut attributes = tcgetattr(&to)?;
    // Our terminal turns line ends into what it needs; this one must not do it before.
    attributes.make_raw();
    tcsetattr(&to, OptionalActions::Now, &attributes)?;
    let from = File::from(from);
    copy_size(ours, &from);
    Ok((from, to))
}

fn copy_size(ours: BorrowedFd<'_>, to: &File) {
    // A terminal without a size is one all the same.
    let _unsized = tcgetwinsize(ours).map(|size| tcsetwinsize(to, size));
}

/// Tells whether both outputs lead to one file, pipe or terminal.
fn is_one_file(output: BorrowedFd<'_>, error: BorrowedFd<'_>) -> bool {
    let (Ok(output), Ok(error)) = (fstat(output), fstat(error)) else { return false };
    (output.st_dev, output.st_ino, output.st_rdev) == (error.st_dev, error.st_ino, error.st_rdev)
}
