//! Requests to the running kernel, each test in a network namespace of its own. They need root.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use netlink::packet::AddressFamily;
use netlink::packet::address::{AddressAttribute, AddressMessage};
use netlink::packet::link::{InfoData, InfoKind, InfoVeth, LinkAttribute, LinkFlags, LinkInfo, LinkMessage};
use netlink::reaper::{Caller, hold_until_closed, remove_link_detached};
use netlink::{Batch, Error, Event, Group, Label, Link, LinkName, RouteSocket, Watch};
use nix::sched::{CloneFlags, unshare};
use vocab::InterfaceName;

/// Runs `test` on a thread of its own, in a network namespace of its own.
fn in_fresh_namespace(test: impl FnOnce() + Send + 'static) {
    let thread = std::thread::spawn(|| {
        unshare(CloneFlags::CLONE_NEWNET).unwrap();
        test();
    });
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

fn name(text: &str) -> InterfaceName {
    InterfaceName::new(text).unwrap()
}

fn veth(name: &str, peer: &str) -> LinkMessage {
    let mut other = LinkMessage::default();
    other.attributes.push(LinkAttribute::IfName(peer.to_owned()));
    let mut message = LinkMessage::default();
    message.attributes = vec![
        LinkAttribute::IfName(name.to_owned()),
        LinkAttribute::LinkInfo(vec![
            LinkInfo::Kind(InfoKind::Veth),
            LinkInfo::Data(InfoData::Veth(InfoVeth::Peer(other))),
        ]),
    ];
    message
}

fn create(socket: &mut RouteSocket, number: u32) -> Link {
    let mut batch = Batch::new();
    let own = format!("v{number}");
    let ticket = batch.create_link(Label::new("create veth", &own), &veth(&own, &format!("p{number}")));
    socket.run(batch).unwrap().take_link(ticket).expect("this kernel echoes")
}

#[test]
fn a_link_that_was_made_is_described_at_once() {
    in_fresh_namespace(|| {
        let mut socket = RouteSocket::open().unwrap();
        let made = create(&mut socket, 1);
        assert_eq!(made.name, name("v1"));
        let peer = socket.find_link(LinkName::Name(&name("p1"))).unwrap().unwrap();
        assert_eq!(made.peer, Some(peer.index));
        assert_eq!(peer.peer, Some(made.index));
        assert_eq!(socket.find_link(LinkName::Index(made.index)).unwrap().unwrap().name, name("v1"));
        assert!(socket.find_link(LinkName::Name(&name("v2"))).unwrap().is_none());
        assert!(socket.find_link(LinkName::Alternative("a-name-longer-than-names-are")).unwrap().is_none());
        assert!(socket.expect_link(LinkName::Name(&name("v2"))).unwrap_err().is_missing());
    });
}

#[test]
fn the_first_refusal_is_reported_and_the_rest_is_done() {
    in_fresh_namespace(|| {
        let mut socket = RouteSocket::open().unwrap();
        create(&mut socket, 1);
        let mut batch = Batch::new();
        batch.create_link(Label::new("create veth", "v1"), &veth("v1", "q1"));
        batch.create_link(Label::new("create veth", "v2"), &veth("v2", "p2"));
        let error = socket.run(batch).unwrap_err();
        assert!(error.is_exists());
        assert_eq!(error.to_string(), "create veth v1: File exists (EEXIST)");
        assert!(socket.find_link(LinkName::Name(&name("v2"))).unwrap().is_some());
    });
}

#[test]
fn the_kernels_own_words_are_passed_on() {
    in_fresh_namespace(|| {
        let mut socket = RouteSocket::open().unwrap();
        let mut address = AddressMessage::default();
        address.header.family = AddressFamily::Inet;
        address.header.prefix_len = 24;
        address.header.index = 4711;
        address.attributes.push(AddressAttribute::Local([10, 1, 0, 1].into()));
        let mut batch = Batch::new();
        batch.add_address(Label::new("add address", "10.1.0.1/24"), &address);
        let error = socket.run(batch).unwrap_err();
        let words = error.refused().and_then(|refused| refused.explanation.as_deref());
        assert!(words.is_some_and(|words| words.contains("Device not found")), "{error}");
    });
}

#[test]
fn more_requests_than_fit_into_one_send_are_all_answered() {
    in_fresh_namespace(|| {
        let mut socket = RouteSocket::open().unwrap();
        let made = create(&mut socket, 1);
        let mut batch = Batch::new();
        let tickets: Vec<_> = (0..500).map(|_| batch.find(LinkName::Index(made.index))).collect();
        let mut replies = socket.run(batch).unwrap();
        assert!(tickets.into_iter().all(|ticket| replies.take_link(ticket).is_some()));
    });
}

#[test]
fn a_list_of_which_the_rest_is_not_wanted_disturbs_no_later_request() {
    in_fresh_namespace(|| {
        let mut socket = RouteSocket::open().unwrap();
        (0..100).for_each(|number| drop(create(&mut socket, number)));
        for _ in 0..3 {
            assert_eq!(socket.find_first_link(None, |link| !link.is_loopback).unwrap().unwrap().index, 2);
            assert!(socket.find_link(LinkName::Name(&name("v42"))).unwrap().is_some());
        }
        assert_eq!(socket.links().unwrap().len(), 201);
        assert!(socket.find_first_link(None, |_| false).unwrap().is_none());
        assert!(socket.find_first_link(Some(1), |_| true).unwrap().is_none(), "nothing is a port of lo");
    });
}

#[test]
fn a_list_that_changes_while_it_is_read_is_read_again() {
    in_fresh_namespace(|| {
        let mut socket = RouteSocket::open().unwrap();
        (0..60).for_each(|number| drop(create(&mut socket, number)));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut other = RouteSocket::open().unwrap();
                (100..140).for_each(|number| drop(create(&mut other, number)));
            });
            for _ in 0..50 {
                assert!(socket.links().unwrap().len() >= 121);
            }
        });
    });
}

