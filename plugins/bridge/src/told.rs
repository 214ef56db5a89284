//! What ADD answered, as CHECK and reload are told it: `prevResult`.

use cni::{Interface, Ip, Success};
use ipnetwork::IpNetwork;
use vocab::{InterfaceName, MacAddress};

use crate::config::{Gateway, Settings};
use crate::plan;

/// The interface of that name on the host.
pub(crate) fn on_host<'a>(result: &'a Success, name: &InterfaceName) -> Option<&'a Interface> {
    result.interfaces.iter().find(|told| told.sandbox.is_empty() && told.name == name.as_str())
}

/// The container's interface of that name.
pub(crate) fn in_container<'a>(result: &'a Success, name: &InterfaceName) -> Option<&'a Interface> {
    place(result, name).and_then(|at| result.interfaces.get(at))
}

/// The addresses of the container's interface of that name: other plugins of the chain may have brought more.
pub(crate) fn ips<'a>(result: &'a Success, name: &InterfaceName) -> impl Iterator<Item = &'a Ip> {
    let at = place(result, name);
    result.ips.iter().filter(move |ip| ip.interface.is_none() || ip.interface == at)
}

/// The addresses that ADD gave to the bridge, or to what stands for it in a VLAN.
pub(crate) fn gateways(settings: &Settings, result: &Success, name: &InterfaceName) -> Vec<IpNetwork> {
    match &settings.gateway {
        Gateway::None => Vec::new(),
        Gateway::OfIpam => plan::gateways(ips(result, name)),
        Gateway::Fixed(addresses) => addresses.clone(),
    }
}

/// The MAC address that an interface had.
pub(crate) fn mac(interface: Option<&Interface>) -> Option<MacAddress> {
    interface?.mac.parse().ok()
}

fn place(result: &Success, name: &InterfaceName) -> Option<usize> {
    result.interfaces.iter().position(|told| !told.sandbox.is_empty() && told.name == name.as_str())
}
