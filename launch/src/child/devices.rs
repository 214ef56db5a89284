//! Device nodes, and the links that programs expect beside them.

use std::os::fd::OwnedFd;
use std::path::Path;

use oci::{Device, DeviceKind, Spec};
use rustix::fs::{CWD, FileType, Gid, Mode, OFlags, Uid, chmod, chown, makedev, mknodat, openat, symlinkat};
use rustix::io::Errno;

use super::mounts::{copy, cover};
use super::target::{Missing, find_or_make};
use crate::failure::{Failure, Outcome, Tried};

/// What every container has (OCI runtime specification, "Default Devices"): name, major and minor number.
const USUAL: [(&str, u32, u32); 6] = [
    ("/dev/null", 1, 3),
    ("/dev/zero", 1, 5),
    ("/dev/full", 1, 7),
    ("/dev/random", 1, 8),
    ("/dev/urandom", 1, 9),
    ("/dev/tty", 5, 0),
];

const LINKS: [(&str, &str); 5] = [
    ("/proc/self/fd", "/dev/fd"),
    ("/proc/self/fd/0", "/dev/stdin"),
    ("/proc/self/fd/1", "/dev/stdout"),
    ("/proc/self/fd/2", "/dev/stderr"),
    ("pts/ptmx", "/dev/ptmx"),
];

/// Makes devices and links, unless `/dev` is a folder of the host.
pub(super) fn create_all(spec: &Spec) -> Outcome {
    let is_hosts = |mount: &oci::Mount| {
        let binds = mount.kind.as_deref() == Some("bind")
            || mount.options.iter().any(|option| option == "bind" || option == "rbind");
        binds && mount.destination == Path::new("/dev")
    };
    if spec.mounts.iter().any(is_hosts) {
        return Ok(());
    }
    // The mask of whoever started us would take away from the modes.
    let mask = rustix::process::umask(Mode::empty());
    let made = create_each(spec);
    rustix::process::umask(mask);
    made
}

fn create_each(spec: &Spec) -> Outcome {
    find_or_make(Path::new("/dev"), Missing::Folder)?;
    for (path, major, minor) in USUAL {
        let device = Device {
            path: path.into(),
            kind: DeviceKind::Character,
            major,
            minor,
            file_mode: Some(0o666),
            uid: None,
            gid: None,
        };
        create(&device)?;
    }
    for device in &spec.linux.devices {
        if !USUAL.iter().any(|(usual, ..)| Path::new(usual) == device.path) {
            create(device)?;
        }
    }
    for (to, link) in LINKS {
        match symlinkat(to, CWD, link) {
            // What an image or a volume has there stays.
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(Failure::new(format!("create link {link}"), error)),
        }
    }
    Ok(())
}

fn create(device: &Device) -> Outcome {
    let what = || format!("create device {}", device.path.display());
    if let Some(folder) = device.path.parent() {
        find_or_make(folder, Missing::Folder)?;
    }
    let kind = match device.kind {
        DeviceKind::Character => FileType::CharacterDevice,
        DeviceKind::Block => FileType::BlockDevice,
        DeviceKind::Pipe => FileType::Fifo,
        DeviceKind::All => return Err(Failure::new(what(), Errno::INVAL)),
    };
    let mode = Mode::from_raw_mode(device.file_mode.unwrap_or(0o666));
    match mknodat(CWD, &device.path, kind, mode, makedev(device.major, device.minor)) {
        // A root file system that is a folder of the host may have it already.
        Ok(()) | Err(Errno::EXIST) => {}
        Err(error) => return Err(Failure::new(what(), error)),
    }
    if device.uid.is_some() || device.gid.is_some() {
        let (uid, gid) = (device.uid.map(Uid::from_raw), device.gid.map(Gid::from_raw));
        chown(&device.path, uid, gid).tried(what)?;
        chmod(&device.path, mode).tried(what)?;
    }
    Ok(())
}

/// `/dev/console` is the terminal of the container.
pub(super) fn create_console(slave: &OwnedFd) -> Outcome {
    let what = || "mount the terminal on /dev/console";
    let Some(target) = find_or_make(Path::new("/dev/console"), Missing::File)? else { return Ok(()) };
    let mount = copy(slave, false).tried(what)?;
    cover(&target, &mount).tried(what)
}

/// Where the container's terminals are made.
pub(super) fn open_multiplexer() -> Outcome<OwnedFd> {
    /// `DEVPTS_SUPER_MAGIC` of linux/magic.h.
    const DEVPTS: u64 = 0x1cd1;
    let what = || "open /dev/pts/ptmx";
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let master = openat(CWD, "/dev/pts/ptmx", flags, Mode::empty()).tried(what)?;
    // Something else there would be handed out as the terminal.
    if rustix::fs::fstatfs(&master).tried(what)?.f_type as u64 != DEVPTS {
        return Err(Failure::new("use /dev/pts/ptmx, which is no terminal multiplexer", Errno::NOTTY));
    }
    Ok(master)
}
