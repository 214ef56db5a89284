//! Who reaches whom, as the policies of networks have it.

use std::time::Duration;

use firewall::{Ensured, Firewall, GatewayMode, Isolation, NetworkPolicy, Removed, Standing};
use netns::Netns;

use crate::support::{Landscape, fresh, interface, network, ruleset, run, seen_as};

/// What arrives does so at once; what does not is waited for as long.
const PATIENCE: Duration = Duration::from_millis(200);

/// Until everybody has found out where everybody is.
const ACQUAINTANCE: Duration = Duration::from_secs(5);

fn set(name: &str, bridge: &str, gateway: Option<GatewayMode>, isolation: Option<Isolation>) -> Ensured {
    with(name, bridge, gateway, isolation, |firewall, policy| firewall.ensure_policy(policy).unwrap())
}

fn find(name: &str, bridge: &str, gateway: Option<GatewayMode>, isolation: Option<Isolation>) -> Standing {
    with(name, bridge, gateway, isolation, |firewall, policy| firewall.find_policy(policy).unwrap())
}

fn with<T>(
    name: &str,
    bridge: &str,
    gateway: Option<GatewayMode>,
    isolation: Option<Isolation>,
    act: impl FnOnce(&mut Firewall, &NetworkPolicy<'_>) -> T,
) -> T {
    let (network, interface) = (network(name), interface(bridge));
    act(&mut Firewall::new(), &NetworkPolicy { network: &network, interface: &interface, gateway, isolation })
}

/// Two bridges: the landscape's `br0`, and `br1` with one container, 10.33.0.11 and fd33::11.
struct TwoNetworks {
    landscape: Landscape,
    far: Netns,
}

impl TwoNetworks {
    fn new(br_netfilter: bool) -> Option<Self> {
        let (landscape, far) = (Landscape::new()?, fresh()?);
        landscape
            .host
            .run(|| {
                run("ip link add br1 type bridge");
                run("ip addr add 10.33.0.1/24 dev br1");
                run("ip addr add fd33::1/64 dev br1 nodad");
                run("ip link set br1 up");
                crate::support::cable("far", &far, "10.33.0.11/24", "fd33::11/64");
                run("ip link set far master br1");
                let value = if br_netfilter { "1" } else { "0" };
                for key in ["bridge-nf-call-iptables", "bridge-nf-call-ip6tables"] {
                    // A kernel without it shows nobody what a bridge passes on.
                    let _absent = std::fs::write(format!("/proc/sys/net/bridge/{key}"), value);
                }
            })
            .unwrap();
        far.run(|| {
            run("ip route add default via 10.33.0.1");
            run("ip route add default via fd33::1");
        })
        .unwrap();
        let networks = Self { landscape, far };
        assert_eq!(networks.facts_within(ACQUAINTANCE), EVERYTHING);
        Some(networks)
    }

    fn facts(&self) -> [bool; 5] {
        self.facts_within(PATIENCE)
    }

    /// From outside to a container; from it to the outside; between networks, both ways; on one bridge.
    fn facts_within(&self, patience: Duration) -> [bool; 5] {
        let reaches = |from: &Netns, to: &Netns, addresses: [&str; 2]| {
            let [v4, v6] = addresses.map(|address| seen_as(from, to, address, patience).is_some());
            assert_eq!(v4, v6, "both families alike: {addresses:?}");
            v4
        };
        let [one, two] = &self.landscape.containers;
        let outside = &self.landscape.neighbour;
        // A connection that is known passes whatever the policy says: each question is a new one.
        self.landscape.host.run(|| run("conntrack -F")).unwrap();
        [
            reaches(outside, one, ["10.22.0.11", "fd22::11"]),
            reaches(one, outside, ["192.0.2.2", "fd99::2"]),
            reaches(&self.far, one, ["10.22.0.11", "fd22::11"]),
            reaches(one, &self.far, ["10.33.0.11", "fd33::11"]),
            reaches(one, two, ["10.22.0.12", "fd22::12"]),
        ]
    }
}

const EVERYTHING: [bool; 5] = [true; 5];

#[test]
fn each_mode_lets_pass_what_it_says() {
    if lab::tools::require("conntrack").is_none() {
        return;
    }
    for br_netfilter in [true, false] {
        let Some(networks) = TwoNetworks::new(br_netfilter) else { return };
        let host = &networks.landscape.host;
        let change = |gateway, isolation| {
            host.run(|| {
                let _ensured = set("mynet", "br0", Some(gateway), Some(isolation));
                assert_eq!(find("mynet", "br0", Some(gateway), Some(isolation)), Standing::Whole);
            })
            .unwrap();
        };
        assert_eq!(networks.facts(), EVERYTHING, "a network that says nothing");
        change(GatewayMode::Routed, Isolation::Open);
        assert_eq!(networks.facts(), EVERYTHING, "routed");
        // The other network has no policy yet: it is outside.
        change(GatewayMode::Nat, Isolation::Open);
        assert_eq!(networks.facts(), [false, true, false, true, true], "nat");
        host.run(|| assert_eq!(set("far", "br1", Some(GatewayMode::Nat), None), Ensured::Added)).unwrap();
        assert_eq!(networks.facts(), [false, true, true, true, true], "nat, both");
        change(GatewayMode::Nat, Isolation::FromNetworks);
        assert_eq!(networks.facts(), [false, true, false, false, true], "isolated");
        change(GatewayMode::Routed, Isolation::FromEverybody);
        // Without br_netfilter nobody sees what a bridge passes on: the port's own flag keeps them apart.
        assert_eq!(networks.facts(), [true, true, false, false, !br_netfilter], "secluded");
        change(GatewayMode::Internal, Isolation::Open);
        assert_eq!(networks.facts(), [false, false, false, false, true], "internal");
        host.run(|| {
            assert_eq!(Firewall::new().remove_policy(&network("mynet")).unwrap(), Removed::Now);
            assert_eq!(Firewall::new().remove_policy(&network("mynet")).unwrap(), Removed::Before);
        })
        .unwrap();
        host.run(|| Firewall::new().remove_policy(&network("far")).unwrap()).unwrap();
        assert_eq!(networks.facts(), EVERYTHING, "again");
    }
}

#[test]
fn a_policy_is_set_once_and_networks_of_one_bridge_share_it() {
    let Some(host) = fresh() else { return };
    host.run(|| {
        let (gateway, isolation) = (Some(GatewayMode::Nat), Some(Isolation::FromNetworks));
        assert_eq!(set("one", "br0", gateway, isolation), Ensured::Added);
        assert_eq!(set("one", "br0", gateway, isolation), Ensured::AlreadyThere);
        assert_eq!(set("two", "br0", gateway, None), Ensured::Added);
        assert!(ruleset().contains("\"br0\" comment \"one, two\""), "{}", ruleset());
        Firewall::new().remove_policy(&network("one")).unwrap();
        assert_eq!(find("two", "br0", gateway, None), Standing::Whole);
        assert!(!ruleset().contains("one"), "{}", ruleset());
        run("nft flush chain inet netctl forward");
        assert_eq!(find("two", "br0", gateway, None), Standing::RulesMissing);
        assert_eq!(set("two", "br0", gateway, None), Ensured::Added);
        run("nft flush set inet netctl guarded");
        assert_eq!(
            find("two", "br0", gateway, None),
            Standing::Missing(vec!["\"br0\" in set guarded".to_owned()])
        );
        assert_eq!(set("two", "br0", gateway, None), Ensured::Added);
        Firewall::new().retain(|_| false).unwrap();
        assert!(!ruleset().contains("br0"), "{}", ruleset());
    })
    .unwrap();
}
