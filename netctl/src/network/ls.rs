//! `netctl ls`

use std::collections::{BTreeMap, HashMap};
use std::process::ExitCode;

use catalog::{Network, NetworkId};
use clap::Args;
use cni::Fault;
use serde::Serialize;
use subnet::Family;

use super::filter::{self, Filter};
use super::place::{Place, tell_of_broken};
use crate::output::{Format, Output};
use crate::report::{self, Failure};
use crate::several::list_by_template;

/// List the networks
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Ls {
    /// Only those that fit: name=PART, driver=NAME, label=KEY[=VALUE], type=custom|builtin, dangling=BOOL, id=DIGITS
    #[arg(short, long, value_name = "KEY=VALUE")]
    filter: Vec<Filter>,
    /// Print it so: table, json, or a template of Go's such as '{{.Name}}: {{.Driver}}'
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,
    /// Print ids only
    #[arg(short, long)]
    quiet: bool,
    /// Print ids in full
    #[arg(long)]
    no_trunc: bool,
    #[command(flatten)]
    place: Place,
}

const HELP: &str = "\
CONTAINERS are those that are there now, whichever runtime attached them.

Examples:
  netctl ls
  netctl ls --filter driver=bridge --filter label=tier=web
  netctl ls -q --filter dangling=true
  netctl ls --format json | jq -r '.[].Name'
  netctl ls --format 'table {{.Name}}\\t{{.Subnets}}'

Exit codes:
  0  done
  1  failed; the reason is on standard error
  2  the command line cannot be understood";

/// A network in a list, by Docker's names.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Row {
    #[serde(rename = "ID")]
    id: String,
    name: String,
    driver: String,
    scope: &'static str,
    #[serde(rename = "IPv4")]
    ipv4: bool,
    #[serde(rename = "IPv6")]
    ipv6: bool,
    internal: bool,
    subnets: Vec<String>,
    labels: BTreeMap<String, String>,
    created_at: String,
    containers: usize,
    file: Option<String>,
}

/// The titles of columns that are not called like their field.
const TITLES: [(&str, &str); 2] = [("ID", "NETWORK ID"), ("CreatedAt", "CREATED AT")];
/// What `--format table` alone would mean to the templates; it never reaches them.
const STANDARD: &str = "table {{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.Scope}}";

impl Ls {
    pub(crate) fn run(self, output: &mut Output) -> Result<ExitCode, Failure> {
        let catalog = self.place.catalog();
        let listing = catalog.list().map_err(Failure::of)?;
        tell_of_broken(&listing.broken);
        if let Some(error) = &listing.without_bridge {
            report::warning(error, error.hint().as_deref());
        }
        let mut members: HashMap<String, usize> = HashMap::new();
        for member in catalog.all_members().map_err(Failure::of)?.iter().filter(|member| member.is_standing) {
            *members.entry(member.network.to_string()).or_default() += 1;
        }
        let count = |network: &Network| members.get(network.name().as_str()).copied().unwrap_or(0);
        let is_meant = |network: &&Network| filter::accepts(&self.filter, network, count(network));
        let rows: Vec<Row> = listing
            .networks
            .iter()
            .filter(is_meant)
            .map(|network| self.row(network, count(network)))
            .collect();
        match self.format.as_deref() {
            None | Some("table" | "") => {}
            // One array, as with -o json: a program reads it in one piece.
            Some("json") => output.heed(Format::Json),
            Some(text) => return list_by_template(text, STANDARD, &TITLES, &rows, output),
        }
        if output.is_json() {
            output.json(&rows)?;
        } else if self.quiet {
            rows.iter().try_for_each(|row| output.line(&row.id))?;
        } else {
            let cells = rows.into_iter().map(|row| {
                [row.id, row.name, row.driver, row.subnets.join(", "), row.containers.to_string()]
            });
            output.table(["network id", "name", "driver", "subnets", "containers"], cells)?;
        }
        Ok(ExitCode::SUCCESS)
    }

    fn row(&self, network: &Network, containers: usize) -> Row {
        let view = &network.view;
        Row {
            id: self.shown(&network.id),
            name: network.name().to_string(),
            driver: view.driver.clone(),
            scope: "local",
            ipv4: view.has_family(Family::V4),
            ipv6: view.has_family(Family::V6),
            internal: view.is_internal,
            subnets: view.subnets.iter().map(|subnet| subnet.subnet.to_string()).collect(),
            labels: view.labels.clone(),
            created_at: view.created.clone().unwrap_or_default(),
            containers,
            file: network.file().map(|file| file.display().to_string()),
        }
    }

    fn shown(&self, id: &NetworkId) -> String {
        if self.no_trunc { id.to_string() } else { id.short().to_owned() }
    }
}
