//! Control groups of a host's own are gone with it.

use lab::{Host, Place, tools};
use std::error::Error;
use std::fs;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

type Test = Result<(), Box<dyn Error>>;

/// A host with a process in a group of its own in each hierarchy; none if the machine does not allow it.
fn host_with_a_group(name: &str) -> Result<Option<Host>, Box<dyn Error>> {
    let mut host = Host::new(name)?;
    if let Err(error) = host.own_control_groups() {
        tools::skip(&error.to_string());
        return Ok(None);
    }
    let script = "sleep 100 >/dev/null 2>&1 & pid=$!
         for procs in /sys/fs/cgroup/cgroup.procs /sys/fs/cgroup/*/cgroup.procs; do
             [ -e $procs ] || continue
             group=${procs%/*}/mine/deeper; mkdir -p $group
             for key in cpus mems; do for folder in $group/.. $group; do
                 [ ! -e $folder/../cpuset.$key ] || cat $folder/../cpuset.$key >$folder/cpuset.$key
             done; done
             echo $pid >$group/cgroup.procs
         done";
    host.sh(script).ok()?;
    Ok(Some(host))
}

/// The groups on the machine that were made for a host.
fn groups_of(pid: i32) -> io::Result<Vec<PathBuf>> {
    let name = format!("lab-{pid}");
    let root = Path::new("/sys/fs/cgroup");
    let folders = fs::read_dir(root)?.flatten().map(|entry| entry.path()).chain([root.to_owned()]);
    Ok(folders.map(|folder| folder.join(&name)).filter(|group| group.is_dir()).collect())
}

#[test]
fn what_is_made_in_them_is_gone_with_the_host() -> Test {
    let Some(host) = host_with_a_group("grouped")? else { return Ok(()) };
    let pid = host.pid();
    let groups = groups_of(pid)?;
    assert!(
        !groups.is_empty() && groups.iter().all(|group| group.join("mine/deeper").is_dir()),
        "{groups:?}"
    );
    let other = Host::new("other")?;
    assert!(!other.sh("ls -d /sys/fs/cgroup/mine /sys/fs/cgroup/*/mine").succeeded());
    drop(host);
    assert_eq!(groups_of(pid)?, Vec::<PathBuf>::new());
    Ok(())
}

#[test]
fn they_go_when_their_maker_is_killed() -> Test {
    if std::env::var_os("LAB_MAKER").is_some() {
        if let Some(host) = host_with_a_group("orphan")? {
            println!("\npid={}", host.pid());
            loop {
                thread::park();
            }
        }
        return Ok(());
    }
    let this_test = ["--exact", "they_go_when_their_maker_is_killed", "--nocapture"];
    let mut maker = Command::new(std::env::current_exe()?)
        .args(this_test)
        .env("LAB_MAKER", "yes")
        .stdout(Stdio::piped())
        .spawn()?;
    let lines = BufReader::new(maker.stdout.take().ok_or("no stdout")?).lines();
    let said = lines.map_while(Result::ok).find_map(|line| line.strip_prefix("pid=").map(str::to_owned));
    let groups = said.as_ref().map(|pid| Ok::<_, Box<dyn Error>>(groups_of(pid.parse()?)?)).transpose()?;
    maker.kill()?;
    maker.wait()?;
    let Some(groups) = groups else { return Ok(()) };
    assert!(!groups.is_empty());
    let deadline = Instant::now() + Duration::from_secs(5);
    while groups.iter().any(|group| group.exists()) {
        assert!(Instant::now() < deadline, "{groups:?} are still there");
        thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}
