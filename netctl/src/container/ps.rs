//! `netctl ps`

use std::process::ExitCode;

use clap::Args;
use images::Reference;
use jiff::Timestamp;
use runner::{Container, Engine, Mode, Source, State, Status, networks};
use serde::Serialize;

use super::place::Place;
use super::words::ask;
use crate::output::{Format, Output};
use crate::report::{self, Failure};
use crate::several::list_by_template;
use crate::times::{ago, span};

/// List containers: those that run, or all
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Ps {
    /// Those that do not run, too
    #[arg(short, long)]
    all: bool,
    /// Print ids only
    #[arg(short, long)]
    quiet: bool,
    /// Print ids and commands in full
    #[arg(long)]
    no_trunc: bool,
    /// Only those of which that is true: name, id, status, network, ancestor, label, exited
    #[arg(short, long, value_name = "KEY=VALUE")]
    filter: Vec<String>,
    /// Only the last so many that were made
    #[arg(short = 'n', long, value_name = "NUMBER")]
    last: Option<usize>,
    /// Only the last one that was made
    #[arg(short, long)]
    latest: bool,
    /// Print it so: table, json, or a template of Go's such as '{{.Names}}: {{.Ports}}'
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,
    #[command(flatten)]
    place: Place,
}

const HELP: &str = "\
Examples:
  netctl ps -a
  netctl ps -q --filter network=mybr0 --filter label=tier=web
  netctl ps --format '{{.Names}} {{.Networks}} {{.Ports}}'

Exit codes:
  0  done
  1  failed; the reason is on standard error
  2  the command line cannot be understood";

/// A container in a list, by Docker's names.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Row {
    #[serde(rename = "ID")]
    id: String,
    image: String,
    command: String,
    running_for: String,
    created_at: String,
    status: String,
    state: String,
    ports: String,
    names: String,
    networks: String,
    labels: String,
}

const TITLES: [(&str, &str); 4] =
    [("ID", "CONTAINER ID"), ("RunningFor", "CREATED"), ("CreatedAt", "CREATED AT"), ("Names", "NAMES")];
const STANDARD: &str =
    "table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}";

impl Ps {
    pub(crate) fn run(self, output: &mut Output) -> Result<ExitCode, Failure> {
        let engine = self.place.engine();
        let filters = self.filter.iter().map(|text| Filter::read(text)).collect::<Result<Vec<_>, _>>()?;
        let rows = self.rows(&engine, &filters)?;
        match self.format.as_deref() {
            None | Some("table" | "") => {}
            Some("json") => output.heed(Format::Json),
            Some(text) => return list_by_template(text, STANDARD, &TITLES, &rows, output),
        }
        if output.is_json() {
            output.json(&rows)?;
        } else if self.quiet {
            rows.iter().try_for_each(|row| output.line(&row.id))?;
        } else {
            let cells = rows.into_iter().map(|row| {
                [row.id, row.image, row.command, row.running_for, row.status, row.ports, row.names]
            });
            output
                .table(["container id", "image", "command", "created", "status", "ports", "names"], cells)?;
        }
        Ok(ExitCode::SUCCESS)
    }

    fn rows(&self, engine: &Engine, filters: &[Filter]) -> Result<Vec<Row>, Failure> {
        let (containers, broken) = engine.store.list()?;
        broken.iter().for_each(|error| report::warning(error, None));
        let last = if self.latest { Some(1) } else { self.last };
        let all = self.all || last.is_some() || filters.iter().any(|filter| filter.is_about_state());
        let (mut rows, now) = (Vec::new(), Timestamp::now());
        for container in containers {
            if last.is_some_and(|last| rows.len() >= last) {
                break;
            }
            let state = match engine.state(&container) {
                // It was removed meanwhile.
                Err(runner::AskError::File(error)) if error.is_absence() => continue,
                Err(error) => {
                    report::failure(&ask(error));
                    continue;
                }
                Ok(state) => state,
            };
            let runs = matches!(state.status, Status::Running | Status::Paused | Status::Starting);
            if (all || runs) && filters.iter().all(|filter| filter.fits(&container, &state)) {
                rows.push(self.row(&container, &state, now));
            }
        }
        Ok(rows)
    }

