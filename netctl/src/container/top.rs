//! `netctl top`

use std::fs;
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use super::place::Place;
use super::words::ask;
use crate::output::Output;
use crate::report::Failure;

/// List the processes of a container
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Top {
    /// The container: its name, or the first digits of its id
    container: String,
    #[command(flatten)]
    place: Place,
}

const HELP: &str = "\
PID is the number that the host knows a process by, INSIDE the one that the container does.

Examples:
  netctl top web

Exit codes:
  0  done
  1  the container does not run, or is not there; the reason is on standard error
  2  the command line cannot be understood";

/// A process.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Process {
    pid: i32,
    inside: i32,
    parent: i32,
    uid: u32,
    state: String,
    command: String,
}

impl Top {
    pub(crate) fn run(self, output: &mut Output) -> Result<ExitCode, Failure> {
        let container = self.place.find(&self.container)?;
        let pids = self.place.engine().processes(&container).map_err(ask)?;
        let processes: Vec<Process> = pids.into_iter().filter_map(process).collect();
        if output.is_json() {
            output.json(&processes)?;
            return Ok(ExitCode::SUCCESS);
        }
        let rows = processes.into_iter().map(|process| {
            let Process { pid, inside, parent, uid, state, command } = process;
            [pid.to_string(), inside.to_string(), parent.to_string(), uid.to_string(), state, command]
        });
        output.table(["pid", "inside", "parent", "uid", "state", "command"], rows)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// What proc(5) tells of a process; nothing, if it has ended meanwhile.
fn process(pid: i32) -> Option<Process> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let line = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let words: Vec<_> = line.split(|byte| *byte == 0).map(String::from_utf8_lossy).collect();
    let command = words.join(" ").trim_end().to_owned();
    Some(Process {
        pid,
        inside: field("NSpid:")?.split_whitespace().last()?.parse().ok()?,
        parent: field("PPid:")?.parse().ok()?,
        uid: field("Uid:")?.split_whitespace().next()?.parse().ok()?,
        state: field("State:")?.chars().next()?.to_string(),
        // A process without words is one that has just ended.
        command: if command.is_empty() { format!("[{}]", field("Name:")?) } else { printable(&command) },
    })
}

/// A program may call itself what it wants.
fn printable(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { '?' } else { letter }).collect()
}
