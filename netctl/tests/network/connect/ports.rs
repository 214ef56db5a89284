//! Published ports.

use lab::Namespace;
use lab::traffic::{Transport, serve};
use serde_json::{Value, json};

use crate::others::podman;
use crate::{Machine, Test, Wrong, netctl};

impl Machine {
    /// A network, and namespaces.
    fn with_network(name: &str, namespaces: &str) -> Result<Self, Wrong> {
        let machine = Self::with(name, namespaces)?;
        machine
            .sh("echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding")?;
        machine.ok("create web --subnet 172.26.0.0/24,fd26::/64")?;
        Ok(machine)
    }

    /// The ports of a container on network `web`, as Docker shows them.
    fn ports(&self, container: &str) -> Result<Value, Wrong> {
        Ok(self.inspect("web")?["Containers"][container]["Ports"].take())
    }
}

fn at(address: &str, ports: &[u16]) -> Value {
    ports.iter().map(|port| json!({"HostIp": address, "HostPort": port.to_string()})).collect()
}

#[test]
fn every_form_that_names_a_port_publishes_it() -> Test {
    let machine = Machine::with_network("forms", "blue")?;
    for (words, ports) in [
        ("-p 8080:80", json!({"80/tcp": at("", &[8080])})),
        ("--publish 8080:80/tcp", json!({"80/tcp": at("", &[8080])})),
        ("-p 5353:53/udp", json!({"53/udp": at("", &[5353])})),
        ("-p 5353:53/UDP", json!({"53/udp": at("", &[5353])})),
        ("-p 9899:9899/sctp", json!({"9899/sctp": at("", &[9899])})),
        ("-p 127.0.0.1:8080:80", json!({"80/tcp": at("127.0.0.1", &[8080])})),
        ("-p 0.0.0.0:8080:80", json!({"80/tcp": at("0.0.0.0", &[8080])})),
        ("-p [::]:8080:80", json!({"80/tcp": at("::", &[8080])})),
        ("-p [fd26::1]:8080:80", json!({"80/tcp": at("fd26::1", &[8080])})),
        ("-p fd26::1:8080:80", json!({"80/tcp": at("fd26::1", &[8080])})),
        (
            "-p 8000-8002:80-82",
            json!({"80/tcp": at("", &[8000]), "81/tcp": at("", &[8001]), "82/tcp": at("", &[8002])}),
        ),
        ("-p 8000:80 -p 8001:80", json!({"80/tcp": at("", &[8000, 8001])})),
        ("-p 127.0.0.1:8080:80 -p 172.26.0.1:8080:80", {
            let both = [at("127.0.0.1", &[8080]), at("172.26.0.1", &[8080])];
            json!({"80/tcp": [both[0][0], both[1][0]]})
        }),
        ("-p 53:53/udp -p 53:53/tcp", json!({"53/udp": at("", &[53]), "53/tcp": at("", &[53])})),
        ("-p 1:65535 -p 65535:1", json!({"65535/tcp": at("", &[1]), "1/tcp": at("", &[65535])})),
    ] {
        machine.quietly(&format!("connect web blue {words}"))?;
        assert_eq!(machine.ports("blue")?, ports, "{words}");
        machine.quietly("disconnect web blue")?;
    }
    let ruleset = machine.sh("nft list table inet netctl 2>/dev/null | grep -c blue || true")?;
    assert_eq!(ruleset, "0\n");
    Ok(())
}

#[test]
fn ports_that_are_not_named_are_chosen_and_told() -> Test {
    let machine = Machine::with_network("chosen", "blue")?;
    machine.sh("echo '40000 40009' >/proc/sys/net/ipv4/ip_local_port_range")?;
    for words in [
        "-p 80",
        "-p :80",
        "-p 0:80",
        "-p 127.0.0.1::80",
        "-p [::]::80",
        "-p 80/udp",
        "-p 80-82",
        "-p 80 -p 81",
    ] {
        let said = machine.said(&format!("connect web blue {words}"))?;
        let told = said.strip_prefix("note: published ").unwrap_or_default().trim();
        let ports = machine.ports("blue")?;
        let mut chosen = Vec::new();
        for bindings in ports.as_object().into_iter().flatten().map(|(_, bindings)| bindings) {
            let port: u16 = bindings[0]["HostPort"].as_str().unwrap_or_default().parse()?;
            assert!(
                (40000..=40009).contains(&port) && told.contains(&port.to_string()),
                "{words}: {said}{ports}"
            );
            chosen.push(port);
        }
        assert_eq!(told.split(", ").count(), chosen.len(), "{words}: {said}{ports}");
        chosen.sort_unstable();
        chosen.dedup();
        assert_eq!(chosen.len(), ports.as_object().map_or(0, serde_json::Map::len), "{words}: {ports}");
        machine.quietly("disconnect web blue")?;
    }
    Ok(())
}

