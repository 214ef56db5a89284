//! Containers: what a person waits for who runs one, by ours, by podman, and by crun, which makes no network.

use super::{Bench, Error};
use crate::helper;
use crate::plugin::Call;
use crate::report::{Body, Measure, Row, Section, Versus};
use crate::series::{Pair, alternate};
use serde_json::json;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Where everything is: in memory, because what is below the bench's own root is an overlay, on which none is stacked.
const FOLDER: &str = "/run/bench/containers";
/// `podman run` should take so many times as long.
const TIMES_PODMAN: f64 = 8.0;
/// `crun run` of a bundle should take that share of it at least.
const TIMES_CRUN: f64 = 2.0;
/// A thousand ports should be published within that.
const THOUSAND_PORTS: Duration = Duration::from_millis(100);

/// What podman has to be told: CNI, and nothing that runs beside it. runc, because crun refuses hybrid control groups.
const CONTAINERS: &str = "[network]\nnetwork_backend = \"cni\"\nnetwork_config_dir = \"/run/bench/containers/net.d\"\n\
                          [engine]\nevents_logger = \"none\"\ncgroup_manager = \"cgroupfs\"\nruntime = \"runc\"\n\
                          [containers]\nlog_driver = \"k8s-file\"\n";
const STORAGE: &str = "[storage]\ndriver = \"overlay\"\nrunroot = \"/run/bench/containers/run\"\ngraphroot = \"/run/bench/containers/graph\"\n";

/// Somebody who runs containers.
struct Engine {
    program: PathBuf,
    environment: Vec<(&'static str, OsString)>,
    image: &'static str,
}

/// What one turn took.
#[derive(Clone, Copy, Debug)]
struct Turn {
    none: Duration,
    bridge: Duration,
    port: Duration,
    removal: Duration,
}

pub(super) fn run(bench: &Bench) -> Result<Vec<Section>, Error> {
    let root = make_root().map_err(Error::Fill)?;
    let ours = Engine {
        program: helper::beside("netctl")?,
        environment: vec![("NETCTL_STATE_DIR", format!("{FOLDER}/ours").into())],
        image: "bench",
    };
    ours.time(&["import", root_text(&root), ours.image])?;
    // Somebody else is on the bridge: making it is not what is measured.
    ours.time(&["run", "-d", "--name", "stays", ours.image, "sleep", "1000"])?;
    let mut sections = Vec::new();
    if let Some(podman) = podman(&root).map_err(Error::Fill)? {
        podman.time(&["run", "-d", "--name", "stays", podman.image, "sleep", "1000"])?;
        let mut both = Pair { reference: podman, ours: clone_of(&ours) };
        let turns = alternate(&mut both, bench.effort.rounds(20), Engine::turn)?;
        both.reference.time(&["rm", "-f", "-t", "0", "stays"])?;
        sections.push(against("podman", &turns));
    }
    sections.push(alone(&ours, bench)?);
    ours.time(&["rm", "-f", "stays"])?;
    if let Some(crun) = crun(&root).map_err(Error::Fill)? {
        let mut both = Pair { reference: crun, ours: clone_of(&ours) };
        let runs = alternate(&mut both, bench.effort.rounds(40), |engine| match engine.image {
            "" => engine.time(&["--cgroup-manager=disabled", "run", "-b", FOLDER, "bench"]),
            image => engine.time(&["run", "--rm", "--network", "none", image, "true"]),
        })?;
        let rows = vec![Row::new("run --rm, no network", runs.reference, runs.ours).goal(TIMES_CRUN)];
        let versus = Versus { reference: "crun", ours: "ours", measure: Measure::AsLong, rows };
        let title = "a container, against crun without control groups".to_owned();
        sections.push(Section { title, body: Body::Versus(versus) });
    }
    Ok(sections)
}

fn against(name: &'static str, turns: &Pair<Vec<Turn>>) -> Section {
    let row = |case: &str, of: fn(&Turn) -> Duration| {
        Row::new(case, turns.reference.iter().map(of), turns.ours.iter().map(of))
    };
    let rows = vec![
        row("run --rm --network none", |turn| turn.none).goal(TIMES_PODMAN),
        row("run --rm --network bridge", |turn| turn.bridge).goal(TIMES_PODMAN),
        row("run -d -p", |turn| turn.port).goal(TIMES_PODMAN),
        row("rm -f", |turn| turn.removal),
    ];
    let versus = Versus { reference: name, ours: "ours", measure: Measure::Faster, rows };
    Section { title: "a container, by the command line".to_owned(), body: Body::Versus(versus) }
}

/// What a network costs, and a thousand ports.
fn alone(ours: &Engine, bench: &Bench) -> Result<Section, Error> {
    let run = |network| ours.time(&["run", "--rm", "--network", network, ours.image, "true"]);
    let mut networks = Pair { reference: "none", ours: "bridge" };
    let turns = alternate(&mut networks, bench.effort.rounds(40), |network| run(network))?;
    let mut ports = Vec::new();
    for _ in 0..bench.effort.rounds(10).counted {
        ports.push(ours.time(&[
            "run",
            "-d",
            "--name",
            "ports",
            "-p",
            "20000-20999:20000-20999",
            ours.image,
            "sleep",
            "1000",
        ])?);
        ours.time(&["rm", "-f", "ports"])?;
    }
    let rows = vec![
        Row::new("run --rm", turns.reference, turns.ours),
        Row::new("run -d -p, 1,000 ports", [], ports).under(THOUSAND_PORTS),
    ];
    let versus = Versus { reference: "none", ours: "bridge", measure: Measure::AsLong, rows };
    Ok(Section { title: "what a network costs a container of ours".to_owned(), body: Body::Versus(versus) })
}

impl Engine {
    fn time(&self, words: &[&str]) -> Result<Duration, Error> {
        let call = Call {
            program: self.program.clone(),
            arguments: words.iter().map(OsString::from).collect(),
            environment: self.environment.clone(),
            stdin: String::new(),
        };
        Ok(call.run()?.0)
    }

