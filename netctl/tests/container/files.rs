//! /etc/hosts, /etc/hostname, /etc/resolv.conf, volumes, and files that are copied.

use crate::{Machine, Test};

#[test]
fn the_three_files_say_what_was_asked_for() -> Test {
    let machine = Machine::with_image("three")?;
    machine.ok("printf 'nameserver 127.0.0.1\\nnameserver 10.0.0.53\\nsearch lan\\noptions ndots:2\\n' > /etc/resolv.conf")?;
    let run = "netctl run --rm --network bridge";
    let said = machine.ok(&format!("{run} -h a.b.c --add-host db:10.0.0.9 --add-host six=[fd00::9] --add-host gate:host-gateway box cat /etc/hosts /etc/hostname /etc/resolv.conf"))?;
    for line in [
        "127.0.0.1\tlocalhost",
        "10.0.0.9\tdb",
        "172.17.0.1\tgate",
        "172.17.0.2\ta.b.c a",
        "a.b.c",
        "nameserver 10.0.0.53",
        "search lan",
        "options ndots:2",
    ] {
        assert!(said.lines().any(|said| said == line), "{line}: {said}");
    }
    // The host's own name server is not reached from there, and it has no IPv6.
    assert!(!said.contains("nameserver 127.0.0.1") && !said.contains("fd00::9"), "{said}");
    let said = machine.ok(&format!("{run} -h a --domainname b.c --dns 9.9.9.9 --dns fd00::53 --dns-search . --dns-opt ndots:1 box cat /etc/hosts /etc/hostname /etc/resolv.conf"))?;
    assert!(
        said.contains("172.17.0.2\ta.b.c a\na\n")
            && said.ends_with("nameserver 9.9.9.9\nnameserver fd00::53\noptions ndots:1\n"),
        "{said}"
    );
    let said = machine.ok("netctl run --rm --network host --dns 9.9.9.9 box cat /etc/resolv.conf; netctl run --rm --network host box cat /etc/resolv.conf")?;
    assert!(
        said.ends_with("nameserver 127.0.0.1\nnameserver 10.0.0.53\nsearch lan\noptions ndots:2\n")
            && said.contains("nameserver 9.9.9.9\n"),
        "{said}"
    );
    Ok(())
}

#[test]
fn they_can_be_written_and_not_taken_away_and_begin_anew_with_each_start() -> Test {
    let machine = Machine::with_image("written")?;
    let said = machine.ok("netctl run -d --name one box sleep 100 > /dev/null; netctl exec one sh -c 'echo 1.2.3.4 x >> /etc/hosts; rm /etc/hosts; cat /etc/hosts' 2>&1; netctl restart -t 0 one; netctl exec one cat /etc/hosts")?;
    let (before, after) = said.split_once("one\n").unwrap_or_default();
    assert!(before.contains("1.2.3.4 x") && before.contains("busy"), "{said}");
    assert!(after.contains("172.17.0.2\t") && !after.contains("1.2.3.4"), "{said}");
    Ok(())
}

#[test]
fn volumes_show_what_the_host_has_and_tmpfs_is_memory() -> Test {
    let machine = Machine::with_image("volumes")?;
    machine.ok("mkdir -p /run/v/deep; echo host > /run/v/file; echo only > /run/v/deep/file")?;
    let run = "netctl run --rm --network none";
    let said = machine.ok(&format!("{run} -v /run/v:/data -v /run/v/deep:/data/deep:ro -v /run/v/file:/one --tmpfs /mem:size=1m --mount type=bind,source=/run/v,target=/m,readonly box sh -c 'cat /data/file /data/deep/file /one /m/file; echo new > /data/new; touch /data/deep/x; touch /m/x; touch /mem/x; mount | grep /mem' 2>&1; cat /run/v/new"))?;
    assert!(said.starts_with("host\nonly\nhost\nhost\n") && said.ends_with("new\n"), "{said}");
    assert_eq!(said.matches("Read-only file system").count(), 2, "{said}");
    assert!(said.contains("tmpfs on /mem") && said.contains("size=1024k"), "{said}");
    // A folder that is not there is made, as Docker does.
    machine.ok(&format!("{run} -v /run/fresh/dir:/data box touch /data/x; ls /run/fresh/dir/x"))?;
    Ok(())
}

