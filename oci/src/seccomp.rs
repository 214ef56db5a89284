//! Which system calls a process may make.

use serde::{Deserialize, Serialize};

/// A filter of system calls: seccomp(2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Seccomp {
    /// What becomes of calls that no rule is about.
    pub default_action: Action,
    /// The error that the default action answers: errno(3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_errno_ret: Option<u32>,
    /// The architectures whose calls are meant, as libseccomp names them: `SCMP_ARCH_X86_64`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub architectures: Vec<String>,
    /// The rules.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub syscalls: Vec<Syscalls>,
}

/// What becomes of some system calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Syscalls {
    /// Their names; one that the kernel does not know is skipped.
    pub names: Vec<String>,
    /// What becomes of them.
    pub action: Action,
    /// The error that [`Action::Errno`] answers: errno(3); EPERM without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub errno_ret: Option<u32>,
    /// What their arguments must be, all of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<Comparison>,
}

/// What becomes of a system call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// It is made.
    #[serde(rename = "SCMP_ACT_ALLOW")]
    Allow,
    /// It fails.
    #[serde(rename = "SCMP_ACT_ERRNO")]
    Errno,
    /// The process is killed.
    #[serde(rename = "SCMP_ACT_KILL_PROCESS")]
    KillProcess,
    /// It is made, and the kernel writes it down.
    #[serde(rename = "SCMP_ACT_LOG")]
    Log,
}

/// What an argument must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Comparison {
    /// Which: 0 to 5.
    pub index: u32,
    /// What it is compared with; for [`Operator::MaskedEqual`] the mask.
    pub value: u64,
    /// What is left of it by the mask, for [`Operator::MaskedEqual`].
    #[serde(default)]
    pub value_two: u64,
    /// How it is compared.
    pub op: Operator,
}

/// How an argument is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operator {
    /// It is another value.
    #[serde(rename = "SCMP_CMP_NE")]
    NotEqual,
    /// It is less.
    #[serde(rename = "SCMP_CMP_LT")]
    Less,
    /// It is not greater.
    #[serde(rename = "SCMP_CMP_LE")]
    LessOrEqual,
    /// It is that value.
    #[serde(rename = "SCMP_CMP_EQ")]
    Equal,
    /// It is not less.
    #[serde(rename = "SCMP_CMP_GE")]
    GreaterOrEqual,
    /// It is greater.
    #[serde(rename = "SCMP_CMP_GT")]
    Greater,
    /// What the mask leaves of it is that value.
    #[serde(rename = "SCMP_CMP_MASKED_EQ")]
    MaskedEqual,
}
