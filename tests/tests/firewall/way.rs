//! The way is open after ADD and not before, whoever drops.

use crate::scene::{
    Attached, DOCKER, IN_VAIN, POLICY, STRICT, WITHIN, is_constant, notes, reaches, saved, socket,
};
use lab::traffic::{Transport, serve};
use lab::{Neighbour, Place};
use serde_json::{Value, json};
use std::thread;
use tests::config::{BRIDGE, dual, with};
use tests::facts::ruleset;
use tests::{Allowed, Answer, Before, Stage, Test, programs};

#[test]
fn the_way_out_is_open_after_add_and_not_before_whoever_drops() -> Test {
    for drops in [POLICY, DOCKER, STRICT] {
        for backend in ["", "iptables", "nftables"] {
            if drops == STRICT && backend == "iptables" {
                continue;
            }
            let stage = Stage::new("wayout")?;
            let outside = Neighbour::of(stage.host(), "outside")?;
            let _servers = [outside.v4(), outside.v6()].map(|to| serve(&outside, Transport::Udp, socket(to)));
            stage.host().sh(drops).ok()?;
            let web = Attached::by_bridge(&stage, "web", json!({"backend": backend}))?;
            let before = Before::of(&stage)?;
            assert!(!reaches(&web.container, outside.v4(), IN_VAIN), "{drops} {backend}");
            assert_eq!(web.call().add().result()?, web.result, "prevResult is passed on");
            web.call().check().done()?;
            web.call().status().done()?;
            for to in [outside.v4(), outside.v6()] {
                assert!(reaches(&web.container, to, WITHIN), "{to} {drops} {backend}");
            }
            web.call().del().done()?;
            assert!(!reaches(&web.container, outside.v4(), IN_VAIN), "{drops} {backend}");
            web.call().del().done()?;
            assert_eq!(notes(&stage)?, "");
            let left = before.changes(Allowed::Constants)?;
            let may_stay = |line: &&String| is_constant(line) && !(drops == STRICT && backend == "nftables");
            let left: Vec<_> = left.iter().filter(|line| !may_stay(line)).collect();
            assert!(left.is_empty(), "{drops} {backend}: {left:#?}");
        }
    }
    Ok(())
}

#[test]
fn podmans_list_works_through_a_whole_life() -> Test {
    let stage = Stage::new("podman")?;
    let outside = Neighbour::of(stage.host(), "outside")?;
    let _server = serve(&outside, Transport::Udp, socket(outside.v4()))?;
    stage.host().sh(DOCKER).ok()?;
    let keys = json!({"ipMasq": true, "name": null, "cniVersion": null});
    let list = json!({
        "cniVersion": "0.4.0", "name": "net",
        "plugins": [with(dual(), keys), {"type": "firewall", "backend": ""}],
    });
    stage.host().write_file("/etc/cni/net.d/87-net.conflist", list.to_string())?;
    // Switched on now, it is not a change later.
    stage
        .host()
        .sh("echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding")
        .ok()?;
    let web = stage.container("web")?;
    let before = Before::of(&stage)?;
    let netctl = |verb: &str| {
        let call = lab::Call::new([programs::find("netctl")?]).arg("cni").arg(verb).arg("net").arg("web");
        Ok::<_, Box<dyn std::error::Error>>(call.run(stage.host()).ok()?)
    };
    for _ in 0..2 {
        let result: Value = serde_json::from_str(&netctl("add")?)?;
        assert_eq!(
            (&result["cniVersion"], result["interfaces"].as_array().map(Vec::len)),
            (&json!("0.4.0"), Some(3))
        );
        assert!(reaches(&web, outside.v4(), WITHIN));
        netctl("check")?;
        netctl("del")?;
    }
    let left = before.changes(Allowed::Network(BRIDGE))?;
    let left: Vec<_> =
        left.iter().filter(|line| !is_constant(line) && !line.contains("cni/results folder")).collect();
    assert!(left.is_empty(), "{left:#?}");
    Ok(())
}

#[test]
fn a_port_that_somebody_published_is_let_in_and_nothing_else() -> Test {
    for (drops, backend) in [(DOCKER, "iptables"), (STRICT, "nftables")] {
        let stage = Stage::new("published")?;
        let outside = Neighbour::of(stage.host(), "outside")?;
        outside.learn("10.1.0.0/24")?;
        stage.host().sh(drops).ok()?;
        let web = Attached::by_bridge(&stage, "web", json!({"backend": backend}))?;
        let _server = serve(&web.container, Transport::Udp, socket(web.address(0)))?;
        let publish = "nft -f - <<END
            table ip published { chain prerouting { type nat hook prerouting priority dstnat; policy accept
                iifname \"uplink\" udp dport 7000 ip daddr 10.99.0.1 dnat to 10.1.0.2
            } ; } ;\nEND";
        stage.host().sh(publish).ok()?;
        assert!(!reaches(&outside, outside.host_v4(), IN_VAIN), "{backend}");
        web.call().add().result()?;
        assert!(reaches(&outside, outside.host_v4(), WITHIN), "{backend}");
        assert!(!reaches(&outside, web.address(0), IN_VAIN), "{backend}: past the published port");
    }
    Ok(())
}

