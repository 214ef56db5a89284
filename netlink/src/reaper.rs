//! A child that sits out what the kernel makes a caller wait for.
//!
//! The kernel takes a link out of its lists at once, and then, still inside the request, waits 20 to 30 ms for
//! other processors to let go of it (`netdev_run_todo`, `rcu_barrier`). Likewise, closing a netfilter socket waits
//! 10 ms while deletions are pending. Nobody but the caller of these is waiting for that; so a child makes the
//! request or holds the last descriptor, and the caller goes on when the kernel has told everybody that the link
//! is gone: from then on its name, its number and its MAC address are free.
//!
//! The child is made by `fork` and makes nothing but system calls (what `signal-safety(7)` allows), so that it
//! does not matter whether the caller has other threads.

#![allow(unsafe_code)]

use std::io::{PipeReader, Read, pipe};
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::libc;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork, read, setsid, write};
use vocab::InterfaceName;

use crate::attributes::u32_at;
use crate::removal::numbered;
use crate::watch::wait_readable;
use crate::{Error, Event, Group, Label, LinkName, Refused, RouteSocket, Watch, frame};

/// Far more than a removal takes until it is announced, even when many others want the kernel's one lock. Giving up
/// earlier would make an error of a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

/// How long the kernel may take for pending deletions: 10 to 30 ms are usual. Whatever it needs beyond that is waited for in
/// the closing.
const SETTLING: Duration = Duration::from_millis(100);

/// What becomes of the process that asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// It exits soon: the child is inherited, and buried, by init.
    Exits,
    /// It lives on. The child must not remain as a zombie; making it so costs a second `fork`, 0.1 ms.
    LivesOn,
}

/// Why a link could not be removed.
#[derive(Debug, thiserror::Error)]
pub enum ReaperError {
    /// The kernel refused, or could not be asked.
    #[error(transparent)]
    Netlink(#[from] Error),
    /// The child could not be prepared or heard.
    #[error("remove link {name}: {step}")]
    Child {
        /// The link.
        name: InterfaceName,
        /// What was tried.
        step: &'static str,
        /// Why it failed.
        source: std::io::Error,
    },
    /// The child ended without a word: somebody killed it.
    #[error("remove link {name}: the child that does it was killed")]
    Killed {
        /// The link.
        name: InterfaceName,
    },
    /// The link was still there after the limit. The child goes on trying.
    #[error("remove link {name}: it is still there after {limit:?}")]
    TimedOut {
        /// The link.
        name: InterfaceName,
        /// How long was waited.
        limit: Duration,
    },
}

/// Removes the link of that number from the calling thread's namespace and returns as soon as it is out of the
/// kernel's lists. A link that is gone already is fine.
///
/// `held` are descriptors whose closing makes the kernel wait, too: a netfilter socket with deletions pending.
/// The child holds them to its end. It has no other descriptor of the caller's, so that whoever waits for the end
/// of the caller's output does not wait for the child.
///
/// # Errors
/// [`ReaperError::Netlink`] with the kernel's refusal; the others when the child cannot do its work.
pub fn remove_link_detached(
    index: u32,
    name: &InterfaceName,
    held: Vec<OwnedFd>,
    caller: Caller,
) -> Result<(), ReaperError> {
    // It must listen before the child can begin.
    let mut watch = Watch::open(&[Group::Links])?;
    let socket = RouteSocket::open()?;
    let mut request = Vec::new();
    frame::append(&mut request, libc::RTM_DELLINK, REQUEST_AND_ACK, &numbered(index));
    let (report, reporter) = pipe().map_err(|source| ReaperError::Child {
        name: name.clone(),
        step: "open a pipe to the child",
        source,
    })?;
    let kept = Kept::new([socket.as_fd().as_raw_fd(), reporter.as_raw_fd()], &held);

    let child = detach(caller, || {
        kept.close_others();
        let errno = exchange(&socket, &request);
        let _ = write(&reporter, &errno.to_ne_bytes());
    });
    if child.is_err() {
        // No process to be had: then we wait ourselves.
        return Ok(RouteSocket::open()?.remove_links(&[index])?);
    }
    drop((socket, reporter, held));
    await_removal(&mut watch, report, index, name)
}

/// Lets a child hold `held` until the kernel has nothing to wait for when it closes them, and returns at once.
///
/// While the kernel waits in the closing of a netfilter socket, nobody else in the network namespace can change nftables
/// (`nft_rcv_nl_event` holds the commit mutex): the next plugin of the chain would wait in our stead. So the child closes
/// when the deletions are done, by all that is usual.
///
/// When no child can be made, the caller waits.
pub fn hold_until_closed(held: Vec<OwnedFd>, caller: Caller) {
    if held.is_empty() {
        return;
    }
    // The child must be the last to close: it waits until our end of the pipe is closed, after `held`.
    let Ok((gate, key)) = pipe() else { return };
    let kept = Kept::new([gate.as_raw_fd()], &held);
    let _ = detach(caller, || {
        kept.close_others();
        let _ = read(&gate, &mut [0; 1]);
        std::thread::sleep(SETTLING);
    });
    drop(held);
    drop(key);
}

const REQUEST_AND_ACK: u16 = netlink_packet_core::NLM_F_REQUEST | netlink_packet_core::NLM_F_ACK;

fn await_removal(
    watch: &mut Watch,
    mut report: PipeReader,
    index: u32,
    name: &InterfaceName,
) -> Result<(), ReaperError> {
    let label = Label::new("remove link", name);
    let failed = |step| move |source| ReaperError::Child { name: name.clone(), step, source };
    let deadline = Instant::now() + LIMIT;
    loop {
        while let Some(events) = watch.receive(&label)? {
            for event in events {
                match event {
                    Event::LinkGone(gone) if gone == index => return Ok(()),
                    Event::Lost if is_gone(index)? => return Ok(()),
                    _ => {}
                }
            }
        }
        if !wait_readable(&[watch.as_fd(), report.as_fd()], deadline)
            .map_err(failed("wait for the kernel"))?
        {
            return Err(ReaperError::TimedOut { name: name.clone(), limit: LIMIT });
        }
        if wait_readable(&[report.as_fd()], Instant::now()).map_err(failed("wait for the child"))? {
            let mut errno = [0; 4];
            return match report.read(&mut errno).map_err(failed("hear the child"))? {
                4 => verdict(Errno::from_raw(i32::from_ne_bytes(errno)), label),
                _ => Err(ReaperError::Killed { name: name.clone() }),
            };
        }
    }
}

fn is_gone(index: u32) -> Result<bool, Error> {
    Ok(RouteSocket::open()?.find_link(LinkName::Index(index))?.is_none())
}

fn verdict(errno: Errno, label: Label) -> Result<(), ReaperError> {
    let refused = Refused { label, errno, explanation: None };
    if errno as i32 == 0 || refused.is_missing() { Ok(()) } else { Err(Error::from(refused).into()) }
}

/// In the child: sends the request, waits for its end. 0 is success.
fn exchange(socket: &RouteSocket, request: &[u8]) -> i32 {
    let errno = || Errno::last_raw();
    if socket.raw().send(request, 0).is_err() {
        return errno();
    }
    let mut answer = [0; 1024];
    let mut space = answer.as_mut_slice();
    loop {
        match socket.raw().recv(&mut space, 0) {
            Ok(_) => break,
            Err(_) if errno() == libc::EINTR => {}
            Err(_) => return errno(),
        }
    }
    u32_at(&answer, frame::HEADER).map_or(libc::EBADMSG, |code| code.cast_signed().saturating_neg())
}

/// The descriptors that a child keeps.
struct Kept(Vec<RawFd>);

impl Kept {
    fn new<const N: usize>(own: [RawFd; N], held: &[OwnedFd]) -> Self {
        let mut kept = own.to_vec();
        kept.extend(held.iter().map(AsRawFd::as_raw_fd));
        kept.sort_unstable();
        Self(kept)
    }

