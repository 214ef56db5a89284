//! The files of an archive or folder that images come in, each in a file of its own below `tmp`, with its digest.
//!
//! A stream cannot be read twice, and tells what its files are only at its end. What is a layer becomes part of the
//! store by a hard link, so nothing is copied again. The names in the archive are never names of files here.

use crate::digest::{Digest, Hashing};
use crate::entries::{EntryPath, Kind, walk};
use crate::fault::{EntryName, Fault, RefusedEntry};
use crate::limits::{LONGEST_DOCUMENT, Meter};
use crate::packed;
use crate::staging::Staging;
use rustix::fs::{OFlags, ResolveFlags};
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Links of an archive that follow each other; docker's have one.
const LONGEST_CHAIN: usize = 16;

/// A file that images come in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Spooled {
    pub(crate) path: PathBuf,
    pub(crate) digest: Digest,
    pub(crate) size: u64,
}

enum Member {
    File(Spooled),
    Link(EntryPath),
}

/// All files, by their names.
pub(crate) struct Spool<'s> {
    /// What people call the archive.
    pub(crate) archive: String,
    members: HashMap<EntryPath, Member>,
    folder: Option<PathBuf>,
    staging: &'s Staging<'s>,
    meter: &'s Meter,
}

impl<'s> Spool<'s> {
    /// Reads a stream to its end.
    pub(crate) fn of_stream(
        source: Box<dyn Read>,
        archive: &str,
        staging: &'s Staging<'s>,
        meter: &'s Meter,
    ) -> Result<Self, RefusedEntry> {
        let mut spool =
            Self { archive: archive.to_owned(), members: HashMap::new(), folder: None, staging, meter };
        spool.read(source).map_err(|(entry, fault)| spool.refused(entry, fault))?;
        Ok(spool)
    }

    /// Reads a folder, as far as it is asked for.
    pub(crate) fn of_folder(folder: &Path, staging: &'s Staging<'s>, meter: &'s Meter) -> Self {
        let archive = folder.display().to_string();
        Self { archive, members: HashMap::new(), folder: Some(folder.to_owned()), staging, meter }
    }

    pub(crate) fn refused(&self, entry: EntryName, fault: Fault) -> RefusedEntry {
        RefusedEntry { archive: self.archive.clone(), entry, fault }
    }

    fn read(&mut self, source: Box<dyn Read>) -> Result<(), (EntryName, Fault)> {
        let first = |error| (EntryName::First, Fault::reading(error));
        let (_, source) = packed::Unpacked::new(source, self.meter).map_err(first)?;
        let (staging, meter) = (self.staging, self.meter);
        walk(source, meter, |entry| {
            let member = match entry.kind {
                Kind::File => Member::File(copy(entry, &staging.fresh(), meter)?),
                Kind::Symlink => Member::Link(beside(&entry.path, &entry.target()?)?),
                Kind::HardLink => {
                    let target = EntryPath::parse(&entry.target()?);
                    Member::Link(target.map_err(|fault| Fault::Target(Box::new(fault)))?)
                }
                Kind::Folder => return Ok(()),
                Kind::Device => return Err(Fault::Device),
                Kind::Fifo => return Err(Fault::Kind(b'6')),
            };
            // The last of a name counts, as if it were unpacked.
            if let Some(Member::File(former)) = self.members.insert(entry.path.clone(), member) {
                fs::remove_file(&former.path).map_err(|e| Fault::Write("remove what it replaces", e))?;
            }
            Ok(())
        })?;
        Ok(())
    }

    /// The file of a name, if there is one.
    pub(crate) fn find(&mut self, name: &str) -> Result<Option<Spooled>, RefusedEntry> {
        let named = EntryName::Of(name.as_bytes().to_vec());
        let path = EntryPath::parse(name.as_bytes()).map_err(|fault| self.refused(named.clone(), fault))?;
        let mut place = &path;
        for _ in 0..LONGEST_CHAIN {
            match self.members.get(place) {
                Some(Member::File(file)) => return Ok(Some(file.clone())),
                Some(Member::Link(target)) => place = target,
                None => match &self.folder {
                    Some(folder) => {
                        let folder = folder.clone();
                        return self.fetch(&folder, path).map_err(|fault| self.refused(named, fault));
                    }
                    None => return Ok(None),
                },
            }
        }
        Err(self.refused(named, Fault::Read(io::Error::other("its links go in a circle"))))
    }

    /// Copies a file of the folder.
    fn fetch(&mut self, folder: &Path, path: EntryPath) -> Result<Option<Spooled>, Fault> {
        let root = File::open(folder).map_err(Fault::Read)?;
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        // A named pipe would be waited for.
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let opened = rustix::fs::openat2(&root, path.as_path(), flags, rustix::fs::Mode::empty(), resolve);
        let mut file = match opened {
            Ok(file) => File::from(file),
            Err(rustix::io::Errno::NOENT) => return Ok(None),
            Err(error) => return Err(Fault::Read(error.into())),
        };
        if !file.metadata().map_err(Fault::Read)?.is_file() {
            return Err(Fault::Read(io::Error::other("it is no file")));
        }
        let spooled = copy(&mut file, &self.staging.fresh(), self.meter)?;
        self.members.insert(path, Member::File(spooled.clone()));
        Ok(Some(spooled))
    }

    /// The text of a file that describes others.
    pub(crate) fn document(&mut self, name: &str) -> Result<Option<(Spooled, Vec<u8>)>, RefusedEntry> {
        let Some(file) = self.find(name)? else { return Ok(None) };
        let read = || {
            if file.size > LONGEST_DOCUMENT {
                let limit = LONGEST_DOCUMENT;
                return Err(Fault::Limit(crate::limits::LimitExceeded::Bytes { limit }));
            }
            fs::read(&file.path).map_err(Fault::Read)
        };
        let text = read().map_err(|fault| self.refused(EntryName::Of(name.as_bytes().to_vec()), fault))?;
        Ok(Some((file, text)))
    }
}

/// Copies to a new file, within the limits.
pub(crate) fn copy(source: &mut impl Read, path: &Path, meter: &Meter) -> Result<Spooled, Fault> {
    let file = File::create_new(path).map_err(|e| Fault::Write("make a file for it", e))?;
    let mut file = Hashing::new(file);
    let mut buffer = vec![0; 128 << 10];
    loop {
        let count = match source.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Fault::reading(error)),
        };
        meter.charge(count as u64)?;
        file.write_all(&buffer[..count]).map_err(|e| Fault::Write("keep it", e))?;
    }
    let (digest, size, _) = file.finish();
    Ok(Spooled { path: path.to_owned(), digest, size })
}

/// Where a symbolic link leads, by words alone: docker's lead to `../HEX/layer.tar`.
fn beside(link: &EntryPath, target: &[u8]) -> Result<EntryPath, Fault> {
    let refused = |fault| Fault::Target(Box::new(fault));
    let mut words: Vec<&[u8]> =
        link.as_path().parent().into_iter().flatten().map(|name| name.as_bytes()).collect();
    if target.starts_with(b"/") {
        return Err(refused(Fault::Absolute));
    }
    for word in target.split(|byte| *byte == b'/') {
        match word {
            b"" | b"." => {}
            b".." => drop(words.pop().ok_or_else(|| refused(Fault::Upward))?),
            name => words.push(name),
        }
    }
    EntryPath::parse(&words.join(b"/".as_slice())).map_err(refused)
}
