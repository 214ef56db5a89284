//! Which of the two kinds of iptables the programs are.

use super::{Version, tool};

/// A kind of iptables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It keeps its rules in nf_tables, where netlink finds them.
    New,
    /// It keeps them where only its own programs find them.
    Old,
}

impl Kind {
    /// The kind that `iptables-restore` is, if it is installed. The file tells it that the name leads to; where
    /// that is somebody's own wrapper, it is asked.
    pub(super) fn of_programs(version: Version) -> Option<Self> {
        let program = tool::restore_program(version);
        let file = tool::find_program(program)?;
        let target = file.canonicalize().unwrap_or(file);
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        if name.contains("nft") {
            return Some(Self::New);
        }
        if name.contains("legacy") {
            return Some(Self::Old);
        }
        let says_so = tool::version(program).is_ok_and(|text| text.contains("nf_tables"));
        Some(if says_so { Self::New } else { Self::Old })
    }
}
