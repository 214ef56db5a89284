//! What a network configuration list says.

mod error;
mod flag;
mod plugin;

use cni::{Mismatch, Version};
use serde::Deserialize;
use serde_json::{Value, json};
use vocab::NetworkName;

pub use self::error::ListError;
use self::flag::Flag;
pub(crate) use self::plugin::Injected;
pub use self::plugin::PluginConfig;

/// A network configuration list (CNI spec, section 1), complete: it has at least one plugin.
#[derive(Debug, Clone)]
pub struct List {
    version: Version,
    name: NetworkName,
    disable_check: bool,
    disable_gc: bool,
    plugins: Vec<PluginConfig>,
    bytes: Vec<u8>,
}

/// A list whose folder of further plugins has not been looked at yet.
#[derive(Debug)]
pub(crate) struct Draft {
    list: List,
    /// Whether the plugins in the folder beside the file are part of the list.
    pub(crate) takes_folder: bool,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Written {
    cni_version: String,
    cni_versions: Vec<String>,
    name: String,
    disable_check: Flag,
    #[serde(rename = "disableGC")]
    disable_gc: Flag,
    load_only_inlined_plugins: Flag,
    plugins: Option<Vec<Value>>,
}

impl List {
    /// Reads a list that stands for itself: no folder of further plugins belongs to it.
    ///
    /// # Errors
    /// [`ListError`] that names the field.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, ListError> {
        Draft::parse(bytes)?.complete(Vec::new())
    }

    /// Reads the configuration of a single plugin, the form before there were lists, as a list of one.
    ///
    /// # Errors
    /// [`ListError`] that names the field.
    pub fn parse_single(bytes: &[u8]) -> Result<Self, ListError> {
        let plugin: Value = serde_json::from_slice(bytes).map_err(ListError::NotJson)?;
        // A field of the wrong type is to be named by where it stands in the file, not in the list made of it.
        let Written { cni_version, name, .. } = cni::decode(&plugin, "").map_err(ListError::Field)?;
        PluginConfig::read(plugin.clone())?;
        let list = json!({"cniVersion": cni_version, "name": name, "plugins": [plugin]});
        Self::parse(serde_json::to_vec(&list).map_err(ListError::NotJson)?)
    }

    /// The version that its plugins are called in: the highest that the list and this program know.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.version
    }

    /// The name of the network.
    #[must_use]
    pub const fn name(&self) -> &NetworkName {
        &self.name
    }

    /// Whether CHECK is not to be called (`disableCheck`).
    #[must_use]
    pub const fn is_check_disabled(&self) -> bool {
        self.disable_check
    }

    /// Whether GC is not to be called (`disableGC`): another runtime may use the same network.
    #[must_use]
    pub const fn is_gc_disabled(&self) -> bool {
        self.disable_gc
    }

    /// The plugins in the order of ADD.
    #[must_use]
    pub fn plugins(&self) -> &[PluginConfig] {
        &self.plugins
    }

    /// The list as it was read, which the cache keeps for whoever deletes the attachment.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl Draft {
    pub(crate) fn parse(bytes: Vec<u8>) -> Result<Self, ListError> {
        let value: Value = serde_json::from_slice(&bytes).map_err(ListError::NotJson)?;
        let Value::Object(object) = value else {
            return Err(ListError::Field(Mismatch::new("", "expected a JSON object")));
        };
        let written: Written = cni::decode_object(&object).map_err(ListError::Field)?;
        let name = match written.name.as_str() {
            "" => return Err(ListError::MissingName),
            name => NetworkName::new(name).map_err(ListError::Name)?,
        };
        let takes_folder = !written.load_only_inlined_plugins.0;
        let plugins = match written.plugins {
            None if takes_folder => Vec::new(),
            None => return Err(ListError::NothingInlined),
            Some(plugins) if plugins.is_empty() => return Err(ListError::Empty),
            Some(plugins) => read_plugins(plugins)?,
        };
        let version = choose_version(&written.cni_version, &written.cni_versions)?;
        let (disable_check, disable_gc) = (written.disable_check.0, written.disable_gc.0);
        Ok(Self { list: List { version, name, disable_check, disable_gc, plugins, bytes }, takes_folder })
    }

    pub(crate) const fn name(&self) -> &NetworkName {
        &self.list.name
    }

    /// The list together with the plugins of its folder.
    pub(crate) fn complete(mut self, further: Vec<PluginConfig>) -> Result<List, ListError> {
        self.list.plugins.extend(further);
        if self.list.plugins.is_empty() { Err(ListError::NoPlugins) } else { Ok(self.list) }
    }
}

fn read_plugins(plugins: Vec<Value>) -> Result<Vec<PluginConfig>, ListError> {
    let at = |index| move |error: ListError| error.under(&format!("plugins[{index}]"));
    plugins
        .into_iter()
        .enumerate()
        .map(|(index, plugin)| PluginConfig::read(plugin).map_err(at(index)))
        .collect()
}

/// The highest version that both the list and this program know. What is newer than this program is passed
/// over as long as something is left: that is what a list of versions is for.
fn choose_version(single: &str, several: &[String]) -> Result<Version, ListError> {
    if several.is_empty() {
        return Version::parse(single).map_err(ListError::Version);
    }
    for (index, text) in several.iter().enumerate() {
        let numbers = text.split('.').map(|part| part.parse::<u32>().ok());
        if numbers.clone().count() != 3 || numbers.clone().any(|number| number.is_none()) {
            let message = format!("invalid version {text:?}: expected three numbers such as 1.0.0");
            return Err(ListError::Field(Mismatch::new(format!("cniVersions[{index}]"), message)));
        }
    }
    let single = (!single.is_empty()).then_some(single);
    let listed = several.iter().map(String::as_str).chain(single);
    let known = listed.clone().filter_map(|text| Version::parse(text).ok()).max();
    known.ok_or_else(|| ListError::NoCommonVersion { listed: listed.collect::<Vec<_>>().join(", ") })
}

#[cfg(test)]
mod tests;
