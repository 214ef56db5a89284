//! The command line of `netctl cni`, on private hosts. What its plugins do is tested where all of them are.

use lab::{Call, Host, Outcome, Place};
use serde_json::{Value, json};

type Test = Result<(), Box<dyn std::error::Error>>;

/// A host with the namespace `blue` and the network `fixed`, whose only plugin knows its addresses.
struct Machine(Host);

impl Machine {
    fn new(name: &str) -> Result<Self, Box<dyn std::error::Error>> {
        let host = Host::new(name)?;
        host.sh("ip netns add blue").ok()?;
        let ipam = json!({"type": "static", "addresses": [{"address": "10.1.0.5/24"}]});
        let plugin = json!({"type": "static", "ipam": ipam, "capabilities": {"ips": true}});
        let list = json!({"cniVersion": "1.1.0", "name": "fixed", "plugins": [plugin]});
        host.write_file("/etc/cni/net.d/10-fixed.conflist", list.to_string())?;
        Ok(Self(host))
    }

    fn run(&self, words: &str) -> Outcome {
        self.call(call(words))
    }

    fn call(&self, call: Call) -> Outcome {
        call.run(&self.0)
    }

    /// The files of the cache.
    fn kept(&self) -> Result<String, Box<dyn std::error::Error>> {
        Ok(self.0.sh("ls /var/lib/cni/results 2>/dev/null || true").ok()?)
    }
}

/// `netctl cni` with these words.
fn call(words: &str) -> Call {
    Call::new([env!("CARGO_BIN_EXE_netctl"), "cni"].into_iter().chain(words.split_whitespace()))
}

fn value(outcome: &Outcome) -> Result<Value, serde_json::Error> {
    serde_json::from_str(outcome.stdout())
}

#[test]
fn a_bad_command_line_is_refused_before_anything_is_touched() -> Test {
    let machine = Machine::new("wrong")?;
    for (words, said) in [
        ("add fixed", "required"),
        ("add fixed blue --ifname a/b", "invalid interface name \"a/b\""),
        ("add fixed blue --args IP", "expected KEY=VALUE with exactly one '='"),
        ("add fixed blue --capability-args []", "expected a JSON object such as {\"mac\":"),
        ("add fixed blue --container-id ../x", "invalid container id \"../x\""),
        ("gc fixed", "--valid <ID/IFNAME>|--all"),
        ("gc fixed --valid web", "expected the id of a container, a slash and the name of its interface"),
        ("gc fixed --valid web/eth0 --all", "cannot be used with"),
    ] {
        let outcome = machine.run(words);
        assert_eq!(outcome.code(), Some(2), "{outcome}");
        assert!(outcome.stderr().contains(said), "{outcome}");
    }
    assert_eq!(machine.kept()?, "");
    Ok(())
}

