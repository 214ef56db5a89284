//! Runs an OCI bundle: `run-bundle BUNDLE [GROUP]`. What the tests of this crate start, since a child is a copy of a
//! process of one thread, and what shows the crate's use.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use cgroup::{Group, Hierarchies};
use launch::{Launch, RootFs, Streams, begin};
use seccomp::Program;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let result = match arguments.as_slice() {
        [bundle] => run(Path::new(bundle), None),
        [bundle, group] => run(Path::new(bundle), Some(Path::new(group))),
        _ => Err((125, "usage: run-bundle BUNDLE [GROUP]".to_owned())),
    };
    let (code, words) = match result {
        Ok(code) => return ExitCode::from(code),
        Err(told) => told,
    };
    let _ = io::Write::write_all(&mut io::stderr(), format!("error: {words}\n").as_bytes());
    ExitCode::from(code)
}

fn run(bundle: &Path, group: Option<&Path>) -> Result<u8, (u8, String)> {
    let failed = |error: &dyn std::error::Error| (125, told(error));
    let text = std::fs::read_to_string(bundle.join("config.json")).map_err(|error| failed(&error))?;
    let spec: oci::Spec = serde_json::from_str(&text).map_err(|error| failed(&error))?;
    let filter =
        spec.linux.seccomp.as_ref().map(Program::compile).transpose().map_err(|error| failed(&error))?;
    let group = match group {
        Some(path) => {
            let hierarchies = Hierarchies::discover().map_err(|error| failed(&error))?;
            Some(Group::create(&hierarchies, path, &spec.linux.resources).map_err(|error| failed(&error))?)
        }
        None => None,
    };
    let entrance = group.as_ref().map(Group::entrance).transpose().map_err(|error| failed(&error))?;
    let copy = |file: std::os::fd::BorrowedFd<'_>| file.try_clone_to_owned();
    let streams = || -> io::Result<(OwnedFd, OwnedFd, OwnedFd)> {
        Ok((copy(io::stdin().as_fd())?, copy(io::stdout().as_fd())?, copy(io::stderr().as_fd())?))
    };
    let (stdin, stdout, stderr) = streams().map_err(|error| failed(&error))?;
    let (upper, work): (PathBuf, PathBuf) = (bundle.join("upper"), bundle.join("work"));
    let lower: Vec<PathBuf> =
        std::env::var("LOWER").map(|lower| lower.split(':').map(PathBuf::from).collect()).unwrap_or_default();
    let root = match lower.is_empty() {
        true => RootFs::Folder(&spec.root.path),
        false => RootFs::Overlay { lower: &lower, upper: &upper, work: &work, volatile: false },
    };
    let init = std::env::var_os("INIT").is_some();
    let streams = Streams::Files { stdin, stdout, stderr };
    let launch = Launch { spec: &spec, root, streams, entrance, filter: filter.as_ref(), init };
    let started = begin(launch).and_then(launch::Child::start);
    let ended = match started {
        Ok((running, _)) => running.wait().map(launch::Exit::code).map_err(|error| failed(&error)),
        Err(error) => Err((error.exit_code(), told(&error))),
    };
    if let Some(group) = group {
        group.remove().map_err(|error| failed(&error))?;
    }
    ended
}

fn told(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        words = format!("{words}: {cause}");
        source = cause.source();
    }
    words
}
