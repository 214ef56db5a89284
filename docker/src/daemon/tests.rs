//! What each key means, and, word by word, what is said of those that cannot work.

mod mutations;
mod refused;

use std::path::PathBuf;

use super::*;
use crate::shorthand::Shorthand;

/// A file with every key that is understood.
const WHOLE: &str = r#"{
  "bip": "192.168.1.5/24",
  "bip6": "fd00:5::1/64",
  "fixed-cidr": "192.168.1.128/25",
  "fixed-cidr-v6": "fd00:5::8000/113",
  "default-gateway": "192.168.1.254",
  "default-gateway-v6": "fd00:5::9",
  "bridge": "",
  "mtu": 1400,
  "dns": ["10.20.1.2", "fd00:5::53"],
  "dns-search": ["example.com", "corp.example."],
  "dns-opts": ["ndots:2", "rotate"],
  "ip": "127.0.0.1",
  "ip-forward": false,
  "ip-masq": false,
  "icc": false,
  "ipv6": true,
  "default-address-pools": [
    {"base": "10.50.0.0/16", "size": 24},
    {"base": "fd00:50::/48", "size": 64}
  ],
  "log-driver": "journald",
  "features": {"buildkit": true}
}"#;

fn parse(text: &str) -> DaemonFile {
    DaemonFile::parse(text.as_bytes()).unwrap_or_else(|fault| panic!("{text}: {fault}"))
}

/// A path in a folder of its own, which is gone with what is returned.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("netctl-docker-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn file(&self) -> PathBuf {
        self.0.join("daemon.json")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn every_key_is_understood() {
    let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let pool = |base: &str, size| Pool::new(base.parse().unwrap(), size).unwrap();
    let expected = DaemonFile {
        wish: Wish {
            bip: Some("192.168.1.5/24".to_owned()),
            bip6: Some("fd00:5::1/64".to_owned()),
            fixed_cidr: Some("192.168.1.128/25".to_owned()),
            fixed_cidr_v6: Some("fd00:5::8000/113".to_owned()),
            gateway: Some("192.168.1.254".parse().unwrap()),
            gateway_v6: Some("fd00:5::9".parse().unwrap()),
        },
        bridge: DefaultBridge::Own,
        mtu: Some(Mtu::new(1400).unwrap()),
        dns: vec!["10.20.1.2".parse().unwrap(), "fd00:5::53".parse().unwrap()],
        dns_search: owned(&["example.com", "corp.example."]),
        dns_opts: owned(&["ndots:2", "rotate"]),
        ip_forward: false,
        ip_masq: false,
        icc: false,
        ipv6: Some(true),
        host_address: Some("127.0.0.1".parse().unwrap()),
        pools: vec![pool("10.50.0.0/16", 24), pool("fd00:50::/48", 64)],
        ignored: owned(&["features", "log-driver"]),
    };
    assert_eq!(parse(WHOLE), expected);
    let addresses = Shorthand::new(&expected.wish).unwrap().bridge_addresses();
    assert_eq!(
        addresses.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["192.168.1.5/24", "fd00:5::1/64"]
    );
}

/// The page is for people who write such files: what it shows is read, and no key is missing in it.
#[test]
fn the_example_of_the_page_is_read_and_all_keys_are_explained() {
    let page = include_str!("../../../docs/daemon-json.md");
    let (_, example) = page.split_once("```json\n").unwrap();
    let file = parse(example.split_once("```").unwrap().0);
    assert_eq!(file.ignored, Vec::<String>::new());
    let pool = |at: usize| Shorthand::new(&file.wish).unwrap().families()[at].pool();
    assert_eq!(pool(0), ("192.168.1.128".parse().unwrap(), "192.168.1.254".parse().unwrap()));
    assert_eq!(pool(1), ("fd00:5::8000".parse().unwrap(), "fd00:5::ffff".parse().unwrap()));
    let keys: serde_json::Map<String, serde_json::Value> = serde_json::from_str(WHOLE).unwrap();
    let (_, table) = page.split_once("## The keys").unwrap();
    for key in keys.keys().filter(|key| !parse(WHOLE).ignored.contains(key)) {
        assert!(table.contains(&format!("`{key}`")), "{key}");
    }
}

