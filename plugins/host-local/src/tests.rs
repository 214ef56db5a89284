//! The verbs, on a real directory.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use cni::{
    AddCall, Call, CheckCall, Code, Config, DelCall, Environment, Fault, GcCall, InProcess, Registry,
    StatusCall, Success, Valid, Version,
};
use serde_json::{Value, json};
use vocab::{Attachment, ContainerId, InterfaceName};

use crate::error::HostLocalError;
use crate::{add, check, del, gateways, gc, lower, status};

/// A data directory that goes with the test.
struct Host(PathBuf);

impl Host {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("host-local-test-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// A call with `ipam` and, from `others`, further keys of the configuration.
    fn call(&self, mut ipam: Value, others: Value, args: &str) -> Call {
        ipam["type"] = json!("host-local");
        ipam["dataDir"] = json!(self.0.join("data"));
        let mut config = json!({"cniVersion": "1.1.0", "name": "net", "type": "bridge", "ipam": ipam});
        config.as_object_mut().unwrap().extend(others.as_object().unwrap().clone());
        let environment = Environment { args: args.to_owned(), ..Environment::default() };
        let config = Config::parse(config.to_string().into_bytes()).unwrap();
        Call::new(config, environment, Registry::new(&[], InProcess::Never))
    }

    fn add_call(&self, call: Call, container: &str) -> Result<Success, HostLocalError> {
        add::add(
            &AddCall { call, attachment: attachment(container), netns: PathBuf::from("/x") },
            &self.0.join("run"),
        )
    }

    fn add(&self, ipam: Value, container: &str) -> Result<Vec<String>, String> {
        addresses(self.add_call(self.call(ipam, json!({}), ""), container))
    }

    fn del(&self, ipam: Value, container: &str) -> Result<(), HostLocalError> {
        let call = self.call(ipam, json!({}), "");
        del::del(&DelCall { call, attachment: attachment(container), netns: None }, &self.0.join("run"))
    }

    fn check(&self, ipam: Value, others: Value, container: &str) -> Result<(), String> {
        let call = CheckCall {
            call: self.call(ipam, others, ""),
            attachment: attachment(container),
            netns: PathBuf::from("/x"),
        };
        check::check(&call, &self.0.join("run")).map_err(|error| error.to_string())
    }

    fn gateways(&self, ipam: Value, others: Value) -> Result<Vec<String>, String> {
        let found = gateways::gateways(&StatusCall { call: self.call(ipam, others, "") });
        let texts = |found: Vec<ipnetwork::IpNetwork>| found.iter().map(ToString::to_string).collect();
        found.map(texts).map_err(|error| cni::Failure::from(error).to_string())
    }

    fn lower(&self, ipam: Value) {
        lower::lower(&StatusCall { call: self.call(ipam, json!({}), "") }, &self.0.join("run")).unwrap();
    }

    fn status(&self, ipam: Value) -> Result<(), HostLocalError> {
        status::status(&StatusCall { call: self.call(ipam, json!({}), "") }, &self.0.join("run"))
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn attachment(container: &str) -> Attachment {
    Attachment::new(ContainerId::new(container).unwrap(), InterfaceName::new("eth0").unwrap())
}

fn addresses(result: Result<Success, HostLocalError>) -> Result<Vec<String>, String> {
    let result = result.map_err(|error| cni::Failure::from(error).to_string())?;
    Ok(result.ips.iter().map(|ip| ip.address.to_string()).collect())
}

fn small() -> Value {
    json!({"ranges": [[{"subnet": "10.9.0.0/29"}]]})
}

#[test]
fn the_result_has_leases_gateways_routes_and_names() {
    let host = Host::new();
    let resolv_conf = host.0.join("resolv.conf");
    fs::write(&resolv_conf, "nameserver 192.0.2.1\n").unwrap();
    let ipam = json!({
        "ranges": [[{"subnet": "10.9.0.0/24", "gateway": "10.9.0.254"}], [{"subnet": "fd00::/64"}]],
        "routes": [{"dst": "0.0.0.0/0"}, {"dst": "192.168.0.0/16", "gw": "10.9.0.253"}],
        "resolvConf": resolv_conf,
    });
    let result = host.add_call(host.call(ipam, json!({}), ""), "web").unwrap();
    let written: Value = serde_json::from_slice(&result.write(Version::V1_0_0).unwrap()).unwrap();
    assert_eq!(
        written,
        json!({
            "cniVersion": "1.0.0",
            "ips": [
                {"address": "10.9.0.1/24", "gateway": "10.9.0.254"},
                {"address": "fd00::2/64", "gateway": "fd00::1"},
            ],
            "routes": [{"dst": "0.0.0.0/0"}, {"dst": "192.168.0.0/16", "gw": "10.9.0.253"}],
            "dns": {"nameservers": ["192.0.2.1"]},
        })
    );
    let missing = json!({"ranges": [[{"subnet": "10.9.1.0/24"}]], "resolvConf": "/nowhere"});
    assert_eq!(
        host.add(missing, "db").unwrap_err(),
        "read resolvConf /nowhere: No such file or directory (os error 2)"
    );
    assert_eq!(fs::read_dir(host.0.join("data/net")).unwrap().count(), 5, "nothing was leased");
}

#[test]
fn the_runtimes_ranges_come_first_then_the_old_form_then_the_list() {
    let host = Host::new();
    let ipam =
        json!({"subnet": "10.2.0.0/24", "rangeStart": "10.2.0.9", "ranges": [[{"subnet": "10.3.0.0/24"}]]});
    let runtime = json!({"runtimeConfig": {"IPRanges": [[{"Subnet": "10.1.0.0/24"}]]}});
    let result = host.add_call(host.call(ipam, runtime, ""), "web");
    assert_eq!(addresses(result).unwrap(), ["10.1.0.2/24", "10.2.0.9/24", "10.3.0.2/24"]);
}

#[test]
fn what_is_requested_in_three_places_is_added_up() {
    let host = Host::new();
    let ipam = json!({"ranges": [[{"subnet": "10.1.0.0/24"}], [{"subnet": "10.2.0.0/24"}], [{"subnet": "fd00::/64"}]]});
    let others = json!({
        "runtimeConfig": {"ips": ["fd00::77/64"]},
        "args": {"cni": {"ips": ["10.2.0.77"]}},
    });
    let call = host.call(ipam.clone(), others, "IgnoreUnknown=1;K8S_POD_NAME=web;IP=10.1.0.77/24");
    let expected = ["10.1.0.77/24", "10.2.0.77/24", "fd00::77/64"];
    assert_eq!(addresses(host.add_call(call, "web")).unwrap(), expected);
    let refused =
        |args: &str| addresses(host.add_call(host.call(ipam.clone(), json!({}), args), "db")).unwrap_err();
    assert_eq!(refused("IP=10.1.0.77"), "lease requested address 10.1.0.77 of network net: web/eth0 has it");
    assert_eq!(refused("IP=10.1.0.1"), "lease requested address 10.1.0.1: it is the gateway");
    assert!(
        refused("IP=10.7.0.1").starts_with("lease requested address 10.7.0.1: it is in none of the ranges")
    );
    assert_eq!(refused("IP=x"), "invalid network configuration: CNI_ARGS IP: invalid IP address \"x\"");
    assert!(refused("FOO=1").contains("unknown key \"FOO\""));
}

#[test]
fn a_bad_field_is_named_with_its_value_and_touches_nothing() {
    let host = Host::new();
    for (ipam, expected) in [
        (json!({}), "ipam.ranges: missing: expected at least one range set"),
        (json!({"ranges": [[]]}), "ipam.ranges[0]: empty: expected at least one range"),
        (json!({"ranges": [[{"gateway": "10.0.0.1"}]]}), "ipam.ranges[0][0].subnet: missing"),
        (json!({"subnet": ""}), "ipam.subnet: invalid network \"\""),
        (json!({"subnet": "10.0.0.0"}), "ipam.subnet: invalid network \"10.0.0.0\""),
        (json!({"subnet": "10.0.0.1/24"}), "invalid ipam.subnet 10.0.0.1/24: it has host bits set"),
        (
            json!({"ranges": [[{"subnet": "10.0.0.0/24"}, {"subnet": "10.1.0.0/24", "rangeStart": "10.2.0.0"}]]}),
            "invalid ipam.ranges[0][1].rangeStart 10.2.0.0: expected an address in 10.1.0.0/24",
        ),
        (
            json!({"ranges": [[{"subnet": "10.0.0.0/24", "rangeEnd": "x"}]]}),
            "ipam.ranges[0][0].rangeEnd: invalid IP",
        ),
        (json!({"ranges": {}}), "ipam.ranges: invalid type: map"),
        (
            json!({"ranges": [[{"subnet": "10.0.0.0/24"}]], "routes": [{"dst": "x"}]}),
            "ipam.routes[0].dst: invalid network",
        ),
        (
            json!({"ranges": [[{"subnet": "10.0.0.0/24"}], [{"subnet": "10.0.0.0/25"}]]}),
            "it overlaps with ipam.ranges[0][0]",
        ),
    ] {
        let error = host.add(ipam.clone(), "web").unwrap_err();
        assert!(error.contains(expected), "{ipam}: {error}");
        host.del(ipam, "web").unwrap();
    }
    assert!(!host.0.join("data").exists());
}

#[test]
fn the_first_versions_have_one_address_of_a_family() {
    let host = Host::new();
    let two = json!({"ranges": [[{"subnet": "10.1.0.0/24"}], [{"subnet": "10.2.0.0/24"}]]});
    for version in ["", "0.1.0", "0.2.0"] {
        let call = host.call(two.clone(), json!({"cniVersion": version}), "");
        let error = host.add_call(call, "web").unwrap_err();
        assert!(error.to_string().ends_with("does not support more than 1 address per family"), "{error}");
        assert_eq!(error.code(), Code::INVALID_CONFIG);
    }
    let dual = json!({"ranges": [[{"subnet": "10.1.0.0/24"}], [{"subnet": "fd00::/64"}]]});
    assert!(host.add_call(host.call(dual, json!({"cniVersion": "0.2.0"}), ""), "web").is_ok());
}

#[test]
fn del_releases_even_if_the_ranges_became_invalid() {
    let host = Host::new();
    host.add(small(), "web").unwrap();
    host.del(json!({"ranges": "what?"}), "web").unwrap();
    assert_eq!(host.add(small(), "db").unwrap(), ["10.9.0.3/29"]);
    assert_eq!(fs::read_dir(host.0.join("data/net")).unwrap().count(), 3);
}

#[test]
fn check_asks_for_the_very_addresses_that_add_answered() {
    let host = Host::new();
    assert_eq!(
        host.check(small(), json!({}), "web").unwrap_err(),
        "check leases of web/eth0 in network net: there is none"
    );
    host.add(small(), "web").unwrap();
    let answered = |addresses: &[&str]| {
        let ips: Vec<Value> = addresses.iter().map(|address| json!({ "address": address })).collect();
        json!({"prevResult": {"cniVersion": "1.0.0", "ips": ips}})
    };
    assert_eq!(host.check(small(), json!({}), "web"), Ok(()));
    assert_eq!(host.check(small(), answered(&["10.9.0.2/29", "192.168.7.7/24"]), "web"), Ok(()));
    assert_eq!(
        host.check(small(), answered(&["10.9.0.3/29"]), "web").unwrap_err(),
        "check leases of web/eth0 in network net: 10.9.0.3 is not leased to it"
    );
}

#[test]
fn gc_frees_what_nobody_has_any_more() {
    let host = Host::new();
    host.add(small(), "web").unwrap();
    host.add(small(), "gone").unwrap();
    let call = host.call(json!({"ranges": "what?"}), json!({}), "");
    gc::gc(&GcCall { call, valid: Valid::from_iter([attachment("web")]) }, &host.0.join("run")).unwrap();
    assert!(host.check(small(), json!({}), "web").is_ok());
    assert!(host.check(small(), json!({}), "gone").is_err());
}

#[test]
fn status_tells_which_set_is_exhausted_and_add_how_many_leases_it_has() {
    let host = Host::new();
    let tiny = || json!({"ranges": [[{"subnet": "fd00::/64"}], [{"subnet": "10.9.0.0/30"}]]});
    assert!(host.status(tiny()).is_ok());
    host.add(tiny(), "web").unwrap();
    let error = host.status(tiny()).unwrap_err();
    assert_eq!(error.code(), Code::NOT_AVAILABLE);
    let error = cni::Failure::from(error).to_string();
    let exhausted =
        "lease an address of network net: range set 1 (10.9.0.1-10.9.0.2) is exhausted by 1 leases";
    assert_eq!(error, format!("serve network net: {exhausted}"));
    let error = host.add_call(host.call(tiny(), json!({}), ""), "db").unwrap_err();
    assert_eq!((error.to_string().as_str(), error.code()), (exhausted, Code::TRY_AGAIN));
    assert!(error.hint().unwrap().contains("GC"));
    host.del(tiny(), "web").unwrap();
    assert!(host.status(tiny()).is_ok());
}

#[test]
fn status_and_add_tell_when_the_directory_cannot_be_used() {
    let host = Host::new();
    fs::write(host.0.join("data"), "in the way").unwrap();
    let error = host.status(small()).unwrap_err();
    assert_eq!(error.code(), Code::NOT_AVAILABLE);
    let error = host.add_call(host.call(small(), json!({}), ""), "web").unwrap_err();
    assert_eq!(error.code(), Code::IO);
    assert!(error.to_string().starts_with("open lease directory "), "{error}");
}

#[test]
fn a_second_add_is_refused_with_the_address_held() {
    let host = Host::new();
    host.add(small(), "web").unwrap();
    let error = host.add_call(host.call(small(), json!({}), ""), "web").unwrap_err();
    assert!(error.to_string().ends_with("for web/eth0: it has 10.9.0.2 of range set 0 already"), "{error}");
    assert!(error.hint().unwrap().contains("DEL"));
}

#[test]
fn the_gateways_of_all_ranges_are_known_without_a_lease() {
    let host = Host::new();
    let ipam = json!({"subnet": "10.2.0.0/24", "ranges": [
        [{"subnet": "10.3.0.0/16", "gateway": "10.3.0.254", "rangeEnd": "10.3.0.9"},
         {"subnet": "10.3.0.0/16", "gateway": "10.3.0.254", "rangeStart": "10.3.0.11"},
         {"subnet": "10.4.0.0/24"}],
        [{"subnet": "fd00::/64"}],
    ]});
    let expected = ["10.2.0.1/24", "10.3.0.254/16", "10.4.0.1/24", "fd00::1/64"];
    assert_eq!(host.gateways(ipam, json!({})).unwrap(), expected);
    let by_runtime = json!({"runtimeConfig": {"ipRanges": [[{"subnet": "10.1.0.0/24"}]]}});
    assert!(host.gateways(json!({"ranges": []}), by_runtime).unwrap().is_empty());
    let error = host.gateways(json!({"subnet": "10.2.0.1/24"}), json!({})).unwrap_err();
    assert!(error.contains("invalid ipam.subnet 10.2.0.1/24: it has host bits set"), "{error}");
    assert!(!host.0.join("data").exists(), "nothing is touched");
}

#[test]
fn a_network_that_goes_takes_its_directory_along_but_no_lease() {
    let host = Host::new();
    host.lower(small());
    host.add(small(), "web").unwrap();
    host.lower(small());
    assert!(host.check(small(), json!({}), "web").is_ok());
    host.del(small(), "web").unwrap();
    host.lower(json!({"ranges": "what?"}));
    assert!(!host.0.join("data/net").exists());
}
