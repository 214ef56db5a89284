//! Masquerade, seen by those who receive the packets; and its elements when networks share them.

use std::fs;
use std::time::Duration;

use crate::support::{Landscape, ensure, find, fresh, network, ruleset, seen_as};
use firewall::{Ensured, Firewall, Removed, Standing};

const PATIENCE: Duration = Duration::from_secs(3);

#[test]
fn the_neighbour_sees_the_host_and_containers_see_one_another() {
    let Some(Landscape { host, containers: [one, two], neighbour }) = Landscape::new() else { return };
    let seen = |from, to, address| seen_as(from, to, address, PATIENCE).unwrap().to_string();
    assert_eq!(seen(&one, &neighbour, "192.0.2.2"), "10.22.0.11");
    assert_eq!(seen(&one, &neighbour, "fd99::2"), "fd22::11");
    let ensured =
        host.run(|| ensure(&mut Firewall::new(), "mynet", "br0", &["10.22.0.0/24", "fd22::/64"])).unwrap();
    assert_eq!(ensured, Ensured::Added);
    for through_netfilter in ["0", "1"] {
        // With br_netfilter what the bridge merely passes on meets our chain, too.
        host.run(|| {
            for name in ["iptables", "ip6tables"] {
                let path = format!("/proc/sys/net/bridge/bridge-nf-call-{name}");
                if fs::write(path, through_netfilter).is_err() {
                    lab::tools::skip("this kernel has no br_netfilter");
                }
            }
        })
        .unwrap();
        assert_eq!(seen(&one, &neighbour, "192.0.2.2"), "192.0.2.1");
        assert_eq!(seen(&one, &neighbour, "fd99::2"), "fd99::1");
        assert_eq!(seen(&one, &two, "10.22.0.12"), "10.22.0.11");
        assert_eq!(seen(&one, &two, "fd22::12"), "fd22::11");
        assert_eq!(seen(&one, &host, "10.22.0.1"), "10.22.0.11");
        assert_eq!(seen(&neighbour, &one, "10.22.0.11"), "192.0.2.2");
        assert_eq!(seen(&neighbour, &one, "fd22::11"), "fd99::2");
    }
    host.run(|| Firewall::new().remove_masquerade(&network("mynet")).unwrap()).unwrap();
    assert_eq!(seen(&two, &neighbour, "192.0.2.2"), "10.22.0.12");
}

#[test]
fn a_second_add_changes_nothing() {
    let Some(host) = fresh() else { return };
    host.run(|| {
        let mut firewall = Firewall::new();
        assert_eq!(ensure(&mut firewall, "mynet", "br0", &[]), Ensured::AlreadyThere);
        assert_eq!(ruleset(), "", "a network without subnets needs no rules");
        // The bits of the host's part do not matter; an address more of the same subnet makes no element.
        assert_eq!(ensure(&mut firewall, "mynet", "br0", &["10.22.0.9/24", "10.22.0.7/24"]), Ensured::Added);
        assert_eq!(ensure(&mut firewall, "mynet", "br0", &["10.22.0.0/24"]), Ensured::AlreadyThere);
        assert_eq!(ensure(&mut firewall, "mynet", "br0", &["10.22.0.0/24", "fd22::/64"]), Ensured::Added);
        assert_eq!(firewall.list_masquerades().unwrap().len(), 2);
        // Nothing was deleted, so there is nothing to wait for.
        assert!(firewall.into_socket().is_none());
    })
    .unwrap();
}

#[test]
fn overlapping_subnets_on_different_bridges_do_not_meet() {
    let Some(host) = fresh() else { return };
    host.run(|| {
        let mut firewall = Firewall::new();
        for (name, bridge, subnet) in
            [("a", "br0", "10.0.0.0/8"), ("b", "br1", "10.0.0.0/8"), ("c", "br2", "10.1.0.0/16")]
        {
            assert_eq!(ensure(&mut firewall, name, bridge, &[subnet]), Ensured::Added);
        }
        assert_eq!(firewall.remove_masquerade(&network("b")).unwrap(), Removed::Now);
        let left: Vec<_> =
            firewall.list_masquerades().unwrap().iter().map(|m| m.interface.to_string()).collect();
        assert_eq!((left.len(), left.contains(&"br1".to_owned())), (2, false));
        assert!(firewall.into_socket().is_some());
    })
    .unwrap();
}

#[test]
fn networks_that_share_a_bridge_and_a_subnet_share_the_element_until_both_are_gone() {
    let Some(host) = fresh() else { return };
    host.run(|| {
        let mut firewall = Firewall::new();
        assert_eq!(ensure(&mut firewall, "one", "br0", &["10.22.0.0/16"]), Ensured::Added);
        assert_eq!(ensure(&mut firewall, "two", "br0", &["10.22.0.0/16"]), Ensured::Added);
        assert_eq!(ensure(&mut firewall, "two", "br0", &["10.22.0.0/16"]), Ensured::AlreadyThere);
        assert_eq!(firewall.remove_masquerade(&network("one")).unwrap(), Removed::Now);
        assert_eq!(find(&mut firewall, "two", "br0", &["10.22.0.0/16"]), Standing::Whole);
        assert_eq!(firewall.retain(|owner| owner.as_str() != "two").unwrap(), 1);
        assert_eq!(firewall.list_masquerades().unwrap(), []);
    })
    .unwrap();
}

#[test]
fn two_subnets_inside_another_network_s_are_one_element_with_both_owners() {
    let Some(host) = fresh() else { return };
    host.run(|| {
        let mut firewall = Firewall::new();
        assert_eq!(ensure(&mut firewall, "wide", "br0", &["10.22.0.0/16"]), Ensured::Added);
        let inside = ["10.22.5.0/24", "10.22.6.0/24", "10.99.0.0/24"];
        assert_eq!(ensure(&mut firewall, "inside", "br0", &inside), Ensured::Added);
        assert_eq!(ensure(&mut firewall, "inside", "br0", &inside), Ensured::AlreadyThere);
        let found = firewall.list_masquerades().unwrap();
        let shared = found.iter().find(|found| found.subnet.prefix() == 16).unwrap();
        let owners: Vec<_> = shared.owners.iter().map(ToString::to_string).collect();
        assert_eq!((found.len(), owners), (2, vec!["wide".to_owned(), "inside".to_owned()]));
    })
    .unwrap();
}

#[test]
fn nested_subnets_on_one_bridge_are_masqueraded_in_whatever_order_they_come() {
    let networks = [("wide", "10.22.0.0/16"), ("first", "10.22.0.0/24"), ("middle", "10.22.6.0/24")];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let Some(host) = fresh() else { return };
        host.run(|| {
            let mut firewall = Firewall::new();
            for (name, subnet) in order.map(|position: usize| networks[position]) {
                assert_eq!(
                    ensure(&mut firewall, name, "br0", &[subnet]),
                    Ensured::Added,
                    "{name} in {order:?}"
                );
                assert_eq!(
                    ensure(&mut firewall, name, "br0", &[subnet]),
                    Ensured::AlreadyThere,
                    "{name} in {order:?}"
                );
            }
            for (name, subnet) in order.map(|position: usize| networks[position]) {
                assert_eq!(
                    find(&mut firewall, name, "br0", &[subnet]),
                    Standing::Whole,
                    "{name} in {order:?}"
                );
                firewall.remove_masquerade(&network(name)).unwrap();
            }
            assert_eq!(firewall.list_masquerades().unwrap(), [], "{order:?}");
        })
        .unwrap();
    }
}
