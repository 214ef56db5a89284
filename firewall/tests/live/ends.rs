//! The end: what was made in iptables' tables goes with the last container, and only that.

use std::net::IpAddr;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::{self, Command};
use std::{env, fs, thread};

use crate::support::{feed, fresh, interface, network, nft, ruleset, run, subnets};
use firewall::{
    Ensured, Firewall, Ingress, IngressPolicy, IptablesForward, IptablesMasquerade, Removed, Standing,
};
use ipnetwork::IpNetwork;
use netns::Netns;
use vocab::{ContainerId, NetworkName};

const ADMIN: &str = "CNI-ADMIN";
const BOTH: [&str; 2] = ["10.22.0.2", "fd22::2"];

fn addresses(texts: &[&str]) -> Vec<IpAddr> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn ensure(texts: &[&str]) {
    ensure_behind(texts, ADMIN);
}

fn ensure_behind(texts: &[&str], admin_chain: &str) {
    let addresses = addresses(texts);
    let forward = IptablesForward { addresses: &addresses, admin_chain, ingress: None };
    assert_eq!(Firewall::new().ensure_iptables_forward(&forward).unwrap(), Ensured::Added);
}

fn remove(texts: &[&str]) {
    assert_eq!(Firewall::new().remove_iptables_forward(&addresses(texts)).unwrap(), Removed::Now);
}

/// A container comes and leaves.
fn visit() {
    ensure(&BOTH);
    remove(&BOTH);
}

fn end() -> Removed {
    Firewall::new().remove_unused_iptables_forward(ADMIN).unwrap()
}

/// A host with iptables.
fn host() -> Option<Netns> {
    lab::tools::require("iptables")?;
    fresh()
}

/// Nothing of the plugin's, but whatever there was before.
fn leaves(before: &str) {
    assert_eq!(end(), Removed::Now);
    assert_eq!(ruleset(), before);
    assert_eq!((end(), Firewall::new().remove_empty_tables().unwrap()), (Removed::Before, Removed::Before));
    assert_eq!(ruleset(), before);
}

#[test]
fn what_was_made_for_containers_goes_with_the_last_of_them() {
    let Some(host) = fresh() else { return };
    host.run(|| {
        assert_eq!(end(), Removed::Before);
        ensure(&["10.22.0.2", "fd22::2"]);
        ensure(&["10.22.0.3"]);
        remove(&BOTH);
        let of_another = ruleset();
        // IPv6 has nobody any more.
        assert_eq!(end(), Removed::Now);
        assert!(of_another.starts_with(&ruleset()) && !ruleset().contains("table ip6"), "{}", ruleset());
        assert_eq!(end(), Removed::Before);
        let mut firewall = Firewall::new();
        assert_eq!(firewall.remove_empty_tables().unwrap(), Removed::Before);
        remove(&["10.22.0.3"]);
        // The chains that containers share are the plugin's to take away.
        assert_eq!(firewall.remove_empty_tables().unwrap(), Removed::Before);
        leaves("");
        visit();
        leaves("");
    })
    .unwrap();
}

#[test]
fn a_rule_of_the_administrator_s_own_keeps_their_chain_and_the_way_to_it() {
    let Some(host) = host() else { return };
    host.run(|| {
        visit();
        run("iptables -A CNI-ADMIN -s 192.0.2.1 -j DROP");
        let kept = run("iptables-save").lines().filter(|line| line.starts_with("-A")).count();
        assert_eq!(end(), Removed::Now, "that of IPv6");
        assert_eq!((end(), run("ip6tables-save")), (Removed::Before, String::new()));
        let rules = run("iptables-save");
        assert_eq!((rules.lines().filter(|line| line.starts_with("-A")).count(), kept), (3, 3), "{rules}");
        // Also when it is in the chain of another network.
        ensure_behind(&["10.22.0.2"], "MINE");
        remove(&["10.22.0.2"]);
        assert_eq!(Firewall::new().remove_unused_iptables_forward("MINE").unwrap(), Removed::Before);
        run("iptables -F CNI-ADMIN");
        leaves("");
    })
    .unwrap();
}

