//! The store as a whole, on a real file system.

mod cost;
mod model;
mod race;
mod remove;
mod takeover;
mod torn;

use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use vocab::{Attachment, ContainerId, InterfaceName, NetworkName};

use crate::range_set::tests::ranges;
use crate::{Lease, Ranges, Store, StoreError};

/// A data directory and a run directory that go with the test.
struct Host(PathBuf);

impl Host {
    fn new() -> Self {
        Self::below(&std::env::temp_dir())
    }

    fn below(parent: &Path) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = parent.join(format!("ipam-test-{}-{number}", std::process::id()));
        fs::create_dir_all(path.join("run")).unwrap();
        Self(path)
    }

    fn store(&self) -> Store {
        Store::new(&self.0.join("data"), &NetworkName::new("net").unwrap(), &self.0.join("run"))
    }

    /// The same leases, seen by a program that has nowhere to keep hints.
    fn store_without_hints(&self) -> Store {
        Store::new(&self.0.join("data"), &NetworkName::new("net").unwrap(), Path::new("/dev/null"))
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join("data/net").join(name)
    }

    /// Names and contents of all lease files.
    fn leases(&self) -> Vec<(String, String)> {
        let mut leases: Vec<_> = fs::read_dir(self.0.join("data/net"))
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| (entry.file_name().into_string().unwrap(), entry.path()))
            .filter(|(name, _)| name.parse::<IpAddr>().is_ok())
            .map(|(name, path)| (name, fs::read_to_string(path).unwrap()))
            .collect();
        leases.sort();
        leases
    }

    fn hints(&self) -> PathBuf {
        let folder = fs::read_dir(self.0.join("run/ipam")).unwrap().next().unwrap();
        folder.unwrap().path()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn owner(container: &str) -> Attachment {
    Attachment::new(ContainerId::new(container).unwrap(), InterfaceName::new("eth0").unwrap())
}

fn small() -> Ranges {
    ranges(&[&["10.0.0.0/29"]]).unwrap()
}

fn dual() -> Ranges {
    ranges(&[&["10.0.0.0/29"], &["fd00::/64"]]).unwrap()
}

fn texts(leases: &[Lease]) -> Vec<String> {
    leases.iter().map(|lease| lease.address.to_string()).collect()
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn add(store: &Store, ranges: &Ranges, container: &str) -> Result<Vec<String>, String> {
    let leased = store.allocate(ranges, &owner(container), &[]);
    leased.map(|leases| texts(&leases)).map_err(|error| error.to_string())
}

#[test]
fn a_lease_is_a_file_as_the_reference_writes_it() {
    use std::os::unix::fs::PermissionsExt;
    let host = Host::new();
    assert_eq!(add(&host.store(), &dual(), "web").unwrap(), ["10.0.0.2/29", "fd00::2/64"]);
    assert_eq!(
        host.leases(),
        [("10.0.0.2".into(), "web\r\neth0".into()), ("fd00::2".to_owned(), "web\r\neth0".to_owned())]
    );
    assert_eq!(fs::read_to_string(host.file("last_reserved_ip.1")).unwrap(), "fd00::2");
    let mode = |name: &str| fs::metadata(host.file(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(
        (mode(""), mode("10.0.0.2"), mode("last_reserved_ip.0"), mode("lock")),
        (0o755, 0o600, 0o600, 0o600)
    );
    let mut names: Vec<_> =
        fs::read_dir(host.file("")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["10.0.0.2", "fd00::2", "last_reserved_ip.0", "last_reserved_ip.1", "lock"]);
}

#[test]
fn a_released_address_comes_last() {
    let host = Host::new();
    let store = host.store();
    for container in ["a", "b", "c"] {
        add(&store, &small(), container).unwrap();
    }
    assert_eq!(store.release(&owner("a")).unwrap(), [address("10.0.0.2")]);
    assert_eq!(add(&store, &small(), "d").unwrap(), ["10.0.0.5/29"]);
    assert_eq!(add(&store, &small(), "e").unwrap(), ["10.0.0.6/29"]);
    assert_eq!(add(&store, &small(), "f").unwrap(), ["10.0.0.2/29"]);
    assert_eq!(
        add(&store, &small(), "g").unwrap_err(),
        "lease an address of network net: range set 0 (10.0.0.1-10.0.0.6) is exhausted by 5 leases"
    );
}

#[test]
fn a_second_release_finds_nothing_to_do() {
    let host = Host::new();
    let store = host.store();
    assert!(store.release(&owner("web")).unwrap().is_empty());
    assert!(!host.0.join("data").exists());
    add(&store, &dual(), "web").unwrap();
    assert_eq!(store.release(&owner("web")).unwrap().len(), 2);
    let before = fs::metadata(host.hints().join("stamp")).unwrap().modified().unwrap();
    assert!(store.release(&owner("web")).unwrap().is_empty());
    assert_eq!(fs::metadata(host.hints().join("stamp")).unwrap().modified().unwrap(), before);
    assert!(host.leases().is_empty());
}

#[test]
fn a_second_lease_of_the_same_set_is_refused_with_the_address_held() {
    let host = Host::new();
    let store = host.store();
    add(&store, &small(), "web").unwrap();
    let error = add(&store, &dual(), "web").unwrap_err();
    assert!(error.ends_with("for web/eth0: it has 10.0.0.2 of range set 0 already"), "{error}");
    let other = ranges(&[&["10.7.0.0/29"]]).unwrap();
    assert_eq!(add(&store, &other, "web").unwrap(), ["10.7.0.2/29"]);
    assert_eq!(store.find(&owner("web")).unwrap(), [address("10.0.0.2"), address("10.7.0.2")]);
    assert_eq!(store.release(&owner("web")).unwrap().len(), 2);
}

#[test]
fn a_requested_address_is_had_or_its_owner_named() {
    let host = Host::new();
    let store = host.store();
    let wanted = [address("fd00::77"), address("10.0.0.4")];
    assert_eq!(
        texts(&store.allocate(&dual(), &owner("web"), &wanted).unwrap()),
        ["10.0.0.4/29", "fd00::77/64"]
    );
    let error = store.allocate(&dual(), &owner("db"), &wanted[..1]).unwrap_err();
    assert!(matches!(error.cause, StoreError::Occupied { .. }));
    assert_eq!(error.to_string(), "lease requested address fd00::77 of network net: web/eth0 has it");
    assert_eq!(host.leases().len(), 2, "what set 0 gave is undone");
    assert_eq!(add(&store, &dual(), "db").unwrap(), ["10.0.0.6/29", "fd00::78/64"]);
}

#[test]
fn an_exhausted_second_set_undoes_the_first() {
    let host = Host::new();
    let store = host.store();
    let ranges = ranges(&[&["10.0.0.0/24"], &["fd00::/126"]]).unwrap();
    add(&store, &ranges, "a").unwrap();
    add(&store, &ranges, "b").unwrap();
    for _ in 0..3 {
        let error = add(&store, &ranges, "c").unwrap_err();
        assert!(error.contains("range set 1 (fd00::1-fd00::3) is exhausted by 2 leases"), "{error}");
        assert_eq!(host.leases().len(), 4);
        assert!(store.find(&owner("c")).unwrap().is_empty());
    }
    assert!(store.check_available(&ranges).is_err());
    store.release(&owner("a")).unwrap();
    assert!(store.check_available(&ranges).is_ok());
    assert_eq!(add(&store, &ranges, "c").unwrap()[1], "fd00::2/126");
}

#[test]
fn a_store_that_is_not_there_yet_is_available_and_stays_so() {
    let host = Host::new();
    assert!(host.store().check_available(&small()).is_ok());
    assert!(!host.0.join("data").exists());
    let nowhere = Store::new(Path::new("/dev/null/nowhere"), &NetworkName::new("net").unwrap(), &host.0);
    assert!(matches!(nowhere.check_available(&small()), Err(StoreError::Open { .. })));
}

#[test]
fn a_collection_removes_what_is_not_valid_and_nothing_else() {
    let host = Host::new();
    let store = host.store();
    for container in ["a", "b", "c"] {
        add(&store, &dual(), container).unwrap();
    }
    fs::write(host.file("10.0.0.5"), "a").unwrap();
    fs::write(host.file("10.0.0.6"), "gone").unwrap();
    fs::write(host.file("fd00::9"), "what is this?").unwrap();
    let collected = store.retain(&[owner("a"), owner("c")]).unwrap();
    let removed: Vec<_> =
        collected.removed.iter().map(|found| format!("{} {}", found.file, found.holder)).collect();
    assert!(collected.failed.is_empty());
    assert_eq!(removed.len(), 3, "{removed:?}");
    assert!(removed.contains(&"10.0.0.6 gone".to_owned()) && removed.contains(&"fd00::3 b/eth0".to_owned()));
    assert!(host.file("10.0.0.5").exists() && host.file("fd00::9").exists());
    assert_eq!(store.find(&owner("a")).unwrap().len(), 2);
    assert_eq!(store.survey().unwrap().strange[0].file, "fd00::9");
    assert_eq!(store.retain(&[]).unwrap().removed.len(), 5);
}

#[test]
fn old_leases_that_name_the_container_only_are_recognised() {
    let host = Host::new();
    let store = host.store();
    fs::create_dir_all(host.file("")).unwrap();
    fs::write(host.file("10.0.0.2"), "old\n").unwrap();
    assert_eq!(store.find(&owner("old")).unwrap(), [address("10.0.0.2")]);
    assert!(add(&store, &small(), "old").unwrap_err().contains("it has 10.0.0.2"));
    assert_eq!(store.release(&owner("old")).unwrap(), [address("10.0.0.2")]);
    assert!(host.leases().is_empty());
}
