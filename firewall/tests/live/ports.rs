//! Published ports as elements: who gets which, what is left, and what `nft` prints.

use std::sync::Barrier;
use std::thread;

use firewall::ports::Error;
use firewall::{Ensured, Firewall, MasqueradeClients, Publication, Standing};
use vocab::{Attachment, ContainerId, PortMapping, Publish};

use crate::support::{fresh, interface, network, nft, ruleset, run};

/// What is published: of which container, on which network, at which of its addresses.
struct Wish {
    network: &'static str,
    attachment: Attachment,
    last_byte: u8,
    mappings: Vec<PortMapping>,
    masquerade: MasqueradeClients,
}

fn mappings(words: &[&str]) -> Vec<PortMapping> {
    words.iter().flat_map(|text| text.parse::<Publish>().unwrap().settled().unwrap()).collect()
}

fn wish(container: &str, last_byte: u8, words: &[&str]) -> Wish {
    Wish {
        network: "net",
        attachment: Attachment::new(ContainerId::new(container).unwrap(), interface("eth0")),
        last_byte,
        mappings: mappings(words),
        masquerade: MasqueradeClients::WhereNeeded,
    }
}

impl Wish {
    fn with<T>(&self, act: impl FnOnce(&Publication<'_>) -> T) -> T {
        act(&Publication {
            network: &network(self.network),
            attachment: &self.attachment,
            interface: &interface("br0"),
            v4: Some([10, 1, 0, self.last_byte].into()),
            v6: Some([0xfd00, 1, 0, 0, 0, 0, 0, self.last_byte.into()].into()),
            mappings: &self.mappings,
            masquerade: self.masquerade,
        })
    }

    fn publish(&self) -> Result<Ensured, Error> {
        self.with(|publication| Firewall::new().publish(publication))
    }

    fn find(&self) -> Standing {
        self.with(|publication| Firewall::new().find_publication(publication)).unwrap()
    }

    fn unpublish(&self) -> Vec<String> {
        let withdrawn = Firewall::new().unpublish(&self.attachment).unwrap();
        let text = |port: &firewall::PublishedPort| {
            format!("{}:{}/{}>{}", port.host_address, port.host_port, port.protocol, port.target)
        };
        withdrawn.iter().map(text).collect()
    }
}

fn elements() -> usize {
    ruleset().lines().filter(|line| line.contains(" comment \"") && !line.contains("netctl rules")).count()
}

fn inside(act: impl FnOnce() + Send) {
    if let Some(host) = fresh() {
        host.run(act).unwrap();
    }
}

#[test]
fn a_port_is_an_element_with_its_owner_and_goes_with_everything_else_of_it() {
    inside(|| {
        let web = wish("web", 2, &["8080:80", "127.0.0.1:8081:80/udp"]);
        assert_eq!(web.publish().unwrap(), Ensured::Added);
        assert_eq!(web.publish().unwrap(), Ensured::AlreadyThere);
        assert_eq!(web.find(), Standing::Whole);
        let text = ruleset();
        for element in [
            "tcp . 8080 comment \"net/web/eth0\" : 10.1.0.2 . 80",
            "tcp . 8080 comment \"net/web/eth0\" : fd00:1::2 . 80",
            "127.0.0.1 . udp . 8081 comment \"net/web/eth0\" : 10.1.0.2 . 80",
            "udp . 8081 comment \"1 address\"",
            "\"br0\" . 10.1.0.2 comment \"net/web/eth0\"",
            "\"br0\" . fd00:1::2 comment \"net/web/eth0\"",
            "10.1.0.2 . 10.1.0.2 comment \"net/web/eth0\"",
        ] {
            assert!(text.contains(element), "{element} is not in\n{text}");
        }
        assert_eq!(Firewall::new().list_ports().unwrap().len(), 3);
        assert_eq!(
            web.unpublish(),
            [
                "0.0.0.0:8080/tcp>10.1.0.2:80",
                "[::]:8080/tcp>[fd00:1::2]:80",
                "127.0.0.1:8081/udp>10.1.0.2:80"
            ]
        );
        assert_eq!(elements(), 0, "{}", ruleset());
        assert_eq!(web.unpublish(), Vec::<String>::new());
    });
}

#[test]
fn who_comes_second_is_told_who_was_first_and_changes_nothing() {
    // What the first has, what the second wants, and which of it is in the way.
    let cases = [
        (&["8080:80"][..], &["8080:81"][..], Some("8080:81/tcp")),
        (&["8080:80"], &["7000:1", "8080:81", "9000:1"], Some("8080:81/tcp")),
        (&["8080:80"], &["0.0.0.0:8080:80"], Some("0.0.0.0:8080:80/tcp")),
        (&["8080:80"], &["[::]:8080:80"], Some("[::]:8080:80/tcp")),
        (&["8080:80"], &["127.0.0.1:8080:80"], Some("127.0.0.1:8080:80/tcp")),
        (&["127.0.0.1:8080:80"], &["8080:80"], Some("8080:80/tcp")),
        (&["[fd99::1]:8080:80"], &["8080:80"], Some("8080:80/tcp")),
        (&["127.0.0.1:8080:80"], &["127.0.0.1:8080:80"], Some("127.0.0.1:8080:80/tcp")),
        (&["8000-8999:1-1000"], &["8500:80"], Some("8500:80/tcp")),
        (&["8500:80"], &["8000-8999:1-1000"], Some("8500:501/tcp")),
        (&["127.0.0.1:8500:80"], &["8000-8999:1-1000"], Some("8500:501/tcp")),
        (&["8080:80"], &["8080:80/udp"], None),
        (&["8080:80/sctp"], &["8080:80/udp"], None),
        (&["127.0.0.1:8080:80"], &["10.99.0.1:8080:80"], None),
        (&["127.0.0.1:8080:80"], &["[::]:8080:80"], None),
        (&["0.0.0.0:8080:80"], &["[::]:8080:80"], None),
        (&["8080:80"], &["8081:80"], None),
    ];
    for (has, wants, in_the_way) in cases {
        inside(|| {
            assert_eq!(wish("first", 2, has).publish().unwrap(), Ensured::Added);
            let before = ruleset();
            let second = wish("second", 3, wants);
            let Some(in_the_way) = in_the_way else {
                assert_eq!(second.publish().unwrap(), Ensured::Added, "{has:?} {wants:?}");
                return;
            };
            let error = second.publish().unwrap_err();
            let protocol = in_the_way.split('/').next_back().unwrap();
            assert!(
                matches!(&error, Error::Taken { mapping, owner }
                    if mapping.to_string() == in_the_way && owner.as_str() == "net/first/eth0"),
                "{has:?} {wants:?}: {error}"
            );
            assert!(
                error.to_string().contains(&format!("/{protocol} is taken by net/first/eth0")),
                "{error}"
            );
            assert_eq!(ruleset(), before, "{has:?} {wants:?}");
            wish("first", 2, has).unpublish();
            assert_eq!(second.publish().unwrap(), Ensured::Added);
        });
    }
}

#[test]
fn the_same_port_may_be_named_twice_but_not_for_two_places() {
    inside(|| {
        // netavark leaves rules behind when this is taken down.
        let web =
            wish("web", 2, &["8080:8080", "[::]:8080:8080", "0.0.0.0:8080:8080", "127.0.0.1:8080:8080"]);
        assert_eq!(web.publish().unwrap(), Ensured::Added);
        assert_eq!(Firewall::new().list_ports().unwrap().len(), 2);
        assert_eq!(web.unpublish().len(), 2);
        assert_eq!(elements(), 0);
        // Docker's nftables back end refuses two host ports for one of the container's.
        let web = wish("web", 2, &["8080:80", "8081:80", "127.0.0.1:8082:80"]);
        assert_eq!(web.publish().unwrap(), Ensured::Added);
        web.unpublish();
        for (words, second) in [
            (["8080:80", "8080:81"], "8080:81/tcp"),
            (["127.0.0.1:8080:80", "8080:81"], "127.0.0.1:8080:80/tcp"),
        ] {
            let error = wish("web", 2, &words).publish().unwrap_err();
            assert!(
                matches!(&error, Error::Twice { second: mapping, .. } if mapping.to_string() == second),
                "{error}"
            );
        }
        let error = wish("web", 2, &["[::1]:8080:80"]).publish().unwrap_err();
        assert!(error.hint().unwrap().contains("127.0.0.1"), "{error}");
        assert_eq!(elements(), 0);
    });
}

#[test]
fn a_second_attachment_of_the_same_container_leaves_the_port_where_it_is() {
    inside(|| {
        let first = wish("web", 2, &["8080:80", "127.0.0.1:9000:90"]);
        let second = Wish {
            network: "other",
            attachment: Attachment::new(ContainerId::new("web").unwrap(), interface("eth1")),
            ..wish("web", 3, &["8080:80", "9000:90", "8082:82"])
        };
        assert_eq!(first.publish().unwrap(), Ensured::Added);
        assert_eq!(second.publish().unwrap(), Ensured::Added);
        assert_eq!((first.find(), second.find()), (Standing::Whole, Standing::Whole));
        assert!(ruleset().contains("tcp . 8080 comment \"net/web/eth0\" : 10.1.0.2 . 80"));
        assert_eq!(first.unpublish().len(), 3);
        // What it has alone is still there.
        assert_eq!(Firewall::new().list_ports().unwrap().len(), 4);
        assert_eq!(second.publish().unwrap(), Ensured::Added);
        assert!(ruleset().contains("tcp . 8080 comment \"other/web/eth1\" : 10.1.0.3 . 80"));
        second.unpublish();
        assert_eq!(elements(), 0, "{}", ruleset());
    });
}

#[test]
fn what_is_no_longer_asked_for_is_withdrawn_and_a_new_address_takes_over() {
    inside(|| {
        let _published = wish("web", 2, &["8080:80", "8081:81", "127.0.0.1:9000:90"]).publish().unwrap();
        let now = Wish {
            masquerade: MasqueradeClients::Always,
            ..wish("web", 7, &["8081:81", "8082:82", "127.0.0.2:9000:90"])
        };
        assert_eq!(now.publish().unwrap(), Ensured::Added);
        assert_eq!(now.find(), Standing::Whole);
        let text = ruleset();
        assert!(!text.contains("8080") && !text.contains("10.1.0.2") && text.contains("1 address"), "{text}");
        assert!(text.contains("tcp . 8081 comment \"net/web/eth0\" : 10.1.0.7 . 81"), "{text}");
        // A container that never said goodbye had the address before.
        let next = wish("next", 7, &["7000:70"]);
        assert_eq!(next.publish().unwrap(), Ensured::Added);
        assert!(ruleset().contains("10.1.0.7 . 10.1.0.7 comment \"net/next/eth0\""));
        now.unpublish();
        assert_eq!(next.find(), Standing::Whole);
        next.unpublish();
        assert_eq!(elements(), 0, "{}", ruleset());
    });
}

#[test]
fn a_ruleset_that_was_saved_and_put_back_has_no_notes_and_is_withdrawn_all_the_same() {
    inside(|| {
        let web = wish("web", 2, &["8080:80", "127.0.0.1:8081:80"]);
        let other = wish("other", 3, &["9090:90"]);
        let _both = (web.publish().unwrap(), other.publish().unwrap());
        let text = ruleset();
        run("nft flush ruleset");
        nft(&text);
        assert_eq!(web.find(), Standing::Whole);
        assert_eq!(web.unpublish().len(), 3);
        assert_eq!(other.find(), Standing::Whole);
        // Ports without even an entry among the publishers are known again as one's own.
        nft("flush set inet netctl publishers");
        assert_eq!(other.publish().unwrap(), Ensured::Added);
        other.unpublish();
        assert_eq!(elements(), 0, "{}", ruleset());
    });
}

#[test]
fn what_was_flushed_is_noticed_and_put_back() {
    inside(|| {
        let web = wish("web", 2, &["8080:80", "127.0.0.1:8081:80"]);
        let _published = web.publish().unwrap();
        let whole = ruleset();
        let chains = ["published", "redirected", "arriving", "prerouting", "output", "postrouting"];
        let mut scripts: Vec<_> =
            chains.iter().map(|chain| format!("flush chain inet netctl {chain}")).collect();
        scripts.extend(["flush table inet netctl".to_owned(), "flush ruleset".to_owned()]);
        for script in scripts {
            nft(&script);
            assert_eq!(web.find(), Standing::RulesMissing, "{script}");
            assert_eq!(web.publish().unwrap(), Ensured::Added, "{script}");
            assert_eq!(ruleset(), whole, "{script}");
        }
        nft("flush map inet netctl ports4");
        let Standing::Missing(missing) = web.find() else { panic!("{:?}", web.find()) };
        assert_eq!(missing, ["8080:80/tcp to 10.1.0.2:80"]);
        nft("flush set inet netctl hairpin6");
        assert_eq!(web.publish().unwrap(), Ensured::Added);
        assert_eq!(web.find(), Standing::Whole);
        // Somebody leads the port elsewhere by hand.
        nft("delete element inet netctl ports4 { tcp . 8080 }");
        nft("add element inet netctl ports4 { tcp . 8080 comment \"net/web/eth0\" : 10.1.0.9 . 9 }");
        assert_ne!(web.find(), Standing::Whole);
        assert_eq!(web.publish().unwrap(), Ensured::Added);
        assert_eq!(ruleset(), whole);
    });
}

#[test]
fn ports_that_no_note_has_room_for_are_withdrawn_too() {
    inside(|| {
        let other = wish("other", 3, &["9:9"]);
        let _published = other.publish().unwrap();
        let words: Vec<_> = (0..200).map(|number| format!("{}:80", 10_000 + 2 * number)).collect();
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        // Whatever is left of the room behind a longer or shorter name.
        for length in 1..=10 {
            let web = wish(&"w".repeat(length), 2, &words);
            assert_eq!(web.publish().unwrap(), Ensured::Added);
            assert_eq!(web.publish().unwrap(), Ensured::AlreadyThere);
            assert_eq!(web.unpublish().len(), 400);
        }
        assert_eq!(other.find(), Standing::Whole);
        other.unpublish();
        assert_eq!(elements(), 0);
    });
}

#[test]
fn gc_takes_only_what_belongs_to_nobody() {
    inside(|| {
        let web = wish("web", 2, &["8080:80", "127.0.0.1:7000:70"]);
        let gone = wish("gone", 3, &["8081:80", "127.0.0.2:7000:70", "127.0.0.1:7001:70"]);
        let _both = (web.publish().unwrap(), gone.publish().unwrap());
        assert!(ruleset().contains("2 addresses"));
        let mut firewall = Firewall::new();
        assert!(firewall.retain(|owner| owner.as_str() != "net/gone/eth0").unwrap() > 5);
        assert_eq!(web.find(), Standing::Whole);
        let text = ruleset();
        assert!(!text.contains("gone") && !text.contains("2 addresses") && !text.contains("7001"), "{text}");
        web.unpublish();
        assert_eq!(elements(), 0, "{}", ruleset());
        firewall.remove_empty_tables().unwrap();
        assert_eq!(ruleset(), "");
    });
}

#[test]
fn of_many_that_want_one_port_at_once_one_gets_it() {
    const THREADS: u8 = 16;
    for round in 0..10 {
        let Some(host) = fresh() else { return };
        let barrier = Barrier::new(THREADS.into());
        // All addresses and single ones at once: the hard case.
        let words = ["8080:80", "127.0.0.1:8080:80"];
        let winners: Vec<bool> = thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS)
                .map(|number| {
                    let (host, barrier) = (&host, &barrier);
                    let words = words[usize::from(number % 2)];
                    scope.spawn(move || {
                        host.run(|| {
                            let wish = wish(&format!("c{number}"), number + 2, &[words]);
                            barrier.wait();
                            match wish.publish() {
                                Ok(_) => true,
                                Err(Error::Taken { .. }) => false,
                                Err(error) => panic!("{error}: {:?}", std::error::Error::source(&error)),
                            }
                        })
                        .unwrap()
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(winners.iter().filter(|is_winner| **is_winner).count(), 1, "round {round}: {winners:?}");
    }
}

#[test]
fn two_hundred_at_once_lose_and_leave_nothing() {
    const THREADS: u8 = 200;
    let Some(host) = fresh() else { return };
    let barrier = Barrier::new(THREADS.into());
    let wishes: Vec<_> = (0..THREADS)
        .map(|number| {
            let port = 10_000 + u16::from(number);
            let words = [format!("{port}:80"), format!("127.0.0.1:{}:80/udp", 20_000 + port / 2)];
            wish(
                &format!("c{number}"),
                number,
                &words.each_ref().map(String::as_str)[..1 + usize::from(number % 2)],
            )
        })
        .collect();
    let at_once = |act: fn(&Wish)| {
        thread::scope(|scope| {
            for wish in &wishes {
                let (host, barrier) = (&host, &barrier);
                scope.spawn(move || {
                    host.run(|| {
                        barrier.wait();
                        act(wish);
                    })
                    .unwrap();
                });
            }
        });
    };
    at_once(|wish| assert_eq!(wish.publish().unwrap(), Ensured::Added));
    host.run(|| {
        assert_eq!(Firewall::new().list_ports().unwrap().len(), 500);
        wishes.iter().for_each(|wish| assert_eq!(wish.find(), Standing::Whole));
    })
    .unwrap();
    at_once(|wish| assert!(!wish.unpublish().is_empty()));
    host.run(|| assert_eq!(elements(), 0, "{}", ruleset())).unwrap();
}
