//! Device rules of v2: a program that the kernel asks for each use of a device (`BPF_PROG_TYPE_CGROUP_DEVICE`).
//!
//! It gets what is wanted as `struct bpf_cgroup_dev_ctx` (linux/bpf.h): kind and access, major number, minor number.
//! It tries the rules from the last to the first, so that the later one decides, and answers 1 for yes, 0 for no.
#![allow(unsafe_code)]

use std::fs::File;
use std::io;
use std::mem;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::path::Path;

use oci::{DeviceKind, DeviceRule};

use crate::Error;

/// One instruction: `struct bpf_insn`.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Instruction {
    code: u8,
    /// Destination in the lower half, source in the upper.
    registers: u8,
    offset: i16,
    immediate: i32,
}

const RESULT: u8 = 0;
const CONTEXT: u8 = 1;
const KIND: u8 = 2;
const ACCESS: u8 = 3;
const MAJOR: u8 = 4;
const MINOR: u8 = 5;
const SCRATCH: u8 = 6;

/// `BPF_DEVCG_*` of linux/bpf.h.
const MKNOD: i32 = 1;
const READ: i32 = 2;
const WRITE: i32 = 4;
const BLOCK: i32 = 1;
const CHARACTER: i32 = 2;

const fn instruction(code: u8, to: u8, from: u8, offset: i16, immediate: i32) -> Instruction {
    Instruction { code, registers: to | from << 4, offset, immediate }
}

/// Loads 32 bits of the context.
const fn load(to: u8, offset: i16) -> Instruction {
    instruction(0x61, to, CONTEXT, offset, 0)
}

const fn copy(to: u8, from: u8) -> Instruction {
    instruction(0xbc, to, from, 0, 0)
}

const fn set(to: u8, value: i32) -> Instruction {
    instruction(0xb4, to, 0, 0, value)
}

const fn and(to: u8, value: i32) -> Instruction {
    instruction(0x54, to, 0, 0, value)
}

const fn shift_right(to: u8, by: i32) -> Instruction {
    instruction(0x74, to, 0, 0, by)
}

/// Leaves out `skip` instructions unless the register holds `value`.
const fn unless_equal(register: u8, value: i32, skip: i16) -> Instruction {
    instruction(0x56, register, 0, skip, value)
}

const fn leave() -> Instruction {
    instruction(0x95, 0, 0, 0, 0)
}

/// The program for those rules. Without a rule that fits, a device may not be used.
fn program(rules: &[DeviceRule]) -> Vec<Instruction> {
    let mut program = vec![
        load(KIND, 0),
        copy(ACCESS, KIND),
        and(KIND, 0xffff),
        shift_right(ACCESS, 16),
        load(MAJOR, 4),
        load(MINOR, 8),
    ];
    for rule in rules.iter().rev() {
        program.extend(of_rule(rule));
        if fits_all(rule) {
            // The kernel refuses a program with instructions that are never reached.
            return program;
        }
    }
    program.extend([set(RESULT, 0), leave()]);
    program
}

/// Whether a rule is about every use of every device.
fn fits_all(rule: &DeviceRule) -> bool {
    let any_kind = matches!(rule.kind, None | Some(DeviceKind::All));
    any_kind && access_of(rule) == MKNOD | READ | WRITE && rule.major.is_none() && rule.minor.is_none()
}

/// The bits of `r`, `w` and `m`.
fn access_of(rule: &DeviceRule) -> i32 {
    let bit = |letter: u8| match letter {
        b'r' => READ,
        b'w' => WRITE,
        _ => MKNOD,
    };
    rule.access.as_deref().unwrap_or("rwm").bytes().map(bit).fold(0, |all, one| all | one)
}

