//! After the last network the host's firewall is as it was before the first, whoever had something there before or has
//! something there still.

use crate::scene::{Attached, POLICY, WITHIN, firewall, reaches, saved, socket};
use lab::traffic::{Transport, serve};
use lab::{Neighbour, Place};
use serde_json::{Value, json};
use std::error::Error;
use std::thread;
use tests::config::{dual, with};
use tests::facts::ruleset;
use tests::{Chain, Stage, Test, programs};

/// What a host has before.
const NOTHING: &str = "true";
const OWN_RULE: &str =
    "iptables -A FORWARD -s 192.0.2.1 -j DROP; ip6tables -A FORWARD -s 2001:db8::1 -j DROP";
const OWN_INPUT: &str = "iptables -A INPUT -s 192.0.2.1 -j DROP";
const OWN_CHAIN: &str = "iptables -N CNI-ADMIN; ip6tables -N CNI-ADMIN";
const EMPTY: &str = "iptables -P FORWARD ACCEPT; iptables -t nat -P POSTROUTING ACCEPT";

/// Runs `netctl` as people do.
fn netctl(stage: &Stage, words: &[&str]) -> Result<String, Box<dyn Error>> {
    let call = lab::Call::new([programs::find("netctl")?]);
    Ok(words.iter().fold(call, lab::Call::arg).run(stage.host()).ok()?)
}

fn create(stage: &Stage, network: &str, subnet: &str) -> Test {
    netctl(stage, &["create", network, "--subnet", subnet, "--subnet", &format!("fd00:{network}::/64")])
        .map(drop)
}

/// Everything that containers share is there.
fn is_in_use(stage: &Stage) -> Result<bool, Box<dyn Error>> {
    let rules = saved(stage)?;
    Ok(["-j CNI-FORWARD", "-j CNI-ADMIN"].iter().all(|jump| rules.iter().any(|rule| rule.contains(jump))))
}

#[test]
fn after_the_last_network_the_firewall_is_as_it_was() -> Test {
    for before in [NOTHING, POLICY, OWN_RULE, OWN_INPUT, OWN_CHAIN, EMPTY] {
        let stage = Stage::new("lastnet")?;
        stage.host().sh(before).ok()?;
        let ruleset_before = ruleset(stage.host())?;
        stage.container("web")?;
        for _ in 0..2 {
            create(&stage, "a1", "172.26.0.0/16")?;
            netctl(&stage, &["connect", "a1", "web", "-p", "8080:80"])?;
            assert!(is_in_use(&stage)?, "{before}: {:#?}", saved(&stage)?);
            netctl(&stage, &["disconnect", "a1", "web"])?;
            netctl(&stage, &["rm", "a1"])?;
            assert_eq!(ruleset(stage.host())?, ruleset_before, "{before}");
            // With a container on it.
            create(&stage, "a1", "172.26.0.0/16")?;
            netctl(&stage, &["connect", "a1", "web"])?;
            netctl(&stage, &["rm", "-f", "a1"])?;
            assert_eq!(ruleset(stage.host())?, ruleset_before, "{before}");
            // The one that no `rm` ends.
            netctl(&stage, &["connect", "bridge", "web"])?;
            assert!(is_in_use(&stage)?, "{before}: {:#?}", saved(&stage)?);
            netctl(&stage, &["disconnect", "bridge", "web"])?;
            assert_eq!(ruleset(stage.host())?, ruleset_before, "{before}");
        }
    }
    Ok(())
}

