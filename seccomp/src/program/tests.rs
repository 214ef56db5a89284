//! Programs are run here as the kernel runs them, on calls that are made up.

use super::*;
use crate::docker_default;
use oci::{Comparison, Operator};

const ALLOW: u32 = 0x7fff_0000;
const EPERM: u32 = 0x0005_0001;
const ENOSYS: u32 = 0x0005_0026;

/// What a program answers to a call: number and arguments.
fn run(program: &Program, architecture: u32, number: u32, arguments: &[u64]) -> u32 {
    let mut data = [0_u8; 64];
    data[..4].copy_from_slice(&number.to_le_bytes());
    data[4..8].copy_from_slice(&architecture.to_le_bytes());
    for (index, argument) in arguments.iter().enumerate() {
        data[16 + 8 * index..24 + 8 * index].copy_from_slice(&argument.to_le_bytes());
    }
    let (mut at, mut loaded) = (0, 0_u32);
    loop {
        let Instruction { code, jt, jf, k } = program.instructions()[at];
        at += 1;
        let (jt, jf) = (usize::from(jt), usize::from(jf));
        match code {
            0x20 => {
                loaded = u32::from_le_bytes(data[k as usize..k as usize + 4].try_into().expect("4 bytes"))
            }
            0x54 => loaded &= k,
            0x05 => at += k as usize,
            0x15 => at += if loaded == k { jt } else { jf },
            0x25 => at += if loaded > k { jt } else { jf },
            0x35 => at += if loaded >= k { jt } else { jf },
            0x06 => return k,
            other => panic!("instruction {other:#x}"),
        }
    }
}

fn call(program: &Program, name: &str, arguments: &[u64]) -> u32 {
    let own = Architecture::of_this_machine()[0];
    run(program, own.audit(), own.number(name).expect("a system call"), arguments)
}

fn usual(capabilities: &[&str]) -> Program {
    Program::compile(&docker_default(capabilities)).expect("a program")
}

#[test]
fn every_name_of_the_profile_is_a_system_call_of_some_architecture() {
    let profile = docker_default(&["CAP_SYS_ADMIN"]);
    let all = [Architecture::X86_64, Architecture::X86, Architecture::Aarch64];
    for name in profile.syscalls.iter().flat_map(|rule| &rule.names) {
        let old = ["cacheflush", "fstatat64", "utimensat_time64", "recv", "send", "uretprobe"];
        let is_known = all.iter().any(|one| one.number(name).is_some());
        assert!(is_known || old.contains(&name.as_str()), "{name}");
    }
}

#[test]
fn the_usual_profile_lets_usual_programs_work() {
    let program = usual(&["CAP_CHOWN"]);
    for name in [
        "read", "write", "openat", "execve", "mmap", "futex", "connect", "wait4", "setuid", "capset",
        "ptrace",
    ] {
        assert_eq!(call(&program, name, &[]), ALLOW, "{name}");
    }
}

#[test]
fn what_reaches_beyond_the_container_takes_a_capability() {
    for (name, capability) in [
        ("mount", "CAP_SYS_ADMIN"),
        ("unshare", "CAP_SYS_ADMIN"),
        ("setns", "CAP_SYS_ADMIN"),
        ("bpf", "CAP_BPF"),
        ("init_module", "CAP_SYS_MODULE"),
        ("reboot", "CAP_SYS_BOOT"),
        ("open_by_handle_at", "CAP_DAC_READ_SEARCH"),
        ("clock_settime", "CAP_SYS_TIME"),
        ("chroot", "CAP_SYS_CHROOT"),
        ("syslog", "CAP_SYSLOG"),
    ] {
        assert_eq!(call(&usual(&[]), name, &[]), EPERM, "{name}");
        assert_eq!(call(&usual(&[capability]), name, &[]), ALLOW, "{name} with {capability}");
    }
}

#[test]
fn nobody_gets_at_keyrings_swap_or_another_kernel() {
    for name in [
        "keyctl",
        "add_key",
        "request_key",
        "swapon",
        "kexec_load",
        "userfaultfd",
        "io_uring_setup",
        "nfsservctl",
    ] {
        let own = Architecture::of_this_machine()[0];
        if own.number(name).is_some() {
            assert_eq!(call(&usual(&["CAP_SYS_ADMIN"]), name, &[]), EPERM, "{name}");
        }
    }
}

#[test]
fn clone_makes_processes_and_no_namespaces() {
    let program = usual(&[]);
    assert_eq!(call(&program, "clone", &[0x11]), ALLOW);
    for namespace in
        [0x0002_0000, 0x0200_0000, 0x0400_0000, 0x0800_0000, 0x1000_0000, 0x2000_0000, 0x4000_0000_u64]
    {
        assert_eq!(call(&program, "clone", &[0x11 | namespace]), EPERM, "{namespace:#x}");
    }
    assert_eq!(call(&program, "clone3", &[]), ENOSYS);
    let program = usual(&["CAP_SYS_ADMIN"]);
    assert_eq!(call(&program, "clone", &[0x4000_0011]), ALLOW);
    assert_eq!(call(&program, "clone3", &[]), ALLOW);
}

