//! A folder becomes the tar of a layer: the way back of `unpack`.
//!
//! The same files give the same bytes: entries are sorted, times are whole seconds, nobody's name is written.

use crate::attributes::OPAQUE;
use crate::beneath::{Beneath, is_whiteout};
use rustix::fs::{FileType, OFlags, Stat};
use rustix::io::Errno;
use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// A folder was not packed.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it all")]
pub enum PackError {
    #[error("open folder {}", path.display())]
    Open { path: PathBuf, source: io::Error },
    #[error("read {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("pack {}: names that begin with .wh. mean that a file is removed", path.display())]
    Reserved { path: PathBuf },
    #[error("pack {}: it became shorter meanwhile", path.display())]
    Shrunk { path: PathBuf },
    #[error("write {} to the archive", path.display())]
    Write { path: PathBuf, source: io::Error },
}

/// What a folder is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Meaning {
    /// All files of a root file system.
    Whole,
    /// What overlayfs wrote on top of other layers: it has marks of what they lost.
    Changes,
}

/// Writes a folder, and returns what cannot be in a layer: sockets and device nodes.
pub(crate) fn pack(folder: &Path, meaning: Meaning, to: impl Write) -> Result<Vec<PathBuf>, PackError> {
    let open = |source| PackError::Open { path: folder.to_owned(), source };
    let root = Beneath::open(folder).map_err(open)?;
    let mut packer = Packer {
        root,
        meaning,
        archive: tar::Builder::new(to),
        linked: HashMap::new(),
        left_out: Vec::new(),
    };
    let mut to_do = vec![PathBuf::new()];
    // A stack, not recursion: folders may lie deeper than a thread's stack.
    while let Some(path) = to_do.pop() {
        let mut below = packer.entry(&path)?;
        below.reverse();
        to_do.extend(below.into_iter().map(|name| path.join(name)));
    }
    let end = |source| PackError::Write { path: folder.to_owned(), source };
    packer.archive.into_inner().and_then(|mut to| to.flush()).map_err(end)?;
    Ok(packer.left_out)
}

struct Packer<W: Write> {
    root: Beneath,
    meaning: Meaning,
    archive: tar::Builder<W>,
    /// Files that have several names, by the first.
    linked: HashMap<(u64, u64), PathBuf>,
    left_out: Vec<PathBuf>,
}

fn reading(path: &Path) -> impl Fn(Errno) -> PackError {
    let path = path.to_owned();
    move |error| PackError::Read { path: path.clone(), source: error.into() }
}

fn writing(path: &Path) -> impl Fn(io::Error) -> PackError {
    let path = path.to_owned();
    move |source| PackError::Write { path: path.clone(), source }
}

impl<W: Write> Packer<W> {
    /// Writes what is at a path; returns the names below it, sorted.
    fn entry(&mut self, path: &Path) -> Result<Vec<OsString>, PackError> {
        let (Some(place), Some(name)) = (path.parent(), path.file_name()) else {
            return self.folder(path, Path::new("./"));
        };
        if name.as_bytes().starts_with(b".wh.") {
            return Err(PackError::Reserved { path: path.to_owned() });
        }
        let folder = self.root.folder(place).map_err(reading(path))?;
        let stat = rustix::fs::statat(&folder, name, rustix::fs::AtFlags::SYMLINK_NOFOLLOW);
        let stat = stat.map_err(reading(path))?;
        let kind = FileType::from_raw_mode(stat.st_mode);
        if kind == FileType::Directory {
            return self.folder(path, path);
        }
        if self.meaning == Meaning::Changes && is_whiteout(&stat) {
            self.mark(&place.join(prefixed(name)))?;
            return Ok(Vec::new());
        }
        if stat.st_nlink > 1 && matches!(kind, FileType::RegularFile | FileType::Symlink | FileType::Fifo) {
            let first = self.linked.entry((stat.st_dev, stat.st_ino)).or_insert_with(|| path.to_owned());
            if first != path {
                let mut header = header(&stat, tar::EntryType::Link);
                self.archive.append_link(&mut header, path, &*first).map_err(writing(path))?;
                return Ok(Vec::new());
            }
        }
        match kind {
            FileType::RegularFile => self.file(path)?,
            FileType::Symlink => {
                let target = rustix::fs::readlinkat(&folder, name, Vec::new()).map_err(reading(path))?;
                self.records(path, &stat, None)?;
                let mut header = header(&stat, tar::EntryType::Symlink);
                let target = Path::new(OsStr::from_bytes(target.as_bytes()));
                self.archive.append_link(&mut header, path, target).map_err(writing(path))?;
            }
            FileType::Fifo => {
                self.records(path, &stat, None)?;
                self.append(path, header(&stat, tar::EntryType::Fifo), io::empty())?;
            }
            _ => self.left_out.push(path.to_owned()),
        }
        Ok(Vec::new())
    }

    fn append(&mut self, path: &Path, mut header: tar::Header, content: impl Read) -> Result<(), PackError> {
        self.archive.append_data(&mut header, path, content).map_err(writing(path))
    }

