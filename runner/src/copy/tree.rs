//! A file or folder from one open folder into another: no link is followed on the way.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use rustix::fs::{
    AtFlags, Dir, FileType, Gid, Mode, OFlags, Stat, Timespec, Timestamps, Uid, chownat, fchmod, fchown,
    futimens, mkdirat, mknodat, openat, readlinkat, statat, symlinkat, unlinkat, utimensat,
};
use rustix::io::Errno;

use super::CopyError;

type Entry<'a> = (&'a OwnedFd, &'a OsStr);

/// Copies `from`, and all that is in it if it is a folder, as `to`. `shown` is what people know it by.
pub(super) fn copy(
    from: (&OwnedFd, &OsString),
    to: (&OwnedFd, &OsString),
    shown: &Path,
) -> Result<(), CopyError> {
    entry((from.0, from.1), (to.0, to.1), shown)
}

/// Copies what is in the folder `from` into the folder `to`.
pub(super) fn copy_content(from: (&OwnedFd, &OsString), to: &OwnedFd, shown: &Path) -> Result<(), CopyError> {
    let folder = open_folder((from.0, from.1), shown)?;
    content(&folder, to, shown)
}

fn entry(from: Entry<'_>, to: Entry<'_>, shown: &Path) -> Result<(), CopyError> {
    let failed = |doing| move |error: Errno| CopyError::new(doing, shown, error.into());
    let what = statat(from.0, from.1, AtFlags::SYMLINK_NOFOLLOW).map_err(failed("find"))?;
    match FileType::from_raw_mode(what.st_mode) {
        FileType::Directory => {
            match mkdirat(to.0, to.1, Mode::from_raw_mode(0o700)) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(error) => return Err(failed("create folder for")(error)),
            }
            let (source, target) = (open_folder(from, shown)?, open_folder(to, shown)?);
            content(&source, &target, shown)?;
            own(&target, &what).map_err(|error| CopyError::new("set the owner of", shown, error))
        }
        FileType::RegularFile => file(from, to, &what, shown),
        FileType::Symlink => {
            let leads = readlinkat(from.0, from.1, Vec::new()).map_err(failed("read link"))?;
            make_way(to);
            symlinkat(&leads, to.0, to.1).map_err(failed("create link for"))?;
            own_entry(to, &what).map_err(failed("set the owner of"))
        }
        kind => {
            make_way(to);
            let mode = Mode::from_raw_mode(what.st_mode & 0o7777);
            mknodat(to.0, to.1, kind, mode, what.st_rdev).map_err(failed("create a node for"))?;
            own_entry(to, &what).map_err(failed("set the owner of"))
        }
    }
}

fn content(from: &OwnedFd, to: &OwnedFd, shown: &Path) -> Result<(), CopyError> {
    let failed = |error: Errno| CopyError::new("read folder", shown, error.into());
    for found in Dir::read_from(from).map_err(failed)? {
        let found = found.map_err(failed)?;
        let name = OsStr::from_bytes(found.file_name().to_bytes());
        if name != "." && name != ".." {
            entry((from, name), (to, name), &shown.join(name))?;
        }
    }
    Ok(())
}

fn open_folder(entry: Entry<'_>, shown: &Path) -> Result<OwnedFd, CopyError> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(entry.0, entry.1, flags, Mode::empty())
        .map_err(|error| CopyError::new("open folder", shown, error.into()))
}

fn file(from: Entry<'_>, to: Entry<'_>, what: &Stat, shown: &Path) -> Result<(), CopyError> {
    let failed = |doing| move |error: io::Error| CopyError::new(doing, shown, error);
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let source =
        openat(from.0, from.1, flags, Mode::empty()).map_err(io::Error::from).map_err(failed("open"))?;
    // A link that stands there is not written through; a file that others have open stays theirs.
    make_way(to);
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let target = openat(to.0, to.1, flags, Mode::from_raw_mode(0o600)).map_err(io::Error::from);
    let target = target.map_err(failed("create a file for"))?;
    let (mut source, mut target) = (File::from(source), File::from(target));
    io::copy(&mut source, &mut target).map_err(failed("copy"))?;
    own(&target.into(), what).map_err(failed("set the owner of"))
}

/// Takes away a file of that name; a folder stays, and is told of by whoever comes next.
fn make_way(to: Entry<'_>) {
    let _ = unlinkat(to.0, to.1, AtFlags::empty());
}

/// Owner, mode and times.
fn own(file: &OwnedFd, what: &Stat) -> io::Result<()> {
    fchown(file.as_fd(), Some(Uid::from_raw(what.st_uid)), Some(Gid::from_raw(what.st_gid)))?;
    fchmod(file.as_fd(), Mode::from_raw_mode(what.st_mode & 0o7777))?;
    Ok(futimens(file.as_fd(), &times(what))?)
}

fn own_entry(to: Entry<'_>, what: &Stat) -> rustix::io::Result<()> {
    let (user, group) = (Uid::from_raw(what.st_uid), Gid::from_raw(what.st_gid));
    chownat(to.0, to.1, Some(user), Some(group), AtFlags::SYMLINK_NOFOLLOW)?;
    utimensat(to.0, to.1, &times(what), AtFlags::SYMLINK_NOFOLLOW)
}

#[allow(
    clippy::cast_possible_wrap,
    clippy::unnecessary_cast,
    reason = "the types are not the same on every machine"
)]
fn times(what: &Stat) -> Timestamps {
    let time = |seconds: i64, nanoseconds: i64| Timespec { tv_sec: seconds, tv_nsec: nanoseconds as _ };
    Timestamps {
        last_access: time(what.st_atime as i64, what.st_atime_nsec as i64),
        last_modification: time(what.st_mtime as i64, what.st_mtime_nsec as i64),
    }
}
