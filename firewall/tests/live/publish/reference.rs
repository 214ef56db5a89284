//! The reference plugin beside us: the same rules, and either removes what the other made.

use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::symlink;
use std::{env, fs, process};

use firewall::iptables::publish::{Mark, MarkBit};
use firewall::{Ensured, IptablesOptions, Removed, Standing};
use netns::Netns;

use super::{Container, conditions, container, count, mark_chain, saved};
use crate::support::{feed, fresh, ruleset, run};

const PORTMAP: &str = "/usr/lib/cni/portmap";

/// Has the reference plugin check the ports of a container without IPv6 address. It looks for the same rules in
/// both families wherever it finds both programs, and so never succeeds unless `ip6tables` is out of its sight.
fn check(container: &Container, namespace: &Netns) {
    let folder = env::temp_dir().join(format!("firewall-iptables-{}", process::id()));
    fs::create_dir_all(&folder).unwrap();
    symlink(lab::tools::find("iptables").unwrap(), folder.join("iptables")).unwrap();
    call(&format!("CHECK PATH={}", folder.display()), container, "", namespace);
    fs::remove_dir_all(folder).unwrap();
}

/// Calls the reference plugin for a container. Variables may follow the verb; `keys` are those of the configuration
/// that the container's options stand for.
fn call(verb: &str, container: &Container, keys: &str, namespace: &Netns) {
    let mappings = container.mappings.iter().map(|mapping| {
        let address = mapping.host_address.to_string();
        let address = address.trim_matches(['[', ']']);
        format!(
            r#"{{"hostPort":{},"containerPort":{},"protocol":"{}","hostIP":"{address}"}}"#,
            mapping.host_port, mapping.container_port, mapping.protocol
        )
    });
    let addresses =
        container.addresses.iter().map(|address| format!(r#"{{"address":"{address}","interface":0}}"#));
    let [mappings, addresses] =
        [mappings.collect::<Vec<_>>(), addresses.collect()].map(|list| list.join(","));
    let configuration = format!(
        r#"{{"cniVersion":"1.0.0","name":"{}","type":"portmap",{keys}"runtimeConfig":{{"portMappings":[{mappings}]}},
            "prevResult":{{"cniVersion":"1.0.0","interfaces":[{{"name":"eth0","sandbox":"/x"}}],"ips":[{addresses}]}}}}"#,
        container.network
    );
    let namespace = format!("/proc/{}/fd/{}", process::id(), namespace.as_fd().as_raw_fd());
    let words = format!(
        "env CNI_COMMAND={verb} CNI_CONTAINERID={} CNI_IFNAME=eth0 CNI_NETNS={namespace} CNI_PATH=/usr/lib/cni {PORTMAP}",
        container.id
    );
    feed(&words, &configuration);
}

/// What `work` leaves in a fresh host's tables that already have rules of others.
fn left_by(work: impl FnOnce() + Send) -> Option<String> {
    let host = fresh()?;
    let left = host.run(|| {
        run("ip link set lo up");
        for program in ["iptables", "ip6tables"] {
            run(&format!("{program} -t nat -N KUBE-MARK-MASQ"));
            for chain in ["PREROUTING", "OUTPUT", "POSTROUTING"] {
                run(&format!("{program} -t nat -A {chain} -p icmp -j ACCEPT"));
            }
        }
        work();
        saved()
    });
    Some(left.unwrap())
}

fn options(change: impl FnOnce(&mut IptablesOptions)) -> IptablesOptions {
    let mut options = IptablesOptions::default();
    change(&mut options);
    options
}

