//! Ports published by iptables: what ADD, DEL, CHECK and GC leave in the `nat` table.

mod claims;
mod crowd;
mod reference;

use std::error::Error as _;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::{env, fs, process};

use firewall::iptables::publish::{ChainName, Conditions, Mark, MarkBit};
use firewall::{Ensured, Firewall, IptablesOptions, IptablesPublication, Removed, Standing};
use ipnetwork::IpNetwork;
use vocab::{ContainerId, NetworkName, PortMapping, Publish};

use crate::iptables::{alone, alone_with_the_old, is_alone, saved};
use crate::support::{feed, fresh, network, ruleset, run, subnets};

/// The chain of `container("abc")`.
const CHAIN: &str = "CNI-DN-e88f49d94512ff752ebe6";

/// A container whose ports are published.
pub(crate) struct Container {
    pub(crate) network: NetworkName,
    pub(crate) id: ContainerId,
    pub(crate) addresses: Vec<IpNetwork>,
    pub(crate) mappings: Vec<PortMapping>,
    pub(crate) options: IptablesOptions,
}

/// A container of network `mynet` with these ports, in Docker's words.
pub(crate) fn container(id: &str, ports: &[&str]) -> Container {
    let settled = |text: &&str| text.parse::<Publish>().unwrap().settled().unwrap();
    Container {
        network: network("mynet"),
        id: ContainerId::new(id).unwrap(),
        addresses: subnets(&["10.22.0.5/24", "fd22::5/64"]),
        mappings: ports.iter().flat_map(settled).collect(),
        options: IptablesOptions::default(),
    }
}

impl Container {
    pub(crate) fn publication(&self) -> IptablesPublication<'_> {
        let Self { network, id, addresses, mappings, options } = self;
        IptablesPublication { network, container: id, addresses, mappings, options }
    }

    pub(crate) fn publish(&self) -> Ensured {
        Firewall::new().publish_by_iptables(&self.publication()).unwrap()
    }

    pub(crate) fn remove(&self) -> Removed {
        Firewall::new().remove_iptables_publication(&self.network, &self.id).unwrap()
    }

    pub(crate) fn find(&self) -> Standing {
        Firewall::new().find_iptables_publication(&self.publication()).unwrap()
    }
}

pub(crate) fn conditions(words: &[&str]) -> Conditions {
    Conditions::new(words.iter().map(|word| (*word).to_owned()).collect()).unwrap()
}

pub(crate) fn mark_chain(name: &str) -> Mark {
    Mark::Chain(ChainName::new(name).unwrap())
}

/// How often a line is in both tables.
pub(crate) fn count(part: &str) -> usize {
    saved().lines().filter(|line| line.contains(part)).count()
}

#[test]
fn publishing_twice_changes_nothing_and_removing_leaves_nothing() {
    let Some(host) = fresh() else { return };
    let Some(_) = lab::tools::require("iptables-restore") else { return };
    host.run(|| {
        let (web, dns) =
            (container("abc", &["8080:80"]), container("def", &["53:53/udp", "127.0.0.1:54:53"]));
        assert_eq!(web.remove(), Removed::Before);
        assert_eq!(ruleset(), "", "nothing is made by removing");
        assert_eq!(web.publish(), Ensured::Added);
        let one = saved();
        assert_eq!(web.publish(), Ensured::AlreadyThere);
        assert_eq!(saved(), one);
        assert_eq!((web.find(), dns.publish()), (Standing::Whole, Ensured::Added));
        assert_eq!((web.find(), dns.find()), (Standing::Whole, Standing::Whole));
        assert_eq!((dns.remove(), dns.remove()), (Removed::Now, Removed::Before));
        assert_eq!(saved(), one);
        assert_eq!(web.remove(), Removed::Now);
        assert_eq!(ruleset(), "", "the table came with the first of them");
        for before in ["-P POSTROUTING ACCEPT", "-N MINE", "-A OUTPUT -d 192.0.2.1 -j RETURN"] {
            run("nft flush ruleset");
            run(&format!("iptables -t nat {before}"));
            let before = ruleset();
            assert_eq!((web.publish(), web.remove()), (Ensured::Added, Removed::Now));
            assert_eq!(ruleset(), before);
        }
    })
    .unwrap();
}

