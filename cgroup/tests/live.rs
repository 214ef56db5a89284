//! Groups of this machine's own hierarchies, under a name that nobody else has; all of them are removed again.

use std::path::PathBuf;
use std::process::{Command, Output};

use cgroup::{Group, Hierarchies, Hierarchy};
use oci::{DeviceKind, DeviceRule, Pids, Resources};

type Wrong = Box<dyn std::error::Error>;
type Test = Result<(), Wrong>;

/// The hierarchy of v2 alone, as on a host that has no other; nothing, where there is none.
fn unified() -> Result<Option<Hierarchy>, Wrong> {
    let text = std::fs::read_to_string("/proc/self/mountinfo")?;
    let mount =
        text.lines().find(|line| line.contains(" - cgroup2 ")).and_then(|line| line.split(' ').nth(4));
    Ok(mount.map(|mount| Hierarchy {
        mount: PathBuf::from(mount),
        controllers: Vec::new(),
        is_unified: true,
    }))
}

fn path(name: &str) -> PathBuf {
    PathBuf::from(format!("netctl-test-{}-{name}", std::process::id()))
}

/// What a shell comes to that has entered a group of v2.
fn within(hierarchy: &Hierarchy, path: &PathBuf, script: &str) -> Result<Output, Wrong> {
    let file = hierarchy.mount.join(path).join("cgroup.procs");
    Ok(Command::new("sh").args(["-c", &format!("echo $$ > \"$0\"; {script}")]).arg(file).output()?)
}

fn rule(allow: bool, kind: DeviceKind, numbers: (Option<u32>, Option<u32>), access: &str) -> DeviceRule {
    let (major, minor) = numbers;
    DeviceRule { allow, kind: Some(kind), major, minor, access: Some(access.to_owned()) }
}

#[test]
fn the_device_program_of_v2_lets_through_what_the_last_fitting_rule_allows() -> Test {
    let Some(hierarchy) = unified()? else { return Ok(()) };
    let (hierarchies, path) = (Hierarchies::of(vec![hierarchy.clone()]), path("devices"));
    let character = DeviceKind::Character;
    let devices = vec![
        rule(false, DeviceKind::All, (None, None), "rwm"),
        rule(true, character, (None, None), "m"),
        rule(true, character, (Some(1), Some(3)), "rw"),
        rule(true, character, (Some(1), Some(5)), "rw"),
        rule(false, character, (Some(1), Some(5)), "w"),
    ];
    let group = Group::create(&hierarchies, &path, &Resources { devices, ..Resources::default() })?;
    let done = |script: &str| within(&hierarchy, &path, script).map(|output| output.status.success());
    let null = done("echo x > /dev/null && cat /dev/null")?;
    let (read, written) = (done("head -c 1 /dev/zero")?, done("echo x > /dev/zero")?);
    let full = done("head -c 1 /dev/full")?;
    let node = std::env::temp_dir().join(format!("netctl-test-{}-node", std::process::id()));
    let made = done(&format!("mknod {0} c 1 7 && rm {0}", node.display()))?;
    group.remove()?;
    assert_eq!((null, read, written, full, made), (true, true, false, false, true));
    assert!(!hierarchy.mount.join(&path).exists());
    Ok(())
}

#[test]
fn a_group_of_v2_is_held_let_go_and_killed() -> Test {
    let Some(hierarchy) = unified()? else { return Ok(()) };
    let (hierarchies, path) = (Hierarchies::of(vec![hierarchy.clone()]), path("held"));
    let group = Group::create(&hierarchies, &path, &Resources::default())?;
    let file = hierarchy.mount.join(&path).join("cgroup.procs");
    let mut child =
        Command::new("sh").args(["-c", "echo $$ > \"$0\"; sleep 100 & wait"]).arg(file).spawn()?;
    while group.processes().len() < 2 {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    group.freeze()?;
    group.thaw()?;
    // One that is held is killed as well.
    group.freeze()?;
    group.remove()?;
    let killed = child.wait()?;
    assert!(!killed.success() && group.processes().is_empty() && !hierarchy.mount.join(&path).exists());
    group.remove()?;
    Ok(())
}

#[test]
fn a_limit_without_its_controller_is_refused_and_nothing_is_made() -> Test {
    let Some(hierarchy) = unified()? else { return Ok(()) };
    let (hierarchies, path) = (Hierarchies::of(vec![hierarchy.clone()]), path("limit"));
    let resources = Resources { pids: Some(Pids { limit: 7 }), ..Resources::default() };
    let error = Group::create(&hierarchies, &path, &resources).err().ok_or("made")?;
    let said =
        "limit --pids-limit takes the control group controller pids, which is not mounted on this host";
    assert_eq!(error.to_string(), said);
    assert!(!hierarchy.mount.join(&path).exists());
    Ok(())
}

#[test]
fn what_this_machine_limits_is_in_force_and_gone_again() -> Test {
    let hierarchies = Hierarchies::discover()?;
    let path = path("limits");
    let resources = Resources { pids: Some(Pids { limit: 7 }), ..Resources::default() };
    let group = match Group::create(&hierarchies, &path, &resources) {
        // A machine without the controller, or whose groups are somebody else's.
        Err(cgroup::Error::NoController { .. } | cgroup::Error::NotHandedOn { .. }) => return Ok(()),
        group => group?,
    };
    let entrance = group.entrance()?;
    let usage = group.usage();
    let most =
        entrance.folders.iter().find(|(name, _)| name == "pids").map(|(_, folder)| folder.join("pids.max"));
    let most = most.map(std::fs::read_to_string).transpose()?;
    group.remove()?;
    assert_eq!(usage.pids, 0);
    assert!(most.is_none_or(|most| most == "7\n"));
    assert!(entrance.folders.iter().all(|(_, folder)| !folder.exists()));
    Ok(())
}
