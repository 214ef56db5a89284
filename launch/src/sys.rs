//! The system calls that no crate of ours wraps. Everything unsafe of this crate is here.
#![allow(unsafe_code)]

use std::ffi::CStr;
use std::io;
use std::mem;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use rustix::process::Pid;

/// Who returns from [`clone`].
pub(crate) enum Side {
    /// Whoever called it: the child's process id as the caller counts, and a descriptor of the process.
    Parent(Pid, OwnedFd),
    /// The child.
    Child,
}

/// clone3(2) with the meaning of fork(2): nothing of the caller's memory is shared.
///
/// `flags` are `CLONE_NEW*`; with `group`, the child is born in that group of the v2 hierarchy.
///
/// Only a process of one thread may call it: the child has no copy of the others, and would wait for their locks.
pub(crate) fn clone(flags: u64, group: Option<BorrowedFd<'_>>) -> io::Result<Side> {
    let mut pidfd: RawFd = -1;
    /// linux/sched.h; the C library's headers have no number of more than 32 bits.
    const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;
    let into_group = if group.is_some() { CLONE_INTO_CGROUP } else { 0 };
    let mut arguments = libc::clone_args {
        flags: flags | libc::CLONE_PIDFD as u64 | into_group,
        pidfd: &raw mut pidfd as u64,
        child_tid: 0,
        parent_tid: 0,
        exit_signal: libc::SIGCHLD as u64,
        stack: 0,
        stack_size: 0,
        tls: 0,
        set_tid: 0,
        set_tid_size: 0,
        cgroup: group.map_or(0, |group| group.as_raw_fd() as u64),
    };
    // SAFETY: the structure is as long as is said, `pidfd` lives until the call returns, and without CLONE_VM
    // the child goes on with a copy of this stack.
    let pid =
        unsafe { libc::syscall(libc::SYS_clone3, &raw mut arguments, mem::size_of::<libc::clone_args>()) };
    match pid {
        -1 => Err(io::Error::last_os_error()),
        0 => Ok(Side::Child),
        pid => {
            // SAFETY: the kernel has just opened it for us, and nobody else knows of it.
            let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd) };
            let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
            pid.map(|pid| Side::Parent(pid, pidfd)).ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))
        }
    }
}

/// mount_setattr(2) on the mount that `mount` is, and with `recursive` on all below it.
pub(crate) fn set_mount_attributes(
    mount: BorrowedFd<'_>,
    set: u64,
    clear: u64,
    propagation: u64,
    recursive: bool,
) -> io::Result<()> {
    let attributes = [set, clear, propagation, 0_u64];
    let flags = libc::AT_EMPTY_PATH | if recursive { libc::AT_RECURSIVE } else { 0 };
    // SAFETY: `struct mount_attr` (linux/mount.h) is these four numbers, and the empty path ends with a zero.
    let done = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.as_raw_fd(),
            c"".as_ptr(),
            flags,
            attributes.as_ptr(),
            mem::size_of_val(&attributes),
        )
    };
    checked(done)
}

/// Leaves the caller's session keyring for a new one (keyctl(2), `KEYCTL_JOIN_SESSION_KEYRING`).
pub(crate) fn join_new_keyring() -> io::Result<()> {
    const JOIN_SESSION_KEYRING: libc::c_long = 1;
    let nameless: *const libc::c_char = std::ptr::null();
    // SAFETY: without a name the kernel reads no memory of ours.
    checked(unsafe { libc::syscall(libc::SYS_keyctl, JOIN_SESSION_KEYRING, nameless) })
}

/// Puts a filter before every further system call of this thread and of all that come of it (seccomp(2)).
pub(crate) fn install_filter(program: &[seccomp::Instruction]) -> io::Result<()> {
    const SET_MODE_FILTER: libc::c_long = 1;
    #[repr(C)]
    struct Filter {
        length: u16,
        instructions: *const seccomp::Instruction,
    }
    let length = u16::try_from(program.len()).map_err(|_| io::Error::from_raw_os_error(libc::E2BIG))?;
    let filter = Filter { length, instructions: program.as_ptr() };
    // SAFETY: `struct sock_fprog` (linux/filter.h) is this, and the kernel copies the instructions before it returns.
    checked(unsafe { libc::syscall(libc::SYS_seccomp, SET_MODE_FILTER, 0, &raw const filter) })
}

/// unshare(2) of namespaces, which share no memory with other threads.
pub(crate) fn unshare(flags: libc::c_int) -> io::Result<()> {
    // SAFETY: a namespace is nothing that memory safety depends on, and the caller has one thread.
    checked(libc::c_long::from(unsafe { libc::unshare(flags) }))
}

