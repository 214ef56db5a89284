//! Networks as Docker writes them, and steps from one address to another.

use std::net::IpAddr;

use ipnetwork::IpNetwork;

/// Reads `address/length`, host bits kept. [`IpNetwork`] would also take a bare address, and a mask in dotted
/// form; Docker takes neither.
pub(crate) fn parse(text: &str) -> Option<IpNetwork> {
    let (address, length) = text.split_once('/')?;
    let digits = (1..=3).contains(&length.len()) && length.bytes().all(|byte| byte.is_ascii_digit());
    let length = digits.then(|| length.parse().ok()).flatten()?;
    IpNetwork::new(address.parse().ok()?, length).ok()
}

/// The first and the last address of a network.
pub(crate) fn bounds(network: IpNetwork) -> (IpAddr, IpAddr) {
    (network.network(), network.broadcast())
}

/// The same network without host bits.
pub(crate) fn subnet(network: IpNetwork) -> IpNetwork {
    // The length is one that fits the family, for it comes from a network of the same family.
    IpNetwork::new(network.network(), network.prefix()).unwrap_or(network)
}

/// Whether two networks have an address in common: of two such networks one holds the other.
pub(crate) fn overlap(one: IpNetwork, other: IpNetwork) -> bool {
    one.contains(other.network()) || other.contains(one.network())
}

/// The longest prefix that leaves room for a router and a container.
pub(crate) const fn longest(v6: bool) -> u8 {
    if v6 { 126 } else { 30 }
}

/// The address `by` further on.
pub(crate) fn step(address: IpAddr, by: i32) -> IpAddr {
    match address {
        IpAddr::V4(v4) => IpAddr::V4(v4.to_bits().wrapping_add_signed(by).into()),
        IpAddr::V6(v6) => IpAddr::V6(v6.to_bits().wrapping_add_signed(i128::from(by)).into()),
    }
}