#[test]
fn of_several_ports_of_the_host_the_first_free_one_is_chosen() -> Test {
    let machine = Machine::with_network("range", "a b c")?;
    assert_eq!(machine.said("connect web a -p 8000-8001:80")?, "note: published 8000:80/tcp\n");
    assert_eq!(machine.said("connect web b -p 8000-8001:80")?, "note: published 8001:80/tcp\n");
    let before = machine.snapshot()?;
    machine.refuses(
        "connect web c -p 8000-8001:80",
        "error: choose a host port for 8000-8001:80/tcp: all of 8000-8001/tcp are taken\n\
        hint: name more host ports, or end a container that has one of them\n",
    );
    machine.is_as_it_was(&before)?;
    machine.ok("disconnect web a")?;
    machine.ok("connect web c -p 8000-8001:80")?;
    Ok(())
}

#[test]
fn who_choose_at_once_get_different_ports() -> Test {
    let machine = Machine::with_network("at-once", "a b c d e f")?;
    std::thread::scope(|scope| {
        let join = |name: &'static str| {
            let words = format!("connect web {name} -p 8000-8005:80");
            let machine = &machine;
            scope.spawn(move || machine.netctl(&words).ok().map(drop).map_err(|error| error.to_string()))
        };
        ["a", "b", "c", "d", "e", "f"].map(join).into_iter().try_for_each(|join| join.join().unwrap())
    })?;
    let told = machine.inspect("web")?;
    let containers = told["Containers"].as_object().cloned().unwrap_or_default();
    let ports: std::collections::HashSet<String> = containers
        .values()
        .map(|container| container["Ports"]["80/tcp"][0]["HostPort"].to_string())
        .collect();
    assert_eq!(ports.len(), 6, "{told}");
    Ok(())
}

#[test]
fn a_port_that_a_container_has_is_told_with_which() -> Test {
    let machine = Machine::with_network("container", "blue green red")?;
    machine.ok("create db")?;
    machine.quietly("connect db red")?;
    machine.quietly("connect web blue -p 8080:80")?;
    let before = machine.snapshot()?;
    for words in
        ["-p 8080:80", "-p 8080:81", "-p 127.0.0.1:8080:80", "-p 0.0.0.0:8080:80", "-p 8079-8081:79-81"]
    {
        for network in ["web", "db"] {
            let outcome = machine.netctl(&format!("connect {network} green {words}"));
            let first =
                format!("error: add green/eth0 to network {network}\n  because: call plugin \"portmap\"\n");
            assert!(outcome.stderr().starts_with(&first), "{outcome}");
            let said = ": the host's port 8080/tcp is taken by web/blue/eth0\nhint: publish another port than 8080, or end web/blue/eth0";
            assert!(outcome.stderr().contains(said), "{outcome}");
        }
    }
    assert_eq!(machine.sh("ip -n green -br link | grep -v ^lo || true")?, "");
    machine.is_as_it_was(&before)?;
    // Another protocol is another port.
    machine.quietly("connect web green -p 8080:80/udp")?;
    Ok(())
}

#[test]
fn a_port_on_which_a_process_listens_is_told_with_which() -> Test {
    let machine = Machine::with_network("process", "blue")?;
    let _server = serve(&machine.0, Transport::Tcp, "127.0.0.1:8080".parse()?)?;
    let outcome = machine.netctl("connect web blue -p 8080:80");
    assert_eq!(outcome.code(), Some(1), "{outcome}");
    let said = outcome.stderr();
    assert!(
        said.contains("the host's port 8080/tcp is taken by ") && said.contains("lab-probe"),
        "{outcome}"
    );
    assert_eq!(machine.kept()?, "");
    // One that is only somewhere else is in nobody's way.
    machine.quietly("connect web blue -p 172.26.0.1:8080:80")?;
    machine.ok("disconnect web blue")?;
    assert_eq!(machine.said("connect web blue -p 8080-8081:80")?, "note: published 8081:80/tcp\n");
    Ok(())
}

#[test]
fn one_port_twice_is_refused() -> Test {
    let machine = Machine::with_network("twice", "blue")?;
    let before = machine.snapshot()?;
    for (words, said) in [
        ("-p 8080:80 -p 8080:81", "8080:80/tcp and 8080:81/tcp are the same port of the host"),
        (
            "-p 8080:80 -p 127.0.0.1:8080:81",
            "8080:80/tcp and 127.0.0.1:8080:81/tcp are the same port of the host",
        ),
        (
            "-p 127.0.0.1:8080:80 -p 8080:81",
            "127.0.0.1:8080:80/tcp and 8080:81/tcp are the same port of the host",
        ),
        ("-p 8000-8002:80-82 -p 8001:90", "8001:81/tcp and 8001:90/tcp are the same port of the host"),
    ] {
        machine.refuses(&format!("connect web blue {words}"), &format!("error: {said}\n"));
    }
    machine.is_as_it_was(&before)
}

