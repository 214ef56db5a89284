//! What is left when something is killed, and who finishes it.

use crate::{Machine, Test};

#[test]
fn a_killed_program_is_an_end_like_any_other() -> Test {
    let machine = Machine::with_image("program")?;
    machine.ok("netctl run -d --name one -p 111:80 box sleep 100; kill -9 $(netctl container inspect -f '{{.State.Pid}}' one); netctl wait one")?;
    assert_eq!(machine.inspect("one")?["State"]["ExitCode"], 137);
    machine.ok("netctl container rm one")?;
    assert_eq!(machine.left()?, "nothing\n");
    Ok(())
}

#[test]
fn the_container_ends_with_its_monitor_and_whoever_looks_finishes() -> Test {
    let machine = Machine::with_image("monitor")?;
    for look in [
        "netctl ps -a",
        "netctl gc",
        "netctl container inspect one",
        "netctl start one; netctl stop -t 0 one",
        "netctl wait one",
    ] {
        machine.ok("netctl run -d --name one -p 111:80 box sleep 100")?;
        let pid = machine.ok("netctl container inspect -f '{{.State.Pid}}' one")?;
        machine.ok("kill -9 $(netctl container inspect -f '{{.State.MonitorPid}}' one)")?;
        machine.until(&format!("[ -e /proc/{}/exe ] || echo gone", pid.trim()))?;
        machine.ok(look)?;
        let state = machine.inspect("one")?["State"].take();
        assert_eq!((&state["Status"], &state["ExitCode"]), (&"exited".into(), &137.into()), "{look}");
        assert_eq!(machine.left()?, "nothing\n", "{look}");
        machine.ok("netctl container rm one")?;
    }
    Ok(())
}

#[test]
fn one_that_was_to_be_removed_is_also_when_its_monitor_was_killed() -> Test {
    let machine = Machine::with_image("removed")?;
    machine.ok("netctl run -d --rm --name one box sleep 100; kill -9 $(netctl container inspect -f '{{.State.MonitorPid}}' one); sleep 0.2")?;
    assert_eq!(machine.ok("netctl gc; netctl ps -aq")?, "one\n");
    assert_eq!(machine.left()?, "nothing\n");
    Ok(())
}

#[test]
fn a_reboot_leaves_stopped_containers_only() -> Test {
    let machine = Machine::with_image("reboot")?;
    machine.ok("netctl create mybr0; netctl run -d --name one -p 111:80 box sleep 100; netctl run -d --name two --network mybr0 box sleep 100; netctl run -d --rm --name three box sleep 100")?;
    // What a reboot does: every process is gone, and every file in /run that is not the state of this test.
    machine.ok("pkill -9 -x netctl-monitor; sleep 0.3; rm -rf /run/netctl; for link in $(ls /sys/class/net); do ip link del $link 2>/dev/null; done; nft flush ruleset; true")?;
    let said = machine.ok("netctl ps -a --format '{{.Names}} {{.State}}' | sort")?;
    assert_eq!(said, "one exited\nthree exited\ntwo exited\n");
    machine.ok("netctl gc")?;
    assert_eq!(
        machine
            .ok("netctl ps -a --format '{{.Names}}' | sort; netctl start one two; netctl ps -q | wc -l")?,
        "one\ntwo\none\ntwo\n2\n"
    );
    machine.ok("netctl container rm -f one two; netctl rm mybr0")?;
    assert_eq!(machine.left()?, "nothing\n");
    Ok(())
}

#[test]
fn a_start_that_fails_leaves_what_was_there_before() -> Test {
    let machine = Machine::with_image("fails")?;
    for run in [
        "box no-such-program",
        "--network bridge -p 111:80 -p 111:81 box true",
        "--sysctl net.x=1 box true",
        "-v /run/v:/proc/x box true",
    ] {
        machine
            .ends(if run.contains("no-such") { 127 } else { 125 }, &format!("netctl run --name one {run}"));
        let state = machine.inspect("one")?["State"].take();
        assert_eq!(state["Status"], "created", "{run}");
        assert_ne!(state["Error"], "", "{run}");
        machine.ok("netctl container rm one")?;
        assert_eq!(machine.left()?, "nothing\n", "{run}");
    }
    Ok(())
}

#[test]
fn one_that_is_removed_at_its_end_can_be_started_after_a_start_that_failed() -> Test {
    let machine = Machine::with_image("again")?;
    machine.ok("netctl run -d --name one -p 111:80 box sleep 100; netctl container create --rm --name two -p 111:80 box true")?;
    machine.ends(1, "netctl start two");
    machine.ok("netctl rm -f one; netctl start -a two")?;
    assert_eq!(machine.ok("netctl ps -aq")?, "");
    assert_eq!(machine.left()?, "nothing\n");
    Ok(())
}

/// At whatever moment a start is killed, the next command finishes it.
#[test]
fn a_start_that_is_killed_is_finished_by_the_next_command() -> Test {
    let machine = Machine::with_image("killed")?;
    for delay in ["0.001", "0.004", "0.008", "0.012", "0.016", "0.02", "0.03", "0.05"] {
        let _ = machine.run(&format!("netctl run -d --rm --name one -p 111:80 box sleep 100 & sleep {delay}; pkill -9 -x netctl; pkill -9 -x netctl-monitor; wait"));
        machine.ok("netctl gc; netctl container rm -f one")?;
        assert_eq!(machine.left()?, "nothing\n", "{delay}");
        machine.ok("netctl run --rm --name one -p 111:80 box true")?;
    }
    Ok(())
}
