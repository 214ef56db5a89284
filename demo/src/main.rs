//! The tour that `make demo` gives: the main job on real input, in a private host.
//!
//! A conflist as operators have it goes in; two namespaces are attached, reach each other and a neighbour outside,
//! one publishes a port that survives a flush of the firewall, both are checked and detached. Then the same in Docker's
//! words: a named network, joined, cut, put back, removed; containers in every network mode; and nothing is left.
//! Everything happens in namespaces made for it.

mod containers;
mod named;
mod stage;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use lab::traffic::{self, Transport};
use lab::{Except, Host, Namespace, Neighbour, Snapshot, Topic};

use stage::Stage;

const CONFLIST: &str = include_str!("mynet.conflist");
/// What a runtime hands over as `runtimeConfig` to the plugins that declare the capability.
const PORTS: &str = r#"{"portMappings":[{"hostPort":8080,"containerPort":80,"protocol":"tcp"}]}"#;
/// What stays on purpose: the network's lock and the addresses last leased (the next lease goes on from there); the
/// right to forward that the network switched on, with what the kernel changes along; the folders.
const STAYS: [(Topic, &str); 9] = [
    (Topic::File, "lock"),
    (Topic::File, "last_reserved_ip"),
    (Topic::File, "folder"),
    (Topic::File, "/run/netctl"),
    (Topic::Sysctl, "forward"),
    (Topic::Sysctl, "accept_redirects"),
    (Topic::Route, "anycast"),
    (Topic::File, "/run/netns"),
    (Topic::Mount, "/run/netns"),
];

