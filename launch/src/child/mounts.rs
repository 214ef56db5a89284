//! What is mounted into the container.

mod options;

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use cgroup::Entrance;
use oci::Mount;
use options::Options;
use rustix::fs::{CWD, FileType, Mode, OFlags, fstat, fstatfs, openat};
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MoveMountFlags, OpenTreeFlags, fsconfig_create,
    fsconfig_set_flag, fsconfig_set_string, fsmount, fsopen, move_mount, open_tree,
};

use super::target::{Missing, find_or_make};
use crate::failure::{Failure, Outcome, Tried};
use crate::sys;

/// `PROC_SUPER_MAGIC` of linux/magic.h.
const PROC: u64 = 0x9fa0;

/// What of the host is mounted: opened before its root is left.
pub(super) struct Sources(Vec<Source>);

enum Source {
    /// A file system of the container's own.
    None,
    /// A folder or file of the host.
    Bind(OwnedFd),
    /// Groups, by the names of their hierarchies; none where v2 is alone.
    Groups(Vec<(String, OwnedFd)>),
}

impl Sources {
    pub(super) fn open(mounts: &[Mount], entrance: Option<&Entrance>) -> Outcome<Self> {
        let opened = mounts.iter().map(|mount| {
            let options = Options::of(mount)?;
            Ok(match mount.kind.as_deref() {
                _ if options.is_bind => Source::Bind(bind(mount, &options)?),
                Some("cgroup") => Source::Groups(groups(entrance)?),
                _ => Source::None,
            })
        });
        Ok(Self(opened.collect::<Outcome<_>>()?))
    }
}

fn groups(entrance: Option<&Entrance>) -> Outcome<Vec<(String, OwnedFd)>> {
    let folders = entrance.map(|entrance| entrance.folders.as_slice()).unwrap_or_default();
    let opened = folders.iter().map(|(name, folder)| {
        let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
        let tree =
            open_tree(CWD, folder, flags).tried(|| format!("open control group {}", folder.display()))?;
        Ok((name.clone(), tree))
    });
    opened.collect()
}

/// Mounts everything, in the order in which it stands there.
pub(super) fn mount_all(mounts: &[Mount], sources: Sources) -> Outcome {
    for (mount, source) in mounts.iter().zip(sources.0) {
        match source {
            Source::Bind(source) => place_bind(mount, &source)?,
            Source::Groups(groups) => mount_groups(mount, &groups)?,
            Source::None => {
                let made = file_system(mount, mount.kind.as_deref().unwrap_or_default(), &[])?;
                put(&made, &mount.destination, Missing::Folder)?;
            }
        }
    }
    Ok(())
}

/// A folder or file of the host, with all that is mounted below if that is wished, as a mount of its own.
fn bind(mount: &Mount, options: &Options) -> Outcome<OwnedFd> {
    let source = mount.source.as_deref().unwrap_or(Path::new(""));
    let recursive = if options.is_recursive { OpenTreeFlags::AT_RECURSIVE } else { OpenTreeFlags::empty() };
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | recursive;
    let tree = open_tree(CWD, source, flags).tried(|| format!("open {} to mount it", source.display()))?;
    let (set, clear) = (options.attributes.bits().into(), options.cleared().into());
    sys::set_mount_attributes(tree.as_fd(), set, clear, options.propagation, options.is_recursive)
        .tried(|| format!("set options of the mount of {}", source.display()))?;
    Ok(tree)
}

fn place_bind(mount: &Mount, source: &OwnedFd) -> Outcome {
    let is_folder = fstat(source).map(|found| FileType::from_raw_mode(found.st_mode) == FileType::Directory);
    let is_folder = is_folder.tried(|| format!("look at {}", mount.destination.display()))?;
    put(source, &mount.destination, if is_folder { Missing::Folder } else { Missing::File })
}

/// A new file system of `kind`, mounted nowhere yet.
fn file_system(mount: &Mount, kind: &str, more: &[&str]) -> Outcome<OwnedFd> {
    let options = Options::of(mount)?;
    let what = || format!("mount {kind} on {}", mount.destination.display());
    let context = fsopen(kind, FsOpenFlags::FSOPEN_CLOEXEC).tried(what)?;
    let said = |failure: Failure| Failure { what: with_words_of(&context, failure.what), ..failure };
    let source = mount.source.as_deref().unwrap_or(Path::new(kind));
    fsconfig_set_string(context.as_fd(), "source", source).tried(what)?;
    for option in options.data.iter().map(String::as_str).chain(more.iter().copied()) {
        let set = match option.split_once('=') {
            Some((key, value)) => fsconfig_set_string(context.as_fd(), key, value),
            None => fsconfig_set_flag(context.as_fd(), option),
        };
        set.tried(|| format!("{} with {option}", what())).map_err(said)?;
    }
    fsconfig_create(context.as_fd()).tried(what).map_err(said)?;
    fsmount(context.as_fd(), FsMountFlags::FSMOUNT_CLOEXEC, options.attributes).tried(what).map_err(said)
}

