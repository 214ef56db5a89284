//! How people name images: `busybox`, `registry:5000/team/app:1.2`, `app@sha256:…`.
//!
//! The rules are Docker's: the first word is a registry when it has a dot, a port, a capital letter or reads `localhost`;
//! without one it is `docker.io`, where names of one word lie below `library`. What is compared and stored is the long
//! form, what people see the short one.

use crate::digest::Digest;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

const DEFAULT_REGISTRY: &str = "docker.io";
const DEFAULT_FOLDER: &str = "library/";
const DEFAULT_TAG: &str = "latest";
/// The longest name without tag, as the distribution specification has it.
const LONGEST_NAME: usize = 255;
const LONGEST_TAG: usize = 128;

/// Text that names no image.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{text:?} is no name of an image: {fault}")]
pub struct InvalidReference {
    /// What was given.
    pub text: String,
    /// What is wrong with it.
    pub fault: ReferenceFault,
}

/// What is wrong with the name of an image.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it all")]
pub enum ReferenceFault {
    #[error("it has no repository")]
    NoRepository,
    #[error("a registry is HOST[:PORT] of letters, digits, dots and hyphens")]
    Registry,
    #[error("repositories are lower-case")]
    Capitals,
    #[error(
        "the parts of a repository are lower-case letters and digits with single . _ __ or - between them"
    )]
    Repository,
    #[error("it is longer than 255 bytes")]
    TooLong,
    #[error("a tag is up to 128 letters, digits, _ . and -, and begins with none of the last two")]
    Tag,
    #[error("after @ comes sha256: and 64 hexadecimal digits")]
    Digest,
    #[error("64 hexadecimal digits are an id, not a name")]
    Id,
}

/// The name of an image, whole: registry and repository, and a tag, a digest or both.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Reference {
    registry: String,
    repository: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

impl Reference {
    /// Where the image comes from: `docker.io` unless it was said.
    #[must_use]
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The name within the registry: `library/busybox`.
    #[must_use]
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag: `latest` unless a tag or a digest was said.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest of the manifest.
    #[must_use]
    pub const fn digest(&self) -> Option<Digest> {
        self.digest
    }

    /// The same repository with this tag, for archives that write the two apart.
    ///
    /// # Errors
    /// That is no tag.
    pub fn with_tag(&self, tag: &str) -> Result<Self, InvalidReference> {
        check_tag(tag).map_err(|fault| InvalidReference { text: tag.to_owned(), fault })?;
        Ok(Self { tag: Some(tag.to_owned()), digest: None, ..self.clone() })
    }

    /// Registry and repository as people write them: without what goes without saying.
    #[must_use]
    pub fn short_repository(&self) -> String {
        if self.registry != DEFAULT_REGISTRY {
            return format!("{}/{}", self.registry, self.repository);
        }
        match self.repository.strip_prefix(DEFAULT_FOLDER) {
            // `library/a/b` is not what `a/b` means.
            Some(rest) if !rest.contains('/') => rest.to_owned(),
            _ => self.repository.clone(),
        }
    }

    /// As people write it: `busybox:1.36`.
    #[must_use]
    pub fn short(&self) -> String {
        format!("{}{}", self.short_repository(), self.ending())
    }

    fn ending(&self) -> String {
        let tag = self.tag.iter().map(|tag| format!(":{tag}"));
        tag.chain(self.digest.iter().map(|digest| format!("@{digest}"))).collect()
    }

    fn parse(text: &str) -> Result<Self, ReferenceFault> {
        if Digest::from_hex(text).is_some() {
            return Err(ReferenceFault::Id);
        }
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => (name, Some(digest.parse().map_err(|_| ReferenceFault::Digest)?)),
            None => (text, None),
        };
        // A colon before a slash belongs to a port.
        let (name, tag) = match name.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
            _ => (name, None),
        };
        let (registry, repository) = split_registry(name);
        check_registry(registry)?;
        check_repository(repository)?;
        tag.map_or(Ok(()), check_tag)?;
        let is_short = registry == DEFAULT_REGISTRY && !repository.contains('/');
        let repository = format!("{}{repository}", if is_short { DEFAULT_FOLDER } else { "" });
        if registry.len() + 1 + repository.len() > LONGEST_NAME {
            return Err(ReferenceFault::TooLong);
        }
        let tag = tag.or_else(|| digest.is_none().then_some(DEFAULT_TAG)).map(str::to_owned);
        Ok(Self { registry: registry.to_owned(), repository, tag, digest })
    }
}

fn split_registry(name: &str) -> (&str, &str) {
    match name.split_once('/') {
        Some((first, rest))
            if first.contains(['.', ':']) || first == "localhost" || first.to_lowercase() != first =>
        {
            (if first == "index.docker.io" { DEFAULT_REGISTRY } else { first }, rest)
        }
        _ => (DEFAULT_REGISTRY, name),
    }
}