    fn is_podman(&self) -> bool {
        self.program.ends_with("podman")
    }

    fn turn(&mut self) -> Result<Turn, Error> {
        let run = |network| self.time(&["run", "--rm", "--network", network, self.image, "true"]);
        Ok(Turn {
            none: run("none")?,
            bridge: run("bridge")?,
            port: self
                .time(&["run", "-d", "--name", "one", "-p", "18080:80", self.image, "sleep", "1000"])?,
            // podman asks first, and waits; ours kills.
            removal: match self.is_podman() {
                true => self.time(&["rm", "-f", "-t", "0", "one"])?,
                false => self.time(&["rm", "-f", "one"])?,
            },
        })
    }
}

fn clone_of(engine: &Engine) -> Engine {
    Engine { program: engine.program.clone(), environment: engine.environment.clone(), image: engine.image }
}

fn root_text(root: &Path) -> &str {
    root.to_str().unwrap_or_default()
}

/// A root file system of busybox alone.
fn make_root() -> io::Result<PathBuf> {
    let root = Path::new(FOLDER).join("root");
    for folder in ["bin", "dev", "etc", "proc", "sys", "tmp"] {
        fs::create_dir_all(root.join(folder))?;
    }
    fs::copy("/usr/bin/busybox", root.join("bin/busybox"))
        .or_else(|_| fs::copy("/bin/busybox", root.join("bin/busybox")))?;
    for name in ["sh", "true", "sleep"] {
        let link = root.join("bin").join(name);
        if !link.exists() {
            symlink("busybox", link)?;
        }
    }
    Ok(root)
}

/// podman, with a configuration of its own and that image; nothing where it is not installed.
fn podman(root: &Path) -> io::Result<Option<Engine>> {
    let program = PathBuf::from("/usr/bin/podman");
    if !program.exists() {
        return Ok(None);
    }
    let folder = Path::new(FOLDER);
    fs::create_dir_all(folder.join("net.d"))?;
    let (containers, storage) = (folder.join("containers.conf"), folder.join("storage.conf"));
    fs::write(&containers, CONTAINERS)?;
    fs::write(&storage, STORAGE)?;
    let archive = folder.join("root.tar");
    let packed = Command::new("tar").arg("-C").arg(root).arg("-cf").arg(&archive).arg(".").status()?;
    let environment = vec![
        ("CONTAINERS_CONF", OsString::from(containers)),
        ("CONTAINERS_STORAGE_CONF", storage.into()),
        ("HOME", folder.into()),
    ];
    let mut import = Command::new(&program);
    import
        .args(["import", "-q"])
        .arg(&archive)
        .arg("localhost/bench")
        .envs(environment.iter().map(|(name, value)| (name, value)));
    let imported = import.output()?;
    match packed.success() && imported.status.success() {
        true => Ok(Some(Engine { program, environment, image: "localhost/bench" })),
        false => Err(io::Error::other(String::from_utf8_lossy(&imported.stderr).into_owned())),
    }
}

/// crun, and a bundle with the mounts that Docker makes; nothing where it is not installed.
fn crun(root: &Path) -> io::Result<Option<Engine>> {
    let program = PathBuf::from("/usr/bin/crun");
    if !program.exists() {
        return Ok(None);
    }
    // It refuses v1 and v2 side by side. This host's mounts are its own; what is on it already keeps its groups.
    if Path::new("/sys/fs/cgroup/unified").is_dir() {
        let _ = Command::new("umount").arg("/sys/fs/cgroup/unified").status()?;
    }
    let mount = |destination: &str, kind: &str, options: &[&str]| json!({"destination": destination, "type": kind, "source": kind, "options": options});
    let names = ["mount", "pid", "network", "uts", "ipc"];
    let spec = json!({
        "ociVersion": "1.0.2",
        "process": {"user": {"uid": 0, "gid": 0}, "args": ["true"], "env": ["PATH=/bin"], "cwd": "/"},
        "root": {"path": root},
        "mounts": [
            mount("/proc", "proc", &["nosuid", "noexec", "nodev"]),
            mount("/dev", "tmpfs", &["nosuid", "strictatime", "mode=755", "size=65536k"]),
            mount("/dev/pts", "devpts", &["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]),
            mount("/dev/shm", "tmpfs", &["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]),
            mount("/dev/mqueue", "mqueue", &["nosuid", "noexec", "nodev"]),
            mount("/sys", "sysfs", &["nosuid", "noexec", "nodev", "ro"]),
        ],
        "linux": {
            "namespaces": names.map(|name| json!({"type": name})),
            "maskedPaths": ["/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/scsi", "/sys/firmware"],
            "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
        },
    });
    fs::write(Path::new(FOLDER).join("config.json"), spec.to_string())?;
    Ok(Some(Engine { program, environment: Vec::new(), image: "" }))
}