#[test]
fn addresses_and_routes_are_those_of_the_link_that_was_asked_about() {
    in_fresh_namespace(|| {
        let mut socket = RouteSocket::open().unwrap();
        let made = create(&mut socket, 1);
        assert_eq!(socket.addresses_of(1).unwrap(), []);
        let mut up = LinkMessage::default();
        up.header.index = 1;
        up.header.flags = LinkFlags::Up;
        up.header.change_mask = LinkFlags::Up;
        let mut batch = Batch::new();
        batch.set_link(Label::new("switch on", "lo"), &up);
        socket.run(batch).unwrap();
        let found: Vec<_> =
            socket.addresses_of(1).unwrap().iter().map(|found| found.network.to_string()).collect();
        assert_eq!(found, ["127.0.0.1/8", "::1/128"]);
        assert_eq!(socket.addresses_of(made.index).unwrap(), []);
        assert_eq!(socket.addresses().unwrap().len(), 2);
        assert_eq!(socket.routes_of(made.index).unwrap(), []);
        assert!(socket.routes(AddressFamily::Inet6).is_ok());
        assert!(socket.addresses_of(4711).unwrap_err().is_missing());
    });
}

#[test]
fn a_namespace_has_a_number_once_it_was_given_one() {
    in_fresh_namespace(|| {
        let mut socket = RouteSocket::open().unwrap();
        let other = std::thread::spawn(|| {
            unshare(CloneFlags::CLONE_NEWNET).unwrap();
            std::fs::File::open("/proc/thread-self/ns/net").unwrap()
        })
        .join()
        .unwrap();
        assert_eq!(socket.find_nsid(other.as_fd()).unwrap(), None);
        let nsid = socket.ensure_nsid(other.as_fd()).unwrap();
        assert_eq!(socket.ensure_nsid(other.as_fd()).unwrap(), nsid);
        assert_eq!(socket.find_link_in(nsid, LinkName::Index(1)).unwrap().unwrap().name, name("lo"));
        assert!(socket.find_link_in(nsid, LinkName::Name(&name("eth0"))).unwrap().is_none());
    });
}

