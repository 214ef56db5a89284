//! A lease as a file: the address is the name, the owner the content.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::IpAddr;
use std::time::SystemTime;

use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag};
use nix::unistd::{UnlinkatFlags, linkat, unlinkat};
use vocab::{Attachment, ContainerId, InterfaceName};

use crate::directory::{Folder, READ_WRITE};

/// What stands between the two words of a lease, as the reference has it.
const LINE_BREAK: &str = "\r\n";

/// More than any lease has: two names of 255 bytes at most, and a line break.
const MAX_LEN: usize = 600;

/// The name of a lease on its way; of use only on file systems without `O_TMPFILE`.
pub(crate) const UNFINISHED: &str = ".unfinished";

/// Who has a lease. Leases of old versions of the reference name the container only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The container.
    pub container: ContainerId,
    /// Its interface.
    pub interface: Option<InterfaceName>,
}

impl Holder {
    /// Reads the content of a lease; neither white space around it nor the kind of line break matters.
    fn parse(content: &str) -> Option<Self> {
        let (container, interface) = match content.trim().split_once('\n') {
            Some((container, interface)) => (container.trim_end(), Some(interface.trim_start())),
            None => (content.trim(), None),
        };
        let interface = interface.map(InterfaceName::new).transpose().ok()?;
        Some(Self { container: ContainerId::new(container).ok()?, interface })
    }

    /// The name under which the hints keep what this holder has. A colon is in neither name's alphabet.
    pub(crate) fn key(&self) -> String {
        match &self.interface {
            Some(interface) => key(&self.container, interface.as_str()),
            None => key(&self.container, ""),
        }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.interface {
            Some(interface) => write!(f, "{}/{interface}", self.container),
            None => self.container.fmt(f),
        }
    }
}

/// The holder that `owner` is in a lease of ours.
pub(crate) fn holder(owner: &Attachment) -> Holder {
    Holder { container: owner.container.clone(), interface: Some(owner.interface.clone()) }
}

/// The holder that `owner` is in a lease of an old version of the reference.
pub(crate) fn old_holder(owner: &Attachment) -> Holder {
    Holder { container: owner.container.clone(), interface: None }
}

/// A key may be shared by two holders whose names are too long for a file name: the lease itself decides.
fn key(container: &ContainerId, interface: &str) -> String {
    let mut key = format!("{container}:{interface}");
    while key.len() > 255 {
        key.pop();
    }
    key
}

/// Whoever has an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Occupant {
    /// An attachment.
    Holder(Holder),
    /// A file that is no lease, or cannot be read.
    Unknown,
}

impl fmt::Display for Occupant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Holder(holder) => holder.fmt(f),
            Self::Unknown => f.write_str("a file that names no container"),
        }
    }
}

/// What a file with the name of an address turned out to be.
#[derive(Debug)]
pub(crate) enum Content {
    /// A lease.
    Lease(Holder),
    /// Nothing: made and never written, or lost in a power cut.
    Empty { modified: SystemTime },
    /// Something that is no lease, and why not.
    Strange(String),
    /// It is there, but the kernel does not let us see what it is.
    Unreadable(io::Error),
    /// There is no such file.
    Missing,
}

/// Reads the file `name`. Whatever it is, it does not make the caller fail or wait.
pub(crate) fn read(folder: &Folder, name: &str) -> Content {
    // A named pipe would let an open without O_NONBLOCK wait for ever.
    let flags = OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_NOFOLLOW;
    let content = folder.open(name, flags).and_then(|mut file| {
        let mut buffer = [0; MAX_LEN];
        match file.read(&mut buffer)? {
            0 => Ok(Content::Empty { modified: file.metadata()?.modified()? }),
            len => Ok(parse(&buffer[..len])),
        }
    });
    content.unwrap_or_else(|error| match error.kind() {
        io::ErrorKind::NotFound => Content::Missing,
        _ => Content::Unreadable(error),
    })
}

fn parse(bytes: &[u8]) -> Content {
    let holder = std::str::from_utf8(bytes).ok().and_then(Holder::parse);
    holder.map_or_else(|| Content::Strange("it names no container".to_owned()), Content::Lease)
}

/// Makes the lease of `address` for `owner`, whole or not at all: a file without a name is written, then
/// named. `false` means that the name is taken.
pub(crate) fn create(folder: &Folder, address: IpAddr, owner: &Attachment) -> io::Result<bool> {
    let content = format!("{}{LINE_BREAK}{}", owner.container, owner.interface);
    let name = address.to_string();
    match folder.open(".", OFlag::O_WRONLY | OFlag::O_TMPFILE) {
        Ok(mut file) => {
            file.write_all(content.as_bytes())?;
            named(link_unnamed(folder, &file, &name))
        }
        // EISDIR is how a kernel or a file system without O_TMPFILE understands the flag.
        Err(error) if matches!(error.raw_os_error(), Some(libc) if is_unsupported(libc)) => {
            create_beside(folder, &content, &name)
        }
        Err(error) => Err(error),
    }
}

