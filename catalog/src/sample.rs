//! Networks, attachments and folders for tests.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use cni::{Args, Success, Version};
use network::{Entry, List};
use serde_json::{Map, Value, json};
use vocab::{Attachment, ContainerId, InterfaceName, NetworkName};

use crate::catalog::{Network, Origin};

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
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
