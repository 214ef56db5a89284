//! `ctr` of containerd runs containers on a network of ours.

use lab::outcome::Outcome;
use lab::{Neighbour, Place};
use std::net::IpAddr;
use tests::clients::{Containerd, create_network, image};
use tests::{Allowed, Before, PluginFolder, Test, facts, programs};

const NETWORK: &str = "mybr0";
const SUBNET: &str = "172.26.0.0/16";

fn netctl(containerd: &Containerd, words: &[&str]) -> Result<Outcome, programs::Error> {
    let call = lab::Call::new([programs::find("netctl")?]);
    Ok(words.iter().fold(call, lab::Call::arg).run(containerd.stage().host()))
}

#[test]
fn a_container_reaches_its_gateway_and_leaves_nothing() -> Test {
    let Some(containerd) = Containerd::start("once", PluginFolder::ours()?)? else { return Ok(()) };
    create_network(containerd.stage(), NETWORK, &[SUBNET])?;
    let before = Before::of(containerd.stage())?;
    for address in ["172.26.0.2/16", "172.26.0.3/16"] {
        let script = "ip -4 addr show dev eth0; ip route; ping -c 1 -W 2 172.26.0.1";
        let said = containerd.run("once", &["--rm"], &["sh", "-ec", script]).ok()?;
        for words in [address, "default via 172.26.0.1 dev eth0", "1 packets received"] {
            assert!(said.contains(words), "{words}: {said}");
        }
        // Its only DEL comes when the namespace is gone, and does not name it.
        assert_eq!(before.changes(Allowed::Client(NETWORK))?, Vec::<String>::new());
    }
    Ok(())
}

#[test]
fn a_container_that_cannot_start_leaves_nothing() -> Test {
    let Some(containerd) = Containerd::start("broken", PluginFolder::ours()?)? else { return Ok(()) };
    let file = create_network(containerd.stage(), NETWORK, &[SUBNET])?;
    let host = containerd.stage().host();
    let before = Before::of(containerd.stage())?;
    let refused = containerd.run("broken", &["--rm"], &["no-such-program"]).refused()?;
    assert!(refused.stderr().contains("no-such-program"), "{refused}");
    assert_eq!(before.changes(Allowed::Client(NETWORK))?, Vec::<String>::new());
    // And where it is the network that fails, our reason is what `ctr` says.
    host.sh(&format!("sed -i 's/\"bridge\": *\"mybr0\"/\"bridge\":\"lo\"/' {file}")).ok()?;
    let before = Before::of(containerd.stage())?;
    let refused = containerd.run("broken", &["--rm"], &["sh", "-c", ":"]).refused()?;
    assert!(refused.stderr().contains("use lo as a bridge: it is another kind of link"), "{refused}");
    // The task, which waits for its network, is not ours to end.
    containerd.ctr(["task", "rm", "-f", "broken"]).ok()?;
    assert_eq!(before.changes(Allowed::Client(NETWORK))?, Vec::<String>::new());
    Ok(())
}

#[test]
fn a_detached_container_survives_a_flush_and_what_ctr_forgets_gc_takes() -> Test {
    let Some(containerd) = Containerd::start("detached", PluginFolder::ours()?)? else { return Ok(()) };
    let host = containerd.stage().host();
    let outside = Neighbour::of(host, "outside")?;
    create_network(containerd.stage(), NETWORK, &[SUBNET])?;
    let before = Before::of(containerd.stage())?;
    containerd.run("web", &["-d"], &image::SERVER).ok()?;
    let web: IpAddr = "172.26.0.2".parse()?;
    let pings = |to: &str| containerd.exec("web", &["ping", "-c", "1", "-W", "2", to]).succeeded();
    assert_eq!(image::who(host, web, 80)?.to_string(), "172.26.0.1");
    assert!(pings("172.26.0.1") && pings(&outside.v4().to_string()));
    // What makes the way out is gone, and comes back.
    host.run(["nft", "flush", "ruleset"]).ok()?;
    assert!(!pings(&outside.v4().to_string()));
    assert_eq!(
        netctl(&containerd, &["reload"])?.ok()?,
        "mybr0: as it was\nmybr0/default-web/eth0: put back\n"
    );
    assert!(pings(&outside.v4().to_string()));
    let port = facts::ports(host, NETWORK)?;
    assert_eq!(facts::link(host, &port[0])?["ifalias"], "mybr0/default-web/eth0");
    containerd.ctr(["task", "rm", "-f", "web"]).ok()?;
    containerd.ctr(["container", "rm", "web"]).ok()?;
    // `ctr` 1.6 calls no DEL for a container that it left alone.
    netctl(&containerd, &["cni", "gc", NETWORK, "--all"])?.ok()?;
    let left = before.changes(Allowed::Client(NETWORK))?;
    assert_eq!(left, Vec::<String>::new());
    netctl(&containerd, &["rm", NETWORK])?.ok()?;
    assert_eq!(facts::links(host)?, ["lo", "uplink"]);
    Ok(())
}
