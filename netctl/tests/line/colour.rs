//! Whether words are coloured: clap's and ours by the same rules.

use lab::{Call, Here, tools};

use crate::{NETCTL, Test, netctl};

const ESCAPE: char = '\x1b';

/// What `netctl` says on a terminal: an error of ours, an error of clap's, clap's help.
const WORDS: [&str; 3] = ["cni status ./nothing.conflist", "no-such-command", "--help"];

/// `netctl` on a terminal that has colours, whatever the test runs under.
fn on_a_terminal(words: &str) -> Call {
    let call =
        Call::new(["script", "--quiet", "--command"]).arg(format!("{NETCTL} {words}")).arg("/dev/null");
    ["CLICOLOR", "CLICOLOR_FORCE", "NO_COLOR", "CI"]
        .into_iter()
        .fold(call, |call, name| call.env(name, ""))
        .env("TERM", "xterm")
}

#[test]
fn a_terminal_gets_colours_unless_it_declines() -> Test {
    if tools::require("script").is_none() {
        return Ok(());
    }
    for words in WORDS {
        let coloured = on_a_terminal(words).run(&Here);
        assert!(coloured.stdout().contains(ESCAPE), "{words}: {coloured}");
        for (name, value) in [("NO_COLOR", "1"), ("TERM", "dumb")] {
            let plain = on_a_terminal(words).env("CI", "true").env(name, value).run(&Here);
            assert!(!plain.stdout().contains(ESCAPE), "{words}: {plain}");
            assert!(!plain.stdout().is_empty());
        }
    }
    Ok(())
}

#[test]
fn a_file_gets_none() {
    for words in WORDS {
        let outcome = netctl(words).env("TERM", "xterm").run(&Here);
        let said = format!("{}{}", outcome.stdout(), outcome.stderr());
        assert!(!said.contains(ESCAPE) && !said.is_empty(), "{words}: {said}");
    }
}
