//! What a container may not do, see or use.

use crate::{Machine, Test, Wrong};

/// What of `/proc/self/status` says what a process may do.
fn privileges(machine: &Machine, flags: &str) -> Result<Vec<(String, String)>, Wrong> {
    let text = machine.ok(&format!("netctl run --rm --network none {flags} box cat /proc/self/status"))?;
    let pair = |line: &str| line.split_once(":\t").map(|(name, value)| (name.to_owned(), value.to_owned()));
    Ok(text.lines().filter_map(pair).collect())
}

fn value<'a>(status: &'a [(String, String)], name: &str) -> &'a str {
    status.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
}

#[test]
fn capabilities_are_docker_s_and_what_was_added_and_dropped() -> Test {
    let machine = Machine::with_image("capabilities")?;
    let usual = privileges(&machine, "")?;
    for set in ["CapPrm", "CapEff", "CapBnd"] {
        assert_eq!(value(&usual, set), "00000000a80425fb", "{set}");
    }
    for set in ["CapInh", "CapAmb"] {
        assert_eq!(value(&usual, set), "0000000000000000", "{set}");
    }
    assert_eq!((value(&usual, "Seccomp"), value(&usual, "NoNewPrivs")), ("2", "0"));
    let changed =
        privileges(&machine, "--cap-drop ALL --cap-add NET_ADMIN --security-opt no-new-privileges")?;
    assert_eq!((value(&changed, "CapEff"), value(&changed, "NoNewPrivs")), ("0000000000001000", "1"));
    // Whoever is not root has none in force.
    let user = privileges(&machine, "-u 1000")?;
    assert_eq!((value(&user, "CapEff"), value(&user, "CapBnd")), ("0000000000000000", "00000000a80425fb"));
    assert_eq!(value(&privileges(&machine, "-u 1000:50")?, "Groups").trim(), "50");
    for user in ["4294967295", "5:4294967295"] {
        let said = machine.ends(125, &format!("netctl run --rm --network none -u {user} box id"));
        assert!(said.contains("4294967295 is more than 2147483647"), "{said}");
    }
    // What only root may execute, no capability lets them.
    machine.ok(
        "mkdir /run/programs && cp $(command -v busybox) /run/programs/ls && chmod 700 /run/programs/ls",
    )?;
    let run = "netctl run --rm --network none -v /run/programs:/programs";
    machine.ok(&format!("{run} box /programs/ls /"))?;
    machine.ends(126, &format!("{run} -u 1000 box /programs/ls /"));
    let privileged = privileges(&machine, "--privileged")?;
    assert_eq!(value(&privileged, "Seccomp"), "0");
    assert_eq!(value(&privileged, "CapBnd"), machine.ok("grep CapBnd /proc/self/status | cut -f2")?.trim());
    let said = machine.ends(125, "netctl run --rm --network none --cap-add FLY box true");
    assert!(said.contains("--cap-add: \"FLY\" is no capability"), "{said}");
    Ok(())
}

#[test]
fn system_calls_that_reach_beyond_are_refused() -> Test {
    let machine = Machine::with_image("calls")?;
    let run = "netctl run --rm --network none";
    for call in ["unshare -U true", "mount -t tmpfs x /srv", "unshare -n true"] {
        let outcome = machine.run(&format!("{run} --rootfs / {call}"));
        let said = outcome.stderr();
        assert!(
            !outcome.succeeded() && (said.contains("not permitted") || said.contains("denied")),
            "{outcome}"
        );
    }
    machine.ok(&format!("{run} --cap-add SYS_ADMIN box mount -t tmpfs x /srv"))?;
    machine.ok(&format!("{run} --privileged box mount -t tmpfs x /srv"))?;
    Ok(())
}

