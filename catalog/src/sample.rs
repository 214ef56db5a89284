//! Networks, attachments and folders for tests.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use cni::{Args, InProcess, Registry, SearchPath, Success, Version};
use network::{Cache, Entry, Folder, List, Locks, Runtime};
use serde_json::{Map, Value, json};
use vocab::{Attachment, ContainerId, InterfaceName, NetworkName};

use crate::catalog::{Catalog, Network, Origin, Places};

/// A network that a file describes.
pub(crate) fn network(list: &Value) -> Network {
    let parsed = List::parse(list.to_string().into_bytes());
    let parsed = parsed.unwrap_or_else(|error| panic!("{list}: {error}"));
    Network::new(parsed, Origin::File("/etc/cni/net.d/web.conflist".into()))
}

/// The network `name` of one plugin, which declares `capabilities`.
pub(crate) fn network_of(name: &str, mut plugin: Value, capabilities: &[&str]) -> Network {
    let declared: Map<_, _> = capabilities.iter().map(|name| ((*name).to_owned(), true.into())).collect();
    plugin["capabilities"] = Value::Object(declared);
    network(&json!({"cniVersion": "1.0.0", "name": name, "plugins": [plugin]}))
}

/// An attachment by `eth0` as the cache keeps it.
pub(crate) fn entry(network: &str, container: &str, result: &Value) -> Entry {
    Entry {
        network: NetworkName::new(network).unwrap(),
        attachment: Attachment::new(
            ContainerId::new(container).unwrap(),
            InterfaceName::new("eth0").unwrap(),
        ),
        netns: None,
        config: Vec::new(),
        args: Args::default(),
        capability_args: Map::new(),
        result: Success::read(result, Version::V1_0_0).unwrap(),
        version: Version::V1_0_0,
    }
}

/// A catalog of what is in a folder of its own: networks in `net.d`, results in `cni`, a `daemon.json`, and `run`.
pub(crate) fn catalog(scratch: &Scratch) -> Catalog {
    let at = |name: &str| scratch.path().join(name);
    Catalog::new(Places {
        folder: Folder::new(at("net.d")),
        cache: Cache::new(at("cni")),
        daemon: at("daemon.json"),
        daemon_is_named: false,
        run_dir: at("run"),
        resolv_conf: at("resolv.conf"),
    })
}

/// A runtime that has no plugins of its own, and finds others in `bin`.
pub(crate) fn bare_runtime(scratch: &Scratch) -> Runtime {
    Runtime {
        registry: Registry::new(&[], InProcess::Never),
        path: SearchPath::new(scratch.path().join("bin").into_os_string()),
        cache: Cache::new(scratch.path().join("cni")),
        locks: Locks::new(scratch.path().join("run")),
        netns_override: false,
    }
}

/// A folder that lasts as long as a test.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("catalog-test-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let file = self.0.join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, text).unwrap();
        file
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
