//! Names made, listed and deleted by either program.

use lab::{Place, Snapshot};

use crate::{Machine, Test, sorted};

#[test]
fn each_tool_sees_and_deletes_what_the_other_made() -> Test {
    let machine = Machine::new("both")?;
    let before = Snapshot::take(&machine.0)?;
    machine.netctl("add ours").ok()?;
    machine.ip("netns add theirs").ok()?;
    assert_eq!(machine.netctl("list").ok()?, "ours\ntheirs\n");
    assert_eq!(sorted(&machine.ip("netns list").ok()?), ["ours", "theirs"]);

    machine.ip("netns delete ours").ok()?;
    machine.netctl("delete theirs").ok()?;
    assert_eq!(machine.netctl("").ok()?, "");
    assert_eq!(machine.ip("netns list").ok()?, "");

    machine.sh("umount /run/netns && rmdir /run/netns").ok()?;
    assert_eq!(before.left_behind(&machine.0, &[])?, Vec::<String>::new());
    Ok(())
}

#[test]
fn the_directory_looks_the_same_whoever_makes_it() -> Test {
    let look = "stat -c '%n %a %s %F' /run/netns /run/netns/*; \
                awk '$5 ~ /netns/ { sub(/:.*/, \"\", $4); sub(/:.*/, \"\", $7); print $4, $5, $6, $7, $9 }' \
                /proc/self/mountinfo";
    let (ours, theirs) = (Machine::new("ours")?, Machine::new("theirs")?);
    ours.netctl("add blue").ok()?;
    theirs.ip("netns add blue").ok()?;
    assert_eq!(ours.sh(look).ok()?, theirs.sh(look).ok()?);
    Ok(())
}

#[test]
fn the_output_is_that_of_ip() -> Test {
    let machine = Machine::new("output")?;
    machine.netctl("add blue").ok()?;
    machine.netctl("set blue 7").ok()?;
    for words in ["list", "list-id", "pids blue", "identify", "list-id nsid 7", "show", "l", "li", "ls"] {
        // `ls` is ours alone.
        let theirs = machine.ip(&format!("netns {}", words.replace("ls", "list"))).ok()?;
        let ours = machine.netctl(words).ok()?;
        assert_eq!(sorted(&ours), sorted(&theirs), "{words}");
    }
    for words in ["list", "list-id"] {
        assert_eq!(
            machine.netctl(&format!("-json {words}")).ok()?.trim_end(),
            machine.ip(&format!("-json netns {words}")).ok()?.trim_end()
        );
    }
    Ok(())
}

#[test]
fn all_are_deleted_at_once_however_it_is_spelt() -> Test {
    let machine = Machine::new("all")?;
    for words in
        ["netns delete -all", "netns delete --all", "netns del -a", "-all netns delete", "netns -all d"]
    {
        machine.sh("netctl netns add a; ip netns add b; netctl netns attach c $$").ok()?;
        machine.sh(&format!("netctl {words}")).ok()?;
        assert_eq!(machine.ip("netns list").ok()?, "", "{words}");
    }
    machine.netctl("delete -all").ok()?;
    Ok(())
}

#[test]
fn json_is_printed_in_one_line_or_indented() -> Test {
    let machine = Machine::new("json")?;
    assert_eq!(machine.netctl("-j list").ok()?, "[]\n");
    machine.sh("for name in red blue; do netctl netns add $name; done; netctl netns set red 0").ok()?;
    assert_eq!(machine.netctl("list -j").ok()?, "[{\"name\":\"blue\"},{\"name\":\"red\",\"id\":0}]\n");
    let indented = machine.netctl("list --json --pretty").ok()?;
    assert!(indented.starts_with("[\n  {\n    \"name\": \"blue\"\n  },\n"), "{indented}");
    Ok(())
}

#[test]
fn the_format_is_said_at_any_level_and_the_closest_word_counts() -> Test {
    let machine = Machine::new("levels")?;
    machine.netctl("add blue").ok()?;
    let json = "[{\"name\":\"blue\"}]\n";
    for words in ["-j netns list", "netns -j list", "netns list -j", "-json netns list", "netns list -o json"]
    {
        assert_eq!(machine.sh(&format!("netctl {words}")).ok()?, json, "{words}");
    }
    for words in ["-j netns list -o text", "-o json netns -o text list", "netns -j -o text"] {
        assert_eq!(machine.sh(&format!("netctl {words}")).ok()?, "blue\n", "{words}");
    }
    for words in ["-o json -p netns list", "-jp netns", "-p netns -j list", "netns list -jp"] {
        assert!(machine.sh(&format!("netctl {words}")).ok()?.starts_with("[\n  {\n"), "{words}");
    }
    Ok(())
}