/// execve(2); returns only why it could not be done.
pub(crate) fn execute(program: &CStr, arguments: &[&CStr], environment: &[&CStr]) -> io::Error {
    let ended = |words: &[&CStr]| {
        let pointers = words.iter().map(|word| word.as_ptr());
        pointers.chain([std::ptr::null()]).collect::<Vec<_>>()
    };
    let (arguments, environment) = (ended(arguments), ended(environment));
    // SAFETY: all are strings that end with a zero, and both lists end with a null pointer.
    unsafe { libc::execve(program.as_ptr(), arguments.as_ptr(), environment.as_ptr()) };
    io::Error::last_os_error()
}

/// fork(2) by the first process of a container, which has one thread.
pub(crate) fn fork() -> io::Result<Option<Pid>> {
    // SAFETY: the caller has one thread, so the child has all of it.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        pid => Ok(Pid::from_raw(pid)),
    }
}

/// Ends this process at once: no destructor of the parent's runs in the child.
pub(crate) fn exit(code: i32) -> ! {
    // SAFETY: ends the process.
    unsafe { libc::_exit(code) }
}

/// Gives every signal its usual effect and lets all through: what whoever started us had set is not the container's.
pub(crate) fn reset_signals() {
    for signal in 1..=64 {
        // SAFETY: the default action is no code of ours. Signals that have no other are refused, which is as well.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
    let _ = mask_signals(false);
}

/// A monitor is not the terminal's at which somebody started it.
pub(crate) fn ignore_terminal_signals() {
    for signal in [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGPIPE] {
        // SAFETY: ignoring a signal runs no code of ours.
        unsafe { libc::signal(signal, libc::SIG_IGN) };
    }
}

/// Holds back every signal, or none.
pub(crate) fn mask_signals(held: bool) -> io::Result<()> {
    // SAFETY: the set is filled before it is read.
    unsafe {
        let mut set: libc::sigset_t = mem::zeroed();
        if held {
            libc::sigfillset(&raw mut set);
        } else {
            libc::sigemptyset(&raw mut set);
        }
        checked(libc::c_long::from(libc::sigprocmask(
            libc::SIG_SETMASK,
            &raw const set,
            std::ptr::null_mut(),
        )))
    }
}

/// Waits for a signal that is held back: its number.
pub(crate) fn wait_for_signal() -> io::Result<i32> {
    // SAFETY: the set is filled before it is read, and nothing is written without an address.
    let signal = unsafe {
        let mut set: libc::sigset_t = mem::zeroed();
        libc::sigfillset(&raw mut set);
        libc::sigwaitinfo(&raw const set, std::ptr::null_mut())
    };
    if signal < 0 { Err(io::Error::last_os_error()) } else { Ok(signal) }
}

/// Sends a signal that may be one of the real-time ones, which crates do not name.
pub(crate) fn kill(pid: Pid, signal: i32) -> io::Result<()> {
    // SAFETY: no memory is involved.
    checked(libc::c_long::from(unsafe { libc::kill(pid.as_raw_nonzero().get(), signal) }))
}

/// pidfd_send_signal(2) with any signal.
pub(crate) fn kill_by_descriptor(process: BorrowedFd<'_>, signal: i32) -> io::Result<()> {
    let nothing: *const libc::siginfo_t = std::ptr::null();
    // SAFETY: without further information the kernel reads no memory of ours.
    checked(unsafe { libc::syscall(libc::SYS_pidfd_send_signal, process.as_raw_fd(), signal, nothing, 0) })
}

/// Sets a limit of the calling process: setrlimit(2) by number, as the kernel counts them.
pub(crate) fn set_limit(resource: u32, soft: u64, hard: u64) -> io::Result<()> {
    let limit = [soft, hard];
    let nothing: *mut u64 = std::ptr::null_mut();
    // SAFETY: `struct rlimit64` is these two numbers; nothing is written without an address.
    checked(unsafe { libc::syscall(libc::SYS_prlimit64, 0, resource, limit.as_ptr(), nothing) })
}

/// Files that were opened without care by whoever started us are not handed to the container's program.
pub(crate) fn close_others_on_execute() {
    const CLOSE_ON_EXECUTE: libc::c_uint = 4;
    // SAFETY: nothing is closed that this process still uses before it becomes another program.
    unsafe { libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, CLOSE_ON_EXECUTE) };
}

/// Closes everything but the standard streams.
///
/// Only for a process that never returns: descriptors that are owned elsewhere are gone afterwards.
pub(crate) fn close_all_but_streams() {
    // SAFETY: the caller never returns, so nobody uses or closes a descriptor that was owned.
    unsafe { libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, 0) };
}

fn checked(returned: libc::c_long) -> io::Result<()> {
    if returned < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
