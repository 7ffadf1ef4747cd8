//! Starts a command so that it is watched from its first call, and ends the watching.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::fs::{MemfdFlags, fstat, memfd_create};
use rustix::thread::gettid;

use super::call::may_read;
use super::place::{self, LookKind};
use super::seen::Table;
use super::watcher::{Counts, Watcher};
use super::{Opened, filter, keeper, listener};
use crate::{listing, threads};

/// Calls with which the way to us and back is measured.
const PROBES: usize = 15;

/// Why nothing can be watched here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::capture) enum Refusal {
    Architecture,
    /// Another program watches already.
    Watched,
    /// The kernel does not have it, or a container forbids it.
    Kernel,
    /// Paths cannot be read where the processes have them.
    Memory,
}

impl Refusal {
    pub(in crate::capture) const fn words(self) -> &'static str {
        match self {
            Self::Architecture => "this program does not know the system calls of this processor",
            Self::Watched => {
                "something around it watches already, and the kernel lets only one: a \
                 `provenance run --trace`, or a container"
            }
            Self::Kernel => {
                "the kernel does not let calls be watched (seccomp user notification, Linux 5.5), \
                 or the container forbids it"
            }
            Self::Memory => {
                "the memory of other processes may not be read here, which paths stand in \
                 (kernel.yama.ptrace_scope above 1, or the container)"
            }
        }
    }
}

/// A trace under way.
#[derive(Debug)]
pub(in crate::capture) struct Trace {
    watcher: JoinHandle<(Table, Counts, bool)>,
    /// Closed: the watcher stops.
    stop: UnixStream,
    /// Closed: the keeper takes over.
    keeper: UnixStream,
    starter: Starter,
    /// The way to us and back, of one call.
    way: Duration,
}

/// The thread that started the command. It lives as long as the command: that may have asked for
/// a signal when its parent dies, and this is its parent.
#[derive(Debug)]
struct Starter {
    /// Closed: it ends.
    release: Sender<()>,
    thread: JoinHandle<()>,
}

/// What the thread that starts the command tells.
enum Told {
    Listener(OwnedFd, i32),
    Probed(io::Result<Duration>),
    Started(io::Result<Child>),
}

