//! Masquerade with iptables, compared with the reference plugins where they are installed.

use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{self, Command};
use std::{env, fs};

use crate::support::{attachment, feed, fresh, network, nft, ruleset, run, subnets};
use firewall::{Ensured, Firewall, IptablesMasquerade, Removed, Standing};
use ipnetwork::IpNetwork;
use vocab::{ContainerId, NetworkName};

struct Container {
    network: NetworkName,
    id: ContainerId,
    addresses: Vec<IpNetwork>,
}

impl Container {
    fn new(id: &str, addresses: &[&str]) -> Self {
        Self { network: network("mynet"), id: ContainerId::new(id).unwrap(), addresses: subnets(addresses) }
    }

    fn masquerade(&self) -> IptablesMasquerade<'_> {
        IptablesMasquerade { network: &self.network, container: &self.id, addresses: &self.addresses }
    }
}

/// Both `nat` tables without what changes by itself.
pub(crate) fn saved() -> String {
    let both = run("iptables-save -t nat") + &run("ip6tables-save -t nat");
    both.lines().filter(|line| !line.starts_with('#')).map(|line| format!("{line}\n")).collect()
}

#[test]
fn adding_and_removing_leaves_no_rule() {
    let Some(host) = fresh() else { return };
    let Some(_) = lab::tools::require("iptables-restore") else { return };
    host.run(|| {
        let mut firewall = Firewall::new();
        let web = Container::new("abc", &["10.22.0.2/24", "fd22::2/64"]);
        let db = Container::new("def", &["10.22.0.3/24"]);
        assert_eq!(firewall.remove_iptables_masquerade(&web.masquerade()).unwrap(), Removed::Before);
        assert_eq!(ruleset(), "", "nothing is made by removing");
        assert_eq!(firewall.ensure_iptables_masquerade(&db.masquerade()).unwrap(), Ensured::Added);
        let before = saved();
        assert_eq!(firewall.ensure_iptables_masquerade(&web.masquerade()).unwrap(), Ensured::Added);
        let after = saved();
        assert_eq!(firewall.ensure_iptables_masquerade(&web.masquerade()).unwrap(), Ensured::AlreadyThere);
        assert_eq!(saved(), after);
        assert_eq!(firewall.find_iptables_masquerade(&web.masquerade()).unwrap(), Standing::Whole);
        assert_eq!(firewall.remove_iptables_masquerade(&web.masquerade()).unwrap(), Removed::Now);
        assert_eq!(firewall.remove_iptables_masquerade(&web.masquerade()).unwrap(), Removed::Before);
        assert_eq!(saved(), before);
        let Standing::Missing(missing) = firewall.find_iptables_masquerade(&web.masquerade()).unwrap() else {
            panic!("it was removed");
        };
        assert_eq!(missing.len(), 6);
    })
    .unwrap();
}

#[test]
fn whatever_is_left_of_a_chain_goes() {
    let Some(host) = fresh() else { return };
    let Some(_) = lab::tools::require("iptables-restore") else { return };
    host.run(|| {
        let mut firewall = Firewall::new();
        let web = Container::new("abc", &["10.22.0.2/24"]);
        let chain = "CNI-e88f49d94512ff752ebe6070";
        run("iptables -t nat -L");
        let empty = saved();
        for (damage, addresses) in [
            (format!("-F {chain}"), vec!["10.22.0.2/24"]),
            ("-F POSTROUTING".to_owned(), vec!["10.22.0.2/24"]),
            (String::new(), vec![]),
            (format!("-A POSTROUTING -s 10.22.0.99/32 -j {chain}"), vec![]),
        ] {
            assert_eq!(
                firewall.ensure_iptables_masquerade(&web.masquerade()).unwrap(),
                Ensured::Added,
                "{damage}"
            );
            feed("iptables-restore --noflush", &format!("*nat\n{damage}\nCOMMIT\n"));
            let left = Container::new("abc", &addresses);
            assert_eq!(
                firewall.remove_iptables_masquerade(&left.masquerade()).unwrap(),
                Removed::Now,
                "{damage}"
            );
            assert_eq!(saved(), empty, "{damage}");
        }
    })
    .unwrap();
}

