//! What an operation costs, printed by `cargo test --release -p ipam -- --ignored --nocapture cost`.

use std::time::{Duration, Instant};

use super::*;

/// The middle one of the durations that `operation` takes.
fn median(rounds: usize, mut operation: impl FnMut(usize)) -> Duration {
    let mut times: Vec<Duration> = (0..rounds)
        .map(|round| {
            let start = Instant::now();
            operation(round);
            start.elapsed()
        })
        .collect();
    times.sort();
    times[rounds / 2]
}

#[test]
#[ignore = "a measurement"]
fn cost_by_leases_present() {
    let ranges = ranges(&[&["10.0.0.0/16"]]).unwrap();
    for (place, parent) in [("tmpfs", PathBuf::from("/dev/shm")), ("disk", std::env::temp_dir())] {
        for present in [10, 1_000, 10_000] {
            let host = Host::below(&parent);
            let store = host.store();
            (0..present).for_each(|number| drop(add(&store, &ranges, &format!("old{number}")).unwrap()));
            let rounds = 1_000;
            let adds = median(rounds, |round| drop(add(&store, &ranges, &format!("new{round}")).unwrap()));
            let checks = median(rounds, |round| drop(store.find(&owner(&format!("new{round}"))).unwrap()));
            let dels = median(rounds, |round| drop(store.release(&owner(&format!("new{round}"))).unwrap()));
            let again = median(rounds, |round| drop(store.release(&owner(&format!("new{round}"))).unwrap()));
            let scan = median(3, |_| drop(store.survey().unwrap()));
            println!(
                "{place}, {present} leases: ADD {adds:?} CHECK {checks:?} DEL {dels:?} second DEL {again:?} rebuild {scan:?}"
            );
        }
    }
}

#[test]
#[ignore = "a measurement"]
fn cost_when_a_range_is_nearly_full() {
    let ranges = ranges(&[&["10.0.0.0/18"]]).unwrap();
    let host = Host::below(Path::new("/dev/shm"));
    let store = host.store();
    (0..16_380).for_each(|number| drop(add(&store, &ranges, &format!("old{number}")).unwrap()));
    let pair = median(1_000, |_| {
        add(&store, &ranges, "new").unwrap();
        store.release(&owner("new")).unwrap();
    });
    println!("16,380 of 16,381 leased: ADD and DEL together {pair:?}");
}
