//! GC's list of what is still there.

use std::collections::HashSet;

use serde::Deserialize;
use vocab::{Attachment, ContainerId, InterfaceName};

use crate::{Call, Code, Config, ConfigError, Fault, Mismatch};

/// The attachments that GC must keep (CNI spec, section 2, "GC").
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Valid(HashSet<Attachment>);

impl Valid {
    /// Whether `attachment` is to be kept.
    #[must_use]
    pub fn contains(&self, attachment: &Attachment) -> bool {
        self.0.contains(attachment)
    }

    /// Whether any interface of `container` is to be kept: leases in host-local's old form name only the
    /// container.
    #[must_use]
    pub fn has_container(&self, container: &str) -> bool {
        self.0.iter().any(|attachment| attachment.container.as_str() == container)
    }

    /// The attachments, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Attachment> {
        self.0.iter()
    }

    /// Whether nothing is to be kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads `cni.dev/valid-attachments`, or `cni.dev/attachments` as libcni spelled it first. Runtimes
    /// write `null` when no container is left.
    pub(crate) fn read(config: &Config) -> Result<Self, InvalidGc> {
        let keys = ["cni.dev/valid-attachments", "cni.dev/attachments"];
        let Some(key) = keys.into_iter().find(|key| config.has(key)) else { return Err(InvalidGc::Missing) };
        let listed: Option<Vec<Listed>> = config.decode_key(key).map_err(InvalidGc::Config)?;
        let attachments = listed.unwrap_or_default().into_iter().enumerate().map(|(index, listed)| {
            let at = |field: &str, error: String| {
                InvalidGc::Config(ConfigError::Field(Mismatch::new(format!("{key}[{index}].{field}"), error)))
            };
            let container =
                ContainerId::new(&listed.container).map_err(|e| at("containerID", e.to_string()))?;
            let interface = InterfaceName::new(&listed.interface).map_err(|e| at("ifname", e.to_string()))?;
            Ok(Attachment::new(container, interface))
        });
        attachments.collect::<Result<_, _>>().map(Self)
    }
}

impl FromIterator<Attachment> for Valid {
    fn from_iter<I: IntoIterator<Item = Attachment>>(attachments: I) -> Self {
        Self(attachments.into_iter().collect())
    }
}

#[derive(Deserialize)]
struct Listed {
    #[serde(rename = "containerID")]
    container: String,
    #[serde(rename = "ifname")]
    interface: String,
}

/// A GC without a usable list. Nothing is removed then.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InvalidGc {
    /// The list is not there at all.
    #[error(
        "invalid network configuration: cni.dev/valid-attachments: missing: GC removes what is not listed there"
    )]
    Missing,
    /// The list cannot be read.
    #[error(transparent)]
    Config(ConfigError),
}

impl Fault for InvalidGc {
    fn code(&self) -> Code {
        match self {
            Self::Missing => Code::INVALID_CONFIG,
            Self::Config(error) => error.code(),
        }
    }
}

/// GC: remove whatever belongs to no valid attachment of this network.
pub struct GcCall {
    /// The call itself.
    pub call: Call,
    /// What is to be kept.
    pub valid: Valid,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Valid, InvalidGc> {
        Valid::read(&Config::parse(format!("{{\"name\":\"n\"{text}}}").into_bytes()).unwrap())
    }

    #[test]
    fn both_spellings_and_null_are_read() {
        let list = r#"[{"containerID":"a","ifname":"eth0"}]"#;
        for key in ["cni.dev/valid-attachments", "cni.dev/attachments"] {
            let valid = read(&format!(",\"{key}\":{list}")).unwrap();
            assert!(valid.has_container("a") && !valid.is_empty());
            assert!(read(&format!(",\"{key}\":null")).unwrap().is_empty());
        }
    }

    #[test]
    fn without_a_list_nothing_may_be_removed() {
        assert!(matches!(read("").unwrap_err(), InvalidGc::Missing));
        let error = read(r#","cni.dev/valid-attachments":[{"containerID":"a","ifname":"a/b"}]"#).unwrap_err();
        assert!(matches!(error, InvalidGc::Config(_)));
    }
}
