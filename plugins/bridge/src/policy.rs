//! What a network says of who reaches it: `gatewayMode` and `isolate`.
//!
//! These keys are ours. A configuration without them behaves as with the reference plugins: containers are reached by
//! whoever knows the way.

use firewall::{GatewayMode, Isolation, NetworkPolicy};
use vocab::{InterfaceName, NetworkName};

use crate::error::ConfigFault;

/// What a network says of who reaches it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Policy {
    /// Who comes in from outside and gets out.
    pub(crate) gateway: Option<GatewayMode>,
    /// Whom its containers reach on other networks.
    pub(crate) isolation: Option<Isolation>,
}

impl Policy {
    /// Reads the two keys.
    pub(crate) fn read(gateway_mode: &str, isolate: Option<bool>) -> Result<Self, ConfigFault> {
        let gateway = match gateway_mode {
            "" => None,
            "nat" => Some(GatewayMode::Nat),
            "routed" => Some(GatewayMode::Routed),
            "internal" => Some(GatewayMode::Internal),
            other => {
                let expected = "expected \"nat\", \"routed\" or \"internal\"";
                return Err(ConfigFault::value("gatewayMode", other, expected));
            }
        };
        let isolation =
            isolate.map(|isolate| if isolate { Isolation::FromNetworks } else { Isolation::Open });
        Ok(Self { gateway, isolation })
    }

    /// Whether it says anything.
    pub(crate) fn is_said(self) -> bool {
        self != Self::default()
    }

    /// Whether packets that leave the network are masqueraded: as `ipMasq` says or, where it says nothing, in mode `nat`.
    pub(crate) fn masquerades(self, wanted: Option<bool>) -> Result<bool, ConfigFault> {
        match (self.gateway, wanted) {
            (Some(GatewayMode::Internal), Some(true)) => Err(ConfigFault::conflict(
                "ipMasq and gatewayMode \"internal\"",
                "nothing leaves an internal network",
            )),
            (Some(GatewayMode::Nat), None) => Ok(true),
            (_, wanted) => Ok(wanted.unwrap_or(false)),
        }
    }

    /// The same for the firewall.
    pub(crate) fn of<'a>(self, network: &'a NetworkName, interface: &'a InterfaceName) -> NetworkPolicy<'a> {
        NetworkPolicy { network, interface, gateway: self.gateway, isolation: self.isolation }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mode_decides_about_masquerade_where_nothing_else_does() {
        let masquerades =
            |mode: &str, wanted| Policy::read(mode, None).unwrap().masquerades(wanted).map_err(|_| ());
        assert_eq!(masquerades("", None), Ok(false));
        assert_eq!(masquerades("nat", None), Ok(true));
        assert_eq!(masquerades("nat", Some(false)), Ok(false));
        assert_eq!(masquerades("routed", None), Ok(false));
        assert_eq!(masquerades("routed", Some(true)), Ok(true));
        assert_eq!(masquerades("internal", None), Ok(false));
        assert_eq!(masquerades("internal", Some(true)), Err(()));
    }

    #[test]
    fn an_unknown_mode_is_named() {
        let error = Policy::read("nat-unprotected", None).unwrap_err().to_string();
        assert!(error.contains("gatewayMode: nat-unprotected: expected \"nat\""), "{error}");
        assert!(!Policy::read("", None).unwrap().is_said());
        assert!(Policy::read("", Some(false)).unwrap().is_said());
    }
}
