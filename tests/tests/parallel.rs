//! Many at once: containers of one network, of several, and the first ones of a host.

use lab::Place;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::thread;
use tests::config::{BRIDGE, dual, with};
use tests::facts::{pings, plain, ports, ruleset};
use tests::{Allowed, Answer, Before, Call, Container, Stage, Test};

const MANY: usize = 50;

/// Five networks with a bridge each.
fn networks() -> Vec<Value> {
    let network = |number: usize| {
        let ipam = json!({
            "type": "host-local",
            "ranges": [[{"subnet": format!("10.{number}.0.0/24")}], [{"subnet": format!("fd00:{number}::/64")}]],
        });
        let keys = json!({"name": format!("n{number}"), "bridge": format!("br{number}"), "ipam": ipam});
        with(with(dual(), json!({"ipMasq": true, "macspoofchk": true})), keys)
    };
    (1..=5).map(network).collect()
}

/// The same verb for all of them at once.
fn at_once(calls: &[Call<'_>], verb: &str) -> Vec<Answer> {
    thread::scope(|scope| {
        let calls: Vec<_> = calls.iter().map(|call| scope.spawn(move || call.run(verb))).collect();
        calls.into_iter().filter_map(|call| call.join().ok()).collect()
    })
}

/// All ADDs, all different; all talk; all DELs; nothing left.
fn live(networks: &[Value], count: usize) -> Test {
    let stage = Stage::new("many")?;
    let containers = stage.containers("c", count)?;
    let before = Before::of(&stage)?;
    let calls = calls(&stage, networks, &containers);
    let results: Vec<_> = at_once(&calls, "ADD").iter().map(Answer::result).collect::<Result<_, _>>()?;
    assert_eq!(results.len(), count);
    let mut seen = BTreeSet::new();
    for (container, result) in containers.iter().zip(&results) {
        for ip in result["ips"].as_array().into_iter().flatten() {
            assert!(seen.insert(plain(&ip["address"])), "{} is there twice", ip["address"]);
        }
        assert!(seen.insert(plain(&result["interfaces"][1]["name"])), "{result}");
        assert!(pings(container, &plain(&result["ips"][0]["gateway"])), "{result}");
        assert!(pings(container, &plain(&result["ips"][1]["gateway"])), "{result}");
    }
    for network in networks {
        let bridge = plain(&network["bridge"]);
        assert_eq!(ports(stage.host(), &bridge)?.len(), count / networks.len(), "{bridge}");
    }
    let checked: Vec<_> =
        calls.iter().zip(&results).map(|(call, result)| call.clone().after(result)).collect();
    at_once(&checked, "CHECK").iter().try_for_each(Answer::done)?;
    at_once(&checked, "DEL").iter().try_for_each(Answer::done)?;
    for network in networks {
        stage.call("bridge", network).gc(&[]).done()?;
    }
    assert_eq!(before.changes(Allowed::Forwarding)?, Vec::<String>::new());
    Ok(())
}

fn calls<'a>(stage: &'a Stage, networks: &[Value], containers: &[Container]) -> Vec<Call<'a>> {
    let networks = networks.iter().cycle();
    networks.zip(containers).map(|(network, container)| stage.call("bridge", network).of(container)).collect()
}

#[test]
fn fifty_on_one_network() -> Test {
    live(&networks()[..1], MANY)
}

#[test]
fn fifty_on_five_networks() -> Test {
    live(&networks(), MANY)
}

#[test]
fn the_first_ones_of_a_host_race_for_the_bridge_and_the_rules() -> Test {
    for _ in 0..10 {
        let stage = Stage::new("race")?;
        let containers = stage.containers("c", 8)?;
        let calls = calls(&stage, &networks()[..2], &containers);
        at_once(&calls, "ADD").iter().try_for_each(|answer| answer.result().map(drop))?;
        assert_eq!(ports(stage.host(), "br1")?.len(), 4);
        assert_eq!(ports(stage.host(), "br2")?.len(), 4);
        assert_rules_are_there_once(&stage)?;
    }
    Ok(())
}

