//! podman with its back end for CNI, which calls our plugins.

use super::{Error, image, stage};
use crate::folder::PluginFolder;
use crate::stage::Stage;
use crate::surprise::Surprise;
use lab::outcome::{Outcome, Unexpected};
use lab::{Call, Namespace, Place, tools};
use serde_json::Value;
use std::net::IpAddr;

const PROGRAMS: [&str; 4] = ["podman", "conmon", "runc", "busybox"];

/// podman on a host of its own, with an [image]. Everything ends with the value.
#[derive(Debug)]
pub struct Podman {
    stage: Stage,
}

impl Podman {
    /// podman on a host with these plugins, and only these. None when it cannot be had here: that is said and counted.
    ///
    /// # Errors
    /// It is installed, and does not run a container even without a network.
    pub fn start(name: &str, plugins: PluginFolder) -> Result<Option<Self>, Error> {
        let Some(stage) = stage(name, &PROGRAMS, plugins)? else { return Ok(None) };
        let podman = Self { stage };
        podman.configure()?;
        if !podman.calls_cni()? {
            return Ok(None);
        }
        let image = image::make(podman.stage.host())?;
        podman.run(["load", "-i", image]).ok()?;
        // What podman has to keep once it has run a container is there before a test looks what is left behind.
        podman.run(["run", "--rm", "--network", "none", image::NAME, "sh", "-c", ":"]).ok()?;
        Ok(Some(podman))
    }

    /// The host and the plugins.
    #[must_use]
    pub const fn stage(&self) -> &Stage {
        &self.stage
    }

    /// Runs `podman` with these words.
    pub fn run<'a>(&self, words: impl IntoIterator<Item = &'a str>) -> Outcome {
        words.into_iter().fold(Call::new(["podman"]), Call::arg).run(self.stage.host())
    }

    /// Runs a container with [`image::SERVER`], in the background, with these options of `podman run`.
    pub fn serve(&self, name: &str, options: &[&str]) -> Outcome {
        let words = ["run", "-d", "--name", name].into_iter().chain(options.iter().copied());
        self.run(words.chain([image::NAME]).chain(image::SERVER))
    }

    /// The network namespace of a container that runs.
    ///
    /// # Errors
    /// There is none.
    #[track_caller]
    pub fn namespace(&self, container: &str) -> Result<Namespace, Surprise> {
        let path = self.inspect(container)?["NetworkSettings"]["SandboxKey"].take();
        match path.as_str().and_then(|path| path.strip_prefix("/run/netns/")) {
            Some(name) => Ok(Namespace::of(self.stage.host(), name)),
            None => Err(Surprise::new(format!("container {container} has no namespace"), path)),
        }
    }

    /// The IPv4 address that podman says a container has in a network.
    ///
    /// # Errors
    /// It has none.
    #[track_caller]
    pub fn address(&self, container: &str, network: &str) -> Result<IpAddr, Surprise> {
        let endpoint = self.inspect(container)?["NetworkSettings"]["Networks"][network].take();
        let address = endpoint["IPAddress"].as_str().and_then(|address| address.parse().ok());
        address.ok_or_else(|| Surprise::new(format!("{container} has no address in {network}"), endpoint))
    }

    /// What podman says of a container or a network.
    ///
    /// # Errors
    /// There is no such thing.
    #[track_caller]
    pub fn inspect(&self, name: &str) -> Result<Value, Surprise> {
        let said = self.run(["inspect", name]).ok().or_else(|_| self.run(["network", "inspect", name]).ok());
        let text = said.map_err(|error| Surprise::new(format!("{name} is not there"), error))?;
        let list: Value =
            serde_json::from_str(&text).map_err(|error| Surprise::new(error.to_string(), &text))?;
        Ok(list[0].clone())
    }

    /// Without systemd and its journal; and its books, which no test is about, where no snapshot looks.
    fn configure(&self) -> Result<(), Unexpected> {
        let plugins = self.stage.plugins().path().display();
        let containers = format!(
            r#"[containers]
log_driver = "k8s-file"
pids_limit = 0
[network]
network_backend = "cni"
cni_plugin_dirs = ["{plugins}"]
network_config_dir = "/etc/cni/net.d"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "none"
"#
        );
        let storage = r#"[storage]
driver = "vfs"
runroot = "/var/lib/podman/run"
graphroot = "/var/lib/podman/storage"
"#;
        self.stage.host().write_file("/etc/containers/containers.conf", containers)?;
        self.stage.host().write_file("/etc/containers/storage.conf", storage)
    }

    /// From version 5 on podman knows only netavark, unless it was built otherwise.
    fn calls_cni(&self) -> Result<bool, Unexpected> {
        let outcome = self.run(["info", "--format", "{{.Host.NetworkBackend}}"]);
        let is_without = outcome.stderr().contains("cni") && !outcome.succeeded();
        if !is_without && outcome.ok()?.trim() == "cni" {
            return Ok(true);
        }
        tools::skip("this podman does not call CNI plugins");
        Ok(false)
    }
}
