//! static by itself: addresses that are given are handed on.

use serde_json::{Value, json};
use tests::config::{fixed, with};
use tests::{Call, Stage, Test};

fn call<'a>(stage: &'a Stage, ipam: &Value) -> Call<'a> {
    let mut ipam = ipam.clone();
    ipam["type"] = "static".into();
    let call = stage.call("static", &with(fixed(), json!({ "ipam": ipam })));
    call.id("c1").netns("/not/needed").interface("eth0")
}

#[test]
fn what_is_given_is_handed_on() -> Test {
    let stage = Stage::new("given")?;
    let ipam = json!({
        "addresses": [{"address": "10.1.0.50/24", "gateway": "10.1.0.1"}, {"address": "fd00:1::50/64"}],
        "routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0", "gw": "fd00:1::1"}],
        "dns": {"nameservers": ["192.0.2.1"], "domain": "d.test", "search": ["a.test"], "options": ["edns0"]},
    });
    let result = call(&stage, &ipam).add().result()?;
    let expected = json!({
        "cniVersion": "1.1.0",
        "ips": [{"address": "10.1.0.50/24", "gateway": "10.1.0.1"}, {"address": "fd00:1::50/64"}],
        "routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0", "gw": "fd00:1::1"}],
        "dns": {"nameservers": ["192.0.2.1"], "domain": "d.test", "search": ["a.test"], "options": ["edns0"]},
    });
    assert_eq!(result, expected);
    let call = call(&stage, &ipam).after(&result);
    call.check().done()?;
    call.del().done()?;
    call.del().done()?;
    call.gc(&[]).done()?;
    call.status().done()?;
    Ok(())
}

#[test]
fn args_are_added_and_the_other_wishes_replace() -> Test {
    let stage = Stage::new("wishes")?;
    let ipam = json!({"addresses": [{"address": "10.1.0.50/24"}]});
    let of_args = call(&stage, &ipam).args("IP=10.1.0.60/24,fd00:1::60/64;GATEWAY=10.1.0.1,fd00:1::1");
    let addresses = |result: &Value| -> Vec<(Value, Value)> {
        let ips = result["ips"].as_array().into_iter().flatten();
        ips.map(|ip| (ip["address"].clone(), ip["gateway"].clone())).collect()
    };
    let expected = [
        ("10.1.0.50/24".into(), "10.1.0.1".into()),
        ("10.1.0.60/24".into(), "10.1.0.1".into()),
        ("fd00:1::60/64".into(), "fd00:1::1".into()),
    ];
    assert_eq!(addresses(&of_args.add().result()?), expected);
    let of_cni = call(&stage, &ipam).with("args", json!({"cni": {"ips": ["10.1.0.70/24"]}}));
    assert_eq!(addresses(&of_cni.add().result()?), [("10.1.0.70/24".into(), Value::Null)]);
    let of_runtime = of_cni.with("runtimeConfig", json!({"ips": ["10.1.0.80/24"]}));
    assert_eq!(addresses(&of_runtime.add().result()?), [("10.1.0.80/24".into(), Value::Null)]);
    Ok(())
}

#[test]
fn check_complains_of_another_gateway_only() -> Test {
    let stage = Stage::new("check")?;
    let ipam = json!({"addresses": [{"address": "10.1.0.50/24", "gateway": "10.1.0.1"}]});
    let call = call(&stage, &ipam);
    call.check().error(7, &["prevResult"])?;
    let result = call.add().result()?;
    call.clone().after(&result).check().done()?;
    let mut other = result;
    other["ips"][0]["gateway"] = "10.1.0.9".into();
    let text = call.after(&other).check().any_error()?;
    assert!(text.contains("10.1.0.50") && text.contains("10.1.0.9"), "{text}");
    Ok(())
}
