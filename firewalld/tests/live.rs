//! A real firewalld on a real bus, each test with a host of its own.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use firewalld::{Added, Address, Connection, Error, Removed};
use ipnetwork::IpNetwork;
use lab::{Background, Host, Place, daemons, tools};

/// A host with a bus and, if asked for, a firewalld.
struct Site {
    firewalld: Option<Background>,
    bus: Background,
    host: Host,
}

fn host_with_bus() -> Option<(Host, Background)> {
    let _programs = (tools::require("dbus-daemon")?, tools::require("firewalld")?);
    let host = match Host::new("alpha") {
        Ok(host) => host,
        Err(error) => {
            tools::skip(&error.to_string());
            return None;
        }
    };
    let bus = daemons::bus(&host).unwrap();
    Some((host, bus))
}

impl Site {
    fn new() -> Option<Self> {
        let (host, bus) = host_with_bus()?;
        let firewalld = daemons::firewalld(&host).unwrap();
        Some(Self { firewalld: Some(firewalld), bus, host })
    }

    fn connect(&self) -> Connection {
        connect(&self.host).unwrap().unwrap()
    }

    fn rules(&self) -> String {
        self.host.run(["nft", "list", "ruleset"]).ok().unwrap()
    }
}

fn address(host: &Host) -> Address {
    Address::Path(host.root().join(daemons::BUS.trim_start_matches('/')))
}

fn connect(host: &Host) -> Result<Option<Connection>, Error> {
    Connection::open_at(&[address(host)])
}

fn source(text: &str) -> IpNetwork {
    text.parse().unwrap()
}

#[test]
fn a_source_is_added_found_and_removed() {
    let Some(site) = Site::new() else { return };
    let mut firewalld = site.connect();
    for (text, rule) in [("10.22.0.5/32", "ip saddr 10.22.0.5"), ("fd22::5/128", "ip6 saddr fd22::5")] {
        let source = source(text);
        assert!(!firewalld.has_source("trusted", source).unwrap());
        assert_eq!(firewalld.zone_of_source(source).unwrap(), None);
        assert_eq!(firewalld.remove_source("trusted", source).unwrap(), Removed::Before);
        assert_eq!(firewalld.add_source("trusted", source).unwrap(), Added::Now);
        assert!(site.rules().contains(rule));
        assert_eq!(firewalld.add_source("trusted", source).unwrap(), Added::Before);
        assert!(firewalld.has_source("trusted", source).unwrap());
        assert!(!firewalld.has_source("public", source).unwrap());
        assert_eq!(firewalld.zone_of_source(source).unwrap().as_deref(), Some("trusted"));
        assert_eq!(firewalld.remove_source("trusted", source).unwrap(), Removed::Now);
        assert!(!site.rules().contains(rule));
        assert_eq!(firewalld.remove_source("trusted", source).unwrap(), Removed::Before);
    }
}

#[test]
fn a_source_that_is_in_another_zone_stays_there_and_the_zone_is_named() {
    let Some(site) = Site::new() else { return };
    let mut firewalld = site.connect();
    let pod = source("10.22.0.5/32");
    assert_eq!(firewalld.add_source("work", pod).unwrap(), Added::Now);
    let error = firewalld.add_source("trusted", pod).unwrap_err();
    let text = "add source 10.22.0.5/32 to firewalld's zone \"trusted\": it is in zone \"work\"";
    assert_eq!(error.to_string(), text);
    assert_eq!(firewalld.remove_source("trusted", pod).unwrap(), Removed::Before);
    assert!(firewalld.has_source("work", pod).unwrap());
    // A subnet is a source of its own; what stands in its host's part makes no other.
    assert_eq!(firewalld.add_source("trusted", source("10.22.0.5/24")).unwrap(), Added::Now);
    assert_eq!(firewalld.add_source("trusted", source("10.22.0.6/24")).unwrap(), Added::Before);
}

#[test]
fn a_zone_that_does_not_exist_is_answered_by_those_that_do() {
    let Some(site) = Site::new() else { return };
    let mut firewalld = site.connect();
    let pod = source("10.22.0.5/32");
    assert_eq!(firewalld.default_zone().unwrap(), "public");
    let zones = firewalld.zones().unwrap();
    assert!(zones.iter().any(|zone| zone == "trusted"), "{zones:?}");
    for zone in ["nope", "no\0pe", "it's a zone: \"ü\""] {
        let errors = [
            firewalld.add_source(zone, pod).map(drop).unwrap_err(),
            firewalld.has_source(zone, pod).map(drop).unwrap_err(),
        ];
        for error in errors {
            assert!(
                matches!(&error, Error::NoZone { zones: known, .. } if *known == zones),
                "{zone}: {error}"
            );
            assert!(error.to_string().contains("block, dmz, drop"), "{error}");
        }
        assert_eq!(firewalld.remove_source(zone, pod).unwrap(), Removed::Before, "{zone}");
    }
}

#[test]
fn a_bus_without_firewalld_is_no_firewalld() {
    let Some((host, _bus)) = host_with_bus() else { return };
    assert!(connect(&host).unwrap().is_none());
}

#[test]
fn a_host_without_bus_has_no_firewalld() {
    let Some((host, bus)) = host_with_bus() else { return };
    let nowhere = Address::Path(host.root().join("run/nowhere"));
    assert!(Connection::open_at(std::slice::from_ref(&nowhere)).unwrap().is_none());
    assert!(Connection::open_at(&[]).unwrap().is_none());
    drop(bus);
    assert!(connect(&host).unwrap().is_none(), "the socket of a bus that has ended");
}

#[test]
fn a_firewalld_that_ends_in_between_is_gone_and_not_started_again() {
    let Some(mut site) = Site::new() else { return };
    let mut firewalld = site.connect();
    let pod = source("10.22.0.5/32");
    assert_eq!(firewalld.add_source("trusted", pod).unwrap(), Added::Now);
    drop(site.firewalld.take());
    let error = firewalld.add_source("trusted", pod).unwrap_err();
    assert!(error.is_gone(), "{error:?}");
    daemons::wait_for_firewalld(&site.host, false).unwrap();
    // And so may the bus.
    drop(site.bus);
    let error = firewalld.remove_source("trusted", pod).unwrap_err();
    assert!(error.is_gone(), "{error:?}");
}

const INSIDE: &str = "FIREWALLD_TEST_INSIDE";

#[test]
fn the_host_s_own_bus_is_found() {
    if let Some(expected) = std::env::var_os(INSIDE) {
        let found = match Connection::open() {
            Ok(Some(mut firewalld)) => firewalld.default_zone().unwrap(),
            Ok(None) => "none".to_owned(),
            Err(error) => error.to_string(),
        };
        assert_eq!(found, expected.to_str().unwrap());
        return;
    }
    let Some(site) = Site::new() else { return };
    let itself = std::env::current_exe().unwrap();
    for (address, expected) in [
        (None, "public"),
        (Some(""), "public"),
        (Some("unix:path=/run/dbus/system_bus_socket"), "public"),
        (Some("unix:path=/nowhere"), "none"),
        (Some("/run/dbus/system_bus_socket"), "understand DBUS_SYSTEM_BUS_ADDRESS"),
    ] {
        let mut command = site.host.command(&itself);
        command.args(["--exact", "the_host_s_own_bus_is_found"]).env(INSIDE, expected);
        match address {
            Some(address) => command.env("DBUS_SYSTEM_BUS_ADDRESS", address),
            None => command.env_remove("DBUS_SYSTEM_BUS_ADDRESS"),
        };
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.contains("1 passed"), "{address:?}: {said}");
    }
}