fn of_rule(rule: &DeviceRule) -> Vec<Instruction> {
    // Each test is told how far the end of the rule is when all are known.
    let mut tests: Vec<(Vec<Instruction>, u8, i32)> = Vec::new();
    match rule.kind {
        Some(DeviceKind::Block) => tests.push((Vec::new(), KIND, BLOCK)),
        Some(DeviceKind::Character | DeviceKind::Pipe) => tests.push((Vec::new(), KIND, CHARACTER)),
        None | Some(DeviceKind::All) => {}
    }
    let access = access_of(rule);
    if access != MKNOD | READ | WRITE {
        // An allowed use is one of which nothing lies outside; a forbidden one is one of which anything lies inside.
        tests.push((vec![copy(SCRATCH, ACCESS), and(SCRATCH, !access)], SCRATCH, 0));
    }
    for (register, number) in [(MAJOR, rule.major), (MINOR, rule.minor)] {
        tests.extend(number.map(|number| (Vec::new(), register, number.cast_signed())));
    }
    let verdict = [set(RESULT, i32::from(rule.allow)), leave()];
    let length: usize = tests.iter().map(|(before, ..)| before.len() + 1).sum::<usize>() + verdict.len();
    let mut instructions = Vec::with_capacity(length);
    for (before, register, value) in tests {
        instructions.extend(before);
        let skip = i16::try_from(length - instructions.len() - 1).unwrap_or(i16::MAX);
        instructions.push(unless_equal(register, value, skip));
    }
    instructions.extend(verdict);
    instructions
}

/// Puts the rules in force for the group at `folder`, whose descriptor keeps the program alive.
pub(crate) fn attach(folder: &Path, rules: &[DeviceRule]) -> Result<(), Error> {
    let failed = |step| move |source| Error::Devices { path: folder.to_owned(), step, source };
    let group = File::open(folder).map_err(failed("open the group"))?;
    let program = load_program(&program(rules)).map_err(failed("load a BPF program"))?;
    attach_program(&group, &program).map_err(failed("attach a BPF program"))
}

fn load_program(instructions: &[Instruction]) -> io::Result<OwnedFd> {
    const LOAD: libc::c_int = 5;
    const CGROUP_DEVICE: u32 = 15;
    /// The first fields of `union bpf_attr` for `BPF_PROG_LOAD`.
    #[repr(C)]
    struct Attributes {
        kind: u32,
        length: u32,
        instructions: u64,
        license: u64,
        log_level: u32,
        log_size: u32,
        log: u64,
    }
    let attributes = Attributes {
        kind: CGROUP_DEVICE,
        length: u32::try_from(instructions.len()).unwrap_or(u32::MAX),
        instructions: instructions.as_ptr() as u64,
        license: c"Apache-2.0".as_ptr() as u64,
        log_level: 0,
        log_size: 0,
        log: 0,
    };
    // SAFETY: what the structure points to lives until the call returns, and is as long as it says.
    let descriptor =
        unsafe { libc::syscall(libc::SYS_bpf, LOAD, &raw const attributes, mem::size_of::<Attributes>()) };
    match i32::try_from(descriptor) {
        // SAFETY: the kernel has just opened it for us, and nobody else knows of it.
        Ok(descriptor) if descriptor >= 0 => Ok(unsafe { OwnedFd::from_raw_fd(descriptor) }),
        _ => Err(io::Error::last_os_error()),
    }
}

fn attach_program(group: &File, program: &OwnedFd) -> io::Result<()> {
    const ATTACH: libc::c_int = 8;
    const CGROUP_DEVICE: u32 = 6;
    /// Groups below may have programs besides, and all must agree.
    const ALLOW_MULTI: u32 = 2;
    /// The fields of `union bpf_attr` for `BPF_PROG_ATTACH`.
    #[repr(C)]
    struct Attributes {
        target: u32,
        program: u32,
        kind: u32,
        flags: u32,
        replaced: u32,
    }
    let attributes = Attributes {
        target: group.as_raw_fd().cast_unsigned(),
        program: program.as_raw_fd().cast_unsigned(),
        kind: CGROUP_DEVICE,
        flags: ALLOW_MULTI,
        replaced: 0,
    };
    // SAFETY: the kernel reads as much of the structure as is said.
    let done =
        unsafe { libc::syscall(libc::SYS_bpf, ATTACH, &raw const attributes, mem::size_of::<Attributes>()) };
    if done < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
