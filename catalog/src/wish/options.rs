//! The options of a driver: `-o KEY=VALUE`, in Docker's words and podman's.

use std::collections::BTreeMap;
use std::net::IpAddr;

use vocab::{InterfaceName, Mtu};

use super::Driver;

/// What every option of Docker's begins with. It may be left out.
const PREFIX: &str = "com.docker.network.";

/// Who reaches the containers of a bridge, and whether they get out (Docker's `gateway_mode_ipv4`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GatewayMode {
    /// From outside only published ports are reached; what leaves is masqueraded.
    Nat,
    /// From outside every port is reached by whoever knows the way; what leaves is masqueraded.
    NatUnprotected,
    /// Every port is reached, and what leaves keeps its address.
    Routed,
    /// The host itself has no address on the bridge.
    Isolated,
}

/// What options say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// The name of the bridge.
    pub bridge: Option<InterfaceName>,
    /// Whether what leaves the network is masqueraded.
    pub masquerade: Option<bool>,
    /// Whether its containers reach one another.
    pub icc: Option<bool>,
    /// At which address of the host ports are published that name none.
    pub host_binding: Option<IpAddr>,
    /// The MTU.
    pub mtu: Option<Mtu>,
    /// Who reaches it.
    pub gateway_mode: Option<GatewayMode>,
    /// What the names of its containers' interfaces begin with.
    pub interface_prefix: Option<String>,
    /// The link of the host that macvlan and ipvlan work on.
    pub parent: Option<InterfaceName>,
    /// How macvlan or ipvlan works.
    pub mode: Option<String>,
    /// Whether other networks of the host do not reach it.
    pub isolate: Option<bool>,
    /// Whether containers get no default route.
    pub no_default_route: Option<bool>,
    /// The options as they were written.
    pub written: BTreeMap<String, String>,
}

/// An option that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OptionError {
    /// Nobody knows it.
    #[error("unknown option {key:?} of driver {driver}")]
    Unknown {
        /// The option.
        key: String,
        /// The driver.
        driver: Driver,
        /// The option that was meant, perhaps.
        nearest: Option<&'static str>,
    },
    /// It is one of another driver.
    #[error("option {key} is none of driver {driver}")]
    OtherDriver {
        /// The option.
        key: &'static str,
        /// The driver.
        driver: Driver,
    },
    /// Its value is none.
    #[error("option {key}: {value:?}: expected {expected}")]
    Value {
        /// The option.
        key: &'static str,
        /// Its value.
        value: String,
        /// What would be one.
        expected: String,
    },
    /// Two of them say different things.
    #[error("option {key} says {value:?} and {other:?}: a network has one gateway mode for both families")]
    TwoModes {
        /// The option that came second.
        key: &'static str,
        /// Its value.
        value: String,
        /// The other's value.
        other: String,
    },
}

impl OptionError {
    /// The way out.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Unknown { nearest: Some(nearest), .. } => Some(format!("did you mean {nearest}?")),
            Self::Unknown { nearest: None, driver, .. } => {
                let known: Vec<&str> = of_driver(*driver).map(|(key, _, _)| short(key)).collect();
                Some(format!("its options are {}", known.join(", ")))
            }
            Self::OtherDriver { .. } | Self::Value { .. } | Self::TwoModes { .. } => None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    Bridge,
    Masquerade,
    Icc,
    HostBinding,
    Mtu,
    ModeV4,
    ModeV6,
    Prefix,
    Parent,
    MacvlanMode,
    IpvlanMode,
    Isolate,
    NoDefaultRoute,
}

/// Every option: its full name, what it is, whose it is (all drivers' when empty).
const KNOWN: [(&str, Key, &[Driver]); 13] = [
    ("com.docker.network.bridge.name", Key::Bridge, &[Driver::Bridge]),
    ("com.docker.network.bridge.enable_ip_masquerade", Key::Masquerade, &[Driver::Bridge]),
    ("com.docker.network.bridge.enable_icc", Key::Icc, &[Driver::Bridge]),
    ("com.docker.network.bridge.host_binding_ipv4", Key::HostBinding, &[Driver::Bridge]),
    ("com.docker.network.driver.mtu", Key::Mtu, &[]),
    ("com.docker.network.bridge.gateway_mode_ipv4", Key::ModeV4, &[Driver::Bridge]),
    ("com.docker.network.bridge.gateway_mode_ipv6", Key::ModeV6, &[Driver::Bridge]),
    ("com.docker.network.container_iface_prefix", Key::Prefix, &[]),
    ("parent", Key::Parent, &[Driver::Macvlan, Driver::Ipvlan]),
    ("macvlan_mode", Key::MacvlanMode, &[Driver::Macvlan]),
    ("ipvlan_mode", Key::IpvlanMode, &[Driver::Ipvlan]),
    ("isolate", Key::Isolate, &[Driver::Bridge]),
    ("no_default_route", Key::NoDefaultRoute, &[]),
];

/// podman's words for the same.
const ALSO: [(&str, Key); 3] = [("mtu", Key::Mtu), ("mode", Key::MacvlanMode), ("mode", Key::IpvlanMode)];

fn of_driver(driver: Driver) -> impl Iterator<Item = &'static (&'static str, Key, &'static [Driver])> {
    KNOWN.iter().filter(move |(_, _, drivers)| drivers.is_empty() || drivers.contains(&driver))
}

