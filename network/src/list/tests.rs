//! Lists against text, and the configurations that plugins get out of them.

use cni::{Code, Failure};
use serde_json::{Value, json};

use super::*;

fn parse(list: &Value) -> Result<List, ListError> {
    List::parse(serde_json::to_vec(list).unwrap())
}

fn with(key: &str, value: Value) -> Value {
    let mut list = json!({"cniVersion": "1.0.0", "name": "net", "plugins": [{"type": "bridge"}]});
    list[key] = value;
    list
}

fn injected(list: &List, injected: Injected<'_>) -> Value {
    serde_json::from_slice(list.plugins()[0].config(list, injected).unwrap().bytes()).unwrap()
}

#[test]
fn the_highest_version_that_both_sides_know_is_used() {
    let cases = [
        (json!("0.4.0"), json!(["0.3.1", "1.0.0"]), Version::V1_0_0),
        (json!("1.1.0"), json!(["0.3.1"]), Version::V1_1_0),
        (json!(""), json!(["1.1.0", "1.2.0", "9.0.0"]), Version::V1_1_0),
        (json!("2.0.0"), json!(["0.4.0", "0.9.9"]), Version::V0_4_0),
        (json!("0.4.0"), json!([]), Version::V0_4_0),
        (Value::Null, Value::Null, Version::V0_1_0),
    ];
    for (single, several, expected) in cases {
        let mut list = with("cniVersions", several.clone());
        list["cniVersion"] = single.clone();
        assert_eq!(parse(&list).unwrap().version(), expected, "{single} {several}");
    }
}

#[test]
fn booleans_may_be_texts_in_any_case() {
    for (value, expected) in [(json!(true), true), (json!("TRUE"), true), (json!("False"), false)] {
        assert_eq!(parse(&with("disableCheck", value.clone())).unwrap().is_check_disabled(), expected);
        assert_eq!(parse(&with("disableGC", value)).unwrap().is_gc_disabled(), expected);
    }
}

#[test]
fn each_wrong_field_is_named_with_its_value() {
    let cases = [
        (json!([]), "expected a JSON object", Code::DECODING),
        (with("name", json!("")), "name: missing", Code::INVALID_CONFIG),
        (with("name", json!("../x")), "\"../x\"", Code::INVALID_CONFIG),
        (with("name", json!(1)), "name: invalid type: integer `1`", Code::DECODING),
        (with("cniVersion", json!("1.2.0")), "\"1.2.0\"", Code::INCOMPATIBLE_VERSION),
        (with("cniVersion", json!(1)), "cniVersion: invalid type", Code::DECODING),
        (with("cniVersions", json!(["x"])), "cniVersions[0]: invalid version \"x\"", Code::DECODING),
        (with("disableCheck", json!("yes")), "disableCheck: invalid value: string \"yes\"", Code::DECODING),
        (with("disableGC", json!(1)), "disableGC: invalid type", Code::DECODING),
        (with("plugins", json!({})), "plugins: invalid type", Code::DECODING),
        (with("plugins", json!([])), "plugins: expected at least one", Code::INVALID_CONFIG),
        (
            with("plugins", json!([{"type": "a"}, 7])),
            "plugins[1]: expected a plugin, found 7",
            Code::DECODING,
        ),
        (with("plugins", json!([{"type": ""}])), "plugins[0].type: missing", Code::DECODING),
        (with("plugins", json!([{"type": 7}])), "plugins[0].type: invalid type", Code::DECODING),
        (
            with("plugins", json!([{"type": "a", "capabilities": {"ips": "yes"}}])),
            "plugins[0].capabilities.ips: invalid type",
            Code::DECODING,
        ),
    ];
    for (list, expected, code) in cases {
        let failure = Failure::from(parse(&list).unwrap_err());
        assert!(failure.to_string().contains(expected), "{failure}");
        assert_eq!(failure.code(), code, "{failure}");
    }
    let versions =
        json!({"cniVersion": "2.0.0", "cniVersions": ["3.0.0"], "name": "n", "plugins": [{"type": "a"}]});
    let text = parse(&versions).unwrap_err().to_string();
    assert!(text.ends_with("cniVersions: none of 3.0.0, 2.0.0 is known"), "{text}");
}

#[test]
fn plugins_may_be_missing_only_when_their_folder_is_wanted() {
    let mut list = with("loadOnlyInlinedPlugins", json!(true));
    assert!(!Draft::parse(serde_json::to_vec(&list).unwrap()).unwrap().takes_folder);
    list["plugins"] = Value::Null;
    assert!(matches!(parse(&list).unwrap_err(), ListError::NothingInlined));
    list["loadOnlyInlinedPlugins"] = json!("false");
    assert!(Draft::parse(serde_json::to_vec(&list).unwrap()).unwrap().takes_folder);
    assert!(matches!(parse(&list).unwrap_err(), ListError::NoPlugins));
}

#[test]
fn a_single_plugin_becomes_a_list_of_one() {
    let single = json!({"cniVersion": "0.4.0", "name": "net", "type": "bridge", "mtu": 9000});
    let list = List::parse_single(&serde_json::to_vec(&single).unwrap()).unwrap();
    assert_eq!(injected(&list, Injected::default()), single);
    let kept: Value = serde_json::from_slice(list.bytes()).unwrap();
    assert_eq!(kept, json!({"cniVersion": "0.4.0", "name": "net", "plugins": [single]}));
    let error = Failure::from(List::parse_single(b"{\"name\":\"net\"}").unwrap_err()).to_string();
    assert!(error.ends_with(": type: missing: expected the name of a plugin"), "{error}");
}

#[test]
fn a_plugin_gets_name_version_and_result_and_keeps_what_nobody_here_knows() {
    let plugin = json!({"type": "x", "name": "other", "unknown": {"a": [1.5, null, "<&>"]}, "big": 18446744073709551615_u64});
    let list = parse(&with("plugins", json!([plugin]))).unwrap();
    let result = json!({"cniVersion": "1.0.0"});
    let mut expected = plugin.clone();
    expected["name"] = json!("net");
    expected["cniVersion"] = json!("1.0.0");
    assert_eq!(injected(&list, Injected::default()), expected);
    expected["prevResult"] = result.clone();
    assert_eq!(injected(&list, Injected { previous: Some(&result), ..Injected::default() }), expected);
}

#[test]
fn only_declared_capabilities_reach_a_plugin() {
    let args = json!({"portMappings": [{"hostPort": 80}], "ips": ["10.0.0.9"], "mac": "02:00:00:00:00:01"});
    let args = args.as_object().unwrap();
    let runtime_config = |capabilities: Value| {
        let list = parse(&with("plugins", json!([{"type": "x", "capabilities": capabilities}]))).unwrap();
        injected(&list, Injected { capability_args: Some(args), ..Injected::default() })["runtimeConfig"]
            .take()
    };
    assert_eq!(runtime_config(json!({"ips": true, "mac": false})), json!({"ips": ["10.0.0.9"]}));
    assert_eq!(runtime_config(json!({"bandwidth": true})), Value::Null);
    assert_eq!(runtime_config(Value::Null), Value::Null);
}

#[test]
fn gc_spells_its_list_both_ways() {
    let list = parse(&with("name", json!("net"))).unwrap();
    let valid = json!([{"containerID": "a", "ifname": "eth0"}]);
    let config = injected(&list, Injected { valid: Some(&valid), ..Injected::default() });
    assert_eq!(config["cni.dev/valid-attachments"], valid);
    assert_eq!(config["cni.dev/attachments"], valid);
}
