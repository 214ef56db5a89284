//! podman runs containers on networks of ours, and netctl attaches containers to networks of podman's.

use lab::outcome::Outcome;
use lab::{Neighbour, Place};
use serde_json::{Value, json};
use tests::clients::{Podman, create_network, image};
use tests::{Allowed, Before, PluginFolder, Test, facts, programs};

const NETWORK: &str = "mybr0";
const SUBNET: &str = "172.26.0.0/16";

#[test]
fn a_network_of_ours_is_shown_and_removed_like_podman_s_own() -> Test {
    let Some(podman) = Podman::start("shown", PluginFolder::ours()?)? else { return Ok(()) };
    let file = create_network(podman.stage(), NETWORK, &[SUBNET])?;
    assert!(
        podman.run(["network", "ls", "--format", "{{.Name}} {{.Driver}}"]).ok()?.contains("mybr0 bridge\n")
    );
    let shown = podman.inspect(NETWORK)?;
    assert_eq!((&shown["driver"], &shown["network_interface"]), (&json!("bridge"), &json!(NETWORK)));
    assert_eq!(shown["subnets"], json!([{"subnet": SUBNET, "gateway": "172.26.0.1"}]));
    assert_eq!((&shown["labels"], &shown["internal"]), (&json!({"tier": "web"}), &json!(false)));
    // It keeps its own apart from ours.
    let refused = podman.run(["network", "create", "--subnet", "172.26.9.0/24", "overlapping"]).refused()?;
    assert!(refused.stderr().contains("172.26.9.0/24"), "{refused}");
    podman.serve("web", &["--network", NETWORK]).ok()?;
    let refused = podman.run(["network", "rm", NETWORK]).refused()?;
    assert!(refused.stderr().contains("being used"), "{refused}");
    podman.run(["rm", "-f", "-t", "0", "web"]).ok()?;
    podman.run(["network", "rm", NETWORK]).ok()?;
    assert!(!podman.stage().host().run(["ls", &file]).succeeded());
    assert_eq!(facts::links(podman.stage().host())?, ["lo"]);
    Ok(())
}

#[test]
fn a_container_gets_an_address_and_its_published_port_answers_everybody() -> Test {
    let Some(podman) = Podman::start("published", PluginFolder::ours()?)? else { return Ok(()) };
    let host = podman.stage().host();
    let outside = Neighbour::of(host, "outside")?;
    outside.learn(SUBNET)?;
    create_network(podman.stage(), NETWORK, &[SUBNET])?;
    let before = Before::of(podman.stage())?;
    podman.serve("web", &["--network", NETWORK, "-p", "8080:80"]).ok()?;
    for _ in 0..2 {
        let address = podman.address("web", NETWORK)?;
        let web = podman.namespace("web")?;
        assert_eq!(facts::addresses(&web, "eth0")?, [format!("{address}/16")]);
        assert_eq!(facts::routes(&web)?[0], "default via 172.26.0.1 dev eth0");
        // Whoever asks is seen as himself where he can be answered.
        assert_eq!(image::who(&outside, outside.host_v4(), 8080)?, outside.v4());
        assert_eq!(image::who(host, "127.0.0.1".parse()?, 8080)?.to_string(), "172.26.0.1");
        assert_eq!(image::who(&web, outside.host_v4(), 8080)?.to_string(), "172.26.0.1");
        // The mode of the network is `nat`: only what is published can be reached.
        assert!(image::is_silent(&outside, address, 80));
        assert!(facts::pings(&web, &outside.v4().to_string()));
        podman.run(["stop", "-t", "0", "web"]).ok()?;
        let allowed = Allowed::Client(NETWORK);
        assert_eq!(before.changes(allowed)?, Vec::<String>::new());
        podman.run(["start", "web"]).ok()?;
    }
    podman.run(["rm", "-f", "-t", "0", "web"]).ok()?;
    assert_eq!(before.changes(Allowed::Client(NETWORK))?, Vec::<String>::new());
    Ok(())
}

