//! How a program ended, and what it said.

use std::fmt;
use std::io;
use std::panic::Location;
use std::process::Output;
use std::time::Duration;

/// How a program ended, and what it said.
#[derive(Debug)]
#[must_use = "a program that failed goes unnoticed unless `ok` or `refused` is asked"]
pub struct Outcome {
    command: String,
    took: Duration,
    ended: io::Result<Said>,
}

#[derive(Debug)]
struct Said {
    status: std::process::ExitStatus,
    stdout: String,
    stderr: String,
}

/// A program did not end as expected. Shown in full by `{:?}`, too, so that a test that returns it, or
/// unwraps it, tells all that is known.
#[derive(thiserror::Error)]
#[error("{outcome}\n  asked at {at}")]
pub struct Unexpected {
    outcome: Box<Outcome>,
    at: &'static Location<'static>,
}

impl fmt::Debug for Unexpected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Outcome {
    pub(crate) fn new(command: String, took: Duration, ended: io::Result<Output>) -> Self {
        let ended = ended.map(|output| Said {
            status: output.status,
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        });
        Self { command, took, ended }
    }

    /// What the program wrote on stdout, provided that it succeeded.
    ///
    /// # Errors
    /// Everything that is known about the failure.
    #[track_caller]
    pub fn ok(self) -> Result<String, Unexpected> {
        match self.ended {
            Ok(said) if said.status.success() => Ok(said.stdout),
            ended => Err(Unexpected { outcome: Box::new(Self { ended, ..self }), at: Location::caller() }),
        }
    }

    /// This outcome, provided that the program ran and failed with an exit code, as it should.
    ///
    /// # Errors
    /// The program succeeded, was killed, or could not be started.
    #[track_caller]
    pub fn refused(self) -> Result<Self, Unexpected> {
        match self.code() {
            Some(1..) => Ok(self),
            _ => Err(Unexpected { outcome: Box::new(self), at: Location::caller() }),
        }
    }

    /// Whether the program ended with exit code 0.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        self.code() == Some(0)
    }

    /// The exit code, unless the program was killed or could not be started.
    #[must_use]
    pub fn code(&self) -> Option<i32> {
        self.ended.as_ref().ok().and_then(|said| said.status.code())
    }

    /// What the program wrote on stdout, however it ended.
    #[must_use]
    pub fn stdout(&self) -> &str {
        self.ended.as_ref().map_or("", |said| &said.stdout)
    }

    /// What the program wrote on stderr, however it ended.
    #[must_use]
    pub fn stderr(&self) -> &str {
        self.ended.as_ref().map_or("", |said| &said.stderr)
    }

    /// The time from before the start of the program until its end and that of its output.
    #[must_use]
    pub fn took(&self) -> Duration {
        self.took
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.ended {
            Err(source) => write!(f, "{}: could not be started: {source}", self.command),
            Ok(said) => {
                write!(f, "{}: {}", self.command, said.status)?;
                write_indented(f, "stdout", &said.stdout)?;
                write_indented(f, "stderr", &said.stderr)
            }
        }
    }
}

fn write_indented(f: &mut fmt::Formatter<'_>, title: &str, text: &str) -> fmt::Result {
    text.lines().try_for_each(|line| write!(f, "\n  {title}: {line}"))
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8_lossy(&bytes).into_owned()
}
