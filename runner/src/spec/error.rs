//! Why a container cannot be as it was asked for.

use std::io;
use std::path::PathBuf;

/// Why a container cannot be as it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum SpecError {
    /// Neither the image nor the command line names a program.
    #[error("no program: the image names none, and the command line neither")]
    NoProgram,
    /// The container's accounts have no such name.
    #[error("--user: no {kind} {name:?} in the container's {file}")]
    NoAccount {
        /// `user` or `group`.
        kind: &'static str,
        /// As it was asked for.
        name: String,
        /// Where it was looked for.
        file: &'static str,
    },
    /// An account has a number that the kernel would not take for one.
    #[error("--user: {kind} {number} is more than {last}, the last there is")]
    AccountNumber {
        /// `user` or `group`.
        kind: &'static str,
        /// What was asked for, or stands in the container's files.
        number: u32,
        /// The largest.
        last: u32,
    },
    /// A file of accounts cannot be read.
    #[error("read {}", path.display())]
    Accounts {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A capability has no such name.
    #[error("{flag}: {name:?} is no capability")]
    Capability {
        /// The flag.
        flag: &'static str,
        /// As it was asked for.
        name: String,
    },
    /// A capability that was asked for is not this program's to give.
    #[error("--cap-add: {name} cannot be given: netctl itself must not have it")]
    NotOurs {
        /// Which, without `CAP_`.
        name: &'static str,
    },
    /// A device is not there.
    #[error("--device: look at {}", path.display())]
    Device {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It is there, and no device.
    #[error("--device: {} is no device", .0.display())]
    NoDevice(PathBuf),
    /// What is asked for a device is more than it can be.
    #[error("--device: access {0:?} has letters other than r, w and m")]
    DeviceAccess(String),
    /// A setting is not the container's own.
    #[error("--sysctl {name}: {reason}")]
    Sysctl {
        /// Which.
        name: String,
        /// Why not.
        reason: String,
    },
    /// A limit has no such name.
    #[error("--ulimit: {0:?} is no limit of setrlimit(2)")]
    Limit(String),
    /// A limit is more than this machine lets us give.
    #[error("--ulimit {name}: {wanted} is more than {most}, and raising that takes CAP_SYS_RESOURCE")]
    LimitTooHigh {
        /// Which.
        name: String,
        /// What was asked for.
        wanted: u64,
        /// What can be had.
        most: u64,
    },
    /// The host has no folder for a volume, and none can be made.
    #[error("--volume: create folder {}", path.display())]
    Volume {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl SpecError {
    /// What the person who asked can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoProgram => "name one after the image".to_owned(),
            Self::NoAccount { .. } => "give a number, which needs no account".to_owned(),
            Self::Capability { .. } => {
                "capabilities(7) lists them: NET_ADMIN, or ALL for every one".to_owned()
            }
            Self::NotOurs { .. } => {
                "it is missing from the bounding set of the shell or service that started netctl: \
                                     capsh --print shows that"
                    .to_owned()
            }
            Self::Limit(_) => "for instance nofile=1024:2048, nproc=100, core=0".to_owned(),
            Self::LimitTooHigh { most, .. } => format!("ask for {most} at most"),
            Self::Sysctl { .. } => {
                "of a container's own are net.*, kernel.shm*, kernel.msg*, kernel.sem and fs.mqueue.*"
                    .to_owned()
            }
            _ => return None,
        })
    }
}
