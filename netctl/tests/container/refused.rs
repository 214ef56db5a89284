//! What cannot be honoured is refused, or told of.

use crate::{Machine, Test};

#[test]
fn a_flag_that_the_mode_cannot_honour_is_refused_or_told_of() -> Test {
    let machine = Machine::with_image("flags")?;
    let run = "netctl run --rm";
    for (flags, said) in [
        (
            "--network none --ip 1.2.3.4",
            "error: --ip with --network none: the container has no interface but lo\n",
        ),
        (
            "--network host --mac-address 02:00:00:00:00:01",
            "error: --mac-address with --network host: the container has the host's addresses\n",
        ),
        ("--network host --network bridge", "error: --network host cannot be combined with another one\n"),
        ("--network bridge --network none", "error: --network none cannot be combined with another one\n"),
        (
            "--network ns:x -p 1:1",
            "error: -p with --network ns:PATH: whoever made the namespace has its network\n",
        ),
        ("--network a --network b --ip 1.2.3.4", "error: --ip: there are several networks\n"),
        ("--network bridge:colour=red", "error: network \"bridge:colour=red\": unknown key \"colour\"\n"),
    ] {
        let words = machine.ends(125, &format!("{run} {flags} box true"));
        assert!(words.starts_with(said) && words.contains("\nhint: ") || words == said, "{flags}: {words}");
    }
    let outcome = machine.run(&format!("{run} --network none -p 80:80 box echo fine"));
    assert_eq!(
        (outcome.stdout(), outcome.stderr()),
        ("fine\n", "note: -p with --network none: nothing is published, for the container has no network\n")
    );
    Ok(())
}

#[test]
fn a_value_that_is_none_is_told_with_its_flag() -> Test {
    let machine = Machine::with_image("values")?;
    for (flags, said) in [
        ("-m 1x", "error: --memory \"1x\": expected bytes"),
        ("-m 1m", "error: --memory \"1m\": expected 6m at least"),
        ("--cpus 0", "error: --cpus \"0\": expected a number of processors"),
        ("--ulimit nofile", "error: --ulimit \"nofile\": expected NAME=SOFT"),
        ("-v data:/x", "error: --volume \"data:/x\": FROM is to be a path"),
        ("-w here", "error: --workdir \"here\": expected an absolute path"),
        ("--add-host x", "error: --add-host \"x\": expected NAME:ADDRESS"),
        ("-h 'a b'", "error: --hostname \"a b\": expected up to 64 letters"),
        ("--security-opt fast", "error: --security-opt \"fast\": expected no-new-privileges"),
        ("--sysctl x", "error: --sysctl \"x\": expected NAME=VALUE"),
        ("--stop-signal NOPE", "error: --stop-signal \"NOPE\": signal \"NOPE\" is no name"),
        ("--device dev", "error: --device \"dev\": expected absolute paths"),
        ("--rootfs /nowhere", "error: --rootfs \"/nowhere\": No such file"),
    ] {
        let words = machine.ends(125, &format!("netctl run --rm --network none {flags} box true"));
        assert!(words.starts_with(said), "{flags}: {words}");
    }
    let words = machine.ends(125, "netctl run --rm --nope box true");
    assert!(words.starts_with("error: unknown option --nope\nhint: "), "{words}");
    for flags in [
        "-p 70000:80",
        "--ip 1.2.3",
        "--mac-address x",
        "--name -x",
        "--detach-keys ctrl-",
        "--cpu-shares 1",
        "--oom-score-adj 2000",
    ] {
        machine.ends(2, &format!("netctl run --rm --network none {flags} box true"));
    }
    assert_eq!(machine.ok("netctl ps -aq")?, "");
    Ok(())
}

#[test]
fn a_container_that_is_not_there_is_told_with_the_nearest_name() -> Test {
    let machine = Machine::with_image("nearest")?;
    machine.ok("netctl container create --name web1 box true")?;
    for verb in
        ["start", "stop", "kill", "pause", "wait", "port", "logs", "top", "exec web2 true #", "attach"]
    {
        let (verb, rest) = verb.split_once(' ').unwrap_or((verb, "web2"));
        let said = machine.ends(1, &format!("netctl {verb} {rest}"));
        assert_eq!(said, "error: no such container: web2\nhint: did you mean web1?\n", "{verb}");
    }
    Ok(())
}
