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
use crate::programs;
use crate::stage::Stage;
use lab::background;
use lab::host::{self, Host};
use lab::outcome::Unexpected;
use lab::{Place, tools};
use std::ffi::OsStr;

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

/// Makes a network by `netctl create` with these options, and returns the path of its file.
///
/// # Errors
/// netctl fails.
#[track_caller]
pub fn create_network(
    stage: &Stage,
    name: &str,
    subnets: &[&str],
) -> Result<String, Box<dyn std::error::Error>> {
    let netctl = programs::find("netctl")?;
    let mut call =
        vec![netctl.as_os_str(), "create".as_ref(), "--label".as_ref(), "tier=web".as_ref(), name.as_ref()];
    for subnet in subnets {
        call.extend([OsStr::new("--subnet"), subnet.as_ref()]);
    }
    stage.host().run(call).ok()?;
    Ok(format!("/etc/cni/net.d/netctl-{name}.conflist"))
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
