//! The CNI plugin `bridge`: a container on a Linux bridge.
//!
//! An ADD reads like [`add`]: settings, lease, plan, then the steps, each with its reverse. What a network
//! asks for stands in [`config`], with Docker's spelling of the same in the crate `docker`; what follows from it
//! and from the lease is decided in [`plan`] without touching anything.

mod add;
mod addresses;
mod check;
mod config;
mod del;
mod error;
mod gateway;
mod gc;
mod owner;
mod plan;
mod policy;
mod raise;
mod release;
mod reload;
mod rewire;
mod spec;
mod status;
mod told;

use cni::{
    About, AddCall, CheckCall, DelCall, Failure, GcCall, Plugin, Reloaded, StatusCall, Success, Version,
};

/// The plugin.
#[derive(Debug, Clone, Copy)]
pub struct Bridge;

impl Plugin for Bridge {
    fn about(&self) -> About {
        About { name: "bridge", purpose: "connects a container to a Linux bridge", versions: &Version::ALL }
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

    fn raise(&self, call: &StatusCall) -> Result<Reloaded, Failure> {
        raise::raise(call)
    }

    fn lower(&self, call: &StatusCall) -> Result<(), Failure> {
        raise::lower(call)
    }
}
