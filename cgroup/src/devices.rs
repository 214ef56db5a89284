//! Which devices a group may use.

use oci::{DeviceKind, DeviceRule};

use crate::group::Member;
use crate::{Error, bpf, files};

/// Puts rules in force: by files on v1, by a program of the kernel on v2. No rules leave all devices allowed.
pub(crate) fn set(member: &Member, rules: &[DeviceRule]) -> Result<(), Error> {
    if rules.is_empty() {
        return Ok(());
    }
    if member.has("devices") {
        for rule in rules {
            let name = if rule.allow { "devices.allow" } else { "devices.deny" };
            files::write(&member.folder, name, &text_of(rule))?;
        }
    }
    // Side by side with v1's controller, one of both is enough.
    if member.is_unified && !member.is_beside_devices {
        bpf::attach(&member.folder, rules)?;
    }
    Ok(())
}

/// `c 1:3 rwm`; `a` is everything, whatever stands after it.
fn text_of(rule: &DeviceRule) -> String {
    let kind = match rule.kind {
        None | Some(DeviceKind::All) => 'a',
        Some(DeviceKind::Character | DeviceKind::Pipe) => 'c',
        Some(DeviceKind::Block) => 'b',
    };
    let number = |number: Option<u32>| number.map_or("*".to_owned(), |number| number.to_string());
    let access = rule.access.as_deref().unwrap_or("rwm");
    format!("{kind} {}:{} {access}", number(rule.major), number(rule.minor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_written_as_v1_wants_it() {
        let rule = |kind, major, minor, access: Option<&str>| DeviceRule {
            allow: true,
            kind,
            major,
            minor,
            access: access.map(str::to_owned),
        };
        assert_eq!(text_of(&rule(Some(DeviceKind::Character), Some(1), Some(3), Some("rw"))), "c 1:3 rw");
        assert_eq!(text_of(&rule(Some(DeviceKind::Block), None, None, Some("m"))), "b *:* m");
        assert_eq!(text_of(&rule(None, None, None, None)), "a *:* rwm");
    }
}
