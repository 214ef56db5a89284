//! `netctl create`

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::IpAddr;
use std::process::ExitCode;

use catalog::{Driver, OptionError, Options, Wish};
use clap::{ArgAction, Args};
use ipnetwork::IpNetwork;
use jiff::Timestamp;
use serde::Serialize;
use vocab::{Mtu, NetworkName};

use super::place::{Place, tell_of_broken};
use super::words;
use crate::output::{Format, Output};
use crate::parse::in_full;
use crate::report::{self, Failure};

/// Make a network
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Create {
    /// The name of the network
    #[arg(value_parser = NetworkName::new)]
    name: NetworkName,
    /// What it is made of: bridge, macvlan or ipvlan
    #[arg(short, long, default_value = "bridge")]
    driver: Driver,
    /// A subnet of it, such as 172.26.0.0/16; may be given for each family [default: a free one]
    #[arg(long, value_name = "CIDR", value_delimiter = ',', value_parser = cidr)]
    subnet: Vec<IpNetwork>,
    /// The containers' router in the subnet that it lies in [default: the subnet's first address]
    #[arg(long, value_name = "IP", value_delimiter = ',')]
    gateway: Vec<IpAddr>,
    /// The part of a subnet that containers get their addresses from [default: all of it]
    #[arg(long, value_name = "CIDR", value_delimiter = ',', value_parser = cidr)]
    ip_range: Vec<IpNetwork>,
    /// Whether containers get IPv4 addresses
    #[arg(long, value_name = "BOOL", default_value = "true", default_missing_value = "true")]
    #[arg(num_args = 0..=1, require_equals = true, action = ArgAction::Set)]
    ipv4: bool,
    /// Give containers IPv6 addresses, too, from a free subnet of this machine's own when none is named
    #[arg(
        long,
        value_name = "BOOL",
        default_value = "false",
        default_missing_value = "true",
        hide_default_value = true
    )]
    #[arg(num_args = 0..=1, require_equals = true, action = ArgAction::Set)]
    ipv6: bool,
    /// Let nothing in or out
    #[arg(
        long,
        value_name = "BOOL",
        default_value = "false",
        default_missing_value = "true",
        hide_default_value = true
    )]
    #[arg(num_args = 0..=1, require_equals = true, action = ArgAction::Set)]
    internal: bool,
    /// Close it to the other networks of this host
    #[arg(
        long,
        value_name = "BOOL",
        default_value = "false",
        default_missing_value = "true",
        hide_default_value = true
    )]
    #[arg(num_args = 0..=1, require_equals = true, action = ArgAction::Set)]
    isolate: bool,
    /// The largest packet, in bytes [default: what the link of the default route carries]
    #[arg(long, value_name = "BYTES", value_parser = in_full::<Mtu>)]
    mtu: Option<Mtu>,
    /// Leave the host's forwarding alone: packets go nowhere unless somebody else switches it on
    #[arg(long)]
    no_forward: bool,
    /// An option of the driver
    #[arg(short = 'o', long = "opt", value_name = "KEY=VALUE")]
    options: Vec<String>,
    /// A label: a word for people and their scripts
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = pair)]
    labels: Vec<(String, String)>,
    /// A name server of the containers
    #[arg(long, value_name = "IP", value_delimiter = ',')]
    dns: Vec<IpAddr>,
    /// A domain in which containers look for short names
    #[arg(long, value_name = "DOMAIN", value_delimiter = ',', value_parser = docker::search_domain)]
    dns_search: Vec<String>,
    /// An option of the containers' resolver (resolv.conf(5))
    #[arg(long, alias = "dns-option", value_name = "OPTION", value_parser = docker::resolver_option)]
    dns_opt: Vec<String>,
    #[command(flatten)]
    place: Place,
}

const HELP: &str = "\
The network is a bridge of that name (`br-` and a hash, where the name is too long for a link) with the gateway's
address, and a file /etc/cni/net.d/netctl-NAME.conflist that containerd, CRI-O and podman can use as well. From outside,
its containers are reached by published ports only. Prints the network's id.

Options of driver bridge (-o), each also without com.docker.network.:
  com.docker.network.bridge.name=LINK                 the bridge, which may exist already
  com.docker.network.bridge.enable_ip_masquerade=BOOL whether what leaves has the host's address (true)
  com.docker.network.bridge.enable_icc=BOOL           whether its containers reach one another (true)
  com.docker.network.bridge.host_binding_ipv4=IP      where ports are published that name no address
  com.docker.network.bridge.gateway_mode_ipv4=MODE    nat (default), nat-unprotected, routed, isolated
  com.docker.network.driver.mtu=BYTES                 as --mtu
  com.docker.network.container_iface_prefix=NAME      what interfaces in containers are called (eth)
  isolate=BOOL, no_default_route=BOOL                 as podman has them
