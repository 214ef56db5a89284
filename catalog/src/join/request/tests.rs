//! What plugins are told of what a person asks for.

use vocab::{ContainerId, InterfaceName};

use super::*;
use crate::sample::network_of;

const ALL: [&str; 4] = ["ips", "mac", "portMappings", "aliases"];

/// A network with a subnet of each family, whose plugin declares `capabilities`.
fn web(capabilities: &[&str]) -> Network {
    let ranges = json!([[{"subnet": "10.1.0.0/24", "gateway": "10.1.0.1"}], [{"subnet": "fd10::/64"}]]);
    let ipam = json!({"type": "host-local", "ranges": ranges});
    network_of("web", json!({"type": "bridge", "isGateway": true, "ipam": ipam}), capabilities)
}

fn leased_by(ipam: &str) -> Network {
    network_of("web", json!({"type": "macvlan", "ipam": {"type": ipam}}), &["ips"])
}

/// What is asked for by words of the command line.
fn joining(ip: &str, ip6: &str) -> Joining {
    let (ip, ip6) = (ip.parse().ok(), ip6.parse().ok());
    Joining { ip, ip6, ..Joining::default() }
}

fn mappings(words: &str) -> Vec<PortMapping> {
    let publish = words.split_whitespace().map(|word| word.parse::<Publish>().unwrap());
    publish.flat_map(|publish| publish.settled().unwrap()).collect()
}

fn built(network: &Network, joining: &Joining, ports: &str) -> Result<(String, Value), String> {
    let attachment = Attachment::new(ContainerId::new("blue").unwrap(), InterfaceName::new("eth0").unwrap());
    let netns = Path::new("/run/netns/blue");
    let request = build(network, joining, attachment.clone(), netns, &mappings(ports));
    let request = request.map_err(|error| error.to_string())?;
    assert_eq!((request.attachment, request.netns.as_deref()), (attachment, Some(netns)));
    Ok((request.args.to_string(), Value::Object(request.capability_args)))
}

#[test]
fn whoever_asks_for_nothing_tells_plugins_nothing() {
    for capabilities in [&ALL[..], &[]] {
        let built = built(&web(capabilities), &Joining::default(), "").unwrap();
        assert_eq!(built, (String::new(), json!({})));
    }
}

#[test]
fn capabilities_are_used_where_they_are_declared() {
    let joining = Joining {
        mac: Some("02:00:00:00:00:07".parse().unwrap()),
        aliases: vec!["api".to_owned(), "www".to_owned()],
        ..joining("10.1.0.9", "fd10::9")
    };
    let (args, capability_args) =
        built(&web(&ALL), &joining, "8080:80 127.0.0.1:53:53/udp [::]:1:2/sctp").unwrap();
    let expected = json!({
        // With the prefix, without which `static` takes none.
        "ips": ["10.1.0.9/24", "fd10::9/64"],
        "mac": "02:00:00:00:00:07",
        "portMappings": [
            {"hostPort": 8080, "containerPort": 80, "protocol": "tcp"},
            {"hostPort": 53, "containerPort": 53, "protocol": "udp", "hostIP": "127.0.0.1"},
            {"hostPort": 1, "containerPort": 2, "protocol": "sctp", "hostIP": "::"},
        ],
        "aliases": {"web": ["api", "www"]},
    });
    assert_eq!((args.as_str(), capability_args), ("", expected));
}

#[test]
fn where_none_is_declared_cni_args_say_the_same_and_bear_with_who_does_not_know_them() {
    let mac = Some("02:00:00:00:00:07".parse().unwrap());
    let with = |joining| built(&web(&[]), &Joining { mac, ..joining }, "").unwrap();
    let (args, capability_args) = with(joining("10.1.0.9", ""));
    assert_eq!(args, "IgnoreUnknown=1;IP=10.1.0.9;MAC=02:00:00:00:00:07");
    assert_eq!(capability_args, json!({}));
    assert_eq!(with(joining("", "fd10::9")).0, "IgnoreUnknown=1;IP=fd10::9;MAC=02:00:00:00:00:07");
    let mixed = built(&web(&["mac"]), &Joining { mac, ..joining("10.1.0.9", "") }, "").unwrap();
    assert_eq!(mixed, ("IgnoreUnknown=1;IP=10.1.0.9".to_owned(), json!({"mac": "02:00:00:00:00:07"})));
}

