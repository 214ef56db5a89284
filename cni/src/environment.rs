//! The variables of a call.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use vocab::{Attachment, ContainerId, InterfaceName, InvalidInterfaceName, InvalidName};

use crate::{Args, Code, Fault, InvalidArgs, Verb};

/// A variable that is missing or invalid.
#[derive(Debug, thiserror::Error)]
pub enum InvalidEnvironment {
    /// Variables that the verb needs are not set.
    #[error("required environment variables missing: {}", .missing.join(", "))]
    Missing {
        /// Their names.
        missing: Vec<&'static str>,
    },
    /// `CNI_COMMAND` is no verb.
    #[error("unknown CNI_COMMAND {command:?}: expected ADD, DEL, CHECK, GC, STATUS or VERSION")]
    Verb {
        /// Its value.
        command: String,
    },
    /// `CNI_CONTAINERID` is no container id.
    #[error("CNI_CONTAINERID")]
    Container(#[source] InvalidName),
    /// `CNI_IFNAME` is no interface name.
    #[error("CNI_IFNAME")]
    Interface(#[source] InvalidInterfaceName),
    /// `CNI_ARGS` cannot be read.
    #[error("read environment")]
    Args(#[source] InvalidArgs),
}

impl Fault for InvalidEnvironment {
    fn code(&self) -> Code {
        Code::INVALID_ENVIRONMENT
    }
}

impl Fault for InvalidArgs {
    fn code(&self) -> Code {
        Code::INVALID_ENVIRONMENT
    }
}

/// Where executables of plugins are looked for: `CNI_PATH`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SearchPath(OsString);

impl SearchPath {
    /// A list of folders, separated by colons.
    #[must_use]
    pub fn new(text: impl Into<OsString>) -> Self {
        Self(text.into())
    }

    /// The folders in their order.
    pub fn folders(&self) -> impl Iterator<Item = PathBuf> {
        std::env::split_paths(&self.0).filter(|folder| !folder.as_os_str().is_empty())
    }

    /// The file that `kind` names: the first regular file of that name. Whether it may be executed shows
    /// when it is (CNI spec, section 4).
    #[must_use]
    pub fn find(&self, kind: &str) -> Option<PathBuf> {
        self.folders().map(|folder| folder.join(kind)).find(|file| file.is_file())
    }

    /// The text of the variable.
    #[must_use]
    pub fn as_os_str(&self) -> &OsStr {
        &self.0
    }
}

/// The variables of a call (CNI spec, section 2), as they were given.
///
/// Which of them a verb needs differs, so they become values when the verb is known: [`attachment`](Self::attachment).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Environment {
    /// `CNI_COMMAND`.
    pub command: String,
    /// `CNI_CONTAINERID`.
    pub container: String,
    /// `CNI_NETNS`.
    pub netns: OsString,
    /// `CNI_IFNAME`.
    pub interface: String,
    /// `CNI_ARGS`.
    pub args: String,
    /// `CNI_PATH`.
    pub path: SearchPath,
    /// `CNI_NETNS_OVERRIDE`: the namespace may be the plugin's own.
    pub netns_override: bool,
}

impl Environment {
    /// The variables of this process.
    #[must_use]
    pub fn of_process() -> Self {
        let raw = |name| std::env::var_os(name).unwrap_or_default();
        // What is not UTF-8 gets a replacement character, which no name may have.
        let text = |name| raw(name).to_string_lossy().into_owned();
        Self {
            command: text("CNI_COMMAND"),
            container: text("CNI_CONTAINERID"),
            netns: raw("CNI_NETNS"),
            interface: text("CNI_IFNAME"),
            args: text("CNI_ARGS"),
            path: SearchPath::new(raw("CNI_PATH")),
            netns_override: matches!(text("CNI_NETNS_OVERRIDE").to_ascii_lowercase().as_str(), "1" | "true"),
        }
    }

    /// The verb, when everything that it needs is set.
    ///
    /// # Errors
    /// [`InvalidEnvironment`] that names every missing variable, or the unknown verb.
    pub fn verb(&self) -> Result<Verb, InvalidEnvironment> {
        let unknown = || InvalidEnvironment::Verb { command: self.command.clone() };
        let verb = Verb::parse(&self.command).ok_or_else(unknown)?;
        let is_unset = |name: &&str| match *name {
            "CNI_CONTAINERID" => self.container.is_empty(),
            "CNI_NETNS" => self.netns.is_empty(),
            "CNI_IFNAME" => self.interface.is_empty(),
            "CNI_PATH" => self.path.as_os_str().is_empty(),
            _ => false,
        };
        let missing: Vec<_> = verb.required().iter().copied().filter(is_unset).collect();
        if missing.is_empty() { Ok(verb) } else { Err(InvalidEnvironment::Missing { missing }) }
    }

    /// The container and its interface.
    ///
    /// # Errors
    /// [`InvalidEnvironment`] when one of the two is no valid name.
    pub fn attachment(&self) -> Result<Attachment, InvalidEnvironment> {
        let container = ContainerId::new(&self.container).map_err(InvalidEnvironment::Container)?;
        let interface = InterfaceName::new(&self.interface).map_err(InvalidEnvironment::Interface)?;
        Ok(Attachment::new(container, interface))
    }

    /// The path to the container's namespace; `None` when the runtime has none (any more).
    #[must_use]
    pub fn netns(&self) -> Option<&Path> {
        (!self.netns.is_empty()).then(|| Path::new(&self.netns))
    }

    /// The pairs of `CNI_ARGS`, all of them known or allowed to be ignored.
    ///
    /// # Errors
    /// [`InvalidEnvironment::Args`].
    pub fn args(&self) -> Result<Args, InvalidEnvironment> {
        let args = Args::parse(&self.args).map_err(InvalidEnvironment::Args)?;
        args.refuse_unknown().map_err(InvalidEnvironment::Args)?;
        Ok(args)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_missing_variable_is_named_at_once() {
        let environment = Environment { command: "ADD".into(), ..Environment::default() };
        let error = environment.verb().unwrap_err();
        assert_eq!(
            error.to_string(),
            "required environment variables missing: CNI_CONTAINERID, CNI_NETNS, CNI_IFNAME, CNI_PATH"
        );
    }

    #[test]
    fn del_needs_no_namespace_and_version_needs_nothing() {
        let mut environment = Environment { command: "VERSION".into(), ..Environment::default() };
        assert_eq!(environment.verb().unwrap(), Verb::Version);
        environment.command = "DEL".into();
        environment.container = "a".into();
        environment.interface = "eth0".into();
        environment.path = SearchPath::new("/opt/cni/bin/");
        assert_eq!(environment.verb().unwrap(), Verb::Del);
        assert_eq!(environment.netns(), None);
    }

    #[test]
    fn a_verb_in_lower_case_is_unknown() {
        let environment = Environment { command: "add".into(), ..Environment::default() };
        assert!(environment.verb().unwrap_err().to_string().contains("\"add\""));
    }
}
