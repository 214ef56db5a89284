//! The calling side: one plugin calls another.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use serde_json::Value;
use vocab::Attachment;

use crate::decode::decode;
use crate::serve::{Outcome, dispatch};
use crate::{
    Call, Cause, Code, Config, Environment, Executable, ExecuteError, Failure, Fault, Plugin, ResultError,
    SearchPath, Success, Verb, Version,
};

/// A plugin that was called by another failed.
#[derive(Debug, thiserror::Error)]
pub enum DelegateError {
    /// Its name is a path.
    #[error("invalid plugin type {kind:?}: expected the name of a file in CNI_PATH, without a slash")]
    Kind {
        /// The name.
        kind: String,
    },
    /// It is nowhere.
    #[error("find plugin {kind:?} in path {path:?}")]
    NotFound {
        /// The name.
        kind: String,
        /// Where it was looked for.
        path: String,
    },
    /// As an executable it failed.
    #[error("call plugin {kind:?}")]
    Execute {
        /// The name.
        kind: String,
        /// Why.
        source: ExecuteError,
    },
    /// In process it failed.
    #[error("call plugin {kind:?}")]
    InProcess {
        /// The name.
        kind: String,
        /// Why.
        source: Cause,
    },
    /// Its answer cannot be read.
    #[error("read the answer of plugin {kind:?}")]
    Answer {
        /// The name.
        kind: String,
        /// Why.
        source: ResultError,
    },
    /// It succeeded without an answer.
    #[error("call plugin {kind:?}: it answered nothing to {verb}")]
    Silent {
        /// The name.
        kind: String,
        /// What it was asked.
        verb: Verb,
    },
}

impl Fault for DelegateError {
    fn code(&self) -> Code {
        match self {
            Self::Kind { .. } | Self::NotFound { .. } => Code::INVALID_CONFIG,
            // A delegate's own code is handed on.
            Self::Execute { source: ExecuteError::Answered { object }, .. } => object.code,
            Self::Execute { .. } | Self::Silent { .. } => Code::INTERNAL,
            Self::InProcess { source, .. } => source.failure().code(),
            Self::Answer { source, .. } => source.code(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NotFound { kind, .. } => Some(format!(
                "put the executable {kind} into one of these folders; `netctl install --cni-bin DIR` installs netctl's own"
            )),
            Self::Execute { source: ExecuteError::Answered { object }, .. } => {
                (!object.details.is_empty()).then(|| object.details.clone())
            }
            Self::InProcess { source, .. } => source.failure().hint(),
            _ => None,
        }
    }
}

#[derive(Clone)]
enum Target {
    InProcess(&'static dyn Plugin),
    Executable(Executable),
}

/// Another plugin, ready to be called with this call's configuration.
pub struct Delegate {
    call: Call,
    kind: String,
    target: Target,
}

impl Call {
    /// Finds the plugin `kind`: in process where the registry allows it, else as an executable in `CNI_PATH`.
    ///
    /// # Errors
    /// [`DelegateError::Kind`] for a name that is a path, [`DelegateError::NotFound`].
    pub fn delegate(&self, kind: &str) -> Result<Delegate, DelegateError> {
        if kind.contains('/') || matches!(kind, "" | "." | "..") {
            return Err(DelegateError::Kind { kind: kind.to_owned() });
        }
        let target = match self.registry.listed(kind) {
            Some(plugin) => Target::InProcess(plugin),
            None => self.on_disk(kind)?,
        };
        Ok(Delegate { call: self.clone(), kind: kind.to_owned(), target })
    }

    fn on_disk(&self, kind: &str) -> Result<Target, DelegateError> {
        let path = &self.environment.path;
        let file: PathBuf = path.find(kind).ok_or_else(|| DelegateError::NotFound {
            kind: kind.to_owned(),
            path: path.as_os_str().to_string_lossy().into_owned(),
        })?;
        Ok(match self.registry.of_file(kind, &file) {
            Some(plugin) => Target::InProcess(plugin),
            None => Target::Executable(Executable::new(file)),
        })
    }
}

impl Delegate {
    /// The plugin's name.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// Whether it is called in process.
    #[must_use]
    pub const fn is_in_process(&self) -> bool {
        matches!(self.target, Target::InProcess(_))
    }

    /// The executable, when it is not called in process.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match &self.target {
            Target::InProcess(_) => None,
            Target::Executable(executable) => Some(executable.file()),
        }
    }

    /// The same plugin, to be called with another configuration: a runtime finds every plugin of a chain
    /// before it calls the first, but knows each one's `prevResult` only then.
    #[must_use]
    pub fn with_config(&self, config: Config) -> Self {
        let call = Call { config: Rc::new(config), ..self.call.clone() };
        Self { call, kind: self.kind.clone(), target: self.target.clone() }
    }

