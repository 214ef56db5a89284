//! The plugin `firewall` behind `bridge`, on hosts whose own firewall drops what it forwards.

use lab::traffic::{Transport, ask, serve};
use lab::{Neighbour, Place};
use serde_json::{Value, json};
use std::net::{IpAddr, SocketAddr};
use std::thread;
use std::time::Duration;
use tests::config::{BRIDGE, dual, v4, with};
use tests::facts::ruleset;
use tests::{Allowed, Answer, Before, Container, Stage, Test, programs};

const WITHIN: Duration = Duration::from_secs(5);
/// How long a question is asked that nobody should hear.
const IN_VAIN: Duration = Duration::from_millis(300);

/// What `iptables -P FORWARD DROP` leaves.
const POLICY: &str = "iptables -P FORWARD DROP; ip6tables -P FORWARD DROP";

/// The filter of a host with Docker (chains and order of moby's iptables driver, version 20).
const DOCKER: &str = "iptables-restore <<END
*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:DOCKER - [0:0]
:DOCKER-ISOLATION-STAGE-1 - [0:0]
:DOCKER-ISOLATION-STAGE-2 - [0:0]
:DOCKER-USER - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-ISOLATION-STAGE-1
-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -o docker0 -j DOCKER
-A FORWARD -i docker0 ! -o docker0 -j ACCEPT
-A FORWARD -i docker0 -o docker0 -j ACCEPT
-A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2
-A DOCKER-ISOLATION-STAGE-1 -j RETURN
-A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP
-A DOCKER-ISOLATION-STAGE-2 -j RETURN
-A DOCKER-USER -j RETURN
COMMIT
END
ip6tables -P FORWARD DROP";

/// A host's own nftables.
const STRICT: &str = "nft -f - <<END
table inet filter {
    chain forward {
        type filter hook forward priority 0; policy drop;
    }
}
END";

/// A container on the bridge, behind the firewall of its host.
struct Attached<'a> {
    stage: &'a Stage,
    container: Container,
    config: Value,
    /// What bridge answered.
    result: Value,
}

fn firewall(more: Value) -> Value {
    with(json!({"cniVersion": "1.1.0", "name": "net", "type": "firewall"}), more)
}

impl<'a> Attached<'a> {
    /// Attaches by bridge alone.
    fn by_bridge(stage: &'a Stage, name: &str, more: Value) -> Result<Self, Box<dyn std::error::Error>> {
        Self::to(stage, name, &with(dual(), json!({"ipMasq": true})), more)
    }

    fn to(
        stage: &'a Stage,
        name: &str,
        network: &Value,
        more: Value,
    ) -> Result<Self, Box<dyn std::error::Error>> {
        let container = stage.container(name)?;
        let result = stage.call("bridge", network).of(&container).add().result()?;
        let config = with(firewall(more), json!({"name": network["name"]}));
        Ok(Self { stage, container, config, result })
    }

    fn call(&self) -> tests::Call<'a> {
        self.stage.call("firewall", &self.config).of(&self.container).after(&self.result)
    }

    /// A call by the reference's plugin.
    fn reference(&self, verb: &str) -> Test {
        let config = with(self.config.clone(), json!({"cniVersion": "1.0.0", "backend": "iptables"}));
        let config =
            with(config, json!({"prevResult": with(self.result.clone(), json!({"cniVersion": "1.0.0"}))}));
        let file = format!("{}/firewall", programs::REFERENCE);
        let call = lab::Call::new([file]).stdin(config.to_string());
        let call = call.env("CNI_COMMAND", verb).env("CNI_CONTAINERID", self.container.id());
        let call = call.env("CNI_NETNS", self.container.path()).env("CNI_IFNAME", "eth0");
        call.env("CNI_PATH", programs::REFERENCE).run(self.stage.host()).ok()?;
        Ok(())
    }

    fn address(&self, family: usize) -> IpAddr {
        let text = self.result["ips"][family]["address"].as_str().unwrap_or_default();
        text.split('/').next().unwrap_or_default().parse().unwrap_or([0, 0, 0, 0].into())
    }
}

fn socket(address: IpAddr) -> SocketAddr {
    SocketAddr::new(address, 7000)
}

fn reaches(from: &impl Place, to: IpAddr, within: Duration) -> bool {
    ask(from, Transport::Udp, socket(to), within).is_ok()
}

/// Both `filter` tables without what changes by itself.
fn saved(stage: &Stage) -> Result<Vec<String>, Box<dyn std::error::Error>> {
    let text = stage.host().sh("iptables-save -t filter; ip6tables-save -t filter").ok()?;
    let lines = text.lines().filter(|line| line.starts_with("-A"));
    Ok(lines.map(str::to_owned).collect())
}

