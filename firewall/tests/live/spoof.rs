//! Spoof checks, tried with real frames.

use std::time::Duration;

use crate::support::{Landscape, attachment, fresh, interface, network, nft, run, seen_as, spoof_check};
use firewall::{Ensured, Firewall, Owner, Removed, SpoofCheck, Standing};
use netns::Netns;
use vocab::MacAddress;

#[test]
fn frames_with_another_source_mac_are_dropped_and_no_others() {
    let Some(Landscape { host, containers: [one, two], .. }) = Landscape::new() else { return };
    let reaches = |from: &Netns, to: &Netns, address: &str, patience| {
        seen_as(from, to, address, Duration::from_millis(patience)).is_some()
    };
    let check = SpoofCheck {
        interface: interface("port0"),
        mac: mac_of(&one),
        owner: Owner::attachment(&network("mynet"), &attachment("one")),
    };
    assert!(reaches(&one, &two, "10.22.0.12", 3000));
    host.run(|| {
        let mut firewall = Firewall::new();
        assert_eq!(firewall.ensure_spoof_check(&check).unwrap(), Ensured::Added);
        assert_eq!(firewall.find_spoof_check(&check).unwrap(), Standing::Whole);
    })
    .unwrap();
    assert!(reaches(&one, &two, "10.22.0.12", 3000));

    one.run(|| run("ip link set eth0 address 02:00:00:00:00:99")).unwrap();
    assert!(!reaches(&one, &two, "10.22.0.12", 400));
    assert!(!reaches(&one, &host, "10.22.0.1", 400));
    assert!(reaches(&two, &host, "10.22.0.1", 3000), "a port that is not checked");

    let removed = host.run(|| Firewall::new().remove_spoof_check(&check.interface).unwrap()).unwrap();
    assert_eq!(removed, Removed::Now);
    assert!(reaches(&one, &two, "10.22.0.12", 3000));
}

fn mac_of(container: &Netns) -> MacAddress {
    let links = container.run(|| run("ip -o link show dev eth0")).unwrap();
    links.split("link/ether ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap()
}

#[test]
fn what_an_earlier_container_left_on_the_port_is_replaced() {
    let Some(host) = fresh() else { return };
    host.run(|| {
        let mut firewall = Firewall::new();
        let earlier = SpoofCheck { interface: interface("port0"), ..spoof_check("mynet", "earlier") };
        let later = SpoofCheck { interface: interface("port0"), ..spoof_check("mynet", "later") };
        let _added = firewall.ensure_spoof_check(&earlier).unwrap();
        assert_eq!(firewall.ensure_spoof_check(&later).unwrap(), Ensured::Added);
        assert_eq!(firewall.list_spoof_checks().unwrap(), std::slice::from_ref(&later));
        let missing = Standing::Missing(vec![format!("{} on port0", earlier.mac)]);
        assert_eq!(firewall.find_spoof_check(&earlier).unwrap(), missing);
        assert_eq!(firewall.ensure_spoof_check(&later).unwrap(), Ensured::AlreadyThere);
    })
    .unwrap();
}

#[test]
fn a_port_that_somebody_put_back_without_its_comment_is_removed_with_all_that_was_allowed() {
    let Some(host) = fresh() else { return };
    host.run(|| {
        let mut firewall = Firewall::new();
        let check = spoof_check("mynet", "web");
        let _added = firewall.ensure_spoof_check(&check).unwrap();
        nft(&format!(
            "flush set bridge netctl spoof_ports; add element bridge netctl spoof_ports {{ \"{}\" }}",
            check.interface
        ));
        assert_eq!(firewall.remove_spoof_check(&check.interface).unwrap(), Removed::Now);
        assert_eq!(firewall.list_spoof_checks().unwrap(), []);
        assert_eq!(firewall.remove_spoof_check(&check.interface).unwrap(), Removed::Before);
    })
    .unwrap();
}
