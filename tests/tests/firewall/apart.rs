//! `"ingressPolicy": "isolated"`: containers of one bridge are kept apart, whether or not their packets meet the host's
//! rules (`br_netfilter`).

use crate::scene::{Attached, IN_VAIN, WITHIN};
use lab::traffic::{Transport, ask, serve};
use lab::{Neighbour, Place};
use serde_json::{Value, json};
use std::error::Error;
use std::net::SocketAddr;
use tests::config::{dual, portmap, with};
use tests::{Chain, Stage, Test, facts};

const BOTH: [Transport; 2] = [Transport::Udp, Transport::Tcp];

fn switch_br_netfilter(stage: &Stage, on: bool) -> Test {
    let script = format!(
        "for key in iptables ip6tables; do file=/proc/sys/net/bridge/bridge-nf-call-$key;
         [ ! -e $file ] || echo {} >$file; done",
        u8::from(on)
    );
    stage.host().sh(&script).ok()?;
    Ok(())
}

fn firewall(backend: &str) -> Value {
    let keys = json!({"backend": backend, "ingressPolicy": "isolated"});
    with(json!({"cniVersion": "1.1.0", "name": "net", "type": "firewall"}), keys)
}

/// Whether the host's end of this result is isolated.
fn is_isolated(stage: &Stage, result: &Value) -> Result<bool, Box<dyn Error>> {
    let port = result["interfaces"][1]["name"].as_str().unwrap_or_default();
    Ok(facts::link(stage.host(), port)?["linkinfo"]["info_slave_data"]["isolated"] == true)
}

#[track_caller]
fn assert_asks(from: &impl Place, to: &str, is_answered: bool, what: &str) {
    for transport in BOTH {
        let address: Option<SocketAddr> = to.parse().ok();
        let within = if is_answered { WITHIN } else { IN_VAIN };
        let answer = address.map(|address| ask(from, transport, address, within));
        let answer = answer.and_then(Result::ok);
        assert_eq!(answer.is_some(), is_answered, "{what}: {transport:?} {to}");
    }
}

#[test]
fn isolated_containers_of_one_bridge_are_kept_apart_with_and_without_br_netfilter() -> Test {
    for backend in ["", "iptables", "nftables"] {
        for br_netfilter in [true, false] {
            let what = format!("{backend:?}, br_netfilter {br_netfilter}");
            let stage = Stage::new("apart")?;
            let outside = Neighbour::of(stage.host(), "outside")?;
            switch_br_netfilter(&stage, br_netfilter)?;
            let (web, near) = (stage.container("web")?, stage.container("near")?);
            let bridge = with(dual(), json!({"ipMasq": true}));
            let ports = portmap(&["8080:7000/udp", "8080:7000/tcp"]);
            let of_web = Chain::new(&stage, &[bridge.clone(), ports, firewall(backend)], &web);
            let of_near = Chain::new(&stage, &[bridge.clone(), firewall(backend)], &near);
            let (result, result_of_near) = (of_web.add()?, of_near.add()?);
            let _servers = BOTH.map(|transport| serve(&web, transport, "[::]:7000".parse().ok()?).ok());
            let _others = BOTH.map(|transport| serve(&outside, transport, "[::]:7000".parse().ok()?).ok());
            of_web.check(&result)?;
            for to in ["10.1.0.2:7000", "[fd00:1::2]:7000"] {
                assert_asks(&near, to, false, &what);
            }
            for to in ["10.99.0.2:7000", "[fd99::2]:7000"] {
                assert_asks(&near, to, true, &what);
            }
            for to in ["10.99.0.1:8080", "[fd99::1]:8080"] {
                assert_asks(&outside, to, true, &what);
                // What the plugin's comment promises, and no more.
                let can_be = !br_netfilter && backend != "iptables";
                assert_asks(&near, to, can_be, &what);
            }
            // It lets go of its port by itself, and so does bridge afterwards.
            assert!(is_isolated(&stage, &result)?, "{what}");
            of_web.call(2, &result).del().done()?;
            assert!(!is_isolated(&stage, &result)?, "{what}");
            of_web.del(Some(&result))?;
            of_near.check(&result_of_near)?;
            of_near.del_blindly()?;
        }
    }
    Ok(())
}

#[test]
fn a_port_that_is_isolated_no_longer_is_named_and_a_port_that_bridge_isolates_stays_so() -> Test {
    let stage = Stage::new("flag")?;
    let web = Attached::by_bridge(&stage, "web", json!({"ingressPolicy": "isolated"}))?;
    web.call().add().result()?;
    let port = web.result["interfaces"][1]["name"].as_str().unwrap_or_default();
    stage.host().sh(&format!("bridge link set dev {port} isolated off")).ok()?;
    web.call().check().error(100, &[port, "it is not isolated"])?;
    for _ in 0..2 {
        web.call().add().result()?;
        web.call().check().done()?;
    }
    web.call().del().done()?;
    assert!(!is_isolated(&stage, &web.result)?, "the second ADD knows that the first did it");
    let network = with(dual(), json!({"portIsolation": true}));
    let other = Attached::to(&stage, "other", &network, json!({"ingressPolicy": "isolated"}))?;
    other.call().add().result()?;
    other.call().del().done()?;
    assert!(is_isolated(&stage, &other.result)?, "bridge did it");
    Ok(())
}

#[test]
fn who_stands_for_the_bridge_in_a_vlan_is_not_isolated() -> Test {
    let stage = Stage::new("vlan")?;
    if !stage.host().sh("ip link add try type bridge vlan_filtering 1 && ip link delete try").succeeded() {
        lab::tools::skip("this kernel's bridges know no VLANs");
        return Ok(());
    }
    let network = with(dual(), json!({"vlan": 7}));
    let keys = json!({"ingressPolicy": "isolated"});
    let web = Attached::to(&stage, "web", &network, keys.clone())?;
    let near = Attached::to(&stage, "near", &network, keys)?;
    for attached in [&web, &near] {
        attached.call().add().result()?;
        attached.call().check().done()?;
    }
    let _server = serve(&web.container, Transport::Udp, "[::]:7000".parse()?)?;
    assert!(facts::pings(&near.container, "10.1.0.1"));
    assert!(!facts::pings(&near.container, "10.1.0.2"));
    // The first that leaves does not take the policy from the second.
    web.call().del().done()?;
    near.call().check().done()?;
    Ok(())
}
