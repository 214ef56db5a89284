//! Many at once: what all containers share is there exactly once, and nobody's rules get lost.

use std::thread;

use firewall::{Ensured, Removed, Standing};
use netns::Netns;

use super::{Container, container, count, saved};
use crate::iptables::{alone_with_the_old, is_alone};
use crate::support::{fresh, ruleset, run};

const CROWD: usize = 30;

fn crowd() -> Vec<Container> {
    (0..CROWD).map(|number| container(&format!("c{number}"), &[&format!("{}:80", 9000 + number)])).collect()
}

/// Does something with all of them, each on a thread of its own in the host.
fn all_at_once(host: &Netns, containers: &[Container], work: impl Fn(&Container) + Sync) {
    let work = &work;
    thread::scope(|scope| {
        let threads: Vec<_> = containers
            .iter()
            .map(|container| scope.spawn(move || host.run(|| work(container)).unwrap()))
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
}

fn assert_shared_once() {
    // In each of both families.
    for line in [
        "-A PREROUTING -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT",
        "-A OUTPUT -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT",
        "-A POSTROUTING -m comment --comment \"CNI portfwd requiring masquerade\" -j CNI-HOSTPORT-MASQ",
        "-A CNI-HOSTPORT-MASQ",
        "-A CNI-HOSTPORT-SETMARK",
    ] {
        assert_eq!(count(line), 2, "{line}: {}", saved());
    }
}

#[test]
fn a_crowd_that_comes_shares_its_chains_and_leaves_nothing_when_it_goes() {
    let Some(host) = fresh() else { return };
    let Some(_) = lab::tools::require("iptables-restore") else { return };
    let crowd = crowd();
    all_at_once(&host, &crowd, |container| assert_eq!(container.publish(), Ensured::Added));
    host.run(|| {
        assert_shared_once();
        for container in &crowd {
            assert_eq!(container.find(), Standing::Whole, "{}", container.id);
        }
        assert_eq!(count("-A CNI-HOSTPORT-DNAT"), 2 * CROWD);
    })
    .unwrap();
    all_at_once(&host, &crowd, |container| assert_eq!(container.remove(), Removed::Now));
    assert_eq!(host.run(ruleset).unwrap(), "");
}

#[test]
fn a_crowd_shares_its_chains_with_the_old_iptables_too() {
    let Some(restore) = lab::tools::require("iptables-legacy-restore") else { return };
    if !is_alone() {
        let test = "publish::crowd::a_crowd_shares_its_chains_with_the_old_iptables_too";
        return alone_with_the_old(&restore, test);
    }
    let Some(host) = fresh() else { return };
    let crowd = crowd();
    // Nobody looks into the old tables without having been told that they are there.
    host.run(|| assert_eq!(container("abc", &["8080:80"]).publish(), Ensured::Added)).unwrap();
    all_at_once(&host, &crowd, |container| assert_eq!(container.publish(), Ensured::Added));
    host.run(|| {
        assert_shared_once();
        assert_eq!(count("-A CNI-HOSTPORT-DNAT"), 2 * CROWD + 2);
        run("iptables-legacy -t nat -F");
        run("ip6tables-legacy -t nat -F");
    })
    .unwrap();
    all_at_once(&host, &crowd, |container| assert_eq!(container.publish(), Ensured::Added));
    host.run(assert_shared_once).unwrap();
    all_at_once(&host, &crowd, |container| assert_eq!(container.remove(), Removed::Now));
    host.run(|| {
        assert_eq!(container("abc", &[]).remove(), Removed::Now);
        assert_eq!(count("CNI-"), 0, "{}", saved());
    })
    .unwrap();
}

#[test]
fn a_crowd_that_comes_after_a_flush_puts_back_everything_once() {
    let Some(host) = fresh() else { return };
    let Some(_) = lab::tools::require("iptables-restore") else { return };
    let crowd = crowd();
    host.run(|| {
        assert_eq!(container("abc", &["8080:80"]).publish(), Ensured::Added);
        run("iptables -t nat -F");
        run("ip6tables -t nat -F");
    })
    .unwrap();
    all_at_once(&host, &crowd, |container| assert_eq!(container.publish(), Ensured::Added));
    host.run(|| {
        assert_shared_once();
        assert_eq!(count("-A CNI-HOSTPORT-DNAT"), 2 * CROWD);
    })
    .unwrap();
}

#[test]
fn those_who_come_and_those_who_go_do_not_disturb_each_other() {
    let Some(host) = fresh() else { return };
    let Some(_) = lab::tools::require("iptables-restore") else { return };
    // Few enough that the last one often goes when another comes.
    let crowd = &crowd()[..4];
    all_at_once(&host, crowd, |container| {
        for _ in 0..10 {
            assert_eq!(container.publish(), Ensured::Added);
            assert_eq!(container.find(), Standing::Whole, "{}", container.id);
            assert_eq!(container.remove(), Removed::Now);
        }
    });
    host.run(|| assert_eq!(count("CNI-"), 0, "{}", saved())).unwrap();
}
