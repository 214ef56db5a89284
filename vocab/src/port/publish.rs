//! What a person writes to publish ports: Docker's `-p`.

use std::fmt;
use std::str::FromStr;

use super::{
    HostAddress, InvalidHostAddress, InvalidPortRange, InvalidProtocol, Port, PortMapping, PortRange,
    Protocol,
};

/// Why a text publishes no port.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("publish {value:?}")]
pub struct InvalidPublish {
    /// The text as it was given.
    pub value: String,
    /// What is wrong with it.
    pub source: Fault,
}

/// What is wrong with a text that should publish a port.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It ends where the container's port should be.
    #[error("no container port: expected [[ADDRESS:]HOST-PORT:]CONTAINER-PORT[/PROTOCOL]")]
    NoContainerPort,
    /// The address is none.
    #[error(transparent)]
    Address(InvalidHostAddress),
    /// The host's port is none.
    #[error("host port")]
    HostPort(#[source] InvalidPortRange),
    /// An address stands where the host's port should be.
    #[error(
        "{address} stands where the host's port should be: expected {address}:HOST-PORT:{rest}, or {address}::{rest} for a free port"
    )]
    AddressWithoutPort {
        /// The address.
        address: HostAddress,
        /// What follows it.
        rest: String,
    },
    /// The container's port is none.
    #[error("container port")]
    ContainerPort(#[source] InvalidPortRange),
    /// The protocol is none.
    #[error(transparent)]
    Protocol(InvalidProtocol),
    /// The ranges do not fit together.
    #[error(
        "{host} are {hosts} host ports and {container} are {containers} container ports: expected as many, \
         or one container port for any free one of the host's",
        hosts = host.count(),
        containers = container.count()
    )]
    Lengths {
        /// The host's ports.
        host: PortRange,
        /// The container's ports.
        container: PortRange,
    },
}

/// Which of the host's ports lead to a container's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HostPorts {
    /// For each of the container's ports a free one of the ephemeral range.
    Free,
    /// For each of the container's ports the one at the same place.
    Each(PortRange),
    /// Any free one of several, for the container's only port.
    OneOf(PortRange),
}

/// What a person writes to publish ports of a container (`docker run --publish`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Publish {
    /// At which of the host's addresses.
    pub host_address: HostAddress,
    /// The host's ports.
    pub host_ports: HostPorts,
    /// The container's ports.
    pub container_ports: PortRange,
    /// Of which protocol all are.
    pub protocol: Protocol,
}

impl Publish {
    /// The mappings, if the text leaves nothing open.
    #[must_use]
    pub fn settled(&self) -> Option<Vec<PortMapping>> {
        let HostPorts::Each(host_ports) = self.host_ports else { return None };
        let pairs = host_ports.ports().zip(self.container_ports.ports());
        Some(pairs.map(|(host, container)| self.mapping(host, container)).collect())
    }

    /// The mapping of one pair of ports.
    #[must_use]
    pub const fn mapping(&self, host_port: Port, container_port: Port) -> PortMapping {
        PortMapping { host_address: self.host_address, host_port, container_port, protocol: self.protocol }
    }

    fn read(text: &str) -> Result<Self, Fault> {
        let (ports, protocol) = match text.split_once('/') {
            Some((ports, protocol)) => (ports, protocol.parse().map_err(Fault::Protocol)?),
            None => (text, Protocol::default()),
        };
        let (host, container) = match ports.rsplit_once(':') {
            Some((host, container)) => (Some(host), container),
            None => (None, ports),
        };
        if container.is_empty() {
            return Err(Fault::NoContainerPort);
        }
        let (host_address, host_ports) = split_host(host.unwrap_or_default(), container)?;
        let container_ports = container.parse().map_err(Fault::ContainerPort)?;
        let host_ports = pair(read_host_ports(host_ports)?, container_ports)?;
        Ok(Self { host_address, host_ports, container_ports, protocol })
    }
}

/// Takes `[ADDRESS:]PORTS` apart. An IPv6 address without brackets ends at the last colon.
fn split_host<'a>(host: &'a str, rest: &str) -> Result<(HostAddress, &'a str), Fault> {
    // `127.0.0.1:80` and `[::1]:80`: what looks like a port is an address, and the port is missing.
    if let Ok(address @ HostAddress::One(_)) = host.parse::<HostAddress>()
        && (host.starts_with('[') || !host.contains(':'))
    {
        return Err(Fault::AddressWithoutPort { address, rest: rest.to_owned() });
    }
    match host.rsplit_once(':') {
        Some((address, ports)) => Ok((address.parse().map_err(Fault::Address)?, ports)),
        None => Ok((HostAddress::Any, host)),
    }
}

/// Nothing, or port 0, stands for a free one.
fn read_host_ports(text: &str) -> Result<Option<PortRange>, Fault> {
    let is_free = text.is_empty() || text.bytes().all(|digit| digit == b'0');
    if is_free { Ok(None) } else { text.parse().map(Some).map_err(Fault::HostPort) }
}

fn pair(host: Option<PortRange>, container: PortRange) -> Result<HostPorts, Fault> {
    match host {
        None => Ok(HostPorts::Free),
        Some(host) if host.count() == container.count() => Ok(HostPorts::Each(host)),
        Some(host) if container.count() == 1 => Ok(HostPorts::OneOf(host)),
        Some(host) => Err(Fault::Lengths { host, container }),
    }
}

impl FromStr for Publish {
    type Err = InvalidPublish;

    /// Reads `[[ADDRESS:][HOST-PORT[-END]]:]CONTAINER-PORT[-END][/PROTOCOL]`; an IPv6 address may stand in brackets.
    fn from_str(text: &str) -> Result<Self, InvalidPublish> {
        Self::read(text).map_err(|source| InvalidPublish { value: text.to_owned(), source })
    }
}

impl fmt::Display for Publish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host_address, host_ports, container_ports, protocol } = self;
        match (host_address, host_ports) {
            (HostAddress::Any, HostPorts::Free) => {}
            (address, HostPorts::Free) => write!(f, "{address}::")?,
            (HostAddress::Any, HostPorts::Each(ports) | HostPorts::OneOf(ports)) => write!(f, "{ports}:")?,
            (address, HostPorts::Each(ports) | HostPorts::OneOf(ports)) => write!(f, "{address}:{ports}:")?,
        }
        write!(f, "{container_ports}/{protocol}")
    }
}

#[cfg(test)]
mod tests;
