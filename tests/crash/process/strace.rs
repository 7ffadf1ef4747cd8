//! Runs a command under strace, which counts its system calls, and lets one of them kill or fail.
//!
//! strace counts per thread and call. The thread that runs a test is bound to one processor, so
//! that the program has one worker and every run makes its calls in the same order.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Output};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::thread::CpuSet;

use super::world::{World, program};

/// Calls that change a file, a name or what is durable.
pub const MUTATING: &[&str] = &[
    "write",
    "writev",
    "pwrite64",
    "pwritev2",
    "ftruncate",
    "fallocate",
    "fsync",
    "fdatasync",
    "syncfs",
    "sync_file_range",
    "link",
    "linkat",
    "symlink",
    "symlinkat",
    "rename",
    "renameat",
    "renameat2",
    "unlink",
    "unlinkat",
    "rmdir",
    "mkdir",
    "mkdirat",
    "chmod",
    "fchmod",
    "fchmodat",
    "utimensat",
    "flock",
    "openat",
    "openat2",
    "open",
    "creat",
];

/// Calls that only look, and may fail all the same.
pub const READING: &[&str] =
    &["read", "pread64", "getdents64", "statx", "newfstatat", "fstat", "close", "lseek"];

/// A word in the first call that the program makes for a command rather than to be started.
const MARK: &str = ".provenance";

/// What happens at a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The process is killed in place of the call.
    Kill,
    /// The call fails with this errno, once.
    Once(&'static str),
    /// The call fails with this errno from then on.
    Sticky(&'static str),
}

/// One call of a command.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Point {
    /// The name of the system call.
    pub call: String,
    /// Which of its thread, from 1.
    pub number: usize,
}

impl std::fmt::Display for Point {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.call, self.number)
    }
}

/// Tells whether strace is there and may trace; says so once if not.
pub fn is_there() -> bool {
    static THERE: OnceLock<bool> = OnceLock::new();
    *THERE.get_or_init(|| {
        let mut tried = Command::new("strace");
        tried.args(["-f", "-qq", "-o", "/dev/null", "-e", "inject=chdir:error=EIO:when=1", "true"]);
        let is_there = tried.output().is_ok_and(|output| output.status.success());
        if !is_there {
            super::skipped("strace is not there, or may not trace");
        }
        is_there
    })
}

/// Runs `work` on a thread that is bound to one processor, another one for each caller.
pub fn on_one_processor<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let bound = || {
        let all = rustix::thread::sched_getaffinity(None).expect("the processors");
        let allowed: Vec<_> = (0..CpuSet::MAX_CPU).filter(|cpu| all.is_set(*cpu)).collect();
        let mut one = CpuSet::new();
        one.set(allowed[NEXT.fetch_add(1, Ordering::Relaxed) % allowed.len()]);
        rustix::thread::sched_setaffinity(None, &one).expect("bound to a processor");
        work()
    };
    std::thread::scope(|scope| match scope.spawn(bound).join() {
        Ok(done) => done,
        Err(panic) => std::panic::resume_unwind(panic),
    })
}

/// Lists the calls among `calls` that a command makes in `world`, and how it ended.
///
/// Shape: of the calls that open files only those that may make one, unless `opens_all`.
pub fn points(
    world: &World,
    words: &[&str],
    calls: &[&str],
    opens_all: bool,
) -> (Vec<Point>, Output) {
    let log = world.folder().with_extension("strace");
    let set = format!("trace={}", known(calls));
    let path = log.to_str().expect("a path in UTF-8");
    let strace =
        ["strace", "-f", "-y", "-qq", "-e", "signal=none", "-o", path, "-e", &set, program()];
    let output = world.command(&[&strace, words].concat()).output().expect("strace starts");
    let traced = fs::read_to_string(&log).expect("what strace saw");
    fs::remove_file(&log).expect("removed");
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let (mut points, mut reached) = (BTreeSet::new(), BTreeSet::new());
    // What comes before is the loader's, and not ours to word.
    let mut is_ours = false;
    for line in traced.lines() {
        let Some((thread, rest)) = line.split_once(char::is_whitespace) else { continue };
        let Some((call, arguments)) = rest.trim_start().split_once('(') else { continue };
        if !calls.contains(&call) {
            continue;
        }
        let number = counts.entry((thread, call)).or_default();
        *number += 1;
        let makes = ["O_CREAT", "O_TMPFILE"].iter().any(|flag| arguments.contains(flag));
        is_ours |= arguments.contains(MARK);
        let is_wanted = makes || opens_all || !call.starts_with("open");
        // Of several threads that make so many calls, the first one meets the fault.
        let point = Point { call: call.to_owned(), number: *number };
        if reached.insert(point.clone()) && is_ours && is_wanted {
            points.insert(point);
        }
    }
    (points.into_iter().collect(), output)
}

/// Runs a command whose call at `point` meets the fault.
pub fn run(world: &World, words: &[&str], point: &Point, fault: Fault) -> Output {
    let Point { call, number } = point;
    let inject = match fault {
        Fault::Kill => format!("inject={call}:signal=KILL:when={number}"),
        Fault::Once(errno) => format!("inject={call}:error={errno}:when={number}"),
        Fault::Sticky(errno) => format!("inject={call}:error={errno}:when={number}+"),
    };
    let trace = format!("trace={call}");
    let strace = [
        "strace",
        "-f",
        "-qq",
        "-e",
        "signal=none",
        "-o",
        "/dev/null",
        "-e",
        &trace,
        "-e",
        &inject,
        program(),
    ];
    world.command(&[&strace, words].concat()).output().expect("strace starts")
}

/// Tells whether a command was killed.
pub fn was_killed(output: &Output) -> bool {
    output.status.signal() == Some(9)
}

/// Spells a set of calls; those that this processor does not have are passed over.
fn known(calls: &[&str]) -> String {
    calls.iter().map(|call| format!("?{call}")).collect::<Vec<_>>().join(",")
}
