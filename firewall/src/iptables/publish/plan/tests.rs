//! Plans against what the reference plugin (1.1.1) makes, as `iptables-save` lists it.
//! `tests/live/publish/reference.rs` compares more of it with the real thing.

use vocab::{ContainerId, NetworkName, Publish};

use super::*;
use crate::iptables::publish::{ChainName, IptablesOptions, MarkBit};

/// Container `abc` of network `mynet`.
pub(crate) fn plan(version: Version, ports: &[&str], options: &IptablesOptions) -> Option<Plan> {
    let settled = |text: &&str| text.parse::<Publish>().unwrap().settled().unwrap();
    let mappings: Vec<_> = ports.iter().flat_map(settled).collect();
    let addresses = ["10.22.0.5/24", "10.33.0.5/24", "fd22::5/64"].map(|address| address.parse().unwrap());
    let (network, container) = (NetworkName::new("mynet").unwrap(), ContainerId::new("abc").unwrap());
    Plan::new(
        &IptablesPublication {
            network: &network,
            container: &container,
            addresses: &addresses,
            mappings: &mappings,
            options,
        },
        version,
    )
}

fn rules(version: Version, ports: &[&str], options: &IptablesOptions) -> Vec<String> {
    let chain = "-A CNI-DN-e88f49d94512ff752ebe6 ";
    let plan = plan(version, ports, options).unwrap();
    plan.rules.iter().map(|rule| rule.strip_prefix(chain).unwrap().to_owned()).collect()
}

#[test]
fn an_ipv4_port_s_rules_are_the_reference_s() {
    assert_eq!(
        rules(Version::V4, &["8080:80", "127.0.0.1:53:5353/udp", "[::1]:81:81"], &IptablesOptions::default()),
        [
            "-s 10.22.0.0/24 -p tcp -m tcp --dport 8080 -j CNI-HOSTPORT-SETMARK",
            "-s 127.0.0.1/32 -p tcp -m tcp --dport 8080 -j CNI-HOSTPORT-SETMARK",
            "-p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.22.0.5:80",
            "-s 10.22.0.0/24 -d 127.0.0.1/32 -p udp -m udp --dport 53 -j CNI-HOSTPORT-SETMARK",
            "-s 127.0.0.1/32 -d 127.0.0.1/32 -p udp -m udp --dport 53 -j CNI-HOSTPORT-SETMARK",
            "-d 127.0.0.1/32 -p udp -m udp --dport 53 -j DNAT --to-destination 10.22.0.5:5353",
        ]
    );
}

#[test]
fn an_ipv6_port_s_rules_are_the_reference_s() {
    assert_eq!(
        rules(Version::V6, &["[fd99::1]:8080:80", "0.0.0.0:81:81"], &IptablesOptions::default()),
        [
            "-s fd22::/64 -d fd99::1/128 -p tcp -m tcp --dport 8080 -j CNI-HOSTPORT-SETMARK",
            "-d fd99::1/128 -p tcp -m tcp --dport 8080 -j DNAT --to-destination [fd22::5]:80",
        ]
    );
}

#[test]
fn everybody_is_marked_where_everybody_is_masqueraded() {
    let options = IptablesOptions { masquerade_all: true, ..IptablesOptions::default() };
    let [v4, v6] = Version::BOTH.map(|version| rules(version, &["80:80"], &options)[0].clone());
    assert_eq!(v4, "-p tcp -m tcp --dport 80 -j CNI-HOSTPORT-SETMARK");
    assert_eq!(v6, v4);
}

#[test]
fn nobody_is_marked_without_masquerade_and_by_another_s_chain_if_told_so() {
    let external = Mark::Chain(ChainName::new("KUBE-MARK-MASQ").unwrap());
    let mut options = IptablesOptions { mark: external, ..IptablesOptions::default() };
    let marking = plan(Version::V6, &["80:80"], &options).unwrap();
    assert!(marking.mark.is_none() && marking.rules[0].ends_with("-j KUBE-MARK-MASQ"), "{marking:?}");
    options.snat = false;
    options.masquerade_all = true;
    let plain = plan(Version::V4, &["80:80"], &options).unwrap();
    assert_eq!((plain.mark, plain.rules.len()), (None, 1));
    let options =
        IptablesOptions { mark: Mark::Bit(MarkBit::try_from(5).unwrap()), ..IptablesOptions::default() };
    assert_eq!(plan(Version::V4, &["80:80"], &options).unwrap().mark, Some(0x20));
}

#[test]
fn entries_have_at_most_15_ports_of_one_protocol_each() {
    let ports = ["9020-9030:1-11", "53:53/udp", "7:7/sctp", "9000-9005:1-6"];
    let plan = plan(Version::V4, &ports, &IptablesOptions::default()).unwrap();
    let comment = r#"-m comment --comment "dnat name: \"mynet\" id: \"abc\"" -m multiport --dports"#;
    let entry = |protocol: &str, ports: &str| {
        format!("-A CNI-HOSTPORT-DNAT -p {protocol} {comment} {ports} -j CNI-DN-e88f49d94512ff752ebe6")
    };
    assert_eq!(
        plan.entries,
        [
            entry("sctp", "7"),
            entry("tcp", "9020,9021,9022,9023,9024,9025,9026,9027,9028,9029,9030,9000,9001,9002,9003"),
            entry("tcp", "9004,9005"),
            entry("udp", "53"),
        ]
    );
}

#[test]
fn conditions_stand_before_the_chain_and_belong_to_their_family() {
    let options = IptablesOptions {
        conditions_v6: Conditions::new(["-s", "fd00:: /8"].map(str::to_owned).to_vec()).unwrap(),
        ..IptablesOptions::default()
    };
    let [v4, v6] = Version::BOTH.map(|version| plan(version, &["80:80"], &options).unwrap());
    assert!(!v4.has_conditions && v4.entries[0].contains("--dports 80 -j"), "{v4:?}");
    assert!(v6.has_conditions && v6.entries[0].contains("--dports 80 -s \"fd00:: /8\" -j"), "{v6:?}");
}

#[test]
fn without_ports_there_is_nothing_to_do() {
    assert!(plan(Version::V4, &[], &IptablesOptions::default()).is_none());
}
