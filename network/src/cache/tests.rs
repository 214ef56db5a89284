//! The cache against libcni's format.

use std::os::unix::fs::PermissionsExt;

use base64::Engine;
use cni::{Args, Success, Version};
use serde_json::{Map, Value, json};
use vocab::{ContainerId, InterfaceName};

use super::*;
use crate::scratch::Scratch;

fn attachment(container: &str) -> Attachment {
    Attachment::new(ContainerId::new(container).unwrap(), InterfaceName::new("eth0").unwrap())
}

fn network(name: &str) -> NetworkName {
    NetworkName::new(name).unwrap()
}

fn entry(name: &str, container: &str) -> Entry {
    let result = json!({"ips": [{"address": "10.0.0.2/24"}]});
    Entry {
        network: network(name),
        attachment: attachment(container),
        netns: Some("/run/netns/a".into()),
        config: b"{\"name\":\"net\"}".to_vec(),
        args: Args::parse("IgnoreUnknown=1;K8S_POD_NAME=web").unwrap(),
        capability_args: json!({"mac": "02:00:00:00:00:01"}).as_object().unwrap().clone(),
        result: Success::read(&result, Version::V1_0_0).unwrap(),
        version: Version::V1_0_0,
    }
}

#[test]
fn a_file_is_what_libcni_writes() {
    let scratch = Scratch::new();
    let cache = Cache::new(scratch.path().join("cni"));
    cache.write(&entry("net", "a")).unwrap();
    let folder = cache.folder();
    let file = folder.join("net-a-eth0");
    let expected = concat!(
        r#"{"kind":"cniCacheV1","containerId":"a","config":"eyJuYW1lIjoibmV0In0=","ifName":"eth0","#,
        r#""networkName":"net","netns":"/run/netns/a","cniArgs":[["IgnoreUnknown","1"],["K8S_POD_NAME","web"]],"#,
        r#""capabilityArgs":{"mac":"02:00:00:00:00:01"},"#,
        r#""result":{"cniVersion":"1.0.0","ips":[{"address":"10.0.0.2/24"}]}}"#,
    );
    assert_eq!(fs::read_to_string(&file).unwrap(), expected);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&folder), mode(&file)), (0o700, 0o600));
    assert_eq!(folder.read_dir().unwrap().count(), 1);
}

#[test]
fn a_container_s_attachments_are_known_by_the_names_of_their_files() {
    let scratch = Scratch::new();
    let cache = Cache::new(scratch.path());
    for name in ["net", "my-net"] {
        cache.write(&entry(name, "a1")).unwrap();
        cache.write(&entry(name, "b2")).unwrap();
    }
    // What is in it is nobody's business here, nor is a file that ADD was writing when it was killed.
    scratch.write("results/torn-a1-eth7", "{");
    scratch.write("results/.net-a1-eth0", "{");
    let found = cache.of_container(&ContainerId::new("a1").unwrap()).unwrap();
    let found: Vec<String> = found.iter().map(|(network, owner)| format!("{network} {owner}")).collect();
    assert_eq!(found, ["my-net a1/eth0", "net a1/eth0", "torn a1/eth7"]);
    assert_eq!(cache.of_container(&ContainerId::new("c3").unwrap()).unwrap(), []);
}

