//! Settings of the network stack under `/proc/sys/net`.
//!
//! The files are those of the calling thread's network namespace, whatever namespace `/proc` was mounted in.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use cni::{Code, Fault};
use vocab::InterfaceName;

/// A setting could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Its file cannot be opened or read.
    #[error("read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Its file does not take the value.
    #[error("write {value} to {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What it should have held.
        value: &'static str,
        /// Why not.
        source: io::Error,
    },
}

impl Error {
    /// The kernel has no such setting: the interface is not there, or the kernel was built without it.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Read { source, .. } if source.kind() == ErrorKind::NotFound)
    }
}

impl Fault for Error {
    fn code(&self) -> Code {
        Code::IO
    }

    fn hint(&self) -> Option<String> {
        let Self::Write { path, value, .. } = self else { return None };
        Some(format!("/proc/sys may be read-only here; set {} to {value} beforehand", path.display()))
    }
}

/// What [`Sysctl::ensure`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The setting had the value.
    Same,
    /// The setting has the value now.
    Changed,
}

/// One setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sysctl(PathBuf);

impl Sysctl {
    /// Whether the host forwards IPv4 packets.
    #[must_use]
    pub fn ipv4_forwarding() -> Self {
        Self::net("ipv4/ip_forward")
    }

    /// Whether the host forwards IPv6 packets.
    #[must_use]
    pub fn ipv6_forwarding() -> Self {
        Self::net("ipv6/conf/all/forwarding")
    }

    /// A setting of an interface for IPv4.
    #[must_use]
    pub fn ipv4_conf(interface: &InterfaceName, key: &'static str) -> Self {
        Self(Path::new("/proc/sys/net/ipv4/conf").join(interface.as_str()).join(key))
    }

    /// A setting of an interface for IPv6.
    #[must_use]
    pub fn ipv6_conf(interface: &InterfaceName, key: &'static str) -> Self {
        Self(Path::new("/proc/sys/net/ipv6/conf").join(interface.as_str()).join(key))
    }

    /// A setting by its path under `/proc/sys/net`.
    #[must_use]
    pub fn net(key: &'static str) -> Self {
        Self(Path::new("/proc/sys/net").join(key))
    }

    /// Its file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Reads the setting.
    ///
    /// # Errors
    /// [`Error::Read`].
    pub fn read(&self) -> Result<String, Error> {
        let read = || {
            let mut text = [0; 64];
            let length = File::open(&self.0)?.read(&mut text)?;
            Ok(String::from_utf8_lossy(text.get(..length).unwrap_or_default()).trim().to_owned())
        };
        read().map_err(|source| Error::Read { path: self.0.clone(), source })
    }

    /// Sees to it that the setting has that value. One that has it is not written: a write may flush caches, wake
    /// others up, or be forbidden where reading is allowed.
    ///
    /// # Errors
    /// [`Error::Read`] or [`Error::Write`], with the file and the value.
    pub fn ensure(&self, value: &'static str) -> Result<Outcome, Error> {
        // Read and write by one descriptor: walking the path is half of the cost.
        let mut file = match OpenOptions::new().read(true).write(true).open(&self.0) {
            Ok(file) => file,
            Err(source) if is_forbidden(&source) && self.read()? == value => return Ok(Outcome::Same),
            Err(source) if is_forbidden(&source) => {
                return Err(Error::Write { path: self.0.clone(), value, source });
            }
            Err(source) => return Err(Error::Read { path: self.0.clone(), source }),
        };
        let mut text = [0; 64];
        let length = file.read(&mut text).map_err(|source| Error::Read { path: self.0.clone(), source })?;
        if text.get(..length).unwrap_or_default().trim_ascii() == value.as_bytes() {
            return Ok(Outcome::Same);
        }
        // At the beginning: a setting takes no value written anywhere else.
        let written = file.write_all_at(value.as_bytes(), 0);
        written.map_err(|source| Error::Write { path: self.0.clone(), value, source })?;
        Ok(Outcome::Changed)
    }

    /// As [`ensure`](Self::ensure); a kernel that has no such setting needs none.
    ///
    /// # Errors
    /// As [`ensure`](Self::ensure).
    pub fn ensure_if_there(&self, value: &'static str) -> Result<Outcome, Error> {
        match self.ensure(value) {
            Err(error) if error.is_missing() => Ok(Outcome::Same),
            other => other,
        }
    }
}

fn is_forbidden(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem)
}
