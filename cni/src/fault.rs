//! Errors as the protocol knows them: a code, a message, details.
//!
//! Every room has its own error type. What crosses the protocol is a [`Fault`]: an error that also knows
//! its code and, where there is one, the way out. The chain of causes is joined here and nowhere else.

use std::error::Error;

use serde::{Deserialize, Serialize};

/// An error code (CNI spec, section 5, "Error").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Code(pub u32);

impl Code {
    /// The plugin does not speak the version of the configuration.
    pub const INCOMPATIBLE_VERSION: Self = Self(1);
    /// A field of the configuration is not supported; key and value stand in the message.
    pub const UNSUPPORTED_FIELD: Self = Self(2);
    /// The container is not known: there is nothing to clean up.
    pub const UNKNOWN_CONTAINER: Self = Self(3);
    /// A variable of the environment is missing or invalid; its name stands in the message.
    pub const INVALID_ENVIRONMENT: Self = Self(4);
    /// Reading or writing failed.
    pub const IO: Self = Self(5);
    /// Decoding failed.
    pub const DECODING: Self = Self(6);
    /// The configuration is invalid.
    pub const INVALID_CONFIG: Self = Self(7);
    /// The network namespace is not one that the plugin may use (`ErrInvalidNetNS` of libcni).
    pub const INVALID_NETNS: Self = Self(8);
    /// Something is in the way that will pass.
    pub const TRY_AGAIN: Self = Self(11);
    /// STATUS: an ADD cannot be served.
    pub const NOT_AVAILABLE: Self = Self(50);
    /// STATUS: an ADD cannot be served, and containers that are there may be impaired.
    pub const LIMITED_CONNECTIVITY: Self = Self(51);
    /// The first of the codes that belong to plugins.
    pub const PLUGIN: Self = Self(100);
    /// Everything else, as libcni has it.
    pub const INTERNAL: Self = Self(999);
}

/// An error that a plugin may answer with.
pub trait Fault: Error + 'static {
    /// The code of the specification that fits.
    fn code(&self) -> Code {
        Code::INTERNAL
    }

    /// The way out, for a person; it becomes the `details` of the error object.
    fn hint(&self) -> Option<String> {
        None
    }
}

/// Any [`Fault`].
#[derive(Debug)]
pub struct Failure(Box<dyn Fault>);

impl<E: Fault> From<E> for Failure {
    fn from(fault: E) -> Self {
        Self(Box::new(fault))
    }
}

impl Failure {
    /// The code of the fault.
    #[must_use]
    pub fn code(&self) -> Code {
        self.0.code()
    }

    /// The way out.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        self.0.hint()
    }

    /// The fault and its causes, outermost first, one text each.
    #[must_use]
    pub fn chain(&self) -> Vec<String> {
        let mut texts = vec![self.0.to_string()];
        let mut source = self.0.source();
        while let Some(cause) = source {
            texts.push(cause.to_string());
            source = cause.source();
        }
        texts
    }

    /// The fault as the protocol writes it.
    #[must_use]
    pub fn object(&self) -> ErrorObject {
        ErrorObject {
            code: self.code(),
            msg: self.chain().join(": "),
            details: self.hint().unwrap_or_default(),
        }
    }
}

/// A [`Failure`] as the cause of another error: its own text and its causes stay apart, link by link.
#[derive(Debug)]
pub struct Cause(Failure);

impl Cause {
    /// The failure itself.
    #[must_use]
    pub const fn failure(&self) -> &Failure {
        &self.0
    }
}

impl From<Failure> for Cause {
    fn from(failure: Failure) -> Self {
        Self(failure)
    }
}

impl std::fmt::Display for Cause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(&self.0.0, f)
    }
}

impl Error for Cause {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.0.source()
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.chain().join(": "))
    }
}

/// Something that every ADD needs is not to be had: what STATUS answers then, with the code that says so.
#[derive(Debug)]
pub struct NotAvailable(Cause);

impl NotAvailable {
    /// Says of an error that it keeps every ADD from being served.
    pub fn because(error: impl Into<Failure>) -> Failure {
        Self(error.into().into()).into()
    }
}

impl std::fmt::Display for NotAvailable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for NotAvailable {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

impl Fault for NotAvailable {
    fn code(&self) -> Code {
        Code::NOT_AVAILABLE
    }

    fn hint(&self) -> Option<String> {
        self.0.failure().hint()
    }
}

/// The error object that a plugin prints (CNI spec, section 5, "Error").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorObject {
    /// What kind of error it is.
    #[serde(default = "unset")]
    pub code: Code,
    /// What was tried, with whom, and why it failed.
    #[serde(default)]
    pub msg: String,
    /// The way out, or what else is worth knowing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub details: String,
}

const fn unset() -> Code {
    Code(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("attach veth1 to bridge cni0")]
    struct Attach(#[source] std::io::Error);

    impl Fault for Attach {
        fn code(&self) -> Code {
            Code::TRY_AGAIN
        }
        fn hint(&self) -> Option<String> {
            Some("wait".to_owned())
        }
    }

    #[test]
    fn the_chain_is_joined_once_at_the_edge() {
        let failure = Failure::from(Attach(std::io::Error::other("link is busy")));
        let object = failure.object();
        assert_eq!(object.msg, "attach veth1 to bridge cni0: link is busy");
        assert_eq!(serde_json::to_value(object).unwrap()["details"], "wait");
    }
}
