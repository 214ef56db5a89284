//! Many at once: networks made, containers on one network and on several, and everything that goes while another comes.

use lab::{Outcome, Place};
use serde_json::Value;
use std::collections::BTreeSet;
use std::thread;
use std::time::Duration;
use tests::facts::{addresses, links, pings, plain, ports};
use tests::{Allowed, Before, Container, Stage, Test};

type Wrong = Box<dyn std::error::Error>;

/// Types all of these lines at once.
fn at_once(stage: &Stage, lines: &[String]) -> Result<Vec<Outcome>, Wrong> {
    staggered(stage, lines, Duration::ZERO)
}

/// The same, each so much later than the one before it.
fn staggered(stage: &Stage, lines: &[String], delay: Duration) -> Result<Vec<Outcome>, Wrong> {
    let calls: Vec<lab::Call> = lines.iter().map(|line| stage.line(line)).collect::<Result<_, _>>()?;
    let later = |call: &lab::Call, number: u32| {
        thread::sleep(delay * number);
        call.run(stage.host())
    };
    Ok(thread::scope(|scope| {
        let running: Vec<_> =
            calls.iter().zip(0..).map(|(call, number)| scope.spawn(move || later(call, number))).collect();
        running.into_iter().filter_map(|call| call.join().ok()).collect()
    }))
}

/// All at once, and all must succeed.
fn all_at_once(stage: &Stage, lines: impl IntoIterator<Item = String>) -> Test {
    let lines: Vec<String> = lines.into_iter().collect();
    let outcomes = at_once(stage, &lines)?;
    assert_eq!(outcomes.len(), lines.len());
    outcomes.into_iter().try_for_each(|outcome| outcome.ok().map(drop))?;
    Ok(())
}

fn listed(stage: &Stage, words: &str) -> Result<Vec<Value>, Wrong> {
    let said: Value = serde_json::from_str(&stage.typed(words)?)?;
    Ok(said.as_array().cloned().unwrap_or_default())
}

/// A host on which a network was made, joined, left and removed: what stays of that is nobody's.
fn warm(name: &str) -> Result<Stage, Wrong> {
    let stage = Stage::new(name)?;
    stage.container("first")?;
    for line in ["create first", "connect first first -p 9999:80", "disconnect first first", "rm first"] {
        stage.typed(line)?;
    }
    Ok(stage)
}

fn assert_as(before: &Before<'_>, context: &str) -> Test {
    let changes = before.changes(Allowed::Books)?;
    assert!(changes.is_empty(), "{context}: {changes:#?}");
    Ok(())
}

#[test]
fn twenty_networks_made_at_once_have_twenty_subnets() -> Test {
    let stage = warm("creates")?;
    let before = Before::of(&stage)?;
    all_at_once(&stage, (0..20).map(|number| format!("create n{number} --ipv6")))?;
    let networks = listed(&stage, "ls --filter type=custom -o json")?;
    let subnets: BTreeSet<String> =
        networks.iter().flat_map(|row| row["Subnets"].as_array().into_iter().flatten()).map(plain).collect();
    assert_eq!((networks.len(), subnets.len()), (20, 40), "{subnets:?}");
    for number in 0..20 {
        let own = addresses(stage.host(), &format!("n{number}"))?;
        assert_eq!(own.len(), 2, "n{number}: {own:?}");
    }
    all_at_once(&stage, (0..20).map(|number| format!("rm n{number}")))?;
    assert_as(&before, "removed at once")
}

#[test]
fn of_twenty_who_make_the_same_network_one_does() -> Test {
    let stage = warm("same")?;
    let before = Before::of(&stage)?;
    let outcomes = at_once(&stage, &vec!["create mybr0".to_owned(); 20])?;
    let (made, refused): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Outcome::succeeded);
    assert_eq!(made.len(), 1);
    assert!(refused.iter().all(|outcome| outcome.stderr().contains("already exists")), "{refused:?}");
    // And of ten who remove it, all are content: it is gone.
    all_at_once(&stage, vec!["rm -f mybr0".to_owned(); 10])?;
    assert_as(&before, "removed")
}