/// Ports, options, and the same options in the words of the configuration.
fn table() -> Vec<(Vec<&'static str>, IptablesOptions, &'static str)> {
    let bit = |number| Mark::Bit(MarkBit::try_from(number).unwrap());
    let everywhere = vec!["8080:80", "8081:81/udp", "8082:82/sctp", "8080:80/udp"];
    vec![
        (everywhere.clone(), IptablesOptions::default(), ""),
        (everywhere.clone(), options(|options| options.snat = false), r#""snat":false,"#),
        (everywhere.clone(), options(|options| options.mark = bit(0)), r#""markMasqBit":0,"#),
        (everywhere.clone(), options(|options| options.mark = bit(31)), r#""markMasqBit":31,"#),
        (
            everywhere.clone(),
            options(|options| options.mark = mark_chain("KUBE-MARK-MASQ")),
            r#""externalSetMarkChain":"KUBE-MARK-MASQ","#,
        ),
        (
            everywhere,
            options(|options| {
                options.conditions_v4 =
                    conditions(&["!", "-d", "192.0.2.0/24", "-m", "comment", "--comment", "it's \"so\""]);
                options.conditions_v6 = conditions(&["!", "-i", "eth9", "-s", "fd99::/64"]);
            }),
            r#""conditionsV4":["!","-d","192.0.2.0/24","-m","comment","--comment","it's \"so\""],"conditionsV6":["!","-i","eth9","-s","fd99::/64"],"#,
        ),
        // At most 15 ports a rule, in the order in which they were given.
        (vec!["7010-7030:7010-7030", "7000:80", "7001-7017:1-17/udp"], IptablesOptions::default(), ""),
        // Every kind of host address, and one port at several of them.
        (
            vec![
                "127.0.0.1:80:80",
                "192.0.2.1:80:80",
                "[::1]:80:80",
                "0.0.0.0:81:80",
                "[::]:82:80",
                "[fd99::1]:83:83/udp",
            ],
            IptablesOptions::default(),
            "",
        ),
        (vec!["[::1]:80:80"], IptablesOptions::default(), ""),
        (vec!["80:80", "80:80"], IptablesOptions::default(), ""),
    ]
}

#[test]
fn our_rules_are_the_reference_s() {
    let Some(_) = lab::tools::require(PORTMAP) else { return };
    let Some(namespace) = fresh() else { return };
    for addresses in [&["10.22.0.5/24", "fd22::5/64"][..], &["10.22.0.5/32"], &["fd22::5/64"]] {
        for (ports, options, keys) in table() {
            let mut web = container("abc", &ports);
            web.addresses = crate::support::subnets(addresses);
            web.options = options;
            let theirs = left_by(|| call("ADD", &web, keys, &namespace)).unwrap();
            let ours = left_by(|| {
                assert_eq!(web.publish(), Ensured::Added);
                assert_eq!(web.find(), Standing::Whole, "{ports:?} {keys}");
            });
            assert_eq!(ours.unwrap(), theirs, "{ports:?} {keys}");
        }
    }
}

#[test]
fn a_host_that_never_ran_iptables_gets_the_same_from_both() {
    let Some(_) = lab::tools::require(PORTMAP) else { return };
    let (Some(theirs), Some(ours), Some(namespace)) = (fresh(), fresh(), fresh()) else { return };
    let web = container("abc", &["80:80", "[::1]:81:81/udp"]);
    // Chains are listed in the order in which they were made, and nothing is counted on a host without links. What we
    // made says so.
    let sorted = || {
        let text = ruleset();
        let lines = text.lines().filter(|line| line.trim() != "comment \"made by netctl\"");
        let mut lines: Vec<_> = lines.map(str::to_owned).collect();
        lines.sort_unstable();
        lines
    };
    let theirs = theirs.run(|| {
        call("ADD", &web, "", &namespace);
        sorted()
    });
    let ours = ours.run(|| {
        assert_eq!(web.publish(), Ensured::Added);
        sorted()
    });
    assert_eq!(ours.unwrap(), theirs.unwrap());
}

#[test]
fn several_containers_share_as_with_the_reference() {
    let Some(_) = lab::tools::require(PORTMAP) else { return };
    let Some(namespace) = fresh() else { return };
    let bit = |number| options(|options| options.mark = Mark::Bit(MarkBit::try_from(number).unwrap()));
    let long = "n".repeat(250);
    let containers = [
        (container("abc", &["80:80"]), ""),
        (container(&long, &["81:80"]), r#""snat":false,"#),
        (container("ghi", &["82:80"]), r#""markMasqBit":5,"#),
    ];
    let [mut first, mut second, mut third] = containers;
    second.0.options.snat = false;
    third.0.options = bit(5);
    first.0.network = crate::support::network("other.net_1");
    let all = [first, second, third];
    let theirs = left_by(|| all.iter().for_each(|(one, keys)| call("ADD", one, keys, &namespace))).unwrap();
    let ours = left_by(|| all.iter().for_each(|(one, _)| assert_eq!(one.publish(), Ensured::Added))).unwrap();
    assert_eq!(ours, theirs);
}

#[test]
fn what_the_reference_made_stands_and_goes_with_our_removal() {
    let Some(_) = lab::tools::require(PORTMAP) else { return };
    let Some(namespace) = fresh() else { return };
    for (ports, options, keys) in table() {
        let mut web = container("abc", &ports);
        web.options = options;
        let before = left_by(|| ()).unwrap();
        let after = left_by(|| {
            call("ADD", &web, keys, &namespace);
            assert_eq!(web.find(), Standing::Whole, "{ports:?} {keys}");
            assert_eq!((web.remove(), web.remove()), (Removed::Now, Removed::Before), "{ports:?} {keys}");
        });
        assert_eq!(after.unwrap(), before, "{ports:?} {keys}");
    }
}

#[test]
fn what_we_made_goes_with_the_reference_s_removal() {
    let Some(_) = lab::tools::require(PORTMAP) else { return };
    let Some(namespace) = fresh() else { return };
    let (web, mut dns) =
        (container("abc", &["80:80"]), container("def", &["53:53/udp", "127.0.0.1:54:53/udp"]));
    dns.addresses.truncate(1);
    let theirs = left_by(|| {
        call("ADD", &web, "", &namespace);
    });
    let ours = left_by(|| {
        assert_eq!((web.publish(), dns.publish()), (Ensured::Added, Ensured::Added));
        check(&dns, &namespace);
        call("DEL", &dns, "", &namespace);
        assert_eq!((web.find(), count("def")), (Standing::Whole, 0));
    });
    assert_eq!(ours, theirs);
}

#[test]
fn a_port_of_the_reference_s_is_claimed() {
    let Some(_) = lab::tools::require(PORTMAP) else { return };
    let (Some(host), Some(namespace)) = (fresh(), fresh()) else { return };
    host.run(|| {
        run("ip link set lo up");
        let (web, new) = (container("abc", &["80:80"]), container("new", &["80:8080", "81:80"]));
        call("ADD", &web, "", &namespace);
        let claims = firewall::Firewall::new().find_iptables_claims(&new.mappings, Some(&new.id)).unwrap();
        assert_eq!(claims.len(), 1);
        assert_eq!(claims[0].owner.as_ref().unwrap().container, web.id);
    })
    .unwrap();
}