/// No table, chain or set is there twice, and no rule is in its chain twice.
fn assert_rules_are_there_once(stage: &Stage) -> Test {
    let text = ruleset(stage.host())?;
    let (mut blocks, mut seen) = (Vec::new(), BTreeSet::new());
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if line == "}" {
            blocks.pop();
            continue;
        }
        let place = blocks.join(" ");
        assert!(seen.insert(format!("{place} {line}")), "{line} is twice in {place}: {text}");
        if line.ends_with('{') {
            blocks.push(line);
        }
    }
    assert!(text.contains("masquerade") && blocks.is_empty(), "{text}");
    Ok(())
}

#[test]
fn adds_and_dels_of_one_network_at_once() -> Test {
    let stage = Stage::new("churn")?;
    let containers = stage.containers("c", 12)?;
    let before = Before::of(&stage)?;
    let network = &networks()[0];
    thread::scope(|scope| {
        let lives: Vec<_> = containers
            .iter()
            .map(|container| {
                let call = stage.call("bridge", network).of(container);
                scope.spawn(move || {
                    for _ in 0..5 {
                        let result = call.add().result()?;
                        // Masquerade goes with a network's last container, and comes with the next.
                        call.clone().after(&result).check().done()?;
                        call.del().done()?;
                    }
                    Ok::<(), tests::Surprise>(())
                })
            })
            .collect();
        lives.into_iter().filter_map(|life| life.join().ok()).collect::<Result<(), _>>()
    })?;
    assert_eq!(before.changes(Allowed::Network("br1"))?, Vec::<String>::new());
    Ok(())
}

#[test]
fn gc_beside_adds_takes_nothing_from_them() -> Test {
    let stage = Stage::new("beside")?;
    let containers = stage.containers("c", 10)?;
    let kept: Vec<&Container> = containers.iter().collect();
    let calls = calls(&stage, &networks()[..1], &containers);
    let collector = stage.call("bridge", &networks()[0]);
    // Runtimes do not do this; but when they list what they are about to add, it should do no harm.
    let answers = thread::scope(|scope| {
        let gc = scope.spawn(|| (0..20).try_for_each(|_| collector.gc(&kept).done()));
        let answers = at_once(&calls, "ADD");
        gc.join().map(|gc| gc.map(|()| answers))
    });
    let Ok(answers) = answers else { return Err("a thread panicked".into()) };
    for (answer, call) in answers?.iter().zip(&calls) {
        call.clone().after(&answer.result()?).check().done()?;
    }
    Ok(())
}

#[test]
fn the_same_container_twice_at_once_is_attached_once() -> Test {
    let stage = Stage::new("twice")?;
    for number in 0..5 {
        let container = stage.container(&format!("c{number}"))?;
        let call = stage.call("bridge", &networks()[0]).of(&container);
        let answers = at_once(&[call.clone(), call.clone(), call.clone()], "ADD");
        let good: Vec<_> = answers.iter().filter(|answer| answer.succeeded()).collect();
        assert_eq!(good.len(), 1, "{answers:?}");
        call.after(&good[0].result()?).check().done()?;
        assert!(pings(&container, "10.1.0.1"));
    }
    let leases = stage.host().sh("ls /var/lib/cni/networks/n1 | grep -c ^10").ok()?;
    assert_eq!(leases, "5\n", "and the losers have given back their leases");
    Ok(())
}

#[test]
fn five_dels_of_one_container_at_once_all_succeed() -> Test {
    let stage = Stage::new("eager")?;
    let container = stage.container("web")?;
    let config = with(networks()[0].clone(), json!({"bridge": BRIDGE}));
    let call = stage.call("bridge", &config).of(&container);
    stage.call("bridge", &config).of(&stage.container("other")?).add().result()?;
    let before = Before::of(&stage)?;
    for _ in 0..5 {
        call.add().result()?;
        at_once(&vec![call.clone(); 5], "DEL").iter().try_for_each(Answer::done)?;
        assert_eq!(before.changes(Allowed::Books)?, Vec::<String>::new());
    }
    Ok(())
}
