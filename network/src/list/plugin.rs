//! One plugin of a list, and the configuration that it is called with.

use std::collections::BTreeMap;

use cni::{Config, ConfigError, Mismatch};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{List, ListError};

/// A plugin as it stands in a list: what the runtime needs of it is read, the rest is kept as it is.
#[derive(Debug, Clone)]
pub struct PluginConfig {
    kind: String,
    capabilities: Vec<String>,
    object: Map<String, Value>,
}

/// What a call adds to the configuration of each plugin.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Injected<'a> {
    /// The result of the plugins before, or of the whole ADD.
    pub(crate) previous: Option<&'a Value>,
    /// What the caller has for plugins that declare the capability.
    pub(crate) capability_args: Option<&'a Map<String, Value>>,
    /// What GC has to keep.
    pub(crate) valid: Option<&'a Value>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Written {
    r#type: String,
    capabilities: BTreeMap<String, bool>,
}

impl PluginConfig {
    /// Reads one element of `plugins`, or a file of a folder of plugins.
    ///
    /// # Errors
    /// [`ListError::Field`] when it is no object or does not say its type.
    pub fn read(value: Value) -> Result<Self, ListError> {
        let Value::Object(object) = value else {
            return Err(ListError::Field(Mismatch::new("", format!("expected a plugin, found {value}"))));
        };
        let written: Written = cni::decode_object(&object).map_err(ListError::Field)?;
        if written.r#type.is_empty() {
            return Err(ListError::Field(Mismatch::new("type", "missing: expected the name of a plugin")));
        }
        let declared = written.capabilities.into_iter().filter(|(_, is_supported)| *is_supported);
        Ok(Self { kind: written.r#type, capabilities: declared.map(|(name, _)| name).collect(), object })
    }

    /// The name of the plugin (`type`).
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// Everything that stands in it.
    #[must_use]
    pub const fn object(&self) -> &Map<String, Value> {
        &self.object
    }

    /// The capabilities that it declares.
    #[must_use]
    pub fn capabilities(&self) -> &[String] {
        &self.capabilities
    }

    /// The configuration that the plugin is called with as part of `list`.
    pub(crate) fn config(&self, list: &List, injected: Injected<'_>) -> Result<Config, ConfigError> {
        let mut object = self.object.clone();
        let mut insert = |key: &str, value: Value| object.insert(key.to_owned(), value);
        insert("name", list.name().as_str().into());
        insert("cniVersion", list.version().as_str().into());
        if let Some(previous) = injected.previous {
            insert("prevResult", previous.clone());
        }
        if let Some(valid) = injected.valid {
            // libcni spelled the key without `valid-` first, and plugins were written for that.
            insert("cni.dev/valid-attachments", valid.clone());
            insert("cni.dev/attachments", valid.clone());
        }
        if let Some(runtime_config) = injected.capability_args.and_then(|args| self.supported(args)) {
            insert("runtimeConfig", Value::Object(runtime_config));
        }
        Config::from_object(object)
    }

    /// Those of `args` that the plugin declares a capability for; `None` without any, for then the key
    /// stays away.
    fn supported(&self, args: &Map<String, Value>) -> Option<Map<String, Value>> {
        let given = |name: &String| args.get(name).map(|value| (name.clone(), value.clone()));
        let supported: Map<_, _> = self.capabilities.iter().filter_map(given).collect();
        (!supported.is_empty()).then_some(supported)
    }
}
