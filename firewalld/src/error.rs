//! Why firewalld did not do what it was asked for, and what a person can do about it.

use std::fmt;

use ipnetwork::IpNetwork;

use crate::address::InvalidAddress;
use crate::bus;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Request {
    /// A connection.
    Connect,
    /// To put a source into a zone.
    Add {
        /// Which source.
        source: IpNetwork,
        /// Which zone.
        zone: String,
    },
    /// To take a source out of a zone.
    Remove {
        /// Which source.
        source: IpNetwork,
        /// Which zone.
        zone: String,
    },
    /// Whether a source is in a zone.
    Find {
        /// Which source.
        source: IpNetwork,
        /// Which zone.
        zone: String,
    },
    /// In which zone a source is.
    FindZone {
        /// Which source.
        source: IpNetwork,
    },
    /// The default zone.
    DefaultZone,
    /// All zones.
    Zones,
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect => f.write_str("connect to firewalld"),
            Self::Add { source, zone } => write!(f, "add source {source} to firewalld's zone {zone:?}"),
            Self::Remove { source, zone } => {
                write!(f, "remove source {source} from firewalld's zone {zone:?}")
            }
            Self::Find { source, zone } => write!(f, "look for source {source} in firewalld's zone {zone:?}"),
            Self::FindZone { source } => write!(f, "find firewalld's zone of source {source}"),
            Self::DefaultZone => f.write_str("ask for firewalld's default zone"),
            Self::Zones => f.write_str("list firewalld's zones"),
        }
    }
}

/// Why firewalld did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is not known where the bus is.
    #[error("understand DBUS_SYSTEM_BUS_ADDRESS")]
    Address {
        /// What is wrong with it.
        source: InvalidAddress,
    },
    /// There is no such zone.
    #[error("firewalld has no zone {zone:?}: there are {}", zones.join(", "))]
    NoZone {
        /// The zone.
        zone: String,
        /// Which there are.
        zones: Vec<String>,
    },
    /// The source is in another zone.
    #[error("add source {address} to firewalld's zone {zone:?}: it is in zone {other:?}")]
    OtherZone {
        /// The source.
        address: IpNetwork,
        /// Where it should be.
        zone: String,
        /// Where it is.
        other: String,
    },
    /// The bus or firewalld itself said no, or nothing.
    #[error("{request}")]
    Bus {
        /// What was asked for.
        request: Request,
        /// Why it was not done.
        source: bus::Error,
    },
}

/// What firewalld calls its refusals (`firewall/errors.py`), as far as they mean something here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    AlreadySet,
    Conflict,
    InvalidZone,
    UnknownSource,
}

impl Error {
    /// Whether firewalld, or the bus, has gone: what it was asked to remember went with it.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        match self {
            Self::Bus { source: bus::Error::Closed, .. } => true,
            Self::Bus { source: bus::Error::Refused { name, .. }, .. } => {
                let gone = ["NameHasNoOwner", "ServiceUnknown", "NoReply", "Disconnected"];
                name.strip_prefix("org.freedesktop.DBus.Error.").is_some_and(|name| gone.contains(&name))
            }
            _ => false,
        }
    }

    /// A way out, where one is known.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Address { .. } => {
                Some("unset it, or set it to unix:path=/run/dbus/system_bus_socket".to_owned())
            }
            Self::NoZone { zone, .. } => Some(format!(
                "choose one of them, or make it: `firewall-cmd --permanent --new-zone={zone}` and `firewall-cmd --reload`"
            )),
            Self::OtherZone { address, other, .. } => Some(format!(
                "choose zone {other}, or free the source: `firewall-cmd --zone={other} --remove-source={address}`"
            )),
            Self::Bus { .. } if self.is_gone() => {
                Some("`systemctl status firewalld` tells why it has ended".to_owned())
            }
            Self::Bus { source, .. } => source.hint().map(str::to_owned),
        }
    }

    pub(crate) fn code(&self) -> Option<Code> {
        let (name, text) = match self {
            Self::Bus { source: bus::Error::Refused { name, text }, .. } => (name, text),
            // Sources have none, so it is in the name of a zone.
            Self::Bus { source: bus::Error::ZeroByte, .. } => return Some(Code::InvalidZone),
            _ => return None,
        };
        if name != "org.fedoraproject.FirewallD1.Exception" {
            return None;
        }
        match text.split(':').next()? {
            "ZONE_ALREADY_SET" => Some(Code::AlreadySet),
            "ZONE_CONFLICT" => Some(Code::Conflict),
            "INVALID_ZONE" => Some(Code::InvalidZone),
            "UNKNOWN_SOURCE" => Some(Code::UnknownSource),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(name: &str, text: &str) -> Error {
        let source = bus::Error::Refused { name: name.to_owned(), text: text.to_owned() };
        Error::Bus { request: Request::Zones, source }
    }

    #[test]
    fn refusals_of_firewalld_are_known_by_their_first_word() {
        let code = |text| refused("org.fedoraproject.FirewallD1.Exception", text).code();
        assert_eq!(code("ZONE_CONFLICT: '10.22.0.5/32' already bound to a zone"), Some(Code::Conflict));
        assert_eq!(code("INVALID_ZONE: nope"), Some(Code::InvalidZone));
        assert_eq!(code("FAILED: INVALID_ZONE"), None);
        assert_eq!(refused("org.freedesktop.DBus.Error.Failed", "INVALID_ZONE: nope").code(), None);
    }

    #[test]
    fn a_firewalld_that_ended_is_told_from_one_that_refuses() {
        assert!(refused("org.freedesktop.DBus.Error.NoReply", "").is_gone());
        let refused = refused("org.freedesktop.DBus.Error.AccessDenied", "");
        assert!(!refused.is_gone() && refused.hint().unwrap().contains("root"));
    }

    #[test]
    fn errors_name_what_was_tried_and_the_way_out() {
        let error = Error::OtherZone {
            address: "10.22.0.5/32".parse().unwrap(),
            zone: "trusted".to_owned(),
            other: "public".to_owned(),
        };
        let text = "add source 10.22.0.5/32 to firewalld's zone \"trusted\": it is in zone \"public\"";
        assert_eq!(error.to_string(), text);
        assert!(error.hint().unwrap().contains("--zone=public --remove-source=10.22.0.5/32"));
    }
}
