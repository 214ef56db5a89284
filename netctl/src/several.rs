//! Commands about several things, one after the other: what fails with one is told, and the others are done.

use std::process::ExitCode;

use serde::Serialize;
use serde_json::Value;
use template::{Listing, Template};

use crate::output::Output;
use crate::report::{self, Failure};

/// Removes what the words name, and prints what is gone: `remove` gives its name, or nothing for what was not there.
pub(crate) fn remove_each(
    words: &[String],
    output: &mut Output,
    mut remove: impl FnMut(&str) -> Result<Option<String>, Failure>,
) -> Result<ExitCode, Failure> {
    let (mut code, mut gone) = (ExitCode::SUCCESS, Vec::new());
    for word in words {
        match remove(word) {
            Ok(Some(name)) => {
                if !output.is_json() {
                    output.line(&name)?;
                }
                gone.push(name);
            }
            Ok(None) => {}
            Err(failure) => {
                report::failure(&failure);
                code = ExitCode::FAILURE;
            }
        }
    }
    if output.is_json() {
        output.json(&gone)?;
    }
    Ok(code)
}

/// Shows in full what the words name: as JSON, or of each what a template says.
pub(crate) fn inspect_each<T: Serialize>(
    words: &[String],
    format: Option<&str>,
    output: &mut Output,
    mut show: impl FnMut(&str) -> Result<T, Failure>,
) -> Result<ExitCode, Failure> {
    let template =
        format.filter(|format| *format != "json").map(Template::parse).transpose().map_err(told)?;
    let (mut code, mut found) = (ExitCode::SUCCESS, Vec::new());
    for word in words {
        match show(word) {
            Ok(shown) => found.push(shown),
            Err(failure) => {
                report::failure(&failure);
                code = ExitCode::FAILURE;
            }
        }
    }
    match template {
        None if output.is_json() => output.json(&found)?,
        // For people it is the same, only indented.
        None => output.line(serde_json::to_string_pretty(&found)?)?,
        Some(template) => {
            for shown in &found {
                output.line(template.render(&serde_json::to_value(shown)?).map_err(told)?)?;
            }
        }
    }
    Ok(code)
}

/// Prints rows by a template of Go's; `standard` is what `table` alone would mean, `titles` what columns are called.
pub(crate) fn list_by_template<R: Serialize>(
    text: &str,
    standard: &str,
    titles: &[(&str, &str)],
    rows: &[R],
    output: &mut Output,
) -> Result<ExitCode, Failure> {
    let rows: Vec<Value> = rows.iter().map(serde_json::to_value).collect::<Result<_, _>>()?;
    let listing = Listing::parse(text, standard).map_err(told)?;
    output.text(listing.render(&rows, titles).map_err(told)?.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

fn told(error: template::Error) -> Failure {
    Failure::with(error, template::Error::hint)
}
