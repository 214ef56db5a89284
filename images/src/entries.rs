//! Walk through a tar from its beginning to its end, without trust and without going back.
//!
//! The crate `tar` knows the formats (ustar, GNU, PAX; long names, large numbers, sparse files). It holds a name in memory
//! however long that is: [`Gate`] limits what may be read between two contents.

use crate::fault::{EntryName, Fault};
use crate::limits::{LONGEST_HEADER, LimitExceeded, Meter};
use std::cell::Cell;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};
use tar::EntryType;

/// What an entry is, by what the type in its header says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    File,
    Folder,
    Symlink,
    HardLink,
    Fifo,
    Device,
}

/// A path below a root: nothing but names. Empty is the root itself.
#[derive(Clone, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) struct EntryPath(PathBuf);

impl EntryPath {
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, Fault> {
        use std::os::unix::ffi::OsStrExt;
        if bytes.contains(&0) {
            return Err(Fault::Nul("path"));
        }
        if bytes.is_empty() {
            return Err(Fault::NoName);
        }
        let path = Path::new(std::ffi::OsStr::from_bytes(bytes));
        // Some tools name the root itself so.
        if bytes.iter().all(|byte| *byte == b'/') {
            return Ok(Self::default());
        }
        let mut names = PathBuf::new();
        for component in path.components() {
            match component {
                Component::Normal(name) => names.push(name),
                Component::CurDir => {}
                Component::ParentDir => return Err(Fault::Upward),
                Component::RootDir | Component::Prefix(_) => return Err(Fault::Absolute),
            }
        }
        Ok(Self(names))
    }

    pub(crate) fn as_path(&self) -> &Path {
        &self.0
    }
}

/// Lets pass what is content, and little of what is not.
pub(crate) struct Gate<'g, R> {
    inner: R,
    allowance: &'g Cell<Option<u64>>,
}

impl<R: Read> Read for Gate<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        if let Some(left) = self.allowance.get() {
            let Some(left) = left.checked_sub(count as u64) else {
                return Err(LimitExceeded::Header { limit: LONGEST_HEADER }.into());
            };
            self.allowance.set(Some(left));
        }
        Ok(count)
    }
}

/// One entry of an archive, whose content can be read.
pub(crate) struct Entry<'e, 'a, R: Read> {
    inner: &'e mut tar::Entry<'a, R>,
    left: u64,
    /// What it is.
    pub(crate) kind: Kind,
    /// Where it goes.
    pub(crate) path: EntryPath,
}

impl<R: Read> Read for Entry<'_, '_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.left -= (count as u64).min(self.left);
        // The crate takes the end of the stream for the end of the entry.
        if count == 0 && self.left > 0 && !buffer.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(count)
    }
}

impl<R: Read> Entry<'_, '_, R> {
    pub(crate) fn header(&self) -> &tar::Header {
        self.inner.header()
    }

    /// What a link says, byte for byte.
    pub(crate) fn target(&self) -> Result<Vec<u8>, Fault> {
        let target = self.inner.link_name_bytes().unwrap_or_default().into_owned();
        match target {
            _ if target.contains(&0) => Err(Fault::Nul("target")),
            _ if target.is_empty() => Err(Fault::EmptyTarget),
            _ => Ok(target),
        }
    }

    /// The records of the PAX header before it.
    pub(crate) fn records(&mut self) -> Result<Vec<(String, Vec<u8>)>, Fault> {
        let Some(extensions) = self.inner.pax_extensions().map_err(Fault::reading)? else {
            return Ok(Vec::new());
        };
        let record = |record: io::Result<tar::PaxExtension<'_>>| {
            let record = record.map_err(Fault::Read)?;
            Ok((String::from_utf8_lossy(record.key_bytes()).into_owned(), record.value_bytes().to_vec()))
        };
        extensions.map(record).collect()
    }
}

