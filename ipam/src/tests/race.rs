//! Many at once on one directory.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::*;

/// Set in the processes that the test starts of itself: where to hammer, and as whom.
const PLACE: &str = "IPAM_TEST_HAMMER";

fn hammer(store: &Store, name: &str) {
    let ranges = ranges(&[&["10.0.0.0/24"], &["fd00::/120"]]).unwrap();
    let mut held: BTreeSet<String> = BTreeSet::new();
    for round in 0..60 {
        let container = format!("{name}-{round}");
        let leases = add(store, &ranges, &container).unwrap();
        assert_eq!(store.find(&owner(&container)).unwrap().len(), 2, "{leases:?}");
        held.insert(container);
        if round % 4 != 0 {
            let oldest = held.pop_first().unwrap();
            assert_eq!(store.release(&owner(&oldest)).unwrap().len(), 2);
        }
    }
}

fn check(host: &Host, parties: usize) {
    let leases = host.leases();
    assert_eq!(leases.len(), parties * 15 * 2);
    let owners: BTreeSet<&String> = leases.iter().map(|(_, owner)| owner).collect();
    assert_eq!(owners.len(), parties * 15, "each owner has one address of each set");
    let before = host.leases();
    let collected = host.store().retain(&[]).unwrap();
    assert_eq!((collected.removed.len(), collected.failed.len()), (before.len(), 0));
}

#[test]
fn threads_never_share_an_address() {
    let host = Host::new();
    std::thread::scope(|scope| {
        for number in 0..6 {
            let host = &host;
            let store = if number == 5 { host.store_without_hints() } else { host.store() };
            scope.spawn(move || hammer(&store, &format!("t{number}")));
        }
    });
    check(&host, 6);
}

/// This test alone, as a process of its own, on `host`.
fn again(host: &Host, test: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", &format!("tests::race::{test}")]).env(PLACE, &host.0).stdout(Stdio::null());
    command
}

/// Whether this is such a process, and where it is to hammer.
fn place() -> Option<std::mem::ManuallyDrop<Host>> {
    let place = std::env::var(PLACE).ok()?;
    Some(std::mem::ManuallyDrop::new(Host(PathBuf::from(place))))
}

#[test]
fn processes_never_share_an_address() {
    if let Some(host) = place() {
        return hammer(&host.store(), &format!("p{}", std::process::id()));
    }
    let host = Host::new();
    let test = "processes_never_share_an_address";
    let children: Vec<_> = (0..4).map(|_| again(&host, test).spawn().unwrap()).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    check(&host, 4);
}

#[test]
fn whoever_is_killed_leaves_nothing_that_a_release_does_not_find() {
    let names = || (0..6).map(|number| format!("killed{number}"));
    let ranges = ranges(&[&["10.0.0.0/24"], &["fd00::/120"]]).unwrap();
    if let Some(host) = place() {
        loop {
            for name in names() {
                let _ = add(&host.store(), &ranges, &name);
            }
            for name in names() {
                host.store().release(&owner(&name)).unwrap();
            }
        }
    }
    let host = Host::new();
    for round in 0..40 {
        let test = "whoever_is_killed_leaves_nothing_that_a_release_does_not_find";
        let mut child = again(&host, test).spawn().unwrap();
        std::thread::sleep(Duration::from_micros(8_000 + round * 137));
        child.kill().unwrap();
        child.wait().unwrap();
        for name in names() {
            host.store().release(&owner(&name)).unwrap();
        }
        assert_eq!(host.leases(), [], "round {round}");
        // Neither does the hints' view of what is taken differ from an empty directory.
        assert!(host.store().check_available(&ranges).is_ok());
    }
}

#[test]
fn a_directory_removed_while_others_wait_is_made_anew() {
    let host = Host::new();
    std::thread::scope(|scope| {
        let remover = scope.spawn(|| {
            for _ in 0..200 {
                let _ = fs::remove_dir_all(host.0.join("data"));
                std::thread::yield_now();
            }
        });
        let mut number = 0;
        while !remover.is_finished() {
            // Losing the directory under one's hands may be an error, never a hang or a wrong lease.
            let _ = add(&host.store(), &small(), &format!("c{number}"));
            number += 1;
        }
    });
    let _ = fs::remove_dir_all(host.0.join("data"));
    assert_eq!(add(&host.store(), &small(), "last").unwrap(), ["10.0.0.2/29"]);
}
