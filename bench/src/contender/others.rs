//! Ports that others have published: who has which, and the iptables rules that peers write for them.
//!
//! Each of the others has a hundred ports. With the plugins of the reference, the calls would take minutes for
//! 5,000 ports; one `iptables-restore` with the same rules takes a third of a second. Real calls are compared
//! with these scripts in a test.

use super::{Error, Tenant};
use crate::lan::Lan;
use crate::ports::Ports;
use lab::{Call, Here};
use std::fmt::Write;

/// How many ports each of the others has.
pub const EACH: u16 = 100;

/// The first port of the first of the others.
const FIRST: u16 = 10_000;

/// So many ports does the reference put into one rule.
const MULTIPORT: usize = 15;

/// The others who have `count` ports altogether: the number of an address, and ports.
pub fn holders(count: u16) -> impl Iterator<Item = (u16, Ports)> {
    // Every other port, hence twice as many in between.
    (0..count / EACH).map(|nth| (2 + nth, Ports::scattered(FIRST + 2 * EACH * nth, EACH)))
}

/// Writes rules in the network namespace of this thread.
pub(super) fn crowd_by_script(script: &str) -> Result<Vec<Tenant>, Error> {
    Call::new(["iptables-restore", "--noflush"]).stdin(script).run(&Here).ok()?;
    Ok(Vec::new())
}

/// Rules of two tables, each with the chains that have to be there.
#[derive(Debug, Default)]
struct Script {
    chains: String,
    rules: String,
}

impl Script {
    fn chain(&mut self, name: &str) {
        // Writing to a string cannot fail.
        let _written = writeln!(self.chains, ":{name} - [0:0]");
    }

    fn rule(&mut self, rule: &str) {
        let _written = writeln!(self.rules, "-A {rule}");
    }

    fn table(&self, name: &str) -> String {
        format!("*{name}\n{}{}COMMIT\n", self.chains, self.rules)
    }
}

/// What `bridge` with masquerade, `portmap` and `firewall` of the reference write.
pub(super) fn reference(lan: &Lan, count: u16) -> String {
    let (mut nat, mut filter) = (Script::default(), Script::default());
    if count > 0 {
        shared_reference(&mut nat, &mut filter);
    }
    for (number, ports) in holders(count) {
        holder_of_reference(&mut nat, &mut filter, lan, number, ports);
    }
    nat.table("nat") + &filter.table("filter")
}

