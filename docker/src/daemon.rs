//! Docker's `daemon.json`, as far as it speaks of networks.

mod check;
mod error;
mod json;
mod pool;
mod read;
#[cfg(test)]
mod tests;

use std::io::ErrorKind;
use std::net::IpAddr;
use std::path::Path;

use vocab::{InterfaceName, Mtu};

use crate::wish::Wish;

pub use error::{Beside, Error, Expected, Fault, Key, Refusal};
pub use pool::{InvalidPool, Pool};
pub use read::{resolver_option, search_domain};

/// What a `daemon.json` says of networks, found consistent.
///
/// Where a key is absent, `null`, an empty text or list, or an MTU of 0, Docker's default is here: the file that
/// Docker's own documentation shows in full is read as an empty one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DaemonFile {
    /// `bip`, `bip6`, `fixed-cidr`, `fixed-cidr-v6`, `default-gateway`, `default-gateway-v6`.
    ///
    /// With [`DefaultBridge::Own`], [`Shorthand::new`](crate::Shorthand::new) makes of it what it means. With
    /// [`DefaultBridge::Existing`] the network is the bridge's own: put its addresses in as `bip` and `bip6`,
    /// then the ranges and gateways are checked against them.
    pub wish: Wish,
    /// `bridge`: whose the default network's bridge is.
    pub bridge: DefaultBridge,
    /// `mtu`: the largest packet of the default network, in bytes.
    pub mtu: Option<Mtu>,
    /// `dns`: the name servers of containers that name none.
    pub dns: Vec<IpAddr>,
    /// `dns-search`: the domains in which they look for short names; `.` alone stands for none.
    pub dns_search: Vec<String>,
    /// `dns-opts`: the options of their resolver.
    pub dns_opts: Vec<String>,
    /// `ip-forward`: whether forwarding may be turned on.
    pub ip_forward: bool,
    /// `ip-masq`: whether what leaves the default network is masqueraded.
    pub ip_masq: bool,
    /// `icc`: whether containers of the default network reach one another.
    pub icc: bool,
    /// `ipv6`: whether the default network has IPv6. See [`has_ipv6`](Self::has_ipv6) for what follows where
    /// nothing is said.
    pub ipv6: Option<bool>,
    /// `ip`: the host's address for published ports that name none. Docker takes `0.0.0.0` for all addresses of
    /// both families, `::` for all of IPv6 only.
    pub host_address: Option<IpAddr>,
    /// `default-address-pools`: where networks without a subnet of their own get one from.
    pub pools: Vec<Pool>,
    /// The other keys, sorted: they are not about networks, or are not understood.
    pub ignored: Vec<String>,
}

/// Whose the default network's bridge is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DefaultBridge {
    /// It is made for that network.
    Own,
    /// Somebody has made it, and has given it its addresses.
    Existing(InterfaceName),
    /// There is no default network.
    None,
}

impl Default for DaemonFile {
    /// A file without a key.
    fn default() -> Self {
        Self {
            wish: Wish::default(),
            bridge: DefaultBridge::Own,
            mtu: None,
            dns: Vec::new(),
            dns_search: Vec::new(),
            dns_opts: Vec::new(),
            ip_forward: true,
            ip_masq: true,
            icc: true,
            ipv6: None,
            host_address: None,
            pools: Vec::new(),
            ignored: Vec::new(),
        }
    }
}

impl DaemonFile {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// [`Error`], which names the file: it is not there or cannot be read, or its content is refused.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let bytes = std::fs::read(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
        Self::parse(&bytes).map_err(|source| Error::Content { path: path.to_owned(), source })
    }

    /// Reads the file at `path`, which need not be there.
    ///
    /// # Errors
    /// As [`read`](Self::read), save for a file that is not there.
    pub fn find(path: &Path) -> Result<Option<Self>, Error> {
        match Self::read(path) {
            Err(Error::Read { source, .. }) if source.kind() == ErrorKind::NotFound => Ok(None),
            read => read.map(Some),
        }
    }

    /// Reads the content of a file.
    ///
    /// # Errors
    /// [`Fault`]: it is no JSON object, or one of its keys, or two together, cannot work.
    pub fn parse(bytes: &[u8]) -> Result<Self, Fault> {
        let object = json::Object::parse(bytes)?;
        let file = read::read(&object)?;
        check::check(&file, &object)?;
        Ok(file)
    }

    /// Whether the default network has IPv6: `ipv6` says so, or, where it says nothing, there is a key that gives
    /// the network IPv6 addresses. Docker drops such a key without `ipv6`, and without a word.
    #[must_use]
    pub fn has_ipv6(&self) -> bool {
        self.ipv6.unwrap_or_else(|| self.wish.ipv6_key().is_some())
    }
}
