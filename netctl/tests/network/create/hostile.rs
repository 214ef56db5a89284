//! Words of those who want to break something.

use lab::Call;
use serde_json::{Value, json};

use crate::{Machine, NETCTL, Test, netctl, refused};

#[test]
fn control_characters_in_labels_stay_where_they_are() -> Test {
    let machine = Machine::new("labels")?;
    let label = "a\nb\u{1b}[31m=\u{7}c\"}],\u{2028}";
    netctl("create web --subnet 172.26.0.0/16 --label").arg(label).run(&machine.0).ok()?;
    let expected = json!({"a\nb\u{1b}[31m": "\u{7}c\"}],\u{2028}"});
    assert_eq!(machine.conflist("web")?["args"]["podman_labels"], expected);
    assert_eq!(machine.inspect("web")?["Labels"], expected);
    let rows: Value = machine.json("ls -o json --filter name=web")?;
    assert_eq!(rows[0]["Labels"], expected);
    let text = machine.ok("inspect web")?;
    assert!(!text.contains('\u{1b}') && !text.contains('\u{7}'), "{text}");
    let filter = netctl("ls -q --filter").arg(format!("label={label}")).run(&machine.0).ok()?;
    assert_eq!(filter.lines().count(), 1);
    Ok(())
}

#[test]
fn ten_thousand_labels_are_kept() -> Test {
    let machine = Machine::new("many")?;
    let call = netctl("create web --subnet 172.26.0.0/16");
    let call = (0..10_000).fold(call, |call, number| call.arg("--label").arg(format!("label{number}=value")));
    call.run(&machine.0).ok()?;
    let labels = machine.inspect("web")?["Labels"].as_object().map_or(0, serde_json::Map::len);
    assert_eq!(labels, 10_000);
    assert_eq!(machine.ok("ls -q --filter label=label9999=value")?.lines().count(), 1);
    assert!(machine.has_link("web"));
    machine.add("blue")?;
    machine.ok("connect web blue")?;
    machine.ok("rm -f web")?;
    Ok(())
}

#[test]
fn control_characters_in_names_and_options_are_told_and_not_written_to_the_terminal() -> Test {
    let machine = Machine::new("escape")?;
    let hostile = "x\u{1b}[31m\ny";
    let create = |words: &str, word: &str| netctl(words).arg(word).run(&machine.0);
    let outcome = create("create", hostile);
    assert_eq!(outcome.code(), Some(2));
    assert!(!outcome.stderr().contains('\u{1b}'), "{outcome}");
    let outcome = create("create web -o", &format!("{hostile}=1"));
    let said = "error: unknown option \"x\\u{1b}[31m\\ny\" of driver bridge\n";
    assert!(outcome.stderr().starts_with(said), "{outcome}");
    let outcome = create("create web -o", &format!("mtu={hostile}"));
    let said =
        "error: option com.docker.network.driver.mtu: \"x\\u{1b}[31m\\ny\": expected 68 to 65535 bytes\n";
    refused(&outcome, 1, said);
    Ok(())
}

#[test]
fn what_would_be_another_line_of_resolv_conf_is_refused() -> Test {
    let machine = Machine::new("resolv")?;
    let before = machine.snapshot()?;
    for (words, word, said) in [
        ("--dns-search", "x\nnameserver 1.1.1.1", "expected a domain such as example.com, or . for none"),
        ("--dns-search", "a b", "expected a domain such as example.com, or . for none"),
        ("--dns-search", "", "expected a domain such as example.com, or . for none"),
        ("--dns-opt", "ndots:2\nnameserver 1.1.1.1", "expected one word such as ndots:2"),
        ("--dns-opt", "", "expected one word such as ndots:2"),
        ("--dns-option", "a b", "expected one word such as ndots:2"),
    ] {
        let outcome = netctl("create web").arg(words).arg(word).run(&machine.0);
        assert_eq!(outcome.code(), Some(2), "{outcome}");
        assert!(outcome.stderr().contains(said), "{outcome}");
    }
    machine.is_as_it_was(&before)?;
    machine.ok("create web --dns-search . --dns-opt ndots:2")?;
    Ok(())
}

#[test]
fn a_symbolic_link_in_the_place_of_the_file_is_not_followed() -> Test {
    let machine = Machine::new("symlink")?;
    machine.sh("mkdir -p /etc/cni/net.d; ln -s /etc/elsewhere /etc/cni/net.d/netctl-web.conflist.new")?;
    machine.ok("create web")?;
    machine.sh("! test -e /etc/elsewhere; test -f /etc/cni/net.d/netctl-web.conflist")?;
    machine.sh("! test -L /etc/cni/net.d/netctl-web.conflist")?;
    // Nor is one that leads to the file of somebody else when the network goes.
    machine.sh(
        "mv /etc/cni/net.d/netctl-web.conflist /etc/kept; ln -s /etc/kept /etc/cni/net.d/netctl-web.conflist",
    )?;
    machine.ok("rm web")?;
    machine.sh("test -f /etc/kept; ! test -L /etc/cni/net.d/netctl-web.conflist")?;
    Ok(())
}

#[test]
fn a_directory_in_the_place_of_the_draft_is_an_error_that_names_it() -> Test {
    let machine = Machine::new("draft")?;
    machine.sh("mkdir -p /etc/cni/net.d/netctl-web.conflist.new/x")?;
    machine.refuses(
        "create web",
        "error: write /etc/cni/net.d/netctl-web.conflist.new\n  because: Is a directory (os error 21)\n",
    );
    assert!(!machine.has_link("web"));
    Ok(())
}

#[test]
fn paths_lead_nowhere() -> Test {
    let machine = Machine::new("paths")?;
    for words in [
        "create ../../run/x",
        "create /run/x",
        "create a/../b",
        "inspect ../../../etc/passwd",
        "rm ../../etc/passwd",
        "rm -f /etc/passwd",
        "connect ../x blue",
    ] {
        let outcome = machine.netctl(words);
        let is_refused = !outcome.succeeded() || (words.starts_with("rm -f") && outcome.stdout().is_empty());
        assert!(is_refused, "{outcome}");
    }
    machine.sh("test -f /etc/passwd; ! test -e /run/x; ! test -e /etc/cni/net.d/netctl-b.conflist")?;
    // A folder that is named is a folder, wherever it is.
    machine.sh("mkdir -p /run/a/b")?;
    machine.ok("create web --conf-dir /run/a/b/../c")?;
    machine.sh("test -f /run/a/c/netctl-web.conflist")?;
    Ok(())
}

#[test]
fn words_that_are_no_text_are_refused() -> Test {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let machine = Machine::new("bytes")?;
    for words in ["create", "create web --label", "create web -o", "inspect", "connect web"] {
        let call =
            Call::new([NETCTL].into_iter().chain(words.split(' '))).arg(OsStr::from_bytes(b"\xff\xfe"));
        let outcome = call.run(&machine.0);
        assert_eq!(outcome.code(), Some(2), "{outcome}");
        assert!(outcome.stderr().starts_with("error: invalid UTF-8"), "{outcome}");
    }
    Ok(())
}
