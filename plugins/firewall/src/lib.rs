//! The CNI plugin `firewall`: a container's packets pass the host's own firewall.
//!
//! It comes after another plugin in the chain, whose result tells the container's addresses ([`plan`]). Hosts drop
//! what they forward in different ways, so there are back ends ([`backend`]); the one that is in charge on this host
//! is found out by asking the kernel and the system bus. What was opened for whom is written down in [`notes`], so
//! that DEL and GC find it without the result.

mod add;
mod apart;
mod asked;
mod backend;
mod check;
mod config;
mod del;
mod error;
mod gc;
mod ingress;
mod lower;
mod notes;
mod plan;
mod release;
mod reload;
mod status;

use cni::{
    About, AddCall, CheckCall, DelCall, Failure, GcCall, Plugin, Reloaded, StatusCall, Success, Version,
};

/// The plugin.
#[derive(Debug, Clone, Copy)]
pub struct HostFirewall;

impl Plugin for HostFirewall {
    fn about(&self) -> About {
        About {
            name: "firewall",
            purpose: "lets a container's packets pass the host's own firewall",
            // A chained plugin: earlier versions know no prevResult in DEL and CHECK.
            versions: &[Version::V0_4_0, Version::V1_0_0, Version::V1_1_0],
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

    fn lower(&self, call: &StatusCall) -> Result<(), Failure> {
        lower::lower(call)
    }
}
