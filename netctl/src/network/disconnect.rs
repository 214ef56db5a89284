//! `netctl disconnect`

use std::process::ExitCode;

use catalog::{LeaveError, Member};
use clap::Args;
use serde::Serialize;
use vocab::InterfaceName;

use super::place::{NamespaceOption, Place};
use crate::output::Output;
use crate::report::Failure;

/// Take a container, a namespace or a process off a network
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Disconnect {
    /// The network: its name, or the first digits of its id
    network: String,
    /// Whom: the name or path of a namespace, a container of any runtime, or the number of a process
    target: String,
    /// Only this interface of it [default: all that it has on the network]
    #[arg(long, value_name = "NAME")]
    ifname: Option<InterfaceName>,
    /// Do not fail when it is not there
    #[arg(short, long)]
    force: bool,
    #[command(flatten)]
    namespaces: NamespaceOption,
    #[command(flatten)]
    place: Place,
}

const HELP: &str = "\
Its address, its ports and everything else that it had there is free again. It works for containers whose namespace is
gone, too.

Examples:
  netctl disconnect mybr0 blue
  netctl disconnect mybr0 blue --ifname eth1

Exit codes:
  0  done
  1  failed, or it was not there; the reason is on standard error
  2  the command line cannot be understood";

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Gone {
    container: String,
    interface: String,
    addresses: Vec<String>,
}

impl Disconnect {
    pub(crate) fn run(self, output: &mut Output) -> Result<ExitCode, Failure> {
        let catalog = self.place.catalog();
        let runtime = self.place.roots.runtime();
        let network = catalog.find(&self.network).map_err(Failure::of)?;
        let entries = runtime.cache.all().map_err(Failure::of)?;
        let sandbox = match self.namespaces.find(&self.target, &entries) {
            // Nobody is on no network. Two who are meant by one word are not nobody.
            Err(error) if self.force && error.is_absence() => return self.done(output, &[]),
            sandbox => sandbox.map_err(Failure::of)?,
        };
        let gone = match catalog.leave(&runtime, &network, &sandbox, self.ifname.as_ref()) {
            Err(LeaveError::NotThere { .. } | LeaveError::NoInterface { .. }) if self.force => Vec::new(),
            Err(LeaveError::Plugins(errors)) => return Err(Failure::each(errors)),
            left => left.map_err(Failure::of)?,
        };
        self.done(output, &gone)
    }

    fn done(&self, output: &mut Output, gone: &[Member]) -> Result<ExitCode, Failure> {
        if output.is_json() {
            let gone = gone.iter().map(|member| Gone {
                container: member.attachment.container.to_string(),
                interface: member.attachment.interface.to_string(),
                addresses: member.addresses.iter().map(ToString::to_string).collect(),
            });
            output.json(&gone.collect::<Vec<_>>())?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
