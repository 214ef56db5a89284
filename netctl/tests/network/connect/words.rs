//! What is typed, and what is said.

use lab::Place;
use serde_json::json;

use crate::{Machine, Test};

#[test]
fn nothing_is_said_when_nothing_was_chosen_that_one_could_not_know() -> Test {
    let machine = Machine::with("quiet", "blue green")?;
    machine.sh("echo 1 >/proc/sys/net/ipv4/ip_forward")?;
    machine.ok("create web --subnet 172.26.0.0/24")?;
    assert_eq!(machine.quietly("connect web blue")?, "");
    assert_eq!(machine.quietly("network connect -p 8080:80 web green --ip 172.26.0.9")?, "");
    assert_eq!(machine.quietly("disconnect web blue")?, "");
    assert_eq!(machine.quietly("network disconnect web green")?, "");
    Ok(())
}

#[test]
fn forwarding_is_switched_on_once_and_told_once() -> Test {
    let machine = Machine::with("forward", "blue green")?;
    machine.ok("create web --subnet 172.26.0.0/24,fd26::/64")?;
    let settings = ["net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding"];
    let values = || settings.map(|name| machine.setting(name).unwrap_or_default());
    assert_eq!(values(), ["0", "0"]);
    let said = "note: switched on net.ipv4.ip_forward and net.ipv6.conf.all.forwarding: this host now forwards packets, \
        which network web needs to reach others; it stays on (`netctl create --no-forward` makes networks that leave it \
        alone)\n";
    assert_eq!(machine.said("connect web blue")?, said);
    assert_eq!(values(), ["1", "1"]);
    machine.quietly("connect web green")?;
    machine.quietly("disconnect web green")?;
    machine.quietly("connect web green")?;
    machine.ok("rm -f web")?;
    assert_eq!(values(), ["1", "1"]);
    Ok(())
}

#[test]
fn forwarding_of_the_family_that_is_off_is_switched_on() -> Test {
    let machine = Machine::with("family", "blue green")?;
    machine.ok("create four --subnet 172.26.0.0/24")?;
    machine.ok("create both --subnet 172.27.0.0/24,fd27::/64")?;
    assert!(machine.said("connect four blue")?.starts_with("note: switched on net.ipv4.ip_forward: "));
    assert_eq!(machine.setting("net/ipv6/conf/all/forwarding")?, "0");
    assert!(
        machine.said("connect both blue")?.starts_with("note: switched on net.ipv6.conf.all.forwarding: ")
    );
    Ok(())
}

#[test]
fn a_network_made_with_no_forward_leaves_the_host_s_settings_alone() -> Test {
    let machine = Machine::with("alone", "blue")?;
    machine.0.write_file("/etc/netctl/daemon.json", r#"{"ip-forward": false}"#)?;
    machine.ok("create web --subnet 172.26.0.0/24,fd26::/64 --no-forward")?;
    machine.quietly("connect web blue")?;
    machine.quietly("connect bridge blue")?;
    for setting in ["net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding", "net/ipv6/conf/web/forwarding"] {
        assert_eq!(machine.setting(setting)?, "0", "{setting}");
    }
    Ok(())
}

#[test]
fn an_internal_network_needs_no_forwarding() -> Test {
    let machine = Machine::with("internal", "blue")?;
    machine.ok("create web --internal --subnet 172.26.0.0/24")?;
    machine.ok("connect web blue")?;
    assert_eq!(
        machine.sh("ip -n blue route")?,
        "172.26.0.0/24 dev eth0 proto kernel scope link src 172.26.0.2 \n"
    );
    Ok(())
}

#[test]
fn programs_get_the_result_of_the_plugins() -> Test {
    let machine = Machine::with("json", "blue")?;
    machine.ok("create web --subnet 172.26.0.0/24")?;
    let result = machine.json("connect -o json web blue")?;
    assert_eq!(result["ips"], json!([{"interface": 2, "address": "172.26.0.2/24", "gateway": "172.26.0.1"}]));
    assert_eq!(result["interfaces"][2]["sandbox"], "/run/netns/blue");
    let gone = machine.json("disconnect web blue --json")?;
    assert_eq!(gone, json!([{"Container": "blue", "Interface": "eth0", "Addresses": ["172.26.0.2/24"]}]));
    assert_eq!(machine.json("disconnect -f web blue --json")?, json!([]));
    assert_eq!(machine.json("disconnect -f web nobody --json")?, json!([]));
    Ok(())
}

#[test]
fn aliases_are_kept_and_it_is_told_that_nobody_answers_to_them() -> Test {
    let machine = Machine::with("aliases", "blue green")?;
    machine.sh("echo 1 >/proc/sys/net/ipv4/ip_forward")?;
    machine.ok("create web --subnet 172.26.0.0/24")?;
    let said = machine.said("connect web blue --alias www --alias shop")?;
    assert_eq!(
        said,
        "note: the aliases are kept, but nobody answers to them on network web: it has no plugin with the capability aliases\n"
    );
    assert_eq!(machine.inspect("web")?["Containers"]["blue"]["Aliases"], json!(["www", "shop"]));
    Ok(())
}

#[test]
fn words_that_cannot_be_understood_are_refused_before_anything_is_touched() -> Test {
    let machine = Machine::with("wrong", "blue")?;
    machine.ok("create web --subnet 172.26.0.0/24")?;
    let before = machine.snapshot()?;
    let name = "expected no slash, colon, white space or control character";
    for (words, said) in [
        (
            "--ip 300.1.1.1",
            "error: invalid value '300.1.1.1' for '--ip <IP>': invalid IPv4 address syntax".to_owned(),
        ),
        (
            "--ip fd00::1",
            "error: invalid value 'fd00::1' for '--ip <IP>': invalid IPv4 address syntax".to_owned(),
        ),
        (
            "--ip6 10.1.0.5",
            "error: invalid value '10.1.0.5' for '--ip6 <IP6>': invalid IPv6 address syntax".to_owned(),
        ),
        (
            "--ifname a/b",
            format!(
                "error: invalid value 'a/b' for '--ifname <NAME>': invalid interface name \"a/b\": {name}"
            ),
        ),
        (
            "--ifname more-than-fifteen",
            "error: invalid value 'more-than-fifteen' for '--ifname <NAME>': invalid interface name \
             \"more-than-fifteen\": expected at most 15 bytes"
                .to_owned(),
        ),
    ] {
        machine.misunderstands(&format!("connect web blue {words}"), &said);
    }
    for words in
        ["--mac 02:00", "--mac x", "--mac 02:00:00:00:00:zz", "-p x", "-p 80:", "-p 70000:80", "-p 80/icmp"]
    {
        let outcome = machine.netctl(&format!("connect web blue {words}"));
        assert_eq!(outcome.code(), Some(2), "{outcome}");
    }
    machine.is_as_it_was(&before)
}