#[test]
fn what_was_there_before_is_there_afterwards() {
    let drop = "iptables -A FORWARD -s 192.0.2.1 -j DROP";
    for (before, meanwhile) in [
        (vec![drop], None),
        (vec![drop, "iptables -D FORWARD 1"], None),
        (vec!["iptables -A INPUT -s 192.0.2.1 -j DROP"], None),
        (vec!["iptables -P FORWARD DROP", "ip6tables -P FORWARD DROP"], None),
        (vec!["iptables -N CNI-ADMIN"], None),
        (vec!["iptables -N MINE", "ip6tables -A OUTPUT -j ACCEPT"], None),
        (vec!["nft add table ip filter"], None),
        (vec![], Some(drop)),
        (vec![], Some("iptables -A INPUT -s 192.0.2.1 -j DROP")),
        (vec![], Some("ip6tables -P FORWARD DROP")),
        (vec![], Some("nft add set ip filter mine { type ipv4_addr ; }")),
        (vec![], Some("nft add counter ip6 filter mine")),
        (vec![], Some("nft add chain ip filter forward")),
    ] {
        let Some(host) = host() else { return };
        host.run(|| {
            for words in before {
                run(words);
            }
            let expected = ruleset();
            visit();
            let Some(meanwhile) = meanwhile else {
                assert_ne!(ruleset(), expected);
                return leaves(&expected);
            };
            run(meanwhile);
            assert_eq!(end(), Removed::Now, "{meanwhile}");
            let left = ruleset();
            assert!(!left.contains("CNI-"), "{left}");
            assert_eq!(left.matches("table ip").count(), 1, "{meanwhile}: {left}");
            let words = ["192.0.2.1", "policy drop", "mine", "chain forward"];
            assert!(words.iter().any(|word| left.contains(word)), "{meanwhile}: {left}");
            let is_needed = left.contains("policy drop") || meanwhile == drop;
            assert_eq!(left.contains("chain FORWARD"), is_needed, "{meanwhile}: {left}");
        })
        .unwrap();
    }
}

#[test]
fn what_others_lead_to_stays() {
    let Some(host) = host() else { return };
    host.run(|| {
        ensure(&["10.22.0.2"]);
        remove(&["10.22.0.2"]);
        for rule in
            ["FORWARD -i eth7 -j CNI-FORWARD", "INPUT -j CNI-FORWARD", "CNI-FORWARD -i eth7 -j CNI-ADMIN"]
        {
            run(&format!("iptables -A {rule}"));
            let before = ruleset();
            assert_eq!((end(), ruleset()), (Removed::Before, before), "{rule}");
            run(&format!("iptables -D {rule}"));
        }
        // By a map, which iptables does not see.
        nft("add chain ip filter theirs; add rule ip filter theirs tcp dport vmap { 1 : jump CNI-FORWARD }");
        let before = ruleset();
        assert_eq!((end(), ruleset()), (Removed::Before, before));
        nft("flush chain ip filter theirs; add rule ip filter theirs jump CNI-ADMIN");
        assert_eq!(end(), Removed::Now);
        let left = ruleset();
        assert!(left.contains("chain CNI-ADMIN") && !left.contains("FORWARD"), "{left}");
        nft("delete chain ip filter theirs");
        leaves("");
    })
    .unwrap();
}

#[test]
fn a_closed_bridge_keeps_what_it_needs() {
    let Some(host) = fresh() else { return };
    host.run(|| {
        let (bridge, of_one) = (interface("br0"), addresses(&["10.22.0.2"]));
        let ingress = Some(Ingress { bridge: &bridge, policy: IngressPolicy::Isolated });
        let forward = IptablesForward { addresses: &of_one, admin_chain: ADMIN, ingress };
        let mut firewall = Firewall::new();
        assert_eq!(firewall.ensure_iptables_forward(&forward).unwrap(), Ensured::Added);
        remove(&["10.22.0.2"]);
        assert_eq!(end(), Removed::Now);
        assert_eq!(firewall.list_iptables_ingress().unwrap(), [(bridge.clone(), IngressPolicy::Isolated)]);
        assert_eq!(firewall.remove_iptables_ingress(&bridge).unwrap(), Removed::Now);
        leaves("");
    })
    .unwrap();
}

#[test]
fn flushed_or_doubled_it_goes_all_the_same() {
    let Some(host) = host() else { return };
    host.run(|| {
        let double = "iptables -A FORWARD -m comment --comment twice -j CNI-FORWARD";
        for damage in ["iptables -F", "iptables -F FORWARD", "iptables -F CNI-FORWARD", double] {
            ensure(&["10.22.0.2"]);
            remove(&["10.22.0.2"]);
            run(damage);
            leaves("");
        }
        ensure(&["10.22.0.2"]);
        remove(&["10.22.0.2"]);
        for words in ["-F FORWARD", "-F CNI-FORWARD", "-X CNI-FORWARD"] {
            run(&format!("iptables {words}"));
        }
        leaves("");
    })
    .unwrap();
}

