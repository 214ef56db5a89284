//! The verbs, from the text of a call to the text of its answer.

use cni::{Answer, Environment, InProcess, Registry, SearchPath, answer};
use serde_json::{Value, json};

use crate::Static;

fn call(verb: &str, ipam: Value, others: Value, args: &str) -> Answer {
    let mut config = json!({"cniVersion": "1.1.0", "name": "net", "type": "bridge", "ipam": ipam});
    config.as_object_mut().unwrap().extend(others.as_object().unwrap().clone());
    let environment = Environment {
        command: verb.to_owned(),
        container: "web".to_owned(),
        netns: "/x".into(),
        interface: "eth0".to_owned(),
        args: args.to_owned(),
        path: SearchPath::new("/x"),
        netns_override: false,
    };
    let mut stdin = || Ok(config.to_string().into_bytes());
    answer(&Static, environment, &mut stdin, Registry::new(&[], InProcess::Never))
}

fn text(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.stdout).unwrap_or(Value::Null)
}

fn ipam() -> Value {
    json!({
        "type": "static",
        "addresses": [{"address": "10.9.0.5/24", "gateway": "10.9.0.1"}, {"address": "fd00::5/64", "gateway": ""}],
        "routes": [{"dst": "0.0.0.0/0"}],
        "dns": {"nameservers": ["192.0.2.1"]},
    })
}

#[test]
fn the_result_has_what_the_configuration_says() {
    let answer = call("ADD", ipam(), json!({}), "IP=10.8.0.5/24;IgnoreUnknown=1;K8S_POD_NAME=web");
    assert!(answer.success);
    assert_eq!(
        text(&answer),
        json!({
            "cniVersion": "1.1.0",
            "ips": [
                {"address": "10.9.0.5/24", "gateway": "10.9.0.1"},
                {"address": "fd00::5/64"},
                {"address": "10.8.0.5/24"},
            ],
            "routes": [{"dst": "0.0.0.0/0"}],
            "dns": {"nameservers": ["192.0.2.1"]},
        })
    );
    let wishes =
        json!({"args": {"cni": {"ips": ["10.7.0.5/24"]}}, "RuntimeConfig": {"IPs": ["10.6.0.5/24"]}});
    assert_eq!(text(&call("ADD", ipam(), wishes, ""))["ips"], json!([{"address": "10.6.0.5/24"}]));
}

#[test]
fn a_bad_field_is_named_with_its_value() {
    for (ipam, others, expected) in [
        (
            json!({"addresses": [{"address": "10.9.0.5"}]}),
            json!({}),
            "ipam.addresses[0].address: invalid network \"10.9.0.5\"",
        ),
        (
            json!({"addresses": [{"gateway": "10.9.0.5"}]}),
            json!({}),
            "ipam.addresses[0]: missing field `address`",
        ),
        (
            json!({"addresses": [{"address": "10.9.0.5/24", "gateway": "x"}]}),
            json!({}),
            "ipam.addresses[0].gateway: invalid IP address \"x\"",
        ),
        (
            json!({}),
            json!({"runtimeConfig": {"ips": ["10.5.0.5"]}}),
            "runtimeConfig.ips[0]: invalid network \"10.5.0.5\"",
        ),
        (json!(null), json!({}), "ipam: missing"),
    ] {
        let answer = call("ADD", ipam.clone(), others.clone(), "");
        assert!(!answer.success);
        let message = text(&answer)["msg"].as_str().unwrap_or_default().to_owned();
        assert!(message.contains(expected), "{message}");
        assert!(!call("STATUS", ipam.clone(), others.clone(), "").success);
        assert!(call("DEL", ipam, others, "").success);
    }
}

#[test]
fn check_compares_gateways_with_what_add_answered() {
    let answered = |address: &str, gateway: &str| json!({"prevResult": {"cniVersion": "1.1.0", "ips": [{"address": address, "gateway": gateway}]}});
    assert!(call("CHECK", ipam(), answered("10.9.0.5/24", "10.9.0.1"), "").success);
    assert!(call("CHECK", ipam(), answered("10.9.0.6/24", "10.9.0.2"), "").success);
    assert!(call("CHECK", ipam(), answered("fd00::5/64", "fd00::1"), "").success);
    let answer = call("CHECK", ipam(), answered("10.9.0.5/24", "10.9.0.2"), "");
    assert_eq!(
        text(&answer)["msg"],
        "check address 10.9.0.5 of web/eth0: its gateway is 10.9.0.2, expected 10.9.0.1"
    );
    assert!(!call("CHECK", ipam(), json!({}), "").success);
}

#[test]
fn nothing_is_kept_so_nothing_is_collected() {
    assert!(call("GC", ipam(), json!({"cni.dev/valid-attachments": []}), "").success);
    assert!(call("STATUS", ipam(), json!({}), "").success);
}
