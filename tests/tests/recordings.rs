//! What containerd and podman once sent is answered as the reference answered it.

use lab::{Background, Namespace, Place};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;
use tests::config::with;
use tests::facts::plain;
use tests::{Answer, Call, Stage, Surprise, Test};

type Failure = Box<dyn std::error::Error>;

/// One call as it was recorded.
struct Recorded {
    line: usize,
    plugin: String,
    variables: BTreeMap<String, String>,
    stdin: Value,
    succeeded: bool,
    answer: Value,
}

impl Recorded {
    fn read(line: usize, text: &str) -> Result<Self, Failure> {
        let document: Value = serde_json::from_str(text)?;
        let variables = document["env"].as_object().into_iter().flatten();
        Ok(Self {
            line: line + 1,
            plugin: plain(&document["plugin"]),
            variables: variables.map(|(name, value)| (name.clone(), plain(value))).collect(),
            stdin: document["stdin"].clone(),
            succeeded: document["rc"] == 0,
            answer: document["stdout"].clone(),
        })
    }

    fn variable(&self, name: &str) -> &str {
        self.variables.get(name).map_or("", String::as_str)
    }

    fn verb(&self) -> &str {
        self.variable("CNI_COMMAND")
    }

    /// Whose it is.
    fn attachment(&self) -> String {
        format!("{} {}", self.variable("CNI_CONTAINERID"), self.variable("CNI_IFNAME"))
    }
}

fn recording(name: &str) -> Result<Vec<Recorded>, Failure> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("recordings").join(name);
    fs::read_to_string(file)?.lines().enumerate().map(|(line, text)| Recorded::read(line, text)).collect()
}

/// The client's side of the host: its namespaces, and what it remembers between calls.
struct Client<'a> {
    stage: &'a Stage,
    /// The namespaces that are there, by the path that the client calls them.
    namespaces: BTreeMap<String, Home>,
    /// The last result of each attachment that stands.
    results: BTreeMap<String, Value>,
}

/// Where a container lives.
struct Home {
    namespace: Namespace,
    path: String,
    /// Holds the namespace open where its path is a descriptor.
    _holder: Option<Background>,
}

impl Client<'_> {
    /// The path for a recorded one; the namespace is made when it is new.
    fn path_of(&mut self, recorded: &str) -> Result<String, Failure> {
        if let Some(home) = self.namespaces.get(recorded) {
            return Ok(home.path.clone());
        }
        let home = match recorded.starts_with("/proc/") {
            true => self.descriptor()?,
            false => {
                let name = recorded.rsplit('/').next().unwrap_or_default();
                let namespace = Namespace::create(self.stage.host(), name)?;
                Home { namespace, path: recorded.to_owned(), _holder: None }
            }
        };
        let path = home.path.clone();
        self.namespaces.insert(recorded.to_owned(), home);
        Ok(path)
    }

    /// A namespace that a process has open, as buildah has it.
    fn descriptor(&self) -> Result<Home, Failure> {
        let namespace = Namespace::create(self.stage.host(), "held")?;
        let script = "exec 9</run/netns/held; echo pid=$$.; exec sleep 1000";
        let holder = self.stage.host().background(["sh", "-c", script])?;
        let line = holder.wait_for("pid=", Duration::from_secs(10))?;
        let pid = line.trim_start_matches("pid=").trim_end_matches('.');
        Ok(Home { namespace, path: format!("/proc/{pid}/fd/9"), _holder: Some(holder) })
    }

    /// The recorded call with the paths of this host.
    fn call<'b>(&'b mut self, recorded: &Recorded) -> Result<Call<'b>, Failure> {
        let mut variables = recorded.variables.clone();
        variables.remove("CNI_COMMAND");
        if recorded.verb() == "VERSION" {
            // Dummies, all of them.
        } else {
            let plugins = format!("{}/", self.stage.plugins().path().display());
            variables.insert("CNI_PATH".to_owned(), plugins);
            let path = recorded.variable("CNI_NETNS");
            if !path.is_empty() && recorded.plugin != "host-local" {
                variables.insert("CNI_NETNS".to_owned(), self.path_of(path)?);
            }
        }
        let call = self.stage.call(&recorded.plugin, &recorded.stdin);
        let call = variables.iter().fold(call, |call, (name, value)| call.env(name, value));
        // What a client hands back is what it was answered: here, by us.
        Ok(match self.results.get(&recorded.attachment()) {
            Some(result) if recorded.stdin.get("prevResult").is_some() => call.after(result),
            _ => call,
        })
    }

    fn replay(&mut self, recorded: &Recorded) -> Test {
        let answer = self.call(recorded)?.run(recorded.verb());
        let same = match (recorded.verb(), recorded.succeeded) {
            ("VERSION", _) => self.compare_versions(recorded, &answer),
            ("ADD", true) => self.compare_results(recorded, &answer),
            ("ADD", false) => compare_errors(recorded, &answer),
            _ => answer.done(),
        };
        if let Err(error) = same {
            let what = format!("line {}: {} {}", recorded.line, recorded.verb(), recorded.plugin);
            return Err(Surprise::new(what, error).into());
        }
        Ok(())
    }

    fn compare_versions(&self, recorded: &Recorded, answer: &Answer) -> Result<(), Surprise> {
        let versions = answer.result()?["supportedVersions"].clone();
        let spoken = |version: &Value| versions.as_array().is_some_and(|all| all.contains(version));
        match recorded.answer["supportedVersions"].as_array().is_some_and(|all| all.iter().all(spoken)) {
            true => Ok(()),
            false => Err(answer.surprise("a version is missing")),
        }
    }

    fn compare_results(&mut self, recorded: &Recorded, answer: &Answer) -> Result<(), Surprise> {
        let result = answer.result()?;
        let path = self.namespaces.get(recorded.variable("CNI_NETNS")).map(|home| home.path.as_str());
        let asked = recorded.variable("CNI_ARGS").contains("MAC=");
        let expected = comparable(&recorded.answer, path, asked);
        let given = comparable(&result, path, asked);
        self.results.insert(recorded.attachment(), result);
        if expected == given {
            Ok(())
        } else {
            Err(answer.surprise(format!("expected {expected}, not {given}")))
        }
    }

    /// Every attachment that stands really has the addresses that were answered.
    fn look(&self) -> Test {
        for (attachment, result) in &self.results {
            for interface in result["interfaces"].as_array().into_iter().flatten() {
                let Some(home) =
                    self.namespaces.values().find(|home| interface["sandbox"] == home.path.as_str())
                else {
                    continue;
                };
                if interface["name"] == "lo" {
                    continue;
                }
                let addresses = tests::facts::addresses(&home.namespace, &plain(&interface["name"]))?;
                let told = result["ips"].as_array().into_iter().flatten().map(|ip| plain(&ip["address"]));
                assert_eq!(addresses, told.collect::<Vec<_>>(), "{attachment}");
            }
        }
        Ok(())
    }
}

