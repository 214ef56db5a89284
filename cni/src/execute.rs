//! Plugins that are executables: started, fed, listened to.

use std::ffi::OsStr;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::{Environment, ErrorObject, Verb};

/// An executable plugin did not answer as the protocol wants.
#[derive(Debug, thiserror::Error)]
pub enum ExecuteError {
    /// It cannot be started.
    #[error("execute {file:?}")]
    Start {
        /// The executable.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It was lost while running.
    #[error("talk to {file:?}")]
    Talk {
        /// The executable.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It failed without an error object.
    #[error("{file:?} failed ({status}) and said {said:?} instead of an error object")]
    Died {
        /// The executable.
        file: PathBuf,
        /// Its exit status.
        status: ExitStatus,
        /// The beginning of what it printed.
        said: String,
    },
    /// It answered with an error.
    #[error("{}", .object.msg)]
    Answered {
        /// The error.
        object: ErrorObject,
    },
    /// It succeeded, but what it printed is no JSON.
    #[error("read the answer of {file:?}")]
    NotJson {
        /// The executable.
        file: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
}

/// An executable plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Executable {
    file: PathBuf,
}

/// How often a file that is still being written (ETXTBSY) is tried again, and how long after.
const BUSY_TRIES: u32 = 50;
const BUSY_PAUSE: Duration = Duration::from_millis(100);

impl Executable {
    /// The plugin in `file`.
    #[must_use]
    pub const fn new(file: PathBuf) -> Self {
        Self { file }
    }

    /// The file.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Calls it with `verb`, the other variables of `environment` and `stdin`, and returns what it prints,
    /// if it prints anything. Its stderr is the caller's.
    ///
    /// # Errors
    /// [`ExecuteError`].
    pub fn call(
        &self,
        verb: Verb,
        environment: &Environment,
        stdin: &[u8],
    ) -> Result<Option<Value>, ExecuteError> {
        let talk = |source| ExecuteError::Talk { file: self.file.clone(), source };
        let mut child = self.start(verb, environment)?;
        if let Some(mut pipe) = child.stdin.take() {
            match pipe.write_all(stdin) {
                // It need not read all of it, or any (VERSION).
                Err(error) if error.kind() != ErrorKind::BrokenPipe => return Err(talk(error)),
                _ => drop(pipe),
            }
        }
        let output = child.wait_with_output().map_err(talk)?;
        let text = output.stdout.trim_ascii();
        if !output.status.success() {
            return Err(self.failure(output.status, text));
        }
        if text.is_empty() {
            return Ok(None);
        }
        let not_json = |source| ExecuteError::NotJson { file: self.file.clone(), source };
        serde_json::from_slice(text).map(Some).map_err(not_json)
    }

    fn start(&self, verb: Verb, environment: &Environment) -> Result<Child, ExecuteError> {
        let mut command = Command::new(&self.file);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).env("CNI_COMMAND", verb.as_str());
        let variables: [(&str, &OsStr); 5] = [
            ("CNI_CONTAINERID", environment.container.as_ref()),
            ("CNI_NETNS", &environment.netns),
            ("CNI_IFNAME", environment.interface.as_ref()),
            ("CNI_ARGS", environment.args.as_ref()),
            ("CNI_PATH", environment.path.as_os_str()),
        ];
        command.envs(variables);
        let mut tries = 0;
        loop {
            match command.spawn() {
                // Somebody is just installing it.
                Err(error) if error.kind() == ErrorKind::ExecutableFileBusy && tries < BUSY_TRIES => {
                    tries += 1;
                    std::thread::sleep(BUSY_PAUSE);
                }
                started => {
                    return started.map_err(|source| ExecuteError::Start { file: self.file.clone(), source });
                }
            }
        }
    }

    fn failure(&self, status: ExitStatus, text: &[u8]) -> ExecuteError {
        // Whatever it prints before the error object (the reference prints a result that it takes back)
        // is skipped: the last document counts.
        let documents = serde_json::Deserializer::from_slice(text).into_iter::<ErrorObject>();
        match documents.filter_map(Result::ok).last() {
            Some(object) if !object.msg.is_empty() => ExecuteError::Answered { object },
            _ => {
                let said = String::from_utf8_lossy(&text[..text.len().min(200)]).into_owned();
                ExecuteError::Died { file: self.file.clone(), status, said }
            }
        }
    }
}
