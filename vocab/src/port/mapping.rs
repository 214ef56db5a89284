//! One port of the host that leads to one port of a container.

use std::fmt;

use super::{HostAddress, Port, Protocol};

/// One port of the host that leads to one port of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortMapping {
    /// At which of the host's addresses.
    pub host_address: HostAddress,
    /// The host's port.
    pub host_port: Port,
    /// The container's port.
    pub container_port: Port,
    /// Of which protocol both are.
    pub protocol: Protocol,
}

impl fmt::Display for PortMapping {
    /// In Docker's words: `127.0.0.1:8080:80/tcp`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host_address, host_port, container_port, protocol } = self;
        let colon = if *host_address == HostAddress::Any { "" } else { ":" };
        write!(f, "{host_address}{colon}{host_port}:{container_port}/{protocol}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapping_is_written_as_docker_writes_it() {
        let [host_port, container_port] = [8080, 80].map(|number| Port::new(number).unwrap());
        let mapping = |host: &str, protocol| PortMapping {
            host_address: host.parse().unwrap(),
            host_port,
            container_port,
            protocol,
        };
        assert_eq!(mapping("", Protocol::Tcp).to_string(), "8080:80/tcp");
        assert_eq!(mapping("127.0.0.1", Protocol::Udp).to_string(), "127.0.0.1:8080:80/udp");
        assert_eq!(mapping("::1", Protocol::Sctp).to_string(), "[::1]:8080:80/sctp");
    }
}
