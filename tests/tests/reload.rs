//! What somebody flushed is noticed by CHECK and put back by `netctl reload`, from the cache of whoever attached.

use lab::traffic::{Transport, ask, serve};
use lab::{Neighbour, Place};
use serde_json::{Value, json};
use std::time::Duration;
use tests::config::{dual, portmap, with};
use tests::facts::{addresses, link, pings, plain, ports, ruleset};
use tests::{Container, Stage, Surprise, Test, programs};

const WITHIN: Duration = Duration::from_secs(5);

/// A network with everything that a flush can take, as a conflist.
fn conflist(backend: &str) -> Value {
    let bridge = with(dual(), json!({"gatewayMode": "nat", "macspoofchk": true, "mtu": 1450}));
    let mut portmap = with(portmap(&[]), json!({"runtimeConfig": null}));
    if !backend.is_empty() {
        portmap["backend"] = json!(backend);
    }
    json!({"cniVersion": "1.1.0", "name": "net", "plugins": [bridge, portmap]})
}

/// `netctl` on the stage's host.
fn netctl(stage: &Stage, words: &[&str]) -> Result<lab::Outcome, Box<dyn std::error::Error>> {
    let mut call = lab::Call::new([programs::find("netctl")?]);
    for word in words {
        call = call.arg(*word);
    }
    Ok(call.run(stage.host()))
}

fn attach(stage: &Stage, backend: &str, name: &str, port: u16) -> Test {
    stage.host().write_file("/etc/cni/net.d/net.conflist", conflist(backend).to_string())?;
    let ports = json!({"portMappings": [
        {"hostPort": port, "containerPort": 80, "protocol": "tcp"},
        {"hostPort": port, "containerPort": 80, "protocol": "udp"},
    ]});
    let words = ["cni", "add", "net", name, "--container-id", name, "--capability-args", &ports.to_string()];
    netctl(stage, &words)?.ok()?;
    Ok(())
}

/// The lines of a ruleset: which of two tables was made first does not matter.
fn sorted(ruleset: &str) -> Vec<String> {
    let mut lines: Vec<_> = ruleset.lines().map(str::to_owned).collect();
    lines.sort_unstable();
    lines
}

fn live(backend: &str, flushes: &[&str]) -> Test {
    let stage = Stage::new("reload")?;
    let outside = Neighbour::of(stage.host(), "outside")?;
    let web = stage.container("web")?;
    let _servers =
        [serve(&web, Transport::Tcp, "[::]:80".parse()?)?, serve(&web, Transport::Udp, "[::]:80".parse()?)?];
    attach(&stage, backend, "web", 8080)?;
    let reach = || {
        ask(&outside, Transport::Tcp, "10.99.0.1:8080".parse()?, WITHIN)
            .map_err(Box::<dyn std::error::Error>::from)
    };
    let check = || netctl(&stage, &["cni", "check", "net", "web", "--container-id", "web"]);
    assert_eq!(reach()?.ip(), outside.v4());
    check()?.ok()?;
    let whole = sorted(&ruleset(stage.host())?);
    for flush in flushes {
        stage.host().sh(flush).ok()?;
        let noticed = check()?;
        assert!(!noticed.succeeded(), "{flush}");
        // Once for the rules and once for nothing: what is in place is left alone.
        let said = netctl(&stage, &["reload"])?.ok()?;
        assert_eq!(said, "net/web/eth0: put back\n", "{flush}");
        check()?.ok()?;
        assert_eq!(reach()?.ip(), outside.v4(), "{flush}");
        assert_eq!(netctl(&stage, &["reload"])?.ok()?, "net/web/eth0: as it was\n");
        if backend.is_empty() {
            assert_eq!(sorted(&ruleset(stage.host())?), whole, "{flush}");
        }
    }
    Ok(())
}

#[test]
fn everything_comes_back_after_a_flush() -> Test {
    let flushes = [
        "nft flush ruleset",
        "nft delete table inet netctl",
        "nft flush table inet netctl",
        "nft flush map inet netctl ports4",
        "nft flush set inet netctl guarded",
        "nft flush chain inet netctl forward",
        "nft delete table bridge netctl",
        "echo 0 >/proc/sys/net/ipv4/conf/br0/route_localnet",
    ];
    live("", &flushes)
}

#[test]
fn what_iptables_flushed_comes_back_too() -> Test {
    live("iptables", &["iptables -t nat -F; ip6tables -t nat -F"])
}

