//! The usual profile: what Docker lets containers do, as far as this project has found it out.

use oci::{Action, Comparison, Operator, Seccomp, Syscalls};

use crate::names;
use crate::number::Architecture;

/// The number of ENOSYS: programs then go on as on an older kernel.
const ENOSYS: u32 = 38;
/// `CLONE_NEW*` of linux/sched.h, but for time, which clone(2) cannot ask for.
const NAMESPACES: u64 = 0x7e02_0000;
/// Families of sockets that are nobody's business in a container: kernel cryptography and the hypervisor's.
const ALGORITHMS: u64 = 38;
const HYPERVISOR: u64 = 40;
/// What personality(2) may be asked for: Linux, Linux of 32 bits, each without random addresses, and the question.
const PERSONALITIES: [u64; 5] = [0x0, 0x8, 0x2_0000, 0x2_0008, 0xffff_ffff];

/// The usual profile for a process that has those capabilities: names such as `CAP_SYS_ADMIN`.
#[must_use]
pub fn docker_default(capabilities: &[impl AsRef<str>]) -> Seccomp {
    let has = |wanted: &str| capabilities.iter().any(|name| name.as_ref() == wanted);
    let mut allowed: Vec<&str> = names::ALWAYS.iter().flat_map(|group| group.split_whitespace()).collect();
    for (capability, calls) in names::WITH {
        if has(capability) {
            allowed.extend(calls.split_whitespace());
        }
    }
    let mut syscalls = vec![allow(&allowed, Vec::new())];
    syscalls
        .extend(PERSONALITIES.map(|value| allow(&["personality"], vec![compare(0, Operator::Equal, value)])));
    // A family below, between and above the two.
    syscalls.extend([
        allow(&["socket"], vec![compare(0, Operator::Less, ALGORITHMS)]),
        allow(&["socket"], vec![compare(0, Operator::Equal, ALGORITHMS + 1)]),
        allow(&["socket"], vec![compare(0, Operator::Greater, HYPERVISOR)]),
    ]);
    if !has("CAP_SYS_ADMIN") {
        let no_namespaces =
            Comparison { index: 0, value: NAMESPACES, value_two: 0, op: Operator::MaskedEqual };
        syscalls.push(allow(&["clone"], vec![no_namespaces]));
        // Its flags are in memory, where no filter looks: programs fall back to clone.
        syscalls.push(Syscalls {
            action: Action::Errno,
            errno_ret: Some(ENOSYS),
            ..allow(&["clone3"], Vec::new())
        });
    }
    Seccomp {
        default_action: Action::Errno,
        default_errno_ret: Some(1),
        architectures: Architecture::of_this_machine().iter().map(|one| one.name().to_owned()).collect(),
        syscalls,
    }
}

fn allow(names: &[&str], args: Vec<Comparison>) -> Syscalls {
    let names = names.iter().map(|name| (*name).to_owned()).collect();
    Syscalls { names, action: Action::Allow, errno_ret: None, args }
}

const fn compare(index: u32, op: Operator, value: u64) -> Comparison {
    Comparison { index, value, value_two: 0, op }
}
