//! Something else happened than a test expected.

use std::fmt;
use std::panic::Location;

/// Something else happened than a test expected. Shown in full by `{:?}`, too, so that a test that returns it
/// tells all that is known.
#[derive(thiserror::Error)]
#[error("{what}\n{about}\n  expected at {at}")]
pub struct Surprise {
    what: String,
    about: String,
    at: &'static Location<'static>,
}

impl Surprise {
    /// `what` happened; `about` is everything that may explain it.
    #[track_caller]
    pub fn new(what: impl Into<String>, about: impl fmt::Display) -> Self {
        Self { what: what.into(), about: about.to_string(), at: Location::caller() }
    }
}

impl fmt::Debug for Surprise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
