//! `netctl cni`: whole conflists against namespaces, with our plugins and with others'.

use lab::traffic::{Transport, ask, serve};
use lab::{Call, Neighbour, Outcome, Place};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::time::Duration;
use tests::config::{BRIDGE, dual, v4, with};
use tests::facts::{addresses, link, links, pings};
use tests::{Allowed, Before, PluginFolder, Stage, Test, programs};

/// A call of `netctl cni` on the host.
struct Netctl<'a> {
    stage: &'a Stage,
    call: Call,
}

impl<'a> Netctl<'a> {
    fn new(stage: &'a Stage, words: &str) -> Result<Self, programs::Error> {
        let call = Call::new([programs::find("netctl")?]).arg("cni");
        Ok(Self { stage, call: words.split_whitespace().fold(call, Call::arg) })
    }

    fn with(self, words: &[&str]) -> Self {
        Self { call: words.iter().fold(self.call, Call::arg), ..self }
    }

    /// With executables from a folder instead of netctl's own.
    fn plugins(self, folder: &PluginFolder) -> Self {
        Self { call: self.call.arg("--plugin-dir").arg(folder.path()), ..self }
    }

    fn run(&self) -> Outcome {
        self.call.run(self.stage.host())
    }

    fn result(&self) -> Result<Value, Box<dyn std::error::Error>> {
        Ok(serde_json::from_str(&self.run().ok()?)?)
    }
}

/// A list of plugins, without the keys that the list has for them.
fn list(name: &str, version: &str, plugins: &[Value]) -> Value {
    let plugins: Vec<_> = plugins
        .iter()
        .map(|plugin| with(plugin.clone(), json!({"name": null, "cniVersion": null})))
        .collect();
    json!({"cniVersion": version, "name": name, "plugins": plugins})
}

fn write(stage: &Stage, file: &str, list: &Value) -> Test {
    Ok(stage.host().write_file(format!("/etc/cni/net.d/{file}"), list.to_string())?)
}

#[test]
fn a_life_in_process_and_by_executables_is_the_same() -> Test {
    let mut results = Vec::new();
    for executed in [false, true] {
        let stage = Stage::new("life")?;
        write(&stage, "10-net.conflist", &list("net", "1.1.0", &[with(dual(), json!({"ipMasq": true}))]))?;
        let web = stage.container("web")?;
        let before = Before::of(&stage)?;
        let netctl = |words: &str| {
            let netctl = Netctl::new(&stage, words);
            netctl.map(|netctl| if executed { netctl.plugins(stage.plugins()) } else { netctl })
        };
        let mut result = netctl("add net web")?.result()?;
        assert_eq!(addresses(&web, "eth0")?, ["10.1.0.2/24", "fd00:1::2/64"]);
        assert!(pings(&web, "fd00:1::1"));
        netctl("check net web")?.run().ok()?;
        netctl("status net")?.run().ok()?;
        netctl("del net web")?.run().ok()?;
        netctl("del net web")?.run().ok()?;
        let left = before.changes(Allowed::Network(BRIDGE))?;
        let left: Vec<_> = left.iter().filter(|line| !line.contains("/var/lib/cni/results folder")).collect();
        assert!(left.is_empty(), "{left:?}");
        netctl("gc net --all")?.run().ok()?;
        assert_eq!(links(stage.host())?, ["lo"]);
        result["interfaces"][0]["mac"].take();
        results.push(result);
    }
    assert_eq!(results[0], results[1]);
    Ok(())
}