#[test]
fn twenty_containers_connected_at_once_to_one_network_and_to_several() -> Test {
    for networks in [1, 5] {
        let stage = warm("connects")?;
        let before = Before::of(&stage)?;
        let containers = stage.containers("c", 20)?;
        let network_of = |number: usize| format!("n{}", number % networks);
        all_at_once(&stage, (0..networks).map(|number| format!("create n{number}")))?;
        all_at_once(
            &stage,
            (0..20).map(|number| format!("connect {} c{number} -p {}:80", network_of(number), 8000 + number)),
        )?;
        let mut seen = BTreeSet::new();
        for (number, container) in containers.iter().enumerate() {
            let own = addresses(container, "eth0")?;
            assert!(own.len() == 1 && seen.insert(own.clone()), "{own:?} of c{number} is there twice");
            stage.typed(&format!("cni check {} c{number} --container-id c{number}", network_of(number)))?;
        }
        assert_eq!(ports(stage.host(), "n0")?.len(), 20 / networks);
        let gateways =
            (0..networks).map(|number| Ok(addresses(stage.host(), &format!("n{number}"))?.remove(0)));
        let gateways = gateways.collect::<Result<Vec<String>, Wrong>>()?;
        let gateway_of = |number: usize| gateways[number % networks].split('/').next().unwrap_or_default();
        assert!(
            containers.iter().enumerate().all(|(number, container)| pings(container, gateway_of(number)))
        );
        all_at_once(&stage, (0..20).map(|number| format!("disconnect {} c{number}", network_of(number))))?;
        all_at_once(&stage, (0..networks).map(|number| format!("rm n{number}")))?;
        for container in containers {
            assert_eq!(links(&container)?, ["lo"]);
            container.vanish(&stage)?;
        }
        assert_as(&before, "removed")?;
    }
    Ok(())
}

#[test]
fn the_first_to_come_to_bridge_make_it_and_the_last_to_leave_end_it() -> Test {
    let stage = warm("bridge")?;
    let containers = stage.containers("c", 8)?;
    let before = Before::of(&stage)?;
    for round in 0..5 {
        all_at_once(&stage, (0..8).map(|number| format!("connect bridge c{number}")))?;
        let own: BTreeSet<Vec<String>> =
            containers.iter().map(|container| addresses(container, "eth0")).collect::<Result<_, _>>()?;
        assert_eq!(own.len(), 8, "{own:?}");
        assert!(containers.iter().all(|container| pings(container, "172.17.0.1")), "round {round}");
        all_at_once(&stage, (0..8).map(|number| format!("disconnect bridge c{number}")))?;
        assert_as(&before, &format!("round {round}"))?;
    }
    Ok(())
}

#[test]
fn who_comes_to_bridge_while_the_last_leave_it_is_connected() -> Test {
    let stage = warm("changing")?;
    let containers = stage.containers("c", 8)?;
    let before = Before::of(&stage)?;
    all_at_once(&stage, (0..4).map(|number| format!("connect bridge c{number}")))?;
    for round in 0..8 {
        let (leaving, coming) = if round % 2 == 0 { (0..4, 4..8) } else { (4..8, 0..4) };
        let leave = leaving.clone().map(|number| format!("disconnect bridge c{number}"));
        let come = coming.clone().map(|number| format!("connect bridge c{number} -p {}:80", 8000 + number));
        all_at_once(&stage, leave.chain(come))?;
        for number in coming {
            stage.typed(&format!("cni check bridge c{number} --container-id c{number}"))?;
            assert!(pings(&containers[number], "172.17.0.1"), "round {round}: c{number}");
        }
        for number in leaving {
            assert_eq!(links(&containers[number])?, ["lo"], "round {round}: c{number}");
        }
        assert_eq!(ports(stage.host(), "bridge")?.len(), 4, "round {round}");
    }
    all_at_once(&stage, (0..4).map(|number| format!("disconnect bridge c{number}")))?;
    assert_as(&before, "after all")
}

/// Whether `web` got onto the network or not, it has no more and no less than that.
fn assert_whole_or_nothing(stage: &Stage, web: &Container, is_connected: bool, context: &str) -> Test {
    let expected: &[&str] = if is_connected { &["lo", "eth0"] } else { &["lo"] };
    assert_eq!(links(web)?, expected, "{context}");
    if is_connected {
        stage.typed("cni check mybr0 web --container-id web")?;
        assert!(pings(web, "172.26.0.1"), "{context}");
    }
    Ok(())
}

const CREATE: &str = "create mybr0 --subnet 172.26.0.0/24";
const CONNECT: &str = "connect mybr0 web -p 8080:80";

#[test]
fn whoever_is_first_of_connect_and_rm_nothing_is_left() -> Test {
    let stage = warm("connect-rm")?;
    let web = stage.container("web")?;
    let before = Before::of(&stage)?;
    let mut firsts = BTreeSet::new();
    for round in 0..50 {
        stage.typed(CREATE)?;
        let force = if round % 2 == 0 { "rm -f mybr0" } else { "rm mybr0" };
        // From the one being quicker to the other: `rm` has less to do.
        let delay = Duration::from_millis(round / 2 % 10 * 8);
        let outcomes = staggered(&stage, &[CONNECT.to_owned(), force.to_owned()], delay)?;
        let [connect, rm] = &outcomes[..] else { return Err("a thread panicked".into()) };
        let context = format!("round {round}: {connect}\n{rm}");
        // Whoever fails has a reason.
        assert!(connect.succeeded() || connect.stderr().contains("mybr0"), "{context}");
        assert!(rm.succeeded() || rm.stderr().contains("in use by web"), "{context}");
        assert!(connect.succeeded() || rm.succeeded(), "{context}");
        assert_whole_or_nothing(&stage, &web, !rm.succeeded(), &context)?;
        firsts.insert((connect.succeeded(), rm.succeeded()));
        stage.typed("rm -f mybr0")?;
        assert_as(&before, &context)?;
        assert_eq!(links(&web)?, ["lo"], "{context}");
    }
    assert!(firsts.len() > 1, "nobody was ever quicker than the other: {firsts:?}");
    Ok(())
}

