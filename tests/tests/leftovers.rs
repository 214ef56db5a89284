//! After the last DEL a host is as it was before the first ADD; GC takes the network itself.

use lab::Place;
use serde_json::{Value, json};
use tests::config::{BRIDGE, dual, layer2, v4, with};
use tests::facts::{pings, ruleset};
use tests::{Allowed, Before, Stage, Test};

fn networks() -> Vec<Value> {
    let all =
        json!({"ipMasq": true, "macspoofchk": true, "hairpinMode": true, "portIsolation": true, "mtu": 1400});
    vec![
        v4(),
        layer2(),
        with(dual(), json!({"ipMasq": true})),
        with(dual(), json!({"macspoofchk": true})),
        with(dual(), all),
        with(v4(), json!({"promiscMode": true, "isDefaultGateway": true, "enabledad": true})),
        with(layer2(), json!({"bip": "10.1.0.5/24", "fixed-cidr-v6": "fd00:1::/64"})),
    ]
}

#[test]
fn the_last_del_leaves_the_network_and_gc_takes_that() -> Test {
    for config in networks() {
        let stage = Stage::new("last")?;
        let containers = stage.containers("c", 3)?;
        let before = Before::of(&stage)?;
        let call = |index: usize| stage.call("bridge", &config).of(&containers[index]);
        for index in 0..3 {
            call(index).add().result()?;
        }
        for index in [1, 0, 2] {
            call(index).del().done()?;
        }
        assert_eq!(before.changes(Allowed::Network(BRIDGE))?, Vec::<String>::new(), "{config}");
        call(0).gc(&[]).done()?;
        assert_eq!(before.changes(Allowed::Forwarding)?, Vec::<String>::new(), "{config}");
        call(0).gc(&[]).done()?;
    }
    Ok(())
}

#[test]
fn the_words_iptables_leave_nothing_of_ours() -> Test {
    let stage = Stage::new("iptables")?;
    let container = stage.container("web")?;
    let config = with(dual(), json!({"ipMasq": true, "ipMasqBackend": "iptables"}));
    let call = stage.call("bridge", &config).of(&container);
    let before = Before::of(&stage)?;
    for _ in 0..2 {
        call.add().result()?;
        call.del().done()?;
        assert_eq!(before.changes(Allowed::Network(BRIDGE))?, Vec::<String>::new());
    }
    Ok(())
}

#[test]
fn gc_takes_what_is_nobodys_and_keeps_the_rest() -> Test {
    let stage = Stage::new("gc")?;
    let config = with(dual(), json!({"ipMasq": true, "macspoofchk": true}));
    let containers = stage.containers("c", 4)?;
    let call = |index: usize| stage.call("bridge", &config).of(&containers[index]);
    let kept = call(3).add().result()?;
    let before = Before::of(&stage)?;
    for index in 0..3 {
        call(index).add().result()?;
    }
    // One crashed, one is there still but nobody's, one lost its host's end.
    containers[0].vanish(&stage)?;
    stage.host().sh("ip link delete $(ip -o link | grep -o 'veth[^@]*' | tail -1)").ok()?;
    call(3).gc(&[&containers[3]]).done()?;
    stage.host().sh("ip netns add c0").ok()?;
    let changes = before.changes(Allowed::Books)?;
    let changes: Vec<_> = changes.iter().filter(|line| !line.contains("/run/netns/c0")).collect();
    assert!(changes.is_empty(), "{changes:#?}");
    call(3).after(&kept).check().done()?;
    assert!(pings(&containers[3], "10.1.0.1") && pings(&containers[3], "fd00:1::1"));
    // The addresses can be had again.
    call(1).add().result()?;
    Ok(())
}

