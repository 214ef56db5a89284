//! Any order of operations, by us and by others, against a model that is too simple to be wrong.

use std::collections::BTreeMap;

use super::*;

/// Numbers that look random and are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// All leases, and the last one of each set.
#[derive(Default)]
struct Model {
    leases: BTreeMap<IpAddr, String>,
    last: BTreeMap<usize, IpAddr>,
}

impl Model {
    /// Walks the set address by address, as the reference does.
    fn next(&self, ranges: &Ranges, number: usize) -> Option<IpAddr> {
        let set = &ranges.sets()[number];
        let circle: Vec<IpAddr> = set
            .ranges()
            .iter()
            .flat_map(|range| (range.start..=range.end).map(|at| range.family().address(at)))
            .collect();
        let last = self.last.get(&number).and_then(|last| circle.iter().position(|address| address == last));
        let start = last.map_or(0, |last| last + 1);
        let free = |address: &&IpAddr| {
            !self.leases.contains_key(address)
                && set.ranges().iter().all(|range| range.gateway() != **address && !range.reserves(**address))
        };
        circle[start..].iter().chain(&circle[..start]).find(free).copied()
    }

    fn add(&mut self, ranges: &Ranges, owner: &str, wanted: Option<IpAddr>) -> Option<Vec<IpAddr>> {
        let sets = 0..ranges.sets().len();
        let held = |address: &IpAddr| ranges.sets().iter().any(|set| set.contains(*address));
        if self.leases.iter().any(|(address, holder)| holder == owner && held(address)) {
            return None;
        }
        let chosen = sets.map(|number| match wanted {
            Some(wanted) if ranges.sets()[number].contains(wanted) => {
                Some(wanted).filter(|wanted| !self.leases.contains_key(wanted))
            }
            _ => self.next(ranges, number),
        });
        // The place in the order is kept even by a set whose lease is undone.
        let chosen: Vec<Option<IpAddr>> = chosen.collect();
        for (number, address) in chosen.iter().enumerate() {
            let Some(address) = address else { return None };
            self.last.insert(number, *address);
        }
        let chosen: Vec<IpAddr> = chosen.into_iter().flatten().collect();
        self.leases.extend(chosen.iter().map(|address| (*address, owner.to_owned())));
        Some(chosen)
    }

    fn release(&mut self, owner: &str) -> Vec<IpAddr> {
        let released =
            self.leases.iter().filter(|(_, holder)| *holder == owner).map(|(address, _)| *address).collect();
        self.leases.retain(|_, holder| holder != owner);
        released
    }

    fn check(&self, host: &Host) {
        let expected: BTreeMap<String, String> = self
            .leases
            .iter()
            .map(|(address, owner)| (address.to_string(), format!("{owner}\r\neth0")))
            .collect();
        assert_eq!(host.leases().into_iter().collect::<BTreeMap<_, _>>(), expected);
    }
}

/// A lease made by someone who knows nothing of hints.
fn foreign_add(host: &Host, address: IpAddr, owner: &str, number: usize) {
    fs::create_dir_all(host.file("")).unwrap();
    fs::write(host.file(&address.to_string()), format!("{owner}\r\neth0")).unwrap();
    fs::write(host.file(&format!("last_reserved_ip.{number}")), address.to_string()).unwrap();
}

fn run(seed: u64, others: bool, store_of: impl Fn(&mut Numbers, &Host) -> Store) {
    let host = Host::new();
    let ranges =
        ranges(&[&["10.0.0.0/29", "10.0.1.0/29 10.0.1.0 10.0.1.7 10.0.1.3"], &["fd00::/124"]]).unwrap();
    let (mut model, mut numbers) = (Model::default(), Numbers(seed));
    for _ in 0..300 {
        let owner_name = format!("c{}", numbers.below(14));
        let store = store_of(&mut numbers, &host);
        match numbers.below(if others { 12 } else { 8 }) {
            0..=3 => {
                let wanted =
                    (numbers.below(4) == 0).then(|| address(&format!("10.0.0.{}", 2 + numbers.below(5))));
                let leased = store.allocate(&ranges, &owner(&owner_name), wanted.as_slice());
                let leased =
                    leased.ok().map(|leases| leases.iter().map(|lease| lease.address.ip()).collect());
                assert_eq!(leased, model.add(&ranges, &owner_name, wanted));
            }
            4..=6 => {
                let mut released = store.release(&owner(&owner_name)).unwrap();
                released.sort();
                assert_eq!(released, model.release(&owner_name));
            }
            7 => {
                let free = (0..2).all(|number| model.next(&ranges, number).is_some());
                assert_eq!(store.check_available(&ranges).is_ok(), free);
                let held = store.find(&owner(&owner_name)).unwrap().len();
                assert_eq!(held, model.leases.values().filter(|holder| **holder == owner_name).count());
            }
            8 => {
                let chosen = model.next(&ranges, 1);
                if let Some(chosen) =
                    chosen.filter(|_| !model.leases.values().any(|holder| *holder == owner_name))
                {
                    foreign_add(&host, chosen, &owner_name, 1);
                    model.leases.insert(chosen, owner_name);
                    model.last.insert(1, chosen);
                }
            }
            9 => {
                for address in model.release(&owner_name) {
                    fs::remove_file(host.file(&address.to_string())).unwrap();
                }
            }
            10 => {
                let valid: Vec<Attachment> = (0..10).map(|number| owner(&format!("c{number}"))).collect();
                store.retain(&valid).unwrap();
                model.leases.retain(|_, holder| valid.contains(&owner(holder)));
            }
            _ => {
                let _ = fs::remove_dir_all(host.0.join("run/ipam"));
            }
        }
        model.check(&host);
    }
}

#[test]
fn alone_we_do_what_the_model_does() {
    for seed in 0..6 {
        run(seed, false, |_, host| host.store());
    }
}

#[test]
fn without_hints_we_do_the_same() {
    run(7, true, |_, host| host.store_without_hints());
}

#[test]
fn among_others_who_add_and_delete_files_we_do_the_same() {
    for seed in 10..16 {
        run(seed, true, |_, host| host.store());
    }
}

#[test]
fn two_programs_one_of_them_without_hints_do_the_same() {
    for seed in 20..24 {
        run(seed, true, |numbers, host| match numbers.below(2) {
            0 => host.store(),
            _ => host.store_without_hints(),
        });
    }
}
