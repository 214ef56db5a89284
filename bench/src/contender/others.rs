//! Ports that others have published: who has which, and the iptables rules that peers write for them.
//!
//! Each of the others has a hundred ports. With the plugins of the reference, the calls would take minutes for
//! 5,000 ports; one `iptables-restore` with the same rules takes a third of a second. A test compares these
//! scripts with what the real programs write.

use super::{Error, Tenant};
use crate::lan::Lan;
use crate::ports::Ports;
use lab::{Call, Here, Place};
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

/// What a peer writes: for all of its networks together, once, and for those of others.
#[derive(Debug)]
pub(super) struct Rules {
    /// One of the chains that all networks share.
    sign: &'static str,
    shared: String,
    particular: String,
}

/// Writes rules in the network namespace of this thread.
pub(super) fn crowd_by_script(rules: &Rules) -> Result<Vec<Tenant>, Error> {
    let restore = |script: &str| {
        let call = Call::new(["iptables-restore", "--noflush"]);
        call.stdin(script).run(&Here).ok()
    };
    // To name a chain that is there as a new one would empty it.
    let present = Here.run(["iptables-save", "-t", "nat"]).ok()?;
    if !present.contains(rules.sign) {
        restore(&rules.shared)?;
    }
    restore(&rules.particular)?;
    Ok(Vec::new())
}

/// Rules of one table, with the chains that have to be there.
#[derive(Debug, Default)]
struct Script {
    chains: String,
    rules: String,
}

#[cfg(test)]
impl Rules {
    /// Everything, for a host on which there is nothing yet.
    pub(super) fn scripts(&self) -> [&str; 2] {
        [&self.shared, &self.particular]
    }
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
pub(super) fn reference(lan: &Lan, count: u16) -> Rules {
    let (mut nat, mut filter) = (Script::default(), Script::default());
    for (number, ports) in holders(count) {
        holder_of_reference(&mut nat, &mut filter, lan, number, ports);
    }
    Rules { sign: "CNI-HOSTPORT-DNAT", shared: shared_reference(), particular: both(&nat, &filter) }
}

fn both(nat: &Script, filter: &Script) -> String {
    nat.table("nat") + &filter.table("filter")
}

fn shared_reference() -> String {
    let (mut nat, mut filter) = (Script::default(), Script::default());
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
    both(&nat, &filter)
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
pub(super) fn netavark(lan: &Lan, count: u16) -> Rules {
    let (mut nat, mut filter) = (Script::default(), Script::default());
    if count > 0 {
        network_of_netavark(&mut nat, &mut filter, &lan.subnet());
    }
    for (number, ports) in holders(count) {
        holder_of_netavark(&mut nat, lan, number, ports);
    }
    Rules { sign: "NETAVARK-HOSTPORT-DNAT", shared: shared_netavark(), particular: both(&nat, &filter) }
}

/// The chains of a network are named by a hash of its name; any will do.
const MASQUERADE: &str = "NETAVARK-0123456789ABC";
const PUBLISH: &str = "NETAVARK-DN-0123456789ABC";

fn shared_netavark() -> String {
    let (mut nat, mut filter) = (Script::default(), Script::default());
    let shared = ["NETAVARK-HOSTPORT-DNAT", "NETAVARK-HOSTPORT-MASQ", "NETAVARK-HOSTPORT-SETMARK"];
    shared.into_iter().for_each(|chain| nat.chain(chain));
    for rule in [
        "PREROUTING -m addrtype --dst-type LOCAL -j NETAVARK-HOSTPORT-DNAT",
        "OUTPUT -m addrtype --dst-type LOCAL -j NETAVARK-HOSTPORT-DNAT",
        "POSTROUTING -j NETAVARK-HOSTPORT-MASQ",
        r#"NETAVARK-HOSTPORT-MASQ -m comment --comment "netavark portfw masq mark" -m mark --mark 0x2000/0x2000 -j MASQUERADE"#,
        "NETAVARK-HOSTPORT-SETMARK -j MARK --set-xmark 0x2000/0x2000",
    ] {
        nat.rule(rule);
    }
    filter.chain("NETAVARK_FORWARD");
    filter.rule(r#"FORWARD -m comment --comment "netavark firewall plugin rules" -j NETAVARK_FORWARD"#);
    both(&nat, &filter)
}

fn network_of_netavark(nat: &mut Script, filter: &mut Script, subnet: &str) {
    nat.chain(MASQUERADE);
    nat.chain(PUBLISH);
    nat.rule(&format!("POSTROUTING -s {subnet} -j {MASQUERADE}"));
    nat.rule(&format!("{MASQUERADE} -d {subnet} -j ACCEPT"));
    nat.rule(&format!("{MASQUERADE} ! -d 224.0.0.0/4 -j MASQUERADE"));
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
