//! The keys of a bridge network, read and found consistent before anything is touched.

use cni::{Call, Config, Dns, OptionalIp};
use docker::Shorthand;
use ipnetwork::IpNetwork;
use serde::Deserialize;
use serde_json::Value;
use vocab::{InterfaceName, MacAddress, Mtu};

use crate::error::ConfigFault;
use crate::policy::Policy;

/// The bridge of a conflist that names none.
const DEFAULT_BRIDGE: &str = "cni0";

/// What is known of a bridge network before the host is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    /// The bridge.
    pub(crate) bridge: InterfaceName,
    /// Where the bridge gets its addresses from.
    pub(crate) gateway: Gateway,
    /// Whether the container gets a default route by each gateway.
    pub(crate) default_route: bool,
    /// Whether other addresses on the bridge make way.
    pub(crate) force_address: bool,
    /// Whether ADD switches the host's forwarding on where the bridge is a gateway.
    pub(crate) forwarding: bool,
    /// How what leaves the network is masqueraded.
    pub(crate) masquerade: Masquerade,
    /// Who reaches the network.
    pub(crate) policy: Policy,
    /// MTU of the bridge, when it is made, and of the pair, in bytes.
    pub(crate) mtu: Option<u32>,
    /// Whether a port may send a frame back where it came from.
    pub(crate) hairpin: bool,
    /// Whether the bridge takes every frame.
    pub(crate) promiscuous: bool,
    /// Whether isolated ports cannot reach one another.
    pub(crate) isolated: bool,
    /// The VLANs of the container's port.
    pub(crate) vlans: Vlans,
    /// Whether frames with another source address than the container's are dropped.
    pub(crate) spoof_check: bool,
    /// Whether the container's end stays down.
    pub(crate) leave_down: bool,
    /// Whether IPv6 addresses are probed for duplicates.
    pub(crate) duplicate_detection: bool,
    /// The container's link-layer address, if one is asked for.
    pub(crate) mac: Option<MacAddress>,
    /// What replaces the IPAM plugin's `dns`.
    pub(crate) dns: Option<Dns>,
    /// The IPAM plugin.
    pub(crate) ipam: Option<String>,
}

/// Where the bridge gets its addresses from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Gateway {
    /// It is a switch only.
    None,
    /// The gateways that the IPAM plugin answers.
    OfIpam,
    /// These, whatever the containers' gateway is.
    Fixed(Vec<IpNetwork>),
}

/// How what leaves the network is masqueraded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Masquerade {
    /// Not at all.
    No,
    /// One element a network in our nftables table.
    Nftables,
    /// The reference's chains, by `iptables-restore`.
    Iptables,
}

/// The VLANs of the container's port.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Vlans {
    /// The VLAN of untagged frames.
    pub(crate) access: Option<u16>,
    /// The VLANs of tagged frames, first to last.
    pub(crate) trunk: Vec<(u16, u16)>,
    /// Whether the port stays in VLAN 1.
    pub(crate) keep_default: bool,
}

impl Vlans {
    /// Whether the bridge must tell VLANs apart.
    pub(crate) fn is_used(&self) -> bool {
        self.access.is_some() || !self.trunk.is_empty()
    }
}

