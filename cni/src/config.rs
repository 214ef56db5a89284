//! The configuration of one plugin, as it arrives on stdin.

use std::fmt::Display;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use vocab::{InvalidName, NetworkName};

use crate::decode::{Mismatch, decode, find};
use crate::{Code, Fault, ResultError, Success, UnknownVersion, Verb, Version};

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It is no JSON.
    #[error("decode network configuration")]
    NotJson(#[source] serde_json::Error),
    /// A field does not hold what was expected.
    #[error("decode network configuration")]
    Field(#[source] Mismatch),
    /// It has no name.
    #[error("invalid network configuration: name: missing network name")]
    MissingName,
    /// Its name is none.
    #[error("invalid network configuration: name")]
    Name(#[source] InvalidName),
    /// Its version is not known.
    #[error("invalid network configuration")]
    Version(#[source] UnknownVersion),
    /// Its `prevResult` cannot be read.
    #[error("read prevResult")]
    PrevResult(#[source] ResultError),
    /// It has no `prevResult` although the verb needs one.
    #[error("invalid network configuration: prevResult: {verb} needs the result of the plugins before")]
    MissingPrevResult {
        /// The verb.
        verb: Verb,
    },
    /// A key of the plugin's own has a value that it cannot have.
    #[error("invalid network configuration: {key}: {value}: {expected}")]
    Value {
        /// The path of the key.
        key: String,
        /// Its value.
        value: String,
        /// What was expected.
        expected: String,
    },
    /// Keys of the plugin's own exclude each other.
    #[error("invalid network configuration: {keys} exclude each other: {reason}")]
    Conflict {
        /// The keys.
        keys: &'static str,
        /// Why they do.
        reason: String,
    },
}

impl ConfigError {
    /// The value of a key is not what was expected.
    pub fn value(key: impl Into<String>, value: impl Display, expected: impl Into<String>) -> Self {
        Self::Value { key: key.into(), value: value.to_string(), expected: expected.into() }
    }

    /// Keys exclude each other.
    pub fn conflict(keys: &'static str, reason: impl Into<String>) -> Self {
        Self::Conflict { keys, reason: reason.into() }
    }
}

impl Fault for ConfigError {
    fn code(&self) -> Code {
        match self {
            Self::NotJson(_) | Self::Field(_) => Code::DECODING,
            Self::PrevResult(error) => error.code(),
            Self::MissingName
            | Self::Name(_)
            | Self::MissingPrevResult { .. }
            | Self::Value { .. }
            | Self::Conflict { .. } => Code::INVALID_CONFIG,
            Self::Version(_) => Code::INCOMPATIBLE_VERSION,
        }
    }
}

/// A network configuration (CNI spec, section 1): what every plugin needs of it is read, the rest is kept
/// for the plugin whose it is.
#[derive(Debug, Clone)]
pub struct Config {
    version: Version,
    name: NetworkName,
    object: Map<String, Value>,
    bytes: Vec<u8>,
}

impl Config {
    /// Reads what came on stdin.
    ///
    /// # Errors
    /// [`ConfigError`] for anything but a JSON object with a valid `name` and a known `cniVersion`.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, ConfigError> {
        let value: Value = serde_json::from_slice(&bytes).map_err(ConfigError::NotJson)?;
        let Value::Object(object) = value else {
            return Err(ConfigError::Field(Mismatch::new("", "expected a JSON object")));
        };
        Self::assemble(object, bytes)
    }

    /// A configuration that a runtime has put together.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn from_object(object: Map<String, Value>) -> Result<Self, ConfigError> {
        let bytes = serde_json::to_vec(&object).map_err(ConfigError::NotJson)?;
        Self::assemble(object, bytes)
    }

    fn assemble(object: Map<String, Value>, bytes: Vec<u8>) -> Result<Self, ConfigError> {
        let text = |key| match find(&object, key) {
            None => Ok(""),
            Some(Value::String(text)) => Ok(text.as_str()),
            Some(other) => {
                Err(ConfigError::Field(Mismatch::new(key, format!("expected a text, found {other}"))))
            }
        };
        let name = match text("name")? {
            "" => return Err(ConfigError::MissingName),
            name => NetworkName::new(name).map_err(ConfigError::Name)?,
        };
        let version = Version::parse(text("cniVersion")?).map_err(ConfigError::Version)?;
        Ok(Self { version, name, object, bytes })
    }

    /// The version that the answer must have.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.version
    }

    /// The name of the network.
    #[must_use]
    pub const fn name(&self) -> &NetworkName {
        &self.name
    }

    /// The bytes as they came: what a delegate is given.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The value of a key, found without regard to case; `null` counts as absent.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        find(&self.object, key)
    }

    /// The same configuration with another value for `key`, also in the bytes that a delegate is given.
    ///
    /// # Errors
    /// [`ConfigError::NotJson`] when the JSON writer fails.
    pub fn with(&self, key: &str, value: Value) -> Result<Self, ConfigError> {
        let mut object = self.object.clone();
        object.insert(key.to_owned(), value);
        let bytes = serde_json::to_vec(&object).map_err(ConfigError::NotJson)?;
        Ok(Self { object, bytes, version: self.version, name: self.name.clone() })
    }

    /// Whether a key is there, `null` or not.
    #[must_use]
    pub(crate) fn has(&self, key: &str) -> bool {
        self.object.contains_key(key)
    }

    /// The keys that the plugin knows, as its own type.
    ///
    /// # Errors
    /// [`ConfigError::Field`] with the path of the first field that does not fit.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, ConfigError> {
        crate::decode::decode_object(&self.object).map_err(ConfigError::Field)
    }

    /// One key as a type of its own; `None` when it is absent.
    ///
    /// # Errors
    /// [`ConfigError::Field`] with the path of the first field that does not fit.
    pub fn decode_key<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, ConfigError> {
        self.get(key).map(|value| decode(value, key)).transpose().map_err(ConfigError::Field)
    }

    /// The result of the plugins before this one in the chain, or of the ADD in a CHECK or DEL.
    ///
    /// # Errors
    /// [`ConfigError::PrevResult`] when it is there and cannot be read.
    pub fn prev_result(&self) -> Result<Option<Success>, ConfigError> {
        let value = self.get("prevResult");
        value.map(|value| Success::read(value, self.version)).transpose().map_err(ConfigError::PrevResult)
    }

    /// The same where a verb cannot do without.
    ///
    /// # Errors
    /// [`ConfigError::MissingPrevResult`], and as with [`prev_result`](Self::prev_result).
    pub fn expect_prev_result(&self, verb: Verb) -> Result<Success, ConfigError> {
        self.prev_result()?.ok_or(ConfigError::MissingPrevResult { verb })
    }

    /// The `type` of the IPAM plugin; `None` when the configuration has no `ipam`, or one without a type.
    ///
    /// # Errors
    /// [`ConfigError::Field`] when `ipam` or its type is of the wrong kind.
    pub fn ipam_type(&self) -> Result<Option<String>, ConfigError> {
        #[derive(serde::Deserialize, Default)]
        #[serde(default)]
        struct Ipam {
            r#type: String,
        }
        let ipam: Option<Ipam> = self.decode_key("ipam")?;
        Ok(ipam.map(|ipam| ipam.r#type).filter(|kind| !kind.is_empty()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, ConfigError> {
        Config::parse(text.as_bytes().to_vec())
    }

    #[test]
    fn the_well_known_keys_are_read() {
        let config = parse(r#"{"CNIVersion":"1.0.0","name":"net","ipam":{"TYPE":"host-local"}}"#).unwrap();
        assert_eq!(config.version(), Version::V1_0_0);
        assert_eq!(config.name().as_str(), "net");
        assert_eq!(config.ipam_type().unwrap().as_deref(), Some("host-local"));
        assert!(config.prev_result().unwrap().is_none());
    }

    #[test]
    fn each_kind_of_bad_document_has_its_code() {
        let cases = [
            ("", Code::DECODING),
            ("[]", Code::DECODING),
            (r#"{"name":1}"#, Code::DECODING),
            ("{}", Code::INVALID_CONFIG),
            (r#"{"name":""}"#, Code::INVALID_CONFIG),
            (r#"{"name":"../x"}"#, Code::INVALID_CONFIG),
            (r#"{"name":"a","cniVersion":"1.2.0"}"#, Code::INCOMPATIBLE_VERSION),
            (r#"{"name":"a","cniVersion":1}"#, Code::DECODING),
        ];
        for (text, code) in cases {
            assert_eq!(parse(text).unwrap_err().code(), code, "{text}");
        }
    }

    #[test]
    fn a_prev_result_is_read_in_its_own_version() {
        let text = r#"{"name":"a","cniVersion":"1.0.0",
            "prevResult":{"cniVersion":"0.2.0","ip4":{"ip":"10.0.0.2/24"}}}"#;
        assert_eq!(parse(text).unwrap().prev_result().unwrap().unwrap().ips.len(), 1);
        assert!(parse(r#"{"name":"a","prevResult":{"cniVersion":"9"}}"#).unwrap().prev_result().is_err());
    }
}
