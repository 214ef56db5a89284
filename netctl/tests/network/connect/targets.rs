//! Whom a word means.

use lab::Place;

use crate::{Machine, NETCTL, Test, netctl};

const POD: &str = "0c2c61d2e1bd4b3f9a7e5d1c8b6a4f2e0d9c7b5a3f1e8d6c4b2a0f9e7d5c3b1a";

impl Machine {
    /// A network, and a pod that a runtime has put on it, in the namespace `cni-1`.
    fn with_pod(name: &str) -> Result<Self, crate::Wrong> {
        let machine = Self::with(name, "blue cni-1")?;
        machine.ok("create web --subnet 172.26.0.0/24")?;
        machine.ok("create db --subnet 172.27.0.0/24")?;
        let args = "IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=cart";
        machine.ok(&format!("cni add web cni-1 --container-id {POD} --args {args}"))?;
        Ok(machine)
    }
}

#[test]
fn one_namespace_is_one_container_by_whatever_word() -> Test {
    let machine = Machine::with("words", "blue")?;
    machine.ok("create web --subnet 172.26.0.0/24")?;
    machine.sh(
        "mkdir -p /run/elsewhere; touch /run/elsewhere/ns; mount --bind /run/netns/blue /run/elsewhere/ns",
    )?;
    let words = [
        "blue",
        "ns:blue",
        "/run/netns/blue",
        "ns:/run/netns/blue",
        "/run/netns/../netns/./blue",
        "/run/elsewhere/ns",
    ];
    for word in words {
        machine.ok(&format!("connect web {word}"))?;
        assert_eq!(machine.kept()?, "web-blue-eth0\n", "{word}");
        for other in words {
            let outcome = machine.netctl(&format!("connect web {other}"));
            assert!(
                outcome.stderr().starts_with("error: blue is connected to network web already: "),
                "{outcome}"
            );
        }
        machine.ok(&format!("disconnect web {word}"))?;
        assert_eq!(machine.kept()?, "", "{word}");
    }
    Ok(())
}

#[test]
fn a_path_may_be_relative() -> Test {
    let machine = Machine::with("relative", "blue")?;
    machine.ok("create web --subnet 172.26.0.0/24")?;
    for (folder, word) in
        [("/run/netns", "./blue"), ("/run/netctl", "../netns/blue"), ("/", "run/netns/blue")]
    {
        machine
            .sh(&format!("cd {folder}; {NETCTL} connect web {word}; cd /; {NETCTL} disconnect web blue"))?;
    }
    // Without a slash it is a name, even where a file is called so.
    machine.sh("cd /run; touch red")?;
    let outcome = machine.0.sh(&format!("cd /run; {NETCTL} connect web red"));
    let said = "error: \"red\" is no network namespace, no container and no process\n\
        hint: `netctl netns add red` makes a namespace; `netctl netns list` shows which there are\n";
    assert_eq!(outcome.stderr(), said);
    Ok(())
}

#[test]
fn a_namespace_without_a_name_gets_an_id_that_follows_from_its_path() -> Test {
    let machine = Machine::with("path", "blue")?;
    machine.ok("create web --subnet 172.26.0.0/24")?;
    machine.sh("touch /run/ns; mount --bind /run/netns/blue /run/ns; ip netns delete blue")?;
    machine.ok("connect web /run/ns")?;
    let kept = machine.kept()?;
    assert!(
        kept.starts_with("web-ns-") && kept.len() == "web-ns-0123456789abcdef0123-eth0\n".len(),
        "{kept}"
    );
    machine.ok("disconnect web /run/ns")?;
    assert_eq!(machine.kept()?, "");
    Ok(())
}

#[test]
fn a_process_is_meant_by_its_number() -> Test {
    let machine = Machine::new("process")?;
    machine.ok("create web --subnet 172.26.0.0/24")?;
    machine
        .with_process(
            "netctl connect web $pid
            ls /var/lib/cni/results | grep -qx web-pid-$pid-eth0
            netctl disconnect web pid:$pid
            netctl connect web pid:$pid
            netctl disconnect web /proc/$pid/ns/net
            netctl connect web /proc/$pid/task/$pid/ns/net
            netctl disconnect web $pid
            test -z \"$(ls /var/lib/cni/results)\"",
        )
        .ok()?;
    Ok(())
}

#[test]
fn a_namespace_that_is_called_like_a_number_wins_over_the_process() -> Test {
    let machine = Machine::with("number", "1")?;
    machine.ok("create web --subnet 172.26.0.0/24")?;
    machine.ok("connect web 1")?;
    assert_eq!(machine.kept()?, "web-1-eth0\n");
    let outcome = machine.netctl("connect web pid:1");
    assert!(
        outcome.stderr().starts_with("error: cannot connect pid-1: it lives in the host's own"),
        "{outcome}"
    );
    Ok(())
}

