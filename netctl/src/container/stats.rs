//! `netctl stats`

use std::process::ExitCode;
use std::thread::sleep;
use std::time::{Duration, Instant};

use clap::Args;
use runner::{Container, Status, Usage};
use serde::Serialize;

use super::place::Place;
use super::words::ask;
use crate::output::Output;
use crate::report::Failure;

/// Over how long processor time is measured.
const SPAN: Duration = Duration::from_millis(500);

/// Show what containers use
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Stats {
    /// The containers: names, or ids of which the first digits are enough [default: all that run]
    #[arg(value_name = "CONTAINER")]
    containers: Vec<String>,
    /// Show it once, and not again and again
    #[arg(long)]
    no_stream: bool,
    #[command(flatten)]
    place: Place,
}

const HELP: &str = "\
CPU is what was used of one processor in the last half second: 200 % is two of them. MEMORY is without files that are only
cached.

Examples:
  netctl stats --no-stream
  netctl stats web

Exit codes:
  0  done
  1  failed; the reason is on standard error
  2  the command line cannot be understood";

/// What a container uses.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Row {
    #[serde(rename = "ID")]
    id: String,
    name: String,
    #[serde(rename = "CPUPerc")]
    cpu: String,
    memory: u64,
    memory_limit: Option<u64>,
    #[serde(rename = "PIDs")]
    pids: u64,
    block_read: u64,
    block_written: u64,
}

impl Stats {
    pub(crate) fn run(self, output: &mut Output) -> Result<ExitCode, Failure> {
        loop {
            let rows = self.measure()?;
            if output.is_json() {
                output.json(&rows)?;
            } else {
                let size = crate::sizes::size;
                let cells = rows.into_iter().map(|row| {
                    let limit = row.memory_limit.map_or("-".to_owned(), size);
                    [
                        row.id,
                        row.name,
                        row.cpu,
                        size(row.memory),
                        limit,
                        row.pids.to_string(),
                        size(row.block_read),
                        size(row.block_written),
                    ]
                });
                output.table(
                    ["container id", "name", "cpu", "memory", "limit", "pids", "read", "written"],
                    cells,
                )?;
            }
            output.finish()?;
            if self.no_stream {
                return Ok(ExitCode::SUCCESS);
            }
            sleep(SPAN);
        }
    }

    fn measure(&self) -> Result<Vec<Row>, Failure> {
        let engine = self.place.engine();
        let containers: Vec<Container> = match self.containers.as_slice() {
            [] => engine.store.list()?.0,
            names => names.iter().map(|name| self.place.find(name)).collect::<Result<_, _>>()?,
        };
        let mut running = Vec::new();
        for container in containers {
            match engine.state(&container).map_err(ask)?.status {
                Status::Running | Status::Paused => running.push(container),
                _ if self.containers.is_empty() => {}
                _ => return Err(ask(runner::AskError::NotRunning(container.name().clone()))),
            }
        }
        let usage = |container: &Container| engine.usage(container).map_err(ask);
        let before: Vec<Usage> = running.iter().map(usage).collect::<Result<_, _>>()?;
        let since = Instant::now();
        sleep(SPAN);
        let mut rows = Vec::new();
        for (container, before) in running.iter().zip(before) {
            let after = usage(container)?;
            #[allow(clippy::cast_precision_loss, reason = "a percentage with two digits")]
            let share = after.cpu.saturating_sub(before.cpu) as f64 / since.elapsed().as_nanos() as f64;
            rows.push(Row {
                id: container.id().short().to_owned(),
                name: container.name().to_string(),
                cpu: format!("{:.2}%", share * 100.0),
                memory: after.memory,
                memory_limit: after.memory_limit,
                pids: after.pids,
                block_read: after.read,
                block_written: after.written,
            });
        }
        Ok(rows)
    }
}