#[test]
fn the_kernel_s_files_are_masked_or_for_reading() -> Test {
    let machine = Machine::with_image("masked")?;
    let look = "[ ! -s /proc/kcore ] && wc -c < /proc/keys; ls /sys/firmware | wc -l; echo 1 > /proc/sys/kernel/panic; touch /sys/x; touch /sys/fs/cgroup/x";
    let outcome = machine.run(&format!("netctl run --rm --network none box sh -c '{look}'"));
    assert_eq!(outcome.stdout(), "0\n0\n", "{outcome}");
    assert_eq!(
        outcome.stderr().lines().filter(|line| line.contains("Read-only file system")).count(),
        3,
        "{outcome}"
    );
    // Devices: those that every container has, and no disk.
    let said = machine.ok(
        "netctl run --rm --network none box sh -c 'ls /dev; echo x > /dev/null; head -c 4 /dev/zero | wc -c'",
    )?;
    assert_eq!(
        said,
        "fd\nfull\nmqueue\nnull\nptmx\npts\nrandom\nshm\nstderr\nstdin\nstdout\ntty\nurandom\nzero\n4\n"
    );
    let outcome =
        machine.run("netctl run --rm --network none --rootfs / sh -c 'mknod /kmsg c 1 11 && cat /kmsg'");
    assert!(!outcome.succeeded() && outcome.stderr().contains("not permitted"), "{outcome}");
    machine.ok("netctl run --rm --network none --cap-add SYSLOG --device /dev/kmsg:/dev/messages:r --rootfs / sh -c 'dd if=/dev/messages of=/dev/null bs=8192 count=1 2>/dev/null'")?;
    Ok(())
}

#[test]
fn nobody_sees_the_host_s_processes_mounts_and_files() -> Test {
    let machine = Machine::with_image("apart")?;
    machine.ok("echo secret > /run/secret")?;
    let said = machine.ok("netctl run --rm --network none box sh -c 'ls -d /proc/[0-9]*; cat /proc/self/mountinfo; cat /proc/1/comm; hostname; ls /run 2>&1; ls -l /proc/self/fd'")?;
    assert!(said.lines().filter(|line| line.starts_with("/proc/")).count() <= 2, "{said}");
    assert!(!said.contains("secret") && !said.contains("/run/netctl "), "{said}");
    // No file of the monitor's is open in it: the three streams; the folder that is being listed is closed when its link is read.
    assert_eq!(said.lines().filter(|line| line.contains(" -> ")).count(), 3, "{said}");
    // What is mounted there is seen by nobody else.
    assert_eq!(machine.ok("grep -c 'overlay.*/run/state' /proc/self/mounts || true")?, "0\n");
    Ok(())
}

#[test]
fn the_program_that_starts_containers_cannot_be_written_from_one() -> Test {
    let machine = Machine::with_image("sealed")?;
    // The reaper is this very program (CVE-2019-5736).
    let outcome = machine.run("netctl run --rm --init --network none box sh -c 'exec 3<>/proc/1/exe'");
    assert!(!outcome.succeeded() && outcome.stderr().contains("Permission denied"), "{outcome}");
    // Nor by whoever may look into every process, or comes back when nobody executes it.
    machine.ok("netctl run -d --name one --init --privileged --network none box sleep 100")?;
    machine.ends(1, "netctl exec --privileged one sh -c 'exec 3<>/proc/1/exe'");
    let file = "/proc/$(netctl inspect -f '{{.State.Pid}}' one)/exe";
    assert_eq!(machine.ok(&format!("[ -w {file} ] && echo writable || echo sealed"))?, "sealed\n");
    Ok(())
}

#[test]
fn the_root_can_be_for_reading_and_an_ordinary_user_works() -> Test {
    let machine = Machine::with_image("readonly")?;
    let outcome = machine.run("netctl run --rm --network none --read-only --tmpfs /tmp -v /run/v:/data -u 0 box sh -c 'touch /x; touch /etc/x; touch /tmp/x /data/x && echo written'");
    assert_eq!(
        (outcome.stdout(), outcome.stderr().matches("Read-only file system").count()),
        ("written\n", 2),
        "{outcome}"
    );
    let outcome = machine.run("netctl run --rm --network none -u 1000 box sh -c 'touch /x; id -u; cat /proc/1/environ > /dev/null; kill -0 1 && echo own'");
    assert_eq!(outcome.stdout(), "1000\nown\n", "{outcome}");
    assert!(outcome.stderr().contains("Permission denied"), "{outcome}");
    Ok(())
}

