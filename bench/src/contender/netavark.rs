//! Debian's netavark, called as podman calls it.

use super::others::{crowd_by_script, netavark};
use super::{Attached, Contender, Error, Tenant};
use crate::attachment;
use crate::lan::Lan;
use crate::plugin::Call;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// In the private host's `/run`: where netavark would leave files for its name server.
const CONFIG: &str = "/run/bench/netavark";

/// Netavark: bridge, address, masquerade and ports in one call.
#[derive(Clone, Debug)]
pub struct Netavark {
    program: PathBuf,
}

impl Netavark {
    /// That program.
    #[must_use]
    pub fn new(program: &Path) -> Self {
        Self { program: program.to_owned() }
    }

    pub(super) fn call(&self, verb: &str, lan: &Lan, tenant: &Tenant) -> Call {
        Call {
            program: self.program.clone(),
            arguments: ["--config", CONFIG, verb]
                .map(Into::into)
                .into_iter()
                .chain([tenant.container.path().into_os_string()])
                .collect(),
            environment: Vec::new(),
            stdin: options(lan, tenant).to_string(),
        }
    }
}

/// What podman says of a container with one network. Podman has chosen the address.
fn options(lan: &Lan, tenant: &Tenant) -> Value {
    let id = tenant.container.id();
    json!({
        "container_id": id,
        "container_name": id,
        "port_mappings": tenant.ports.for_netavark(),
        "networks": {
            &lan.name: { "interface_name": "eth0", "static_ips": [lan.address(tenant.number)] },
        },
        "network_info": {
            &lan.name: {
                "name": lan.name,
                "id": lan.id(),
                "driver": "bridge",
                "network_interface": lan.bridge,
                "subnets": [{ "subnet": lan.subnet(), "gateway": lan.address(1) }],
                "ipv6_enabled": false,
                "internal": false,
                "dns_enabled": false,
                "ipam_options": { "driver": "host-local" },
                "options": {},
            },
        },
    })
}

impl Contender for Netavark {
    fn name(&self) -> &'static str {
        "netavark"
    }

    fn attach(&self, lan: &Lan, tenant: &Tenant) -> Result<(Duration, Attached), Error> {
        let (took, said) = self.call("setup", lan, tenant).run()?;
        let result = attachment::result(said)?;
        Ok((took, Attached { result, address: lan.address(tenant.number) }))
    }

    fn detach(&self, lan: &Lan, tenant: &Tenant, _: &Attached) -> Result<Duration, Error> {
        Ok(self.call("teardown", lan, tenant).run()?.0)
    }

    fn crowd(&self, lan: &Lan, count: u16) -> Result<Vec<Tenant>, Error> {
        crowd_by_script(&netavark(lan, count))
    }
}