#[test]
fn the_next_add_puts_the_rules_back_and_reload_everybody_s_elements() -> Test {
    let stage = Stage::new("next")?;
    let [one, two] = [stage.container("one")?, stage.container("two")?];
    attach(&stage, "", "one", 8001)?;
    stage.host().sh("nft flush ruleset").ok()?;
    attach(&stage, "", "two", 8002)?;
    let _servers =
        [serve(&one, Transport::Tcp, "[::]:80".parse()?)?, serve(&two, Transport::Tcp, "[::]:80".parse()?)?];
    let reach = |port: u16| {
        ask(stage.host(), Transport::Tcp, format!("127.0.0.1:{port}").parse()?, WITHIN)
            .map_err(Box::<dyn std::error::Error>::from)
    };
    assert!(reach(8002).is_ok());
    assert!(reach(8001).is_err());
    let said = netctl(&stage, &["reload", "--json"])?.ok()?;
    let rows: Vec<Value> =
        serde_json::from_str(&said).map_err(|error| Surprise::new(error.to_string(), &said))?;
    let outcomes: Vec<_> =
        rows.iter().map(|row| (row["container"].as_str(), row["outcome"].as_str())).collect();
    assert_eq!(outcomes, [(Some("one"), Some("put back")), (Some("two"), Some("as it was"))]);
    assert!(reach(8001).is_ok());
    Ok(())
}

#[test]
fn who_is_gone_is_left_to_del_and_who_lost_his_port_is_told() -> Test {
    let stage = Stage::new("gone")?;
    let (gone, web) = (stage.container("gone")?, stage.container("web")?);
    attach(&stage, "", "gone", 8001)?;
    attach(&stage, "", "web", 8002)?;
    gone.vanish(&stage)?;
    // Another namespace of the same name is not the container.
    let _other = stage.container("gone")?;
    stage.host().sh("nft flush ruleset").ok()?;
    let _server = serve(stage.host(), Transport::Tcp, "0.0.0.0:8002".parse()?)?;
    let outcome = netctl(&stage, &["reload"])?;
    assert_eq!(outcome.code(), Some(1), "{outcome}");
    assert_eq!(outcome.stdout(), "net/gone/eth0: gone\nnet/web/eth0: failed\n");
    assert!(outcome.stderr().contains("lab-probe (process "), "{outcome}");
    assert!(!ruleset(stage.host())?.contains("8001"));
    drop(web);
    assert_eq!(netctl(&stage, &["reload", "othernet"])?.ok()?, "");
    Ok(())
}

