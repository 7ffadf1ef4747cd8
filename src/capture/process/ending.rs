//! Ends a process with all that it started: everything is asked to end, and what has not ended
//! some seconds later is killed.
//!
//! A process is held by a descriptor (pidfd_open(2)), so that one that has ended is never mistaken
//! for another one that got its number.

use std::collections::BTreeSet;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{
    Pid, PidfdFlags, Signal, getpid, kill_process, pidfd_open, pidfd_send_signal,
    set_child_subreaper, test_kill_process,
};

use super::descendants;

/// How long what was asked to end may take for it.
const GRACE: Duration = Duration::from_secs(5);

/// How often it is looked for what those that end still start.
pub(in crate::capture) const TICK: Duration = Duration::from_millis(20);

/// How often what is killed is looked through for what it started a moment before.
const ROUNDS: usize = 10;

/// Has what a parent leaves behind come to us, where the system can.
pub(in crate::capture) fn adopt() {
    let _where_it_can = set_child_subreaper(Some(getpid()));
}

/// Processes that are to end.
#[derive(Debug)]
pub(in crate::capture) struct Ending {
    asked: Instant,
    /// Whose descendants are meant.
    root: Pid,
    /// Those that have not ended yet, as far as is known.
    left: Vec<Member>,
}

#[derive(Debug)]
struct Member {
    pid: Pid,
    /// None where the system has no descriptor for us: an old kernel, or too many files open.
    handle: Option<OwnedFd>,
}

impl Ending {
    /// Asks a process, which nobody has waited for yet, and all below it to end.
    pub(in crate::capture) fn of(root: Pid) -> Self {
        Self::begin(root, vec![Member::of(root)])
    }

    /// Asks everything that this process has started to end, whoever its parent was: for that,
    /// what parents leave behind has to come to us ([`adopt`]).
    pub(in crate::capture) fn of_all() -> Self {
        Self::begin(getpid(), Vec::new())
    }

    fn begin(root: Pid, left: Vec<Member>) -> Self {
        let mut ending = Self { asked: Instant::now(), root, left };
        ending.look();
        ending.left.iter().for_each(|member| member.send(Signal::TERM));
        ending
    }

    /// Goes on; tells whether all have ended or were killed.
    ///
    /// Shape: to be called again and again, a [`TICK`] apart, until it says so.
    pub(in crate::capture) fn is_over(&mut self) -> bool {
        let first_new = self.left.len();
        self.look();
        self.left.iter().skip(first_new).for_each(|member| member.send(Signal::TERM));
        self.left.retain(|member| !member.has_ended());
        if !self.left.is_empty() && self.asked.elapsed() >= GRACE {
            self.kill();
        }
        self.left.is_empty()
    }

    fn kill(&mut self) {
        for _ in 0..ROUNDS {
            self.left.iter().for_each(|member| member.send(Signal::KILL));
            let known = self.left.len();
            self.look();
            if self.left.len() == known {
                break;
            }
        }
        self.left.clear();
    }

    /// Adds what those that are left have started.
    fn look(&mut self) {
        let mut known: BTreeSet<i32> = self.left.iter().map(Member::number).collect();
        known.insert(number(getpid()));
        let mut new = self.listed();
        new.retain(|pid| known.insert(number(*pid)));
        // What has ended and was not waited for is still listed.
        let mut new: Vec<Member> = new.into_iter().map(Member::of).collect();
        new.retain(|member| !member.has_ended());
        if new.is_empty() {
            return;
        }
        // A number may have come to somebody else before we got hold of it: who is still listed
        // afterwards is meant.
        let again: BTreeSet<i32> = self.listed().into_iter().map(number).collect();
        new.retain(|member| again.contains(&member.number()));
        self.left.append(&mut new);
    }

    /// Lists those below the root and below all that are left: a parent that ended may have left
    /// them behind.
    fn listed(&self) -> Vec<Pid> {
        let is_ours = self.root == getpid() || self.left.iter().any(|left| left.pid == self.root);
        let mut pids = if is_ours { descendants(self.root) } else { Vec::new() };
        let alive = self.left.iter().filter(|member| !member.has_ended());
        pids.extend(alive.flat_map(|member| descendants(member.pid)));
        pids
    }
}

fn number(pid: Pid) -> i32 {
    pid.as_raw_nonzero().get()
}

impl Member {
    fn of(pid: Pid) -> Self {
        Self { pid, handle: pidfd_open(pid, PidfdFlags::empty()).ok() }
    }

    fn number(&self) -> i32 {
        number(self.pid)
    }

    /// Tells whether it has ended, waited for or not.
    fn has_ended(&self) -> bool {
        let Some(handle) = &self.handle else { return test_kill_process(self.pid).is_err() };
        let mut polled = [PollFd::new(handle, PollFlags::IN)];
        matches!(poll(&mut polled, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })), Ok(1..))
    }

    fn send(&self, signal: Signal) {
        // It may have ended a moment ago.
        let _gone = match &self.handle {
            Some(handle) => pidfd_send_signal(handle, signal),
            None => kill_process(self.pid, signal),
        };
    }
}