#[test]
fn a_container_of_any_runtime_is_meant_by_its_name_its_id_or_what_begins_it() -> Test {
    let machine = Machine::with_pod("pod")?;
    for word in [
        "cart",
        "container:cart",
        POD,
        &format!("container:{POD}"),
        &POD[..12],
        "container:0c2",
        "cni-1",
        "ns:cni-1",
    ] {
        machine.ok(&format!("connect db {word}"))?;
        assert_eq!(machine.kept()?, format!("db-{POD}-eth1\nweb-{POD}-eth0\n"), "{word}");
        machine.ok(&format!("disconnect db {word}"))?;
    }
    machine.ok("disconnect web cart")?;
    assert_eq!(machine.kept()?, "");
    Ok(())
}

#[test]
fn what_begins_the_ids_of_two_containers_is_refused() -> Test {
    let machine = Machine::with_pod("two-pods")?;
    let other = POD.replace("4b3f", "0000");
    machine.ok(&format!("cni add web blue --container-id {other}"))?;
    let said = format!(
        "error: \"0c2c\" begins the ids of several containers: {other}, {POD}\nhint: give more digits\n"
    );
    machine.refuses("connect db 0c2c", &said);
    machine.refuses("disconnect web 0c2c", &said);
    // Two who are meant are not nobody.
    machine.refuses("disconnect -f web 0c2c", &said);
    machine.ok(&format!("connect db {}", &POD[..13]))?;
    Ok(())
}

#[test]
fn a_word_that_means_a_namespace_and_another_s_container_is_refused() -> Test {
    let machine = Machine::with_pod("both")?;
    machine.add("cart")?;
    let said = "error: \"cart\" is a network namespace and a container, which lives in /run/netns/cni-1\n\
        hint: say ns:cart or container:cart\n";
    machine.refuses("connect db cart", said);
    machine.refuses("disconnect web cart -f", said);
    machine.ok("connect db container:cart")?;
    machine.ok("connect db ns:cart")?;
    assert_eq!(machine.kept()?, format!("db-{POD}-eth1\ndb-cart-eth0\nweb-{POD}-eth0\n"));
    Ok(())
}

#[test]
fn a_name_that_two_pods_have_is_refused_unless_one_of_them_is_gone() -> Test {
    let machine = Machine::with_pod("namesakes")?;
    let other = POD.replace("0c2c", "ffff");
    let args = "IgnoreUnknown=1;K8S_POD_NAMESPACE=garage;K8S_POD_NAME=cart";
    machine.ok(&format!("cni add web blue --container-id {other} --args {args}"))?;
    let said = format!(
        "error: \"cart\" is the name of several containers: {POD}, {other}\n\
        hint: give the first digits of the one that is meant\n"
    );
    machine.refuses("connect db cart", &said);
    machine.refuses("disconnect web container:cart", &said);
    machine.ok("connect db ffff")?;
    machine.sh("ip netns delete cni-1")?;
    machine.ok("disconnect db cart")?;
    machine.ok("disconnect web cart")?;
    assert_eq!(machine.kept()?, format!("web-{POD}-eth0\n"));
    machine.ok("disconnect web cart")?;
    assert_eq!(machine.kept()?, "");
    Ok(())
}

#[test]
fn the_beginning_of_a_name_is_nobody() -> Test {
    let machine = Machine::with("beginning", "blue")?;
    machine.ok("create web")?;
    machine.ok("connect web blue")?;
    let said =
        "error: \"blu\" is no network namespace, no container and no process\nhint: did you mean blue?\n";
    machine.refuses("disconnect web blu", said);
    machine.refuses("disconnect web container:blu", &said.replace("\"blu\"", "\"container:blu\""));
    Ok(())
}

#[test]
fn a_container_that_lives_in_the_namespace_of_its_name_is_no_other() -> Test {
    let machine = Machine::with("same", "blue")?;
    machine.ok("create web")?;
    machine.ok("create db")?;
    machine.ok("connect web blue")?;
    machine.ok("connect db blue")?;
    assert_eq!(machine.interfaces("blue")?, ["eth0", "eth1"]);
    Ok(())
}

#[test]
fn nobody_is_told_with_the_nearest_one() -> Test {
    let machine = Machine::with_pod("nobody")?;
    machine.add("frontend")?;
    let nobody =
        |word: &str| format!("error: {word:?} is no network namespace, no container and no process\n");
    for (word, hint) in [
        ("frontent", "hint: did you mean frontend?\n"),
        ("card", "hint: did you mean cart?\n"),
        ("container:card", "hint: did you mean cart?\n"),
        ("ns:frontent", "hint: did you mean frontend?\n"),
        (
            "xyz",
            "hint: `netctl netns add xyz` makes a namespace; `netctl netns list` shows which there are\n",
        ),
        ("container:xyz", "hint: `netctl inspect NETWORK` shows who is on a network\n"),
        ("pid:x", ""),
        ("pid:", ""),
        ("pid:99999999999999999999", ""),
        (
            "99999999",
            "hint: `netctl netns add 99999999` makes a namespace; `netctl netns list` shows which there are\n",
        ),
    ] {
        machine.refuses(&format!("connect web {word}"), &format!("{}{hint}", nobody(word)));
    }
    Ok(())
}

