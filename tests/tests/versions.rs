//! Every verb of every plugin, in every version of the specification.

use lab::Place;
use serde_json::Value;
use tests::config::{self, VERSIONS, in_version, versions_of};
use tests::folder::OURS;
use tests::{Call, Container, Stage, Test};

/// A configuration that suits a plugin.
fn config_of(plugin: &str) -> Value {
    match plugin {
        "bridge" => config::v4(),
        "host-local" => config::host_local(),
        "static" => config::fixed(),
        _ => config::bare(plugin),
    }
}

/// A call that suits a plugin: `host` is for containers that have the host's own namespace.
fn call_of<'a>(stage: &'a Stage, plugin: &str, version: &str, container: &Container) -> Call<'a> {
    let call = stage.call(plugin, &in_version(config_of(plugin), version)).of(container);
    match plugin {
        "host" => call.netns("/proc/self/ns/net"),
        "loopback" => call.interface("lo"),
        _ => call,
    }
}

/// What of a result differs from version to version.
fn assert_shape(plugin: &str, version: &str, result: &Value) {
    let context = format!("{plugin} {version}: {result}");
    assert_eq!(result["cniVersion"], version, "{context}");
    if ["0.1.0", "0.2.0"].contains(&version) {
        assert!(result["ip4"]["ip"].is_string(), "{context}");
        assert!(result.get("ips").is_none() && result.get("interfaces").is_none(), "{context}");
        assert!(result["dns"].is_object(), "{context}");
    } else if ["0.3.0", "0.3.1", "0.4.0"].contains(&version) {
        assert_eq!(result["ips"][0]["version"], "4", "{context}");
        assert!(result["dns"].is_object(), "{context}");
    } else {
        assert!(result["ips"][0].get("version").is_none(), "{context}");
        assert!(result["ips"][0]["address"].is_string(), "{context}");
        assert!(result.get("dns").is_none(), "an empty dns is left out: {context}");
    }
}

/// ADD, CHECK and DEL, with the result of ADD handed on as a runtime does it.
fn live(stage: &Stage, plugin: &str, version: &str, container: &Container) -> Test {
    let call = call_of(stage, plugin, version, container);
    let result = call.add().result()?;
    // A container without a network has no address to tell of.
    if plugin != "none" {
        assert_shape(plugin, version, &result);
    }
    let call = call.after(&result);
    match call.check() {
        answer if version < "0.4.0" => drop(answer.error(1, &[version, "CHECK", "0.4.0"])?),
        answer => answer.done()?,
    }
    call.del().done()?;
    call.del().done()?;
    Ok(())
}

fn live_in_every_version(plugin: &str) -> Test {
    let stage = Stage::new(plugin)?;
    for version in VERSIONS {
        // The first versions cannot say "no address".
        if plugin == "none" && version < "0.3.0" {
            continue;
        }
        let container = stage.container(&format!("in-{version}"))?;
        live(&stage, plugin, version, &container)?;
    }
    Ok(())
}

#[test]
fn bridge_lives_in_every_version() -> Test {
    live_in_every_version("bridge")
}

#[test]
fn host_lives_in_every_version() -> Test {
    let stage = Stage::new("host")?;
    stage
        .host()
        .sh("ip link add up0 type veth; ip addr add 192.0.2.7/24 dev up0; ip link set up0 up")
        .ok()?;
    for version in VERSIONS {
        let container = stage.container(&format!("in-{version}"))?;
        live(&stage, "host", version, &container)?;
    }
    Ok(())
}

#[test]
fn none_lives_in_every_version() -> Test {
    live_in_every_version("none")
}

#[test]
fn loopback_lives_in_every_version() -> Test {
    live_in_every_version("loopback")
}

#[test]
fn host_local_lives_in_every_version() -> Test {
    live_in_every_version("host-local")
}

#[test]
fn static_lives_in_every_version() -> Test {
    live_in_every_version("static")
}

#[test]
fn dual_stack_lives_in_every_version() -> Test {
    let stage = Stage::new("dual")?;
    for version in VERSIONS {
        let container = stage.container(&format!("in-{version}"))?;
        let call = stage.call("bridge", &in_version(config::dual(), version)).of(&container);
        let result = call.add().result()?;
        assert_shape("bridge", version, &result);
        if version < "0.3.0" {
            assert_eq!(result["ip6"]["gateway"], "fd00:1::1", "{result}");
            assert_eq!(result["ip6"]["routes"][0]["dst"], "::/0", "{result}");
        } else {
            assert_eq!(result["ips"][1]["gateway"], "fd00:1::1", "{result}");
            assert_eq!(result["ips"].as_array().map(Vec::len), Some(2), "{result}");
        }
        call.after(&result).del().done()?;
    }
    Ok(())
}

