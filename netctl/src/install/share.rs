//! What netctl brings along for other programs: pages for `man`, words for shells.

use clap::Command;

use super::facts::digest_of;
use super::plan::{Origin, WantedFile};
use crate::completion::Shell;
use crate::manual;

/// Where each shell looks, below a directory like /usr/share.
const COMPLETIONS: [(Shell, &str); 3] = [
    (Shell::Bash, "bash-completion/completions/netctl"),
    (Shell::Zsh, "zsh/site-functions/_netctl"),
    (Shell::Fish, "fish/vendor_completions.d/netctl.fish"),
];

/// A file that netctl writes itself.
#[derive(Debug)]
pub(super) struct Text {
    /// Its path below the directory.
    pub(super) name: String,
    /// The SHA-256 of the content.
    pub(super) digest: String,
    pub(super) content: Vec<u8>,
}

impl Text {
    fn new(name: String, content: Vec<u8>) -> Self {
        Self { name, digest: digest_of(&content), content }
    }

    pub(super) fn as_wanted(&self) -> WantedFile<'_> {
        WantedFile { name: &self.name, digest: &self.digest, origin: Origin::Text(&self.content) }
    }
}

/// All texts about a command line.
pub(super) fn texts(line: &Command) -> Vec<Text> {
    let pages = manual::pages(line.clone()).into_iter();
    let pages = pages.map(|page| Text::new(format!("man/man1/{}", page.file_name()), page.text.into_bytes()));
    let scripts = COMPLETIONS.into_iter();
    let scripts = scripts.map(|(shell, name)| Text::new(name.to_owned(), shell.script(line.clone())));
    pages.chain(scripts).collect()
}
