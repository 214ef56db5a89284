//! Who has a host port already.

use firewall::Firewall;
use firewall::iptables::publish::Claim;

use super::{container, count};
use crate::support::{feed, fresh, ruleset, run};

/// The claim that is in the way of a port of container `new`.
fn claim(port: &str) -> Option<Claim> {
    let new = container("new", &[port]);
    Firewall::new().find_iptables_claim(&new.mappings[0], Some(&new.id)).unwrap()
}

/// Who claims a port.
fn claimant(port: &str) -> Option<String> {
    claim(port).map(|claim| claim.owner.map_or(claim.chain, |owner| owner.container.to_string()))
}

#[test]
fn a_host_without_published_ports_has_no_claims_and_gets_no_table() {
    let Some(host) = fresh() else { return };
    host.run(|| {
        assert_eq!(claim("80:80"), None);
        assert_eq!(ruleset(), "");
    })
    .unwrap();
}

#[test]
fn a_port_is_claimed_where_its_addresses_meet() {
    let Some(host) = fresh() else { return };
    let Some(_) = lab::tools::require("iptables-restore") else { return };
    host.run(|| {
        for (id, ports) in [
            ("all", &["80:80", "53:53/udp", "7:7/sctp", "1000-1020:1000-1020"][..]),
            ("one", &["127.0.0.1:81:80"]),
            ("six", &["[::1]:82:80", "[::]:83:80"]),
            ("four", &["0.0.0.0:84:80"]),
        ] {
            let _added = container(id, ports).publish();
        }
        for (port, expected) in [
            ("80:8080", Some("all")),
            ("192.0.2.1:80:80", Some("all")),
            ("[fd99::1]:80:80", Some("all")),
            ("80:80/udp", None),
            ("53:53/udp", Some("all")),
            ("53:53/tcp", None),
            ("7:7/sctp", Some("all")),
            ("8:8/sctp", None),
            ("1020:80", Some("all")),
            ("1021:80", None),
            ("81:80", Some("one")),
            ("127.0.0.1:81:80", Some("one")),
            ("127.0.0.2:81:80", None),
            ("[::]:81:80", None),
            ("82:80", Some("six")),
            ("[::1]:82:80", Some("six")),
            ("[fd99::1]:82:80", None),
            ("0.0.0.0:82:80", None),
            ("[fd99::1]:83:80", Some("six")),
            ("0.0.0.0:83:80", None),
            ("84:80", Some("four")),
            ("[::]:84:80", None),
        ] {
            assert_eq!(claimant(port).as_deref(), expected, "{port}");
        }
    })
    .unwrap();
}

#[test]
fn one_s_own_ports_are_no_claim_and_each_port_has_its_claimant() {
    let Some(host) = fresh() else { return };
    let Some(_) = lab::tools::require("iptables-restore") else { return };
    host.run(|| {
        let (web, dns) = (container("abc", &["80:80", "81:80"]), container("def", &["53:53/udp"]));
        let _added = (web.publish(), dns.publish());
        let mut firewall = Firewall::new();
        assert_eq!(firewall.find_iptables_claims(&web.mappings, Some(&web.id)).unwrap(), []);
        let wanted = container("new", &["81:1", "54:1/udp", "53:1/udp"]);
        let claims = firewall.find_iptables_claims(&wanted.mappings, Some(&wanted.id)).unwrap();
        let found: Vec<_> =
            claims.iter().map(|claim| (claim.mapping, claim.owner.clone().unwrap().container)).collect();
        assert_eq!(found, [(wanted.mappings[0], web.id), (wanted.mappings[2], dns.id)]);
    })
    .unwrap();
}

#[test]
fn rules_that_others_wrote_by_hand_are_claims_of_their_chain() {
    let Some(host) = fresh() else { return };
    let Some(_) = lab::tools::require("iptables-restore") else { return };
    host.run(|| {
        feed(
            "iptables-restore --noflush",
            "*nat\n:CNI-HOSTPORT-DNAT - [0:0]\n:MINE - [0:0]\n:EMPTY - [0:0]\n\
             -A CNI-HOSTPORT-DNAT -p tcp -m multiport --dports 100:110,120 -j MINE\n\
             -A CNI-HOSTPORT-DNAT -p tcp --dport 200 -j EMPTY\n\
             -A CNI-HOSTPORT-DNAT -p udp -m multiport --sports 53 -j MINE\n\
             -A MINE -p tcp -j DNAT --to-destination 10.0.0.1:1\n\
             -A MINE -d 192.0.2.0/24 -p udp --dport 5000:5010 -j DNAT --to-destination 10.0.0.1:1\nCOMMIT\n",
        );
        for (port, is_claimed) in [
            ("99:1", false),
            ("100:1", true),
            ("105:1", true),
            ("110:1", true),
            ("111:1", false),
            ("120:1", true),
            ("200:1", false),
            ("192.0.2.9:5005:1/udp", true),
        ] {
            assert_eq!(claimant(port).as_deref(), is_claimed.then_some("MINE"), "{port}");
        }
        assert_eq!(count("MINE"), 5);
        run("iptables -t nat -F");
        assert_eq!(claim("100:1"), None);
    })
    .unwrap();
}
