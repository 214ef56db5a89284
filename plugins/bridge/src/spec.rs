//! What the links of a network should be, whichever verb comes to it: ADD, raise and reload make the same.

use link::bridge::{BridgeSpec, Keeper};
use link::port::{PortSpec, PortVlans, VlanRange};
use vocab::MacAddress;

use crate::config::{Settings, Vlans};

/// The bridge; `mac`, where one is known that it should have again.
pub(crate) fn bridge(settings: &Settings, keeper: Keeper, mac: Option<MacAddress>) -> BridgeSpec {
    BridgeSpec {
        name: settings.bridge.clone(),
        mtu: settings.mtu,
        promiscuous: settings.promiscuous,
        vlan_filtering: settings.vlans.is_used(),
        mac,
        keeper,
    }
}

/// The host's end of a container's pair, as a port of the bridge.
pub(crate) fn port(settings: &Settings) -> PortSpec {
    PortSpec {
        hairpin: settings.hairpin,
        isolated: settings.isolated,
        vlans: settings.vlans.is_used().then(|| vlans(&settings.vlans)),
    }
}

/// The bridge's own end of the pair that stands for it in `vlan`.
pub(crate) fn gateway_port(settings: &Settings, vlan: u16) -> PortSpec {
    let keep_default = settings.vlans.keep_default;
    let vlans = PortVlans { access: Some(vlan), trunk: Vec::new(), keep_default };
    PortSpec { vlans: Some(vlans), ..PortSpec::default() }
}

fn vlans(vlans: &Vlans) -> PortVlans {
    let range = |(first, last): &(u16, u16)| VlanRange { first: *first, last: *last };
    PortVlans {
        access: vlans.access,
        trunk: vlans.trunk.iter().map(range).collect(),
        keep_default: vlans.keep_default,
    }
}
