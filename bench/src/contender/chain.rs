//! A chain of CNI plugins, called as a container runtime calls it.

use super::others::{crowd_by_script, reference};
use super::{Attached, Contender, Error, Tenant, crowd_by_calls};
use crate::attachment;
use crate::lan::Lan;
use crate::plugin::Call;
use crate::side::{Side, Written};
use serde_json::{Value, json};
use std::net::Ipv4Addr;
use std::time::Duration;

/// A chain of CNI plugins: `bridge`, and for published ports `portmap` and `firewall` after it.
#[derive(Clone, Debug)]
pub struct Chain {
    name: &'static str,
    side: Side,
    links: &'static [&'static str],
    rules: Rules,
}

/// Which rules a configuration asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rules {
    /// Whatever the plugins write when nothing is said.
    Usual,
    /// Those of nftables, by name.
    Nftables,
}

impl Chain {
    /// A bridge with masquerade, published ports and the firewall's consent.
    #[must_use]
    pub fn publishing(name: &'static str, side: &Side, rules: Rules) -> Self {
        Self { name, side: side.clone(), links: &["bridge", "portmap", "firewall"], rules }
    }

    /// Nothing but a bridge: its ports are not published.
    #[must_use]
    pub fn bridge_only(name: &'static str, side: &Side) -> Self {
        Self { name, side: side.clone(), links: &["bridge"], rules: Rules::Usual }
    }

    /// The call of one plugin for one verb.
    pub(super) fn call(
        &self,
        verb: &str,
        link: &str,
        lan: &Lan,
        tenant: &Tenant,
        previous: Option<&Value>,
    ) -> Call {
        let mut config = self.config(link, lan, tenant);
        config["cniVersion"] = json!("1.0.0");
        config["name"] = json!(lan.name);
        config["type"] = json!(link);
        if let Some(previous) = previous {
            config["prevResult"] = previous.clone();
        }
        Call {
            program: self.side.plugin(link),
            arguments: Vec::new(),
            environment: vec![
                ("CNI_COMMAND", verb.into()),
                ("CNI_CONTAINERID", tenant.container.id().into()),
                ("CNI_NETNS", tenant.container.path().into()),
                ("CNI_IFNAME", "eth0".into()),
                ("CNI_PATH", self.side.folder.clone().into()),
            ],
            stdin: config.to_string(),
        }
    }

    /// What is particular to one plugin.
    fn config(&self, link: &str, lan: &Lan, tenant: &Tenant) -> Value {
        let mut config = match link {
            "bridge" => json!({
                "bridge": lan.bridge,
                "isGateway": true,
                "ipMasq": self.links.len() > 1,
                "ipam": {
                    "type": "host-local",
                    "ranges": [[{ "subnet": lan.subnet() }]],
                    "routes": [{ "dst": "0.0.0.0/0" }],
                },
            }),
            "portmap" => json!({
                "capabilities": { "portMappings": true },
                "runtimeConfig": { "portMappings": tenant.ports.for_portmap() },
            }),
            _ => json!({}),
        };
        match (self.rules, link) {
            (Rules::Nftables, "bridge") => config["ipMasqBackend"] = json!("nftables"),
            (Rules::Nftables, "portmap") => config["backend"] = json!("nftables"),
            _ => {}
        }
        config
    }
}

impl Contender for Chain {
    fn name(&self) -> &'static str {
        self.name
    }

    fn attach(&self, lan: &Lan, tenant: &Tenant) -> Result<(Duration, Attached), Error> {
        let (mut took, mut previous) = (Duration::ZERO, None);
        for link in self.links {
            let (time, said) = self.call("ADD", link, lan, tenant, previous.as_ref()).run()?;
            took += time;
            previous = Some(attachment::result(said)?);
        }
        let result = previous.unwrap_or_default();
        let address = address(&result).ok_or_else(|| Error::NoAddress { result: result.clone() })?;
        Ok((took, Attached { result, address }))
    }

    fn detach(&self, lan: &Lan, tenant: &Tenant, attached: &Attached) -> Result<Duration, Error> {
        let del = |link: &&str| Ok(self.call("DEL", link, lan, tenant, Some(&attached.result)).run()?.0);
        self.links.iter().rev().map(del).sum()
    }

    fn crowd(&self, lan: &Lan, count: u16) -> Result<Vec<Tenant>, Error> {
        match (self.side.written, self.rules) {
            // One hundred ports of one container take the reference a second, with iptables.
            (Written::ByOthers, Rules::Usual) => crowd_by_script(&reference(lan, count)),
            _ => crowd_by_calls(self, lan, count),
        }
    }
}

fn address(result: &Value) -> Option<Ipv4Addr> {
    let (address, _prefix) = result["ips"][0]["address"].as_str()?.split_once('/')?;
    address.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::Container;
    use crate::ports::Ports;

    fn chain(rules: Rules) -> Chain {
        let side = Side { name: "ours", number: 2, folder: "/plugins".into(), written: Written::ByUs };
        Chain::publishing("ours", &side, rules)
    }

    fn stdin(chain: &Chain, verb: &str, link: &str, previous: Option<&Value>) -> Value {
        let tenant = Tenant { container: Container::named("c1"), number: 2, ports: Ports::one(30_000) };
        let call = chain.call(verb, link, &Lan::new(3, 1), &tenant, previous);
        assert_eq!(call.program, chain.side.plugin(link));
        serde_json::from_str(&call.stdin).unwrap()
    }

    #[test]
    fn every_link_of_a_chain_hears_what_the_one_before_said() {
        let result = json!({ "ips": [] });
        let heard = stdin(&chain(Rules::Usual), "ADD", "portmap", Some(&result));
        let expected = json!({
            "cniVersion": "1.0.0",
            "name": "bench-0003-001",
            "type": "portmap",
            "capabilities": { "portMappings": true },
            "runtimeConfig": {
                "portMappings": [{ "hostPort": 30_000, "containerPort": 8080, "protocol": "tcp" }],
            },
            "prevResult": { "ips": [] },
        });
        assert_eq!(heard, expected);
    }

    #[test]
    fn back_ends_are_only_named_where_asked_for() {
        let (usual, nftables) = (chain(Rules::Usual), chain(Rules::Nftables));
        let named = |chain, link: &str, key: &str| stdin(chain, "DEL", link, None)[key].clone();
        assert_eq!(named(&usual, "bridge", "ipMasqBackend"), Value::Null);
        assert_eq!(named(&nftables, "bridge", "ipMasqBackend"), "nftables");
        assert_eq!(named(&nftables, "portmap", "backend"), "nftables");
        assert_eq!(named(&nftables, "firewall", "backend"), Value::Null);
    }

    #[test]
    fn the_address_is_found_in_the_result() {
        let result = json!({ "ips": [{ "address": "10.1.0.2/16" }] });
        assert_eq!(address(&result), Some(Ipv4Addr::new(10, 1, 0, 2)));
        assert_eq!(address(&json!({ "ips": [] })), None);
    }
}
