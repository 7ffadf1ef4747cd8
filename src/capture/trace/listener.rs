//! The kernel's side of a trace, seccomp_unotify(2): the only unsafe code in it.
//!
//! A thread that installs a filter, and all that it starts from then on, stops at the calls that
//! the filter names, until whoever holds the listener has answered.

use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};

use libc::{c_int, c_ulong, seccomp_notif, seccomp_notif_resp, seccomp_notif_sizes, sock_filter};

/// `SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP`, Linux 6.6: whoever waits goes on at once where we ran.
const SYNC_WAKE_UP: c_ulong = 1;

/// A call that waits for its answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call {
    pub id: u64,
    /// The thread that makes it.
    pub thread: i32,
    /// `AUDIT_ARCH_…`: which table of calls the number is from.
    pub arch: u32,
    pub number: i32,
    pub args: [u64; 6],
}

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// It is made, as it would have been.
    GoOn,
    /// It fails as if the kernel did not have it.
    NoSuchCall,
}

/// Installs a filter for this thread and all that it starts, and gives its listener.
///
/// Shape: where that takes privileges that we do not have, the thread gives up for ever that
/// programs it starts gain any (prctl(2), `PR_SET_NO_NEW_PRIVS`). Errors: `EBUSY` where a listener
/// is there already; what else keeps the kernel from it.
pub(super) fn install(program: &[sock_filter]) -> io::Result<OwnedFd> {
    check_sizes()?;
    let killable = libc::SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
    let flags = libc::SECCOMP_FILTER_FLAG_NEW_LISTENER;
    let error = match set_filter(program, flags | killable) {
        Ok(listener) => return Ok(listener),
        Err(error) => error,
    };
    let flags = match error.raw_os_error() {
        // Before Linux 5.19.
        Some(libc::EINVAL) => flags,
        Some(libc::EACCES) => flags | killable,
        _ => return Err(error),
    };
    rustix::thread::set_no_new_privs(true)?;
    match set_filter(program, flags) {
        Err(error) if error.raw_os_error() == Some(libc::EINVAL) => {
            set_filter(program, libc::SECCOMP_FILTER_FLAG_NEW_LISTENER)
        }
        listener => listener,
    }
}

#[expect(unsafe_code, reason = "no crate wraps this call with a listener")]
fn set_filter(program: &[sock_filter], flags: c_ulong) -> io::Result<OwnedFd> {
    let len = u16::try_from(program.len()).map_err(io::Error::other)?;
    let program = libc::sock_fprog { len, filter: program.as_ptr().cast_mut() };
    // SAFETY: the kernel reads `len` instructions at `filter`, which the slice holds, and writes
    // nothing; it keeps a copy.
    let answer = unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            c_ulong::from(libc::SECCOMP_SET_MODE_FILTER),
            flags,
            &raw const program,
        )
    };
    let fd = c_int::try_from(answer).map_err(io::Error::other)?;
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just made this descriptor, and nobody else knows of it.
    let listener = unsafe { OwnedFd::from_raw_fd(fd) };
    // SAFETY: the third argument is a number, nothing is read or written.
    let _quicker_or_not = unsafe {
        libc::ioctl(listener.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_SET_FLAGS, SYNC_WAKE_UP)
    };
    Ok(listener)
}

/// Refuses a kernel whose messages are longer than those that we know.
#[expect(unsafe_code, reason = "no crate wraps this call")]
fn check_sizes() -> io::Result<()> {
    let mut sizes =
        seccomp_notif_sizes { seccomp_notif: 0, seccomp_notif_resp: 0, seccomp_data: 0 };
    // SAFETY: the kernel writes one such structure, and reads nothing.
    let answer = unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            c_ulong::from(libc::SECCOMP_GET_NOTIF_SIZES),
            0 as c_ulong,
            &raw mut sizes,
        )
    };
    if answer != 0 {
        return Err(io::Error::last_os_error());
    }
    let is_known = usize::from(sizes.seccomp_notif) == size_of::<seccomp_notif>()
        && usize::from(sizes.seccomp_notif_resp) == size_of::<seccomp_notif_resp>();
    is_known.then_some(()).ok_or_else(|| io::ErrorKind::Unsupported.into())
}

/// Takes the next call, after the listener said that there is one.
///
/// Errors: `ENOENT` where whoever made it is gone again.
#[expect(unsafe_code, reason = "no crate wraps this call")]
pub(super) fn receive(listener: BorrowedFd<'_>) -> io::Result<Call> {
    let data = libc::seccomp_data { nr: 0, arch: 0, instruction_pointer: 0, args: [0; 6] };
    let mut found = seccomp_notif { id: 0, pid: 0, flags: 0, data };
    // SAFETY: the kernel writes one such structure, whose size was compared, and wants it zeroed.
    let answer = unsafe {
        libc::ioctl(listener.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_RECV, &raw mut found)
    };
    if answer != 0 {
        return Err(io::Error::last_os_error());
    }
    let (arch, number, args) = (found.data.arch, found.data.nr, found.data.args);
    Ok(Call { id: found.id, thread: found.pid.cast_signed(), arch, number, args })
}

/// Answers a call; an error says that nobody waits for it any more.
#[expect(unsafe_code, reason = "no crate wraps this call")]
pub(super) fn answer(listener: BorrowedFd<'_>, id: u64, answer: Answer) -> io::Result<()> {
    let (error, flags) = match answer {
        Answer::GoOn => (0, u32::try_from(libc::SECCOMP_USER_NOTIF_FLAG_CONTINUE)),
        Answer::NoSuchCall => (-libc::ENOSYS, Ok(0)),
    };
    let flags = flags.map_err(io::Error::other)?;
    let mut answer = seccomp_notif_resp { id, val: 0, error, flags };
    // SAFETY: the kernel reads one such structure, whose size was compared.
    let sent = unsafe {
        libc::ioctl(listener.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_SEND, &raw mut answer)
    };
    if sent == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Tells whether whoever made a call still waits: then what was read of it was its own.
#[expect(unsafe_code, reason = "no crate wraps this call")]
pub(super) fn is_waiting(listener: BorrowedFd<'_>, mut id: u64) -> bool {
    // SAFETY: the kernel reads one number.
    let answer = unsafe {
        libc::ioctl(listener.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_ID_VALID, &raw mut id)
    };
    answer == 0
}