    fn row(&self, container: &Container, state: &State, now: Timestamp) -> Row {
        let config = container.config();
        let command: Vec<&str> =
            config.program.entrypoint.iter().chain(&config.program.cmd).map(String::as_str).collect();
        let command = command.join(" ");
        let cut = |text: String| match text.char_indices().nth(20) {
            Some((at, _)) if !self.no_trunc => format!("{}…", &text[..at - 1]),
            _ => text,
        };
        Row {
            id: if self.no_trunc { config.id.to_string() } else { config.id.short().to_owned() },
            image: image_of(&config.source),
            command: format!("{:?}", cut(command)),
            running_for: ago(config.created.parse().ok(), now),
            created_at: config.created.clone(),
            status: status(state, now),
            state: word(state.status).to_owned(),
            ports: networks::summary(config, &state.attached),
            names: config.name.to_string(),
            networks: networks_of(&config.mode).join(","),
            labels: config
                .labels
                .iter()
                .map(|(key, value)| format!("{key}={value}"))
                .collect::<Vec<_>>()
                .join(","),
        }
    }
}

/// What its root file system is made of, for people.
pub(super) fn image_of(source: &Source) -> String {
    match source {
        Source::Image(used) => match used.name.parse::<Reference>() {
            Ok(name) => name.short(),
            Err(_) => used.name.clone(),
        },
        Source::Folder(folder) => folder.display().to_string(),
    }
}

/// The networks that it is on, or the mode.
fn networks_of(mode: &Mode) -> Vec<String> {
    match mode {
        Mode::Networks(memberships) => memberships.iter().map(|one| one.network.to_string()).collect(),
        Mode::Host => vec!["host".to_owned()],
        Mode::None => vec!["none".to_owned()],
        Mode::Container(id) => vec![format!("container:{}", id.short())],
        Mode::Namespace(path) => vec![format!("ns:{}", path.display())],
    }
}

/// What a container is doing, in Docker's words.
pub(super) const fn word(status: Status) -> &'static str {
    match status {
        Status::Created => "created",
        Status::Starting => "restarting",
        Status::Running => "running",
        Status::Paused => "paused",
        Status::Exited => "exited",
    }
}

fn status(state: &State, now: Timestamp) -> String {
    let since = |time: Option<&String>| time.and_then(|time| time.parse::<Timestamp>().ok());
    match state.status {
        Status::Created => "Created".to_owned(),
        Status::Starting => "Starting".to_owned(),
        Status::Running => format!("Up {}", span(since(state.started.as_ref()), now)),
        Status::Paused => format!("Up {} (Paused)", span(since(state.started.as_ref()), now)),
        Status::Exited => {
            let ended = state.ended.clone().unwrap_or_default();
            format!("Exited ({}) {}", ended.code, ago(ended.at.parse().ok(), now))
        }
    }
}

/// What is to be true of a container.
enum Filter {
    Name(String),
    Id(String),
    Status(String),
    Network(String),
    Ancestor(String),
    Label(String),
    Exited(u8),
}

#[derive(Debug, thiserror::Error)]
#[error("--filter {0:?}: expected name, id, status, network, ancestor, label or exited, then = and a value")]
struct InvalidFilter(String);

impl Filter {
    fn read(text: &str) -> Result<Self, Failure> {
        let wrong = || Failure::from(InvalidFilter(text.to_owned()));
        let (key, value) = text.split_once('=').ok_or_else(wrong)?;
        let value = value.to_owned();
        Ok(match key {
            "name" => Self::Name(value),
            "id" => Self::Id(value),
            "status" => Self::Status(value),
            "network" => Self::Network(value),
            "ancestor" => Self::Ancestor(value),
            "label" => Self::Label(value),
            "exited" => Self::Exited(value.parse().map_err(|_| wrong())?),
            _ => return Err(wrong()),
        })
    }

    const fn is_about_state(&self) -> bool {
        matches!(self, Self::Status(_) | Self::Exited(_))
    }

    fn fits(&self, container: &Container, state: &State) -> bool {
        let config = container.config();
        match self {
            Self::Name(part) => config.name.as_str().contains(part.as_str()),
            Self::Id(begin) => config.id.as_str().starts_with(begin.as_str()),
            Self::Status(wanted) => word(state.status) == wanted,
            Self::Network(wanted) => networks_of(&config.mode).contains(wanted),
            Self::Ancestor(wanted) => {
                let is_id = matches!(&config.source, Source::Image(used) if used.id.trim_start_matches("sha256:").starts_with(wanted.as_str()));
                is_id
                    || image_of(&config.source) == *wanted
                    || image_of(&config.source).split(':').next() == Some(wanted.as_str())
            }
            Self::Label(wanted) => match wanted.split_once('=') {
                Some((key, value)) => config.labels.get(key).is_some_and(|known| known == value),
                None => config.labels.contains_key(wanted),
            },
            Self::Exited(code) => {
                state.status == Status::Exited
                    && state.ended.as_ref().is_some_and(|ended| ended.code == *code)
            }
        }
    }
}