/// The keys as they are written.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Keys {
    bridge: String,
    is_gateway: bool,
    is_default_gateway: bool,
    force_address: bool,
    ip_forward: Option<bool>,
    ip_masq: Option<bool>,
    ip_masq_backend: String,
    mtu: i64,
    hairpin_mode: bool,
    promisc_mode: bool,
    vlan: i64,
    vlan_trunk: Vec<Trunk>,
    preserve_default_vlan: bool,
    macspoofchk: bool,
    disable_container_interface: bool,
    port_isolation: bool,
    enabledad: bool,
    gateway_mode: String,
    isolate: Option<bool>,
    mac: String,
    runtime_config: Wishes,
    args: CniArgs,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct CniArgs {
    cni: Wishes,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Wishes {
    mac: String,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Trunk {
    #[serde(rename = "minID")]
    min_id: Option<i64>,
    #[serde(rename = "maxID")]
    max_id: Option<i64>,
    id: Option<i64>,
}

/// Docker's keys, which stand in for `ipam`.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "kebab-case")]
struct DockerKeys {
    bip: Option<String>,
    bip6: Option<String>,
    fixed_cidr: Option<String>,
    fixed_cidr_v6: Option<String>,
    default_gateway: OptionalIp,
    default_gateway_v6: OptionalIp,
}

/// Reads a call's configuration; the call that comes back has an `ipam` in it also where Docker's keys
/// stood for one, so that from here on there is one way only.
///
/// # Errors
/// [`ConfigFault`] that names the key, its value and what was expected.
pub(crate) fn read(call: &Call) -> Result<(Settings, Call), ConfigFault> {
    let keys: Keys = call.config.decode()?;
    let shorthand = read_shorthand(&call.config)?;
    let mac = wished_mac(&keys, call)?;
    let dns = read_dns(&call.config)?;
    let call = match &shorthand {
        Some(shorthand) => {
            let config = call.config.with("ipam", shorthand.ipam())?;
            Call { config: config.into(), ..call.clone() }
        }
        None => call.clone(),
    };
    let mut settings = Settings::new(keys, &call.config, mac, dns)?;
    if let Some(shorthand) = shorthand {
        settings.adopt(&shorthand, &call.config)?;
    }
    Ok((settings, call))
}

impl Settings {
    fn new(
        keys: Keys,
        config: &Config,
        mac: Option<MacAddress>,
        dns: Option<Dns>,
    ) -> Result<Self, ConfigFault> {
        if keys.hairpin_mode && keys.promisc_mode {
            return Err(ConfigFault::conflict(
                "hairpinMode and promiscMode",
                "a bridge that takes every frame itself sends none back",
            ));
        }
        let ipam = config.ipam_type()?;
        if keys.disable_container_interface && ipam.is_some() {
            return Err(ConfigFault::conflict(
                "disableContainerInterface and ipam",
                "an interface that stays down can use no address",
            ));
        }
        let policy = Policy::read(&keys.gateway_mode, keys.isolate)?;
        let bridge = if keys.bridge.is_empty() { DEFAULT_BRIDGE } else { &keys.bridge };
        let bridge = InterfaceName::new(bridge)
            .map_err(|error| ConfigFault::value("bridge", &keys.bridge, error.reason))?;
        Ok(Self {
            bridge,
            gateway: if keys.is_gateway || keys.is_default_gateway { Gateway::OfIpam } else { Gateway::None },
            default_route: keys.is_default_gateway,
            force_address: keys.force_address,
            forwarding: keys.ip_forward.unwrap_or(true),
            masquerade: masquerade(policy.masquerades(keys.ip_masq)?, &keys.ip_masq_backend)?,
            policy,
            mtu: mtu(keys.mtu)?,
            hairpin: keys.hairpin_mode,
            promiscuous: keys.promisc_mode,
            isolated: keys.port_isolation,
            vlans: vlans(&keys)?,
            spoof_check: keys.macspoofchk,
            leave_down: keys.disable_container_interface,
            duplicate_detection: keys.enabledad,
            mac,
            dns,
            ipam,
        })
    }

    /// What Docker's keys mean beyond the addresses: a network of its own bridge, a gateway, a way out.
    fn adopt(&mut self, shorthand: &Shorthand, config: &Config) -> Result<(), ConfigFault> {
        if config.get("bridge").is_none() {
            let bridge = docker::bridge_name(config.name());
            self.bridge = bridge.map_err(|error| ConfigFault::value("name", config.name(), error.reason))?;
        }
        // In any other mode than nat the mode has decided.
        if config.get("ipMasq").is_none() && self.policy.gateway.is_none() {
            let backend: Option<String> = config.decode_key("ipMasqBackend")?;
            self.masquerade = masquerade(true, &backend.unwrap_or_default())?;
        }
        self.gateway = Gateway::Fixed(shorthand.bridge_addresses());
        Ok(())
    }
}

fn masquerade(wanted: bool, backend: &str) -> Result<Masquerade, ConfigFault> {
    match backend {
        "" | "nftables" if wanted => Ok(Masquerade::Nftables),
        "iptables" if wanted => Ok(Masquerade::Iptables),
        "" | "nftables" | "iptables" => Ok(Masquerade::No),
        other => Err(ConfigFault::value("ipMasqBackend", other, "expected \"nftables\" or \"iptables\"")),
    }
}

/// 0 means none.
fn mtu(bytes: i64) -> Result<Option<u32>, ConfigFault> {
    if bytes == 0 {
        return Ok(None);
    }
    let mtu = u32::try_from(bytes).ok().and_then(|bytes| Mtu::new(bytes).ok());
    let expected = "expected 68 to 65535 bytes, or 0 for the kernel's default";
    mtu.map(|mtu| Some(mtu.bytes())).ok_or_else(|| ConfigFault::value("mtu", bytes, expected))
}

fn vlans(keys: &Keys) -> Result<Vlans, ConfigFault> {
    let access = match keys.vlan {
        0 => None,
        1..=4094 => u16::try_from(keys.vlan).ok(),
        vlan => return Err(ConfigFault::value("vlan", vlan, "expected 0 to 4094")),
    };
    let mut trunk = Vec::new();
    for (index, item) in keys.vlan_trunk.iter().enumerate() {
        let key = |key: &str| format!("vlanTrunk[{index}].{key}");
        let id = |name: &str, id: i64| match id {
            1..=4094 => Ok(id as u16),
            _ => Err(ConfigFault::value(key(name), id, "expected 1 to 4094")),
        };
        match (item.min_id, item.max_id) {
            (Some(min), Some(max)) if min > max => {
                return Err(ConfigFault::value(key("minID"), min, "expected at most maxID"));
            }
            (Some(min), Some(max)) => trunk.push((id("minID", min)?, id("maxID", max)?)),
            (None, None) => {}
            _ => return Err(ConfigFault::value(key("minID"), "", "expected minID and maxID together")),
        }
        if let Some(single) = item.id {
            let single = id("id", single)?;
            trunk.push((single, single));
        }
    }
    trunk.sort_unstable();
    Ok(Vlans { access, trunk, keep_default: keys.preserve_default_vlan })
}

/// `runtimeConfig` wins over `args.cni`, that over `CNI_ARGS`, that over the configuration's own key.
fn wished_mac(keys: &Keys, call: &Call) -> Result<Option<MacAddress>, ConfigFault> {
    let args = call.environment.args()?;
    let wishes = [
        ("runtimeConfig.mac", keys.runtime_config.mac.as_str()),
        ("args.cni.mac", keys.args.cni.mac.as_str()),
        ("CNI_ARGS MAC", args.get("MAC").unwrap_or_default()),
        ("mac", keys.mac.as_str()),
    ];
    let Some((key, text)) = wishes.into_iter().find(|(_, text)| !text.is_empty()) else { return Ok(None) };
    match text.parse::<MacAddress>() {
        Ok(mac) if mac.is_unicast() => Ok(Some(mac)),
        Ok(_) => Err(ConfigFault::value(key, text, "expected a unicast address")),
        Err(_) => Err(ConfigFault::value(key, text, "expected six bytes such as 02:42:ac:11:00:02")),
    }
}

/// CNI writes `dns` as an object, Docker as a list of servers.
fn read_dns(config: &Config) -> Result<Option<Dns>, ConfigFault> {
    match config.get("dns") {
        None => Ok(None),
        Some(Value::Array(_)) => {
            let nameservers = config.decode_key("dns")?.unwrap_or_default();
            Ok(Some(Dns { nameservers, ..Dns::default() }))
        }
        // Any key of it, be its list empty, replaces what the IPAM plugin says.
        Some(Value::Object(object)) if object.is_empty() => Ok(None),
        Some(_) => Ok(config.decode_key("dns")?),
    }
}

fn read_shorthand(config: &Config) -> Result<Option<Shorthand>, ConfigFault> {
    let keys: DockerKeys = config.decode()?;
    let DockerKeys { bip, bip6, fixed_cidr, fixed_cidr_v6, default_gateway, default_gateway_v6 } = keys;
    let wish = docker::Wish {
        bip,
        bip6,
        fixed_cidr,
        fixed_cidr_v6,
        gateway: default_gateway.0,
        gateway_v6: default_gateway_v6.0,
    };
    if wish == docker::Wish::default() {
        return Ok(None);
    }
    if config.get("ipam").is_some() {
        return Err(ConfigFault::conflict(
            "ipam and Docker's keys (bip, fixed-cidr, default-gateway …)",
            "both say where addresses come from; keep one of them",
        ));
    }
    Ok(Some(Shorthand::new(&wish)?))
}

#[cfg(test)]
mod tests;