fn is_unsupported(error: i32) -> bool {
    matches!(Errno::from_raw(error), Errno::EOPNOTSUPP | Errno::EISDIR | Errno::EINVAL | Errno::ENOSYS)
}

fn link_unnamed(folder: &Folder, file: &std::fs::File, name: &str) -> nix::Result<()> {
    // Naming a file by its descriptor alone needs CAP_DAC_READ_SEARCH before Linux 6.10; by /proc, /proc.
    match linkat(file, "", folder, name, AtFlags::AT_EMPTY_PATH) {
        Err(Errno::ENOENT) => {
            let path = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(file));
            linkat(nix::fcntl::AT_FDCWD, path.as_str(), folder, name, AtFlags::AT_SYMLINK_FOLLOW)
        }
        done => done,
    }
}

/// The same with a file that has another name first. Should we be killed before that name is gone, it is a
/// second name of the lease: it must be unlinked, never written to.
fn create_beside(folder: &Folder, content: &str, name: &str) -> io::Result<bool> {
    remove(folder, UNFINISHED)?;
    let mut file = folder.open(UNFINISHED, READ_WRITE | OFlag::O_CREAT | OFlag::O_EXCL)?;
    let written = file.write_all(content.as_bytes());
    let created = written.and_then(|()| named(linkat(folder, UNFINISHED, folder, name, AtFlags::empty())));
    remove(folder, UNFINISHED)?;
    created
}

fn named(linked: nix::Result<()>) -> io::Result<bool> {
    match linked {
        Ok(()) => Ok(true),
        Err(Errno::EEXIST) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Removes the file `name`; what is gone is fine.
pub(crate) fn remove(folder: &Folder, name: &str) -> io::Result<()> {
    match unlinkat(folder, name, UnlinkatFlags::NoRemoveDir) {
        Ok(()) | Err(Errno::ENOENT) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder(content: &str) -> Option<String> {
        Holder::parse(content).map(|holder| holder.to_string())
    }

    #[test]
    fn the_content_of_a_lease_is_read_with_white_space_around_it() {
        assert_eq!(holder("web\r\neth0").unwrap(), "web/eth0");
        assert_eq!(holder(" web\neth0\r\n").unwrap(), "web/eth0");
        assert_eq!(holder("web").unwrap(), "web");
        assert_eq!(holder("web\n").unwrap(), "web");
    }

    #[test]
    fn what_names_no_container_is_no_lease() {
        for content in ["", "\r\n", "two words", "web\r\neth0\r\nmore", "web\r\na/b", "../web"] {
            assert_eq!(holder(content), None, "{content:?}");
        }
    }

    #[test]
    fn the_names_of_files_are_those_that_go_prints() {
        for (address, name) in [
            ("10.1.2.3", "10.1.2.3"),
            ("fd00:0:0:0:0:0:0:1", "fd00::1"),
            ("FD00:0:0:1:0:0:0:1", "fd00:0:0:1::1"),
            ("1:0:0:2:0:0:3:4", "1::2:0:0:3:4"),
            ("1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7"),
            ("::a00:1", "::a00:1"),
            ("::1", "::1"),
            ("1::", "1::"),
        ] {
            assert_eq!(address.parse::<IpAddr>().unwrap().to_string(), name);
        }
    }

    #[test]
    fn a_key_is_a_file_name_however_long_the_container_id_is() {
        let container = ContainerId::new(&"x".repeat(255)).unwrap();
        assert_eq!(key(&container, "eth0").len(), 255);
        let container = ContainerId::new("web").unwrap();
        assert_eq!((key(&container, "eth0").as_str(), key(&container, "").as_str()), ("web:eth0", "web:"));
    }

    #[test]
    fn without_unnamed_files_a_lease_is_whole_too_and_spoils_no_other() {
        let path = std::env::temp_dir().join(format!("ipam-beside-{}", std::process::id()));
        let folder = Folder::ensure(path.clone(), 0o700).unwrap();
        assert!(create_beside(&folder, "a\r\neth0", "10.0.0.2").unwrap());
        // As if we had been killed right behind the link.
        std::fs::hard_link(path.join("10.0.0.2"), path.join(UNFINISHED)).unwrap();
        assert!(!create_beside(&folder, "b\r\neth0", "10.0.0.2").unwrap());
        assert!(create_beside(&folder, "b\r\neth0", "10.0.0.3").unwrap());
        assert_eq!(std::fs::read_to_string(path.join("10.0.0.2")).unwrap(), "a\r\neth0");
        assert_eq!(std::fs::read_to_string(path.join("10.0.0.3")).unwrap(), "b\r\neth0");
        assert!(!path.join(UNFINISHED).exists());
        std::fs::remove_dir_all(path).unwrap();
    }
}
