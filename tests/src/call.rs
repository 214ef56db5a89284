//! One call of a plugin.

use crate::answer::Answer;
use crate::folder::PluginFolder;
use crate::stage::{Container, Stage};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// One call of a plugin: variables and stdin. The verb comes last, so that one value serves ADD and DEL.
#[derive(Clone, Debug)]
pub struct Call<'a> {
    stage: &'a Stage,
    program: PathBuf,
    variables: BTreeMap<String, String>,
    stdin: Vec<u8>,
}

impl<'a> Call<'a> {
    pub(crate) fn new(stage: &'a Stage, plugin: &str, config: &Value) -> Self {
        let program = stage.plugins().file(plugin);
        let path = stage.plugins().path().display().to_string();
        let variables = BTreeMap::from([("CNI_PATH".to_owned(), path)]);
        Self { stage, program, variables, stdin: config.to_string().into() }
    }

    /// Of the plugin of that name in another folder, which is also where its delegates are.
    #[must_use]
    pub fn by(mut self, plugins: &PluginFolder) -> Self {
        if let Some(plugin) = self.program.file_name() {
            self.program = plugins.path().join(plugin);
        }
        self.env("CNI_PATH", &plugins.path().display().to_string())
    }

    /// For this container: its id, its namespace, and `eth0`.
    #[must_use]
    pub fn of(self, container: &Container) -> Self {
        self.id(container.id()).netns(&container.path()).interface("eth0")
    }

    /// With this `CNI_CONTAINERID`.
    #[must_use]
    pub fn id(self, id: &str) -> Self {
        self.env("CNI_CONTAINERID", id)
    }

    /// With this `CNI_NETNS`.
    #[must_use]
    pub fn netns(self, path: &str) -> Self {
        self.env("CNI_NETNS", path)
    }

    /// With this `CNI_IFNAME`.
    #[must_use]
    pub fn interface(self, name: &str) -> Self {
        self.env("CNI_IFNAME", name)
    }

    /// With these `CNI_ARGS`.
    #[must_use]
    pub fn args(self, args: &str) -> Self {
        self.env("CNI_ARGS", args)
    }

    /// With this variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Without this variable.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.variables.remove(name);
        self
    }

    /// With this on stdin instead of a configuration.
    #[must_use]
    pub fn stdin(mut self, text: &str) -> Self {
        self.stdin = text.into();
        self
    }

    /// With this `prevResult` in the configuration.
    #[must_use]
    pub fn after(self, previous: &Value) -> Self {
        self.with("prevResult", previous.clone())
    }

    /// With this key in the configuration; a configuration that is no object stays what it is.
    #[must_use]
    pub fn with(mut self, key: &str, value: Value) -> Self {
        if let Ok(Value::Object(mut config)) = serde_json::from_slice(&self.stdin) {
            config.insert(key.to_owned(), value);
            self.stdin = Value::Object(config).to_string().into();
        }
        self
    }

    /// Calls ADD.
    pub fn add(&self) -> Answer {
        self.run("ADD")
    }

    /// Calls DEL.
    pub fn del(&self) -> Answer {
        self.run("DEL")
    }

    /// Calls CHECK.
    pub fn check(&self) -> Answer {
        self.run("CHECK")
    }

    /// Calls STATUS.
    pub fn status(&self) -> Answer {
        self.run("STATUS")
    }

    /// Calls GC; these containers' `eth0` are to be kept.
    pub fn gc(&self, valid: &[&Container]) -> Answer {
        let valid = valid.iter().map(|of| json!({"containerID": of.id(), "ifname": "eth0"})).collect();
        self.clone().with("cni.dev/valid-attachments", valid).run("GC")
    }

    /// Calls this verb.
    pub fn run(&self, verb: &str) -> Answer {
        Answer::new(self.command(verb).run(self.stage.host()), &self.stdin)
    }

    /// The call as a command, for those who disturb it.
    #[must_use]
    pub fn command(&self, verb: &str) -> lab::Call {
        let mut call = lab::Call::new([&self.program]).stdin(self.stdin.clone());
        for (name, value) in &self.variables {
            call = call.env(name, value);
        }
        if verb.is_empty() { call } else { call.env("CNI_COMMAND", verb) }
    }
}
