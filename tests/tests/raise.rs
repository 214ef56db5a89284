//! What a network has without containers: raised with the network, there after the last container, gone when it is lowered.

use lab::{Call, Outcome, Place};
use serde_json::{Value, json};
use tests::config::with;
use tests::facts::{addresses, link, links, pings, plain};
use tests::{Allowed, Before, Stage, Test, programs};

/// The bridge and the network.
const NET: &str = "mybr0";

/// What `netctl create mybr0 --subnet 172.26.0.0/16` asks of `bridge`.
fn bridge() -> Value {
    json!({
        "type": "bridge", "bridge": NET, "isGateway": true, "ipMasq": true, "hairpinMode": true,
        "gatewayMode": "nat", "mtu": 1450,
        "ipam": {
            "type": "host-local",
            "ranges": [[{"subnet": "172.26.0.0/16", "gateway": "172.26.0.1"}], [{"subnet": "fd00:26::/64"}]],
            "routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}],
        },
        "capabilities": {"ips": true, "mac": true},
    })
}

const GATEWAYS: [&str; 2] = ["172.26.0.1/16", "fd00:26::1/64"];

/// A stage with a network of this bridge.
fn stage(name: &str, bridge: &Value) -> Result<Stage, Box<dyn std::error::Error>> {
    in_version(name, bridge, "1.1.0")
}

fn in_version(name: &str, bridge: &Value, version: &str) -> Result<Stage, Box<dyn std::error::Error>> {
    let stage = Stage::new(name)?;
    let list = json!({"cniVersion": version, "name": NET, "plugins": [
        bridge, {"type": "portmap", "capabilities": {"portMappings": true}}
    ]});
    stage.host().write_file("/etc/cni/net.d/mybr0.conflist", list.to_string())?;
    Ok(stage)
}

/// Raises, lowers or retires the network.
fn lifecycle(stage: &Stage, verb: &str) -> Outcome {
    Call::new([env!("CARGO_BIN_EXE_lifecycle"), verb, NET]).run(stage.host())
}

fn done(stage: &Stage, verb: &str) -> Result<String, Box<dyn std::error::Error>> {
    Ok(lifecycle(stage, verb).ok()?.trim().to_owned())
}

/// `netctl cni VERB mybr0 …`, of our own plugins in process.
fn cni(stage: &Stage, words: &str) -> Test {
    let call = Call::new([programs::find("netctl")?]).arg("cni");
    words.split_whitespace().fold(call, Call::arg).run(stage.host()).ok()?;
    Ok(())
}

/// The bridge's alias: whose it is.
fn alias(stage: &Stage) -> Result<String, Box<dyn std::error::Error>> {
    Ok(link(stage.host(), NET)?.get("ifalias").map(plain).unwrap_or_default())
}

/// The files of host-local, and its hints.
fn books(stage: &Stage) -> Result<String, Box<dyn std::error::Error>> {
    Ok(stage
        .host()
        .sh("ls -A /var/lib/cni/networks /run/netctl/ipam 2>/dev/null | grep -v : || true")
        .ok()?)
}

/// What the host has more or less than before, but for what stays for all networks: forwarding, and libcni's folder.
fn left(before: &Before<'_>) -> Result<Vec<String>, Box<dyn std::error::Error>> {
    let mut changes = before.changes(Allowed::Forwarding)?;
    changes.retain(|line| !line.contains("/var/lib/cni/results folder"));
    Ok(changes)
}