    /// In the child: closes all the others, the standard ones among them. The child opens none, so that no
    /// descriptor can come to stand where one of those was.
    fn close_others(&self) {
        let mut first = 0;
        for kept in &self.0 {
            close_range(first, kept - 1);
            first = kept + 1;
        }
        close_range(first, RawFd::MAX);
    }
}

fn close_range(first: RawFd, last: RawFd) {
    if first > last {
        return;
    }
    // SAFETY: in the child, to which this function is private, nothing uses these descriptors any more.
    let closed = unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) };
    if closed != 0 {
        // A kernel before 5.9: one by one, as far as a process usually gets.
        for descriptor in first..=last.min(1024) {
            // SAFETY: as above.
            unsafe { libc::close(descriptor) };
        }
    }
}

/// Makes a child, in a session of its own, that does `work` and ends. `work` must make system calls only: it may
/// neither allocate nor take a lock, for another thread may have held that lock when the child was made.
fn detach(caller: Caller, work: impl FnOnce()) -> Result<(), Errno> {
    // SAFETY: the child runs `run_child` only, which keeps to what `signal-safety(7)` allows.
    match unsafe { fork() }? {
        ForkResult::Child => run_child(caller, work),
        ForkResult::Parent { child } if caller == Caller::LivesOn => loop {
            match waitpid(child, None) {
                Err(Errno::EINTR) => {}
                Ok(WaitStatus::Exited(_, NO_WORKER)) => return Err(Errno::EAGAIN),
                // Whoever has the children of this process buried for it has buried this one, too.
                _ => return Ok(()),
            }
        },
        ForkResult::Parent { .. } => Ok(()),
    }
}

/// The exit code of a child that could not have one of its own.
const NO_WORKER: i32 = 1;

fn run_child(caller: Caller, work: impl FnOnce()) -> ! {
    // Whoever signals the caller's process group or terminal does not mean the child.
    let _ = setsid();
    let code = match caller {
        Caller::Exits => {
            work();
            0
        }
        // The parent of the worker ends at once, and init inherits the worker. Without a second process nobody works: the
        // caller waits for this one, and the work may be to wait for the caller.
        // SAFETY: as with the first.
        Caller::LivesOn => match unsafe { fork() } {
            Ok(ForkResult::Child) => {
                work();
                0
            }
            Ok(ForkResult::Parent { .. }) => 0,
            Err(_) => NO_WORKER,
        },
    };
    // SAFETY: `_exit` runs none of the caller's exit handlers and flushes none of its buffers.
    unsafe { libc::_exit(code) }
}
