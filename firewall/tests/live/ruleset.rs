//! What is installed, in the words of `nft`, whatever happens around it.

use std::sync::Barrier;
use std::thread;

use crate::support::{ensure, find, fresh, network, nft, ruleset, run, spoof_check};
use firewall::{Ensured, Firewall, Removed, Standing};

const PACKETS: &str = include_str!("../golden/packets.nft");
const FRAMES: &str = include_str!("../golden/frames.nft");
/// What a host has on which the first version ran.
const PACKETS_VERSION_1: &str = include_str!("../golden/packets-version-1.nft");

#[test]
fn the_installed_tables_are_the_golden_ones() {
    let Some(host) = fresh() else { return };
    host.run(|| {
        let mut firewall = Firewall::new();
        assert_eq!(ensure(&mut firewall, "mynet", "cni0", &["10.22.0.0/16"]), Ensured::Added);
        let check = spoof_check("mynet", "web");
        assert_eq!(firewall.ensure_spoof_check(&check).unwrap(), Ensured::Added);
        assert_eq!(firewall.remove_masquerade(&network("mynet")).unwrap(), Removed::Now);
        assert_eq!(firewall.remove_spoof_check(&check.interface).unwrap(), Removed::Now);
        assert_eq!(run("nft list table inet netctl"), PACKETS);
        assert_eq!(run("nft list table bridge netctl"), FRAMES);
    })
    .unwrap();
}

#[test]
fn the_kernel_runs_the_bytecode_that_nft_makes_of_the_golden_text() {
    let listing = |script: Option<&str>| {
        fresh()?
            .run(|| {
                match script {
                    Some(script) => nft(script),
                    None => {
                        let mut firewall = Firewall::new();
                        let _added = ensure(&mut firewall, "mynet", "cni0", &["10.22.0.0/16"]);
                        firewall.remove_masquerade(&network("mynet")).unwrap();
                        let check = spoof_check("mynet", "web");
                        let _added = firewall.ensure_spoof_check(&check).unwrap();
                        firewall.remove_spoof_check(&check.interface).unwrap();
                    }
                }
                let listing = run("nft --debug=netlink list ruleset");
                // Handles count what was ever made.
                listing.lines().filter(|line| line.starts_with("  [")).map(str::to_owned).collect::<Vec<_>>()
            })
            .ok()
    };
    let script = format!("{PACKETS}{FRAMES}");
    let (Some(ours), Some(theirs)) = (listing(None), listing(Some(&script))) else { return };
    assert!(ours.len() > 30, "{ours:#?}");
    assert_eq!(ours, theirs);
}

#[test]
fn elements_are_listed_with_their_owners_as_text_and_as_json() {
    let Some(host) = fresh() else { return };
    host.run(|| {
        let mut firewall = Firewall::new();
        let _added = ensure(&mut firewall, "mynet", "cni0", &["10.22.0.0/16", "fd22::/64", "10.99.0.7/32"]);
        let check = spoof_check("mynet", "web");
        let _added = firewall.ensure_spoof_check(&check).unwrap();
        let text = ruleset();
        for element in [
            "\"cni0\" . 10.22.0.0/16 comment \"mynet\"",
            "\"cni0\" . 10.99.0.7 comment \"mynet\"",
            "\"cni0\" . fd22::/64 comment \"mynet\"",
            &format!("\"{}\" comment \"mynet/web/eth0 {}\"", check.interface, check.mac),
            &format!("\"{}\" . {} comment \"mynet/web/eth0\"", check.interface, check.mac),
        ] {
            assert!(text.contains(element), "{element} is not in\n{text}");
        }
        assert!(run("nft -j list ruleset").contains("\"comment\": \"mynet/web/eth0\""));
        // What nft lists it can put back, and we know our own again.
        run("nft flush ruleset");
        nft(&text);
        assert_eq!(
            ensure(&mut firewall, "mynet", "cni0", &["10.22.0.0/16", "fd22::/64"]),
            Ensured::AlreadyThere
        );
        assert_eq!(firewall.ensure_spoof_check(&check).unwrap(), Ensured::AlreadyThere);
        assert_eq!(firewall.list_spoof_checks().unwrap(), [check]);
    })
    .unwrap();
}