#[test]
fn paths_that_lead_to_no_namespace_are_told_as_such() -> Test {
    let machine = Machine::with("no-path", "blue")?;
    machine.ok("create web")?;
    let gone = "hint: its process or namespace is gone\n";
    for (word, path, because, hint) in [
        ("/run/none", "/run/none", "No such file or directory (os error 2)", gone),
        ("./none", "/none", "No such file or directory (os error 2)", gone),
        ("ns:none", "/run/netns/none", "No such file or directory (os error 2)", gone),
        ("pid:99999999", "/proc/99999999/ns/net", "No such file or directory (os error 2)", gone),
    ] {
        let said = format!(
            "error: open the network namespace of {word:?}\n  because: open network namespace {path}\n  because: {because}\n{hint}"
        );
        machine.refuses(&format!("connect web {word}"), &said);
    }
    for word in ["/etc/passwd", "/dev/null", "/proc/self/ns/pid", "/run", "ns:/etc/passwd"] {
        let outcome = machine.netctl(&format!("connect web {word}"));
        assert_eq!(outcome.code(), Some(1), "{outcome}");
        assert!(
            outcome.stderr().starts_with(&format!("error: open the network namespace of {word:?}\n")),
            "{outcome}"
        );
    }
    let outcome = machine.netctl("connect web ns:");
    assert!(
        outcome.stderr().starts_with("error: find network namespace \"ns:\"\n  because: invalid"),
        "{outcome}"
    );
    let outcome = netctl("connect web").arg("").run(&machine.0);
    assert!(outcome.stderr().starts_with("error: \"\" is no network namespace"), "{outcome}");
    assert_eq!(machine.kept()?, "");
    Ok(())
}

#[test]
fn a_name_whose_namespace_was_not_mounted_is_not_suggested_to_itself() -> Test {
    let machine = Machine::with("plain", "blue")?;
    machine.ok("create web")?;
    machine.sh("touch /run/netns/red")?;
    let outcome = machine.netctl("connect web red");
    assert_eq!(outcome.code(), Some(1));
    assert!(!outcome.stderr().contains("did you mean red"), "{outcome}");
    Ok(())
}

#[test]
fn the_host_s_own_namespace_is_refused_by_whatever_word() -> Test {
    let machine = Machine::new("own")?;
    machine.ok("create web")?;
    machine.sh("ip netns attach host-itself 1")?;
    let before = machine.snapshot()?;
    for (word, name) in [
        ("1", "host-itself"),
        ("pid:1", "host-itself"),
        ("/proc/1/ns/net", "host-itself"),
        ("/proc/self/ns/net", "host-itself"),
        ("host-itself", "host-itself"),
    ] {
        let said = format!(
            "error: cannot connect {name}: it lives in the host's own network namespace, which has the host's addresses\n"
        );
        machine.refuses(&format!("connect web {word}"), &said);
        machine.refuses(&format!("connect bridge {word}"), &said);
    }
    machine.is_as_it_was(&before)
}

#[test]
fn names_of_namespaces_may_be_elsewhere() -> Test {
    let machine = Machine::with("elsewhere", "blue")?;
    machine.ok("create web")?;
    machine.sh("mkdir /run/names; touch /run/names/red; mount --bind /run/netns/blue /run/names/red")?;
    machine.ok("connect web red --netns-dir /run/names")?;
    assert_eq!(machine.kept()?, "web-red-eth0\n");
    netctl("disconnect web red").env("NETNS_RUN_DIR", "/run/names").run(&machine.0).ok()?;
    assert_eq!(machine.kept()?, "");
    Ok(())
}

#[test]
fn a_namespace_whose_name_is_no_id_of_a_container_gets_one() -> Test {
    let machine = Machine::with("odd", "über")?;
    machine.ok("create web")?;
    machine.ok("connect web über")?;
    assert!(machine.kept()?.starts_with("web-ns-"), "{}", machine.kept()?);
    machine.ok("disconnect web über")?;
    assert_eq!(machine.kept()?, "");
    Ok(())
}

#[test]
fn attachments_whose_names_run_together_are_told_apart() -> Test {
    let machine = Machine::with("together", "c y-c")?;
    machine.ok("create x-y --subnet 172.26.0.0/24")?;
    machine.ok("create x --subnet 172.27.0.0/24")?;
    machine.ok("connect x-y c")?;
    machine.refuses(
        "connect x y-c",
        "error: attach y-c/eth0 to network x: libcni joins the names of network, container and interface by hyphens, and \
        keeps under the same name what there is of c/eth0 on network x-y\nhint: give its interface another name with --ifname\n",
    );
    machine.ok("connect x y-c --ifname eth1")?;
    assert_eq!(machine.kept()?, "x-y-c-eth0\nx-y-c-eth1\n");
    machine.ok("disconnect x y-c")?;
    assert_eq!(machine.interfaces("c")?, ["eth0"]);
    machine.refuses(
        "disconnect x y-c",
        "error: y-c is not connected to network x\nhint: `netctl inspect x` shows who is on it\n",
    );
    machine.ok("disconnect x-y c")?;
    machine.ok("connect x y-c")?;
    Ok(())
}
