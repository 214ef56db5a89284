//! Who may take a bridge away from under whom.
//!
//! The kernel removes a bridge with its ports as readily as one without. So an ADD holds the bridge's lock together
//! with all other ADDs from before it looks for the bridge until its own port keeps it; and whoever takes away what
//! belongs to the network as a whole (the bridge, its masquerade) does so only when no ADD holds it.
//!
//! Two who take away wait for each other: if each of two DELs saw the other's container and left, nobody would turn
//! off the light.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use vocab::InterfaceName;

use crate::error::StepFault;

/// A bridge's lock, held until this value is dropped.
pub(crate) struct Lock {
    _files: [Option<File>; 2],
}

/// Waits until nobody takes things away from the bridge, and keeps it so.
pub(crate) fn join(bridge: &InterfaceName) -> Result<Lock, StepFault> {
    let (file, path) = open(bridge.as_str())?;
    file.lock_shared().map_err(|source| StepFault::Lock { file: path, source })?;
    Ok(Lock { _files: [Some(file), None] })
}

/// The lock for taking things away, once nobody else takes away; `None` while an ADD is under way, which will need
/// them, and will take them away itself should it fail.
pub(crate) fn try_alone(bridge: &InterfaceName) -> Result<Option<Lock>, StepFault> {
    // No name of an interface has a colon.
    let (turn, path) = open(&format!("{bridge}:leaving"))?;
    turn.lock().map_err(|source| StepFault::Lock { file: path, source })?;
    let (file, path) = open(bridge.as_str())?;
    match file.try_lock() {
        Ok(()) => Ok(Some(Lock { _files: [Some(file), Some(turn)] })),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(source)) => Err(StepFault::Lock { file: path, source }),
    }
}

fn open(name: &str) -> Result<(File, PathBuf), StepFault> {
    let folder = cni::run_dir().join("bridge");
    let path = folder.join(name);
    let open = || OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path);
    let file = open().or_else(|error| match error.kind() {
        std::io::ErrorKind::NotFound => std::fs::create_dir_all(&folder).and_then(|()| open()),
        _ => Err(error),
    });
    match file {
        Ok(file) => Ok((file, path)),
        Err(source) => Err(StepFault::Lock { file: path, source }),
    }
}
