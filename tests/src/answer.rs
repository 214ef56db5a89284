//! What a plugin answered, held against the protocol.

use crate::surprise::Surprise;
use lab::Outcome;
use serde_json::{Deserializer, Value};

/// What a plugin answered.
#[derive(Debug)]
#[must_use = "an error goes unnoticed unless one of the methods is asked"]
pub struct Answer {
    outcome: Outcome,
    stdin: String,
}

impl Answer {
    pub(crate) fn new(outcome: Outcome, stdin: &[u8]) -> Self {
        Self { outcome, stdin: String::from_utf8_lossy(stdin).into_owned() }
    }

    /// The result: exit status 0 and exactly one JSON document.
    ///
    /// # Errors
    /// Everything that is known about the call.
    #[track_caller]
    pub fn result(&self) -> Result<Value, Surprise> {
        match (self.outcome.code(), self.documents()?.as_mut_slice()) {
            (Some(0), [document]) => Ok(document.take()),
            _ => Err(self.surprise("no result was answered")),
        }
    }

    /// Success without a word: exit status 0 and nothing on stdout.
    ///
    /// # Errors
    /// Everything that is known about the call.
    #[track_caller]
    pub fn done(&self) -> Result<(), Surprise> {
        match (self.outcome.code(), self.outcome.stdout()) {
            (Some(0), "") => Ok(()),
            _ => Err(self.surprise("the plugin did not succeed silently")),
        }
    }

    /// An error with this code, and each of these words in its message or details: exit status 1, exactly one
    /// JSON document, the keys of the specification and no others.
    ///
    /// # Errors
    /// Everything that is known about the call.
    #[track_caller]
    pub fn error(&self, code: u64, words: &[&str]) -> Result<String, Surprise> {
        let text = self.any_error()?;
        if self.error_code() != Some(code) {
            return Err(self.surprise(format!("the code is not {code}")));
        }
        match words.iter().find(|word| !text.contains(**word)) {
            None => Ok(text),
            Some(word) => Err(self.surprise(format!("the message does not say {word:?}"))),
        }
    }

    /// The message and details of an error with any code.
    ///
    /// # Errors
    /// Everything that is known about the call.
    #[track_caller]
    pub fn any_error(&self) -> Result<String, Surprise> {
        let documents = self.documents()?;
        let [Value::Object(object)] = documents.as_slice() else {
            return Err(self.surprise("no error object was answered"));
        };
        let text = |key| object.get(key).and_then(Value::as_str);
        let keys_fit =
            object.keys().all(|key| ["cniVersion", "code", "msg", "details"].contains(&key.as_str()));
        match (self.outcome.code(), text("msg"), object.get("code").and_then(Value::as_u64)) {
            (Some(1), Some(message), Some(1..)) if keys_fit && !message.is_empty() => {
                Ok(format!("{message}\n{}", text("details").unwrap_or_default()))
            }
            _ => Err(self.surprise("no error was answered as the protocol wants it")),
        }
    }

    /// The code of the error object, if that is what was answered.
    #[must_use]
    pub fn error_code(&self) -> Option<u64> {
        match self.documents().ok()?.as_slice() {
            [object] => object.get("code").and_then(Value::as_u64),
            _ => None,
        }
    }

    /// Whether the exit status is 0.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        self.outcome.succeeded()
    }

    /// How the program ended, and what it said.
    #[must_use = "this only looks"]
    pub const fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    /// Everything that is known about the call, as a failure of the test.
    #[must_use]
    #[track_caller]
    pub fn surprise(&self, what: impl Into<String>) -> Surprise {
        Surprise::new(what, format!("{}\n  stdin: {}", self.outcome, self.stdin))
    }

    #[track_caller]
    fn documents(&self) -> Result<Vec<Value>, Surprise> {
        let documents = Deserializer::from_str(self.outcome.stdout()).into_iter();
        documents
            .collect::<Result<_, _>>()
            .map_err(|error| self.surprise(format!("stdout is not JSON: {error}")))
    }
}
