//! A folder that nothing leaves: every way is taken by the kernel below its descriptor, through no symbolic link.

use crate::fault::Fault;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, RenameFlags, ResolveFlags, Stat};
use rustix::io::Errno;
use std::ffi::{CStr, CString, OsStr};
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// The mode of a folder that no entry describes.
pub(crate) const FOLDER_MODE: u32 = 0o755;

/// The folder, and the one below it that was last used: entries of one folder follow each other.
pub(crate) struct Beneath {
    root: Rc<OwnedFd>,
    last: Option<(PathBuf, Rc<OwnedFd>)>,
}

impl Beneath {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let root = rustix::fs::open(path, flags, Mode::empty())?;
        Ok(Self { root: Rc::new(root), last: None })
    }

    /// Opens what lies below: EXDEV and ELOOP where the way would leave it or leads through a symbolic link.
    pub(crate) fn open_at(&self, path: &Path, flags: OFlags) -> rustix::io::Result<OwnedFd> {
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        loop {
            match rustix::fs::openat2(&self.root, path, flags | OFlags::CLOEXEC, Mode::empty(), resolve) {
                // Something was renamed somewhere meanwhile; or a signal came.
                Err(Errno::AGAIN | Errno::INTR) => {}
                result => return result,
            }
        }
    }

    /// The folder at a path, which may be used as the place of a name.
    pub(crate) fn folder(&mut self, path: &Path) -> rustix::io::Result<Rc<OwnedFd>> {
        if path.as_os_str().is_empty() {
            return Ok(Rc::clone(&self.root));
        }
        if let Some((known, folder)) = &self.last
            && known == path
        {
            return Ok(Rc::clone(folder));
        }
        let folder = Rc::new(self.open_at(path, OFlags::PATH | OFlags::DIRECTORY)?);
        self.last = Some((path.to_owned(), Rc::clone(&folder)));
        Ok(folder)
    }

    /// To be called when a folder may no longer be where it was.
    pub(crate) fn forget(&mut self) {
        self.last = None;
    }

    /// Why the way to a folder cannot be taken.
    pub(crate) fn explain(&self, path: &Path, error: Errno) -> Fault {
        let mut way = PathBuf::new();
        for name in path {
            let Ok(folder) = self.open_at(&way, OFlags::PATH | OFlags::DIRECTORY) else { break };
            way.push(name);
            match look(&folder, name).map(|stat| stat.map(|stat| FileType::from_raw_mode(stat.st_mode))) {
                Ok(Some(FileType::Symlink)) => return Fault::ThroughLink(way),
                Ok(Some(FileType::Directory)) => {}
                Ok(Some(_)) => return Fault::ThroughFile(way),
                Ok(None) | Err(_) => break,
            }
        }
        Fault::Write("open its folder", error.into())
    }
}

/// What is there under a name, if anything is; a link is looked at itself.
pub(crate) fn look(folder: &OwnedFd, name: &OsStr) -> rustix::io::Result<Option<Stat>> {
    match rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(stat)),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether this is how overlayfs writes that a name of a lower layer is removed.
pub(crate) fn is_whiteout(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::CharacterDevice && stat.st_rdev == 0
}

pub(crate) fn is_folder(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::Directory
}

/// Takes away what is under a name, with all that is below it, through no symbolic link.
pub(crate) fn remove_all(folder: &OwnedFd, name: &OsStr) -> rustix::io::Result<()> {
    match rustix::fs::unlinkat(folder, name, AtFlags::empty()) {
        Err(Errno::ISDIR | Errno::PERM) => {}
        Err(Errno::NOENT) => return Ok(()),
        result => return result,
    }
    // Not by recursion: a hostile tree is deeper than a stack. Folders are brought up, and emptied at the top.
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let top = rustix::fs::openat(folder, name, flags, Mode::empty())?;
    let mut brought = 0_u64;
    while let Some(children) = some_children(&top)? {
        for child in children {
            match rustix::fs::unlinkat(&top, &child, AtFlags::empty()) {
                Err(Errno::ISDIR | Errno::PERM) => {}
                result => {
                    result?;
                    continue;
                }
            }
            let inner = rustix::fs::openat(&top, &child, flags, Mode::empty())?;
            while let Some(grandchildren) = some_children(&inner)? {
                for grandchild in grandchildren {
                    match rustix::fs::unlinkat(&inner, &grandchild, AtFlags::empty()) {
                        Err(Errno::ISDIR | Errno::PERM) => bring_up(&inner, &grandchild, &top, &mut brought)?,
                        result => result?,
                    }
                }
            }
            rustix::fs::unlinkat(&top, &child, AtFlags::REMOVEDIR)?;
        }
    }
    rustix::fs::unlinkat(folder, name, AtFlags::REMOVEDIR)
}

fn bring_up(from: &OwnedFd, name: &CStr, to: &OwnedFd, brought: &mut u64) -> rustix::io::Result<()> {
    loop {
        *brought += 1;
        let place = format!(".netctl-removed-{brought}");
        match rustix::fs::renameat_with(from, name, to, place, RenameFlags::NOREPLACE) {
            Err(Errno::EXIST) => {}
            result => return result,
        }
    }
}

/// Names in a folder, if it has any; not all of millions at once.
fn some_children(folder: &OwnedFd) -> rustix::io::Result<Option<Vec<CString>>> {
    const ENOUGH: usize = 4096;
    let mut names = Vec::new();
    for entry in rustix::fs::Dir::read_from(folder)? {
        let entry = entry?;
        if entry.file_name() != c"." && entry.file_name() != c".." {
            names.push(entry.file_name().to_owned());
        }
        if names.len() == ENOUGH {
            break;
        }
    }
    Ok((!names.is_empty()).then_some(names))
}