#[test]
fn what_a_container_publishes_now_replaces_what_it_published() {
    let Some(host) = fresh() else { return };
    let Some(_) = lab::tools::require("iptables-restore") else { return };
    host.run(|| {
        let [before, after] = [["8080:80"], ["9090:90"]].map(|ports| container("abc", &ports));
        assert_eq!(after.publish(), Ensured::Added);
        let expected = saved();
        assert_eq!(before.publish(), Ensured::Added);
        assert_eq!(count("9090"), 0);
        assert_eq!(after.publish(), Ensured::Added);
        assert_eq!(saved(), expected);
    })
    .unwrap();
}

#[test]
fn conditions_reach_iptables_word_by_word() {
    let Some(host) = fresh() else { return };
    let Some(_) = lab::tools::require("iptables-restore") else { return };
    host.run(|| {
        let mut web = container("abc", &["8080:80"]);
        web.options.conditions_v4 =
            conditions(&["!", "-d", "192.0.2.0/24", "-m", "comment", "--comment", "a \"b\" \\"]);
        assert_eq!(web.publish(), Ensured::Added);
        assert_eq!(count(r#" ! -d 192.0.2.0/24 -p tcp"#), 1, "{}", saved());
        assert_eq!(count(r#"-m comment --comment "a \"b\" \\" -j"#), 1, "{}", saved());
        assert_eq!(web.find(), Standing::Whole);
        let before = saved();
        assert_eq!((web.publish(), saved()), (Ensured::Added, before));

        let mut other = container("abc", &["8080:80"]);
        other.options.conditions_v4 = conditions(&["!", "-d", "198.51.100.0/24"]);
        let Standing::Missing(missing) = other.find() else { panic!("other conditions are there") };
        assert!(missing.len() == 1 && missing[0].contains("198.51.100.0/24"), "{missing:?}");
        assert_eq!(web.remove(), Removed::Now);
        assert_eq!(count("CNI-"), 0);
    })
    .unwrap();
}

#[test]
fn what_iptables_refuses_leaves_nothing_and_is_told() {
    let Some(host) = fresh() else { return };
    let Some(_) = lab::tools::require("iptables-restore") else { return };
    host.run(|| {
        run("iptables -t nat -S");
        let before = saved();
        let mut web = container("abc", &["8080:80"]);
        for words in [&["--no-such-option"][..], &["-j", "ACCEPT"], &["-A", "INPUT"], &["-t", "filter"]] {
            web.options.conditions_v4 = conditions(words);
            let error = Firewall::new().publish_by_iptables(&web.publication()).unwrap_err();
            assert_eq!(
                error.to_string(),
                "publish IPv4 ports of container abc in network mynet with iptables"
            );
            assert!(error.source().unwrap().to_string().starts_with("run iptables-restore: "), "{words:?}");
            assert_eq!(saved(), before, "{words:?}");
        }
        web.options = IptablesOptions { mark: mark_chain("KUBE-MARK-MASQ"), ..IptablesOptions::default() };
        let error = Firewall::new().publish_by_iptables(&web.publication()).unwrap_err();
        assert!(error.hint().unwrap().contains("iptables -t nat -S KUBE-MARK-MASQ"));
        assert_eq!(saved(), before);
    })
    .unwrap();
}

#[test]
fn a_flushed_table_is_noticed_and_put_back() {
    let Some(host) = fresh() else { return };
    let Some(_) = lab::tools::require("iptables-restore") else { return };
    host.run(|| {
        let web = container("abc", &["8080:80", "53:53/udp"]);
        assert_eq!(web.publish(), Ensured::Added);
        let expected = saved();
        for damage in [
            "-F",
            "-F PREROUTING",
            "-F OUTPUT",
            "-F POSTROUTING",
            "-F CNI-HOSTPORT-DNAT",
            "-F CNI-HOSTPORT-MASQ",
            "-F CNI-HOSTPORT-SETMARK",
            &format!("-F {CHAIN}"),
            &format!("-D {CHAIN} 2"),
        ] {
            for program in ["iptables", "ip6tables"] {
                run(&format!("{program} -t nat {damage}"));
            }
            assert!(matches!(web.find(), Standing::Missing(_)), "{damage}");
            assert_eq!(web.publish(), Ensured::Added, "{damage}");
            assert_eq!(saved(), expected, "{damage}");
            assert_eq!(web.find(), Standing::Whole, "{damage}");
        }
        run("iptables -t nat -F");
        assert_eq!(web.remove(), Removed::Now);
        assert_eq!(count("CNI-"), 0);
        let Standing::Missing(missing) = web.find() else { panic!("it was removed") };
        assert_eq!(missing.len(), 9 + 6 + 5 + 4, "{missing:#?}");
    })
    .unwrap();
}

#[test]
fn a_jump_that_is_there_twice_is_there_once_after_the_next_add() {
    let Some(host) = fresh() else { return };
    let Some(_) = lab::tools::require("iptables-restore") else { return };
    host.run(|| {
        let (web, dns) = (container("abc", &["8080:80"]), container("def", &["53:53/udp"]));
        assert_eq!((web.publish(), dns.publish()), (Ensured::Added, Ensured::Added));
        let expected = saved();
        assert_eq!(dns.remove(), Removed::Now);
        // As two of the reference's processes make them that look at the same moment.
        run("iptables -t nat -A OUTPUT -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT");
        let jump =
            "POSTROUTING -m comment --comment \"CNI portfwd requiring masquerade\" -j CNI-HOSTPORT-MASQ";
        feed("iptables-restore --noflush", &format!("*nat\n-I {jump}\n-I {jump}\nCOMMIT\n"));
        run("iptables -t nat -N MINE");
        run("iptables -t nat -A MINE -s 192.0.2.1 -j CNI-HOSTPORT-DNAT");
        assert_eq!(dns.publish(), Ensured::Added);
        assert_eq!(count("-A MINE -s 192.0.2.1/32 -j CNI-HOSTPORT-DNAT"), 1, "an operator's own rule stays");
        run("iptables -t nat -F MINE");
        run("iptables -t nat -X MINE");
        assert_eq!(saved(), expected);
    })
    .unwrap();
}

#[test]
fn what_others_still_need_stays_with_the_last_container_s_removal() {
    let Some(host) = fresh() else { return };
    let Some(_) = lab::tools::require("iptables-restore") else { return };
    host.run(|| {
        let web = container("abc", &["8080:80"]);
        assert_eq!(web.publish(), Ensured::Added);
        run("iptables -t nat -N MINE");
        run("iptables -t nat -A MINE -s 192.0.2.1 -j CNI-HOSTPORT-SETMARK");
        run(&format!("iptables -t nat -A MINE -s 192.0.2.2 -j {CHAIN}"));
        assert_eq!(web.remove(), Removed::Now);
        assert_eq!(count(CHAIN), 0, "{}", saved());
        assert_eq!(run("ip6tables-save -t nat").matches("CNI-").count(), 0);
        assert_eq!(count("-A CNI-HOSTPORT-MASQ -m mark --mark 0x2000/0x2000 -j MASQUERADE"), 1);
    })
    .unwrap();
}

#[test]
fn who_is_about_to_publish_keeps_what_the_last_one_would_take_along() {
    let Some(host) = fresh() else { return };
    let Some(_) = lab::tools::require("iptables-restore") else { return };
    host.run(|| {
        let web = container("abc", &["8080:80"]);
        assert_eq!(web.publish(), Ensured::Added);
        run("iptables -t nat -N CNI-DN-another");
        assert_eq!(web.remove(), Removed::Now);
        assert_eq!((count("-A CNI-"), count("-j CNI-")), (2, 3), "{}", saved());
        assert_eq!(run("ip6tables-save -t nat").matches("CNI-").count(), 0);
    })
    .unwrap();
}

#[test]
fn chains_of_old_versions_of_the_reference_go_too() {
    let Some(host) = fresh() else { return };
    let Some(_) = lab::tools::require("iptables-restore") else { return };
    host.run(|| {
        let [ours, other] = ["CNI-SN-e88f49d94512ff752ebe6", "CNI-SN-000000000000000000000"];
        let lines = format!(
            "*nat\n:CNI-HOSTPORT-SNAT - [0:0]\n:{ours} - [0:0]\n:{other} - [0:0]\n-A {ours} -j MASQUERADE\n\
             -A CNI-HOSTPORT-SNAT -s 10.22.0.5 -j {ours}\n-A CNI-HOSTPORT-SNAT -s 10.22.0.6 -j {other}\nCOMMIT\n"
        );
        feed("iptables-restore --noflush", &lines);
        assert_eq!(container("abc", &[]).remove(), Removed::Now);
        assert_eq!((count(ours), count(other)), (0, 2));
    })
    .unwrap();
}

#[test]
fn containers_that_a_network_no_longer_has_are_collected() {
    let Some(host) = fresh() else { return };
    let Some(_) = lab::tools::require("iptables-restore") else { return };
    host.run(|| {
        let mut firewall = Firewall::new();
        let mynet = network("mynet");
        assert_eq!(firewall.retain_iptables_publications(&mynet, |_| false).unwrap(), 0);
        assert_eq!(ruleset(), "");
        let [kept, one, two] = [("abc", "80:80"), ("def", "81:80"), ("ghi", "82:80/udp")]
            .map(|(id, port)| container(id, &[port]));
        assert_eq!(kept.publish(), Ensured::Added);
        let before = saved();
        assert_eq!((one.publish(), two.publish()), (Ensured::Added, Ensured::Added));
        assert_eq!(firewall.retain_iptables_publications(&network("other"), |_| false).unwrap(), 0);
        assert_eq!(firewall.retain_iptables_publications(&mynet, |id| *id == kept.id).unwrap(), 4);
        assert_eq!(saved(), before);
        run("iptables -t nat -A CNI-HOSTPORT-DNAT -m comment --comment dnat -j CNI-HOSTPORT-SETMARK");
        assert_eq!(firewall.retain_iptables_publications(&mynet, |_| false).unwrap(), 2);
        assert_eq!(count("--comment dnat"), 1, "what proves no owner is nobody's");
    })
    .unwrap();
}

#[test]
fn the_old_iptables_publishes_by_its_own_programs() {
    let Some(restore) = lab::tools::require("iptables-legacy-restore") else { return };
    if !is_alone() {
        return alone_with_the_old(&restore, "publish::the_old_iptables_publishes_by_its_own_programs");
    }
    let Some(host) = fresh() else { return };
    host.run(|| {
        let (mut web, dns) = (container("abc", &["8080:80"]), container("def", &["53:53/udp"]));
        web.options.conditions_v4 = conditions(&["!", "-d", "192.0.2.0/24"]);
        assert_eq!((web.publish(), dns.publish()), (Ensured::Added, Ensured::Added));
        assert_eq!(dns.publish(), Ensured::AlreadyThere);
        assert_eq!((web.find(), dns.find()), (Standing::Whole, Standing::Whole));
        let expected = saved();
        assert!(run("iptables-legacy-save -t nat").contains(CHAIN));
        assert_eq!(ruleset(), "");
        run("iptables-legacy -t nat -F");
        assert!(matches!(dns.find(), Standing::Missing(_)));
        assert_eq!((web.publish(), dns.publish()), (Ensured::Added, Ensured::Added));
        assert_eq!(saved(), expected);
        let claim = Firewall::new().find_iptables_claim(&web.mappings[0], Some(&dns.id)).unwrap().unwrap();
        assert_eq!(claim.owner.unwrap().container, web.id);
        assert_eq!((web.remove(), web.remove()), (Removed::Now, Removed::Before));
        assert_eq!(Firewall::new().retain_iptables_publications(&dns.network, |_| false).unwrap(), 2);
        assert_eq!(count("CNI-"), 0);
    })
    .unwrap();
}

#[test]
fn tables_of_the_old_iptables_do_not_mislead_the_new_one() {
    let Some(host) = fresh() else { return };
    let Some(_) = lab::tools::require("iptables-legacy-restore") else { return };
    host.run(|| {
        run("iptables-legacy -t nat -S");
        let web = container("abc", &["8080:80"]);
        assert_eq!((web.publish(), web.find()), (Ensured::Added, Standing::Whole));
        assert_eq!((web.publish(), count(CHAIN)), (Ensured::AlreadyThere, 9));
        assert!(!run("iptables-legacy-save -t nat").contains("CNI-"));
        assert_eq!((web.remove(), count("CNI-")), (Removed::Now, 0));
    })
    .unwrap();
}

#[test]
fn a_wrapper_of_iptables_is_asked_what_it_is() {
    if !is_alone() {
        let Some(restore) = lab::tools::require("iptables-restore") else { return };
        let folder = env::temp_dir().join(format!("firewall-wrapper-{}", process::id()));
        fs::create_dir_all(&folder).unwrap();
        for name in ["iptables-restore", "ip6tables-restore", "iptables-save", "ip6tables-save"] {
            let program = folder.join(name);
            let real = restore.with_file_name(name);
            // Who takes it for the old kind asks the program that lists rules, and fails.
            let line = if name.ends_with("save") {
                "exit 1".to_owned()
            } else {
                format!("exec {} \"$@\"", real.display())
            };
            fs::write(&program, format!("#!/bin/sh\n{line}\n")).unwrap();
            fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
        }
        let path = format!("{}:{}", folder.display(), env::var("PATH").unwrap());
        alone("publish::a_wrapper_of_iptables_is_asked_what_it_is", &path);
        return fs::remove_dir_all(&folder).unwrap();
    }
    let Some(host) = fresh() else { return };
    host.run(|| {
        let web = container("abc", &["8080:80"]);
        assert_eq!(web.publish(), Ensured::Added);
        assert!(ruleset().contains(CHAIN));
        assert_eq!(web.remove(), Removed::Now);
        assert!(!ruleset().contains("CNI-"));
    })
    .unwrap();
}

#[test]
fn only_adding_needs_a_program() {
    if !is_alone() {
        let Some(host) = fresh() else { return };
        let Some(_) = lab::tools::require("iptables-restore") else { return };
        return host
            .run(|| {
                assert_eq!(container("abc", &["8080:80"]).publish(), Ensured::Added);
                alone("publish::only_adding_needs_a_program", "/nonexistent");
                assert_eq!(count("CNI-"), 0);
            })
            .unwrap();
    }
    let (web, other) = (container("abc", &["8080:80"]), container("def", &[]));
    let mut firewall = Firewall::new();
    let claim = firewall.find_iptables_claim(&web.mappings[0], Some(&other.id)).unwrap().unwrap();
    assert_eq!(claim.owner.unwrap().to_string(), "container abc in network mynet");
    assert_eq!(firewall.retain_iptables_publications(&web.network, |_| true).unwrap(), 0);
    assert_eq!((web.remove(), web.remove()), (Removed::Now, Removed::Before));
    let error = firewall.publish_by_iptables(&web.publication()).unwrap_err();
    assert_eq!(error.source().unwrap().to_string(), "run iptables-restore: it is not installed");
    assert!(error.hint().unwrap().contains("package iptables"));
}

#[test]
fn thousands_of_ports_are_published_and_taken_back() {
    let Some(host) = fresh() else { return };
    let Some(_) = lab::tools::require("iptables-restore") else { return };
    host.run(|| {
        let web = container("abc", &["10000-10999:10000-10999", "10000-10999:10000-10999/udp"]);
        assert_eq!(web.publish(), Ensured::Added);
        assert_eq!((web.find(), web.publish()), (Standing::Whole, Ensured::AlreadyThere));
        let other = container("def", &["10999:1/udp", "11000:1"]);
        let claims = Firewall::new().find_iptables_claims(&other.mappings, Some(&other.id)).unwrap();
        assert_eq!(claims.iter().map(|claim| claim.mapping).collect::<Vec<_>>(), other.mappings[..1]);
        assert_eq!(web.remove(), Removed::Now);
        assert_eq!(count("CNI-"), 0);
    })
    .unwrap();
}

#[test]
fn marks_of_several_networks_stand_side_by_side() {
    let Some(host) = fresh() else { return };
    let Some(_) = lab::tools::require("iptables-restore") else { return };
    host.run(|| {
        let [mut one, mut two] =
            [("abc", "80:80"), ("def", "81:80")].map(|(id, port)| container(id, &[port]));
        for (container, bit) in [(&mut one, 5), (&mut two, 31)] {
            container.options.mark = Mark::Bit(MarkBit::try_from(bit).unwrap());
            assert_eq!(container.publish(), Ensured::Added);
        }
        assert_eq!((one.find(), two.find()), (Standing::Whole, Standing::Whole));
        assert_eq!((one.publish(), two.publish()), (Ensured::AlreadyThere, Ensured::AlreadyThere));
        assert_eq!((count("--mark 0x20/0x20"), count("--set-xmark 0x80000000/0x80000000")), (2, 2));
        assert_eq!(count("-A POSTROUTING"), 2);
    })
    .unwrap();
}