#[test]
fn addresses_are_those_that_were_asked_for() -> Test {
    let Some(podman) = Podman::start("asked", PluginFolder::ours()?)? else { return Ok(()) };
    create_network(podman.stage(), NETWORK, &[SUBNET])?;
    let before = Before::of(podman.stage())?;
    let mac = "02:00:00:00:00:77";
    podman.serve("web", &["--network", NETWORK, "--ip", "172.26.5.5", "--mac-address", mac]).ok()?;
    let web = podman.namespace("web")?;
    assert_eq!(podman.address("web", NETWORK)?.to_string(), "172.26.5.5");
    assert_eq!(facts::addresses(&web, "eth0")?, ["172.26.5.5/16"]);
    assert_eq!(facts::link(&web, "eth0")?["address"], mac);
    // Words of the long form.
    podman.serve("db", &["--network", "mybr0:ip=172.26.5.6,mac=02:00:00:00:00:78"]).ok()?;
    let db = podman.namespace("db")?;
    assert_eq!(facts::addresses(&db, "eth0")?, ["172.26.5.6/16"]);
    assert_eq!(facts::link(&db, "eth0")?["address"], "02:00:00:00:00:78");
    assert_eq!(image::who(&db, "172.26.5.5".parse()?, 80)?.to_string(), "172.26.5.6");
    // What cannot be had is refused with our reason, which podman shows.
    for (address, words) in [("172.26.5.5", "has it"), ("172.26.0.1", "gateway")] {
        let refused = podman.serve("late", &["--network", NETWORK, "--ip", address]).refused()?;
        assert!(refused.stderr().contains(address) && refused.stderr().contains(words), "{refused}");
        podman.run(["rm", "-f", "late"]).ok()?;
    }
    podman.run(["rm", "-f", "-t", "0", "web", "db"]).ok()?;
    assert_eq!(before.changes(Allowed::Client(NETWORK))?, Vec::<String>::new());
    Ok(())
}

#[test]
fn both_families_are_had_and_published() -> Test {
    let Some(podman) = Podman::start("dual", PluginFolder::ours()?)? else { return Ok(()) };
    let host = podman.stage().host();
    let outside = Neighbour::of(host, "outside")?;
    create_network(podman.stage(), NETWORK, &[SUBNET, "fd26::/64"])?;
    let before = Before::of(podman.stage())?;
    let addresses = ["--ip", "172.26.5.5", "--ip6", "fd26::55"];
    podman.serve("web", &[&["--network", NETWORK, "-p", "8080:80"], &addresses[..]].concat()).ok()?;
    let web = podman.namespace("web")?;
    assert_eq!(facts::addresses(&web, "eth0")?, ["172.26.5.5/16", "fd26::55/64"]);
    assert_eq!(image::who(&outside, outside.host_v4(), 8080)?, outside.v4());
    assert_eq!(image::who(&outside, outside.host_v6(), 8080)?, outside.v6());
    podman.run(["rm", "-f", "-t", "0", "web"]).ok()?;
    assert_eq!(before.changes(Allowed::Client(NETWORK))?, Vec::<String>::new());
    Ok(())
}

#[test]
fn what_somebody_flushed_comes_back_by_reload() -> Test {
    let Some(podman) = Podman::start("flushed", PluginFolder::ours()?)? else { return Ok(()) };
    let host = podman.stage().host();
    let outside = Neighbour::of(host, "outside")?;
    create_network(podman.stage(), NETWORK, &[SUBNET])?;
    podman.serve("web", &["--network", NETWORK, "-p", "8080:80"]).ok()?;
    let web = podman.namespace("web")?;
    host.run(["nft", "flush", "ruleset"]).ok()?;
    assert!(image::is_silent(&outside, outside.host_v4(), 8080));
    let said = netctl(&podman, &["reload"])?.ok()?;
    assert!(said.starts_with("mybr0: as it was\nmybr0/") && said.ends_with("/eth0: put back\n"), "{said}");
    assert_eq!(image::who(&outside, outside.host_v4(), 8080)?, outside.v4());
    assert!(facts::pings(&web, &outside.v4().to_string()));
    // podman's own way: DEL and ADD.
    host.run(["nft", "flush", "ruleset"]).ok()?;
    podman.run(["network", "reload", "web"]).ok()?;
    assert_eq!(image::who(&outside, outside.host_v4(), 8080)?, outside.v4());
    assert!(facts::pings(&web, &outside.v4().to_string()));
    Ok(())
}

