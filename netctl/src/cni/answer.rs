//! What a verb has to say when it succeeds.

use std::process::ExitCode;

use cni::{ResultError, Success, Version};
use serde_json::{Value, json};

use super::version::Row;
use crate::output::Output;
use crate::report::Failure;

pub(super) enum Answer {
    /// Nothing: no news is good news.
    Nothing,
    /// What ADD made, as text and as a value.
    Added(String, Value),
    /// The plugins of a network.
    Plugins(Vec<Row>),
}

impl Answer {
    /// A result in the version that the network asks for.
    pub(super) fn added(result: &Success, version: Version) -> Result<Self, ResultError> {
        let text = String::from_utf8_lossy(&result.write(version)?).into_owned();
        Ok(Self::Added(text, result.to_value(version)?))
    }

    pub(super) fn print(self, output: &mut Output) -> Result<ExitCode, Failure> {
        match self {
            Self::Nothing if output.is_json() => output.json(&json!({}))?,
            Self::Nothing => {}
            Self::Added(_, value) if output.is_json() => output.json(&value)?,
            Self::Added(text, _) => output.line(text)?,
            Self::Plugins(rows) => return super::version::print(rows, output),
        }
        Ok(ExitCode::SUCCESS)
    }
}
