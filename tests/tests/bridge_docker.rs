//! Docker's words for a bridge network.

use lab::Neighbour;
use lab::traffic::{Transport, ask, serve};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::time::Duration;
use tests::config::{v4, with};
use tests::facts::{addresses, links, pings, routes};
use tests::{Allowed, Before, Stage, Test};

fn network(keys: Value) -> Value {
    with(json!({"cniVersion": "1.1.0", "name": "mybr0", "type": "bridge"}), keys)
}

#[test]
fn bip_alone_is_a_complete_configuration() -> Test {
    let stage = Stage::new("bip")?;
    let outside = Neighbour::of(stage.host(), "outside")?;
    let config = r#"{"cniVersion":"1.1.0","name":"mybr0","type":"bridge","bip":"192.168.1.5/24"}"#;
    let containers = stage.containers("c", 5)?;
    let mut given = Vec::new();
    for container in &containers {
        let call = stage.call("bridge", &Value::Null).stdin(config).of(container);
        let result = call.add().result()?;
        assert_eq!(result["interfaces"][0]["name"], "mybr0");
        assert_eq!(result["ips"][0]["gateway"], "192.168.1.5");
        given.extend(addresses(container, "eth0")?);
        call.after(&result).check().done()?;
    }
    let expected = [1, 2, 3, 4, 6].map(|number| format!("192.168.1.{number}/24"));
    assert_eq!(given, expected, "the rest of the network, without the bridge's address");
    assert_eq!(addresses(stage.host(), "mybr0")?, ["192.168.1.5/24"]);
    assert!(routes(&containers[0])?.contains(&"default via 192.168.1.5 dev eth0".to_owned()));
    assert!(pings(&containers[0], "192.168.1.6") && pings(&containers[0], "192.168.1.5"));
    // Docker's networks are masqueraded.
    let server = SocketAddr::new(outside.v4(), 7000);
    let _server = serve(&outside, Transport::Udp, server)?;
    assert_eq!(ask(&containers[0], Transport::Udp, server, Duration::from_secs(5))?.ip(), outside.host_v4());
    Ok(())
}

#[test]
fn dockers_words_leave_nothing_behind_either() -> Test {
    let stage = Stage::new("nothing")?;
    let container = stage.container("web")?;
    let before = Before::of(&stage)?;
    let config = network(json!({"bip": "192.168.1.5/24", "fixed-cidr-v6": "fd00:5::/64"}));
    let call = stage.call("bridge", &config).of(&container);
    call.add().result()?;
    call.del().done()?;
    assert_eq!(before.changes(Allowed::Network("mybr0"))?, Vec::<String>::new());
    stage.call("bridge", &config).gc(&[]).done()?;
    assert_eq!(before.changes(Allowed::Forwarding)?, Vec::<String>::new());
    Ok(())
}

#[test]
fn fixed_cidr_narrows_what_containers_get() -> Test {
    let stage = Stage::new("narrow")?;
    let config = network(json!({"bip": "192.168.1.5/24", "fixed-cidr": "192.168.1.128/30"}));
    let mut given = Vec::new();
    for container in stage.containers("c", 4)? {
        stage.call("bridge", &config).of(&container).add().result()?;
        given.extend(addresses(&container, "eth0")?);
    }
    assert_eq!(given, [128, 129, 130, 131].map(|number| format!("192.168.1.{number}/24")));
    let late = stage.container("late")?;
    stage.call("bridge", &config).of(&late).add().error(11, &["192.168.1.128"])?;
    Ok(())
}

#[test]
fn default_gateway_is_the_containers_router_instead_of_the_bridge() -> Test {
    let stage = Stage::new("router")?;
    let containers = stage.containers("c", 2)?;
    let config = network(json!({"bip": "192.168.1.1/24", "default-gateway": "192.168.1.2"}));
    for container in &containers {
        stage.call("bridge", &config).of(container).add().result()?;
    }
    assert_eq!(addresses(&containers[0], "eth0")?, ["192.168.1.3/24"]);
    assert_eq!(addresses(stage.host(), "mybr0")?, ["192.168.1.1/24"]);
    assert!(routes(&containers[0])?.contains(&"default via 192.168.1.2 dev eth0".to_owned()));
    Ok(())
}