#[test]
fn texts_that_publish_nothing_are_refused_with_what_would() -> Test {
    let machine = Machine::with_network("wrong", "blue")?;
    let begin =
        |text: &str| format!("error: invalid value '{text}' for '--publish <PORT>': publish {text:?}: ");
    for (text, said) in [
        ("", "no container port: expected [[ADDRESS:]HOST-PORT:]CONTAINER-PORT[/PROTOCOL]"),
        ("8080:", "no container port: expected [[ADDRESS:]HOST-PORT:]CONTAINER-PORT[/PROTOCOL]"),
        (
            "127.0.0.1:80",
            "127.0.0.1 stands where the host's port should be: expected 127.0.0.1:HOST-PORT:80, or 127.0.0.1::80 for a free port",
        ),
        (
            "8000-8001:80-82",
            "8000-8001 are 2 host ports and 80-82 are 3 container ports: expected as many, or one container port for any \
             free one of the host's",
        ),
    ] {
        let outcome = netctl("connect web blue --publish").arg(text).run(&machine.0);
        let first = outcome.stderr().lines().next().unwrap_or_default();
        assert_eq!(
            (outcome.code(), first),
            (Some(2), format!("{}{said}", begin(text)).as_str()),
            "{outcome}"
        );
    }
    for text in [
        "70000:80",
        "80:70000",
        "0",
        "80:0",
        "x:80",
        "80:80/icmp",
        "1.2.3:80:80",
        "82-80:80",
        "-1:80",
        "[::1:80:80",
    ] {
        let outcome = netctl("connect web blue --publish").arg(text).run(&machine.0);
        assert_eq!(outcome.code(), Some(2), "{outcome}");
    }
    assert_eq!(machine.kept()?, "");
    Ok(())
}

#[test]
fn a_network_that_publishes_nothing_says_so() -> Test {
    let machine = Machine::with_network("none", "blue")?;
    let mut bare = podman("bare", "10.89.7.0/24", "10.89.7.1");
    bare["plugins"] = json!([bare["plugins"][0]]);
    machine.has_file("bare.conflist", &bare)?;
    machine.refuses(
        "connect bare blue -p 8080:80",
        "error: network bare (bridge) publishes no ports: no plugin of it has the capability portMappings\n\
        hint: add {\"type\": \"portmap\", \"capabilities\": {\"portMappings\": true}} to its conflist\n",
    );
    machine.refuses(
        "connect none blue -p 8080:80",
        "error: network none (null) publishes no ports: no plugin of it has the capability portMappings\n\
        hint: its containers are reached by their own addresses, on any port\n",
    );
    Ok(())
}

#[test]
fn ports_that_name_no_address_are_published_where_the_network_says() -> Test {
    let machine = Machine::with_network("binding", "blue")?;
    machine.ok("create local -o bridge.host_binding_ipv4=127.0.0.1")?;
    assert_eq!(machine.quietly("connect local blue -p 8080:80 -p 172.26.0.1:8081:81")?, "");
    let ports = machine.inspect("local")?["Containers"]["blue"]["Ports"].take();
    assert_eq!(ports, json!({"80/tcp": at("127.0.0.1", &[8080]), "81/tcp": at("172.26.0.1", &[8081])}));
    Ok(())
}

#[test]
fn a_port_leads_to_the_container_that_is_there_now() -> Test {
    let machine = Machine::with_network("anew", "blue")?;
    machine.ok("create db --subnet 172.27.0.0/24")?;
    // As the second network of an earlier namespace of that name, by another interface.
    machine.quietly("connect db blue")?;
    machine.quietly("connect web blue -p 8080:80")?;
    machine.sh("ip netns delete blue; ip netns add blue")?;
    machine.quietly("connect web blue -p 8080:80 --ip 172.26.0.9")?;
    let _server = serve(&Namespace::of(&machine.0, "blue"), Transport::Tcp, "172.26.0.9:80".parse()?)?;
    let within = std::time::Duration::from_secs(2);
    lab::traffic::ask(&machine.0, Transport::Tcp, "127.0.0.1:8080".parse()?, within)?;
    // And when it published on another network.
    machine.sh("ip netns delete blue; ip netns add blue")?;
    machine.quietly("connect db blue -p 8080:80 --ip 172.27.0.9")?;
    let _server = serve(&Namespace::of(&machine.0, "blue"), Transport::Tcp, "172.27.0.9:80".parse()?)?;
    lab::traffic::ask(&machine.0, Transport::Tcp, "127.0.0.1:8080".parse()?, within)?;
    Ok(())
}
