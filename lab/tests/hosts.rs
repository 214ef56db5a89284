//! Hosts are private, live side by side, and leave nothing behind.

use lab::{Background, Call, Here, Host, Namespace, Neighbour, Place, Snapshot};
use std::error::Error;
use std::fs;
use std::io::{self, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

type Test = Result<(), Box<dyn Error>>;

#[test]
fn two_hosts_do_not_see_each_other() -> Test {
    let (one, other) = (Host::new("one")?, Host::new("other")?);
    one.sh("ip link add br0 type bridge; ip netns add c1; sleep 100 >/dev/null 2>&1 &").ok()?;
    one.write_file("/etc/cni/net.d/10-x.conflist", "{}")?;
    one.write_file("/etc/only-one", "yes")?;
    one.write_file("/var/lib/netctl/state", "yes")?;
    one.write_file("/opt/cni/bin/tool", "yes")?;
    let nothing = "ls /etc/only-one /etc/cni/net.d /var/lib/netctl /opt/cni/bin/tool /run/netns 2>/dev/null";
    assert_eq!(other.sh(&format!("{nothing} || true")).ok()?, "");
    assert!(!Path::new("/etc/only-one").exists() && !Path::new("/opt/cni/bin/tool").exists());
    assert_eq!(other.sh("ls /sys/class/net").ok()?, "lo\n");
    assert!(one.sh("ls /sys/class/net").ok()?.contains("br0"));
    assert!(!other.run(["ps", "ax"]).ok()?.contains("sleep 100"));
    assert_eq!(one.run(["hostname"]).ok()? + &other.run(["hostname"]).ok()?, "one\nother\n");
    assert_eq!(one.read_file("/etc/only-one")?, "yes");
    Ok(())
}

#[test]
fn a_fresh_host_is_like_a_fresh_debian() -> Test {
    let host = Host::new("fresh")?;
    assert_eq!(host.sh("cat /proc/sys/net/ipv4/ip_forward").ok()?, "0\n");
    assert!(host.run(["ip", "addr", "show", "lo"]).ok()?.contains("127.0.0.1/8"));
    host.sh("test ! -e /run/netns; test -d /usr/bin; test -d /sys/fs/cgroup; test -c /dev/null").ok()?;
    assert_eq!(host.read_file("/etc/resolv.conf")?, "nameserver 10.99.0.2\n");
    Ok(())
}

#[test]
fn a_dropped_host_takes_its_processes_and_mounts_with_it() -> Test {
    let mounts = || fs::read_to_string("/proc/self/mountinfo");
    let before = mounts()?;
    let host = Host::new("short-lived")?;
    let inside = Background::start(&host, &Call::new(["sh", "-c", "echo here; exec sleep 4711.1"]))?;
    inside.wait_for("here", Duration::from_secs(5))?;
    host.sh("setsid sleep 4711.1 >/dev/null 2>&1 & mount -t tmpfs x /mnt").ok()?;
    let pid = host.pid();
    wait_for_processes("sleep\u{0}4711.1", 2)?;
    drop(host);
    assert_eq!(processes_with("sleep\u{0}4711.1")?, 0);
    assert!(!Path::new(&format!("/proc/{pid}")).exists());
    assert_eq!(mounts()?, before);
    Ok(())
}

#[test]
fn a_host_ends_when_its_maker_is_killed() -> Test {
    if std::env::var_os("LAB_MAKER").is_some() {
        let host = Host::new("orphan")?;
        host.sh("sleep 4711.2 >/dev/null 2>&1 &").ok()?;
        println!("pid={}.", host.pid());
        loop {
            thread::park();
        }
    }
    let this_test = ["--exact", "a_host_ends_when_its_maker_is_killed", "--nocapture"];
    let mut maker = Command::new(std::env::current_exe()?)
        .args(this_test)
        .env("LAB_MAKER", "yes")
        .stdout(Stdio::piped())
        .spawn()?;
    let mut said = String::new();
    let mut stdout = maker.stdout.take().ok_or("no stdout")?;
    while !said.contains("pid=") || !said.ends_with(".\n") {
        let mut byte = [0];
        stdout.read_exact(&mut byte)?;
        said.push(byte[0].into());
    }
    maker.kill()?;
    maker.wait()?;
    wait_for_processes("sleep\u{0}4711.2", 0)
}

#[test]
fn a_program_in_the_background_ends_when_it_is_dropped() -> Test {
    let host = Host::new("daemons")?;
    let mut echo = host.background(["sh", "-c", "read x; echo heard $x; sleep 4711.3"])?;
    echo.tell("you\n")?;
    assert_eq!(echo.wait_for("heard", Duration::from_secs(5))?, "heard you");
    assert!(echo.wait_for("else", Duration::from_millis(10)).is_err());
    assert_eq!(echo.stop(), "heard you\n");
    let ended = host.background(["false"])?;
    let error = ended.wait_for("anything", Duration::from_secs(5));
    assert!(error.is_err_and(|error| error.to_string().contains("which ended")));
    Ok(())
}

#[test]
fn namespaces_are_those_of_ip_netns() -> Test {
    let host = Host::new("namespaces")?;
    let named = Namespace::create(&host, "c1")?;
    let many = Namespace::create_many(&host, "n", 5)?;
    named.sh("ip link set lo up; ip addr add 10.1.1.1/32 dev lo").ok()?;
    assert!(!host.run(["ip", "addr"]).ok()?.contains("10.1.1.1"));
    assert!(host.run(["ip", "-n", "c1", "addr"]).ok()?.contains("10.1.1.1"));
    assert_eq!(named.path(), "/run/netns/c1");
    for namespace in many {
        namespace.remove(&host)?;
    }
    assert_eq!(host.run(["ip", "netns", "list"]).ok()?.trim(), "c1");
    Ok(())
}

#[test]
fn neighbours_are_reached_at_once_in_both_families() -> Test {
    let host = Host::new("middle")?;
    let outside = Neighbour::of(&host, "outside")?;
    let further = Neighbour::numbered(&host, "further", 1)?;
    for address in [outside.v4().to_string(), outside.v6().to_string(), further.v6().to_string()] {
        host.run(["ping", "-c1", "-W5", &address]).ok()?;
    }
    outside.run(["ping", "-c1", "-W5", &outside.host_v6().to_string()]).ok()?;
    assert!(host.run(["ip", "route"]).ok()?.contains("default via 10.99.0.2 dev uplink"));
    let container = "10.55.0.0/16";
    assert!(!outside.run(["ip", "route", "get", "10.55.0.1"]).succeeded());
    outside.learn(container)?;
    outside.run(["ip", "route", "get", "10.55.0.1"]).ok()?;
    Ok(())
}

#[test]
fn a_failure_tells_everything() -> Test {
    let host = Host::new("failing")?;
    let outcome = host.sh("echo out; echo err >&2; exit 3");
    assert_eq!((outcome.code(), outcome.stdout(), outcome.stderr()), (Some(3), "out\n", "err\n"));
    let error = format!("{:?}", outcome.ok().expect_err("it failed"));
    for part in ["sh -ec", "exit status: 3", "stdout: out", "stderr: err", "hosts.rs:"] {
        assert!(error.contains(part), "{error}");
    }
    assert!(host.run(["true"]).refused().is_err());
    assert!(host.run(["false"]).refused().is_ok());
    Ok(())
}

#[test]
fn large_input_passes_through_a_call() -> Test {
    let host = Host::new("large")?;
    let text = "0123456789".repeat(100_000);
    host.write_file("/run/deep/er/large", text.clone())?;
    assert_eq!(host.read_file("/run/deep/er/large")?, text);
    Ok(())
}

/// What a host costs; the figure is printed, the limit is for a machine that does much else.
#[test]
fn a_host_is_made_quickly() -> Test {
    let mut times = Vec::new();
    for _ in 0..9 {
        let start = Instant::now();
        let host = Host::new("quick")?;
        let made = start.elapsed();
        let start = Instant::now();
        drop(host);
        times.push((made, start.elapsed()));
    }
    times.sort();
    println!("a host is made in {:?} and dropped in {:?} (median of 9)", times[4].0, times[4].1);
    assert!(times[4].0 < Duration::from_millis(500), "{times:?}");
    Ok(())
}

#[test]
fn a_driver_enters_a_host_as_a_whole() -> Test {
    let this_test = ["--exact", "a_driver_enters_a_host_as_a_whole", "--nocapture"];
    if Host::inside().is_some() {
        let container = Namespace::find("c1");
        println!("inside {:?}", Host::inside());
        println!("links {:?}", Here.sh("ls /sys/class/net").ok()?);
        println!("container {:?}", container.sh("ip -o link | wc -l").ok()?);
        println!("same {}", Snapshot::take(&Here)?.left_behind(&Here, &[])?.is_empty());
        let mut server = Here.background(["sh", "-c", "echo here; exec sleep 4711.5"])?;
        server.wait_for("here", Duration::from_secs(5))?;
        server.tell("nobody reads this\n")?;
        drop(server);
        assert_eq!(processes_with("sleep\u{0}4711.5")?, 0);
    } else if std::env::var_os("LAB_DRIVER").is_some() {
        let host = Host::new("driven")?;
        host.sh("ip netns add c1; ip link add br0 type bridge").ok()?;
        assert!(host.reenter()?.status()?.success());
    } else {
        let driver = Command::new(std::env::current_exe()?).args(this_test).env("LAB_DRIVER", "").output()?;
        let said = String::from_utf8_lossy(&driver.stdout);
        for line in [r#"inside Some("driven")"#, r#"links "br0\nlo\n""#, r#"container "1\n""#, "same true"] {
            assert!(said.contains(line), "{line}: {said}");
        }
    }
    Ok(())
}

#[test]
fn many_hosts_of_one_name_are_made_at_once() -> Test {
    let makers: Vec<_> = (0..12).map(|_| thread::spawn(|| Host::new("same"))).collect();
    let hosts = makers.into_iter().map(|maker| maker.join().map_err(|_| "a maker panicked"));
    let hosts = hosts.collect::<Result<Result<Vec<_>, _>, _>>()??;
    for (number, host) in hosts.iter().enumerate() {
        host.sh(&format!("ip netns add c; ip link add br0 type bridge; echo {number} >/run/number")).ok()?;
    }
    for (number, host) in hosts.iter().enumerate() {
        assert_eq!(host.read_file("/run/number")?, format!("{number}\n"));
    }
    Ok(())
}

/// Some first processes (of containers, above all) ask for dead children late or never.
#[test]
fn a_host_ends_without_the_help_of_the_first_process_of_the_machine() -> Test {
    let host = Host::new("independent")?;
    let server = host.background(["sh", "-c", "echo here; exec sleep 4711.4"])?;
    server.wait_for("here", Duration::from_secs(5))?;
    let start = Instant::now();
    drop(server);
    assert_eq!(processes_with("sleep\u{0}4711.4")?, 0);
    drop(host);
    assert!(start.elapsed() < Duration::from_millis(500), "{:?}", start.elapsed());
    Ok(())
}

fn wait_for_processes(words: &str, count: usize) -> Test {
    let deadline = Instant::now() + Duration::from_secs(5);
    while processes_with(words)? != count {
        assert!(Instant::now() < deadline, "not {count} processes in 5 s");
        thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

fn processes_with(words: &str) -> io::Result<usize> {
    let entries = fs::read_dir("/proc")?.flatten();
    let lines = entries.filter_map(|entry| fs::read_to_string(entry.path().join("cmdline")).ok());
    Ok(lines.filter(|line| line.starts_with(words)).count())
}
