//! `netctl reload`: put back what somebody flushed.

use std::fmt;
use std::process::ExitCode;

use ::cni::{Cause, Failure as Fault};
use clap::Args;
use network::{Attached, Fate};
use serde::Serialize;

use crate::output::Output;
use crate::report::{self, Failure};
use crate::roots::KeptResults;

/// Put back what somebody flushed: rules, published ports and settings of all attachments
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Reload {
    #[command(flatten)]
    kept: KeptResults,
    /// Reload only the attachments of these networks
    #[arg(value_name = "NETWORK")]
    networks: Vec<String>,
}

const EXAMPLES: &str = "\
After `nft flush ruleset`, a reload of the firewall or of the settings in /etc/sysctl.d, containers go on running, but
their ports and their way out are gone. What ADD answered is kept in the cache of every runtime; from there each
attachment gets back what is missing. Nothing is touched that is in place. Attachments whose container is gone are left
to DEL and GC.

Examples:
  netctl reload
  netctl reload mynet
  netctl reload --json | jq '.[] | select(.outcome != \"as it was\")'

Exit codes:
  0  everything is in place
  1  something could not be put back; the reason is on standard error
  2  the command line cannot be understood";

/// An attachment, and what became of it.
#[derive(Serialize)]
struct Row {
    network: String,
    container: String,
    interface: String,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}: {}", self.network, self.container, self.interface, self.outcome)
    }
}

impl Reload {
    pub(crate) fn run(self, output: &mut Output) -> Result<ExitCode, Failure> {
        let is_meant = |network: &vocab::NetworkName| {
            self.networks.is_empty() || self.networks.iter().any(|name| name == network.as_str())
        };
        let attached = self.kept.runtime().reload(is_meant)?;
        let mut code = ExitCode::SUCCESS;
        let mut rows = Vec::with_capacity(attached.len());
        for Attached { network, attachment, fate } in attached {
            let (outcome, error) = match fate {
                Ok(Fate::AsItWas) => ("as it was", None),
                Ok(Fate::PutBack) => ("put back", None),
                Ok(Fate::Gone) => ("gone", None),
                Err(error) => {
                    let failure = Fault::from(error);
                    let (text, hint) = (failure.to_string(), failure.hint());
                    report::failure(&Failure::from(Cause::from(failure)).hint(hint));
                    code = ExitCode::FAILURE;
                    ("failed", Some(text))
                }
            };
            rows.push(Row {
                network: network.to_string(),
                container: attachment.container.to_string(),
                interface: attachment.interface.to_string(),
                outcome,
                error,
            });
        }
        output.list(&rows)?;
        Ok(code)
    }
}
