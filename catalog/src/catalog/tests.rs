//! Networks of a folder, by name and id.

use cni::Fault;

use super::*;
use crate::sample::{Scratch, catalog};

/// A file of the folder with a network on a bridge.
fn add(scratch: &Scratch, file: &str, name: &str) -> PathBuf {
    let text = format!(r#"{{"cniVersion": "1.0.0", "name": "{name}", "plugins": [{{"type": "macvlan"}}]}}"#);
    scratch.write(&format!("net.d/{file}"), &text)
}

/// Without `bridge`, which depends on the host.
fn without_bridge() -> Scratch {
    let scratch = Scratch::new();
    scratch.write("daemon.json", r#"{"bridge": "none"}"#);
    scratch
}

fn names(listing: &Listing) -> Vec<&str> {
    listing.networks.iter().map(|network| network.name().as_str()).collect()
}

#[track_caller]
fn not_found(scratch: &Scratch, wanted: &str) -> (String, Option<String>) {
    let error = catalog(scratch).find(wanted).unwrap_err();
    (error.to_string(), error.hint())
}

#[test]
fn networks_are_listed_by_name_with_those_that_every_host_has() {
    let scratch = without_bridge();
    add(&scratch, "10-web.conflist", "web");
    add(&scratch, "20-db.conflist", "db");
    let listing = catalog(&scratch).list().unwrap();
    assert_eq!(names(&listing), ["db", "host", "none", "web"]);
    let built_in: Vec<bool> = listing.networks.iter().map(Network::is_built_in).collect();
    assert_eq!(built_in, [false, true, true, false]);
    assert_eq!(listing.networks[0].file(), Some(&*scratch.path().join("net.d/20-db.conflist")));
    assert!(listing.broken.is_empty() && listing.without_bridge.is_none());
}

#[test]
fn of_two_files_with_one_name_the_first_counts() {
    let scratch = without_bridge();
    add(&scratch, "20-web.conflist", "web");
    let first = add(&scratch, "10-web.conflist", "web");
    let listing = catalog(&scratch).list().unwrap();
    assert_eq!((names(&listing), listing.networks[2].file()), (vec!["host", "none", "web"], Some(&*first)));
}

#[test]
fn a_file_stands_for_the_network_of_its_name_that_every_host_has() {
    let scratch = without_bridge();
    add(&scratch, "10-none.conflist", "none");
    add(&scratch, "11-bridge.conflist", "bridge");
    let listing = catalog(&scratch).list().unwrap();
    assert_eq!(names(&listing), ["bridge", "host", "none"]);
    assert!(!listing.networks[0].is_built_in() && !listing.networks[2].is_built_in());
    assert!(!catalog(&scratch).find("none").unwrap().is_built_in());
}

#[test]
fn a_file_that_cannot_be_used_hides_no_other_and_is_told() {
    let scratch = without_bridge();
    let broken = scratch.write("net.d/05-broken.conflist", "{");
    add(&scratch, "10-web.conflist", "web");
    let listing = catalog(&scratch).list().unwrap();
    assert_eq!(names(&listing), ["host", "none", "web"]);
    assert_eq!(listing.broken.iter().map(FileError::file).collect::<Vec<_>>(), [&broken]);
    let (error, hint) = not_found(&scratch, "database");
    assert_eq!(error, "network \"database\" not found");
    assert_eq!(hint.unwrap(), format!("these files cannot be used: {}", broken.display()));
}

#[test]
fn a_network_is_found_by_its_name_or_the_first_digits_of_its_id() {
    let scratch = without_bridge();
    add(&scratch, "10-web.conflist", "web");
    let id = NetworkId::of(&NetworkName::new("web").unwrap());
    for wanted in ["web", id.as_str(), id.short(), &id.as_str()[..4]] {
        assert_eq!(catalog(&scratch).find(wanted).unwrap().name().as_str(), "web", "{wanted}");
    }
    assert_eq!(catalog(&scratch).find("host").unwrap().view.driver, "host");
    let (error, hint) = not_found(&scratch, "weeb");
    assert_eq!((error.as_str(), hint.as_deref()), ("network \"weeb\" not found", Some("did you mean web?")));
    assert_eq!(not_found(&scratch, "").1.as_deref(), Some("`netctl ls` shows which there are"));
}

#[test]
fn what_begins_several_ids_is_refused_unless_it_is_a_name() {
    let scratch = without_bridge();
    let of_digit: Vec<String> = (0..100)
        .map(|number| format!("net{number}"))
        .filter(|name| NetworkId::of(&NetworkName::new(name).unwrap()).begins_with("a"))
        .collect();
    let [one, other, ..] = of_digit.as_slice() else { panic!("{of_digit:?}") };
    add(&scratch, "10.conflist", one);
    add(&scratch, "11.conflist", other);
    let (error, hint) = not_found(&scratch, "a");
    assert!(error.starts_with("\"a\" begins the ids of several networks: "), "{error}");
    assert!(error.contains(one.as_str()) && error.contains(other.as_str()), "{error}");
    assert_eq!(hint.as_deref(), Some("give more digits, or the name"));
    add(&scratch, "12.conflist", "a");
    assert_eq!(catalog(&scratch).find("a").unwrap().name().as_str(), "a");
}

#[test]
fn a_daemon_json_that_wants_no_bridge_is_named_and_one_that_is_wrong_hides_no_other() {
    let scratch = without_bridge();
    let file = scratch.path().join("daemon.json");
    let (error, hint) = not_found(&scratch, "bridge");
    assert_eq!(error, format!("there is no network bridge: {} says \"bridge\": \"none\"", file.display()));
    assert_eq!(hint.as_deref(), Some("leave that key away, or name another network"));
    scratch.write("daemon.json", "[]");
    let listing = catalog(&scratch).list().unwrap();
    assert_eq!(names(&listing), ["host", "none"]);
    assert_eq!(listing.without_bridge.unwrap().to_string(), format!("use {}", file.display()));
    assert_eq!(not_found(&scratch, "bridge").0, "describe network bridge");
}

#[test]
fn a_daemon_json_need_not_be_there_unless_somebody_named_it() {
    let scratch = Scratch::new();
    let usual = catalog(&scratch);
    assert_eq!(usual.daemon().unwrap(), DaemonFile::default());
    let named = Catalog::new(Places { daemon_is_named: true, ..usual.places().clone() });
    assert!(named.daemon().is_err());
}

#[test]
fn what_others_must_know_of_a_network_is_its_bridge_and_its_subnets() {
    let known = |plugin: &str| {
        let list = format!(r#"{{"cniVersion": "1.0.0", "name": "web", "plugins": [{plugin}]}}"#);
        let known = Network::new(List::parse(list.into_bytes()).unwrap(), Origin::BuiltIn).known();
        let subnets: Vec<_> = known.subnets.iter().map(ToString::to_string).collect();
        (known.bridge.map(|bridge| bridge.to_string()), subnets)
    };
    let ipam = r#""ipam": {"type": "host-local", "ranges": [[{"subnet": "10.1.0.0/24"}], [{"subnet": "fd10::/64"}]]}"#;
    let subnets = vec!["10.1.0.0/24".to_owned(), "fd10::/64".to_owned()];
    let bridge = known(&format!(r#"{{"type": "bridge", "bridge": "br7", {ipam}}}"#));
    assert_eq!(bridge, (Some("br7".to_owned()), subnets.clone()));
    let macvlan = known(&format!(r#"{{"type": "macvlan", "master": "eth0", {ipam}}}"#));
    assert_eq!(macvlan, (None, subnets), "its link is nobody's alone");
}

#[test]
fn a_new_network_s_file_sorts_behind_those_of_others() {
    let file = file_of(Path::new("/etc/cni/net.d"), &NetworkName::new("web").unwrap());
    assert_eq!(file, Path::new("/etc/cni/net.d/netctl-web.conflist"));
    let name = file.file_name().and_then(|name| name.to_str()).unwrap();
    assert!(name > "87-podman-bridge.conflist");
}
