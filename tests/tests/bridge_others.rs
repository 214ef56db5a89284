//! A bridge network on a host where something is there already.

use lab::Place;
use serde_json::json;
use tests::config::{BRIDGE, dual, v4, with};
use tests::facts::{addresses, link, links, pings, plain};
use tests::{Allowed, Before, Stage, Test};

#[test]
fn somebody_elses_bridge_is_used_and_stays() -> Test {
    let stage = Stage::new("used")?;
    let container = stage.container("web")?;
    stage
        .host()
        .sh("ip link add br0 type bridge; ip link set br0 mtu 1450; ip addr add 10.1.0.1/24 dev br0")
        .ok()?;
    stage.host().sh("ip link set br0 address 02:00:00:00:aa:01 up").ok()?;
    // With a port, so that the carrier that ours brings is not the first, and the kernel has no address to add.
    stage
        .host()
        .sh("ip link add v0 master br0 type veth peer name v1; ip link set v0 up; ip link set v1 up")
        .ok()?;
    stage.host().sh("until ip addr show dev br0 -tentative | grep -q fe80; do sleep 0.05; done").ok()?;
    let before = Before::of(&stage)?;
    let call = stage.call("bridge", &v4()).of(&container);
    let result = call.add().result()?;
    assert_eq!(result["interfaces"][0]["mac"], "02:00:00:00:aa:01");
    assert!(pings(&container, "10.1.0.1"));
    call.after(&result).del().done()?;
    assert_eq!(before.changes(Allowed::Forwarding)?, Vec::<String>::new());
    // Not even GC may take what it has not made.
    stage.call("bridge", &v4()).gc(&[]).done()?;
    assert_eq!(before.changes(Allowed::Forwarding)?, Vec::<String>::new());
    Ok(())
}

#[test]
fn a_bridge_that_is_down_is_set_up() -> Test {
    let stage = Stage::new("sleeping")?;
    let container = stage.container("web")?;
    stage.host().sh("ip link add br0 type bridge").ok()?;
    stage.call("bridge", &v4()).of(&container).add().result()?;
    assert!(pings(&container, "10.1.0.1"));
    Ok(())
}

#[test]
fn a_link_of_another_kind_is_no_bridge() -> Test {
    let stage = Stage::new("kinds")?;
    let container = stage.container("web")?;
    stage.host().sh("ip link add br0 type veth peer name br1").ok()?;
    let before = Before::of(&stage)?;
    let text = stage.call("bridge", &v4()).of(&container).add().any_error()?;
    assert!(text.contains(BRIDGE) && text.contains("bridge") && text.contains("veth"), "{text}");
    assert_eq!(before.changes(Allowed::Books)?, Vec::<String>::new());
    assert_eq!(links(&container)?, ["lo"]);
    Ok(())
}

#[test]
fn another_address_on_the_bridge_is_an_error_unless_it_may_be_replaced() -> Test {
    let stage = Stage::new("addresses")?;
    let container = stage.container("web")?;
    stage.host().sh("ip link add br0 type bridge; ip addr add 10.8.0.1/24 dev br0").ok()?;
    stage
        .host()
        .sh("ip addr add fd00:1::99/48 dev br0; ip addr add fd00:8::1/64 dev br0; ip link set br0 up")
        .ok()?;
    let before = Before::of(&stage)?;
    let text = stage.call("bridge", &dual()).of(&container).add().any_error()?;
    assert!(text.contains("10.8.0.1/24") && text.contains("forceAddress"), "{text}");
    assert_eq!(before.changes(Allowed::Books)?, Vec::<String>::new());
    let config = with(dual(), json!({"forceAddress": true}));
    stage.call("bridge", &config).of(&container).add().result()?;
    let mut now = addresses(stage.host(), BRIDGE)?;
    now.sort();
    // An IPv6 address that does not overlap is in nobody's way.
    assert_eq!(now, ["10.1.0.1/24", "fd00:1::1/64", "fd00:8::1/64"]);
    assert!(pings(&container, "10.1.0.1") && pings(&container, "fd00:1::1"));
    Ok(())
}

#[test]
fn a_failed_add_puts_a_replaced_address_back() -> Test {
    let stage = Stage::new("put-back")?;
    let container = stage.container("web")?;
    container.sh("ip link add eth0 type bridge").ok()?;
    stage
        .host()
        .sh("ip link add br0 type bridge; ip addr add 10.8.0.1/24 dev br0; ip link set br0 up")
        .ok()?;
    let before = Before::of(&stage)?;
    let config = with(v4(), json!({"forceAddress": true}));
    stage.call("bridge", &config).of(&container).add().any_error()?;
    assert_eq!(before.changes(Allowed::Books)?, Vec::<String>::new());
    Ok(())
}

#[test]
fn a_name_that_another_veth_has_is_not_overwritten() -> Test {
    let stage = Stage::new("collision")?;
    let container = stage.container("web")?;
    let call = stage.call("bridge", &v4()).of(&container);
    let result = call.add().result()?;
    let name = plain(&result["interfaces"][1]["name"]);
    call.del().done()?;
    stage.host().run(["ip", "link", "add", &name, "type", "bridge"]).ok()?;
    let result = call.add().result()?;
    let other = plain(&result["interfaces"][1]["name"]);
    assert_ne!(name, other);
    assert!(pings(&container, "10.1.0.1"));
    call.clone().after(&result).check().done()?;
    // Without memory, too: the runtime may have lost the result, and the namespace.
    container.vanish(&stage)?;
    call.without("CNI_NETNS").del().done()?;
    let links = links(stage.host())?;
    assert!(links.contains(&name) && !links.contains(&other), "{links:?}");
    Ok(())
}

#[test]
fn two_networks_share_a_bridge() -> Test {
    let stage = Stage::new("shared")?;
    let (web, db) = (stage.container("web")?, stage.container("db")?);
    let first = stage.call("bridge", &v4());
    let second = stage.call("bridge", &with(v4(), json!({"name": "second"})));
    first.clone().of(&web).add().result()?;
    // Leases of networks are kept apart, so this one would get the same address.
    let args = "IP=10.1.0.77";
    second.clone().of(&db).args(args).add().result()?;
    assert!(pings(&web, "10.1.0.77"));
    // One network's end is not the other's.
    first.gc(&[]).done()?;
    assert!(pings(&db, "10.1.0.1"));
    assert_eq!(link(stage.host(), BRIDGE)?["operstate"], "UP");
    second.gc(&[]).done()?;
    assert_eq!(links(stage.host())?, ["lo"]);
    Ok(())
}