Options of drivers macvlan and ipvlan, whose plugins must be installed beside netctl's:
  parent=LINK, macvlan_mode=MODE, ipvlan_mode=MODE

Examples:
  netctl create mybr0
  netctl create mybr0 --subnet 172.26.0.0/16 --gateway 172.26.0.1
  netctl create --ipv6 --label tier=web --mtu 1400 web
  netctl create --internal db
  netctl create -d macvlan -o parent=eth0 --subnet 192.168.7.0/24 --ip-range 192.168.7.192/27 lan

Exit codes:
  0  done
  1  failed; nothing was made, and the reason is on standard error
  2  the command line cannot be understood";

/// A text is no network.
#[derive(Debug, thiserror::Error)]
#[error("expected an address and the length of its prefix, such as 172.26.0.0/16")]
struct NoCidr;

fn cidr(text: &str) -> Result<IpNetwork, NoCidr> {
    text.parse::<cni::Cidr>().map(|cidr| cidr.0).map_err(|_| NoCidr)
}

/// A key alone has an empty value, as with Docker.
fn pair(text: &str) -> Result<(String, String), Infallible> {
    let (key, value) = text.split_once('=').unwrap_or((text, ""));
    Ok((key.to_owned(), value.to_owned()))
}

/// What was made.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Made<'a> {
    name: &'a str,
    id: &'a str,
    driver: &'a str,
    link: &'a str,
    subnets: Vec<MadeSubnet>,
    #[serde(rename = "MTU")]
    mtu: Option<Mtu>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct MadeSubnet {
    subnet: String,
    gateway: IpAddr,
}

impl Create {
    pub(crate) fn run(mut self, output: &mut Output) -> Result<ExitCode, Failure> {
        self.take_format(output);
        let catalog = self.place.catalog();
        let runtime = self.place.roots.runtime();
        let named: Vec<IpNetwork> = self.subnet.clone();
        let has_mtu = self.mtu.is_some();
        let wish = self.wish()?;
        words::tell_of_ignored_keys(&catalog);
        let created = catalog.create(wish, &runtime, Timestamp::now()).map_err(Failure::of)?;
        tell_of_broken(&created.broken);
        let design = &created.design;
        for chosen in design.subnets.iter().filter(|subnet| !named.contains(&subnet.subnet)) {
            report::note(format!("chose subnet {} with gateway {}", chosen.subnet, chosen.gateway));
        }
        if let (Some(mtu), false, None) = (design.mtu, has_mtu, design.wish.options.mtu) {
            report::note(format!("mtu {mtu}, as that of the link by which this host reaches others"));
        }
        let subnet = |plan: &catalog::SubnetPlan| MadeSubnet {
            subnet: plan.subnet.to_string(),
            gateway: plan.gateway,
        };
        match output.is_json() {
            true => output.json(&Made {
                name: design.name.as_str(),
                id: created.network.id.as_str(),
                driver: design.driver.as_str(),
                link: design.link.as_str(),
                subnets: design.subnets.iter().map(subnet).collect(),
                mtu: design.mtu,
            })?,
            false => output.line(&created.network.id)?,
        }
        Ok(ExitCode::SUCCESS)
    }

    /// `-o` is Docker's here, and everywhere else the format: a word without `=` that is one is taken for it.
    fn take_format(&mut self, output: &mut Output) {
        self.options.retain(|option| match option.as_str() {
            "json" => {
                output.heed(Format::Json);
                false
            }
            "text" => {
                output.heed(Format::Text);
                false
            }
            _ => true,
        });
    }

    fn wish(self) -> Result<Wish, Failure> {
        let pairs: Vec<(String, String)> = self
            .options
            .iter()
            .map(|text| {
                let (key, value) = text.split_once('=').unwrap_or((text, ""));
                (key.to_owned(), value.to_owned())
            })
            .collect();
        let options = Options::read(self.driver, &pairs);
        let options = options.map_err(|error| Failure::with(error, OptionError::hint))?;
        Ok(Wish {
            name: self.name,
            driver: self.driver,
            subnets: self.subnet,
            gateways: self.gateway,
            ranges: self.ip_range,
            ipv4: self.ipv4,
            ipv6: self.ipv6,
            internal: self.internal,
            isolate: self.isolate,
            forward: !self.no_forward,
            mtu: self.mtu,
            options,
            labels: self.labels.into_iter().collect::<BTreeMap<_, _>>(),
            dns: self.dns,
            dns_search: self.dns_search,
            dns_options: self.dns_opt,
        })
    }
}
