//! `netctl inspect`

use lab::Place;
use serde_json::{Value, json};

use crate::{Machine, Test, netctl};

#[test]
fn a_network_is_told_in_full_with_docker_s_names() -> Test {
    let machine = Machine::new("full")?;
    machine.ok(
        "create web --subnet 172.26.0.0/24,fd26::/64 --ip-range 172.26.0.64/26 --gateway 172.26.0.254 --isolate \
         --mtu 1400 -o bridge.enable_icc=false --label tier=web --dns 10.20.1.2 --dns-search example.com",
    )?;
    let mut told = machine.inspect("web")?;
    let created = machine.conflist("web")?["netctl"]["created"].take();
    let links = told["Links"].take();
    let expected = json!({
        "Name": "web",
        "Id": machine.ok("ls -q --no-trunc -f name=web")?.trim(),
        "Created": created,
        "Scope": "local",
        "Driver": "bridge",
        "EnableIPv4": true,
        "EnableIPv6": true,
        "IPAM": {
            "Driver": "host-local",
            "Options": {},
            "Config": [
                {"Subnet": "172.26.0.0/24", "IPRange": "172.26.0.64/26", "Gateway": "172.26.0.254"},
                {"Subnet": "fd26::/64", "Gateway": "fd26::1"},
            ],
        },
        "Internal": false,
        "Isolated": true,
        "MTU": 1400,
        "DNS": {"nameservers": ["10.20.1.2"], "search": ["example.com"]},
        "Options": {"bridge.enable_icc": "false"},
        "Labels": {"tier": "web"},
        "Containers": {},
        "Stale": {},
        "Links": null,
        "Status": {"IPAM": {"Subnets": {
            "172.26.0.0/24": {"IPsInUse": 0, "DynamicIPsAvailable": 64},
            "fd26::/64": {"IPsInUse": 0, "DynamicIPsAvailable": 18446744073709551614_u64},
        }}},
        "File": "/etc/cni/net.d/netctl-web.conflist",
    });
    assert_eq!(told, expected);
    assert_eq!(
        (&links[0]["Name"], &links[0]["Kind"], &links[0]["MTU"]),
        (&"web".into(), &"bridge".into(), &1400.into())
    );
    let addresses = links[0]["Addresses"].as_array().cloned().unwrap_or_default();
    assert!(
        ["172.26.0.254/24", "fd26::1/64"].iter().all(|address| addresses.contains(&json!(address))),
        "{links}"
    );
    Ok(())
}

#[test]
fn it_is_json_for_people_too_only_indented() -> Test {
    let machine = Machine::new("indented")?;
    let text = machine.quietly("inspect host")?;
    assert!(text.starts_with("[\n  {\n    \"Name\": \"host\",\n"), "{text}");
    let compact = machine.quietly("inspect host -o json")?;
    assert_eq!(compact.lines().count(), 1);
    assert_eq!(machine.quietly("inspect host -j --pretty")?, text);
    let [text, compact] = [&text, &compact].map(|text| serde_json::from_str::<Value>(text));
    assert_eq!(text?, compact?);
    Ok(())
}

#[test]
fn a_template_prints_what_it_says_of_each() -> Test {
    let machine = Machine::new("template")?;
    machine.ok("create web --subnet 172.26.0.0/24,fd26::/64")?;
    let format = "{{.Name}}:{{range .IPAM.Config}} {{.Subnet}}{{end}}";
    let outcome = netctl("inspect web host nobody --format").arg(format).run(&machine.0);
    let said = "error: network \"nobody\" not found\nhint: `netctl ls` shows which there are\n";
    let printed = "web: 172.26.0.0/24 fd26::/64\nhost:\n";
    assert_eq!((outcome.code(), outcome.stdout(), outcome.stderr()), (Some(1), printed, said));
    assert_eq!(machine.quietly("inspect -f {{.Driver}} none")?, "null\n");
    let outcome = machine.netctl("inspect -f {{.Drivr}} none");
    let said = "error: template: column 3: no field .Drivr: did you mean .Driver?\n";
    assert!(outcome.stderr().starts_with(said) && outcome.code() == Some(1), "{outcome}");
    Ok(())
}

#[test]
fn a_network_is_found_by_its_name_and_by_what_begins_its_id() -> Test {
    let machine = Machine::new("found")?;
    machine.ok("create web")?;
    let id = machine.ok("ls -q --no-trunc -f name=web")?;
    for words in ["web", id.trim(), &id[..12], &id[..3]] {
        assert_eq!(machine.inspect(words)?["Name"], "web", "{words}");
    }
    // A name wins over an id that begins so.
    let name = &id[..4];
    machine.ok(&format!("create {name}"))?;
    assert_eq!(machine.inspect(name)?["Name"], name);
    assert_eq!(machine.inspect(&id[..5])?["Name"], "web");
    Ok(())
}

