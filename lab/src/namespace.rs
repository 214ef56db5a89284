//! Named network namespaces inside a host: what a container would live in.

use crate::host::Host;
use crate::outcome::Unexpected;
use crate::place::{Here, Place};
use std::ffi::OsString;
use std::path::PathBuf;

/// A network namespace with a name under `/run/netns` of its host, as `ip netns` makes them: only `lo`,
/// and that is down. It ends with the host, or when it is [removed](Self::remove).
#[derive(Clone, Debug)]
pub struct Namespace {
    name: String,
    entrance: Vec<OsString>,
    root: PathBuf,
}

impl Namespace {
    /// Makes a namespace in a host.
    ///
    /// # Errors
    /// As `ip netns add` tells.
    #[track_caller]
    pub fn create(host: &Host, name: &str) -> Result<Self, Unexpected> {
        host.run(["ip", "netns", "add", name]).ok()?;
        Ok(Self::of(host, name))
    }

    /// Makes `count` namespaces, called `prefix` and a number from 0, in one go.
    ///
    /// # Errors
    /// As `ip netns add` tells.
    #[track_caller]
    pub fn create_many(host: &Host, prefix: &str, count: usize) -> Result<Vec<Self>, Unexpected> {
        let names: Vec<String> = (0..count).map(|number| format!("{prefix}{number}")).collect();
        let script = r#"for name; do ip netns add "$name"; done"#;
        let words = ["sh", "-ec", script, "create"].into_iter().chain(names.iter().map(String::as_str));
        host.run(words).ok()?;
        Ok(names.iter().map(|name| Self::of(host, name)).collect())
    }

    /// A namespace that something else has made in a host, or will make.
    #[must_use]
    pub fn of(host: &Host, name: &str) -> Self {
        let (pid, root) = (host.pid().to_string(), host.root());
        // The path is opened before the mount namespace is entered, hence the detour.
        let net = format!("--net={}/run/netns/{name}", root.display());
        let words = ["nsenter", "-t", &pid, "-m", "-p", "-u", "-i", &net, "--"];
        Self { name: name.to_owned(), entrance: words.iter().map(OsString::from).collect(), root }
    }

    /// A namespace of the host in which this process already is.
    #[must_use]
    pub fn find(name: &str) -> Self {
        let net = format!("--net=/run/netns/{name}");
        let words = ["nsenter", &net, "--"];
        Self {
            name: name.to_owned(),
            entrance: words.iter().map(OsString::from).collect(),
            root: Here.root(),
        }
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The path as programs inside the host know it: what goes into `CNI_NETNS`.
    #[must_use]
    pub fn path(&self) -> String {
        format!("/run/netns/{}", self.name)
    }

    /// Removes the namespace from its host. Its links are gone some 20 ms later.
    ///
    /// # Errors
    /// As `ip netns delete` tells.
    #[track_caller]
    pub fn remove(self, host: &impl Place) -> Result<(), Unexpected> {
        host.run(["ip", "netns", "delete", &self.name]).ok().map(drop)
    }
}

impl Place for Namespace {
    fn entrance(&self) -> Vec<OsString> {
        self.entrance.clone()
    }

    fn root(&self) -> PathBuf {
        self.root.clone()
    }
}
