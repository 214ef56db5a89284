//! Where in the container something is mounted.
//!
//! The path is walked by hand: links are followed as text, from the container's root. The kernel would follow those
//! below `/proc` to what they stand for, and this process still has files of the host open.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, OFlags, fstat, mkdirat, openat, readlinkat};
use rustix::io::Errno;

use crate::failure::{Failure, Outcome};

/// What is made when there is nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    /// A folder.
    Folder,
    /// An empty file.
    File,
    /// Nothing.
    Nothing,
}

/// As the kernel has it.
const MOST_LINKS: usize = 40;

/// What is at `path` in the container, made if it is missing: a descriptor for mounting, not for reading.
pub(super) fn find_or_make(path: &Path, missing: Missing) -> Outcome<Option<OwnedFd>> {
    let failed = |error: Errno| Failure::new(format!("find {} in the container", path.display()), error);
    let folder = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = openat(CWD, "/", folder, Mode::empty()).map_err(failed)?;
    let mut entered: Vec<OwnedFd> = vec![root];
    let mut ahead: VecDeque<OsString> = names_of(path);
    let mut links = 0;
    while let Some(name) = ahead.pop_front() {
        if name == ".." {
            // Above the root is the root.
            if entered.len() > 1 {
                entered.pop();
            }
            continue;
        }
        let Some(here) = entered.last() else { return Err(failed(Errno::NOENT)) };
        let is_last = ahead.is_empty();
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let found = match openat(here, &name, flags, Mode::empty()) {
            Err(Errno::NOENT) if missing == Missing::Nothing => return Ok(None),
            Err(Errno::NOENT) => {
                make(here, &name, if is_last { missing } else { Missing::Folder }).map_err(failed)?;
                openat(here, &name, flags, Mode::empty()).map_err(failed)?
            }
            Err(Errno::NOTDIR) if missing == Missing::Nothing => return Ok(None),
            found => found.map_err(failed)?,
        };
        let kind = FileType::from_raw_mode(fstat(&found).map_err(failed)?.st_mode);
        if kind == FileType::Symlink {
            links += 1;
            if links > MOST_LINKS {
                return Err(failed(Errno::LOOP));
            }
            let to = readlinkat(&found, "", Vec::new()).map_err(failed)?;
            let to = PathBuf::from(OsString::from_vec(to.into_bytes()));
            if to.is_absolute() {
                entered.truncate(1);
            }
            for name in names_of(&to).into_iter().rev() {
                ahead.push_front(name);
            }
            continue;
        }
        entered.push(found);
    }
    Ok(entered.pop())
}

fn names_of(path: &Path) -> VecDeque<OsString> {
    let names = path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some(OsString::from("..")),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    });
    names.collect()
}

fn make(here: &OwnedFd, name: &OsString, what: Missing) -> rustix::io::Result<()> {
    let made = match what {
        Missing::File => {
            let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
            openat(here, name, flags, Mode::from_raw_mode(0o755)).map(drop)
        }
        Missing::Folder | Missing::Nothing => mkdirat(here, name, Mode::from_raw_mode(0o755)),
    };
    match made {
        Err(Errno::EXIST) => Ok(()),
        made => made,
    }
}
