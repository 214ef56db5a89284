//! The settings and the one request that configure the container's end. Nothing is sent here.

use cni::Ip;
use netlink::packet::link::{AfSpecUnspec, LinkAttribute, LinkFlags, LinkMessage};
use netlink::{Batch, DefaultNla, Emitable, Label, LinkName, Route, Ticket};
use nix::libc;
use vocab::InterfaceName;

use super::{ContainerSpec, Duplicates, Error, State};
use crate::address::{self, Detection};
use crate::message::{numbered, switch_on};
use crate::route::{self, PlannedRoute};
use crate::sysctl::Sysctl;

/// The number of the loopback interface, in every namespace (`LOOPBACK_IFINDEX`, `net/flow.h`).
pub(crate) const LOOPBACK_INDEX: u32 = 1;
/// The IPv4 settings of a link (`linux/if_link.h`) and the one that says that it announces its address when it
/// comes up (`linux/ip.h`).
const IFLA_INET_CONF: u16 = 1;
const IPV4_DEVCONF_ARP_NOTIFY: u16 = 22;

pub(super) struct Plan {
    pub(super) settings: Vec<(Sysctl, &'static str)>,
    pub(super) batch: Batch,
    /// The request that describes the interface.
    pub(super) link: Ticket,
    /// Routes that come second to one of another link, if there is one.
    pub(super) yielding: Vec<(Ticket, PlannedRoute)>,
}

/// The plan for a container that has the IPv6 routes `earlier`.
pub(super) fn plan(spec: &ContainerSpec, earlier: &[Route]) -> Result<Plan, Error> {
    if spec.state == State::Down && !(spec.ips.is_empty() && spec.routes.is_empty()) {
        return Err(Error::Down { name: spec.name.clone() });
    }
    let mut batch = Batch::new();
    let is_ipv4 = |ip: &&Ip| ip.address.is_ipv4();
    // IPv4 addresses come before the interface is up, so that they are announced when it comes up; IPv6 addresses
    // after it: on one that is down they would have to wait.
    if spec.ips.iter().any(|ip| ip.address.is_ipv4()) {
        batch.set_link(Label::new("announce the addresses of", &spec.name), &announcing(spec.index));
    }
    add_addresses(&mut batch, spec, spec.ips.iter().filter(is_ipv4));
    batch.set_link(Label::new("switch on", InterfaceName::loopback()), &up(LOOPBACK_INDEX));
    if spec.state == State::Up {
        batch.set_link(Label::new("switch on", &spec.name), &up(spec.index));
    }
    add_addresses(&mut batch, spec, spec.ips.iter().filter(|ip| !is_ipv4(ip)));
    let mut yielding = Vec::new();
    for route in route::plan(&spec.ips, &spec.routes)? {
        let label = Label::new("add route", route.object());
        // It need not have the rank that this one would take: it may have come second itself, when the first has left.
        let is_later = earlier.iter().any(|earlier| route.is_rival_of(earlier));
        match route.would_share() {
            true if is_later => {
                let route = route.behind(spec.index);
                batch.append_route(label, &route.message(spec.index));
            }
            true => yielding.push((batch.create_route(label, &route.message(spec.index)), route)),
            false => drop(batch.append_route(label, &route.message(spec.index))),
        }
    }
    // Not only to be told: a kernel from 6.7 on first does what it has put off about the link's carrier. Until it
    // has, what the interface sends is dropped.
    let link = batch.find(LinkName::Index(spec.index));
    Ok(Plan { settings: settings(spec), batch, link, yielding })
}

fn settings(spec: &ContainerSpec) -> Vec<(Sysctl, &'static str)> {
    if !spec.ips.iter().any(|ip| ip.address.is_ipv6()) {
        return Vec::new();
    }
    let own = |key| Sysctl::ipv6_conf(&spec.name, key);
    let mut settings = vec![
        // Runtimes switch IPv6 off in new namespaces.
        (Sysctl::ipv6_conf(&InterfaceName::loopback(), "disable_ipv6"), "0"),
        (own("disable_ipv6"), "0"),
        // Otherwise the addresses go when somebody switches the interface off for a moment.
        (own("keep_addr_on_down"), "1"),
    ];
    match spec.duplicates {
        // Of the link-local address, that is: the others say so themselves.
        Duplicates::Trust => settings.push((own("accept_dad"), "0")),
        // Enhanced (RFC 7527): a bridge with hairpin ports sends the question back to who asked it.
        Duplicates::Detect => settings.extend([(own("enhanced_dad"), "1"), (own("accept_dad"), "1")]),
    }
    settings
}

fn add_addresses<'a>(batch: &mut Batch, spec: &ContainerSpec, ips: impl Iterator<Item = &'a Ip>) {
    let detection = match spec.duplicates {
        Duplicates::Trust => Detection::Skip,
        Duplicates::Detect => Detection::Wait,
    };
    for ip in ips {
        let label = Label::new("add address", format_args!("{} to {}", ip.address, spec.name));
        batch.add_address(label, &address::own(spec.index, &ip.address, detection));
    }
}

