//! What a command finds in a namespace, and how it ends.

use lab::Place;

use crate::{Machine, Test};

#[test]
fn a_command_runs_in_the_namespace_with_the_pid_it_was_called_with() -> Test {
    let machine = Machine::new("run")?;
    machine.netctl("add blue").ok()?;
    assert_eq!(machine.netctl("exec blue ip netns identify").ok()?, "blue\n");
    assert_eq!(machine.netctl("ex blue -- ls /sys/class/net").ok()?, "lo\n");
    let pids = machine.sh("sh -c 'echo $$; exec netctl netns exec blue sh -c \"echo \\$\\$\"'").ok()?;
    let (before, after) = pids.trim().split_once('\n').unwrap_or_default();
    assert_eq!(before, after);
    Ok(())
}

#[test]
fn a_command_sees_the_files_of_its_namespace_and_nobody_else_does() -> Test {
    let machine = Machine::new("files")?;
    let read = "cat /etc/resolv.conf /etc/hosts.d/extra; cat /sys/class/net/lo/ifindex; ls /sys/class/net";
    machine.0.write_file("/etc/hosts.d/extra", "host's\n")?;
    machine.0.write_file("/etc/netns/blue/resolv.conf", "nameserver 192.0.2.1\n")?;
    machine.0.write_file("/etc/netns/blue/hosts.d/extra", "blue's\n")?;
    machine.sh("ip link add veth0 type veth peer name veth1").ok()?;
    machine.netctl("add blue").ok()?;

    let ours = machine.sh(&format!("netctl netns exec blue sh -c '{read}'")).ok()?;
    let theirs = machine.sh(&format!("ip netns exec blue sh -c '{read}'")).ok()?;
    assert_eq!(ours, "nameserver 192.0.2.1\nblue's\n1\nlo\n");
    assert_eq!(ours, theirs);
    let outside = machine.sh(read).ok()?;
    assert!(
        outside.starts_with("nameserver 10.99.0.2\nhost's\n1\n") && outside.contains("veth0"),
        "{outside}"
    );
    assert_eq!(machine.sh("grep -c /etc/netns /proc/self/mountinfo || :").ok()?, "0\n");
    Ok(())
}

#[test]
fn a_file_that_has_no_namesake_is_left_out_with_a_warning() -> Test {
    let machine = Machine::new("namesake")?;
    machine.0.write_file("/etc/netns/blue/no-such-file", "x")?;
    machine.netctl("add blue").ok()?;
    let outcome = machine.netctl("exec blue echo ran");
    assert!(
        outcome.stderr().starts_with("warning: mount /etc/netns/blue/no-such-file over /etc/no-such-file\n"),
        "{outcome}"
    );
    assert_eq!(outcome.ok()?, "ran\n");
    Ok(())
}

#[test]
fn a_read_only_sys_stays_read_only() -> Test {
    let machine = Machine::new("sys")?;
    machine.netctl("add blue").ok()?;
    let options = "netctl netns exec blue cat /proc/self/mountinfo | awk '$5 == \"/sys\" { options = $6 } \
                   END { print substr(options, 1, 2) }'";
    assert_eq!(machine.sh(options).ok()?, "rw\n");
    assert_eq!(machine.sh(&format!("mount -o remount,bind,ro /sys; {options}")).ok()?, "ro\n");
    Ok(())
}

#[test]
fn mounts_stay_inside_and_later_mounts_of_the_host_arrive() -> Test {
    let machine = Machine::new("mounts")?;
    machine.netctl("add blue").ok()?;
    let script = "
        mount --make-rshared /; mkdir /run/inside /run/later
        netctl netns exec blue sh -c 'mount -t tmpfs x /run/inside; : >/run/ready; while ! [ -e /run/later/x ]; do sleep 0.01; done' &
        while ! [ -e /run/ready ]; do sleep 0.01; done
        ! mountpoint -q /run/inside
        mount -t tmpfs y /run/later; : >/run/later/x
        wait";
    machine.sh(script).ok()?;
    Ok(())
}

#[test]
fn the_exit_code_is_that_of_the_command() -> Test {
    let machine = Machine::new("codes")?;
    machine.sh("netctl netns add a; netctl netns add b").ok()?;
    for (words, code) in [
        ("exec a true", 0),
        ("exec a sh -c exit\t7", 7),
        ("exec a no-such-program", 255),
        ("exec a /etc/passwd", 255),
        ("exec nobody true", 255),
        ("exec a", 2),
        ("exec", 2),
        ("exec a/b true", 2),
        ("exec -all true", 0),
        ("exec -all no-such-program", 255),
    ] {
        let words = words.split(' ').map(|word| word.replace('\t', " "));
        let outcome = machine.0.run([crate::NETCTL.to_owned(), "netns".to_owned()].into_iter().chain(words));
        assert_eq!(outcome.code(), Some(code), "{outcome}");
    }
    let killed = machine.sh("netctl netns exec --all sh -c 'kill -TERM $$'");
    assert_eq!(killed.code(), Some(128 + 15), "{killed}");
    let highest = machine.sh("netctl netns exec --all sh -c '[ $(ip netns identify) != a ] || exit 3'");
    assert_eq!(highest.code(), Some(3), "{highest}");
    Ok(())
}

#[test]
fn a_command_runs_in_all_namespaces_whatever_becomes_of_it_in_one() -> Test {
    let machine = Machine::new("every")?;
    machine.sh("netctl netns add a; : >/run/netns/b; ip netns add c").ok()?;
    let outcome = machine.sh("netctl netns exec -all ip netns identify");
    assert_eq!(outcome.stdout(), "\nnetns: a\na\n\nnetns: b\n\nnetns: c\nc\n");
    assert!(outcome.stderr().contains("no namespace is mounted on it"), "{outcome}");
    assert_eq!(outcome.code(), Some(255));

    machine.netctl("delete b").ok()?;
    let ours = machine.sh("netctl -all netns exec ip link").ok()?;
    let theirs = machine.sh("ip -all netns exec ip link").ok()?;
    let order = |text: &str| text.find("netns: a") < text.find("netns: c");
    if order(&theirs) {
        assert_eq!(ours, theirs);
    } else {
        assert_eq!(ours.len(), theirs.len());
    }
    Ok(())
}

/// Rust's start-up ignores SIGPIPE (bit 12); a command that inherited that would complain instead of ending.
#[test]
fn a_command_is_started_with_the_usual_signals() -> Test {
    let machine = Machine::new("signals")?;
    machine.netctl("add a").ok()?;
    for exec in ["exec a", "exec --all"] {
        let outcome =
            machine.sh(&format!("netctl netns {exec} sh -c 'yes | head -1; grep SigIgn /proc/self/status'"));
        assert!(
            outcome.stdout().contains("y\nSigIgn:\t") && outcome.stdout().ends_with("0000\n"),
            "{outcome}"
        );
        assert_eq!(outcome.stderr(), "");
    }
    Ok(())
}
