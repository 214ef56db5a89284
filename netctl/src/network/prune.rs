//! `netctl prune`

use std::collections::HashSet;
use std::io::{self, BufRead, Write};
use std::process::ExitCode;

use catalog::{Members, RetireError};
use clap::Args;

use super::filter::{self, Filter};
use super::place::Place;
use crate::output::Output;
use crate::report::{self, Failure};

/// Remove all networks that netctl made and nobody is on
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Prune {
    /// Do not ask
    #[arg(short, long)]
    force: bool,
    /// Only those that fit: label=KEY[=VALUE], label!=KEY, until=TIME, name=PART
    #[arg(long, value_name = "KEY=VALUE")]
    filter: Vec<Filter>,
    #[command(flatten)]
    place: Place,
}

const HELP: &str = "\
Networks that other programs made stay: nobody can tell whether those still want them.

Examples:
  netctl prune
  netctl prune -f --filter until=24h

Exit codes:
  0  done, or the answer was no
  1  failed for one of them; the reason is on standard error
  2  the command line cannot be understood";

impl Prune {
    pub(crate) fn run(self, output: &mut Output) -> Result<ExitCode, Failure> {
        if !self.force && !is_confirmed()? {
            if output.is_json() {
                output.json::<[&str; 0]>(&[])?;
            }
            return Ok(ExitCode::SUCCESS);
        }
        let catalog = self.place.catalog();
        let runtime = self.place.roots.runtime();
        let members = catalog.all_members().map_err(Failure::of)?;
        let used: HashSet<&str> = members
            .iter()
            .filter(|member| member.is_standing)
            .map(|member| member.network.as_str())
            .collect();
        let listing = catalog.list().map_err(Failure::of)?;
        let unused = listing.networks.iter().filter(|network| {
            let is_candidate = network.view.is_ours && !network.is_built_in();
            is_candidate
                && !used.contains(network.name().as_str())
                && filter::accepts(&self.filter, network, 0)
        });
        let mut code = ExitCode::SUCCESS;
        let mut gone: Vec<String> = Vec::new();
        for network in unused {
            match catalog.retire(&runtime, network, Members::Refuse) {
                Ok(()) => gone.push(network.name().to_string()),
                // Somebody came to it meanwhile.
                Err(RetireError::InUse { .. }) => {}
                Err(error) => {
                    report::failure(&Failure::of(error));
                    code = ExitCode::FAILURE;
                }
            }
        }
        match output.is_json() {
            true => output.json(&gone)?,
            false if gone.is_empty() => {}
            false => {
                output.line("Deleted Networks:")?;
                gone.iter().try_for_each(|name| output.line(name))?;
                output.line("")?;
            }
        }
        Ok(code)
    }
}

/// Asks on standard error, where no data goes. Whoever says nothing has not said yes.
fn is_confirmed() -> io::Result<bool> {
    let mut stderr = io::stderr().lock();
    writeln!(stderr, "This removes all networks that netctl made and nobody is on.")?;
    write!(stderr, "Go on? [y/N] ")?;
    stderr.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