#[test]
fn a_file_without_a_key_has_dockers_defaults() {
    for text in ["{}", "", " \n", "\u{feff}{}", "\u{feff}"] {
        assert_eq!(parse(text), DaemonFile::default(), "{text:?}");
    }
    let DaemonFile { ip_forward, ip_masq, icc, ipv6, mtu, bridge, .. } = DaemonFile::default();
    assert_eq!(
        (ip_forward, ip_masq, icc, ipv6, mtu, bridge),
        (true, true, true, None, None, DefaultBridge::Own)
    );
}

#[test]
fn what_is_given_as_nothing_is_as_if_it_were_absent() {
    let empty = parse(
        r#"{"bip": "", "bip6": "", "fixed-cidr": "", "fixed-cidr-v6": "", "default-gateway": "",
            "default-gateway-v6": "", "bridge": "", "mtu": 0, "dns": [], "dns-search": [], "dns-opts": [],
            "ip": "", "default-address-pools": []}"#,
    );
    assert_eq!(empty, DaemonFile::default());
    let null = parse(
        r#"{"bip": null, "bip6": null, "fixed-cidr": null, "fixed-cidr-v6": null, "default-gateway": null,
            "default-gateway-v6": null, "bridge": null, "mtu": null, "dns": null, "dns-search": null,
            "dns-opts": null, "ip": null, "default-address-pools": null, "ip-forward": null, "ip-masq": null,
            "icc": null, "ipv6": null}"#,
    );
    assert_eq!(null, DaemonFile::default());
}

#[test]
fn what_is_not_understood_is_told_once_and_sorted() {
    let file = parse(
        r#"{"runtimes": {"bip": "x"}, "debug": true, "debug": false, "BIP": "x", "fixed_cidr": 5, "bip": "10.1.0.1/24",
            "default-network-opts": {"bridge": {"com.docker.network.driver.mtu": "1400"}},
            "default-address-pools": [{"base": "10.50.0.0/16", "size": 24, "scope": "local"}]}"#,
    );
    let expected =
        ["BIP", "debug", "default-address-pools[0].scope", "default-network-opts", "fixed_cidr", "runtimes"];
    assert_eq!(file.ignored, expected);
    assert_eq!(file.wish.bip.as_deref(), Some("10.1.0.1/24"));
}

