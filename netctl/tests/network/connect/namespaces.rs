//! Namespaces that come and go, and networks that go meanwhile.

use std::time::Duration;

use lab::{Background, Call, Place};
use serde_json::json;

use crate::{Machine, NETCTL, Test, Wrong, netctl};

#[test]
fn a_namespace_made_anew_under_the_same_name_is_a_new_container() -> Test {
    let machine = Machine::with("anew", "blue")?;
    machine.ok("create web --subnet 172.26.0.0/24")?;
    machine.ok("connect web blue --ip 172.26.0.9 -p 8080:80")?;
    machine.sh("ip netns delete blue; ip netns add blue")?;
    // It may have everything that the earlier one had.
    machine.ok("connect web blue --ip 172.26.0.9 -p 8080:80")?;
    assert_eq!(machine.address("blue", "eth0")?, "172.26.0.9/24");
    assert_eq!(machine.inspect("web")?["Stale"], json!({}));
    assert_eq!(machine.sh("ls /var/lib/cni/networks/web | grep -c ^172")?, "1\n");
    Ok(())
}

#[test]
fn it_takes_the_place_of_every_interface_that_the_earlier_one_had() -> Test {
    let machine = Machine::with("place", "blue")?;
    machine.ok("create web --subnet 172.26.0.0/24")?;
    machine.ok("create db")?;
    machine.ok("connect db blue")?;
    machine.ok("connect web blue")?;
    machine.ok("connect web blue --ifname eth7")?;
    machine.sh("ip netns delete blue; ip netns add blue")?;
    machine.ok("connect web blue")?;
    assert_eq!(machine.kept()?, "web-blue-eth0\n");
    assert_eq!(machine.sh("ls /var/lib/cni/networks/web | grep -c ^172")?, "1\n");
    // The interface of its present self is not that of the earlier one, on whatever network that was.
    machine.refuses(
        "disconnect db blue",
        "error: blue is not connected to network db, but to web\nhint: `netctl inspect db` shows who is on it\n",
    );
    machine.ok("rm db")?;
    assert_eq!(machine.interfaces("blue")?, ["eth0"]);
    assert_eq!(machine.inspect("web")?["Containers"]["blue"]["Interface"], "eth0");
    Ok(())
}

#[test]
fn a_bridge_that_somebody_took_by_hand_is_put_back_by_the_next_who_comes() -> Test {
    let machine = Machine::with("by-hand", "a b c")?;
    machine.ok("create web --subnet 172.26.0.0/24")?;
    for (change, name) in [
        ("true", "a"),
        ("ip addr delete 172.26.0.1/24 dev web; ip link set web down", "b"),
        ("ip link delete web", "c"),
    ] {
        machine.sh(change)?;
        machine.ok(&format!("connect web {name}"))?;
        assert!(machine.sh("ip -br addr show web")?.contains("UP             172.26.0.1/24 "), "{change}");
    }
    Ok(())
}

#[test]
fn whoever_is_gone_can_still_be_disconnected() -> Test {
    let machine = Machine::with("gone", "blue")?;
    machine.ok("create web --subnet 172.26.0.0/24")?;
    machine.ok("connect web blue -p 8080:80")?;
    machine.sh("ip netns delete blue")?;
    machine.refuses(
        "connect web blue",
        "error: open the network namespace of blue\n  because: open network namespace /run/netns/blue\n  \
        because: No such file or directory (os error 2)\n",
    );
    machine.ok("disconnect web blue")?;
    assert_eq!(machine.kept()?, "");
    let elements = machine.sh("nft list table inet netctl | grep -c 'web/blue' || true")?;
    assert_eq!(elements, "0\n");
    Ok(())
}