/// What the kernel has to say about a file system that it did not make (fsopen(2): read from its descriptor).
fn with_words_of(context: &OwnedFd, what: String) -> String {
    let mut words = [0_u8; 512];
    match rustix::io::read(context, words.as_mut_slice()) {
        Ok(length) if length > 2 => {
            let said = String::from_utf8_lossy(&words[2..length]);
            format!("{what} ({})", said.trim())
        }
        _ => what,
    }
}

/// Control groups below one folder: the only hierarchy of v2, or the container's own group in each that it is in.
fn mount_groups(mount: &Mount, groups: &[(String, OwnedFd)]) -> Outcome {
    let what = || format!("mount control groups on {}", mount.destination.display());
    if groups.is_empty() {
        let bare = Mount { options: without_data(&mount.options), ..mount.clone() };
        let made = file_system(&bare, "cgroup2", &[])?;
        return put(&made, &mount.destination, Missing::Folder);
    }
    // Writable until the folders are there.
    let writable = mount.options.iter().filter(|option| *option != "ro").cloned().collect::<Vec<_>>();
    let frame = Mount { options: without_data(&writable), ..mount.clone() };
    let made = file_system(&frame, "tmpfs", &["mode=755", "size=64k"])?;
    put(&made, &mount.destination, Missing::Folder)?;
    let attributes = Options::of(mount)?.attributes.bits().into();
    for (name, folder) in groups {
        sys::set_mount_attributes(folder.as_fd(), attributes, 0, libc::MS_PRIVATE, false).tried(what)?;
        put(folder, &mount.destination.join(name), Missing::Folder)?;
    }
    sys::set_mount_attributes(made.as_fd(), attributes, 0, 0, false).tried(what)
}

/// Options that are the mount's, not the file system's.
fn without_data(options: &[String]) -> Vec<String> {
    options.iter().filter(|option| !option.contains('=')).cloned().collect()
}

/// Puts a mount where it belongs.
fn put(mount: &OwnedFd, destination: &Path, missing: Missing) -> Outcome {
    let what = || format!("mount on {}", destination.display());
    let target =
        find_or_make(destination, missing)?.ok_or_else(|| Failure::new(what(), rustix::io::Errno::NOENT))?;
    // What is mounted over parts of /proc could be taken for the kernel's own by whoever prepares this container.
    let on_proc = fstatfs(&target).tried(what)?.f_type as u64 == PROC;
    if on_proc && !is_proc_root(&target).tried(what)? {
        return Err(Failure::new(format!("{}: that is within /proc", what()), rustix::io::Errno::PERM));
    }
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    move_mount(mount, "", &target, "", flags).tried(what)
}

/// Whether it is the root of a proc file system, whose inode number the kernel sets to 1.
fn is_proc_root(target: &OwnedFd) -> rustix::io::Result<bool> {
    Ok(fstat(target)?.st_ino == 1)
}

/// An empty folder that nobody can write to, to be laid over others; mounted nowhere yet.
pub(super) fn empty_folder() -> Outcome<OwnedFd> {
    let options = ["ro", "nosuid", "nodev", "noexec", "size=4k", "mode=555"].map(str::to_owned);
    let mount = Mount { destination: "masked paths".into(), options: options.into(), ..Mount::default() };
    file_system(&mount, "tmpfs", &[])
}

/// A copy of what is mounted at a descriptor, or of a file: a mount of its own.
pub(super) fn copy(of: &OwnedFd, recursive: bool) -> rustix::io::Result<OwnedFd> {
    let recursive = if recursive { OpenTreeFlags::AT_RECURSIVE } else { OpenTreeFlags::empty() };
    let flags = OpenTreeFlags::OPEN_TREE_CLONE
        | OpenTreeFlags::OPEN_TREE_CLOEXEC
        | OpenTreeFlags::AT_EMPTY_PATH
        | recursive;
    open_tree(of, "", flags)
}

/// Puts a mount over a descriptor of [`find_or_make`].
pub(super) fn cover(target: &OwnedFd, with: &OwnedFd) -> rustix::io::Result<()> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    move_mount(with, "", target, "", flags)
}

/// A file of the container, for mounting only.
pub(super) fn open_path(path: &str) -> rustix::io::Result<OwnedFd> {
    openat(CWD, path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())
}

pub(super) const READ_ONLY: MountAttrFlags = MountAttrFlags::MOUNT_ATTR_RDONLY;
