//! Plugins that do nothing but remember how they were called.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use cni::{InProcess, Registry, SearchPath};
use network::{Cache, List, Locks, Request, Runtime};
use serde_json::{Value, json};
use vocab::{Attachment, ContainerId, InterfaceName};

/// Notes its environment and stdin, then does what the files of the test say.
const SCRIPT: &str = r#"#!/bin/sh
here=$(dirname "$0")/..
call=$(basename "$0")-$CNI_COMMAND
number=$(ls "$here/calls" | wc -l)
mkdir "$here/calls/$(printf %03d "$number")-$call"
cd "$here/calls/$(printf %03d "$number")-$call"
env > env
cat > stdin
[ -e "$here/slow-$call" ] && sleep 0.3
touch finished
if [ -e "$here/fail-$call" ]; then cat "$here/fail-$call"; exit 1; fi
if [ -e "$here/answer-$call" ]; then cat "$here/answer-$call"; exit 0; fi
[ "$CNI_COMMAND" = ADD ] && echo '{"cniVersion":"1.0.0"}'
exit 0
"#;

/// A runtime whose plugins `a`, `b` and `c` are scripts.
pub(crate) struct Fake {
    root: PathBuf,
    pub(crate) runtime: Runtime,
}

/// One call that a plugin remembers.
#[derive(Debug)]
pub(crate) struct Made {
    /// `a ADD`
    pub(crate) call: String,
    pub(crate) env: HashMap<String, String>,
    pub(crate) stdin: Value,
}

impl Fake {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let root = std::env::temp_dir().join(format!("network-fake-{}-{number}", std::process::id()));
        for folder in ["bin", "calls"] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        for plugin in ["a", "b", "c"] {
            let file = root.join("bin").join(plugin);
            fs::write(&file, SCRIPT).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        }
        let runtime = Runtime {
            registry: Registry::new(&[], InProcess::Never),
            path: SearchPath::new(root.join("bin")),
            cache: Cache::new(root.join("cni")),
            locks: Locks::new(root.join("run")),
            netns_override: false,
        };
        Self { root, runtime }
    }

    /// Makes a call fail with a message.
    pub(crate) fn fail(&self, call: &str, message: &str) {
        let object = json!({"code": 11, "msg": message, "details": "a way out"});
        fs::write(self.root.join(format!("fail-{call}")), object.to_string()).unwrap();
    }

    /// Makes a call succeed again.
    pub(crate) fn mend(&self, call: &str) {
        fs::remove_file(self.root.join(format!("fail-{call}"))).unwrap();
    }

    pub(crate) fn answer(&self, call: &str, answer: &Value) {
        fs::write(self.root.join(format!("answer-{call}")), answer.to_string()).unwrap();
    }

    pub(crate) fn slow_down(&self, call: &str) {
        fs::write(self.root.join(format!("slow-{call}")), "").unwrap();
    }

    /// The calls since the last question, in order.
    pub(crate) fn calls(&self) -> Vec<Made> {
        let mut folders: Vec<_> =
            self.root.join("calls").read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
        folders.sort();
        let made = folders.iter().map(|folder| {
            let name = folder.file_name().unwrap().to_str().unwrap()[4..].replace('-', " ");
            let env = fs::read_to_string(folder.join("env")).unwrap();
            let stdin = fs::read(folder.join("stdin")).unwrap();
            let pairs = env.lines().filter_map(|line| line.split_once('='));
            let env = pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
            fs::remove_dir_all(folder).unwrap();
            Made { call: name, env, stdin: serde_json::from_slice(&stdin).unwrap_or_default() }
        });
        made.collect()
    }

    /// The names of the calls since the last question.
    pub(crate) fn names(&self) -> Vec<String> {
        self.calls().into_iter().map(|made| made.call).collect()
    }

    /// The files of the cache.
    pub(crate) fn cached(&self) -> Vec<String> {
        let Ok(entries) = self.runtime.cache.folder().read_dir() else { return Vec::new() };
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.root);
    }
}

/// A list of the plugins `a`, `b` and `c`.
pub(crate) fn list(version: &str) -> Value {
    json!({"cniVersion": version, "name": "net", "plugins": [
        {"type": "a"}, {"type": "b", "capabilities": {"mac": true}}, {"type": "c"}
    ]})
}

pub(crate) fn parse(list: &Value) -> List {
    List::parse(list.to_string().into_bytes()).unwrap()
}

pub(crate) fn attachment(container: &str) -> Attachment {
    Attachment::new(ContainerId::new(container).unwrap(), InterfaceName::new("eth0").unwrap())
}

pub(crate) fn request(container: &str) -> Request {
    Request::new(attachment(container), Some("/run/netns/blue".into()))
}