#[test]
fn a_process_id_that_is_another_s_by_now_means_the_other() -> Test {
    let machine = Machine::new("reused")?;
    machine.ok("create web --subnet 172.26.0.0/24")?;
    machine.ok("create db --subnet 172.27.0.0/24")?;
    // In a pid namespace of its own, a host can say which number comes next.
    let script = format!(
        "own=$(readlink /proc/self/ns/net)
        live() {{ unshare --net sleep 60 >/dev/null 2>&1 & pid=$!
            while [ $(readlink /proc/$pid/ns/net) = $own ]; do :; done; }}
        trap 'kill $pid' EXIT
        live; first=$pid
        {NETCTL} connect web $first
        kill $first; wait $first || true
        for try in 1 2 3 4 5 6 7 8 9; do
            echo $((first - 1)) >/proc/sys/kernel/ns_last_pid
            live
            [ $pid != $first ] || break
            kill $pid; wait $pid || true
        done
        [ $pid = $first ]
        {NETCTL} inspect -o json web | grep -q '\"Stale\":{{\"pid-'
        {NETCTL} connect db $pid
        {NETCTL} disconnect -f web $pid
        nsenter -t $pid -n ip -br -4 addr show eth0 | grep -q 172.27.0.2/24
        {NETCTL} connect web $pid
        nsenter -t $pid -n ip -br -4 addr show eth1 | grep -q 172.26.0
        {NETCTL} disconnect db $pid
        nsenter -t $pid -n ip -br -4 addr show eth1 | grep -q 172.26.0"
    );
    machine.sh(&script)?;
    Ok(())
}

#[test]
fn the_first_process_s_attachment_is_no_other_process_s() -> Test {
    let machine = Machine::with("first", "blue")?;
    machine.ok("create web --subnet 172.26.0.0/24")?;
    machine.ok("create db --subnet 172.27.0.0/24")?;
    machine.ok("connect db blue")?;
    // What is kept of a process that is gone, and whose number another has who lives elsewhere.
    machine
        .with_process(
            "netctl connect web $pid
            nsenter -t $pid -n ip link delete eth0",
        )
        .ok()?;
    let file =
        machine.kept()?.lines().find(|line| line.starts_with("web-pid-")).unwrap_or_default().to_owned();
    assert!(!file.is_empty(), "{}", machine.kept()?);
    let blue = machine.0.background(["ip", "netns", "exec", "blue", "sleep", "60"])?;
    let pid = machine.sh("while ! ip netns pids blue | grep -q .; do :; done; ip netns pids blue")?;
    let old = file.trim_start_matches("web-pid-").trim_end_matches("-eth0").to_owned();
    machine.sh(&format!(
        "sed -i 's|/proc/{old}/ns/net|/proc/{}/ns/net|g' /var/lib/cni/results/{file}",
        pid.trim()
    ))?;
    assert_eq!(machine.inspect("web")?["Containers"], json!({}));
    machine.ok(&format!("disconnect web pid-{old}"))?;
    assert_eq!(machine.address("blue", "eth0")?, "172.27.0.2/24");
    drop(blue);
    Ok(())
}

/// Somebody who holds the lock of a network alone, as `rm` does.
fn hold(machine: &Machine, network: &str) -> Result<Background, Wrong> {
    machine.sh("mkdir -p /run/netctl/networks")?;
    let lock = format!("/run/netctl/networks/{network}.lock");
    let holder = machine.0.background(["flock", &lock, "sh", "-c", "echo held; read line"])?;
    holder.wait_for("held", Duration::from_secs(5))?;
    Ok(holder)
}

/// A program of ours that waits for a lock.
fn wait_until_it_waits(machine: &Machine) -> Test {
    let script =
        "for try in $(seq 200); do grep -q -- '-> FLOCK' /proc/locks && exit 0; sleep 0.01; done; exit 1";
    machine.sh(script).map(drop)
}

