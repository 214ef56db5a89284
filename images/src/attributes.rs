//! Owner, mode, times and extended attributes of a file, as an entry of an archive tells them.

use crate::entries::Entry;
use crate::fault::Fault;
use rustix::fs::{Gid, Mode, Timespec, Timestamps, Uid, XattrFlags};
use rustix::io::Errno;
use std::io::Read;
use std::os::fd::OwnedFd;

const XATTR: &str = "SCHILY.xattr.";

/// What is known of a file besides its content.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Attributes {
    pub(crate) owner: u32,
    pub(crate) group: u32,
    pub(crate) mode: u32,
    pub(crate) modified: Timespec,
    pub(crate) xattrs: Vec<(String, Vec<u8>)>,
}

impl Attributes {
    /// Those of a folder that no entry describes. Always the same ones, for a layer is the same wherever it is unpacked.
    pub(crate) const fn of_unnamed_folder() -> Self {
        let modified = Timespec { tv_sec: 0, tv_nsec: 0 };
        Self { owner: 0, group: 0, mode: crate::beneath::FOLDER_MODE, modified, xattrs: Vec::new() }
    }

    pub(crate) fn read<R: Read>(entry: &mut Entry<'_, '_, R>) -> Result<Self, Fault> {
        let header = entry.header();
        let id = |value: std::io::Result<u64>, name| {
            // The highest number means "leave it as it is" to the kernel.
            let value = value.ok().and_then(|value| u32::try_from(value).ok());
            value.filter(|value| *value != u32::MAX).ok_or(Fault::Number(name))
        };
        let mut attributes = Self {
            owner: id(header.uid(), "uid")?,
            group: id(header.gid(), "gid")?,
            mode: header.mode().map_err(|_| Fault::Number("mode"))? & 0o7777,
            modified: header_time(header)?,
            xattrs: Vec::new(),
        };
        for (key, value) in entry.records()? {
            if key == "mtime" {
                attributes.modified = parse_time(&value).ok_or(Fault::Number("mtime"))?;
            } else if let Some(name) = key.strip_prefix(XATTR)
                && is_kept(name)?
            {
                attributes.xattrs.push((name.to_owned(), value));
            }
        }
        Ok(attributes)
    }

    pub(crate) fn times(&self) -> Timestamps {
        Timestamps { last_access: self.modified, last_modification: self.modified }
    }

    pub(crate) fn ids(&self) -> (Option<Uid>, Option<Gid>) {
        (Some(Uid::from_raw(self.owner)), Some(Gid::from_raw(self.group)))
    }

    /// Owner, mode and attributes of an open file or folder, in this order: a new owner takes away capabilities and the
    /// right to act as another.
    pub(crate) fn apply(&self, file: &OwnedFd) -> Result<(), Fault> {
        let (owner, group) = self.ids();
        rustix::fs::fchown(file, owner, group).map_err(|e| Fault::Write("give it its owner", e.into()))?;
        rustix::fs::fchmod(file, Mode::from_raw_mode(self.mode))
            .map_err(|e| Fault::Write("give it its mode", e.into()))?;
        for (name, value) in &self.xattrs {
            rustix::fs::fsetxattr(file, name.as_str(), value, XattrFlags::empty())
                .map_err(|e| Fault::KeepAttribute { name: name.clone(), source: e.into() })?;
        }
        Ok(())
    }
}

/// Capabilities are part of a program, `user` attributes part of what people write. Labels of SELinux or IMA belong to the
/// machine where the image was made, and lists of access to its users: they are left out, as docker does. What overlayfs
/// reads may not come from outside: it would lead to other places of the layers.
fn is_kept(name: &str) -> Result<bool, Fault> {
    if name.starts_with("trusted.") || name.starts_with("user.overlay.") || name.contains('\0') {
        return Err(Fault::Attribute(name.to_owned()));
    }
    Ok(name == "security.capability" || name.starts_with("user."))
}

fn header_time(header: &tar::Header) -> Result<Timespec, Fault> {
    let seconds = header.mtime().map_err(|_| Fault::Number("mtime"))?;
    // Numbers in base 256 may be negative, which the crate does not tell.
    let seconds = i64::from_ne_bytes(seconds.to_ne_bytes());
    checked(Timespec { tv_sec: seconds, tv_nsec: 0 }).ok_or(Fault::Number("mtime"))
}

/// `-12.345`: seconds with a fraction of any length.
fn parse_time(value: &[u8]) -> Option<Timespec> {
    let text = std::str::from_utf8(value).ok()?;
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_negative = seconds.starts_with('-');
    let seconds: i64 = seconds.parse().ok()?;
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits: String = fraction.chars().chain(std::iter::repeat('0')).take(9).collect();
    let nanoseconds: i64 = digits.parse().ok()?;
    checked(if is_negative && nanoseconds > 0 {
        Timespec { tv_sec: seconds.checked_sub(1)?, tv_nsec: (1_000_000_000 - nanoseconds) as _ }
    } else {
        Timespec { tv_sec: seconds, tv_nsec: nanoseconds as _ }
    })
}

/// Times that file systems know; what is beyond would be changed in silence.
fn checked(time: Timespec) -> Option<Timespec> {
    const LIMIT: i64 = 1 << 40;
    (-LIMIT..LIMIT).contains(&time.tv_sec).then_some(time)
}

/// Marks a folder so that overlayfs shows nothing that lower layers have in it.
pub(crate) fn make_opaque(folder: &OwnedFd) -> Result<(), Fault> {
    let set = |error: Errno| Fault::MarkRemoved(error.into());
    rustix::fs::fsetxattr(folder, OPAQUE, b"y", XattrFlags::empty()).map_err(set)
}

/// What overlayfs looks for in a folder of a layer.
pub(crate) const OPAQUE: &str = "trusted.overlay.opaque";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_keeps_its_fraction_and_its_sign() {
        let time = |text: &str| parse_time(text.as_bytes()).map(|time| (time.tv_sec, time.tv_nsec));
        assert_eq!(time("1700000000.5"), Some((1_700_000_000, 500_000_000)));
        assert_eq!(time("1700000000.1234567899"), Some((1_700_000_000, 123_456_789)));
        assert_eq!(time("-1.25"), Some((-2, 750_000_000)));
        assert_eq!(time("-0.25"), Some((-1, 750_000_000)));
        for wrong in ["", "x", "1.x", "99999999999999999", "1e9"] {
            assert_eq!(time(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn no_attribute_of_overlayfs_comes_from_outside() {
        assert!(is_kept("security.capability").unwrap());
        assert!(is_kept("user.note").unwrap());
        assert!(!is_kept("security.selinux").unwrap());
        for name in
            ["trusted.overlay.redirect", "trusted.overlay.opaque", "user.overlay.metacopy", "trusted.x"]
        {
            assert!(is_kept(name).is_err(), "{name}");
        }
    }
}
