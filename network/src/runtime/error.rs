//! What can fail on the way through a chain.

use std::fmt;

use cni::{Cause, Code, ConfigError, DelegateError, Fault, ResultError, Version};
use vocab::{Attachment, NetworkName};

use super::Request;
use crate::{CacheError, FolderError, List, ListError, LockError};

/// What a runtime was doing with an attachment or a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doing {
    /// ADD.
    Add,
    /// DEL after an ADD that failed.
    TakeBack,
    /// DEL.
    Remove,
    /// CHECK.
    Check,
    /// GC.
    Collect,
    /// What is left of attachments whose container is gone is taken away.
    Forget,
    /// Reload.
    Reload,
    /// STATUS.
    AskStatus,
    /// What a network has without containers is made.
    Raise,
    /// It is taken away.
    Lower,
    /// The whole network is taken away.
    Retire,
}

/// A verb failed for an attachment, or for a network.
#[derive(Debug)]
pub struct Error {
    /// What was being done.
    pub doing: Doing,
    /// To which attachment, if it was for one.
    pub attachment: Option<Attachment>,
    /// The network.
    pub network: NetworkName,
    /// Why it failed.
    pub reason: Reason,
}

/// Why a verb failed.
#[derive(Debug, thiserror::Error)]
pub enum Reason {
    /// A plugin failed, or is nowhere.
    #[error(transparent)]
    Plugin(#[from] DelegateError),
    /// The configuration of a plugin cannot be made.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The result cannot be said in the version of the list.
    #[error(transparent)]
    Result(#[from] ResultError),
    /// The cache fails.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// The network's lock fails.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// ADD comes a second time, without DEL between.
    #[error("it is attached already")]
    Attached,
    /// CHECK comes before ADD, or after DEL.
    #[error("it is not attached: no result of an ADD is kept")]
    NotAttached,
    /// The version of the list has no CHECK.
    #[error("cniVersion {version} does not have CHECK: expected 0.4.0 or later")]
    NoCheck {
        /// The version.
        version: Version,
    },
    /// What is kept of it names a list that is none.
    #[error(transparent)]
    List(#[from] ListError),
    /// The container's namespace cannot be looked into.
    #[error(transparent)]
    Netns(#[from] netns::Error),
    /// The container's interface cannot be looked for.
    #[error(transparent)]
    Netlink(#[from] netlink::Error),
    /// A plugin failed that was called in process.
    #[error(transparent)]
    Failure(#[from] Cause),
    /// The network was taken away while the verb waited for its turn.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The same, and by now there is another of its name.
    #[error("its configuration has been replaced meanwhile")]
    Replaced,
    /// The verb needs a namespace.
    #[error("no network namespace is given")]
    NoNetns,
}

impl Fault for Reason {
    fn code(&self) -> Code {
        match self {
            Self::Plugin(error) => error.code(),
            Self::Config(error) => error.code(),
            Self::Result(error) => error.code(),
            Self::Cache(error) => error.code(),
            Self::Lock(error) => error.code(),
            Self::List(error) => error.code(),
            Self::Failure(cause) => cause.failure().code(),
            Self::Folder(error) => error.code(),
            Self::Replaced => Code::TRY_AGAIN,
            Self::Attached | Self::Netns(_) | Self::Netlink(_) => Code::INTERNAL,
            Self::NotAttached => Code::UNKNOWN_CONTAINER,
            Self::NoCheck { .. } => Code::INCOMPATIBLE_VERSION,
            Self::NoNetns => Code::INVALID_ENVIRONMENT,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Plugin(error) => error.hint(),
            Self::Config(error) => error.hint(),
            Self::Result(error) => error.hint(),
            Self::Cache(error) => error.hint(),
            Self::Lock(error) => error.hint(),
            Self::Attached => {
                Some("call DEL for it first; DEL is right for what is left of it, too".to_owned())
            }
            Self::NotAttached => Some("ADD may have been called by a runtime with another cache".to_owned()),
            Self::NoCheck { .. } => Some("set cniVersion to 0.4.0 or later".to_owned()),
            Self::List(error) => error.hint(),
            Self::Failure(cause) => cause.failure().hint(),
            Self::Folder(error) => error.hint(),
            Self::Replaced => Some("repeat it: it is then made with the configuration of now".to_owned()),
            Self::NoNetns | Self::Netns(_) | Self::Netlink(_) => None,
        }
    }
}

impl Error {
    pub(super) fn attachment(
        doing: Doing,
        list: &List,
        request: &Request,
        reason: impl Into<Reason>,
    ) -> Self {
        let attachment = Some(request.attachment.clone());
        Self { doing, attachment, network: list.name().clone(), reason: reason.into() }
    }

    pub(super) fn network(doing: Doing, list: &List, reason: impl Into<Reason>) -> Self {
        Self { doing, attachment: None, network: list.name().clone(), reason: reason.into() }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let network = &self.network;
        let (verb, preposition) = match self.doing {
            Doing::Add => ("add", "to network"),
            Doing::TakeBack => ("take back", "from network"),
            Doing::Remove => ("remove", "from network"),
            Doing::Check => ("check", "in network"),
            Doing::Collect => ("collect garbage", "of network"),
            Doing::Forget => ("forget the dead", "of network"),
            Doing::Reload => ("reload", "in network"),
            Doing::AskStatus => ("ask for the status", "of network"),
            Doing::Raise => ("raise", "network"),
            Doing::Lower => ("lower", "network"),
            Doing::Retire => ("retire", "network"),
        };
        match &self.attachment {
            Some(attachment) => write!(f, "{verb} {attachment} {preposition} {network}"),
            None => write!(f, "{verb} {preposition} {network}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.reason)
    }
}

impl Fault for Error {
    fn code(&self) -> Code {
        self.reason.code()
    }

    fn hint(&self) -> Option<String> {
        self.reason.hint()
    }
}

/// Everything that failed, the cause first: DEL and GC go on after a failure, and an ADD that failed has to
/// be taken back.
#[derive(Debug)]
pub struct Errors(Box<Error>, Vec<Error>);

impl Errors {
    /// A cause, and what failed after it.
    pub(super) fn new(cause: Error, further: Vec<Error>) -> Self {
        Self(Box::new(cause), further)
    }

    /// Success, or all of `errors`.
    ///
    /// # Errors
    /// Unless there are none.
    pub fn none_of(mut errors: Vec<Error>) -> Result<(), Self> {
        if errors.is_empty() {
            return Ok(());
        }
        let first = errors.remove(0);
        Err(Self::new(first, errors))
    }

    /// The errors in the order in which they happened.
    pub fn iter(&self) -> impl Iterator<Item = &Error> {
        std::iter::once(&*self.0).chain(&self.1)
    }
}

impl IntoIterator for Errors {
    type Item = Error;
    type IntoIter = std::iter::Chain<std::iter::Once<Error>, std::vec::IntoIter<Error>>;

    fn into_iter(self) -> Self::IntoIter {
        std::iter::once(*self.0).chain(self.1)
    }
}

impl From<Error> for Errors {
    fn from(error: Error) -> Self {
        Self::new(error, Vec::new())
    }
}

impl fmt::Display for Errors {
    /// All of it in one line, for programs; a person is told of each on its own.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.iter().enumerate() {
            write!(f, "{}{}", if index == 0 { "" } else { "; " }, in_full(error))?;
        }
        Ok(())
    }
}

impl std::error::Error for Errors {}

impl Fault for Errors {
    fn code(&self) -> Code {
        self.0.code()
    }

    fn hint(&self) -> Option<String> {
        self.iter().find_map(Fault::hint)
    }
}

/// An error and its causes in one line.
pub(crate) fn in_full(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", in_full(source)),
        None => error.to_string(),
    }
}
