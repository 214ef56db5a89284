//! Pools from which networks get their subnet (`default-address-pools`).

use ipnetwork::IpNetwork;
use subnet::Family;

use crate::reserved::{Reserved, reserved};

/// A network that is divided into smaller ones, all of one size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pool {
    base: IpNetwork,
    size: u8,
}

/// Why a pool cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPool {
    /// The base is the address of a host.
    #[error("expected the network itself, {0}")]
    HostBits(IpNetwork),
    /// The base means something else.
    #[error("expected a network outside {0}")]
    Reserved(Reserved),
    /// The base is too small.
    #[error("expected a prefix of at most {longest} bits, which leaves room for containers")]
    Room {
        /// The longest prefix.
        longest: u8,
    },
    /// A network is larger than the base, or too small.
    #[error("expected the prefix length of a network in {base} with room for containers, {} to {longest}", base.prefix())]
    Size {
        /// The base.
        base: IpNetwork,
        /// The longest prefix.
        longest: u8,
    },
}

impl Pool {
    /// `base`, divided into networks with a prefix of `size` bits.
    ///
    /// # Errors
    /// [`InvalidPool`] when no network of containers can come of it.
    pub fn new(base: IpNetwork, size: u8) -> Result<Self, InvalidPool> {
        let longest = Family::of_network(base).longest_prefix();
        if subnet::of(base) != base {
            return Err(InvalidPool::HostBits(subnet::of(base)));
        }
        if let Some(reserved) = reserved(base) {
            return Err(InvalidPool::Reserved(reserved));
        }
        if base.prefix() > longest {
            return Err(InvalidPool::Room { longest });
        }
        if !(base.prefix()..=longest).contains(&size) {
            return Err(InvalidPool::Size { base, longest });
        }
        Ok(Self { base, size })
    }

    /// The network that is divided.
    #[must_use]
    pub const fn base(&self) -> IpNetwork {
        self.base
    }

    /// The length of the prefix of each network.
    #[must_use]
    pub const fn size(&self) -> u8 {
        self.size
    }
}
