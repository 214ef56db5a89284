//! From rules to a program.

use std::collections::BTreeMap;

use oci::{Action, Seccomp, Syscalls};

use crate::assemble::{ARCHITECTURE, Instruction, NUMBER, Test, answer, jump, load, test};
use crate::compare::rule;
use crate::number::Architecture;
use crate::tree::{self, Leaf};

/// What the kernel runs before each system call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program(Vec<Instruction>);

/// Why rules make no program.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    /// An argument has a number that no system call has.
    #[error("seccomp rule for {name}: argument {index} is not one of 0 to 5")]
    Argument {
        /// The system call.
        name: String,
        /// The argument.
        index: u32,
    },
    /// Too many comparisons for one system call.
    #[error("seccomp rule for {name}: too many comparisons")]
    TooLong {
        /// The system call.
        name: String,
    },
    /// The program is longer than the kernel takes.
    #[error("seccomp rules come to {0} instructions, and the kernel takes 4096")]
    TooMany(usize),
    /// The machine's system calls are not known here.
    #[error("seccomp is not known for this machine's architecture")]
    Architecture,
}

/// `BPF_MAXINSNS` of linux/bpf_common.h.
const MOST: usize = 4096;

impl Program {
    /// The program of a filter, for this machine. Names that an architecture does not have are skipped, as OCI wants it.
    ///
    /// # Errors
    /// [`Error`].
    pub fn compile(filter: &Seccomp) -> Result<Self, Error> {
        let architectures = Architecture::of_this_machine();
        let (own, others) = architectures.split_first().ok_or(Error::Architecture)?;
        let mut program = vec![load(ARCHITECTURE)];
        let is_meant = |one: &&Architecture| filter.architectures.iter().any(|name| name == one.name());
        for architecture in [own].into_iter().chain(others.iter().filter(is_meant)) {
            let body = of_architecture(filter, *architecture)?;
            let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
            program.extend([test(Test::Equal, architecture.audit(), 1, 0), jump(length)]);
            program.extend(body);
        }
        // Calls by the numbers of another architecture mean something else than any rule says.
        program.push(answer(verdict(filter.default_action, filter.default_errno_ret)));
        if program.len() > MOST { Err(Error::TooMany(program.len())) } else { Ok(Self(program)) }
    }

    /// Its instructions, for `SECCOMP_SET_MODE_FILTER` of seccomp(2).
    #[must_use]
    pub fn instructions(&self) -> &[Instruction] {
        &self.0
    }
}

fn of_architecture(filter: &Seccomp, architecture: Architecture) -> Result<Vec<Instruction>, Error> {
    let mut rules: BTreeMap<u32, Vec<(&str, &Syscalls)>> = BTreeMap::new();
    for syscalls in &filter.syscalls {
        for name in &syscalls.names {
            if let Some(number) = architecture.number(name) {
                rules.entry(number).or_default().push((name, syscalls));
            }
        }
    }
    let other = vec![answer(verdict(filter.default_action, filter.default_errno_ret))];
    let leaves = rules.into_iter().map(|(number, rules)| Ok((number, leaf(&rules, &other)?)));
    let leaves = leaves.collect::<Result<BTreeMap<_, _>, Error>>()?;
    let mut program = vec![load(NUMBER)];
    program.extend(tree::build(&leaves, &other));
    Ok(program)
}

/// What becomes of one system call: a rule without conditions decides; else the first whose conditions hold.
fn leaf(rules: &[(&str, &Syscalls)], other: &Leaf) -> Result<Leaf, Error> {
    let of = |syscalls: &Syscalls| answer(verdict(syscalls.action, syscalls.errno_ret));
    if let Some((_, syscalls)) = rules.iter().find(|(_, syscalls)| syscalls.args.is_empty()) {
        return Ok(vec![of(syscalls)]);
    }
    let mut leaf = Vec::new();
    for (name, syscalls) in rules {
        if let Some(wrong) = syscalls.args.iter().find(|comparison| comparison.index > 5) {
            return Err(Error::Argument { name: (*name).to_owned(), index: wrong.index });
        }
        let instructions = rule(&syscalls.args, of(syscalls));
        leaf.extend(instructions.ok_or_else(|| Error::TooLong { name: (*name).to_owned() })?);
    }
    leaf.extend_from_slice(other);
    Ok(leaf)
}

/// `SECCOMP_RET_*` of linux/seccomp.h.
fn verdict(action: Action, errno: Option<u32>) -> u32 {
    const EPERM: u32 = 1;
    match action {
        Action::Allow => 0x7fff_0000,
        Action::Errno => 0x0005_0000 | (errno.unwrap_or(EPERM) & 0xffff),
        Action::KillProcess => 0x8000_0000,
        Action::Log => 0x7ffc_0000,
    }
}

#[cfg(test)]
mod tests;
