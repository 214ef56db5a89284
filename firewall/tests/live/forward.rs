//! The chain FORWARD of iptables, compared with what iptables and the reference plugin make there.

use std::net::IpAddr;
use std::os::unix::fs::symlink;
use std::process::{self, Command};
use std::sync::Barrier;
use std::{env, fs, thread};

use crate::support::{feed, fresh, interface, ruleset, run};
use firewall::{Ensured, Firewall, Ingress, IngressPolicy, IptablesForward, Removed, Standing};
use vocab::InterfaceName;

const ADMIN: &str = "CNI-ADMIN";

fn addresses(texts: &[&str]) -> Vec<IpAddr> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn forward(addresses: &[IpAddr]) -> IptablesForward<'_> {
    IptablesForward { addresses, admin_chain: ADMIN, ingress: None }
}

fn ensure(texts: &[&str]) -> Ensured {
    Firewall::new().ensure_iptables_forward(&forward(&addresses(texts))).unwrap()
}

fn find(texts: &[&str]) -> Standing {
    Firewall::new().find_iptables_forward(&forward(&addresses(texts))).unwrap()
}

fn remove(texts: &[&str]) -> Removed {
    Firewall::new().remove_iptables_forward(&addresses(texts)).unwrap()
}

/// Both `filter` tables without what changes by itself.
fn saved() -> String {
    let both = run("iptables-save -t filter") + &run("ip6tables-save -t filter");
    both.lines().filter(|line| !line.starts_with('#')).map(|line| format!("{line}\n")).collect()
}

/// The rules of a chain as `iptables -S` lists them.
fn rules(chain: &str) -> Vec<String> {
    let text = run(&format!("iptables -S {chain}"));
    text.lines().filter(|line| line.starts_with("-A")).map(str::to_owned).collect()
}

/// The reference plugin with two addresses, or with one and a policy.
fn reference(verb: &str, prev_result_addresses: &[&str], more: &str) -> String {
    let ips: Vec<_> = prev_result_addresses
        .iter()
        .map(|address| format!(r#"{{"address":"{address}","interface":2}}"#))
        .collect();
    let interfaces = r#"[{"name":"br0"},{"name":"veth1"},{"name":"eth0","sandbox":"/x"}]"#;
    let configuration = format!(
        r#"{{"cniVersion":"1.0.0","name":"mynet","type":"firewall","backend":"iptables"{more},"prevResult":
            {{"cniVersion":"1.0.0","interfaces":{interfaces},"ips":[{}]}}}}"#,
        ips.join(",")
    );
    let call = "CNI_CONTAINERID=abc CNI_IFNAME=eth0 CNI_NETNS=/proc/self/ns/net CNI_PATH=/usr/lib/cni";
    feed(&format!("env CNI_COMMAND={verb} {call} /usr/lib/cni/firewall"), &configuration);
    saved()
}

/// Without the rules that the reference does not have.
fn without_ours(saved: &str) -> String {
    saved.lines().filter(|line| !line.contains("--ctstate DNAT")).map(|line| format!("{line}\n")).collect()
}

#[test]
fn what_we_make_is_what_the_reference_makes_and_one_rule_more() {
    let Some(_) = lab::tools::require("/usr/lib/cni/firewall") else { return };
    let Some(_) = lab::tools::require("iptables-save") else { return };
    let (Some(theirs), Some(ours)) = (fresh(), fresh()) else { return };
    let theirs = theirs.run(|| reference("ADD", &["10.22.0.2/24", "fd22::2/64"], "")).unwrap();
    ours.run(|| {
        assert_eq!(ensure(&["10.22.0.2", "fd22::2"]), Ensured::Added);
        let ours = saved();
        assert_eq!(without_ours(&ours), theirs);
        for line in [
            "-A CNI-FORWARD -d 10.22.0.2/32 -m conntrack --ctstate DNAT -j ACCEPT",
            "-A CNI-FORWARD -d fd22::2/128",
        ] {
            assert!(ours.contains(line), "{line} is not in\n{ours}");
        }
        assert_eq!(find(&["10.22.0.2", "fd22::2"]), Standing::Whole);
        assert_eq!(ensure(&["10.22.0.2", "fd22::2"]), Ensured::AlreadyThere);
        assert_eq!(saved(), ours);
    })
    .unwrap();
}