    /// The versions that it says it speaks, as it writes them: they may be newer than those known here.
    ///
    /// # Errors
    /// [`DelegateError`].
    pub fn versions(&self) -> Result<Vec<String>, DelegateError> {
        let executable = match &self.target {
            Target::InProcess(plugin) => {
                return Ok(plugin.about().versions.iter().map(ToString::to_string).collect());
            }
            Target::Executable(executable) => executable,
        };
        let stdin = format!(r#"{{"cniVersion":"{}"}}"#, Version::NEWEST);
        let failed = |source| DelegateError::Execute { kind: self.kind.clone(), source };
        let answer = executable.call(Verb::Version, &dummy(), stdin.as_bytes()).map_err(failed)?;
        let answer =
            answer.ok_or_else(|| DelegateError::Silent { kind: self.kind.clone(), verb: Verb::Version })?;
        let versions = decode::<Versions>(&answer, "").map(|answer| answer.supported);
        let answer =
            |source| DelegateError::Answer { kind: self.kind.clone(), source: ResultError::Decode(source) };
        versions.map_err(answer)
    }

    /// Calls ADD.
    ///
    /// # Errors
    /// [`DelegateError`]; the plugin's own code and hint go with it.
    pub fn add(&self) -> Result<Success, DelegateError> {
        let silent = || DelegateError::Silent { kind: self.kind.clone(), verb: Verb::Add };
        match self.call(Verb::Add)? {
            Reply::Value(value) => {
                let answer = |source| DelegateError::Answer { kind: self.kind.clone(), source };
                Success::read(&value.ok_or_else(silent)?, self.call.config.version()).map_err(answer)
            }
            Reply::Outcome(Outcome::Added(success)) => Ok(success),
            Reply::Outcome(Outcome::Done) => Err(silent()),
        }
    }

    /// Calls DEL for this call's attachment.
    ///
    /// # Errors
    /// [`DelegateError`].
    pub fn del(&self) -> Result<(), DelegateError> {
        self.call(Verb::Del).map(drop)
    }

    /// Calls DEL for another attachment than this call's, as GC does for what it finds orphaned.
    ///
    /// # Errors
    /// [`DelegateError`].
    pub fn del_of(&self, attachment: &Attachment) -> Result<(), DelegateError> {
        let environment = Environment {
            container: attachment.container.to_string(),
            interface: attachment.interface.to_string(),
            netns: std::ffi::OsString::new(),
            ..(*self.call.environment).clone()
        };
        let call = Call { environment: Rc::new(environment), ..self.call.clone() };
        self.send(Verb::Del, &call).map(drop)
    }

    /// Calls CHECK.
    ///
    /// # Errors
    /// [`DelegateError`].
    pub fn check(&self) -> Result<(), DelegateError> {
        self.call(Verb::Check).map(drop)
    }

    /// Calls GC.
    ///
    /// # Errors
    /// [`DelegateError`].
    pub fn gc(&self) -> Result<(), DelegateError> {
        self.call(Verb::Gc).map(drop)
    }

    /// Calls STATUS.
    ///
    /// # Errors
    /// [`DelegateError`].
    pub fn status(&self) -> Result<(), DelegateError> {
        self.call(Verb::Status).map(drop)
    }

    fn call(&self, verb: Verb) -> Result<Reply, DelegateError> {
        self.send(verb, &self.call)
    }

    fn send(&self, verb: Verb, call: &Call) -> Result<Reply, DelegateError> {
        match &self.target {
            Target::InProcess(plugin) => {
                let failed = |failure: Failure| DelegateError::InProcess {
                    kind: self.kind.clone(),
                    source: failure.into(),
                };
                dispatch(*plugin, verb, call).map(Reply::Outcome).map_err(failed)
            }
            Target::Executable(executable) => {
                let failed = |source| DelegateError::Execute { kind: self.kind.clone(), source };
                let answer = executable.call(verb, &call.environment, call.config.bytes());
                answer.map(Reply::Value).map_err(failed)
            }
        }
    }
}

enum Reply {
    Value(Option<Value>),
    Outcome(Outcome),
}

/// The answer to VERSION.
#[derive(serde::Deserialize, Default)]
#[serde(default)]
struct Versions {
    #[serde(rename = "supportedVersions")]
    supported: Vec<String>,
}

/// The variables that runtimes set for VERSION, which needs none: plugins of the early versions check them first.
fn dummy() -> Environment {
    Environment {
        container: "dummy".to_owned(),
        netns: "dummy".into(),
        interface: "dummy".to_owned(),
        path: SearchPath::new("dummy"),
        ..Environment::default()
    }
}
