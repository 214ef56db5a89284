//! `netctl` as a person types it.

use crate::programs;
use crate::stage::Stage;
use lab::{Call, Outcome};

impl Stage {
    /// A command line of `netctl`, without that word, for those who disturb it. Words are apart by spaces, and so have
    /// none in them.
    ///
    /// # Errors
    /// `netctl` has not been built.
    pub fn line(&self, words: &str) -> Result<Call, programs::Error> {
        let call = Call::new([programs::find("netctl")?]);
        Ok(words.split_whitespace().fold(call, Call::arg))
    }

    /// Types a command line on the host, and waits for its end.
    ///
    /// # Errors
    /// `netctl` has not been built.
    pub fn netctl(&self, words: &str) -> Result<Outcome, programs::Error> {
        Ok(self.line(words)?.run(self.host()))
    }

    /// The same, for a command line that must succeed: what it printed.
    ///
    /// # Errors
    /// Everything that is known about the failure.
    #[track_caller]
    pub fn typed(&self, words: &str) -> Result<String, Box<dyn std::error::Error>> {
        Ok(self.netctl(words)?.ok()?)
    }
}
