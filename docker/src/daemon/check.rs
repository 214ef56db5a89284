//! Whether the keys fit together.

use super::error::{Beside, Expected, Fault, Key, Refusal};
use super::json::Object;
use super::{DaemonFile, DefaultBridge};
use crate::family::Family;
use crate::reserved::reserved;
use crate::shorthand::Shorthand;
use crate::spelling::{V4, V6};
use crate::wish::InvalidWish;

/// Finds what cannot work although each key by itself could.
pub(super) fn check(file: &DaemonFile, object: &Object) -> Result<(), Fault> {
    let check = Check { file, object };
    check.one_of_bridge_and_bip()?;
    check.ipv6_is_not_off()?;
    check.networks()?;
    check.mtu_of_ipv6()
}

struct Check<'a> {
    file: &'a DaemonFile,
    object: &'a Object,
}

impl Check<'_> {
    fn refused(&self, key: &'static str, beside: Option<&'static str>, expected: Expected) -> Fault {
        let beside = beside.map(|key| Beside { key, value: self.object.written(key) });
        let value = self.object.written(key);
        Fault::Refused(Box::new(Refusal { key: Key::new(key), value, beside, expected }))
    }

    /// With its value as it is written, which is not always how the network that came of it is.
    fn invalid(&self, InvalidWish { key, beside, reason, .. }: InvalidWish) -> Fault {
        self.refused(key, beside, reason.into())
    }

    /// Docker's own check: whoever made the bridge gave it its address.
    fn one_of_bridge_and_bip(&self) -> Result<(), Fault> {
        let DaemonFile { wish, bridge, .. } = self.file;
        let bip = wish.bip.as_ref().map(|_| V4.bip).or(wish.bip6.as_ref().map(|_| V6.bip));
        let expected = match bridge {
            DefaultBridge::Own => return Ok(()),
            DefaultBridge::Existing(_) => Expected::OneOfBoth,
            DefaultBridge::None => Expected::NoDefaultNetwork,
        };
        bip.map_or(Ok(()), |bip| Err(self.refused(bip, Some("bridge"), expected)))
    }

    fn ipv6_is_not_off(&self) -> Result<(), Fault> {
        match self.file.wish.ipv6_key() {
            Some(key) if self.file.ipv6 == Some(false) => {
                Err(self.refused(key, Some("ipv6"), Expected::Ipv6))
            }
            _ => Ok(()),
        }
    }

    /// Of a bridge that exists only the host knows the network; the caller goes on from there.
    fn networks(&self) -> Result<(), Fault> {
        let wish = &self.file.wish;
        let shorthand = match self.file.bridge {
            DefaultBridge::Own => Some(Shorthand::new(wish).map_err(|error| self.invalid(error))?),
            DefaultBridge::Existing(_) | DefaultBridge::None => None,
        };
        for (key, network) in wish.networks().map_err(|error| self.invalid(error))? {
            if let Some(reserved) = reserved(network) {
                return Err(self.refused(key, None, Expected::Unreserved(reserved)));
            }
        }
        let full = shorthand.iter().flat_map(Shorthand::families).find(|family| !family.has_room());
        full.map_or(Ok(()), |family| Err(self.no_room(family)))
    }

    /// Two keys together have left nothing for containers.
    fn no_room(&self, family: &Family) -> Fault {
        let wish = &self.file.wish;
        let (words, range, bip) = if family.bridge().is_ipv4() {
            (&V4, &wish.fixed_cidr, &wish.bip)
        } else {
            (&V6, &wish.fixed_cidr_v6, &wish.bip6)
        };
        let (key, beside) = match (range, bip) {
            (Some(_), Some(_)) => (words.range, words.bip),
            (Some(_), None) => (words.range, words.gateway),
            (None, _) => (words.bip, words.gateway),
        };
        self.refused(key, Some(beside), Expected::Room)
    }

    fn mtu_of_ipv6(&self) -> Result<(), Fault> {
        match self.file.mtu {
            Some(mtu) if !mtu.carries_ipv6() && self.file.has_ipv6() => {
                let why = self.file.wish.ipv6_key().unwrap_or("ipv6");
                Err(self.refused("mtu", Some(why), Expected::MtuOfIpv6))
            }
            _ => Ok(()),
        }
    }
}
