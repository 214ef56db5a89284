//! Flags about networks, ports and names.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use clap::Args;
use images::ExposedPort;
use runner::networks::{Asked, InvalidWord, Word, is_alias};
use runner::{AddHost, Host, Membership, Mode, Names, Ports, Store};
use vocab::{MacAddress, NetworkName, Publish};

use super::Invalid;
use crate::container::place;
use crate::parse::in_full;
use crate::report::Failure;

#[derive(Debug, Args)]
#[group(skip)]
#[command(next_help_heading = "Networks, ports and names")]
pub(super) struct Flags {
    /// bridge, host, none, container:NAME, ns:PATH, or NETWORK[:ip=…,mac=…,alias=…]; several networks are given one by one,
    /// and the first is the way out [default: bridge]
    #[arg(long, visible_alias = "net", value_name = "NETWORK")]
    network: Vec<String>,
    /// Publish a port: [[ADDRESS:][HOST-PORT]:]PORT[/PROTOCOL]
    #[arg(short, long, value_name = "PORT", value_parser = in_full::<Publish>)]
    publish: Vec<Publish>,
    /// Publish every exposed port, each by a free one
    #[arg(short = 'P', long)]
    publish_all: bool,
    /// Expose a port, or several in a row, besides the image's
    #[arg(long, value_name = "PORT", value_parser = in_full::<ExposedPort>)]
    expose: Vec<ExposedPort>,
    /// What it calls itself [default: the first 12 digits of its id]
    #[arg(short = 'h', long, value_name = "NAME")]
    hostname: Option<String>,
    /// Its domain
    #[arg(long, value_name = "NAME")]
    domainname: Option<String>,
    /// Ask this name server
    #[arg(long, value_name = "ADDRESS")]
    dns: Vec<IpAddr>,
    /// Look for short names in this domain; `.` for none
    #[arg(long, value_name = "DOMAIN")]
    dns_search: Vec<String>,
    /// Set an option of resolv.conf(5)
    #[arg(long, visible_alias = "dns-option", value_name = "OPTION")]
    dns_opt: Vec<String>,
    /// Add a name to /etc/hosts: NAME:ADDRESS, or NAME:host-gateway for the host
    #[arg(long, value_name = "NAME:ADDRESS")]
    add_host: Vec<String>,
    /// The IPv4 address it is to have
    #[arg(long, value_name = "ADDRESS")]
    ip: Option<Ipv4Addr>,
    /// The IPv6 address it is to have
    #[arg(long, value_name = "ADDRESS")]
    ip6: Option<Ipv6Addr>,
    /// The MAC address it is to have
    #[arg(long, value_name = "ADDRESS", value_parser = in_full::<MacAddress>)]
    mac_address: Option<MacAddress>,
    /// A further name of it on its network
    #[arg(long, visible_alias = "net-alias", value_name = "NAME")]
    network_alias: Vec<String>,
}

#[derive(Debug, thiserror::Error)]
#[error("--network {word} cannot be combined with another one")]
struct Alone {
    word: String,
}

#[derive(Debug, thiserror::Error)]
#[error("{flag}: there are several networks")]
struct Which {
    flag: &'static str,
}

impl Flags {
    /// In which network namespace the container lives, and on which networks it is.
    pub(super) fn mode(&self, store: &Store) -> Result<Mode, Failure> {
        let words: Vec<Word> = self
            .network
            .iter()
            .map(|text| text.parse())
            .collect::<Result<_, InvalidWord>>()
            .map_err(|error| Failure::with(error, |error| Some(error.hint())).code(125))?;
        let mut memberships = Vec::new();
        for (word, text) in words.into_iter().zip(&self.network) {
            let mode = match word {
                Word::Network(membership) => {
                    memberships.push(membership);
                    continue;
                }
                Word::Host => Mode::Host,
                Word::None => Mode::None,
                Word::Container(name) => {
                    Mode::Container(place::find(store, &name).map_err(|error| error.code(125))?.id().clone())
                }
                Word::Namespace(path) => Mode::Namespace(path),
            };
            return if self.network.len() == 1 {
                Ok(mode)
            } else {
                Err(Failure::from(Alone { word: text.clone() }).code(125))
            };
        }
        if memberships.is_empty() {
            memberships.push(Membership::of(NetworkName::new(catalog::BRIDGE)?));
        }
        runner::networks::refuse_twice(&memberships)
            .map_err(|error| Failure::with(error, |error| error.hint()).code(125))?;
        self.ask_the_only_one(&mut memberships)?;
        Ok(Mode::Networks(memberships))
    }

