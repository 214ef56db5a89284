//! Who gets a port of the host: one container, nobody who listens there loses it, and what fails leaves nothing.

use lab::Place;
use lab::traffic::{Transport, serve};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tests::config::{dual, in_version, portmap, v4, with};
use tests::facts::ruleset;
use tests::folder::PluginFolder;
use tests::{Allowed, Before, Chain, Container, Stage, Test, programs};

fn chain<'a>(stage: &'a Stage, words: &[&str], container: &Container) -> Chain<'a> {
    Chain::new(stage, &[dual(), portmap(words)], container)
}

#[test]
fn a_port_of_another_container_is_refused_with_its_owner_and_nothing_is_touched() -> Test {
    let stage = Stage::new("taken")?;
    let (first, second) = (stage.container("first")?, stage.container("second")?);
    chain(&stage, &["8080:80", "127.0.0.1:9090:90"], &first).add()?;
    let result = stage.call("bridge", &dual()).of(&second).add().result()?;
    let before = Before::of(&stage)?;
    for words in [
        &["8080:80"][..],
        &["7000:70", "8080:81"],
        &["10.99.0.1:8080:80"],
        &["9090:90"],
        &["[::]:8080:80"],
        &["8000-8100:8000-8100"],
    ] {
        let call = stage.call("portmap", &portmap(words)).of(&second).after(&result);
        let expected = if words[0].starts_with('9') { "9090/tcp" } else { "8080/tcp" };
        call.add().error(100, &[expected, "net/first/eth0", "DEL"])?;
        assert_eq!(before.changes(Allowed::Books)?, Vec::<String>::new(), "{words:?}");
    }
    // Other protocols, addresses and ports are free.
    let words = ["8080:80/udp", "8081:80", "127.0.0.2:9090:90"];
    stage.call("portmap", &portmap(&words)).of(&second).after(&result).add().result()?;
    Ok(())
}

#[test]
fn a_port_of_a_process_that_listens_is_refused_with_its_name() -> Test {
    let stage = Stage::new("listening")?;
    let container = stage.container("web")?;
    let result = stage.call("bridge", &dual()).of(&container).add().result()?;
    let before = Before::of(&stage)?;
    // Where it listens, and what of that is in the way.
    let cases = [
        (
            Transport::Tcp,
            "0.0.0.0:8080",
            &["8080:80", "127.0.0.1:8080:80", "0.0.0.0:8080:80"][..],
            &["8080:80/udp", "8081:80"][..],
        ),
        (
            Transport::Tcp,
            "127.0.0.1:8080",
            &["8080:80", "127.0.0.1:8080:80"],
            &["10.99.0.1:8080:80", "[::]:8080:80"],
        ),
        (Transport::Tcp, "[::]:8080", &["8080:80", "[::]:8080:80", "0.0.0.0:8080:80"], &["8080:80/udp"]),
        (Transport::Udp, "0.0.0.0:53", &["53:53/udp"], &["53:53"]),
        (Transport::Tcp, "0.0.0.0:8500", &["8000-8999:1-1000"], &["8000-8499:1-500"]),
    ];
    for (transport, address, taken, free) in cases {
        let _server = serve(stage.host(), transport, address.parse()?)?;
        let add = |words: &str| stage.call("portmap", &portmap(&[words])).of(&container).after(&result).add();
        for words in taken {
            let text =
                add(words).error(100, &["lab-probe (process ", "publish another port, or stop process"])?;
            assert!(text.contains(&address[address.rfind(':').unwrap_or(0)..]), "{address} {words}: {text}");
        }
        for words in free {
            add(words).result()?;
            stage.call("portmap", &portmap(&[])).of(&container).del().done()?;
        }
    }
    drop(before);
    Ok(())
}

#[test]
fn a_container_that_the_reference_published_keeps_its_port() -> Test {
    if programs::reference("portmap").is_none() {
        return Ok(());
    }
    let stage = Stage::new("takeover")?;
    let theirs = PluginFolder::empty()?;
    for plugin in ["bridge", "portmap", "host-local"] {
        theirs.reference(plugin)?;
    }
    let (old, new) = (stage.container("old")?, stage.container("new")?);
    let configs = |words: &[&str]| [in_version(dual(), "1.0.0"), in_version(portmap(words), "1.0.0")];
    let old_chain = Chain::new(&stage, &configs(&["8080:80"]), &old).by(&theirs);
    let result = old_chain.add()?;
    let new_chain = Chain::new(&stage, &configs(&["8080:80"]), &new);
    new_chain.add_last()?.error(100, &["8080/tcp", "container old in network net, by iptables"])?;
    new_chain.del(None)?;
    // CHECK and reload of ours leave it alone; DEL of ours takes it away, also when nobody knows anything any more.
    let ours = Chain::new(&stage, &configs(&["8080:80"]), &old);
    ours.call(1, &result).check().done()?;
    ours.del_blindly()?;
    let left = stage.host().sh("iptables-save -t nat; ip6tables-save -t nat").ok()?;
    assert!(!left.contains("8080") && !left.contains("CNI-DN"), "{left}");
    new_chain.add()?;
    Ok(())
}

