//! CHECK finds what is not as ADD made it, and says what.

use lab::Place;
use serde_json::{Value, json};
use tests::config::{dual, with};
use tests::{Container, Stage, Test};

/// What is done to the attachment, where, and what CHECK has to say about it.
struct Damage {
    /// A script; `$PORT` is the host's end.
    script: &'static str,
    inside: bool,
    words: &'static [&'static str],
}

const DAMAGES: [Damage; 18] = [
    Damage { script: "ip addr del 10.1.0.2/24 dev eth0", inside: true, words: &["10.1.0.2"] },
    Damage { script: "ip addr del fd00:1::2/64 dev eth0", inside: true, words: &["fd00:1::2"] },
    Damage {
        script: "ip addr del 10.1.0.2/24 dev eth0; ip addr add 10.1.0.2/16 dev eth0",
        inside: true,
        words: &["10.1.0.2"],
    },
    Damage { script: "ip route del default", inside: true, words: &["0.0.0.0/0"] },
    Damage { script: "ip -6 route del default", inside: true, words: &["::/0"] },
    Damage { script: "ip route del 10.20.0.0/16", inside: true, words: &["10.20.0.0/16"] },
    Damage { script: "ip route replace 10.20.0.0/16 via 10.1.0.99", inside: true, words: &["10.20.0.0/16"] },
    Damage { script: "ip link set eth0 address 02:00:00:00:00:99", inside: true, words: &["eth0"] },
    Damage {
        script: "ip link set eth0 down; ip link set eth0 name eth9; ip link set eth9 up",
        inside: true,
        words: &["eth0"],
    },
    Damage { script: "ip link set $PORT nomaster", inside: false, words: &["br0"] },
    Damage { script: "ip link delete $PORT", inside: false, words: &["eth0"] },
    Damage { script: "ip link set br0 address 02:00:00:00:00:77", inside: false, words: &["br0"] },
    Damage { script: "ip link delete br0", inside: false, words: &["br0", "gone"] },
    Damage { script: "ip link set br0 down", inside: false, words: &["br0", "down"] },
    Damage { script: "ip addr del 10.1.0.1/24 dev br0", inside: false, words: &["br0", "10.1.0.1/24"] },
    Damage { script: "ip addr del fd00:1::1/64 dev br0", inside: false, words: &["br0", "fd00:1::1/64"] },
    Damage { script: "rm /var/lib/cni/networks/net/10.1.0.2", inside: false, words: &["10.1.0.2"] },
    Damage { script: "nft flush ruleset", inside: false, words: &["masquerade"] },
];

fn config() -> Value {
    let mut config = with(dual(), json!({"ipMasq": true}));
    config["ipam"]["routes"] =
        json!([{"dst": "0.0.0.0/0"}, {"dst": "::/0"}, {"dst": "10.20.0.0/16", "gw": "10.1.0.20"}]);
    config
}

fn damage(stage: &Stage, container: &Container, damage: &Damage, result: &Value) -> Test {
    let port = tests::facts::plain(&result["interfaces"][1]["name"]);
    let script = format!("PORT={port}; {}", damage.script);
    if damage.inside {
        container.sh(&script).ok()?
    } else {
        stage.host().sh(&script).ok()?
    };
    Ok(())
}

#[test]
fn each_damage_is_found_and_named() -> Test {
    for kind in &DAMAGES {
        let stage = Stage::new("damaged")?;
        let container = stage.container("web")?;
        let call = stage.call("bridge", &config()).of(&container);
        let result = call.add().result()?;
        let call = call.after(&result);
        call.check().done()?;
        damage(&stage, &container, kind, &result)?;
        let text = call.check().any_error()?;
        assert!(kind.words.iter().all(|word| text.contains(word)), "{}: {text}", kind.script);
        // However it was damaged, it can be taken away.
        call.del().done()?;
        assert_eq!(stage.host().sh("ip -o link | grep -c veth || true").ok()?, "0\n", "{}", kind.script);
    }
    Ok(())
}

#[test]
fn check_changes_nothing() -> Test {
    let stage = Stage::new("looking")?;
    let container = stage.container("web")?;
    let call = stage.call("bridge", &config()).of(&container);
    let result = call.add().result()?;
    let before = tests::Before::of(&stage)?;
    call.after(&result).check().done()?;
    assert_eq!(before.changes(tests::Allowed::Books)?, Vec::<String>::new());
    Ok(())
}

#[test]
fn check_wants_the_result_of_add() -> Test {
    let stage = Stage::new("unfounded")?;
    let container = stage.container("web")?;
    let call = stage.call("bridge", &config()).of(&container);
    let result = call.add().result()?;
    call.check().error(7, &["prevResult"])?;
    let mut foreign = result.clone();
    foreign["interfaces"] = json!([{"name": "br0"}]);
    call.clone().after(&foreign).check().any_error()?;
    call.clone().after(&json!({"cniVersion": "9.9.9"})).check().error(1, &["9.9.9"])?;
    call.after(&json!({"cniVersion": "1.1.0", "ips": [{"address": "x"}]}))
        .check()
        .error(6, &["ips[0].address"])?;
    Ok(())
}

#[test]
fn what_later_plugins_add_does_not_disturb() -> Test {
    let stage = Stage::new("chained")?;
    let container = stage.container("web")?;
    let call = stage.call("bridge", &config()).of(&container);
    let mut result = call.add().result()?;
    // As bandwidth and tuning leave it behind.
    if let Some(interfaces) = result["interfaces"].as_array_mut() {
        interfaces.push(json!({"name": "bwp0123456789ab", "mac": "02:00:00:00:00:01"}));
    }
    container.sh("ip addr add 10.77.0.1/24 dev eth0; ip route add 10.78.0.0/16 dev eth0").ok()?;
    call.after(&result).check().done()?;
    Ok(())
}