#[test]
fn what_the_administrator_drops_stays_dropped() -> Test {
    let stage = Stage::new("admin")?;
    let outside = Neighbour::of(stage.host(), "outside")?;
    let _server = serve(&outside, Transport::Udp, socket(outside.v4()))?;
    for chain in ["CNI-ADMIN", "MY-OWN"] {
        stage.host().sh("iptables -P FORWARD DROP").ok()?;
        let web =
            Attached::by_bridge(&stage, &chain.to_lowercase(), json!({"iptablesAdminChainName": chain}))?;
        web.call().add().result()?;
        assert!(reaches(&web.container, outside.v4(), WITHIN));
        stage.host().sh(&format!("iptables -A {chain} -d 10.99.0.2 -j DROP")).ok()?;
        assert!(!reaches(&web.container, outside.v4(), IN_VAIN), "{chain}");
        web.call().del().done()?;
        web.call().add().result()?;
        assert!(!reaches(&web.container, outside.v4(), IN_VAIN), "{chain}");
        web.call().check().done()?;
        stage.host().sh(&format!("iptables -F {chain}")).ok()?;
    }
    Ok(())
}

#[test]
fn what_was_flushed_is_named_and_put_back_by_the_next_add() -> Test {
    let stage = Stage::new("flushed")?;
    stage.host().sh(POLICY).ok()?;
    let outside = Neighbour::of(stage.host(), "outside")?;
    let _server = serve(&outside, Transport::Udp, socket(outside.v4()))?;
    let web = Attached::by_bridge(&stage, "web", json!({}))?;
    web.call().add().result()?;
    for (damage, named) in [
        ("iptables -F CNI-FORWARD", "10.1.0.2/32"),
        ("iptables -D FORWARD 1", "-j CNI-FORWARD"),
        ("iptables -F; iptables -X", "the chain CNI-FORWARD"),
        ("nft delete table ip filter; iptables -P FORWARD DROP", "the chain CNI-ADMIN"),
        ("ip6tables -F CNI-FORWARD", "fd00:1::2/128"),
    ] {
        stage.host().sh(damage).ok()?;
        web.call().check().error(100, &[named, "missing", "flushed"])?;
        web.call().add().result()?;
        web.call().check().done()?;
        assert!(reaches(&web.container, outside.v4(), WITHIN), "{damage}");
    }
    // Everything may be gone when DEL comes.
    stage.host().sh("nft flush ruleset").ok()?;
    web.call().del().done()?;
    assert_eq!(ruleset(stage.host())?, "");
    Ok(())
}

#[test]
fn a_flushed_way_is_opened_again_by_reload() -> Test {
    for (drops, backend) in [(POLICY, ""), (POLICY, "iptables"), (STRICT, "nftables")] {
        let stage = Stage::new("reload")?;
        let outside = Neighbour::of(stage.host(), "outside")?;
        let _server = serve(&outside, Transport::Udp, socket(outside.v4()))?;
        stage.host().sh(drops).ok()?;
        let keys = json!({"ipMasq": true, "name": null, "cniVersion": null});
        let firewall = json!({"type": "firewall", "backend": backend, "ingressPolicy": "same-bridge"});
        let list = json!({"cniVersion": "1.1.0", "name": "net", "plugins": [with(dual(), keys), firewall]});
        stage.host().write_file("/etc/cni/net.d/87-net.conflist", list.to_string())?;
        let web = stage.container("web")?;
        let netctl = |words: &str| {
            let call = lab::Call::new([programs::find("netctl")?]);
            let call = words.split(' ').fold(call, lab::Call::arg);
            Ok::<_, Box<dyn std::error::Error>>(call.run(stage.host()))
        };
        netctl("cni add net web")?.ok()?;
        stage.host().sh(&format!("nft flush ruleset; {drops}")).ok()?;
        assert!(!netctl("cni check net web")?.succeeded());
        assert!(!reaches(&web, outside.v4(), IN_VAIN), "{backend}");
        for _ in 0..2 {
            netctl("reload")?.ok()?;
            netctl("cni check net web")?.ok()?;
            assert!(reaches(&web, outside.v4(), WITHIN), "{backend}");
        }
        netctl("cni del net web")?.ok()?;
        assert_eq!(notes(&stage)?, "");
    }
    Ok(())
}