#[test]
fn a_ruleset_that_was_saved_and_restored_goes_like_the_reference_s() {
    let Some(host) = host() else { return };
    let Some(_) = lab::tools::require("iptables-restore") else { return };
    let restore = || {
        for program in ["iptables", "ip6tables"] {
            let saved = run(&format!("{program}-save"));
            feed(&format!("{program}-restore"), &saved);
        }
    };
    host.run(|| {
        ensure(&BOTH);
        restore();
        assert!(!ruleset().contains("made by netctl"), "{}", ruleset());
        let before = ruleset();
        assert_eq!((end(), ruleset()), (Removed::Before, before));
        remove(&BOTH);
        leaves("");
        // What the operator has beside it stays, and with it what iptables made of it.
        visit();
        run("iptables -A INPUT -s 192.0.2.1 -j DROP");
        restore();
        assert_eq!(end(), Removed::Now);
        let left = ruleset();
        assert!(left.contains("192.0.2.1") && left.contains("chain FORWARD"), "{left}");
        assert!(!left.contains("CNI-") && !left.contains("table ip6"), "{left}");
    })
    .unwrap();
}

/// The reference plugin for a container with one address.
fn reference(verb: &str, address: &str) {
    let configuration = format!(
        r#"{{"cniVersion":"1.0.0","name":"mynet","type":"firewall","backend":"iptables","prevResult":
            {{"cniVersion":"1.0.0","interfaces":[{{"name":"eth0","sandbox":"/x"}}],
            "ips":[{{"address":"{address}/24","interface":0}}]}}}}"#
    );
    let call = "CNI_CONTAINERID=abc CNI_IFNAME=eth0 CNI_NETNS=/proc/self/ns/net CNI_PATH=/usr/lib/cni";
    feed(&format!("env CNI_COMMAND={verb} {call} /usr/lib/cni/firewall"), &configuration);
}

#[test]
fn a_container_of_the_reference_keeps_everything_and_its_last_one_nothing() {
    let Some(_) = lab::tools::require("/usr/lib/cni/firewall") else { return };
    let Some(host) = host() else { return };
    host.run(|| {
        ensure(&["10.22.0.2"]);
        reference("ADD", "10.22.0.9");
        remove(&["10.22.0.2"]);
        let before = ruleset();
        assert_eq!((end(), ruleset()), (Removed::Before, before));
        reference("CHECK", "10.22.0.9");
        reference("DEL", "10.22.0.9");
        // It looked at the other family as well.
        assert_eq!(end(), Removed::Now);
        assert!(!ruleset().contains("CNI-") && !ruleset().contains("table ip filter"), "{}", ruleset());
        run("nft flush ruleset");
        // It makes everything anew, and then nothing of it is ours.
        reference("ADD", "10.22.0.9");
        reference("CHECK", "10.22.0.9");
        ensure(&["10.22.0.2"]);
        remove(&["10.22.0.2"]);
        assert_eq!(end(), Removed::Before);
        reference("DEL", "10.22.0.9");
        assert_eq!(end(), Removed::Now);
        assert!(!ruleset().contains("table ip filter"), "{}", ruleset());
    })
    .unwrap();
}

#[test]
fn who_comes_while_the_last_one_ends_it_lacks_nothing() {
    const THREADS: usize = 8;
    const ROUNDS: usize = 150;
    let Some(host) = fresh() else { return };
    thread::scope(|scope| {
        for number in 0..THREADS {
            let host = &host;
            scope.spawn(move || {
                host.run(|| {
                    let own = addresses(&[&format!("10.22.1.{number}"), &format!("fd22::{number}")]);
                    let forward = IptablesForward { addresses: &own, admin_chain: ADMIN, ingress: None };
                    let mut firewall = Firewall::new();
                    for _ in 0..ROUNDS {
                        assert_eq!(firewall.ensure_iptables_forward(&forward).unwrap(), Ensured::Added);
                        assert_eq!(firewall.find_iptables_forward(&forward).unwrap(), Standing::Whole);
                        assert_eq!(firewall.remove_iptables_forward(&own).unwrap(), Removed::Now);
                        firewall.remove_unused_iptables_forward(ADMIN).unwrap();
                        firewall.remove_empty_tables().unwrap();
                    }
                })
                .unwrap();
            });
        }
    });
    assert_eq!(host.run(ruleset).unwrap(), "");
}

/// A container that is masqueraded by iptables.
struct Masqueraded {
    network: NetworkName,
    id: ContainerId,
    addresses: Vec<IpNetwork>,
}

impl Masqueraded {
    fn new(id: &str, texts: &[&str]) -> Self {
        Self { network: network("mynet"), id: ContainerId::new(id).unwrap(), addresses: subnets(texts) }
    }

    fn wanted(&self) -> IptablesMasquerade<'_> {
        IptablesMasquerade { network: &self.network, container: &self.id, addresses: &self.addresses }
    }

    fn add(&self) {
        assert_eq!(Firewall::new().ensure_iptables_masquerade(&self.wanted()).unwrap(), Ensured::Added);
    }

    fn del(&self) {
        assert_eq!(Firewall::new().remove_iptables_masquerade(&self.wanted()).unwrap(), Removed::Now);
    }
}