    fn folder(&mut self, path: &Path, written: &Path) -> Result<Vec<OsString>, PackError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY;
        let folder = self.root.open_at(path, flags).map_err(reading(path))?;
        let stat = rustix::fs::fstat(&folder).map_err(reading(path))?;
        self.records(path, &stat, Some(&folder))?;
        self.append(written, header(&stat, tar::EntryType::Directory), io::empty())?;
        if self.meaning == Meaning::Changes && attribute(&folder, OPAQUE).map_err(reading(path))?.is_some() {
            self.mark(&path.join(".wh..wh..opq"))?;
        }
        let mut names = Vec::new();
        for entry in rustix::fs::Dir::read_from(&folder).map_err(reading(path))? {
            let name = entry.map_err(reading(path))?.file_name().to_bytes().to_vec();
            if name != b"." && name != b".." {
                names.push(OsString::from_vec(name));
            }
        }
        names.sort();
        Ok(names)
    }

    fn file(&mut self, path: &Path) -> Result<(), PackError> {
        let file = self.root.open_at(path, OFlags::RDONLY | OFlags::NONBLOCK).map_err(reading(path))?;
        // Of the file that was opened, in case that it is another one by now.
        let stat = rustix::fs::fstat(&file).map_err(reading(path))?;
        self.records(path, &stat, Some(&file))?;
        let size = stat.st_size.unsigned_abs();
        let mut header = header(&stat, tar::EntryType::Regular);
        header.set_size(size);
        let mut content = Exactly { file: File::from(file).take(size), is_short: false };
        let appended = self.archive.append_data(&mut header, path, &mut content);
        if content.is_short {
            return Err(PackError::Shrunk { path: path.to_owned() });
        }
        appended.map_err(writing(path))
    }

    /// An empty file whose name says it all.
    fn mark(&mut self, path: &Path) -> Result<(), PackError> {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Regular);
        for set in [tar::Header::set_uid, tar::Header::set_gid, tar::Header::set_mtime, tar::Header::set_size]
        {
            set(&mut header, 0);
        }
        header.set_mode(0o600);
        self.append(path, header, io::empty())
    }

    /// What the header has no room for.
    fn records(&mut self, path: &Path, stat: &Stat, file: Option<&OwnedFd>) -> Result<(), PackError> {
        let mut records: Vec<(String, Vec<u8>)> = Vec::new();
        if header_time(stat) != Some(stat.st_mtime) {
            records.push(("mtime".into(), stat.st_mtime.to_string().into_bytes()));
        }
        if let Some(file) = file {
            for name in attributes(file).map_err(reading(path))? {
                if let Some(value) = attribute(file, &name).map_err(reading(path))? {
                    records.push((format!("SCHILY.xattr.{name}"), value));
                }
            }
        }
        if records.is_empty() {
            return Ok(());
        }
        let records = records.iter().map(|(key, value)| (key.as_str(), value.as_slice()));
        self.archive.append_pax_extensions(records).map_err(writing(path))
    }
}

fn prefixed(name: &OsStr) -> OsString {
    let mut mark = OsString::from(".wh.");
    mark.push(name);
    mark
}

/// The time of a file, if it has room in a header.
fn header_time(stat: &Stat) -> Option<i64> {
    (0..1 << 33).contains(&stat.st_mtime).then_some(stat.st_mtime)
}

fn header(stat: &Stat, kind: tar::EntryType) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(stat.st_mode & 0o7777);
    header.set_uid(stat.st_uid.into());
    header.set_gid(stat.st_gid.into());
    header.set_size(0);
    header.set_mtime(header_time(stat).unwrap_or_default().unsigned_abs());
    header
}

/// The names of the attributes that belong to a layer, sorted.
fn attributes(file: &OwnedFd) -> rustix::io::Result<Vec<String>> {
    let mut list = vec![0; 64 << 10];
    let count = match rustix::fs::flistxattr(file, &mut list[..]) {
        Ok(count) => count,
        Err(Errno::OPNOTSUPP) => 0,
        Err(error) => return Err(error),
    };
    let names = list[..count].split(|byte| *byte == 0).filter_map(|name| std::str::from_utf8(name).ok());
    let is_kept = |name: &&str| {
        *name == "security.capability" || (name.starts_with("user.") && !name.starts_with("user.overlay."))
    };
    let mut names: Vec<String> = names.filter(is_kept).map(str::to_owned).collect();
    names.sort();
    Ok(names)
}

fn attribute(file: &OwnedFd, name: &str) -> rustix::io::Result<Option<Vec<u8>>> {
    let mut value = vec![0; 64 << 10];
    match rustix::fs::fgetxattr(file, name, &mut value[..]) {
        Ok(count) => {
            value.truncate(count);
            Ok(Some(value))
        }
        Err(Errno::NODATA | Errno::OPNOTSUPP) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A file that must not become shorter than its header says.
struct Exactly {
    file: io::Take<File>,
    is_short: bool,
}

impl Read for Exactly {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        if count == 0 && self.file.limit() > 0 && !buffer.is_empty() {
            self.is_short = true;
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(count)
    }
}
