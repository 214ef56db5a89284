//! How much a template may take: text and steps.
//!
//! A loop in a loop in a loop over a small list, or a variable that is doubled again and again, is a short template and
//! endless work. Each step and each byte that is made, by functions on their way to the output too, is therefore taken
//! from one budget.

use crate::functions::Refusal;

/// The most bytes of text that one rendering makes or compares, counting what functions make on the way.
pub const MAX_TEXT: usize = 64 << 20;

/// The most steps that one rendering takes: pieces of text, values, calls, turns of loops, items of split texts,
/// variables that a look for one passes.
pub const MAX_STEPS: usize = 2_000_000;

#[derive(Debug)]
pub(crate) struct Budget {
    text: usize,
    steps: usize,
}

impl Budget {
    pub(crate) fn new() -> Self {
        Self { text: MAX_TEXT, steps: MAX_STEPS }
    }

    pub(crate) fn step(&mut self) -> Result<(), Refusal> {
        self.steps(1)
    }

    pub(crate) fn steps(&mut self, count: usize) -> Result<(), Refusal> {
        self.steps = self.steps.checked_sub(count).ok_or(Refusal::TooSlow)?;
        Ok(())
    }

    /// To be asked before the text is made.
    pub(crate) fn text(&mut self, bytes: usize) -> Result<(), Refusal> {
        self.text = self.text.checked_sub(bytes).ok_or(Refusal::TooLong)?;
        Ok(())
    }
}