#[test]
fn any_file_name_is_a_name() -> Test {
    let machine = Machine::new("odd")?;
    let script = r#"
        for name in 'with blank' -dash ... "$(printf 'latin\351')" "$(printf '%255s' | tr ' ' x)"; do
            netctl netns add -- "$name"
            ip netns exec "$name" true
            netctl netns exec -- "$name" true
            netctl netns delete -- "$name"
        done"#;
    machine.sh(script).ok()?;
    assert_eq!(machine.netctl("list").ok()?, "");
    Ok(())
}

#[test]
fn a_name_without_a_namespace_is_listed_with_a_warning_and_can_be_deleted() -> Test {
    let machine = Machine::new("stale")?;
    machine.sh("mkdir -m 755 /run/netns; : >/run/netns/stale; ln -s /proc/0/ns/net /run/netns/gone").ok()?;
    let listed = machine.netctl("list");
    assert!(listed.stderr().contains("no namespace is mounted on it"), "{listed}");
    assert!(listed.stderr().contains("hint: `netctl netns delete stale` removes the name"), "{listed}");
    assert_eq!(listed.ok()?, "gone\nstale\n");
    machine.netctl("delete stale gone").ok()?;
    assert_eq!(machine.sh("ls /run/netns").ok()?, "");
    Ok(())
}

#[test]
fn another_directory_serves_as_well() -> Test {
    let machine = Machine::new("elsewhere")?;
    machine.netctl("--netns-dir /run/else/where add blue").ok()?;
    assert_eq!(machine.netctl("list").ok()?, "");
    let listed = machine.sh("NETNS_RUN_DIR=/run/else/where netctl netns list").ok()?;
    assert_eq!(listed, "blue\n");
    Ok(())
}

#[test]
fn there_may_be_more_namespaces_than_open_files() -> Test {
    let machine = Machine::new("many")?;
    let script = "for n in $(seq 40); do netctl netns add n$n; done
        ulimit -n 20; netctl netns list | wc -l; netctl netns list-id; netctl netns identify";
    assert_eq!(machine.sh(script).ok()?, "40\n\n");
    Ok(())
}

#[test]
fn a_reader_that_has_enough_is_no_error() -> Test {
    let machine = Machine::new("pipe")?;
    machine.netctl("add blue").ok()?;
    let outcome =
        machine.sh("(sleep 0.2; netctl netns list; echo $? >/run/code) | :; sleep 0.4; cat /run/code");
    assert_eq!((outcome.stdout(), outcome.stderr()), ("0\n", ""));
    let full = machine.sh("netctl netns list >/dev/full").refused()?;
    assert!(full.stderr().starts_with("error: write to standard output\n  because: No space left"), "{full}");
    Ok(())
}

#[test]
fn a_monitor_tells_what_either_tool_does() -> Test {
    use std::time::Duration;
    let machine = Machine::new("monitor")?;
    let text = machine.0.background([crate::NETCTL, "netns", "monitor"])?;
    let json = machine.0.background([crate::NETCTL, "netns", "monitor", "--json"])?;
    // Nobody knows when they begin to watch, so something happens until both have seen it.
    while ![&text, &json].iter().all(|monitor| monitor.output().contains("early")) {
        machine.sh("netctl netns add early; netctl netns delete early").ok()?;
    }
    machine.netctl("add ours").ok()?;
    machine.ip("netns add theirs").ok()?;
    machine.netctl("delete theirs").ok()?;
    let within = Duration::from_secs(5);
    for line in ["add ours", "add theirs", "delete theirs"] {
        text.wait_for(line, within)?;
    }
    json.wait_for(r#"{"event":"delete","name":"theirs"}"#, within)?;
    let said = text.stop();
    assert!(said.ends_with("delete early\nadd ours\nadd theirs\ndelete theirs\n"), "{said}");
    Ok(())
}
