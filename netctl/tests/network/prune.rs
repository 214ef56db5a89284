//! `netctl prune`

use lab::{Call, Outcome, tools};
use serde_json::json;

use crate::{Machine, NETCTL, Test, Wrong, netctl};

const QUESTION: &str = "This removes all networks that netctl made and nobody is on.\nGo on? [y/N] ";

impl Machine {
    /// The networks that are no built-in ones.
    fn left(&self) -> Result<String, Wrong> {
        let rows = self.json("ls -j -f type=custom")?;
        let names =
            rows.as_array().into_iter().flatten().filter_map(|row| row["Name"].as_str().map(str::to_owned));
        Ok(names.collect::<Vec<_>>().join(" "))
    }

    fn answering(&self, words: &str, answer: &str) -> Outcome {
        netctl(words).stdin(answer).run(&self.0)
    }
}

#[test]
fn networks_of_ours_that_nobody_is_on_go_and_their_names_are_printed() -> Test {
    let machine = Machine::with("unused", "blue")?;
    machine.has_others()?;
    for name in ["web", "db", "cache"] {
        machine.ok(&format!("create {name}"))?;
    }
    machine.ok("connect web blue")?;
    machine.ok("connect bridge blue")?;
    assert_eq!(machine.quietly("prune -f")?, "Deleted Networks:\ncache\ndb\n\n");
    assert_eq!(machine.left()?, "cbr0 k8s-pod-network lo nerd podman1 web");
    assert!(!machine.has_link("db") && machine.has_link("web") && machine.has_link("bridge"));
    assert_eq!(machine.quietly("prune --force")?, "");
    assert_eq!(machine.quietly("network prune -f -o json")?, "[]\n");
    machine.ok("disconnect web blue")?;
    assert_eq!(machine.json("prune -f -j")?, json!(["web"]));
    Ok(())
}

#[test]
fn nobody_is_removed_who_did_not_say_so() -> Test {
    let machine = Machine::new("asks")?;
    machine.ok("create web")?;
    for answer in ["", "n\n", "no\n", "\n", "yess\n", "N\ny\n", "x", " \n"] {
        let outcome = machine.answering("prune", answer);
        assert_eq!(
            (outcome.code(), outcome.stdout(), outcome.stderr()),
            (Some(0), "", QUESTION),
            "{answer:?}"
        );
        let outcome = machine.answering("prune -o json", answer);
        assert_eq!(
            (outcome.code(), outcome.stdout(), outcome.stderr()),
            (Some(0), "[]\n", QUESTION),
            "{answer:?}"
        );
    }
    assert_eq!(machine.left()?, "web");
    for answer in ["y\n", "Y\n", "yes\n", " y \n", "y"] {
        let outcome = machine.answering("prune", answer);
        assert_eq!(
            (outcome.stdout(), outcome.stderr()),
            ("Deleted Networks:\nweb\n\n", QUESTION),
            "{answer:?}"
        );
        machine.ok("create web")?;
    }
    let bytes = netctl("prune").stdin(*b"\xff\xfe\n").run(&machine.0);
    assert!(!bytes.stdout().contains("web"), "{bytes}");
    assert_eq!(machine.left()?, "web");
    Ok(())
}

#[test]
fn a_person_is_asked_on_the_terminal() -> Test {
    if tools::require("script").is_none() {
        return Ok(());
    }
    let machine = Machine::new("terminal")?;
    machine.ok("create web")?;
    let on_a_terminal = |answer: &str| {
        let call =
            Call::new(["script", "--quiet", "--command"]).arg(format!("{NETCTL} prune")).arg("/dev/null");
        call.stdin(answer).run(&machine.0)
    };
    let declined = on_a_terminal("n\n");
    assert!(
        declined.stdout().contains("Go on? [y/N] ") && !declined.stdout().contains("Deleted"),
        "{declined}"
    );
    let confirmed = on_a_terminal("y\n");
    assert!(confirmed.stdout().contains("Deleted Networks:"), "{confirmed}");
    assert_eq!(machine.left()?, "");
    Ok(())
}

#[test]
fn filters_say_which() -> Test {
    let machine = Machine::new("filters")?;
    for (filter, left) in [
        ("label=tier", "plain"),
        ("label=tier=web", "db plain"),
        ("label!=tier", "db web"),
        ("label!=tier=web", "web"),
        ("name=^web$", "db plain"),
        ("until=1h", "db plain web"),
        ("until=0s", ""),
        ("until=2001-01-01T00:00:00Z", "db plain web"),
        ("label=tier --filter label!=tier=db", "db plain"),
        ("driver=macvlan", "db plain web"),
        ("type=builtin", "db plain web"),
    ] {
        let there = machine.left()?;
        for words in ["web --label tier=web", "db --label tier=db", "plain"] {
            let name = words.split(' ').next().unwrap_or_default();
            if !there.split(' ').any(|there| there == name) {
                machine.ok(&format!("create {words}"))?;
            }
        }
        machine.ok(&format!("prune -f --filter {filter}"))?;
        assert_eq!(machine.left()?, left, "{filter}");
    }
    let said = "error: invalid value 'size=3' for '--filter <KEY=VALUE>': expected KEY=VALUE with one of the keys name, \
        id, driver, label, type, scope, dangling, until";
    machine.misunderstands("prune --filter size=3", said);
    Ok(())
}

#[test]
fn those_whose_namespace_is_gone_keep_no_network() -> Test {
    let machine = Machine::with("stale", "blue")?;
    machine.ok("create web")?;
    machine.ok("connect web blue -p 8080:80")?;
    assert_eq!(machine.quietly("prune -f")?, "");
    machine.sh("ip netns delete blue")?;
    assert_eq!(machine.quietly("prune -f")?, "Deleted Networks:\nweb\n\n");
    assert_eq!(machine.sh("ls /var/lib/cni/results; nft list table inet netctl | grep web || true")?, "");
    Ok(())
}

#[test]
fn one_that_cannot_be_removed_is_told_and_the_others_go() -> Test {
    let machine = Machine::with("fails", "blue")?;
    for name in ["web", "db"] {
        machine.ok(&format!("create {name}"))?;
    }
    machine.ok("connect db blue")?;
    machine.sh("ip netns delete blue; cd /var/lib/cni/networks; mv db kept; echo torn >db")?;
    let outcome = machine.netctl("prune -f");
    assert_eq!((outcome.code(), outcome.stdout()), (Some(1), "Deleted Networks:\nweb\n\n"), "{outcome}");
    assert!(outcome.stderr().contains("/var/lib/cni/networks/db"), "{outcome}");
    assert_eq!(machine.left()?, "db");
    Ok(())
}

#[test]
fn a_broken_file_is_no_network_of_ours() -> Test {
    let machine = Machine::new("broken")?;
    machine.sh("mkdir -p /etc/cni/net.d; echo torn >/etc/cni/net.d/netctl-torn.conflist")?;
    machine.ok("create web")?;
    machine.ok("prune -f")?;
    assert_eq!(machine.sh("ls /etc/cni/net.d")?, "netctl-torn.conflist\n");
    Ok(())
}
