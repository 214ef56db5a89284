//! Waits until the host is quiet, so that the leftover cost of one call is not billed to the next.
//!
//! A DEL goes on after it has returned: a child of it may wait for the kernel to let go of a link, and the
//! kernel itself frees firewall objects later, which makes the next closing of a netfilter socket wait.

use netlink_sys::{Socket, protocols::NETLINK_NETFILTER};
use nix::errno::Errno;
use nix::sys::prctl::set_child_subreaper;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use std::io;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Longer than a grace period of the kernel: what was put off until the readers have gone is done by then.
const GRACE: Duration = Duration::from_millis(20);

/// Nothing that a plugin leaves behind may live longer.
const PATIENCE: Duration = Duration::from_secs(5);

/// The host does not become quiet.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it all")]
pub enum Error {
    #[error("adopt the processes that plugins leave behind")]
    Adopt(#[source] Errno),
    #[error("wait for the processes that plugins leave behind")]
    Wait(#[source] Errno),
    #[error("wait for a process that a plugin has left behind, and which still runs after {PATIENCE:?}")]
    Straggler,
    #[error("let netfilter finish what it has put off")]
    Netfilter(#[source] io::Error),
}

/// Makes this process the one that orphans of its descendants are given to: [`settle`] waits for them.
///
/// # Errors
/// [`Error::Adopt`].
pub fn adopt_orphans() -> Result<(), Error> {
    set_child_subreaper(true).map_err(Error::Adopt)
}

/// Returns when nothing goes on any more. To be called when no child is running that somebody waits for.
///
/// # Errors
/// [`Error`].
pub fn settle() -> Result<(), Error> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Err(Errno::ECHILD) => break,
            Err(errno) => return Err(Error::Wait(errno)),
            Ok(WaitStatus::StillAlive) if Instant::now() > deadline => return Err(Error::Straggler),
            Ok(WaitStatus::StillAlive) => sleep(Duration::from_millis(1)),
            Ok(_) => {}
        }
    }
    // Closing such a socket waits for everything that is pending in this namespace.
    drop(Socket::new(NETLINK_NETFILTER).map_err(Error::Netfilter)?);
    sleep(GRACE);
    Ok(())
}
