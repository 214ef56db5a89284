//! `netctl connect`

use std::net::{Ipv4Addr, Ipv6Addr};
use std::process::ExitCode;

use catalog::{JoinError, Joined, Joining, Network};
use clap::Args;
use cni::Fault;
use vocab::{HostPorts, InterfaceName, MacAddress, Publish};

use super::place::{NamespaceOption, Place};
use super::words;
use crate::output::Output;
use crate::parse::in_full;
use crate::report::{self, Failure};

/// Put a container, a namespace or a process on a network
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Connect {
    /// The network: its name, or the first digits of its id
    network: String,
    /// Whom: the name or path of a namespace, a container of any runtime, or the number of a process
    target: String,
    /// The IPv4 address it is to have [default: a free one]
    #[arg(long)]
    ip: Option<Ipv4Addr>,
    /// The IPv6 address it is to have [default: a free one]
    #[arg(long)]
    ip6: Option<Ipv6Addr>,
    /// The MAC address it is to have
    #[arg(long, visible_alias = "mac-address", value_name = "MAC", value_parser = in_full::<MacAddress>)]
    mac: Option<MacAddress>,
    /// A further name of it on this network
    #[arg(long, value_name = "NAME")]
    alias: Vec<String>,
    /// The name of its interface [default: the first of eth0, eth1, … that is free]
    #[arg(long, value_name = "NAME", value_parser = in_full::<InterfaceName>)]
    ifname: Option<InterfaceName>,
    /// Publish a port: [[ADDRESS:][HOST-PORT]:]PORT[/PROTOCOL]
    #[arg(short, long, value_name = "PORT", value_parser = in_full::<Publish>)]
    publish: Vec<Publish>,
    #[command(flatten)]
    namespaces: NamespaceOption,
    #[command(flatten)]
    place: Place,
}

const HELP: &str = "\
A word that is the name of a namespace and of a container can be told apart: ns:NAME, container:NAME, pid:NUMBER.
The first network that a container joins is its way out; when it leaves that, the next one is.

Examples:
  netctl netns add blue
  netctl connect mybr0 blue
  netctl connect mybr0 blue --ip 172.26.0.9 -p 8080:80
  netctl connect bridge 4711
  netctl connect mybr0 container:0c2c61d2e1bd --ifname eth1
  netctl connect -o json mybr0 blue | jq '.ips'

Exit codes:
  0  done
  1  failed; nothing was changed, and the reason is on standard error
  2  the command line cannot be understood";

impl Connect {
    pub(crate) fn run(self, output: &mut Output) -> Result<ExitCode, Failure> {
        let catalog = self.place.catalog();
        let runtime = self.place.roots.runtime();
        let network = self.place.find(&catalog, &self.network)?;
        let entries = runtime.cache.all().map_err(Failure::of)?;
        let sandbox = self.namespaces.find(&self.target, &entries).map_err(Failure::of)?;
        let joining = Joining {
            ip: self.ip,
            ip6: self.ip6,
            mac: self.mac,
            aliases: self.alias,
            interface: self.ifname,
            publish: self.publish,
            name: None,
        };
        let joined = catalog.join(&runtime, &network, &sandbox, &joining).map_err(each)?;
        tell(&network, &joining, &joined);
        if output.is_json() {
            let result = joined.result.to_value(network.list.version()).map_err(Failure::of)?;
            output.json(&result)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// What is not to be seen from the command line itself.
fn tell(network: &Network, joining: &Joining, joined: &Joined) {
    words::tell_of_forwarding(network, &joined.switched_on);
    joined.not_forgotten.iter().for_each(|error| report::warning(error, error.hint().as_deref()));
    let is_chosen = |publish: &Publish| !matches!(publish.host_ports, HostPorts::Each(_));
    if joining.publish.iter().any(is_chosen) {
        let ports: Vec<String> = joined.ports.iter().map(ToString::to_string).collect();
        report::note(format!("published {}", ports.join(", ")));
    }
    if !joined.ports.is_empty() && network.view.is_internal {
        report::note(format!(
            "network {} is internal: its published ports are reached from this host, and not from outside",
            network.name()
        ));
    }
    if !joining.aliases.is_empty() && !joined.has_resolver {
        report::note(format!(
            "the aliases are kept, but nobody answers to them on network {}: it has no plugin with the capability aliases",
            network.name()
        ));
    }
}

/// Several errors of plugins are told one by one; the last ends the program.
fn each(error: JoinError) -> Failure {
    match error {
        JoinError::Plugins(errors) => Failure::each(errors),
        error => Failure::of(error),
    }
}
