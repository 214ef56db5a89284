//! Devices that a container has, and what it may do with them.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use oci::{Device, DeviceKind, DeviceRule};
use rustix::fs::{major, minor};

use super::SpecError;
use crate::Config;

/// Character devices that every container may use: those that every container has, terminals and the console.
const USUAL: [(u32, Option<u32>); 9] = [
    (1, Some(3)),
    (1, Some(5)),
    (1, Some(7)),
    (1, Some(8)),
    (1, Some(9)),
    (5, Some(0)),
    (5, Some(1)),
    (5, Some(2)),
    (136, None),
];

/// Nothing, but for what is usual and what was asked for. Nodes may be made of all: having one is not using it.
pub(super) fn rules(config: &Config) -> Result<Vec<DeviceRule>, SpecError> {
    let rule = |allow, kind, major, minor, access: &str| DeviceRule {
        allow,
        kind,
        major,
        minor,
        access: Some(access.to_owned()),
    };
    if config.privileges.privileged {
        return Ok(vec![rule(true, Some(DeviceKind::All), None, None, "rwm")]);
    }
    let (character, block) = (Some(DeviceKind::Character), Some(DeviceKind::Block));
    let mut rules = vec![
        rule(false, Some(DeviceKind::All), None, None, "rwm"),
        rule(true, character, None, None, "m"),
        rule(true, block, None, None, "m"),
    ];
    rules.extend(USUAL.map(|(major, minor)| rule(true, character, Some(major), minor, "rwm")));
    for (source, inside, access) in &config.privileges.devices {
        if access.is_empty() || access.contains(|letter| !matches!(letter, 'r' | 'w' | 'm')) {
            return Err(SpecError::DeviceAccess(access.clone()));
        }
        let device = node(source, inside)?;
        rules.push(rule(true, Some(device.kind), Some(device.major), Some(device.minor), access));
    }
    Ok(rules)
}

/// The nodes besides those that every container has.
pub(super) fn nodes(config: &Config) -> Result<Vec<Device>, SpecError> {
    let mut nodes = Vec::new();
    if config.privileges.privileged {
        collect(Path::new("/dev"), &mut nodes);
    }
    for (source, inside, _) in &config.privileges.devices {
        nodes.push(node(source, inside)?);
    }
    Ok(nodes)
}

/// All devices below a folder of the host; what vanishes meanwhile is left out.
fn collect(folder: &Path, nodes: &mut Vec<Device>) {
    /// These are mounted anew in every container, or are the container's own.
    const OWN: [&str; 6] = ["/dev/pts", "/dev/shm", "/dev/mqueue", "/dev/fd", "/dev/ptmx", "/dev/console"];
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if OWN.iter().any(|own| Path::new(own) == path) {
            continue;
        }
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => collect(&path, nodes),
            Ok(kind) if kind.is_char_device() || kind.is_block_device() => nodes.extend(node(&path, &path)),
            _ => {}
        }
    }
}

fn node(source: &Path, inside: &Path) -> Result<Device, SpecError> {
    let found = fs::metadata(source)
        .map_err(|source_| SpecError::Device { path: source.to_owned(), source: source_ })?;
    let kind = match found.file_type() {
        kind if kind.is_char_device() => DeviceKind::Character,
        kind if kind.is_block_device() => DeviceKind::Block,
        _ => return Err(SpecError::NoDevice(source.to_owned())),
    };
    let number = found.rdev();
    Ok(Device {
        path: PathBuf::from(inside),
        kind,
        major: major(number),
        minor: minor(number),
        file_mode: Some(found.mode() & 0o7777),
        uid: Some(found.uid()),
        gid: Some(found.gid()),
    })
}
