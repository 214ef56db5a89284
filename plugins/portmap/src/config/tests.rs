use cni::{Code, Fault};
use serde_json::{Value, json};

use super::*;

fn read(keys: Value) -> Result<Settings, ConfigFault> {
    let mut config = json!({"name": "net", "cniVersion": "1.0.0", "type": "portmap"});
    for (key, value) in keys.as_object().unwrap() {
        config[key] = value.clone();
    }
    Settings::read(&Config::parse(config.to_string().into_bytes()).unwrap())
}

fn mappings(entries: Value) -> Result<Vec<String>, ConfigFault> {
    let settings = read(json!({"runtimeConfig": {"portMappings": entries}}))?;
    Ok(settings.mappings.iter().map(ToString::to_string).collect())
}

#[test]
fn the_spelling_of_every_client_is_read() {
    let containerd = json!([{"HostPort": 8080, "ContainerPort": 80, "Protocol": "tcp", "HostIP": ""}]);
    assert_eq!(mappings(containerd).unwrap(), ["8080:80/tcp"]);
    let podman = json!([{"hostPort": 53, "containerPort": 5353, "protocol": "udp", "hostIP": "127.0.0.1"}]);
    assert_eq!(mappings(podman).unwrap(), ["127.0.0.1:53:5353/udp"]);
    let others = json!([
        {"hostPort": 1, "containerPort": 65535},
        {"hostPort": 1, "containerPort": 1, "protocol": "SCTP", "hostIP": "0.0.0.0"},
        {"hostPort": 1, "containerPort": 1, "protocol": "TCP", "hostIP": "::"},
        {"hostPort": 1, "containerPort": 1, "protocol": "udp", "hostIP": "fd00::1"},
    ]);
    let expected = ["1:65535/tcp", "0.0.0.0:1:1/sctp", "[::]:1:1/tcp", "[fd00::1]:1:1/udp"];
    assert_eq!(mappings(others).unwrap(), expected);
    for nothing in
        [json!({}), json!({"runtimeConfig": null}), json!({"runtimeConfig": {"portMappings": null}})]
    {
        assert!(read(nothing).unwrap().mappings.is_empty());
    }
}

#[test]
fn a_bad_mapping_is_named_by_its_place() {
    let good = json!({"hostPort": 1, "containerPort": 1});
    let cases = [
        (json!({"hostPort": 0, "containerPort": 80}), "hostPort: 0"),
        (json!({"hostPort": 70000, "containerPort": 80}), "hostPort: 70000: expected a port from 1 to 65535"),
        (json!({"hostPort": -1, "containerPort": 80}), "hostPort: -1"),
        (json!({"hostPort": 80}), "containerPort: 0"),
        (json!({"hostPort": 1, "containerPort": 1, "protocol": "icmp"}), "protocol: icmp: expected \"tcp\""),
        (json!({"hostPort": 1, "containerPort": 1, "protocol": "tcp; drop"}), "protocol: tcp; drop"),
        (
            json!({"hostPort": 1, "containerPort": 1, "hostIP": "localhost"}),
            "hostIP: localhost: expected an IPv4",
        ),
    ];
    for (bad, words) in cases {
        let error = mappings(json!([good, bad])).unwrap_err();
        let words = format!("runtimeConfig.portMappings[1].{words}");
        assert!(error.to_string().contains(&words), "{error}");
        assert_eq!(error.code(), Code::INVALID_CONFIG);
    }
    let error = mappings(json!([{"hostPort": "80", "containerPort": 80}])).unwrap_err();
    assert_eq!(error.code(), Code::DECODING);
}

#[test]
fn who_is_masqueraded_follows_from_snat_and_masq_all() {
    let clients = |keys| match read(keys).unwrap().backend {
        Backend::Nftables(clients) => clients,
        Backend::Iptables(_) => panic!("iptables"),
    };
    assert_eq!(clients(json!({})), MasqueradeClients::WhereNeeded);
    assert_eq!(clients(json!({"snat": true, "backend": "nftables"})), MasqueradeClients::WhereNeeded);
    assert_eq!(clients(json!({"masqAll": true, "markMasqBit": 5})), MasqueradeClients::Always);
    assert_eq!(clients(json!({"snat": false, "masqAll": true})), MasqueradeClients::Never);
}

#[test]
fn words_of_iptables_ask_for_iptables() {
    let options = |keys| match read(keys).unwrap().backend {
        Backend::Iptables(options) => *options,
        Backend::Nftables(_) => panic!("nftables"),
    };
    assert_eq!(options(json!({"backend": "iptables"})), IptablesOptions::default());
    let options = options(json!({
        "externalSetMarkChain": "KUBE-MARK-MASQ", "snat": false,
        "conditionsV4": ["!", "-d", "192.0.2.0/24"], "conditionsV6": [],
    }));
    assert_eq!(options.mark, Mark::Chain(ChainName::new("KUBE-MARK-MASQ").unwrap()));
    assert_eq!((options.snat, options.conditions_v4.to_string().as_str()), (false, " ! -d 192.0.2.0/24"));
    assert!(options.conditions_v6.is_empty());
}

#[test]
fn what_cannot_be_honoured_is_refused_with_the_reason() {
    let cases = [
        (json!({"markMasqBit": 32}), "markMasqBit: 32: expected 0 to 31", Code::INVALID_CONFIG),
        (json!({"markMasqBit": 1, "externalSetMarkChain": "X"}), "exclude each other", Code::INVALID_CONFIG),
        (json!({"backend": "ipvs"}), "backend: ipvs: expected \"nftables\"", Code::INVALID_CONFIG),
        (
            json!({"backend": "nftables", "externalSetMarkChain": "X"}),
            "externalSetMarkChain: X",
            Code::UNSUPPORTED_FIELD,
        ),
        (
            json!({"backend": "nftables", "conditionsV6": ["ip6", "daddr", "fd00::/8"]}),
            "conditionsV6: ip6 daddr fd00::/8",
            Code::UNSUPPORTED_FIELD,
        ),
        (json!({"conditionsV4": ["a\nb"]}), "conditionsV4", Code::INVALID_CONFIG),
        (json!({"externalSetMarkChain": "a b"}), "externalSetMarkChain: a b", Code::INVALID_CONFIG),
    ];
    for (keys, words, code) in cases {
        let error = read(keys).unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
        assert_eq!(error.code(), code, "{error}");
    }
}
