//! How a network's file comes to be. What it says is decided by designs.

use std::os::unix::fs::{PermissionsExt, symlink};

use vocab::NetworkName;

use super::*;
use crate::sample::{Scratch, bare_runtime, catalog};

/// A folder of plugins that speak these versions.
fn plugins(scratch: &Scratch, kinds: &[&str], versions: &str) {
    for kind in kinds {
        let text =
            format!("#!/bin/sh\necho '{{\"cniVersion\":\"1.0.0\",\"supportedVersions\":[{versions}]}}'\n");
        let file = scratch.write(&format!("bin/{kind}"), &text);
        fs::set_permissions(file, fs::Permissions::from_mode(0o755)).unwrap();
    }
}

/// Network `web` in 203.0.113.0/24, where no host is (RFC 5737), so that the host does not matter.
fn wish() -> Wish {
    let mut wish = Wish::new(NetworkName::new("web").unwrap());
    wish.subnets = vec!["203.0.113.0/24".parse().unwrap()];
    wish
}

/// A place for a catalog without network `bridge`, which depends on the host.
fn place() -> Scratch {
    let scratch = Scratch::new();
    scratch.write("daemon.json", r#"{"bridge": "none"}"#);
    scratch
}

fn create(scratch: &Scratch) -> Result<Created, CreateError> {
    catalog(scratch).create(wish(), &bare_runtime(scratch), Timestamp::UNIX_EPOCH)
}

fn told(error: &CreateError) -> Vec<String> {
    let mut told = vec![error.to_string()];
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        told.push(error.to_string());
        source = error.source();
    }
    told
}

const ALL: [&str; 4] = ["bridge", "host-local", "portmap", "firewall"];

#[test]
fn a_file_is_there_whole_and_for_everybody_to_read() {
    let scratch = place();
    plugins(&scratch, &ALL, r#""1.0.0","1.1.0""#);
    let created = create(&scratch).unwrap();
    let file = scratch.path().join("net.d/netctl-web.conflist");
    assert_eq!(created.network.file(), Some(&*file));
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o644);
    let text = fs::read_to_string(&file).unwrap();
    assert_eq!(text, created.design.conflist(|_| true).unwrap());
    assert_eq!(fs::read_dir(scratch.path().join("net.d")).unwrap().count(), 1, "nothing lies beside it");
    let again = create(&scratch).unwrap_err();
    assert_eq!(told(&again), ["create network web", "network with name web already exists"]);
}

#[test]
fn versions_are_those_that_all_plugins_speak() {
    let scratch = place();
    plugins(&scratch, &ALL, r#""1.0.0","1.1.0""#);
    plugins(&scratch, &["firewall"], r#""0.4.0","1.0.0""#);
    create(&scratch).unwrap();
    let text = fs::read_to_string(scratch.path().join("net.d/netctl-web.conflist")).unwrap();
    assert!(text.contains("\"cniVersion\": \"1.0.0\"") && !text.contains("cniVersions"), "{text}");
}

#[test]
fn a_plugin_that_is_nowhere_is_told_as_the_driver_or_as_itself_and_nothing_is_made() {
    let scratch = place();
    let error = create(&scratch).unwrap_err();
    assert_eq!(error.to_string(), "create network web: driver bridge is not installed");
    plugins(&scratch, &ALL[..3], r#""1.0.0""#);
    let error = create(&scratch).unwrap_err();
    assert_eq!(error.to_string(), "create network web: plugin firewall cannot be used");
    assert!(!scratch.path().join("net.d").exists());
}

#[test]
fn a_file_in_the_way_is_left_alone_and_told_with_the_way_out() {
    let scratch = place();
    plugins(&scratch, &ALL, r#""1.0.0""#);
    let file = scratch.write("net.d/netctl-web.conflist", "{ not yet");
    let error = create(&scratch).unwrap_err();
    assert_eq!(error.to_string(), format!("write {}", file.display()));
    let hint = format!("no network of that name can be read from it: repair or remove {}", file.display());
    assert_eq!((error.hint(), error.code()), (Some(hint), Code::IO));
    assert_eq!(fs::read_to_string(&file).unwrap(), "{ not yet");
}

#[test]
fn what_a_killed_attempt_left_or_where_a_link_leads_is_not_written_to() {
    let scratch = place();
    plugins(&scratch, &ALL, r#""1.0.0""#);
    let precious = scratch.write("precious", "mine");
    fs::create_dir(scratch.path().join("net.d")).unwrap();
    symlink(&precious, scratch.path().join("net.d/netctl-web.conflist.new")).unwrap();
    create(&scratch).unwrap();
    assert_eq!(fs::read_to_string(&precious).unwrap(), "mine");
    assert_eq!(fs::read_dir(scratch.path().join("net.d")).unwrap().count(), 1);
}

#[test]
fn a_daemon_json_that_cannot_be_used_is_told_before_anything_is_made() {
    let scratch = place();
    plugins(&scratch, &ALL, r#""1.0.0""#);
    let file = scratch.write("daemon.json", "[]");
    let error = create(&scratch).unwrap_err();
    assert_eq!(told(&error), [format!("use {}", file.display()), "[]: expected an object".to_owned()]);
    assert!(!scratch.path().join("net.d").exists());
}
