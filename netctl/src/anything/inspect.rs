//! `netctl inspect`

use std::process::ExitCode;

use catalog::CatalogError;
use clap::{Args, ValueEnum};
use serde::Serialize;
use serde_json::Value;

use super::{Both, Named, Unclear, find};
use crate::container::inspect as containers;
use crate::container::place::Place;
use crate::image::inspect as images;
use crate::network::inspect as networks;
use crate::output::Output;
use crate::report::Failure;
use crate::several::inspect_each;

/// Show containers, networks and images in full
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Inspect {
    /// Names, or ids of which the first digits are enough
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,
    /// Print of each what a template of Go's says, such as '{{range .IPAM.Config}}{{.Subnet}}{{end}}'
    #[arg(short, long, value_name = "TEMPLATE")]
    format: Option<String>,
    /// Only of this kind
    #[arg(long, value_name = "KIND")]
    r#type: Option<Kind>,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    Container,
    Network,
    Image,
}

const HELP: &str = "\
Prints JSON with Docker's names for what Docker shows. Of networks, beside it what is there now: Links are those of the host,
Containers those that are there, by id, Stale those whose namespace is gone without DEL.

Examples:
  netctl inspect mybr0
  netctl inspect -f '{{.NetworkSettings.IPAddress}}' web
  netctl inspect -f '{{range .IPAM.Config}}{{.Subnet}}{{end}}' mybr0
  netctl inspect mybr0 | jq '.[].Containers[].IPv4Address'

Exit codes:
  0  done
  1  failed, or one of them was not found; those that were are printed
  2  the command line cannot be understood";

/// What is shown of one.
#[derive(Serialize)]
#[serde(untagged)]
enum Shown {
    Network(Box<networks::Inspection>),
    Other(Value),
}

impl Inspect {
    pub(crate) fn run(self, output: &mut Output) -> Result<ExitCode, Failure> {
        inspect_each(&self.names, self.format.as_deref(), output, |name| self.show(name))
    }

    fn show(&self, name: &str) -> Result<Shown, Failure> {
        let engine = self.place.engine();
        let named = match self.r#type {
            None => find(&self.place, &engine.catalog, name),
            Some(Kind::Container) => {
                self.place.find(name).map(Box::new).map(Named::Container).map_err(Unclear::Neither)
            }
            Some(Kind::Network) => {
                let network = self.place.network(&engine.catalog, name);
                network.map(Box::new).map(Named::Network).map_err(Unclear::Neither)
            }
            Some(Kind::Image) => {
                return images::shown(&images::find(&self.place.images()?, name)?).map(Shown::Other);
            }
        };
        match named {
            Ok(Named::Container(container)) => containers::shown(&engine, &container).map(Shown::Other),
            Ok(Named::Network(network)) => {
                let facts = engine.catalog.facts().map_err(|error| Failure::of(CatalogError::from(error)))?;
                networks::show(&engine.catalog, &facts, &network).map(Box::new).map(Shown::Network)
            }
            Err(Unclear::Both) => Err(Failure::from(Both(name.to_owned()))
                .hint(format!("`netctl container inspect {name}` or `netctl network inspect {name}`"))),
            Err(Unclear::Neither(failure)) => match self.image(name) {
                Some(image) if self.r#type.is_none() => image,
                _ => Err(failure),
            },
        }
    }

    /// The image of that name, if there are images at all: none is looked for where there is no store.
    fn image(&self, name: &str) -> Option<Result<Shown, Failure>> {
        let images = self.place.images_if_there()?;
        let image = images::find(&images, name).ok()?;
        Some(images::shown(&image).map(Shown::Other))
    }
}
