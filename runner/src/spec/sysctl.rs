//! Kernel settings that are a container's own.

use std::collections::BTreeMap;

use super::SpecError;
use crate::{Config, Mode};

/// What was asked for, and what Docker sets in every network namespace that it makes: any user may listen on any port
/// and send pings.
pub(super) fn of(config: &Config) -> Result<BTreeMap<String, String>, SpecError> {
    let mut settings = BTreeMap::new();
    if matches!(config.mode, Mode::Networks(_) | Mode::None) {
        settings.insert("net.ipv4.ip_unprivileged_port_start".to_owned(), "0".to_owned());
        settings.insert("net.ipv4.ping_group_range".to_owned(), "0 2147483647".to_owned());
    }
    for (name, value) in &config.sysctl {
        ensure_own(&config.mode, name)?;
        // As it was written: whose names have dots, as eth0.5 has, are told apart by slashes.
        settings.insert(name.clone(), value.clone());
    }
    Ok(settings)
}

fn ensure_own(mode: &Mode, name: &str) -> Result<(), SpecError> {
    let refused = |reason: &str| Err(SpecError::Sysctl { name: name.to_owned(), reason: reason.to_owned() });
    let dotted = name.replace('/', ".");
    let is_ipc = ["kernel.shm", "kernel.msg", "kernel.sem", "fs.mqueue."]
        .iter()
        .any(|begin| dotted.starts_with(begin));
    match mode {
        Mode::Host if dotted.starts_with("net.") => {
            refused("it would change the host, whose network the container has")
        }
        Mode::Container(_) if dotted.starts_with("net.") || is_ipc => {
            refused("it would change the other container, whose namespaces this one shares")
        }
        Mode::Namespace(path) if dotted.starts_with("net.") => {
            refused(&format!("it would change network namespace {}, which others may use", path.display()))
        }
        _ if dotted.starts_with("net.") || is_ipc => Ok(()),
        _ => refused("it would change the whole host"),
    }
}
