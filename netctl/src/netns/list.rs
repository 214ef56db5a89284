//! `netctl netns list`

use std::fmt;

use netns::nsid::{Ids, Nsid};
use netns::{Directory, Name, Netns};
use serde::Serialize;

use super::names;
use crate::output::Output;
use crate::report::{self, Failure};

/// List the namespaces, each with the id that this namespace knows it by
#[derive(Debug, clap::Args)]
pub(crate) struct List {}

#[derive(Serialize)]
struct Row {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<u32>,
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.id {
            Some(id) => write!(f, "{} (id: {id})", self.name),
            None => f.write_str(&self.name),
        }
    }
}

impl List {
    pub(crate) fn run(self, directory: &Directory, output: &mut Output) -> Result<(), Failure> {
        let ids = Ids::open()?;
        let mut rows = Vec::new();
        for (name, netns) in opened(directory)? {
            let id = netns.map(|netns| ids.find(&netns)).transpose()?.flatten();
            rows.push(Row { name: name.to_string(), id: id.map(Nsid::number) });
        }
        Ok(output.list(&rows)?)
    }
}

/// All names, each with its namespace, which is opened when it is its turn: there may be more namespaces than
/// a process may have open files. A name without one is told of, and may then be deleted.
pub(crate) fn opened(directory: &Directory) -> Result<impl Iterator<Item = (Name, Option<Netns>)>, Failure> {
    let open = move |name: Name| match directory.open(&name) {
        Ok(netns) => Some((name, Some(netns))),
        // Deleted since the directory was read.
        Err(netns::Error::Missing { .. }) if directory.path_of(&name).symlink_metadata().is_err() => None,
        Err(error) => {
            let hint = error.is_gone().then(|| names::delete(&name));
            report::warning(&error, hint.as_deref());
            Some((name, None))
        }
    };
    Ok(directory.names()?.into_iter().filter_map(open))
}