#[test]
fn sockets_are_of_any_family_but_two() {
    let program = usual(&[]);
    for (family, answer) in [
        (1, ALLOW),
        (2, ALLOW),
        (10, ALLOW),
        (37, ALLOW),
        (38, EPERM),
        (39, ALLOW),
        (40, EPERM),
        (41, ALLOW),
        (44, ALLOW),
    ] {
        assert_eq!(call(&program, "socket", &[family]), answer, "{family}");
    }
}

#[test]
fn a_personality_is_one_of_five() {
    for (value, answer) in
        [(0, ALLOW), (8, ALLOW), (0x20000, ALLOW), (0x20008, ALLOW), (0xffff_ffff, ALLOW), (0x4_0000, EPERM)]
    {
        assert_eq!(call(&usual(&[]), "personality", &[value]), answer, "{value:#x}");
    }
}

#[test]
fn calls_of_another_architecture_are_judged_by_its_numbers() {
    let program = usual(&[]);
    let x86 = Architecture::X86;
    if Architecture::of_this_machine().contains(&x86) {
        assert_eq!(run(&program, x86.audit(), x86.number("getuid32").expect("a call"), &[]), ALLOW);
        assert_eq!(run(&program, x86.audit(), x86.number("mount").expect("a call"), &[]), EPERM);
        // x32: a bit in the number.
        assert_eq!(run(&program, Architecture::X86_64.audit(), 0x4000_0001, &[]), EPERM);
    }
    assert_eq!(run(&program, 0x1234, 0, &[]), EPERM);
}

#[test]
fn every_comparison_holds_where_it_should_and_nowhere_else() {
    let value = 0x1_0000_0005;
    let around = [0, 4, 5, 6, 0x1_0000_0004, value, 0x1_0000_0006, 0x2_0000_0000, u64::MAX];
    let mask = 0xf_0000_000f;
    type Holds = fn(u64, u64) -> bool;
    let cases: [(Operator, u64, u64, Holds); 7] = [
        (Operator::Equal, value, 0, |a, b| a == b),
        (Operator::NotEqual, value, 0, |a, b| a != b),
        (Operator::Less, value, 0, |a, b| a < b),
        (Operator::LessOrEqual, value, 0, |a, b| a <= b),
        (Operator::Greater, value, 0, |a, b| a > b),
        (Operator::GreaterOrEqual, value, 0, |a, b| a >= b),
        (Operator::MaskedEqual, mask, value, |a, b| a & 0xf_0000_000f == b),
    ];
    for (op, value, value_two, holds) in cases {
        let args = vec![
            Comparison { index: 1, value, value_two, op },
            // What comes after another must hold too.
            Comparison { index: 2, value: 7, value_two: 0, op: Operator::Equal },
        ];
        let rule = Syscalls { names: vec!["read".to_owned()], action: Action::Allow, errno_ret: None, args };
        let filter = Seccomp {
            default_action: Action::Errno,
            default_errno_ret: Some(1),
            architectures: Vec::new(),
            syscalls: vec![rule],
        };
        let program = Program::compile(&filter).expect("a program");
        for argument in around {
            let compared = if op == Operator::MaskedEqual { value_two } else { value };
            let wanted = if holds(argument, compared) { ALLOW } else { EPERM };
            assert_eq!(call(&program, "read", &[0, argument, 7]), wanted, "{op:?} {argument:#x}");
            assert_eq!(call(&program, "read", &[0, argument, 8]), EPERM, "{op:?} {argument:#x}");
        }
    }
}

#[test]
fn the_later_rules_of_a_call_are_tried_when_the_first_does_not_fit() {
    let rule = |value, action| Syscalls {
        names: vec!["read".to_owned()],
        action,
        errno_ret: Some(5),
        args: vec![Comparison { index: 0, value, value_two: 0, op: Operator::Equal }],
    };
    let filter = Seccomp {
        default_action: Action::KillProcess,
        default_errno_ret: None,
        architectures: Vec::new(),
        syscalls: vec![rule(1, Action::Allow), rule(2, Action::Errno), rule(3, Action::Log)],
    };
    let program = Program::compile(&filter).expect("a program");
    let answers = [1, 2, 3, 4].map(|argument| call(&program, "read", &[argument]));
    assert_eq!(answers, [ALLOW, 0x0005_0005, 0x7ffc_0000, 0x8000_0000]);
}

#[test]
fn an_argument_that_no_call_has_is_refused() {
    let args = vec![Comparison { index: 6, value: 0, value_two: 0, op: Operator::Equal }];
    let rule = Syscalls { names: vec!["read".to_owned()], action: Action::Allow, errno_ret: None, args };
    let filter = Seccomp {
        default_action: Action::Errno,
        default_errno_ret: None,
        architectures: Vec::new(),
        syscalls: vec![rule],
    };
    assert_eq!(Program::compile(&filter), Err(Error::Argument { name: "read".to_owned(), index: 6 }));
}

#[test]
fn no_call_takes_more_than_a_few_steps_to_judge() {
    // The kernel runs the whole program once for each number when it is installed.
    let program = usual(&[]);
    assert!(program.instructions().len() < 800, "{}", program.instructions().len());
}