#[test]
fn a_raised_bridge_is_there_before_the_first_container_and_after_the_last() -> Test {
    let stage = stage("stays", &bridge())?;
    let container = stage.container("web")?;
    let before = Before::of(&stage)?;
    assert_eq!(done(&stage, "raise")?, "put back");
    let found = link(stage.host(), NET)?;
    assert_eq!((alias(&stage)?.as_str(), &found["mtu"]), ("netctl network mybr0", &json!(1450)));
    assert!(found["flags"].as_array().is_some_and(|flags| flags.contains(&json!("UP"))), "{found}");
    assert_eq!(addresses(stage.host(), NET)?, GATEWAYS);
    assert_eq!(stage.host().read_file("/proc/sys/net/ipv4/ip_forward")?, "0\n");
    assert_eq!(done(&stage, "raise")?, "as it was");

    cni(&stage, "add mybr0 web --container-id web")?;
    assert!(pings(&container, "172.26.0.1") && pings(&container, "fd00:26::1"));
    cni(&stage, "check mybr0 web --container-id web")?;
    cni(&stage, "del mybr0 web --container-id web")?;
    cni(&stage, "gc mybr0 --all")?;
    assert_eq!(link(stage.host(), NET)?["address"], found["address"]);
    assert_eq!(addresses(stage.host(), NET)?, GATEWAYS);

    assert!(books(&stage)?.contains(NET));
    assert_eq!(done(&stage, "lower")?, "lowered");
    assert_eq!(books(&stage)?.trim(), "", "the directory of leases goes, too");
    assert_eq!(left(&before)?, Vec::<String>::new());
    assert_eq!(done(&stage, "lower")?, "lowered");
    Ok(())
}

#[test]
fn dockers_words_are_raised_alike() -> Test {
    let keys = json!({"type": "bridge", "bip": "172.27.0.5/16", "fixed-cidr-v6": "fd00:27::/64"});
    let stage = stage("docker", &keys)?;
    assert_eq!(done(&stage, "raise")?, "put back");
    assert_eq!(addresses(stage.host(), NET)?, ["172.27.0.5/16", "fd00:27::1/64"]);
    let container = stage.container("web")?;
    cni(&stage, "add mybr0 web --container-id web")?;
    assert!(pings(&container, "172.27.0.5"));
    Ok(())
}

#[test]
fn a_switch_and_a_network_of_somebody_else_s_ipam_have_a_bridge_without_addresses() -> Test {
    let switch = json!({"type": "bridge", "bridge": NET});
    let foreign = with(bridge(), json!({"ipam": {"type": "whereabouts", "range": "10.5.0.0/24"}}));
    for bridge in [switch, foreign] {
        let stage = stage("bare", &bridge)?;
        assert_eq!(done(&stage, "raise")?, "put back");
        assert_eq!(
            (addresses(stage.host(), NET)?, alias(&stage)?.as_str()),
            (vec![], "netctl network mybr0")
        );
        done(&stage, "lower")?;
        assert_eq!(links(stage.host())?, ["lo"]);
    }
    Ok(())
}

#[test]
fn the_bridge_of_an_add_is_taken_over_with_its_containers() -> Test {
    let stage = stage("over", &bridge())?;
    let container = stage.container("web")?;
    cni(&stage, "add mybr0 web --container-id web")?;
    assert_eq!(alias(&stage)?, "netctl");
    assert_eq!(done(&stage, "raise")?, "put back");
    assert_eq!(alias(&stage)?, "netctl network mybr0");
    cni(&stage, "check mybr0 web --container-id web")?;
    assert!(pings(&container, "172.26.0.1"));
    assert_eq!(done(&stage, "raise")?, "as it was");
    let refused = lifecycle(&stage, "lower");
    assert_eq!(refused.code(), Some(1), "{refused}");
    assert!(refused.stdout().contains("lower network mybr0: remove bridge mybr0: veth"), "{refused}");
    assert!(pings(&container, "172.26.0.1"), "nothing was taken away");
    cni(&stage, "gc mybr0 --all")?;
    assert_eq!(alias(&stage)?, "netctl network mybr0", "GC respects the network");
    done(&stage, "lower")?;
    assert_eq!(links(stage.host())?, ["lo"]);
    Ok(())
}

