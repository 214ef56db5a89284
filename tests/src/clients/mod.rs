//! Real clients, each on a host of its own with our plugins: [podman], and [containerd] with its `ctr`.
//!
//! They are Debian's. What they need beyond a [`Stage`] is made here: an [image] of nothing but busybox, control
//! groups that go with the host, and their configuration. That lies where they look for it, so that whoever enters
//! the host may use the client by hand.

pub mod containerd;
pub mod image;
pub mod podman;

pub use containerd::Containerd;
pub use podman::Podman;

use crate::folder::{self, PluginFolder};
use crate::stage::Stage;
use lab::background;
use lab::host::{self, Host};
use lab::outcome::Unexpected;
use lab::{Place, tools};
use serde_json::{Value, json};

/// A client could not be set up, although it is installed.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it all")]
pub enum Error {
    #[error(transparent)]
    Host(#[from] host::Error),
    #[error(transparent)]
    Folder(#[from] folder::Error),
    #[error(transparent)]
    Background(#[from] background::Error),
    #[error(transparent)]
    Unexpected(#[from] Unexpected),
}

/// A network as `netctl create` writes it: a bridge of the same name, whose gateway is the first address of `subnet`, which
/// ends in `.0`.
#[must_use]
pub fn conflist(name: &str, subnet: &str) -> Value {
    let gateway = subnet.split_once(".0/").map_or_else(String::new, |(network, _)| format!("{network}.1"));
    json!({
        "cniVersion": "1.0.0",
        "cniVersions": ["1.0.0", "1.1.0"],
        "name": name,
        "args": {"podman_labels": {"tier": "web"}},
        "netctl": {"created": "2026-01-02T03:04:05Z"},
        "plugins": [
            {
                "type": "bridge",
                "bridge": name,
                "isGateway": true,
                "ipMasq": true,
                "hairpinMode": true,
                "gatewayMode": "nat",
                "ipam": {
                    "type": "host-local",
                    "ranges": [[{"subnet": subnet, "gateway": gateway}]],
                    "routes": [{"dst": "0.0.0.0/0"}],
                },
                "capabilities": {"ips": true, "mac": true},
            },
            {"type": "portmap", "capabilities": {"portMappings": true}},
            {"type": "firewall"},
        ],
    })
}

/// Writes such a network where clients look for it, and returns the path.
///
/// # Errors
/// As [`Place::write_file`].
#[track_caller]
pub fn create_network(stage: &Stage, name: &str, subnet: &str) -> Result<String, Unexpected> {
    let path = format!("/etc/cni/net.d/netctl-{name}.conflist");
    stage.host().write_file(&path, conflist(name, subnet).to_string())?;
    Ok(path)
}

/// A host for a client that needs these programs; when one of them is absent, or control groups cannot be made here, says
/// and counts that the test is skipped.
fn stage(name: &str, programs: &[&str], plugins: PluginFolder) -> Result<Option<Stage>, Error> {
    if !programs.iter().all(|program| tools::require(program).is_some()) {
        return Ok(None);
    }
    let mut host = Host::new(name)?;
    if let Err(error) = host.own_control_groups() {
        tools::skip(&format!("no containers can run here: {error}"));
        return Ok(None);
    }
    Ok(Some(Stage::of(host, plugins)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_address_is_the_gateway() {
        let range = |subnet| conflist("net", subnet)["plugins"][0]["ipam"]["ranges"][0][0].take();
        assert_eq!(range("172.26.0.0/16")["gateway"], "172.26.0.1");
        assert_eq!(range("10.1.2.0/24")["gateway"], "10.1.2.1");
    }
}