#[test]
fn the_kernel_runs_just_what_iptables_makes_of_the_same_text() {
    let Some(_) = lab::tools::require("iptables-restore") else { return };
    let (Some(theirs), Some(ours)) = (fresh(), fresh()) else { return };
    let bridge = interface("br0");
    // Messages of the kernel as they are; handles count what was ever made, and differ.
    let raw = |place: &netns::Netns| {
        place
            .run(|| {
                let listing = run("nft --debug=netlink -nn list ruleset");
                let code = listing.lines().filter(|line| line.starts_with("  [")).map(str::to_owned);
                (code.collect::<Vec<_>>(), saved())
            })
            .unwrap()
    };
    ours.run(|| {
        let addresses = addresses(&["10.22.0.2", "fd22::2"]);
        let ingress = Ingress { bridge: &bridge, policy: IngressPolicy::Isolated };
        let wanted = IptablesForward { ingress: Some(ingress), ..forward(&addresses) };
        assert_eq!(Firewall::new().ensure_iptables_forward(&wanted).unwrap(), Ensured::Added);
    })
    .unwrap();
    let (our_code, text) = raw(&ours);
    theirs
        .run(|| {
            let (v4, v6) = text.split_once("COMMIT\n").unwrap();
            feed("iptables-restore", &format!("{v4}COMMIT\n"));
            feed("ip6tables-restore", v6);
        })
        .unwrap();
    let (their_code, their_text) = raw(&theirs);
    assert!(our_code.len() > 60, "{our_code:#?}");
    assert_eq!(their_text, text);
    let sorted = |mut code: Vec<String>| {
        code.sort();
        code
    };
    assert_eq!(sorted(their_code), sorted(our_code));
}

#[test]
fn iptables_finds_checks_and_deletes_our_rules_as_its_own() {
    let Some(_) = lab::tools::require("iptables") else { return };
    let Some(host) = fresh() else { return };
    host.run(|| {
        let _added = ensure(&["10.22.0.2", "10.22.0.3"]);
        for rule in rules("CNI-FORWARD").iter().filter(|rule| rule.contains("10.22.0.2")) {
            let rule = rule.strip_prefix("-A ").unwrap();
            run(&format!("iptables -C {rule}"));
            run(&format!("iptables -D {rule}"));
        }
        assert_eq!(rules("CNI-FORWARD").len(), 4);
        assert_eq!(remove(&["10.22.0.2"]), Removed::Before);
        let all = run("iptables-save");
        run("iptables -F");
        run("iptables -X");
        feed("iptables-restore", &all);
        assert_eq!(find(&["10.22.0.3"]), Standing::Whole);
        assert_eq!(remove(&["10.22.0.3"]), Removed::Now);
        assert_eq!(rules("CNI-FORWARD").len(), 1);
    })
    .unwrap();
}

#[test]
fn either_takes_away_what_the_other_made() {
    let Some(_) = lab::tools::require("/usr/lib/cni/firewall") else { return };
    let Some(host) = fresh() else { return };
    host.run(|| {
        let both = ["10.22.0.2/24", "fd22::2/64"];
        reference("ADD", &["10.22.0.9/24", "fd22::9/64"], "");
        let empty = saved();
        let theirs = reference("ADD", &both, "");
        assert_ne!(theirs, empty);
        assert_eq!(remove(&["10.22.0.2", "fd22::2"]), Removed::Now);
        assert_eq!(saved(), empty);
        let _added = ensure(&["10.22.0.2", "fd22::2"]);
        assert_eq!(without_ours(&reference("DEL", &both, "")), empty);
        // What it does not know goes with ours.
        assert_eq!(remove(&["10.22.0.2", "fd22::2"]), Removed::Now);
        assert_eq!(saved(), empty);
        // A rule of the reference is completed.
        reference("ADD", &both, "");
        assert_eq!(ensure(&["10.22.0.2", "fd22::2"]), Ensured::Added);
        assert_eq!(saved().matches("10.22.0.2/32").count(), 3);
    })
    .unwrap();
}