#[test]
fn a_bridge_that_somebody_else_made_is_used_and_left_alone() -> Test {
    let stage = stage("foreign", &bridge())?;
    stage.host().sh("ip link add mybr0 type bridge; ip link set mybr0 alias lan").ok()?;
    assert_eq!(done(&stage, "raise")?, "put back");
    assert_eq!((alias(&stage)?.as_str(), addresses(stage.host(), NET)?.len()), ("lan", 2));
    assert_eq!(done(&stage, "raise")?, "as it was");
    done(&stage, "lower")?;
    assert_eq!(addresses(stage.host(), NET)?, GATEWAYS, "nobody knows who relies on them");
    Ok(())
}

#[test]
fn a_port_of_a_stranger_is_named_and_stays() -> Test {
    let stage = stage("port", &bridge())?;
    done(&stage, "raise")?;
    stage.host().sh("ip link add tap0 type veth peer name tap1; ip link set tap0 master mybr0").ok()?;
    let refused = lifecycle(&stage, "lower");
    assert!(refused.stdout().contains("remove bridge mybr0: tap0 is on it"), "{refused}");
    assert!(refused.stdout().contains("hint: ") && refused.stdout().contains("`ip link set tap0 nomaster`"));
    assert_eq!(addresses(stage.host(), NET)?, GATEWAYS);
    stage.host().sh("ip link set tap0 nomaster").ok()?;
    done(&stage, "lower")?;
    assert!(!links(stage.host())?.contains(&NET.to_owned()));
    Ok(())
}

#[test]
fn a_raise_that_fails_leaves_what_there_was() -> Test {
    let others =
        "ip link add mybr0 type bridge; ip link set mybr0 alias netctl; ip addr add 10.7.0.1/24 dev mybr0";
    for (made, said) in [
        (others, "give bridge mybr0 the address 172.26.0.1/16: it already has 10.7.0.1/24"),
        ("ip link add mybr0 type veth peer name other", "use mybr0 as a bridge: it is veth"),
    ] {
        let stage = stage("fails", &bridge())?;
        stage.host().sh(made).ok()?;
        let before = Before::of(&stage)?;
        let failed = lifecycle(&stage, "raise");
        assert!(failed.stdout().contains(&format!("error: raise network mybr0: {said}")), "{failed}");
        assert_eq!(before.changes(Allowed::Books)?, Vec::<String>::new());
    }
    let wrong =
        with(bridge(), json!({"ipam": {"type": "host-local", "ranges": [[{"subnet": "172.26.0.1/16"}]]}}));
    let stage = stage("wrong", &wrong)?;
    let before = Before::of(&stage)?;
    let failed = lifecycle(&stage, "raise");
    assert!(failed.stdout().contains("invalid ipam.ranges[0][0].subnet 172.26.0.1/16"), "{failed}");
    assert_eq!(before.changes(Allowed::Books)?, Vec::<String>::new());
    Ok(())
}

#[test]
fn what_somebody_took_from_a_raised_bridge_is_raised_again() -> Test {
    let stage = stage("again", &bridge())?;
    done(&stage, "raise")?;
    let mac = link(stage.host(), NET)?["address"].clone();
    for taken in ["ip link del mybr0", "ip addr flush dev mybr0", "ip link set mybr0 down"] {
        stage.host().sh(taken).ok()?;
        assert_eq!(done(&stage, "raise")?, "put back", "{taken}");
        let found = link(stage.host(), NET)?;
        assert_eq!(
            (&found["address"], addresses(stage.host(), NET)?),
            (&mac, GATEWAYS.map(str::to_owned).to_vec())
        );
        assert!(found["flags"].as_array().is_some_and(|flags| flags.contains(&json!("UP"))), "{taken}");
        assert_eq!(done(&stage, "raise")?, "as it was", "{taken}");
    }
    Ok(())
}