#[test]
fn the_old_iptables_and_the_new_one_both_let_pass_where_both_drop() -> Test {
    let Some(restore) = lab::tools::require("iptables-legacy-restore") else { return Ok(()) };
    let stage = Stage::new("old")?;
    if !stage.host().sh("iptables-legacy -P FORWARD DROP && ip6tables-legacy -P FORWARD DROP").succeeded() {
        lab::tools::skip("this kernel has no old iptables");
        return Ok(());
    }
    // A folder in which iptables is the old one, as Debian's alternatives would have it.
    let folder = restore.parent().map(|folder| folder.display().to_string()).unwrap_or_default();
    let links = ["iptables-save", "iptables-restore", "ip6tables-save", "ip6tables-restore"]
        .map(|name| format!("ln -s {folder}/{} /run/old/{name}", name.replace("tables-", "tables-legacy-")));
    stage.host().sh(&format!("mkdir /run/old; {}", links.join("; "))).ok()?;
    stage.host().sh(POLICY).ok()?;
    let outside = Neighbour::of(stage.host(), "outside")?;
    let _server = serve(&outside, Transport::Udp, socket(outside.v4()))?;
    let web = Attached::by_bridge(&stage, "web", json!({"backend": "iptables"}))?;
    let with_path = |verb: &str, path: &str| {
        let path = format!("PATH={path}");
        web.call().command(verb).under(["/usr/bin/env", &path]).run(stage.host())
    };
    for (verb, code) in [("STATUS", 50), ("ADD", 999)] {
        let outcome = with_path(verb, "/nonexistent");
        let said: Value = serde_json::from_str(outcome.stdout())?;
        assert_eq!(said["code"], code, "{outcome}");
        assert!(outcome.stdout().contains("iptables-save") && outcome.stdout().contains("package iptables"));
    }
    // Whether it is closed cannot be known without the program, so that is noted.
    assert!(notes(&stage)?.contains("net:web:eth0"));
    let path = format!("/run/old:{folder}");
    for verb in ["STATUS", "ADD", "CHECK"] {
        with_path(verb, &path).ok()?;
    }
    assert!(reaches(&web.container, outside.v4(), WITHIN));
    for program in ["iptables-legacy", "iptables"] {
        let text = stage.host().sh(&format!("{program} -S CNI-FORWARD")).ok()?;
        assert_eq!(text.matches("10.1.0.2/32").count(), 3, "{program}: {text}");
    }
    with_path("DEL", &path).ok()?;
    assert_eq!(notes(&stage)?, "");
    for program in ["iptables-legacy", "iptables", "ip6tables-legacy", "ip6tables"] {
        let text = stage.host().sh(&format!("{program} -S CNI-FORWARD")).ok()?;
        assert_eq!(text.lines().count(), 2, "{program}: {text}");
    }
    assert!(!reaches(&web.container, outside.v4(), IN_VAIN));
    Ok(())
}

#[test]
fn no_program_is_started_on_the_way_of_an_add() -> Test {
    let stage = Stage::new("alone")?;
    let Some(_) = lab::tools::require("strace") else { return Ok(()) };
    for drops in [POLICY, STRICT] {
        stage.host().sh(drops).ok()?;
        let keys = json!({"ingressPolicy": "same-bridge"});
        let web = Attached::by_bridge(&stage, if drops == POLICY { "one" } else { "two" }, keys)?;
        for verb in ["ADD", "CHECK", "DEL"] {
            let call = web.call().command(verb).under(["strace", "-f", "-e", "trace=execve"]);
            let outcome = call.run(stage.host());
            assert!(outcome.succeeded(), "{outcome}");
            assert_eq!(outcome.stderr().matches("execve(").count(), 1, "{verb}: {}", outcome.stderr());
        }
    }
    Ok(())
}

#[test]
fn of_fifty_at_once_none_fails_and_nothing_is_left() -> Test {
    for drops in [POLICY, STRICT] {
        let stage = Stage::new("crowd")?;
        let outside = Neighbour::of(stage.host(), "outside")?;
        let _server = serve(&outside, Transport::Udp, socket(outside.v4()))?;
        stage.host().sh(drops).ok()?;
        let crowd = (0..50).map(|number| Attached::by_bridge(&stage, &format!("c{number}"), json!({})));
        let crowd: Vec<_> = crowd.collect::<Result<_, _>>()?;
        let at_once = |verb: &str| -> Vec<Answer> {
            thread::scope(|scope| {
                let calls = crowd.iter().map(|attached| attached.call());
                let calls: Vec<_> = calls.map(|call| scope.spawn(move || call.run(verb))).collect();
                calls.into_iter().filter_map(|call| call.join().ok()).collect()
            })
        };
        at_once("ADD").iter().try_for_each(|answer| answer.result().map(drop))?;
        let jumps = saved(&stage)?.iter().filter(|line| line.contains("-j CNI-FORWARD")).count();
        assert_eq!(jumps, 2, "one in each address family");
        at_once("CHECK").iter().try_for_each(Answer::done)?;
        for attached in crowd.iter().step_by(10) {
            assert!(reaches(&attached.container, outside.v4(), WITHIN));
        }
        at_once("DEL").iter().try_for_each(Answer::done)?;
        let text = ruleset(stage.host())?;
        assert!(!text.contains("netctl_forward"), "{text}");
        assert!(!saved(&stage)?.iter().any(|line| line.contains("-s ")), "{:#?}", saved(&stage)?);
        assert_eq!(notes(&stage)?, "");
    }
    Ok(())
}