#[test]
fn what_libcni_wrote_is_read() {
    let scratch = Scratch::new();
    let cache = Cache::new(scratch.path());
    // By libcni 1.1.2 with Debian's `static`.
    let text = concat!(
        r#"{"kind":"cniCacheV1","containerId":"c1","config":"e30K","ifName":"eth0","networkName":"mynet","#,
        r#""netns":"/run/netns/blue","cniArgs":[["IgnoreUnknown","1"],["A","b"]],"#,
        r#""capabilityArgs":{"mac":"02:00:00:00:00:07"},"result":{"cniVersion":"1.0.0","dns":{},"#,
        r#""ips":[{"address":"10.1.0.5/24","gateway":"10.1.0.1"}],"routes":[{"dst":"0.0.0.0/0"}]}}"#,
    );
    scratch.write("results/mynet-c1-eth0", text);
    let [found] = cache.of_network(&network("mynet")).unwrap().try_into().unwrap();
    assert_eq!(found.attachment, attachment("c1"));
    assert_eq!(found.config, b"{}\n");
    assert_eq!(found.args.to_string(), "IgnoreUnknown=1;A=b");
    assert_eq!(found.result.routes.len(), 1);
    // What we make of it differs in the empty `dns` only, which later versions of libcni leave out, too.
    assert_eq!(String::from_utf8(found.bytes().unwrap()).unwrap(), text.replace(r#""dns":{},"#, ""));
}

#[test]
fn a_namespace_that_the_runtime_did_not_note_is_the_one_in_the_result() {
    let interfaces = json!([
        {"name": "eth0"},
        {"name": "eth1", "sandbox": "/run/netns/b"},
        {"name": "eth0", "sandbox": "/run/netns/c"},
    ]);
    let result = Success::read(&json!({ "interfaces": interfaces }), Version::V1_0_0).unwrap();
    let noted = Entry { result, ..entry("net", "a") };
    let not_noted = Entry { netns: None, ..noted.clone() };
    let nowhere = Entry { netns: None, ..entry("net", "a") };
    assert_eq!(noted.namespace(), Some(Path::new("/run/netns/a")));
    assert_eq!(not_noted.namespace(), Some(Path::new("/run/netns/c")));
    assert_eq!(nowhere.namespace(), None);
}

#[test]
fn what_is_empty_is_left_out() {
    let scratch = Scratch::new();
    let cache = Cache::new(scratch.path());
    let bare = Entry { netns: None, args: Args::default(), capability_args: Map::new(), ..entry("net", "a") };
    cache.write(&bare).unwrap();
    let written: Value =
        serde_json::from_slice(&fs::read(cache.folder().join("net-a-eth0")).unwrap()).unwrap();
    let keys: Vec<_> = written.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["config", "containerId", "ifName", "kind", "networkName", "result"]);
    assert_eq!(cache.find(&bare.network, &bare.attachment).unwrap(), Some(bare));
}

#[test]
fn an_entry_is_replaced_found_and_forgotten() {
    let scratch = Scratch::new();
    let cache = Cache::new(scratch.path());
    let mut entry = entry("net", "a");
    assert_eq!(cache.find(&entry.network, &entry.attachment).unwrap(), None);
    cache.write(&entry).unwrap();
    entry.netns = None;
    cache.write(&entry).unwrap();
    assert_eq!(cache.find(&entry.network, &entry.attachment).unwrap(), Some(entry.clone()));
    cache.remove(&entry.network, &entry.attachment).unwrap();
    cache.remove(&entry.network, &entry.attachment).unwrap();
    assert_eq!(cache.find(&entry.network, &entry.attachment).unwrap(), None);
}

#[test]
fn older_runtimes_left_the_bare_result() {
    let scratch = Scratch::new();
    let cache = Cache::new(scratch.path());
    let text = r#"{"cniVersion":"0.4.0","ips":[{"version":"4","address":"10.0.0.2/24"}],"dns":{}}"#;
    scratch.write("results/net-a-eth0", text);
    let found = cache.find(&network("net"), &attachment("a")).unwrap().unwrap();
    assert_eq!((found.result.ips.len(), found.version), (1, Version::V0_4_0));
    assert!(cache.of_network(&network("net")).unwrap().is_empty());
}

#[test]
fn nulls_of_another_writer_are_nothing() {
    let scratch = Scratch::new();
    let cache = Cache::new(scratch.path());
    let text = r#"{"kind":"cniCacheV1","containerId":"a","config":null,"ifName":"eth0","networkName":"net",
        "cniArgs":null,"capabilityArgs":null,"result":{"cniVersion":"1.0.0"},"later":1}"#;
    scratch.write("results/net-a-eth0", text);
    let found = cache.find(&network("net"), &attachment("a")).unwrap().unwrap();
    assert!(found.config.is_empty() && found.args.is_empty() && found.netns.is_none());
}

#[test]
fn a_torn_file_is_known_for_what_it_is() {
    let scratch = Scratch::new();
    let cache = Cache::new(scratch.path());
    let whole = String::from_utf8(entry("net", "a").bytes().unwrap()).unwrap();
    for torn in
        ["", "\0\0\0", "null", &whole[..40], &whole.replace("eyJ", "?"), &whole.replace("eth0", "a/b")]
    {
        scratch.write("results/net-a-eth0", torn);
        let found = cache.find(&network("net"), &attachment("a"));
        assert!(matches!(found, Err(CacheError::Torn { .. })), "{torn:?}");
        assert!(cache.of_network(&network("net")).unwrap().is_empty());
    }
}

#[test]
fn networks_with_similar_names_are_told_apart() {
    let scratch = Scratch::new();
    let cache = Cache::new(scratch.path());
    for (name, container) in [("a", "b-c"), ("a-b", "c2"), ("a", "a")] {
        cache.write(&entry(name, container)).unwrap();
    }
    let containers = |name| -> Vec<_> {
        let entries = cache.of_network(&network(name)).unwrap();
        entries.into_iter().map(|entry| entry.attachment.container.to_string()).collect()
    };
    assert_eq!(containers("a"), ["a", "b-c"]);
    assert_eq!(containers("a-b"), ["c2"]);
    assert!(containers("b").is_empty());
}

#[test]
fn what_a_killed_add_left_goes_with_the_next_del() {
    let scratch = Scratch::new();
    let cache = Cache::new(scratch.path());
    scratch.write("results/.net-a-eth0", "{");
    cache.remove(&network("net"), &attachment("a")).unwrap();
    assert_eq!(cache.folder().read_dir().unwrap().count(), 0);
}

#[test]
fn the_configuration_is_kept_to_the_byte() {
    let config: Vec<u8> = (0..=255).collect();
    let written = Entry { config: config.clone(), ..entry("net", "a") }.bytes().unwrap();
    let written: Value = serde_json::from_slice(&written).unwrap();
    let text = written["config"].as_str().unwrap();
    assert_eq!(base64::engine::general_purpose::STANDARD.decode(text).unwrap(), config);
}
