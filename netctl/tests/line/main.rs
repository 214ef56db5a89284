//! What all commands have in common: colour, completion by shells, the manual.

mod colour;
mod completion;
mod manual;

use lab::Call;

type Test = Result<(), Box<dyn std::error::Error>>;

const NETCTL: &str = env!("CARGO_BIN_EXE_netctl");

/// `netctl` with these words.
fn netctl(words: &str) -> Call {
    Call::new([NETCTL].into_iter().chain(words.split_whitespace()))
}
