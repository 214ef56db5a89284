//! containerd, and its `ctr`, which calls our plugins.

use super::{Error, image, stage};
use crate::folder::PluginFolder;
use crate::programs::REFERENCE;
use crate::stage::Stage;
use lab::outcome::Outcome;
use lab::{Background, Call, Place};
use std::time::Duration;

const PROGRAMS: [&str; 4] = ["containerd", "ctr", "runc", "busybox"];

/// What `ctr` does not use is off: some of it looks for file systems and devices of the machine. Its books, which no test
/// is about, are where no snapshot looks.
const CONFIG: &str = r#"version = 2
root = "/var/lib/containerd"
state = "/var/lib/containerd/run"
disabled_plugins = [
  "io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt", "io.containerd.internal.v1.restart",
  "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.overlayfs",
  "io.containerd.snapshotter.v1.zfs", "io.containerd.tracing.processor.v1.otlp",
]
[grpc]
address = "/run/containerd/containerd.sock"
"#;

/// Copies instead of layers: these may lie on layers themselves.
const SNAPSHOTS: [&str; 2] = ["--snapshotter", "native"];

/// For the daemon to start on a busy machine.
const START: Duration = Duration::from_secs(20);

/// containerd on a host of its own, with an [image]. Everything ends with the value.
#[derive(Debug)]
pub struct Containerd {
    // In this order they end.
    _daemon: Background,
    stage: Stage,
}

impl Containerd {
    /// containerd on a host with these plugins, and only these. None when it cannot be had here: that is said and
    /// counted.
    ///
    /// # Errors
    /// It is installed, and does not run.
    pub fn start(name: &str, plugins: PluginFolder) -> Result<Option<Self>, Error> {
        let Some(stage) = stage(name, &PROGRAMS, plugins)? else { return Ok(None) };
        stage.host().write_file("/etc/containerd/config.toml", CONFIG)?;
        // `ctr` has no option for them. Debian's looks for what is missing there among the reference's.
        let script = format!(
            r#"mkdir -p /opt/cni/bin; mount --bind "$1" /opt/cni/bin
            [ ! -d {REFERENCE} ] || mount -t tmpfs lab {REFERENCE}"#
        );
        let folder = stage.plugins().path();
        Call::new(["sh", "-ec", &script, "mount"]).arg(folder).run(stage.host()).ok()?;
        let daemon = stage.host().background(["containerd"])?;
        daemon.wait_for("successfully booted", START)?;
        let containerd = Self { _daemon: daemon, stage };
        let image = image::make(containerd.stage.host())?;
        containerd.ctr(["image", "import"].into_iter().chain(SNAPSHOTS).chain([image])).ok()?;
        // What containerd has to keep once it has run a container is there before a test looks what is left behind.
        containerd.run_without_network("first", &["--rm"], &["sh", "-c", ":"]).ok()?;
        Ok(Some(containerd))
    }

    /// The host and the plugins.
    #[must_use]
    pub const fn stage(&self) -> &Stage {
        &self.stage
    }

    /// Runs `ctr` with these words.
    pub fn ctr<'a>(&self, words: impl IntoIterator<Item = &'a str>) -> Outcome {
        words.into_iter().fold(Call::new(["ctr"]), Call::arg).run(self.stage.host())
    }

    /// Runs a container on the host's first network, with these options of `ctr run` and this program.
    pub fn run(&self, name: &str, options: &[&str], program: &[&str]) -> Outcome {
        let options: Vec<&str> = options.iter().copied().chain(["--cni"]).collect();
        self.run_without_network(name, &options, program)
    }

    fn run_without_network(&self, name: &str, options: &[&str], program: &[&str]) -> Outcome {
        let words = ["run", "--runc-binary", "runc"].into_iter().chain(SNAPSHOTS);
        let words = words.chain(options.iter().copied()).chain([image::NAME, name]);
        self.ctr(words.chain(program.iter().copied()))
    }

    /// Runs a program in a container that runs.
    pub fn exec(&self, name: &str, program: &[&str]) -> Outcome {
        self.ctr(["task", "exec", "--exec-id", "x", name].into_iter().chain(program.iter().copied()))
    }
}
