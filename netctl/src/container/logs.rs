//! `netctl logs`

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use jiff::{SignedDuration, Timestamp};
use runner::log::{Line, Options, Reader, Stream};
use runner::{Container, Status};

use super::place::Place;
use super::words::ask;
use crate::output::Output;
use crate::report::Failure;

/// How long nothing new is waited for before it is looked for again.
const PAUSE: Duration = Duration::from_millis(100);

/// Show what a container has printed
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Logs {
    /// The container: its name, or the first digits of its id
    container: String,
    /// Go on until it ends
    #[arg(short, long)]
    follow: bool,
    /// Only so many of the last lines, or all
    #[arg(short = 'n', long, value_name = "NUMBER", default_value = "all", value_parser = tail)]
    tail: Tail,
    /// Only since then: 2026-01-02T15:04:05Z, a number of seconds since 1970, or so long ago: 10m, 1h30m
    #[arg(long, value_name = "TIME", value_parser = time)]
    since: Option<Timestamp>,
    /// Only until then
    #[arg(long, value_name = "TIME", value_parser = time)]
    until: Option<Timestamp>,
    /// Show when each line was printed
    #[arg(short, long)]
    timestamps: bool,
    #[command(flatten)]
    place: Place,
}

const HELP: &str = "\
What went to standard error goes there again.

Examples:
  netctl logs web
  netctl logs -f --tail 10 web
  netctl logs --since 10m -t web

Exit codes:
  0  done
  1  failed; the reason is on standard error
  2  the command line cannot be understood";

#[derive(Debug, Clone, Copy)]
struct Tail(Option<usize>);

fn tail(text: &str) -> Result<Tail, String> {
    match text {
        "all" => Ok(Tail(None)),
        number => number
            .parse()
            .map(|number| Tail(Some(number)))
            .map_err(|_| "expected a number, or all".to_owned()),
    }
}

fn time(text: &str) -> Result<Timestamp, String> {
    if let Ok(seconds) = text.parse::<i64>() {
        return Timestamp::from_second(seconds).map_err(|error| error.to_string());
    }
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time);
    }
    if let Ok(time) = format!("{text}Z").parse::<Timestamp>() {
        return Ok(time);
    }
    let span: SignedDuration = text
        .parse()
        .map_err(|_| "expected a time, seconds since 1970, or so long ago, such as 10m".to_owned())?;
    Timestamp::now().checked_sub(span).map_err(|error| error.to_string())
}

impl Logs {
    pub(crate) fn run(self, output: &mut Output) -> Result<ExitCode, Failure> {
        let container = self.place.find(&self.container)?;
        let engine = self.place.engine();
        let options = Options { tail: self.tail.0, since: self.since, until: self.until };
        let mut reader = Reader::open(&container.folder().log(), options)?;
        loop {
            // Asked before the rest is read: what it printed before it ended is there then.
            let runs = self.follow && is_running(&engine, &container)?;
            if reader.is_none() {
                reader = Reader::open(&container.folder().log(), Options::default())?;
            }
            while let Some(line) = reader.as_mut().map(Reader::next_line).transpose()?.flatten() {
                self.show(&line, output)?;
            }
            output.finish()?;
            if !runs {
                return Ok(ExitCode::SUCCESS);
            }
            std::thread::sleep(PAUSE);
        }
    }

    fn show(&self, line: &Line, output: &mut Output) -> Result<(), Failure> {
        let text = match self.timestamps {
            true => format!("{} {}", line.time, line.log),
            false => line.log.clone(),
        };
        match line.stream {
            Stream::Stdout => output.text(text.as_bytes())?,
            Stream::Stderr => {
                // In the order in which it was printed.
                output.finish()?;
                io::stderr().write_all(text.as_bytes())?;
            }
        }
        Ok(())
    }
}

fn is_running(engine: &runner::Engine, container: &Container) -> Result<bool, Failure> {
    match engine.state(container) {
        Err(runner::AskError::File(error)) if error.is_absence() => Ok(false),
        state => {
            let status = state.map_err(ask)?.status;
            Ok(matches!(status, Status::Starting | Status::Running | Status::Paused))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_points_or_spans() {
        assert_eq!(time("0"), Ok(Timestamp::UNIX_EPOCH));
        assert_eq!(time("1970-01-01T00:00:00Z"), Ok(Timestamp::UNIX_EPOCH));
        assert_eq!(time("1970-01-01T00:00:00"), Ok(Timestamp::UNIX_EPOCH));
        let ago = Timestamp::now().as_second() - time("1h30m").unwrap().as_second();
        assert!((5399..5402).contains(&ago), "{ago}");
        assert!(time("yesterday").is_err());
    }
}
