//! Chains of others that drop what is forwarded, and containers that pass them all the same.

use std::net::IpAddr;
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use crate::support::{Landscape, attachment, fresh, network, nft, ruleset, run, seen_as};
use firewall::{Ensured, Firewall, Owner, Passage, Removed, Standing};

/// A host's own firewall, as people write it.
const STRICT: &str = "table inet filter {
    chain forward {
        type filter hook forward priority 0; policy drop;
        ct state invalid drop
    }
}
";

fn owner(container: &str) -> Owner {
    Owner::attachment(&network("mynet"), &attachment(container))
}

fn addresses(texts: &[&str]) -> Vec<IpAddr> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn ensure(container: &str, texts: &[&str]) -> Ensured {
    let (owner, addresses) = (owner(container), addresses(texts));
    Firewall::new().ensure_passage(&Passage { owner: &owner, addresses: &addresses }).unwrap()
}

fn find(container: &str, texts: &[&str]) -> Standing {
    let (owner, addresses) = (owner(container), addresses(texts));
    Firewall::new().find_passage(&Passage { owner: &owner, addresses: &addresses }).unwrap()
}

fn remove(container: &str) -> Removed {
    Firewall::new().remove_passage(&owner(container)).unwrap()
}

#[test]
fn containers_reach_the_outside_through_a_chain_that_drops_and_the_outside_does_not_reach_them() {
    let Some(Landscape { host, containers: [one, two], neighbour }) = Landscape::new() else { return };
    let passes =
        |from, to, address, patience| seen_as(from, to, address, Duration::from_millis(patience)).is_some();
    host.run(|| nft(STRICT)).unwrap();
    assert!(!passes(&one, &neighbour, "192.0.2.2", 300));
    host.run(|| {
        assert_eq!(ensure("one", &["10.22.0.11", "fd22::11"]), Ensured::Added);
        assert_eq!(ensure("one", &["10.22.0.11", "fd22::11"]), Ensured::AlreadyThere);
        assert_eq!(find("one", &["10.22.0.11", "fd22::11"]), Standing::Whole);
    })
    .unwrap();
    assert!(passes(&one, &neighbour, "192.0.2.2", 3000));
    assert!(passes(&one, &neighbour, "fd99::2", 3000));
    assert!(!passes(&two, &neighbour, "192.0.2.2", 300), "another container");
    assert!(!passes(&neighbour, &one, "10.22.0.11", 300), "from outside");
    let removed = host.run(|| remove("one")).unwrap();
    assert_eq!(removed, Removed::Now);
    assert!(!passes(&one, &neighbour, "192.0.2.2", 300));
    let left = host.run(ruleset).unwrap();
    assert!(!left.contains("netctl"), "{left}");
}

#[test]
fn a_published_port_is_let_in() {
    let Some(Landscape { host, containers: [one, _], neighbour }) = Landscape::new() else { return };
    host.run(|| {
        nft(STRICT);
        nft(
            "table ip published { chain prerouting { type nat hook prerouting priority dstnat; policy accept;
                iifname \"uplink\" udp dport 9 dnat to 10.22.0.11 ; } ; }",
        );
    })
    .unwrap();
    // Sent to the host's own address, received by the container.
    let arrives = |patience: u64| {
        let receiver = one.run(|| std::net::UdpSocket::bind("10.22.0.11:9")).unwrap().unwrap();
        let sender = neighbour.run(|| std::net::UdpSocket::bind("0.0.0.0:0")).unwrap().unwrap();
        receiver.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        (0..patience / 20).any(|_| {
            let _refused = sender.send_to(b"hello", "192.0.2.1:9");
            receiver.recv_from(&mut [0; 16]).is_ok()
        })
    };
    assert!(!arrives(300));
    host.run(|| assert_eq!(ensure("one", &["10.22.0.11"]), Ensured::Added)).unwrap();
    assert!(arrives(3000));
}

#[test]
fn the_rules_are_those_that_nft_makes_of_the_golden_text() {
    let golden = include_str!("../golden/passage.nft");
    let (Some(ours), Some(theirs)) = (fresh(), fresh()) else { return };
    let code = || {
        let listing = run("nft --debug=netlink list ruleset");
        listing.lines().filter(|line| line.starts_with("  [")).map(str::to_owned).collect::<Vec<_>>()
    };
    let ours = ours
        .run(|| {
            nft(STRICT);
            nft(&STRICT.replace("inet filter", "ip strict"));
            let _added = ensure("one", &["10.22.0.11", "fd22::11"]);
            (run("nft list ruleset"), code())
        })
        .unwrap();
    let theirs = theirs
        .run(|| {
            nft(golden);
            (run("nft list ruleset"), code())
        })
        .unwrap();
    assert_eq!(ours.0, golden);
    assert_eq!(ours, theirs);
}

