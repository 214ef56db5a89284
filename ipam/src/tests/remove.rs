//! The directory of a network that goes.

use super::*;

#[test]
fn a_directory_without_leases_goes_with_its_books_and_hints() {
    let host = Host::new();
    assert!(host.store().remove_if_empty().unwrap(), "there was none");
    add(&host.store(), &dual(), "web").unwrap();
    let hints = host.hints();
    assert!(!host.store().remove_if_empty().unwrap());
    assert_eq!(host.leases().len(), 2);
    assert!(host.file("last_reserved_ip.1").exists() && host.file("lock").exists() && hints.exists());
    host.store().release(&owner("web")).unwrap();
    // As if we had been killed while we made a lease.
    fs::write(host.file(".unfinished"), "").unwrap();
    assert!(host.store().remove_if_empty().unwrap());
    assert!(!host.file("").exists() && !hints.exists() && host.0.join("data").exists());
    assert_eq!(add(&host.store(), &small(), "next").unwrap(), ["10.0.0.2/29"]);
}

#[test]
fn what_is_no_lease_of_ours_keeps_the_directory() {
    let host = Host::new();
    add(&host.store(), &small(), "web").unwrap();
    host.store().release(&owner("web")).unwrap();
    fs::write(host.file("10.0.0.5"), "two words").unwrap();
    assert!(!host.store().remove_if_empty().unwrap());
    assert!(host.file("lock").exists(), "an address that is taken: nothing was touched");
    fs::remove_file(host.file("10.0.0.5")).unwrap();
    fs::write(host.file("README"), "leases of mynet").unwrap();
    assert!(!host.store().remove_if_empty().unwrap());
    assert_eq!(fs::read_to_string(host.file("README")).unwrap(), "leases of mynet");
}

#[test]
fn what_was_interrupted_is_gone_on_with() {
    let host = Host::new();
    add(&host.store_without_hints(), &small(), "web").unwrap();
    host.store().release(&owner("web")).unwrap();
    fs::remove_file(host.file("lock")).unwrap();
    assert!(host.store_without_hints().remove_if_empty().unwrap());
    assert!(!host.file("").exists());
}

#[test]
fn whoever_leases_meanwhile_never_notices() {
    let host = Host::new();
    std::thread::scope(|scope| {
        let adders: Vec<_> = (0..3)
            .map(|adder| {
                let host = &host;
                scope.spawn(move || {
                    let ranges = ranges(&[&["10.0.0.0/24"]]).unwrap();
                    for round in 0..150 {
                        let container = format!("c{adder}-{round}");
                        let leased = add(&host.store(), &ranges, &container).unwrap();
                        let released = host.store().release(&owner(&container)).unwrap();
                        assert_eq!(leased, [format!("{}/24", released[0])]);
                    }
                })
            })
            .collect();
        while !adders.iter().all(std::thread::ScopedJoinHandle::is_finished) {
            host.store().remove_if_empty().unwrap();
        }
    });
    host.store().remove_if_empty().unwrap();
    assert!(!host.file("").exists());
}