#[test]
fn the_reference_s_isolation_is_ours_and_goes_with_the_last_bridge() {
    let Some(_) = lab::tools::require("/usr/lib/cni/firewall") else { return };
    let (Some(theirs), Some(ours)) = (fresh(), fresh()) else { return };
    let theirs = theirs
        .run(|| reference("ADD", &["10.22.0.2/24", "fd22::2/64"], r#","ingressPolicy":"same-bridge""#))
        .unwrap();
    ours.run(|| {
        let addresses = addresses(&["10.22.0.2", "fd22::2"]);
        let mut firewall = Firewall::new();
        let mut ensure = |bridge: &InterfaceName, policy| {
            let ingress = Some(Ingress { bridge, policy });
            let wanted = IptablesForward { ingress, ..forward(&addresses) };
            let ensured = firewall.ensure_iptables_forward(&wanted).unwrap();
            assert_eq!(firewall.find_iptables_forward(&wanted).unwrap(), Standing::Whole);
            ensured
        };
        let (br0, br1) = (interface("br0"), interface("br1"));
        assert_eq!(ensure(&br0, IngressPolicy::SameBridge), Ensured::Added);
        assert_eq!(without_ours(&saved()), theirs);
        let theirs_forward: String = theirs
            .lines()
            .filter(|line| line.starts_with("-A FORWARD"))
            .take(2)
            .map(|line| format!("{line}\n"))
            .collect();
        assert_eq!(ensure(&br1, IngressPolicy::Isolated), Ensured::Added);
        assert_eq!(ensure(&br1, IngressPolicy::Isolated), Ensured::AlreadyThere);
        assert!(rules("CNI-ISOLATION-STAGE-1").last().unwrap().ends_with("-j RETURN"));
        let closed = Firewall::new().list_iptables_ingress().unwrap();
        assert_eq!(closed.len(), 2, "{closed:?}");
        for bridge in [(br0.clone(), IngressPolicy::SameBridge), (br1.clone(), IngressPolicy::Isolated)] {
            assert!(closed.contains(&bridge), "{closed:?}");
        }
        // The way of a network that does not close its bridge must not lead around the isolation.
        run("iptables -D FORWARD 2");
        let added = Firewall::new().ensure_iptables_forward(&forward(&addresses)).unwrap();
        assert_eq!((added, without_ours(&saved()).contains(&theirs_forward)), (Ensured::Added, true));
        let removed = |bridge| Firewall::new().remove_iptables_ingress(bridge).unwrap();
        assert_eq!(removed(&br1), Removed::Now);
        assert_eq!(without_ours(&saved()), theirs);
        assert_eq!(removed(&br1), Removed::Before);
        assert_eq!(removed(&br0), Removed::Now);
        assert!(!saved().contains("ISOLATION"), "{}", saved());
        assert_eq!(find(&["10.22.0.2", "fd22::2"]), Standing::Whole);
    })
    .unwrap();
}

#[test]
fn what_was_flushed_or_moved_is_named_and_put_back_without_touching_the_administrator_s() {
    let Some(_) = lab::tools::require("iptables") else { return };
    let Some(host) = fresh() else { return };
    host.run(|| {
        run("iptables -N CNI-ADMIN");
        run("iptables -A CNI-ADMIN -s 10.22.0.66 -j DROP");
        run("iptables -A FORWARD -s 192.0.2.0/24 -j ACCEPT");
        run("iptables -P FORWARD DROP");
        let _added = ensure(&["10.22.0.2"]);
        let whole = run("iptables -S");
        let admin =
            "-A CNI-FORWARD -m comment --comment \"CNI firewall plugin admin overrides\" -j CNI-ADMIN";
        for (damage, named) in [
            (vec!["-F CNI-FORWARD"], "10.22.0.2"),
            (vec!["-D FORWARD 1"], "-j CNI-FORWARD"),
            (vec!["-D FORWARD 1", "-F CNI-FORWARD", "-X CNI-FORWARD"], "the chain CNI-FORWARD"),
            (vec!["-D CNI-FORWARD -s 10.22.0.2 -j ACCEPT"], "-A CNI-FORWARD -s 10.22.0.2/32 -j ACCEPT"),
        ] {
            for words in damage {
                run(&format!("iptables {words}"));
            }
            let Standing::Missing(missing) = find(&["10.22.0.2"]) else { panic!("{named} is missing") };
            assert!(missing.iter().any(|text| text.contains(named)), "{named} is not in {missing:?}");
            assert_eq!(ensure(&["10.22.0.2"]), Ensured::Added);
            let lines = |text: &str| {
                let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
                lines.sort();
                lines
            };
            assert_eq!(lines(&run("iptables -S")), lines(&whole), "{named}");
            assert_eq!(find(&["10.22.0.2"]), Standing::Whole);
        }
        // The administrator's chain must come before what accepts.
        run("iptables -D CNI-FORWARD 1");
        feed("iptables-restore --noflush", &format!("*filter\n{admin}\nCOMMIT\n"));
        let Standing::Missing(missing) = find(&["10.22.0.2"]) else { panic!("the order is wrong") };
        assert!(missing[0].contains("in its place at the head"), "{missing:?}");
        assert_eq!(ensure(&["10.22.0.3"]), Ensured::Added);
        let after = rules("CNI-FORWARD");
        assert_eq!((after[0].as_str(), after.len()), (admin, 7));
        assert_eq!(rules("CNI-ADMIN"), ["-A CNI-ADMIN -s 10.22.0.66/32 -j DROP"]);
    })
    .unwrap();
}

#[test]
fn removing_from_nothing_makes_nothing() {
    let Some(host) = fresh() else { return };
    host.run(|| {
        assert_eq!(remove(&["10.22.0.2", "fd22::2"]), Removed::Before);
        assert_eq!(Firewall::new().remove_iptables_ingress(&interface("br0")).unwrap(), Removed::Before);
        assert!(!Firewall::new().has_iptables_forward().unwrap());
        assert_eq!(ruleset(), "");
        let _added = ensure(&["10.22.0.2"]);
        assert!(Firewall::new().has_iptables_forward().unwrap());
        assert!(!ruleset().contains("table ip6"), "an address family without addresses is not touched");
    })
    .unwrap();
}

#[test]
fn of_two_hundred_at_once_none_fails_and_no_rule_is_lost_or_doubled() {
    const CROWD: usize = 200;
    let Some(_) = lab::tools::require("iptables") else { return };
    let Some(host) = fresh() else { return };
    let barrier = Barrier::new(CROWD);
    let at_once = |work: &(dyn Fn(&str) + Sync)| {
        thread::scope(|scope| {
            for number in 0..CROWD {
                let (barrier, host) = (&barrier, &host);
                scope.spawn(move || {
                    host.visit(|| {
                        barrier.wait();
                        work(&format!("10.22.1.{number}"));
                    })
                    .unwrap();
                });
            }
        });
    };
    at_once(&|address| assert_eq!(ensure(&[address]), Ensured::Added));
    host.run(|| {
        assert_eq!(rules("FORWARD").len(), 1);
        assert_eq!(rules("CNI-FORWARD").len(), 1 + 3 * CROWD);
    })
    .unwrap();
    at_once(&|address| assert_eq!(remove(&[address]), Removed::Now));
    host.run(|| assert_eq!(rules("CNI-FORWARD").len(), 1)).unwrap();
}

/// Set in a test that has a process of its own, because its PATH differs.
const ALONE: &str = "FIREWALL_TEST_ALONE";

#[test]
fn the_old_iptables_is_served_by_its_own_programs() {
    let Some(restore) = lab::tools::require("iptables-legacy-restore") else { return };
    if env::var_os(ALONE).is_none() {
        // A folder in which iptables is the old one, as Debian's alternatives would have it.
        let folder = env::temp_dir().join(format!("firewall-forward-{}", process::id()));
        fs::create_dir_all(&folder).unwrap();
        for name in ["iptables-save", "iptables-restore", "ip6tables-save", "ip6tables-restore"] {
            let target = restore.with_file_name(name.replace("tables-", "tables-legacy-"));
            symlink(target, folder.join(name)).unwrap();
        }
        let path = format!("{}:{}", folder.display(), env::var("PATH").unwrap());
        let mut child = Command::new(env::current_exe().unwrap());
        let test = "forward::the_old_iptables_is_served_by_its_own_programs";
        let output = child.args(["--exact", test]).env("PATH", path).env(ALONE, "1").output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        return fs::remove_dir_all(&folder).unwrap();
    }
    let Some(host) = fresh() else { return };
    host.run(|| {
        // Looking at the tables is what makes the old iptables take its place in the kernel.
        let listed = Command::new("iptables-legacy").args(["-L", "-n"]).output().unwrap();
        let listed6 = Command::new("ip6tables-legacy").args(["-L", "-n"]).output().unwrap();
        if !listed.status.success() || !listed6.status.success() {
            return lab::tools::skip("this kernel has no old iptables");
        }
        let text = || run("iptables-legacy-save -t filter") + &run("ip6tables-legacy-save -t filter");
        let (bridge, both) = (interface("br0"), addresses(&["10.22.0.2", "fd22::2"]));
        let ingress = Some(Ingress { bridge: &bridge, policy: IngressPolicy::SameBridge });
        let wanted = IptablesForward { ingress, ..forward(&both) };
        let mut firewall = Firewall::new();
        assert!(firewall.has_iptables_forward().unwrap());
        assert_eq!(firewall.ensure_iptables_forward(&wanted).unwrap(), Ensured::Added);
        assert_eq!(firewall.ensure_iptables_forward(&wanted).unwrap(), Ensured::AlreadyThere);
        assert_eq!(firewall.find_iptables_forward(&wanted).unwrap(), Standing::Whole);
        assert_eq!(text().matches("10.22.0.2/32").count(), 3);
        assert_eq!(ruleset(), "", "nothing is put beside it");
        run("iptables-legacy -D FORWARD 1");
        run("iptables-legacy -A FORWARD -j CNI-ISOLATION-STAGE-1");
        let Standing::Missing(missing) = firewall.find_iptables_forward(&wanted).unwrap() else {
            panic!("the order is wrong")
        };
        assert_eq!(missing.len(), 1);
        assert_eq!(firewall.ensure_iptables_forward(&wanted).unwrap(), Ensured::Added);
        run("iptables-legacy -D FORWARD 2");
        assert_eq!(firewall.ensure_iptables_forward(&forward(&both)).unwrap(), Ensured::Added);
        assert_eq!(firewall.find_iptables_forward(&wanted).unwrap(), Standing::Whole);
        run("iptables-legacy -F CNI-FORWARD");
        assert_eq!(firewall.ensure_iptables_forward(&wanted).unwrap(), Ensured::Added);
        assert_eq!(firewall.find_iptables_forward(&wanted).unwrap(), Standing::Whole);
        let closed = firewall.list_iptables_ingress().unwrap();
        assert_eq!(closed, [(bridge.clone(), IngressPolicy::SameBridge)]);
        assert_eq!(firewall.remove_iptables_ingress(&bridge).unwrap(), Removed::Now);
        assert!(!text().contains("ISOLATION"));
        assert_eq!(firewall.remove_iptables_forward(&both).unwrap(), Removed::Now);
        assert_eq!(firewall.remove_iptables_forward(&both).unwrap(), Removed::Before);
        assert!(!text().contains("10.22.0.2"));
        // Its tables stay as long as its module does, so what is empty in them may as well.
        let before = text();
        assert_eq!(firewall.remove_unused_iptables_forward(ADMIN).unwrap(), Removed::Before);
        assert_eq!((text(), before.contains("CNI-ADMIN")), (before.clone(), true));
    })
    .unwrap();
}
