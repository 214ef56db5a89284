//! Why nf_tables did not do what it was asked for, and what a person can do about it.

use std::{fmt, io};

use nix::errno::Errno;

/// What nf_tables is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Request {
    /// To show one object.
    Show,
    /// To list all objects of a kind.
    List,
    /// To begin a transaction.
    Begin,
    /// To make a table.
    MakeTable,
    /// To make a set.
    MakeSet,
    /// To make a chain.
    MakeChain,
    /// To add a rule.
    AddRule,
    /// To add elements to a set.
    AddElements,
    /// To delete a table.
    DeleteTable,
    /// To delete a set.
    DeleteSet,
    /// To delete a chain.
    DeleteChain,
    /// To delete rules.
    DeleteRules,
    /// To delete elements from a set.
    DeleteElements,
    /// To list connections.
    ListConnections,
    /// To forget a connection.
    DeleteConnection,
}

impl Request {
    /// Which part of the kernel is asked.
    fn whom(self) -> &'static str {
        match self {
            Self::ListConnections | Self::DeleteConnection => "conntrack",
            _ => "nf_tables",
        }
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Show => "show an object",
            Self::List => "list objects",
            Self::Begin => "begin a transaction",
            Self::MakeTable => "make a table",
            Self::MakeSet => "make a set",
            Self::MakeChain => "make a chain",
            Self::AddRule => "add a rule",
            Self::AddElements => "add elements",
            Self::DeleteTable => "delete a table",
            Self::DeleteSet => "delete a set",
            Self::DeleteChain => "delete a chain",
            Self::DeleteRules => "delete rules",
            Self::DeleteElements => "delete elements",
            Self::ListConnections => "list connections",
            Self::DeleteConnection => "forget a connection",
        })
    }
}

/// Why nf_tables did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such socket.
    #[error("open a netfilter netlink socket")]
    Open {
        /// What the kernel says.
        source: io::Error,
    },
    /// The request did not get through.
    #[error("send a request to netfilter")]
    Send {
        /// What the kernel says.
        source: io::Error,
    },
    /// The answer did not get through.
    #[error("receive the answer of netfilter")]
    Receive {
        /// What the kernel says.
        source: io::Error,
    },
    /// It refused.
    #[error("{} refused to {request}: {errno}{}", request.whom(), in_brackets(text))]
    Refused {
        /// What it was asked for.
        request: Request,
        /// Why not.
        errno: Errno,
        /// The same in the kernel's own words, if it has any.
        text: Option<String>,
    },
}

fn in_brackets(text: &Option<String>) -> String {
    text.as_ref().map(|text| format!(" ({text})")).unwrap_or_default()
}

impl Error {
    /// The kernel's number for the reason.
    #[must_use]
    pub fn errno(&self) -> Option<Errno> {
        match self {
            Self::Open { source } | Self::Send { source } | Self::Receive { source } => {
                source.raw_os_error().map(Errno::from_raw)
            }
            Self::Refused { errno, .. } => Some(*errno),
        }
    }

    /// Whether somebody else changed the ruleset at the same moment, so that looking again helps: the
    /// generation moved on, a listing was torn, or an element's set or neighbour came or went.
    pub(crate) fn is_race(&self) -> bool {
        use Errno::{EAGAIN, EBUSY, EEXIST, EINTR, ENOENT, ERESTART};
        match self {
            Self::Refused { errno: ERESTART | EAGAIN | EBUSY | EINTR, .. } => true,
            Self::Refused { errno: ENOENT | EEXIST, request, .. } => {
                matches!(request, Request::AddElements | Request::DeleteElements)
            }
            _ => false,
        }
    }

    /// A way out, where one is known.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        use Errno::{EACCES, EAFNOSUPPORT, EINVAL, ENOENT, EOPNOTSUPP, EPERM, EPROTONOSUPPORT};
        let hint = match (self.request(), self.errno()?) {
            (_, EPERM | EACCES) => {
                "run as root: it takes CAP_NET_ADMIN in the user namespace that this network namespace belongs to"
            }
            (None, EPROTONOSUPPORT | EAFNOSUPPORT) => {
                "this kernel has no netfilter netlink: load the module nf_tables (CONFIG_NF_TABLES)"
            }
            // To a question that it does not understand the kernel says EINVAL.
            (Some(Request::Begin | Request::MakeTable), EOPNOTSUPP | EAFNOSUPPORT)
            | (Some(Request::Show), EINVAL) => {
                "this kernel has no nf_tables, or not for this family: load the module nf_tables \
                 (CONFIG_NF_TABLES, CONFIG_NF_TABLES_INET, CONFIG_NF_TABLES_BRIDGE)"
            }
            (Some(Request::MakeChain), ENOENT) => {
                "this kernel has no such type of chain: load the module nft_chain_nat (CONFIG_NFT_NAT)"
            }
            (Some(Request::AddRule), ENOENT) => {
                "this kernel lacks an expression of nftables: load the module nft_masq (CONFIG_NFT_MASQ)"
            }
            (Some(Request::MakeSet), EINVAL | EOPNOTSUPP) => {
                "this kernel has no sets of concatenated ranges: Linux 5.6 or newer is needed"
            }
            _ => return None,
        };
        Some(hint.to_owned())
    }

    fn request(&self) -> Option<Request> {
        match self {
            Self::Refused { request, .. } => Some(*request),
            Self::Open { .. } | Self::Send { .. } | Self::Receive { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(request: Request, errno: Errno) -> Error {
        Error::Refused { request, errno, text: None }
    }

    #[test]
    fn a_kernel_without_nf_tables_is_named() {
        let hint = refused(Request::Begin, Errno::EOPNOTSUPP).hint().unwrap();
        assert!(hint.contains("CONFIG_NF_TABLES"), "{hint}");
        let source = std::io::Error::from_raw_os_error(Errno::EPROTONOSUPPORT as i32);
        assert!(Error::Open { source }.hint().unwrap().contains("CONFIG_NF_TABLES"));
        assert!(refused(Request::AddRule, Errno::ENOENT).hint().unwrap().contains("nft_masq"));
    }

    #[test]
    fn a_user_without_privilege_is_told_so() {
        assert!(refused(Request::Show, Errno::EPERM).hint().unwrap().contains("CAP_NET_ADMIN"));
    }

    #[test]
    fn an_error_without_a_known_way_out_has_no_hint() {
        assert_eq!(refused(Request::AddElements, Errno::ENOMEM).hint(), None);
    }
}
