//! Measure our plugins and the reference's side by side.

use bench::case::{self, Bench, Case, Effort};
use bench::report::{Section, Verdict};
use bench::series::Pair;
use bench::side::{self, Side, Written};
use bench::{helper, settle};
use clap::Parser;
use lab::Host;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};

/// Measure our plugins and the reference's side by side
///
/// Everything happens in a private host: a network, mount and process namespace that is gone afterwards.
/// The exit code is 0 when everything could be measured, whether or not goals were met.
#[derive(Debug, Parser)]
#[command(name = "bench")]
struct Options {
    /// Measure only cases with one of these texts in their names
    cases: Vec<String>,
    /// List the cases
    #[arg(long)]
    list: bool,
    /// Make a tenth of the rounds
    #[arg(long, conflicts_with = "rounds")]
    quick: bool,
    /// Make this many rounds of each case
    #[arg(long, value_name = "N")]
    rounds: Option<usize>,
    /// Write everything to FILE, too, as JSON with times in microseconds
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Take the reference's plugins from DIR
    #[arg(long, value_name = "DIR", default_value = "/usr/lib/cni")]
    reference: PathBuf,
    /// Take our plugins from DIR instead of from the netctl-cni beside this program
    ///
    /// With the same DIR twice, the bench measures itself: all ratios should be 1.
    #[arg(long, value_name = "DIR")]
    ours: Option<PathBuf>,
    /// Take netavark from FILE; without one, what is compared with it is skipped
    #[arg(long, value_name = "FILE", default_value = "/usr/lib/podman/netavark")]
    netavark: PathBuf,
}

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("find a case named like {wanted}; `bench --list` names them all")]
    NoCase { wanted: String },
    #[error(transparent)]
    Host(#[from] lab::host::Error),
    #[error(transparent)]
    ControlGroups(#[from] lab::control_groups::Error),
    #[error("start the bench inside its host")]
    Enter(#[source] io::Error),
    #[error("write to {path}")]
    Create { path: PathBuf, source: io::Error },
    #[error("measure {case}")]
    Case { case: &'static str, source: Box<case::Error> },
    #[error(transparent)]
    Helper(#[from] helper::Error),
    #[error(transparent)]
    Settle(#[from] settle::Error),
    #[error(transparent)]
    Side(#[from] side::Error),
    #[error("write what was found")]
    Write(#[from] io::Error),
    #[error("write what was found as JSON")]
    Json(#[from] serde_json::Error),
}

/// Where the folder is in which the bench was called: inside the host it starts in `/`.
const CALLED_IN: &str = "BENCH_CALLED_IN";

/// In the private host's `/run`, which is in memory.
const STAGE: &str = "/run/bench/plugins";

fn main() -> ExitCode {
    let options = Options::parse();
    let ended = if options.list {
        list().map(|()| ExitCode::SUCCESS)
    } else if Host::inside().is_some() {
        inside(&options).map(|()| ExitCode::SUCCESS)
    } else {
        outside(&options)
    };
    ended.unwrap_or_else(|error| {
        let mut words = format!("error: {error}");
        let mut cause = std::error::Error::source(&error);
        while let Some(because) = cause {
            words += &format!("\n  because: {because}");
            cause = because.source();
        }
        // Nobody is left to be told when stderr is closed.
        let _unheard = writeln!(io::stderr(), "{words}");
        ExitCode::FAILURE
    })
}

fn list() -> Result<(), Error> {
    let mut stdout = io::stdout().lock();
    case::ALL.iter().try_for_each(|case| writeln!(stdout, "{:<20} {}", case.name, case.about))?;
    Ok(())
}

/// On the machine: makes the host, and starts this program in it.
fn outside(options: &Options) -> Result<ExitCode, Error> {
    chosen(options)?;
    // What lies where the host has its own files could not be written from inside, hence an open file. It
    // comes as stdin, the one descriptor that the way in leaves alone and that nobody reads.
    let json = match &options.json {
        Some(path) => {
            let created = File::create(path);
            created.map_err(|source| Error::Create { path: path.clone(), source })?.into()
        }
        None => Stdio::null(),
    };
    let mut host = Host::new("bench")?;
    // What a container leaves there when its case fails goes with the host.
    host.own_control_groups()?;
    let called_in = std::env::current_dir().map_err(Error::Enter)?;
    let mut command = host.reenter().map_err(Error::Enter)?;
    let status = command.env(CALLED_IN, called_in).stdin(json).status().map_err(Error::Enter)?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// In the host: measures.
fn inside(options: &Options) -> Result<(), Error> {
    if let Some(folder) = std::env::var_os(CALLED_IN) {
        std::env::set_current_dir(folder).map_err(Error::Enter)?;
    }
    settle::adopt_orphans()?;
    let netavark = side::copied(&options.netavark, Path::new(STAGE))?;
    let bench = Bench { sides: sides(options)?, netavark, effort: effort(options) };
    let mut found: Vec<Section> = Vec::new();
    for case in chosen(options)? {
        let measured = case.run(&bench);
        let sections = measured.map_err(|error| Error::Case { case: case.name, source: Box::new(error) })?;
        for section in sections {
            writeln!(io::stdout(), "{section}")?;
            found.push(section);
        }
    }
    let verdicts: Vec<Verdict> = found.iter().flat_map(Section::verdicts).collect();
    let met = verdicts.iter().filter(|verdict| **verdict == Verdict::Met).count();
    writeln!(io::stdout(), "{met} of {} goals met", verdicts.len())?;
    if options.json.is_some() {
        let file = File::from(io::stdin().as_fd().try_clone_to_owned()?);
        serde_json::to_writer_pretty(file, &found)?;
    }
    Ok(())
}

fn chosen(options: &Options) -> Result<Vec<&'static Case>, Error> {
    let none = |wanted: &&String| !case::ALL.iter().any(|case| case.name.contains(wanted.as_str()));
    if let Some(wanted) = options.cases.iter().find(none) {
        return Err(Error::NoCase { wanted: wanted.clone() });
    }
    let wanted = |case: &&Case| {
        options.cases.is_empty() || options.cases.iter().any(|text| case.name.contains(text.as_str()))
    };
    Ok(case::ALL.iter().filter(wanted).collect())
}

fn effort(options: &Options) -> Effort {
    match options.rounds {
        Some(rounds) => Effort::Rounds(rounds),
        None if options.quick => Effort::Quick,
        None => Effort::Full,
    }
}

fn sides(options: &Options) -> Result<Pair<Side>, Error> {
    let stage = Path::new(STAGE);
    let reference = Side::copied(1, "reference", &options.reference, stage, Written::ByOthers)?;
    let ours = match &options.ours {
        Some(folder) => {
            let itself = *folder == options.reference;
            let written = if itself { Written::ByOthers } else { Written::ByUs };
            Side::copied(2, "ours", folder, stage, written)?
        }
        None => Side::linked(2, "ours", &helper::beside("netctl-cni")?, stage)?,
    };
    Ok(Pair { reference, ours })
}