#[test]
fn gc_keeps_what_is_valid_by_interface_and_not_only_by_container() -> Test {
    let stage = Stage::new("interfaces")?;
    let container = stage.container("web")?;
    let call = stage.call("bridge", &v4()).of(&container);
    call.add().result()?;
    call.clone().interface("eth1").add().result()?;
    let valid = json!([{"containerID": "web", "ifname": "eth1"}]);
    call.with("cni.dev/valid-attachments", valid).run("GC").done()?;
    assert_eq!(tests::facts::links(&container)?, ["lo", "eth1"]);
    assert!(pings(&container, "10.1.0.1"));
    Ok(())
}

#[test]
fn gc_without_a_list_touches_nothing() -> Test {
    let stage = Stage::new("no-list")?;
    let container = stage.container("web")?;
    let call = stage.call("bridge", &with(v4(), json!({"ipMasq": true}))).of(&container);
    call.add().result()?;
    let before = Before::of(&stage)?;
    call.run("GC").error(7, &["cni.dev/valid-attachments"])?;
    assert_eq!(before.changes(Allowed::Books)?, Vec::<String>::new());
    Ok(())
}

#[test]
fn gc_of_one_network_leaves_another_alone() -> Test {
    let stage = Stage::new("apart")?;
    let (web, db) = (stage.container("web")?, stage.container("db")?);
    let keys = json!({"ipMasq": true, "macspoofchk": true});
    let ipam = json!({"type": "host-local", "ranges": [[{"subnet": "10.2.0.0/24"}]]});
    let first = stage.call("bridge", &with(v4(), keys.clone())).of(&web);
    let second = with(with(v4(), keys), json!({"name": "second", "bridge": "br1", "ipam": ipam}));
    let second = stage.call("bridge", &second).of(&db);
    let result = second.add().result()?;
    let before = Before::of(&stage)?;
    first.add().result()?;
    first.gc(&[]).done()?;
    assert_eq!(before.changes(Allowed::Books)?, Vec::<String>::new());
    second.after(&result).check().done()?;
    Ok(())
}

#[test]
fn gc_does_not_touch_strangers() -> Test {
    let stage = Stage::new("strangers")?;
    let container = stage.container("web")?;
    let call = stage.call("bridge", &with(v4(), json!({"ipMasq": true}))).of(&container);
    call.add().result()?;
    call.del().done()?;
    // A port of somebody else's keeps the bridge that we have made.
    stage
        .host()
        .sh("ip link add v0 type veth peer name v1; ip link set v0 master br0 alias net/x/y/z up")
        .ok()?;
    stage.host().sh("ip link add vethffffffffffe type veth peer name v2; nft add table inet other").ok()?;
    call.gc(&[]).done()?;
    let links = tests::facts::links(stage.host())?;
    for name in ["v0", "v1", "v2", "vethffffffffffe", BRIDGE] {
        assert!(links.contains(&name.to_owned()), "{name}: {links:?}");
    }
    assert!(ruleset(stage.host())?.contains("table inet other"));
    Ok(())
}

#[test]
fn a_hundred_times_is_no_more_than_once() -> Test {
    let stage = Stage::new("often")?;
    let container = stage.container("web")?;
    let config = with(dual(), json!({"ipMasq": true, "macspoofchk": true}));
    let call = stage.call("bridge", &config).of(&container);
    call.add().result()?;
    call.del().done()?;
    let before = Before::of(&stage)?;
    // In one shell, for entering the host costs more than the plugin does.
    let script = format!(
        r#"input=$(cat); for i in $(seq 100); do
            for verb in ADD DEL; do printf %s "$input" | CNI_COMMAND=$verb {} >/dev/null; done; done"#,
        stage.plugins().file("bridge").display()
    );
    let loop_ = lab::Call::new(["sh", "-ec", &script]).stdin(config.to_string());
    let loop_ =
        loop_.env("CNI_CONTAINERID", "web").env("CNI_IFNAME", "eth0").env("CNI_NETNS", container.path());
    loop_.env("CNI_PATH", stage.plugins().path()).run(stage.host()).ok()?;
    assert_eq!(before.changes(Allowed::Network(BRIDGE))?, Vec::<String>::new());
    Ok(())
}
