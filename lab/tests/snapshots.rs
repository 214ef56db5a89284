//! A snapshot notices each kind of leftover, and nothing else.

use lab::{Except, Host, Namespace, Neighbour, Place, Snapshot, Topic};
use std::error::Error;
use std::time::Instant;

type Test = Result<(), Box<dyn Error>>;

/// Does something to a host, expects to hear of it, undoes it, and expects silence.
fn notices(host: &Host, doing: &str, expected: &[&str], undoing: &str) -> Test {
    let before = Snapshot::take(host)?;
    host.sh(doing).ok()?;
    let differences = before.difference(&Snapshot::take(host)?, &[]);
    for text in expected {
        assert!(differences.iter().any(|line| line.contains(text)), "{text}: {differences:#?}");
    }
    host.sh(undoing).ok()?;
    assert_eq!(before.left_behind(host, &[])?, Vec::<String>::new(), "after {undoing}");
    Ok(())
}

#[test]
fn each_kind_of_leftover_is_noticed() -> Test {
    let host = Host::new("leftovers")?;
    let _outside = Neighbour::of(&host, "outside")?;
    host.sh("ip netns add first; ip netns delete first").ok()?;
    let cases: [(&str, &[&str], &str); 12] = [
        ("ip link add b0 type bridge", &["new link: b0 kind=bridge down"], "ip link delete b0"),
        ("ip link set uplink mtu 1400", &["gone link: uplink", "mtu=1400"], "ip link set uplink mtu 1500"),
        (
            "ip addr add 10.9.9.9/32 dev uplink",
            &["new address: 10.9.9.9/32 dev uplink", "new route: local 10.9.9.9"],
            "ip addr del 10.9.9.9/32 dev uplink",
        ),
        ("ip route add 10.8.0.0/16 dev uplink table 77", &["table 77"], "ip route flush table 77"),
        ("ip -6 route add fd01::/64 dev uplink", &["new route: fd01::/64"], "ip -6 route del fd01::/64"),
        ("ip rule add from 10.7.0.0/16 table 77", &["new rule: "], "ip rule del from 10.7.0.0/16 table 77"),
        ("nft add table inet left", &["new nftables: table inet left"], "nft delete table inet left"),
        (
            "echo 1 >/proc/sys/net/ipv4/ip_forward",
            &["gone sysctl: net/ipv4/ip_forward:0", "new sysctl: net/ipv4/ip_forward:1"],
            "echo 0 >/proc/sys/net/ipv4/ip_forward",
        ),
        (
            "mkdir -p /var/lib/cni/networks/x; echo id >/var/lib/cni/networks/x/10.1.0.2",
            &[r#"new file: /var/lib/cni/networks/x/10.1.0.2 0644, "id\n""#],
            "rm -r /var/lib/cni/networks",
        ),
        (
            "ip netns add c1",
            &["new mount: /run/netns/c1 nsfs", "new file: /run/netns/c1"],
            "ip netns delete c1",
        ),
        ("sleep 4712 >/dev/null 2>&1 &", &["new process: sleep 4712"], "pkill sleep"),
        ("mkdir /run/netctl; touch /run/netctl/lock", &["new file: /run/netctl/lock"], "rm -r /run/netctl"),
    ];
    for (doing, expected, undoing) in cases {
        notices(&host, doing, expected, undoing)?;
    }
    Ok(())
}

#[test]
fn leftovers_of_programs_that_may_be_absent_are_noticed() -> Test {
    let host = Host::new("optional")?;
    host.sh("ip link add b0 type bridge").ok()?;
    if lab::tools::require("iptables").is_some() {
        let rule = "POSTROUTING -t nat -s 10.6.0.0/16 -j MASQUERADE";
        host.sh(&format!("iptables -A {rule}; iptables -D {rule}")).ok()?;
        let expected = "new iptables: iptables nat -A POSTROUTING -s 10.6.0.0/16 -j MASQUERADE";
        notices(&host, &format!("iptables -A {rule}"), &[expected], &format!("iptables -D {rule}"))?;
    }
    let filtering = host.sh("ip link set b0 type bridge vlan_filtering 1");
    if !filtering.succeeded() {
        lab::tools::skip(&format!("no VLANs on bridges: {}", filtering.stderr().trim()));
    } else if lab::tools::require("bridge").is_some() {
        let vlan = "vid 100 dev b0 self";
        let doing = format!("bridge vlan add {vlan}");
        notices(&host, &doing, &["new vlan: b0 vlan=100"], &format!("bridge vlan del {vlan}"))?;
    }
    if lab::tools::require("tc").is_some() {
        let doing = "tc qdisc add dev b0 root pfifo";
        notices(&host, doing, &["new qdisc: qdisc pfifo"], "tc qdisc del dev b0 root")?;
    }
    Ok(())
}

#[test]
fn what_is_allowed_is_no_difference() -> Test {
    let host = Host::new("allowed")?;
    let before = Snapshot::take(&host)?;
    host.sh("ip link add b0 type bridge; ip addr add 10.1.0.1/24 dev b0; ip link set b0 up").ok()?;
    host.sh("nft add table inet netctl; mkdir /var/lib/cni/networks; touch /run/x").ok()?;
    let allowed = [
        Except::Interface("b0"),
        Except::Text(Topic::Nftables, "table inet netctl"),
        Except::Topic(Topic::File),
    ];
    assert_eq!(before.left_behind(&host, &allowed)?, Vec::<String>::new());
    let others = before.difference(&Snapshot::take(&host)?, &[Except::Interface("b")]);
    assert!(others.iter().any(|line| line.contains("dev b0")), "{others:?}");
    Ok(())
}

#[test]
fn what_goes_by_itself_is_waited_for() -> Test {
    let host = Host::new("patient")?;
    host.sh("ip netns add first; ip netns delete first").ok()?;
    let before = Snapshot::take(&host)?;
    let container = Namespace::create(&host, "c1")?;
    host.sh("ip link add v0 type veth peer name eth0 netns c1; sleep 0.3 >/dev/null 2>&1 &").ok()?;
    container.remove(&host)?;
    assert_eq!(before.left_behind(&host, &[])?, Vec::<String>::new());
    Ok(())
}

#[test]
fn a_snapshot_is_taken_quickly_and_twice_the_same() -> Test {
    let host = Host::new("twice")?;
    let _outside = Neighbour::of(&host, "outside")?;
    let before = Snapshot::take(&host)?;
    let start = Instant::now();
    let again = Snapshot::take(&host)?;
    println!("a snapshot takes {:?}", start.elapsed());
    assert_eq!(before.difference(&again, &[]), Vec::<String>::new());
    assert!(again.facts(Topic::Route).any(|route| route.starts_with("default via 10.99.0.2")));
    Ok(())
}
