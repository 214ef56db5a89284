//! Ports of containers, as `ps` and `port` show them.

use std::collections::BTreeSet;

use vocab::{HostAddress, Port, PortMapping, Protocol, Publish};

use crate::{Attached, Config};

/// Every port of the host that leads to a container.
#[must_use]
pub fn ports_of(attached: &[Attached]) -> Vec<PortMapping> {
    attached.iter().flat_map(|attached| &attached.ports).filter_map(Publish::settled).flatten().collect()
}

/// As `ps` shows them: `0.0.0.0:111->1232/tcp, [::]:111->1232/tcp, 80/tcp`; those in a row together, and at the end those
/// that are exposed only.
#[must_use]
pub fn summary(config: &Config, attached: &[Attached]) -> String {
    let mut published = ports_of(attached);
    published.sort_by_key(|mapping| (mapping.protocol, mapping.container_port, mapping.host_port));
    let mut rows: Vec<Row> = Vec::new();
    for mapping in &published {
        for address in shown(mapping.host_address) {
            let (host, inside) = (mapping.host_port.get(), mapping.container_port.get());
            let continues = |row: &&mut Row| {
                let (begin, length) = row.host.unwrap_or_default();
                row.address == address
                    && row.protocol == mapping.protocol
                    && u32::from(begin) + length == u32::from(host)
                    && u32::from(row.inside.0) + row.inside.1 == u32::from(inside)
            };
            match rows.iter_mut().find(continues) {
                Some(row) => {
                    row.inside.1 += 1;
                    row.host = row.host.map(|(begin, length)| (begin, length + 1));
                }
                None => rows.push(Row {
                    address,
                    host: Some((host, 1)),
                    inside: (inside, 1),
                    protocol: mapping.protocol,
                }),
            }
        }
    }
    rows.extend(exposed_only(config, &published));
    rows.iter().map(Row::text).collect::<Vec<_>>().join(", ")
}

/// The ports that are exposed, and not published, those in a row together.
fn exposed_only(config: &Config, published: &[PortMapping]) -> Vec<Row> {
    let published: BTreeSet<(Protocol, Port)> =
        published.iter().map(|mapping| (mapping.protocol, mapping.container_port)).collect();
    let exposed = config.ports.exposed.iter();
    let ports: BTreeSet<(Protocol, Port)> =
        exposed.flat_map(|exposed| exposed.ports.ports().map(|port| (exposed.protocol, port))).collect();
    let mut rows: Vec<Row> = Vec::new();
    for (protocol, port) in ports.difference(&published) {
        match rows.last_mut() {
            Some(row)
                if row.protocol == *protocol
                    && u32::from(row.inside.0) + row.inside.1 == u32::from(port.get()) =>
            {
                row.inside.1 += 1;
            }
            _ => rows.push(Row {
                address: String::new(),
                host: None,
                inside: (port.get(), 1),
                protocol: *protocol,
            }),
        }
    }
    rows.sort_by_key(|row| (row.inside.0, row.protocol));
    rows
}

/// Ports in a row: the first, and how many.
struct Row {
    address: String,
    host: Option<(u16, u32)>,
    inside: (u16, u32),
    protocol: Protocol,
}

impl Row {
    fn text(&self) -> String {
        let range = |(first, count): (u16, u32)| match count {
            0 | 1 => first.to_string(),
            count => format!("{first}-{}", u32::from(first) + count - 1),
        };
        let inside = range(self.inside);
        match self.host {
            Some(host) => format!("{}:{}->{inside}/{}", self.address, range(host), self.protocol),
            None => format!("{inside}/{}", self.protocol),
        }
    }
}

/// As Docker writes the addresses of the host: of both families where none is named.
#[must_use]
pub fn shown(address: HostAddress) -> Vec<String> {
    match address.one() {
        Some(one) if one.is_ipv6() => vec![format!("[{one}]")],
        Some(one) => vec![one.to_string()],
        None => {
            let v4 = address.has_v4().then(|| "0.0.0.0".to_owned());
            v4.into_iter().chain(address.has_v6().then(|| "[::]".to_owned())).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::config;
    use vocab::{InterfaceName, NetworkName};

    fn attached(ports: &[&str]) -> Vec<Attached> {
        let ports = ports.iter().map(|port| port.parse().expect("a port")).collect();
        vec![Attached {
            network: NetworkName::new("bridge").expect("a name"),
            interface: InterfaceName::new("eth0").expect("a name"),
            mac: None,
            addresses: Vec::new(),
            gateways: Vec::new(),
            aliases: Vec::new(),
            ports,
        }]
    }

    #[test]
    fn ports_are_shown_as_docker_shows_them() {
        let mut asked = config("web", 1);
        asked.ports.exposed = vec!["80/tcp".parse().expect("a port"), "1232/tcp".parse().expect("a port")];
        let text = summary(&asked, &attached(&["111:1232", "127.0.0.1:53:53/udp", "[::1]:9:9"]));
        assert_eq!(
            text,
            "[::1]:9->9/tcp, 0.0.0.0:111->1232/tcp, [::]:111->1232/tcp, 127.0.0.1:53->53/udp, 80/tcp"
        );
    }

    #[test]
    fn ports_in_a_row_are_shown_together() {
        let text =
            summary(&config("web", 1), &attached(&["0.0.0.0:8000-8003:9000-9003", "0.0.0.0:8010:9010"]));
        assert_eq!(text, "0.0.0.0:8000-8003->9000-9003/tcp, 0.0.0.0:8010->9010/tcp");
    }

    #[test]
    fn exposed_ports_in_a_row_are_shown_together_but_for_those_that_are_published() {
        let mut asked = config("web", 1);
        asked.ports.exposed = ["80-90/tcp", "8000/tcp", "8001/tcp", "8002/udp", "53/udp"]
            .iter()
            .map(|port| port.parse().expect("a port"))
            .collect();
        assert_eq!(
            summary(&asked, &attached(&["127.0.0.1:80:80", "127.0.0.1:8085:85"])),
            "127.0.0.1:80->80/tcp, 127.0.0.1:8085->85/tcp, 53/udp, 81-84/tcp, 86-90/tcp, 8000-8001/tcp, 8002/udp"
        );
    }
}