#[test]
fn containers_that_a_network_no_longer_has_are_collected() {
    let Some(host) = fresh() else { return };
    let Some(_) = lab::tools::require("iptables-restore") else { return };
    host.run(|| {
        let mut firewall = Firewall::new();
        assert_eq!(firewall.retain_iptables_masquerades(&network("mynet"), |_| false).unwrap(), 0);
        let [kept, one, two] = [("abc", 2), ("def", 3), ("ghi", 4)].map(|(id, number)| {
            Container::new(id, &[&format!("10.22.0.{number}/24"), &format!("fd22::{number}/64")])
        });
        assert_eq!(firewall.ensure_iptables_masquerade(&kept.masquerade()).unwrap(), Ensured::Added);
        let before = saved();
        for gone in [&one, &two] {
            assert_eq!(firewall.ensure_iptables_masquerade(&gone.masquerade()).unwrap(), Ensured::Added);
        }
        assert_eq!(firewall.retain_iptables_masquerades(&network("other"), |_| false).unwrap(), 0);
        assert_eq!(firewall.retain_iptables_masquerades(&network("mynet"), |id| *id == kept.id).unwrap(), 4);
        assert_eq!(saved(), before);
    })
    .unwrap();
}

#[test]
fn a_container_s_second_interface_keeps_its_rules() {
    let Some(host) = fresh() else { return };
    let Some(_) = lab::tools::require("iptables-restore") else { return };
    host.run(|| {
        let mut firewall = Firewall::new();
        let [one, two] = ["10.22.0.2/24", "10.33.0.2/24"].map(|address| Container::new("abc", &[address]));
        for container in [&one, &two] {
            assert_eq!(firewall.ensure_iptables_masquerade(&container.masquerade()).unwrap(), Ensured::Added);
        }
        assert_eq!(firewall.remove_iptables_masquerade(&one.masquerade()).unwrap(), Removed::Now);
        assert_eq!(firewall.find_iptables_masquerade(&two.masquerade()).unwrap(), Standing::Whole);
        assert_eq!(firewall.remove_iptables_masquerade(&two.masquerade()).unwrap(), Removed::Now);
        assert!(!saved().contains("CNI-"));
    })
    .unwrap();
}

#[test]
fn the_old_iptables_is_served_by_its_own_programs() {
    let Some(restore) = lab::tools::require("iptables-legacy-restore") else { return };
    if !is_alone() {
        return alone_with_the_old(&restore, "iptables::the_old_iptables_is_served_by_its_own_programs");
    }
    let Some(host) = fresh() else { return };
    host.run(|| {
        let mut firewall = Firewall::new();
        let web = Container::new("abc", &["10.22.0.2/24", "fd22::2/64"]);
        assert_eq!(firewall.ensure_iptables_masquerade(&web.masquerade()).unwrap(), Ensured::Added);
        assert_eq!(firewall.ensure_iptables_masquerade(&web.masquerade()).unwrap(), Ensured::AlreadyThere);
        assert!(run("iptables-legacy-save -t nat").contains("CNI-"));
        assert_eq!(firewall.remove_iptables_masquerade(&web.masquerade()).unwrap(), Removed::Now);
        assert_eq!(firewall.remove_iptables_masquerade(&web.masquerade()).unwrap(), Removed::Before);
        assert!(!run("iptables-legacy-save -t nat").contains("CNI-"));
    })
    .unwrap();
}

#[test]
fn a_missing_program_is_named_with_its_package() {
    if !is_alone() {
        return alone("iptables::a_missing_program_is_named_with_its_package", "/nonexistent");
    }
    let Some(host) = fresh() else { return };
    host.run(|| {
        let mut firewall = Firewall::new();
        let web = Container::new("abc", &["10.22.0.2/24"]);
        assert_eq!(firewall.remove_iptables_masquerade(&web.masquerade()).unwrap(), Removed::Before);
        let error = firewall.ensure_iptables_masquerade(&web.masquerade()).unwrap_err();
        assert_eq!(error.to_string(), "add IPv4 masquerade of container abc in network mynet with iptables");
        let source = std::error::Error::source(&error).unwrap();
        assert_eq!(source.to_string(), "run iptables-restore: it is not installed");
        assert!(error.hint().unwrap().contains("package iptables"));
    })
    .unwrap();
}

/// Set in a test that has a process of its own, because its PATH differs.
const ALONE: &str = "FIREWALL_TEST_ALONE";

pub(crate) fn is_alone() -> bool {
    env::var_os(ALONE).is_some()
}