fn short(key: &'static str) -> &'static str {
    key.strip_prefix(PREFIX).unwrap_or(key)
}

impl Options {
    /// Reads the options of a driver; of one that is given twice the last counts.
    ///
    /// # Errors
    /// [`OptionError`] with the option, its value and what was expected.
    pub fn read(driver: Driver, pairs: &[(String, String)]) -> Result<Self, OptionError> {
        let mut options = Self::default();
        let mut mode: Option<&str> = None;
        for (written, value) in pairs {
            let (name, key) = find(driver, written)?;
            if matches!(key, Key::ModeV4 | Key::ModeV6) {
                if let Some(other) = mode.filter(|other| other != value) {
                    let (value, other) = (value.clone(), other.to_owned());
                    return Err(OptionError::TwoModes { key: name, value, other });
                }
                mode = Some(value);
            }
            options.set(name, key, value)?;
            options.written.insert(written.clone(), value.clone());
        }
        Ok(options)
    }

    fn set(&mut self, name: &'static str, key: Key, value: &str) -> Result<(), OptionError> {
        match key {
            Key::Bridge => self.bridge = Some(interface(name, value)?),
            Key::Parent => self.parent = Some(interface(name, value)?),
            Key::Masquerade => self.masquerade = Some(truth(name, value)?),
            Key::Icc => self.icc = Some(truth(name, value)?),
            Key::Isolate => self.isolate = Some(truth(name, value)?),
            Key::NoDefaultRoute => self.no_default_route = Some(truth(name, value)?),
            Key::HostBinding => {
                let address = value.parse().map_err(|_| wrong(name, value, "an address of the host"))?;
                self.host_binding = Some(address);
            }
            Key::Mtu => {
                let expected = || format!("{} to {} bytes", Mtu::LEAST, Mtu::MOST);
                self.mtu = Some(value.parse().map_err(|_| wrong(name, value, expected()))?);
            }
            Key::Prefix => {
                // A number follows, and the whole must be the name of an interface.
                let is_prefix = InterfaceName::new(&format!("{value}99")).is_ok() && !value.is_empty();
                if !is_prefix {
                    return Err(wrong(name, value, "the beginning of an interface's name, at most 13 bytes"));
                }
                self.interface_prefix = Some(value.to_owned());
            }
            Key::MacvlanMode => {
                self.mode = Some(one_of(name, value, &["bridge", "vepa", "private", "passthru"])?)
            }
            Key::IpvlanMode => self.mode = Some(one_of(name, value, &["l2", "l3", "l3s"])?),
            Key::ModeV4 | Key::ModeV6 => self.gateway_mode = Some(gateway_mode(name, value)?),
        }
        Ok(())
    }
}

fn find(driver: Driver, written: &str) -> Result<(&'static str, Key), OptionError> {
    let is_it = |key: &'static str| key == written || key.strip_prefix(PREFIX) == Some(written);
    if let Some((key, what, _)) = of_driver(driver).find(|(key, _, _)| is_it(key)) {
        return Ok((key, *what));
    }
    let keys: Vec<_> = of_driver(driver).collect();
    let also = ALSO.iter().filter(|(key, _)| *key == written);
    if let Some((key, what, _)) =
        also.filter_map(|(_, what)| keys.iter().find(|(_, known, _)| known == what)).next()
    {
        return Ok((key, *what));
    }
    if let Some((key, _, _)) = KNOWN.iter().find(|(key, _, _)| is_it(key)) {
        return Err(OptionError::OtherDriver { key, driver });
    }
    let likeness = |key: &str| strsim::jaro_winkler(short_of(written), key);
    let names = keys.iter().map(|(key, _, _)| short(key));
    let nearest = names.map(|key| (likeness(key), key)).filter(|(likeness, _)| *likeness > 0.8);
    let nearest = nearest.max_by(|(a, _), (b, _)| a.total_cmp(b)).map(|(_, key)| key);
    Err(OptionError::Unknown { key: written.to_owned(), driver, nearest })
}

fn short_of(written: &str) -> &str {
    written.strip_prefix(PREFIX).unwrap_or(written)
}

fn wrong(key: &'static str, value: &str, expected: impl Into<String>) -> OptionError {
    OptionError::Value { key, value: value.to_owned(), expected: expected.into() }
}

fn interface(key: &'static str, value: &str) -> Result<InterfaceName, OptionError> {
    InterfaceName::new(value)
        .map_err(|error| wrong(key, value, format!("the name of an interface ({})", error.reason)))
}

/// As Go reads them, in which Docker is written.
fn truth(key: &'static str, value: &str) -> Result<bool, OptionError> {
    match value {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(wrong(key, value, "true or false")),
    }
}

fn one_of(key: &'static str, value: &str, known: &[&str]) -> Result<String, OptionError> {
    match known.contains(&value) {
        true => Ok(value.to_owned()),
        false => Err(wrong(key, value, format!("one of {}", known.join(", ")))),
    }
}

fn gateway_mode(key: &'static str, value: &str) -> Result<GatewayMode, OptionError> {
    match value {
        "nat" => Ok(GatewayMode::Nat),
        "nat-unprotected" => Ok(GatewayMode::NatUnprotected),
        "routed" => Ok(GatewayMode::Routed),
        "isolated" => Ok(GatewayMode::Isolated),
        _ => Err(wrong(key, value, "nat, nat-unprotected, routed or isolated")),
    }
}

#[cfg(test)]
mod tests;
