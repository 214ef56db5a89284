//! Containers that come and leave at the same moment: what closes their bridge neither stays nor goes too early.

use crate::scene::{WITHIN, notes};
use lab::Place;
use serde_json::{Value, json};
use std::thread;
use tests::config::{BRIDGE, dual, with};
use tests::facts::{ports, ruleset};
use tests::{Chain, Container, Stage, Test};

const BACKENDS: [(&str, &str); 3] =
    [("iptables", "same-bridge"), ("nftables", "same-bridge"), ("nftables", "isolated")];

fn configs(backend: &str, policy: &str) -> [Value; 2] {
    let firewall = json!({"type": "firewall", "backend": backend, "ingressPolicy": policy});
    let network = json!({"cniVersion": "1.1.0", "name": "net"});
    [with(dual(), json!({"ipMasq": true})), with(network, firewall)]
}

/// Whether anything closes the bridge.
fn is_closed(stage: &Stage) -> Result<bool, Box<dyn std::error::Error>> {
    let text = ruleset(stage.host())?;
    let by_iptables = text.contains("CNI-ISOLATION-STAGE");
    let mut sets = text.lines().filter(|line| line.contains(&format!("\"{BRIDGE}\"")));
    Ok(by_iptables || sets.any(|line| line.contains("comment \"net\"") && !line.contains("ip")))
}

fn run<'a>(
    chains: impl Iterator<Item = &'a Chain<'a>>,
    verb: impl Fn(&Chain<'_>) -> Result<(), String> + Sync,
) -> Vec<Result<(), String>> {
    thread::scope(|scope| {
        let verb = &verb;
        let calls: Vec<_> = chains.map(|chain| scope.spawn(move || verb(chain))).collect();
        calls.into_iter().map(|call| call.join().unwrap_or_else(|_| Err("it panicked".to_owned()))).collect()
    })
}

fn all(done: Vec<Result<(), String>>) -> Test {
    Ok(done.into_iter().collect::<Result<(), _>>()?)
}

fn add(chain: &Chain<'_>) -> Result<(), String> {
    chain.add().map(drop).map_err(|error| error.to_string())
}

fn del(chain: &Chain<'_>) -> Result<(), String> {
    chain.del_blindly().map_err(|error| error.to_string())
}

#[test]
fn of_all_that_leave_at_once_the_last_opens_the_bridge() -> Test {
    for (backend, policy) in BACKENDS {
        let stage = Stage::new("leave")?;
        let containers = stage.containers("c", 8)?;
        let configs = configs(backend, policy);
        let chains: Vec<_> = containers.iter().map(|of| Chain::new(&stage, &configs, of)).collect();
        for round in 0..6 {
            // In pairs, and all of them.
            let count = if round % 2 == 0 { 2 } else { 8 };
            all(run(chains.iter().take(count), add))?;
            assert!(is_closed(&stage)?, "{backend} {policy}: {}", ruleset(stage.host())?);
            all(run(chains.iter().take(count), del))?;
            assert!(!is_closed(&stage)?, "{backend} {policy}: {}", ruleset(stage.host())?);
            assert_eq!(notes(&stage)?, "");
        }
    }
    Ok(())
}

#[test]
fn who_comes_beside_the_last_that_leaves_keeps_the_bridge_closed() -> Test {
    for (backend, policy) in BACKENDS {
        let stage = Stage::new("beside")?;
        let [one, two] = ["one", "two"].map(|name| stage.container(name));
        let containers: [Container; 2] = [one?, two?];
        let configs = configs(backend, policy);
        let chains: Vec<_> = containers.iter().map(|of| Chain::new(&stage, &configs, of)).collect();
        let mut last = chains[0].add()?;
        for round in 0..12 {
            let (leaves, comes) = (&chains[round % 2], &chains[(round + 1) % 2]);
            let (left, came) = thread::scope(|scope| {
                let leaves = scope.spawn(|| leaves.del(Some(&last)).map_err(|error| error.to_string()));
                let comes = scope.spawn(|| comes.add().map_err(|error| error.to_string()));
                (leaves.join(), comes.join())
            });
            left.map_err(|_| "DEL panicked")??;
            last = came.map_err(|_| "ADD panicked")??;
            comes.check(&last)?;
            assert!(is_closed(&stage)?, "{backend} {policy}: {}", ruleset(stage.host())?);
        }
        chains[0].del(Some(&last))?;
        assert!(!is_closed(&stage)?, "{backend} {policy}: {}", ruleset(stage.host())?);
    }
    Ok(())
}

#[test]
fn the_last_that_leaves_opens_nothing_while_somebody_comes() -> Test {
    for (backend, policy) in BACKENDS {
        let stage = Stage::new("coming")?;
        let container = stage.container("web")?;
        let [_, firewall] = configs(backend, policy);
        let chain = Chain::new(&stage, &[dual(), firewall.clone()], &container);
        let result = chain.add()?;
        // As an ADD holds it from before its note until its verb is done.
        let hold = "exec 9>>/run/netctl/bridge/br0:ingress; flock -s 9; echo held; exec cat";
        let coming = stage.host().background(["sh", "-c", hold])?;
        coming.wait_for("held", WITHIN)?;
        chain.call(1, &result).del().done()?;
        assert!(is_closed(&stage)?, "{backend} {policy}: {}", ruleset(stage.host())?);
        assert_eq!(notes(&stage)?, "");
        drop(coming);
        // Whoever comes and fails takes it away. Here that is nobody, so it is left to the end of the network.
        chain.del(Some(&result))?;
        stage.call("firewall", &firewall).gc(&[]).done()?;
        assert!(!is_closed(&stage)?, "{backend} {policy}: {}", ruleset(stage.host())?);
    }
    Ok(())
}

#[test]
fn of_a_crowd_that_comes_and_goes_nothing_is_left() -> Test {
    for (backend, policy) in BACKENDS {
        let stage = Stage::new("churn")?;
        let containers = stage.containers("c", 6)?;
        let configs = configs(backend, policy);
        let chains: Vec<_> = containers.iter().map(|of| Chain::new(&stage, &configs, of)).collect();
        let rounds = |chain: &Chain<'_>| -> Result<(), String> {
            for _ in 0..8 {
                let result = chain.add().map_err(|error| error.to_string())?;
                // Nobody has taken from under it what it needs.
                chain.check(&result).map_err(|error| error.to_string())?;
                chain.del(Some(&result)).map_err(|error| error.to_string())?;
            }
            Ok(())
        };
        all(run(chains.iter(), rounds))?;
        assert!(!is_closed(&stage)?, "{backend} {policy}: {}", ruleset(stage.host())?);
        assert_eq!(notes(&stage)?, "");
        assert_eq!(ports(stage.host(), BRIDGE)?, Vec::<String>::new());
        stage.host().sh("test -z \"$(ls /var/lib/cni/networks/net | grep '^[0-9a-f].*[.:]')\"").ok()?;
    }
    Ok(())
}