#[test]
fn a_container_is_on_two_networks_at_once_and_they_come_and_go() -> Test {
    let Some(podman) = Podman::start("two", PluginFolder::ours()?)? else { return Ok(()) };
    let host = podman.stage().host();
    let outside = Neighbour::of(host, "outside")?;
    create_network(podman.stage(), NETWORK, &[SUBNET])?;
    create_network(podman.stage(), "mybr1", &["172.27.1.0/24"])?;
    // The bridges are there to stay, and with them what a published port needs of them.
    for network in [NETWORK, "mybr1"] {
        podman
            .run(["run", "--rm", "--network", network, "-p", "8080:80", image::NAME, "sh", "-c", ":"])
            .ok()?;
    }
    let before = Before::of(podman.stage())?;
    podman.serve("both", &["--network", "mybr0,mybr1", "-p", "8080:80"]).ok()?;
    podman.serve("one", &["--network", "mybr1"]).ok()?;
    let (both, one) = (podman.namespace("both")?, podman.namespace("one")?);
    // In an order that differs from time to time, for podman attaches in any.
    let mut links = facts::links(&both)?;
    links.sort();
    assert_eq!(links, ["eth0", "eth1", "lo"]);
    assert_eq!(image::who(&one, podman.address("both", "mybr1")?, 80)?, podman.address("one", "mybr1")?);
    // podman calls the chain of each network with the same ports, in an order that differs from time to time.
    assert_eq!(image::who(&outside, outside.host_v4(), 8080)?, outside.v4());
    podman.run(["network", "connect", NETWORK, "one"]).ok()?;
    assert_eq!(facts::links(&one)?, ["lo", "eth0", "eth1"]);
    assert_eq!(image::who(&one, podman.address("both", NETWORK)?, 80)?, podman.address("one", NETWORK)?);
    podman.run(["network", "disconnect", NETWORK, "both"]).ok()?;
    assert_eq!(facts::links(&both)?.len(), 2);
    // Did the port go with that network, it comes back on the other.
    netctl(&podman, &["reload"])?.ok()?;
    assert_eq!(image::who(&outside, outside.host_v4(), 8080)?, outside.v4());
    podman.run(["network", "connect", NETWORK, "both"]).ok()?;
    assert_eq!(facts::links(&both)?.len(), 3);
    assert_eq!(image::who(&outside, outside.host_v4(), 8080)?, outside.v4());
    podman.run(["rm", "-f", "-t", "0", "one", "both"]).ok()?;
    assert_eq!(before.changes(Allowed::Books)?, Vec::<String>::new());
    Ok(())
}

#[test]
fn a_network_of_podman_s_is_listed_inspected_and_joined_and_its_containers_join_ours() -> Test {
    if programs::reference("tuning").is_none() {
        return Ok(());
    }
    let plugins = PluginFolder::ours()?;
    plugins.reference("tuning")?;
    let Some(podman) = Podman::start("joined", plugins)? else { return Ok(()) };
    let stage = podman.stage();
    create_network(stage, NETWORK, &[SUBNET])?;
    podman.run(["network", "create", "--subnet", "10.99.0.0/24", "--label", "team=net", "podnet"]).ok()?;
    // Neither takes what is the other's.
    let refused = netctl(&podman, &["create", "late", "--subnet", "10.99.0.128/25"])?.refused()?;
    assert!(refused.stderr().contains("overlaps network podnet (10.99.0.0/24)"), "{refused}");
    podman.serve("web", &["--network", "podnet", "-p", "8080:80"]).ok()?;
    let blue = stage.container("blue")?;
    netctl(&podman, &["connect", "podnet", "blue", "--ip", "10.99.0.77"])?.ok()?;
    let listed = netctl(&podman, &["ls", "-o", "json", "--filter", "label=team"])?.ok()?;
    let listed: Value = serde_json::from_str(&listed)?;
    assert_eq!((&listed[0]["Name"], &listed[0]["Containers"]), (&json!("podnet"), &json!(2)));
    let inspected: Value = serde_json::from_str(&netctl(&podman, &["inspect", "podnet"])?.ok()?)?;
    let containers = inspected[0]["Containers"].as_object().ok_or("no containers")?;
    let named = |name: &str| containers.values().find(|container| container["Name"] == name).cloned();
    let of_web = podman.address("web", "podnet")?;
    let web = named("web").ok_or("podman's container is not there")?;
    assert_eq!(web["IPv4Address"], format!("{of_web}/24"));
    assert_eq!(web["Ports"]["80/tcp"][0]["HostPort"], "8080");
    assert_eq!(named("blue").ok_or("ours is not there")?["IPv4Address"], "10.99.0.77/24");
    assert_eq!(image::who(&blue, of_web, 80)?.to_string(), "10.99.0.77");
    // A container of podman's, by the name that podman gave it, on a network of ours.
    netctl(&podman, &["connect", NETWORK, "web"])?.ok()?;
    let inside = podman.namespace("web")?;
    assert_eq!(facts::addresses(&inside, "eth1")?, ["172.26.0.2/16"]);
    assert_eq!(facts::routes(&inside)?[0], "default via 10.99.0.1 dev eth0");
    netctl(&podman, &["disconnect", NETWORK, "web"])?.ok()?;
    assert_eq!(facts::links(&inside)?, ["lo", "eth0"]);
    let refused = netctl(&podman, &["rm", "podnet"])?.refused()?;
    assert!(refused.stderr().contains("in use by") && refused.stderr().contains("web (eth0"), "{refused}");
    netctl(&podman, &["disconnect", "podnet", "blue"])?.ok()?;
    podman.run(["rm", "-f", "-t", "0", "web"]).ok()?;
    netctl(&podman, &["rm", "podnet", NETWORK])?.ok()?;
    assert_eq!(facts::links(stage.host())?, ["lo"]);
    Ok(())
}