#[test]
fn what_begins_several_ids_is_refused_with_their_names() -> Test {
    let machine = Machine::new("ambiguous")?;
    // 17f29b073143 is bridge, 140bedbf9c3f is none.
    let outcome = machine.netctl("inspect 1");
    let said = "error: \"1\" begins the ids of several networks: bridge, none\nhint: give more digits, or the name\n";
    assert_eq!((outcome.code(), outcome.stderr(), outcome.stdout()), (Some(1), said, "[]\n"));
    machine.refuses("rm 1", said);
    machine.add("blue")?;
    machine.refuses("connect 1 blue", said);
    Ok(())
}

#[test]
fn an_unknown_network_is_told_with_the_nearest_one() -> Test {
    let machine = Machine::new("unknown")?;
    machine.ok("create frontend")?;
    let ls = "`netctl ls` shows which there are";
    for (wanted, hint) in [
        ("frontent", "did you mean frontend?"),
        ("brigde", "did you mean bridge?"),
        ("xyz", ls),
        ("", ls),
        ("FFFF", ls),
    ] {
        let outcome = netctl("inspect").arg(wanted).run(&machine.0);
        let said = format!("error: network {wanted:?} not found\nhint: {hint}\n");
        assert_eq!(
            (outcome.code(), outcome.stderr(), outcome.stdout()),
            (Some(1), said.as_str(), "[]\n"),
            "{outcome}"
        );
    }
    Ok(())
}

#[test]
fn those_that_are_found_are_printed_and_the_others_told() -> Test {
    let machine = Machine::new("several")?;
    machine.ok("create web")?;
    let outcome = machine.netctl("inspect none nobody web host xyz");
    let told: Value = serde_json::from_str(outcome.stdout())?;
    let names: Vec<&Value> = told.as_array().into_iter().flatten().map(|network| &network["Name"]).collect();
    assert_eq!(names, ["none", "web", "host"]);
    let said = "error: network \"nobody\" not found\nhint: `netctl ls` shows which there are\n\
        error: network \"xyz\" not found\nhint: `netctl ls` shows which there are\n";
    assert_eq!((outcome.code(), outcome.stderr()), (Some(1), said));
    machine.misunderstands("inspect", "error: the following required arguments were not provided:");
    Ok(())
}

#[test]
fn members_are_told_with_addresses_ports_and_aliases() -> Test {
    let machine = Machine::with("members", "blue green")?;
    machine.ok("create web --subnet 172.26.0.0/24,fd26::/64")?;
    machine.ok(
        "connect web blue --ip 172.26.0.9 --ip6 fd26::9 --mac 02:00:00:00:00:09 --alias www --alias shop \
         -p 8080:80 -p 127.0.0.1:8443:443 -p 5353:53/udp -p [fd26::1]:9090:80",
    )?;
    machine.ok("connect web green --ifname net0")?;
    let told = machine.inspect("web")?;
    let blue = &told["Containers"]["blue"];
    let expected = json!({
        "Name": "blue",
        "EndpointID": "blue/eth0",
        "MacAddress": "02:00:00:00:00:09",
        "IPv4Address": "172.26.0.9/24",
        "IPv6Address": "fd26::9/64",
        "Interface": "eth0",
        "HostInterface": blue["HostInterface"],
        "Namespace": "/run/netns/blue",
        "Aliases": ["www", "shop"],
        "Ports": {
            "80/tcp": [{"HostIp": "", "HostPort": "8080"}, {"HostIp": "fd26::1", "HostPort": "9090"}],
            "443/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8443"}],
            "53/udp": [{"HostIp": "", "HostPort": "5353"}],
        },
    });
    assert_eq!(*blue, expected);
    assert_eq!(told["Containers"]["green"]["EndpointID"], "green/net0");
    let on_host = blue["HostInterface"].as_str().unwrap_or_default();
    assert!(machine.has_link(on_host), "{on_host}");
    let links: Vec<&Value> =
        told["Links"].as_array().into_iter().flatten().map(|link| &link["Name"]).collect();
    assert_eq!(links.len(), 3);
    assert_eq!((links[0], links[1]), (&json!("web"), &json!(on_host)));
    let filling = &told["Status"]["IPAM"]["Subnets"];
    assert_eq!(filling["172.26.0.0/24"], json!({"IPsInUse": 2, "DynamicIPsAvailable": 251}));
    Ok(())
}

#[test]
fn a_container_with_two_interfaces_is_told_twice() -> Test {
    let machine = Machine::with("two", "blue")?;
    machine.ok("create web")?;
    machine.ok("connect web blue")?;
    machine.ok("connect web blue --ifname eth1")?;
    let told = machine.inspect("web")?;
    let keys: Vec<&String> =
        told["Containers"].as_object().into_iter().flatten().map(|(key, _)| key).collect();
    assert_eq!(keys, ["blue", "blue/eth1"]);
    assert_eq!(told["Containers"]["blue/eth1"]["Interface"], "eth1");
    Ok(())
}

