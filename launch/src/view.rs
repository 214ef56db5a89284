//! The root file system of a container that does not run, to look into and to write to.

use std::os::fd::OwnedFd;

use crate::child::mount_root;
use crate::{Error, RootFs};

/// A mount of it that is nowhere: it is reached by this descriptor alone, and gone when that is closed. No two may be there
/// of one upper layer.
///
/// # Errors
/// [`Error::Step`].
pub fn view(root: RootFs<'_>) -> Result<OwnedFd, Error> {
    Ok(mount_root(root)?)
}
