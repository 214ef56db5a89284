//! What runs, as whom, with what, and how it ends.

use lab::{Background, Call};
use std::time::Duration;

use crate::{Machine, NETCTL, STATE, Test, script};

#[test]
fn a_program_of_the_host_runs_on_the_host_s_own_root() -> Test {
    let machine = Machine::new("rootfs")?;
    let run = "netctl run --rm --network none --rootfs /";
    let links = machine.ok(&format!("{run} ip -br link"))?;
    assert!(links.starts_with("lo ") && links.lines().count() == 1, "{links}");
    // What it writes is its own.
    let said =
        machine.ok(&format!("{run} sh -c 'touch /marker; ls /marker'; [ -e /marker ] || echo gone"))?;
    assert_eq!(said, "/marker\ngone\n");
    Ok(())
}

#[test]
fn exit_codes_are_those_of_the_program_or_say_why_there_is_none() -> Test {
    let machine = Machine::with_image("codes")?;
    let run = "netctl run --rm --network none box";
    assert_eq!(machine.ends(0, &format!("{run} true")), "");
    assert_eq!(machine.ends(7, &format!("{run} sh -c 'exit 7'")), "");
    machine.ends(137, &format!("{run} sh -c 'sleep 9 & kill -9 $!; wait $!'"));
    let said = machine.ends(127, &format!("{run} no-such-program"));
    assert!(said.contains("find \"no-such-program\" in the container's PATH\n"), "{said}");
    let said = machine.ends(126, &format!("{run} /etc/passwd"));
    assert!(said.contains("execute /etc/passwd\n  because: Permission denied"), "{said}");
    let said = machine.ends(125, "netctl run --rm --network none no-such-image true");
    assert!(said.contains("no-such-image"), "{said}");
    assert_eq!(machine.ok("netctl ps -aq")?, "");
    Ok(())
}

#[test]
fn the_image_says_what_runs_unless_the_command_line_does() -> Test {
    let machine = Machine::with_image("program")?;
    let run = "netctl run --rm --network none";
    assert_eq!(machine.ok(&format!("{run} box"))?, "from the image\n");
    assert_eq!(machine.ok(&format!("{run} box echo other"))?, "other\n");
    assert_eq!(machine.ok(&format!("{run} --entrypoint echo box a b"))?, "a b\n");
    let said = machine.ok(&format!(
        "printf 'C=file\\n#D=no\\nA=file\\n' > /run/env; {run} -e B=line -e PATH --env-file /run/env -w /srv -h www box sh -c 'env; pwd' | sort"
    ))?;
    for line in ["A=file", "B=line", "C=file", "HOSTNAME=www", "HOME=/root", "/srv"] {
        assert!(said.lines().any(|said| said == line), "{line}: {said}");
    }
    assert!(!said.contains("D=no"), "{said}");
    Ok(())
}

#[test]
fn a_program_runs_as_the_user_whom_the_image_knows() -> Test {
    let machine = Machine::with_image("users")?;
    let id = |user: &str| {
        machine
            .ok(&format!("netctl run --rm --network none {user} box sh -c 'id -u; id -g; id -G; echo $HOME'"))
    };
    assert_eq!(id("")?, "0\n0\n0\n/root\n");
    assert_eq!(id("-u web")?, "1000\n1001\n1001 50\n/home/web\n");
    assert_eq!(id("-u 1000:50")?, "1000\n50\n50\n/home/web\n");
    assert_eq!(id("-u 4711")?, "4711\n0\n0\n/\n");
    let said = machine.ends(125, "netctl run --rm --network none -u nobody box id");
    assert!(said.contains("--user: no user \"nobody\" in the container's /etc/passwd"), "{said}");
    // What is printed can be opened by name by whoever is not root.
    assert_eq!(machine.ok("netctl run --rm --network none -u web box sh -c 'echo x > /dev/stdout'")?, "x\n");
    Ok(())
}

#[test]
fn what_is_typed_arrives_and_what_is_printed_comes_out_where_it_was_printed() -> Test {
    let machine = Machine::with_image("streams")?;
    let run = "netctl run --rm --network none";
    let outcome = machine.run(&format!("{run} box sh -c 'echo out; echo err >&2'"));
    assert_eq!((outcome.stdout(), outcome.stderr()), ("out\n", "err\n"));
    // More than any pipe holds, there and back.
    let said = machine.ok(&format!("head -c 3000000 /dev/zero | tr '\\0' x | {run} -i box cat | wc -c"))?;
    assert_eq!(said.trim(), "3000000");
    // Without -i there is nothing to read.
    assert_eq!(machine.ok(&format!("echo typed | {run} box cat"))?, "");
    Ok(())
}

