//! Published ports: named, chosen, shown, and free again.

use lab::Neighbour;

use crate::{Machine, Test, serve};

#[test]
fn a_port_is_reached_from_the_host_and_from_outside() -> Test {
    let machine = Machine::with_image("reached")?;
    let outside = Neighbour::of(&machine.0, "outside")?;
    machine.ok(&format!("netctl run -d --name b1 -p 111:1232 box {}", serve(1232)))?;
    assert_eq!(machine.until("busybox nc 127.0.0.1 111 < /dev/null")?, "hello\n");
    let address = outside.host_v4();
    let page = lab::Call::new(["busybox", "nc", &address.to_string(), "111"]).run(&outside).ok()?;
    assert_eq!(page, "hello\n");
    assert_eq!(machine.ok("netctl port b1")?, "1232/tcp -> 0.0.0.0:111\n1232/tcp -> [::]:111\n");
    assert_eq!(machine.ok("netctl port b1 1232/tcp")?, "0.0.0.0:111\n[::]:111\n");
    let said = machine.ends(1, "netctl port b1 80");
    assert_eq!(said, "error: container b1 publishes no port 80/tcp\n");
    assert!(machine.ok("netctl ps")?.contains("0.0.0.0:111->1232/tcp, [::]:111->1232/tcp, 53/udp, 80/tcp"));
    Ok(())
}

#[test]
fn all_forms_are_understood_and_the_exposed_ports_are_published() -> Test {
    let machine = Machine::with_image("forms")?;
    machine.ok("netctl run -d --name one -p 127.0.0.1:200:20 -p 127.0.0.1::21 -p 300-302:30-32 -p 53:53/udp box sleep 100")?;
    let ports = machine.ok("netctl port one")?;
    for wanted in [
        "20/tcp -> 127.0.0.1:200\n",
        "21/tcp -> 127.0.0.1:",
        "30/tcp -> 0.0.0.0:300\n",
        "32/tcp -> [::]:302\n",
        "53/udp -> 0.0.0.0:53\n",
    ] {
        assert!(ports.contains(wanted), "{wanted}: {ports}");
    }
    machine.ok("netctl run -d --name two -P --expose 90 box sleep 100")?;
    let ports = machine.ok("netctl port two")?;
    for wanted in ["80/tcp -> 0.0.0.0:", "90/tcp -> 0.0.0.0:", "53/udp -> 0.0.0.0:"] {
        assert!(ports.contains(wanted), "{wanted}: {ports}");
    }
    Ok(())
}

#[test]
fn a_port_is_free_again_however_the_container_ends() -> Test {
    let machine = Machine::with_image("freed")?;
    let run = "netctl run -d --name b1 -p 111:1232 box sleep 100";
    for end in [
        "netctl stop -t 0 b1",
        "netctl kill b1",
        "kill -9 $(netctl container inspect -f '{{.State.Pid}}' b1); netctl wait b1",
        "kill -9 $(netctl container inspect -f '{{.State.MonitorPid}}' b1)",
    ] {
        machine.ok(run)?;
        let said = machine.ends(125, "netctl run --rm -p 111:80 box true");
        assert!(said.contains("111"), "{said}");
        machine.ok(end)?;
        machine.ok("netctl ps -a; netctl run --rm -p 111:80 box true; netctl container rm b1")?;
    }
    assert_eq!(machine.left()?, "nothing\n");
    Ok(())
}

#[test]
fn a_thousand_ports_are_published_at_once() -> Test {
    let machine = Machine::with_image("thousand")?;
    machine.ok(&format!("netctl run -d --name b1 -p 20000-20999:20000-20999 box {}", serve(20777)))?;
    assert_eq!(machine.until("busybox nc 127.0.0.1 20777 < /dev/null")?, "hello\n");
    assert!(
        machine.ok("netctl ps --format '{{.Ports}}'")?.starts_with("0.0.0.0:20000-20999->20000-20999/tcp")
    );
    machine.ok("netctl container rm -f b1")?;
    assert_eq!(machine.left()?, "nothing\n");
    Ok(())
}
