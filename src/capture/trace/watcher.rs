//! Answers each call that stops, after it has noted which files the call means.

use std::collections::HashSet;
use std::fs::File;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::fs::FileExt as _;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::call::{Given, Intent, intent_of};
use super::listener::{Answer, Call, answer, is_waiting, receive};
use super::place::{self, LookKind, Place};
use super::seen::Table;

/// Most paths that are remembered as settled: files outside of the worktree, by what was typed.
const SETTLED_MAX: usize = 1 << 16;

/// How long the last process may take to be gone, nanoseconds: what still runs then goes on.
const LAST_NS: i64 = 20_000_000;

/// First bytes of a program that another one reads, execve(2), and how long its line may be.
const SCRIPT: &[u8] = b"#!";
const SCRIPT_LINE_BYTES_MAX: usize = 255;

/// What is counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub calls: u64,
    /// Calls that could not be followed.
    pub missed: u64,
    /// Files that the command sees under another root, or through other mounts.
    pub elsewhere: u64,
    /// Rings that were refused.
    pub rings: u64,
    /// How long calls were held, but for the way to us and back.
    pub held: Duration,
}

/// Watches until it is told to stop, or nothing is left to be watched.
pub(super) struct Watcher {
    pub listener: OwnedFd,
    /// Closed by the other side when it is time to stop.
    pub stop: UnixStream,
    /// Says which call is under way, for whoever takes over.
    pub latest: File,
    /// The thread of our own that starts the command; its calls do not count.
    pub starter: i32,
    pub table: Table,
    pub counts: Counts,
    pub settled: HashSet<(bool, Vec<u8>)>,
}

impl Watcher {
    /// Watches; gives back what was seen, and whether something is left to be watched.
    pub(super) fn watch(mut self) -> (Table, Counts, bool) {
        loop {
            match self.wait() {
                Wanted::Nothing => {}
                Wanted::Answer => self.serve(),
                Wanted::Stop { is_any_left } => return (self.table, self.counts, is_any_left),
            }
        }
    }

    fn wait(&self) -> Wanted {
        let mut polled =
            [PollFd::new(&self.listener, PollFlags::IN), PollFd::new(&self.stop, PollFlags::IN)];
        match poll(&mut polled, None) {
            Ok(_) => {}
            Err(Errno::INTR) => return Wanted::Nothing,
            Err(_) => return Wanted::Stop { is_any_left: true },
        }
        let [listener, stop] = polled.map(|polled| polled.revents());
        // Whoever waits is served before we stop.
        if listener.contains(PollFlags::IN) {
            Wanted::Answer
        } else if listener.intersects(PollFlags::HUP | PollFlags::ERR) {
            Wanted::Stop { is_any_left: false }
        } else if stop.is_empty() {
            Wanted::Nothing
        } else {
            self.wait_for_the_last()
        }
    }

    /// Waits a moment for processes that are about to be gone.
    fn wait_for_the_last(&self) -> Wanted {
        let mut polled = [PollFd::new(&self.listener, PollFlags::IN)];
        let timeout = Timespec { tv_sec: 0, tv_nsec: LAST_NS };
        match poll(&mut polled, Some(&timeout)) {
            Ok(1..) if polled.iter().all(|listener| listener.revents().contains(PollFlags::IN)) => {
                Wanted::Answer
            }
            Ok(1..) => Wanted::Stop { is_any_left: false },
            Err(Errno::INTR) => Wanted::Nothing,
            Ok(0) | Err(_) => Wanted::Stop { is_any_left: true },
        }
    }

    fn serve(&mut self) {
        // An error: whoever called is gone again.
        let Ok(call) = receive(self.listener.as_fd()) else { return };
        let _nobody_may_take_over = self.latest.write_at(&call.id.to_ne_bytes(), 0);
        let answered = match call.thread == self.starter {
            true => Answer::GoOn,
            false => self.note(&call),
        };
        let sent = answer(self.listener.as_fd(), call.id, answered);
        // Linux before 5.5 lets nothing go on; the first call of all finds out.
        if sent.is_err_and(|error| error.raw_os_error() == Some(libc::EINVAL)) {
            let _fails = answer(self.listener.as_fd(), call.id, Answer::NoSuchCall);
        }
    }

    /// Notes what a call means, and decides what becomes of it.
    fn note(&mut self, call: &Call) -> Answer {
        let begun = Instant::now();
        self.counts.calls += 1;
        let answer = match intent_of(call) {
            Ok(Intent::MakeRing) => {
                self.counts.rings += 1;
                Answer::NoSuchCall
            }
            // What was read may be of another who has the number of one who is gone.
            Ok(intent) if is_waiting(self.listener.as_fd(), call.id) => {
                self.follow(call.thread, intent);
                Answer::GoOn
            }
            Ok(_) => Answer::GoOn,
            Err(error) => {
                self.lose(error);
                Answer::GoOn
            }
        };
        self.counts.held += begun.elapsed();
        answer
    }

