//! `netctl ls`

use lab::Place;
use serde_json::{Value, json};

use crate::{Machine, NETCTL, Test, Wrong, netctl, refused};

/// The names in a list.
fn names(rows: &Value) -> Vec<String> {
    let rows = rows.as_array().cloned().unwrap_or_default();
    rows.iter().map(|row| row["Name"].as_str().unwrap_or_default().to_owned()).collect()
}

impl Machine {
    fn listed(&self, words: &str) -> Result<Vec<String>, Wrong> {
        Ok(names(&self.json(&format!("ls -o json {words}"))?))
    }
}

const BUILT_IN: &str = "NETWORK ID     NAME     DRIVER   SUBNETS         CONTAINERS
17f29b073143   bridge   bridge   172.17.0.0/16   0
4740ae6347b0   host     host                     0
140bedbf9c3f   none     null                     0
";

#[test]
fn three_networks_are_there_from_the_start() -> Test {
    let machine = Machine::new("start")?;
    let before = machine.snapshot()?;
    for words in
        ["ls", "list", "network ls", "network list", "ls --format table", "ls -o text", "-j ls -o text"]
    {
        assert_eq!(machine.quietly(words)?, BUILT_IN, "{words}");
    }
    machine.is_as_it_was(&before)
}

#[test]
fn the_table_has_everybody_s_networks_by_name() -> Test {
    let machine = Machine::new("table")?;
    machine.has_others()?;
    machine.ok("create web --subnet 172.26.0.0/16,fd26::/64")?;
    let table = machine.quietly("ls")?;
    let without_ids: Vec<&str> = table.lines().filter_map(|line| line.get(15..)).collect();
    let expected = [
        "NAME              DRIVER     SUBNETS                    CONTAINERS",
        "bridge            bridge     172.17.0.0/16              0",
        "cbr0              flannel                               0",
        "host              host                                  0",
        "k8s-pod-network   calico                                0",
        "lo                loopback                              0",
        "nerd              bridge     10.4.0.0/24                0",
        "none              null                                  0",
        "podman1           bridge     10.89.0.0/24               0",
        "web               bridge     172.26.0.0/16, fd26::/64   0",
    ];
    assert_eq!(without_ids, expected);
    // The ids are those of the names, whatever the files say of them.
    let names = "bridge cbr0 host k8s-pod-network lo nerd none podman1 web";
    let ids = machine.sh(&format!("for name in {names}; do printf $name | sha256sum | cut -c-12; done"))?;
    let first: Vec<&str> = table.lines().skip(1).filter_map(|line| line.get(..12)).collect();
    assert_eq!(first, ids.lines().collect::<Vec<_>>());
    Ok(())
}

#[test]
fn ids_are_short_unless_somebody_wants_them_in_full() -> Test {
    let machine = Machine::new("ids")?;
    let short = "17f29b073143\n4740ae6347b0\n140bedbf9c3f\n";
    let full = "17f29b073143d8cd97b5bbe492bdeffec1c5fee55cc1fe2112c8b9335f8b6121
4740ae6347b0172c01254ff55bae5aff5199f4446e7f6d643d40185b3f475145
140bedbf9c3f6d56a9846d2ba7088798683f4da0c248231336e6a05679e4fdfe
";
    assert_eq!(machine.quietly("ls -q")?, short);
    assert_eq!(machine.quietly("ls --quiet --no-trunc")?, full);
    let table = machine.quietly("ls --no-trunc")?;
    let ids: Vec<&str> = table.lines().skip(1).filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(ids, full.lines().collect::<Vec<_>>());
    Ok(())
}

#[test]
fn programs_get_docker_s_names() -> Test {
    let machine = Machine::with("json", "blue")?;
    machine.ok("create web --internal --subnet 172.26.0.0/16,fd26::/64 --label tier=web")?;
    machine.ok("connect web blue")?;
    let created = machine.conflist("web")?["netctl"]["created"].take();
    let row = json!({
        "ID": machine.ok("ls -q --filter name=web")?.trim(),
        "Name": "web",
        "Driver": "bridge",
        "Scope": "local",
        "IPv4": true,
        "IPv6": true,
        "Internal": true,
        "Subnets": ["172.26.0.0/16", "fd26::/64"],
        "Labels": {"tier": "web"},
        "CreatedAt": created,
        "Containers": 1,
        "File": "/etc/cni/net.d/netctl-web.conflist",
    });
    for words in [
        "ls --format json",
        "ls --format=json",
        "ls -o json",
        "ls -j",
        "-j ls",
        "network -j ls",
        "ls -j --pretty",
    ] {
        let rows = machine.json(&format!("{words} --filter name=web"))?;
        assert_eq!(rows, json!([row]), "{words}");
    }
    assert_eq!(machine.ok("ls -o json --filter name=nobody")?, "[]\n");
    let none = &machine.json("ls -j --filter name=none")?[0];
    assert_eq!(
        (&none["File"], &none["CreatedAt"], &none["Driver"]),
        (&Value::Null, &"".into(), &"null".into())
    );
    Ok(())
}