#[test]
fn of_two_networks_the_last_takes_what_both_need() -> Test {
    let stage = Stage::new("twonets")?;
    stage.host().sh(POLICY).ok()?;
    let before = ruleset(stage.host())?;
    let outside = Neighbour::of(stage.host(), "outside")?;
    let _server = serve(&outside, Transport::Udp, socket(outside.v4()))?;
    let [web, db] = ["web", "db"].map(|name| stage.container(name));
    let (web, db) = (web?, db?);
    create(&stage, "a1", "172.26.0.0/16")?;
    create(&stage, "a2", "172.27.0.0/16")?;
    netctl(&stage, &["connect", "a1", "web"])?;
    netctl(&stage, &["connect", "a2", "db"])?;
    netctl(&stage, &["rm", "-f", "a1"])?;
    assert!(is_in_use(&stage)?);
    assert!(reaches(&db, outside.v4(), WITHIN));
    netctl(&stage, &["cni", "check", "a2", "db", "--container-id", "db"])?;
    // The one that is there still makes room, and is in nobody's way.
    netctl(&stage, &["disconnect", "a2", "db"])?;
    create(&stage, "a1", "172.26.0.0/16")?;
    netctl(&stage, &["rm", "a1"])?;
    assert!(!is_in_use(&stage)?, "nobody needs it");
    for (network, container) in [("a2", &db), ("bridge", &web)] {
        netctl(&stage, &["connect", network, container.id()])?;
        assert!(reaches(container, outside.v4(), WITHIN), "{network}");
    }
    netctl(&stage, &["rm", "-f", "a2"])?;
    assert!(reaches(&web, outside.v4(), WITHIN));
    netctl(&stage, &["disconnect", "bridge", "web"])?;
    assert_eq!(ruleset(stage.host())?, before);
    Ok(())
}

#[test]
fn the_administrator_s_rules_stay_for_the_next_network() -> Test {
    let stage = Stage::new("admins")?;
    let outside = Neighbour::of(stage.host(), "outside")?;
    let _server = serve(&outside, Transport::Udp, socket(outside.v4()))?;
    let web = stage.container("web")?;
    create(&stage, "a1", "172.26.0.0/16")?;
    netctl(&stage, &["connect", "a1", "web"])?;
    assert!(reaches(&web, outside.v4(), WITHIN));
    stage.host().sh("iptables -A CNI-ADMIN -d 10.99.0.2 -j DROP").ok()?;
    netctl(&stage, &["rm", "-f", "a1"])?;
    let kept = saved(&stage)?;
    let comment = "-m comment --comment \"CNI firewall plugin";
    let expected = [
        "-A CNI-ADMIN -d 10.99.0.2/32 -j DROP".to_owned(),
        format!("-A CNI-FORWARD {comment} admin overrides\" -j CNI-ADMIN"),
        format!("-A FORWARD {comment} rules\" -j CNI-FORWARD"),
    ];
    let mut sorted = kept.clone();
    sorted.sort();
    assert_eq!(sorted, expected);
    netctl(&stage, &["connect", "bridge", "web"])?;
    assert!(!reaches(&web, outside.v4(), crate::scene::IN_VAIN));
    netctl(&stage, &["disconnect", "bridge", "web"])?;
    assert_eq!(saved(&stage)?, kept);
    stage.host().sh("iptables -F CNI-ADMIN").ok()?;
    create(&stage, "a1", "172.26.0.0/16")?;
    netctl(&stage, &["rm", "a1"])?;
    assert_eq!(ruleset(stage.host())?, "");
    Ok(())
}

#[test]
fn a_container_of_the_reference_s_keeps_its_rules_and_its_plugin_works_afterwards() -> Test {
    let Some(_) = programs::reference("firewall") else { return Ok(()) };
    let stage = Stage::new("theirs")?;
    let outside = Neighbour::of(stage.host(), "outside")?;
    let _server = serve(&outside, Transport::Udp, socket(outside.v4()))?;
    let theirs = Attached::by_bridge(&stage, "theirs", json!({}))?;
    stage.container("web")?;
    let before = saved(&stage)?;
    for begins in ["reference", "netctl"] {
        if begins == "reference" {
            theirs.reference("ADD")?;
        }
        create(&stage, "a1", "172.26.0.0/16")?;
        netctl(&stage, &["connect", "a1", "web"])?;
        if begins == "netctl" {
            theirs.reference("ADD")?;
        }
        netctl(&stage, &["rm", "-f", "a1"])?;
        assert!(is_in_use(&stage)?, "{begins}: {:#?}", saved(&stage)?);
        assert_eq!(saved(&stage)?.iter().filter(|rule| rule.contains("10.1.0.2/32")).count(), 2);
        theirs.reference("CHECK")?;
        assert!(reaches(&theirs.container, outside.v4(), WITHIN));
        theirs.reference("DEL")?;
        create(&stage, "a1", "172.26.0.0/16")?;
        netctl(&stage, &["rm", "a1"])?;
        assert_eq!(saved(&stage)?, before, "{begins}");
        assert!(!ruleset(stage.host())?.contains("CNI-"), "{}", ruleset(stage.host())?);
    }
    Ok(())
}

