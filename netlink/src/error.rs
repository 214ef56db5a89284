//! What can go wrong between us and the kernel.

use nix::errno::Errno;

use crate::Label;

/// The kernel refused a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{label}: {} ({errno:?}){}", errno.desc(), Explained(explanation.as_deref()))]
pub struct Refused {
    /// What was tried, with whom.
    pub label: Label,
    /// The kernel's reason.
    pub errno: Errno,
    /// The kernel's own words, when it has some (`NLMSGERR_ATTR_MSG`).
    pub explanation: Option<String>,
}

impl Refused {
    /// What should be made is there already.
    #[must_use]
    pub fn is_exists(&self) -> bool {
        self.errno == Errno::EEXIST
    }

    /// What should be found, changed or removed is not there: the link, the route, the rule, the address.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(self.errno, Errno::ENODEV | Errno::ENOENT | Errno::ESRCH | Errno::EADDRNOTAVAIL)
    }
}

struct Explained<'a>(Option<&'a str>);

impl std::fmt::Display for Explained<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(words) => write!(f, ": {words}"),
            None => Ok(()),
        }
    }
}

/// A request, or a batch of them, failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The kernel refused a request.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// A netlink socket could not be opened.
    #[error("open a netlink socket")]
    Open {
        /// Why not.
        source: std::io::Error,
    },
    /// Sending or receiving failed.
    #[error("{label}")]
    Exchange {
        /// What was tried.
        label: Label,
        /// Why it failed.
        source: std::io::Error,
    },
    /// The answer did not come, or did not fit into the buffer.
    #[error("{label}: the kernel's answer is lost")]
    Lost {
        /// What was tried.
        label: Label,
    },
    /// The answer is not what the protocol promises.
    #[error("{label}: the kernel's answer lacks {lacks}")]
    Malformed {
        /// What was tried.
        label: Label,
        /// What is not in it.
        lacks: &'static str,
    },
    /// The list changed each time it was read.
    #[error("{label}: the list changed during each of {attempts} readings")]
    Unsteady {
        /// What was tried.
        label: Label,
        /// How often.
        attempts: u32,
    },
}

impl Error {
    /// The refusal, if the kernel refused.
    #[must_use]
    pub fn refused(&self) -> Option<&Refused> {
        match self {
            Self::Refused(refused) => Some(refused),
            _ => None,
        }
    }

    /// The kernel's reason, if it refused.
    #[must_use]
    pub fn errno(&self) -> Option<Errno> {
        self.refused().map(|refused| refused.errno)
    }

    /// What should be made is there already.
    #[must_use]
    pub fn is_exists(&self) -> bool {
        self.refused().is_some_and(Refused::is_exists)
    }

    /// What should be found, changed or removed is not there.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        self.refused().is_some_and(Refused::is_missing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_the_attempt_the_object_and_the_reason() {
        let label = Label::new("create veth", "veth1a2b");
        let mut refused = Refused { label, errno: Errno::EEXIST, explanation: None };
        assert_eq!(refused.to_string(), "create veth veth1a2b: File exists (EEXIST)");
        refused.explanation = Some("name taken".to_owned());
        assert_eq!(refused.to_string(), "create veth veth1a2b: File exists (EEXIST): name taken");
        assert!(Error::from(refused).is_exists());
    }
}
