//! Going on after a failure, and reporting all of them: DEL and GC.

use crate::{Code, Failure, Fault};

/// What failed so far, while everything else was tried all the same.
#[derive(Debug, Default)]
pub struct Attempts {
    failures: Vec<Failure>,
}

impl Attempts {
    /// Keeps the failure, if it is one, and hands on the value, if there is one.
    pub fn note<T>(&mut self, result: Result<T, impl Into<Failure>>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.failures.push(error.into());
                None
            }
        }
    }

    /// All the failures as one; success when there was none.
    ///
    /// # Errors
    /// The only failure, or all of them in the order in which they happened, with the code of the first.
    pub fn finish(mut self) -> Result<(), Failure> {
        match self.failures.len() {
            0 => Ok(()),
            1 => self.failures.pop().map_or(Ok(()), Err),
            _ => Err(Several(self.failures).into()),
        }
    }
}

/// More than one thing failed.
#[derive(Debug)]
struct Several(Vec<Failure>);

impl std::fmt::Display for Several {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, failure) in self.0.iter().enumerate() {
            write!(f, "{}{failure}", if index == 0 { "" } else { "; " })?;
        }
        Ok(())
    }
}

impl std::error::Error for Several {}

impl Fault for Several {
    fn code(&self) -> Code {
        self.0.first().map_or(Code::INTERNAL, Failure::code)
    }

    fn hint(&self) -> Option<String> {
        self.0.iter().find_map(Failure::hint)
    }
}

/// A step failed, and not all that was done before it could be put back.
#[derive(Debug)]
struct PutBack(undo::Failed<Failure>);

impl std::fmt::Display for PutBack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for PutBack {}

impl Fault for PutBack {
    fn code(&self) -> Code {
        self.0.cause.code()
    }

    fn hint(&self) -> Option<String> {
        self.0.cause.hint()
    }
}

impl From<undo::Failed<Failure>> for Failure {
    fn from(failed: undo::Failed<Failure>) -> Self {
        if failed.left.is_empty() { failed.cause } else { PutBack(failed).into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Args, InvalidArgs};

    fn fails(text: &str) -> Result<Args, InvalidArgs> {
        Args::parse(text)
    }

    #[test]
    fn all_failures_are_reported_and_one_stays_itself() {
        let mut attempts = Attempts::default();
        assert!(attempts.note(fails("a=b")).is_some());
        attempts.note(fails("x"));
        attempts.note(fails("y"));
        let failure = attempts.finish().unwrap_err();
        assert_eq!(failure.code(), Code::INVALID_ENVIRONMENT);
        let text = failure.to_string();
        assert!(text.contains("\"x\"") && text.contains("; ") && text.contains("\"y\""), "{text}");
        let mut one = Attempts::default();
        one.note(fails("x"));
        assert!(!one.finish().unwrap_err().to_string().contains(';'));
        assert!(Attempts::default().finish().is_ok());
    }
}
