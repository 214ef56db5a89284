//! What a container may do of what root may: capabilities(7).

use rustix::thread::{CapabilitySet, capability_is_in_bounding_set};

use super::SpecError;
use crate::Privileges;

/// In the order of their numbers: linux/capability.h.
const NAMES: [&str; 41] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
];

/// What Docker gives without a word.
const USUAL: [&str; 14] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "FSETID",
    "FOWNER",
    "MKNOD",
    "NET_RAW",
    "SETGID",
    "SETUID",
    "SETFCAP",
    "SETPCAP",
    "NET_BIND_SERVICE",
    "SYS_CHROOT",
    "KILL",
    "AUDIT_WRITE",
];

/// The names of what a container may do; never more than this process may hand on.
pub(super) fn of(privileges: &Privileges) -> Result<Vec<String>, SpecError> {
    let added = named("--cap-add", &privileges.cap_add)?;
    let dropped = named("--cap-drop", &privileges.cap_drop)?;
    let all = |names: &[String]| names.iter().any(|name| name.eq_ignore_ascii_case("ALL"));
    let (adds_all, drops_all) = (all(&privileges.cap_add), all(&privileges.cap_drop));
    let is_given = |name: &&str| {
        if privileges.privileged {
            return true;
        }
        let usual = (adds_all || USUAL.contains(name)) && !drops_all;
        added.contains(name) && !adds_all
            || (usual && !dropped.contains(name))
            || (drops_all && added.contains(name))
    };
    let can_be_handed_on = |name: &&str| {
        let bit = NAMES.iter().position(|known| known == name).unwrap_or(63);
        capability_is_in_bounding_set(CapabilitySet::from_bits_retain(1 << bit)).unwrap_or(false)
    };
    // What was named is given or refused; of ALL, and of what is usual, what there is.
    if !privileges.privileged
        && let Some(name) = added.iter().find(|name| !can_be_handed_on(name))
    {
        return Err(SpecError::NotOurs { name });
    }
    Ok(NAMES
        .iter()
        .copied()
        .filter(|name| is_given(name) && can_be_handed_on(name))
        .map(|name| format!("CAP_{name}"))
        .collect())
}

/// Each name without `CAP_`; `ALL` is none of them.
fn named(flag: &'static str, names: &[String]) -> Result<Vec<&'static str>, SpecError> {
    let of_one = |name: &String| {
        let upper = name.to_ascii_uppercase();
        let short = upper.strip_prefix("CAP_").unwrap_or(&upper);
        let known = NAMES.iter().copied().find(|known| *known == short);
        known.ok_or_else(|| SpecError::Capability { flag, name: name.clone() })
    };
    names.iter().filter(|name| !name.eq_ignore_ascii_case("ALL")).map(of_one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(add: &[&str], drop: &[&str]) -> Vec<String> {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let privileges = Privileges { cap_add: words(add), cap_drop: words(drop), ..Privileges::default() };
        of(&privileges).expect("capabilities")
    }

    #[test]
    fn fourteen_are_given_without_a_word() {
        assert_eq!(given(&[], &[]).len(), 14);
    }

    #[test]
    fn capabilities_are_added_and_dropped_by_either_name() {
        let names = given(&["NET_ADMIN", "cap_sys_ptrace"], &["CAP_CHOWN", "mknod"]);
        assert!(names.contains(&"CAP_NET_ADMIN".to_owned()) && names.contains(&"CAP_SYS_PTRACE".to_owned()));
        assert!(!names.contains(&"CAP_CHOWN".to_owned()) && !names.contains(&"CAP_MKNOD".to_owned()));
    }

    #[test]
    fn all_can_be_added_or_dropped_but_for_some() {
        let names = given(&["ALL"], &["NET_RAW"]);
        assert!(names.contains(&"CAP_SYS_ADMIN".to_owned()) && !names.contains(&"CAP_NET_RAW".to_owned()));
        assert_eq!(given(&["NET_RAW"], &["ALL"]), ["CAP_NET_RAW"]);
        assert_eq!(given(&[], &["ALL"]).len(), 0);
    }

    #[test]
    fn an_unknown_name_is_told_with_its_flag() {
        let privileges = Privileges { cap_drop: vec!["FLY".to_owned()], ..Privileges::default() };
        assert_eq!(of(&privileges).expect_err("refused").to_string(), "--cap-drop: \"FLY\" is no capability");
    }
}
