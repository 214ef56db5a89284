//! The spelling of `ip`: options with one dash, options before the command, words for options.
//!
//! clap reads `-all` as `-a -l -l`. What people type by habit is therefore rewritten before clap sees it:
//! `ip -all netns delete` becomes `netns delete --all`.

use std::ffi::OsString;

const FAMILY: &str = "netns";
/// Options that have a value in the next word.
const WITH_VALUE: [&str; 3] = ["--netns-dir", "--output", "-o"];

/// Rewrites a command line that speaks of namespaces; every other one stays as it is.
pub(crate) fn spell_out(words: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let words: Vec<OsString> = words.into_iter().collect();
    rewrite(&words).unwrap_or(words)
}

/// The words before the family, the verb and the words after it, or `None` when it is no business of ours.
fn rewrite(words: &[OsString]) -> Option<Vec<OsString>> {
    let family = next_word(words, 1)?;
    if words.get(family)? != FAMILY {
        return None;
    }
    let verb = next_word(words, family + 1).unwrap_or(words.len());
    let (before, after) = words.split_at(verb);
    let (all, mut rewritten): (Vec<_>, Vec<_>) = before.iter().map(long).partition(|word| word == "--all");
    let Some((verb, after)) = after.split_first() else { return Some(rewritten) };

    rewritten.push(verb.clone());
    rewritten.extend(all.into_iter().take(1));
    let verb = verb.to_str().unwrap_or_default();
    let is_exec = !verb.is_empty() && "exec".starts_with(verb);
    // Behind the first word of `exec` everything belongs to the command that it runs.
    let ours = if is_exec { next_word(after, 0).unwrap_or(after.len()) } else { after.len() };
    let (ours, theirs) = after.split_at(ours);
    let is_list_id = verb == "list-id" || verb == "list-i";
    rewritten.extend(ours.iter().map(|word| match word.to_str() {
        Some(word @ ("nsid" | "target-nsid")) if is_list_id => format!("--{word}").into(),
        _ => long(word),
    }));
    rewritten.extend_from_slice(theirs);
    Some(rewritten)
}

/// Where the first word is that is neither an option nor its value.
fn next_word(words: &[OsString], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        let word = words.get(at)?.to_str().unwrap_or_default();
        if !word.starts_with('-') || word == "-" {
            return Some(at);
        }
        at += if WITH_VALUE.contains(&word) { 2 } else { 1 };
    }
}

/// Two dashes for the long options that `ip` writes with one.
fn long(word: &OsString) -> OsString {
    match word.to_str() {
        Some(word @ ("-all" | "-json" | "-pretty")) => format!("-{word}").into(),
        _ => word.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spelled_out(line: &str) -> String {
        let words = spell_out(line.split(' ').map(OsString::from));
        words.iter().map(|word| word.to_str().unwrap()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn options_of_ip_are_read() {
        for (typed, meant) in [
            ("netctl netns delete -all", "netctl netns delete --all"),
            ("netctl -all netns delete", "netctl netns delete --all"),
            ("netctl netns -all del", "netctl netns del --all"),
            ("netctl -json netns list", "netctl --json netns list"),
            ("netctl netns -json", "netctl netns --json"),
            ("netctl -o json -all netns del", "netctl -o json netns del --all"),
            ("netctl netns --output text -all del", "netctl netns --output text del --all"),
            ("netctl netns", "netctl netns"),
            ("netctl netns --netns-dir /x delete -all", "netctl netns --netns-dir /x delete --all"),
            ("netctl netns list-id target-nsid 7 nsid 5", "netctl netns list-id --target-nsid 7 --nsid 5"),
        ] {
            assert_eq!(spelled_out(typed), meant);
        }
    }

    #[test]
    fn the_command_that_exec_runs_stays_as_it_is() {
        for (typed, meant) in [
            ("netctl netns exec -all ip -json link", "netctl netns exec --all ip -json link"),
            ("netctl -all netns exec ls -all", "netctl netns exec --all ls -all"),
            ("netctl netns ex blue ls -all", "netctl netns ex blue ls -all"),
            ("netctl netns exec nsid nsid", "netctl netns exec nsid nsid"),
        ] {
            assert_eq!(spelled_out(typed), meant);
        }
    }

    #[test]
    fn other_commands_stay_as_they_are() {
        for line in ["netctl", "netctl -all", "netctl run -all netns", "netctl --version"] {
            assert_eq!(spelled_out(line), line);
        }
    }
}