#[test]
fn ipv6_is_a_network_beside_it() -> Test {
    let stage = Stage::new("beside")?;
    let container = stage.container("web")?;
    let keys =
        json!({"bip": "192.168.1.5/24", "fixed-cidr-v6": "fd00:5::/64", "default-gateway-v6": "fd00:5::99"});
    stage.call("bridge", &network(keys)).of(&container).add().result()?;
    let mut bridge = addresses(stage.host(), "mybr0")?;
    bridge.sort();
    assert_eq!(bridge, ["192.168.1.5/24", "fd00:5::1/64"]);
    assert_eq!(addresses(&container, "eth0")?, ["192.168.1.1/24", "fd00:5::2/64"]);
    let routes = routes(&container)?;
    assert!(routes.iter().any(|route| route.starts_with("default via fd00:5::99")), "{routes:?}");
    assert!(pings(&container, "fd00:5::1"));
    Ok(())
}

#[test]
fn the_other_words_of_docker_work_beside_them() -> Test {
    let stage = Stage::new("words")?;
    let container = stage.container("web")?;
    let keys = json!({"bip": "192.168.1.5/24", "mtu": 1400, "dns": ["192.0.2.1", "192.0.2.2"], "ipMasq": false, "bridge": "docker7"});
    let result = stage.call("bridge", &network(keys)).of(&container).add().result()?;
    assert_eq!(result["dns"], json!({"nameservers": ["192.0.2.1", "192.0.2.2"]}));
    assert_eq!(result["interfaces"][0]["name"], "docker7");
    assert_eq!(tests::facts::link(&container, "eth0")?["mtu"], 1400);
    assert_eq!(tests::facts::ruleset(stage.host())?, "");
    Ok(())
}

#[test]
fn what_cannot_work_is_named_with_its_value_and_touches_nothing() -> Test {
    let stage = Stage::new("wrong")?;
    let container = stage.container("web")?;
    let before = Before::of(&stage)?;
    let cases: [(Value, &[&str]); 11] = [
        (json!({"bip": "192.168.1.5"}), &["bip", "192.168.1.5"]),
        (json!({"bip": "192.168.1.0/24"}), &["bip", "192.168.1.0/24"]),
        (json!({"bip": "192.168.1.255/24"}), &["bip", "192.168.1.255/24"]),
        (json!({"bip": "192.168.1.5/31"}), &["bip", "192.168.1.5/31"]),
        (json!({"bip": "fd00::1/64"}), &["bip", "fd00::1/64", "fixed-cidr-v6"]),
        (
            json!({"bip": "192.168.1.5/24", "fixed-cidr": "10.20.0.0/16"}),
            &["fixed-cidr", "10.20.0.0/16", "192.168.1.0/24"],
        ),
        (
            json!({"bip": "192.168.1.5/24", "fixed-cidr": "192.168.0.0/16"}),
            &["fixed-cidr", "192.168.0.0/16", "192.168.1.0/24"],
        ),
        (
            json!({"bip": "192.168.1.5/24", "default-gateway": "10.20.0.1"}),
            &["default-gateway", "10.20.0.1", "192.168.1.0/24"],
        ),
        (json!({"default-gateway": "10.20.0.1"}), &["default-gateway", "bip"]),
        (json!({"bip": "192.168.1.5/24", "fixed-cidr-v6": "10.0.0.0/8"}), &["fixed-cidr-v6", "10.0.0.0/8"]),
        (json!({"bip": "192.168.1.5/24", "ipam": v4()["ipam"]}), &["bip", "ipam"]),
    ];
    for (keys, words) in cases {
        stage.call("bridge", &network(keys)).of(&container).add().error(7, words)?;
    }
    assert_eq!(links(&container)?, ["lo"]);
    assert_eq!(before.changes(Allowed::Books)?, Vec::<String>::new());
    Ok(())
}