impl Trace {
    /// Starts `command`, watched.
    ///
    /// Shape: the inner error is that of the command. `root` is the worktree's; `output` and
    /// `error` are where our own output goes. Errors: nothing can be watched here; nothing is
    /// started then.
    pub(in crate::capture) fn start(
        command: Command,
        root: &Path,
        keeper: &[OsString],
        [output, error]: [BorrowedFd<'_>; 2],
    ) -> Result<(Self, io::Result<Child>), (Option<Refusal>, io::Error)> {
        if filter::TABLES.is_empty() {
            return Err((Some(Refusal::Architecture), io::ErrorKind::Unsupported.into()));
        }
        let (told, tells) = channel();
        let (release, goes_on) = channel();
        let thread = threads::start(move || start(command, &told, &goes_on));
        let thread = thread.map_err(|error| (None, error))?;
        let starter = Starter { release, thread };
        let (listener, number) = match next(&tells)? {
            Told::Listener(listener, number) => (listener, number),
            Told::Probed(Err(error)) => return Err((Some(refusal_of(&error)), error)),
            Told::Probed(Ok(_)) | Told::Started(_) => return Err(unexpected()),
        };
        let us = |error| (None, error);
        let latest = memfd_create("latest call", MemfdFlags::CLOEXEC).map_err(|e| us(e.into()))?;
        let latest = File::from(latest);
        let (keeper, process) = keeper::start(keeper, &listener, &latest).map_err(us)?;
        may_read(process).map_err(|error| (Some(Refusal::Memory), error.into()))?;
        let (stop, stops) = UnixStream::pair().map_err(us)?;
        let mut table = Table::new(place::canonical(root).map_err(us)?);
        note_inherited(&mut table, output, error);
        let (counts, settled) = (Counts::default(), HashSet::new());
        let watcher =
            Watcher { listener, stop: stops, latest, starter: number, table, counts, settled };
        let watcher = threads::start(move || watcher.watch()).map_err(us)?;
        let mut trace = Self { watcher, stop, keeper, starter, way: Duration::ZERO };
        trace.go_on();
        match next(&tells)? {
            Told::Probed(Ok(way)) => trace.way = way,
            // Before Linux 5.5 a call that has stopped cannot go on.
            Told::Probed(Err(error)) => return Err((Some(Refusal::Kernel), error)),
            Told::Listener(..) | Told::Started(_) => return Err(unexpected()),
        }
        trace.go_on();
        match next(&tells)? {
            Told::Started(child) => Ok((trace, child)),
            Told::Listener(..) | Told::Probed(_) => Err(unexpected()),
        }
    }

    /// Ends the watching, and tells what was seen.
    pub(in crate::capture) fn finish(self) -> Opened {
        let Self { watcher, stop, keeper, starter, way } = self;
        drop(starter.release);
        let _fell_over_or_not = starter.thread.join();
        drop(stop);
        // A watcher that fell over has seen nothing that could be believed.
        let Ok((table, counts, is_cut_off)) = watcher.join() else {
            return Opened { missed: u64::MAX, ..Opened::default() };
        };
        drop(keeper);
        let missed = counts.missed + table.left_out;
        let calls = u32::try_from(counts.calls).unwrap_or(u32::MAX);
        Opened {
            files: table.finish(),
            calls: counts.calls,
            cost: counts.held + way.saturating_mul(calls),
            missed,
            elsewhere: counts.elsewhere,
            rings: counts.rings,
            is_cut_off,
        }
    }

    fn go_on(&self) {
        let _it_fell_over = self.starter.release.send(());
    }
}

/// Installs the filter, tries it, starts the command and stays.
fn start(mut command: Command, told: &Sender<Told>, goes_on: &Receiver<()>) {
    let tell = |what| {
        let _nobody_listens = told.send(what);
        goes_on.recv().is_ok()
    };
    // The middle one of several: the first may find us not awake yet.
    let probe = || -> io::Result<Duration> {
        let once = |_| {
            let begun = Instant::now();
            File::open("/").map(|_| begun.elapsed())
        };
        let mut taken: Vec<Duration> = (0..PROBES).map(once).collect::<io::Result<_>>()?;
        taken.sort_unstable();
        Ok(taken.get(PROBES / 2).copied().unwrap_or_default())
    };
    let without = probe();
    match listener::install(&filter::program()) {
        Err(error) => {
            tell(Told::Probed(Err(error)));
            return;
        }
        Ok(listener) => {
            if !tell(Told::Listener(listener, gettid().as_raw_nonzero().get())) {
                return;
            }
        }
    }
    let way = without.and_then(|without| Ok(probe()?.saturating_sub(without)));
    if tell(Told::Probed(way)) {
        let started = command.spawn();
        // It holds the other ends of the outputs, whose end is waited for.
        drop(command);
        tell(Told::Started(started));
    }
}

fn next(tells: &Receiver<Told>) -> Result<Told, (Option<Refusal>, io::Error)> {
    tells.recv().map_err(|_| unexpected())
}

fn unexpected() -> (Option<Refusal>, io::Error) {
    (None, io::Error::other("the thread that starts the command fell over"))
}

fn refusal_of(error: &io::Error) -> Refusal {
    match error.raw_os_error() {
        Some(libc::EBUSY) => Refusal::Watched,
        _ => Refusal::Kernel,
    }
}

/// Notes files that were opened before: what the command gets as its input, and what its output
/// goes to through us.
fn note_inherited(table: &mut Table, output: BorrowedFd<'_>, error: BorrowedFd<'_>) {
    let ours = rustix::process::getpid().as_raw_nonzero().get();
    for (number, flags) in inherited() {
        let Ok(place) = place::held(ours, number) else { continue };
        let access = flags & libc::O_ACCMODE;
        if access != libc::O_WRONLY {
            table.read(place.clone());
        }
        if access != libc::O_RDONLY {
            table.write(place);
        }
    }
    let identity = |fd| fstat(fd).ok().map(|found| (found.st_dev, found.st_ino));
    // What we say ourselves goes to our errors: a file of both is not the command's.
    if identity(output) != identity(error)
        && let Ok(place) = place::held(ours, output.as_raw_fd())
        && place.look.is_some_and(|look| look.kind == LookKind::File)
    {
        table.write(place);
    }
}

/// Lists the descriptors that a command inherits, but its output and errors, with their flags.
fn inherited() -> Vec<(i32, i32)> {
    let Ok(entries) = listing::entries(Path::new("/proc/self/fdinfo")) else { return Vec::new() };
    let of_entry = |entry: listing::Entry| {
        let number: i32 = entry.name.to_str()?.parse().ok()?;
        let info = std::fs::read_to_string(&entry.path).ok()?;
        let flags = info.lines().find_map(|line| line.strip_prefix("flags:"))?;
        let flags = i32::from_str_radix(flags.trim(), 8).ok()?;
        let is_passed_on = number == 0 || number > 2 && flags & libc::O_CLOEXEC == 0;
        is_passed_on.then_some((number, flags))
    };
    entries.filter_map(Result::ok).filter_map(of_entry).collect()
}
