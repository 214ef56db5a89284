//! From creation to removal.

use lab::Background;
use std::time::Duration;

use crate::{Machine, Test, script};

#[test]
fn a_container_is_made_started_stopped_started_again_and_removed() -> Test {
    let machine = Machine::with_image("life")?;
    machine.ok(
        "netctl container create --name one box sh -c 'echo started; touch /srv/mark; ls /srv; sleep 100'",
    )?;
    assert_eq!(machine.inspect("one")?["State"]["Status"], "created");
    assert_eq!(
        machine.ok("netctl ps -q; netctl start one; netctl ps --format '{{.Names}} {{.State}}'")?,
        "one\none running\n"
    );
    let said = machine.ends(1, "netctl start one");
    assert_eq!(said, "error: container one is running already\n");
    machine.ok("netctl stop -t 0 one; netctl stop one")?;
    let state = machine.inspect("one")?["State"].take();
    assert_eq!(
        (&state["Status"], &state["ExitCode"], &state["Pid"]),
        (&"exited".into(), &137.into(), &0.into())
    );
    // What it wrote is there when it starts again, and its log goes on.
    machine.ok("netctl restart -t 0 one")?;
    assert_eq!(
        machine.until("[ $(netctl logs one | wc -l) = 4 ] && netctl logs one")?,
        "started\nmark\nstarted\nmark\n"
    );
    let said = machine.ends(1, "netctl container rm one");
    assert!(said.starts_with("error: remove container one: it is running\nhint: "), "{said}");
    machine.ok("netctl rename one two; netctl kill two; netctl rm two")?;
    machine.ok("netctl container rm -f two; netctl rm -f two")?;
    assert_eq!(
        machine.ok("netctl ps -a --format '{{.Names}}'; ls /run/state/containers | grep -vx lock || true")?,
        ""
    );
    assert_eq!(machine.left()?, "nothing\n");
    Ok(())
}

#[test]
fn signals_are_sent_by_name_and_the_stop_signal_is_the_container_s() -> Test {
    let machine = Machine::with_image("kill")?;
    let program =
        "trap \"echo hup\" HUP; trap \"echo usr; exit 3\" USR1; echo ready; while true; do sleep 0.05; done";
    machine
        .ok(&format!("netctl run -d --name one --stop-signal USR1 --network none box sh -c '{program}'"))?;
    machine.until("netctl logs one | grep ready")?;
    machine.ok("netctl kill -s HUP one")?;
    machine.until("netctl logs one | grep hup")?;
    machine.ok("netctl stop one")?;
    assert_eq!(machine.inspect("one")?["State"]["ExitCode"], 3);
    let said = machine.ends(1, "netctl kill one");
    assert!(said.starts_with("error: container one is not running\n"), "{said}");
    let said = machine.ends(2, "netctl kill -s NOPE one");
    assert!(said.contains("\"NOPE\""), "{said}");
    Ok(())
}

#[test]
fn whoever_is_paused_stands_still_until_he_is_not() -> Test {
    let machine = Machine::with_image("pause")?;
    machine.ok("netctl run -d --name one --network none box sh -c 'i=0; while true; do i=$((i+1)); echo $i; sleep 0.02; done'")?;
    machine.until("netctl logs one | grep 3")?;
    let still = machine.ok("netctl pause one; netctl logs one | tail -1; sleep 0.3; netctl logs one | tail -1; netctl ps --format '{{.Status}}'")?;
    let lines: Vec<&str> = still.lines().collect();
    assert!(lines[1] == lines[2] && lines[3].ends_with("(Paused)"), "{still}");
    let said = machine.ends(1, "netctl pause one");
    assert_eq!(said, "error: container one is paused\nhint: `netctl unpause one` lets it go on\n");
    machine.ends(1, "netctl exec one true");
    machine.ok("netctl unpause one")?;
    machine.until(&format!("netctl logs one | grep -x $(({}+3))", lines[2]))?;
    // One that is held can be stopped and removed.
    machine.ok("netctl pause one; netctl stop -t 0 one; netctl start one; netctl pause one; netctl container rm -f one")?;
    assert_eq!(machine.left()?, "nothing\n");
    Ok(())
}

#[test]
fn whoever_waits_is_told_the_exit_code() -> Test {
    let machine = Machine::with_image("wait")?;
    machine.ok("netctl run -d --name one --network none box sh -c 'read x < /srv/fifo; exit 5' > /dev/null 2>&1; netctl run -d --name two --network none box sleep 100")?;
    let wait = Background::start(&machine.0, &script("echo waiting; netctl wait two"))?;
    wait.wait_for("waiting", Duration::from_secs(10))?;
    machine.ok("sleep 0.2; netctl kill -s KILL two")?;
    wait.wait_for("137", Duration::from_secs(20))?;
    assert_eq!(machine.ok("netctl wait two")?, "137\n");
    machine.ends(1, "netctl wait nobody");
    Ok(())
}

