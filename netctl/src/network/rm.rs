//! `netctl rm`

use std::process::ExitCode;

use catalog::{Catalog, Members, Network, RetireError};
use clap::Args;
use network::Runtime;
use vocab::NetworkName;

use super::place::Place;
use crate::output::Output;
use crate::report::Failure;
use crate::several::remove_each;

/// Remove networks that nobody is on
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Rm {
    /// The networks: names, or ids of which the first digits are enough
    #[arg(value_name = "NETWORK", required = true)]
    networks: Vec<String>,
    /// Disconnect whoever is on them first, and do not fail for those that are not there
    #[arg(short, long)]
    force: bool,
    #[command(flatten)]
    place: Place,
}

const HELP: &str = "\
Containers whose namespace is gone are in nobody's way: what is left of them goes with the network. Prints the names of
the networks that are gone.

Examples:
  netctl rm mybr0
  netctl rm -f $(netctl ls -q --filter label=tier=test)

Exit codes:
  0  done
  1  failed for one of them, or somebody is on it; the reason is on standard error
  2  the command line cannot be understood";

impl Rm {
    pub(crate) fn run(self, output: &mut Output) -> Result<ExitCode, Failure> {
        let catalog = self.place.catalog();
        let runtime = self.place.roots.runtime();
        remove_each(&self.networks, output, |wanted| remove(&catalog, &runtime, wanted, self.force))
    }
}

/// Removes the network of that name or id: its name. With `force`, one that is not there is fine.
pub(crate) fn remove(
    catalog: &Catalog,
    runtime: &Runtime,
    wanted: &str,
    force: bool,
) -> Result<Option<String>, Failure> {
    match catalog.find(wanted) {
        Err(error) if force && error.is_absence() => discard(catalog, wanted).map(|()| None),
        found => {
            let network = found.map_err(Failure::of)?;
            retire(catalog, runtime, &network, force)?;
            Ok(Some(network.name().to_string()))
        }
    }
}

/// Removes a network; with `force`, whoever is on it is disconnected first.
pub(crate) fn retire(
    catalog: &Catalog,
    runtime: &Runtime,
    network: &Network,
    force: bool,
) -> Result<(), Failure> {
    let members = if force { Members::Disconnect } else { Members::Refuse };
    match catalog.retire(runtime, network, members) {
        Err(RetireError::Plugins(errors)) => Err(Failure::each(errors)),
        removed => removed.map_err(Failure::of),
    }
}

/// There may be a beginning of it.
fn discard(catalog: &Catalog, wanted: &str) -> Result<(), Failure> {
    NetworkName::new(wanted).map_or(Ok(()), |name| catalog.discard(&name).map_err(Failure::of))
}