#[test]
fn a_watch_hears_of_links_that_come_and_go() {
    in_fresh_namespace(|| {
        let mut watch = Watch::open(&[Group::Links]).unwrap();
        let mut socket = RouteSocket::open().unwrap();
        let label = Label::new("wait for link", "v1");
        let nothing = watch.wait_for(Duration::from_millis(5), &label, |_| Some(())).unwrap();
        assert_eq!(nothing, None);
        let made = create(&mut socket, 1);
        let is_v1 = |event| matches!(event, Event::Link(link) if link.name.as_str() == "v1").then_some(());
        assert!(watch.wait_for(Duration::from_secs(1), &label, is_v1).unwrap().is_some());
        socket.remove_links(&[made.index]).unwrap();
        let is_gone = |event| (event == Event::LinkGone(made.index)).then_some(());
        assert!(watch.wait_for(Duration::from_secs(1), &label, is_gone).unwrap().is_some());
    });
}

#[test]
fn many_links_go_in_one_request_and_missing_ones_do_not_matter() {
    in_fresh_namespace(|| {
        let mut socket = RouteSocket::open().unwrap();
        let mut victims: Vec<u32> = (0..40).map(|number| create(&mut socket, number).index).collect();
        create(&mut socket, 77);
        victims.push(4711);
        socket.remove_links(&victims).unwrap();
        assert_eq!(socket.links().unwrap().len(), 3, "lo and one pair");
        socket.remove_links(&victims).unwrap();
        socket.remove_links(&[4711]).unwrap();
        socket.remove_links(&[]).unwrap();
    });
}

#[test]
fn a_detached_removal_returns_when_the_name_is_free_again() {
    in_fresh_namespace(|| {
        let mut socket = RouteSocket::open().unwrap();
        for caller in [Caller::Exits, Caller::LivesOn] {
            let made = create(&mut socket, 1);
            remove_link_detached(made.index, &made.name, Vec::new(), caller).unwrap();
            let again = create(&mut socket, 1);
            socket.remove_links(&[again.index]).unwrap();
        }
        remove_link_detached(4711, &name("v1"), Vec::new(), Caller::LivesOn).unwrap();
    });
}

#[test]
fn a_detached_removal_that_the_kernel_refuses_says_so_at_once() {
    in_fresh_namespace(|| {
        let before = Instant::now();
        let error = remove_link_detached(1, &name("lo"), Vec::new(), Caller::LivesOn).unwrap_err();
        assert_eq!(
            error.to_string(),
            "remove link lo: Operation not supported on transport endpoint (EOPNOTSUPP)"
        );
        assert!(before.elapsed() < Duration::from_secs(1));
    });
}

#[test]
fn the_child_holds_what_it_is_given_and_nothing_else() {
    in_fresh_namespace(|| {
        let mut socket = RouteSocket::open().unwrap();
        let made = create(&mut socket, 1);
        let (mut kept, held) = std::io::pipe().unwrap();
        let (mut free, end) = std::io::pipe().unwrap();
        remove_link_detached(made.index, &made.name, vec![OwnedFd::from(held)], Caller::LivesOn).unwrap();
        // Whoever reads our output until its end must not wait for the child.
        drop(end);
        let before = Instant::now();
        std::io::Read::read_to_end(&mut free, &mut Vec::new()).unwrap();
        let free_after = before.elapsed();
        std::io::Read::read_to_end(&mut kept, &mut Vec::new()).unwrap();
        assert!(free_after <= before.elapsed());
        let (mut kept, held) = std::io::pipe().unwrap();
        hold_until_closed(vec![OwnedFd::from(held)], Caller::LivesOn);
        std::io::Read::read_to_end(&mut kept, &mut Vec::new()).unwrap();
        hold_until_closed(Vec::new(), Caller::LivesOn);
    });
}

#[test]
fn errors_can_be_told_apart() {
    in_fresh_namespace(|| {
        let mut socket = RouteSocket::open().unwrap();
        let error: Error = socket.expect_link(LinkName::Index(99)).unwrap_err();
        assert_eq!(error.errno(), Some(nix::errno::Errno::ENODEV));
        assert_eq!(error.to_string(), "find link number 99: No such device (ENODEV)");
    });
}
