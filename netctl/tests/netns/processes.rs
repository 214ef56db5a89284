//! From processes to namespaces and back.

use lab::Place;

use crate::{Machine, NETCTL, Test};

#[test]
fn a_process_is_found_by_its_namespace_and_the_other_way_round() -> Test {
    let machine = Machine::new("found")?;
    machine.netctl("add blue").ok()?;
    let script = "netctl netns exec blue sleep 60 >/dev/null 2>&1 & pid=$!
        while [ -z \"$(netctl netns pids blue)\" ]; do sleep 0.01; done
        echo $pid; netctl netns pids blue; ip netns pids blue; netctl netns identify $pid
        netctl netns -j pids blue; netctl netns -j identify $pid";
    let said = machine.sh(script).ok()?;
    let lines: Vec<&str> = said.lines().collect();
    let pid = lines.first().copied().unwrap_or_default();
    let json = format!("[{{\"pid\":{pid}}}]");
    assert_eq!(lines, [pid, pid, pid, "blue", &json, "[{\"name\":\"blue\"}]"]);
    Ok(())
}

#[test]
fn without_a_process_it_is_about_this_one() -> Test {
    let machine = Machine::new("this")?;
    assert_eq!(machine.netctl("identify").ok()?, "\n");
    assert_eq!(machine.netctl("-j identify").ok()?, "[]\n");
    machine.netctl("add blue").ok()?;
    let inside = machine.0.run([NETCTL, "netns", "exec", "blue", NETCTL, "netns", "identify"]);
    assert_eq!(inside.ok()?, "blue\n");
    Ok(())
}

#[test]
fn the_namespace_of_a_process_gets_a_name_and_outlives_it() -> Test {
    let machine = Machine::new("attach")?;
    let script = "unshare --net sleep 60 & pid=$!
        while [ /proc/$pid/ns/net -ef /proc/self/ns/net ]; do sleep 0.01; done
        netctl netns attach web $pid
        ip netns identify $pid
        netctl netns attach again $pid; netctl netns identify $pid
        kill $pid; wait $pid || :
        netctl netns exec web ls /sys/class/net";
    assert_eq!(machine.sh(script).ok()?, "web\nagain\nweb\nlo\n");
    let taken = machine.sh("netctl netns attach web $$").refused()?;
    assert!(
        taken.stderr().starts_with("error: create network namespace web: /run/netns/web exists\n"),
        "{taken}"
    );
    Ok(())
}

#[test]
fn a_dead_process_has_no_namespace_to_name() -> Test {
    let machine = Machine::new("dead")?;
    for words in ["attach web 4000000", "identify 4000000"] {
        let outcome = machine.netctl(words).refused()?;
        assert_eq!(
            outcome.stderr(),
            "error: open network namespace /proc/4000000/ns/net\n  because: No such file or directory (os error 2)\n\
             hint: no process 4000000 is running\n"
        );
    }
    machine.sh("test ! -e /run/netns").ok()?;
    Ok(())
}
