//! The CNI plugin `host-local`: addresses leased from ranges.
//!
//! Everything that is not the protocol is in the crate `ipam`: this one reads the keys of a configuration
//! ([`config`]), hands a verb to the store, and makes a result of the leases.

mod add;
mod check;
mod config;
mod del;
mod error;
mod gateways;
mod gc;
mod lower;
mod resolv_conf;
mod status;
#[cfg(test)]
mod tests;

use cni::{
    About, AddCall, CheckCall, DelCall, Failure, GcCall, Plugin, StatusCall, Success, Version, run_dir,
};
use ipnetwork::IpNetwork;

/// The plugin.
#[derive(Debug, Clone, Copy)]
pub struct HostLocal;

impl Plugin for HostLocal {
    fn about(&self) -> About {
        About {
            name: "host-local",
            purpose: "leases addresses from ranges, kept in files on this host",
            versions: &Version::ALL,
        }
    }

    fn add(&self, call: &AddCall) -> Result<Success, Failure> {
        Ok(add::add(call, &run_dir())?)
    }

    fn check(&self, call: &CheckCall) -> Result<(), Failure> {
        Ok(check::check(call, &run_dir())?)
    }

    fn del(&self, call: &DelCall) -> Result<(), Failure> {
        Ok(del::del(call, &run_dir())?)
    }

    fn gc(&self, call: &GcCall) -> Result<(), Failure> {
        gc::gc(call, &run_dir())
    }

    fn status(&self, call: &StatusCall) -> Result<(), Failure> {
        Ok(status::status(call, &run_dir())?)
    }

    fn lower(&self, call: &StatusCall) -> Result<(), Failure> {
        Ok(lower::lower(call, &run_dir())?)
    }

    fn gateways(&self, call: &StatusCall) -> Result<Vec<IpNetwork>, Failure> {
        Ok(gateways::gateways(call)?)
    }
}
