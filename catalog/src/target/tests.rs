//! Whom a person means by a word. The only namespace that a test has for sure is its own.

use std::os::unix::fs::symlink;

use cni::Args;
use serde_json::json;

use super::*;
use crate::sample::{Scratch, entry};

const POD: &str = "0c2c61d2e1bd5f30";

/// A directory in which each of the names is this process's namespace.
fn directory(names: &[&str]) -> (Scratch, Directory) {
    let scratch = Scratch::new();
    for name in names {
        symlink("/proc/self/ns/net", scratch.path().join(name)).unwrap();
    }
    let directory = Directory::new(scratch.path());
    (scratch, directory)
}

/// A container that was on network `web`, with the name that its runtime gave it.
fn pod(id: &str, name: &str) -> Entry {
    let args = Args::parse(&format!("IgnoreUnknown=1;K8S_POD_NAME={name}")).unwrap();
    Entry { args, netns: Some("/run/netns/no-such-name".into()), ..entry("web", id, &json!({})) }
}

fn find(directory: &Directory, entries: &[Entry], text: &str) -> Result<Sandbox, TargetError> {
    Whereabouts { directory, entries }.find(text)
}

/// The id of whom `text` means, or why nobody, with the way out.
fn meant(directory: &Directory, entries: &[Entry], text: &str) -> String {
    match find(directory, entries, text) {
        Ok(sandbox) => sandbox.container.to_string(),
        Err(error) => format!("{error}\n{}", error.hint().unwrap_or_default()),
    }
}

#[test]
fn a_namespace_is_meant_by_its_name_or_a_path_to_it() {
    let (scratch, directory) = directory(&["blue"]);
    let blue = scratch.path().join("blue");
    let at = |text: &str| {
        let sandbox = find(&directory, &[], text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(sandbox.container.as_str(), "blue", "{text}");
        sandbox.netns.unwrap()
    };
    let (path, folder) = (blue.display().to_string(), scratch.path().display());
    for text in ["blue", "ns:blue", &path, &format!("ns:{path}"), &format!("{folder}/./x/../blue")] {
        assert_eq!(at(text), blue, "{text}");
    }
    // The same namespace is the same container by whatever path.
    assert_eq!(at("/proc/self/ns/net"), Path::new("/proc/self/ns/net"));
}

#[test]
fn a_namespace_of_several_names_is_the_first_of_them() {
    let (_scratch, directory) = directory(&["blue", "azure"]);
    assert_eq!(meant(&directory, &[], "blue"), "azure");
    assert_eq!(meant(&directory, &[], "azure"), "azure");
}

#[test]
fn who_has_no_name_is_called_by_process_or_path() {
    let (_scratch, directory) = directory(&[]);
    let pid = std::process::id();
    for text in [pid.to_string(), format!("pid:{pid}"), format!("/proc/{pid}/ns/net")] {
        assert_eq!(meant(&directory, &[], &text), format!("pid-{pid}"), "{text}");
        let path = find(&directory, &[], &text).unwrap().netns.unwrap();
        assert_eq!(path, Path::new(&format!("/proc/{pid}/ns/net")));
    }
    let by_path = meant(&directory, &[], "/proc/self/ns/net");
    let digits = by_path.strip_prefix("ns-").unwrap_or_else(|| panic!("{by_path}"));
    assert!(digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()), "{by_path}");
    assert_eq!(meant(&directory, &[], "/proc/./self/ns/net"), by_path, "by whatever spelling");
}

#[test]
fn a_name_that_is_a_number_wins_over_the_process() {
    let pid = std::process::id().to_string();
    let (_scratch, directory) = directory(&[&pid]);
    assert_eq!(meant(&directory, &[], &pid), pid);
}

#[test]
fn a_name_that_no_container_can_have_still_has_an_id() {
    let (scratch, directory) = directory(&["a b"]);
    let id = meant(&directory, &[], "a b");
    assert!(id.starts_with("ns-"), "{id}");
    assert_eq!(meant(&directory, &[], &scratch.path().join("a b").display().to_string()), id);
}

