//! Keeping others from choosing the same port.
//!
//! Between the choice of a port and its publication there is a moment in which nobody else may choose it. So each port
//! stands for one byte of a file, and who considers it locks that byte: a lock of the open file (`F_OFD_SETLK`,
//! `fcntl(2)`), which ends with it, however the process ends. The file stays empty.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;
use vocab::{Port, Protocol};

/// Ports that nobody else chooses.
#[derive(Debug)]
pub(crate) struct Reserve {
    file: File,
    path: PathBuf,
}

/// A reservation cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("reserve ports in {}", path.display())]
pub(crate) struct Error {
    pub(crate) path: PathBuf,
    #[source]
    pub(crate) source: io::Error,
}

impl Reserve {
    /// Opens the file in a folder, which is made if it is not there.
    pub(crate) fn open(folder: &Path) -> Result<Self, Error> {
        let path = folder.join("chosen-ports");
        let open =
            || OpenOptions::new().create(true).truncate(false).read(true).write(true).mode(0o600).open(&path);
        let opened = open().or_else(|error| match error.kind() {
            io::ErrorKind::NotFound => std::fs::create_dir_all(folder).and_then(|()| open()),
            _ => Err(error),
        });
        match opened {
            Ok(file) => Ok(Self { file, path }),
            Err(source) => Err(Error { path, source }),
        }
    }

    /// Reserves a port; whether nobody else has. It stays reserved until this value is dropped.
    pub(crate) fn try_port(&self, protocol: Protocol, port: Port) -> Result<bool, Error> {
        let lock = libc::flock {
            l_type: libc::F_WRLCK as libc::c_short,
            l_whence: libc::SEEK_SET as libc::c_short,
            l_start: i64::from(protocol.number()) << 16 | i64::from(port.get()),
            l_len: 1,
            l_pid: 0,
        };
        match fcntl(&self.file, FcntlArg::F_OFD_SETLK(&lock)) {
            Ok(_) => Ok(true),
            Err(Errno::EAGAIN | Errno::EACCES) => Ok(false),
            Err(errno) => Err(Error { path: self.path.clone(), source: errno.into() }),
        }
    }
}
