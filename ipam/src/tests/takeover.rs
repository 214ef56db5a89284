//! Taking over from the reference plugin, and it from us.

use std::io::Write;
use std::process::{Command, Stdio};

use super::*;

const REFERENCE: &str = "/usr/lib/cni/host-local";

/// One call of the reference plugin; nothing if it is not installed.
fn reference(host: &Host, verb: &str, container: &str) -> Option<String> {
    if !Path::new(REFERENCE).exists() {
        println!("skipped: {REFERENCE} is not installed");
        return None;
    }
    let mut command = Command::new(REFERENCE);
    command.env_clear().env("CNI_COMMAND", verb).env("CNI_CONTAINERID", container);
    command.env("CNI_NETNS", "/x").env("CNI_IFNAME", "eth0").env("CNI_PATH", "/usr/lib/cni");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let data_dir = host.0.join("data");
    let config = format!(
        r#"{{"cniVersion": "1.0.0", "name": "net", "type": "bridge", "ipam": {{"type": "host-local",
            "dataDir": {data_dir:?}, "ranges": [[{{"subnet": "10.0.0.0/29"}}], [{{"subnet": "fd00::/64"}}]]}}}}"#
    );
    child.stdin.take().unwrap().write_all(config.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{verb} {container}: {stdout}");
    Some(stdout)
}

#[test]
fn what_the_reference_leased_is_ours_to_release() {
    let host = Host::new();
    let store = host.store();
    let Some(result) = reference(&host, "ADD", "a") else { return };
    assert!(result.contains("10.0.0.2/29") && result.contains("fd00::2/64"), "{result}");
    assert_eq!(store.find(&owner("a")).unwrap().len(), 2);
    assert_eq!(add(&store, &dual(), "b").unwrap(), ["10.0.0.3/29", "fd00::3/64"]);
    assert!(reference(&host, "ADD", "c").unwrap().contains("10.0.0.4/29"));
    assert_eq!(store.release(&owner("a")).unwrap().len(), 2);
    assert_eq!(store.release(&owner("c")).unwrap().len(), 2);
    assert_eq!(host.leases().len(), 2);
}

#[test]
fn what_we_leased_is_the_references_to_check_and_release() {
    let host = Host::new();
    let store = host.store();
    add(&store, &dual(), "a").unwrap();
    if reference(&host, "CHECK", "a").is_none() {
        return;
    }
    assert!(reference(&host, "ADD", "b").unwrap().contains("fd00::3/64"));
    reference(&host, "DEL", "a").unwrap();
    assert!(store.find(&owner("a")).unwrap().is_empty());
    assert_eq!(store.find(&owner("b")).unwrap().len(), 2);
    assert!(store.release(&owner("a")).unwrap().is_empty());
    assert_eq!(host.leases().len(), 2);
    reference(&host, "DEL", "b").unwrap();
    assert_eq!(add(&store, &dual(), "c").unwrap(), ["10.0.0.4/29", "fd00::4/64"]);
}
