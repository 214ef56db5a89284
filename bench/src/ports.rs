//! Ports of the host that lead to one container.

use serde_json::{Value, json};

/// The container's port behind each [scattered](Ports::scattered) one.
pub const SERVED: u16 = 8080;

/// Ports of the host that lead to one container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    first: u16,
    count: u16,
    spread: Spread,
    transport: Transport,
}

/// What is carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// Connections.
    Tcp,
    /// Datagrams.
    Udp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spread {
    Together,
    Scattered,
}

impl Ports {
    /// One TCP port that leads to [`SERVED`].
    #[must_use]
    pub const fn one(port: u16) -> Self {
        Self::scattered(port, 1)
    }

    /// Every other TCP port, each leading to [`SERVED`]: nobody can take them together to a range.
    #[must_use]
    pub const fn scattered(first: u16, count: u16) -> Self {
        Self { first, count, spread: Spread::Scattered, transport: Transport::Tcp }
    }

    /// TCP ports in a row, each leading to the container's port of the same number.
    #[must_use]
    pub const fn together(first: u16, count: u16) -> Self {
        Self { first, count, spread: Spread::Together, transport: Transport::Tcp }
    }

    /// The same ports of UDP.
    #[must_use]
    pub const fn udp(self) -> Self {
        Self { transport: Transport::Udp, ..self }
    }

    /// Each port of the host, and the container's port behind it.
    pub fn pairs(self) -> impl Iterator<Item = (u16, u16)> {
        (0..self.count).map(move |number| match self.spread {
            Spread::Together => (self.first + number, self.first + number),
            Spread::Scattered => (self.first + 2 * number, SERVED),
        })
    }

    /// As a runtime hands them to the plugin `portmap`: one by one.
    #[must_use]
    pub fn for_portmap(self) -> Value {
        let mapping = |(host, container)| json!({ "hostPort": host, "containerPort": container, "protocol": self.protocol() });
        self.pairs().map(mapping).collect()
    }

    /// As podman hands them to netavark: a range in one.
    #[must_use]
    pub fn for_netavark(self) -> Value {
        let mapping = |host, container, range| {
            json!({
                "host_ip": "",
                "host_port": host,
                "container_port": container,
                "protocol": self.protocol(),
                "range": range,
            })
        };
        match self.spread {
            Spread::Together => json!([mapping(self.first, self.first, self.count)]),
            Spread::Scattered => self.pairs().map(|(host, container)| mapping(host, container, 1)).collect(),
        }
    }

    fn protocol(self) -> &'static str {
        match self.transport {
            Transport::Tcp => "tcp",
            Transport::Udp => "udp",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scattered_ports_leave_one_out() {
        let pairs: Vec<_> = Ports::scattered(30_000, 3).pairs().collect();
        assert_eq!(pairs, [(30_000, SERVED), (30_002, SERVED), (30_004, SERVED)]);
    }

    #[test]
    fn a_range_is_one_mapping_for_netavark_and_many_for_portmap() {
        let range = Ports::together(20_000, 2);
        let one = json!([{ "host_ip": "", "host_port": 20_000, "container_port": 20_000, "protocol": "tcp", "range": 2 }]);
        assert_eq!(range.for_netavark(), one);
        let many = json!([
            { "hostPort": 20_000, "containerPort": 20_000, "protocol": "udp" },
            { "hostPort": 20_001, "containerPort": 20_001, "protocol": "udp" },
        ]);
        assert_eq!(range.udp().for_portmap(), many);
    }
}