#[test]
fn a_template_prints_what_it_says() -> Test {
    let machine = Machine::new("template")?;
    machine.ok("create web --subnet 172.26.0.0/24 --label tier=web")?;
    for (format, expected) in [
        ("{{.Name}}: {{.Driver}}", "bridge: bridge\nhost: host\nnone: null\nweb: bridge\n"),
        (
            "table {{.Name}}\\t{{.Scope}}",
            "NAME      SCOPE\nbridge    local\nhost      local\nnone      local\nweb       local\n",
        ),
        ("{{if .Labels}}{{.Name}} {{index .Labels \"tier\"}}{{end}}", "\n\n\nweb web\n"),
    ] {
        let outcome = netctl("ls --format").arg(format).run(&machine.0);
        assert_eq!((outcome.stdout(), outcome.stderr()), (expected, ""), "{format}");
    }
    let table = machine.quietly("ls")?;
    assert_eq!(netctl("ls --format").arg("").run(&machine.0).ok()?, table);
    let said = "error: template: column 3: no field .Nmae: did you mean .Name?\n";
    let outcome = netctl("ls --format {{.Nmae}}").run(&machine.0);
    assert!(outcome.stderr().starts_with(said) && outcome.code() == Some(1), "{outcome}");
    refused(
        &netctl("ls --format {{.Name").run(&machine.0),
        1,
        "error: template: column 1: close {{: expected }} before the end\n",
    );
    Ok(())
}

#[test]
fn every_filter_finds_what_it_says() -> Test {
    let machine = Machine::with("filters", "blue")?;
    machine.has_others()?;
    machine.ok("create web --subnet 172.26.0.0/16 --label tier=web --label empty")?;
    machine.ok("create db --subnet 172.27.0.0/16 --label tier=db")?;
    machine.ok("connect web blue")?;
    for (filters, found) in [
        ("name=web", "web"),
        ("name=b", "bridge cbr0 db web"),
        ("name=^web$", "web"),
        ("name=^b", "bridge"),
        ("name=r0$", "cbr0"),
        ("name=web name=db", "db web"),
        ("id=17f2", "bridge"),
        ("id=17f29b073143d8cd97b5bbe492bdeffec1c5fee55cc1fe2112c8b9335f8b6121", "bridge"),
        ("driver=host", "host"),
        ("driver=null driver=calico", "k8s-pod-network none"),
        ("label=tier", "db nerd podman1 web"),
        ("label=tier=web", "podman1 web"),
        ("label=tier=web label=empty", "web"),
        ("label=empty=", "web"),
        ("label=empty=x", ""),
        ("label!=tier", "bridge cbr0 host k8s-pod-network lo none"),
        ("label!=tier=web type=custom driver=bridge", "db nerd"),
        ("type=builtin", "bridge host none"),
        ("type=custom", "cbr0 db k8s-pod-network lo nerd podman1 web"),
        ("scope=local name=web", "web"),
        ("dangling=true driver=bridge", "db nerd podman1"),
        ("dangling=1 name=web", ""),
        ("dangling=false", "bridge host none web"),
        ("until=0s name=b", "db web"),
        ("until=1h", ""),
        ("until=2999-01-01T00:00:00Z", "db web"),
        ("until=2001-01-01T00:00:00Z", ""),
        ("driver=bridge name=web", "web"),
        ("driver=bridge name=host", ""),
    ] {
        let words: String = filters.split(' ').map(|filter| format!(" --filter {filter}")).collect();
        assert_eq!(machine.listed(&words)?.join(" "), found, "{filters}");
    }
    assert_eq!(machine.listed("-f name=web")?, ["web"]);
    Ok(())
}

#[test]
fn filters_that_are_none_are_refused_with_what_would_be_one() -> Test {
    let machine = Machine::new("wrong")?;
    let keys =
        "expected KEY=VALUE with one of the keys name, id, driver, label, type, scope, dangling, until";
    let until = "expected a time such as 2026-01-31T12:00:00Z, or a duration such as 24h";
    for (filter, said) in [
        ("web", keys.to_owned()),
        ("nam=web", keys.to_owned()),
        ("=web", keys.to_owned()),
        ("Name=web", keys.to_owned()),
        ("name!=web", keys.to_owned()),
        ("type=user", "type: \"user\": expected custom or builtin".to_owned()),
        ("scope=swarm", "scope: \"swarm\": expected local, which all networks here are".to_owned()),
        ("dangling=maybe", "dangling: \"maybe\": expected true or false".to_owned()),
        ("until=yesterday", format!("until: \"yesterday\": {until}")),
        ("until=99999999999999999999h", format!("until: \"99999999999999999999h\": {until}")),
    ] {
        let said = format!("error: invalid value '{filter}' for '--filter <KEY=VALUE>': {said}");
        machine.misunderstands(&format!("ls --filter {filter}"), &said);
    }
    Ok(())
}