#[test]
fn a_link_in_an_image_leads_nowhere_outside() -> Test {
    let machine = Machine::with_image("links")?;
    // Where we mount, and where volumes are to go, hostile images have links to the host, or to what we have open.
    machine.ok("root=/run/root; rm -rf $root/etc/hosts; ln -s /../../../../run/victim $root/etc/hosts; ln -s /proc/self/fd/7 $root/trap; ln -s /run/victim-folder $root/folder; netctl import -c 'CMD true' $root evil > /dev/null; echo safe > /run/victim; mkdir /run/victim-folder /run/source")?;
    machine.ok("netctl run --rm --network none -v /run/source:/folder/new evil touch /folder/new/x; netctl run --rm --network none evil true; ls /run/source/x; [ ! -e /run/victim-folder/new ]; [ \"$(cat /run/victim)\" = safe ]")?;
    // Below /proc nothing is mounted over.
    let said = machine.ends(125, "netctl run --rm --network none -v /run/source:/trap/x evil true");
    assert!(said.contains("mount on /trap/x") || said.contains("find /trap/x"), "{said}");
    let said = machine.ends(125, "netctl run --rm --network none -v /run/source:/proc/sys evil true");
    assert!(said.contains("mount on /proc/sys: that is within /proc"), "{said}");
    Ok(())
}

#[test]
fn files_are_copied_both_ways_whether_it_runs_or_not() -> Test {
    let machine = Machine::with_image("copies")?;
    machine.ok("mkdir -p /run/src/sub; echo one > /run/src/file; ln -s file /run/src/link; chmod 640 /run/src/file; chown 7:8 /run/src/file")?;
    machine.ok("netctl run -d --name one --network none box sleep 100")?;
    for state in ["running", "exited"] {
        assert_eq!(machine.inspect("one")?["State"]["Status"], state);
        let said = machine.ok("netctl cp /run/src one:/srv/; netctl cp /run/src/. one:/srv/content; netctl cp /run/src/file one:/srv/renamed; rm -rf /run/back; netctl cp one:/srv /run/back; cd /run/back; find . | sort; stat -c '%a %u:%g' src/file; readlink src/link; cat renamed")?;
        assert_eq!(
            said,
            ".\n./content\n./content/file\n./content/link\n./content/sub\n./renamed\n./src\n./src/file\n./src/link\n./src/sub\n640 7:8\nfile\none\n"
        );
        machine.ok("netctl stop -t 0 one")?;
    }
    // A link of the container leads to where it leads there.
    machine.ok("echo host > /run/secret; netctl start one; netctl exec one ln -s /run/secret /leak; netctl exec one ln -s /run /out; netctl cp one:/leak /run/leaked; [ -L /run/leaked ]")?;
    let said = machine.ends(1, "netctl cp one:/out/secret /run/leaked2");
    assert!(said.contains("open the folder of /out/secret"), "{said}");
    let said = machine.ends(1, "netctl cp /run/a /run/b");
    assert!(
        said.starts_with("error: copy on the host: one of both, and only one, is to be CONTAINER:PATH\n"),
        "{said}"
    );
    Ok(())
}

#[test]
fn what_a_container_changed_becomes_an_image() -> Test {
    let machine = Machine::with_image("commit")?;
    machine.ok("netctl run --name one --network none box sh -c 'echo new > /srv/new; rm /bin/true'; netctl commit -p -m made -a me -c 'CMD [\"cat\", \"/srv/new\"]' one box:2")?;
    assert_eq!(machine.ok("netctl run --rm --network none box:2")?, "new\n");
    machine.ends(127, "netctl run --rm --network none box:2 true");
    // Nothing of what was only mounted over is in it.
    assert_eq!(machine.ok("netctl run --rm --network none --entrypoint '' box:2 ls /dev/null /proc/1/comm; ls /run/state/containers/*/upper")?.lines().last(), Some("srv"));
    let said = machine.ends(1, "netctl run --name two --network none --rootfs / true; netctl commit two x");
    assert!(
        said.starts_with("error: container two is made of no image, but of a folder of the host\n"),
        "{said}"
    );
    Ok(())
}