#[test]
fn connect_and_disconnect_of_one_container_at_once_end_one_way_or_the_other() -> Test {
    let stage = warm("turns")?;
    let web = stage.container("web")?;
    stage.typed(CREATE)?;
    stage.typed(CONNECT)?;
    stage.typed("disconnect mybr0 web")?;
    let before = Before::of(&stage)?;
    for round in 0..30 {
        if round % 2 == 0 {
            stage.typed(CONNECT)?;
        }
        let lines = ["disconnect mybr0 web", CONNECT, "disconnect mybr0 web"].map(str::to_owned);
        let outcomes = at_once(&stage, &lines)?;
        let context = format!("round {round}: {outcomes:?}");
        for outcome in &outcomes {
            let is_told = ["is not connected", "is connected to network mybr0 already"];
            assert!(
                outcome.succeeded() || is_told.iter().any(|text| outcome.stderr().contains(text)),
                "{context}"
            );
        }
        let standing = listed(&stage, "inspect mybr0")?;
        let is_connected = !standing[0]["Containers"]["web"].is_null();
        assert_whole_or_nothing(&stage, &web, is_connected, &context)?;
        let leases =
            stage.host().sh("ls /var/lib/cni/networks/mybr0 2>/dev/null | grep -c ^172 || true").ok()?;
        assert_eq!(leases.trim(), if is_connected { "1" } else { "0" }, "{context}");
        stage.typed("disconnect -f mybr0 web")?;
        assert_as(&before, &context)?;
    }
    Ok(())
}

#[test]
fn one_container_joins_five_networks_at_once_by_five_names() -> Test {
    let stage = warm("five")?;
    let before = Before::of(&stage)?;
    let web = stage.container("web")?;
    all_at_once(&stage, (0..5).map(|number| format!("create n{number}")))?;
    for round in 0..5 {
        all_at_once(&stage, (0..5).map(|number| format!("connect n{number} web")))?;
        let names: BTreeSet<String> = links(&web)?.into_iter().collect();
        assert_eq!(
            names,
            ["lo", "eth0", "eth1", "eth2", "eth3", "eth4"].map(str::to_owned).into(),
            "round {round}"
        );
        for number in 0..5 {
            let gateway = addresses(stage.host(), &format!("n{number}"))?.remove(0);
            assert!(pings(&web, gateway.split('/').next().unwrap_or_default()), "round {round}: {gateway}");
        }
        all_at_once(&stage, (0..5).map(|number| format!("disconnect n{number} web")))?;
        assert_eq!(links(&web)?, ["lo"], "round {round}");
    }
    // Twice to the same: once.
    let outcomes = at_once(&stage, &vec!["connect n0 web".to_owned(); 5])?;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.succeeded()).count(), 1, "{outcomes:?}");
    assert_eq!(links(&web)?, ["lo", "eth0"]);
    all_at_once(&stage, (0..5).map(|number| format!("rm -f n{number}")))?;
    web.vanish(&stage)?;
    assert_as(&before, "removed")
}

#[test]
fn what_is_made_while_another_removes_it_is_whole_or_gone() -> Test {
    let stage = warm("create-rm")?;
    let before = Before::of(&stage)?;
    for round in 0..30 {
        let lines = [CREATE, "rm mybr0", "reload", "rm -f mybr0"].map(str::to_owned);
        let outcomes = at_once(&stage, &lines)?;
        let context = format!("round {round}: {outcomes:?}");
        let [create, rm, reload, forced] = &outcomes[..] else { return Err("a thread panicked".into()) };
        let was_removed = ["find network \"mybr0\"", "removed in the same moment"];
        let is_told = was_removed.iter().any(|words| create.stderr().contains(words));
        assert!(create.succeeded() || is_told, "{context}");
        assert!(rm.succeeded() || rm.stderr().contains("not found"), "{context}");
        assert!(reload.succeeded() && forced.succeeded(), "{context}");
        if stage.netctl("inspect mybr0")?.succeeded() {
            assert_eq!(addresses(stage.host(), "mybr0")?, ["172.26.0.1/24"], "{context}");
            stage.typed("rm mybr0")?;
        }
        assert_as(&before, &context)?;
    }
    Ok(())
}
