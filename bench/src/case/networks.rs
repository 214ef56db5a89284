//! Named networks: what a person waits for, with few networks there and with many.

use super::{Bench, Error};
use crate::helper;
use crate::plugin::Call;
use crate::report::{Body, Measure, Row, Section, Versus};
use crate::series::{Pair, Rounds, alternate};
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How many other networks there are in the second part.
const MANY: usize = 50;

/// What podman has to be told: networks are conflists, and nothing runs beside it.
const CONTAINERS: &str = "[network]\nnetwork_backend = \"cni\"\nnetwork_config_dir = \"/run/bench/podman/net.d\"\n\
                          [engine]\nevents_logger = \"none\"\ncgroup_manager = \"cgroupfs\"\n";
const STORAGE: &str = "[storage]\ndriver = \"vfs\"\nrunroot = \"/run/bench/podman/run\"\ngraphroot = \"/run/bench/podman/graph\"\n";

/// Somebody who makes networks by name.
struct Maker {
    program: PathBuf,
    /// What its commands begin with.
    family: &'static [&'static str],
    environment: Vec<(&'static str, OsString)>,
}

/// What one network took.
#[derive(Clone, Copy, Debug)]
struct Life {
    create: Duration,
    inspect: Duration,
    ls: Duration,
    rm: Duration,
}

pub(super) fn run(bench: &Bench) -> Result<Vec<Section>, Error> {
    let Some(podman) = podman().map_err(Error::Fill)? else { return Ok(Vec::new()) };
    let mut makers = Pair { reference: podman, ours: ours()? };
    let rounds = bench.effort.rounds(40);
    let few = lives(&mut makers, rounds)?;
    for nth in 0..MANY {
        makers.as_ref().try_map(|maker| maker.time(&["create", &format!("other{nth}")]))?;
    }
    let many = lives(&mut makers, rounds)?;
    for nth in 0..MANY {
        makers.as_ref().try_map(|maker| maker.time(&["rm", &format!("other{nth}")]))?;
    }
    let rows = [rows("", &few), rows(&format!(", {MANY} others"), &many)].concat();
    let versus = Versus { reference: "podman", ours: "ours", measure: Measure::Faster, rows };
    Ok(vec![Section { title: "a named network, by the command line".to_owned(), body: Body::Versus(versus) }])
}

/// podman, with a configuration of its own; nothing where it is not installed.
fn podman() -> io::Result<Option<Maker>> {
    let program = PathBuf::from("/usr/bin/podman");
    if !program.exists() {
        return Ok(None);
    }
    let folder = Path::new("/run/bench/podman");
    fs::create_dir_all(folder.join("net.d"))?;
    let (containers, storage) = (folder.join("containers.conf"), folder.join("storage.conf"));
    fs::write(&containers, CONTAINERS)?;
    fs::write(&storage, STORAGE)?;
    let environment = vec![
        ("CONTAINERS_CONF", containers.into()),
        ("CONTAINERS_STORAGE_CONF", storage.into()),
        ("HOME", folder.into()),
    ];
    Ok(Some(Maker { program, family: &["network"], environment }))
}

fn ours() -> Result<Maker, Error> {
    Ok(Maker { program: helper::beside("netctl")?, family: &[], environment: Vec::new() })
}

impl Maker {
    fn time(&self, words: &[&str]) -> Result<Duration, Error> {
        let call = Call {
            program: self.program.clone(),
            arguments: self.family.iter().chain(words).map(OsString::from).collect(),
            environment: self.environment.clone(),
            stdin: String::new(),
        };
        Ok(call.run()?.0)
    }
}

fn lives(makers: &mut Pair<Maker>, rounds: Rounds) -> Result<Pair<Vec<Life>>, Error> {
    alternate(makers, rounds, |maker| {
        Ok(Life {
            create: maker.time(&["create", "measured"])?,
            inspect: maker.time(&["inspect", "measured"])?,
            ls: maker.time(&["ls"])?,
            rm: maker.time(&["rm", "measured"])?,
        })
    })
}

fn rows(with: &str, lives: &Pair<Vec<Life>>) -> Vec<Row> {
    let row = |verb: &str, of: fn(&Life) -> Duration| {
        Row::new(format!("{verb}{with}"), lives.reference.iter().map(of), lives.ours.iter().map(of))
    };
    vec![
        row("create", |life| life.create),
        row("inspect", |life| life.inspect),
        row("ls", |life| life.ls),
        row("rm", |life| life.rm),
    ]
}
