//! Who may take away what the containers of a bridge share, and from under whom.
//!
//! The kernel removes a bridge with its ports as readily as one without, and a rule whether or not somebody comes to
//! need it. So an ADD holds the bridge's lock together with all other ADDs ([`join`]) until others can see that it is
//! there; and whoever takes away what belongs to all of them does so only when no ADD holds it.
//!
//! Two who take away wait for each other ([`take`]): if each of two DELs saw the other's container and left, nobody
//! would turn off the light.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use cni::{Code, Fault};
use vocab::InterfaceName;

/// What is shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Matter {
    /// The bridge itself, and what its network has in the firewall.
    Bridge,
    /// What closes the bridge to others: `ingressPolicy`.
    Ingress,
}

/// The place of one that comes, kept until this value is dropped.
#[derive(Debug)]
#[must_use]
pub struct Joined {
    _file: File,
}

/// The turn of one that leaves, kept until this value is dropped.
#[derive(Debug)]
#[must_use]
pub struct Turn {
    _turn: File,
    alone: Option<File>,
}

/// A lock could not be had.
#[derive(Debug, thiserror::Error)]
#[error("lock {}", file.display())]
pub struct Error {
    /// The lock's file.
    pub file: PathBuf,
    /// Why not.
    pub source: std::io::Error,
}

impl Fault for Error {
    fn code(&self) -> Code {
        Code::IO
    }

    fn hint(&self) -> Option<String> {
        Some("NETCTL_RUN_DIR names a folder that can be written".to_owned())
    }
}

impl Turn {
    /// Whether nobody comes at this moment, nor will before the turn is over. Whoever is coming will need what is shared,
    /// and will take it away itself should it fail.
    #[must_use]
    pub fn is_alone(&self) -> bool {
        self.alone.is_some()
    }
}

/// Waits until nobody takes things away, and keeps it so.
///
/// # Errors
/// The lock's file cannot be made below `NETCTL_RUN_DIR`.
pub fn join(bridge: &InterfaceName, matter: Matter) -> Result<Joined, Error> {
    let (file, path) = open(&matter.name(bridge))?;
    file.lock_shared().map_err(|source| Error { file: path, source })?;
    Ok(Joined { _file: file })
}

/// Waits until nobody else takes things away.
///
/// # Errors
/// As with [`join`].
pub fn take(bridge: &InterfaceName, matter: Matter) -> Result<Turn, Error> {
    let name = matter.name(bridge);
    let (turn, path) = open(&format!("{name}:leaving"))?;
    turn.lock().map_err(|source| Error { file: path, source })?;
    let (file, path) = open(&name)?;
    match file.try_lock() {
        Ok(()) => Ok(Turn { _turn: turn, alone: Some(file) }),
        Err(TryLockError::WouldBlock) => Ok(Turn { _turn: turn, alone: None }),
        Err(TryLockError::Error(source)) => Err(Error { file: path, source }),
    }
}

/// The turn, if nobody comes at this moment.
///
/// # Errors
/// As with [`join`].
pub fn try_alone(bridge: &InterfaceName, matter: Matter) -> Result<Option<Turn>, Error> {
    Ok(Some(take(bridge, matter)?).filter(Turn::is_alone))
}

impl Matter {
    /// No name of an interface has a colon.
    fn name(self, bridge: &InterfaceName) -> String {
        match self {
            Self::Bridge => bridge.to_string(),
            Self::Ingress => format!("{bridge}:ingress"),
        }
    }
}

fn open(name: &str) -> Result<(File, PathBuf), Error> {
    let folder = cni::run_dir().join("bridge");
    let path = folder.join(name);
    let open = || OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path);
    let file = open().or_else(|error| match error.kind() {
        std::io::ErrorKind::NotFound => std::fs::create_dir_all(&folder).and_then(|()| open()),
        _ => Err(error),
    });
    match file {
        Ok(file) => Ok((file, path)),
        Err(source) => Err(Error { file: path, source }),
    }
}
