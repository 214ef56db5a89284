//! The name of a network's bridge.

use vocab::{InterfaceName, InvalidInterfaceName, NetworkName};

/// The name of the bridge when none is given: the network's, as Docker users know it from
/// `com.docker.network.bridge.name`, or `br-` and a hash where the network's name can be none.
///
/// # Errors
/// [`InvalidInterfaceName`] when neither is one.
pub fn bridge_name(network: &NetworkName) -> Result<InterfaceName, InvalidInterfaceName> {
    let hash = network.as_str().bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let own = match network.as_str() {
        // There the kernel has the settings of all links, and makes no link of that name.
        of_all @ ("all" | "default") => {
            Err(InvalidInterfaceName { value: of_all.to_owned(), reason: "it stands for all links" })
        }
        name => InterfaceName::new(name),
    };
    own.or_else(|_| InterfaceName::new(&format!("br-{:012x}", hash >> 16)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_whose_name_no_link_can_have_still_has_a_bridge() {
        let long = NetworkName::new("a-network-with-a-long-name").unwrap();
        assert_eq!(bridge_name(&long).unwrap().as_str().len(), 15);
        for of_all in ["all", "default"].map(|name| NetworkName::new(name).unwrap()) {
            assert!(bridge_name(&of_all).unwrap().as_str().starts_with("br-"));
        }
        assert_eq!(bridge_name(&NetworkName::new("mybr0").unwrap()).unwrap().as_str(), "mybr0");
    }
}