#[test]
fn what_was_flushed_is_noticed_and_put_back_with_the_elements_kept() {
    let Some(host) = fresh() else { return };
    host.run(|| {
        let mut firewall = Firewall::new();
        let _added = ensure(&mut firewall, "other", "cni1", &["10.23.0.0/16"]);
        let _added = ensure(&mut firewall, "mynet", "cni0", &["10.22.0.0/16"]);
        let whole = ruleset();
        for script in ["flush table inet netctl", "flush chain inet netctl postrouting"] {
            nft(script);
            assert_eq!(
                find(&mut firewall, "mynet", "cni0", &["10.22.0.0/16"]),
                Standing::RulesMissing,
                "{script}"
            );
            assert_eq!(ensure(&mut firewall, "mynet", "cni0", &["10.22.0.0/16"]), Ensured::Added);
            assert_eq!(ruleset(), whole, "{script}");
        }
        nft("flush set inet netctl masquerade4");
        let missing = Standing::Missing(vec!["10.22.0.0/16 behind \"cni0\"".to_owned()]);
        assert_eq!(find(&mut firewall, "mynet", "cni0", &["10.22.0.0/16"]), missing);
        nft("flush ruleset");
        assert_eq!(ensure(&mut firewall, "mynet", "cni0", &["10.22.0.0/16"]), Ensured::Added);
        assert_eq!(find(&mut firewall, "mynet", "cni0", &["10.22.0.0/16"]), Standing::Whole);
    })
    .unwrap();
}

#[test]
fn an_older_table_is_replaced_with_the_elements_kept_and_a_newer_one_is_left_alone() {
    let Some(host) = fresh() else { return };
    host.run(|| {
        let elements = "add element inet netctl masquerade4 { \"cni1\" . 10.23.0.0/16 comment \"other\" }";
        nft(&format!("{PACKETS_VERSION_1}{elements}"));
        let mut firewall = Firewall::new();
        assert_eq!(ensure(&mut firewall, "mynet", "cni0", &["10.22.0.0/16"]), Ensured::Added);
        let text = ruleset();
        assert!(text.contains("version 2") && text.contains("map ports4"), "{text}");
        assert!(text.contains("10.23.0.0/16 comment \"other\"") && text.contains("10.22.0.0/16"), "{text}");

        run("nft flush ruleset");
        nft(&PACKETS.replace("version 2", "version 9"));
        assert_eq!(ensure(&mut firewall, "mynet", "cni0", &["10.22.0.0/16"]), Ensured::Added);
        assert!(ruleset().contains("version 9"));
    })
    .unwrap();
}

#[test]
fn whoever_installs_at_once_the_rules_are_there_exactly_once() {
    const THREADS: usize = 16;
    for _ in 0..20 {
        let Some(host) = fresh() else { return };
        let barrier = Barrier::new(THREADS);
        thread::scope(|scope| {
            for number in 0..THREADS {
                let (host, barrier) = (&host, &barrier);
                scope.spawn(move || {
                    host.run(|| {
                        let mut firewall = Firewall::new();
                        barrier.wait();
                        let _added = ensure(&mut firewall, "mynet", "cni0", &["10.22.0.0/16"]);
                        let _added = ensure(&mut firewall, &format!("net{number}"), "cni1", &["fd22::/64"]);
                        let check = spoof_check("mynet", &format!("container{number}"));
                        assert_eq!(firewall.ensure_spoof_check(&check).unwrap(), Ensured::Added);
                    })
                    .unwrap();
                });
            }
        });
        host.run(|| {
            let mut firewall = Firewall::new();
            assert_eq!(firewall.list_spoof_checks().unwrap().len(), THREADS);
            // The first owner's element may have been shared by those that came a moment later.
            assert_eq!(firewall.list_masquerades().unwrap().len(), 2);
            firewall.retain(|_| false).unwrap();
            assert_eq!(run("nft list table inet netctl"), PACKETS);
            assert_eq!(run("nft list table bridge netctl"), FRAMES);
        })
        .unwrap();
    }
}

