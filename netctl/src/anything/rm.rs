//! `netctl rm`

use std::process::ExitCode;

use clap::Args;

use super::{Both, Named, Unclear, find};
use crate::container::place::Place;
use crate::container::rm as containers;
use crate::network::rm as networks;
use crate::output::Output;
use crate::report::Failure;
use crate::several::remove_each;

/// Remove containers, and networks that nobody is on
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Rm {
    /// Names, or ids of which the first digits are enough
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,
    /// Kill containers that run, disconnect whoever is on a network, and do not fail for what is not there
    #[arg(short, long)]
    force: bool,
    #[command(flatten)]
    place: Place,
}

const HELP: &str = "\
Prints what is gone, as it was named. A name that a container and a network have: `netctl container rm`, `netctl network rm`.
Images are removed by `netctl rmi`.

Examples:
  netctl rm b1 mybr0
  netctl rm -f $(netctl ps -aq)

Exit codes:
  0  done
  1  failed for one of them; the reason is on standard error
  2  the command line cannot be understood";

impl Rm {
    pub(crate) fn run(self, output: &mut Output) -> Result<ExitCode, Failure> {
        let engine = self.place.engine();
        remove_each(&self.names, output, |name| match find(&self.place, &engine.catalog, name) {
            Ok(Named::Container(container)) => {
                containers::remove(&engine, &container, self.force)?;
                Ok(Some(name.to_owned()))
            }
            Ok(Named::Network(network)) => {
                networks::retire(&engine.catalog, &engine.runtime, &network, self.force)?;
                Ok(Some(network.name().to_string()))
            }
            Err(Unclear::Both) => Err(Failure::from(Both(name.to_owned()))
                .hint(format!("`netctl container rm {name}` or `netctl network rm {name}`"))),
            // There may be a beginning of a network, or its file may be gone.
            Err(Unclear::Neither(_)) if self.force => {
                networks::remove(&engine.catalog, &engine.runtime, name, true)
            }
            Err(Unclear::Neither(failure)) => Err(failure),
        })
    }
}
