//! VLANs on the port of a container: with a kernel that has them, and with one that has not.

use lab::Place;
use serde_json::{Value, json};
use tests::config::{BRIDGE, v4, with};
use tests::facts::{links, pings, plain};
use tests::{Allowed, Before, Container, Stage, Test};

/// Whether the running kernel filters VLANs on bridges; when not, says and counts that a test is skipped.
fn kernel_filters(stage: &Stage) -> bool {
    let probe = "ip link add probe type bridge vlan_filtering 1; ip link delete probe";
    let filters = stage.host().sh(probe).succeeded();
    if !filters {
        lab::tools::skip("the kernel has no CONFIG_BRIDGE_VLAN_FILTERING");
    }
    filters
}

fn keys() -> [Value; 3] {
    [
        json!({"vlan": 100}),
        json!({"vlanTrunk": [{"minID": 100, "maxID": 105}, {"id": 200}]}),
        json!({"vlan": 7, "vlanTrunk": [{"id": 9}], "preserveDefaultVlan": true}),
    ]
}

#[test]
fn a_kernel_without_vlans_is_named_and_nothing_is_left() -> Test {
    let stage = Stage::new("without")?;
    if stage.host().sh("ip link add probe type bridge vlan_filtering 1").succeeded() {
        lab::tools::skip("the kernel has CONFIG_BRIDGE_VLAN_FILTERING");
        return Ok(());
    }
    let container = stage.container("web")?;
    let before = Before::of(&stage)?;
    for keys in keys() {
        let config = with(with(v4(), json!({"ipMasq": true})), keys);
        let text = stage.call("bridge", &config).of(&container).add().any_error()?;
        assert!(text.contains("CONFIG_BRIDGE_VLAN_FILTERING"), "{text}");
        assert_eq!(before.changes(Allowed::Constants)?, Vec::<String>::new());
        assert_eq!(links(&container)?, ["lo"]);
    }
    Ok(())
}

#[test]
fn vlan_0_is_none() -> Test {
    let stage = Stage::new("zero")?;
    let container = stage.container("web")?;
    let config = with(v4(), json!({"vlan": 0, "vlanTrunk": [], "preserveDefaultVlan": false}));
    let result = stage.call("bridge", &config).of(&container).add().result()?;
    assert_eq!(result["interfaces"].as_array().map(Vec::len), Some(3));
    assert!(pings(&container, "10.1.0.1"));
    Ok(())
}

/// The VLANs of a port as `bridge` tells them: `100 PVID Egress Untagged`.
fn vlans(stage: &Stage, port: &str) -> Result<Vec<String>, Box<dyn std::error::Error>> {
    let said = stage.host().run(["bridge", "-json", "vlan", "show", "dev", port]).ok()?;
    let list: Value = serde_json::from_str(&said)?;
    let vlans = list[0]["vlans"].as_array().cloned().unwrap_or_default();
    let text = |vlan: &Value| {
        let flags: Vec<_> = vlan["flags"].as_array().into_iter().flatten().map(plain).collect();
        let last = vlan["vlanEnd"].as_u64().map(|last| format!("-{last}")).unwrap_or_default();
        format!("{}{last} {}", vlan["vlan"], flags.join(" ")).trim_end().to_owned()
    };
    Ok(vlans.iter().map(text).collect())
}

fn add(stage: &Stage, container: &Container, keys: Value) -> Result<Value, Box<dyn std::error::Error>> {
    let call = stage.call("bridge", &with(v4(), keys)).of(container);
    let result = call.add().result()?;
    call.after(&result).check().done()?;
    Ok(result)
}

#[test]
fn an_access_vlan_is_that_of_untagged_frames() -> Test {
    let stage = Stage::new("access")?;
    if !kernel_filters(&stage) {
        return Ok(());
    }
    let containers = stage.containers("c", 3)?;
    for (container, vlan) in containers.iter().zip([100, 100, 200]) {
        let keys = json!({"vlan": vlan, "isGateway": false});
        let result = add(&stage, container, keys)?;
        let port = plain(&result["interfaces"][1]["name"]);
        assert_eq!(vlans(&stage, &port)?, [format!("{vlan} PVID Egress Untagged")]);
    }
    assert!(pings(&containers[0], "10.1.0.3"));
    assert!(!pings(&containers[0], "10.1.0.4"), "another VLAN");
    Ok(())
}

#[test]
fn a_gateway_has_a_port_in_the_vlan_that_goes_with_the_network() -> Test {
    let stage = Stage::new("gateway")?;
    if !kernel_filters(&stage) {
        return Ok(());
    }
    let container = stage.container("web")?;
    let result = add(&stage, &container, json!({"vlan": 100}))?;
    assert_eq!(result["interfaces"][3]["name"], format!("{BRIDGE}.100"), "{result}");
    assert!(pings(&container, "10.1.0.1"));
    Ok(())
}

#[test]
fn a_trunk_carries_what_it_lists_and_the_native_vlan() -> Test {
    let stage = Stage::new("trunk")?;
    if !kernel_filters(&stage) {
        return Ok(());
    }
    let cases = [
        (
            json!([{"minID": 100, "maxID": 102}, {"id": 200}]),
            json!({}),
            vec!["1 PVID Egress Untagged", "100-102", "200"],
        ),
        (json!([{"id": 200}]), json!({"vlan": 7}), vec!["7 PVID Egress Untagged", "200"]),
        (
            json!([{"id": 200}]),
            json!({"vlan": 7, "preserveDefaultVlan": true}),
            vec!["1 Egress Untagged", "7 PVID Egress Untagged", "200"],
        ),
    ];
    for (index, (trunk, more, expected)) in cases.into_iter().enumerate() {
        let container = stage.container(&format!("c{index}"))?;
        let keys = with(json!({"vlanTrunk": trunk, "isGateway": false}), more);
        let result = add(&stage, &container, keys)?;
        assert_eq!(vlans(&stage, &plain(&result["interfaces"][1]["name"]))?, expected);
    }
    Ok(())
}
