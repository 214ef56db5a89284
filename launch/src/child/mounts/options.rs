//! Options of a mount: fstab's words, as attributes of the mount and as data for its file system.

use oci::Mount;
use rustix::mount::MountAttrFlags;

use crate::failure::{Failure, Outcome};

/// What the options of a mount mean.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Options {
    /// Whether it is a folder or file of the host.
    pub(super) is_bind: bool,
    /// Whether what is mounted below comes along.
    pub(super) is_recursive: bool,
    pub(super) attributes: MountAttrFlags,
    /// Attributes that what is bound may have and the container's mount must not.
    cleared: MountAttrFlags,
    /// `MS_PRIVATE` and its kin.
    pub(super) propagation: u64,
    /// What only the file system understands.
    pub(super) data: Vec<String>,
}

impl Options {
    pub(super) fn of(mount: &Mount) -> Outcome<Self> {
        let mut found = Self {
            is_bind: mount.kind.as_deref() == Some("bind"),
            is_recursive: false,
            attributes: MountAttrFlags::empty(),
            cleared: MountAttrFlags::empty(),
            propagation: libc::MS_PRIVATE,
            data: Vec::new(),
        };
        for option in &mount.options {
            found.add(option);
        }
        if found.is_bind && !found.data.is_empty() {
            let what =
                format!("mount on {}: options {:?}", mount.destination.display(), found.data.join(","));
            return Err(Failure::new(what, rustix::io::Errno::INVAL));
        }
        Ok(found)
    }

    /// What mount_setattr(2) is to take away: how times are kept is one field, which is emptied to be set.
    pub(super) fn cleared(&self) -> u32 {
        /// `MOUNT_ATTR__ATIME` of linux/mount.h.
        const TIMES: u32 = 0x70;
        let sets_times = self.attributes.bits() & TIMES != 0;
        self.cleared.bits() | if sets_times { TIMES } else { 0 }
    }

    fn add(&mut self, option: &str) {
        match option {
            "defaults" | "async" | "rw" if !self.is_bind => {}
            "rw" => self.cleared |= MountAttrFlags::MOUNT_ATTR_RDONLY,
            "bind" => self.is_bind = true,
            "rbind" => (self.is_bind, self.is_recursive) = (true, true),
            "private" | "rprivate" => self.propagation = libc::MS_PRIVATE,
            "slave" | "rslave" => self.propagation = libc::MS_SLAVE,
            "shared" | "rshared" => self.propagation = libc::MS_SHARED,
            "unbindable" | "runbindable" => self.propagation = libc::MS_UNBINDABLE,
            "ro" | "rro" => self.attributes |= MountAttrFlags::MOUNT_ATTR_RDONLY,
            "nosuid" => self.attributes |= MountAttrFlags::MOUNT_ATTR_NOSUID,
            "nodev" => self.attributes |= MountAttrFlags::MOUNT_ATTR_NODEV,
            "noexec" => self.attributes |= MountAttrFlags::MOUNT_ATTR_NOEXEC,
            "noatime" => self.attributes |= MountAttrFlags::MOUNT_ATTR_NOATIME,
            "strictatime" => self.attributes |= MountAttrFlags::MOUNT_ATTR_STRICTATIME,
            "nodiratime" => self.attributes |= MountAttrFlags::MOUNT_ATTR_NODIRATIME,
            "nosymfollow" => self.attributes |= MountAttrFlags::MOUNT_ATTR_NOSYMFOLLOW,
            // What every mount has without a word.
            "defaults" | "async" | "relatime" | "suid" | "dev" | "exec" | "atime" | "diratime" => {}
            other => self.data.push(other.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(kind: &str, words: &[&str]) -> Outcome<Options> {
        let options = words.iter().map(|word| (*word).to_owned()).collect();
        Options::of(&Mount { destination: "/x".into(), kind: Some(kind.to_owned()), source: None, options })
    }

    #[test]
    fn words_of_the_mount_are_attributes_and_others_are_the_file_systems() {
        let found = options("tmpfs", &["nosuid", "strictatime", "mode=755", "size=65536k"]).expect("options");
        let attributes = MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_STRICTATIME;
        assert_eq!((found.is_bind, found.attributes), (false, attributes));
        assert_eq!(found.data, ["mode=755", "size=65536k"]);
    }

    #[test]
    fn a_bind_is_told_by_its_kind_or_by_an_option() {
        for (kind, words, recursive) in [("bind", &["ro"][..], false), ("none", &["rbind", "ro"][..], true)] {
            let found = options(kind, words).expect("options");
            assert!(found.is_bind && found.is_recursive == recursive, "{kind} {words:?}");
            assert_eq!(found.attributes, MountAttrFlags::MOUNT_ATTR_RDONLY);
        }
    }

    #[test]
    fn a_bind_has_no_options_for_a_file_system() {
        let failure = options("bind", &["rbind", "size=1m"]).expect_err("refused");
        assert_eq!(failure.what, "mount on /x: options \"size=1m\"");
    }
}
