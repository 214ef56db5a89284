//! A layer's tar becomes a folder that overlayfs can stack: what lower layers lose is a character device 0:0 or an opaque
//! folder.
//!
//! Every path is taken below the descriptor of the root, through no symbolic link (`openat2`): an entry cannot
//! name anything outside, whatever the entries before it have made. What an entry replaces goes first, so nothing is ever
//! written through a hard link either.

use crate::attributes::{Attributes, make_opaque};
use crate::beneath::{Beneath, is_folder, is_whiteout, look, remove_all};
use crate::entries::{Entry, EntryPath, Kind, walk};
use crate::fault::{EntryName, Fault};
use crate::limits::Meter;
use rustix::fs::{AtFlags, Dev, FileType, Mode, OFlags, Timestamps};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// What a layer became.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Tally {
    /// Bytes of the contents of files.
    pub(crate) bytes: u64,
    /// Entries of the archive.
    pub(crate) entries: u64,
}

/// Unpacks the entries of a tar into a folder that is there and empty, and returns the reader at its end.
pub(crate) fn unpack<R: Read>(
    source: R,
    root: &Path,
    meter: &Meter,
) -> Result<(Tally, R), (EntryName, Fault)> {
    let begin = |error| (EntryName::First, Fault::Write("open the folder to unpack into", error));
    let root = Beneath::open(root).map_err(begin)?;
    let mut layer =
        Layer { root, folders: Vec::new(), done: Tally::default(), meter, buffer: vec![0; 64 << 10] };
    let implied = Attributes::of_unnamed_folder();
    layer.folder(Path::new(""), &implied).map_err(|fault| (EntryName::First, fault))?;
    let source = walk(source, meter, |entry| layer.place(entry))?;
    layer.finish().map_err(|(path, fault)| (EntryName::Of(path.into_os_string().into_vec()), fault))?;
    Ok((layer.done, source))
}

struct Layer<'m> {
    root: Beneath,
    /// Times of folders: they change with every entry below, so they are set last.
    folders: Vec<(PathBuf, Timestamps)>,
    done: Tally,
    meter: &'m Meter,
    /// For contents: a layer has many small files.
    buffer: Vec<u8>,
}

/// What the name of an entry means.
enum Meaning<'n> {
    /// The file of that name.
    Itself,
    /// Lower layers' file of this name is removed.
    Removes(&'n OsStr),
    /// All that lower layers have in the folder is removed.
    HidesAll,
    /// A note of aufs for itself.
    Nothing,
}

fn meaning(name: &OsStr) -> Result<Meaning<'_>, Fault> {
    let Some(rest) = name.as_bytes().strip_prefix(b".wh.") else { return Ok(Meaning::Itself) };
    match rest {
        b".wh..opq" => Ok(Meaning::HidesAll),
        _ if rest.starts_with(b".wh.") => Ok(Meaning::Nothing),
        b"" | b"." | b".." => Err(Fault::Whiteout(String::from_utf8_lossy(rest).into_owned())),
        _ => Ok(Meaning::Removes(OsStr::from_bytes(rest))),
    }
}