#[test]
fn adding_while_tables_come_and_go_loses_nothing() {
    const THREADS: usize = 8;
    let Some(host) = fresh() else { return };
    thread::scope(|scope| {
        for number in 0..THREADS {
            let host = &host;
            scope.spawn(move || {
                host.run(|| {
                    let mut firewall = Firewall::new();
                    let (name, bridge) = (format!("net{number}"), format!("cni{number}"));
                    for _ in 0..200 {
                        let _added = ensure(&mut firewall, &name, &bridge, &["10.22.0.0/16", "fd22::/64"]);
                        assert_eq!(
                            find(&mut firewall, &name, &bridge, &["10.22.0.0/16", "fd22::/64"]),
                            Standing::Whole
                        );
                        firewall.remove_masquerade(&network(&name)).unwrap();
                        firewall.remove_empty_tables().unwrap();
                    }
                })
                .unwrap();
            });
        }
    });
    assert_eq!(host.run(ruleset).unwrap(), "");
}

#[test]
fn ten_thousand_containers_are_added_and_collected() {
    const MANY: usize = 10_000;
    let Some(host) = fresh() else { return };
    host.run(|| {
        let mut firewall = Firewall::new();
        for number in 0..MANY {
            let check = spoof_check("mynet", &format!("container{number}"));
            assert_eq!(firewall.ensure_spoof_check(&check).unwrap(), Ensured::Added);
        }
        // An outdated table is replaced in one transaction, with all of its elements.
        nft("flush chain bridge netctl prerouting");
        let last = spoof_check("mynet", "last");
        assert_eq!(firewall.ensure_spoof_check(&last).unwrap(), Ensured::Added);
        assert_eq!(firewall.list_spoof_checks().unwrap().len(), MANY + 1);
        let removed =
            firewall.retain(|owner| *owner == last.owner || !owner.belongs_to(&network("mynet"))).unwrap();
        assert_eq!(removed, 2 * MANY);
        assert_eq!(firewall.list_spoof_checks().unwrap(), [last]);
    })
    .unwrap();
}

#[test]
fn what_others_made_stays() {
    let Some(host) = fresh() else { return };
    host.run(|| {
        nft("table inet theirs { chain c { type filter hook input priority 0; accept; }; }");
        let before = ruleset();
        let mut firewall = Firewall::new();
        let _added = ensure(&mut firewall, "mynet", "cni0", &["10.22.0.0/16"]);
        nft("add element inet netctl masquerade4 { \"eth7\" . 10.7.0.0/16 }");
        assert_eq!(firewall.retain(|_| false).unwrap(), 1);
        // Somebody's own element holds the table.
        assert_eq!(firewall.remove_empty_tables().unwrap(), Removed::Before);
        nft("delete element inet netctl masquerade4 { \"eth7\" . 10.7.0.0/16 }");
        assert_eq!(firewall.remove_empty_tables().unwrap(), Removed::Now);
        assert_eq!(firewall.remove_empty_tables().unwrap(), Removed::Before);
        assert_eq!(ruleset(), before);
    })
    .unwrap();
}

#[test]
fn removing_what_never_was_makes_nothing() {
    let Some(host) = fresh() else { return };
    host.run(|| {
        let mut firewall = Firewall::new();
        assert_eq!(firewall.remove_masquerade(&network("mynet")).unwrap(), Removed::Before);
        let check = spoof_check("mynet", "web");
        assert_eq!(firewall.remove_spoof_check(&check.interface).unwrap(), Removed::Before);
        assert_eq!(firewall.retain(|_| false).unwrap(), 0);
        assert_eq!(firewall.list_masquerades().unwrap(), []);
        assert_eq!(firewall.remove_empty_tables().unwrap(), Removed::Before);
        assert!(firewall.into_socket().is_none());
        assert_eq!(ruleset(), "");
    })
    .unwrap();
}