#[test]
fn a_container_in_two_networks_has_a_port_by_the_first_and_both_are_whole() -> Test {
    let stage = Stage::new("both")?;
    let web = stage.container("web")?;
    let second_network = with(
        dual(),
        json!({"name": "second", "bridge": "br1", "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.2.0.0/24"}]]}}),
    );
    let second_ports = with(portmap(&["8080:80", "8081:80"]), json!({"name": "second"}));
    let first = chain(&stage, &["8080:80"], &web);
    let second = Chain::new(&stage, &[second_network, second_ports], &web).interface("eth1");
    let (first_result, second_result) = (first.add()?, second.add()?);
    let leads_to = |port: u16| -> Result<Vec<String>, tests::Surprise> {
        let key = format!("tcp . {port} comment");
        let text = ruleset(stage.host())?;
        let lines = text.lines().filter(|line| line.contains(&key) && line.contains(" : 10."));
        let target = |line: &str| line.split(" : ").nth(1)?.split(' ').next().map(str::to_owned);
        Ok(lines.filter_map(target).collect())
    };
    assert_eq!((leads_to(8080)?, leads_to(8081)?), (vec!["10.1.0.2".into()], vec!["10.2.0.2".into()]));
    first.check(&first_result)?;
    second.check(&second_result)?;
    // Without the first the port is nobody's, which the second does not hide.
    first.del(Some(&first_result))?;
    assert!(leads_to(8080)?.is_empty());
    let check = second.call(1, &second_result).check();
    check.error(100, &["8080:80/tcp to 10.2.0.2:80", "netctl reload"])?;
    second.call(1, &second_result).add().result()?;
    second.check(&second_result)?;
    assert_eq!(leads_to(8080)?, ["10.2.0.2"]);
    second.del(Some(&second_result))?;
    assert!(!ruleset(stage.host())?.contains("808"));
    Ok(())
}

#[test]
fn what_cannot_work_is_refused_before_anything_is_touched() -> Test {
    let stage = Stage::new("refused")?;
    let container = stage.container("web")?;
    let result = stage.call("bridge", &dual()).of(&container).add().result()?;
    let before = Before::of(&stage)?;
    let call = |config: &Value| stage.call("portmap", config).of(&container);
    let good = portmap(&["8080:80"]);
    call(&good).add().error(7, &["prevResult", "ADD"])?;
    let cases = [
        (json!({"backend": "pf"}), 7, "backend: pf"),
        (
            json!({"backend": "nftables", "conditionsV4": ["-s", "10.0.0.0/8"]}),
            2,
            "conditionsV4: -s 10.0.0.0/8",
        ),
        (json!({"markMasqBit": 40}), 7, "markMasqBit: 40"),
        (
            json!({"runtimeConfig": {"portMappings": [{"hostPort": 70000, "containerPort": 1}]}}),
            7,
            "portMappings[0].hostPort: 70000",
        ),
        (
            json!({"runtimeConfig": {"portMappings": [{"hostPort": 1, "containerPort": 1, "protocol": "tcp\ndrop"}]}}),
            7,
            "protocol",
        ),
        (portmap(&["8080:80", "8080:81"]), 7, "leads the same port of the host elsewhere"),
        (portmap(&["[::1]:8080:80"]), 7, "::1"),
    ];
    for (keys, code, words) in cases {
        call(&with(good.clone(), keys)).after(&result).add().error(code, &[words])?;
    }
    let no_address =
        json!({"cniVersion": "1.1.0", "interfaces": [{"name": "eth0", "sandbox": container.path()}]});
    call(&good).after(&no_address).add().error(7, &["no address", "ipam"])?;
    let elsewhere = json!({"cniVersion": "1.1.0", "ips": [{"address": "203.0.113.9/24"}]});
    call(&good).after(&elsewhere).add().error(999, &["no route to 203.0.113.9"])?;
    assert_eq!(before.changes(Allowed::Books)?, Vec::<String>::new());
    // Nothing to publish: the result goes through, and nothing is touched.
    for nothing in [portmap(&[]), with(good, json!({"runtimeConfig": null}))] {
        assert_eq!(call(&nothing).after(&result).add().result()?, result);
    }
    assert_eq!(before.changes(Allowed::Books)?, Vec::<String>::new());
    Ok(())
}

#[test]
fn the_result_of_the_plugins_before_goes_through_in_every_version() -> Test {
    let stage = Stage::new("through")?;
    for (number, version) in tests::config::VERSIONS.into_iter().enumerate() {
        let container = stage.container(&format!("c{number}"))?;
        let configs =
            [in_version(v4(), version), in_version(portmap(&[&format!("{}:80", 8000 + number)]), version)];
        let chain = Chain::new(&stage, &configs, &container);
        let attached = stage.call("bridge", &configs[0]).of(&container).add().result()?;
        assert_eq!(chain.call(1, &attached).add().result()?, attached, "{version}");
        assert!(ruleset(stage.host())?.contains(&format!("tcp . {}", 8000 + number)));
        chain.del(None)?;
    }
    assert!(!ruleset(stage.host())?.contains("tcp . "));
    Ok(())
}

