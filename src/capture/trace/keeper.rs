//! Lets calls through when nobody watches any more: a process of its own, started with the trace.
//!
//! Without a listener the kernel fails the calls that stop, so a daemon that outlives its run, or
//! a command whose `provenance run` was killed, could open nothing. The keeper holds the listener
//! until the last process that stops is gone.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt as _;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

use super::listener::{Answer, answer, receive};

/// Numbers of calls that may have been taken and not answered: they follow one another.
const NUMBERS: u64 = 64;

/// Starts the keeper, which takes over when the socket that is given back is closed.
///
/// Shape: also gives the number of its process. It has the listener as its input, the socket as its
/// output, and as its errors the file that names the call under way. Its group is its own, so that
/// Ctrl-C does not reach it.
pub(super) fn start(
    keeper: &[std::ffi::OsString],
    listener: &OwnedFd,
    latest: &File,
) -> io::Result<(UnixStream, i32)> {
    let (ours, theirs) = UnixStream::pair()?;
    let program = keeper.first().ok_or(io::ErrorKind::NotFound)?;
    let mut command = Command::new(program);
    command.args(keeper.iter().skip(1)).process_group(0).current_dir("/");
    command.stdin(Stdio::from(listener.try_clone()?));
    command.stdout(Stdio::from(OwnedFd::from(theirs)));
    command.stderr(Stdio::from(OwnedFd::from(latest.try_clone()?)));
    // Whoever outlives whom is not known; it is left to the system to wait for it.
    let started = command.spawn()?;
    Ok((ours, i32::try_from(started.id()).map_err(io::Error::other)?))
}

/// Is the keeper, until no process is left that stops.
///
/// Errors: a descriptor is not what `start` gives.
pub fn keep_calls_going(
    listener: BorrowedFd<'_>,
    run: BorrowedFd<'_>,
    latest: BorrowedFd<'_>,
) -> io::Result<()> {
    loop {
        let mut polled = [
            PollFd::from_borrowed_fd(listener, PollFlags::empty()),
            PollFd::from_borrowed_fd(run, PollFlags::IN),
        ];
        wait(&mut polled)?;
        let [listener, run] = polled.map(|polled| polled.revents());
        if !listener.is_empty() {
            return Ok(());
        }
        if !run.is_empty() {
            break;
        }
    }
    let mut number = [0; 8];
    File::from(latest.try_clone_to_owned()?).read_exact_at(&mut number, 0)?;
    let number = u64::from_ne_bytes(number);
    for number in number..number.saturating_add(NUMBERS) {
        let _was_answered = answer(listener, number, Answer::GoOn);
    }
    loop {
        let mut polled = [PollFd::from_borrowed_fd(listener, PollFlags::IN)];
        wait(&mut polled)?;
        let [found] = polled.map(|polled| polled.revents());
        if found.contains(PollFlags::IN) {
            // An error: whoever called is gone again.
            let called = receive(listener.as_fd());
            let _gone_meanwhile = called.map(|call| answer(listener, call.id, Answer::GoOn));
        } else if !found.is_empty() {
            return Ok(());
        }
    }
}

fn wait(polled: &mut [PollFd<'_>]) -> io::Result<()> {
    match poll(polled, None) {
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