#[test]
fn a_configuration_without_a_version_is_of_the_first() -> Test {
    let stage = Stage::new("first")?;
    for (number, missing) in [Value::Null, "".into()].into_iter().enumerate() {
        let container = stage.container(&format!("c{number}"))?;
        let config = config::with(config::v4(), serde_json::json!({"cniVersion": missing}));
        let result = stage.call("bridge", &config).of(&container).add().result()?;
        assert_shape("bridge", "0.1.0", &result);
    }
    Ok(())
}

#[test]
fn a_result_without_an_address_cannot_be_said_in_the_first_versions() -> Test {
    let stage = Stage::new("mute")?;
    let container = stage.container("c1")?;
    for version in ["0.1.0", "0.2.0"] {
        let call = stage.call("bridge", &in_version(config::layer2(), version)).of(&container);
        call.add().error(1, &[version, "IP address"])?;
        assert_eq!(tests::facts::links(&container)?, ["lo"], "the interface is taken back");
    }
    stage.call("bridge", &in_version(config::layer2(), "0.3.0")).of(&container).add().result()?;
    Ok(())
}

#[test]
fn gc_and_status_need_1_1_0_of_every_plugin() -> Test {
    let stage = Stage::new("young")?;
    let container = stage.container("c1")?;
    for plugin in OURS {
        for version in VERSIONS {
            let call = call_of(&stage, plugin, version, &container);
            let (gc, status) = (call.gc(&[]), call.status());
            if version == "1.1.0" {
                gc.done()?;
                status.done()?;
            } else if versions_of(plugin).contains(&version) {
                gc.error(1, &[version, "GC", "1.1.0"])?;
                status.error(1, &[version, "STATUS", "1.1.0"])?;
            } else {
                gc.error(1, &[version, plugin, "1.1.0"])?;
                status.error(1, &[version, plugin, "1.1.0"])?;
            }
        }
    }
    Ok(())
}

#[test]
fn an_unknown_version_is_refused_by_every_plugin_and_verb() -> Test {
    let stage = Stage::new("unknown")?;
    let container = stage.container("c1")?;
    for plugin in OURS {
        for (version, verb) in
            [("1.0", "ADD"), ("1.2.0", "DEL"), ("v1.0.0", "CHECK"), ("x", "GC"), ("2", "STATUS")]
        {
            let answer = call_of(&stage, plugin, version, &container).run(verb);
            answer.error(1, &[&format!("{version:?}"), "0.1.0", "1.1.0"])?;
        }
    }
    Ok(())
}

#[test]
fn a_previous_result_of_another_version_is_understood() -> Test {
    let stage = Stage::new("mixed")?;
    let container = stage.container("c1")?;
    let call = stage.call("bridge", &config::dual()).of(&container);
    let newest = call.add().result()?;
    for version in ["0.3.0", "0.4.0", "1.0.0"] {
        let mut older = newest.clone();
        older["cniVersion"] = version.into();
        call.clone().after(&older).check().done()?;
    }
    call.after(&newest).del().done()?;
    Ok(())
}

#[test]
fn version_lists_every_version_and_touches_nothing() -> Test {
    let stage = Stage::new("version")?;
    for plugin in OURS {
        // What CRI-O and podman send; and nothing at all.
        let call = stage.call(plugin, &Value::Null);
        let dummy = call.clone().stdin(r#"{"cniVersion":"1.0.0"}"#).netns("dummy").interface("dummy");
        let dummy = dummy.id("").args("").env("CNI_PATH", "dummy");
        let nothing = call.clone().stdin("").without("CNI_PATH");
        let nonsense = call.stdin("no JSON").id("*").env("CNI_ARGS", "no args");
        for call in [dummy, nothing, nonsense] {
            let answer = call.run("VERSION");
            let result = answer.result()?;
            assert_eq!(result["supportedVersions"], serde_json::json!(versions_of(plugin)), "{plugin}");
            assert_eq!(result["cniVersion"], "1.1.0", "{plugin}");
            let line = answer.outcome().stdout();
            assert_eq!((line.lines().count(), line.ends_with('\n')), (1, true), "one line: {line:?}");
        }
    }
    Ok(())
}

#[test]
fn version_answers_with_every_channel_but_stdout_closed() -> Test {
    let stage = Stage::new("closed")?;
    for plugin in OURS {
        let program = stage.plugins().file(plugin);
        let script = r#"CNI_COMMAND=VERSION "$1" <&- 2>&-"#;
        let said = lab::Call::new(["sh", "-ec", script, "call"]).arg(program).run(stage.host()).ok()?;
        assert!(said.contains("supportedVersions"), "{plugin}: {said}");
    }
    stage.host().run(["true"]).ok()?;
    Ok(())
}
