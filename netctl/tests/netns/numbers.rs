//! Ids given, listed and looked up.

use crate::{Machine, Test};

#[test]
fn an_id_is_given_once_and_seen_by_both_tools() -> Test {
    let machine = Machine::new("ids")?;
    machine.sh("for name in red blue green; do netctl netns add $name; done").ok()?;
    machine.netctl("set red 7").ok()?;
    machine.ip("netns set blue 5").ok()?;
    machine.netctl("set green auto").ok()?;
    assert_eq!(machine.netctl("list").ok()?, "blue (id: 5)\ngreen (id: 0)\nred (id: 7)\n");
    let listed = "nsid 0 (iproute2 netns name: green)\nnsid 5 (iproute2 netns name: blue)\nnsid 7 (iproute2 netns name: red)\n";
    assert_eq!(machine.netctl("list-id").ok()?, listed);
    assert_eq!(machine.ip("netns list-id").ok()?, listed);

    let again = machine.netctl("set red 8").refused()?;
    assert_eq!(again.stderr(), "error: give network namespace /run/netns/red an id: it has id 7 already\n");
    machine.netctl("add late").ok()?;
    let taken = machine.netctl("set late 7").refused()?;
    assert_eq!(
        taken.stderr(),
        "error: give network namespace /run/netns/late id 7: another namespace has it\n"
    );
    Ok(())
}

#[test]
fn ids_are_looked_up_here_and_in_another_namespace() -> Test {
    let machine = Machine::new("lookup")?;
    let script = "for name in red blue green; do netctl netns add $name; done
        netctl netns set blue 7; netctl netns set green 3
        netctl netns exec blue netctl netns set red 4
        netctl netns exec blue netctl netns set green 5";
    machine.sh(script).ok()?;
    for words in [
        "list-id target-nsid 7",
        "list-id nsid 3 target-nsid 7",
        "list-id --nsid 7",
        "-j list-id target-nsid 7",
    ] {
        let ours = machine.netctl(words).ok()?;
        let theirs =
            machine.ip(&format!("netns {}", words.replace("--", "")).replace("netns -j", "-j netns")).ok()?;
        let trimmed = |text: &str| text.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>();
        assert_eq!(trimmed(&ours), trimmed(&theirs), "{words}");
    }
    for words in ["list-id nsid 99", "list-id target-nsid 99"] {
        let outcome = machine.netctl(words).refused()?;
        assert_eq!(outcome.stderr(), "error: find network namespace with id 99: there is none\n");
    }
    Ok(())
}

#[test]
fn an_id_of_a_namespace_without_a_name_is_listed_without_one() -> Test {
    let machine = Machine::new("nameless")?;
    let script = "netctl netns add blue; netctl netns set blue 2
        netctl netns exec blue sleep 60 >/dev/null 2>&1 &
        while [ -z \"$(netctl netns pids blue)\" ]; do sleep 0.01; done
        netctl netns delete blue; netctl netns list-id; netctl netns list-id -j";
    assert_eq!(machine.sh(script).ok()?, "nsid 2\n[{\"nsid\":2}]\n");
    Ok(())
}
