//! `netctl port`

use std::process::ExitCode;

use clap::Args;
use images::ExposedPort;
use runner::networks;
use serde::Serialize;
use vocab::PortMapping;

use super::place::Place;
use super::words::ask;
use crate::output::Output;
use crate::parse::in_full;
use crate::report::Failure;

/// Show by which ports of the host a container is reached
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Port {
    /// The container: its name, or the first digits of its id
    container: String,
    /// Only this one of its ports: PORT[/PROTOCOL]
    #[arg(value_parser = in_full::<ExposedPort>)]
    port: Option<ExposedPort>,
    #[command(flatten)]
    place: Place,
}

const HELP: &str = "\
Examples:
  netctl port web
  netctl port web 80

Exit codes:
  0  done
  1  the port is not published, or the container is not there; the reason is on standard error
  2  the command line cannot be understood";

#[derive(Debug, thiserror::Error)]
#[error("container {container} publishes no port {port}")]
struct NotPublished {
    container: String,
    port: ExposedPort,
}

/// A port of the host, by Docker's names.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Binding {
    container_port: String,
    host_ip: String,
    host_port: String,
}

impl Port {
    pub(crate) fn run(self, output: &mut Output) -> Result<ExitCode, Failure> {
        let container = self.place.find(&self.container)?;
        let state = self.place.engine().state(&container).map_err(ask)?;
        let is_wanted = |mapping: &PortMapping| {
            self.port.is_none_or(|port| {
                port.protocol == mapping.protocol
                    && port.ports.ports().any(|one| one == mapping.container_port)
            })
        };
        let mut bindings = Vec::new();
        for mapping in networks::ports_of(&state.attached).into_iter().filter(is_wanted) {
            for address in networks::shown(mapping.host_address) {
                bindings.push(Binding {
                    container_port: format!("{}/{}", mapping.container_port, mapping.protocol),
                    host_ip: address,
                    host_port: mapping.host_port.to_string(),
                });
            }
        }
        if let (true, Some(port)) = (bindings.is_empty(), self.port) {
            return Err(Failure::from(NotPublished { container: container.name().to_string(), port }));
        }
        if output.is_json() {
            output.json(&bindings)?;
            return Ok(ExitCode::SUCCESS);
        }
        for Binding { container_port, host_ip, host_port } in &bindings {
            match self.port {
                Some(_) => output.line(format_args!("{host_ip}:{host_port}"))?,
                None => output.line(format_args!("{container_port} -> {host_ip}:{host_port}"))?,
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
