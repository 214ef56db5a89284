//! What the container's namespaces are called and set to.

use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;

use oci::{NamespaceKind, Spec};
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::system::{setdomainname, sethostname};

use crate::failure::{Failure, Outcome, Tried};

/// Names the host and its domain, as the container sees them.
pub(super) fn set(spec: &Spec) -> Outcome {
    let is_new = |space: &oci::Namespace| space.kind == NamespaceKind::Uts && space.path.is_none();
    if !spec.linux.namespaces.iter().any(is_new) {
        // They would be the host's, or another container's.
        return Ok(());
    }
    if let Some(name) = &spec.hostname {
        sethostname(name.as_bytes()).tried(|| format!("set the host name {name:?}"))?;
    }
    if let Some(name) = &spec.domainname {
        setdomainname(name.as_bytes()).tried(|| format!("set the domain name {name:?}"))?;
    }
    Ok(())
}

/// Says whom to kill first when memory is short: by the host's `/proc`, as the container may have none.
pub(crate) fn set_oom_score(process: &oci::Process) -> Outcome {
    let Some(score) = process.oom_score_adj else { return Ok(()) };
    std::fs::write("/proc/self/oom_score_adj", score.to_string())
        .tried(|| format!("set oom_score_adj to {score}"))
}

/// Kernel settings, to be written when the container's interfaces are there.
pub(super) struct Settings<'a> {
    /// `/proc/sys` of the host, which shows each process the settings of its own namespaces; the container's own may
    /// only be read by then.
    folder: Option<OwnedFd>,
    wanted: Vec<(&'a str, &'a str)>,
}

impl<'a> Settings<'a> {
    pub(super) fn open(spec: &'a Spec) -> Outcome<Self> {
        let wanted: Vec<_> =
            spec.linux.sysctl.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let folder = match wanted.is_empty() {
            true => None,
            false => {
                let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
                Some(openat(CWD, "/proc/sys", flags, Mode::empty()).tried(|| "open /proc/sys")?)
            }
        };
        Ok(Self { folder, wanted })
    }

    pub(super) fn write(self) -> Outcome {
        let Some(folder) = self.folder else { return Ok(()) };
        for (name, value) in self.wanted {
            let what = || format!("set sysctl {name} to {value:?}");
            let path = path_of(name).ok_or_else(|| Failure::new(what(), rustix::io::Errno::INVAL))?;
            let flags = OFlags::WRONLY | OFlags::CLOEXEC;
            let file = openat(&folder, &*path, flags, Mode::empty()).tried(what)?;
            File::from(file).write_all(value.as_bytes()).tried(what)?;
        }
        Ok(())
    }
}

/// sysctl(8): dots part, unless the first that parts is a slash; then a dot is part of a name, as of an interface.
fn path_of(name: &str) -> Option<String> {
    let first = name.find(['.', '/']);
    let path = match first.map(|at| name.as_bytes()[at]) {
        Some(b'/') => name.to_owned(),
        _ => name
            .chars()
            .map(|letter| match letter {
                '.' => '/',
                '/' => '.',
                other => other,
            })
            .collect(),
    };
    let is_name = |part: &str| !part.is_empty() && part != "." && part != "..";
    path.split('/').all(is_name).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_found_as_sysctl_finds_it() {
        for (name, path) in [
            ("net.ipv4.ip_forward", Some("net/ipv4/ip_forward")),
            ("net/ipv4/conf/eth0.5/forwarding", Some("net/ipv4/conf/eth0.5/forwarding")),
            ("net.ipv4.conf.eth0/5.forwarding", Some("net/ipv4/conf/eth0.5/forwarding")),
            ("../../etc/passwd", None),
            ("net/../../x", None),
            ("/etc/passwd", None),
            ("", None),
        ] {
            assert_eq!(path_of(name).as_deref(), path, "{name}");
        }
    }
}