/// A network of a runtime's, whose plugins are executed, and all of whose rules iptables has.
fn by_iptables() -> [Value; 3] {
    let network = json!({"cniVersion": "1.1.0", "name": "net"});
    let ports = json!([{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"}]);
    let publish = json!({"type": "portmap", "backend": "iptables", "runtimeConfig": {"portMappings": ports}});
    [
        with(dual(), json!({"ipMasq": true, "ipMasqBackend": "iptables"})),
        with(network.clone(), publish),
        with(firewall(json!({"backend": "iptables", "ingressPolicy": "isolated"})), network),
    ]
}

#[test]
fn gc_of_a_runtime_takes_what_iptables_had_for_its_network() -> Test {
    for before in [NOTHING, POLICY, OWN_RULE, EMPTY] {
        let stage = Stage::new("runtime")?;
        stage.host().sh(before).ok()?;
        let ruleset_before = ruleset(stage.host())?;
        let web = stage.container("web")?;
        let chain = Chain::new(&stage, &by_iptables(), &web);
        for is_deleted in [true, false] {
            let result = chain.add()?;
            chain.check(&result)?;
            if is_deleted {
                chain.del(Some(&result))?;
                // Its containers shared that as well, and nobody is left.
                assert_eq!(ruleset(stage.host())?.contains("table ip nat"), before == EMPTY, "{before}");
            }
            chain.gc(&[])?;
            assert_eq!(ruleset(stage.host())?, ruleset_before, "{before}");
        }
    }
    Ok(())
}

#[test]
fn gc_that_keeps_somebody_keeps_what_he_needs() -> Test {
    let stage = Stage::new("keeps")?;
    let [web, db] = ["web", "db"].map(|name| stage.container(name));
    let (web, db) = (web?, db?);
    let first = Chain::new(&stage, &by_iptables()[..1], &web);
    first.add()?;
    let kept = Chain::new(&stage, &[dual(), firewall(json!({}))], &db);
    let result = kept.add()?;
    let before = saved(&stage)?;
    kept.gc(&[&web, &db])?;
    // Of another network, without anybody.
    let other = with(firewall(json!({})), json!({"name": "other"}));
    stage.call("firewall", &other).gc(&[]).done()?;
    assert_eq!(saved(&stage)?, before);
    kept.check(&result)?;
    Ok(())
}

#[test]
fn who_comes_while_another_network_ends_gets_through() -> Test {
    const ROUNDS: usize = 40;
    let stage = Stage::new("racing")?;
    stage.containers("c", 3)?;
    let add_and_go = |number: usize| -> Result<(), String> {
        let told = |error: Box<dyn Error>| error.to_string();
        let (network, container) = (format!("a{number}"), format!("c{number}"));
        let subnet = format!("172.{}.0.0/16", 26 + number);
        create(&stage, &network, &subnet).map_err(told)?;
        for _ in 0..ROUNDS {
            netctl(&stage, &["connect", &network, &container]).map_err(told)?;
            // Whole, with everything that it shares with those who left meanwhile.
            netctl(&stage, &["cni", "check", &network, &container, "--container-id", &container])
                .map_err(told)?;
            netctl(&stage, &["disconnect", &network, &container]).map_err(told)?;
            netctl(&stage, &["cni", "gc", &network, "--all"]).map_err(told)?;
        }
        netctl(&stage, &["rm", &network]).map(drop).map_err(told)
    };
    thread::scope(|scope| {
        let calls: Vec<_> = (0..3).map(|number| scope.spawn(move || add_and_go(number))).collect();
        calls.into_iter().try_for_each(|call| call.join().unwrap_or_else(|_| Err("it panicked".to_owned())))
    })?;
    assert_eq!(ruleset(stage.host())?, "");
    Ok(())
}
