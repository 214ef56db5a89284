//! The CNI plugin `static`: the addresses that the configuration names.
//!
//! It keeps nothing anywhere: what an ADD answers is [`plan`], a pure function of the keys in [`config`].

mod add;
mod check;
mod config;
mod del;
mod error;
mod gc;
mod plan;
mod status;
#[cfg(test)]
mod tests;

use cni::{About, AddCall, CheckCall, DelCall, Failure, GcCall, Plugin, StatusCall, Success, Version};

/// The plugin.
#[derive(Debug, Clone, Copy)]
pub struct Static;

impl Plugin for Static {
    fn about(&self) -> About {
        About {
            name: "static",
            purpose: "gives the addresses that the configuration names",
            versions: &Version::ALL,
        }
    }

    fn add(&self, call: &AddCall) -> Result<Success, Failure> {
        Ok(add::add(call)?)
    }

    fn check(&self, call: &CheckCall) -> Result<(), Failure> {
        Ok(check::check(call)?)
    }

    fn del(&self, call: &DelCall) -> Result<(), Failure> {
        del::del(call);
        Ok(())
    }

    fn gc(&self, call: &GcCall) -> Result<(), Failure> {
        gc::gc(call);
        Ok(())
    }

    fn status(&self, call: &StatusCall) -> Result<(), Failure> {
        Ok(status::status(call)?)
    }
}
