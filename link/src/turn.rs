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
use std::path::{Path, PathBuf};

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
    // Let go before the turn is: who has the next turn must not take this one's hold for that of somebody who comes.
    alone: Option<File>,
    _turn: File,
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
    join_at(&folder(), &matter.name(bridge))
}

/// Waits until nobody else takes things away.
///
/// # Errors
/// As with [`join`].
pub fn take(bridge: &InterfaceName, matter: Matter) -> Result<Turn, Error> {
    take_at(&folder(), &matter.name(bridge))
}

/// The turn, if nobody comes at this moment.
///
/// # Errors
/// As with [`join`].
pub fn try_alone(bridge: &InterfaceName, matter: Matter) -> Result<Option<Turn>, Error> {
    Ok(Some(take(bridge, matter)?).filter(Turn::is_alone))
}

/// Waits until nobody comes and nobody else takes things away, and keeps it so: for what must not meet an ADD at all.
///
/// # Errors
/// As with [`join`].
pub fn alone(bridge: &InterfaceName, matter: Matter) -> Result<Turn, Error> {
    alone_at(&folder(), &matter.name(bridge))
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

fn folder() -> PathBuf {
    cni::run_dir().join("bridge")
}

fn join_at(folder: &Path, name: &str) -> Result<Joined, Error> {
    let (file, path) = open(folder, name)?;
    file.lock_shared().map_err(|source| Error { file: path, source })?;
    Ok(Joined { _file: file })
}

fn take_at(folder: &Path, name: &str) -> Result<Turn, Error> {
    let (turn, path) = open(folder, &format!("{name}:leaving"))?;
    turn.lock().map_err(|source| Error { file: path, source })?;
    let (file, path) = open(folder, name)?;
    match file.try_lock() {
        Ok(()) => Ok(Turn { alone: Some(file), _turn: turn }),
        Err(TryLockError::WouldBlock) => Ok(Turn { alone: None, _turn: turn }),
        Err(TryLockError::Error(source)) => Err(Error { file: path, source }),
    }
}

fn alone_at(folder: &Path, name: &str) -> Result<Turn, Error> {
    // Who comes never waits for a turn, so that nobody waits for us meanwhile.
    let (turn, path) = open(folder, &format!("{name}:leaving"))?;
    turn.lock().map_err(|source| Error { file: path, source })?;
    let (file, path) = open(folder, name)?;
    file.lock().map_err(|source| Error { file: path, source })?;
    Ok(Turn { alone: Some(file), _turn: turn })
}

fn open(folder: &Path, name: &str) -> Result<(File, PathBuf), Error> {
    let path = folder.join(name);
    let open = || OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path);
    let file = open().or_else(|error| match error.kind() {
        std::io::ErrorKind::NotFound => std::fs::create_dir_all(folder).and_then(|()| open()),
        _ => Err(error),
    });
    match file {
        Ok(file) => Ok((file, path)),
        Err(source) => Err(Error { file: path, source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    struct Folder(PathBuf);

    impl Folder {
        fn new(test: &str) -> Self {
            Self(std::env::temp_dir().join(format!("link-turn-{}-{test}", std::process::id())))
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _stays = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn who_leaves_is_alone_only_while_nobody_comes() {
        let folder = Folder::new("come");
        let [bridge, ingress] =
            [Matter::Bridge, Matter::Ingress].map(|matter| matter.name(&InterfaceName::new("br0").unwrap()));
        let joined = [(); 2].map(|()| join_at(&folder.0, &bridge).unwrap());
        assert!(!take_at(&folder.0, &bridge).unwrap().is_alone());
        assert!(take_at(&folder.0, &ingress).unwrap().is_alone(), "another matter");
        drop(joined);
        assert!(take_at(&folder.0, &bridge).unwrap().is_alone());
    }

    #[test]
    fn of_many_who_leave_each_is_alone_when_it_has_its_turn() {
        let folder = Folder::new("leave");
        let alone = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..500 {
                        let turn = take_at(&folder.0, "br0").unwrap();
                        alone.fetch_add(usize::from(turn.is_alone()), Ordering::Relaxed);
                    }
                });
            }
        });
        assert_eq!(alone.into_inner(), 4 * 500);
    }

    #[test]
    fn who_must_not_meet_an_add_waits_for_those_under_way() {
        let folder = Folder::new("alone");
        let joined = join_at(&folder.0, "br0").unwrap();
        let arrived = AtomicUsize::new(0);
        thread::scope(|scope| {
            let waiting = scope.spawn(|| {
                let turn = alone_at(&folder.0, "br0").unwrap();
                assert_eq!(arrived.load(Ordering::Relaxed), 1);
                turn
            });
            thread::sleep(std::time::Duration::from_millis(50));
            arrived.store(1, Ordering::Relaxed);
            drop(joined);
            assert!(waiting.join().unwrap().is_alone());
        });
    }
}