fn shared_reference(nat: &mut Script, filter: &mut Script) {
    let shared = ["CNI-HOSTPORT-DNAT", "CNI-HOSTPORT-MASQ", "CNI-HOSTPORT-SETMARK"];
    shared.into_iter().for_each(|chain| nat.chain(chain));
    for rule in [
        "PREROUTING -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT",
        "OUTPUT -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT",
        r#"POSTROUTING -m comment --comment "CNI portfwd requiring masquerade" -j CNI-HOSTPORT-MASQ"#,
        "CNI-HOSTPORT-MASQ -m mark --mark 0x2000/0x2000 -j MASQUERADE",
        r#"CNI-HOSTPORT-SETMARK -m comment --comment "CNI portfwd masquerade mark" -j MARK --set-xmark 0x2000/0x2000"#,
    ] {
        nat.rule(rule);
    }
    ["CNI-ADMIN", "CNI-FORWARD"].into_iter().for_each(|chain| filter.chain(chain));
    filter.rule(r#"FORWARD -m comment --comment "CNI firewall plugin rules" -j CNI-FORWARD"#);
    filter.rule(r#"CNI-FORWARD -m comment --comment "CNI firewall plugin admin overrides" -j CNI-ADMIN"#);
}

fn holder_of_reference(nat: &mut Script, filter: &mut Script, lan: &Lan, number: u16, ports: Ports) {
    let (address, subnet) = (lan.address(number), lan.subnet());
    let comment = format!(r#"name: \"{}\" id: \"{number:064x}\""#, lan.name);
    let (masquerade, publish) = (format!("CNI-{number:024x}"), format!("CNI-DN-{number:021x}"));
    nat.chain(&masquerade);
    nat.chain(&publish);
    nat.rule(&format!(r#"POSTROUTING -s {address}/32 -m comment --comment "{comment}" -j {masquerade}"#));
    nat.rule(&format!(r#"{masquerade} -d {subnet} -m comment --comment "{comment}" -j ACCEPT"#));
    nat.rule(&format!(r#"{masquerade} ! -d 224.0.0.0/4 -m comment --comment "{comment}" -j MASQUERADE"#));
    for (port, inside) in ports.pairs() {
        for source in [subnet.as_str(), "127.0.0.1/32"] {
            nat.rule(&format!("{publish} -s {source} -p tcp -m tcp --dport {port} -j CNI-HOSTPORT-SETMARK"));
        }
        nat.rule(&format!(
            "{publish} -p tcp -m tcp --dport {port} -j DNAT --to-destination {address}:{inside}"
        ));
    }
    let all: Vec<String> = ports.pairs().map(|(port, _)| port.to_string()).collect();
    for some in all.chunks(MULTIPORT) {
        let some = some.join(",");
        nat.rule(&format!(
            r#"CNI-HOSTPORT-DNAT -p tcp -m comment --comment "dnat {comment}" -m multiport --dports {some} -j {publish}"#
        ));
    }
    filter.rule(&format!("CNI-FORWARD -d {address}/32 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"));
    filter.rule(&format!("CNI-FORWARD -s {address}/32 -j ACCEPT"));
}

/// What netavark writes, until 1.17, for containers of one network.
pub(super) fn netavark(lan: &Lan, count: u16) -> String {
    let (mut nat, mut filter) = (Script::default(), Script::default());
    if count > 0 {
        network_of_netavark(&mut nat, &mut filter, &lan.subnet());
    }
    for (number, ports) in holders(count) {
        holder_of_netavark(&mut nat, lan, number, ports);
    }
    nat.table("nat") + &filter.table("filter")
}

/// The chains of a network are named by a hash of its name; any will do.
const MASQUERADE: &str = "NETAVARK-0123456789ABC";
const PUBLISH: &str = "NETAVARK-DN-0123456789ABC";

fn network_of_netavark(nat: &mut Script, filter: &mut Script, subnet: &str) {
    let shared = ["NETAVARK-HOSTPORT-DNAT", "NETAVARK-HOSTPORT-MASQ", "NETAVARK-HOSTPORT-SETMARK"];
    shared.into_iter().chain([MASQUERADE, PUBLISH]).for_each(|chain| nat.chain(chain));
    for rule in [
        "PREROUTING -m addrtype --dst-type LOCAL -j NETAVARK-HOSTPORT-DNAT",
        "OUTPUT -m addrtype --dst-type LOCAL -j NETAVARK-HOSTPORT-DNAT",
        "POSTROUTING -j NETAVARK-HOSTPORT-MASQ",
        r#"NETAVARK-HOSTPORT-MASQ -m comment --comment "netavark portfw masq mark" -m mark --mark 0x2000/0x2000 -j MASQUERADE"#,
        "NETAVARK-HOSTPORT-SETMARK -j MARK --set-xmark 0x2000/0x2000",
    ] {
        nat.rule(rule);
    }
    nat.rule(&format!("POSTROUTING -s {subnet} -j {MASQUERADE}"));
    nat.rule(&format!("{MASQUERADE} -d {subnet} -j ACCEPT"));
    nat.rule(&format!("{MASQUERADE} ! -d 224.0.0.0/4 -j MASQUERADE"));
    filter.chain("NETAVARK_FORWARD");
    filter.rule(r#"FORWARD -m comment --comment "netavark firewall plugin rules" -j NETAVARK_FORWARD"#);
    filter
        .rule(&format!("NETAVARK_FORWARD -d {subnet} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"));
    filter.rule(&format!("NETAVARK_FORWARD -s {subnet} -j ACCEPT"));
}

fn holder_of_netavark(nat: &mut Script, lan: &Lan, number: u16, ports: Ports) {
    let (address, subnet) = (lan.address(number), lan.subnet());
    let comment = format!("dnat name: {} id: {number:064x}", lan.name);
    for (port, inside) in ports.pairs() {
        for source in [subnet.as_str(), "127.0.0.1/32"] {
            nat.rule(&format!(
                "{PUBLISH} -s {source} -p tcp -m tcp --dport {port} -j NETAVARK-HOSTPORT-SETMARK"
            ));
        }
        nat.rule(&format!(
            "{PUBLISH} -p tcp -m tcp --dport {port} -j DNAT --to-destination {address}:{inside}"
        ));
        nat.rule(&format!(
            r#"NETAVARK-HOSTPORT-DNAT -p tcp -m tcp --dport {port} -m comment --comment "{comment}" -j {PUBLISH}"#
        ));
    }
}
