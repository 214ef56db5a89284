//! `netctl inspect`

mod view;

use std::process::ExitCode;

use catalog::{Catalog, HostFacts, Network};
use clap::Args;
use template::Template;

pub(crate) use self::view::Inspection;
use super::place::Place;
use crate::output::Output;
use crate::report::{self, Failure};

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
        let mut code = ExitCode::SUCCESS;
        let mut found: Vec<Inspection> = Vec::new();
        for wanted in &self.networks {
            let shown =
                self.place.find(&catalog, wanted).and_then(|network| show(&catalog, &facts, &network));
            match shown {
                Ok(inspection) => found.push(inspection),
                Err(failure) => {
                    report::failure(&failure);
                    code = ExitCode::FAILURE;
                }
            }
        }
        if let Some(format) = self.format.as_deref().filter(|format| *format != "json") {
            in_format(format, &found, output)?;
            return Ok(code);
        }
        match output.is_json() {
            true => output.json(&found)?,
            // For people it is the same, only indented.
            false => output.line(serde_json::to_string_pretty(&found)?)?,
        }
        Ok(code)
    }
}

/// A line of each.
fn in_format(format: &str, found: &[Inspection], output: &mut Output) -> Result<(), Failure> {
    let told = |error| Failure::with(error, template::Error::hint);
    let template = Template::parse(format).map_err(told)?;
    for inspection in found {
        output.line(template.render(&serde_json::to_value(inspection)?).map_err(told)?)?;
    }
    Ok(())
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
