//! `CNI_ARGS`: the words that a person or a runtime adds to one call.

/// Why `CNI_ARGS` cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidArgs {
    /// A piece between two semicolons is no `KEY=VALUE`.
    #[error("invalid CNI_ARGS: {piece:?}: expected KEY=VALUE with exactly one '='")]
    NoPair {
        /// The piece.
        piece: String,
    },
    /// A key that no plugin here knows, and `IgnoreUnknown` is not set.
    #[error("invalid CNI_ARGS: unknown key {key:?}: expected one of {known}, or IgnoreUnknown=1 beside it")]
    UnknownKey {
        /// The key.
        key: String,
        /// The keys that are known.
        known: &'static str,
    },
}

/// The pairs of `CNI_ARGS` in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Args(Vec<(String, String)>);

impl Args {
    /// The keys that some plugin reads. A bridge's `MAC` reaches its IPAM plugin, too, and must not make
    /// it fail; so all of them are known to all.
    const KNOWN: [&'static str; 4] = ["IP", "GATEWAY", "MAC", "IgnoreUnknown"];

    /// Reads `KEY=VALUE;KEY=VALUE`. Empty pieces (a semicolon too many) are passed over.
    ///
    /// # Errors
    /// [`InvalidArgs::NoPair`] for a piece without exactly one `=`.
    pub fn parse(text: &str) -> Result<Self, InvalidArgs> {
        let pieces = text.split(';').filter(|piece| !piece.is_empty());
        let pairs = pieces.map(|piece| match piece.split_once('=') {
            Some((key, value)) if !value.contains('=') => Ok((key.to_owned(), value.to_owned())),
            _ => Err(InvalidArgs::NoPair { piece: piece.to_owned() }),
        });
        pairs.collect::<Result<_, _>>().map(Self)
    }

    /// Fails when a key is unknown and nobody said that unknown ones may be ignored. Runtimes add
    /// `K8S_POD_NAME` and the like together with `IgnoreUnknown=1`, in any order.
    ///
    /// # Errors
    /// [`InvalidArgs::UnknownKey`].
    pub fn refuse_unknown(&self) -> Result<(), InvalidArgs> {
        let ignore = self
            .get("IgnoreUnknown")
            .is_some_and(|value| matches!(value, "1" | "t" | "T" | "true" | "TRUE" | "True"));
        let unknown = self.0.iter().find(|(key, _)| !Self::KNOWN.contains(&key.as_str()));
        match unknown {
            Some((key, _)) if !ignore => {
                Err(InvalidArgs::UnknownKey { key: key.clone(), known: "IP, GATEWAY, MAC" })
            }
            _ => Ok(()),
        }
    }

    /// The pairs in their order.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Whether there is no pair at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of `key`, the last one if it is there twice; an empty value counts as absent.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        let found = self.0.iter().rev().find(|(name, _)| name == key);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }
}

impl FromIterator<(String, String)> for Args {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        Self(pairs.into_iter().collect())
    }
}

impl std::fmt::Display for Args {
    /// The text that [`parse`](Self::parse) reads.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, (key, value)) in self.0.iter().enumerate() {
            let semicolon = if index == 0 { "" } else { ";" };
            write!(f, "{semicolon}{key}={value}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_read_in_any_order() {
        let args = Args::parse("K8S_POD_NAME=web;IgnoreUnknown=1;IP=10.0.0.2").unwrap();
        assert_eq!(args.get("IP"), Some("10.0.0.2"));
        assert_eq!(args.refuse_unknown(), Ok(()));
        assert_eq!(args.to_string(), "K8S_POD_NAME=web;IgnoreUnknown=1;IP=10.0.0.2");
        assert_eq!(args.pairs().count(), 3);
    }

    #[test]
    fn a_piece_that_is_no_pair_is_named() {
        for text in ["IP", "IP=a=b", "IgnoreUnknown=1;X"] {
            let error = Args::parse(text).unwrap_err().to_string();
            assert!(error.contains("expected KEY=VALUE"), "{error}");
        }
    }

    #[test]
    fn an_unknown_key_is_an_error_unless_it_may_be_ignored() {
        assert!(Args::parse("FOO=1").unwrap().refuse_unknown().is_err());
        assert!(Args::parse("FOO=1;IgnoreUnknown=0").unwrap().refuse_unknown().is_err());
        assert!(Args::parse("FOO=1;IgnoreUnknown=true").unwrap().refuse_unknown().is_ok());
        assert!(Args::parse("MAC=02:00:00:00:00:01").unwrap().refuse_unknown().is_ok());
    }
}
