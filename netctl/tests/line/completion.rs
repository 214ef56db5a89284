//! Completion, in the shells themselves.

use lab::{Call, Here, tools};

use crate::{NETCTL, Test, netctl};

/// What bash offers for the last of these words.
fn offered(words: &[&str]) -> Result<Vec<String>, Box<dyn std::error::Error>> {
    let script = r#"
        . <("$1" completion bash)
        shift
        COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
        function=$(complete -p netctl | sed 's/.*-F \([^ ]*\).*/\1/')
        "$function" netctl "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
        [ ${#COMPREPLY[@]} = 0 ] || printf '%s\n' "${COMPREPLY[@]}""#;
    let call = Call::new(["bash", "--norc", "-c", script, "bash", NETCTL]);
    let said = words.iter().fold(call, |call, word| call.arg(word)).run(&Here).ok()?;
    Ok(said.lines().map(str::to_owned).collect())
}

#[test]
fn bash_completes_commands_options_and_values() -> Test {
    for (words, expected) in [
        (&["netctl", "net"][..], &["network", "netns"][..]),
        (&["netctl", "network", "crea"], &["create"]),
        (&["netctl", "netns", "exe"], &["exec"]),
        (&["netctl", "cni", "st"], &["status"]),
        (&["netctl", "netns", "list", "--js"], &["--json"]),
        (&["netctl", "reload", "--output", ""], &["text", "json"]),
        (&["netctl", "netns", "list", "-o", "j"], &["json"]),
        (&["netctl", "completion", "f"], &["fish"]),
        (&["netctl", "surely-nothing"], &[]),
    ] {
        assert_eq!(offered(words)?, expected, "{words:?}");
    }
    Ok(())
}

#[test]
fn zsh_and_fish_understand_their_scripts() -> Test {
    for (shell, check) in [("zsh", "-n"), ("fish", "--no-execute")] {
        if tools::require(shell).is_none() {
            continue;
        }
        let script = netctl(&format!("completion {shell}")).run(&Here).ok()?;
        let said = Call::new([shell, check, "/dev/stdin"]).stdin(script).run(&Here);
        assert_eq!((said.code(), said.stderr()), (Some(0), ""), "{shell}");
    }
    Ok(())
}

#[test]
fn fish_completes_commands_and_values() -> Test {
    if tools::require("fish").is_none() {
        return Ok(());
    }
    let script = format!("{NETCTL} completion fish | source; complete --do-complete \"$LINE\"");
    for (line, expected) in
        [("netctl netn", "netns\t"), ("netctl reload --output j", "json\t"), ("netctl netns exe", "exec\t")]
    {
        let home = std::env::temp_dir();
        let call = Call::new(["fish", "--no-config", "-c", &script]).env("LINE", line).env("HOME", home);
        let said = call.run(&Here).ok()?;
        assert!(said.lines().any(|offer| offer.starts_with(expected)), "{line}: {said}");
    }
    Ok(())
}

#[test]
fn other_shells_are_refused_by_name() -> Test {
    let refused = netctl("completion tcsh").run(&Here);
    assert_eq!(refused.code(), Some(2));
    assert!(refused.stderr().contains("[possible values: bash, zsh, fish]"), "{refused}");
    Ok(())
}