#[test]
fn a_bridge_with_the_gateways_of_all_ranges_serves_containers_of_each() -> Test {
    let ranges = json!([[
        {"subnet": "10.8.0.0/24", "rangeStart": "10.8.0.2", "rangeEnd": "10.8.0.2"}, {"subnet": "10.9.0.0/24"}
    ]]);
    let stage = stage("ranges", &with(bridge(), json!({"ipam": {"type": "host-local", "ranges": ranges}})))?;
    done(&stage, "raise")?;
    let both = ["10.8.0.1/24", "10.9.0.1/24"];
    for (name, gateway) in [("one", "10.8.0.1"), ("two", "10.9.0.1")] {
        let container = stage.container(name)?;
        cni(&stage, &format!("add mybr0 {name} --container-id {name}"))?;
        assert!(pings(&container, gateway));
        assert_eq!(addresses(stage.host(), NET)?, both);
    }
    Ok(())
}

#[test]
fn adds_that_come_while_the_network_is_raised_do_not_take_its_mark() -> Test {
    for round in 0..5 {
        let stage = stage("race", &bridge())?;
        let containers = stage.containers("c", 6)?;
        let config = with(bridge(), json!({"cniVersion": "1.1.0", "name": NET}));
        std::thread::scope(|scope| {
            let adds: Vec<_> = containers
                .iter()
                .map(|container| {
                    scope.spawn(|| stage.call("bridge", &config).of(container).add().result().map(drop))
                })
                .collect();
            let raised = scope.spawn(|| lifecycle(&stage, "raise").ok().map(drop));
            assert!(adds.into_iter().all(|add| add.join().is_ok_and(|added| added.is_ok())), "round {round}");
            assert!(raised.join().is_ok_and(|raised| raised.is_ok()), "round {round}");
        });
        assert_eq!(alias(&stage)?, "netctl network mybr0", "round {round}");
        assert!(containers.iter().all(|container| pings(container, "172.26.0.1")), "round {round}");
    }
    Ok(())
}

#[test]
fn a_network_is_retired_with_everything_it_has() -> Test {
    for version in ["0.4.0", "1.0.0", "1.1.0"] {
        let stage = in_version("retire", &bridge(), version)?;
        let (web, lost) = (stage.container("web")?, stage.container("lost")?);
        let before = Before::of(&stage)?;
        done(&stage, "raise")?;
        let ports = r#"{"portMappings":[{"hostPort":8080,"containerPort":80}]}"#;
        cni(&stage, &format!("add mybr0 web --container-id web --capability-args {ports}"))?;
        // One that no cache knows of: another runtime's.
        let config = with(bridge(), json!({"cniVersion": version, "name": NET}));
        stage.call("bridge", &config).of(&lost).add().result()?;
        assert_eq!(done(&stage, "retire")?, "retired", "{version}");
        assert_eq!((links(&web)?, links(&lost)?), (vec!["lo".to_owned()], vec!["lo".to_owned()]));
        assert_eq!(books(&stage)?.trim(), "", "{version}");
        let file = "gone file: /etc/cni/net.d/mybr0.conflist";
        assert!(matches!(left(&before)?.as_slice(), [gone] if gone.starts_with(file)), "{version}");
        assert!(!lifecycle(&stage, "retire").succeeded(), "there is none of that name any more");
    }
    Ok(())
}

#[test]
fn who_asks_for_it_keeps_the_host_s_forwarding_as_it_is() -> Test {
    let stage = stage("forward", &with(bridge(), json!({"ipForward": false})))?;
    let forwarding = "cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding";
    done(&stage, "raise")?;
    let _web = stage.container("web")?;
    cni(&stage, "add mybr0 web --container-id web")?;
    assert_eq!(stage.host().sh(forwarding).ok()?, "0\n0\n");
    let reloaded = Call::new([programs::find("netctl")?]).arg("reload").run(stage.host()).ok()?;
    assert_eq!(reloaded, "mybr0/web/eth0: as it was\n");
    assert_eq!(stage.host().sh(forwarding).ok()?, "0\n0\n");
    Ok(())
}