/// Calls `visit` for every entry, and reads on to the end of the stream.
pub(crate) fn walk<R: Read>(
    source: R,
    meter: &Meter,
    mut visit: impl FnMut(&mut Entry<'_, '_, Gate<'_, R>>) -> Result<(), Fault>,
) -> Result<R, (EntryName, Fault)> {
    let allowance = Cell::new(Some(LONGEST_HEADER));
    let mut archive = tar::Archive::new(Gate { inner: source, allowance: &allowance });
    let mut place = EntryName::First;
    let entries = archive.entries().map_err(|error| (EntryName::First, Fault::reading(error)))?;
    for entry in entries {
        allowance.set(None);
        let mut entry = entry.map_err(|error| (place.clone(), Fault::reading(error)))?;
        let name = entry.path_bytes().into_owned();
        step(&mut entry, &name, meter, &mut visit).map_err(|fault| (EntryName::Of(name.clone()), fault))?;
        place = EntryName::After(name);
        allowance.set(Some(LONGEST_HEADER));
    }
    let mut source = archive.into_inner().inner;
    // Zeros mostly; they belong to the digest.
    drain(&mut source, meter).map_err(|fault| (place, fault))?;
    Ok(source)
}

fn step<R: Read>(
    entry: &mut tar::Entry<'_, R>,
    name: &[u8],
    meter: &Meter,
    visit: &mut impl FnMut(&mut Entry<'_, '_, R>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    meter.charge_entry()?;
    if !entry.header().entry_type().is_pax_global_extensions() {
        let kind = kind(entry.header().entry_type(), name)?;
        let path = EntryPath::parse(name)?;
        let mut entry = Entry { left: entry.size(), inner: entry, kind, path };
        if entry.records()?.iter().any(|(key, _)| key.starts_with("GNU.sparse.")) {
            return Err(Fault::PaxSparse);
        }
        return visit(&mut entry).and_then(|()| drain(&mut entry, meter));
    }
    // What nobody read is skipped here, where it is no header.
    drain(entry, meter)?;
    Ok(())
}

/// Reads to the end, within the limits.
fn drain(source: &mut impl Read, meter: &Meter) -> Result<(), Fault> {
    let limit = meter.limits().bytes;
    let rest = io::copy(&mut source.by_ref().take(limit.saturating_add(1)), &mut io::sink());
    if rest.map_err(Fault::reading)? > limit { Err(LimitExceeded::Bytes { limit }.into()) } else { Ok(()) }
}

fn kind(kind: EntryType, name: &[u8]) -> Result<Kind, Fault> {
    Ok(match kind {
        // The oldest format has no other way to say so.
        EntryType::Regular if name.ends_with(b"/") => Kind::Folder,
        EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => Kind::File,
        EntryType::Directory => Kind::Folder,
        EntryType::Symlink => Kind::Symlink,
        EntryType::Link => Kind::HardLink,
        EntryType::Fifo => Kind::Fifo,
        EntryType::Char | EntryType::Block => Kind::Device,
        other => return Err(Fault::Kind(other.as_byte())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &[u8]) -> Result<PathBuf, String> {
        EntryPath::parse(text).map(|path| path.0).map_err(|fault| fault.to_string())
    }

    #[test]
    fn a_path_is_names_below_the_root_or_refused() {
        assert_eq!(path(b"./usr//bin/./env/"), Ok("usr/bin/env".into()));
        for root in [b".".as_slice(), b"./", b"/", b"//"] {
            assert_eq!(path(root), Ok(PathBuf::new()), "{}", root.escape_ascii());
        }
        assert_eq!(path(b"/etc/passwd"), Err("its path is absolute".into()));
        for upward in [b"..".as_slice(), b"a/../../b", b"a/..", b"./.."] {
            assert_eq!(
                path(upward),
                Err("its path leads upward with \"..\"".into()),
                "{}",
                upward.escape_ascii()
            );
        }
        assert!(path(b"").is_err());
        assert!(path(b"a\0b").is_err());
        assert!(path(b"..a/a..b/...").is_ok());
    }
}
