//! Where a monitor listens, and how others find it. Paths of sockets end at 107 bytes: theirs go by way of `/proc/self/fd`.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, SocketAddrUnix, SocketFlags, SocketType, accept_with, bind, connect, listen, socket_with,
};

/// How many may wait to be let in.
const WAITING: i32 = 64;

fn socket(kind: SocketType) -> io::Result<OwnedFd> {
    Ok(socket_with(AddressFamily::UNIX, kind, SocketFlags::CLOEXEC, None)?)
}

/// The folder, open as long as the short path by it is used.
fn short(path: &Path) -> io::Result<(OwnedFd, SocketAddrUnix)> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let name = path.file_name().unwrap_or_default();
    let folder = openat(CWD, folder, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    let short = PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd())).join(name);
    let address = SocketAddrUnix::new(&short)?;
    Ok((folder, address))
}

/// Listens at `path`; what a killed monitor left there is taken away.
pub(crate) fn open(path: &Path) -> io::Result<OwnedFd> {
    open_as(path, SocketType::SEQPACKET)
}

/// The same for those who speak without packets: OCI runtimes, which send the terminal that they made.
pub(crate) fn open_stream(path: &Path) -> io::Result<OwnedFd> {
    open_as(path, SocketType::STREAM)
}

fn open_as(path: &Path, kind: SocketType) -> io::Result<OwnedFd> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let (_folder, address) = short(path)?;
    let listener = socket(kind)?;
    // Whoever may write to it may type and kill.
    let mask = rustix::process::umask(Mode::from_raw_mode(0o177));
    let bound = bind(&listener, &address);
    rustix::process::umask(mask);
    bound?;
    listen(&listener, WAITING)?;
    Ok(listener)
}

/// Lets the next one in.
pub(crate) fn accept(listener: &OwnedFd) -> io::Result<OwnedFd> {
    Ok(accept_with(listener, SocketFlags::CLOEXEC)?)
}

/// A conversation with the monitor that listens at `path`; nothing, if nobody does.
pub(crate) fn find(path: &Path) -> io::Result<Option<OwnedFd>> {
    let (_folder, address) = match short(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        short => short?,
    };
    let socket = socket(SocketType::SEQPACKET)?;
    match connect(&socket, &address) {
        Err(Errno::NOENT | Errno::CONNREFUSED) => Ok(None),
        Err(error) => Err(error.into()),
        Ok(()) => Ok(Some(socket)),
    }
}