#[test]
fn the_variables_of_cnitool_mean_the_same_here() -> Test {
    let machine = Machine::new("variables")?;
    machine.0.sh("mv /etc/cni/net.d /run/elsewhere").ok()?;
    let call = call("add fixed blue --container-id web")
        .env("NETCONFPATH", "/run/elsewhere")
        .env("CNI_IFNAME", "eth7")
        .env("CNI_ARGS", "IgnoreUnknown=1;A=b")
        .env("CAP_ARGS", r#"{"ips":["10.1.0.9/24"],"unheard-of":1}"#);
    let result = machine.call(call).ok()?;
    assert!(result.contains("10.1.0.9/24"), "{result}");
    let kept = machine.0.read_file("/var/lib/cni/results/fixed-web-eth7")?;
    assert!(kept.contains(r#""cniArgs":[["IgnoreUnknown","1"],["A","b"]]"#), "{kept}");
    Ok(())
}

#[test]
fn empty_variables_are_none() -> Test {
    let machine = Machine::new("empty")?;
    let of_cnitool = ["CNI_PATH", "NETCONFPATH", "CNI_IFNAME", "CNI_ARGS", "CAP_ARGS"];
    let names = of_cnitool.into_iter().chain(["NETCTL_CNI_CACHE_DIR", "NETNS_RUN_DIR"]);
    let call = names.fold(call("add fixed blue --container-id web"), |call, name| call.env(name, ""));
    machine.call(call).ok()?;
    assert_eq!(machine.kept()?, "fixed-web-eth0\n");
    Ok(())
}

#[test]
fn the_path_of_plugins_means_executables() -> Test {
    let machine = Machine::new("path")?;
    let script = r#"#!/bin/sh
        echo '{"cniVersion":"1.1.0","ips":[{"address":"10.9.9.9/24"}],"supportedVersions":["1.1.0"]}'"#;
    machine.0.write_file("/run/bin/static", script)?;
    machine.0.sh("chmod +x /run/bin/static").ok()?;
    let result = machine.call(call("add fixed blue").env("CNI_PATH", "/nowhere:/run/bin")).ok()?;
    assert!(result.contains("10.9.9.9/24"), "{result}");
    let rows = value(&machine.run("version fixed --json --plugin-dir /nowhere --plugin-dir /run/bin"))?;
    assert_eq!(
        rows[0],
        json!({"type": "static", "inProcess": false, "file": "/run/bin/static", "versions": ["1.1.0"]})
    );
    let own = machine.run("version fixed").ok()?;
    assert!(own.starts_with("static") && own.contains("in netctl") && own.contains("0.1.0, 0.2.0"), "{own}");
    let outcome = machine.run("version fixed --plugin-dir /nowhere").refused()?;
    assert!(outcome.stdout().contains("nowhere"), "{outcome}");
    assert!(outcome.stderr().contains("find plugin \"static\" in path \"/nowhere\""), "{outcome}");
    Ok(())
}

#[test]
fn programs_get_errors_as_objects() -> Test {
    let machine = Machine::new("objects")?;
    for (words, code, said) in [
        ("add nonet blue --json", 7, "find network \"nonet\" in /etc/cni/net.d"),
        ("add fixed green --json", 8, "find the network namespace of the container"),
        ("check fixed blue --json", 3, "it is not attached"),
        ("add ./nothing.conflist blue --json", 5, "read ./nothing.conflist"),
        ("del fixed --json", 4, "neither NETNS nor --container-id is given"),
    ] {
        let outcome = machine.run(words);
        assert_eq!(outcome.code(), Some(1), "{outcome}");
        let object = value(&outcome)?;
        assert_eq!(object["code"], code, "{outcome}");
        assert!(object["msg"].as_str().is_some_and(|text| text.contains(said)), "{outcome}");
        assert_eq!(outcome.stderr(), "");
    }
    for words in ["del fixed blue --json", "status fixed --json", "gc fixed --all --json"] {
        assert_eq!(machine.run(words).ok()?, "{}\n");
    }
    Ok(())
}

#[test]
fn people_get_errors_with_causes_and_a_way_out() -> Test {
    let machine = Machine::new("people")?;
    let outcome = machine.run("add fixed bluee").refused()?;
    let expected = "error: find the network namespace of the container\n  \
        because: open network namespace /run/netns/bluee\n  \
        because: No such file or directory (os error 2)\nhint: did you mean blue?\n";
    assert_eq!(outcome.stderr(), expected);
    machine.0.write_file("/etc/cni/net.d/00.conflist", r#"{"name":"net","plugins":[{"mtu":1}]}"#)?;
    let outcome = machine.run("status net").refused()?;
    assert!(
        outcome.stderr().contains("00.conflist: decode network configuration list: plugins[0].type: missing")
    );
    assert!(outcome.stderr().contains("hint: the networks there are fixed\n"), "{outcome}");
    Ok(())
}

#[test]
fn a_second_add_is_refused_until_the_first_is_taken_back() -> Test {
    let machine = Machine::new("second")?;
    machine.run("add fixed blue").ok()?;
    let outcome = machine.run("add fixed blue").refused()?;
    assert!(outcome.stderr().contains("because: it is attached already"), "{outcome}");
    machine.run("del fixed blue").ok()?;
    machine.run("del fixed blue").ok()?;
    machine.run("add fixed blue").ok()?;
    Ok(())
}

#[test]
fn a_network_may_be_a_file_and_a_namespace_a_process() -> Test {
    let machine = Machine::new("process")?;
    machine.0.sh("cp /etc/cni/net.d/10-fixed.conflist /run/list; rm -r /etc/cni/net.d").ok()?;
    let script = format!(
        "ip netns exec blue sleep 60 & while ! ip netns pids blue | grep -q $!; do :; done
        {netctl} cni add /run/list $! --container-id web >/dev/null
        {netctl} cni check /run/list $! --container-id web
        grep -o '\"netns\":\"/proc/'$!'/ns/net\"' /var/lib/cni/results/fixed-web-eth0 >/dev/null
        kill $!; wait $! || true
        {netctl} cni del /run/list --container-id web",
        netctl = env!("CARGO_BIN_EXE_netctl"),
    );
    machine.0.sh(&script).ok()?;
    assert_eq!(machine.kept()?, "");
    Ok(())
}

#[test]
fn whoever_was_connected_by_name_is_known_to_check_and_del() -> Test {
    let machine = Machine::new("connected")?;
    let netctl = |words: &str| {
        Call::new([env!("CARGO_BIN_EXE_netctl")].into_iter().chain(words.split_whitespace())).run(&machine.0)
    };
    netctl("connect bridge blue").ok()?;
    // The id is the namespace's name, where cnitool's would be a hash.
    assert_eq!(machine.kept()?, "bridge-blue-eth0\n");
    machine.run("check bridge blue").ok()?;
    let _other = machine.run("check bridge blue --ifname eth1").refused()?;
    machine.run("del bridge blue").ok()?;
    assert_eq!(machine.kept()?, "");
    machine.run("del bridge blue").ok()?;
    Ok(())
}

#[test]
fn networks_that_are_no_files_have_verbs_as_well() -> Test {
    let machine = Machine::new("built-in")?;
    machine.run("status bridge").ok()?;
    machine.run("add none blue").ok()?;
    machine.run("check none blue --ifname eth0").ok()?;
    machine.run("del none blue").ok()?;
    let outcome = machine.run("add nowhere blue").refused()?;
    assert!(outcome.stderr().contains("find network \"nowhere\" in /etc/cni/net.d"), "{outcome}");
    Ok(())
}
