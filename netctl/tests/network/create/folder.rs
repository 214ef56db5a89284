//! The folder of networks: who else is in it, and what happens when it cannot be written.

use lab::Place;
use serde_json::json;

use crate::{Machine, Test};

const FOLDER: &str = "/etc/cni/net.d";

#[test]
fn a_file_that_is_no_network_is_told_of_and_in_nobody_s_way() -> Test {
    let machine = Machine::new("broken")?;
    machine.0.write_file(format!("{FOLDER}/10-torn.conflist"), r#"{"cniVersion": "1.0.0", "name": "to"#)?;
    machine.0.write_file(format!("{FOLDER}/11-empty.conflist"), "")?;
    machine.ok("create web")?;
    let outcome = machine.netctl("ls");
    let warnings = "warning: use /etc/cni/net.d/10-torn.conflist
  because: decode network configuration list
  because: EOF while parsing a string at line 1 column 35
warning: use /etc/cni/net.d/11-empty.conflist
  because: decode network configuration list
  because: EOF while parsing a value at line 1 column 0
";
    assert_eq!(outcome.stderr(), warnings);
    assert!(outcome.ok()?.contains("   web      bridge   172.18.0.0/22   0\n"));
    // Whoever looks for one that is not there may mean one of them.
    machine.refuses(
        "rm tom",
        "error: network \"tom\" not found\nhint: these files cannot be used: /etc/cni/net.d/10-torn.conflist, \
        /etc/cni/net.d/11-empty.conflist\n",
    );
    Ok(())
}

#[test]
fn a_file_of_the_same_name_is_nobody_s_to_take() -> Test {
    let machine = Machine::new("occupied")?;
    let said = |file: &str| {
        format!(
            "error: write {FOLDER}/{file}\n  because: File exists (os error 17)\n\
            hint: no network of that name can be read from it: repair or remove {FOLDER}/{file}\n"
        )
    };
    machine.sh(&format!(
        "mkdir -p {FOLDER}; cd {FOLDER}
        echo torn >netctl-torn.conflist; mkdir netctl-folder.conflist; ln -s /etc/elsewhere netctl-link.conflist
        ln -s /dev/null netctl-null.conflist"
    ))?;
    let before = machine.snapshot()?;
    for name in ["torn", "folder", "link", "null"] {
        machine.refuses(&format!("create {name}"), &said(&format!("netctl-{name}.conflist")));
    }
    machine.is_as_it_was(&before)?;
    assert_eq!(machine.read(&format!("{FOLDER}/netctl-torn.conflist"))?, "torn\n");
    machine.sh("! test -e /etc/elsewhere")?;
    Ok(())
}

#[test]
fn two_files_with_one_name_are_one_network() -> Test {
    let machine = Machine::new("twice")?;
    for (file, subnet) in [("10-a.conflist", "10.1.0.0/24"), ("20-b.conflist", "10.2.0.0/24")] {
        let plugin =
            json!({"type": "bridge", "bridge": "web", "ipam": {"type": "host-local", "subnet": subnet}});
        let list = json!({"cniVersion": "1.0.0", "name": "web", "plugins": [plugin]});
        machine.0.write_file(format!("{FOLDER}/{file}"), list.to_string())?;
    }
    machine.refuses(
        "create web",
        "error: create network web\n  because: network with name web already exists\n\
        hint: `netctl inspect web` shows it, `netctl rm web` removes it\n",
    );
    assert_eq!(machine.ok("ls -q --filter name=web")?.lines().count(), 1);
    assert_eq!(machine.inspect("web")?["IPAM"]["Config"][0]["Subnet"], "10.1.0.0/24");
    // The first goes, and then the second is the network.
    machine.ok("rm web")?;
    assert_eq!(machine.inspect("web")?["IPAM"]["Config"][0]["Subnet"], "10.2.0.0/24");
    Ok(())
}

#[test]
fn a_file_that_cannot_be_written_leaves_nothing() -> Test {
    let machine = Machine::new("full")?;
    machine.sh(&format!(
        "mkdir -p {FOLDER}; mount -t tmpfs -o size=8k full {FOLDER}; head -c 8192 /dev/zero >{FOLDER}/ballast"
    ))?;
    let before = machine.snapshot()?;
    machine.refuses(
        "create web",
        "error: write /etc/cni/net.d/netctl-web.conflist\n  because: No space left on device (os error 28)\n",
    );
    machine.is_as_it_was(&before)?;
    machine.sh(&format!("mount -o remount,ro {FOLDER}"))?;
    machine.refuses(
        "create web",
        "error: write /etc/cni/net.d/netctl-web.conflist.new\n  because: Read-only file system (os error 30)\n",
    );
    machine.sh(&format!("umount {FOLDER}; rmdir {FOLDER}; touch {FOLDER}"))?;
    machine.refuses("create web", "error: list /etc/cni/net.d\n  because: Not a directory (os error 20)\n");
    assert!(!machine.has_link("web"));
    Ok(())
}

#[test]
fn a_bridge_that_cannot_be_made_leaves_no_file() -> Test {
    let machine = Machine::new("half-way")?;
    let before = machine.snapshot()?;
    // The kernel has settings for all links, and no link of that name.
    machine.refuses(
        "create web -o bridge.name=all --subnet 172.26.0.0/16",
        "error: create network web\n  because: raise network web: create bridge all: Invalid argument (EINVAL)\n",
    );
    machine.is_as_it_was(&before)?;
    machine.ok("create web --subnet 172.26.0.0/16")?;
    Ok(())
}

#[test]
fn a_network_called_like_settings_of_the_kernel_gets_another_bridge() -> Test {
    let machine = Machine::new("all")?;
    let made = machine.json("create all -o json")?;
    assert!(made["Link"].as_str().is_some_and(|link| link.starts_with("br-")), "{made}");
    Ok(())
}

#[test]
fn a_lock_that_cannot_be_had_is_an_error_that_names_it() -> Test {
    let machine = Machine::new("lock")?;
    machine.sh("mkdir -p /run/netctl/networks/.create.lock")?;
    machine.refuses(
        "create web",
        "error: write /run/netctl/networks/.create.lock\n  because: Is a directory (os error 21)\n",
    );
    machine.sh("! test -e /etc/cni/net.d/netctl-web.conflist")?;
    Ok(())
}