    fn follow(&mut self, thread: i32, intent: Intent) {
        match intent {
            Intent::Open(given, flags) => self.open(thread, &given, flags),
            Intent::Execute(given) => self.execute(thread, &given),
            Intent::Name(given) => {
                let place = place::named(thread, &given);
                self.write(place);
            }
            Intent::Truncate(given) => {
                let place = place::opened(thread, &given, false);
                self.write(place);
            }
            Intent::Rename { from, to, swaps } => {
                let from = place::named(thread, &from);
                let Some(from) = from.ok().filter(|from| from.look.is_some()) else { return };
                let to = place::named(thread, &to);
                self.write(to);
                if swaps {
                    self.write(Ok(from));
                }
            }
            Intent::OpenUnnamed => self.counts.missed += 1,
            Intent::MakeRing => {}
        }
    }

    fn open(&mut self, thread: i32, given: &Given, flags: u64) {
        let has = |flag: i32| flags & u64::from(flag.cast_unsigned()) != 0;
        // A file without a name gets one later, by a link.
        if has(libc::O_PATH) || has(libc::O_DIRECTORY) {
            return;
        }
        let access = i32::try_from(flags & 3).unwrap_or(0);
        let writes = access != libc::O_RDONLY || has(libc::O_TRUNC) || has(libc::O_CREAT);
        let key = (writes, given.path.clone());
        if self.settled.contains(&key) {
            return;
        }
        let place = match place::opened(thread, given, has(libc::O_CREAT)) {
            Ok(place) => place,
            Err(error) => return self.lose(error),
        };
        let is_same_for_all = given.path.first() == Some(&b'/')
            && !given.path.starts_with(b"/proc/")
            && !given.path.starts_with(b"/dev/");
        let is_settled = is_same_for_all
            && !place.is_elsewhere
            && place.look.is_some()
            && !self.table.is_inside(&place.path);
        if is_settled && self.settled.len() < SETTLED_MAX {
            self.settled.insert(key);
        }
        let reads = access != libc::O_WRONLY && !has(libc::O_TRUNC);
        if reads && place.look.is_some() {
            self.read(Ok(place.clone()));
        }
        if writes {
            self.write(Ok(place));
        }
    }

    /// Notes a program, and the one that reads it if it is a script.
    fn execute(&mut self, thread: i32, given: &Given) {
        let place = match given.path.is_empty() {
            true => place::held(thread, given.directory),
            false => place::opened(thread, given, false),
        };
        let script = place.as_ref().ok().and_then(interpreter);
        self.read(place);
        if let Some(path) = script {
            let given = Given { directory: given.directory, path };
            let place = place::opened(thread, &given, false);
            self.read(place);
        }
    }

    fn read(&mut self, place: Result<Place, Errno>) {
        match place {
            Ok(place) => {
                self.counts.elsewhere += u64::from(place.is_elsewhere);
                self.table.read(place);
            }
            Err(error) => self.lose(error),
        }
    }

    fn write(&mut self, place: Result<Place, Errno>) {
        match place {
            Ok(place) => {
                self.counts.elsewhere += u64::from(place.is_elsewhere);
                self.table.write(place);
            }
            Err(error) => self.lose(error),
        }
    }

    /// Counts a file that the command may get and we did not find.
    fn lose(&mut self, error: Errno) {
        let is_theirs = matches!(
            error,
            Errno::NOENT
                | Errno::NOTDIR
                | Errno::LOOP
                | Errno::INVAL
                | Errno::BADF
                | Errno::SRCH
                | Errno::ACCESS
                | Errno::FAULT
                | Errno::NAMETOOLONG
        );
        self.counts.missed += u64::from(!is_theirs);
    }
}

enum Wanted {
    Nothing,
    Answer,
    Stop { is_any_left: bool },
}

/// Gives the path of the program that reads a script; the kernel opens it, and no call says so.
fn interpreter(place: &Place) -> Option<Vec<u8>> {
    place.look.filter(|look| look.kind == LookKind::File && !place.is_elsewhere)?;
    let path: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(&place.path);
    let mut line = [0; SCRIPT_LINE_BYTES_MAX];
    let read = File::open(path).ok()?.read_at(&mut line, 0).ok()?;
    let line = line.get(..read)?.strip_prefix(SCRIPT)?;
    let line = line.split(|byte| *byte == b'\n').next()?.trim_ascii_start();
    let program = line.split(|byte| byte.is_ascii_whitespace()).next()?;
    (!program.is_empty()).then(|| program.to_vec())
}