fn main() -> ExitCode {
    match tour() {
        Ok(left) if left.is_empty() => {
            println!(
                "\nNothing is left: links, addresses, routes, rules, leases, mounts and processes are as before."
            );
            ExitCode::SUCCESS
        }
        Ok(left) => {
            println!("\nThis is left behind:\n  {}", left.join("\n  "));
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("\nThe demo failed: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Shows everything; returns what is left behind.
fn tour() -> Result<Vec<String>, Box<dyn Error>> {
    let programs = programs()?;
    let mut host = Host::new("demo")?;
    host.own_control_groups()?;
    let outside = Neighbour::of(&host, "outside")?;
    let stage = Stage::new(&host);

    stage.say("A private host, and a neighbour outside that knows no way back to containers");
    stage.show(["ip", "-brief", "address"])?;
    install(&stage, &programs)?;
    let before = Snapshot::take(&host)?;

    attach(&stage)?;
    talk(&stage, &outside)?;
    publish(&stage, &host, &outside)?;
    check(&stage)?;
    detach(&stage)?;
    named::show(&stage)?;
    containers::show(&stage, &outside)?;
    let stays = STAYS.map(|(topic, text)| Except::Text(topic, text));
    Ok(before.left_behind(&host, &stays)?)
}

fn install(stage: &Stage<'_>, programs: &Path) -> Result<(), Box<dyn Error>> {
    stage.say("The programs go where runtimes look for them");
    let netctl = programs.join("netctl").to_string_lossy().into_owned();
    stage.show([netctl.as_str(), "install"])?;
    stage.show(["ls", "-l", "/opt/cni/bin"])
}

fn attach(stage: &Stage<'_>) -> Result<(), Box<dyn Error>> {
    stage.say("A conflist in, as it is used with the reference plugins");
    stage.write("/etc/cni/net.d/10-mynet.conflist", CONFLIST)?;
    stage.show(["cat", "/etc/cni/net.d/10-mynet.conflist"])?;
    stage.say("Two namespaces, which `ip netns` sees as well");
    stage.show(["netctl", "netns", "add", "blue"])?;
    stage.show(["netctl", "netns", "add", "green"])?;
    stage.show(["ip", "netns", "list"])?;
    stage.say("ADD, by the executables in /opt/cni/bin as a runtime calls them");
    stage.show(cni("add", "green"))?;
    stage.say("ADD of a container that publishes a port: 8080 of the host is 80 of the container");
    stage.show(add_with_port("blue"))?;
    stage.say("What the container sees, and what the host sees");
    stage.show(["netctl", "netns", "exec", "blue", "ip", "-brief", "address"])?;
    stage.show(["netctl", "netns", "exec", "blue", "ip", "route"])?;
    stage.show(["ip", "link", "show", "master", "cni0"])?;
    stage.say(
        "The firewall's rules are the same everywhere; a network and a port are elements with their owner",
    );
    stage.show(["nft", "list", "set", "inet", "netctl", "masquerade4"])?;
    stage.show(["nft", "list", "map", "inet", "netctl", "ports4"])
}

fn talk(stage: &Stage<'_>, outside: &Neighbour) -> Result<(), Box<dyn Error>> {
    stage.say("Between the two, IPv4 and IPv6");
    stage.show(["netctl", "netns", "exec", "blue", "ping", "-c1", "-W2", "10.22.0.2"])?;
    stage.show(["netctl", "netns", "exec", "blue", "ping", "-c1", "-W2", "fd00:22::2"])?;
    stage.say("To the neighbour outside: it answers the host's address, for the network is masqueraded");
    let (v4, v6) = (outside.v4().to_string(), outside.v6().to_string());
    stage.show(["netctl", "netns", "exec", "green", "ping", "-c1", "-W2", v4.as_str()])?;
    stage.show(["netctl", "netns", "exec", "green", "ping", "-c1", "-W2", v6.as_str()])
}

/// A verb for the container in a namespace, by the executables that a runtime would call.
fn cni<'a>(verb: &'a str, name: &'a str) -> [&'a str; 9] {
    ["netctl", "cni", verb, "mynet", name, "--container-id", name, "--plugin-dir", "/opt/cni/bin"]
}

/// The same for ADD of one that publishes a port.
fn add_with_port(name: &str) -> [&str; 11] {
    let own = "/opt/cni/bin";
    [
        "netctl",
        "cni",
        "add",
        "mynet",
        name,
        "--container-id",
        name,
        "--plugin-dir",
        own,
        "--capability-args",
        PORTS,
    ]
}

fn publish(stage: &Stage<'_>, host: &Host, outside: &Neighbour) -> Result<(), Box<dyn Error>> {
    let _server = traffic::serve(&Namespace::of(host, "blue"), Transport::Tcp, "[::]:80".parse()?)?;
    let v4 = format!("{}:8080", outside.host_v4());
    let v6 = format!("[{}]:8080", outside.host_v6());
    stage.say("A server in blue answers with the address of who asks: the neighbour is seen as who it is");
    stage.show_probe(outside, "outside", &v4)?;
    stage.show_probe(outside, "outside", &v6)?;
    stage.say("The host asks by 127.0.0.1");
    stage.show_probe(host, "host", "127.0.0.1:8080")?;
    stage.say("A third container wants the same port; it is told who has it, and leaves nothing");
    stage.show(["netctl", "netns", "add", "red"])?;
    stage.show_refused(add_with_port("red"))?;
    stage.show(["netctl", "netns", "delete", "red"])?;
    stage.say("Somebody flushes the firewall: CHECK says so, reload puts back what is missing");
    stage.show(["nft", "flush", "ruleset"])?;
    stage.show_refused(cni("check", "blue"))?;
    stage.show(["netctl", "reload"])?;
    stage.show(cni("check", "blue"))?;
    stage.show_probe(outside, "outside", &v4)
}

fn check(stage: &Stage<'_>) -> Result<(), Box<dyn Error>> {
    stage.say("A hand takes the container's address away, and CHECK says what is wrong");
    stage.show(["ip", "-n", "blue", "address", "delete", "10.22.0.3/16", "dev", "eth0"])?;
    stage.show_refused(cni("check", "blue"))
}

fn detach(stage: &Stage<'_>) -> Result<(), Box<dyn Error>> {
    stage.say("DEL, once with the namespace there, once with it gone; and once more, which is fine");
    stage.show(cni("del", "blue"))?;
    stage.show(["netctl", "netns", "delete", "blue", "green"])?;
    stage.show(cni("del", "green"))?;
    stage.show(cni("del", "green"))?;
    stage.say("GC with nothing valid takes the network's own things too: bridge and firewall table");
    stage.show(["netctl", "cni", "gc", "mynet", "--all", "--plugin-dir", "/opt/cni/bin"])?;
    stage.show(["ip", "-brief", "link"])?;
    stage.show(["nft", "list", "ruleset"])?;
    stage.remove("/etc/cni/net.d/10-mynet.conflist")
}

/// The folder with `netctl` and `netctl-cni`, which is the one that this program was built into.
fn programs() -> Result<PathBuf, Box<dyn Error>> {
    let here = std::env::current_exe()?;
    let folder = here.parent().ok_or("the demo has no folder")?.to_owned();
    match folder.join("netctl").is_file() && folder.join("netctl-cni").is_file() {
        true => Ok(folder),
        false => {
            Err(format!("no netctl and netctl-cni in {}: run `make build` first", folder.display()).into())
        }
    }
}
