//! As whom the program runs, and what it may do.

mod capabilities;
mod limits;

use rustix::fs::{Gid, Uid};
use rustix::thread::{
    CapabilitySet, CapabilitySets, capability_is_in_bounding_set, clear_ambient_capability_set,
    configure_capability_in_ambient_set, remove_capability_from_bounding_set, set_capabilities,
    set_keep_capabilities, set_no_new_privs, set_thread_groups, set_thread_res_gid, set_thread_res_uid,
};

use super::terminal;
use crate::failure::{Failure, Outcome, Tried};
use crate::sys;

/// As whom a program runs, and what it may do: everything looked up.
pub(crate) struct Credentials<'a> {
    uid: Uid,
    gid: Gid,
    groups: Vec<Gid>,
    /// What it has; nothing leaves it what this process has.
    sets: Option<CapabilitySets>,
    bounding: CapabilitySet,
    ambient: CapabilitySet,
    limits: Vec<limits::Limit>,
    no_new_privileges: bool,
    filter: Option<&'a seccomp::Program>,
}

impl<'a> Credentials<'a> {
    pub(crate) fn new(process: &oci::Process, filter: Option<&'a seccomp::Program>) -> Outcome<Self> {
        let user = &process.user;
        // setresuid(2) takes that number for "as before", which is root.
        if [user.uid, user.gid].iter().chain(&user.additional_gids).any(|number| *number == u32::MAX) {
            let none = std::io::Error::from(std::io::ErrorKind::InvalidInput);
            return Err(Failure::new(format!("become user or group {}, which is none", u32::MAX), none));
        }
        let none = oci::Capabilities::default();
        let wanted = process.capabilities.as_ref().unwrap_or(&none);
        // Whoever asks for all may name some that this kernel does not have.
        let known = CapabilitySet::from_bits_retain(capabilities::last_known());
        let sets = CapabilitySets {
            effective: capabilities::set_of(&wanted.effective)? & known,
            permitted: capabilities::set_of(&wanted.permitted)? & known,
            inheritable: capabilities::set_of(&wanted.inheritable)? & known,
        };
        Ok(Self {
            uid: Uid::from_raw(user.uid),
            gid: Gid::from_raw(user.gid),
            groups: user.additional_gids.iter().map(|gid| Gid::from_raw(*gid)).collect(),
            sets: process.capabilities.as_ref().map(|_| sets),
            bounding: match &process.capabilities {
                Some(wanted) => capabilities::set_of(&wanted.bounding)?,
                None => CapabilitySet::all(),
            },
            ambient: capabilities::set_of(&wanted.ambient)? & known,
            limits: limits::of(&process.rlimits)?,
            no_new_privileges: process.no_new_privileges,
            filter,
        })
    }
}

/// What the filter would not let us do, or later steps no more.
pub(crate) fn before_filter(credentials: &Credentials<'_>) -> Outcome {
    for limit in &credentials.limits {
        limit.set()?;
    }
    // Keys of whoever started us are not the container's. Kernels without keys have none to hide.
    match sys::join_new_keyring() {
        Err(error) if error.raw_os_error() != Some(libc::ENOSYS) => {
            return Err(Failure::new("create a session keyring", error));
        }
        _ => {}
    }
    for bit in 0..u64::BITS {
        let capability = CapabilitySet::from_bits_retain(1 << bit);
        match capability_is_in_bounding_set(capability) {
            // The kernel knows no more.
            Err(_) => break,
            Ok(true) if !credentials.bounding.contains(capability) => {
                remove_capability_from_bounding_set(capability)
                    .tried(|| format!("take capability {bit} out of the bounding set"))?;
            }
            Ok(_) => {}
        }
    }
    terminal::give_to(credentials.uid);
    Ok(())
}

/// Becomes who the program is to be. From here on the filter stands before every system call.
pub(crate) fn become_user(credentials: &Credentials<'_>) -> Outcome {
    let install = || match credentials.filter {
        Some(filter) => sys::install_filter(filter.instructions()).tried(|| "install the seccomp filter"),
        None => Ok(()),
    };
    // Without no-new-privileges it takes a capability that is gone afterwards; with it, it comes as late as it can.
    if !credentials.no_new_privileges {
        install()?;
    }
    set_keep_capabilities(true).tried(|| "keep capabilities")?;
    set_thread_groups(&credentials.groups).tried(|| "set supplementary groups")?;
    let (uid, gid) = (credentials.uid, credentials.gid);
    set_thread_res_gid(gid, gid, gid).tried(|| format!("become group {}", gid.as_raw()))?;
    set_thread_res_uid(uid, uid, uid).tried(|| format!("become user {}", uid.as_raw()))?;
    set_keep_capabilities(false).tried(|| "stop keeping capabilities")?;
    if let Some(sets) = credentials.sets {
        let _ = clear_ambient_capability_set();
        set_capabilities(None, sets).tried(|| "set capabilities")?;
        for capability in credentials.ambient.iter() {
            configure_capability_in_ambient_set(capability, true).tried(|| "set ambient capabilities")?;
        }
    }
    if credentials.no_new_privileges {
        set_no_new_privs(true).tried(|| "set no-new-privileges")?;
        install()?;
    }
    Ok(())
}