#[test]
fn a_runtime_that_does_not_note_the_namespace_gets_everything_back_as_well() -> Test {
    let stage = Stage::new("not-noted")?;
    let (web, gone) = (stage.container("web")?, stage.container("gone")?);
    attach(&stage, "", "gone", 8001)?;
    attach(&stage, "", "web", 8002)?;
    gone.vanish(&stage)?;
    stage.host().sh(r#"sed -i 's/"netns":"[^"]*",//' /var/lib/cni/results/*; nft flush ruleset"#).ok()?;
    assert!(!stage.host().sh("cat /var/lib/cni/results/*").ok()?.contains("netns\":"));
    assert_eq!(netctl(&stage, &["reload"])?.ok()?, "net/gone/eth0: gone\nnet/web/eth0: put back\n");
    let _server = serve(&web, Transport::Tcp, "[::]:80".parse()?)?;
    assert!(ask(stage.host(), Transport::Tcp, "127.0.0.1:8002".parse()?, WITHIN).is_ok());
    Ok(())
}

/// A network with two containers of which one publishes a port, and a client outside.
struct Wired {
    stage: Stage,
    outside: Neighbour,
    containers: [Container; 2],
    /// The bridge's MAC address as everybody knows it.
    mac: String,
    _server: lab::Background,
}

impl Wired {
    fn new(name: &str) -> Result<Self, Box<dyn std::error::Error>> {
        let stage = Stage::new(name)?;
        let outside = Neighbour::of(stage.host(), "outside")?;
        let containers = [stage.container("db")?, stage.container("web")?];
        attach(&stage, "", "db", 8081)?;
        attach(&stage, "", "web", 8080)?;
        let server = serve(&containers[1], Transport::Tcp, "[::]:80".parse()?)?;
        let mac = plain(&link(stage.host(), "br0")?["address"]);
        Ok(Self { stage, outside, containers, mac, _server: server })
    }

    /// Whether the port of `web` answers outside and to the host itself.
    fn serves(&self) -> Result<bool, std::net::AddrParseError> {
        let (outside, host) = ("10.99.0.1:8080".parse()?, "127.0.0.1:8080".parse()?);
        Ok(ask(&self.outside, Transport::Tcp, outside, WITHIN).is_ok()
            && ask(self.stage.host(), Transport::Tcp, host, WITHIN).is_ok())
    }

    fn check(&self, name: &str) -> Result<lab::Outcome, Box<dyn std::error::Error>> {
        netctl(&self.stage, &["cni", "check", "net", name, "--container-id", name])
    }

    /// Everything is as after ADD.
    #[track_caller]
    fn assert_whole(&self, context: &str) -> Test {
        for container in &self.containers {
            assert!(pings(container, "10.1.0.1") && pings(container, "fd00:1::1"), "{context}");
            self.check(container.id())?.ok()?;
        }
        assert!(pings(&self.containers[0], "10.1.0.3"), "{context}");
        assert!(self.serves()?, "{context}");
        let bridge = link(self.stage.host(), "br0")?;
        assert_eq!(
            (plain(&bridge["address"]), &bridge["mtu"]),
            (self.mac.clone(), &json!(1450)),
            "{context}"
        );
        assert_eq!(addresses(self.stage.host(), "br0")?, ["10.1.0.1/24", "fd00:1::1/64"], "{context}");
        assert_eq!(netctl(&self.stage, &["reload"])?.ok()?, AS_IT_WAS, "{context}");
        Ok(())
    }
}

const AS_IT_WAS: &str = "net/db/eth0: as it was\nnet/web/eth0: as it was\n";

#[test]
fn the_wires_come_back_whoever_cut_them() -> Test {
    let wired = Wired::new("wires")?;
    wired.assert_whole("in the beginning")?;
    let port = &ports(wired.stage.host(), "br0")?[1];
    for (cut, said) in [
        ("ip link del br0".to_owned(), "net/db/eth0: put back\nnet/web/eth0: put back\n"),
        ("ip addr flush dev br0".to_owned(), "net/db/eth0: put back\nnet/web/eth0: as it was\n"),
        ("ip link set br0 down".to_owned(), "net/db/eth0: put back\nnet/web/eth0: as it was\n"),
        (format!("ip link set {port} nomaster"), "net/db/eth0: as it was\nnet/web/eth0: put back\n"),
        (format!("ip link set {port} down"), "net/db/eth0: as it was\nnet/web/eth0: put back\n"),
    ] {
        wired.stage.host().sh(&cut).ok()?;
        // Nobody asks for the gateway meanwhile: who asked in vain once would not be answered for a second or two.
        assert_eq!(netctl(&wired.stage, &["reload"])?.ok()?, said, "{cut}");
        wired.assert_whole(&cut)?;
    }
    Ok(())
}

#[test]
fn who_comes_to_a_bridge_that_is_made_anew_finds_the_address_that_the_others_know() -> Test {
    let wired = Wired::new("anew")?;
    wired.stage.host().sh("ip link del br0").ok()?;
    let third = wired.stage.container("third")?;
    attach(&wired.stage, "", "third", 8083)?;
    let said = netctl(&wired.stage, &["reload"])?.ok()?;
    assert_eq!(said, "net/db/eth0: put back\nnet/third/eth0: as it was\nnet/web/eth0: put back\n");
    wired.check("third")?.ok()?;
    assert!(pings(&third, "10.1.0.3"));
    netctl(&wired.stage, &["cni", "del", "net", "third", "--container-id", "third"])?.ok()?;
    wired.assert_whole("with a third")
}

#[test]
fn an_address_of_somebody_else_in_the_way_is_told_and_keeps_no_rule_from_coming_back() -> Test {
    let wired = Wired::new("way")?;
    let taken = "ip addr flush dev br0; ip addr add 10.7.0.1/24 dev br0; nft flush ruleset";
    wired.stage.host().sh(taken).ok()?;
    let outcome = netctl(&wired.stage, &["reload"])?;
    assert_eq!(outcome.code(), Some(1), "{outcome}");
    assert!(
        outcome.stderr().contains("give bridge br0 the address 10.1.0.1/24: it already has 10.7.0.1/24"),
        "{outcome}"
    );
    let rules = ruleset(wired.stage.host())?;
    assert!(rules.contains("\"br0\" . 10.1.0.0/24"), "the masquerade: {rules}");
    wired.stage.host().sh("ip addr del 10.7.0.1/24 dev br0").ok()?;
    netctl(&wired.stage, &["reload"])?.ok()?;
    wired.assert_whole("once it is gone")
}
