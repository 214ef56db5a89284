//! `netctl inspect` and `netctl rm`: by a name alone, whatever has it.

mod inspect;
mod rm;

use std::process::ExitCode;

use catalog::{Catalog, Network};
use clap::Subcommand;
use runner::{Container, FindError};

use crate::container::place::Place;
use crate::output::{LongPretty, Output, Printing};
use crate::report::Failure;

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    Inspect(Printing<inspect::Inspect, LongPretty>),
    #[command(visible_alias = "remove")]
    Rm(Printing<rm::Rm, LongPretty>),
}

impl Verb {
    pub(crate) fn run(self, output: &mut Output) -> Result<ExitCode, Failure> {
        match self {
            Self::Inspect(verb) => verb.on(output).run(output),
            Self::Rm(verb) => verb.on(output).run(output),
        }
    }
}

/// What has a name.
pub(crate) enum Named {
    Container(Box<Container>),
    Network(Box<Network>),
}

/// Why a name means nothing for sure.
pub(crate) enum Unclear {
    /// A container and a network have it.
    Both,
    /// Neither has it, or nobody can tell; that is why.
    Neither(Failure),
}

#[derive(Debug, thiserror::Error)]
#[error("{0:?} is a container and a network")]
pub(crate) struct Both(pub(crate) String);

/// What has that name or id. A name counts more than the beginning of an id.
pub(crate) fn find(place: &Place, catalog: &Catalog, wanted: &str) -> Result<Named, Unclear> {
    let container = match place.store().find(wanted) {
        Ok(container) => Ok(container),
        Err(error) if error.is_absence() => Err(error),
        // It may be what is meant.
        Err(error) => return Err(Unclear::Neither(Failure::with(error, FindError::hint))),
    };
    match (container, place.network(catalog, wanted)) {
        (Ok(container), Err(_)) => Ok(Named::Container(Box::new(container))),
        (Err(_), Ok(network)) => Ok(Named::Network(Box::new(network))),
        (Ok(container), Ok(network)) => {
            let by_name = (container.name().as_str() == wanted, network.name().as_str() == wanted);
            match by_name {
                (true, false) => Ok(Named::Container(Box::new(container))),
                (false, true) => Ok(Named::Network(Box::new(network))),
                _ => Err(Unclear::Both),
            }
        }
        (Err(error), Err(failure)) => Err(Unclear::Neither(match error {
            FindError::Absent { nearest: Some(_), .. } => Failure::with(error, FindError::hint),
            _ => failure,
        })),
    }
}
