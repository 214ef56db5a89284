use super::others::{holders, netavark, reference};
use super::{Chain, EACH, Netavark, Rules, Tenant};
use crate::container::Container;
use crate::lan::Lan;
use crate::plugin::Call;
use crate::ports::Ports;
use crate::side::{Side, Written};
use lab::{Host, Namespace, Place};
use serde_json::Value;
use std::path::Path;

const PLUGINS: &str = "/usr/lib/cni";
const NETAVARK: &str = "/usr/lib/podman/netavark";

/// Runs a call in a host of its own instead of here.
fn run(host: &Host, call: &Call) -> String {
    let mut there = lab::Call::new([&call.program]).stdin(call.stdin.clone());
    for argument in &call.arguments {
        there = there.arg(argument);
    }
    for (name, value) in &call.environment {
        there = there.env(name, value);
    }
    there.run(host).ok().unwrap()
}

/// The first of the others, who really is there.
fn tenant(host: &Host) -> Tenant {
    let (number, ports) = holders(EACH).next().unwrap();
    Namespace::create(host, "first").unwrap();
    Tenant { container: Container::named("first"), number, ports }
}

/// Every rule in the order of its chain, without what a hash or an identity tells.
fn rules(host: &Host) -> Vec<String> {
    let saved = host.run(["iptables-save"]).ok().unwrap();
    let is_hash = |end: &str| end.len() > 12 && end.chars().all(|digit| digit.is_ascii_hexdigit());
    let without = |word: &str| {
        let trimmed = word.trim_matches(['"', '\\']);
        match trimmed.rsplit_once('-') {
            Some((start, end)) if is_hash(end) => format!("{start}-HASH"),
            _ if trimmed == "first" || trimmed.len() == 64 => "ID".to_owned(),
            _ => trimmed.to_owned(),
        }
    };
    let rules = saved.lines().filter(|line| line.starts_with("-A"));
    let mut rules: Vec<String> =
        rules.map(|rule| rule.split(' ').map(without).collect::<Vec<_>>().join(" ")).collect();
    rules.sort_by_key(|rule| rule.split(' ').nth(1).map(str::to_owned));
    rules
}

fn written(scripts: [&str; 2]) -> Vec<String> {
    let host = Host::new("script").unwrap();
    for script in scripts {
        lab::Call::new(["iptables-restore", "--noflush"]).stdin(script).run(&host).ok().unwrap();
    }
    rules(&host)
}

#[test]
fn the_script_of_the_reference_is_what_its_plugins_write() {
    if lab::tools::require("/usr/lib/cni/portmap").is_none() {
        return;
    }
    let (host, lan) = (Host::new("reference").unwrap(), Lan::new(1, 1));
    let tenant = tenant(&host);
    let side = Side { name: "reference", number: 1, folder: PLUGINS.into(), written: Written::ByOthers };
    let chain = Chain::publishing("reference", &side, Rules::Usual);
    let mut previous: Option<Value> = None;
    for link in ["bridge", "portmap", "firewall"] {
        let said = run(&host, &chain.call("ADD", link, &lan, &tenant, previous.as_ref()));
        previous = Some(serde_json::from_str(&said).unwrap());
    }
    let expected = rules(&host);
    assert!(expected.len() > 3 * usize::from(EACH), "{expected:#?}");
    assert_eq!(written(reference(&lan, EACH).scripts()), expected);
}

#[test]
fn the_script_of_netavark_is_what_it_writes() {
    if lab::tools::require(NETAVARK).is_none() {
        return;
    }
    let (host, lan) = (Host::new("netavark").unwrap(), Lan::new(1, 1));
    let tenant = tenant(&host);
    run(&host, &Netavark::new(Path::new(NETAVARK)).call("setup", &lan, &tenant));
    let expected = rules(&host);
    assert!(expected.len() > 4 * usize::from(EACH), "{expected:#?}");
    assert_eq!(written(netavark(&lan, EACH).scripts()), expected);
}

#[test]
fn the_others_have_as_many_ports_as_asked_for_and_no_port_twice() {
    let mut ports: Vec<u16> =
        holders(5_000).flat_map(|(_, ports)| Ports::pairs(ports)).map(|(port, _)| port).collect();
    assert_eq!((ports.len(), ports.first(), ports.last()), (5_000, Some(&10_000), Some(&19_998)));
    ports.dedup();
    assert_eq!(ports.len(), 5_000);
}
