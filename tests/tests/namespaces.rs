//! host, none and loopback: the plugins that make no link.

use lab::Place;
use serde_json::{Value, json};
use tests::config::{bare, in_version, v4, with};
use tests::facts::{addresses, link, links, plain};
use tests::{Allowed, Before, Stage, Test};

fn is_up(flags: &Value) -> bool {
    flags.as_array().is_some_and(|flags| flags.contains(&"UP".into()))
}

#[test]
fn loopback_brings_lo_up_whatever_the_interface_is_called() -> Test {
    let stage = Stage::new("loopback")?;
    for (index, name) in ["lo", "eth0", "anything"].into_iter().enumerate() {
        let container = stage.container(&format!("c{index}"))?;
        let call = stage.call("loopback", &bare("loopback")).of(&container).interface(name);
        let result = call.add().result()?;
        let expected = json!({
            "cniVersion": "1.1.0",
            "interfaces": [{"name": "lo", "mac": "00:00:00:00:00:00", "sandbox": container.path()}],
            "ips": [{"address": "127.0.0.1/8", "interface": 0}, {"address": "::1/128", "interface": 0}],
        });
        assert_eq!(result, expected);
        assert_eq!(addresses(&container, "lo")?, ["127.0.0.1/8", "::1/128"]);
        call.clone().after(&result).check().done()?;
        call.add().result()?;
        call.del().done()?;
        assert!(!is_up(&link(&container, "lo")?["flags"]));
        call.clone().after(&result).check().any_error()?;
        call.del().done()?;
    }
    Ok(())
}

#[test]
fn loopback_passes_the_result_of_those_before_it_on() -> Test {
    let stage = Stage::new("passing")?;
    let container = stage.container("web")?;
    let earlier = stage.call("bridge", &v4()).of(&container).add().result()?;
    let call = stage.call("loopback", &bare("loopback")).of(&container).after(&earlier);
    assert_eq!(call.add().result()?, earlier);
    let older = stage.call("loopback", &in_version(bare("loopback"), "0.4.0")).of(&container).after(&earlier);
    let result = older.add().result()?;
    assert_eq!((&result["cniVersion"], &result["ips"][0]["version"]), (&"0.4.0".into(), &"4".into()));
    Ok(())
}

#[test]
fn loopback_refuses_a_lo_with_another_address() -> Test {
    let stage = Stage::new("odd")?;
    let container = stage.container("web")?;
    container.sh("ip addr add 10.0.0.1/32 dev lo").ok()?;
    let text = stage.call("loopback", &bare("loopback")).of(&container).add().any_error()?;
    assert!(text.contains("10.0.0.1"), "{text}");
    Ok(())
}

#[test]
fn loopback_and_a_network_at_the_same_time_as_containerd_does_it() -> Test {
    let stage = Stage::new("together")?;
    for container in stage.containers("c", 5)? {
        let lo =
            stage.call("loopback", &in_version(bare("loopback"), "0.3.1")).of(&container).interface("lo");
        let net = stage.call("bridge", &in_version(v4(), "1.0.0")).of(&container);
        std::thread::scope(|scope| {
            let (lo, net) = (scope.spawn(|| lo.add().result()), scope.spawn(|| net.add().result()));
            lo.join().and_then(|lo| net.join().map(|net| lo.and(net)))
        })
        .map_err(|_| "a thread panicked")??;
        assert_eq!(addresses(&container, "lo")?, ["127.0.0.1/8", "::1/128"]);
        assert_eq!(addresses(&container, "eth0")?.len(), 1);
    }
    Ok(())
}

#[test]
fn none_is_lo_and_nothing_else() -> Test {
    let stage = Stage::new("none")?;
    let container = stage.container("web")?;
    let call = stage.call("none", &bare("none")).of(&container);
    let result = call.add().result()?;
    assert_eq!(result["interfaces"][0]["name"], "lo");
    assert!(is_up(&link(&container, "lo")?["flags"]));
    assert_eq!(links(&container)?, ["lo"]);
    let check = call.clone().after(&result);
    check.check().done()?;
    container.sh("ip link add eth7 type bridge").ok()?;
    let text = check.check().any_error()?;
    assert!(text.contains("eth7"), "{text}");
    let text = call.add().any_error()?;
    assert!(text.contains("eth7"), "it cannot promise what is not so: {text}");
    container.sh("ip link delete eth7; ip link set lo down").ok()?;
    let text = check.check().any_error()?;
    assert!(text.contains("lo"), "{text}");
    call.del().done()?;
    call.netns("").del().done()?;
    Ok(())
}

#[test]
fn host_reports_what_the_host_has_and_changes_nothing() -> Test {
    let stage = Stage::new("host")?;
    stage
        .host()
        .sh("ip link add up0 type veth peer name up1; ip link set up1 up; ip link set up0 up")
        .ok()?;
    stage.host().sh("ip addr add 192.0.2.7/24 dev up0; ip addr add fd00:7::7/64 dev up0 nodad").ok()?;
    stage.host().sh("until ip addr show dev up0 -tentative | grep -q fe80; do sleep 0.05; done").ok()?;
    let before = Before::of(&stage)?;
    let call = stage.call("host", &bare("host")).id("web").interface("eth0").netns("/proc/1/ns/net");
    let result = call.add().result()?;
    let mut told: Vec<_> =
        result["ips"].as_array().into_iter().flatten().map(|ip| plain(&ip["address"])).collect();
    told.sort();
    assert_eq!(told, ["192.0.2.7/24", "fd00:7::7/64"], "{result}");
    let names: Vec<_> =
        result["interfaces"].as_array().into_iter().flatten().map(|link| plain(&link["name"])).collect();
    assert!(names.contains(&"up0".to_owned()), "{result}");
    let call = call.after(&result);
    call.check().done()?;
    call.gc(&[]).done()?;
    call.status().done()?;
    call.del().done()?;
    call.clone().netns("").del().done()?;
    assert_eq!(before.changes(Allowed::Books)?, Vec::<String>::new());
    Ok(())
}

#[test]
fn host_refuses_every_other_namespace() -> Test {
    let stage = Stage::new("other")?;
    let container = stage.container("web")?;
    let call = stage.call("host", &bare("host")).of(&container);
    call.add().error(8, &["CNI_NETNS", &container.path()])?;
    call.check().any_error()?;
    call.del().done()?;
    assert!(!is_up(&link(&container, "lo")?["flags"]), "untouched");
    Ok(())
}

#[test]
fn a_namespace_may_be_a_descriptor_of_some_process() -> Test {
    let stage = Stage::new("descriptor")?;
    let container = stage.container("web")?;
    let holder =
        stage.host().background(["sh", "-c", "exec 9</run/netns/web; echo pid=$$.; exec sleep 100"])?;
    let line = holder.wait_for("pid=", std::time::Duration::from_secs(10))?;
    let pid = line.trim_start_matches("pid=").trim_end_matches('.');
    let path = format!("/proc/{pid}/fd/9");
    let config = with(v4(), json!({"ipMasq": true}));
    let call = stage.call("bridge", &config).of(&container).netns(&path);
    let result = call.add().result()?;
    assert_eq!(result["interfaces"][2]["sandbox"], path.as_str());
    assert_eq!(addresses(&container, "eth0")?, ["10.1.0.2/24"]);
    call.clone().after(&result).check().done()?;
    stage.call("loopback", &bare("loopback")).of(&container).netns(&path).add().result()?;
    drop(holder);
    call.after(&result).del().done()?;
    assert_eq!(links(&container)?, ["lo"]);
    Ok(())
}
