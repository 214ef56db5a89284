//! Why a `daemon.json` cannot be used.

use std::fmt;
use std::path::PathBuf;

use vocab::Mtu;

use super::pool::InvalidPool;
use crate::reserved::Reserved;
use crate::wish::Reason;

/// A file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It cannot be read.
    #[error("read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// What it says cannot be done.
    #[error("use {}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: Fault,
    },
}

impl Error {
    /// The way out, where one is known.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Read { .. } => None,
            Self::Content { source, .. } => source.hint(),
        }
    }
}

/// What is wrong with the content of a file.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// It is no JSON; the source names line and column.
    #[error("decode JSON")]
    NotJson(#[source] serde_json::Error),
    /// It is another JSON value.
    #[error("{found}: expected an object")]
    NoObject {
        /// The value.
        found: String,
    },
    /// A key is there twice with different values.
    #[error("{key}: {first} and {second}: expected it once")]
    Twice {
        /// The key.
        key: Key,
        /// One value.
        first: String,
        /// Another.
        second: String,
    },
    /// The value of a key cannot work, alone or beside another's.
    #[error(transparent)]
    Refused(#[from] Box<Refusal>),
}

impl Fault {
    /// The way out, where one is known.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Refused(refusal) => refusal.hint(),
            _ => None,
        }
    }
}

/// Where a value stands: `dns[1]`, `default-address-pools[0].size`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    name: &'static str,
    index: Option<usize>,
    field: Option<&'static str>,
}

impl Key {
    pub(super) const fn new(name: &'static str) -> Self {
        Self { name, index: None, field: None }
    }

    pub(super) const fn item(name: &'static str, index: usize) -> Self {
        Self { name, index: Some(index), field: None }
    }

    pub(super) const fn field(self, field: &'static str) -> Self {
        Self { field: Some(field), ..self }
    }

    /// The key itself, without the place inside its value.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        if let Some(index) = self.index {
            write!(f, "[{index}]")?;
        }
        self.field.map_or(Ok(()), |field| write!(f, ".{field}"))
    }
}

/// The value of a key cannot work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {value}{}: {expected}", OrNothing(beside.as_ref()))]
pub struct Refusal {
    /// Where the value stands.
    pub key: Key,
    /// The value, as JSON.
    pub value: String,
    /// What it does not fit, if it could work alone.
    pub beside: Option<Beside>,
    /// What was expected.
    pub expected: Expected,
}

/// Another key, which a value does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beside {
    /// The key.
    pub key: &'static str,
    /// Its value, as JSON.
    pub value: String,
}

struct OrNothing<'a>(Option<&'a Beside>);

impl fmt::Display for OrNothing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |Beside { key, value }| write!(f, " beside {key} {value}"))
    }
}

impl Refusal {
    fn hint(&self) -> Option<String> {
        let key = self.key;
        match self.expected {
            Expected::Wish(Reason::PartOf { bip, .. }) => Some(format!(
                "{bip} says which network it is, {key} only which part of it containers get: leave {key} out, or \
                 change {bip} to an address in it"
            )),
            Expected::Wish(Reason::HostIn { .. }) => {
                Some(format!("leave {key} out, and the bridge itself is the gateway"))
            }
            _ => None,
        }
    }
}

/// What was expected of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Expected {
    /// What the keys of addresses expect.
    #[error(transparent)]
    Wish(#[from] Reason),
    /// `true` or `false`.
    #[error("expected true or false")]
    Boolean,
    /// A number of bytes that the kernel takes (`ETH_MIN_MTU` and `ETH_MAX_MTU`, `linux/if_ether.h`).
    #[error("expected {} to {} bytes, or 0 for the default", Mtu::LEAST, Mtu::MOST)]
    Mtu,
    /// A number of bytes with which IPv6 works.
    #[error(
        "expected at least {} bytes, which every link with IPv6 carries (RFC 8200, section 5)",
        Mtu::IPV6
    )]
    MtuOfIpv6,
    /// An address of either family.
    #[error("expected an IPv4 or IPv6 address")]
    Address,
    /// An address of IPv4.
    #[error("expected an IPv4 address; the one of IPv6 is default-gateway-v6")]
    Ipv4Gateway,
    /// An address of IPv6.
    #[error("expected an IPv6 address; the one of IPv4 is default-gateway")]
    Ipv6Gateway,
    /// A list of name servers.
    #[error("expected a list of addresses such as [\"192.168.1.1\"]")]
    Addresses,
    /// A list of domains.
    #[error("expected a list of domains such as [\"example.com\"]")]
    Domains,
    /// A domain.
    #[error("expected a domain such as example.com, or . for none")]
    Domain,
    /// A list of options.
    #[error("expected a list of options such as [\"ndots:2\"]")]
    ResolverOptions,
    /// An option.
    #[error("expected one word such as ndots:2")]
    ResolverOption,
    /// The name of a link.
    #[error("expected the name of a bridge, or none for no default network")]
    Bridge,
    /// The name of a link, as the kernel has them; the rule that is broken.
    #[error("{0}")]
    InterfaceName(&'static str),
    /// A list of pools.
    #[error("expected a list of pools such as [{{\"base\": \"10.10.0.0/16\", \"size\": 24}}]")]
    Pools,
    /// A pool.
    #[error("expected a pool such as {{\"base\": \"10.10.0.0/16\", \"size\": 24}}")]
    Pool,
    /// The network of a pool.
    #[error("expected a network such as 10.10.0.0/16")]
    PoolBase,
    /// The size of a pool's networks.
    #[error("expected the prefix length of each network, such as 24")]
    PoolSize,
    /// A pool that can be.
    #[error(transparent)]
    UsablePool(#[from] InvalidPool),
    /// A network that means nothing else.
    #[error("expected a network outside {0}")]
    Unreserved(Reserved),
    /// A pool of addresses with one for a container.
    #[error("expected room for a container beside the bridge and its gateway")]
    Room,
    /// One of two keys that exclude each other.
    #[error("expected one of them: a bridge that exists keeps its own addresses")]
    OneOfBoth,
    /// A default network, which has addresses.
    #[error("expected no address: there is no default network")]
    NoDefaultNetwork,
    /// A network with IPv6.
    #[error("expected ipv6 true or absent where a key gives the network IPv6 addresses")]
    Ipv6,
}
