//! Why a group is not as it was wanted.

use std::io;
use std::path::{Path, PathBuf};

/// Why a group is not as it was wanted.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder of a hierarchy.
    #[error("{what} {}", path.display())]
    File {
        /// What was tried.
        what: String,
        /// With which file.
        path: PathBuf,
        /// What the kernel says.
        source: io::Error,
    },
    /// A limit takes a controller that is not mounted.
    #[error(
        "limit {limit} takes the control group controller {controller}, which is not mounted on this host"
    )]
    NoController {
        /// What was asked for, in Docker's words.
        limit: &'static str,
        /// Of which controller it is.
        controller: &'static str,
    },
    /// A controller of v2 cannot be handed on to groups below.
    #[error("hand controller {controller} on to groups below {}", path.display())]
    NotHandedOn {
        /// The controller.
        controller: String,
        /// The group above.
        path: PathBuf,
        /// What the kernel says.
        source: io::Error,
    },
    /// Rules for devices cannot be put in force.
    #[error("put the device rules of {} in force ({step})", path.display())]
    Devices {
        /// The group.
        path: PathBuf,
        /// What was tried.
        step: &'static str,
        /// What the kernel says.
        source: io::Error,
    },
    /// Processes do not go away.
    #[error("processes of control group {} do not end: {pids:?}", path.display())]
    StillThere {
        /// The group.
        path: PathBuf,
        /// Those that are left.
        pids: Vec<i32>,
    },
}

impl Error {
    /// What the person who asked can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoController { limit, controller } => format!(
                "start without {limit}, or give the kernel {controller} (for memory: cgroup_enable=memory on its command line)"
            ),
            Self::NotHandedOn { source, path, .. } if source.raw_os_error() == Some(libc::EBUSY) => format!(
                "processes are in {}, which v2 allows in groups without further ones only: move them into one of their own",
                path.display()
            ),
            Self::StillThere { .. } => "they wait for the kernel (state D): see what with `cat /proc/PID/stack`".to_owned(),
            Self::File { source, .. } if source.raw_os_error() == Some(libc::EROFS) => {
                "control groups are mounted read-only here: netctl run needs a host, or a privileged container".to_owned()
            }
            _ => return None,
        })
    }

    pub(crate) fn file(what: &str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::File { what: what.to_owned(), path: path.to_owned(), source }
    }
}