pub(crate) fn alone(test: &str, path: &str) {
    let mut child = Command::new(env::current_exe().unwrap());
    let output = child.args(["--exact", test]).env("PATH", path).env(ALONE, "1").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

/// Runs a test with a folder first in its PATH in which iptables is the old one, as Debian's alternatives would have it.
pub(crate) fn alone_with_the_old(restore: &Path, test: &str) {
    let folder = env::temp_dir().join(format!("firewall-legacy-{}-{}", process::id(), test.len()));
    fs::create_dir_all(&folder).unwrap();
    for name in ["iptables-save", "iptables-restore", "ip6tables-save", "ip6tables-restore"] {
        let target = restore.with_file_name(name.replace("tables-", "tables-legacy-"));
        symlink(target, folder.join(name)).unwrap();
    }
    alone(test, &format!("{}:{}", folder.display(), env::var("PATH").unwrap()));
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn what_the_reference_made_is_what_we_make_and_goes_with_our_removal() {
    // Not "bridge", which is also a program of iproute2.
    let Some(host_local) = lab::tools::require("/usr/lib/cni/host-local") else { return };
    let (Some(host), Some(container)) = (fresh(), fresh()) else { return };
    host.run(|| {
        run("ip link set lo up");
        let leases = env::temp_dir().join(format!("firewall-leases-{}", process::id()));
        let configuration = format!(
            r#"{{"cniVersion":"1.0.0","name":"mynet","type":"bridge","bridge":"cni0","isGateway":true,"ipMasq":true,
                "macspoofchk":true,"ipam":{{"type":"host-local","dataDir":"{}",
                "ranges":[[{{"subnet":"10.22.0.0/24"}}],[{{"subnet":"fd22::/64"}}]]}}}}"#,
            leases.display()
        );
        let namespace = format!("/proc/{}/fd/{}", process::id(), container.as_fd().as_raw_fd());
        let call = [
            "env".to_owned(),
            "CNI_COMMAND=ADD".to_owned(),
            "CNI_CONTAINERID=abc".to_owned(),
            "CNI_IFNAME=eth0".to_owned(),
            format!("CNI_NETNS={namespace}"),
            format!("CNI_PATH={}", host_local.parent().unwrap().display()),
            host_local.with_file_name("bridge").display().to_string(),
        ];
        feed(&call.join(" "), &configuration);
        let theirs = saved();
        assert!(run("nft list table bridge nat").contains("cni-br-iface-abc-eth0"));

        let mut firewall = Firewall::new();
        let web = Container::new("abc", &["10.22.0.2/24", "fd22::2/64"]);
        assert_eq!(firewall.find_iptables_masquerade(&web.masquerade()).unwrap(), Standing::Whole);
        assert_eq!(firewall.remove_iptables_masquerade(&web.masquerade()).unwrap(), Removed::Now);
        assert!(!saved().contains("CNI-"));
        assert_eq!(firewall.ensure_iptables_masquerade(&web.masquerade()).unwrap(), Ensured::Added);
        assert_eq!(saved(), theirs);

        let removed = firewall.remove_reference_rules(&network("mynet"), &attachment("abc")).unwrap();
        assert_eq!(removed, Removed::Now);
        assert!(!run("nft list table bridge nat").contains("abc"));
        let removed = firewall.remove_reference_rules(&network("mynet"), &attachment("abc")).unwrap();
        assert_eq!(removed, Removed::Before);
        fs::remove_dir_all(leases).unwrap();
    })
    .unwrap();
}

#[test]
fn the_reference_s_nftables_rules_of_this_attachment_go_and_no_others() {
    let Some(host) = fresh() else { return };
    host.run(|| {
        let rule = |ours: bool, address: &str| {
            let digest = if ours { "d23676b4f2d9fe04-e65086f8a75535c6" } else { "ddddddddddddddddd" };
            format!(
                "ip saddr {address} ip daddr != 10.22.0.0/24 masquerade \
                 comment \"{digest}, net: mynet, if: eth0, id: abc\"; "
            )
        };
        nft(&format!(
            "table inet cni_plugins_masquerade {{ chain masq_checks {{ {}{}{} }}; }}",
            rule(false, "10.22.0.8"),
            rule(true, "10.22.0.2"),
            rule(false, "10.22.0.9"),
        ));
        let mut firewall = Firewall::new();
        let removed = firewall.remove_reference_rules(&network("mynet"), &attachment("abc")).unwrap();
        assert_eq!(removed, Removed::Now);
        let left = ruleset();
        assert!(
            left.contains("10.22.0.8") && left.contains("10.22.0.9") && !left.contains("10.22.0.2"),
            "{left}"
        );
        let other = firewall.remove_reference_rules(&network("other"), &attachment("abc")).unwrap();
        assert_eq!(other, Removed::Before);
    })
    .unwrap();
}