#[test]
fn those_whose_namespace_is_gone_are_stale() -> Test {
    let machine = Machine::with("stale", "blue green")?;
    machine.ok("create web --subnet 172.26.0.0/24")?;
    machine.ok("connect web blue")?;
    machine.ok("connect web green")?;
    machine.sh("ip netns delete blue")?;
    let told = machine.inspect("web")?;
    assert_eq!(told["Stale"]["blue"]["IPv4Address"], "172.26.0.2/24");
    assert_eq!(told["Containers"].as_object().map(serde_json::Map::len), Some(1));
    // One of the same name is another.
    machine.add("blue")?;
    assert_eq!(machine.inspect("web")?["Stale"]["blue"]["Interface"], "eth0");
    machine.ok("connect web blue")?;
    let told = machine.inspect("web")?;
    assert_eq!(
        (&told["Stale"], told["Containers"].as_object().map(serde_json::Map::len)),
        (&json!({}), Some(2))
    );
    Ok(())
}

#[test]
fn a_container_of_another_runtime_is_told_by_its_name() -> Test {
    let machine = Machine::with("runtime", "pod")?;
    machine.ok("create web")?;
    let args = "IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=cart";
    machine.ok(&format!("cni add web pod --container-id 0c2c61d2e1bd --args {args}"))?;
    let told = machine.inspect("web")?;
    assert_eq!(told["Containers"]["0c2c61d2e1bd"]["Name"], "cart");
    assert_eq!(told["Containers"]["0c2c61d2e1bd"]["EndpointID"], "0c2c61d2e1bd/eth0");
    Ok(())
}

#[test]
fn networks_of_others_are_told_as_far_as_they_say() -> Test {
    let machine = Machine::new("others")?;
    machine.has_others()?;
    let podman = machine.inspect("podman1")?;
    assert_eq!(podman["IPAM"]["Config"], json!([{"Subnet": "10.89.0.0/24", "Gateway": "10.89.0.1"}]));
    assert_eq!(
        (&podman["Labels"], &podman["Options"]),
        (&json!({"tier": "web"}), &json!({"isolate": "true"}))
    );
    assert_eq!((&podman["Created"], &podman["Internal"]), (&Value::Null, &json!(false)));
    assert_eq!(podman["File"], "/etc/cni/net.d/podman1.conflist");
    let nerd = machine.inspect("nerd")?;
    assert_eq!((&nerd["Labels"], &nerd["Driver"]), (&json!({"tier": "nerd"}), &json!("bridge")));
    let calico = machine.inspect("k8s-pod-network")?;
    assert_eq!((&calico["Driver"], &calico["IPAM"]["Driver"]), (&json!("calico"), &json!("calico-ipam")));
    assert_eq!((&calico["IPAM"]["Config"], &calico["Status"]["IPAM"]["Subnets"]), (&json!([]), &json!({})));
    Ok(())
}

#[test]
fn leases_that_cannot_be_read_are_told_and_the_rest_is_shown() -> Test {
    let machine = Machine::new("leases")?;
    machine.ok("create web --subnet 172.26.0.0/24")?;
    machine.sh("mkdir -p /var/lib/cni/networks; echo torn >/var/lib/cni/networks/web")?;
    let outcome = machine.netctl("inspect web");
    assert!(outcome.stderr().starts_with("warning: "), "{outcome}");
    assert!(outcome.stderr().contains("/var/lib/cni/networks/web"), "{outcome}");
    let told: Value = serde_json::from_str(&outcome.ok()?)?;
    assert_eq!((&told[0]["Name"], &told[0]["Status"]["IPAM"]["Subnets"]), (&json!("web"), &json!({})));
    Ok(())
}

#[test]
fn a_full_range_has_no_address_left() -> Test {
    let machine = Machine::with("range", "a b c")?;
    machine.ok("create web --subnet 172.26.0.0/24 --ip-range 172.26.0.0/30")?;
    let filling = || -> Result<Value, crate::Wrong> {
        Ok(machine.inspect("web")?["Status"]["IPAM"]["Subnets"]["172.26.0.0/24"].take())
    };
    // .1 is the gateway's, .0 the subnet's own.
    assert_eq!(filling()?, json!({"IPsInUse": 0, "DynamicIPsAvailable": 2}));
    machine.ok("connect web a")?;
    machine.ok("connect web b")?;
    assert_eq!(filling()?, json!({"IPsInUse": 2, "DynamicIPsAvailable": 0}));
    Ok(())
}

#[test]
fn the_cache_is_read_as_far_as_it_can_be() -> Test {
    let machine = Machine::with("cache", "blue")?;
    machine.ok("create web")?;
    machine.ok("connect web blue")?;
    machine.0.write_file("/var/lib/cni/results/web-torn-eth0", "{\"kind\":\"cniCacheV1\",\"netw")?;
    machine.0.write_file("/var/lib/cni/results/web-bare-eth0", r#"{"cniVersion":"0.4.0","ips":[]}"#)?;
    machine.sh("mkdir /var/lib/cni/results/web-folder-eth0")?;
    let told = machine.inspect("web")?;
    let keys: Vec<&String> =
        told["Containers"].as_object().into_iter().flatten().map(|(key, _)| key).collect();
    assert_eq!(keys, ["blue"]);
    Ok(())
}
