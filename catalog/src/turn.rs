//! Whose turn it is with a container: its networks come and go one at a time.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;

use netns::Netns;

/// The right to change what a container is connected to, until this value goes or the process does.
///
/// Two who join one container at once must not choose the same name for its interface, and who joins beside one who leaves
/// would lose to him what he has just been given. The lock is on the namespace itself: it leaves no file, and every program
/// that opens the same namespace finds it.
#[derive(Debug)]
pub(crate) struct Turn(File);

impl Turn {
    /// Waits for the turn.
    ///
    /// # Errors
    /// What the kernel says.
    pub(crate) fn wait(netns: &Netns) -> io::Result<Self> {
        let file = File::from(netns.as_fd().try_clone_to_owned()?);
        file.lock().map(|()| Self(file))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        // A child that a plugin left to wait for the kernel has this descriptor, too: closing ours would leave the lock
        // with it. There is nobody to tell should it fail, and the child ends soon.
        let _ = self.0.unlock();
    }
}
