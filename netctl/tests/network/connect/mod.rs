//! `netctl connect` and `netctl disconnect`

mod addresses;
mod disconnect;
mod modes;
mod namespaces;
mod ports;
mod routes;
mod targets;
mod words;

use lab::{Outcome, Place};

use crate::{Machine, Wrong};

impl Machine {
    /// The IPv4 address of an interface in a namespace, with its prefix.
    fn address(&self, namespace: &str, interface: &str) -> Result<String, Wrong> {
        let line = self.sh(&format!("ip -n {namespace} -br -4 addr show {interface}"))?;
        Ok(line.split_whitespace().nth(2).unwrap_or_default().to_owned())
    }

    /// The interfaces in a namespace, but for `lo`.
    fn interfaces(&self, namespace: &str) -> Result<Vec<String>, Wrong> {
        let lines = self.sh(&format!("ip -n {namespace} -br link"))?;
        let names = lines.lines().filter_map(|line| line.split(['@', ' ']).next());
        Ok(names.filter(|name| *name != "lo").map(str::to_owned).collect())
    }

    /// The files of the cache.
    fn kept(&self) -> Result<String, Wrong> {
        self.sh("ls /var/lib/cni/results 2>/dev/null || true")
    }

    /// A setting of the host.
    fn setting(&self, name: &str) -> Result<String, Wrong> {
        Ok(self.read(&format!("/proc/sys/{name}"))?.trim().to_owned())
    }

    /// Runs a script in which `netctl` is known, and `$pid` is that of a process in a namespace of its own.
    fn with_process(&self, script: &str) -> Outcome {
        let script = format!(
            "unshare --net sleep 60 >/dev/null 2>&1 & pid=$!
            while [ \"$(readlink /proc/$pid/ns/net)\" = \"$(readlink /proc/self/ns/net)\" ]; do :; done
            status=0; ( set -e; {script} ) || status=$?
            kill $pid; wait $pid 2>/dev/null || true; exit $status"
        );
        self.0.sh(&script.replace("netctl ", &format!("{} ", crate::NETCTL)))
    }
}