#[test]
fn the_table_of_masquerade_goes_with_the_last_container_if_it_came_with_the_first() {
    let Some(host) = host() else { return };
    let Some(_) = lab::tools::require("iptables-restore") else { return };
    host.run(|| {
        let (web, db) = (
            Masqueraded::new("abc", &["10.22.0.2/24", "fd22::2/64"]),
            Masqueraded::new("def", &["10.22.0.3/24"]),
        );
        for before in ["nft flush ruleset", "iptables -t nat -P PREROUTING ACCEPT", "iptables -t nat -N MINE"]
        {
            run(before);
            let before = ruleset();
            web.add();
            db.add();
            web.del();
            assert!(!ruleset().contains("table ip6"), "{}", ruleset());
            assert!(run("iptables-save -t nat").contains("10.22.0.3/32"));
            db.del();
            assert_eq!(ruleset(), before);
        }
        run("nft flush ruleset");
        // All at once, by GC.
        web.add();
        db.add();
        let removed = Firewall::new().retain_iptables_masquerades(&network("mynet"), |_| false).unwrap();
        assert_eq!((removed, ruleset()), (3, String::new()));
    })
    .unwrap();
}

#[test]
fn containers_that_are_masqueraded_come_and_go_at_once_and_nothing_is_left() {
    const THREADS: usize = 4;
    const ROUNDS: usize = 12;
    let Some(host) = host() else { return };
    let Some(_) = lab::tools::require("iptables-restore") else { return };
    thread::scope(|scope| {
        for number in 0..THREADS {
            let host = &host;
            scope.spawn(move || {
                host.run(|| {
                    let own =
                        Masqueraded::new(&format!("c{number}"), &[&format!("10.22.0.{}/24", number + 2)]);
                    for _ in 0..ROUNDS {
                        own.add();
                        let found = Firewall::new().find_iptables_masquerade(&own.wanted()).unwrap();
                        assert_eq!(found, Standing::Whole);
                        own.del();
                    }
                })
                .unwrap();
            });
        }
    });
    assert_eq!(host.run(ruleset).unwrap(), "");
}

#[test]
fn a_chain_that_was_never_filled_is_collected() {
    let Some(host) = host() else { return };
    let Some(_) = lab::tools::require("iptables-restore") else { return };
    host.run(|| {
        let web = Masqueraded::new("abc", &["10.22.0.2/24"]);
        web.add();
        // As a kill leaves it between the kernel's work and the program's.
        run("iptables -t nat -F");
        let left = ruleset();
        assert!(left.contains("comment \"mynet/abc\"") && left.contains("made by netctl"), "{left}");
        // Whoever saves it by nft can read it back.
        run("nft flush ruleset");
        nft(&left);
        assert_eq!(ruleset(), left);
        let mut firewall = Firewall::new();
        let mut retain =
            |network: &NetworkName| firewall.retain_iptables_masquerades(network, |_| false).unwrap();
        assert_eq!(retain(&network("other")), 0);
        assert_eq!((retain(&network("mynet")), ruleset()), (1, String::new()));
    })
    .unwrap();
}

/// Set in a test that has a process of its own, because its PATH differs.
const ALONE: &str = "FIREWALL_TEST_ALONE";

#[test]
fn a_program_that_fails_leaves_nothing() {
    if env::var_os(ALONE).is_some() {
        let Some(host) = fresh() else { return };
        return host
            .run(|| {
                let web = Masqueraded::new("abc", &["10.22.0.2/24"]);
                let error = Firewall::new().ensure_iptables_masquerade(&web.wanted()).unwrap_err();
                assert!(error.to_string().contains("IPv4 masquerade of container abc"), "{error}");
                assert_eq!(ruleset(), "");
            })
            .unwrap();
    }
    let Some(_) = host() else { return };
    let folder = env::temp_dir().join(format!("firewall-fails-{}", process::id()));
    fs::create_dir_all(&folder).unwrap();
    let program: PathBuf = folder.join("xtables-nft-fails");
    fs::write(&program, "#!/bin/sh\necho no >&2\nexit 1\n").unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    symlink(&program, folder.join("iptables-restore")).unwrap();
    let path = format!("{}:{}", folder.display(), env::var("PATH").unwrap());
    let mut test = Command::new(env::current_exe().unwrap());
    test.args(["--exact", "ends::a_program_that_fails_leaves_nothing", "--nocapture"]);
    let output = test.env(ALONE, "1").env("PATH", path).output().unwrap();
    fs::remove_dir_all(&folder).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
