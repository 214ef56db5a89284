//! The CNI plugin `portmap`: ports of the host that lead to a container.
//!
//! It comes behind a plugin that attached the container, and publishes the ports that the runtime names
//! (`runtimeConfig.portMappings`). What the keys mean stands in [`config`], for whom and by which way in [`target`].
//! The ports are elements of our nftables table; a configuration that asks for iptables, by name or in words that only
//! iptables has, gets the reference's chains.

mod add;
mod check;
mod config;
mod del;
mod error;
mod forget;
mod gc;
mod publish;
mod reach;
mod reload;
mod status;
mod target;

use cni::{
    About, AddCall, CheckCall, DelCall, Failure, GcCall, Plugin, Reloaded, StatusCall, Success, Version,
};

/// The plugin.
#[derive(Debug, Clone, Copy)]
pub struct Portmap;

impl Plugin for Portmap {
    fn about(&self) -> About {
        About {
            name: "portmap",
            purpose: "publishes ports of a container on the host",
            versions: &Version::ALL,
        }
    }

    fn add(&self, call: &AddCall) -> Result<Success, Failure> {
        add::add(call)
    }

    fn check(&self, call: &CheckCall) -> Result<(), Failure> {
        check::check(call)
    }

    fn del(&self, call: &DelCall) -> Result<(), Failure> {
        del::del(call)
    }

    fn gc(&self, call: &GcCall) -> Result<(), Failure> {
        gc::gc(call)
    }

    fn status(&self, call: &StatusCall) -> Result<(), Failure> {
        status::status(call)
    }

    fn reload(&self, call: &CheckCall) -> Result<Reloaded, Failure> {
        reload::reload(call)
    }
}