#[test]
fn hosts_that_drop_nothing_are_left_as_they_are() {
    let Some(host) = fresh() else { return };
    host.run(|| {
        assert_eq!(ensure("one", &["10.22.0.11"]), Ensured::AlreadyThere);
        assert_eq!(ruleset(), "");
        nft("table inet open { chain forward { type filter hook forward priority 0; policy accept; }; }
            table ip filter { chain FORWARD { type filter hook forward priority 0; policy drop; }; }
            table inet input { chain input { type filter hook input priority 0; policy drop; }; }");
        let before = ruleset();
        assert_eq!(ensure("one", &["10.22.0.11", "fd22::11"]), Ensured::AlreadyThere);
        assert_eq!(remove("one"), Removed::Before);
        assert_eq!(ruleset(), before);
    })
    .unwrap();
}

#[test]
fn what_a_reload_took_away_is_named_and_put_back() {
    let Some(host) = fresh() else { return };
    host.run(|| {
        nft(STRICT);
        let _added = ensure("one", &["10.22.0.11"]);
        let whole = ruleset();
        for (damage, named) in [
            (
                "delete element inet filter netctl_forward4 { 10.22.0.11 }",
                "10.22.0.11 in set netctl_forward4",
            ),
            (
                "flush chain inet filter forward; add rule inet filter forward ct state invalid drop",
                "a rule for set",
            ),
            (&*format!("flush ruleset; {STRICT}"), "10.22.0.11 in set"),
        ] {
            nft(damage);
            let Standing::Missing(missing) = find("one", &["10.22.0.11"]) else { panic!("{damage}") };
            assert!(missing.iter().any(|text| text.contains(named)), "{named} is not in {missing:?}");
            assert_eq!(ensure("one", &["10.22.0.11"]), Ensured::Added);
            assert_eq!(ruleset(), whole, "{damage}");
        }
        // The address has a new owner; the old one's DEL comes late.
        assert_eq!(ensure("two", &["10.22.0.11"]), Ensured::Added);
        assert_eq!(remove("one"), Removed::Before);
        assert_eq!(find("two", &["10.22.0.11"]), Standing::Whole);
        let kept = Firewall::new().retain_passages(|found| *found != owner("two")).unwrap();
        assert_eq!(kept, 1);
        assert!(!ruleset().contains("netctl"));
        // Gone with its table.
        nft("flush ruleset");
        assert_eq!(remove("two"), Removed::Before);
    })
    .unwrap();
}

#[test]
fn a_table_that_a_program_keeps_to_itself_is_named_with_a_way_out() {
    let Some(host) = fresh() else { return };
    host.run(|| {
        let mut keeper = std::process::Command::new("nft")
            .args(["-i"])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let script = "add table inet kept { flags owner; }\nadd chain inet kept forward \
                      { type filter hook forward priority 0; policy drop; }\nlist tables\n";
        let mut stdin = keeper.stdin.take().unwrap();
        std::io::Write::write_all(&mut stdin, script.as_bytes()).unwrap();
        let mut said = std::io::BufReader::new(keeper.stdout.take().unwrap());
        let mut line = String::new();
        while !line.contains("table inet kept") {
            line.clear();
            assert_ne!(std::io::BufRead::read_line(&mut said, &mut line).unwrap(), 0, "nft -i ended");
        }
        let (owner, addresses) = (owner("one"), addresses(&["10.22.0.11"]));
        let passage = Passage { owner: &owner, addresses: &addresses };
        let error = Firewall::new().ensure_passage(&passage).unwrap_err();
        assert_eq!(error.to_string(), "let packets of mynet/one/eth0 pass the chains of nftables that drop");
        assert!(error.hint().unwrap().contains("flags owner"), "{error:?}");
        drop(stdin);
        keeper.wait().unwrap();
    })
    .unwrap();
}

#[test]
fn of_a_hundred_at_once_none_fails_and_the_last_turns_off_the_light() {
    const CROWD: usize = 100;
    let Some(host) = fresh() else { return };
    host.run(|| nft(STRICT)).unwrap();
    let before = host.run(ruleset).unwrap();
    let barrier = Barrier::new(CROWD);
    let at_once = |work: &(dyn Fn(&str, &str) + Sync)| {
        thread::scope(|scope| {
            for number in 0..CROWD {
                let (barrier, host) = (&barrier, &host);
                scope.spawn(move || {
                    host.visit(|| {
                        barrier.wait();
                        work(&format!("c{number}"), &format!("10.22.1.{number}"));
                    })
                    .unwrap();
                });
            }
        });
    };
    at_once(&|container, address| assert_eq!(ensure(container, &[address]), Ensured::Added));
    let text = host.run(ruleset).unwrap();
    assert_eq!((text.matches("eth0\"").count(), text.matches("@netctl_forward4").count()), (CROWD, 3));
    at_once(&|container, _| assert_eq!(remove(container), Removed::Now));
    assert_eq!(host.run(ruleset).unwrap(), before);
}
