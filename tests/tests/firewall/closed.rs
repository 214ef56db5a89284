//! `ingressPolicy`: bridges that are closed.

use crate::scene::{Attached, IN_VAIN, WITHIN, firewall, notes, reaches, saved, socket};
use lab::Place;
use lab::traffic::{Transport, serve};
use serde_json::{Value, json};
use tests::config::{BRIDGE, v4, with};
use tests::facts::ruleset;
use tests::{Stage, Test};

#[test]
fn a_closed_bridge_is_closed_to_other_bridges_until_its_last_container_leaves() -> Test {
    for (backend, policy) in [("iptables", "same-bridge"), ("", "same-bridge"), ("nftables", "isolated")] {
        let stage = Stage::new("closed")?;
        let networks = ["10.1.0.0/24", "10.2.0.0/24"].iter().zip(["net", "other"]).map(|(subnet, name)| {
            let ipam = json!({"type": "host-local", "ranges": [[{"subnet": subnet}]], "routes": [{"dst": "0.0.0.0/0"}]});
            with(v4(), json!({"name": name, "bridge": format!("br-{name}"), "ipam": ipam}))
        });
        let networks: Vec<_> = networks.collect();
        let keys = json!({"backend": backend, "ingressPolicy": policy});
        let one = Attached::to(&stage, "one", &networks[0], keys.clone())?;
        let two = Attached::to(&stage, "two", &networks[0], keys.clone())?;
        let far = Attached::to(&stage, "far", &networks[1], keys)?;
        let _server = serve(&one.container, Transport::Udp, socket(one.address(0)))?;
        assert!(reaches(&far.container, one.address(0), WITHIN));
        for attached in [&one, &two, &far] {
            attached.call().add().result()?;
            attached.call().check().done()?;
        }
        assert!(!reaches(&far.container, one.address(0), IN_VAIN), "{backend} {policy}");
        if stage.host().sh("cat /proc/sys/net/bridge/bridge-nf-call-iptables").stdout().trim() == "1" {
            let expected = policy == "same-bridge";
            let within = if expected { WITHIN } else { IN_VAIN };
            assert_eq!(reaches(&two.container, one.address(0), within), expected, "{backend} {policy}");
        }
        let (damage, named) = match backend {
            // The one that came last stands first.
            "iptables" => ("iptables -D CNI-ISOLATION-STAGE-2 1", "CNI-ISOLATION-STAGE-2 -o br-other"),
            _ => ("nft flush set inet netctl isolated", "\"br-other\" in set isolated"),
        };
        stage.host().sh(damage).ok()?;
        far.call().check().error(100, &[named])?;
        one.call().add().result()?;
        far.call().add().result()?;
        let leave = |attached: &Attached<'_>, network: &Value| -> Test {
            attached.call().del().done()?;
            Ok(stage.call("bridge", network).of(&attached.container).del().done()?)
        };
        let is_closed =
            |bridge: &str| ruleset(stage.host()).map(|text| text.contains(&format!("\"{bridge}\"")));
        leave(&one, &networks[0])?;
        assert!(is_closed("br-net")?, "another container is on it");
        leave(&two, &networks[0])?;
        assert!(!is_closed("br-net")? && is_closed("br-other")?, "{}", ruleset(stage.host())?);
        leave(&far, &networks[1])?;
        let left = ruleset(stage.host())?;
        assert!(!is_closed("br-other")? && !left.contains("ISOLATION"), "{left}");
        assert_eq!(notes(&stage)?, "");
    }
    Ok(())
}

#[test]
fn of_the_last_two_that_leave_a_closed_bridge_at_once_one_opens_it() -> Test {
    for backend in ["iptables", "nftables"] {
        let stage = Stage::new("lasttwo")?;
        let keys = json!({"backend": backend, "ingressPolicy": "same-bridge"});
        let all = ["one", "two"].map(|name| Attached::by_bridge(&stage, name, keys.clone()));
        let [one, two] = all;
        let (one, two) = (one?, two?);
        let before = ruleset(stage.host())?;
        for attached in [&one, &two] {
            attached.call().add().result()?;
        }
        one.call().del().done()?;
        two.call().check().done()?;
        // Both ports are still there.
        two.call().del().done()?;
        let left = ruleset(stage.host())?;
        assert!(!left.contains("-i br0 ") && !left.contains("ISOLATION"), "{left}");
        assert_eq!(left.matches("\"br0\"").count(), before.matches("\"br0\"").count(), "{left}");
        assert_eq!(notes(&stage)?, "");
    }
    Ok(())
}

#[test]
fn who_lost_his_note_does_not_open_the_bridge_for_others_who_may_have_too() -> Test {
    let stage = Stage::new("lost")?;
    let keys = json!({"backend": "iptables", "ingressPolicy": "same-bridge"});
    let all = ["one", "two"].map(|name| Attached::by_bridge(&stage, name, keys.clone()));
    let [one, two] = all;
    let (one, two) = (one?, two?);
    for attached in [&one, &two] {
        attached.call().add().result()?;
    }
    stage.host().sh("rm -r /run/netctl/firewall").ok()?;
    let gc = stage.call("firewall", &firewall(json!({})));
    one.call().del().done()?;
    gc.gc(&[&two.container]).done()?;
    two.call().check().done()?;
    stage.host().sh(&format!("ip link delete {BRIDGE}")).ok()?;
    gc.gc(&[]).done()?;
    assert!(!saved(&stage)?.iter().any(|line| line.contains("ISOLATION")));
    Ok(())
}
