//! `netctl reload`: put back what a reboot or somebody's flush took.

use std::fmt;
use std::process::ExitCode;

use ::cni::{Fault, Reloaded};
use catalog::View;
use clap::Args;
use network::{Attached, Fate, FolderError, Reason, Runtime};
use serde::Serialize;
use vocab::{Attachment, NetworkName};

use crate::network::place::tell_of_broken;
use crate::output::Output;
use crate::report::{self, Failure};
use crate::roots::Roots;

/// Put back what a reboot or a flush took: bridges, addresses, rules, published ports and settings
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Reload {
    #[command(flatten)]
    roots: Roots,
    /// Reload only these networks and their attachments
    #[arg(value_name = "NETWORK")]
    networks: Vec<String>,
}

const EXAMPLES: &str = "\
After a reboot the networks that `netctl create` made are files without bridges. After `nft flush ruleset`, a reload of
the firewall or of the settings in /etc/sysctl.d, or `ip link delete`, containers go on running, but their ports and
their way out are gone. What ADD answered is kept in the cache of every runtime; from there each attachment gets back
what is missing. Nothing is touched that is in place. Attachments whose container is gone are left to DEL and GC.

Examples:
  netctl reload
  netctl reload mynet
  netctl reload --json | jq '.[] | select(.outcome != \"as it was\")'

Exit codes:
  0  everything is in place
  1  something could not be put back; the reason is on standard error
  2  the command line cannot be understood";

/// A network or an attachment to it, and what became of it.
#[derive(Serialize)]
struct Row {
    network: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    container: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    interface: Option<String>,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.network)?;
        for word in [&self.container, &self.interface].into_iter().flatten() {
            write!(f, "/{word}")?;
        }
        write!(f, ": {}", self.outcome)
    }
}

impl Reload {
    pub(crate) fn run(self, output: &mut Output) -> Result<ExitCode, Failure> {
        let runtime = self.roots.kept().runtime();
        let mut rows = self.networks(&runtime)?;
        rows.extend(self.attachments(&runtime)?);
        output.list(&rows)?;
        let has_failed = rows.iter().any(|row| row.error.is_some());
        Ok(if has_failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }

    fn is_meant(&self, network: &NetworkName) -> bool {
        self.networks.is_empty() || self.networks.iter().any(|name| name == network.as_str())
    }

    /// What networks have without containers: those that we made, for of others nobody knows whether they want it.
    fn networks(&self, runtime: &Runtime) -> Result<Vec<Row>, Failure> {
        let folder = self.roots.folder();
        let mut rows = Vec::new();
        for list in folder.lists().map_err(Failure::of)? {
            let list = match list {
                Ok(list) => list,
                Err(error) => {
                    tell_of_broken(&[error]);
                    continue;
                }
            };
            if !self.is_meant(list.name()) || !View::of(&list).is_ours {
                continue;
            }
            match runtime.raise_if(&list, || folder.confirm(&list)) {
                Err(errors) if errors.iter().any(is_removed) => {}
                raised => rows.push(row(list.name(), None, raised.map(word_of))),
            }
        }
        Ok(rows)
    }

    fn attachments(&self, runtime: &Runtime) -> Result<Vec<Row>, Failure> {
        let attached = runtime.reload(|network| self.is_meant(network)).map_err(Failure::of)?;
        let outcome = |attached: Attached| {
            let fate = attached.fate.map(|fate| match fate {
                Fate::AsItWas => word_of(Reloaded::AsItWas),
                Fate::PutBack => word_of(Reloaded::PutBack),
                Fate::Gone => "gone",
            });
            row(&attached.network, Some(&attached.attachment), fate)
        };
        Ok(attached.into_iter().map(outcome).collect())
    }
}

/// Whether somebody has removed the network meanwhile: there is nothing to put back then.
fn is_removed(error: &network::Error) -> bool {
    matches!(error.reason, Reason::Folder(FolderError::NotFound { .. }) | Reason::Replaced)
}

fn word_of(reloaded: Reloaded) -> &'static str {
    match reloaded {
        Reloaded::AsItWas => "as it was",
        Reloaded::PutBack => "put back",
    }
}

/// The row of an outcome; what failed is told at once.
fn row(
    network: &NetworkName,
    attachment: Option<&Attachment>,
    outcome: Result<&'static str, impl Fault>,
) -> Row {
    let (outcome, error) = match outcome {
        Ok(word) => (word, None),
        Err(error) => {
            let failure = Failure::of(error);
            report::failure(&failure);
            ("failed", Some(failure.in_full()))
        }
    };
    Row {
        network: network.to_string(),
        container: attachment.map(|attachment| attachment.container.to_string()),
        interface: attachment.map(|attachment| attachment.interface.to_string()),
        outcome,
        error,
    }
}
