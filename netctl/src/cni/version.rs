//! `netctl cni version`.

use std::fmt;
use std::process::ExitCode;

use clap::Args;
use cni::{ErrorObject, Failure};
use network::{Place, Speaker};
use serde::Serialize;

use super::answer::Answer;
use super::network::NetworkArg;
use super::trouble::{self, Trouble};
use crate::network::place;
use crate::output::Output;
use crate::report;

/// Show the plugins of a network: where they are, and which versions they speak
#[derive(Debug, Args)]
pub(super) struct Version {
    #[command(flatten)]
    network: NetworkArg,
}

/// One plugin.
#[derive(Serialize)]
pub(super) struct Row {
    r#type: String,
    #[serde(rename = "inProcess")]
    in_process: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    versions: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ErrorObject>,
    #[serde(skip)]
    failure: Option<Failure>,
}

impl From<Speaker> for Row {
    fn from(speaker: Speaker) -> Self {
        let (versions, failure) = match speaker.versions {
            Ok(versions) => (versions, None),
            Err(reason) => (Vec::new(), Some(Failure::from(reason))),
        };
        let file = match &speaker.place {
            Some(Place::File(file)) => Some(file.display().to_string()),
            Some(Place::InProcess) | None => None,
        };
        Self {
            r#type: speaker.kind,
            in_process: speaker.place == Some(Place::InProcess),
            file,
            versions,
            error: failure.as_ref().map(Failure::object),
            failure,
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = match &self.file {
            Some(file) => file,
            None if self.in_process => "in netctl",
            None => "nowhere",
        };
        let versions = match self.versions.is_empty() {
            true => "unknown".to_owned(),
            false => self.versions.join(", "),
        };
        write!(f, "{kind:<15} {place:<26} {versions}", kind = self.r#type)
    }
}

impl Version {
    pub(super) fn run(self, place: &place::Place) -> Result<Answer, Trouble> {
        let list = self.network.find(place)?;
        let speakers = place.roots.runtime().versions(&list);
        Ok(Answer::Plugins(speakers.into_iter().map(Row::from).collect()))
    }
}

/// Prints the plugins, then what is wrong with some of them.
pub(super) fn print(rows: Vec<Row>, output: &mut Output) -> Result<ExitCode, report::Failure> {
    output.list(&rows)?;
    output.finish()?;
    let failures: Vec<Failure> = rows.into_iter().filter_map(|row| row.failure).collect();
    let code = if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    if !output.is_json() {
        failures.into_iter().for_each(trouble::tell);
    }
    Ok(code)
}
