//! Instructions of classic BPF: linux/filter.h, linux/bpf_common.h.

/// One instruction: `struct sock_filter`.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instruction {
    /// What is done.
    pub code: u16,
    /// How many instructions are left out if a comparison holds.
    pub jt: u8,
    /// How many are left out if it does not.
    pub jf: u8,
    /// With which number.
    pub k: u32,
}

const LOAD: u16 = 0x20;
const AND: u16 = 0x54;
const JUMP: u16 = 0x05;
const JUMP_EQUAL: u16 = 0x15;
const JUMP_GREATER: u16 = 0x25;
const JUMP_NOT_LESS: u16 = 0x35;
const RETURN: u16 = 0x06;

/// Offsets in `struct seccomp_data` (linux/seccomp.h).
pub(crate) const NUMBER: u32 = 0;
pub(crate) const ARCHITECTURE: u32 = 4;

/// The lower half of an argument; the higher is 4 bytes on. Little-endian machines only: see [`crate::number`].
pub(crate) const fn argument(index: u32) -> u32 {
    16 + 8 * index
}

const fn plain(code: u16, k: u32) -> Instruction {
    Instruction { code, jt: 0, jf: 0, k }
}

/// Loads 4 bytes of what is known of the call.
pub(crate) const fn load(offset: u32) -> Instruction {
    plain(LOAD, offset)
}

/// Keeps the bits of a mask.
pub(crate) const fn and(mask: u32) -> Instruction {
    plain(AND, mask)
}

/// Leaves out so many instructions.
pub(crate) const fn jump(by: u32) -> Instruction {
    plain(JUMP, by)
}

/// Ends with a verdict.
pub(crate) const fn answer(verdict: u32) -> Instruction {
    plain(RETURN, verdict)
}

/// How what was loaded is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Test {
    Equal,
    Greater,
    NotLess,
}

/// Compares, and leaves out instructions.
pub(crate) const fn test(test: Test, k: u32, if_so: u8, if_not: u8) -> Instruction {
    let code = match test {
        Test::Equal => JUMP_EQUAL,
        Test::Greater => JUMP_GREATER,
        Test::NotLess => JUMP_NOT_LESS,
    };
    Instruction { code, jt: if_so, jf: if_not, k }
}
