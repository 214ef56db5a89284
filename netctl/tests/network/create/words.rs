//! What is typed and what is printed.

use lab::Place;
use serde_json::json;

use crate::{Machine, Test, netctl};

#[test]
fn the_id_is_printed_and_the_choice_is_told() -> Test {
    let machine = Machine::new("id")?;
    let outcome = machine.netctl("create web");
    assert_eq!(outcome.stderr(), "note: chose subnet 172.18.0.0/22 with gateway 172.18.0.1\n");
    let id = outcome.ok()?;
    assert_eq!(id, machine.sh("printf web | sha256sum | cut -c-64")?);
    assert_eq!(machine.inspect("web")?["Id"], id.trim());
    assert_eq!(machine.quietly("create --subnet 172.26.0.0/16 named")?.len(), 65);
    Ok(())
}

#[test]
fn the_bridge_is_there_at_once_with_the_gateway_s_address_and_says_whose_it_is() -> Test {
    let machine = Machine::new("bridge")?;
    machine.quietly("create mybr0 --subnet 172.26.0.0/16 --gateway 172.26.0.254")?;
    let link = machine.sh("ip -d link show mybr0")?;
    assert!(link.contains(",UP") && link.contains(" bridge forward_delay "), "{link}");
    assert!(link.contains("\n    alias netctl network mybr0"), "{link}");
    let addresses = machine.sh("ip -br -4 addr show mybr0")?;
    assert!(addresses.contains(" 172.26.0.254/16"), "{addresses}");
    Ok(())
}

#[test]
fn a_name_that_is_too_long_for_a_link_gets_a_bridge_with_a_hash() -> Test {
    let machine = Machine::new("long")?;
    machine.ok("create exactly-fifteen")?;
    assert!(machine.has_link("exactly-fifteen"));
    let made = machine.json("create more-than-fifteen -o json")?;
    let link = made["Link"].as_str().unwrap_or_default();
    assert!(link.len() == 15 && link.starts_with("br-") && machine.has_link(link), "{made}");
    let alias = machine.sh(&format!("cat /sys/class/net/{link}/ifalias"))?;
    assert_eq!(alias, "netctl network more-than-fifteen\n");
    Ok(())
}

#[test]
fn words_come_in_any_order_as_with_docker() -> Test {
    let machine = Machine::new("order")?;
    let icc = "com.docker.network.bridge.enable_icc=false";
    let mut conflists = Vec::new();
    for words in [
        format!("network create --driver=bridge --subnet=172.26.0.0/16 --opt={icc} --label a=b web"),
        format!("network create -d bridge --subnet 172.26.0.0/16 -o {icc} --label=a=b web"),
        format!("create web --label a=b -o {icc} --subnet 172.26.0.0/16"),
        format!("create -o {icc} web --subnet 172.26.0.0/16 --label a=b --driver bridge"),
    ] {
        machine.quietly(&words)?;
        let mut conflist = machine.conflist("web")?;
        conflist["netctl"]["created"].take();
        conflists.push(conflist);
        machine.quietly("network rm web")?;
    }
    assert_eq!(conflists[0]["plugins"][0]["portIsolation"], true);
    assert!(conflists.iter().all(|conflist| *conflist == conflists[0]), "{conflists:#?}");
    Ok(())
}

#[test]
fn an_option_has_its_full_name_a_shorter_one_or_podman_s() -> Test {
    let machine = Machine::new("names")?;
    for (number, option) in
        ["com.docker.network.driver.mtu=1400", "driver.mtu=1400", "mtu=1400"].iter().enumerate()
    {
        machine.ok(&format!("create net{number} -o {option}"))?;
        assert_eq!(machine.conflist(&format!("net{number}"))?["plugins"][0]["mtu"], 1400, "{option}");
    }
    Ok(())
}

#[test]
fn programs_are_told_everything_that_was_decided() -> Test {
    let machine = Machine::new("json")?;
    for words in [
        "create -o json web --subnet 172.26.0.0/24,fd26::/64 --mtu 1400",
        "create web --subnet 172.26.0.0/24 --subnet fd26::/64 --mtu 1400 -o json",
        "create web --subnet 172.26.0.0/24 --subnet fd26::/64 --mtu 1400 --json",
        "-j create web --subnet 172.26.0.0/24 --subnet fd26::/64 --mtu 1400",
        "network -o json create web --subnet 172.26.0.0/24 --subnet fd26::/64 --mtu 1400",
        "create web --output json --subnet 172.26.0.0/24 --subnet fd26::/64 --mtu 1400",
    ] {
        let mut made = machine.json(words)?;
        assert_eq!(made["Id"].take().as_str().map(str::len), Some(64), "{words}");
        let expected = json!({
            "Name": "web",
            "Id": null,
            "Driver": "bridge",
            "Link": "web",
            "Subnets": [
                {"Subnet": "172.26.0.0/24", "Gateway": "172.26.0.1"},
                {"Subnet": "fd26::/64", "Gateway": "fd26::1"},
            ],
            "MTU": 1400,
        });
        assert_eq!(made, expected, "{words}");
        machine.ok("rm web")?;
    }
    let id = machine.ok("-j create web -o text")?;
    assert_eq!(id.len(), 65);
    Ok(())
}

#[test]
fn ipv6_comes_from_a_network_of_this_machine_s_own() -> Test {
    let machine = Machine::new("ula")?;
    machine.0.write_file("/etc/machine-id", "0123456789abcdef0123456789abcdef\n")?;
    let subnets = |words: &str| -> Result<Vec<String>, crate::Wrong> {
        let made = machine.json(words)?;
        let subnets = made["Subnets"].as_array().cloned().unwrap_or_default();
        Ok(subnets.iter().map(|subnet| subnet["Subnet"].as_str().unwrap_or_default().to_owned()).collect())
    };
    let first = subnets("create --ipv6 a -o json")?;
    let second = subnets("create --ipv6=true --ipv4=false b -o json")?;
    let third = subnets("create --ipv6 --subnet fd00:7::/64 c -o json")?;
    let none = subnets("create --ipv6=false d -o json")?;
    let [v4, v6] = first.as_slice() else { panic!("{first:?}") };
    assert_eq!(v4, "172.18.0.0/22");
    // A /64 of the /48 that follows from the machine's id (RFC 4193).
    let prefix = v6.strip_suffix("::/64").unwrap_or_default();
    assert!(prefix.starts_with("fd") && prefix.split(':').count() == 3, "{v6}");
    assert_eq!(second, [format!("{prefix}:1::/64")]);
    assert_eq!(third, ["fd00:7::/64", "172.18.4.0/22"]);
    assert_eq!(none, ["172.18.8.0/22"]);
    machine.ok("rm a b c d")?;
    assert_eq!(subnets("create --ipv6 again -o json")?, first);
    Ok(())
}

#[test]
fn another_folder_of_networks_and_another_run_directory_can_be_named() -> Test {
    let machine = Machine::new("folders")?;
    let call = netctl("create web --conf-dir /run/elsewhere/net.d").env("NETCTL_RUN_DIR", "/run/other");
    call.run(&machine.0).ok()?;
    let files =
        machine.sh("cd /; find run/elsewhere run/other etc/cni run/netctl 2>/dev/null | sort || true")?;
    let expected =
        "etc/cni\nrun/elsewhere\nrun/elsewhere/net.d\nrun/elsewhere/net.d/netctl-web.conflist\nrun/other\n";
    assert!(files.starts_with(expected) && !files.contains("run/netctl"), "{files}");
    assert!(machine.ok("ls --conf-dir /run/elsewhere/net.d")?.contains("web"));
    Ok(())
}
