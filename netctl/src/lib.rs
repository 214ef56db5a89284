//! The plugins behind both programs.
//!
//! `netctl-cni` executes them under the names that runtimes call; `netctl cni` calls them in process.

use cni::Plugin;

/// Every plugin, in the order in which people read of them.
pub static PLUGINS: &[&dyn Plugin] = &[
    &plugin_bridge::Bridge,
    &plugin_host::HostNamespace,
    &plugin_none::Nothing,
    &plugin_loopback::Loopback,
    &plugin_host_local::HostLocal,
    &plugin_static::Static,
    &plugin_portmap::Portmap,
    &plugin_firewall::HostFirewall,
];
