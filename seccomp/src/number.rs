//! Names of system calls, as numbers of each architecture.

use syscalls::{aarch64, x86, x86_64};

/// An architecture whose calls a process of this machine can make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Architecture {
    X86_64,
    /// 32 bits, by a process of the same machine.
    X86,
    Aarch64,
}

impl Architecture {
    /// Those of this machine, its own first. Nothing, where nobody has taught us the numbers.
    pub(crate) const fn of_this_machine() -> &'static [Self] {
        if cfg!(target_arch = "x86_64") {
            &[Self::X86_64, Self::X86]
        } else if cfg!(target_arch = "aarch64") {
            &[Self::Aarch64]
        } else {
            &[]
        }
    }

    /// `AUDIT_ARCH_*` of linux/audit.h.
    pub(crate) const fn audit(self) -> u32 {
        match self {
            Self::X86_64 => 0xc000_003e,
            Self::X86 => 0x4000_0003,
            Self::Aarch64 => 0xc000_00b7,
        }
    }

    /// As libseccomp, and with it OCI, names it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::X86_64 => "SCMP_ARCH_X86_64",
            Self::X86 => "SCMP_ARCH_X86",
            Self::Aarch64 => "SCMP_ARCH_AARCH64",
        }
    }

    /// The number of a system call; nothing, if this architecture has none of that name.
    pub(crate) fn number(self, name: &str) -> Option<u32> {
        match self {
            Self::X86_64 => name.parse::<x86_64::Sysno>().ok().map(|call| call as u32),
            Self::X86 => name.parse::<x86::Sysno>().ok().map(|call| call as u32),
            Self::Aarch64 => name.parse::<aarch64::Sysno>().ok().map(|call| call as u32),
        }
    }
}
