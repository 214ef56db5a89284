//! `netctl images`

use std::collections::HashSet;
use std::process::ExitCode;

use clap::Args;
use images::{Image, Reference};
use jiff::Timestamp;
use serde::Serialize;

use super::place::{self, Place};
use super::words::short;
use crate::output::{Format, Output};
use crate::report::Failure;
use crate::several::list_by_template;
use crate::sizes::size;
use crate::times::ago;

/// List the images
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Ls {
    /// Only those of that repository, or that name
    name: Option<String>,
    /// Print ids only
    #[arg(short, long)]
    quiet: bool,
    /// Print ids in full
    #[arg(long)]
    no_trunc: bool,
    /// Print it so: table, json, or a template of Go's such as '{{.Repository}}:{{.Tag}}'
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,
    #[command(flatten)]
    place: Place,
}

const HELP: &str = "\
An image with several names is listed by each of them. SIZE is what its files hold; layers are kept once, however many
images have them.

Examples:
  netctl images
  netctl images busybox
  netctl images -q --no-trunc
  netctl images --format '{{.Repository}}:{{.Tag}} {{.Size}}'

Exit codes:
  0  done
  1  failed; the reason is on standard error
  2  the command line cannot be understood";

/// What is shown where there is no name.
const NONE: &str = "<none>";

/// An image in a list, by Docker's names.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Row {
    #[serde(rename = "ID")]
    id: String,
    repository: String,
    tag: String,
    created_since: String,
    created_at: String,
    size: String,
    #[serde(skip)]
    order: Option<Timestamp>,
}

const TITLES: [(&str, &str); 3] =
    [("ID", "IMAGE ID"), ("CreatedSince", "CREATED"), ("CreatedAt", "CREATED AT")];
const STANDARD: &str = "table {{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}";

impl Ls {
    pub(crate) fn run(self, output: &mut Output) -> Result<ExitCode, Failure> {
        let images = self.place.store()?.images().map_err(place::of)?;
        let now = Timestamp::now();
        let mut rows: Vec<Row> = images.iter().flat_map(|image| self.rows(image, now)).collect();
        rows.sort_by(|a, b| {
            b.order.cmp(&a.order).then_with(|| (&a.repository, &a.tag).cmp(&(&b.repository, &b.tag)))
        });
        match self.format.as_deref() {
            None | Some("table" | "") => {}
            Some("json") => output.heed(Format::Json),
            Some(text) => return list_by_template(text, STANDARD, &TITLES, &rows, output),
        }
        if output.is_json() {
            output.json(&rows)?;
        } else if self.quiet {
            let mut told = HashSet::new();
            for row in rows.iter().filter(|row| told.insert(&row.id)) {
                output.line(&row.id)?;
            }
        } else {
            let cells =
                rows.into_iter().map(|row| [row.repository, row.tag, row.id, row.created_since, row.size]);
            output.table(["repository", "tag", "image id", "created", "size"], cells)?;
        }
        Ok(ExitCode::SUCCESS)
    }

    /// A row for each of its names; one without, if it has none.
    fn rows(&self, image: &Image, now: Timestamp) -> Vec<Row> {
        let created = image.configuration.created();
        let row = |name: Option<&Reference>| Row {
            id: if self.no_trunc { image.id.to_string() } else { short(&image.id) },
            repository: name.map_or_else(|| NONE.to_owned(), Reference::short_repository),
            tag: name.and_then(Reference::tag).unwrap_or(NONE).to_owned(),
            created_since: ago(created, now),
            created_at: image.configuration.created.clone().unwrap_or_default(),
            size: size(image.bytes()),
            order: created,
        };
        let is_meant = |name: &&Reference| match &self.name {
            None => true,
            Some(wanted) => [name.short_repository(), name.short(), name.to_string()].contains(wanted),
        };
        match image.names.as_slice() {
            [] if self.name.is_none() => vec![row(None)],
            names => names.iter().filter(is_meant).map(|name| row(Some(name))).collect(),
        }
    }
}
