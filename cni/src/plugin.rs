//! What a plugin is, and the list of those at hand.

use std::path::Path;

use ipnetwork::IpNetwork;

use crate::{AddCall, CheckCall, DelCall, Failure, GcCall, StatusCall, Success, Version};

/// What a plugin says of itself.
#[derive(Debug, Clone, Copy)]
pub struct About {
    /// The `type` it is called by.
    pub name: &'static str,
    /// One sentence for people who call it by hand.
    pub purpose: &'static str,
    /// The versions it speaks, oldest first.
    pub versions: &'static [Version],
}

/// A CNI plugin (CNI spec, section 2).
///
/// ADD leaves everything or nothing. DEL may be repeated, succeeds when there is nothing left, and goes on
/// after a failure. CHECK changes nothing. GC removes what belongs to no valid attachment.
pub trait Plugin: Sync {
    /// Its name and versions.
    fn about(&self) -> About;

    /// Attaches a container to the network.
    ///
    /// # Errors
    /// The plugin's own; the host is then as it was.
    fn add(&self, call: &AddCall) -> Result<Success, Failure>;

    /// Compares an attachment with what ADD answered.
    ///
    /// # Errors
    /// The first difference found.
    fn check(&self, call: &CheckCall) -> Result<(), Failure>;

    /// Takes an attachment away.
    ///
    /// # Errors
    /// Everything that could not be taken away, after all of it was tried.
    fn del(&self, call: &DelCall) -> Result<(), Failure>;

    /// Removes what belongs to no valid attachment.
    ///
    /// # Errors
    /// Everything that could not be removed, after all of it was tried.
    fn gc(&self, call: &GcCall) -> Result<(), Failure>;

    /// Finds out whether an ADD could be served.
    ///
    /// # Errors
    /// With [`Code::NOT_AVAILABLE`](crate::Code::NOT_AVAILABLE) why it could not.
    fn status(&self, call: &StatusCall) -> Result<(), Failure>;

    /// Puts back what somebody took from an attachment that stands: rules and elements that went with a flush, settings
    /// of the host. No verb of the specification: `netctl reload` calls it, in process, with what CHECK is given. A
    /// plugin that keeps nothing where others flush it has nothing to do.
    ///
    /// # Errors
    /// The plugin's own; what was put back before stays.
    fn reload(&self, call: &CheckCall) -> Result<Reloaded, Failure> {
        let _ = call;
        Ok(Reloaded::AsItWas)
    }

    /// Makes what the network has before its first container, and keeps after its last one. No verb of the
    /// specification: who makes a network calls it, in process, as often as they like.
    ///
    /// # Errors
    /// The plugin's own; what this call made is gone again then.
    fn raise(&self, call: &StatusCall) -> Result<Reloaded, Failure> {
        let _ = call;
        Ok(Reloaded::AsItWas)
    }

    /// Takes away what [`raise`](Self::raise) made, and what the containers of all networks share if this was the last.
    /// Called when no container is on the network; what is gone already is fine.
    ///
    /// # Errors
    /// Everything that could not be taken away, after all of it was tried.
    fn lower(&self, call: &StatusCall) -> Result<(), Failure> {
        let _ = call;
        Ok(())
    }

    /// The gateways that an IPAM plugin will answer, as far as the configuration says so without a lease: what a
    /// plugin that delegates to it can give to the host in [`raise`](Self::raise).
    ///
    /// # Errors
    /// The plugin's own.
    fn gateways(&self, call: &StatusCall) -> Result<Vec<IpNetwork>, Failure> {
        let _ = call;
        Ok(Vec::new())
    }
}

/// What [`Plugin::reload`] or [`Plugin::raise`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reloaded {
    /// Everything was in place.
    AsItWas,
    /// Something had been missing.
    PutBack,
}

/// When a plugin of the list is called in process instead of being executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InProcess {
    /// When the file that `CNI_PATH` resolves to is the file that is running: the operator put our
    /// executable there, and starting it again would only cost time.
    SameFile,
    /// Whenever the list has it: the caller wants no executables.
    Listed,
    /// Never.
    Never,
}

/// The plugins at hand.
#[derive(Clone, Copy)]
pub struct Registry {
    plugins: &'static [&'static dyn Plugin],
    in_process: InProcess,
}

impl Registry {
    /// A list of plugins and when to call them in process.
    #[must_use]
    pub const fn new(plugins: &'static [&'static dyn Plugin], in_process: InProcess) -> Self {
        Self { plugins, in_process }
    }

    /// The plugin of that name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&'static dyn Plugin> {
        self.plugins.iter().copied().find(|plugin| plugin.about().name == name)
    }

    /// Whether this process ends when the call does: it is a plugin that a runtime executed, and no program that
    /// calls plugins in process.
    #[must_use]
    pub fn serves_one_call(&self) -> bool {
        self.in_process != InProcess::Listed
    }

    /// The names, in the order of the list.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.plugins.iter().map(|plugin| plugin.about().name)
    }

    /// The plugin to call in process for `name`, when no look at the disk is needed to know.
    pub(crate) fn listed(&self, name: &str) -> Option<&'static dyn Plugin> {
        (self.in_process == InProcess::Listed).then(|| self.find(name)).flatten()
    }

    /// The plugin to call in process for `name`, which `CNI_PATH` resolves to `file`.
    pub(crate) fn of_file(&self, name: &str, file: &Path) -> Option<&'static dyn Plugin> {
        (self.in_process == InProcess::SameFile && is_running(file)).then(|| self.find(name)).flatten()
    }
}

/// Whether `file` is the executable of this process: the same inode of the same device, by whatever name.
fn is_running(file: &Path) -> bool {
    let identity = |path: &Path| nix::sys::stat::stat(path).ok().map(|stat| (stat.st_dev, stat.st_ino));
    identity(file).is_some_and(|file| identity(Path::new("/proc/self/exe")) == Some(file))
}
