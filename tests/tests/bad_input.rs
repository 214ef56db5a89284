//! Each malformed field gets its error, with its path and its value, and nothing is touched.

use serde_json::{Value, json};
use tests::config::{self, with};
use tests::{Allowed, Before, Stage, Surprise, Test};

/// A field, what stands in it, the code, and what the message has to say beside the value.
type Case = (&'static str, Value, u64, &'static [&'static str]);

/// Puts a value at a path such as `ipam.ranges[0][0].subnet`.
fn put(config: &mut Value, path: &str, value: Value) {
    let pointer = path.replace("][", "/").replace('[', "/").replace(']', "").replace('.', "/");
    let (parent, key) =
        pointer.rsplit_once('/').map_or(("", pointer.as_str()), |(parent, key)| (parent, key));
    let mut at = config;
    for step in parent.split('/').filter(|step| !step.is_empty()) {
        at = match step.parse::<usize>() {
            Ok(index) => &mut at[index],
            Err(_) => &mut at[step],
        };
    }
    match key.parse::<usize>() {
        Ok(index) => at[index] = value,
        Err(_) => at[key] = value,
    }
}

/// Every field of a configuration that is wrong in turn.
fn refuses(plugin: &str, config: &Value, cases: Vec<Case>) -> Test {
    let stage = Stage::new("bad")?;
    let container = stage.container("web")?;
    let before = Before::of(&stage)?;
    for (path, value, code, words) in cases {
        let mut config = config.clone();
        put(&mut config, path, value.clone());
        let answer = stage.call(plugin, &config).of(&container).add();
        let text = match answer.error(code, words) {
            Ok(text) => text,
            Err(error) => return Err(Surprise::new(format!("{path} = {value}"), error).into()),
        };
        assert!(text.contains(path), "{path} = {value}: {text}");
        if let Some(shown) = shown(&value) {
            assert!(text.contains(&shown), "{path} = {value}: {text}");
        }
        assert_eq!(tests::facts::links(&container)?, ["lo"], "{path} = {value}");
    }
    assert_eq!(before.changes(Allowed::Books)?, Vec::<String>::new());
    Ok(())
}

/// The part of a value that a message must show; lists and objects are left to their fields.
fn shown(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[test]
fn of_a_bridge() -> Test {
    let cases: Vec<Case> = vec![
        ("bridge", json!("a/b"), 7, &[]),
        ("bridge", json!("sixteen-letters-"), 7, &["15"]),
        ("bridge", json!("a b"), 7, &[]),
        ("bridge", json!(".."), 7, &[]),
        ("bridge", json!(7), 6, &[]),
        ("isGateway", json!("yes"), 6, &["boolean"]),
        ("isDefaultGateway", json!(1), 6, &["boolean"]),
        ("forceAddress", json!("true"), 6, &["boolean"]),
        ("ipMasq", json!("yes"), 6, &["boolean"]),
        ("ipMasqBackend", json!("ebtables"), 7, &["nftables", "iptables"]),
        ("mtu", json!(-1), 7, &[]),
        ("mtu", json!(67), 7, &["68"]),
        ("mtu", json!(65_536), 7, &["65535"]),
        ("mtu", json!("1500"), 6, &[]),
        ("mtu", json!(1500.5), 6, &[]),
        ("hairpinMode", json!(2), 6, &["boolean"]),
        ("promiscMode", json!([]), 6, &["boolean"]),
        ("vlan", json!(-1), 7, &["4094"]),
        ("vlan", json!(4095), 7, &["4094"]),
        ("vlan", json!("100"), 6, &[]),
        ("vlanTrunk", json!({}), 6, &[]),
        ("vlanTrunk[0].id", json!(0), 7, &["4094"]),
        ("vlanTrunk[0].id", json!(4095), 7, &["4094"]),
        ("vlanTrunk[0].id", json!("9"), 6, &[]),
        ("preserveDefaultVlan", json!("no"), 6, &["boolean"]),
        ("macspoofchk", json!("no"), 6, &["boolean"]),
        ("disableContainerInterface", json!(0), 6, &["boolean"]),
        ("portIsolation", json!("x"), 6, &["boolean"]),
        ("enabledad", json!("x"), 6, &["boolean"]),
        ("runtimeConfig.mac", json!("02:00:00"), 7, &[]),
        ("runtimeConfig.mac", json!("zz:00:00:00:00:01"), 7, &[]),
        ("runtimeConfig.mac", json!("01:00:00:00:00:01"), 7, &["unicast"]),
        ("runtimeConfig.mac", json!(7), 6, &[]),
        ("args.cni.mac", json!("nonsense"), 7, &[]),
        ("runtimeConfig", json!("x"), 6, &[]),
        ("dns", json!("192.0.2.1"), 6, &[]),
        ("dns", json!({"nameservers": "192.0.2.1"}), 6, &["dns.nameservers"]),
        ("ipam", json!("host-local"), 6, &[]),
        ("ipam.type", json!(7), 6, &[]),
        ("ipam.type", json!("no-such-plugin"), 7, &[]),
        ("ipam.type", json!("../bridge"), 7, &[]),
    ];
    // Keys that are objects or lists must be there for a path to lead into them.
    let more = json!({"runtimeConfig": {}, "args": {"cni": {}}, "vlanTrunk": [{}]});
    let cases = cases.into_iter().map(|(path, value, code, words)| match path {
        // The delegate is named as what it is.
        "ipam.type" if code == 7 => ("", value, code, words),
        _ => (path, value, code, words),
    });
    let (delegates, keys): (Vec<Case>, Vec<Case>) = cases.partition(|(path, ..)| path.is_empty());
    refuses("bridge", &with(config::v4(), more), keys)?;
    for (_, kind, code, _) in delegates {
        let stage = Stage::new("delegate")?;
        let container = stage.container("web")?;
        let config = with(config::v4(), json!({"ipam": {"type": kind}}));
        stage
            .call("bridge", &config)
            .of(&container)
            .add()
            .error(code, &[kind.as_str().unwrap_or_default()])?;
    }
    Ok(())
}

#[test]
fn of_trunks() -> Test {
    let stage = Stage::new("trunks")?;
    let container = stage.container("web")?;
    let before = Before::of(&stage)?;
    let cases = [
        (json!({"minID": 10}), "vlanTrunk[1]"),
        (json!({"maxID": 10}), "vlanTrunk[1]"),
        (json!({"minID": 20, "maxID": 10}), "vlanTrunk[1]"),
        (json!({"minID": 0, "maxID": 10}), "vlanTrunk[1].minID"),
        (json!({"minID": 1, "maxID": 4095}), "vlanTrunk[1].maxID"),
    ];
    for (item, word) in cases {
        let config = with(config::v4(), json!({"vlanTrunk": [{"id": 5}, item]}));
        stage.call("bridge", &config).of(&container).add().error(7, &[word])?;
    }
    assert_eq!(before.changes(Allowed::Books)?, Vec::<String>::new());
    Ok(())
}

#[test]
fn of_keys_that_exclude_each_other() -> Test {
    let stage = Stage::new("exclusive")?;
    let container = stage.container("web")?;
    let before = Before::of(&stage)?;
    for (keys, words) in [
        (json!({"hairpinMode": true, "promiscMode": true}), ["hairpinMode", "promiscMode"]),
        (json!({"disableContainerInterface": true}), ["disableContainerInterface", "ipam"]),
        (json!({"bip": "10.1.0.1/24"}), ["bip", "ipam"]),
    ] {
        stage.call("bridge", &with(config::v4(), keys)).of(&container).add().error(7, &words)?;
    }
    assert_eq!(before.changes(Allowed::Books)?, Vec::<String>::new());
    Ok(())
}

fn range_cases() -> Vec<Case> {
    vec![
        ("ipam", json!("host-local"), 6, &[]),
        ("ipam.ranges", json!({}), 6, &[]),
        ("ipam.ranges", json!([]), 7, &[]),
        ("ipam.ranges[0]", json!([]), 7, &[]),
        ("ipam.ranges[0]", json!("10.1.0.0/24"), 6, &[]),
        ("ipam.ranges[0][0].subnet", json!("10.1.0.0"), 6, &[]),
        ("ipam.ranges[0][0].subnet", json!("10.1.0.0/33"), 6, &[]),
        ("ipam.ranges[0][0].subnet", json!("10.1.0/24"), 6, &[]),
        ("ipam.ranges[0][0].subnet", json!("10.1.0.5/24"), 7, &["10.1.0.0/24"]),
        ("ipam.ranges[0][0].subnet", json!("10.1.0.0/31"), 7, &[]),
        ("ipam.ranges[0][0].subnet", json!("fd00::/127"), 7, &[]),
        ("ipam.ranges[0][0].subnet", Value::Null, 7, &[]),
        ("ipam.ranges[0][0].subnet", json!(10), 6, &[]),
        ("ipam.ranges[0][0].rangeStart", json!("10.1.0"), 6, &[]),
        ("ipam.ranges[0][0].rangeStart", json!("10.2.0.1"), 7, &["10.1.0.0/24"]),
        ("ipam.ranges[0][0].rangeStart", json!("fd00::1"), 7, &["10.1.0.0/24"]),
        ("ipam.ranges[0][0].rangeEnd", json!("nine"), 6, &[]),
        ("ipam.ranges[0][0].rangeEnd", json!("10.2.0.9"), 7, &["10.1.0.0/24"]),
        ("ipam.ranges[0][0].rangeEnd", json!("10.1.0.2"), 7, &["10.1.0.5"]),
        ("ipam.ranges[0][0].gateway", json!("10.1.0.256"), 6, &[]),
        ("ipam.routes", json!("0.0.0.0/0"), 6, &[]),
        ("ipam.routes[0].dst", json!("default"), 6, &[]),
        ("ipam.routes[0].gw", json!("10.1.0"), 6, &[]),
        ("ipam.routes[0].priority", json!(-1), 6, &[]),
        ("ipam.dataDir", json!(7), 6, &[]),
        ("ipam.resolvConf", json!([]), 6, &[]),
        ("runtimeConfig.ips[0]", json!("10.1.0"), 6, &[]),
        ("runtimeConfig.ipRanges", json!({}), 6, &[]),
        ("args.cni.ips[0]", json!("ten"), 6, &[]),
    ]
}

fn range_config(config: Value) -> Value {
    let ipam = json!({
        "type": "host-local",
        "ranges": [[{"subnet": "10.1.0.0/24", "rangeStart": "10.1.0.5"}]],
        "routes": [{"dst": "0.0.0.0/0"}],
    });
    let more =
        json!({"ipam": ipam, "runtimeConfig": {"ips": ["10.1.0.9"]}, "args": {"cni": {"ips": ["10.1.0.9"]}}});
    with(config, more)
}

#[test]
fn of_host_local() -> Test {
    refuses("host-local", &range_config(config::host_local()), range_cases())
}

#[test]
fn of_host_local_below_a_bridge() -> Test {
    refuses("bridge", &range_config(config::v4()), range_cases())
}

#[test]
fn of_ranges_that_overlap() -> Test {
    let stage = Stage::new("overlap")?;
    let container = stage.container("web")?;
    let before = Before::of(&stage)?;
    let cases = [
        json!([[{"subnet": "10.1.0.0/24"}, {"subnet": "10.1.0.0/25"}]]),
        json!([[{"subnet": "10.1.0.0/24"}], [{"subnet": "10.1.0.128/25"}]]),
        json!([[{"subnet": "10.1.0.0/24"}, {"subnet": "fd00::/64"}]]),
    ];
    for ranges in cases {
        let config = with(config::v4(), json!({"ipam": {"type": "host-local", "ranges": ranges}}));
        stage.call("bridge", &config).of(&container).add().error(7, &["ipam.ranges["])?;
    }
    assert_eq!(before.changes(Allowed::Books)?, Vec::<String>::new());
    Ok(())
}

#[test]
fn of_static() -> Test {
    let config = with(config::fixed(), json!({"runtimeConfig": {}, "args": {"cni": {}}}));
    let cases: Vec<Case> = vec![
        ("ipam", json!(7), 6, &[]),
        ("ipam.addresses", json!({}), 6, &[]),
        ("ipam.addresses[0].address", json!("10.1.0.50"), 6, &[]),
        ("ipam.addresses[0].address", json!("10.1.0.50/33"), 6, &[]),
        ("ipam.addresses[0].address", json!("ten"), 6, &[]),
        ("ipam.addresses[0].gateway", json!("10.1.0"), 6, &[]),
        ("ipam.routes", json!({"dst": "0.0.0.0/0"}), 6, &[]),
        ("ipam.dns", json!("192.0.2.1"), 6, &[]),
        ("runtimeConfig.ips", json!("10.1.0.9/24"), 6, &[]),
        ("args.cni.ips", json!("10.1.0.9/24"), 6, &[]),
    ];
    refuses("static", &config, cases)?;
    let stage = Stage::new("static")?;
    let call = stage.call("static", &config::fixed()).id("c1").netns("/x").interface("eth0");
    for (args, word) in [("IP=ten", "ten"), ("IP=10.1.0.9", "10.1.0.9"), ("GATEWAY=x", "x")] {
        let text = call.clone().args(args).add().any_error()?;
        assert!(text.contains(word), "{text}");
    }
    Ok(())
}

#[test]
fn of_previous_results() -> Test {
    let stage = Stage::new("previous")?;
    let container = stage.container("web")?;
    let before = Before::of(&stage)?;
    let cases: [(Value, u64, &str); 6] = [
        (json!("nonsense"), 6, "prevResult"),
        (json!({"cniVersion": "3.0.0"}), 1, "3.0.0"),
        (json!({"cniVersion": "1.0.0", "ips": [{"address": "10.1.0.2"}]}), 6, "ips[0].address"),
        (json!({"cniVersion": "1.0.0", "ips": {}}), 6, "ips"),
        (json!({"cniVersion": "1.0.0", "routes": [{"dst": "x"}]}), 6, "routes[0].dst"),
        (json!({"cniVersion": "0.2.0", "ip4": {"ip": "x"}}), 6, "ip4.ip"),
    ];
    for (previous, code, word) in cases {
        for plugin in ["bridge", "loopback"] {
            let call = stage.call(plugin, &with(config::v4(), json!({"type": plugin}))).of(&container);
            call.after(&previous).check().error(code, &[word])?;
        }
    }
    assert_eq!(before.changes(Allowed::Books)?, Vec::<String>::new());
    Ok(())
}
