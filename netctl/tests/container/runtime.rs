//! `--runtime`: the same containers, started by another OCI runtime.

use crate::{Machine, NETCTL, Test};

#[test]
fn another_runtime_starts_the_same_container() -> Test {
    if lab::tools::require("runc").is_none() {
        return Ok(());
    }
    let machine = Machine::with_image("runc")?;
    let run = "netctl run --runtime runc";
    let said = machine.ok(&format!(
        "{run} --rm -h www -u web -e A=b -p 111:80 --add-host db:10.0.0.9 box sh -c 'hostname; id -u; echo $A; ip -4 addr show eth0 | grep -o 172[.0-9]*/16; grep db /etc/hosts; cat /proc/1/status | grep Seccomp: | cut -f2'"
    ))?;
    assert_eq!(said, "www\n1000\nb\n172.17.0.2/16\n10.0.0.9\tdb\n2\n");
    machine.ends(7, &format!("{run} --rm --network none box sh -c 'exit 7'"));
    assert_eq!(machine.ok(&format!("echo typed | {run} -i --rm --network none box cat"))?, "typed\n");
    machine.ok(&format!("{run} -d --name one -m 32m box sleep 100"))?;
    assert_eq!(
        machine
            .ok("netctl exec one hostname; netctl stop -t 0 one; netctl start one; netctl ps -q | wc -l")?
            .lines()
            .last(),
        Some("1")
    );
    machine.ok("netctl rm -f one")?;
    assert_eq!(machine.left()?, "nothing\n");
    Ok(())
}

#[test]
fn another_runtime_makes_the_terminal() -> Test {
    if lab::tools::require("runc").is_none() {
        return Ok(());
    }
    let machine = Machine::with_image("runc-tty")?;
    let run = format!("{NETCTL} run -t --rm --runtime runc --network none box sh -c 'tty; echo printed'");
    let said = machine.ok(&format!("script -qec \"{run}\" /dev/null < /dev/null"))?;
    assert!(said.contains("/dev/pts/0") && said.contains("printed"), "{said:?}");
    Ok(())
}

#[test]
fn what_another_runtime_says_is_told_and_nothing_is_left() -> Test {
    if lab::tools::require("runc").is_none() {
        return Ok(());
    }
    let machine = Machine::with_image("runc-fails")?;
    let said = machine.ends(125, "netctl run --rm --runtime runc box no-such-program");
    assert!(said.contains("--runtime ") && said.contains("no-such-program"), "{said}");
    assert_eq!(machine.left()?, "nothing\n");
    let said = machine.ends(125, "netctl run --rm --runtime no-such-runtime box true");
    assert!(
        said.starts_with("error: --runtime \"no-such-runtime\": there is no such program in PATH\n"),
        "{said}"
    );
    let said = machine.ends(125, "netctl run --rm --init --runtime runc box true");
    assert!(said.starts_with("error: --runtime \"runc\": the reaper of --init"), "{said}");
    // Its monitor killed, the container is finished by the next command.
    machine.ok("netctl run -d --name one --runtime runc box sleep 100; kill -9 $(netctl inspect -f '{{.State.MonitorPid}}' one); sleep 0.2; netctl gc; netctl rm one")?;
    assert_eq!(machine.left()?, "nothing\n");
    Ok(())
}