/// The refusal, and the reason: the address that it names.
fn compare_errors(recorded: &Recorded, answer: &Answer) -> Result<(), Surprise> {
    let text = answer.any_error()?;
    let wished = recorded.variable("CNI_ARGS").split(';').find_map(|word| word.strip_prefix("IP="));
    match wished.is_none_or(|address| text.contains(address)) {
        true => Ok(()),
        false => Err(answer.surprise("the error does not name the address")),
    }
}

/// A result without what is chance: link-layer addresses, unless one was asked for, and names of host ends.
fn comparable(result: &Value, path: Option<&str>, asked_for_mac: bool) -> Value {
    let mut result = result.clone();
    for interface in result["interfaces"].as_array_mut().into_iter().flatten() {
        let is_inside = interface.get("sandbox").is_some();
        if interface["name"] != "lo" && !(is_inside && asked_for_mac) {
            interface["mac"] = Value::Null;
        }
        if plain(&interface["name"]).starts_with("veth") {
            interface["name"] = "veth".into();
        }
        if is_inside && path.is_some() {
            interface["sandbox"] = "the container".into();
        }
    }
    // The loopback of that day forgot the family that versions up to 0.4.0 write beside an address.
    for ip in result["ips"].as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
        ip.remove("version");
    }
    // 1.0.0 leaves an empty object out; the reference of that day did not yet.
    if result.get("dns") == Some(&json!({})) {
        result = with(result, json!({"dns": null}));
    }
    result
}

/// Replays what a client sent to these plugins.
fn replay(name: &str, plugins: &[&str]) -> Test {
    let stage = Stage::new("replay")?;
    stage.host().write_file("/etc/resolv.conf", "nameserver 192.0.2.1\n")?;
    let mut client = Client { stage: &stage, namespaces: BTreeMap::new(), results: BTreeMap::new() };
    let calls = recording(name)?;
    for recorded in calls.iter().filter(|recorded| plugins.contains(&recorded.plugin.as_str())) {
        client.replay(recorded)?;
        match recorded.verb() {
            "ADD" if recorded.plugin == "bridge" => client.look()?,
            "DEL" => drop(client.results.remove(&recorded.attachment())),
            _ => {}
        }
    }
    let links = tests::facts::links(stage.host())?;
    assert!(!links.iter().any(|link| link.starts_with("veth")), "every attachment was taken away: {links:?}");
    // Leases are called by their address; the other files begin with an l.
    let leases = stage.host().sh("find /var/lib/cni/networks -type f -name '[0-9f]*'").ok()?;
    assert_eq!(leases, "", "every lease was given back");
    Ok(())
}

#[test]
fn of_containerd_to_bridge_and_loopback() -> Test {
    replay("containerd-1.6.jsonl", &["bridge", "loopback"])
}

#[test]
fn of_containerd_to_host_local() -> Test {
    replay("containerd-1.6.jsonl", &["host-local"])
}

#[test]
fn of_podman_to_bridge() -> Test {
    replay("podman-4.3.jsonl", &["bridge"])
}

#[test]
fn of_podman_to_host_local() -> Test {
    replay("podman-4.3.jsonl", &["host-local"])
}