/// The notes that are left.
fn notes(stage: &Stage) -> Result<String, Box<dyn std::error::Error>> {
    Ok(stage.host().sh("find /run/netctl/firewall -type l 2>/dev/null || true").ok()?)
}

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

/// What all containers share: iptables' chain FORWARD, the reference's two, and the jumps to them.
fn is_constant(line: &str) -> bool {
    let is_of_iptables = line.contains("table ip filter") || line.contains("table ip6 filter");
    let is_of_iptables = is_of_iptables || line.contains("iptables: ip");
    is_of_iptables && !line.contains("10.1.0.") && !line.contains("fd00:1:")
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
fn what_the_reference_opened_we_close_and_the_reverse() -> Test {
    let Some(_) = programs::reference("firewall") else { return Ok(()) };
    let stage = Stage::new("mixed")?;
    let other = Attached::by_bridge(&stage, "other", json!({}))?;
    other.reference("ADD")?;
    let empty = saved(&stage)?;
    let web = Attached::by_bridge(&stage, "web", json!({"backend": "iptables"}))?;
    web.reference("ADD")?;
    web.call()
        .check()
        .error(100, &["--ctstate DNAT", "is missing"])
        .or_else(|_| web.call().check().error(100, &["--ctstate DNAT", "are missing"]))?;
    web.call().del().done()?;
    assert_eq!(saved(&stage)?, empty);
    web.call().add().result()?;
    web.reference("CHECK")?;
    web.reference("DEL")?;
    let left = saved(&stage)?;
    let left: Vec<_> = left.iter().filter(|line| !line.contains("--ctstate DNAT")).collect();
    assert_eq!(left, empty.iter().collect::<Vec<_>>());
    // What it does not know goes with GC.
    stage.call("firewall", &web.config).gc(&[]).done()?;
    assert_eq!(saved(&stage)?, empty);
    Ok(())
}

#[test]
fn del_needs_neither_the_result_nor_the_namespace() -> Test {
    for drops in [POLICY, STRICT] {
        let stage = Stage::new("forgetful")?;
        stage.host().sh(drops).ok()?;
        let [one, two] = ["one", "two"].map(|name| Attached::by_bridge(&stage, name, json!({})));
        let (one, two) = (one?, two?);
        two.call().add().result()?;
        let before = ruleset(stage.host())?;
        one.call().add().result()?;
        assert!(ruleset(stage.host())?.contains("10.1.0.2"));
        one.container.vanish(&stage)?;
        for _ in 0..2 {
            one.call().without("CNI_NETNS").with("prevResult", Value::Null).del().done()?;
            assert_eq!(without_counters(&ruleset(stage.host())?), without_counters(&before));
        }
        two.call().check().done()?;
        assert!(!notes(&stage)?.contains("one"));
    }
    Ok(())
}

fn without_counters(ruleset: &str) -> Vec<String> {
    let words = |line: &str| {
        let words: Vec<_> = line.split_whitespace().filter(|word| word.parse::<u64>().is_err()).collect();
        words.join(" ")
    };
    ruleset.lines().map(words).collect()
}

#[test]
fn a_late_del_does_not_close_the_way_of_whoever_has_the_address_now() -> Test {
    let stage = Stage::new("late")?;
    stage.host().sh(POLICY).ok()?;
    let early = Attached::by_bridge(&stage, "early", json!({}))?;
    early.call().add().result()?;
    // The address is leased anew before the runtime calls DEL a second time.
    stage.call("bridge", &dual()).of(&early.container).del().done()?;
    stage.host().sh("rm -f /var/lib/cni/networks/net/last_reserved_ip.*").ok()?;
    let late = Attached::by_bridge(&stage, "late", json!({}))?;
    assert_eq!(late.address(0), early.address(0));
    late.call().add().result()?;
    early.call().del().done()?;
    late.call().check().done()?;
    late.call().del().done()?;
    assert_eq!(notes(&stage)?, "");
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
fn the_last_two_that_leave_a_closed_bridge_at_once_leave_it_to_gc() -> Test {
    let stage = Stage::new("lasttwo")?;
    let keys = json!({"backend": "iptables", "ingressPolicy": "same-bridge"});
    let all = ["one", "two"].map(|name| Attached::by_bridge(&stage, name, keys.clone()));
    for attached in &all {
        let Ok(attached) = attached else { continue };
        attached.call().add().result()?;
    }
    for attached in all {
        // Both ports are still there.
        attached?.call().del().done()?;
    }
    assert!(saved(&stage)?.iter().any(|line| line.contains("-i br0 ")));
    let gc = stage.call("firewall", &firewall(json!({})));
    gc.gc(&[]).done()?;
    assert!(saved(&stage)?.iter().any(|line| line.contains("-i br0 ")), "ports are left");
    stage.host().sh(&format!("ip link delete {BRIDGE}")).ok()?;
    gc.gc(&[]).done()?;
    assert!(!saved(&stage)?.iter().any(|line| line.contains("ISOLATION")));
    Ok(())
}

#[test]
fn gc_closes_the_way_of_everybody_who_is_not_valid() -> Test {
    for drops in [POLICY, STRICT] {
        let stage = Stage::new("collect")?;
        stage.host().sh(drops).ok()?;
        let all = ["kept", "lost", "gone"].map(|name| Attached::by_bridge(&stage, name, json!({})));
        let [kept, lost, gone] = all;
        let (kept, lost, gone) = (kept?, lost?, gone?);
        kept.call().add().result()?;
        let before = without_counters(&ruleset(stage.host())?);
        for attached in [&lost, &gone] {
            attached.call().add().result()?;
        }
        let foreign = with(firewall(json!({})), json!({"name": "foreign"}));
        stage.call("firewall", &foreign).gc(&[]).done()?;
        gone.call().check().done()?;
        stage.call("firewall", &kept.config).gc(&[&kept.container]).done()?;
        assert_eq!(without_counters(&ruleset(stage.host())?), before, "{drops}");
        kept.call().check().done()?;
        stage.call("firewall", &kept.config).gc(&[]).done()?;
        assert!(!ruleset(stage.host())?.contains("10.1.0.2 "));
        assert_eq!(notes(&stage)?, "");
    }
    Ok(())
}

#[test]
fn what_cannot_work_is_refused_before_anything_is_touched() -> Test {
    let stage = Stage::new("refused")?;
    let web = stage.container("web")?;
    let before = Before::of(&stage)?;
    let call = |more: Value| stage.call("firewall", &firewall(more)).of(&web);
    let result = json!({"cniVersion": "1.1.0", "ips": [{"address": "10.1.0.2/24"}]});
    call(json!({})).add().error(7, &["prevResult"])?;
    call(json!({})).check().error(7, &["prevResult"])?;
    let after = |more: Value| call(more).after(&result);
    after(json!({"backend": "ebtables"})).add().error(7, &["backend", "ebtables", "expected iptables"])?;
    after(json!({"ingressPolicy": "closed"})).add().error(7, &["ingressPolicy", "closed", "same-bridge"])?;
    after(json!({"iptablesAdminChainName": "FORWARD"})).add().error(7, &["iptablesAdminChainName"])?;
    after(json!({"ingressPolicy": "isolated"})).add().error(7, &["ingressPolicy isolated", "bridge"])?;
    after(json!({"backend": "firewalld"})).add().error(999, &["firewalld"])?;
    after(json!({"backend": "firewalld"})).status().error(50, &["firewalld"])?;
    after(json!({"cniVersion": "0.3.1"})).add().error(1, &["0.3.1", "0.4.0, 1.0.0, 1.1.0"])?;
    // Without addresses there is nothing to do; DEL of what never was is fine.
    let bare = json!({"cniVersion": "1.1.0", "interfaces": [{"name": "br0"}]});
    assert_eq!(call(json!({})).after(&bare).add().result()?, bare);
    call(json!({})).del().done()?;
    after(json!({})).del().done()?;
    assert_eq!(before.changes(Allowed::Books)?, Vec::<String>::new());
    Ok(())
}

#[test]
fn an_add_that_fails_half_way_leaves_nothing() -> Test {
    // An IPv6 address comes after an IPv4 one, and nobody may change a table that has an owner.
    let stage = Stage::new("halfway")?;
    let keeper = lab::Call::new(["nft", "-i"]);
    let mut keeper = lab::Background::start(stage.host(), &keeper)?;
    keeper.tell(
        "add table inet kept { flags owner; }\n\
         add chain inet kept forward { type filter hook forward priority 0; policy drop; }\nlist tables\n",
    )?;
    keeper.wait_for("table inet kept", WITHIN)?;
    let web = Attached::by_bridge(&stage, "web", json!({}))?;
    let other = Attached::by_bridge(&stage, "other", json!({"backend": "iptables"}))?;
    other.call().add().result()?;
    let before = without_counters(&ruleset(stage.host())?);
    web.call()
        .add()
        .error(999, &["mynet", "flags owner"])
        .or_else(|_| web.call().add().error(999, &["net/web/eth0", "flags owner"]))?;
    assert_eq!(without_counters(&ruleset(stage.host())?), before);
    assert!(!notes(&stage)?.contains("web"));
    other.call().check().done()?;
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