#[test]
fn logs_are_shown_from_where_and_as_one_wants() -> Test {
    let machine = Machine::with_image("logs")?;
    machine.ok("netctl run --name one --network none box sh -c 'echo a; echo b >&2; sleep 0.1; echo c; printf d' > /dev/null 2>&1")?;
    let outcome = machine.run("netctl logs one");
    assert_eq!((outcome.stdout(), outcome.stderr()), ("a\nc\nd", "b\n"));
    assert_eq!(machine.ok("netctl logs --tail 2 one")?, "c\nd");
    assert_eq!(machine.ok("netctl logs --since 2030-01-01T00:00:00Z one")?, "");
    let stamped = machine.ok("netctl logs -t one")?;
    assert!(stamped.lines().all(|line| line.starts_with("20") && line.contains("Z ")), "{stamped}");
    machine.ok(
        "netctl run -d --name two --network none box sh -c 'for i in 1 2 3 4 5; do echo $i; sleep 0.1; done'",
    )?;
    assert_eq!(machine.ok("netctl logs -f two")?, "1\n2\n3\n4\n5\n");
    Ok(())
}

#[test]
fn containers_are_listed_as_docker_lists_them() -> Test {
    let machine = Machine::with_image("ps")?;
    machine.ok("netctl create mybr0; netctl run -d --name one --network mybr0 -l tier=web -l x box sleep 100; netctl run --name two --network none box sh -c 'exit 3' || true")?;
    let list = |flags: &str| machine.ok(&format!("netctl ps {flags} --format '{{{{.Names}}}}'"));
    assert_eq!((list("")?.as_str(), list("-a")?.as_str()), ("one\n", "two\none\n"));
    for (filter, wanted) in [
        ("name=tw", "two\n"),
        ("status=exited", "two\n"),
        ("exited=3", "two\n"),
        ("network=mybr0", "one\n"),
        ("label=tier=web", "one\n"),
        ("label=tier=test", "two\n"),
        ("ancestor=box", "two\none\n"),
    ] {
        assert_eq!(list(&format!("-a --filter {filter}"))?, wanted, "{filter}");
    }
    let table = machine.ok("netctl ps -a")?;
    assert!(
        table.starts_with("CONTAINER ID   IMAGE") && table.contains("Exited (3) ") && table.contains("Up "),
        "{table}"
    );
    let json = machine.json("netctl ps -a -o json")?;
    assert_eq!((&json[0]["State"], &json[1]["Networks"]), (&"exited".into(), &"mybr0".into()));
    let said = machine.ends(1, "netctl ps --filter colour=red");
    assert!(said.contains("--filter \"colour=red\""), "{said}");
    Ok(())
}

#[test]
fn the_short_words_know_what_has_a_name() -> Test {
    let machine = Machine::with_image("words")?;
    machine.ok("netctl create net1; netctl container create --name con1 box true; netctl create both; netctl container create --name both box true")?;
    assert_eq!(machine.json("netctl inspect net1")?[0]["Driver"], "bridge");
    assert_eq!(machine.json("netctl inspect con1")?[0]["Name"], "/con1");
    assert_eq!(machine.json("netctl inspect box")?[0]["RepoTags"][0], "box:latest");
    for verb in ["inspect", "rm"] {
        let said = machine.ends(1, &format!("netctl {verb} both"));
        assert_eq!(
            said,
            format!(
                "error: \"both\" is a container and a network\nhint: `netctl container {verb} both` or `netctl network {verb} both`\n"
            )
        );
    }
    let said = machine.ends(1, "netctl inspect con2");
    assert_eq!(said, "error: no such container: con2\nhint: did you mean con1?\n");
    assert_eq!(machine.ok("netctl rm con1 net1")?, "con1\nnet1\n");
    machine.ok("netctl network rm both; netctl rm both")?;
    assert_eq!(machine.ok("netctl ps -aq")?, "");
    Ok(())
}

#[test]
fn an_image_in_use_stays_and_a_name_is_had_once() -> Test {
    let machine = Machine::with_image("use")?;
    machine.ok("netctl container create --name one box true")?;
    let said = machine.ends(1, "netctl rmi box");
    assert!(said.contains("container one"), "{said}");
    let said = machine.ends(125, "netctl run --name one --network none box true");
    assert!(said.starts_with("error: the name one is that of container "), "{said}");
    machine.ok("netctl container prune; netctl rmi box")?;
    Ok(())
}

#[test]
fn twenty_containers_start_and_end_at_once() -> Test {
    let machine = Machine::with_image("twenty")?;
    let said = machine.ok("for i in $(seq 20); do netctl run -d --name c$i -p 127.0.0.1::80 box sleep 100 > /run/out$i 2>&1 & done; wait; netctl ps -q | wc -l; netctl ps --format '{{.Names}}' | while read name; do netctl container inspect -f '{{.NetworkSettings.IPAddress}}' $name; done | sort -u | wc -l; cat /run/out* | grep -c error || true")?;
    assert_eq!(said, "20\n20\n0\n");
    machine.ok("for i in $(seq 20); do netctl container rm -f c$i & done; wait")?;
    assert_eq!(machine.ok("netctl ps -aq")?, "");
    assert_eq!(machine.left()?, "nothing\n");
    Ok(())
}
