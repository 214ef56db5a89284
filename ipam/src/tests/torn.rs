//! What a kill or a power cut leaves, put there by hand.

use std::fs::File;
use std::os::unix::fs::symlink;
use std::time::{Duration, SystemTime};

use super::*;

fn age(path: &Path) {
    let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(86_400);
    File::options().write(true).open(path).unwrap().set_modified(long_ago).unwrap();
}

/// As if we had been killed between changing the files and writing the stamp.
fn cross_out(host: &Host) {
    let stamp = host.hints().join("stamp");
    let text = fs::read_to_string(&stamp).unwrap();
    fs::write(stamp, format!("-{}", &text[1..])).unwrap();
}

#[test]
fn an_empty_file_from_before_the_boot_is_reclaimed_when_its_address_is_needed() {
    let host = Host::new();
    fs::create_dir_all(host.file("")).unwrap();
    for last in 2..=6 {
        fs::write(host.file(&format!("10.0.0.{last}")), "").unwrap();
    }
    age(&host.file("10.0.0.4"));
    assert_eq!(add(&host.store(), &small(), "web").unwrap(), ["10.0.0.4/29"]);
    let error = add(&host.store(), &small(), "db").unwrap_err();
    assert!(error.ends_with("is exhausted by 1 leases"), "{error}");
    let survey = host.store().survey().unwrap();
    assert_eq!(survey.strange.len(), 4);
    assert_eq!(survey.strange[0].reason, "it is empty");
}

#[test]
fn an_empty_file_that_became_old_under_our_hands_is_reclaimed_on_exhaustion() {
    let host = Host::new();
    let store = host.store();
    add(&store, &small(), "a").unwrap();
    fs::write(host.file("10.0.0.3"), "").unwrap();
    for container in ["b", "c", "d"] {
        add(&store, &small(), container).unwrap();
    }
    age(&host.file("10.0.0.3"));
    assert_eq!(add(&store, &small(), "e").unwrap(), ["10.0.0.3/29"]);
}

#[test]
fn a_torn_lease_of_the_requested_address_is_reclaimed() {
    let host = Host::new();
    let store = host.store();
    add(&store, &small(), "a").unwrap();
    fs::write(host.file("10.0.0.5"), "").unwrap();
    let error = store.allocate(&small(), &owner("b"), &[address("10.0.0.5")]).unwrap_err().to_string();
    assert!(error.ends_with("a file that names no container has it"), "{error}");
    age(&host.file("10.0.0.5"));
    assert_eq!(
        texts(&store.allocate(&small(), &owner("b"), &[address("10.0.0.5")]).unwrap()),
        ["10.0.0.5/29"]
    );
}

#[test]
fn strange_files_keep_their_address_and_harm_nobody() {
    let host = Host::new();
    fs::create_dir_all(host.file("10.0.0.2")).unwrap();
    symlink("/nowhere", host.file("10.0.0.3")).unwrap();
    fs::write(host.file("10.0.0.4"), [0xff; 5000]).unwrap();
    nix::unistd::mkfifo(&host.file("10.0.0.5"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    fs::write(host.file("notes"), "web\r\neth0").unwrap();
    fs::write(host.file("last_reserved_ip.0"), "rubbish").unwrap();
    let store = host.store();
    assert_eq!(add(&store, &small(), "web").unwrap(), ["10.0.0.6/29"]);
    assert!(add(&store, &small(), "db").is_err());
    assert_eq!(store.release(&owner("web")).unwrap(), [address("10.0.0.6")]);
    assert_eq!(store.survey().unwrap().strange.len(), 4);
    assert!(host.file("notes").exists());
}

#[test]
fn a_lease_that_was_made_before_the_kill_is_found_by_its_release() {
    let host = Host::new();
    let store = host.store();
    add(&store, &small(), "a").unwrap();
    cross_out(&host);
    fs::write(host.file("10.0.0.3"), "b\r\neth0").unwrap();
    assert_eq!(store.release(&owner("b")).unwrap(), [address("10.0.0.3")]);
}

#[test]
fn a_lease_that_was_removed_before_the_kill_is_no_longer_found() {
    let host = Host::new();
    let store = host.store();
    add(&store, &small(), "a").unwrap();
    cross_out(&host);
    fs::remove_file(host.file("10.0.0.2")).unwrap();
    assert!(store.release(&owner("a")).unwrap().is_empty());
    assert_eq!(add(&store, &small(), "a").unwrap(), ["10.0.0.3/29"]);
}

#[test]
fn hints_that_are_wrong_and_look_right_never_lease_twice_nor_remove_anothers_lease() {
    let host = Host::new();
    let store = host.store();
    for container in ["a", "b"] {
        add(&store, &small(), container).unwrap();
    }
    let hints = host.hints();
    // Every bit says "free", and the links of the two are exchanged.
    fs::write(hints.join("taken4"), "").unwrap();
    for (key, target) in [("a:eth0", "10.0.0.3"), ("b:eth0", "10.0.0.2")] {
        fs::remove_file(hints.join(key)).unwrap();
        symlink(target, hints.join(key)).unwrap();
    }
    fs::write(host.file("last_reserved_ip.0"), "10.0.0.6").unwrap();
    assert_eq!(add(&store, &small(), "c").unwrap(), ["10.0.0.4/29"]);
    assert_eq!(store.release(&owner("a")).unwrap(), [address("10.0.0.2")]);
    assert_eq!(store.release(&owner("b")).unwrap(), [address("10.0.0.3")]);
}

#[test]
fn a_full_bitmap_over_an_empty_directory_is_not_believed() {
    let host = Host::new();
    let store = host.store();
    add(&store, &small(), "a").unwrap();
    store.release(&owner("a")).unwrap();
    let bitmap = File::options().write(true).open(host.hints().join("taken4")).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&bitmap, &[0xff], u64::from(0x0a00_0000u32 / 8)).unwrap();
    assert!(store.check_available(&small()).is_ok());
    assert_eq!(add(&store, &small(), "b").unwrap(), ["10.0.0.3/29"]);
}

#[test]
fn a_garbled_stamp_or_a_folder_in_the_way_costs_a_scan_and_nothing_else() {
    let host = Host::new();
    let store = host.store();
    add(&store, &small(), "a").unwrap();
    for stamp in ["", "\0\0\0", "leases-1", "leases-1 9 9\n0 10.0.0.2"] {
        fs::write(host.hints().join("stamp"), stamp).unwrap();
        assert_eq!(store.find(&owner("a")).unwrap(), [address("10.0.0.2")]);
    }
    fs::write(host.hints().join("stamp"), "").unwrap();
    fs::create_dir(host.hints().join("b:eth0")).unwrap();
    assert_eq!(add(&store, &small(), "b").unwrap(), ["10.0.0.3/29"]);
    assert_eq!(store.release(&owner("b")).unwrap(), [address("10.0.0.3")]);
}

#[test]
fn restoring_a_backup_with_its_times_is_noticed() {
    let host = Host::new();
    let store = host.store();
    add(&store, &small(), "a").unwrap();
    let directory = File::open(host.file("")).unwrap();
    let modified = directory.metadata().unwrap().modified().unwrap();
    fs::write(host.file("10.0.0.6"), "b\r\neth0").unwrap();
    directory.set_modified(modified).unwrap();
    assert_eq!(store.release(&owner("b")).unwrap(), [address("10.0.0.6")]);
}
