//! A chain of plugins, called one after the other as a runtime calls it.

use crate::answer::Answer;
use crate::call::Call;
use crate::folder::PluginFolder;
use crate::stage::{Container, Stage};
use crate::surprise::Surprise;
use serde_json::Value;

/// A container's attachment by a list of plugins.
#[derive(Clone, Debug)]
pub struct Chain<'a> {
    calls: Vec<Call<'a>>,
}

impl<'a> Chain<'a> {
    /// The plugins of these configurations, for a container. Their `type` says which they are.
    #[must_use]
    pub fn new(stage: &'a Stage, configs: &[Value], container: &Container) -> Self {
        let call =
            |config: &Value| stage.call(config["type"].as_str().unwrap_or_default(), config).of(container);
        Self { calls: configs.iter().map(call).collect() }
    }

    /// The same by the plugins of another folder.
    #[must_use]
    pub fn by(&self, plugins: &PluginFolder) -> Self {
        Self { calls: self.calls.iter().map(|call| call.clone().by(plugins)).collect() }
    }

    /// The same for another interface of the container.
    #[must_use]
    pub fn interface(&self, name: &str) -> Self {
        Self { calls: self.calls.iter().map(|call| call.clone().interface(name)).collect() }
    }

    /// One of the calls, with the result of those before.
    #[must_use]
    pub fn call(&self, index: usize, previous: &Value) -> Call<'a> {
        self.calls[index].clone().after(previous)
    }

    /// ADD, in order; the last result.
    ///
    /// # Errors
    /// The first plugin that fails; nothing is taken back then.
    #[track_caller]
    pub fn add(&self) -> Result<Value, Surprise> {
        let mut last = None;
        for call in &self.calls {
            let call = last.iter().fold(call.clone(), Call::after);
            last = Some(call.add().result()?);
        }
        Ok(last.unwrap_or_default())
    }

    /// ADD of all plugins but the last, which must succeed, and then of the last, whose answer is returned.
    ///
    /// # Errors
    /// A plugin before the last fails.
    #[track_caller]
    pub fn add_last(&self) -> Result<Answer, Surprise> {
        let (last, before) =
            self.calls.split_last().ok_or_else(|| Surprise::new("the chain is empty", ""))?;
        let result = Self { calls: before.to_vec() }.add()?;
        Ok(last.clone().after(&result).add())
    }

    /// CHECK, in order.
    ///
    /// # Errors
    /// The first plugin that fails.
    #[track_caller]
    pub fn check(&self, result: &Value) -> Result<(), Surprise> {
        self.calls.iter().try_for_each(|call| call.clone().after(result).check().done())
    }

    /// DEL, last to first, with the result of the ADD if the runtime still knows it.
    ///
    /// # Errors
    /// Any plugin that fails; all are called.
    #[track_caller]
    pub fn del(&self, result: Option<&Value>) -> Result<(), Surprise> {
        let done: Vec<_> = self
            .calls
            .iter()
            .rev()
            .map(|call| result.into_iter().fold(call.clone(), Call::after).del().done())
            .collect();
        done.into_iter().collect()
    }

    /// DEL of a runtime that knows neither the namespace nor the result nor the ports any more.
    ///
    /// # Errors
    /// Any plugin that fails; all are called.
    #[track_caller]
    pub fn del_blindly(&self) -> Result<(), Surprise> {
        let call = |call: &Call<'a>| call.clone().without("CNI_NETNS").with("runtimeConfig", Value::Null);
        Self { calls: self.calls.iter().map(call).collect() }.del(None)
    }

    /// GC, in order; these containers' `eth0` are to be kept.
    ///
    /// # Errors
    /// The first plugin that fails.
    #[track_caller]
    pub fn gc(&self, valid: &[&Container]) -> Result<(), Surprise> {
        self.calls.iter().try_for_each(|call| call.gc(valid).done())
    }
}