#[test]
fn a_terminal_is_the_container_s_own() -> Test {
    let machine = Machine::with_image("terminal")?;
    let said = machine.ok(
        "script -qec \"$(printf 'stty rows 33 cols 111; %s run -it --rm --network none box sh -c \"tty; stty size; echo \\$TERM; test -c /dev/console && echo console\"' \"$NETCTL\")\" /dev/null < /dev/null".replace("$NETCTL", NETCTL).as_str(),
    )?;
    let lines: Vec<&str> =
        said.lines().map(|line| line.trim_matches(['\r', '^', '@', 'D', '\u{4}', '\u{8}'])).collect();
    for wanted in ["/dev/pts/0", "33 111", "xterm", "console"] {
        assert!(lines.contains(&wanted), "{wanted}: {said:?}");
    }
    let said = machine.ends(125, "echo | netctl run -it --rm --network none box sh");
    assert!(
        said.starts_with("error: give the container a terminal to type at: standard input is none\n"),
        "{said}"
    );
    Ok(())
}

#[test]
fn signals_are_handed_to_the_program() -> Test {
    let machine = Machine::with_image("signals")?;
    let program = "trap 'echo caught; exit 9' TERM; echo ready; while true; do sleep 0.05; done";
    let call = Call::new([NETCTL, "run", "--rm", "--network", "none", "box", "sh", "-c", program]);
    let run = Background::start(&machine.0, &call.env("NETCTL_STATE_DIR", STATE))?;
    run.wait_for("ready", Duration::from_secs(20))?;
    machine.ok("pkill -TERM -x netctl")?;
    run.wait_for("caught", Duration::from_secs(20))?;
    machine.until("[ -z \"$(netctl ps -aq)\" ] && echo gone")?;
    Ok(())
}

#[test]
fn a_reaper_hands_signals_on_and_buries_the_dead() -> Test {
    let machine = Machine::with_image("reaper")?;
    // Without one, the first process of a container does not end by a signal that it does not handle.
    machine.ok("netctl run -d --name one --init --network none box sleep 100; netctl stop -t 60 one")?;
    assert_eq!(machine.inspect("one")?["State"]["ExitCode"], 143);
    let said = machine.ok("netctl run --rm --init --network none box sh -c 'sh -c \"sleep 0.1 & exit\"; sleep 0.5; ps -o stat,comm | grep -c Z; cat /proc/1/comm'; true")?;
    assert_eq!(said, "0\ninit\n");
    Ok(())
}

#[test]
fn an_id_is_printed_or_written_and_never_over_a_file() -> Test {
    let machine = Machine::with_image("ids")?;
    let said = machine.ok("netctl run -d --cidfile /run/cid --name one --network none box sleep 100; cat /run/cid; echo; netctl ps -q --no-trunc")?;
    let ids: Vec<&str> = said.lines().collect();
    assert!(ids.len() == 3 && ids.windows(2).all(|pair| pair[0] == pair[1]) && ids[0].len() == 64, "{said}");
    let said = machine.ends(125, "netctl run --cidfile /run/cid --name two --network none box true");
    assert!(said.starts_with("error: --cidfile: create /run/cid\n"), "{said}");
    assert_eq!(machine.ok("netctl ps -a --format '{{.Names}}'")?, "one\n");
    Ok(())
}

#[test]
fn an_execution_has_the_container_around_it() -> Test {
    let machine = Machine::with_image("exec")?;
    machine.ok("netctl run -d --name one -h www --network none -e A=b box sleep 100")?;
    assert_eq!(machine.ok("netctl exec one hostname")?, "www\n");
    assert_eq!(
        machine.ok("netctl exec -e C=d -w /srv -u web one sh -c 'echo $A $C; pwd; id -u'")?,
        "b d\n/srv\n1000\n"
    );
    assert_eq!(machine.ok("echo typed | netctl exec -i one cat")?, "typed\n");
    machine.ends(5, "netctl exec one sh -c 'exit 5'");
    machine.ends(127, "netctl exec one no-such-program");
    // It is in the container's pid namespace and in its control group.
    let said = machine.ok(
        "netctl exec one sh -c 'ps -o comm | grep -c sleep'; netctl exec -d one sleep 77; netctl top one",
    )?;
    assert!(said.starts_with("1\n") && said.contains("sleep 77"), "{said}");
    let said = machine.ends(1, "netctl stop -t 0 one > /dev/null; netctl exec one true");
    assert_eq!(said, "error: container one is not running\nhint: `netctl start one` starts it\n");
    Ok(())
}

#[test]
fn others_see_what_is_printed_and_type_too() -> Test {
    let machine = Machine::with_image("attach")?;
    machine.ok(
        "netctl run -di --name one --network none box sh -c 'while read line; do echo \"got $line\"; done'",
    )?;
    let attach = script("netctl attach one");
    let mut first = Background::start(&machine.0, &attach)?;
    let second = Background::start(&machine.0, &attach)?;
    machine.until("sleep 0.2; echo attached")?;
    first.tell("hello\n")?;
    for attached in [&first, &second] {
        attached.wait_for("got hello", Duration::from_secs(20))?;
    }
    machine.ok("netctl kill one")?;
    assert_eq!(machine.ok("netctl logs one")?, "got hello\n");
    Ok(())
}
