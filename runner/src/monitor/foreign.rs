//! A container that another OCI runtime starts, such as crun or runc: it gets the same `config.json`.

use std::fs;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use launch::{RootFs, Running, Streams};
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};

use super::StartError;
use crate::{Folder, Id, files, rendezvous};

/// A container that a runtime has created, and not started yet.
pub(super) struct Foreign {
    runtime: Runtime,
    running: Running,
    terminal: Option<OwnedFd>,
}

/// A runtime, and the container that it knows.
pub(super) struct Runtime {
    program: PathBuf,
    /// Where it keeps what it knows.
    root: PathBuf,
    id: String,
    log: PathBuf,
}

impl Runtime {
    pub(super) fn new(program: &Path, folder: &Folder, id: &Id) -> Self {
        let root = folder.foreign();
        Self {
            program: program.to_owned(),
            log: root.join("log"),
            root: root.join("state"),
            id: id.to_string(),
        }
    }

    fn command(&self, verb: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("--root").arg(&self.root).arg("--log").arg(&self.log).arg(verb);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// Forgets the container, and kills what is left of it.
    pub(super) fn delete(&self) {
        let _ = self.command("delete").arg("--force").arg(&self.id).status();
    }

    fn failed(&self, verb: &'static str, why: Result<Output, io::Error>) -> StartError {
        let said = fs::read_to_string(&self.log).unwrap_or_default();
        let last = said.lines().last().unwrap_or_default().to_owned();
        let source = match why {
            Err(error) => error,
            Ok(output) if last.is_empty() => io::Error::other(output.status.to_string()),
            Ok(_) => io::Error::other(last),
        };
        StartError::Runtime { program: self.program.clone(), verb, source }
    }
}

impl Foreign {
    /// Lets the runtime create the container. Its root file system is mounted where only this process and the runtime see it.
    pub(super) fn create(
        runtime: Runtime,
        folder: &Folder,
        spec: &oci::Spec,
        root: RootFs<'_>,
        streams: Streams,
    ) -> Result<Self, StartError> {
        let bundle = folder.foreign();
        files::ensure_folder(&bundle, 0o700)?;
        files::write(&bundle.join("config.json"), spec)?;
        launch::mount_apart(root, &folder.root())?;
        // The container's first process is the runtime's child, and the runtime ends before it does.
        rustix::process::set_child_subreaper(Some(rustix::process::getpid()))
            .map_err(|error| StartError::io("become a subreaper")(error.into()))?;
        let pid_file = bundle.join("pid");
        let mut command = runtime.command("create");
        command.arg("--bundle").arg(&bundle).arg("--pid-file").arg(&pid_file);
        let console = match streams {
            Streams::Files { stdin, stdout, stderr } => {
                command.stdin(stdin).stdout(stdout).stderr(stderr);
                None
            }
            Streams::Terminal { .. } => {
                let path = bundle.join("console");
                let listener =
                    rendezvous::open_stream(&path).map_err(StartError::io("listen for the terminal"))?;
                command.arg("--console-socket").arg(&path);
                Some(listener)
            }
        };
        let made = command.arg(&runtime.id).output();
        // The command holds the container's ends of its streams: their end would never come.
        drop(command);
        match made {
            Ok(output) if output.status.success() => {}
            why => return Err(runtime.failed("create", why)),
        }
        let terminal = console.map(|listener| receive(&listener)).transpose();
        let pid =
            fs::read_to_string(&pid_file).ok().and_then(|text| text.trim().parse().ok()).unwrap_or_default();
        let running = Running::adopt(pid).map_err(StartError::io("find the container's first process"))?;
        Ok(Self { runtime, running, terminal: terminal.map_err(StartError::io("receive the terminal"))? })
    }

    pub(super) fn pid(&self) -> i32 {
        self.running.pid()
    }

    pub(super) fn start(self) -> Result<(Running, Option<OwnedFd>), StartError> {
        match self.runtime.command("start").arg(&self.runtime.id).output() {
            Ok(output) if output.status.success() => Ok((self.running, self.terminal)),
            why => {
                let error = self.runtime.failed("start", why);
                self.runtime.delete();
                Err(error)
            }
        }
    }
}

/// The master of the container's terminal, as the runtime sends it (runc's `docs/terminals.md`).
fn receive(listener: &OwnedFd) -> io::Result<OwnedFd> {
    let socket = rendezvous::accept(listener)?;
    let mut name = [0_u8; 4096];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    recvmsg(&socket, &mut [io::IoSliceMut::new(&mut name)], &mut ancillary, RecvFlags::CMSG_CLOEXEC)?;
    let sent = ancillary.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
        _ => None,
    });
    sent.ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))
}