fn up(index: u32) -> LinkMessage {
    let mut message = numbered(index);
    switch_on(&mut message, LinkFlags::Up);
    message
}

/// The setting `arp_notify`, without the way through `/proc`. A message of its own: the kernel would switch the
/// interface on before it reads the setting.
fn announcing(index: u32) -> LinkMessage {
    let value = 1u32.to_ne_bytes().to_vec();
    let setting = emitted(&DefaultNla::new(IPV4_DEVCONF_ARP_NOTIFY, value));
    let settings = emitted(&DefaultNla::new(IFLA_INET_CONF, setting));
    let family = DefaultNla::new(libc::AF_INET.cast_unsigned() as u16, settings);
    let mut message = numbered(index);
    message.attributes.push(LinkAttribute::AfSpecUnspec(vec![AfSpecUnspec::Other(family)]));
    message
}

fn emitted(nla: &DefaultNla) -> Vec<u8> {
    let mut bytes = vec![0; nla.buffer_len()];
    nla.emit(&mut bytes);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use cni::Route;

    fn ip(address: &str, gateway: &str) -> Ip {
        Ip { address: address.parse().unwrap(), gateway: Some(gateway.parse().unwrap()), interface: None }
    }

    fn spec(ips: Vec<Ip>, routes: &[&str]) -> ContainerSpec {
        ContainerSpec {
            index: 2,
            name: InterfaceName::new("eth0").unwrap(),
            state: State::Up,
            ips,
            routes: routes.iter().map(|route| Route::to(route.parse().unwrap())).collect(),
            duplicates: Duplicates::Trust,
        }
    }

    fn labels(spec: &ContainerSpec) -> Vec<String> {
        plan(spec, &[]).unwrap().batch.labels().map(ToString::to_string).collect()
    }

    fn settings_of(spec: &ContainerSpec) -> Vec<String> {
        let show = |(sysctl, value): (Sysctl, &str)| format!("{}={value}", sysctl.path().display());
        plan(spec, &[]).unwrap().settings.into_iter().map(show).collect()
    }

    #[test]
    fn both_families_are_configured_in_the_order_that_the_kernel_needs() {
        let ips = vec![ip("fd00::2/64", "fd00::1"), ip("10.1.0.2/24", "10.1.0.1")];
        assert_eq!(
            labels(&spec(ips, &["0.0.0.0/0", "::/0"])),
            [
                "announce the addresses of eth0",
                "add address 10.1.0.2/24 to eth0",
                "switch on lo",
                "switch on eth0",
                "add address fd00::2/64 to eth0",
                "add route 0.0.0.0/0 through 10.1.0.1",
                "add route ::/0 through fd00::1",
                "find link number 2",
            ]
        );
    }

    #[test]
    fn without_addresses_the_interface_is_switched_on_and_nothing_else() {
        assert_eq!(labels(&spec(vec![], &[])), ["switch on lo", "switch on eth0", "find link number 2"]);
        let down = ContainerSpec { state: State::Down, ..spec(vec![], &[]) };
        assert_eq!(labels(&down), ["switch on lo", "find link number 2"]);
        let impossible =
            ContainerSpec { state: State::Down, ..spec(vec![ip("10.1.0.2/24", "10.1.0.1")], &[]) };
        assert!(plan(&impossible, &[]).is_err());
    }

    #[test]
    fn ipv4_alone_needs_no_setting() {
        assert_eq!(settings_of(&spec(vec![ip("10.1.0.2/24", "10.1.0.1")], &[])), [""; 0]);
    }

    #[test]
    fn ipv6_is_switched_on_and_trusted_or_tried() {
        let trusted = spec(vec![ip("fd00::2/64", "fd00::1")], &[]);
        assert_eq!(
            settings_of(&trusted),
            [
                "/proc/sys/net/ipv6/conf/lo/disable_ipv6=0",
                "/proc/sys/net/ipv6/conf/eth0/disable_ipv6=0",
                "/proc/sys/net/ipv6/conf/eth0/keep_addr_on_down=1",
                "/proc/sys/net/ipv6/conf/eth0/accept_dad=0",
            ]
        );
        let tried = settings_of(&ContainerSpec { duplicates: Duplicates::Detect, ..trusted });
        assert_eq!(
            tried[3..],
            ["/proc/sys/net/ipv6/conf/eth0/enhanced_dad=1", "/proc/sys/net/ipv6/conf/eth0/accept_dad=1"]
        );
    }

    #[test]
    fn the_setting_that_goes_by_netlink_is_nested_three_deep() {
        let message = announcing(2);
        let mut bytes = vec![0; message.buffer_len()];
        message.emit(&mut bytes);
        assert_eq!(
            bytes[16..],
            [20, 0, 26, 0, 16, 0, 2, 0, 12, 0, 1, 0, 8, 0, 22, 0, 1, 0, 0, 0],
            "IFLA_AF_SPEC, AF_INET, IFLA_INET_CONF, ARP_NOTIFY"
        );
    }
}