    /// What is asked without naming a network is asked of the only one.
    fn ask_the_only_one(&self, memberships: &mut [Membership]) -> Result<(), Failure> {
        let asked = [
            ("--ip", self.ip.is_some()),
            ("--ip6", self.ip6.is_some()),
            ("--mac-address", self.mac_address.is_some()),
            ("--network-alias", !self.network_alias.is_empty()),
        ];
        match (memberships, asked.iter().find(|(_, is_given)| *is_given)) {
            ([only], _) => {
                only.ip = self.ip.or(only.ip);
                only.ip6 = self.ip6.or(only.ip6);
                only.mac = self.mac_address.or(only.mac);
                only.aliases.extend(self.network_alias.iter().cloned());
                Ok(())
            }
            (_, None) => Ok(()),
            (_, Some((flag, _))) => Err(Failure::from(Which { flag })
                .hint("say of which: --network NETWORK:ip=…,ip6=…,mac=…,alias=…".to_owned())
                .code(125)),
        }
    }

    /// What depends on the mode.
    pub(super) fn asked(&self) -> Asked {
        Asked {
            publish: !self.publish.is_empty(),
            publish_all: self.publish_all,
            expose: !self.expose.is_empty(),
            hostname: self.hostname.is_some(),
            domainname: self.domainname.is_some(),
            dns: !self.dns.is_empty(),
            dns_search: !self.dns_search.is_empty(),
            dns_options: !self.dns_opt.is_empty(),
            add_host: !self.add_host.is_empty(),
            host_gateway: self.add_host.iter().any(|word| word.ends_with("host-gateway")),
            ip: self.ip.is_some(),
            ip6: self.ip6.is_some(),
            mac: self.mac_address.is_some(),
            alias: !self.network_alias.is_empty(),
        }
    }

    /// Ports, those of the image included. Off networks, none is published.
    pub(super) fn ports(&self, image: Option<&images::Config>, is_on_networks: bool) -> Ports {
        let mut exposed: Vec<ExposedPort> =
            image.iter().flat_map(|image| &image.exposed_ports).chain(&self.expose).copied().collect();
        exposed.sort();
        exposed.dedup();
        let publish = if is_on_networks { self.publish.clone() } else { Vec::new() };
        Ports { publish, publish_all: self.publish_all && is_on_networks, exposed }
    }

    pub(super) fn names(&self) -> Result<Names, Invalid> {
        for (flag, name) in [("--hostname", &self.hostname), ("--domainname", &self.domainname)] {
            let is_name = |name: &String| {
                let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
                // As long as uname(2) has room for.
                !name.is_empty() && name.len() <= 64 && name.bytes().all(is_letter)
            };
            if let Some(name) = name.as_ref().filter(|name| !is_name(name)) {
                return Err(Invalid::new(
                    flag,
                    name.clone(),
                    "expected up to 64 letters, digits, '-', '.' and '_'",
                ));
            }
        }
        if let Some(name) = self.network_alias.iter().find(|name| !is_alias(name)) {
            return Err(Invalid::new(
                "--network-alias",
                name.clone(),
                "expected letters, digits, '-', '.' and '_'",
            ));
        }
        for (flag, words) in [("--dns-search", &self.dns_search), ("--dns-opt", &self.dns_opt)] {
            if let Some(word) =
                words.iter().find(|word| word.is_empty() || word.contains(char::is_whitespace))
            {
                return Err(Invalid::new(flag, word.clone(), "expected one word"));
            }
        }
        Ok(Names {
            hostname: self.hostname.clone(),
            domainname: self.domainname.clone(),
            dns: self.dns.iter().map(ToString::to_string).collect(),
            dns_search: self.dns_search.clone(),
            dns_options: self.dns_opt.clone(),
            add_hosts: self.add_host.iter().map(|text| added(text)).collect::<Result<_, _>>()?,
        })
    }
}

/// `NAME:ADDRESS`, `NAME=ADDRESS`, `NAME:[IPV6]`, `NAME:host-gateway`.
fn added(text: &str) -> Result<AddHost, Invalid> {
    let wrong = || Invalid::new("--add-host", text, "expected NAME:ADDRESS or NAME:host-gateway");
    let (name, address) = match (text.split_once('='), text.split_once(':')) {
        (Some(pair), _) | (None, Some(pair)) => pair,
        (None, None) => return Err(wrong()),
    };
    if name.is_empty() || name.contains(|letter: char| letter.is_whitespace() || letter.is_control()) {
        return Err(wrong());
    }
    let bare = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(address);
    let host = match bare {
        "host-gateway" => Host::Gateway,
        bare => Host::Address(bare.parse().map_err(|_| wrong())?),
    };
    Ok(AddHost { name: name.to_owned(), host })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_added_in_every_form_of_docker() {
        let host = |text: &str| added(text).map(|added| (added.name, added.host));
        let v6 = Host::Address("fd00::9".parse().unwrap());
        assert_eq!(host("db:10.0.0.9"), Ok(("db".to_owned(), Host::Address([10, 0, 0, 9].into()))));
        assert_eq!(host("db:fd00::9"), Ok(("db".to_owned(), v6)));
        assert_eq!(host("db=[fd00::9]"), Ok(("db".to_owned(), v6)));
        assert_eq!(host("gate:host-gateway"), Ok(("gate".to_owned(), Host::Gateway)));
        for text in ["db", "db:", ":10.0.0.9", "db:10.0.0", "d b:10.0.0.9"] {
            assert!(host(text).is_err(), "{text}");
        }
    }
}