#[test]
fn a_network_that_is_removed_while_somebody_waits_to_join_it_is_not_joined() -> Test {
    for (change, because) in [
        ("rm /etc/cni/net.d/netctl-web.conflist", "find network \"web\" in /etc/cni/net.d"),
        (
            "sed -i 's/172.26.0/172.27.0/g' /etc/cni/net.d/netctl-web.conflist",
            "because: its configuration has been replaced meanwhile\n",
        ),
    ] {
        let machine = Machine::with("removed", "blue")?;
        machine.ok("create web --subnet 172.26.0.0/24")?;
        let holder = hold(&machine, "web")?;
        let call: Call = netctl("connect web blue").under(["sh", "-c", "\"$@\" 2>&1; echo ended $?", "sh"]);
        let joining = Background::start(&machine.0, &call)?;
        wait_until_it_waits(&machine)?;
        machine.sh(change)?;
        drop(holder);
        assert_eq!(joining.wait_for("ended", Duration::from_secs(5))?, "ended 1");
        let said = joining.output();
        assert!(said.starts_with("error: add blue/eth0 to network web\n"), "{said}");
        assert!(said.contains(because), "{said}");
        assert_eq!((machine.kept()?, machine.interfaces("blue")?), (String::new(), Vec::new()));
    }
    Ok(())
}

#[test]
fn who_joins_waits_until_a_removal_is_over_and_who_removes_until_all_have_joined() -> Test {
    let machine = Machine::with("race", "a b c d")?;
    for _ in 0..3 {
        machine.ok("create web --subnet 172.26.0.0/24")?;
        let outcomes = std::thread::scope(|scope| {
            let machine = &machine;
            let run = |words: &'static str| scope.spawn(move || machine.netctl(words));
            let all: Vec<_> =
                ["connect web a", "connect web b", "rm -f web", "connect web c", "connect web d"]
                    .map(run)
                    .into_iter()
                    .collect();
            all.into_iter().map(|one| one.join().unwrap()).collect::<Vec<_>>()
        });
        assert!(outcomes[2].succeeded(), "{}", outcomes[2]);
        // Whoever came first was taken away, and whoever came later found nothing.
        assert!(!machine.has_link("web"));
        assert_eq!(machine.kept()?, "");
        for name in ["a", "b", "c", "d"] {
            assert_eq!(machine.interfaces(name)?, Vec::<String>::new());
        }
    }
    Ok(())
}

#[test]
fn a_container_of_which_only_the_answer_of_the_plugins_tells_where_it_lives_is_found() -> Test {
    let machine = Machine::with("podman", "blue")?;
    machine.ok("create web --subnet 172.26.0.0/24")?;
    machine.ok("create db")?;
    machine.ok("cni add web blue --container-id 0c2c61d2e1bd --args IgnoreUnknown=1;K8S_POD_NAME=cart")?;
    // The libcni of podman 4 notes no namespace.
    machine.sh("cd /var/lib/cni/results; grep -q '\"netns\":\"/run/netns/blue\",' web-0c2c61d2e1bd-eth0
        sed -i 's|\"netns\":\"/run/netns/blue\",||' web-0c2c61d2e1bd-eth0")?;
    machine.ok("connect db cart")?;
    assert_eq!(machine.inspect("web")?["Containers"]["0c2c61d2e1bd"]["Namespace"], "/run/netns/blue");
    machine.ok("disconnect web cart")?;
    assert_eq!(machine.kept()?, "db-0c2c61d2e1bd-eth1\n");
    Ok(())
}

#[test]
fn a_container_whose_namespace_nobody_knows_is_told_as_such() -> Test {
    let machine = Machine::with("nowhere", "blue")?;
    machine.ok("create web --subnet 172.26.0.0/24")?;
    machine.ok("create db")?;
    machine.ok("cni add web blue --container-id 0c2c61d2e1bd")?;
    machine.sh(
        "cd /var/lib/cni/results; sed -i 's|\"netns\":\"/run/netns/blue\",||; s|/run/netns/blue||g' web-0c2c61d2e1bd-eth0",
    )?;
    machine.refuses("connect db 0c2c", "error: container 0c2c61d2e1bd has no network namespace any more\n");
    machine.ok("disconnect web 0c2c")?;
    Ok(())
}
