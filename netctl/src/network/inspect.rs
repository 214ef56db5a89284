//! `netctl inspect`

mod view;

use std::process::ExitCode;

use catalog::{Catalog, HostFacts, Network};
use clap::Args;

pub(crate) use self::view::Inspection;
use super::place::Place;
use crate::output::Output;
use crate::report::{self, Failure};
use crate::several::inspect_each;

/// Show networks in full: what they are, their links, and who is on them
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Inspect {
    /// The networks: names, or ids of which the first digits are enough
    #[arg(value_name = "NETWORK", required = true)]
    networks: Vec<String>,
    /// Print of each what a template of Go's says, such as '{{range .IPAM.Config}}{{.Subnet}}{{end}}'
    #[arg(short, long, value_name = "TEMPLATE")]
    format: Option<String>,
    #[command(flatten)]
    place: Place,
}

const HELP: &str = "\
Prints JSON with Docker's names for what Docker shows, and beside it what is there now: Links are those of the host,
Containers those that are there, by id, Stale those whose namespace is gone without DEL.

Examples:
  netctl inspect mybr0
  netctl inspect -f '{{range .IPAM.Config}}{{.Subnet}}{{end}}' mybr0
  netctl inspect mybr0 | jq '.[].Containers[].IPv4Address'

Exit codes:
  0  done
  1  failed, or one of them was not found; those that were are printed
  2  the command line cannot be understood";

impl Inspect {
    pub(crate) fn run(self, output: &mut Output) -> Result<ExitCode, Failure> {
        let catalog = self.place.catalog();
        let facts = catalog.facts().map_err(|error| Failure::of(catalog::CatalogError::from(error)))?;
        inspect_each(&self.networks, self.format.as_deref(), output, |wanted| {
            show(&catalog, &facts, &self.place.find(&catalog, wanted)?)
        })
    }
}

/// What is shown of one.
pub(crate) fn show(catalog: &Catalog, facts: &HostFacts, network: &Network) -> Result<Inspection, Failure> {
    let members = catalog.members(network).map_err(Failure::of)?;
    let filling = catalog.filling(network).unwrap_or_else(|error| {
        report::warning(&error, None);
        Vec::new()
    });
    Ok(Inspection::new(network, facts, &members, &filling))
}