/// What podman 4.3 wrote for `podman network create --subnet 10.99.0.0/24 podnet`.
fn podnet() -> Value {
    json!({
        "cniVersion": "0.4.0",
        "name": "podnet",
        "plugins": [
            {
                "type": "bridge",
                "bridge": "cni-podman1",
                "isGateway": true,
                "ipMasq": true,
                "hairpinMode": true,
                "ipam": {
                    "type": "host-local",
                    "routes": [{"dst": "0.0.0.0/0"}],
                    "ranges": [[{"subnet": "10.99.0.0/24", "gateway": "10.99.0.1"}]],
                },
                "capabilities": {"ips": true},
            },
            {"type": "portmap", "capabilities": {"portMappings": true}},
            {"type": "firewall", "backend": ""},
            {"type": "tuning"},
        ],
    })
}

fn netctl(podman: &Podman, words: &[&str]) -> Result<Outcome, programs::Error> {
    let call = lab::Call::new([programs::find("netctl")?]);
    Ok(words.iter().fold(call, lab::Call::arg).run(podman.stage().host()))
}

#[test]
fn netctl_attaches_a_namespace_to_a_network_of_podman_s() -> Test {
    // Not among ours, so podman finds the reference's in our folder, and netctl by itself.
    if programs::reference("tuning").is_none() {
        return Ok(());
    }
    let plugins = PluginFolder::ours()?;
    plugins.reference("tuning")?;
    let Some(podman) = Podman::start("theirs", plugins)? else { return Ok(()) };
    let stage = podman.stage();
    let file = podman.run(["network", "create", "--subnet", "10.99.0.0/24", "podnet"]).ok()?;
    assert_eq!(file, "podnet\n");
    let written = stage.host().read_file("/etc/cni/net.d/podnet.conflist")?;
    assert_eq!(serde_json::from_str::<Value>(&written)?, podnet());
    podman.serve("web", &["--network", "podnet", "-p", "8080:80"]).ok()?;
    let (web, blue) = (podman.namespace("web")?, stage.container("blue")?);
    let before = Before::of(stage)?;
    let result: Value = serde_json::from_str(&netctl(&podman, &["cni", "add", "podnet", "blue"])?.ok()?)?;
    assert_eq!(result["ips"][0]["address"], "10.99.0.3/24");
    assert_eq!(facts::addresses(&blue, "eth0")?, ["10.99.0.3/24"]);
    let of_web = podman.address("web", "podnet")?;
    assert_eq!(image::who(&blue, of_web, 80)?.to_string(), "10.99.0.3");
    // By the published port, too.
    image::who(&blue, "10.99.0.1".parse()?, 8080)?;
    assert!(facts::pings(&web, "10.99.0.3"));
    netctl(&podman, &["cni", "check", "podnet", "blue"])?.ok()?;
    netctl(&podman, &["cni", "del", "podnet", "blue"])?.ok()?;
    assert_eq!(before.changes(Allowed::Books)?, Vec::<String>::new());
    // podman's own is as it was.
    assert_eq!(image::who(stage.host(), of_web, 80)?.to_string(), "10.99.0.1");
    podman.run(["rm", "-f", "-t", "0", "web"]).ok()?;
    podman.run(["network", "rm", "podnet"]).ok()?;
    assert_eq!(facts::links(stage.host())?, ["lo"]);
    Ok(())
}