impl Layer<'_> {
    fn place<R: Read>(&mut self, entry: &mut Entry<'_, '_, R>) -> Result<(), Fault> {
        self.done.entries += 1;
        let path = entry.path.as_path().to_owned();
        let Some(name) = path.file_name() else {
            let attributes = Attributes::read(entry)?;
            return if entry.kind == Kind::Folder {
                self.folder(&path, &attributes)
            } else {
                Err(Fault::Root)
            };
        };
        if entry.kind == Kind::Device {
            return Err(Fault::Device);
        }
        let place = path.parent().unwrap_or(Path::new(""));
        match meaning(name)? {
            Meaning::Nothing => return Ok(()),
            Meaning::HidesAll => return self.hide_all(place),
            Meaning::Removes(name) => return self.remove_below(place, name),
            Meaning::Itself => {}
        }
        let attributes = Attributes::read(entry)?;
        match entry.kind {
            Kind::Folder => self.folder(&path, &attributes),
            Kind::File => self.file(entry, place, name, &attributes),
            Kind::Symlink => self.symlink(&entry.target()?, place, name, &attributes),
            Kind::HardLink => self.hard_link(&entry.target()?, &path, place, name),
            Kind::Fifo => self.fifo(place, name, &attributes),
            Kind::Device => Err(Fault::Device),
        }
    }

    /// The folder where an entry goes, made where no entry described it.
    fn enter(&mut self, path: &Path) -> Result<Rc<OwnedFd>, Fault> {
        match self.root.folder(path) {
            Ok(folder) => return Ok(folder),
            Err(Errno::NOENT | Errno::NOTDIR) => {}
            Err(error) => return Err(self.root.explain(path, error)),
        }
        let mut way = PathBuf::new();
        for name in path {
            let folder = self.root.folder(&way).map_err(|error| self.root.explain(&way, error))?;
            way.push(name);
            match look(&folder, name).map_err(|e| Fault::Write("look at its folder", e.into()))? {
                None => self.folder(&way, &Attributes::of_unnamed_folder())?,
                Some(stat) if is_whiteout(&stat) => {
                    self.folder(&way, &Attributes::of_unnamed_folder())?;
                }
                Some(_) => {}
            }
        }
        self.root.folder(path).map_err(|error| self.root.explain(path, error))
    }

    /// Takes away what an entry replaces. Returns whether that was a mark of removal.
    fn clear(&mut self, folder: &OwnedFd, name: &OsStr) -> Result<bool, Fault> {
        let replace = |error: Errno| Fault::Write("replace what an entry before it made", error.into());
        let Some(stat) = look(folder, name).map_err(replace)? else { return Ok(false) };
        self.root.forget();
        remove_all(folder, name).map_err(replace)?;
        Ok(is_whiteout(&stat))
    }

    fn folder(&mut self, path: &Path, attributes: &Attributes) -> Result<(), Fault> {
        if let (Some(place), Some(name)) = (path.parent(), path.file_name()) {
            let folder = self.enter(place)?;
            let found = look(&folder, name).map_err(|e| Fault::Write("look at its place", e.into()))?;
            if !found.as_ref().is_some_and(is_folder) {
                // A folder where lower layers' one was removed shows none of theirs.
                let is_opaque = self.clear(&folder, name)?;
                rustix::fs::mkdirat(&folder, name, Mode::RWXU)
                    .map_err(|e| Fault::Write("make the folder", e.into()))?;
                if is_opaque {
                    make_opaque(&self.open_folder(path)?)?;
                }
            }
        }
        attributes.apply(&self.open_folder(path)?)?;
        self.folders.push((path.to_owned(), attributes.times()));
        Ok(())
    }

    fn open_folder(&self, path: &Path) -> Result<OwnedFd, Fault> {
        self.root
            .open_at(path, OFlags::RDONLY | OFlags::DIRECTORY)
            .map_err(|error| self.root.explain(path, error))
    }

    fn file<R: Read>(
        &mut self,
        entry: &mut Entry<'_, '_, R>,
        place: &Path,
        name: &OsStr,
        attributes: &Attributes,
    ) -> Result<(), Fault> {
        let folder = self.enter(place)?;
        self.clear(&folder, name)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&folder, name, flags, Mode::RUSR | Mode::WUSR)
            .map_err(|e| Fault::Write("make the file", e.into()))?;
        let mut file = File::from(file);
        self.copy(entry, &mut file)?;
        let file = OwnedFd::from(file);
        attributes.apply(&file)?;
        rustix::fs::futimens(&file, &attributes.times())
            .map_err(|e| Fault::Write("give it its time", e.into()))
    }

    fn copy(&mut self, source: &mut impl Read, file: &mut File) -> Result<(), Fault> {
        loop {
            let count = match source.read(&mut self.buffer) {
                Ok(0) => return Ok(()),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Fault::reading(error)),
            };
            self.meter.charge(count as u64)?;
            self.done.bytes += count as u64;
            file.write_all(&self.buffer[..count]).map_err(|e| Fault::Write("write the file", e))?;
        }
    }

    fn symlink(
        &mut self,
        target: &[u8],
        place: &Path,
        name: &OsStr,
        attributes: &Attributes,
    ) -> Result<(), Fault> {
        let folder = self.enter(place)?;
        self.clear(&folder, name)?;
        rustix::fs::symlinkat(OsStr::from_bytes(target), &folder, name)
            .map_err(|e| Fault::Write("make the symbolic link", e.into()))?;
        Self::dress(&folder, name, attributes)
    }

    fn fifo(&mut self, place: &Path, name: &OsStr, attributes: &Attributes) -> Result<(), Fault> {
        let folder = self.enter(place)?;
        self.clear(&folder, name)?;
        let failed = |e: Errno| Fault::Write("make the named pipe", e.into());
        rustix::fs::mknodat(&folder, name, FileType::Fifo, Mode::RUSR, 0).map_err(failed)?;
        Self::dress(&folder, name, attributes)?;
        // Nothing else is here that could be a link, nor anybody who could replace it.
        rustix::fs::chmodat(&folder, name, Mode::from_raw_mode(attributes.mode), AtFlags::empty())
            .map_err(failed)
    }

    /// Owner and time of what cannot be opened.
    fn dress(folder: &OwnedFd, name: &OsStr, attributes: &Attributes) -> Result<(), Fault> {
        let (owner, group) = attributes.ids();
        rustix::fs::chownat(folder, name, owner, group, AtFlags::SYMLINK_NOFOLLOW)
            .map_err(|e| Fault::Write("give it its owner", e.into()))?;
        rustix::fs::utimensat(folder, name, &attributes.times(), AtFlags::SYMLINK_NOFOLLOW)
            .map_err(|e| Fault::Write("give it its time", e.into()))
    }

    fn hard_link(&mut self, target: &[u8], path: &Path, place: &Path, name: &OsStr) -> Result<(), Fault> {
        let target = EntryPath::parse(target).map_err(|fault| Fault::Target(Box::new(fault)))?;
        let target = target.as_path();
        let missing = || Fault::NoTarget(target.to_owned());
        let (Some(home), Some(file)) = (target.parent(), target.file_name()) else {
            return Err(Fault::LinkToFolder(target.to_owned()));
        };
        let home = match self.root.folder(home) {
            Ok(folder) => folder,
            Err(Errno::NOENT) => return Err(missing()),
            Err(error) => return Err(Fault::Target(Box::new(self.root.explain(home, error)))),
        };
        match look(&home, file).map_err(|e| Fault::Write("look at its target", e.into()))? {
            None => return Err(missing()),
            Some(stat) if is_whiteout(&stat) => return Err(missing()),
            Some(stat) if is_folder(&stat) => return Err(Fault::LinkToFolder(target.to_owned())),
            Some(_) if target == path => return Ok(()),
            Some(_) => {}
        }
        let folder = self.enter(place)?;
        self.clear(&folder, name)?;
        rustix::fs::linkat(&home, file, &folder, name, AtFlags::empty()).map_err(|error| match error {
            // It was in the folder that this entry has just replaced.
            Errno::NOENT => missing(),
            error => Fault::Write("make the hard link", error.into()),
        })
    }

    /// `.wh.NAME`: what this layer has under the name stays, in whatever order the two come.
    fn remove_below(&mut self, place: &Path, name: &OsStr) -> Result<(), Fault> {
        let folder = self.enter(place)?;
        match look(&folder, name).map_err(|e| Fault::MarkRemoved(e.into()))? {
            Some(stat) if is_folder(&stat) => make_opaque(&self.open_folder(&place.join(name))?),
            Some(_) => Ok(()),
            None => {
                rustix::fs::mknodat(&folder, name, FileType::CharacterDevice, Mode::empty(), Dev::default())
                    .map_err(|e| Fault::MarkRemoved(e.into()))
            }
        }
    }

    fn hide_all(&mut self, place: &Path) -> Result<(), Fault> {
        self.enter(place)?;
        make_opaque(&self.open_folder(place)?)
    }

    fn finish(&self) -> Result<(), (PathBuf, Fault)> {
        for (path, times) in &self.folders {
            match self.root.open_at(path, OFlags::RDONLY | OFlags::DIRECTORY) {
                Ok(folder) => rustix::fs::futimens(&folder, times)
                    .map_err(|e| (path.clone(), Fault::Write("give it its time", e.into())))?,
                // A later entry put something else there.
                Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => {}
                Err(error) => return Err((path.clone(), self.root.explain(path, error))),
            }
        }
        Ok(())
    }
}
