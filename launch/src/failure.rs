//! What the child could not do, and how the parent comes to know.

use std::io;

/// How a failure counts for exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// There is no such program.
    NotFound,
    /// The program is there and cannot be executed.
    NotExecutable,
    /// Anything before that.
    Preparation,
}

/// What could not be done, with whom, and why.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) kind: Kind,
    /// What was tried: `mount proc on /proc`.
    pub(crate) what: String,
    pub(crate) source: io::Error,
}

/// What a step of the child ends with.
pub(crate) type Outcome<T = ()> = Result<T, Failure>;

impl Failure {
    pub(crate) fn new(what: impl Into<String>, source: impl Into<io::Error>) -> Self {
        Self { kind: Kind::Preparation, what: what.into(), source: source.into() }
    }

    /// As one message: kind, number of the error, what was tried.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let kind = match self.kind {
            Kind::NotFound => b'f',
            Kind::NotExecutable => b'x',
            Kind::Preparation => b'p',
        };
        let number = self.source.raw_os_error().unwrap_or_default();
        let text = match number {
            0 => format!("{}: {}", self.what, self.source),
            _ => self.what.clone(),
        };
        [&[kind], number.to_le_bytes().as_slice(), text.as_bytes()].concat()
    }

    /// What [`Failure::to_bytes`] said.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (kind, rest) = bytes.split_first()?;
        let (number, text) = rest.split_at_checked(4)?;
        let kind = match kind {
            b'f' => Kind::NotFound,
            b'x' => Kind::NotExecutable,
            b'p' => Kind::Preparation,
            _ => return None,
        };
        let source = match i32::from_le_bytes(number.try_into().ok()?) {
            0 => io::Error::from(io::ErrorKind::InvalidInput),
            number => io::Error::from_raw_os_error(number),
        };
        Some(Self { kind, what: String::from_utf8_lossy(text).into_owned(), source })
    }
}

/// Says what was tried when it fails.
pub(crate) trait Tried<T> {
    /// With words that are made only if they are needed.
    fn tried<W: Into<String>>(self, what: impl FnOnce() -> W) -> Outcome<T>;
}

impl<T, E: Into<io::Error>> Tried<T> for Result<T, E> {
    fn tried<W: Into<String>>(self, what: impl FnOnce() -> W) -> Outcome<T> {
        self.map_err(|source| Failure::new(what(), source))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_arrives_as_it_was_sent() {
        for (kind, number) in [(Kind::NotFound, 2), (Kind::NotExecutable, 13), (Kind::Preparation, 1)] {
            let sent =
                Failure { kind, what: "mount é".to_owned(), source: io::Error::from_raw_os_error(number) };
            let arrived = Failure::from_bytes(&sent.to_bytes()).expect("a failure");
            assert_eq!((arrived.kind, arrived.what.as_str()), (kind, "mount é"));
            assert_eq!(arrived.source.raw_os_error(), Some(number));
        }
    }

    #[test]
    fn an_error_without_a_number_keeps_its_words() {
        let sent = Failure::new("read /etc/x", io::Error::new(io::ErrorKind::InvalidData, "no text"));
        let arrived = Failure::from_bytes(&sent.to_bytes()).expect("a failure");
        assert_eq!(arrived.what, "read /etc/x: no text");
    }

    #[test]
    fn what_is_no_failure_is_none() {
        for bytes in [b"".as_slice(), b"p", b"p\0\0\0", b"?\0\0\0\0x"] {
            assert!(Failure::from_bytes(bytes).is_none(), "{bytes:?}");
        }
    }
}
