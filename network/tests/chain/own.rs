//! Plugins of our own, called in process, that remember how they were called.

use std::sync::Mutex;

use cni::{
    About, AddCall, CheckCall, Code, DelCall, Failure, Fault, GcCall, InProcess, Plugin, Registry, Reloaded,
    StatusCall, Success, Version,
};

/// What was called, in order: `a raise`.
#[derive(Default)]
pub(crate) struct Log(Mutex<Vec<String>>);

impl Log {
    pub(crate) fn note(&self, call: &str) {
        self.0.lock().unwrap().push(call.to_owned());
    }

    /// The calls since the last question.
    pub(crate) fn names(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// A plugin that answers what it is told to.
struct Own {
    name: &'static str,
    log: &'static Log,
    outcome: Reloaded,
    fails_at: &'static [&'static str],
}

/// Its only reason.
#[derive(Debug, thiserror::Error)]
#[error("{0} is tired")]
struct Tired(&'static str);

impl Fault for Tired {
    fn code(&self) -> Code {
        Code::TRY_AGAIN
    }
}

impl Own {
    fn called(&self, verb: &str) -> Result<(), Failure> {
        self.log.note(&format!("{} {verb}", self.name));
        if self.fails_at.contains(&verb) { Err(Tired(self.name).into()) } else { Ok(()) }
    }
}

impl Plugin for Own {
    fn about(&self) -> About {
        About { name: self.name, purpose: "", versions: &Version::ALL }
    }

    fn add(&self, _: &AddCall) -> Result<Success, Failure> {
        self.called("ADD").map(|()| Success::default())
    }

    fn check(&self, _: &CheckCall) -> Result<(), Failure> {
        self.called("CHECK")
    }

    fn del(&self, _: &DelCall) -> Result<(), Failure> {
        self.called("DEL")
    }

    fn gc(&self, call: &GcCall) -> Result<(), Failure> {
        assert!(call.valid.is_empty());
        self.called("GC")
    }

    fn status(&self, _: &StatusCall) -> Result<(), Failure> {
        self.called("STATUS")
    }

    fn raise(&self, call: &StatusCall) -> Result<Reloaded, Failure> {
        assert_eq!(call.call.config.name().as_str(), "net");
        self.called("raise").map(|()| self.outcome)
    }

    fn lower(&self, _: &StatusCall) -> Result<(), Failure> {
        self.called("lower")
    }
}

/// Plugins by name, what their raise finds, and the calls that fail.
pub(crate) fn registry(
    log: &'static Log,
    plugins: &[(&'static str, Reloaded, &'static [&'static str])],
) -> Registry {
    let own = |(name, outcome, fails_at): &(&'static str, Reloaded, &'static [&'static str])| {
        let own = Own { name, log, outcome: *outcome, fails_at };
        &*Box::leak(Box::new(own)) as &dyn Plugin
    };
    let plugins: Vec<&'static dyn Plugin> = plugins.iter().map(own).collect();
    Registry::new(plugins.leak(), InProcess::Listed)
}
