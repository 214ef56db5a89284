//! The tour that `make demo` gives: the main job on real input, in a private host.
//!
//! A conflist as operators have it goes in; two namespaces are attached, reach each other and a neighbour outside,
//! are checked and detached; and nothing is left. Everything happens in namespaces made for it.

mod stage;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use lab::{Except, Host, Neighbour, Snapshot, Topic};

use stage::Stage;

const CONFLIST: &str = include_str!("mynet.conflist");
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
    let host = Host::new("demo")?;
    let outside = Neighbour::of(&host, "outside")?;
    let stage = Stage::new(&host);

    stage.say("A private host, and a neighbour outside that knows no way back to containers");
    stage.show(["ip", "-brief", "address"])?;
    install(&stage, &programs)?;
    let before = Snapshot::take(&host)?;

    attach(&stage)?;
    talk(&stage, &outside)?;
    detach(&stage)?;
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
    for name in ["blue", "green"] {
        stage.show(["netctl", "cni", "add", "mynet", name, "--plugin-dir", "/opt/cni/bin"])?;
    }
    stage.say("What the container sees, and what the host sees");
    stage.show(["netctl", "netns", "exec", "blue", "ip", "-brief", "address"])?;
    stage.show(["netctl", "netns", "exec", "blue", "ip", "route"])?;
    stage.show(["ip", "link", "show", "master", "cni0"])?;
    stage.show(["nft", "list", "table", "inet", "netctl"])
}

fn talk(stage: &Stage<'_>, outside: &Neighbour) -> Result<(), Box<dyn Error>> {
    stage.say("Between the two, IPv4 and IPv6");
    stage.show(["netctl", "netns", "exec", "blue", "ping", "-c1", "-W2", "10.22.0.3"])?;
    stage.show(["netctl", "netns", "exec", "blue", "ping", "-c1", "-W2", "fd00:22::3"])?;
    stage.say("To the neighbour outside: it answers the host's address, for the network is masqueraded");
    let (v4, v6) = (outside.v4().to_string(), outside.v6().to_string());
    stage.show(["netctl", "netns", "exec", "green", "ping", "-c1", "-W2", v4.as_str()])?;
    stage.show(["netctl", "netns", "exec", "green", "ping", "-c1", "-W2", v6.as_str()])?;
    stage.say("CHECK: all is as ADD made it; then a hand breaks it, and CHECK says what is wrong");
    let check = ["netctl", "cni", "check", "mynet", "blue", "--plugin-dir", "/opt/cni/bin"];
    stage.show(check)?;
    stage.show(["ip", "-n", "blue", "address", "delete", "10.22.0.2/16", "dev", "eth0"])?;
    stage.show_refused(check)
}

fn detach(stage: &Stage<'_>) -> Result<(), Box<dyn Error>> {
    stage.say("DEL, once with the namespace there, once with it gone; and once more, which is fine");
    stage.show(["netctl", "cni", "del", "mynet", "blue", "--plugin-dir", "/opt/cni/bin"])?;
    stage.show(["netctl", "netns", "delete", "blue", "green"])?;
    let gone = ["netctl", "cni", "del", "mynet", "/run/netns/green", "--plugin-dir", "/opt/cni/bin"];
    stage.show(gone)?;
    stage.show(gone)?;
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