#[test]
fn limits_are_in_force() -> Test {
    let machine = Machine::with_image("limits")?;
    // Memory: whoever uses more is killed, and it is told.
    machine.ends(137, "netctl run --name one --network none -m 16m --memory-swap 16m box sh -c 'head -c 64m /dev/zero | tail -n 1 > /dev/null'");
    assert_eq!(machine.inspect("one")?["State"]["OOMKilled"], true);
    // Tasks.
    let outcome = machine.run("netctl run --rm --network none --pids-limit 5 box sh -c 'for i in 1 2 3 4 5 6 7 8; do sleep 5 & done; wait'");
    assert!(outcome.stderr().contains("fork"), "{outcome}");
    // Processors, open files and the rest, as the kernel tells them.
    let files = "for name in cpu/cpu.cfs_quota_us cpu/cpu.shares cpuset/cpuset.cpus memory/memory.limit_in_bytes pids/pids.max cpu.max cpuset.cpus memory.max; do [ ! -e /sys/fs/cgroup/$name ] || echo $name=$(cat /sys/fs/cgroup/$name); done; ulimit -n; cat /proc/self/oom_score_adj; df -k /dev/shm | tail -1";
    let said = machine.ok(&format!("netctl run --rm --network none --cpus 0.5 -c 512 --cpuset-cpus 0 -m 32m --pids-limit 50 --ulimit nofile=77:99 --oom-score-adj 100 --shm-size 1m --rootfs / sh -c '{files}'"))?;
    let first = [
        "cpu/cpu.cfs_quota_us=50000",
        "cpu/cpu.shares=512",
        "cpuset/cpuset.cpus=0",
        "memory/memory.limit_in_bytes=33554432",
        "pids/pids.max=50",
    ];
    let second = ["cpu.max=50000 100000", "cpuset.cpus=0", "memory.max=33554432"];
    let has_all = |wanted: &[&str]| wanted.iter().all(|line| said.lines().any(|said| said == *line));
    assert!(has_all(&first) || has_all(&second), "{said}");
    assert!(said.contains("\n77\n100\n") && said.contains(" 1024 "), "{said}");
    assert_eq!(machine.ok("netctl container rm one > /dev/null; ls -d /sys/fs/cgroup/*/netctl /sys/fs/cgroup/netctl 2> /dev/null | wc -l")?, "0\n");
    Ok(())
}

#[test]
fn kernel_settings_are_the_container_s_own_or_refused() -> Test {
    let machine = Machine::with_image("sysctl")?;
    let said = machine.ok("netctl run --rm --sysctl net.ipv4.ip_forward=1 --sysctl net.ipv4.conf.eth0.rp_filter=2 --sysctl kernel.shmmni=77 box cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv4/conf/eth0/rp_filter /proc/sys/kernel/shmmni /proc/sys/net/ipv4/ip_unprivileged_port_start")?;
    assert_eq!(said, "1\n2\n77\n0\n");
    let said = machine.ends(125, "netctl run --rm --network none --sysctl kernel.panic=1 box true");
    assert!(said.contains("--sysctl kernel.panic: it would change the whole host"), "{said}");
    let said = machine.ends(125, "netctl run --rm --network none --sysctl net.ipv4.nonsense=1 box true");
    assert!(said.contains("set sysctl net.ipv4.nonsense to \"1\""), "{said}");
    Ok(())
}

#[test]
fn on_a_host_that_has_only_the_second_version_of_control_groups_all_of_it_holds() -> Test {
    let machine = Machine::with_image("v2")?;
    // Where both are side by side, the second takes the place of all, without the controllers that the first has.
    machine.ok("[ ! -d /sys/fs/cgroup/unified ] || mount --bind /sys/fs/cgroup/unified /sys/fs/cgroup; [ -e /sys/fs/cgroup/cgroup.procs ]")?;
    let run = "netctl run --rm --network none";
    let said = machine.ok(&format!("{run} box sh -c 'cat /proc/self/cgroup | tail -1; ls /sys/fs/cgroup/cgroup.procs; echo x > /dev/null; head -c 4 /dev/zero | wc -c'"))?;
    assert_eq!(said, "0::/\n/sys/fs/cgroup/cgroup.procs\n4\n");
    let outcome = machine.run(&format!("{run} --rootfs / sh -c 'mknod /kmsg c 1 11 && cat /kmsg'"));
    assert!(!outcome.succeeded() && outcome.stderr().contains("not permitted"), "{outcome}");
    machine.ok("netctl run -d --name one --network none box sleep 100; netctl pause one; netctl unpause one; netctl exec one true")?;
    assert!(machine.ok("netctl top one")?.contains("sleep 100"));
    machine.ok("kill -9 $(netctl inspect -f '{{.State.MonitorPid}}' one); netctl gc; netctl rm one")?;
    assert_eq!(machine.left()?, "nothing\n");
    Ok(())
}