#[test]
fn del_and_gc_take_a_container_s_own_ports_and_nobody_else_s() -> Test {
    let stage = Stage::new("own")?;
    let containers = stage.containers("c", 3)?;
    let before = Before::of(&stage)?;
    let words =
        |number: usize| vec![format!("{}:80", 8000 + number), format!("127.0.0.1:9000:{}", 90 + number)];
    let mut chains = Vec::new();
    for (number, container) in containers.iter().enumerate() {
        let words = words(number);
        let words: Vec<_> = words.iter().map(String::as_str).take(if number == 0 { 2 } else { 1 }).collect();
        let chain = chain(&stage, &words, container);
        let result = chain.add()?;
        chain.check(&result)?;
        chains.push((chain, result));
    }
    let published = || -> Result<BTreeSet<String>, tests::Surprise> {
        let text = ruleset(stage.host())?;
        let owners =
            text.lines().filter(|line| line.contains(" : 10.1.0.")).filter_map(|line| line.split('"').nth(1));
        Ok(owners.map(str::to_owned).collect())
    };
    assert_eq!(published()?.len(), 3);
    // As containerd does it: DEL with everything, then DEL that knows nothing any more; a second DEL is silent.
    chains[0].0.del(Some(&chains[0].1))?;
    chains[0].0.del_blindly()?;
    assert_eq!(published()?, BTreeSet::from(["net/c1/eth0".to_owned(), "net/c2/eth0".to_owned()]));
    chains[1].0.check(&chains[1].1)?;
    // A crash, and GC.
    containers[1].vanish(&stage)?;
    chains[2].0.gc(&[&containers[2]])?;
    assert_eq!(published()?, BTreeSet::from(["net/c2/eth0".to_owned()]));
    chains[2].0.check(&chains[2].1)?;
    chains[2].0.del_blindly()?;
    chains[2].0.gc(&[])?;
    let changes = before.changes(Allowed::Forwarding)?;
    let changes: Vec<_> =
        changes.iter().filter(|line| !line.contains("c1") && !line.contains("/run/netns")).collect();
    assert!(changes.is_empty(), "{changes:#?}");
    Ok(())
}

#[test]
fn two_hundred_at_once_publish_and_leave() -> Test {
    const MANY: usize = 200;
    let stage = Stage::new("many")?;
    let containers = stage.containers("c", MANY)?;
    let before = Before::of(&stage)?;
    let chains: Vec<_> = containers
        .iter()
        .enumerate()
        .map(|(number, container)| {
            let port = 10_000 + number;
            chain(&stage, &[&format!("{port}:80"), &format!("{port}:80/udp")], container)
        })
        .collect();
    let at_once = |act: &(dyn Fn(&Chain<'_>) -> Result<(), tests::Surprise> + Sync)| {
        std::thread::scope(|scope| {
            let threads: Vec<_> = chains.iter().map(|chain| scope.spawn(move || act(chain))).collect();
            threads.into_iter().filter_map(|thread| thread.join().ok()).collect::<Result<Vec<_>, _>>()
        })
    };
    assert_eq!(at_once(&|chain| chain.add().map(drop))?.len(), MANY);
    let text = ruleset(stage.host())?;
    let ports = text.lines().filter(|line| line.contains(" : 10.1.0.")).count();
    assert_eq!(ports, 2 * MANY);
    assert_eq!(at_once(&|chain| chain.del_blindly())?.len(), MANY);
    chains[0].gc(&[])?;
    let changes = before.changes(Allowed::Forwarding)?;
    assert!(changes.is_empty(), "{changes:#?}");
    Ok(())
}

#[test]
fn of_many_that_want_one_port_at_once_one_gets_it_and_the_others_leave_nothing() -> Test {
    let stage = Stage::new("one")?;
    let containers = stage.containers("c", 20)?;
    let before = Before::of(&stage)?;
    let chains: Vec<_> = containers.iter().map(|container| chain(&stage, &["8080:80"], container)).collect();
    let winners: Vec<bool> = std::thread::scope(|scope| {
        let threads: Vec<_> = chains
            .iter()
            .map(|chain| {
                scope.spawn(move || chain.add_last().map(|answer| answer.succeeded()).unwrap_or(false))
            })
            .collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
    });
    assert_eq!(winners.iter().filter(|is_winner| **is_winner).count(), 1, "{winners:?}");
    for (chain, _) in chains.iter().zip(&winners).filter(|(_, is_winner)| !**is_winner) {
        chain.del(None)?;
    }
    assert!(ruleset(stage.host())?.contains("tcp . 8080"));
    for chain in &chains {
        chain.del(None)?;
    }
    chains[0].gc(&[])?;
    assert_eq!(before.changes(Allowed::Forwarding)?, Vec::<String>::new());
    Ok(())
}