fn check_registry(registry: &str) -> Result<(), ReferenceFault> {
    let (host, port) = match registry.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, port)) => {
            address.parse::<std::net::Ipv6Addr>().map_err(|_| ReferenceFault::Registry)?;
            ("v6", port)
        }
        None => registry.find(':').map_or((registry, ""), |colon| registry.split_at(colon)),
    };
    let is_label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let is_port = port.is_empty() || port.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok());
    if host.split('.').all(is_label) && is_port { Ok(()) } else { Err(ReferenceFault::Registry) }
}

fn check_repository(repository: &str) -> Result<(), ReferenceFault> {
    if repository.is_empty() {
        return Err(ReferenceFault::NoRepository);
    }
    if repository.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Err(ReferenceFault::Capitals);
    }
    let is_part = |part: &str| {
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let separators = part.split(|c: char| c.is_ascii_alphanumeric()).filter(|run| !run.is_empty());
        part.bytes().next().is_some_and(is_plain)
            && part.bytes().next_back().is_some_and(is_plain)
            && part.bytes().all(|byte| is_plain(byte) || matches!(byte, b'.' | b'_' | b'-'))
            && separators
                .into_iter()
                .all(|run| matches!(run, "." | "_" | "__") || run.bytes().all(|b| b == b'-'))
    };
    if repository.split('/').all(is_part) { Ok(()) } else { Err(ReferenceFault::Repository) }
}

fn check_tag(tag: &str) -> Result<(), ReferenceFault> {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let is_right = tag.bytes().next().is_some_and(is_word)
        && tag.bytes().all(|byte| is_word(byte) || matches!(byte, b'.' | b'-'))
        && tag.len() <= LONGEST_TAG;
    if is_right { Ok(()) } else { Err(ReferenceFault::Tag) }
}

/// The long form: `docker.io/library/busybox:latest`.
impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}{}", self.registry, self.repository, self.ending())
    }
}

impl FromStr for Reference {
    type Err = InvalidReference;
    fn from_str(text: &str) -> Result<Self, InvalidReference> {
        Self::parse(text).map_err(|fault| InvalidReference { text: text.to_owned(), fault })
    }
}

impl Serialize for Reference {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Reference {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<'de, str>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn fault(text: &str) -> ReferenceFault {
        text.parse::<Reference>().unwrap_err().fault
    }

    #[test]
    fn a_short_name_has_a_long_one_and_comes_back() {
        for (short, long) in [
            ("busybox:latest", "docker.io/library/busybox:latest"),
            ("team/app:1.2", "docker.io/team/app:1.2"),
            ("localhost/app:x", "localhost/app:x"),
            ("localhost:5000/a/b:x", "localhost:5000/a/b:x"),
            ("[::1]:5000/app:x", "[::1]:5000/app:x"),
            ("quay.io/a__b/c-d.e:v1_-.", "quay.io/a__b/c-d.e:v1_-."),
            ("library/a/b:x", "docker.io/library/a/b:x"),
        ] {
            let reference: Reference = short.parse().unwrap();
            assert_eq!((reference.to_string(), reference.short()), (long.to_owned(), short.to_owned()));
            assert_eq!(long.parse(), Ok(reference));
        }
    }

    #[test]
    fn latest_goes_without_saying_unless_a_digest_is_said() {
        let parse = |text: &str| text.parse::<Reference>().unwrap();
        assert_eq!(parse("busybox").tag(), Some("latest"));
        assert_eq!(parse("localhost:5000/a").tag(), Some("latest"));
        let pinned = parse(&format!("busybox@{DIGEST}"));
        assert_eq!((pinned.tag(), pinned.digest()), (None, Some(Digest::of(b""))));
        assert_eq!(parse(&format!("busybox:1@{DIGEST}")).short(), format!("busybox:1@{DIGEST}"));
        assert_eq!(parse("index.docker.io/library/busybox"), parse("busybox"));
    }

    #[test]
    fn an_error_says_which_part_is_wrong() {
        assert_eq!(fault(""), ReferenceFault::NoRepository);
        assert_eq!(fault("localhost/"), ReferenceFault::NoRepository);
        assert_eq!(fault("Busybox"), ReferenceFault::Capitals);
        for text in ["a//b", "a/.b", "a/b-", "a___b", "a..b", "a b", "ä"] {
            assert_eq!(fault(text), ReferenceFault::Repository, "{text}");
        }
        for text in ["-a.b/c", "a.b:x/c", "a.b:99999/c", "[::g]/c", "a..b/c", "../a"] {
            assert_eq!(fault(text), ReferenceFault::Registry, "{text}");
        }
        for text in ["a:", "a:-b", "a:.b", "a:b c", &format!("a:{}", "x".repeat(129))] {
            assert_eq!(fault(text), ReferenceFault::Tag, "{text}");
        }
        assert_eq!(fault("a@sha256:00"), ReferenceFault::Digest);
        assert_eq!(fault(&DIGEST[7..]), ReferenceFault::Id);
        assert_eq!(fault("a/".repeat(130).trim_end_matches('/')), ReferenceFault::TooLong);
    }
}
