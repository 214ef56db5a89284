//! `netctl netns set` and `list-id`: the numbers by which this namespace knows others.

use std::fmt;
use std::str::FromStr;

use netns::nsid::{self, Choice, Entry, Ids, Nsid};
use netns::{Directory, Name};
use serde::Serialize;

use super::{list, names};
use crate::output::Output;
use crate::report::Failure;

/// Give a namespace the id that this namespace knows it by
#[derive(Debug, clap::Args)]
#[command(
    allow_negative_numbers = true,
    after_help = "An id is given once and stays.\n\nExamples:\n  netctl netns set blue 7\n  netctl netns set blue auto"
)]
pub(crate) struct Set {
    /// The namespace
    #[arg(value_parser = names::parser())]
    name: Name,
    /// The id, or `auto` for the lowest free one
    #[arg(value_name = "NETNSID", value_parser = choice)]
    id: Choice,
}

/// List the namespaces that this namespace has an id for, with or without a name
#[derive(Debug, clap::Args)]
#[command(
    allow_negative_numbers = true,
    override_usage = "netctl netns list-id [target-nsid NSID] [nsid NSID]",
    after_help = "Examples:\n  netctl netns list-id\n  netctl netns list-id target-nsid 7"
)]
pub(crate) struct ListId {
    /// List what the namespace with this id here has ids for
    #[arg(long, value_name = "NSID")]
    target_nsid: Option<Nsid>,
    /// Show only the namespace that has this id here
    #[arg(long, value_name = "NSID")]
    nsid: Option<Nsid>,
}

fn choice(text: &str) -> Result<Choice, nsid::InvalidNsid> {
    match text {
        "auto" => Ok(Choice::Auto),
        number => Nsid::from_str(number).map(Choice::Exactly),
    }
}

impl Set {
    pub(crate) fn run(self, directory: &Directory) -> Result<(), Failure> {
        let netns = names::open(directory, &self.name)?;
        Ok(Ids::open()?.assign(&netns, self.id)?)
    }
}

#[derive(Serialize)]
struct Row {
    nsid: u32,
    #[serde(rename = "current-nsid", skip_serializing_if = "Option::is_none")]
    current: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// Whether the id is another namespace's, so that one wants to know whether it has one here, too.
    #[serde(skip)]
    is_foreign: bool,
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "nsid {}", self.nsid)?;
        match self.current {
            Some(current) => write!(f, " current-nsid {current}")?,
            None if self.is_foreign => f.write_str(" current-nsid unassigned")?,
            None => {}
        }
        match &self.name {
            Some(name) => write!(f, " (iproute2 netns name: {name})"),
            None => Ok(()),
        }
    }
}

impl ListId {
    pub(crate) fn run(self, directory: &Directory, output: &mut Output) -> Result<(), Failure> {
        let ids = Ids::open()?;
        let entries = match self.nsid {
            Some(nsid) => vec![ids.entry(nsid, self.target_nsid)?],
            None => ids.list(self.target_nsid)?,
        };
        let named = named(directory, &ids)?;
        let row = |entry: Entry| {
            let here = if self.target_nsid.is_some() { entry.current } else { Some(entry.nsid) };
            let name = named.iter().find(|(nsid, _)| Some(*nsid) == here).map(|(_, name)| name.to_string());
            let (nsid, current) = (entry.nsid.number(), entry.current.map(Nsid::number));
            Row { nsid, current, name, is_foreign: self.target_nsid.is_some() }
        };
        let mut rows: Vec<Row> = entries.into_iter().map(row).collect();
        rows.sort_by_key(|row| row.nsid);
        Ok(output.list(&rows)?)
    }
}

/// The namespaces that have both a name and an id here.
fn named(directory: &Directory, ids: &Ids) -> Result<Vec<(Nsid, Name)>, Failure> {
    let mut named = Vec::new();
    for (name, netns) in list::opened(directory)? {
        let Some(netns) = netns else { continue };
        named.extend(ids.find(&netns)?.map(|nsid| (nsid, name)));
    }
    Ok(named)
}