#[test]
fn a_container_is_meant_by_its_id_its_name_or_the_first_digits() {
    let (_scratch, directory) = directory(&[]);
    let entries = [pod(POD, "cart"), pod("ffff00", "till")];
    for text in [POD, "cart", "0", "0c2c61", "container:cart", "container:0c2", &format!("container:{POD}")] {
        let sandbox = find(&directory, &entries, text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(sandbox.container.as_str(), POD, "{text}");
        assert_eq!(sandbox.netns.as_deref(), Some(Path::new("/run/netns/no-such-name")));
    }
}

#[test]
fn the_name_of_a_namespace_is_not_in_doubt_because_an_id_begins_so() {
    let (scratch, directory) = directory(&[]);
    // A test has no second namespace: this file stands for one, and this process's own is the other container's.
    std::fs::write(scratch.path().join("c1"), "").unwrap();
    let other = Entry { netns: Some("/proc/self/ns/net".into()), ..entry("web", "c12", &json!({})) };
    let said = meant(&directory, &[other], "c1");
    assert!(said.starts_with("open the network namespace of \"c1\""), "{said}");
}

#[test]
fn an_id_that_begins_another_one_is_itself() {
    let (_scratch, directory) = directory(&[]);
    let entries = [pod("0c2c61", "long"), pod("0c2c", "short")];
    assert_eq!(meant(&directory, &entries, "0c2c"), "0c2c");
    assert_eq!(meant(&directory, &entries, "0c2c6"), "0c2c61");
}

#[test]
fn what_begins_several_ids_is_refused_and_a_container_on_several_networks_is_one() {
    let (_scratch, directory) = directory(&[]);
    let (one, other) = (pod("0c2c61", "cart"), pod("0c2cff", "till"));
    let elsewhere = Entry { network: vocab::NetworkName::new("zoo").unwrap(), ..one.clone() };
    assert_eq!(meant(&directory, &[one.clone(), elsewhere.clone()], "0c2"), "0c2c61");
    let error = meant(&directory, &[one, other, elsewhere], "0c2");
    let expected = "\"0c2\" begins the ids of several containers: 0c2c61, 0c2cff";
    assert!(error.starts_with(expected) && error.ends_with("\ngive more digits"), "{error}");
}

#[test]
fn a_name_that_several_have_is_refused_and_its_beginning_is_nobody_s() {
    let (_scratch, directory) = directory(&[]);
    let entries = [pod("0c2c61", "cart"), pod("ffff00", "cart"), pod("cart-7", "till")];
    let expected = "\"cart\" is the name of several containers: 0c2c61, ffff00\ngive the first digits of the one that is meant";
    assert_eq!(meant(&directory, &entries, "cart"), expected);
    assert_eq!(meant(&directory, &entries, "container:cart"), expected);
    // Digits only are enough of an id: names of namespaces, which ids are as well, are written in full.
    for text in ["til", "cart-"] {
        assert!(matches!(find(&directory, &entries, text), Err(TargetError::Nobody { .. })), "{text}");
    }
}

#[test]
fn a_namespace_wins_over_a_container_that_is_gone() {
    let (scratch, directory) = directory(&["cart"]);
    let found = find(&directory, &[pod(POD, "cart")], "cart").unwrap();
    assert_eq!((found.container.as_str(), found.netns), ("cart", Some(scratch.path().join("cart"))));
    assert_eq!(meant(&directory, &[pod(POD, "cart")], "container:cart"), POD);
    // One that lives in that very namespace is no other.
    let same = Entry { netns: Some(scratch.path().join("cart")), ..pod(POD, "cart") };
    assert!(find(&directory, &[same], "cart").is_ok());
}

#[test]
fn nobody_is_told_with_the_nearest_one_or_how_to_make_one() {
    let (_scratch, directory) = directory(&["frontend"]);
    let entries = [pod(POD, "cart")];
    let nobody = |text: &str| format!("{text:?} is no network namespace, no container and no process");
    for (text, hint) in [
        ("frontent", "did you mean frontend?"),
        ("card", "did you mean cart?"),
        ("xyz", "`netctl netns add xyz` makes a namespace; `netctl netns list` shows which there are"),
        (
            "99999999",
            "`netctl netns add 99999999` makes a namespace; `netctl netns list` shows which there are",
        ),
    ] {
        assert_eq!(meant(&directory, &entries, text), format!("{}\n{hint}", nobody(text)));
    }
    assert_eq!(
        meant(&directory, &entries, "ns:frontent"),
        format!("{}\ndid you mean frontend?", nobody("ns:frontent"))
    );
    assert!(meant(&directory, &entries, "").starts_with(&nobody("")), "no id begins with nothing");
    let hint = "`netctl inspect NETWORK` shows who is on a network";
    assert_eq!(meant(&directory, &entries, "container:xyz"), format!("{}\n{hint}", nobody("container:xyz")));
}

#[test]
fn what_cannot_be_opened_is_named_as_it_was_written() {
    let (_scratch, directory) = directory(&[]);
    for text in ["ns:none", "pid:99999999", "/no/such/path"] {
        let error = meant(&directory, &[], text);
        let expected = format!("open the network namespace of {text:?}\nits process or namespace is gone");
        assert_eq!(error, expected);
    }
    assert_eq!(meant(&directory, &[], "/etc/passwd"), "open the network namespace of \"/etc/passwd\"\n");
    assert_eq!(meant(&directory, &[], "ns:"), "find network namespace \"ns:\"\n");
    for text in ["pid:", "pid:x", "pid:-1", "pid:99999999999999999999"] {
        let error = find(&directory, &[], text).unwrap_err();
        assert!(matches!(error, TargetError::Nobody { .. }) && error.hint().is_none(), "{text}");
        assert!(error.is_absence());
    }
}

#[test]
fn codes_tell_a_namespace_from_a_container() {
    let (_scratch, directory) = directory(&[]);
    let code = |text| find(&directory, &[], text).unwrap_err().code();
    assert_eq!(code("/no/such/path"), Code::INVALID_NETNS);
    assert_eq!(code("nobody"), Code::UNKNOWN_CONTAINER);
}