#[test]
fn a_key_that_is_there_twice_is_no_harm_as_long_as_nothing_is_lost() {
    assert_eq!(parse(r#"{"mtu": 1400, "icc": false, "mtu": 1400}"#).mtu, Mtu::new(1400).ok());
    let twice = DaemonFile::parse(br#"{"mtu": 1400, "mtu": 1500}"#).unwrap_err();
    assert_eq!(twice.to_string(), "mtu: 1400 and 1500: expected it once");
    let pool = br#"{"default-address-pools": [{"base": "10.1.0.0/16", "size": 24, "size": 25}]}"#;
    let twice = DaemonFile::parse(pool).unwrap_err();
    assert_eq!(twice.to_string(), "default-address-pools[0].size: 24 and 25: expected it once");
}

#[test]
fn the_bridge_is_its_own_somebody_elses_or_none() {
    let bridge = |text: &str| parse(&format!(r#"{{"bridge": "{text}"}}"#)).bridge;
    assert_eq!(bridge(""), DefaultBridge::Own);
    assert_eq!(bridge("br0"), DefaultBridge::Existing(InterfaceName::new("br0").unwrap()));
    assert_eq!(bridge("none"), DefaultBridge::None);
}

#[test]
fn of_a_bridge_that_exists_only_the_host_knows_the_network() {
    let file = parse(r#"{"bridge": "br0", "fixed-cidr": "10.1.0.128/25", "default-gateway": "10.1.0.9"}"#);
    let own = Wish { bip: Some("10.1.0.1/24".to_owned()), ..file.wish.clone() };
    let shorthand = Shorthand::new(&own).unwrap();
    assert_eq!(shorthand.families()[0].pool().0.to_string(), "10.1.0.128");
    let other = Wish { bip: Some("10.2.0.1/24".to_owned()), ..file.wish };
    assert!(Shorthand::new(&other).is_err());
}

#[test]
fn a_key_for_ipv6_switches_ipv6_on() {
    let has_ipv6 = |text: &str| parse(text).has_ipv6();
    assert!(!has_ipv6("{}"));
    assert!(has_ipv6(r#"{"ipv6": true}"#), "the caller finds a network for it");
    assert!(!has_ipv6(r#"{"ipv6": false}"#));
    assert!(has_ipv6(r#"{"fixed-cidr-v6": "fd00:5::/64"}"#));
    assert!(has_ipv6(r#"{"bip6": "fd00:5::1/64"}"#));
    assert_eq!(parse(r#"{"fixed-cidr-v6": "fd00:5::/64"}"#).ipv6, None, "what was written stays visible");
}

#[test]
fn ports_are_published_at_an_address_of_either_family() {
    let host = |text: &str| parse(&format!(r#"{{"ip": "{text}"}}"#)).host_address.map(|ip| ip.to_string());
    for text in ["127.0.0.1", "0.0.0.0", "::1", "::"] {
        assert_eq!(host(text).as_deref(), Some(text));
    }
}

#[test]
fn domains_and_options_are_words_of_resolv_conf() {
    let search = |text: &str| parse(&format!(r#"{{"dns-search": ["{text}"]}}"#)).dns_search;
    for text in ["example.com", "example.com.", "a", "x1-y.example", "_sites.example", "."] {
        assert_eq!(search(text), [text]);
    }
    assert_eq!(search(" example.com "), ["example.com"], "Docker trims it, too");
    let long = format!("{}.example", "x".repeat(63));
    assert_eq!(search(&long), [long.as_str()]);
}

#[test]
fn a_pool_may_be_one_network_and_as_small_as_two_hosts() {
    let pools = parse(
        r#"{"default-address-pools": [{"base": "10.0.0.0/8", "size": 8}, {"base": "10.1.0.0/30", "size": 30},
            {"size": 126, "base": "fd00::/8"}]}"#,
    )
    .pools;
    let told: Vec<_> = pools.iter().map(|pool| format!("{} {}", pool.base(), pool.size())).collect();
    assert_eq!(told, ["10.0.0.0/8 8", "10.1.0.0/30 30", "fd00::/8 126"]);
}

#[test]
fn a_file_that_is_not_there_is_none_only_for_who_says_so() {
    let folder = Folder::new("absent");
    let path = folder.file();
    assert_eq!(DaemonFile::find(&path).unwrap(), None);
    let error = DaemonFile::read(&path).unwrap_err();
    assert_eq!(error.to_string(), format!("read {}", path.display()));
    std::fs::write(&path, WHOLE).unwrap();
    assert_eq!(DaemonFile::find(&path).unwrap(), Some(parse(WHOLE)));
    assert_eq!(DaemonFile::read(&path).unwrap(), parse(WHOLE));
    // A folder is there, but no file.
    assert!(DaemonFile::find(&folder.0).is_err());
}

#[test]
fn no_json_is_told_with_file_line_and_column() {
    let folder = Folder::new("json");
    let path = folder.file();
    std::fs::write(&path, "{\n  \"bip\": \"10.1.0.1/24\",\n}\n").unwrap();
    let error = DaemonFile::find(&path).unwrap_err();
    let mut chain = vec![error.to_string()];
    let mut source = std::error::Error::source(&error);
    while let Some(error) = source {
        chain.push(error.to_string());
        source = error.source();
    }
    let [first, second, third] = chain.as_slice() else { panic!("{chain:?}") };
    assert_eq!(*first, format!("use {}", path.display()));
    assert_eq!(second, "decode JSON");
    assert_eq!(third, "trailing comma at line 3 column 1");
}

#[test]
fn whoever_reads_an_error_is_told_the_way_out() {
    let hint = |text: &str| DaemonFile::parse(text.as_bytes()).unwrap_err().hint();
    assert_eq!(
        hint(r#"{"bip": "192.168.1.5/24", "fixed-cidr": "10.20.0.0/16"}"#).unwrap(),
        "bip says which network it is, fixed-cidr only which part of it containers get: leave fixed-cidr out, or \
         change bip to an address in it"
    );
    assert_eq!(
        hint(r#"{"bip": "192.168.1.5/24", "default-gateway": "10.20.1.1"}"#).unwrap(),
        "leave default-gateway out, and the bridge itself is the gateway"
    );
    assert_eq!(hint(r#"{"mtu": 20}"#), None, "what was expected says it all");
}
