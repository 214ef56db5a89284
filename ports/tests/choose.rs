//! Free ports are chosen so that nobody who chooses, publishes or listens has them already.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

use std::collections::HashSet;
use std::net::{TcpListener, UdpSocket};
use std::path::PathBuf;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU32, Ordering};
use std::{fs, thread};

use firewall::{Firewall, MasqueradeClients, Publication};
use netns::Netns;
use ports::{ChooseError, Chooser};
use vocab::{Attachment, PortMapping, Publish};

/// A fresh namespace with few ports to choose from, or the reason why the test is skipped.
fn fresh(first: u16, last: u16) -> Option<Netns> {
    match Netns::create() {
        Ok(netns) => {
            let range = format!("{first} {last}");
            netns.run(|| fs::write("/proc/sys/net/ipv4/ip_local_port_range", range)).unwrap().unwrap();
            Some(netns)
        }
        Err(error) => {
            lab::tools::skip(&format!("{error} (needs root)"));
            None
        }
    }
}

/// A folder for reservations, which is gone when the value is.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        Self(std::env::temp_dir().join(format!("netctl-choose-{}-{number}", std::process::id())))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _absent = fs::remove_dir_all(&self.0);
    }
}

fn publish(text: &str) -> Publish {
    text.parse().unwrap()
}

fn host_ports(mappings: &[PortMapping]) -> Vec<u16> {
    mappings.iter().map(|mapping| mapping.host_port.get()).collect()
}

/// Publishes what was chosen, for a container of that number.
fn claim(number: u16, mappings: &[PortMapping]) -> Result<firewall::Ensured, firewall::ports::Error> {
    let attachment = Attachment::new(format!("c{number}").parse().unwrap(), "eth0".parse().unwrap());
    Firewall::new().publish(&Publication {
        network: &"net".parse().unwrap(),
        attachment: &attachment,
        interface: &"br0".parse().unwrap(),
        v4: Some(u32::from(number).saturating_add(0x0a01_0000).into()),
        v6: None,
        mappings,
        masquerade: MasqueradeClients::WhereNeeded,
    })
}

#[test]
fn what_is_settled_stays_and_what_is_open_is_chosen_from_its_range() {
    let (Some(host), folder) = (fresh(40_000, 40_009), Folder::new()) else { return };
    host.run(|| {
        let mut chooser = Chooser::open(&folder.0).unwrap();
        assert_eq!(host_ports(&chooser.choose(&publish("8080:80"), 7).unwrap()), [8080]);
        assert_eq!(host_ports(&chooser.choose(&publish("8000-8010:80"), 7).unwrap()), [8000]);
        assert_eq!(host_ports(&chooser.choose(&publish("8000-8010:81"), 7).unwrap()), [8001]);
        // Chance decides where to begin, and after the last comes the first.
        assert_eq!(
            host_ports(&chooser.choose(&publish("9000-9003"), 17).unwrap()),
            [40_007, 40_008, 40_009, 40_000]
        );
        assert_eq!(host_ports(&chooser.choose(&publish("53/udp"), 7).unwrap()), [40_007]);
        let chosen = chooser.choose(&publish("127.0.0.1::80"), 0).unwrap();
        assert_eq!(chosen[0].to_string(), "127.0.0.1:40001:80/tcp");
    })
    .unwrap();
}

#[test]
fn a_port_that_is_published_or_listened_on_is_passed_over() {
    let (Some(host), folder) = (fresh(40_000, 40_009), Folder::new()) else { return };
    host.run(|| {
        let _one = claim(1, &[publish("40000:80").settled().unwrap()[0]]).unwrap();
        let _two = claim(2, &[publish("127.0.0.1:40001:80").settled().unwrap()[0]]).unwrap();
        let _listens = TcpListener::bind("0.0.0.0:40002").unwrap();
        let _listens_at_loopback =
            TcpListener::bind("127.0.0.1:40003").or_else(|_| TcpListener::bind("0.0.0.0:40003")).unwrap();
        let _other_protocol = UdpSocket::bind("0.0.0.0:40004").unwrap();
        let mut chooser = Chooser::open(&folder.0).unwrap();
        assert_eq!(host_ports(&chooser.choose(&publish("80"), 0).unwrap()), [40_004]);
        assert_eq!(host_ports(&chooser.choose(&publish("40000-40005:80"), 0).unwrap()), [40_005]);
        let error = chooser.choose(&publish("40000-40003:80"), 0).unwrap_err();
        assert_eq!(
            error.to_string(),
            "choose a host port for 40000-40003:80/tcp: all of 40000-40003/tcp are taken"
        );
        let error = chooser.choose(&publish("1-10"), 0).unwrap_err();
        assert!(
            matches!(error, ChooseError::NoneFree { .. })
                && error.hint().unwrap().contains("ip_local_port_range")
        );
    })
    .unwrap();
}

#[test]
fn a_choice_that_came_to_nothing_is_free_again() {
    let (Some(host), folder) = (fresh(40_000, 40_000), Folder::new()) else { return };
    host.run(|| {
        let mut chooser = Chooser::open(&folder.0).unwrap();
        assert_eq!(host_ports(&chooser.choose(&publish("80"), 0).unwrap()), [40_000]);
        assert!(Chooser::open(&folder.0).unwrap().choose(&publish("80"), 0).is_err());
        drop(chooser);
        assert_eq!(
            host_ports(&Chooser::open(&folder.0).unwrap().choose(&publish("80"), 0).unwrap()),
            [40_000]
        );
    })
    .unwrap();
}

#[test]
fn many_that_choose_at_once_never_collide() {
    const THREADS: u16 = 32;
    for _ in 0..5 {
        // Just as many ports as are wanted, and everybody begins at the same.
        let (Some(host), folder) = (fresh(40_000, 40_000 + THREADS - 1), Folder::new()) else { return };
        let barrier = Barrier::new(THREADS.into());
        let chosen: Vec<u16> = thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS)
                .map(|number| {
                    let (host, barrier, folder) = (&host, &barrier, &folder);
                    scope.spawn(move || {
                        host.run(|| {
                            barrier.wait();
                            let mut chooser = Chooser::open(&folder.0).unwrap();
                            let chosen = chooser.choose(&publish("80"), 0).unwrap();
                            let _claimed = claim(number, &chosen).unwrap_or_else(|error| panic!("{error}"));
                            chosen[0].host_port.get()
                        })
                        .unwrap()
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(chosen.iter().collect::<HashSet<_>>().len(), usize::from(THREADS), "{chosen:?}");
    }
}
