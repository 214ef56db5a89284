//! `netctl install` and `netctl uninstall`: both programs and their texts onto the machine, and off it again.
//!
//! A kubelet may call any plugin at any time, so no name is ever missing: each file is made beside its
//! place and takes it by rename. What was there before and is not ours is not touched unless asked for,
//! and comes back in the end. A manifest in each directory says what is ours.

mod bundle;
mod facts;
mod manifest;
mod plan;
mod share;
mod step;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Command, ValueHint};

use self::bundle::Bundle;
use self::plan::Strangers;
use crate::output::Output;
use crate::report::Failure;

/// Install netctl and its CNI plugins
#[derive(Debug, Args)]
#[command(after_help = INSTALL)]
pub(crate) struct Install {
    #[command(flatten)]
    places: Places,
    /// Replace files that netctl did not install; `netctl uninstall` brings them back
    #[arg(long)]
    force: bool,
    /// Show what would be done
    #[arg(long)]
    dry_run: bool,
}

const INSTALL: &str = "\
The plugins are one executable, netctl-cni, with a further name for each of them; it is taken from the directory of
the netctl that runs. For a package, both directories may be below a staging directory. A file that is replaced
with --force is kept as NAME.netctl-orig.

Examples:
  netctl install
  netctl install --force --dry-run
  netctl install --cni-bin $DESTDIR/opt/cni/bin --prefix $DESTDIR/usr";

/// Remove what `netctl install` installed, and nothing else
#[derive(Debug, Args)]
pub(crate) struct Uninstall {
    #[command(flatten)]
    places: Places,
    /// Show what would be done
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, Args)]
struct Places {
    /// The directory of CNI plugins
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, default_value = "/opt/cni/bin")]
    cni_bin: PathBuf,
    /// The directory whose bin gets netctl itself, and whose share its manual and completions
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, default_value = "/usr/local")]
    prefix: PathBuf,
}

/// Whether steps are taken, or only told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Do,
    Tell,
}

impl Install {
    pub(crate) fn run(self, line: &Command, output: &mut Output) -> Result<ExitCode, Failure> {
        let strangers = if self.force { Strangers::Kept } else { Strangers::Refused };
        run(&self.places.bundles(line), mode(self.dry_run), output, |bundle| bundle.plan_install(strangers))
    }
}

impl Uninstall {
    pub(crate) fn run(self, line: &Command, output: &mut Output) -> Result<ExitCode, Failure> {
        run(&self.places.bundles(line), mode(self.dry_run), output, Bundle::plan_uninstall)
    }
}

fn mode(dry_run: bool) -> Mode {
    if dry_run { Mode::Tell } else { Mode::Do }
}

impl Places {
    fn bundles(&self, line: &Command) -> [Bundle; 3] {
        [
            Bundle::plugins(&self.cni_bin),
            Bundle::program(&self.prefix.join("bin")),
            Bundle::texts(&self.prefix.join("share"), share::texts(line)),
        ]
    }
}

/// Plans for all directories before the first of them is touched.
fn run(
    bundles: &[Bundle],
    mode: Mode,
    output: &mut Output,
    plan: impl Fn(&Bundle) -> Result<plan::Plan, bundle::Error>,
) -> Result<ExitCode, Failure> {
    let planned = bundles.iter().map(|bundle| plan(bundle).map(|plan| (bundle, plan)));
    let planned: Vec<_> = planned.collect::<Result<_, _>>().map_err(with_hint)?;
    for (bundle, plan) in planned {
        if mode == Mode::Do {
            bundle.promise(&plan).map_err(with_hint)?;
        }
        for step in &plan.steps {
            if mode == Mode::Do {
                step.take().map_err(with_hint)?;
            }
            output.event(step)?;
        }
        if mode == Mode::Do {
            bundle.record(&plan).map_err(with_hint)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn with_hint(error: bundle::Error) -> Failure {
    let hint = error.hint();
    Failure::from(error).hint(hint)
}
