//! Signals that are meant for the command are passed on to it.

use std::io;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::process::{Pid, Signal, getpgrp, kill_process};
use rustix::termios::tcgetpgrp;
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH};
use signal_hook::{SigId, flag, low_level};

use super::output::Outputs;

/// Signals that are passed on; the first two only where no terminal sends them by itself.
const PASSED: &[(i32, Signal)] = &[
    (SIGINT, Signal::INT),
    (SIGQUIT, Signal::QUIT),
    (SIGTERM, Signal::TERM),
    (SIGHUP, Signal::HUP),
    (SIGUSR1, Signal::USR1),
    (SIGUSR2, Signal::USR2),
];

/// Catches signals from its making to its end.
#[derive(Debug)]
pub(super) struct Passing {
    woken: UnixStream,
    caught: Vec<(Signal, Arc<AtomicBool>)>,
    resized: Arc<AtomicBool>,
    registered: Vec<SigId>,
}

impl Passing {
    pub(super) fn catch() -> io::Result<Self> {
        let (woken, wakes) = UnixStream::pair()?;
        woken.set_nonblocking(true)?;
        wakes.set_nonblocking(true)?;
        let mut passing =
            Self { woken, caught: Vec::new(), resized: Arc::default(), registered: Vec::new() };
        for (number, signal) in PASSED {
            let caught = Arc::default();
            passing.watch(*number, &caught, &wakes)?;
            passing.caught.push((*signal, caught));
        }
        let resized = Arc::clone(&passing.resized);
        passing.watch(SIGWINCH, &resized, &wakes)?;
        Ok(passing)
    }

    fn watch(&mut self, number: i32, to: &Arc<AtomicBool>, wakes: &UnixStream) -> io::Result<()> {
        self.registered.push(flag::register(number, Arc::clone(to))?);
        self.registered.push(low_level::pipe::register(number, wakes.try_clone()?)?);
        Ok(())
    }

    /// Can be read once a signal has come.
    pub(super) fn woken(&self) -> BorrowedFd<'_> {
        self.woken.as_fd()
    }

    /// Passes on what has come, what asks for an end only with `passes_ends`; tells whether any
    /// did.
    pub(super) fn pass_on(&self, pid: Pid, outputs: &Outputs<'_>, passes_ends: bool) -> bool {
        let mut is_end = false;
        let mut bytes = [0; 64];
        while matches!(io::Read::read(&mut &self.woken, &mut bytes), Ok(1..)) {}
        if self.resized.swap(false, Ordering::Relaxed) {
            outputs.resize();
        }
        for (signal, caught) in &self.caught {
            if !caught.swap(false, Ordering::Relaxed) {
                continue;
            }
            let ends = [Signal::INT, Signal::TERM, Signal::HUP].contains(signal);
            is_end |= ends;
            if ends && !passes_ends {
                continue;
            }
            let is_of_keyboard = *signal == Signal::INT || *signal == Signal::QUIT;
            if is_of_keyboard && is_in_foreground() {
                continue;
            }
            // It may have ended a moment ago.
            let _gone = kill_process(pid, *signal);
        }
        is_end
    }
}

impl Drop for Passing {
    fn drop(&mut self) {
        for id in self.registered.drain(..) {
            low_level::unregister(id);
        }
    }
}

/// Tells whether Ctrl-C goes to all of our group, the command among them.
fn is_in_foreground() -> bool {
    // Input may come from elsewhere: the terminal that rules us has a name of its own.
    let terminal = std::fs::File::open("/dev/tty");
    terminal.is_ok_and(|terminal| tcgetpgrp(terminal).is_ok_and(|group| group == getpgrp()))
}