#[test]
fn containers_are_those_that_are_there() -> Test {
    let machine = Machine::with("count", "blue green red")?;
    machine.ok("create web")?;
    let count =
        || -> Result<Value, Wrong> { Ok(machine.json("ls -j --filter name=web")?[0]["Containers"].take()) };
    machine.ok("connect web blue")?;
    machine.ok("connect web green")?;
    // By another runtime.
    machine.ok("cni add web red --container-id 0c2c61d2e1bd")?;
    assert_eq!(count()?, 3);
    machine.sh("ip netns delete blue")?;
    assert_eq!(count()?, 2);
    machine.sh("ip -n green link delete eth0")?;
    assert_eq!(count()?, 1);
    machine.ok("cni del web red --container-id 0c2c61d2e1bd")?;
    assert_eq!(count()?, 0);
    Ok(())
}

#[test]
fn a_broken_daemon_json_is_told_of_and_takes_nothing_but_its_network() -> Test {
    let machine = Machine::new("daemon")?;
    machine.0.write_file("/etc/netctl/daemon.json", r#"{"bip": "172.20.0.0/16"}"#)?;
    let outcome = machine.netctl("ls -q --no-trunc -f type=builtin");
    assert!(
        outcome
            .stderr()
            .starts_with("warning: use /etc/netctl/daemon.json\n  because: bip: \"172.20.0.0/16\""),
        "{outcome}"
    );
    assert_eq!(outcome.ok()?.lines().count(), 2);
    assert_eq!(machine.listed("")?, ["host", "none"]);
    machine.0.write_file("/etc/netctl/daemon.json", r#"{"bridge": "none"}"#)?;
    assert_eq!(machine.quietly("ls -q")?.lines().count(), 2);
    Ok(())
}

#[test]
fn a_file_called_bridge_stands_for_it() -> Test {
    let machine = Machine::new("stands")?;
    let plugin =
        json!({"type": "bridge", "bridge": "br7", "ipam": {"type": "host-local", "subnet": "10.7.0.0/24"}});
    machine.has_file(
        "10-bridge.conflist",
        &json!({"cniVersion": "1.0.0", "name": "bridge", "plugins": [plugin]}),
    )?;
    let rows = machine.json("ls -j --filter name=bridge")?;
    assert_eq!(
        (&rows[0]["Subnets"], &rows[0]["File"]),
        (&json!(["10.7.0.0/24"]), &"/etc/cni/net.d/10-bridge.conflist".into())
    );
    assert_eq!(machine.listed("-f type=builtin")?, ["host", "none"]);
    Ok(())
}

#[test]
fn what_others_wrote_does_nothing_to_the_terminal() -> Test {
    let machine = Machine::new("escape")?;
    let ipam = json!({"type": "host-local", "subnet": "10.7.0.0/24"});
    let list = json!({"cniVersion": "1.0.0", "name": "evil", "plugins": [{"type": "\u{1b}[31mred\u{7}\n", "ipam": ipam}]});
    machine.has_file("50-evil.conflist", &list)?;
    machine.sh("printf '{}' >\"$(printf '/etc/cni/net.d/51-\\033[31mevil\\nx.conflist')\"")?;
    let outcome = machine.netctl("ls");
    assert!(
        outcome.stdout().contains("   evil     \\u{1b}[31mred\\u{7}\\n   10.7.0.0/24     0\n"),
        "{outcome}"
    );
    assert!(
        outcome
            .stderr()
            .starts_with("warning: use /etc/cni/net.d/51-\\u{1b}[31mevil\n    x.conflist\n  because: "),
        "{outcome}"
    );
    assert_eq!(outcome.ok()?.lines().count(), 5);
    Ok(())
}

#[test]
fn whoever_reads_no_further_is_no_failure() -> Test {
    let machine = Machine::new("pipe")?;
    let outcome = machine.0.sh(&format!("{NETCTL} ls | head -1"));
    assert_eq!(outcome.stderr(), "");
    assert!(outcome.ok()?.starts_with("NETWORK ID"));
    let full = netctl("ls").under(["sh", "-c", "exec \"$@\" >/dev/full", "sh"]).run(&machine.0);
    assert_eq!(full.code(), Some(1));
    assert!(full.stderr().starts_with("error: write to standard output\n  because: No space left"), "{full}");
    Ok(())
}
