//! Whose a bridge is: the words that stand on it in the kernel.

use vocab::NetworkName;

use crate::Alias;

/// What the alias of every bridge that we made begins with.
pub const OURS: &str = "netctl";

/// The group of a bridge that is being made. The kernel takes an alias only once the bridge is there; whoever is killed
/// in between leaves one that is known by its group.
pub(super) const BEING_MADE: u32 = 0x6e63_7601;

/// Who keeps a bridge that we made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keeper {
    /// Its containers: it goes when none is left.
    Containers,
    /// A network: it stays as long as that exists, with or without containers.
    Network(NetworkName),
}

impl Keeper {
    /// The alias that says so: `netctl`, or `netctl network NAME`.
    #[must_use]
    pub fn alias(&self) -> Alias {
        match self {
            Self::Containers => Alias::new(OURS),
            Self::Network(name) => Alias::new(&format!("{OURS} network {name}")),
        }
    }
}

/// Whether a bridge that bears `alias` was made by us, whoever keeps it.
#[must_use]
pub fn is_ours(alias: &str) -> bool {
    let rest = alias.strip_prefix(OURS);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(" network "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_we_write_is_known_as_ours_however_long_the_name_is() {
        for name in ["mybr0".to_owned(), "x".repeat(255)] {
            let alias = Keeper::Network(name.parse().unwrap()).alias();
            assert!(is_ours(alias.as_str()) && alias.as_str().len() <= 255, "{alias:?}");
        }
        assert_eq!(Keeper::Network("mybr0".parse().unwrap()).alias().as_str(), "netctl network mybr0");
        assert!(is_ours(Keeper::Containers.alias().as_str()));
        // The last is the end of a pair that stands for a bridge in a VLAN.
        for alias in ["", "uplink", "netctlx", "net", "netctl/cni0.100"] {
            assert!(!is_ours(alias), "{alias}");
        }
    }
}
