//! Many at once on one directory.

use std::collections::BTreeSet;
use std::process::Command;

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

#[test]
fn processes_never_share_an_address() {
    if let Ok(place) = std::env::var(PLACE) {
        let host = std::mem::ManuallyDrop::new(Host(PathBuf::from(place)));
        return hammer(&host.store(), &format!("p{}", std::process::id()));
    }
    let host = Host::new();
    let children: Vec<_> = (0..4)
        .map(|_| {
            let mut command = Command::new(std::env::current_exe().unwrap());
            command.args(["--exact", "tests::race::processes_never_share_an_address"]).env(PLACE, &host.0);
            command.stdout(std::process::Stdio::null()).spawn().unwrap()
        })
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    check(&host, 4);
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