#[test]
fn the_result_is_kept_in_libcnis_form() -> Test {
    let stage = Stage::new("cache")?;
    let conflist = list("net", "1.0.0", &[with(v4(), json!({"capabilities": {"mac": true, "ips": true}}))]);
    write(&stage, "10-net.conflist", &conflist)?;
    stage.container("web")?;
    let words = "add net web --container-id c1 --ifname eth3 --args K8S_POD_NAME=web;IgnoreUnknown=1";
    let add = Netctl::new(&stage, words)?
        .with(&["--capability-args", r#"{"mac":"02:00:00:00:00:07","portMappings":[]}"#]);
    let result = add.result()?;
    assert_eq!(result["cniVersion"], "1.0.0");
    assert_eq!(result["interfaces"][2]["mac"], "02:00:00:00:00:07");
    let said = stage
        .host()
        .sh("cd /var/lib/cni; stat -c '%n %a' results results/*; wc -l <results/net-c1-eth3")
        .ok()?;
    assert_eq!(said, "results 700\nresults/net-c1-eth3 600\n0\n");
    let kept: Value = serde_json::from_str(&stage.host().read_file("/var/lib/cni/results/net-c1-eth3")?)?;
    let config = stage.host().sh("base64 -w0 /etc/cni/net.d/10-net.conflist").ok()?;
    let expected = json!({
        "kind": "cniCacheV1",
        "containerId": "c1",
        "config": config,
        "ifName": "eth3",
        "networkName": "net",
        "netns": "/run/netns/web",
        "cniArgs": [["K8S_POD_NAME", "web"], ["IgnoreUnknown", "1"]],
        "capabilityArgs": {"mac": "02:00:00:00:00:07", "portMappings": []},
        "result": result,
    });
    // The folder of namespaces may be called /var/run/netns as well as /run/netns.
    let kept =
        with(kept.clone(), json!({"netns": tests::facts::plain(&kept["netns"]).replace("/var/run", "/run")}));
    let sandbox = |mut document: Value| {
        if let Some(path) = document.pointer_mut("/result/interfaces/2/sandbox") {
            *path = tests::facts::plain(path).replace("/var/run", "/run").into();
        }
        document
    };
    assert_eq!(sandbox(kept), sandbox(expected));
    Netctl::new(&stage, "del net web --container-id c1 --ifname eth3")?.run().ok()?;
    assert_eq!(stage.host().run(["ls", "/var/lib/cni/results"]).ok()?, "");
    Ok(())
}

#[test]
fn a_container_without_an_id_has_cnitools() -> Test {
    let stage = Stage::new("cnitool")?;
    write(&stage, "10-net.conflist", &list("net", "1.0.0", &[v4()]))?;
    let web = stage.container("web")?;
    Netctl::new(&stage, "add net /run/netns/web")?.run().ok()?;
    let hash = stage.host().sh("printf /run/netns/web | sha512sum | cut -c1-20").ok()?;
    let lease = stage.host().read_file("/var/lib/cni/networks/net/10.1.0.2")?;
    assert_eq!(lease, format!("cnitool-{}\r\neth0", hash.trim()));
    web.vanish(&stage)?;
    Netctl::new(&stage, "del net /run/netns/web")?.run().ok()?;
    stage.host().sh("test ! -e /var/lib/cni/networks/net/10.1.0.2").ok()?;
    Ok(())
}

/// Plugins of others that write down what they are asked.
fn scribes(names: &[&str]) -> Result<PluginFolder, tests::folder::Error> {
    let plugins = PluginFolder::ours()?;
    for name in names {
        let script = format!(
            r#"input=$(cat); echo "$CNI_COMMAND {name}" >>/run/log; printf %s "$input" >/run/{name}.$CNI_COMMAND
            [ ! -e /run/{name}.fails ] || {{ echo '{{"code":123,"msg":"{name} is tired","details":"wake it"}}'; exit 1; }}
            [ $CNI_COMMAND != ADD ] || echo '{{"cniVersion":"1.1.0","ips":[{{"address":"10.7.0.1/24"}}]}}'
            [ $CNI_COMMAND != VERSION ] || echo '{{"cniVersion":"1.1.0","supportedVersions":["1.0.0","1.1.0","9.0.0"]}}'"#
        );
        plugins.script(name, &script)?;
    }
    Ok(plugins)
}

fn log(stage: &Stage) -> Result<Vec<String>, Box<dyn std::error::Error>> {
    let text = stage.host().sh("cat /run/log; rm /run/log").ok()?;
    Ok(text.lines().map(str::to_owned).collect())
}

fn asked(stage: &Stage, file: &str) -> Result<Value, Box<dyn std::error::Error>> {
    Ok(serde_json::from_str(&stage.host().read_file(format!("/run/{file}"))?)?)
}

#[test]
fn plugins_are_called_in_order_and_taken_back_in_reverse() -> Test {
    let stage = Stage::with("order", scribes(&["one", "two", "three"])?)?;
    let plugins =
        ["one", "two", "three"].map(|kind| json!({"type": kind, "capabilities": {"mac": kind == "two"}}));
    write(&stage, "10-net.conflist", &list("net", "1.1.0", &plugins))?;
    stage.container("web")?;
    let netctl = |words: &str| Netctl::new(&stage, words).map(|netctl| netctl.plugins(stage.plugins()));
    let capabilities = ["--capability-args", r#"{"mac":"02:00:00:00:00:07","ips":["10.7.0.9"]}"#];
    let result = netctl("add net web")?.with(&capabilities).result()?;
    assert_eq!(log(&stage)?, ["ADD one", "ADD two", "ADD three"]);
    assert!(asked(&stage, "one.ADD")?.get("prevResult").is_none());
    assert!(asked(&stage, "one.ADD")?.get("runtimeConfig").is_none());
    assert_eq!(asked(&stage, "two.ADD")?["prevResult"], result);
    assert_eq!(asked(&stage, "two.ADD")?["runtimeConfig"], json!({"mac": "02:00:00:00:00:07"}));
    assert_eq!(asked(&stage, "three.ADD")?["name"], "net");
    netctl("check net web")?.run().ok()?;
    assert_eq!(log(&stage)?, ["CHECK one", "CHECK two", "CHECK three"]);
    assert_eq!(asked(&stage, "one.CHECK")?["prevResult"], result);
    netctl("del net web")?.run().ok()?;
    assert_eq!(log(&stage)?, ["DEL three", "DEL two", "DEL one"]);
    assert_eq!(asked(&stage, "one.DEL")?["prevResult"], result);
    netctl("status net")?.run().ok()?;
    assert_eq!(log(&stage)?, ["STATUS one", "STATUS two", "STATUS three"]);
    netctl("gc net --valid web/eth0")?.run().ok()?;
    assert_eq!(log(&stage)?, ["GC one", "GC two", "GC three"]);
    let valid = json!([{"containerID": "web", "ifname": "eth0"}]);
    assert_eq!(asked(&stage, "one.GC")?["cni.dev/valid-attachments"], valid);
    let outcome = netctl("version net")?.run();
    for word in ["one", "two", "three", "9.0.0"] {
        assert!(outcome.stdout().contains(word), "{outcome}");
    }
    Ok(())
}

#[test]
fn a_chain_that_breaks_leaves_nothing() -> Test {
    for kind in ["fails", "is missing"] {
        let stage = Stage::with("break", scribes(&["first", "broken"])?)?;
        let chain = [
            with(dual(), json!({"ipMasq": true, "macspoofchk": true})),
            json!({"type": "first"}),
            json!({"type": "broken"}),
        ];
        write(&stage, "10-net.conflist", &list("net", "1.1.0", &chain))?;
        let web = stage.container("web")?;
        let before = Before::of(&stage)?;
        if kind == "fails" {
            stage.host().run(["touch", "/run/broken.fails"]).ok()?;
        } else {
            std::fs::remove_file(stage.plugins().file("broken"))?;
        }
        let add = Netctl::new(&stage, "add net web")?.plugins(stage.plugins());
        let outcome = add.run().refused()?;
        assert!(outcome.stderr().contains("broken"), "{outcome}");
        if kind == "fails" {
            assert!(
                outcome.stderr().contains("broken is tired") && outcome.stderr().contains("wake it"),
                "{outcome}"
            );
            assert_eq!(log(&stage)?, ["ADD first", "ADD broken", "DEL broken", "DEL first"]);
            let object: Value = serde_json::from_str(add.with(&["--json"]).run().refused()?.stdout())?;
            assert_eq!(object["code"], 123, "{object}");
        }
        assert_eq!(links(&web)?, ["lo"], "{kind}");
        let left = before.changes(Allowed::Network(BRIDGE))?;
        let known = ["/run/first", "/run/broken", "/run/log", "/var/lib/cni/results folder"];
        let left: Vec<_> =
            left.iter().filter(|line| !known.iter().any(|known| line.contains(known))).collect();
        assert!(left.is_empty(), "{kind}: {left:#?}");
    }
    Ok(())
}

#[test]
fn a_list_may_switch_check_and_gc_off() -> Test {
    let stage = Stage::with("off", scribes(&["one"])?)?;
    let keys = json!({"disableCheck": true, "disableGC": "True"});
    write(&stage, "10-net.conflist", &with(list("net", "1.1.0", &[json!({"type": "one"})]), keys))?;
    stage.container("web")?;
    let netctl = |words: &str| Netctl::new(&stage, words).map(|netctl| netctl.plugins(stage.plugins()));
    netctl("add net web")?.run().ok()?;
    netctl("check net web")?.run().ok()?;
    netctl("gc net --all")?.run().ok()?;
    netctl("del net web")?.run().ok()?;
    assert_eq!(log(&stage)?, ["ADD one", "DEL one"]);
    Ok(())
}

#[test]
fn plugins_in_the_networks_folder_follow_those_in_its_list() -> Test {
    let stage = Stage::with("folder", scribes(&["one", "two", "three"])?)?;
    let conflist = list("net", "1.1.0", &[json!({"type": "one"})]);
    write(&stage, "10-net.conflist", &conflist)?;
    write(&stage, "net/20.conf", &json!({"type": "three"}))?;
    write(&stage, "net/10.conf", &json!({"type": "two"}))?;
    write(&stage, "net/30.txt", &json!({"type": "nonsense"}))?;
    stage.container("web")?;
    let netctl = |words: &str| Netctl::new(&stage, words).map(|netctl| netctl.plugins(stage.plugins()));
    netctl("add net web")?.run().ok()?;
    assert_eq!(log(&stage)?, ["ADD one", "ADD two", "ADD three"]);
    netctl("del net web")?.run().ok()?;
    log(&stage)?;
    write(&stage, "10-net.conflist", &with(conflist, json!({"loadOnlyInlinedPlugins": true})))?;
    netctl("add net web")?.run().ok()?;
    assert_eq!(log(&stage)?, ["ADD one"]);
    Ok(())
}

#[test]
fn a_network_is_found_by_name_in_the_first_file_that_has_it() -> Test {
    let stage = Stage::new("files")?;
    write(&stage, "20-b.conflist", &list("net", "1.0.0", &[with(v4(), json!({"bridge": "second"}))]))?;
    write(&stage, "10-a.conflist", &list("net", "1.0.0", &[with(v4(), json!({"bridge": "first"}))]))?;
    write(&stage, "30-c.conf", &with(v4(), json!({"name": "single", "bridge": "third"})))?;
    stage.host().write_file("/etc/cni/net.d/00-broken.conflist", "{")?;
    stage.containers("c", 2)?;
    assert_eq!(Netctl::new(&stage, "add net c0")?.result()?["interfaces"][0]["name"], "first");
    assert_eq!(Netctl::new(&stage, "add single c1")?.result()?["interfaces"][0]["name"], "third");
    let outcome = Netctl::new(&stage, "add nett c0")?.run().refused()?;
    assert!(outcome.stderr().contains("nett") && outcome.stderr().contains("net"), "{outcome}");
    Ok(())
}

#[test]
fn an_attachment_outlives_its_networks_file() -> Test {
    let stage = Stage::new("outlives")?;
    write(&stage, "10-net.conflist", &list("net", "1.0.0", &[with(v4(), json!({"ipMasq": true}))]))?;
    let web = stage.container("web")?;
    Netctl::new(&stage, "add net web")?.run().ok()?;
    stage.host().run(["rm", "/etc/cni/net.d/10-net.conflist"]).ok()?;
    Netctl::new(&stage, "del net web")?.run().ok()?;
    assert_eq!(links(&web)?, ["lo"]);
    assert_eq!(stage.host().run(["ls", "/var/lib/cni/results"]).ok()?, "");
    Ok(())
}

#[test]
fn gc_takes_what_the_cache_knows_and_is_not_valid() -> Test {
    let stage = Stage::new("gc")?;
    // A version without GC: what is in the cache gets its DEL all the same.
    write(&stage, "10-net.conflist", &list("net", "1.0.0", &[with(v4(), json!({"ipMasq": true}))]))?;
    let containers = stage.containers("c", 3)?;
    for container in &containers {
        let words = format!("add net {0} --container-id {0}", container.id());
        Netctl::new(&stage, &words)?.run().ok()?;
    }
    containers[0].vanish(&stage)?;
    drop(Netctl::new(&stage, "gc net")?.run().refused()?);
    Netctl::new(&stage, "gc net --valid c1/eth0")?.run().ok()?;
    assert!(pings(&containers[1], "10.1.0.1"));
    assert_eq!(links(&containers[2])?, ["lo"]);
    assert_eq!(stage.host().run(["ls", "/var/lib/cni/results"]).ok()?, "net-c1-eth0\n");
    assert_eq!(stage.host().sh("ls /var/lib/cni/networks/net | grep ^10").ok()?, "10.1.0.3\n");
    Ok(())
}

#[test]
fn a_torn_result_does_not_stop_del() -> Test {
    let stage = Stage::new("torn")?;
    write(&stage, "10-net.conflist", &list("net", "1.0.0", &[with(v4(), json!({"ipMasq": true}))]))?;
    let web = stage.container("web")?;
    Netctl::new(&stage, "add net web --container-id web")?.run().ok()?;
    stage.host().sh("cd /var/lib/cni/results; head -c 30 net-web-eth0 >x; mv x net-web-eth0").ok()?;
    drop(Netctl::new(&stage, "check net web --container-id web")?.run().refused()?);
    Netctl::new(&stage, "del net web --container-id web")?.run().ok()?;
    assert_eq!(links(&web)?, ["lo"]);
    assert_eq!(stage.host().run(["ls", "/var/lib/cni/results"]).ok()?, "");
    Ok(())
}

/// The chain that a Kubernetes node has, with the reference's plugins behind our bridge.
fn node_list() -> Value {
    let chain = [
        with(v4(), json!({"ipMasq": true, "hairpinMode": true})),
        json!({"type": "portmap", "capabilities": {"portMappings": true}, "snat": true}),
        json!({"type": "firewall", "backend": ""}),
        json!({"type": "tuning", "sysctl": {"net.ipv4.conf.IFNAME.arp_filter": "1"}, "mtu": 1400}),
    ];
    list("net", "1.0.0", &chain)
}

#[test]
fn the_references_plugins_work_behind_ours() -> Test {
    for plugin in ["portmap", "firewall", "tuning"] {
        if programs::reference(plugin).is_none() {
            return Ok(());
        }
    }
    let stage = Stage::new("node")?;
    let outside = Neighbour::of(stage.host(), "outside")?;
    write(&stage, "10-net.conflist", &node_list())?;
    let web = stage.container("web")?;
    let ports = r#"{"portMappings":[{"hostPort":8080,"containerPort":80,"protocol":"tcp"}]}"#;
    let add = Netctl::new(&stage, "add net web --container-id web")?.with(&["--capability-args", ports]);
    let result = add.result()?;
    assert_eq!(result["ips"][0]["address"], "10.1.0.2/24");
    assert_eq!(link(&web, "eth0")?["mtu"], 1400, "by tuning");
    let _server = serve(&web, Transport::Tcp, "0.0.0.0:80".parse()?)?;
    let published = SocketAddr::new(outside.host_v4(), 8080);
    let seen = ask(&outside, Transport::Tcp, published, Duration::from_secs(5))?;
    assert_eq!(seen.ip(), outside.v4(), "by portmap");
    let server = SocketAddr::new(outside.v4(), 7000);
    let _outside = serve(&outside, Transport::Tcp, server)?;
    assert_eq!(
        ask(&web, Transport::Tcp, server, Duration::from_secs(5))?.ip(),
        outside.host_v4(),
        "by bridge"
    );
    let again = |verb: &str| Netctl::new(&stage, &format!("{verb} net web --container-id web"));
    // No CHECK: that of Debian's portmap looks for chains of both families, whatever addresses the container has.
    again("del")?.run().ok()?;
    assert_eq!(links(&web)?, ["lo"]);
    let rules = stage.host().run(["iptables-save"]).ok()?;
    assert!(!rules.contains("10.1.0.2"), "{rules}");
    Ok(())
}

#[test]
fn a_port_that_cannot_be_published_takes_the_whole_chain_back() -> Test {
    if programs::reference("portmap").is_none() || programs::reference("firewall").is_none() {
        return Ok(());
    }
    let stage = Stage::new("refused")?;
    write(&stage, "10-net.conflist", &node_list())?;
    let web = stage.container("web")?;
    let ports = r#"{"portMappings":[{"hostPort":8080,"containerPort":80,"protocol":"carrier-pigeon"}]}"#;
    let add = Netctl::new(&stage, "add net web --container-id web")?.with(&["--capability-args", ports]);
    let outcome = add.run().refused()?;
    assert!(outcome.stderr().contains("portmap"), "{outcome}");
    assert_eq!(links(&web)?, ["lo"]);
    assert_eq!(
        stage
            .host()
            .sh(
                "ls /var/lib/cni/results 2>/dev/null || true; ls /var/lib/cni/networks/net | grep ^10 || true"
            )
            .ok()?,
        ""
    );
    Ok(())
}