#[test]
fn what_no_plugin_takes_is_refused() {
    let error = built(&web(&["mac"]), &joining("10.1.0.9", "fd10::9"), "").unwrap_err();
    assert_eq!(error, "network web takes one fixed address: no plugin of it has the capability ips");
    let error = built(&web(&["ips"]), &Joining::default(), "8080:80").unwrap_err();
    assert_eq!(
        error,
        "network web (bridge) publishes no ports: no plugin of it has the capability portMappings"
    );
}

#[test]
fn aliases_are_kept_though_no_plugin_takes_them() {
    let joining = Joining { aliases: vec!["api".to_owned()], ..Joining::default() };
    assert_eq!(built(&web(&[]), &joining, "").unwrap().1, json!({"aliases": {"web": ["api"]}}));
}

fn checked(network: &Network, ip: &str, ip6: &str) -> String {
    check_addresses(network, &joining(ip, ip6)).map_or_else(|error| error.to_string(), |()| "fine".to_owned())
}

#[test]
fn an_address_is_one_that_a_container_may_have() {
    let web = web(&ALL);
    for (ip, ip6) in
        [("10.1.0.2", ""), ("10.1.0.254", "fd10::9"), ("", "fd10::ffff:ffff:ffff:ffff"), ("", "")]
    {
        assert_eq!(checked(&web, ip, ip6), "fine", "{ip} {ip6}");
    }
    let outside =
        |address| format!("address {address} is in none of network web's subnets (10.1.0.0/24, fd10::/64)");
    assert_eq!(checked(&web, "10.2.0.2", ""), outside("10.2.0.2"));
    assert_eq!(checked(&web, "10.1.0.2", "fd11::2"), outside("fd11::2"));
    let cases = [
        ("10.1.0.0", "", "address 10.1.0.0 of network web is the address of the subnet itself"),
        ("10.1.0.255", "", "address 10.1.0.255 of network web is the subnet's broadcast address"),
        ("10.1.0.1", "", "address 10.1.0.1 of network web is the gateway's address"),
        ("", "fd10::", "address fd10:: of network web is the address of the subnet itself"),
    ];
    for (ip, ip6, expected) in cases {
        assert_eq!(checked(&web, ip, ip6), expected);
    }
}

#[test]
fn what_others_lease_only_they_know() {
    assert_eq!(checked(&leased_by("whereabouts"), "10.9.0.9", ""), "fine");
    let expected = "address 10.9.0.9 is in none of network web's subnets: it has none";
    assert_eq!(checked(&leased_by("host-local"), "10.9.0.9", ""), expected);
    let none = network_of("web", json!({"type": "bridge"}), &[]);
    assert_eq!(checked(&none, "10.9.0.9", ""), expected);
    // Without a subnet there is no prefix either.
    let asked = built(&leased_by("whereabouts"), &joining("10.9.0.9", ""), "").unwrap().1;
    assert_eq!(asked, json!({"ips": ["10.9.0.9"]}));
}

#[test]
fn ports_that_name_no_address_are_published_where_the_network_says() {
    let list = json!({"cniVersion": "1.0.0", "name": "web", "netctl": {"hostBinding": "127.0.0.1"},
                      "plugins": [{"type": "bridge"}]});
    let (bound_here, everywhere) = (crate::sample::network(&list), web(&[]));
    let at = |network: &Network, word: &str| {
        bound(&word.parse::<Publish>().unwrap(), network).settled().unwrap()[0].to_string()
    };
    assert_eq!(at(&bound_here, "8080:80"), "127.0.0.1:8080:80/tcp");
    assert_eq!(at(&bound_here, "0.0.0.0:8080:80"), "0.0.0.0:8080:80/tcp");
    assert_eq!(at(&everywhere, "8080:80"), "8080:80/tcp");
}

#[test]
fn a_port_of_the_host_is_published_once() {
    let twice = |words: &str| {
        let ports = mappings(words);
        refuse_twice(&ports[..1], &ports[1]).err().map(|error| error.to_string())
    };
    let same = "8080:80/tcp and 127.0.0.1:8080:81/tcp are the same port of the host";
    assert_eq!(twice("8080:80 127.0.0.1:8080:81").as_deref(), Some(same));
    for words in
        ["8080:80 8080:80", "[::1]:8080:80 [::1]:8080:81", "0.0.0.0:1:1 127.0.0.1:1:1", "1:1 [::]:1:1"]
    {
        assert!(twice(words).is_some(), "{words}");
    }
    for words in [
        "8080:80 8081:80",
        "53:53 53:53/udp",
        "127.0.0.1:1:1 127.0.0.2:1:1",
        "0.0.0.0:1:1 [::]:1:1",
        "0.0.0.0:1:1 [::1]:1:1",
    ] {
        assert_eq!(twice(words), None, "{words}");
    }
}
