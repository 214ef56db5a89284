//! Who may join, and what DEL is told of who did.

use serde_json::json;

use super::*;
use crate::sample::{entry, network_of};

fn sandbox() -> Sandbox {
    Sandbox { container: ContainerId::new("blue").unwrap(), netns: Some("/run/netns/blue".into()) }
}

/// A place on a network that stands.
fn standing(network: &str, interface: &str) -> Member {
    let mut entry = entry(network, "blue", &json!({}));
    entry.attachment.interface = InterfaceName::new(interface).unwrap();
    Member { is_standing: true, ..Member::of(&entry) }
}

fn checked(kind: &str, members: &[Member]) -> Option<String> {
    let network = network_of(kind, json!({"type": kind}), &[]);
    check_modes(&network, &sandbox(), members).err().map(|error| error.to_string())
}

#[test]
fn a_container_is_on_networks_or_has_nothing_but_lo_or_is_in_the_host_s_namespace() {
    let (on_web, on_none) = (standing("web", "eth0"), standing("none", "lo"));
    assert_eq!(checked("bridge", &[]), None);
    assert_eq!(checked("bridge", std::slice::from_ref(&on_web)), None);
    assert_eq!(checked("none", &[]), None);
    assert_eq!(
        checked("none", std::slice::from_ref(&on_none)),
        None,
        "that it is there already is told elsewhere"
    );
    assert_eq!(
        checked("host", &[]).unwrap(),
        "cannot connect blue to network host: whoever is on it was made in the host's namespace"
    );
    assert_eq!(
        checked("none", std::slice::from_ref(&on_web)).unwrap(),
        "cannot connect blue to network none: it is on network web, and whoever is on network none has nothing but lo"
    );
    assert_eq!(
        checked("bridge", &[on_web, on_none]).unwrap(),
        "cannot connect blue to network bridge: it is on network none, and whoever is on network none has nothing but lo"
    );
}

#[test]
fn who_is_gone_is_in_nobody_s_way() {
    let gone = |network, interface| Member { is_standing: false, ..standing(network, interface) };
    assert_eq!(checked("none", &[gone("web", "eth0")]), None);
    assert_eq!(checked("bridge", &[gone("none", "lo")]), None);
}

#[test]
fn a_del_is_told_what_its_add_was_told() {
    let now = network_of("web", json!({"type": "bridge"}), &[]).list;
    let then = network_of("web", json!({"type": "macvlan"}), &[]).list;
    let kind = |config: &[u8]| {
        let entry = Entry { config: config.to_vec(), ..entry("web", "blue", &json!({})) };
        let (list, request) = leaving(&now, &entry);
        assert_eq!(request.attachment, entry.attachment);
        list.plugins()[0].kind().to_owned()
    };
    assert_eq!(kind(then.bytes()), "macvlan");
    // Files of older runtimes have none.
    assert_eq!(kind(b""), "bridge");
}

#[test]
fn a_del_is_not_told_of_a_process_that_may_be_another_s_by_now() {
    let list = network_of("web", json!({"type": "bridge"}), &[]).list;
    let told = |netns: &str| {
        let entry = Entry { netns: Some(netns.into()), ..entry("web", "blue", &json!({})) };
        leaving(&list, &entry).1.netns
    };
    assert_eq!(told("/proc/4194305/ns/net"), None);
    // A name is of whom it says, also when nothing is there any more.
    assert_eq!(told("/run/netns/no-such-name").as_deref(), Some(Path::new("/run/netns/no-such-name")));
}

#[test]
fn a_search_for_a_free_port_begins_anywhere() {
    let begun: std::collections::HashSet<u32> = (0..16).map(|_| chance()).collect();
    assert!(begun.len() > 8, "{begun:?}");
}
